"""Rows that their last update does not tell apart: read by `$skip` as far as the API allows, and where they are more, cut by their second time.

A list that changes while it is read by `$skip` shifts, so that such a reading is repeated until it brings the same rows twice. Bad rows are
found here too.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from statistics import median_low

from shared.poll.client import BadRequest, PageFailed
from shared.poll.listing import FIRST, LAST, Range, Reader
from shared.poll.moment import iso
from shared.poll.walk import Position, Step, Tally


def standing(reader: Reader, mark: int, keep: int) -> Position:
    """The position with the watermark `mark`, and what has been seen from `keep` before it on."""
    return Position(watermark=iso(mark), seen=reader.remembered(mark - keep))


def saved(reader: Reader, mark: int, keep: int) -> Step:
    """No rows, and the position with the watermark `mark`."""
    return Step(iter(()), lambda: standing(reader, mark, keep))


def passed(reader: Reader, tally: Tally, where: Range, skip: int, mark: int, keep: int) -> Generator[Step, None, int]:
    """Get around a page's trouble: how many rows were found that can not be read; each is told once."""
    bad = reader.around(tally, where, skip)
    if told := reader.unknown(bad):
        yield Step(iter(told), lambda: standing(reader, mark, keep))
    return len(bad)


def crowd(reader: Reader, where: Range, mark: int, keep: int) -> Generator[Step, None, int | None]:
    """Every row of a range; returns the latest last update. Raises PageFailed where more share both times than the API can be asked for: nothing is passed over."""
    most, last = reader.listing.most_skip, None
    before: set[str] | None = None
    while True:
        skip = pages = 0
        ids: set[str] = set()
        seconds: list[int] = []
        whole = False
        while not whole:
            tally = reader.tally()
            try:
                rows = reader.page(tally, where, skip)
            except BadRequest as error:
                if not skip:
                    raise
                raise PageFailed(f"{reader.listing.path} does not take $skip={skip}: {error}") from None
            if rows is not None:
                yield Step(tally.fresh(rows), lambda: standing(reader, mark, keep))
                if not tally.ended:
                    return None
                last = later(last, tally.last)
            if tally.trouble is not None:
                skip += yield from passed(reader, tally, where, skip, mark, keep)
                continue
            pages, ids = pages + 1, ids | tally.ids
            seconds += tally.seconds
            whole = reader.whole(tally, where, skip)
            reader.grow(tally)
            if not whole and skip >= most:
                break
            if not whole:
                skip = min(skip + tally.count, most)
        if not whole:
            for part in cut(reader, where, seconds):
                last = later(last, (yield from crowd(reader, part, mark, keep)))
            return last
        if pages == 1 or ids == before:
            return last
        before = ids


def later(one: int | None, other: int | None) -> int | None:
    """The later of two moments, of which none may be known."""
    return max((moment for moment in (one, other) if moment is not None), default=None)


def cut(reader: Reader, where: Range, seconds: list[int]) -> tuple[Range, ...]:
    """A range in two or three by the second time, none of which holds all of the rows that were read."""
    low, high = where.second or (FIRST, LAST)
    if not seconds or high - low <= 1:
        raise PageFailed(
            f"{reader.listing.path}: too many rows share the last update {iso(where.lower)}, and the API gives no way to read on"
        )
    middle = median_low(seconds)
    edges = [low, middle, high] if middle > low else [low, low + 1, high]
    if len(set(seconds)) == 1 and middle > low:
        edges = [low, middle, middle + 1, high]
    return tuple(replace(where, second=pair) for pair in pairwise(edges) if pair[0] < pair[1])
