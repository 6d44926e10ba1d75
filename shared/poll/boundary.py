"""A list sorted by last update, page after page by time: each page begins at the last one's end, with `ge`, never `gt`.

Rows that come again are known by id and version. A page whose rows all share one moment is read as a crowd, and never passed over. Next links of
a page with rows are not followed, because a list that changes while it is read shifts under them. That the API sorts is not believed but seen: a
page that rises too seldom to tell is checked by asking for what should lie before its last row, and a list in another order than asked for is
read by windows (issue 5, "Never skip"; lessons 1.1 a-e).
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from functools import partial

from shared.poll.client import BadRequest
from shared.poll.crowd import crowd, passed, saved, standing
from shared.poll.listing import Range, Reader
from shared.poll.moment import iso
from shared.poll.walk import Position, Step, Tally
from shared.poll.window import by_window

SURE = 8  # rises in a page after which its order is no chance

log = logging.getLogger("defender.poll")


def by_boundary(reader: Reader, lower: int, upper: int | None, mark: int, keep: int, now: int) -> Iterator[Step]:
    """Every row from `lower` on (ticks), up to but without `upper`.

    mark: the watermark as it stands; it never goes back, and never beyond `now`. keep: ticks behind it for which the cursor remembers rows.
    """
    if reader.listing.path in reader.api.unordered:
        yield from by_window(reader.unsorted(), lower, upper, mark, keep, now)
        return
    skip = 0  # rows at the boundary that can not be read
    before = ""
    sure = False  # whether the API sorts
    while True:
        tally, where = reader.tally(before), Range(lower, upper)
        try:
            rows = reader.page(tally, where, skip)
        except BadRequest:
            if sure or skip:
                raise
            reader.api.unordered.add(reader.listing.path)  # the next poll does not ask for it again
            yield from otherwise(reader, lower, upper, mark, keep, now)
            return
        if rows is not None:
            yield Step(tally.fresh(rows), partial(behind, reader, tally, sure, mark, keep, now))
            if not tally.ended:
                return  # whoever reads had to stop
        before = tally.last_id
        if tally.trouble is not None:
            skip += yield from passed(reader, tally, where, skip, mark, keep)
            continue
        sure = sure or proven(tally)
        if sure:
            mark = moved(mark, tally, now)
        if sure and tally.ordered and tally.last is not None and tally.last > lower:
            reader.grow(tally)
            lower, skip = tally.last, 0
            continue
        whole = reader.whole(tally, where, skip)
        reader.grow(tally)
        if whole:
            if tally.last is not None and min(tally.last, now) > mark:
                yield saved(reader, min(tally.last, now), keep)
            return
        if not tally.ordered or not (yield from confirmed(reader, tally, lower, mark, keep)):
            yield from otherwise(reader, lower, upper, mark, keep, now)
            return
        if tally.last is None or tally.last <= lower:
            yield from crowd(reader, Range(lower, lower + 1), mark, keep)
            lower, skip = lower + 1, 0
        else:
            lower, skip, mark = tally.last, 0, moved(mark, tally, now)
            yield saved(reader, mark, keep)


def behind(reader: Reader, tally: Tally, sure: bool, mark: int, keep: int, now: int) -> Position:  # noqa: FBT001  for `partial`
    """Where the cursor stands when a page's rows have been shipped: further on only if the API is known to sort."""
    return standing(reader, moved(mark, tally, now) if sure or proven(tally) else mark, keep)


def proven(tally: Tally) -> bool:
    """Whether a page shows that the API sorts."""
    return tally.ordered and tally.rises >= SURE


def confirmed(reader: Reader, tally: Tally, lower: int, mark: int, keep: int) -> Generator[Step, None, bool]:
    """Whether nothing lies before a page's last row that the page did not have. Rows that can not be read make that unknown."""
    if tally.last is None or tally.last <= lower:
        return True
    check = reader.tally()
    rows = reader.page(check, Range(lower, tally.last))
    if rows is not None:
        yield Step(check.fresh(rows), lambda: standing(reader, mark, keep))
    return check.ended and check.trouble is None and check.ids <= tally.ids


def moved(mark: int, tally: Tally, now: int) -> int:
    """The watermark behind a page: its latest row, unless it came in no order."""
    return max(mark, min(tally.last, now)) if tally.ordered and tally.last is not None else mark


def otherwise(reader: Reader, lower: int, upper: int | None, mark: int, keep: int, now: int) -> Iterator[Step]:
    """The rest by windows, and without asking for an order."""
    log.warning(
        "%s does not come in the order asked for: it is read by windows from %s.", reader.listing.path, iso(lower)
    )
    yield from by_window(reader.unsorted(), lower, upper, mark, keep, now)
