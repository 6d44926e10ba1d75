"""The second journey: a source's sweep, from where its cursor stands.

    sweep     timer ─ take cursor ─ [ page ─ normalise ─ ship ─ put away what can not be shipped ─ save cursor ]* ─ release

The cursor is saved only behind what has been shipped, so that a crash repeats a page and skips none; ids make the repetition harmless. A
sweep whose time is up ends cleanly, and the next one goes on at the same page (docs/promises.md).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from shared.backoff import Clock, Gate
from shared.cursors.cursor import Cursor
from shared.cursors.store import Busy, Cursors, Lost
from shared.errors import ForwarderError, Misconfigured
from shared.flows import Parts
from shared.normalise.api import Context
from shared.poll.body import Broken
from shared.poll.client import Api, OutOfTime, Usage, session
from shared.poll.credentials import Tokens, tokens
from shared.poll.endpoints import endpoint
from shared.poll.moment import EPOCH, ticks
from shared.poll.source import Source, Span, Start
from shared.poll.sources import SOURCES
from shared.poll.walk import Bad, Position, Row
from shared.poll_settings import PollSettings, Tenant
from shared.report import Report
from shared.rows import OVER, in_turns, put_away, row_documents
from shared.ship.client import Ask
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document
from shared.ship.expiry import Owner, expire
from shared.ship.latest import VIEWS

type Result = Literal["finished", "out_of_time", "busy", "lost", "failed", "misconfigured"]

log = logging.getLogger("defender.sweep")


@dataclass(frozen=True, slots=True)
class Poller:
    """One source of one tenant, made ready; opened once per process."""

    source: Source
    tenant: Tenant
    name: str  # of the tenant, as in TENANTS
    tokens: Tokens
    session: Any
    settings: PollSettings
    clock: Clock = field(default_factory=Clock)
    gate: Gate = field(default_factory=Gate)  # what the API asked for holds for the next run too
    slots: threading.Semaphore = field(default_factory=threading.Semaphore)
    unordered: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)  # ends its sweeps cleanly

    def api(self, deadline: float, usage: Usage) -> Api:
        """What a walk asks, for one run."""
        return Api(
            endpoint(self.settings, self.source.api),
            self.tokens,
            self.session,
            deadline,
            self.source.permission,
            self.settings.poll_max_megabytes * 1_000_000,
            clock=self.clock,
            gate=self.gate,
            stop=self.stop,
            usage=usage,
            slots=self.slots,
            unordered=self.unordered,
        )

    def context(self, span: Span, scan: str | None, scope: str = "") -> Context:
        """What the mapping is told besides the row."""
        return Context(
            tenant=self.tenant.id or "",
            scan=scan or (span.now.strftime("%Y-%m-%dT%H:%M:%SZ") if self.source.snapshot else None),
            scope=scope,
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
    slots = threading.Semaphore(settings.poll_concurrency)
    return [
        Poller(
            known,
            tenant,
            name,
            tokens(settings, name, tenant),
            session(settings.microsoft_ca, settings.poll_concurrency),
            settings,
            slots=slots,
        )
        for name, tenant in tenants.items()
    ]


def run(
    pollers: Sequence[Poller],
    parts: Parts,
    cursors: Cursors,
    span: Span,
    seconds: float,
    begun: Callable[[Swept], None] | None = None,
) -> list[Swept]:
    """Sweep every scope of every tenant, some at once; one that fails touches no other.

    seconds: how long all of it may take. begun: is given each sweep as it begins, for whoever wants to watch it.
    """
    if not pollers:
        return []
    deadline = pollers[0].clock.now() + seconds
    found: list[Swept] = []
    sweeps: list[Future[Swept]] = []
    with ThreadPoolExecutor(pollers[0].settings.poll_concurrency, thread_name_prefix="sweep") as pool:
        looked = {pool.submit(copy_context().run, scopes_of, poller, deadline, Usage()): poller for poller in pollers}
        for done in as_completed(looked):  # a tenant whose scopes are long in coming keeps no other waiting
            scopes, swept = done.result()
            found += swept
            sweeps += [
                pool.submit(
                    copy_context().run, sweep, looked[done], scope, parts, cursors, span, deadline, begun, scopes
                )
                for scope in scopes
            ]
        return found + [one.result() for one in sweeps]


def scopes_of(poller: Poller, deadline: float, usage: Usage) -> tuple[tuple[str, ...], list[Swept]]:
    """The scopes to sweep, or what stood in the way of knowing them."""
    try:
        return poller.source.scopes(poller.api(deadline, usage), poller.settings), []
    except (ForwarderError, Broken) as error:
        swept = Swept(poller.name, "", "failed", Report(poller.source.name), usage)
        return (), [ended(swept, error)]


def sweep(
    poller: Poller,
    scope: str,
    parts: Parts,
    cursors: Cursors,
    span: Span,
    deadline: float,
    begun: Callable[[Swept], None] | None = None,
    scopes: tuple[str, ...] = (),
) -> Swept:
    """Read one scope from its cursor until nothing is new or the time is up. Raises only bugs.

    scopes: all of the tenant's that are swept now, so that what others saw can be forgotten in time.
    """
    swept = Swept(poller.name, scope, "finished", Report(poller.source.name), Usage())
    if begun is not None:
        begun(swept)
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
                    ship(step.rows, poller, parts, span, step.scan, swept.report, deadline, scope)
                    position = step.position()
                    rows = swept.report.received.total() - before
                    cursor = moved(taken.cursor, position, span).counted(rows=rows, pages=1)
                    taken.save(cursor)
                    swept.cursor = taken.cursor
            swept.cursor = taken.cursor
            if poller.settings.latest_views and parts.ask is not None:
                owner = Owner(poller.tenant.id or "", parts.settings.namespace, scope, scopes)
                expire_views(owner, poller, parts, parts.ask, taken.cursor, span, swept.report, deadline)
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
    scope: str = "",
) -> None:
    """Ship a step's rows, their entries in latest views, and put away what can never be shipped; raises Retry or Misconfigured."""
    letters: list[DeadLetter] = []
    context = poller.context(span, scan, scope)
    until = min(deadline + GRACE, poller.clock.now() + parts.settings.ship_seconds)
    wanted = poller.settings.latest_views
    for some in in_turns(rows, VIEWS_AT_ONCE if wanted else None):
        views: list[Document] | None = [] if wanted else None
        made = row_documents(some, poller.source.name, parts.normaliser, context, report, letters, views)
        letters += parts.shipper.ship(made, report, source=report.source, deadline=until)
        if views:
            ship_views(views, parts, report, until)
    put_away(letters, parts, report)


