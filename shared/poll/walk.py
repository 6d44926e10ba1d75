"""What every walk gives: steps. Ship a step's rows, then save its cursor; a walk goes on only when it is asked for the next step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.poll.body import Broken, Rows
from shared.poll.moment import ticks

type Row = Mapping[str, Any]

BAD = "(bad)"  # version, in `seen`, of a row that could not be read


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that the API can not give: what is known of it, for a dead letter."""

    id: str
    reason: str
    original: bytes  # JSON: where it stands


@dataclass(frozen=True, slots=True)
class Position:
    """Where a step leads: what becomes of the cursor when its rows have been shipped."""

    watermark: str | None = None  # None: as it was
    seen: Mapping[str, str] | None = None
    work: Mapping[str, Any] | None = None
    keep_work: bool = False  # `work` is not said: as it was
    finished: bool = False  # a complete scan has ended


@dataclass(frozen=True, slots=True)
class Step:
    """Rows, read lazily, and the position behind them, which is known when they have been read. scan: when their scan began, if they are of one."""

    rows: Iterator[Row | Bad]
    position: Callable[[], Position]
    scan: str | None = None


@dataclass(slots=True)
class Tally:
    """What a page's rows said while they went by: how many, how many new, which times."""

    id: str  # the row's key for its id, for the time of its last update, and for a second time
    time: str
    seen: dict[str, str]
    second: str | None = None
    count: int = 0
    rises: int = 0  # how often a row was later than the one before it
    last: int | None = None  # the latest time, in ticks
    ids: set[str] = field(default_factory=set)
    seconds: list[int] = field(default_factory=list)
    last_id: str = ""
    ordered: bool = True
    ended: bool = False  # every row went by
    trouble: Exception | None = None  # the page could not be had, or not be read to its end
    rest: Mapping[str, Any] = field(default_factory=dict)  # what the page says besides its rows

    def fresh(self, rows: Rows) -> Iterator[Row]:
        """The rows that were not seen in this version. A page that is broken ends early, and `trouble` tells.

        A row counts, and is remembered, when the next one is asked for: one that could not be used does not if the iterator is closed.
        """
        before: int | None = None
        try:
            for row in rows:
                id, version = text_of(row.get(self.id)), text_of(row.get(self.time))
                if not id or self.seen.get(id) != version:
                    yield row
                    if id:
                        self.seen.pop(id, None)  # so that the newest stand last
                        self.seen[id] = version
                self.count += 1
                self.last_id = id or self.last_id
                self.ids.add(id)
                moment = ticks(version)
                if moment is not None:
                    self.ordered = self.ordered and (before is None or moment >= before)
                    self.rises += before is not None and moment > before
                    before = moment
                    self.last = moment if self.last is None else max(self.last, moment)
                second = ticks(row.get(self.second)) if self.second else None
                if second is not None:
                    self.seconds.append(second)
        except Broken as error:
            self.trouble = error
        self.rest = rows.rest
        self.ended = True


def text_of(value: object) -> str:
    """An id or a time as text; 0 is an id."""
    return "" if value is None else str(value)


def recent(seen: Mapping[str, str], since: int) -> dict[str, str]:
    """The rows seen whose version is not before a moment; bad ones stay."""
    return {id: version for id, version in seen.items() if (moment := ticks(version)) is None or moment >= since}
