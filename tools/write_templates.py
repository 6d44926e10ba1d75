"""The mapping -> infra/elastic/: component templates for ECS and vendor fields, and an index template for each data stream."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared.runs import DATASET as RUN_DATASET
from shared.ship.latest import VIEWS, View
from tools.fields import datasets, fields
from tools.freshness import write_or_compare
from tools.run_fields import run_fields

FOLDER = Path(__file__).resolve().parent.parent / "infra" / "elastic"
COMPONENTS, INDICES = FOLDER / "component_templates", FOLDER / "index_templates"
ABOVE_BUILT_IN = 250  # the built-in logs-*-* has 100, Fleet's own packages 200
HEADROOM = 1.4  # of fields, for @custom templates and dynamic ones
# Multi-fields that Elastic's rules and dashboards query: .text for words, .caseless for names in any case
TEXT_FIELDS = frozenset(
    {
        "file.path", "process.command_line", "process.executable", "process.name", "process.parent.command_line",
        "process.parent.executable", "process.parent.name", "process.working_directory", "url.full", "url.original",
        "user.name", "user_agent.original",
    }
)  # fmt: skip
CASELESS_FIELDS = frozenset(
    {
        "dll.name", "dll.path", "file.name", "file.path", "process.command_line", "process.executable", "process.name",
        "process.parent.command_line", "process.parent.executable", "process.parent.name", "process.pe.original_file_name",
        "registry.path", "registry.value",
    }
)  # fmt: skip


def mapping_of(field: str, kind: str, dataset: str) -> dict[str, Any]:
    """One field's mapping."""
    known: dict[str, Any] = {
        "type": "double" if kind == "float" else kind
    }  # a float refuses numbers that a double takes
    if kind == "keyword" and field != "event.original":
        known["ignore_above"] = 1024
    if field == "event.original":
        known |= {"index": False, "doc_values": False}
    if kind == "flattened":
        known["ignore_above"] = 8191
        known["depth_limit"] = 20
    if kind == "constant_keyword":
        value = {
            "data_stream.type": "logs",
            "data_stream.dataset": dataset,
            "event.dataset": dataset,
            "event.module": dataset.partition(".")[0],
        }
        if field in value:
            known["value"] = value[field]
    more: dict[str, Any] = {}
    if field in TEXT_FIELDS:
        more["text"] = {"type": "match_only_text"}
    if field in CASELESS_FIELDS:
        more["caseless"] = {"type": "keyword", "ignore_above": 8191, "normalizer": "lowercase"}
    if more:
        known["fields"] = more
    return known


def properties(found: dict[str, str], dataset: str) -> dict[str, Any]:
    """Dotted fields -> nested `properties`."""
    root: dict[str, Any] = {}
    for field, kind in found.items():
        *path, leaf = field.split(".")
        node = root
        for part in path:
            node = node.setdefault(part, {}).setdefault("properties", {})
        node[leaf] = mapping_of(field, kind, dataset)
    return root


def component(found: dict[str, str], dataset: str, words: str) -> dict[str, Any]:
    """A component template."""
    return {
        "template": {"mappings": {"properties": properties(found, dataset)}},
        "_meta": {"description": words, "managed_by": "defender-to-elasticsearch"},
    }


def index_template(dataset: str, number: int) -> dict[str, Any]:
    """The index template of one dataset's data streams."""
    return {
        "index_patterns": [f"logs-{dataset}-*"],
        "data_stream": {},
        "priority": ABOVE_BUILT_IN,
        "composed_of": [f"logs-{dataset}@ecs", f"logs-{dataset}@vendor", "logs@custom", f"logs-{dataset}@custom"],
        "ignore_missing_component_templates": ["logs@custom", f"logs-{dataset}@custom"],
        "template": {
            "settings": {
                "index.codec": "best_compression",
                "index.mapping.total_fields.limit": int(number * HEADROOM // 100 + 2) * 100,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
                "index.mapping.ignore_malformed": False,
                "index.query.default_field": [
                    "message",
                    "process.command_line",
                    "file.path",
                    "user.name",
                    "host.name",
                    "related.*",
                ],
            },
            "mappings": {
                "date_detection": False,
                "dynamic_templates": [
                    {
                        "text_as_keyword": {
                            "match_mapping_type": "string",
                            "mapping": {"type": "keyword", "ignore_above": 1024},
                        }
                    }
                ],
            },
        },
        "_meta": {"description": f"Microsoft Defender: {dataset}", "managed_by": "defender-to-elasticsearch"},
    }


def latest_template(view: View, number: int) -> dict[str, Any]:
    """The index template of a latest view: a plain index with the fields of the data stream whose documents it has."""
    template = index_template(view.dataset, number)
    template["index_patterns"] = [view.index.format(namespace="*")]
    del template["data_stream"]
    if view.alias:
        template["template"]["aliases"] = {view.alias: {}}
    template["_meta"]["description"] = f"Microsoft Defender: the latest of each, out of {view.dataset}"
    return template


def run_templates() -> dict[Path, dict[str, Any]]:
    """The templates of the data stream that tells what the app did (docs/runs.md)."""
    ecs, own = run_fields()
    template = index_template(RUN_DATASET, len(ecs) + len(own))
    template["template"]["settings"]["index.query.default_field"] = ["error.message"]
    template["_meta"]["description"] = "Microsoft Defender: what the app that ships it did"
    return {
        COMPONENTS / f"logs-{RUN_DATASET}@ecs.json": component(ecs, RUN_DATASET, "ECS fields of a run's document"),
        COMPONENTS / f"logs-{RUN_DATASET}@vendor.json": component(own, RUN_DATASET, "What a run did"),
        INDICES / f"logs-{RUN_DATASET}.json": template,
    }


def templates() -> dict[Path, str]:
    """Every file by its path: named as they are in Elasticsearch, a folder for each kind."""
    files: dict[Path, dict[str, Any]] = {}
    for dataset in datasets():
        found = fields(dataset)
        vendor_root = dataset.partition(".")[0] + "."
        own = {field: kind for field, kind in found.items() if field.startswith(vendor_root)}
        ecs = {field: kind for field, kind in found.items() if field not in own}
        files[COMPONENTS / f"logs-{dataset}@ecs.json"] = component(
            ecs, dataset, "ECS fields that Defender's records fill"
        )
        files[COMPONENTS / f"logs-{dataset}@vendor.json"] = component(own, dataset, "Defender's own fields")
        files[INDICES / f"logs-{dataset}.json"] = index_template(dataset, len(found))
    for view in VIEWS.values():
        name = view.index.removesuffix("-{namespace}").removesuffix("-v1")
        files[INDICES / f"{name}.json"] = latest_template(view, len(fields(view.dataset)))
    files |= run_templates()
    return {path: json.dumps(body, indent=2, sort_keys=True) + "\n" for path, body in files.items()}


def main() -> int:
    """Write the templates, or with --check say whether they are fresh."""
    return write_or_compare(templates(), FOLDER, "*_templates/*.json")


if __name__ == "__main__":
    sys.exit(main())
