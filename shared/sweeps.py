"""The second journey: a source's sweep, from where its cursor stands.

    sweep     timer ─ take cursor ─ [ page ─ normalise ─ ship ─ put away what can not be shipped ─ save cursor ]* ─ release

The cursor is saved only behind what has been shipped, so that a crash repeats a page and skips none; ids make the repetition harmless. A
sweep whose time is up ends cleanly, and the next one goes on at the same page (docs/promises.md).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from shared.cursors.cursor import Cursor
from shared.cursors.store import Busy, Cursors, Lost
from shared.errors import ForwarderError, Misconfigured, Reject
from shared.flows import Parts, note
from shared.normalise.api import Context
from shared.normalise.normaliser import Normalised
from shared.poll.body import Broken
from shared.poll.client import Api, OutOfTime, Usage, session
from shared.poll.credentials import Tokens, tokens
from shared.poll.endpoints import endpoint
from shared.poll.source import Source, Span, Start
from shared.poll.sources import SOURCES
from shared.poll.walk import Bad, Position, Row
from shared.poll_settings import PollSettings, Tenant
from shared.report import Report
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document
from shared.ship.latest import latest_id, latest_index

type Result = Literal["finished", "out_of_time", "busy", "lost", "failed", "misconfigured"]

log = logging.getLogger("defender.sweep")


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A row, or a part of it, for its dead letter: its tenant stands as partition, its scan as the time of arrival, so that a replay has both."""

    value: Any
    partition: str | None = None
    sequence_number: int | None = None
    enqueued: str | None = None

    def original(self) -> bytes:
        """The row as JSON: what a replay maps again."""
        return self.value if isinstance(self.value, bytes) else orjson.dumps(self.value)


@dataclass(frozen=True, slots=True)
class Poller:
    """One source of one tenant, made ready; opened once per process."""

    source: Source
    tenant: Tenant
    name: str  # of the tenant, as in TENANTS
    tokens: Tokens
    session: Any
    settings: PollSettings

    def api(self, deadline: float, usage: Usage) -> Api:
        """What a walk asks, for one run."""
        return Api(
            endpoint(self.settings, self.source.api),
            self.tokens,
            self.session,
            deadline,
            self.source.permission,
            self.settings.poll_max_megabytes * 1_000_000,
            usage=usage,
        )

    def context(self, span: Span, scan: str | None) -> Context:
        """What the mapping is told besides the row."""
        return Context(
            tenant=self.tenant.id or "",
            scan=scan or (span.now.strftime("%Y-%m-%dT%H:%M:%SZ") if self.source.snapshot else None),
            alerts=True,
            evidence=self.settings.evidence_documents,
        )


@dataclass(slots=True)
class Swept:
    """What became of one sweep; `why` is a sentence without secrets where it is not finished."""

    tenant: str
    scope: str
    result: Result
    report: Report
    usage: Usage
    why: str = ""
    setting: str = ""
    cursor: Cursor | None = None


def open_pollers(settings: PollSettings, source: str, tenants: dict[str, Tenant]) -> list[Poller]:
    """The pollers of a source, one for each tenant; nobody is contacted. Raises Misconfigured."""
    known = SOURCES[source]
    endpoint(settings, known.api)  # a cloud without this API is told at once
    return [
        Poller(
            known,
            tenant,
            name,
            tokens(settings, name, tenant),
            session(settings.microsoft_ca, settings.poll_concurrency * 2),
            settings,
        )
        for name, tenant in tenants.items()
    ]


def run(pollers: Sequence[Poller], parts: Parts, cursors: Cursors, span: Span, seconds: float) -> list[Swept]:
    """Sweep every scope of every tenant, some at once; one that fails touches no other. `seconds`: how long all of it may take."""
    deadline = time.monotonic() + seconds
    found: list[Swept] = []
    work: list[tuple[Poller, str]] = []
    for poller in pollers:
        usage = Usage()
        scopes, swept = scopes_of(poller, deadline, usage)
        found += swept
        work += [(poller, scope) for scope in scopes]
    if not work:
        return found
    with ThreadPoolExecutor(min(len(work), pollers[0].settings.poll_concurrency), thread_name_prefix="sweep") as pool:
        asked = [
            pool.submit(copy_context().run, sweep, poller, scope, parts, cursors, span, deadline)
            for poller, scope in work
        ]
        return found + [one.result() for one in asked]


def scopes_of(poller: Poller, deadline: float, usage: Usage) -> tuple[tuple[str, ...], list[Swept]]:
    """The scopes to sweep, or what stood in the way of knowing them."""
    try:
        return poller.source.scopes(poller.api(deadline, usage), poller.settings), []
    except ForwarderError as error:
        swept = Swept(poller.name, "", "failed", Report(poller.source.name), usage)
        return (), [ended(swept, error)]


def sweep(poller: Poller, scope: str, parts: Parts, cursors: Cursors, span: Span, deadline: float) -> Swept:
    """Read one scope from its cursor until nothing is new or the time is up. Raises only bugs."""
    swept = Swept(poller.name, scope, "finished", Report(poller.source.name), Usage())
    fresh = Cursor(poller.source.name, poller.tenant.id or "", scope)
    try:
        with cursors.take(fresh) as taken:
            cursor: Cursor = taken.cursor
            start = Start(cursor.watermark, cursor.seen, cursor.work)
            api = poller.api(deadline, swept.usage)
            with closing(poller.source.walk(api, poller.settings, scope, start, span)) as steps:  # type: ignore[type-var]  # a generator
                for step in steps:
                    before = swept.report.received.total()
                    swept.report.messages += 1
                    ship(step.rows, poller, parts, span, scan_of(taken.cursor), swept.report, deadline)
                    position = step.position()
                    rows = swept.report.received.total() - before
                    cursor = moved(taken.cursor, position, span).counted(rows=rows, pages=1)
                    taken.save(cursor)
            swept.cursor = taken.cursor
    except (ForwarderError, Broken) as error:
        return ended(swept, error)
    return swept


