"""Azure's assessments with their findings, scope by scope: a scan that goes on where it stopped, and that no single failure ends.

    {"scan": when it began, "link": the next page or null, "part": [digests of that page's assessments that were shipped],
     "owed": [ids of assessments whose findings could not be read], "done": whether every page was read}

Findings of an assessment are asked for one by one, some at once; 404 means that there are none. What is owed is tried again by later runs, once
every page was read, and told as bad when a new scan begins (lessons 1.12; facts: defender_cloud.json, arm).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import batched
from typing import Any
from urllib.parse import quote

import orjson

from shared.errors import ForwarderError, Misconfigured
from shared.poll.body import Broken, Rows
from shared.poll.client import Api, BadRequest, Gone, OutOfTime, PageFailed
from shared.poll.links import Links, pages
from shared.poll.scan import scan_of
from shared.poll.source import Span, Start
from shared.poll.walk import Bad, Position, Row, Step
from shared.poll_settings import PollSettings

VERSION, METADATA_VERSION, FINDINGS_VERSION, SUBSCRIPTIONS_VERSION = (
    "2021-06-01",
    "2021-06-01",
    "2019-01-01-preview",
    "2022-12-01",
)
SECURITY = "providers/Microsoft.Security"
MOST_OWED = 2_000  # assessments remembered as owed; more, and the findings' service is down
AT_A_STEP = 100  # assessments shipped before the cursor is saved
FINDINGS = "subAssessments"  # the key under which an assessment carries its findings to the mapping


def scopes(api: Api, settings: PollSettings) -> tuple[str, ...]:
    """What the settings name, else every subscription that the identity can see. Raises Misconfigured where that is none."""
    if settings.assessment_scopes:
        return settings.assessment_scopes
    found = [
        f"subscriptions/{str(row['subscriptionId']).lower()}"
        for row in every(api, "/subscriptions", SUBSCRIPTIONS_VERSION)
        if row.get("subscriptionId") and row.get("state") not in ("Deleted", "Disabled")
    ]
    if not found:
        raise Misconfigured("ASSESSMENT_SCOPES", f"is not set, and the identity sees no subscription: grant it {SEES}.")
    return tuple(dict.fromkeys(found))


log = logging.getLogger("defender.poll")
SEES = "Security Reader on a subscription or management group"


def every(api: Api, path: str, version: str) -> Iterator[Row]:
    """Every row of a list."""
    for rows in pages(api, path, {"api-version": version}):
        yield from rows


def metadata(api: Api, scope: str) -> dict[str, Mapping[str, Any]]:
    """Name of an assessment -> what Microsoft says of it in general: the list's answers carry none of it (facts: real_answers_2025).

    A subscription's own list has its custom ones too. Where it can not be had, assessments go on without.
    """
    path = (
        f"/{scope}/{SECURITY}/assessmentMetadata"
        if scope.startswith("subscriptions/")
        else f"/{SECURITY}/assessmentMetadata"
    )
    try:
        return {
            str(row.get("name")): row["properties"]
            for row in every(api, path, METADATA_VERSION)
            if isinstance(row.get("properties"), dict)
        }
    except OutOfTime:
        raise
    except (ForwarderError, Broken):
        return {}


def walk(api: Api, settings: PollSettings, scope: str, start: Start, span: Span) -> Iterator[Step]:
    """The scan of one scope: pages of assessments, each with its findings, then what is owed from runs before."""
    work = scan_of(start, span, settings.assessment_interval_hours)
    if work is None:
        return
    scan = str(work["scan"])
    owed = [id for id in (start.work or {}).get("owed", []) if isinstance(id, str)]
    if owed and "owed" not in work:  # a new scan: what the last one never got is told, once
        bad = [Bad(id, "its findings could not be read during a whole scan", orjson.dumps({"id": id})) for id in owed]
        yield Step(iter(bad), lambda: Position(work={"scan": scan, "owed": []}), scan)
        owed = []
    with ThreadPoolExecutor(settings.poll_concurrency, thread_name_prefix="findings") as pool:
        scanning = Scanning(
            api, scope, scan, metadata(api, scope), owed, pool, settings.poll_concurrency, done=bool(work.get("done"))
        )
        before = list(owed)
        if len(owed) >= MOST_OWED:
            yield from scanning.again(before)
        if not scanning.done:
            yield from scanning.listed(work)
        if len(before) < MOST_OWED:
            yield from scanning.again(before)


@dataclass(slots=True)
class Scanning:
    """A scan of one scope under way."""

    api: Api
    scope: str
    scan: str
    known: Mapping[str, Mapping[str, Any]]  # what Microsoft says of assessments in general
    owed: list[str]  # ids of assessments whose findings could not be read
    pool: ThreadPoolExecutor
    at_once: int
    done: bool = False  # every page was read

    def at(self, link: str | None = None, part: set[str] | None = None, empty: int = 0) -> Position:
        """The position before the page at `link`, or within it behind the assessments of `part`."""
        if self.done and not self.owed:
            return Position(watermark=self.scan, work=None, finished=True)
        work: dict[str, Any] = {"scan": self.scan, "link": link, "owed": list(self.owed), "done": self.done}
        return Position(work=work | ({"part": sorted(part)} if part else {}) | ({"empty": empty} if empty else {}))

    def listed(self, work: Mapping[str, Any]) -> Iterator[Step]:
        """Page after page of the assessments, some at a time. A page that the time is not enough for is gone on with by the next run."""
        api, path = self.api, f"/{self.scope}/{SECURITY}/assessments"
        links = Links(api, path, "nextLink", int(work.get("empty") or 0))
        link = api.follow(work.get("link"))
        part = {digest for digest in work.get("part") or [] if isinstance(digest, str)}
        anew = False
        while not self.done:
            try:
                rows = Rows(api.get(link) if link else api.get(path, {"api-version": VERSION}))
            except (BadRequest, Gone) as error:
                if link is None:
                    raise
                if anew:
                    raise PageFailed(f"{path}: its next links are not taken: {error}") from None
                # The saved link is too old: from the start, ids are the same.
                link, links, anew = None, Links(api, path, "nextLink"), True
                continue
            for some in batched(rows, AT_A_STEP, strict=False):
                late: list[OutOfTime] = []
                wanted = [row for row in some if digest(row) not in part]
                yield Step(
                    self.with_findings(wanted, self.owed, part, late),
                    partial(self.at, link, part, links.empty),
                    self.scan,
                )
                if late:
                    raise late[0]
            link = links.after(rows)
            self.done, part = link is None, set()
            yield Step(iter(()), partial(self.at, link, None, links.empty), self.scan)
            if len(self.owed) >= MOST_OWED:
                raise PageFailed(f"{path}: the findings of {len(self.owed)} assessments could not be read")

    def with_findings(
        self, rows: Iterable[Row], owed: list[str], part: set[str], late: list[OutOfTime]
    ) -> Iterator[Row | Bad]:
        """Each assessment with its general description, and, where it has findings, once for each page of them.

        Those that are through are added to `part`; those whose findings can not be read, to `owed`; when the time is up, that is told in `late`.
        """
        for some in batched(rows, self.at_once, strict=False):
            asked = [(row, self.pool.submit(copy_context().run, first_findings, self.api, row)) for row in some]
            for row, future in asked:
                whole = described(row, self.known)
                try:
                    found, further = future.result()
                    yield {**whole, FINDINGS: found} if found else whole
                    for page in further:
                        yield {**whole, FINDINGS: page}
                except OutOfTime as error:
                    late.append(error)
                    continue
                except (
                    PageFailed,
                    BadRequest,
                    Broken,
                    Misconfigured,
                ):  # these findings alone, or the next page says so
                    owed.append(str(row.get("id") or ""))
                part.add(digest(row))
            if late:
                return

    def again(self, ids: list[str]) -> Iterator[Step]:
        """What is owed from runs before, one by one: what can be read now is struck off, what can not goes to the end."""
        for id in ids:
            still: list[str] = []
            late: list[OutOfTime] = []
            row: Any = None
            try:
                row = self.api.get(f"/{quote(id.lstrip('/'), safe='/')}", {"api-version": VERSION}).json()
            except Gone:
                pass
            except (PageFailed, BadRequest, Broken, Misconfigured):
                still.append(id)

            def position(id: str = id, still: list[str] = still, late: list[OutOfTime] = late) -> Position:
                if not late:
                    self.owed.remove(id)
                    self.owed.extend([id] if still else [])
                return self.at()

            rows = [row] if isinstance(row, dict) else []
            yield Step(self.with_findings(rows, still, set(), late), position, self.scan)
            if late:
                raise late[0]


def digest(row: Row) -> str:
    """An assessment's id, short."""
    return blake2b(str(row.get("id") or "").lower().encode(), digest_size=8).hexdigest()


