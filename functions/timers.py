"""Timers -> shared.sweeps.run, one for each source that is polled: what ends cleanly is told, what a person has to mend is raised.

A timer that is late, or still at work in another instance, piles nothing up: the host runs one at a time, a cursor's lease lets one reader in,
and a sweep goes on where the last one stopped, so that a missed one is not missed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions.conceal import conceal, harmless
from functions.expiry import EXPIRY
from functions.parts import PARTS
from shared import telemetry
from shared.drift import DRIFT
from shared.errors import Misconfigured, Retry
from shared.poll_settings import PollSettings, poll_tenants
from shared.report import Report
from shared.runs import RUNS, RunResult
from shared.state import LAST_RECEIVED

if TYPE_CHECKING:
    from shared.cursors.store import BlobCursors
    from shared.flows import Parts
    from shared.sweeps import Poller, Swept

log = logging.getLogger(__name__)


def sources(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The sources to declare a timer for; none where the setting makes no sense (health says why)."""
    try:
        found: tuple[str, ...] = PollSettings.read_one("sources", environment)
    except Misconfigured:
        return ()
    return found


def schedule(source: str, environment: Mapping[str, str]) -> str:
    """A source's schedule; its default where the setting makes no sense."""
    try:
        return str(PollSettings.read_one(f"{source}_schedule", environment))
    except Misconfigured:
        return str(PollSettings.__dataclass_fields__[f"{source}_schedule"].default)


def faults(environment: Mapping[str, str]) -> list[str]:
    """What keeps the pollers from working, each as one sentence that names the setting."""
    try:
        settings = PollSettings.read_all(environment)
        if settings.sources:
            poll_tenants(settings, environment)
    except Misconfigured as error:
        return [str(error)]
    return []


def blueprint(environment: Mapping[str, str]) -> func.Blueprint:
    """One timer for each source that POLL_SOURCES names: `alert_poll`, …. Never raises."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves its __init__ untyped
    for source in sources(environment):
        declare(functions, source, schedule(source, environment))
    return functions


def declare(functions: func.Blueprint, source: str, when: str) -> None:
    """Declare one timer; `use_monitor` makes the host catch up a time that it missed while it was down."""

    @functions.function_name(f"{source}_poll")
    @functions.timer_trigger(arg_name="timer", schedule=when, run_on_startup=False, use_monitor=True)
    async def poll(timer: func.TimerRequest) -> None:
        await asyncio.to_thread(run, source, late=bool(timer.past_due))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a source's invocations share, for as long as the parts are the same."""

    parts: Parts
    pollers: Sequence[Poller]
    cursors: BlobCursors
    settings: PollSettings


class Pollers:
    """The pollers of this process by source, opened at the first need and again after a setting proved wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[str, Opened] = {}

    def take(self, source: str) -> Opened:
        """What a source works with. Raises `Misconfigured` for a wrong setting."""
        parts = PARTS.take()
        with self._lock:
            known = self._opened.get(source)
            if known is not None and known.parts is parts:
                return known
            from shared.cursors.store import BlobCursors
            from shared.sweeps import open_pollers

            settings = PollSettings.read_all(os.environ)
            pollers = open_pollers(settings, source, poll_tenants(settings, os.environ))
            cursors = BlobCursors.open(parts.settings, settings.cursor_container)
            opened = self._opened[source] = Opened(parts, pollers, cursors, settings)
            return opened

    def drop(self, source: str) -> None:
        """Open anew at the next need."""
        with self._lock:
            opened = self._opened.pop(source, None)
        if opened is not None:
            PARTS.drop(opened.parts)


POLLERS = Pollers()


def run(source: str, *, late: bool = False) -> None:
    """Sweep a source once. Raises `Misconfigured` where a person has to mend something; whatever comes out has been logged and shows no secret."""
    started = time.monotonic()
    facts: dict[str, str | int | float] = {"defender.source": source, "defender.late": int(late)}
    with telemetry.span(telemetry.SPAN_SWEEP, **facts) as opened:
        try:
            taken = POLLERS.take(source)
            from shared.poll.source import Span
            from shared.sweeps import run as sweep_all

            now = datetime.now(UTC)
            swept = sweep_all(taken.pollers, taken.parts, taken.cursors, Span(now), taken.settings.poll_seconds)
        except Exception as error:  # noqa: BLE001  whatever it is, it is told and raised
            shown = harmless(error, os.environ)
            if isinstance(error, Misconfigured):
                POLLERS.drop(source)
            seconds = time.monotonic() - started
            telemetry.failed(Report(source), kind(shown), shown, messages=0, seconds=seconds, into=opened)
            raise shown  # noqa: B904  `shown` is the error itself, or one without its causes
        wrong = [one for one in swept if one.result == "misconfigured"]
        EXPIRY.tell()
        for one in swept:
            tell(source, one, taken, time.monotonic() - started, opened)
        RUNS.write(taken.parts.settings)
        if wrong:
            POLLERS.drop(source)
            raise Misconfigured(
                wrong[0].setting, conceal(wrong[0].why.removeprefix(f"{wrong[0].setting}: "), os.environ)
            )


def kind(error: Exception) -> telemetry.Result:
    """How telemetry calls an error."""
    return "retry" if isinstance(error, Retry) else "misconfigured" if isinstance(error, Misconfigured) else "bug"


def tell(source: str, swept: Swept, taken: Opened, seconds: float, opened: Any) -> None:
    """Telemetry and state of one sweep: all that was read is shipped or will be read again, so nothing here may fail it."""
    try:
        now = time.time()
        why = conceal(swept.why, os.environ)
        more = line_of(swept, why, now)
        result: RunResult = "ok"
        if swept.result in ("finished", "out_of_time", "busy", "lost"):
            telemetry.record(swept.report, seconds=seconds, now=now, into=opened, more=more)
            if swept.result in ("finished", "out_of_time"):
                LAST_RECEIVED.note(swept.report, taken.parts.settings, now)
            DRIFT.note(swept.report, taken.parts.settings, now)
        else:
            result = "misconfigured" if swept.result == "misconfigured" else "retry"
            error = Retry(why)
            telemetry.failed(swept.report, result, error, messages=0, seconds=seconds, into=opened, more=more)
            LAST_RECEIVED.hold(source, taken.parts.settings, why, now)
        RUNS.add(
            swept.report,
            result,
            taken.parts.settings,
            now=now,
            seconds=seconds,
            tenant=swept.tenant,
            lag=more["watermark_age_seconds"],
            why="" if result == "ok" else why,
        )
    except Exception:  # telling failed, not the sweep
        log.exception("A sweep of %s has ended, but telling about it failed.", source)


def line_of(swept: Swept, why: str, now: float) -> dict[str, Any]:
    """What a sweep's line says besides its report."""
    watermark = swept.cursor.watermark if swept.cursor else None
    behind = telemetry.epoch(watermark)
    usage = swept.usage
    return {
        "tenant": swept.tenant,
        "scope": swept.scope,
        "ended": swept.result,
        "why": why,
        "watermark": watermark,
        "watermark_age_seconds": None if behind is None else round(now - behind, 1),
        "api_requests": usage.requests,
        "api_throttled": usage.throttled,
        "api_failed": usage.failed,
        "api_bytes": usage.bytes,
        "api_waited_seconds": round(usage.waited, 1),
    }
