"""The mapping -> infra/elastic/: component templates for ECS and vendor fields, an index template for each data stream, lifecycle, pipeline."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cli.install.lifecycle import policies
from shared.runs import DATASET as RUN_DATASET
from shared.ship.latest import VIEWS
from tools.fields import datasets, fields
from tools.freshness import write_or_compare
from tools.latest_template import latest_template, template_name
from tools.places import COMPONENT, PIPELINE, places_component, places_pipeline
from tools.run_fields import run_fields

FOLDER = Path(__file__).resolve().parent.parent / "infra" / "elastic"
COMPONENTS, INDICES = FOLDER / "component_templates", FOLDER / "index_templates"
PIPELINES, POLICIES = FOLDER / "ingest_pipelines", FOLDER / "ilm_policies"
ABOVE_BUILT_IN = 250  # the built-in logs-*-* has 100, Fleet's own packages 200
HEADROOM = 1.4  # of fields, for @custom templates and dynamic ones
# How documents lie on disk: codec, sort and the like, for every index template: docs/decisions/0012-how-documents-lie-on-disk.md.
STORAGE: dict[str, Any] = {"index.codec": "best_compression"}
# Days that documents are kept where Elastic's integration has a number of its own (its lifecycle.yml); all else is kept for ever.
DAYS_KEPT = {"microsoft_defender_cloud.assessment": 7}
# Multi-fields: .text for words, where ECS has it (elastic/ecs, multi_fields in generated/ecs/ecs_flat.yml) ...
TEXT_FIELDS = frozenset(
    {
        "email.subject", "entity.name", "entity.target.name", "file.path", "host.os.full", "host.os.name", "organization.name",
        "process.command_line", "process.executable", "process.name", "process.parent.command_line",
        "process.parent.executable", "process.parent.name", "process.parent.user.name", "process.parent.working_directory",
        "process.user.name", "process.working_directory", "source.as.organization.name", "source.user.name",
        "threat.technique.name", "threat.technique.subtechnique.name", "url.full", "url.original", "user.full_name", "user.name",
        "user.target.full_name", "user.target.name", "user_agent.original", "user_agent.os.name", "vulnerability.description",
    }
)  # fmt: skip
# ... and .caseless for names in any case: process.name's is asked by 150 of the rules that name our data streams, the others are what
# Elastic Defend has (rules and hunts written for it), and the fields that rules compare most and whose case Windows does not heed.
CASELESS_FIELDS = frozenset(
    {
        "dll.name", "dll.path", "file.name", "file.path", "process.command_line", "process.executable", "process.name",
        "process.parent.command_line", "process.parent.executable", "process.parent.name", "process.parent.working_directory",
        "process.pe.original_file_name", "process.working_directory", "registry.path", "registry.value",
    }
)  # fmt: skip
TEXT = {"type": "match_only_text"}
CASELESS = {"type": "keyword", "ignore_above": 8191, "normalizer": "lowercase"}
# Fields that no template names (of @custom pipelines): strings are keywords, and paths and programs can be asked in any case too.
DYNAMIC: list[dict[str, Any]] = [
    {
        "names_in_any_case": {
            "match_mapping_type": "string",
            "path_match": ["*process.name", "*process.parent.name", "*.executable", "*.command_line", "*.working_directory"],
            "mapping": {"type": "keyword", "ignore_above": 1024, "fields": {"caseless": CASELESS}},
        }
    },
    {"text_as_keyword": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}},
]  # fmt: skip
SEARCHED = [
    "message",
    "process.command_line",
    "file.path",
    "user.name",
    "host.name",
    "related.*",
]  # without a field's name


def mapping_of(field: str, kind: str, dataset: str) -> dict[str, Any]:
    """One field's mapping."""
    constant = constants_of(dataset)
    if field in constant:
        return {"type": "constant_keyword", "value": constant[field]}
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
    more: dict[str, Any] = {}
    if field in TEXT_FIELDS:
        more["text"] = TEXT
    if field in CASELESS_FIELDS:
        more["caseless"] = CASELESS
    if more:
        known["fields"] = more
    return known


def constants_of(dataset: str) -> dict[str, str]:
    """Fields with one value in all documents of a dataset, constant_keyword as in Elastic's package: no shard of another is searched."""
    return {
        "data_stream.type": "logs",
        "data_stream.dataset": dataset,
        "event.dataset": dataset,
        "event.module": dataset.partition(".")[0],
    }


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
    """The index template of one dataset's data streams, of so many fields. What people add in @custom component templates is honoured."""
    custom = ["logs@custom", f"{dataset.partition('.')[0]}@custom", f"logs-{dataset}@custom"]
    return {
        "index_patterns": [f"logs-{dataset}-*"],
        "data_stream": {},
        "priority": ABOVE_BUILT_IN,
        "composed_of": [f"logs-{dataset}@ecs", f"logs-{dataset}@vendor", *custom],
        "ignore_missing_component_templates": custom,
        "template": {
            "settings": STORAGE
            | {
                "index.mapping.total_fields.limit": int(number * HEADROOM // 100 + 2) * 100,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
                "index.mapping.ignore_malformed": False,  # a value of a wrong type is a dead letter, and never silently not searchable
                "index.query.default_field": SEARCHED,
            },
            "mappings": {"date_detection": False, "dynamic_templates": DYNAMIC},
            "lifecycle": {"enabled": True}
            | ({"data_retention": f"{DAYS_KEPT[dataset]}d"} if dataset in DAYS_KEPT else {}),
        },
        "_meta": {"description": f"Microsoft Defender: {dataset}", "managed_by": "defender-to-elasticsearch"},
    }


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
        of_stream = index_template(view.dataset, len(fields(view.dataset)))
        files[INDICES / f"{template_name(view)}.json"] = latest_template(view, of_stream)
    files[COMPONENTS / f"{COMPONENT}.json"] = places_component()
    files[PIPELINES / f"{PIPELINE}.json"] = places_pipeline()
    files |= {POLICIES / f"{name}.json": body for name, body in policies((None, *DAYS_KEPT.values())).items()}
    files |= run_templates()
    return {path: json.dumps(body, indent=2, sort_keys=True) + "\n" for path, body in files.items()}


def main() -> int:
    """Write the files, or with --check say whether they are fresh; folders of other kinds are left alone."""
    kinds = ("component_templates", "index_templates", "ingest_pipelines", "ilm_policies")
    files = templates()
    return max(
        write_or_compare(
            {path: text for path, text in files.items() if path.parent.name == kind}, FOLDER, f"{kind}/*.json"
        )
        for kind in kinds
    )


if __name__ == "__main__":
    sys.exit(main())
