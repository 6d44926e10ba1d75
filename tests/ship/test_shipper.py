"""The shipper's senders: how far they read ahead, and how they stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from shared.report import Report
from shared.ship.client import Reply
from shared.ship.document import Document
from shared.ship.shipper import Shipper
from tests.ship.shipping import Server, created, document, outcome, settings


def test_an_error_while_normalising_comes_out_and_stops_the_senders() -> None:
    """The exception is the caller's own, the senders do not sleep on, and what was settled is booked."""
    waiting = threading.Event()

    def documents() -> Iterator[Document]:
        yield document("a")
        yield document("b")
        yield document("c")
        assert waiting.wait(10), "the second chunk was not being retried while the third was built"
        raise ZeroDivisionError("a bug in a mapping")

    def answer(ids: list[str]) -> Reply:
        if ids == ["a"]:
            return created(ids)
        waiting.set()
        return Reply(429, None, retry_after="500")

    report = Report("xdr")
    shipper = Shipper(settings(BULK_MAX_DOCUMENTS="1", BULK_CONCURRENCY="2"), post=Server(answer).post)
    deadline = monotonic() + 1_000
    with pytest.raises(ZeroDivisionError):
        shipper.ship(documents(), report, source="xdr", deadline=deadline)
    assert outcome(report) == {"indexed": 1}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("bulk")]


def test_memory_is_bounded_and_no_sender_waits_for_the_chunk_being_built() -> None:
    """With two senders held up, the stream is read for one chunk more and no further; both senders are at work."""
    read: list[str] = []
    both = threading.Barrier(3)
    go = threading.Event()

    def documents() -> Iterator[Document]:
        for i in range(10):
            read.append(str(i))
            yield document(str(i))

    def answer(ids: list[str]) -> Reply:
        if not go.is_set():
            both.wait(10)  # two senders and the test: neither sender waits for the other
            go.wait(10)
        return created(ids)

    report = Report("xdr")
    server = Server(answer)
    shipper = Shipper(settings(BULK_MAX_DOCUMENTS="1", BULK_CONCURRENCY="2"), post=server.post)
    deadline = monotonic() + 60
    thread = threading.Thread(target=lambda: shipper.ship(documents(), report, source="xdr", deadline=deadline))
    thread.start()
    both.wait(10)
    while len(read) < 4:  # two under way, one built, and the one that showed that it was complete
        thread.join(0.001)
    thread.join(0.05)
    assert len(read) == 4
    go.set()
    thread.join(10)
    assert outcome(report) == {"indexed": 10}
