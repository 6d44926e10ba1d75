"""One suite for every source: pages end, the edge is neither lost nor repeated, a crash repeats one page, throttling waits as told, no secret is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.cursors.cursor import Cursor
from shared.cursors.memory import MemoryTaken
from shared.sweeps import Swept
from tests.poll.cases import BY_TIME, CASES, Case
from tests.poll.stand import Stand

Make = Callable[..., Stand]


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    """Every source in turn."""
    return CASES[request.param]


def of(case: Case, swept: list[Swept]) -> Swept:
    """The sweep of the case's own scope."""
    return next(one for one in swept if one.scope in (case.scope, ""))


def finished(case: Case, stand: Stand, **more: Any) -> Swept:
    """Poll once, to the end."""
    swept = of(case, stand.poll(case.source, **more))
    assert swept.result == "finished", swept.why
    return swept


def repeated(stand: Stand) -> int:
    """Documents that were sent more than once."""
    return sum(count - 1 for count in stand.index.sent.values())


def test_pages_end_with_everything_sent_once(case: Case, stand: Make) -> None:
    """Many pages are read to their end; what is unchanged costs nothing at the next poll."""
    one = stand(**case.settings)
    wanted = case.fill(one, 23)
    swept = finished(case, one)
    assert wanted <= one.have()
    assert repeated(one) == 0 or case.name == "assessment"  # an assessment comes with each page of its findings
    before = one.index.sent.total()
    one.later(minutes=2)
    finished(case, one)
    assert one.index.sent.total() == before
    assert swept.usage.requests < 60


def test_the_edge_is_neither_lost_nor_repeated(case: Case, stand: Make) -> None:
    """Rows that share the last row's moment, and appear after it was read, are shipped by the next poll, and nothing is again."""
    one = stand(**case.settings)
    wanted = case.fill(one, 7)
    finished(case, one)
    last = one.now - timedelta(seconds=3600 - 6 * 60)
    one.later(hours=0 if case.by_time else 25)
    if case.by_time:
        wanted |= case.put(one, 100, last) | case.put(one, 101, last) | case.put(one, 102, last - timedelta(minutes=5))
    else:
        wanted = case.put(one, 100, last)
    finished(case, one)
    assert wanted <= one.have()
    assert repeated(one) == 0 or not case.by_time


