"""One batch through the shipper and a fake at the network seam: what is sent again, when, and what comes of it."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.errors import Misconfigured, Retry
from shared.report import Report
from shared.ship.client import Reply
from shared.ship.dead_letter import DeadLetter
from shared.ship.shipper import Shipper
from tests.ship.shipping import Server, Time, created, document, error, items, outcome, settings

FULL = error(429, "es_rejected_execution_exception")
BAD = error(400, "document_parsing_exception", "failed to parse field [n]")
THERE = error(409, "version_conflict_engine_exception")


def ship(
    server: Server, names: str, time: Time, *, report: Report | None = None, seconds: float = 100.0, **environment: str
) -> list[DeadLetter]:
    """Ship one document per letter, one request at a time unless told otherwise."""
    shipper = Shipper(settings(**{"BULK_CONCURRENCY": "1"} | environment), post=server.post, clock=time.clock())
    report = Report("xdr") if report is None else report
    return shipper.ship(map(document, names), report, source="xdr", deadline=time.now + seconds)


def test_only_what_needs_it_is_sent_again() -> None:
    """Of a mixed answer the indexed, duplicate and refused are settled, and the busy ones alone go out again."""
    verdicts = {"a": {"status": 201}, "b": FULL, "c": THERE, "d": BAD, "e": FULL, "f": {"status": 201}}
    server = Server(lambda ids: items([verdicts[i] for i in ids]) if len(ids) == 6 else created(ids))
    report, time = Report("xdr"), Time()
    dead = ship(server, "abcdef", time, report=report)
    assert server.bodies == [list("abcdef"), list("be")]
    assert outcome(report) == {"indexed": 4, "duplicate": 1}
    assert [(letter.id, letter.code, letter.attempt) for letter in dead] == [("d", "document_parsing_exception", 1)]
    assert dead[0].original == b"record d"
    assert dead[0].sequence_number == 42
    assert dead[0].partition == "3"
    assert (report.requests, report.retries) == (2, 1)
    assert time.waits == [0.5]


def test_an_id_that_is_in_a_batch_twice_is_settled_twice() -> None:
    """Results are matched by position: the same record sent twice is one indexed and one duplicate."""
    server = Server(lambda ids: items([{"status": 201}, THERE, BAD]))
    report = Report("xdr")
    dead = ship(server, "aaa", Time(), report=report)
    assert outcome(report) == {"indexed": 1, "duplicate": 1}
    assert len(dead) == 1


def test_delays_double_and_start_afresh_after_progress() -> None:
    """Failures in a row wait longer and longer; a document that got in resets the count."""
    replies = iter(
        [Reply(503, None)] * 3 + [items([{"status": 201}, FULL, FULL])] + [Reply(503, None)] + [created("bc")]
    )
    server = Server(lambda ids: next(replies))
    time = Time()
    ship(server, "abc", time)
    assert time.waits == [0.5, 1.0, 2.0, 0.5, 1.0]


@pytest.mark.parametrize(("header", "wait"), [("7", 7.0), ("Thu, 01 Jan 1970 00:00:20 GMT", 20.0), ("0", 0.5)])
def test_retry_after_is_honoured(header: str, wait: float) -> None:
    """The server's word counts where it is longer than our own delay."""
    replies = iter([Reply(429, None, retry_after=header), created("a")])
    time = Time()
    ship(Server(lambda ids: next(replies)), "a", time)
    assert time.waits == [wait]


def test_a_retry_after_behind_the_deadline_ends_the_batch_and_holds_for_the_next() -> None:
    """Nobody sleeps for nothing, and the server is left alone until it said, also by the next batch."""
    time = Time()
    server = Server(lambda ids: Reply(429, None, retry_after="60"))
    shipper = Shipper(settings(), post=server.post, clock=time.clock())
    with pytest.raises(Retry, match="2 documents are still owed"):
        shipper.ship(map(document, "ab"), Report("xdr"), source="xdr", deadline=time.now + 30)
    assert time.waits == []
    server.answer = created
    started = time.now
    shipper.ship(map(document, "ab"), Report("xdr"), source="xdr", deadline=time.now + 100)
    assert time.now - started == 60.0
    assert len(server.bodies) == 2


def test_what_is_owed_at_the_deadline_is_told_and_what_was_settled_is_booked() -> None:
    """Retry says how many are owed and why; the report has those that got in."""
    server = Server(lambda ids: items([{"status": 201} if i in "ab" else FULL for i in ids]))
    report, time = Report("xdr"), Time()
    with pytest.raises(Retry, match=r"3 documents are still owed to Elasticsearch: 429: some reason"):
        ship(server, "abcde", time, report=report, seconds=20)
    assert outcome(report) == {"indexed": 2}
    assert time.now <= 1_020.0


def test_no_answer_is_tried_again() -> None:
    """After a time-out the server may have committed: the same documents go again and are found there."""
    calls = []

    def answer(ids: list[str]) -> Reply:
        calls.append(ids)
        if len(calls) == 1:
            raise Retry("Elasticsearch did not answer in time")
        return items([THERE] * len(ids))

    report = Report("xdr")
    assert ship(Server(answer), "abc", Time(), report=report) == []
    assert outcome(report) == {"duplicate": 3}


@pytest.mark.parametrize("broken", [b"half a JSO", None, {"items": [{"create": {"status": 201}}]}])
def test_an_answer_that_does_not_fit_is_not_believed(broken: object) -> None:
    """A truncated answer or one with an item missing settles nothing."""
    replies = iter([Reply(200, broken), created("ab")])
    server = Server(lambda ids: next(replies))
    report = Report("xdr")
    ship(server, "ab", Time(), report=report)
    assert server.bodies == [["a", "b"], ["a", "b"]]
    assert outcome(report) == {"indexed": 2}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 30))
