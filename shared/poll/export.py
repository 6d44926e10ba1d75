"""Defender for Endpoint's vulnerabilities: export files (gzipped lines of JSON behind signed links), or pages by machine.

A signed link is used once and kept nowhere: not in the cursor, not in a log. `work` of the cursor names files by path and says how many lines of
which were shipped; an export that was made anew meanwhile is read from its beginning, which costs duplicates only. A file may have a gigabyte:
it is read as it comes, line by line (issue 5, "Bounded memory").

    {"scan": …, "generated": the export's own time, "done": [paths], "file": path, "lines": n}       or  {"scan": …, "link": next page}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.errors import Reject
from shared.poll.body import CHUNK, Broken, Rows, unpacked
from shared.poll.client import Api, BadRequest, Gone, PageFailed, origin
from shared.poll.scan import scan_of
from shared.poll.source import Span, Start
from shared.poll.walk import Bad, Position, Row, Step
from shared.poll_settings import PollSettings

EXPORT = "/api/machines/SoftwareVulnerabilitiesExport"
BY_MACHINE = "/api/machines/SoftwareVulnerabilitiesByMachine"
LINES = 5_000  # shipped before the cursor is saved
LONGEST_LINE = 4_000_000  # bytes
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
    """Page after page by next link; a saved link that is too old begins anew."""
    scan = str(work["scan"])
    link = api.follow(work.get("link"))
    seen: set[str] = set()
    while True:
        try:
            rows = Rows(api.get(link) if link else api.get(BY_MACHINE, {"pageSize": str(size)}))
        except (BadRequest, Gone):
            if link is None:
                raise
            link = None
            seen.clear()
            continue

        def position(rows: Rows = rows) -> Position:
            onward = api.follow(rows.rest.get("@odata.nextLink"))
            if onward is None:
                return Position(watermark=scan, work=None, finished=True)
            return Position(work={"scan": scan, "link": onward})

        yield Step(iter(rows), position)
        link = api.follow(rows.rest.get("@odata.nextLink"))
        if link is None:
            return
        if link in seen:
            raise PageFailed(f"{BY_MACHINE}: its next links lead in a circle")
        seen.add(link)


def by_files(api: Api, work: Mapping[str, Any]) -> Iterator[Step]:
    """File after file; links that have run out are asked for anew."""
    scan, renewed = str(work["scan"]), 0
    done = [path for path in work.get("done", []) if isinstance(path, str)]
    file, lines, generated = work.get("file"), int(work.get("lines") or 0), work.get("generated")
    while True:
        made, links = files(api)
        if made != generated:
            done, file, lines, generated = [], None, 0, made
        try:
            for path, link in links.items():
                if path in done:
                    continue
                skip = lines if path == file else 0
                for step, count in of_file(api, link, path, skip):
                    lines, file = count, path
                    yield Step(step, at(scan, generated, done, path, count))
                done.append(path)
                last = len(done) >= len(links)
                final = (
                    Position(watermark=scan, work=None, finished=True) if last else at(scan, generated, done, None, 0)()
                )
                yield Step(iter(()), lambda final=final: final)  # type: ignore[misc]  # a default that binds
            if not links:
                yield Step(iter(()), lambda: Position(watermark=scan, work=None, finished=True))
        except Expired:
            renewed += 1
            if renewed > MOST_RENEWED:
                raise PageFailed(f"{EXPORT}: its links do not work") from None
            continue
        return


def at(scan: str, generated: object, done: list[str], file: str | None, lines: int) -> Any:
    """The position within an export."""
    work = {"scan": scan, "generated": generated, "done": list(done), "file": file, "lines": lines}
    return lambda: Position(work=work)


def files(api: Api) -> tuple[str, dict[str, str]]:
    """(when the export was made, path -> link) of the present export. Links that are not https are refused."""
    found = api.get(EXPORT).json()
    links = found.get("exportFiles") if isinstance(found, dict) else None
    if not isinstance(links, list):
        raise PageFailed(f"{EXPORT}: its answer names no files")
    named: dict[str, str] = {}
    for link in links:
        if not isinstance(link, str) or origin(link) is None:
            raise PageFailed(f"{EXPORT}: a link of its answer is not https")
        named[urlsplit(link).path] = link
    return str(found.get("generatedTime") or ""), named


class Expired(Exception):
    """A signed link is not taken any more."""


def of_file(api: Api, link: str, path: str, skip: int) -> Iterator[tuple[Iterator[Row | Bad], int]]:
    """(rows, lines read so far) of a file, some thousand lines at a time, behind the first `skip`."""
    lines = numbered(api, link, path)
    count = 0
    rows: list[Row | Bad] = []
    for line in lines:
        count += 1
        if count <= skip or not line.strip():
            continue
        rows.append(parsed(line, path, count))
        if len(rows) >= LINES:
            yield iter(rows), count
            rows = []
    if rows:
        yield iter(rows), count


def parsed(line: bytes, path: str, number: int) -> Row | Bad:
    """A line as a row; one that is none is told with its own bytes."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Bad(f"{path.rpartition('/')[2]}:{number}", f"a line of an export file is not JSON: {error}", line)
    return (
        row
        if isinstance(row, dict)
        else Bad(f"{path.rpartition('/')[2]}:{number}", "a line of an export file is no object", line)
    )


def numbered(api: Api, link: str, path: str) -> Iterator[bytes]:
    """The lines of a file, as they come. No token goes to where it lies; errors name its path only."""
    import requests
    from urllib3.exceptions import HTTPError

    api.wait(0)
    api.usage.add(requests=1)
    try:
        with api.session.get(
            link, stream=True, allow_redirects=False, timeout=(10, 60), headers={"accept-encoding": "identity"}
        ) as answer:
            if answer.status_code in (401, 403, 404, 410):
                raise Expired
            if answer.status_code != 200:
                raise PageFailed(f"export file {path} answers {answer.status_code}")
            tail = b""
            raw = Peeked(answer.raw)
            for piece in unpacked(raw, "gzip" if raw.first.startswith(GZIP) else "", None):
                api.usage.add(bytes=len(piece))
                *whole, tail = (tail + piece).split(b"\n")
                yield from whole
                if len(tail) > LONGEST_LINE:
                    raise PageFailed(f"export file {path} has a line of more than {LONGEST_LINE} bytes")
                if api.clock.now() >= api.deadline:
                    api.wait(0)  # raises OutOfTime
            if tail.strip():
                yield tail
    except (requests.exceptions.RequestException, HTTPError, OSError) as error:
        raise PageFailed(f"export file {path} could not be read ({type(error).__name__})") from None
    except (Broken, Reject) as error:
        raise PageFailed(f"export file {path}: {getattr(error, 'reason', error)}") from None


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
