"""A storage account -> the blobs of some hours, found by their paths and not by listing everything.

Defender: `tenantId=<guid>/y=2026/m=01/d=02/h=03/m=00/PT1H.json` in `insights-logs-advancedhunting-<table>`. Capture:
`<namespace>/<hub>/<partition>/2026/01/02/03/04/05.avro`. Known is what both have in common: folders of year, month, day and hour, in this
order, each with or without a name before it; what stands above them may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from shared.blobs import blob_errors

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

HOUR = timedelta(hours=1)
DEEPEST = 12  # folders above the year's
EXPORT = "insights-logs-advancedhunting-"
AVRO, LINES = (".avro",), (".json", ".jsonl", ".ndjson")
NUMBER = r"(?:[A-Za-z]+=)?(\d{%s})"
YEAR, PART = re.compile(NUMBER % "4"), re.compile(NUMBER % "1,2")
PATH = re.compile("(?:^|/)" + "/".join([NUMBER % "4", NUMBER % "2", NUMBER % "2", NUMBER % "2"]) + "/")


@dataclass(frozen=True, slots=True)
class Found:
    """A blob to read: its size in bytes when listed, and the hour that its path tells."""

    container: str
    name: str
    size: int
    hour: datetime

    @property
    def what(self) -> str:
        """What it holds, for people: the table, or the captured hub."""
        if self.container.startswith(EXPORT):
            return self.container.removeprefix(EXPORT)
        above = self.name[: PATH.search(self.name).start()] if PATH.search(self.name) else ""  # type: ignore[union-attr]  # found
        return "/".join([self.container, *above.split("/")[:-1]])


def matching(service: BlobServiceClient, setting: str, patterns: Sequence[str]) -> list[str]:
    """The containers of the account that any of the patterns names, by name."""
    with blob_errors(setting):
        return sorted(item.name for item in service.list_containers() if allowed(item.name, patterns))


def allowed(container: str, patterns: Sequence[str]) -> bool:
    """Whether any of the patterns names a container."""
    return any(fnmatchcase(container, pattern) for pattern in patterns)


def blobs(container: ContainerClient, setting: str, begin: datetime, end: datetime) -> Iterator[Found]:
    """The blobs of the hours that [begin, end) touches; empty ones and those of other kinds are left out."""
    with blob_errors(setting):
        for day in days(container, "", begin, end, DEEPEST):
            for blob in container.list_blobs(name_starts_with=day):
                hour = hour_of(blob.name)
                wanted = hour is not None and hour < end and hour + HOUR > begin
                if hour is not None and wanted and blob.size and blob.name.lower().endswith(AVRO + LINES):
                    yield Found(str(container.container_name), blob.name, blob.size, hour)


def days(container: ContainerClient, prefix: str, begin: datetime, end: datetime, deeper: int) -> Iterator[str]:
    """The folders of the days between two moments, `…/2026/01/02/`."""
    for folder in folders(container, prefix):
        year = YEAR.fullmatch(last(folder))
        if year is None:
            if deeper:
                yield from days(container, folder, begin, end, deeper - 1)
        elif begin.year <= int(year[1]) <= end.year:
            for month in folders(container, folder):
                for day in folders(container, month):
                    if touches(int(year[1]), last(month), last(day), begin, end):
                        yield day


def touches(year: int, month: str, day: str, begin: datetime, end: datetime) -> bool:
    """Whether a day's folder lies between two moments."""
    months, dates = PART.fullmatch(month), PART.fullmatch(day)
    if months is None or dates is None:
        return False
    try:
        midnight = datetime(year, int(months[1]), int(dates[1]), tzinfo=UTC)
    except ValueError:
        return False
    return midnight < end and midnight + timedelta(days=1) > begin


def folders(container: ContainerClient, prefix: str) -> Iterator[str]:
    """What lies directly below a folder and is one itself, with its slash."""
    items: Any = container.walk_blobs(name_starts_with=prefix, delimiter="/")
    for item in items:
        if item.name.endswith("/") and item.name != prefix:
            yield item.name


def last(folder: str) -> str:
    """A folder's own name."""
    return folder.rstrip("/").rpartition("/")[2]


def hour_of(name: str) -> datetime | None:
    """The hour that a blob's path tells."""
    found = PATH.search(name)
    if found is None:
        return None
    try:
        return datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]  # four numbers
    except ValueError:
        return None


def partition_of(name: str) -> str | None:
    """The hub's partition that a captured blob comes from: the folder above the year's."""
    found = PATH.search(name)
    return name[: found.start()].rpartition("/")[2] or None if found else None
