"""One list of an API by the time of last update: which requests ask for it, and how a page that fails is got around.

`Listing` is a value; `Reader` asks for its pages. A page that keeps failing is halved until one row is left; where a row after it can be
read, that row alone is at fault: it is told as `Bad` and left behind. Where nothing can be read, the API is down (lessons 1.1 f).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

import orjson

from shared.poll.body import Broken, Rows
from shared.poll.client import Api, BadRequest, Gone, PageFailed
from shared.poll.moment import iso
from shared.poll.walk import BAD, Bad, Tally, recent, text_of

MOST_BAD = 5  # rows in a row that can not be read; more, and the API is down
MOST_EMPTY = 20  # empty pages in a row, each with a next link (Azure/azure-sdk-for-js#17907)
FIRST, LAST = 0, 1 << 62  # ticks, around every second time
TRIES, TRIES_HALVED = 3, 2  # of one request; fewer while a page is being halved


class Nowhere(PageFailed):
    """Next links lead from empty page to empty page: smaller pages would do the same."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: path, the row's keys of id and last update, what the API allows (facts: graph_security.json, m365_siem_api.json)."""

    path: str
    id: str
    time: str
    top: int  # rows asked for at once
    most_skip: int  # largest $skip
    order: bool  # whether $orderby is taken
    second: str | None = None  # another time by which rows that share a last update can be told apart
    headers: Mapping[str, str] = field(default_factory=dict)
    link: str = "@odata.nextLink"


@dataclass(frozen=True, slots=True)
class Range:
    """Which rows: from a moment on (ticks), up to but without another; `second`: the same of the second time."""

    lower: int
    upper: int | None = None
    second: tuple[int, int] | None = None


