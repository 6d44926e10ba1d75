"""App settings -> the event hub triggers to declare, and what is wrong with them in one sentence each.

The host asks for the triggers before anything else can be said to anybody, so reading them never fails: a setting that
makes no sense leaves its triggers out, and `faults` (shown by the health function) says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.errors import Misconfigured
from shared.settings import Settings

LONGEST_NAME = 100  # a function's name may have 127 characters; some are left for a number


@dataclass(frozen=True, slots=True)
class Source:
    """What comes through event hubs: its name in reports, its first function's name, its settings."""

    name: str
    function: str
    hubs_field: str  # fields of Settings
    group_field: str
    setting: str  # the first field's app setting
    connection: str  # prefix of the app settings by which the host connects


@dataclass(frozen=True, slots=True)
class Trigger:
    """One function to declare: every value is literal, nothing is left for the host to look up but the connection."""

    source: str
    setting: str  # that named the hub
    function: str
    hub: str
    consumer_group: str
    connection: str


# fmt: off
SOURCES = (
    Source("xdr", "xdr_stream", "xdr_event_hub_names", "xdr_consumer_group", "XDR_EVENT_HUB_NAMES", "XDR_EVENT_HUB"),
    Source("defender_cloud", "defender_cloud_stream", "cloud_event_hub_names", "cloud_consumer_group",
           "CLOUD_EVENT_HUB_NAMES", "CLOUD_EVENT_HUB"),
)
# fmt: on


def triggers(environment: Mapping[str, str]) -> tuple[Trigger, ...]:
    """One trigger per hub: the source's first has its plain name, further ones end in the hub's name."""
    result: list[Trigger] = []
    for source in SOURCES:
        try:
            hubs = Settings.read_one(source.hubs_field, environment)
            group = Settings.read_one(source.group_field, environment)
        except Misconfigured:
            continue
        for number, hub in enumerate(dict.fromkeys(hubs)):
            name = source.function if number == 0 else f"{source.function}_{plain(hub)}"[:LONGEST_NAME]
            name = unused(name, {trigger.function for trigger in result})
            result.append(Trigger(source.name, source.setting, name, hub, group, source.connection))
    return tuple(result)


def plain(hub: str) -> str:
    """A hub's name as part of a function's: lower case letters, digits and single underscores."""
    return re.sub(r"[^a-z0-9]+", "_", hub.lower()).strip("_")


def unused(name: str, taken: set[str]) -> str:
    """`name`, or with the first number that makes it differ from those taken (`a-b` and `a.b` read alike)."""
    number, result = 1, name
    while result in taken:
        number += 1
        result = f"{name}_{number}"
    return result


def faults(environment: Mapping[str, str]) -> Iterator[str]:
    """What keeps the triggers from getting every message, each as one sentence that names the setting."""
    for source in SOURCES:
        for field in (source.hubs_field, source.group_field):
            try:
                Settings.read_one(field, environment)
            except Misconfigured as error:
                yield str(error)
    declared = triggers(environment)
    if not declared and not environment.get("POLL_SOURCES", "").strip():
        yield "XDR_EVENT_HUB_NAMES: is not set, and neither is CLOUD_EVENT_HUB_NAMES or POLL_SOURCES: nothing is received."
    for connection in dict.fromkeys(trigger.connection for trigger in declared):
        if not connected(connection, environment):
            yield f"{connection}: is not set, and neither is {connection}__fullyQualifiedNamespace."
    seen: dict[tuple[str, str, str], Trigger] = {}
    for trigger in declared:
        place = (connected(trigger.connection, environment), trigger.hub.lower(), trigger.consumer_group.lower())
        other = seen.setdefault(place, trigger)
        if place[0] and other is not trigger:
            yield (
                f"{trigger.setting}: {trigger.hub!r} is read by {other.function} with the same consumer group already; "
                "the two would take partitions from each other. A hub that carries both exports is named once."
            )


def connected(connection: str, environment: Mapping[str, str]) -> str:
    """What the host connects with: the connection string or the namespace's name; empty if neither is set."""
    return (environment.get(connection) or environment.get(f"{connection}__fullyQualifiedNamespace") or "").strip()
