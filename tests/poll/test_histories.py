"""Random histories of a tenant that is polled while it changes and fails: in the end everything that could be seen is indexed, once.

A history is a list of things that happen: rows are created and updated (late ones too, and many at the same moment), time passes, a poll runs, with
faults, a time limit, changes between its pages, and is killed before or behind some write. 600 histories for each of four lists; with HISTORIES=10
in the environment ten times as many. hypothesis prints what repeats a failure.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from local.microsoft_data import stamp
from shared.cursors.cursor import Cursor
from shared.cursors.memory import MemoryCursors, MemoryTaken
from tests.poll.index import Index
from tests.poll.stand import Stand, named

TIMES = int(os.environ.get("HISTORIES", "1"))
MOST_REQUESTS = 1_500  # of a poll; more, and it does not end
IDS = 9
ROUND = 60  # seconds: so that rows share moments


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Row:
    """A row is created, or updated: so many seconds late."""

    number: int
    late: int


@dataclass(frozen=True)
class Tick:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Fault:
    """An answer of a poll is no good: the kind, how many are spared, how many are struck."""

    kind: str
    skip: int
    times: int


@dataclass(frozen=True)
class Poll:
    """A poll: how long it may take, what fails, before which write it is killed and whether that was done, what changes behind its answers."""

    seconds: float
    faults: tuple[Fault, ...]
    kill: tuple[str, int, bool] | None
    changes: tuple[Row, ...]


ROWS = st.builds(Row, st.integers(0, IDS - 1), st.sampled_from((0, 0, 0, 30, 61, 300, 830)))
KINDS = (
    "status", "reset", "cut", "not_json", "torn_json", "throttle", "partial", "expired", "loop", "bad_link", "empty_page", "endless",
)  # fmt: skip
FAULTS = st.builds(Fault, st.sampled_from(KINDS), st.integers(0, 6), st.sampled_from((1, 1, 2, 5, 100)))
KILLS = st.tuples(st.sampled_from(("ship", "save")), st.integers(1, 5), st.booleans())
POLLS = st.builds(
    Poll, st.sampled_from((3.0, 30.0, 400.0, 400.0)), st.lists(FAULTS, max_size=2).map(tuple), st.none() | KILLS,
    st.lists(ROWS, max_size=3).map(tuple),
)  # fmt: skip
TICKS = st.builds(Tick, st.sampled_from((1, 20, 60, 120, 600)))
STEADY = st.sampled_from(("", "", "", "newest_first", "unsorted", "clamp"))  # how the API is, for a whole history
HISTORIES = st.lists(st.one_of(ROWS, ROWS, ROWS, TICKS, POLLS), min_size=3, max_size=22)


@dataclass
class World:
    """One source's rows, as the model knows them: id -> version."""

    stand: Stand
    source: str
    scope: str
    versions: dict[str, str]
    overlap: bool  # polls look back: rows may be late, and are of whole minutes; else they are of the moment

    def change(self, row: Row) -> None:
        """Create or update a row; an update is later than what was."""
        now, id = self.stand.now, f"r{row.number}"
        moment = now - timedelta(seconds=row.late if self.overlap else 0)
        moment -= timedelta(seconds=moment.timestamp() % ROUND if self.overlap else 0)
        version = stamp(moment)
        if version <= self.versions.get(id, ""):
            version = stamp(now)
            if version <= self.versions[id]:
                return
        self.versions[id] = version
        tenant, created = self.stand.tenant, "2026-01-02T02:00:00Z"
        if self.source == "log":
            tenant.siem[row.number] = {"incidentId": id, "lastUpdateTime": version, "createdTime": created}
        elif self.scope == "incidents":
            tenant.incidents[id] = {"id": id, "lastUpdateDateTime": version, "createdDateTime": created}
        else:
            tenant.alerts[id] = {"id": id, "lastUpdateDateTime": version, "createdDateTime": created, "incidentId": "1"}

    @property
    def current(self) -> set[str]:
        """Every row in its present version."""
        return {f"{id}@{version}" for id, version in self.versions.items()}