@dataclass(slots=True)
class Reader:
    """Asks for pages, for smaller ones after a failure, and grows again."""

    api: Api
    listing: Listing
    seen: dict[str, str]  # id -> version of the rows that were shipped; grows as rows go by
    size: int = 0
    largest: int = 0  # rows of the largest page that came

    def __post_init__(self) -> None:
        self.size = self.size or self.listing.top

    def unsorted(self) -> Reader:
        """The same, without asking for an order."""
        return Reader(self.api, replace(self.listing, order=False), self.seen, self.size, self.largest)

    def query(self, where: Range, size: int, skip: int) -> dict[str, str]:
        """OData's words for a page."""
        words = [f"{self.listing.time} ge {iso(where.lower)}"]
        if where.upper is not None:
            words.append(f"{self.listing.time} lt {iso(where.upper)}")
        if where.second is not None:
            low, high = where.second
            words += [f"{self.listing.second} ge {iso(low)}"] if low > FIRST else []
            words += [f"{self.listing.second} lt {iso(high)}"] if high < LAST else []
        query = {"$filter": " and ".join(words), "$top": str(size)}
        if self.listing.order:
            query["$orderby"] = f"{self.listing.time} asc"
        return query | ({"$skip": str(skip)} if skip else {})

    def rows(self, query: Mapping[str, str], tries: int) -> Rows:
        """The rows that a query asks for; an empty page's next link is followed, because rows may come behind it."""
        rows = Rows(self.api.get(self.listing.path, query, self.listing.headers, tries=tries))
        links: set[str] = set()
        while rows.empty():
            link = self.api.follow(rows.rest.get(self.listing.link))
            if link is None:
                break
            if link in links or len(links) >= MOST_EMPTY:
                raise Nowhere(f"{self.listing.path}: next links lead from empty page to empty page")
            links.add(link)
            try:
                rows = Rows(self.api.get(link, None, self.listing.headers, tries=tries))
            except (BadRequest, Gone) as error:
                raise Nowhere(f"{self.listing.path}: the next link of an empty page is not taken: {error}") from None
        return rows

    def tally(self, before: str = "") -> Tally:
        """What the next page will be told in."""
        return Tally(self.listing.id, self.listing.time, self.seen, self.listing.second, last_id=before)

    def page(self, tally: Tally, where: Range, skip: int = 0) -> Rows | None:
        """A page; None where it can not be had at the present size, with the reason in the tally."""
        tries = TRIES if self.size == self.listing.top else TRIES_HALVED
        try:
            return self.rows(self.query(where, self.size, skip), tries)
        except Nowhere:
            raise
        except (PageFailed, Broken) as error:
            tally.trouble = error
            return None

    def whole(self, tally: Tally, where: Range, skip: int = 0) -> bool:
        """Whether a page's rows are all that are behind `skip`: fewer than asked for, and nothing comes behind them.

        An API may give fewer rows at once than it is asked for, and say nothing (lessons 1.1 a).
        """
        if not tally.count:
            return True
        if tally.count >= self.size or tally.rest.get(self.listing.link):
            return False
        if tally.count < self.largest:
            return True
        if skip + tally.count > self.listing.most_skip:
            return False
        try:
            return self.rows(self.query(where, 1, skip + tally.count), TRIES_HALVED).none()
        except (PageFailed, BadRequest, Broken):
            return False

    def around(self, tally: Tally, where: Range, skip: int) -> list[Bad]:
        """What to do about a page's trouble: ask for half of it (no rows), or name the rows that can not be read.

        Raises PageFailed where not even a row further on can be read: then the API is down, and nothing is given up.
        """
        trouble = tally.trouble
        failed = trouble if isinstance(trouble, PageFailed) else PageFailed(f"{self.listing.path}: a page {trouble}")
        if self.size > 1:
            if self.size == self.listing.top and not self.up(where, skip):
                raise failed
            self.size //= 2
            return []
        for more in range(1, MOST_BAD + 1):
            if skip + more > self.listing.most_skip:
                break
            if self.readable(
                where, skip + more, TRIES_HALVED
            ):  # so that the API is up: those before are asked for again
                places = takewhile(lambda place: not self.readable(where, place, TRIES), range(skip, skip + more))
                return [self.told(where, place, tally.last_id, failed) for place in list(places)]
        raise failed

    def up(self, where: Range, skip: int) -> bool:
        """Whether the API gives one row at least of those that begin a page, so that smaller pages are worth asking for."""
        places = range(skip, min(skip + MOST_BAD, self.listing.most_skip) + 1)
        return any(self.readable(where, place, 1) for place in places)

    def readable(self, where: Range, skip: int, tries: int) -> bool:
        """Whether the API gives the one row behind so many (or says that there is none)."""
        for _ in range(tries):
            try:
                self.rows(self.query(where, 1, skip), tries).none()
            except (PageFailed, BadRequest):
                return False
            except Broken:
                continue
            return True
        return False

    def unknown(self, bad: list[Bad]) -> list[Bad]:
        """Those that were not told before; they count as seen from now on."""
        new = [one for one in bad if self.seen.get(one.id) != BAD]
        self.seen.update({one.id: BAD for one in bad})
        return new

    def told(self, where: Range, skip: int, before: str, error: Exception) -> Bad:
        """A row that can not be read: its id where the API gives at least that, else the row it stands behind."""
        query, id = self.query(where, 1, skip), ""
        try:
            for row in self.rows(query | {"$select": f"{self.listing.id},{self.listing.time}"}, 1):
                id = text_of(row.get(self.listing.id))
        except (PageFailed, BadRequest, Gone, Broken):
            id = ""
        place = {"path": self.listing.path, "filter": query["$filter"], "skip": skip, "after": before, "id": id or None}
        return Bad(id or f"(unreadable after {before or iso(where.lower)})", str(error), orjson.dumps(place))

    def remembered(self, since: int) -> dict[str, str]:
        """What was seen since a moment; what is older is forgotten, because it does not come again."""
        kept = recent(self.seen, since)
        if len(kept) < len(self.seen):
            self.seen.clear()
            self.seen.update(kept)
        return kept

    def grow(self, tally: Tally) -> None:
        """A page came: ask for more again after a failure."""
        self.largest = max(self.largest, tally.count)
        self.size = min(self.listing.top, self.size * 2)
