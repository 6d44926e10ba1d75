"""A seed -> alerts and incidents of Microsoft Graph: the documented properties and evidence types, and whatever else may come."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from shared.normalise.api import Source
from shared.normalise.mapping import Kind, Shape
from shared.normalise.salvage import clean
from shared.normalise.tables.graph_alert import ALERT_COLUMNS
from shared.normalise.tables.graph_evidence import EVIDENCE
from shared.normalise.tables.graph_evidence_rules import READINGS
from shared.normalise.tables.graph_incident import INCIDENT_COLUMNS
from tests.normalise.rows import ANYTHING, RIGHT, Row, nested, one

TYPES = (
    *(f"#microsoft.graph.security.{name}" for name in READINGS),
    "#microsoft.graph.security.novelEvidence",
    "deviceEvidence",
    "",
    None,
)
KINDS: dict[str, Kind] = {"string": "keyword", "datetime": "date", "dynamic": "keyword", "long": "long"}
SERVICES = (
    "microsoftDefenderForEndpoint",
    "microsoftDefenderForOffice365",
    "microsoftDefenderForIdentity",
    "unknownFutureValue",
    5,
    None,
)


def item(chance: random.Random) -> Any:
    """An item of evidence: of a documented type, with some members of any type, each right, wrong or odd."""
    if chance.random() < 0.03:
        return chance.choice(ANYTHING)
    made: Row = {"@odata.type": chance.choice(TYPES)}
    members = chance.sample(sorted(EVIDENCE), chance.choice((5, 30, 120)))
    shape: Shape = {key: EVIDENCE[key] for key in members}
    for _ in range(3):
        made |= one(chance, shape)
    return made


def plain(chance: random.Random, columns: dict[str, str]) -> Row:
    """Properties by their documented types, some of them missing, null, or something else."""
    made: Row = {}
    for name, type in columns.items():
        draw = chance.random()
        if draw < 0.6:
            right = RIGHT[KINDS[type]]
            made[name] = [chance.choice(right) for _ in range(3)] if type == "dynamic" else chance.choice(right)
        elif draw < 0.75:
            made[name] = chance.choice(ANYTHING)
    return made


def alert(chance: random.Random) -> Row:
    """An alert; nine of ten have an id."""
    made = plain(chance, ALERT_COLUMNS)
    if chance.random() < 0.9:
        made["id"] = f"da{chance.randrange(10**9)}_1"
    made["serviceSource"] = chance.choice(SERVICES)
    size = chance.choice((0, 1, 3, 6, 6, 30))
    if chance.random() < 0.9:
        made["evidence"] = [item(chance) for _ in range(size)] if chance.random() < 0.9 else item(chance)
    if chance.random() < 0.1:
        made["comments"] = [
            {"createdByDisplayName": chance.choice(ANYTHING)},
            {"createdBy": "kim"},
            chance.choice(ANYTHING),
        ]
    if chance.random() < 0.05:
        made["additionalData"] = nested(chance.choice((3, 13, 60)))
    return cleaned(made)


def incident(chance: random.Random) -> Row:
    """An incident with alerts as an array, as one object, as something else, or without."""
    made = plain(chance, INCIDENT_COLUMNS)
    if chance.random() < 0.9:
        made["id"] = str(chance.randrange(10**6))
    draw = chance.random()
    if draw < 0.6:
        made["alerts"] = [
            alert(chance) if chance.random() < 0.9 else chance.choice(ANYTHING) for _ in range(chance.choice((0, 1, 3)))
        ]
    elif draw < 0.8:
        made["alerts"] = alert(chance) if chance.random() < 0.8 else chance.choice(ANYTHING)
    return cleaned(made)


def cleaned(value: Row) -> Row:
    """As it comes out of a JSON parser."""
    result: Row = clean(value)
    return result


MAKERS: dict[Source, Callable[[random.Random], Row]] = {"alert": alert, "incident": incident}
