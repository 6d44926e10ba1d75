"""Queue messages -> shared.backfill.fill: returning deletes a message, raising hides it for a minute; what has failed too often is put away.

A queue has no retry policy without an end: the host moves a message that was taken `maxDequeueCount` times to the poison queue. So a message
that only has to wait (Elasticsearch is busy, a setting is wrong) is replaced by a fresh one before that, through the output binding; what
is left for the poison queue is what ends the process or is a bug. The host renews a message's invisibility while it is worked on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

from functions.conceal import harmless
from functions.event_hub import in_time, tell, tell_held
from functions.parts import PARTS
from shared import telemetry
from shared.backfill_settings import POISON, BackfillSettings
from shared.errors import Misconfigured, Retry
from shared.report import Report
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.backfill.fill import Exports
    from shared.backfill.runs import Runs
    from shared.flows import Parts

SOURCE = "backfill"
MOST_TAKEN = 5  # maxDequeueCount of host.json
FRESH_FROM = MOST_TAKEN - 1  # one is left for a process that is killed

log = logging.getLogger(__name__)


def faults(environment: Mapping[str, str]) -> list[str]:
    """What keeps the back-fill from working, each as one sentence that names the setting."""
    try:
        settings = BackfillSettings.read_all(environment)
    except Misconfigured as error:
        return [str(error)]
    prefix = settings.storage
    if prefix and not connected_blobs(prefix, environment):
        return [f"{prefix}: is not set, and neither is {prefix}__blobServiceUri or {prefix}__accountName."]
    return []


def connected_blobs(prefix: str, environment: Mapping[str, str]) -> bool:
    """Whether any app setting says where that account is."""
    endings = ("", "__blobServiceUri", "__serviceUri", "__accountName")
    return any(environment.get(prefix + ending, "").strip() for ending in endings)


def declared(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """The queue and the prefix of its connection; None where there is no back-fill, or a setting makes no sense (health says which)."""
    try:
        if not BackfillSettings.read_one("storage", environment):
            return None
        return BackfillSettings.read_one("queue", environment), Settings.read_one("storage", environment)
    except Misconfigured:
        return None


def blueprint(environment: Mapping[str, str]) -> func.Blueprint:
    """`backfill` and `backfill_poison`, where BACKFILL_STORAGE is set. Never raises."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves its __init__ untyped
    found = declared(environment)
    if found is not None:
        declare(functions, *found)
    return functions


def declare(functions: func.Blueprint, queue: str, connection: str) -> None:
    """Declare both; `async` as in event_hub.py, and in threads of their own, so that the stream never waits for one."""

    @functions.function_name("backfill")
    @functions.queue_trigger(arg_name="message", queue_name=queue, connection=connection)
    @functions.queue_output(arg_name="again", queue_name=queue, connection=connection)
    async def backfill(message: func.QueueMessage, again: func.Out[str]) -> None:
        text = message.get_body()
        if await in_thread(text, int(message.dequeue_count or 1), poison=False):
            again.set(text.decode())

    @functions.function_name("backfill_poison")
    @functions.queue_trigger(arg_name="message", queue_name=queue + POISON, connection=connection)
    async def backfill_poison(message: func.QueueMessage) -> None:
        await in_thread(message.get_body(), int(message.dequeue_count or 1), poison=True)


async def in_thread(text: bytes, taken: int, *, poison: bool) -> bool:
    """Run in a thread of the back-fill's own, within the caller's trace."""
    work = copy_context().run
    return await asyncio.get_running_loop().run_in_executor(
        threads(), lambda: work(run, text, taken, time.monotonic(), poison=poison)
    )


@cache
def threads() -> ThreadPoolExecutor:
    """BACKFILL_CONCURRENCY threads."""
    try:
        number = int(BackfillSettings.read_one("concurrency", os.environ))
    except Misconfigured:  # `run` raises it
        number = 1
    return ThreadPoolExecutor(number, thread_name_prefix="backfill")


@dataclass(frozen=True, slots=True)
class Opened:
    """What invocations share, for as long as the parts are the same."""

    parts: Parts
    exports: Exports
    runs: Runs


class Opening:
    """Opened at the first need and again after a setting proved wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: Opened | None = None

    def take(self) -> Opened:
        """What to work with. Raises Misconfigured or Retry."""
        parts = PARTS.take()
        with self._lock:
            if self._opened is None or self._opened.parts is not parts:
                from shared.backfill.fill import Exports
                from shared.backfill.runs import Runs
                from shared.blobs import open_service

                settings = BackfillSettings.read_all(os.environ)
                if not settings.storage:
                    raise Misconfigured("BACKFILL_STORAGE", "is not set.")
                exports = Exports(open_service(settings.storage, os.environ), settings.storage, settings.containers)
                self._opened = Opened(parts, exports, Runs.open(parts.settings, settings.container))
            return self._opened

    def drop(self) -> None:
        """Open anew at the next need."""
        with self._lock:
            opened, self._opened = self._opened, None
        PARTS.drop(opened.parts if opened else None)


OPENING = Opening()


def run(text: bytes, taken: int, arrived: float, *, poison: bool) -> bool:
    """Work on one message that was taken so many times; True to have it replaced by a fresh one.

    arrived: monotonic seconds. Every exception that comes out has been logged once and shows no secret.
    """
    started, opened, report = time.monotonic(), None, Report(SOURCE)
    facts: dict[str, str | int | float] = {"defender.source": SOURCE, "defender.attempt": taken - 1}
    with telemetry.span(telemetry.SPAN, **facts) as span:
        try:
            opened = OPENING.take()
            in_time(time.monotonic() - arrived, opened.parts.settings.ship_seconds)
            if poison:
                report = put_away(text, opened)
            elif not work(text, opened, report, span):
                return False
        except Exception as error:  # noqa: BLE001  whatever it is, it is told and raised
            if isinstance(error, Misconfigured):
                OPENING.drop()
            shown = harmless(error, os.environ)
            seconds = time.monotonic() - started
            parts = opened.parts if opened else None
            tell_held(report, shown, parts, messages=1, seconds=seconds, attempt=taken - 1, opened=span)
            if taken >= FRESH_FROM and not poison and isinstance(shown, Retry | Misconfigured):
                return True
            raise shown  # noqa: B904  `shown` is the error itself, or one without its causes
        tell(report, opened.parts.settings, time.monotonic() - started, taken - 1, span)
    return False


def work(text: bytes, opened: Opened, report: Report, span: object) -> bool:
    """Fill one portion; whether there was anything to do."""
    from shared.backfill.fill import fill
    from shared.backfill.portion import Portion

    portion = Portion.parse(text)
    if span is not None:
        span.set_attributes({"defender.run": portion.run, "defender.portion": portion.number})  # type: ignore[attr-defined]  # opentelemetry's
    return fill(portion, opened.parts, opened.exports, opened.runs, report) == "filled"


def put_away(text: bytes, opened: Opened) -> Report:
    """Put a message of the poison queue away."""
    from shared.backfill.fill import give_up

    reason = f"the message failed {MOST_TAKEN} times: see the log lines of {SOURCE} for why; `backfill resume` sends it again"
    log.error("A message of the back-fill is given up: %s", text[:300].decode(errors="replace"))
    return give_up(text, opened.parts, opened.runs, reason)