def described(row: Row, known: Mapping[str, Mapping[str, Any]]) -> Row:
    """An assessment with what Microsoft says of it in general."""
    general, properties = known.get(str(row.get("name") or "")), row.get("properties")
    if general is None or not isinstance(properties, dict) or properties.get("metadata"):
        return row
    return {**row, "properties": {**properties, "metadata": general}}


def first_findings(api: Api, row: Row) -> tuple[list[Row], Iterator[list[Row]]]:
    """The first findings of an assessment, and an iterator of the pages that follow; none where it names no link to them.

    Raises PageFailed for a link that leads elsewhere.
    """
    properties = row.get("properties")
    more = properties.get("additionalData") if isinstance(properties, dict) else None
    link = more.get("subAssessmentsLink") if isinstance(more, dict) else None
    if not link:
        return [], iter(())
    address = api.follow(link)
    if address is None:
        raise PageFailed("a link to findings leads to another host")
    further = findings(api, address.removeprefix(api.endpoint.base).partition("?")[0])
    return next(further, []), further


def findings(api: Api, path: str) -> Iterator[list[Row]]:
    """Page after page of findings that has some; none where there is nothing at the link's end (404)."""
    try:
        for rows in pages(api, path, {"api-version": FINDINGS_VERSION}):
            if found := list(rows):
                yield found
    except Gone:
        return