@hypothesis_settings(max_examples=60)
def test_a_413_is_halved_down_to_the_single_document(sizes: list[int], limit: int) -> None:
    """With any limit, exactly the documents that alone exceed it are dead letters, and all others get in."""
    names = [f"{i}:{size}" for i, size in enumerate(sizes)]

    def weight(name: str) -> int:
        return int(name.split(":")[1])

    def answer(ids: list[str]) -> Reply:
        return created(ids) if sum(map(weight, ids)) <= limit else Reply(413, None)

    server, report, time = Server(answer), Report("xdr"), Time()
    shipper = Shipper(settings(BULK_CONCURRENCY="1"), post=server.post, clock=time.clock())
    dead = shipper.ship(map(document, names), report, source="xdr", deadline=time.now + 1)
    giants = [name for name in names if weight(name) > limit]
    assert [letter.id for letter in dead] == giants
    assert {letter.code for letter in dead} <= {"too_large"}
    assert report.total("indexed") == len(names) - len(giants)
    assert time.waits == []


def test_a_413_makes_later_requests_smaller() -> None:
    """After the chunks that were cut already, the next ones are below the size that was refused, for good."""
    time = Time()
    server = Server(lambda ids: created(ids) if len(ids) <= 100 else Reply(413, None))
    shipper = Shipper(settings(BULK_CONCURRENCY="1", BULK_MAX_DOCUMENTS="200"), post=server.post, clock=time.clock())
    names = [f"n{i:03}" for i in range(400)]
    padding = "x" * 200
    sizes = []
    for _ in range(2):
        documents = (document(name, padding=padding) for name in names)
        shipper.ship(documents, Report("xdr"), source="xdr", deadline=time.now + 1)
        sizes.append([len(ids) for ids in server.bodies])
        server.bodies.clear()
    assert 1 <= sizes[0].count(200) <= 2
    assert max(sizes[1]) <= 100
    assert sum(sizes[1]) == 400


def test_a_document_that_spoils_its_request_is_found() -> None:
    """Elasticsearch answers 400 to a whole request for one _id above 512 bytes: only that document is a dead letter."""
    long = "x" * 600
    reply = Reply(400, {"error": {"type": "action_request_validation_exception", "reason": "id is too long"}})
    server = Server(lambda ids: reply if long in ids else created(ids))
    report, time = Report("xdr"), Time()
    shipper = Shipper(settings(), post=server.post, clock=time.clock())
    dead = shipper.ship(map(document, ["a", "b", long, "c"]), report, source="xdr", deadline=time.now + 1)
    assert [(letter.id, letter.code) for letter in dead] == [(long, "action_request_validation_exception")]
    assert outcome(report) == {"indexed": 3}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}}),
        Reply(403, {"error": {"type": "security_exception", "reason": "is unauthorized"}}),
        items([{"status": 201}, error(404, "index_not_found_exception", "no such index"), {"status": 201}]),
        items([{"status": 201}, error(403, "security_exception", "is unauthorized"), {"status": 201}]),
    ],
)
def test_misconfigured_is_raised_at_once(reply: Reply) -> None:
    """Credentials, privileges and templates are for a person to mend: no waiting, and what got in is booked."""
    server, report, time = Server(lambda ids: reply), Report("xdr"), Time()
    with pytest.raises(Misconfigured):
        ship(server, "abc", time, report=report)
    assert (len(server.bodies), time.waits) == (1, [])
    assert outcome(report) in ({}, {"indexed": 2})


def test_a_bug_in_a_sender_comes_out() -> None:
    """What is not our own error is not swallowed by a thread."""

    def answer(ids: list[str]) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ship(Server(answer), "abc", Time())


def test_an_empty_stream_contacts_nobody() -> None:
    """A batch of which everything was filtered needs no Elasticsearch."""
    server = Server(created)
    assert ship(server, "", Time()) == []
    assert server.bodies == []


@given(
    st.lists(st.sampled_from(("in", "there", "bad", "busy", "lost")), min_size=1, max_size=60),
    st.integers(1, 10),
    st.integers(1, 3),
    st.integers(0, 2**32),
)
@hypothesis_settings(max_examples=60)
def test_every_document_has_one_outcome(kinds: list[str], most: int, senders: int, seed: int) -> None:
    """Whatever the answers, indexed + duplicate + dead-lettered is what was sent, each document under its own kind."""

    chance, lock, tries = random.Random(seed), threading.Lock(), Counter[str]()

    def answer(ids: list[str]) -> Reply:
        with lock:
            tries.update(ids)
            if any(kinds[int(i)] == "lost" and tries[i] == 1 for i in ids):
                raise Retry("reset")
            results = []
            for i in ids:
                kind = kinds[int(i)]
                busy = kind == "busy" and chance.random() < 0.7
                results.append(FULL if busy else {"there": THERE, "bad": BAD}.get(kind, {"status": 201}))
            return items(results)

    report, time = Report("xdr"), Time()
    shipper = Shipper(
        settings(BULK_MAX_DOCUMENTS=str(most), BULK_CONCURRENCY=str(senders)),
        post=Server(answer).post,
        clock=time.clock(),
    )
    documents = (document(str(i)) for i in range(len(kinds)))
    dead = shipper.ship(documents, report, source="xdr", deadline=time.now + 100_000)
    counts = Counter(kinds)
    assert report.total("duplicate") == counts["there"]
    assert sorted(int(letter.id or "") for letter in dead) == [i for i, kind in enumerate(kinds) if kind == "bad"]
    assert report.total("indexed") == counts["in"] + counts["busy"] + counts["lost"]