VIEWS_AT_ONCE = 1_000  # rows whose entries of latest views are kept until their documents are in


GRACE = 60.0  # seconds beyond a sweep's end in which what was read already may still be shipped


def ship_views(views: Sequence[Document], parts: Parts, report: Report, until: float) -> None:
    """Renew entries of latest views. An older version than is there is no fault; one that is refused is told, and its document stands all the same."""
    own = Report("latest")
    for view in views:
        own.received[view.table] += 1
    refused = parts.latest.ship(views, own, source=report.source, deadline=until)
    over = own.outcomes["indexed"][OVER]
    report.latest["written"] += own.total("indexed") - over
    report.latest["over"] += over
    report.latest["older"] += own.total("duplicate") - own.outcomes["duplicate"][OVER]
    if refused:
        report.latest["refused"] += len(refused)
        log.error("Elasticsearch refused %d entries of latest views, the first: %s", len(refused), refused[0].reason)


def expire_views(
    owner: Owner, poller: Poller, parts: Parts, ask: Ask, cursor: Cursor, span: Span, report: Report, deadline: float
) -> None:
    """Take out of latest views what complete scans of a scope have not found for long. What fails is told, and tried again by the next sweep."""
    complete = ticks(cursor.watermark) if poller.source.snapshot else None
    if complete is None:
        return
    began = EPOCH + timedelta(microseconds=complete // 10)
    for view in VIEWS.values():
        if view.source != poller.source.name:
            continue
        until = min(deadline + GRACE, poller.clock.now() + parts.settings.ship_seconds)
        try:
            gone = expire(view, owner, began, span.now, ask, parts.latest, source=report.source, deadline=until)
            report.latest["expired"] += gone
        except ForwarderError as error:
            report.latest["not_expired"] += 1
            log.error("What has expired stays in a latest view: %s", error)
