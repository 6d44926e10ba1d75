"""Scans: exports by file and line, assessments with their findings, what one failure touches, and how a scan goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import orjson

from local import microsoft_data as data
from shared.sweeps import Swept
from tests.poll.cases import SUBSCRIPTION
from tests.poll.stand import Stand

Make = Callable[..., Stand]
OTHER = "subscriptions/22222222-2222-3333-4444-555555555555"


def only(swept: list[Swept]) -> Swept:
    """The one sweep."""
    (one,) = swept
    return one


def scope(swept: list[Swept], name: str) -> Swept:
    """A scope's sweep."""
    return next(one for one in swept if one.scope == name)


def ids(stand: Stand) -> set[str]:
    """Ids of everything indexed; of assessments with findings, whose documents are the findings', the assessments'."""
    return {item.partition("@")[0].partition("/subAssessments/")[0] for item in stand.have()}


def with_lines(one: Stand, count: int, name: str = "part-0") -> list[str]:
    """An export file of so many rows; their ids."""
    rows = [data.vulnerability(name, number, one.now, pascal=True) for number in range(count)]
    one.tenant.export.files[f"/exports/{one.tenant.id}/{name}.json.gz"] = rows
    return [row["Id"] for row in rows]


def with_assessments(one: Stand, count: int, name: str = SUBSCRIPTION, *, findings: int = 1) -> list[str]:
    """A subscription with so many assessments, each with so many findings; their ids."""
    azure = one.tenant.azure
    azure.subscriptions[name.partition("/")[2]] = "Enabled"
    rows = azure.assessments[name] = [
        data.assessment("s", name, number, one.now, findings=True) for number in range(count)
    ]
    for row in rows:
        azure.findings[row["id"].lower()] = [
            data.finding("s", row["id"], number, one.now) for number in range(findings)
        ]
    return [row["id"] for row in rows]


def test_a_file_is_gone_on_with_at_its_line(stand: Make) -> None:
    """A run whose time is up in the middle of a file ships what it read; the next goes on behind that line, and sends nothing twice."""
    one = stand()
    wanted = with_lines(one, 7_000)
    post, seconds = one.index.post, one.time

    def slow(body: bytes, left: float) -> object:
        seconds.seconds += 8.0
        return post(body, left)

    one.parts.shipper._post = slow  # type: ignore[assignment]  # what an Elasticsearch that takes its time answers
    first = only(one.poll("vulnerability", seconds=30.0))
    assert first.result == "out_of_time"
    work = one.cursor("vulnerability").work
    assert work is not None
    assert 0 < work["lines"] < 7_000
    assert "sig" not in str(work)
    for _ in range(9):
        if only(one.poll("vulnerability", seconds=30.0)).result == "finished":
            break
    assert set(wanted) == ids(one)
    assert max(one.index.sent.values()) == 1


def test_links_that_run_out_are_asked_for_anew(stand: Make) -> None:
    """A signed link that is not taken any more is replaced; files that were read are not read again."""
    one = stand()
    wanted = {id for number in range(4) for id in with_lines(one, 30, f"part-{number}")}
    one.fake.link_seconds = 60.0
    one.fake.after("endpoint.file", lambda: setattr(one.time, "seconds", one.time.seconds + 120.0))
    swept = only(one.poll("vulnerability", seconds=3600.0))
    assert swept.result == "finished", swept.why
    assert wanted == ids(one)
    assert one.index.sent.total() == len(wanted)
    assert one.fake.count("endpoint.export") == 2


def test_links_that_never_work_end_the_run(stand: Make) -> None:
    """After some tries the run says so, without a signature."""
    one = stand()
    with_lines(one, 5)
    one.fake.link_seconds = -60.0
    swept = only(one.poll("vulnerability"))
    assert swept.result == "failed"
    assert "links do not work" in swept.why
    assert "sig" not in swept.why


def test_an_export_that_is_made_anew_is_read_from_its_beginning(stand: Make) -> None:
    """Lines of another export are other lines."""
    one = stand()
    with_lines(one, 40)
    one.fake.fault("cut", "endpoint.file")
    assert only(one.poll("vulnerability")).result == "failed"
    one.fake.heal()
    one.tenant.export.generated = "2026-01-02T06:00:00Z"
    wanted = with_lines(one, 50, "part-0")
    assert only(one.poll("vulnerability")).result == "finished"
    assert set(wanted) <= ids(one)


