"""host.json and the app settings -> what the local host needs to know of them, resolved as the Functions host does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.runtime import Function

CHECKPOINT_CONTAINER = "azure-webjobs-eventhub"  # the extension's own name for it


class HostError(Exception):
    """The host can not start the app; one sentence that names the setting."""


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The values of host.json that matter here; defaults are those of the Event Hubs extension 6 and of the queue extension 5."""

    batch: int = 100
    prefetch: int = 300
    checkpoint_every: int = 1  # batches
    route_prefix: str = "api"
    queue_batch: int = 16  # messages of a queue taken at once
    queue_threshold: int = 8  # messages under way at which more are taken
    queue_most_taken: int = 5
    queue_hidden: float = 0.0  # seconds that a message which failed is hidden
    queue_poll: float = 60.0  # seconds between two looks at an idle queue
    queue_seconds: int = 600  # that a message is hidden while it is worked on, and after a kill
    scale: float = 1.0  # of every back-off interval, so that a test need not wait as long as Azure would
    key: str = ""
    drain_seconds: float = 8.0

    @classmethod
    def read(cls, folder: Path, environment: Mapping[str, str]) -> HostOptions:
        """Read `folder`/host.json and the LOCAL_HOST_* variables."""
        content = json.loads((folder / "host.json").read_text())
        hubs = content.get("extensions", {}).get("eventHubs", {})
        http = content.get("extensions", {}).get("http", {})
        queues = content.get("extensions", {}).get("queues", {})
        default = cls()
        queue_batch = int(queues.get("batchSize", default.queue_batch))
        return cls(
            batch=int(hubs.get("maxEventBatchSize", default.batch)),
            prefetch=int(hubs.get("prefetchCount", default.prefetch)),
            checkpoint_every=int(hubs.get("batchCheckpointFrequency", default.checkpoint_every)),
            route_prefix=str(http.get("routePrefix", default.route_prefix)),
            queue_batch=queue_batch,
            queue_threshold=int(queues.get("newBatchThreshold", queue_batch // 2)),
            queue_most_taken=int(queues.get("maxDequeueCount", default.queue_most_taken)),
            queue_hidden=seconds_of(queues.get("visibilityTimeout", "00:00:00")),
            queue_poll=seconds_of(queues.get("maxPollingInterval", "00:01:00")),
            queue_seconds=int(environment.get("LOCAL_HOST_QUEUE_SECONDS", default.queue_seconds)),
            scale=float(environment.get("LOCAL_HOST_BACKOFF_SCALE", default.scale)),
            key=environment.get("LOCAL_HOST_KEY", default.key),
            drain_seconds=float(environment.get("LOCAL_HOST_DRAIN_SECONDS", default.drain_seconds)),
        )


@dataclass(frozen=True, slots=True)
class HubSource:
    """What one eventHubTrigger listens to."""

    function: Function
    connection: str
    hub: str
    consumer_group: str


@dataclass(frozen=True, slots=True)
class QueueOutput:
    """A queue that a function writes to."""

    connection: str
    queue: str


@dataclass(frozen=True, slots=True)
class QueueSource:
    """What one queueTrigger listens to, and the queues of its output bindings by name."""

    function: Function
    connection: str
    queue: str
    outputs: Mapping[str, QueueOutput]


def seconds_of(text: str) -> float:
    """hh:mm:ss as seconds."""
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def queue_source(function: Function, environment: Mapping[str, str]) -> QueueSource:
    """Resolve a queueTrigger's binding and its outputs; raises `HostError` where the real host could not listen either."""

    def place(binding: Mapping[str, Any]) -> QueueOutput:
        name = str(binding["connection"])
        connection = environment.get(name, "")
        if not connection:
            raise HostError(f"{name}: is not set, but {function.name} takes its connection from it.")
        return QueueOutput(connection, resolve(str(binding["queueName"]), environment))

    own = place(function.trigger)
    outputs = {str(item["name"]): place(item) for item in function.bindings if str(item["type"]).lower() == "queue"}
    return QueueSource(function, own.connection, own.queue, outputs)


def resolve(text: str, environment: Mapping[str, str]) -> str:
    """`%NAME%` -> the app setting NAME; raises `HostError` if it is not there."""

    def value(match: re.Match[str]) -> str:
        found = environment.get(match[1])
        if not found:
            raise HostError(f"{match[1]}: is not set, but a binding refers to it as %{match[1]}%.")
        return found

    return re.sub(r"%([^%]+)%", value, text)


def hub_source(function: Function, environment: Mapping[str, str]) -> HubSource:
    """Resolve an eventHubTrigger's binding; raises `HostError` where the real host could not listen either."""
    binding: Mapping[str, Any] = function.trigger
    name = str(binding["connection"])
    connection = environment.get(name, "")
    if not connection:
        identity = f"{name}__fullyQualifiedNamespace"
        if environment.get(identity):
            raise HostError(f"{identity}: the local host has no identity; set {name} to a connection string.")
        raise HostError(f"{name}: is not set, but {function.name} takes its connection from it.")
    group = resolve(str(binding.get("consumerGroup") or "$Default"), environment)
    return HubSource(function, connection, resolve(str(binding["eventHubName"]), environment), group)
