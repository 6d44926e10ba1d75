"""schema/*.csv -> look-ups for laws, docs and templates.

`defender_more.csv` is ours: columns that `defender.csv`, which `make schema` writes, does not have yet; each with its source, a page of
MicrosoftDocs/defender-docs and its commit, or where it was seen.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from shared.normalise.cloud_message import COLUMNS
from shared.normalise.tables import api_columns

SCHEMA = Path(__file__).resolve().parent.parent / "schema"


def rows(name: str) -> list[dict[str, str]]:
    """A snapshot's rows."""
    with (SCHEMA / name).open() as file:
        return list(csv.DictReader(file))


@cache
def columns() -> dict[str, dict[str, str]]:
    """Table, kind of Defender for Cloud message, or part of an API object -> column -> documented type."""
    found = {kind: dict(names) for kind, names in (COLUMNS | api_columns()).items()}
    for row in (*rows("defender.csv"), *rows("defender_more.csv")):
        found.setdefault(row["table"], {})[row["column"]] = row["type"]
    return found


@cache
def ecs_types() -> dict[str, str]:
    """ECS field -> type."""
    return {row["field"]: row["type"] for row in rows("ecs.csv")}


@cache
def ecs_levels() -> dict[str, str]:
    """ECS field -> level (core or extended)."""
    return {row["field"]: row["level"] for row in rows("ecs.csv")}


@cache
def elastic_types(dataset: str, *, old: bool = False) -> dict[str, str]:
    """Field -> type, as Elastic's package has it for a dataset; `old` adds fields that only its old versions have."""
    found = [row for row in rows("elastic.csv") if row["dataset"] == dataset and (old or not row["old"])]
    return {row["field"]: row["type"] for row in sorted(found, key=lambda row: row["old"], reverse=True)}


# Fields outside ECS that Elastic's packages or its public detection rules read, and that rules here write.
BEYOND_ECS: dict[str, str] = {
    "Target.process.command_line": "wildcard",
    "Target.process.executable": "keyword",
    "Target.process.name": "keyword",
    "dll.Ext.size": "long",
    "process.Ext.api.name": "keyword",
    "process.Ext.api.parameters.address": "long",
    "process.Ext.api.parameters.desired_access_numeric": "long",
    "process.Ext.api.parameters.protection": "keyword",
    "process.Ext.api.parameters.size": "long",
    "process.Ext.token.integrity_level_name": "keyword",
    "package.fixed_version": "keyword",
    "resource.sub_type": "keyword",
    "resource.type": "keyword",
    "resource.id": "keyword",
    "resource.name": "keyword",
    "result.evaluation": "keyword",
    "rule.impact": "keyword",
    "rule.remediation": "keyword",
    "vulnerability.cve": "keyword",
    "vulnerability.published_date": "date",
    "vulnerability.title": "keyword",
}


def type_of(field: str) -> str | None:
    """The Elasticsearch type of a field that is not a vendor field; None where nobody knows it."""
    return ecs_types().get(field) or BEYOND_ECS.get(field)