def test_lines_that_are_none_are_told_with_their_place(stand: Make) -> None:
    """Not JSON, no object, far too long: each is a dead letter with file and line, and its neighbours are shipped."""
    one = stand()
    good = [data.vulnerability("l", number, one.now, pascal=True) for number in range(3)]
    text = b"\n".join(
        [
            orjson.dumps(good[0]),
            b"{broken",
            b"[1]",
            b"",
            orjson.dumps(good[1]),
            b'"' + b"x" * 5_000_000 + b'"',
            orjson.dumps(good[2]),
        ]
    )
    one.tenant.export.files[f"/exports/{one.tenant.id}/bad.json.gz"] = lambda: [text]
    assert only(one.poll("vulnerability")).result == "finished"
    assert ids(one) == {row["Id"] for row in good}
    told = [str(letter.line()) for letter in one.letters.written]
    assert [
        place in text for place, text in zip(("bad.json.gz:2", "bad.json.gz:3", "bad.json.gz:6"), told, strict=True)
    ] == [True] * 3


def test_a_file_needs_no_gzip_and_no_newline_at_its_end(stand: Make) -> None:
    """Whether a file is packed, its first bytes say."""
    one = stand()
    with_lines(one, 3)
    one.tenant.export.packed = False
    assert only(one.poll("vulnerability")).result == "finished"
    assert len(ids(one)) == 3


def test_one_failing_list_of_findings_touches_no_other(stand: Make) -> None:
    """It is owed, the others are shipped, and it is read as soon as it can be; 404 means that there are none."""
    one = stand()
    wanted = with_assessments(one, 8)
    del one.tenant.azure.findings[wanted[2].lower()]
    low = wanted[5].lower()
    one.fake.fault("status", "arm.findings", when=lambda request: low in request.path.lower())
    assert only(one.poll("assessment")).result == "finished"
    assert ids(one) >= {id for id in wanted if id != wanted[5]}
    assert wanted[5] not in ids(one)
    cursor = one.cursor("assessment", SUBSCRIPTION)
    assert cursor.work == {"scan": "2026-01-02T03:00:00Z", "link": None, "owed": [wanted[5]], "done": True}
    assert cursor.watermark is None
    one.later(minutes=30)
    only(one.poll("assessment"))
    assert one.cursor("assessment", SUBSCRIPTION).work is not None
    one.fake.heal()
    one.later(minutes=30)
    assert only(one.poll("assessment")).result == "finished"
    assert set(wanted) <= ids(one)
    cursor = one.cursor("assessment", SUBSCRIPTION)
    assert cursor.work is None
    assert cursor.watermark == "2026-01-02T03:00:00Z"
    assert not one.letters.written


def test_what_is_never_read_in_a_whole_scan_is_told_once(stand: Make) -> None:
    """When the next scan begins, what the last one still owed is a dead letter, and is tried again."""
    one = stand()
    wanted = with_assessments(one, 3)
    low = wanted[1].lower()
    one.fake.fault("status", "arm.findings", when=lambda request: low in request.path.lower())
    one.poll("assessment")
    one.later(hours=25)
    one.poll("assessment")
    assert [wanted[1] in str(letter.line()) for letter in one.letters.written] == [True]
    one.later(minutes=30)
    one.poll("assessment")
    assert len(one.letters.written) == 1


def test_one_failing_subscription_touches_no_other(stand: Make) -> None:
    """Refused, or down: the others are read to their end."""
    one = stand()
    here, there = with_assessments(one, 6), with_assessments(one, 6, OTHER)
    one.fake.fault("status", "arm.assessments", when=lambda request: SUBSCRIPTION in request.path)
    swept = one.poll("assessment")
    assert scope(swept, SUBSCRIPTION).result == "failed"
    assert scope(swept, OTHER).result == "finished"
    one.fake.heal()
    one.app.reads = lambda name: name.lower() != SUBSCRIPTION
    swept = one.poll("assessment")
    assert "subscriptions" in str([one.scope for one in swept])
    assert set(there) <= ids(one)
    assert not set(here) & ids(one)


