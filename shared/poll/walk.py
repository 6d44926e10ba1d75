"""What every walk gives: steps. Ship a step's rows, then save its cursor; a walk goes on only when it is asked for the next step.

Times are compared as ticks of 100 ns, the finest that Microsoft writes; texts go back to the API with all their digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.poll.body import Broken, Rows

type Row = Mapping[str, Any]

SECOND = 10_000_000  # ticks
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)
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
    """Rows, read lazily, and the position behind them, which is known when they have been read."""

    rows: Iterator[Row | Bad]
    position: Callable[[], Position]


def ticks(text: object) -> int | None:
    """An ISO 8601 text as ticks since 1970; None where it is none. Without a zone it is UTC, as Microsoft means it."""
    match = MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    zone = (match[3] or "Z").upper()
    try:
        passed = datetime.fromisoformat(match[1] + ("+00:00" if zone == "Z" else zone)) - EPOCH
    except ValueError:
        return None
    fraction = int((match[2] or "0").ljust(9, "0")[:7])
    return (passed.days * 86_400 + passed.seconds) * SECOND + fraction


def iso(moment: int) -> str:
    """Ticks as text: whole seconds, or seven digits of a fraction."""
    seconds, fraction = divmod(moment, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:07}Z" if fraction else f"{text}Z"


@dataclass(slots=True)
class Tally:
    """What a page's rows said while they went by: how many, how many new, which times."""

    id: str  # the row's key for its id, for the time of its last update, and for a second time
    time: str
    seen: dict[str, str]
    second: str | None = None
    count: int = 0
    new: int = 0
    last: int | None = None  # the latest time, in ticks
    last_second: int | None = None
    last_id: str = ""
    ordered: bool = True
    trouble: Exception | None = None  # the page could not be had, or not be read to its end
    rest: Mapping[str, Any] = field(default_factory=dict)  # what the page says besides its rows

    def fresh(self, rows: Rows) -> Iterator[Row]:
        """The rows that were not seen in this version, remembered as they go by. A page that is broken ends early, and `trouble` tells."""
        before: int | None = None
        try:
            for row in rows:
                self.count += 1
                id, version = str(row.get(self.id) or ""), str(row.get(self.time) or "")
                moment = ticks(version)
                if moment is not None:
                    self.ordered = self.ordered and (before is None or moment >= before)
                    before = moment
                    self.last = moment if self.last is None else max(self.last, moment)
                second = ticks(row.get(self.second)) if self.second else None
                if second is not None:
                    self.last_second = second if self.last_second is None else max(self.last_second, second)
                self.last_id = id or self.last_id
                if id and self.seen.get(id) == version:
                    continue
                if id:
                    self.seen.pop(id, None)  # so that the newest stand last
                    self.seen[id] = version
                self.new += 1
                yield row
        except Broken as error:
            self.trouble = error
        self.rest = rows.rest


def recent(seen: Mapping[str, str], since: int) -> dict[str, str]:
    """The rows seen whose version is not before a moment; bad ones stay."""
    return {id: version for id, version in seen.items() if (moment := ticks(version)) is None or moment >= since}
