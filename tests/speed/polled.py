"""Objects of Microsoft's APIs that speed is measured with, by source: made-up ones of the size of real ones, and golden ones, varied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from local import microsoft_data as data
from shared.normalise.api import Context, Source
from shared.normalise.interpret import NOT_TOLD
from shared.normalise.normaliser import Normaliser

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
CONTEXT = Context(tenant="11111111-2222-3333-4444-555555555555", scan="2026-01-02T03:00:00Z")
SUBSCRIPTION = "subscriptions/11111111-2222-3333-4444-555555555555"
FINDINGS = 10  # of every fifth assessment
METADATA = {row["name"]: row["properties"] for row in data.metadata()}


def alert(number: int) -> dict[str, Any]:
    """An alert of Graph's, with its evidence."""
    return data.alert("speed", number, NOW + timedelta(seconds=number), CONTEXT.tenant)


def incident(number: int) -> dict[str, Any]:
    """An incident of Graph's with one to three alerts."""
    alerts = [alert(3 * number + place) for place in range(1 + number % 3)]
    return {**data.incident("speed", number, NOW, CONTEXT.tenant), "alerts": alerts}


def log(number: int) -> dict[str, Any]:
    """An incident of the older API with one to three alerts."""
    return data.siem_incident("speed", number, NOW, 1 + number % 3)


def vulnerability(number: int) -> dict[str, Any]:
    """A row of the export's files."""
    return data.vulnerability("speed", number, NOW, pascal=True)


def assessment(number: int) -> dict[str, Any]:
    """An assessment with what is said of it in general, as the poller hands it on; every fifth has findings."""
    row = data.assessment("speed", SUBSCRIPTION, number, NOW, findings=number % 5 == 0)
    properties = {**row["properties"], "metadata": METADATA[row["name"]]}
    if number % 5:
        return {**row, "properties": properties}
    findings = [data.finding("speed", row["id"], place, NOW) for place in range(FINDINGS)]
    return {**row, "properties": properties, "subAssessments": findings}


MADE: dict[Source, Callable[[int], dict[str, Any]]] = {
    "alert": alert,
    "incident": incident,
    "log": log,
    "vulnerability": vulnerability,
    "assessment": assessment,
}


def made(source: Source, count: int) -> list[bytes]:
    """So many made-up objects, as JSON."""
    return [orjson.dumps(MADE[source](number)) for number in range(count)]


def golden(path: Path, source: Source) -> list[str]:
    """The JSON of golden objects in which all is right."""
    normaliser = Normaliser()
    return [
        orjson.dumps(value).decode()
        for value in orjson.loads(path.read_bytes())
        if all(
            issue.reason in NOT_TOLD for part in normaliser.parts(source, value, CONTEXT, "") for issue in part.issues
        )
    ]