def ended(swept: Swept, error: Exception) -> Swept:
    """How a sweep ended that did not finish, in the words of its error."""
    swept.why = str(error)
    if isinstance(error, OutOfTime):
        swept.result = "out_of_time"
    elif isinstance(error, Busy):
        swept.result = "busy"
    elif isinstance(error, Lost):
        swept.result = "lost"
    elif isinstance(error, Misconfigured):
        swept.result, swept.setting = "misconfigured", error.setting
    else:
        swept.result = "failed"
    return swept


def scan_of(cursor: Cursor) -> str | None:
    """When the unfinished scan of a cursor began."""
    scan = cursor.work.get("scan") if cursor.work else None
    return scan if isinstance(scan, str) else None


def moved(cursor: Cursor, position: Position, span: Span) -> Cursor:
    """The cursor behind a step. A poll by hand (`since`) leaves the watermark where it is: what lies between was not read."""
    by_hand = span.since is not None
    return cursor.moved(
        watermark=cursor.watermark if position.watermark is None or by_hand else position.watermark,
        seen=cursor.seen if position.seen is None or by_hand else position.seen,
        work=cursor.work if position.keep_work else position.work,
    )


def ship(
    rows: Iterator[Row | Bad],
    poller: Poller,
    parts: Parts,
    span: Span,
    scan: str | None,
    report: Report,
    deadline: float,
) -> None:
    """Ship a step's rows, their entries in latest views, and put away what can never be shipped; raises Retry or Misconfigured."""
    letters: list[DeadLetter] = []
    views: list[Document] = []
    made = documents(rows, poller, parts, poller.context(span, scan), report, letters, views)
    until = min(deadline + GRACE, time.monotonic() + parts.settings.ship_seconds)
    letters += parts.shipper.ship(made, report, source=report.source, deadline=until)
    if views:
        ship_views(views, parts, report, until)
    if letters:
        parts.dead_letters.write(letters)
        for letter in letters:
            report.count("dead_lettered", letter.table)
    report.check()


GRACE = 60.0  # seconds beyond a sweep's end in which what was read already may still be shipped


def ship_views(views: Sequence[Document], parts: Parts, report: Report, until: float) -> None:
    """Renew entries of latest views. An older version than is there is no fault; one that is refused is told, and its document stands all the same."""
    own = Report("latest")
    for view in views:
        own.received[view.table] += 1
    refused = parts.latest.ship(views, own, source=report.source, deadline=until)
    report.latest["written"] += own.total("indexed")
    report.latest["older"] += own.total("duplicate")
    if refused:
        report.latest["refused"] += len(refused)
        log.error("Elasticsearch refused %d entries of latest views, the first: %s", len(refused), refused[0].reason)


def documents(
    rows: Iterator[Row | Bad],
    poller: Poller,
    parts: Parts,
    context: Context,
    report: Report,
    letters: list[DeadLetter],
    views: list[Document],
) -> Iterator[Document]:
    """Every document of the rows, made when asked for; what is none goes to `letters`, entries of latest views to `views`."""
    arrived = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    source = poller.source.name
    for row in rows:
        if isinstance(row, Bad):
            report.received[source] += 1
            reject = Reject("unreadable", f"{row.id}: {row.reason}")
            letters.append(letter_of(row.original, reject, source, source, context))
            continue
        try:
            for made in parts.normaliser.parts(source, row, context, arrived):  # type: ignore[arg-type]  # a source's name
                report.received[made.table] += 1
                try:
                    text = orjson.dumps(made.document)
                except orjson.JSONEncodeError as error:
                    letters.append(letter_of(made.value, Reject("unwritable", str(error)), source, made.table, context))
                    continue
                note(report, made.table, made)
                if made.latest is not None and poller.settings.latest_views and "error" not in made.document:
                    views.append(entry(made, text, poller, parts.settings.namespace))
                yield Document(
                    made.index, made.id, text, made.table, RowRecord(made.value, context.tenant, None, context.scan)
                )
        except Reject as reject:
            report.received[source] += 1
            letters.append(letter_of(row, reject, source, source, context))


def entry(made: Normalised, text: bytes, poller: Poller, namespace: str) -> Document:
    """The entry of a latest view that a document renews."""
    latest = made.latest
    if latest is None:
        raise TypeError("only for a document that renews one")
    id = latest_id(poller.tenant.id or "", namespace, latest.key)
    return Document(
        latest_index(latest.view, namespace),
        id,
        text,
        made.table,
        RowRecord(made.value, poller.tenant.id),
        version=latest.version,
    )


def letter_of(value: Any, reject: Reject, source: str, table: str, context: Context) -> DeadLetter:
    """The dead letter of a row."""
    record = RowRecord(value, context.tenant, None, context.scan)
    return DeadLetter.of(record, code=reject.code, reason=reject.reason, source=source, table=table)
