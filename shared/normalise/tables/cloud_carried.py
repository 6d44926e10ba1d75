"""Kinds of Defender for Cloud messages that we have no mapping of, attack paths for one: what every message has is mapped, the rest is kept in a bag."""

from __future__ import annotations

from typing import Any

from shared.normalise.convert import date
from shared.normalise.mapping import Column, first, rule, vendor
from shared.normalise.tables.cloud_export import ARM, SUBSCRIPTION, made
from shared.normalise.tables.cloud_export_rules import action_name

TIMES = (
    "timeGenerated", "timeGeneratedUtc", "processingEndTime", "startTimeUtc",
)  # fmt: skip


def own_time(*values: Any) -> Any:
    """The first time of a message, at its root or within `properties`."""
    *direct, properties = values
    within = properties if properties.__class__ is dict else {}
    plain = {key.lower(): value for key, value in within.items() if value.__class__ is str and value}
    direct += [date(plain[key.lower()], "properties", []) for key in TIMES if key.lower() in plain]
    return first(*direct)


CARRIED = made(
    "(a Defender for Cloud message)",
    ARM.without("properties.$type"),
    *(Column(key, "date", told=True) for key in TIMES),
    vendor("properties", "flattened", "carried"),  # `properties` is an object in messages that we know
    rule(own_time, (*TIMES, "properties"), "#time", kind="date"),
    rule(first, ("#time", "/enqueued"), "@timestamp", kind="date"),
    rule(first, ("/enqueued",), "event.created", kind="date"),
    rule(action_name, ("securityEventDataEnrichment.action", ""), "event.action"),
    SUBSCRIPTION,
)
