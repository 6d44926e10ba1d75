"""A list sorted by last update, page after page by time: each page begins at the last one's end, with `ge`, never `gt`.

Rows that come again are known by id and version. A page whose rows all share one moment is read by that moment's second time, and by `$skip` as
far as the API allows; it is never passed over. Next links are followed only where the boundary does not move, because a list that changes while
it is read shifts under them. A list that comes in another order than asked for is read by windows instead (issue 5, "Never skip"; lessons
1.1 a-e).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

from shared.poll.client import BadRequest, Gone, PageFailed
from shared.poll.listing import Range, Reader
from shared.poll.walk import Position, Step, Tally, iso, recent
from shared.poll.window import by_window

MOST_EMPTY = 20  # empty pages in a row, each with a next link (Azure/azure-sdk-for-js#17907)

log = logging.getLogger("defender.poll")


def by_boundary(reader: Reader, lower: int, upper: int | None, mark: int, keep: int, now: int) -> Iterator[Step]:
    """Every row from `lower` on (ticks), up to but without `upper`.

    mark: the watermark as it stands; it never goes back, and never beyond `now`. keep: ticks behind it for which the cursor remembers rows.
    """
    skip = empty = 0  # rows at the boundary that can not be read; empty pages in a row
    before = ""
    clamp, earlier = reader.listing.top, 0  # the API may give fewer rows than asked for though there are more
    link: str | None = None
    links: set[str] = set()
    while True:
        tally, where = reader.tally(before), Range(lower, upper)
        position = partial(behind, reader, tally, mark, keep, now)
        try:
            rows = reader.page(tally, where, skip, link)
        except (BadRequest, Gone):
            if link is None:
                raise
            yield from instant(reader, lower, position)
            lower, skip, link = lower + 1, 0, None
            continue
        if rows is not None:
            yield Step(tally.fresh(rows), position)
            mark = moved(mark, tally, now)
        before = tally.last_id
        if tally.trouble is not None:
            link = None
            bad = reader.around(tally, where, skip)
            skip += len(bad)
            if told := reader.unknown(bad):
                yield Step(iter(told), position)
            continue
        if not tally.ordered:
            log.warning("%s does not come in the order asked for: it is read by windows.", reader.listing.path)
            yield from by_window(reader, lower, upper, mark, keep, now)
            return
        full = tally.count >= min(reader.size, clamp)
        clamp = min(clamp, earlier) if earlier and tally.new else clamp
        earlier = tally.count
        reader.grow()
        empty = 0 if tally.count else empty + 1
        onward = reader.api.follow(tally.rest.get(reader.listing.link))
        if tally.last is not None and tally.last > lower:
            lower, skip, link = tally.last, 0, None
            links.clear()
        elif onward and onward not in links and empty <= MOST_EMPTY:
            links.add(onward)
            link = onward
        elif full or (onward and tally.count):
            yield from instant(reader, lower, position)
            lower, skip, link = lower + 1, 0, None
        else:
            return


def behind(reader: Reader, tally: Tally, mark: int, keep: int, now: int) -> Position:
    """Where the cursor stands when a page's rows have been shipped."""
    at = moved(mark, tally, now)
    return Position(watermark=iso(at), seen=recent(reader.seen, at - keep))


def moved(mark: int, tally: Tally, now: int) -> int:
    """The watermark behind a page: its latest row, unless it came in no order."""
    return max(mark, min(tally.last, now)) if tally.ordered and tally.last is not None else mark


def instant(reader: Reader, moment: int, position: Callable[[], Position]) -> Iterator[Step]:
    """Every row of one moment, told apart by the second time, and by `$skip` within that.

    Raises PageFailed where more rows share both times than the API can be asked for: nothing is passed over.
    """
    second = 0 if reader.listing.second else None
    skip = 0
    while True:
        tally, where = reader.tally(), Range(moment, moment + 1, second)
        rows = reader.page(tally, where, skip)
        if rows is not None:
            yield Step(tally.fresh(rows), position)
        if tally.trouble is not None:
            bad = reader.around(tally, where, skip)
            skip += len(bad)
            if told := reader.unknown(bad):
                yield Step(iter(told), position)
            continue
        full = tally.count >= reader.size
        reader.grow()
        if second is not None and tally.last_second is not None and tally.last_second > second:
            second, skip = tally.last_second, 0
        elif full:
            skip += tally.count
            if skip > reader.listing.most_skip:
                raise PageFailed(
                    f"{reader.listing.path}: more than {skip} rows have the last update {iso(moment)}, and the API gives no way to read on"
                )
        else:
            return