def test_a_page_that_the_time_is_not_enough_for_is_gone_on_with(stand: Make) -> None:
    """A page of many assessments whose findings take long: each run reads some of it, and none is read twice."""
    one = stand(POLL_CONCURRENCY=1)
    wanted = with_assessments(one, 40)
    one.tenant.azure.page = 100
    one.fake.fault("throttle", "arm.findings", seconds=4, times=None, when=lambda request: alternate())
    turn = [0]

    def alternate() -> bool:
        turn[0] += 1
        return turn[0] % 2 == 1

    runs = 0
    while only(one.poll("assessment", seconds=40.0)).result != "finished":
        runs += 1
        assert runs < 20
    assert set(wanted) <= ids(one)
    assert runs > 2
    assert max(count for id, count in one.index.sent.items()) <= 2


def test_a_page_of_incidents_alerts_is_gone_on_with(stand: Make) -> None:
    """The incidents of a page's alerts take longer than a run has: what was joined is shipped and remembered."""
    one = stand(INCIDENT_ALERTS="true")
    for number in range(40):
        moment = one.now - timedelta(minutes=60 - number)
        for row, rows in (
            (data.alert("s", number, moment, one.tenant.id), one.tenant.alerts),
            (data.incident("s", number, moment, one.tenant.id), one.tenant.incidents),
        ):
            rows[row["id"]] = row
    turn = [0]

    def alternate() -> bool:
        turn[0] += 1
        return turn[0] % 2 == 1

    one.fake.fault("throttle", "graph.incident", seconds=4, when=lambda request: alternate())
    runs = 0
    while scope(one.poll("incident", seconds=40.0), "alerts").result != "finished":
        runs += 1
        assert runs < 20
    assert set(one.tenant.alerts) <= ids(one)
    assert runs > 2
    assert max(one.index.sent.values()) == 1


def test_every_document_of_a_scan_bears_its_time(stand: Make) -> None:
    """A new scan that follows an unfinished one, and a poll by hand, do not bear the last one's."""
    one = stand()
    with_assessments(one, 3)
    low = one.tenant.azure.assessments[SUBSCRIPTION][0]["id"].lower()
    one.fake.fault("status", "arm.findings", when=lambda request: low in request.path.lower())
    one.poll("assessment")
    one.fake.heal()
    one.later(hours=25)
    before = len(one.have())
    one.poll("assessment")
    new = {item.partition("@")[2] for item in one.have()}
    assert new == {"2026-01-02T03:00:00Z", f"{one.now:%Y-%m-%dT%H:%M:%SZ}"}
    assert len(one.have()) == before + 3


def test_a_scan_that_takes_longer_than_its_interval_comes_to_its_end(stand: Make) -> None:
    """It goes on where it was instead of beginning anew each time."""
    one = stand(ASSESSMENT_INTERVAL_HOURS=1, POLL_CONCURRENCY=1)
    wanted = with_assessments(one, 30)
    one.tenant.azure.page = 5
    runs = 0
    while True:
        runs += 1
        assert runs < 30
        one.fake.fault("throttle", "arm.assessments", seconds=500, times=1, skip=1)
        swept = only(one.poll("assessment", seconds=60.0))
        if swept.result == "finished":
            break
        one.fake.heal()
        one.later(minutes=70)
    assert runs > 3
    assert set(wanted) <= ids(one)


def test_a_poll_by_hand_reads_its_span_again_and_moves_nothing(stand: Make) -> None:
    """What lies in the span is sent again whatever was seen; the cursor's watermark stays."""
    one = stand()
    for number in range(20):
        row = data.alert("h", number, one.now - timedelta(minutes=60 - number), one.tenant.id)
        one.tenant.alerts[row["id"]] = row
    only(one.poll("alert"))
    before = one.cursor("alert")
    one.index.documents.clear()
    swept = only(one.poll("alert", since=one.now - timedelta(minutes=55), until=one.now - timedelta(minutes=50)))
    assert swept.result == "finished"
    assert len(one.have()) == 5
    after = one.cursor("alert")
    assert (after.watermark, dict(after.seen)) == (before.watermark, dict(before.seen))


def test_the_older_apis_quota_is_kept(stand: Make) -> None:
    """50 calls a minute: the run waits as the body says, and reads everything."""
    one = stand(LOG_PAGE_SIZE=1)
    for number in range(40):
        one.tenant.siem[number] = data.siem_incident("q", number, one.now - timedelta(seconds=3600 - number), 1)
    one.fake.quota = (50, 1_500)
    swept = only(one.poll("log", seconds=3_600.0))
    assert swept.result == "finished", swept.why
    assert swept.usage.throttled > 0
    assert {str(number) for number in range(40)} <= ids(one)
    assert max(one.time.waits) <= 61
