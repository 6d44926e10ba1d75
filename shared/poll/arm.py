"""Azure's assessments with their findings, scope by scope: a scan that goes on where it stopped, and that no single failure ends.

`work` of the cursor: {"scan": when it began, "link": the next page or null, "owed": [ids of assessments whose findings could not be read]}.
Findings of an assessment are asked for one by one, some at once; 404 means that there are none. What is owed is tried again by the next run,
and told as bad when a new scan begins (lessons 1.12; facts: defender_cloud.json, arm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import batched
from typing import Any
from urllib.parse import quote

import orjson

from shared.errors import ForwarderError, Misconfigured
from shared.poll.body import Broken, Rows
from shared.poll.client import Api, BadRequest, Gone, OutOfTime, PageFailed
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
MOST_EMPTY = 50  # empty pages in a row, each with a next link (Azure/azure-sdk-for-js#17907)
MOST_OWED = 5_000  # assessments remembered as owed
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


SEES = "Security Reader on a subscription or management group"


def pages(api: Api, path: str, version: str, link: str | None = None) -> Iterator[Rows]:
    """A list's pages by next link. A loop of links, or too many empty pages, ends it with PageFailed: nothing was read to its end."""
    seen: set[str] = set()
    empty = 0
    while True:
        rows = Rows(api.get(link) if link else api.get(path, {"api-version": version}))
        yield rows  # whoever asks for the next one has read it
        link = api.follow(rows.rest.get("nextLink"))
        if link is None:
            if rows.rest.get("nextLink"):
                raise PageFailed(f"{path}: its next link leads to another host")
            return
        empty = 0 if rows.count else empty + 1
        if link in seen or empty > MOST_EMPTY:
            raise PageFailed(f"{path}: its next links lead in a circle, or nowhere")
        seen.add(link)


def every(api: Api, path: str, version: str) -> Iterator[Row]:
    """Every row of a list."""
    for rows in pages(api, path, version):
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
    """The scan of one scope: pages of assessments, each with its findings, then what is owed."""
    work = scan_of(start, span, settings.assessment_interval_hours)
    if work is None:
        return
    owed = [id for id in (start.work or {}).get("owed", []) if isinstance(id, str)]
    if owed and work.get("owed") is None:  # a new scan: what the last one never got is told, once
        bad = [Bad(id, "its findings could not be read during a whole scan", orjson.dumps({"id": id})) for id in owed]
        yield Step(iter(bad), lambda: Position(work=dict(work) | {"owed": []}))
        owed = []
    known = metadata(api, scope)
    link = api.follow(work.get("link"))
    done = bool(work.get("done"))
    with ThreadPoolExecutor(settings.poll_concurrency, thread_name_prefix="findings") as pool:
        if owed and (link or done):
            yield from again(api, owed, known, work, pool)
        if not done:
            yield from listed(api, scope, known, work, link, owed, pool, settings.poll_concurrency)


def listed(
    api: Api,
    scope: str,
    known: Mapping[str, Mapping[str, Any]],
    work: Mapping[str, Any],
    link: str | None,
    owed: list[str],
    pool: ThreadPoolExecutor,
    at_once: int,
) -> Iterator[Step]:
    """Page after page of the assessments; the position of each step is the page's next link."""
    scan = str(work["scan"])
    path = f"/{scope}/{SECURITY}/assessments"
    try:
        for rows in pages(api, path, VERSION, link):

            def position(rows: Rows = rows) -> Position:
                onward = api.follow(rows.rest.get("nextLink"))
                if onward is None and not owed:
                    return Position(watermark=scan, work=None, finished=True)
                return Position(work={"scan": scan, "link": onward, "owed": owed[-MOST_OWED:], "done": onward is None})

            yield Step(with_findings(api, rows, known, owed, pool, at_once), position)
    except (BadRequest, Gone):
        if link is None:
            raise
        yield from listed(
            api, scope, known, work, None, owed, pool, at_once
        )  # the saved link is too old: from the start, ids are the same


def with_findings(
    api: Api,
    rows: Iterator[Row] | Rows,
    known: Mapping[str, Mapping[str, Any]],
    owed: list[str],
    pool: ThreadPoolExecutor,
    at_once: int,
) -> Iterator[Row | Bad]:
    """Each assessment with its general description, and, where it has findings, once for each page of them."""
    for some in batched(rows, at_once, strict=False):
        asked = [(row, pool.submit(copy_context().run, findings, api, row)) for row in some]
        for row, future in asked:
            whole = described(row, known)
            try:
                found = future.result()
            except (PageFailed, BadRequest, Broken, Misconfigured):  # these findings alone, or the next page says so
                owed.append(str(row.get("id") or ""))
                continue
            if not found:
                yield whole
            for page in found:
                yield {**whole, FINDINGS: page}


def described(row: Row, known: Mapping[str, Mapping[str, Any]]) -> Row:
    """An assessment with what Microsoft says of it in general."""
    general, properties = known.get(str(row.get("name") or "")), row.get("properties")
    if general is None or not isinstance(properties, dict) or properties.get("metadata"):
        return row
    return {**row, "properties": {**properties, "metadata": general}}


def findings(api: Api, row: Row) -> list[list[Row]]:
    """The findings of an assessment, page by page; none where it names no link to them, or there is nothing at its end (404)."""
    properties = row.get("properties")
    more = properties.get("additionalData") if isinstance(properties, dict) else None
    link = more.get("subAssessmentsLink") if isinstance(more, dict) else None
    address = api.follow(link)
    if address is None:
        return []
    path = address.removeprefix(api.endpoint.base)
    if "api-version=" in path:
        path = path.partition("?")[0]
    try:
        return [found for rows in pages(api, path, FINDINGS_VERSION) if (found := list(rows))]
    except Gone:
        return []


def again(
    api: Api, owed: list[str], known: Mapping[str, Mapping[str, Any]], work: Mapping[str, Any], pool: ThreadPoolExecutor
) -> Iterator[Step]:
    """What is owed from runs before, one by one: each that can be read now is struck off."""
    scan, done = str(work["scan"]), bool(work.get("done"))
    for id in list(owed):
        try:
            row = api.get(f"/{quote(id.lstrip('/'), safe='/')}", {"api-version": VERSION}).json()
        except Gone:
            row = None
        except (PageFailed, BadRequest, Broken):
            continue
        still: list[str] = []
        rows = iter([row] if isinstance(row, dict) else [])

        def position(id: str = id, still: list[str] = still) -> Position:
            if not still:
                owed.remove(id)
            if done and not owed:
                return Position(watermark=scan, work=None, finished=True)
            return Position(work={**work, "owed": list(owed)})

        yield Step(with_findings(api, rows, known, still, pool, 1), position)
