"""Event Hub batches -> shared.flows.forward: returning acknowledges a batch, raising makes it come again."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, List, Literal  # noqa: UP035  see `declare`

import azure.functions as func

from functions.conceal import harmless
from functions.expiry import EXPIRY
from functions.hubs import Trigger, triggers
from functions.parts import PARTS
from shared import telemetry
from shared.drift import DRIFT
from shared.errors import Misconfigured, Retry
from shared.report import Report
from shared.runs import RUNS
from shared.state import LAST_RECEIVED

if TYPE_CHECKING:
    from shared.flows import Message, Parts
    from shared.settings import Settings

HOST_TIMEOUT = 600.0  # functionTimeout of host.json, in seconds
CLOSING = 120.0  # seconds kept for writing dead letters after SHIP_SECONDS
SHORTEST_WAIT, LONGEST_WAIT = "00:00:05", "00:02:00"  # between two attempts at a held batch

log = logging.getLogger(__name__)


def blueprint(environment: Mapping[str, str]) -> func.Blueprint:
    """One function per event hub named in `environment`; none for an empty list. Never raises."""
    telemetry.quieten_libraries()  # before the host's first event: the exporter would export its own requests
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves its __init__ untyped
    for trigger in triggers(environment):
        declare(functions, trigger)
    return functions


def declare(functions: func.Blueprint, trigger: Trigger) -> None:
    """Declare one trigger.

    - `List`, because the worker refuses `list[...]` at load.
    - BINARY, because the host drops empty messages from a batch of strings, and the worker then refuses the batch.
    - `async`, because the worker loses the host's trace id in a plain function.
    - retry for ever: with a count, the host moves the checkpoint past a batch that was never shipped.
    """

    @functions.function_name(trigger.function)
    @functions.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=trigger.hub,
        connection=trigger.connection,
        consumer_group=trigger.consumer_group,
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    @functions.retry(
        strategy="exponential_backoff",
        max_retry_count="-1",
        minimum_interval=SHORTEST_WAIT,
        maximum_interval=LONGEST_WAIT,
    )
    async def stream(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006  see above
        attempt = int(getattr(context.retry_context, "retry_count", 0) or 0)
        await asyncio.to_thread(run, trigger.source, events, attempt, time.monotonic())


def run(source: str, events: Sequence[func.EventHubEvent], attempt: int, arrived: float) -> None:
    """Ship one batch; every exception that comes out has been logged once and shows no secret.

    `attempt` is how often the host has tried this batch before, `arrived` (monotonic seconds) when it came in.
    """
    started, parts, report = time.monotonic(), None, Report(source)
    with telemetry.span(telemetry.SPAN, **{"defender.messages": len(events), "defender.attempt": attempt}) as opened:
        try:
            parts = PARTS.take()
            in_time(time.monotonic() - arrived, parts.settings.ship_seconds)
            from shared.flows import forward

            forward(messages_of(events), parts, source, report)
        except Exception as error:  # noqa: BLE001  whatever it is, it is told and raised
            if isinstance(error, Misconfigured):
                PARTS.drop(parts)
            shown = harmless(error, os.environ)
            seconds = time.monotonic() - started
            tell_held(report, shown, parts, messages=len(events), seconds=seconds, attempt=attempt, opened=opened)
            raise shown  # noqa: B904  `shown` is the error itself, or one without its causes
        tell(report, parts.settings, time.monotonic() - started, attempt, opened)


def in_time(waited: float, ship_seconds: float) -> None:
    """Raise `Retry` if a batch waited so many seconds for a thread that the host would cut it off while it ships.

    A function that is cut off counts as done, and the checkpoint moves past its batch.
    """
    if waited > HOST_TIMEOUT - ship_seconds - CLOSING:
        raise Retry(f"waited {waited:.0f} s for a free thread, too long to be shipped in time: it comes again")


def messages_of(events: Sequence[func.EventHubEvent]) -> list[Message]:
    """What the host gave us as the flow's messages, in their order."""
    from shared.flows import Message

    partition = partition_of(events)
    return [Message(event.get_body(), partition, event.sequence_number, enqueued(event)) for event in events]


def partition_of(events: Sequence[func.EventHubEvent]) -> str | None:
    """The partition's id; a batch is of one partition, and its events share one metadata."""
    try:
        metadata: Mapping[str, Any] = (events[0].metadata or {}) if events else {}
        context = metadata.get("PartitionContext") or metadata.get("TriggerPartitionContext") or {}
        return str(context["PartitionId"]) if context.get("PartitionId") is not None else None
    except Exception:  # metadata only say where a record came from: no reason to hold a batch
        log.warning("The host's metadata do not tell the partition.", exc_info=True)
        return None


def enqueued(event: func.EventHubEvent) -> str | None:
    """When the hub took the message in, as ISO 8601 in UTC."""
    moment = event.enqueued_time
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def tell(report: Report, settings: Settings, seconds: float, attempt: int, opened: Any) -> None:
    """Telemetry and state of an acknowledged run: all is shipped, so nothing here may fail it."""
    try:
        now = time.time()
        telemetry.record(report, seconds=seconds, now=now, attempt=attempt, into=opened)
        LAST_RECEIVED.note(report, settings, now)
        DRIFT.note(report, settings, now)
        RUNS.add(report, "ok", settings, now=now, seconds=seconds)
        RUNS.write(settings)
        EXPIRY.tell()
    except Exception:  # a failed invocation would send the whole batch again
        log.exception("The batch is shipped, but telling about it failed.")


def tell_held(
    report: Report, error: Exception, parts: Parts | None, *, messages: int, seconds: float, attempt: int, opened: Any
) -> None:
    """Telemetry and state of a batch of so many messages that is not acknowledged; `error` shows no secret."""
    result: Literal["retry", "misconfigured", "bug"] = (
        "retry" if isinstance(error, Retry) else "misconfigured" if isinstance(error, Misconfigured) else "bug"
    )
    telemetry.failed(report, result, error, messages=messages, seconds=seconds, attempt=attempt, into=opened)
    if parts is not None:
        now = time.time()
        LAST_RECEIVED.hold(report.source, parts.settings, str(error), now)
        RUNS.add(report, result, parts.settings, now=now, seconds=seconds, why=str(error))
        RUNS.write(parts.settings)
