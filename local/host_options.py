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
    """The values of host.json that matter here; defaults are those of the Event Hubs extension 6."""

    batch: int = 100
    prefetch: int = 300
    checkpoint_every: int = 1  # batches
    route_prefix: str = "api"
    scale: float = 1.0  # of every back-off interval, so that a test need not wait as long as Azure would
    key: str = ""
    drain_seconds: float = 8.0

    @classmethod
    def read(cls, folder: Path, environment: Mapping[str, str]) -> HostOptions:
        """Read `folder`/host.json and the LOCAL_HOST_* variables."""
        content = json.loads((folder / "host.json").read_text())
        hubs = content.get("extensions", {}).get("eventHubs", {})
        http = content.get("extensions", {}).get("http", {})
        default = cls()
        return cls(
            batch=int(hubs.get("maxEventBatchSize", default.batch)),
            prefetch=int(hubs.get("prefetchCount", default.prefetch)),
            checkpoint_every=int(hubs.get("batchCheckpointFrequency", default.checkpoint_every)),
            route_prefix=str(http.get("routePrefix", default.route_prefix)),
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