SOURCES = {
    "alert": ("alert", "", "graph.alerts", {"ALERT_PAGE_SIZE": "3"}),
    "incident": ("incident", "incidents", "graph.incidents", {"INCIDENT_PAGE_SIZE": "3", "INCIDENT_ALERTS": "false"}),
    "incident alerts": ("incident", "alerts", "graph.*", {"ALERT_PAGE_SIZE": "4", "INCIDENT_ALERTS": "true"}),
    "log": ("log", "", "siem.incidents", {"LOG_PAGE_SIZE": "3"}),
}
STANDS: dict[tuple[str, bool], Stand] = {}


def world(name: str, overlap: bool) -> World:
    """An empty world; what takes long to make is made once."""
    source, scope, _, more = SOURCES[name]
    stand = STANDS.get((name, overlap))
    if stand is None:
        stand = STANDS[name, overlap] = Stand(settings={"POLL_OVERLAP_MINUTES": "15" if overlap else "0", **more})
    stand.fake.heal()
    stand.fake.asked.clear()
    stand.time.seconds = 1_000_000.0
    for rows in (stand.tenant.alerts, stand.tenant.incidents, stand.tenant.siem):
        rows.clear()
    stand.index.documents.clear()
    stand.index.sent.clear()
    stand.letters.written.clear()
    stand.cursors = Killing()
    return World(stand, source, scope, {}, overlap)


class Killing(MemoryCursors):
    """Cursors whose writer can be killed before or behind a write."""

    at = 0
    done = False

    def saving(self) -> bool:
        """Whether this write is the one."""
        self.at -= 1
        return self.at == 0


def polled(world: World, poll: Poll, route: str) -> bool:
    """Run a poll; whether it came to its end."""
    stand, seen = world.stand, len(world.stand.fake.asked)
    for fault in poll.faults:
        stand.fake.fault(fault.kind, route, skip=fault.skip, times=fault.times, seconds=5)
    for row in poll.changes:
        stand.fake.after("graph.alerts" if route == "graph.*" else route, lambda row=row: world.change(row))  # type: ignore[misc]
    before = dict(world.versions)
    try:
        with killing(stand, poll.kill):
            swept = next(one for one in stand.poll(world.source, seconds=poll.seconds) if one.scope == world.scope)
        note(f"{swept.result}: {swept.why}")
        ended = swept.result == "finished"
    except Killed:
        ended = False
    assert len(stand.fake.asked) - seen < MOST_REQUESTS
    if ended:
        stayed = {f"{id}@{version}" for id, version in before.items() if world.versions[id] == version}
        assert not lacking(stand, stayed)
    stand.fake.faults[:] = [fault for fault in stand.fake.faults if fault.times is None]
    stand.fake.pending.clear()
    return ended


class killing:  # noqa: N801  a context manager
    """Kill what runs inside before (or behind) its n-th bulk request or save."""

    def __init__(self, stand: Stand, kill: tuple[str, int, bool] | None) -> None:
        self.stand, self.kill = stand, kill
        self.left = kill[1] if kill else 0

    def __enter__(self) -> None:
        index, kill = self.stand.index, self.kill
        self.post, self.save = Index.post, MemoryTaken.save
        if kill is None:
            return

        def now() -> bool:
            self.left -= 1
            return self.left == 0

        def post(body: bytes, seconds: float) -> Any:
            last = now()
            if last and not kill[2]:
                raise Killed
            reply = Index.post(index, body, seconds)
            if last:
                raise Killed
            return reply

        def save(taken: MemoryTaken, cursor: Cursor) -> None:
            last = now()
            if last and not kill[2]:
                raise Killed
            self.save(taken, cursor)
            if last:
                raise Killed

        if kill[0] == "ship":
            self.stand.parts = replace(self.stand.parts, shipper=shipper(self.stand, post))
        else:
            MemoryTaken.save = save  # type: ignore[method-assign,assignment]

    def __exit__(self, *_: object) -> None:
        MemoryTaken.save = self.save  # type: ignore[method-assign]
        self.stand.parts = replace(self.stand.parts, shipper=shipper(self.stand, self.stand.index.post))


