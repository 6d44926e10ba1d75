"""A list in no order that we know, window after window of time: a window whose rows fit in one page is complete, a fuller one is halved.

One request is consistent in itself, so that a list that changes while it is read loses nothing: a row that is updated meanwhile leaves its
window for a later one. Only within one moment, and around rows that can not be read, `$skip` is used (facts: m365_siem_api.json, paging).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shared.poll.client import PageFailed
from shared.poll.listing import Range, Reader
from shared.poll.walk import SECOND, Position, Step, Tally, iso, recent

NARROWEST = SECOND // 1000  # ticks; rows closer together are told apart by $skip


def by_window(reader: Reader, lower: int, upper: int | None, mark: int, keep: int, now: int) -> Iterator[Step]:
    """Every row from `lower` on (ticks), up to but without `upper`; arguments as of `by_boundary`."""
    until: int | None = upper  # of the present window; None: open
    skip = 0
    while True:
        tally, where = reader.tally(), Range(lower, until)
        position = partial(behind, reader, tally, mark, until, keep, now)
        rows = reader.page(tally, where, skip)
        if rows is not None:
            yield Step(tally.fresh(rows), position)
        if tally.trouble is not None:
            bad = reader.around(tally, where, skip)
            skip += len(bad)
            if told := reader.unknown(bad):
                yield Step(iter(told), position)
            continue
        if reader.full(tally):
            width = (now + 1 if until is None else until) - lower
            if width <= NARROWEST or skip or reader.size < reader.listing.top:
                skip += tally.count
                if skip > reader.listing.most_skip:
                    raise PageFailed(
                        f"{reader.listing.path}: more than {skip} rows were updated at {iso(lower)}, and the API gives no way to read on"
                    )
            else:
                until = lower + max(width // 2, NARROWEST)
            continue
        mark = complete(mark, tally, until, now)
        reader.grow()
        if until is None or until == upper:
            return
        lower, skip, until = until, 0, until + 2 * (until - lower)
        if until >= now or (upper is not None and until >= upper):
            until = upper


def behind(reader: Reader, tally: Tally, mark: int, until: int | None, keep: int, now: int) -> Position:
    """Where the cursor stands when a page's rows have been shipped: further on only if they were all of their window."""
    partly = tally.trouble is not None or reader.full(tally)
    at = mark if partly else complete(mark, tally, until, now)
    return Position(watermark=iso(at), seen=recent(reader.seen, at - keep))


def complete(mark: int, tally: Tally, until: int | None, now: int) -> int:
    """The watermark behind a complete window: its end, or where it is open its latest row."""
    reached = tally.last if until is None else until
    return mark if reached is None else max(mark, min(reached, now))
