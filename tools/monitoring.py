"""infra/monitoring/*.kql -> what alert rules and the workbook are made of: a query, and what its head says of it.

A file begins with lines `// name: words`. Alerts say title, severity (0 to 4), every, window (ISO 8601), words and mend (a page of docs/); a rule fires
when its query has rows. Parts of the workbook say title and chart, some words and width too; their order is that of the files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.setup import NODE_MODULES, node_command
from shared.instruments import INSTRUMENTS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "infra" / "monitoring"
ALERT_HEAD = {"title", "severity", "every", "window", "words", "mend"}
PART_HEAD = {"title", "chart", "words", "width"}
CHARTS = {"table", "timechart", "barchart"}
# Columns of Application Insights' tables that queries may name (Microsoft: Azure Monitor, Application Insights' telemetry data model).
COMMON = {
    "timestamp": "datetime", "operation_Name": "string", "operation_Id": "string", "cloud_RoleName": "string", "cloud_RoleInstance": "string",
    "customDimensions": "dynamic", "itemCount": "int", "_BilledSize": "real",
}  # fmt: skip
TABLES: dict[str, dict[str, str]] = {
    "customMetrics": COMMON | dict.fromkeys(("value", "valueSum", "valueMin", "valueMax"), "real") | {"name": "string", "valueCount": "int"},
    "traces": COMMON | {"message": "string", "severityLevel": "int"},
    "requests": COMMON | {"name": "string", "success": "string", "resultCode": "string", "duration": "real"},
    "dependencies": COMMON | {"name": "string", "success": "string", "resultCode": "string", "duration": "real"},
    "exceptions": COMMON | {"type": "string", "outerMessage": "string"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A file: its name without number and ending, what its head says, and its text without the head."""

    name: str
    head: dict[str, str]
    text: str

    @property
    def metrics(self) -> set[str]:
        """Names of metrics in it."""
        return set(re.findall(r'"(defender\.[\w.]+)"', self.text))

    @property
    def dimensions(self) -> set[str]:
        """Attributes of metrics in it."""
        return set(re.findall(r"customDimensions\.(\w+)", self.text))

    @property
    def keys(self) -> set[str]:
        """Keys of the line of a run in it."""
        return set(re.findall(r"\bline\.(\w+)", self.text))


def read(path: Path) -> Query:
    """One file."""
    lines = path.read_text().splitlines()
    head = dict(line[3:].split(": ", 1) for line in lines if line.startswith("// "))
    text = "\n".join(line for line in lines if not line.startswith("//"))
    return Query(re.sub(r"^\d+-", "", path.stem), head, text)


def queries(kind: str) -> list[Query]:
    """All `alerts`, or all parts of the `workbook`, in the order of their files."""
    return [read(path) for path in sorted((FOLDER / kind).glob("*.kql"))]


def parsed(found: list[Query]) -> dict[str, dict[str, list[str]]]:
    """What Microsoft's own parser says of queries: name -> {problems, columns of the result}. Raises CalledProcessError where it can not run."""
    asked = {"tables": TABLES, "queries": {query.name: query.text for query in found}}
    done = subprocess.run(  # noqa: S603  our own program, no shell
        [*node_command(), str(ROOT / "local" / "kusto.js")],
        input=json.dumps(asked),
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        capture_output=True,
        text=True,
        check=True,
    )
    answers: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return answers


def alerts() -> list[dict[str, Any]]:
    """The alert rules as infra/modules/alerts.bicep reads them."""
    return [
        {
            "name": query.name,
            "title": query.head["title"],
            "severity": int(query.head["severity"]),
            "every": query.head["every"],
            "window": query.head["window"],
            "mute": query.head.get("mute"),
            "words": f"{query.head['words']} What to do: {query.head['mend']}",
            "query": query.text,
        }
        for query in queries("alerts")
    ]


def workbook() -> dict[str, Any]:
    """The workbook as Azure Monitor stores it (Notebook/1.0)."""
    intro = "## Defender to Elasticsearch\nWhat comes, what becomes of it, how late it is, and what went wrong. `GET /api/status` says the same of this minute."
    items: list[dict[str, Any]] = [{"type": 1, "content": {"json": intro}, "name": "intro"}, time_range()]
    for query in queries("workbook"):
        content: dict[str, Any] = {
            "version": "KqlItem/1.0",
            "query": query.text,
            "size": 0,
            "title": query.head["title"],
            "noDataMessage": "Nothing in this time.",
            "timeContextFromParameter": "TimeRange",
            "queryType": 0,
            "resourceType": "microsoft.insights/components",
            "visualization": query.head["chart"],
        }
        if words := query.head.get("words"):
            items.append({"type": 1, "content": {"json": words}, "name": f"{query.name} words"})
        item: dict[str, Any] = {"type": 3, "content": content, "name": query.name}
        items.append(item | ({"customWidth": query.head["width"]} if "width" in query.head else {}))
    return {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": [],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def time_range() -> dict[str, Any]:
    """The workbook's one parameter."""
    parameter = {
        "id": "6a3c2f0e-8a4e-4d0b-9a51-0f6a1c0d7e11",
        "version": "KqlParameterItem/1.0",
        "name": "TimeRange",
        "label": "Time",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 86_400_000},
        "typeSettings": {"selectableValues": [{"durationMs": hours * 3_600_000} for hours in (1, 4, 24, 72, 168, 720)]},
    }
    content = {"version": "KqlParameterItem/1.0", "parameters": [parameter], "style": "pills", "queryType": 0}
    return {"type": 9, "content": content, "name": "time"}


def attributes() -> dict[str, set[str]]:
    """Metric -> its attributes, as the code declares them."""
    return {instrument.name: set(instrument.attributes) for instrument in INSTRUMENTS}
