"""Next links of a scan: to the end, which is also where they lead in a circle, or from empty page to empty page for very long."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.poll.body import Rows
from shared.poll.client import Api, PageFailed

MOST_EMPTY = 200  # empty pages in a row, each with a next link (Azure/azure-sdk-for-js#17907)

log = logging.getLogger("defender.poll")


@dataclass(slots=True)
class Links:
    """The links of one list that were followed in this run. empty: empty pages in a row, also of runs before."""

    api: Api
    path: str
    key: str  # of the next link
    empty: int = 0
    seen: set[str] = field(default_factory=set)

    def after(self, rows: Rows) -> str | None:
        """The next link of a page that was read; None at the end.

        Raises PageFailed where it leads to another host: what is behind it can not be read.
        """
        told = rows.rest.get(self.key)
        link = self.api.follow(told)
        if link is None and told:
            raise PageFailed(f"{self.path}: its next link leads to another host")
        self.empty = 0 if rows.count else self.empty + 1
        if link is None:
            return None
        if link in self.seen or self.empty > MOST_EMPTY:
            where = "in a circle" if link in self.seen else "from empty page to empty page"
            log.error("%s: its next links lead %s; it is taken for read.", self.path, where)
            return None
        self.seen.add(link)
        return link


def pages(api: Api, path: str, query: dict[str, str], key: str = "nextLink") -> Iterator[Rows]:
    """A list's pages to its end."""
    links = Links(api, path, key)
    rows = Rows(api.get(path, query))
    while True:
        yield rows  # whoever asks for the next one has read it
        link = links.after(rows)
        if link is None:
            return
        rows = Rows(api.get(link))
