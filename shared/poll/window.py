"""A list in no order that we know, window after window of time: a window whose rows fit in one page is complete, a fuller one is halved.

One request is consistent in itself, so that a list that changes while it is read loses nothing: a row that is updated meanwhile leaves its
window for a later one. A window that can be halved no more, or that holds a row that can not be read, is read as a crowd (facts:
m365_siem_api.json, paging).
"""

from __future__ import annotations

from collections.abc import Iterator

from shared.poll.crowd import crowd, saved, standing
from shared.poll.listing import Range, Reader
from shared.poll.moment import SECOND
from shared.poll.walk import Step

NARROWEST = SECOND // 1000  # ticks; rows closer together are told apart by $skip


def by_window(reader: Reader, lower: int, upper: int | None, mark: int, keep: int, now: int) -> Iterator[Step]:
    """Every row from `lower` on (ticks), up to but without `upper`; arguments as of `by_boundary`. The watermark follows the rows of complete windows."""
    until: int | None = upper  # of the present window; None: open
    while True:
        tally, where = reader.tally(), Range(lower, until)
        rows = reader.page(tally, where)
        if rows is not None:
            yield Step(tally.fresh(rows), lambda mark=mark: standing(reader, mark, keep))  # type: ignore[misc]  # a default that binds
            if not tally.ended:
                return  # whoever reads had to stop
        reached = tally.last
        whole = tally.trouble is None and reader.whole(tally, where)
        if tally.trouble is None:
            reader.grow(tally)
        if not whole:
            width = (now + 1 if until is None else until) - lower
            if tally.trouble is None and width > NARROWEST:
                until = lower + max(width // 2, NARROWEST)
                continue
            reached = yield from crowd(reader, where, mark, keep)
        if reached is not None and min(reached, now) > mark:
            mark = min(reached, now)
            yield saved(reader, mark, keep)
        if until is None or until == upper:
            return
        lower, until = until, until + 2 * (until - lower)
        if until >= now or (upper is not None and until >= upper):
            until = upper