def shipper(stand: Stand, post: Any) -> Any:
    """The shipper with another way to the index."""
    from shared.settings import Settings
    from shared.ship.shipper import Shipper
    from tests.poll.stand import ELASTICSEARCH

    return Shipper(Settings.read(ELASTICSEARCH), post=post, clock=stand.time.clock())


# What was found once: a crowd that shifts while it is read, and a bad row beside an order that is none.
SHIFTING = [
    Poll(3.0, (Fault("not_json", 0, 1),), None, (Row(0, 0), Row(3, 0), Row(4, 0))), Row(2, 0), Tick(1), Poll(3.0, (), None, (Row(1, 0), Row(0, 0))),
]  # fmt: skip
BESIDE = [Row(0, 0), Tick(1), Row(1, 0), Row(2, 0), Poll(30.0, (), None, ())]


@pytest.mark.parametrize("name", list(SOURCES))
@example(history=SHIFTING, steady="", poison=None, overlap=False)
@example(history=BESIDE, steady="newest_first", poison=1, overlap=False)
@settings(max_examples=600 * TIMES, suppress_health_check=list(HealthCheck))
@given(history=HISTORIES, steady=STEADY, poison=st.none() | st.integers(0, IDS - 1), overlap=st.booleans())
def test_everything_that_could_be_seen_is_indexed_once(
    name: str, history: list[Any], steady: str, poison: int | None, overlap: bool
) -> None:
    """Whatever happens, and whenever it is killed: after two quiet polls every row that was there is indexed in its version, each version once."""
    source, scope, route, _ = SOURCES[name]
    here = world(name, overlap)
    stand = here.stand
    if steady:
        stand.fake.fault(steady, route, rows=2)
    if poison is not None:
        stand.fake.fault("poison", route, row=f"r{poison}")
    for event in history:
        if isinstance(event, Row):
            here.change(event)
        elif isinstance(event, Tick):
            stand.later(seconds=event.seconds)
        elif poison is None or not event.changes:
            polled(here, event, route) if poison is None else survived(here, event, route, f"r{poison}")
    stand.fake.heal()
    if steady:
        stand.fake.fault(steady, route, rows=2)
    quiet = Poll(400.0, (), None, ())
    stand.later(seconds=700)  # so that what a throttled run was told to wait is over
    for _ in range(2):
        swept = [one for one in stand.poll(source, seconds=quiet.seconds) if one.scope == scope]
        assert swept[0].result == "finished", swept[0].why
    assert not lacking(stand, here.current)
    items = [named(document) for document in stand.index.documents.values()]
    assert len(items) == len(set(items))
    before = stand.index.sent.total()
    stand.poll(source)
    assert stand.index.sent.total() == before  # unchanged rows cost nothing


def lacking(stand: Stand, wanted: set[str]) -> set[str]:
    """What is neither indexed nor told in a dead letter: where faults come so that a row looks bad, it is told, and read again while polls look back."""
    told = [str(letter.line()) for letter in stand.letters.written]
    return {
        item
        for item in wanted - stand.have()
        if not any(f'"{item.partition("@")[0]}' in text or "(unreadable after" in text for text in told)
    }


def survived(here: World, poll: Poll, route: str, bad: str) -> None:
    """Run a poll in which one row can not be read: all others are."""
    stand, seen = here.stand, len(here.stand.fake.asked)
    for fault in poll.faults:
        stand.fake.fault(fault.kind, route, skip=fault.skip, times=fault.times, seconds=5)
    try:
        with killing(stand, poll.kill):
            swept = next(one for one in stand.poll(here.source, seconds=poll.seconds) if one.scope == here.scope)
        if swept.result == "finished":
            assert not lacking(stand, {item for item in here.current if not item.startswith(f"{bad}@")})
    except Killed:
        pass
    assert len(stand.fake.asked) - seen < MOST_REQUESTS
    stand.fake.faults[:] = [fault for fault in stand.fake.faults if fault.times is None]
