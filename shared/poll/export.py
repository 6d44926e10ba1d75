"""Defender for Endpoint's vulnerabilities: export files (gzipped lines of JSON behind signed links), or pages by machine.

A signed link is used once and kept nowhere: not in the cursor, not in a log. `work` of the cursor names files by path and says how many lines of
which were shipped; an export that was made anew meanwhile is read from its beginning, which costs duplicates only. A file may have a gigabyte:
it is read as it comes, line by line (issue 5, "Bounded memory").

    {"scan": …, "generated": the export's own time, "done": [names], "file": name, "lines": n}    or  {"scan": …, "link": next page, "size": rows}
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.errors import Reject
from shared.poll.answers import origin
from shared.poll.body import CHUNK, Broken, Rows, unpacked
from shared.poll.client import TRIES, Api, BadRequest, Gone, OutOfTime, PageFailed, Timed
from shared.poll.links import Links
from shared.poll.scan import scan_of
from shared.poll.source import Span, Start
from shared.poll.walk import Bad, Position, Row, Step
from shared.poll_settings import PollSettings

EXPORT = "/api/machines/SoftwareVulnerabilitiesExport"
BY_MACHINE = "/api/machines/SoftwareVulnerabilitiesByMachine"
LINES = 2_000  # shipped before the cursor is saved
LONGEST_LINE = 4_000_000  # bytes
LONG_BEGINNING = 10_000  # bytes of a longer line that are kept
SMALLEST_PAGE = 500  # rows; a page of as many that fails is no matter of its size
GZIP = b"\x1f\x8b"
MOST_RENEWED = 3  # times that links are asked for anew within a run


def walk(api: Api, settings: PollSettings, scope: str, start: Start, span: Span) -> Iterator[Step]:  # noqa: ARG001  a walk's arguments
    """The scan, by the method that the settings name."""
    work = scan_of(start, span, settings.vulnerability_interval_hours)
    if work is None:
        return
    if settings.vulnerability_method == "pages":
        yield from by_machine(api, settings.vulnerability_page_size, work)
    else:
        yield from by_files(api, work)


def by_machine(api: Api, size: int, work: Mapping[str, Any]) -> Iterator[Step]:
    """Page after page by next link. A saved link that is too old begins anew, and so does a page that fails, with smaller ones."""
    scan = str(work["scan"])
    link, size = api.follow(work.get("link")), min(size, int(work.get("size") or size))
    links = Links(api, BY_MACHINE, "@odata.nextLink", int(work.get("empty") or 0))
    anew = False
    while True:
        try:
            rows = Rows(api.get(link) if link else api.get(BY_MACHINE, {"pageSize": str(size)}))
        except (BadRequest, Gone) as error:
            if link is None:
                raise
            if anew:
                raise PageFailed(f"{BY_MACHINE}: its next links are not taken: {error}") from None
            link, links, anew = None, Links(api, BY_MACHINE, links.key), True
            continue
        except PageFailed:
            if size <= SMALLEST_PAGE:
                raise
            link, links, size = None, Links(api, BY_MACHINE, links.key), max(size // 4, SMALLEST_PAGE)
            continue
        onward: list[str | None] = []

        def position(
            rows: Rows = rows, links: Links = links, size: int = size, onward: list[str | None] = onward
        ) -> Position:
            onward.append(links.after(rows))
            if onward[0] is None:
                return Position(watermark=scan, work=None, finished=True)
            return Position(work={"scan": scan, "link": onward[0], "size": size, "empty": links.empty})

        yield Step(iter(rows), position, scan)
        if not onward or onward[0] is None:
            return
        link = onward[0]


def by_files(api: Api, work: Mapping[str, Any]) -> Iterator[Step]:
    """File after file; links that have run out are asked for anew, a file that breaks off is read on where it did."""
    scan, renewed, failures = str(work["scan"]), 0, 0
    done = [name for name in work.get("done", []) if isinstance(name, str)]
    file, lines, generated = work.get("file"), int(work.get("lines") or 0), work.get("generated")
    while True:
        made, links = files(api)
        if made != generated:
            done, file, lines, generated = [], None, 0, made
        try:
            for name, link in links.items():
                if name in done:
                    continue
                for rows, count in of_file(api, link, name, lines if name == file else 0):
                    yield Step(rows, at(scan, generated, done, name, count), scan)
                    lines, file, failures = count, name, 0
                done.append(name)
                yield Step(iter(()), at(scan, generated, done, None, 0), scan)
        except Expired:
            renewed += 1
            if renewed > MOST_RENEWED:
                raise PageFailed(f"{EXPORT}: its links do not work") from None
        except PageFailed:
            failures += 1
            if failures >= TRIES:
                raise
            api.wait(api.clock.delay(failures))
        else:
            yield Step(iter(()), lambda: Position(watermark=scan, work=None, finished=True), scan)
            return


def at(scan: str, generated: object, done: list[str], file: str | None, lines: int) -> Any:
    """The position within an export."""
    work = {"scan": scan, "generated": generated, "done": list(done), "file": file, "lines": lines}
    return lambda: Position(work=work)


def files(api: Api) -> tuple[str, dict[str, str]]:
    """(when the export was made, name -> link) of the present export; a file's name is its path. Links that are not https are refused."""
    found = api.get(EXPORT).json()
    links = found.get("exportFiles") if isinstance(found, dict) else None
    if not isinstance(links, list):
        raise PageFailed(f"{EXPORT}: its answer names no files")
    named: dict[str, str] = {}
    for link in links:
        if not isinstance(link, str) or origin(link) is None:
            raise PageFailed(f"{EXPORT}: a link of its answer is not https")
        path = urlsplit(link).path
        name = next(name for number in count(1) if (name := path if number == 1 else f"{path}#{number}") not in named)
        named[name] = link
    return str(found.get("generatedTime") or ""), named


