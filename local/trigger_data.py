"""Events, requests and timer ticks -> the data that the Functions host hands to the Python worker with an invocation.

The shapes are those of Azure/azure-functions-host (GrpcMessageConversionExtensions.cs) and of the Event Hubs extension
(EventHubTriggerBindingStrategy.cs): what a worker's decoder needs, `SystemPropertiesArray` above all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum

Input = tuple[Any, dict[str, Any]]  # the trigger's Datum, and the trigger metadata as Datums by name


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a hub as the extension sees it. `offset` may be text that is no number (geo-replicated namespaces)."""

    body: bytes
    sequence_number: int
    offset: str = "0"
    enqueued: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    partition_key: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The partition that a batch comes from."""

    partition: str = "0"
    hub: str = "hub"
    consumer_group: str = "$Default"
    namespace: str = "namespace.servicebus.windows.net"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message taken from a queue, and how often it was."""

    body: bytes
    id: str = "00000000-0000-0000-0000-000000000001"
    pop_receipt: str = "receipt"
    count: int = 1
    inserted: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    expires: datetime = datetime(2026, 1, 9, 3, 4, 5, tzinfo=UTC)
    visible: datetime = datetime(2026, 1, 2, 3, 14, 5, tzinfo=UTC)


def events(batch: Sequence[bytes], first: int = 0) -> list[Event]:
    """Bodies as events with sequence numbers from `first` on and offsets that grow, for tests."""
    return [Event(body, first + number, str(4096 + 128 * (first + number))) for number, body in enumerate(batch)]


def event_hub_input(batch: Sequence[Event], place: Place) -> Input:
    """A batch for an eventHubTrigger with cardinality many and data type binary."""
    instants = [instant(event.enqueued) for event in batch]
    system = [
        {
            "SequenceNumber": event.sequence_number,
            "Offset": int(event.offset) if event.offset.isdigit() else -1,  # extension 6, geo-replicated namespaces
            "OffsetString": event.offset,
            "PartitionKey": event.partition_key,
            "EnqueuedTimeUtc": enqueued,
        }
        for event, enqueued in zip(batch, instants, strict=True)
    ]
    context = {
        "FullyQualifiedNamespace": place.namespace,
        "EventHubName": place.hub,
        "ConsumerGroup": place.consumer_group,
        "PartitionId": place.partition,
    }
    # The host drops empty entries of a string list, so null keys are not there (real host behaviour).
    keys = [event.partition_key for event in batch if event.partition_key]
    metadata = {
        "PartitionContext": as_json(context),
        "TriggerPartitionContext": as_json(context),
        "SequenceNumberArray": Datum(
            SimpleNamespace(sint64=[event.sequence_number for event in batch]), "collection_sint64"
        ),
        "OffsetArray": strings([event.offset for event in batch]),
        "OffsetStringArray": strings([event.offset for event in batch]),
        "PartitionKeyArray": strings(keys),
        "EnqueuedTimeUtcArray": as_json(instants),
        "PropertiesArray": as_json([dict(event.properties) for event in batch]),
        "SystemPropertiesArray": as_json(system),
        "sys": as_json({"MethodName": "", "UtcNow": instant(datetime.now(UTC)), "RandGuid": ""}),
    }
    return Datum(SimpleNamespace(bytes=[event.body for event in batch]), "collection_bytes"), metadata


def http_input(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Input:
    """A request for an httpTrigger; header names are lower case, as the host makes them."""
    value = {
        "method": Datum(method, "string"),
        "url": Datum(url, "string"),
        "headers": {name.lower(): Datum(text, "string") for name, text in headers.items()},
        "query": {name: Datum(text, "string") for name, text in query.items()},
        "params": {name: Datum(text, "string") for name, text in route.items()},
        "body": Datum(body, "bytes"),
    }
    return Datum(value, "http"), {}


def timer_input(*, past_due: bool = False, now: datetime | None = None) -> Input:
    """A tick for a timerTrigger."""
    moment = (now or datetime.now(UTC)).isoformat()
    status = {"Last": moment, "Next": moment, "LastUpdated": moment}
    return as_json({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}), {}


def queue_input(message: Taken) -> Input:
    """A message for a queueTrigger: its text, and what the queue says of it."""
    metadata = {
        "QueueTrigger": Datum(message.body.decode(), "string"),
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": as_json(message.count),
        "InsertionTime": as_json(message.inserted.isoformat()),
        "ExpirationTime": as_json(message.expires.isoformat()),
        "NextVisibleTime": as_json(message.visible.isoformat()),
        "sys": as_json({"MethodName": "", "UtcNow": instant(datetime.now(UTC)), "RandGuid": ""}),
    }
    return Datum(message.body.decode(), "string"), metadata


def instant(moment: datetime) -> str:
    """A time as the host writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_json(value: Any) -> Any:
    """A Datum of JSON text."""
    return Datum(json.dumps(value), "json")


def strings(values: Sequence[str]) -> Any:
    """A Datum of a list of texts."""
    return Datum(SimpleNamespace(string=list(values)), "collection_string")