@pytest.mark.parametrize("at", range(6))
def test_a_crash_between_ship_and_save_repeats_one_page(
    case: Case, at: int, stand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before any of its saves, a run loses nothing, and the next one sends no more than a page again."""
    one = stand(**case.settings)
    wanted = case.fill(one, 23)
    saves = 0
    save = MemoryTaken.save

    def killed(taken: MemoryTaken, cursor: Cursor) -> None:
        nonlocal saves
        saves += 1
        if saves == at + 1:
            raise KeyboardInterrupt
        save(taken, cursor)

    monkeypatch.setattr(MemoryTaken, "save", killed)
    with suppress(KeyboardInterrupt):
        one.poll(case.source)
    already = repeated(one)
    monkeypatch.undo()
    finished(case, one)
    assert wanted <= one.have()
    # A row of the older API is five documents: an incident, and two of each of its alerts.
    assert repeated(one) - already <= {"export": 8, "assessment": 15, "log": 30}.get(case.name, case.page + 1)


@pytest.mark.parametrize(("form", "seconds"), [("seconds", 7), ("date", 9), ("body", 11), ("nothing", 0)])
def test_throttling_waits_as_told(case: Case, form: str, seconds: int, stand: Make) -> None:
    """Retry-After in seconds, as a date, the time in the body, or nothing at all: the run waits so long and then goes on."""
    one = stand(**case.settings)
    wanted = case.fill(one, 8)
    one.fake.fault("throttle", case.route, times=2, form=form, seconds=seconds, now=one.now)
    swept = finished(case, one)
    assert wanted <= one.have()
    assert swept.usage.throttled == 2
    longest = sorted(one.time.waits)[-2:]
    if form == "nothing":
        assert longest == [2.0, 4.0]
    elif form == "date":
        assert longest == [9.0] or (longest[-1] == 9.0 and longest[0] <= 9.0)
    else:
        assert longest == [seconds, seconds]


def test_throttling_beyond_the_time_ends_the_run_and_the_next_goes_on(case: Case, stand: Make) -> None:
    """Told to wait longer than there is time, a run ends at once, and the next one reads what is left."""
    one = stand(**case.settings)
    wanted = case.fill(one, 13)
    one.fake.fault("throttle", case.route, times=1, seconds=100)
    swept = of(case, one.poll(case.source, seconds=30.0))
    assert swept.result == "out_of_time"
    assert one.time.waits == []
    one.later(minutes=2)
    finished(case, one)
    assert {item.partition("@")[0] for item in wanted} <= {item.partition("@")[0] for item in one.have()}


@pytest.mark.parametrize("fault", ["reset", "cut", "not_json", "torn_json", "status", "partial", "expired"])
def test_what_passes_costs_a_retry(case: Case, fault: str, stand: Make) -> None:
    """A broken connection, half a body, no JSON, 500, 206, an expired token: once each, anywhere, and the run still reads everything."""
    for place in range(3):
        one = stand(**case.settings)
        wanted = case.fill(one, 12)
        one.fake.fault(fault, case.route, times=1, skip=place)
        swept = of(case, one.poll(case.source))
        if swept.result != "finished":
            assert not case.by_time
            finished(case, one)
        assert wanted <= one.have(), (fault, place)
        assert not one.letters.written
        one.fake.heal()


@pytest.mark.parametrize("fault", ["reset", "cut", "not_json", "status", "partial", "endless", "bomb"])
def test_an_outage_moves_no_cursor_and_ends_the_run(case: Case, fault: str, stand: Make) -> None:
    """While an API fails, runs end cleanly with the cursor as it was; when it is back, everything is read."""
    if (case.name, fault) == ("export", "endless"):
        return  # has no next links
    one = stand(**case.settings)
    case.fill(one, 6)
    finished(case, one)
    before = one.cursor(case.source, case.scope)
    one.later(hours=0 if case.by_time else 25)
    wanted = case.fill(one, 6, first=50, before=60.0, apart=1.0)
    one.fake.fault(fault, case.route)
    swept = of(case, one.poll(case.source))
    endless_scan = fault == "endless" and not case.by_time and case.name != "export"
    assert swept.result in ("failed", "out_of_time") or endless_scan, swept
    assert not one.letters.written
    assert endless_scan or one.cursor(case.source, case.scope).watermark == before.watermark
    one.fake.heal()
    one.later(hours=0 if not endless_scan else 25)
    finished(case, one)
    names = {item.partition("@")[0] for item in one.have()}
    assert {item.partition("@")[0] for item in wanted} <= names


def test_no_token_goes_to_another_host(case: Case, stand: Make) -> None:
    """A next link to another host, and a redirect there, are not followed."""
    for fault in ("foreign_link", "redirect"):
        one = stand(**case.settings)
        case.fill(one, 12)
        one.fake.fault(fault, case.route)
        of(case, one.poll(case.source))
        others = [asked for asked in one.fake.asked if asked.host != "api"]
        assert all(asked.path.startswith("/exports/") and not asked.token for asked in others)
        one.fake.heal()


def test_a_revoked_token_is_replaced_once(case: Case, stand: Make) -> None:
    """A token that is refused in mid-run is replaced by a fresh one, and the run goes on."""
    one = stand(**case.settings)
    wanted = case.fill(one, 12)
    one.fake.after(case.route, one.fake.entra.revoke)
    before = one.fake.count("entra.token")
    finished(case, one)
    assert wanted <= one.have()
    assert one.fake.count("entra.token") - before <= 2


def test_a_missing_permission_is_named(case: Case, stand: Make) -> None:
    """403 says which permission is missing."""
    one = stand(**case.settings)
    case.fill(one, 3)
    one.app.roles = {}
    one.app.reads = lambda scope: False
    swept = of(case, one.poll(case.source))
    assert swept.result == "misconfigured"
    assert swept.why.count("Read.All") or "Security Reader" in swept.why


def test_links_that_lead_in_a_circle_or_are_refused_end(case: Case, stand: Make) -> None:
    """A next link to the page itself, or one that answers 400, does not keep a list from being read to its end."""
    for fault in ("loop", "bad_link", "empty_page", "endless_tail"):
        one = stand(**case.settings)
        wanted = case.fill(one, 4)
        if case.name == "export":
            return  # has no next links
        one.fake.fault(fault, case.route)
        swept = of(case, one.poll(case.source, seconds=3600.0))
        assert wanted <= one.have(), (fault, swept)
        one.fake.heal()


def test_secrets_are_told_nowhere(case: Case, stand: Make, caplog: pytest.LogCaptureFixture) -> None:
    """No token, secret or signature stands in a log, a reason, a cursor or a dead letter, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    for fault in (
        "reset",
        "cut",
        "not_json",
        "status",
        "foreign_link",
        "redirect",
        "expired",
        "bomb",
        "throttle",
        "loop",
    ):
        one = stand(**case.settings)
        case.fill(one, 6)
        one.fake.fault(fault, case.route, **({"seconds": 100_000} if fault == "throttle" else {}))
        one.fake.fault("status", "endpoint.file", times=3, skip=1)
        swept = one.poll(case.source)
        said = [
            caplog.text,
            *(item.why for item in swept),
            *map(str, one.cursors.blobs.values()),
            *(str(letter.line()) for letter in one.letters.written),
        ]
        said += [repr(swept)]
        secrets = [*one.fake.entra.issued, "a secret", "sig="]
        for text in said:
            assert not any(secret in text for secret in secrets), fault
        one.fake.heal()


@pytest.mark.parametrize("name", BY_TIME)
def test_a_bad_row_is_found_and_told_once(name: str, stand: Make) -> None:
    """The one row that makes every page with it fail is set aside with its id; its neighbours are shipped; it is told once, and shipped once it can be."""
    case = CASES[name]
    for place in (0, 4, 11):
        one = stand(**case.settings)
        wanted = case.fill(one, 12)
        bad = sorted(wanted, key=lambda item: item.partition("@")[2])[place]
        id = bad.partition("@")[0]
        one.fake.fault("poison", case.route, row=id)
        finished(case, one)
        assert case.have(one) == wanted - {bad}
        assert [id in str(letter.line()) for letter in one.letters.written] == [True]
        one.later(minutes=2)
        finished(case, one)
        assert len(one.letters.written) == 1
        one.fake.heal()
        if place == 11:
            finished(case, one)
            assert case.have(one) == wanted


@pytest.mark.parametrize("name", BY_TIME)
@pytest.mark.parametrize("fault", ["unsorted", "newest_first", "clamp"])
def test_order_and_size_are_not_believed(name: str, fault: str, stand: Make) -> None:
    """An API that gives another order than asked for, or fewer rows, loses nothing."""
    case = CASES[name]
    for size in ("5", "1", "100"):
        settings = {
            key: size if key.endswith("PAGE_SIZE") and not (key.startswith("INC") and size == "100") else value
            for key, value in case.settings.items()
        }
        one = stand(**settings)
        moment = one.now - timedelta(minutes=30)
        wanted = case.fill(one, 12) | {item for number in range(30, 42) for item in case.put(one, number, moment)}
        one.fake.fault(fault, case.route, rows=3)
        finished(case, one)
        assert case.have(one) == wanted, size
        one.fake.heal()


@pytest.mark.parametrize("name", BY_TIME)
def test_many_rows_of_one_moment_are_read(name: str, stand: Make) -> None:
    """More rows of one moment than a page has are read to the last one."""
    case = CASES[name]
    one = stand(**case.settings)
    moment = one.now - timedelta(minutes=30)
    wanted = case.fill(one, 7) | {item for number in range(100, 160) for item in case.put(one, number, moment)}
    finished(case, one)
    assert case.have(one) == wanted
    assert repeated(one) == 0
    one.later(minutes=1)
    finished(case, one)
    assert repeated(one) == 0


@pytest.mark.parametrize("name", BY_TIME)
def test_what_changes_while_it_is_read_is_seen(name: str, stand: Make) -> None:
    """A row that is updated, and one that appears late, between two pages of a run: neither they nor their neighbours are lost."""
    case = CASES[name]
    one = stand(**case.settings)
    wanted = case.fill(one, 16)
    more: list[set[str]] = []

    def change() -> None:
        more.append(case.put(one, 3, one.now - timedelta(minutes=40)))  # an update
        more.append(case.put(one, 200, one.now - timedelta(minutes=50)))  # late

    one.fake.after(case.route, lambda: None)
    one.fake.after(case.route, change)
    finished(case, one)
    one.later(minutes=1)
    finished(case, one)
    (new,), late = more
    updated = new.partition("@")[0]
    assert {item for item in wanted if item.partition("@")[0] != updated} | {new} <= case.have(one)
    assert late <= case.have(one)