class Expired(Exception):
    """A signed link is not taken any more."""


def of_file(api: Api, link: str, name: str, skip: int) -> Iterator[tuple[Iterator[Row | Bad], int]]:
    """(rows, lines read so far) of a file, some thousand lines at a time, behind the first `skip`. When the time is up, what was read still comes."""
    number = 0
    rows: list[Row | Bad] = []
    late: OutOfTime | None = None
    with closing(numbered(api, link, name)) as lines:
        try:
            for line, whole in lines:
                number += 1
                if number <= skip or not line.strip():
                    continue
                rows.append(parsed(line, name, number) if whole else too_long(line, name, number))
                if len(rows) >= LINES:
                    yield iter(rows), number
                    rows = []
        except OutOfTime as error:
            late = error
    if rows:
        yield iter(rows), number
    if late is not None:
        raise late


def parsed(line: bytes, name: str, number: int) -> Row | Bad:
    """A line as a row; one that is none is told with its own bytes."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Bad(f"{name.rpartition('/')[2]}:{number}", f"a line of an export file is not JSON: {error}", line)
    if isinstance(row, dict):
        return row
    return Bad(f"{name.rpartition('/')[2]}:{number}", "a line of an export file is no object", line)


def too_long(line: bytes, name: str, number: int) -> Bad:
    """A line that was not read to its end."""
    return Bad(
        f"{name.rpartition('/')[2]}:{number}", f"a line of an export file has more than {LONGEST_LINE} bytes", line
    )


def numbered(api: Api, link: str, name: str) -> Generator[tuple[bytes, bool]]:
    """(line, whether that is all of it) of a file, as they come. No token goes to where it lies; errors name its path only."""
    import requests
    from urllib3.exceptions import HTTPError

    api.in_time()
    api.usage.add(requests=1)
    try:
        with api.session.get(
            link, stream=True, allow_redirects=False, timeout=api.timeout(), headers={"accept-encoding": "identity"}
        ) as answer:
            if answer.status_code in (401, 403, 404, 410):
                raise Expired
            if answer.status_code != 200:
                raise PageFailed(f"export file {name} answers {answer.status_code}")
            raw = Peeked(Timed(answer.raw, api))
            yield from split(counted(api, unpacked(raw, "gzip" if raw.first.startswith(GZIP) else "", None)))
    except (requests.exceptions.RequestException, HTTPError, OSError) as error:
        raise PageFailed(f"export file {name} could not be read ({type(error).__name__})") from None
    except (Broken, Reject) as error:
        raise PageFailed(f"export file {name}: {getattr(error, 'reason', error)}") from None


def counted(api: Api, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, booked."""
    for piece in pieces:
        api.usage.add(bytes=len(piece))
        yield piece


def split(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """(line, whether that is all of it) of a body in pieces; of a line that is too long the beginning."""
    tail, dropping = b"", False
    for piece in pieces:
        *whole, tail = (tail + piece).split(b"\n")
        for line in whole:
            if not dropping:
                yield line, True
            dropping = False
        if len(tail) > LONGEST_LINE and not dropping:
            yield tail[:LONG_BEGINNING], False
            dropping = True
        if dropping:
            tail = b""
    if tail.strip():
        yield tail, True


class Peeked:
    """A body whose first bytes have been looked at: whether a file is packed, neither its name nor its headers say for sure."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._again = self.first = raw.read(CHUNK)

    def read(self, size: int) -> bytes:
        """The next bytes, the first ones first."""
        piece: bytes = self._again or self._raw.read(size)
        self._again = b""
        return piece
