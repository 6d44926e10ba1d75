"""One list of an API by the time of last update: which requests ask for it, and how a page that fails is got around.

`Listing` is a value; `Reader` asks for its pages. A page that keeps failing is halved until one row is left; where a row after it can be
read, that row alone is at fault: it is told as `Bad` and left behind. Where nothing can be read, the API is down (lessons 1.1 f).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from shared.poll.body import Broken, Rows
from shared.poll.client import Api, BadRequest, Gone, PageFailed
from shared.poll.walk import BAD, Bad, Tally, iso

MOST_BAD = 5  # rows in a row that can not be read; more, and the API is down
TRIES, TRIES_HALVED = 3, 2  # of one request; fewer while a page is being halved


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
    """Which rows: from a moment on (ticks), up to but without another; `second`: from this one on by the second time, and sorted by it."""

    lower: int
    upper: int | None = None
    second: int | None = None


@dataclass(slots=True)
class Reader:
    """Asks for pages, for smaller ones after a failure, and grows again."""

    api: Api
    listing: Listing
    seen: dict[str, str]  # id -> version of the rows that were shipped; grows as rows go by
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.size or self.listing.top

    def query(self, where: Range, size: int, skip: int) -> dict[str, str]:
        """OData's words for a page."""
        time, second = self.listing.time, self.listing.second
        words = [f"{time} ge {iso(where.lower)}"]
        if where.upper is not None:
            words.append(f"{time} lt {iso(where.upper)}")
        if where.second is not None:
            words.append(f"{second} ge {iso(where.second)}")
        query = {"$filter": " and ".join(words), "$top": str(size)}
        if self.listing.order:
            query["$orderby"] = f"{time if where.second is None else second} asc"
        return query | ({"$skip": str(skip)} if skip else {})

    def rows(self, query: Mapping[str, str], tries: int) -> Rows:
        """The rows that a query asks for."""
        return Rows(self.api.get(self.listing.path, query, self.listing.headers, tries=tries))

    def tally(self, before: str = "") -> Tally:
        """What the next page will be told in."""
        return Tally(self.listing.id, self.listing.time, self.seen, self.listing.second, last_id=before)

    def page(self, tally: Tally, where: Range, skip: int = 0, link: str | None = None) -> Rows | None:
        """A page; None where it can not be had at the present size, with the reason in the tally.

        A link that the API does not take any more (lessons 1.1 c, d) is no trouble of the page: BadRequest comes out.
        """
        try:
            if link:
                return Rows(self.api.get(link, None, self.listing.headers, tries=TRIES_HALVED))
            tries = TRIES if self.size == self.listing.top else TRIES_HALVED
            return self.rows(self.query(where, self.size, skip), tries)
        except PageFailed as error:
            tally.trouble = error
            return None

    def around(self, tally: Tally, where: Range, skip: int) -> list[Bad]:
        """What to do about a page's trouble: ask for half of it (no rows), or name the rows that can not be read.

        Raises PageFailed where not even a row further on can be read: then the API is down, and nothing is given up.
        """
        trouble = tally.trouble
        failed = trouble if isinstance(trouble, PageFailed) else PageFailed(f"{self.listing.path}: a page {trouble}")
        if self.size > 1:
            self.size //= 2
            return []
        for more in range(1, MOST_BAD + 1):
            if skip + more > self.listing.most_skip:
                break
            try:
                list(self.rows(self.query(where, 1, skip + more), 1))
            except (PageFailed, BadRequest, Broken):
                continue
            return [self.told(where, place, tally.last_id, failed) for place in range(skip, skip + more)]
        raise failed

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
                id = str(row.get(self.listing.id) or "")
        except (PageFailed, BadRequest, Gone, Broken):
            id = ""
        place = {"path": self.listing.path, "filter": query["$filter"], "skip": skip, "after": before, "id": id or None}
        return Bad(id or f"(unreadable after {before or iso(where.lower)})", str(error), orjson.dumps(place))

    def full(self, tally: Tally) -> bool:
        """Whether there may be more rows than a page gave."""
        return tally.count >= self.size or bool(tally.count and tally.rest.get(self.listing.link))

    def grow(self) -> None:
        """Ask for more again after a page came."""
        self.size = min(self.listing.top, self.size * 2)
