"""Elastic's own dashboards go on working on our documents: the fields of their panels are in our templates, and documents have them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tools.dashboards.page import elastic_panels
from tools.dashboards.search import pick
from tools.dashboards.templates import types_of
from tools.write_golden import GOLDEN, expectation

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "elastic_dashboards.csv"
FIELD = re.compile(r"@timestamp|[a-z][a-z0-9_]*(?:\.[a-z_]+)+")
TABLE = re.compile(r"(AdvancedHunting|)-([A-Z]\w+)")
# Fields that are kept only with PRESERVE_DUPLICATE_CUSTOM_FIELDS, as in Elastic's integration: file.code_signature has the same values
BY_SETTING = {"m365_defender.event.is_signed", "m365_defender.event.is_trusted"}


def facts() -> list[dict[str, str]]:
    """Elastic's panels as far as they are known."""
    if not FACTS.exists():
        pytest.skip("the knowledge folder is not beside the project")
    with FACTS.open() as file:
        return list(csv.DictReader(file))


def dataset_of(row: dict[str, str]) -> str:
    """The dataset whose documents a panel shows: its filter says it, or its dashboard's name."""
    named = re.search(
        r"(m365_defender|microsoft_defender_cloud)\.(event|alert|incident|vulnerability)\b", row["filter"]
    )
    if named:
        return named[0]
    for word in ("Vulnerabilities", "Incidents", "Alerts"):
        if f"{word})" in row["dashboard"]:
            return f"{row['package']}.{ {'Vulnerabilities': 'vulnerability', 'Incidents': 'incident', 'Alerts': 'alert'}[word] }"
    return f"{row['package']}.event"


def fields_of(row: dict[str, str]) -> set[str]:
    """The fields of a panel, those that its query names too."""
    found = set(FIELD.findall(row["fields"])) | set(FIELD.findall(row["filter"]))
    return {name for name in found if not re.fullmatch(r"(m365_defender|microsoft_defender_cloud)\.\w+", name)}


def test_every_panel_of_theirs_is_answered_for() -> None:
    """The page says of each panel that is known what is here for it, and of no other."""
    prefix = re.compile(r".*\(Overview of Microsoft (365 )?(Defender )?(XDR )?(.*)\)")
    known = {(prefix.sub(r"\4", row["dashboard"]), row["panel"]) for row in facts()}
    assert {(row["dashboard"], row["panel"]) for row in elastic_panels()} == known


def test_their_fields_are_in_our_templates() -> None:
    """Each field of a panel has a type in the index template of the dataset that the panel shows."""
    missing = {
        f"{row['panel']}: {field} ({dataset_of(row)})"
        for row in facts()
        for field in fields_of(row) - set(types_of(f"logs-{dataset_of(row)}-*"))
    }
    assert not missing


def test_their_filters_find_documents() -> None:
    """Golden documents of a panel's dataset and tables have each of its fields, so that it is not empty on our documents."""
    kept = [document for folder in sorted(GOLDEN.iterdir()) for document in documents_of(folder, duplicates=False)]
    asked_for = [document for folder in sorted(GOLDEN.iterdir()) for document in documents_of(folder, duplicates=True)]
    empty: set[str] = set()
    by_setting: set[str] = set()
    for row in facts():
        tables = {f"AdvancedHunting-{name}" for _, name in TABLE.findall(row["filter"])}
        for field in fields_of(row):
            if not any(has(document, dataset_of(row), tables, field) for document in kept):
                known = any(has(document, dataset_of(row), tables, field) for document in asked_for)
                (by_setting if known else empty).add(field)
    assert not empty
    assert by_setting == BY_SETTING


def documents_of(folder: Path, *, duplicates: bool) -> list[dict[str, Any]]:
    """The documents of a folder's golden records."""
    return [made["_source"] for made in expectation(folder, duplicates=duplicates)]


def has(document: dict[str, Any], dataset: str, tables: set[str], field: str) -> bool:
    """Whether a document is of that dataset, of one of these tables if there are any, and has the field."""
    if document["data_stream"]["dataset"] != dataset:
        return False
    if tables and document.get("m365_defender", {}).get("event", {}).get("category") not in tables:
        return False
    return pick(document, field) is not None
