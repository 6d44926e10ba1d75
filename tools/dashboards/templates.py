"""infra/elastic -> the type of every field that an index has, as its templates say it; what a panel may do with a type."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tools.dashboards.vocabulary import DataView

FOLDER = Path(__file__).resolve().parent.parent.parent / "infra" / "elastic"
NUMBERS = frozenset({"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long"})  # fmt: skip
# what Kibana's `top values`, `unique count` and option lists take; text and flattened have no values to group by there
VALUES = NUMBERS | {"keyword", "constant_keyword", "wildcard", "ip", "boolean", "date", "version"}
TYPES_FOR = {
    "sum": NUMBERS,
    "average": NUMBERS,
    "percentile": NUMBERS,
    "maximum": NUMBERS | {"date"},
    "unique": VALUES,
    "last": VALUES,
    "top": VALUES,
    "time": frozenset({"date", "date_nanos"}),
}


@cache
def types_of(pattern: str) -> dict[str, str]:
    """Field -> type of the index template for a pattern, multi-fields included; raises LookupError where there is none."""
    for file in sorted((FOLDER / "index_templates").glob("*.json")):
        body = json.loads(file.read_text())
        if pattern in body["index_patterns"]:
            found: dict[str, str] = {}
            for name in body["composed_of"]:
                component = FOLDER / "component_templates" / f"{name}.json"
                if component.exists():
                    found |= _flat(json.loads(component.read_text())["template"].get("mappings", {}))
            return found | _flat(body.get("template", {}).get("mappings", {}))
    raise LookupError(f"no index template is for {pattern}")


def type_in(view: DataView, field: str) -> set[str]:
    """The types a field has in the indices of a data view; empty where none has it."""
    return {known[field] for known in map(types_of, view.templates) if field in known}


def _flat(mapping: dict[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("properties", "fields"):
        for name, node in mapping.get(key, {}).items():
            full = f"{path}{name}"
            if node.get("type") == "nested":
                continue  # Lens and KQL see nothing below it without a special word
            if "type" in node and node["type"] != "object":
                found[full] = node["type"]
            found |= _flat(node, f"{full}.")
    return found
