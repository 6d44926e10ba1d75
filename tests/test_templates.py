"""The generated templates on the real server: every golden document goes in, no field is refused, and limits hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.install.mappings import composed, fields_of
from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from tools.fields import datasets, fields
from tools.places import COMPONENT as PLACES
from tools.schema import ecs_types, elastic_types
from tools.write_golden import GOLDEN, expectation
from tools.write_templates import HEADROOM, TEXT_FIELDS, templates

ROOT = Path(__file__).resolve().parent.parent


def test_every_field_of_the_golden_documents_is_in_the_templates() -> None:
    """No golden document has a field that the templates do not name: nothing is left to dynamic mapping."""
    for folder in sorted(GOLDEN.iterdir()):
        for made in expectation(folder, duplicates=True):
            known = fields(made["_index"].removeprefix("logs-").removesuffix("-default"))
            bags = tuple(f"{name}." for name, kind in known.items() if kind in ("flattened", "geo_point"))
            strangers = [f for f in leaf_names(made["_source"]) if f not in known and not f.startswith(bags)]
            assert not strangers, f"{folder.name}: {strangers} are in no template; the mapping's rows do not say them"


def leaf_names(value: object, path: str = "") -> set[str]:
    """Names of all fields that hold a value."""
    if isinstance(value, dict):
        return {name for key, item in value.items() for name in leaf_names(item, f"{path}.{key}" if path else key)}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {name for item in value for name in leaf_names(item, path)}
    return {path}


@pytest.mark.parametrize("name", sorted(path.stem for path in templates() if path.parent.name == "index_templates"))
def test_the_field_limit_has_headroom(name: str) -> None:
    """total_fields.limit counts objects and multi-fields too: all of ours fit, those of --geoip as well, with room for @custom templates."""
    bodies = {path.stem: json.loads(text) for path, text in templates().items()}
    parts = [part for part in bodies[name]["composed_of"] if part in bodies]
    assert len(parts) == 2
    counted = sum(count(bodies[part]["template"]["mappings"]) for part in (*parts, PLACES))
    limit = bodies[name]["template"]["settings"]["index.mapping.total_fields.limit"]
    assert counted * 1.1 < limit <= 2000, f"{counted} fields and a limit of {limit}: raise HEADROOM ({HEADROOM})"


RULE_FIELDS = ROOT.parent / "shared" / "facts" / "detection_rule_fields.json"
WINDOWS_NAMES = (
    "name",
    "executable",
    "command_line",
    "path",
    "original_file_name",
    "value",
)  # ends of fields that are names there


def test_names_that_rules_compare_can_be_asked_in_any_case() -> None:
    """Names, paths and command lines that ten public rules or more compare have .caseless; process.name's is asked by rules themselves."""
    if not RULE_FIELDS.exists():
        pytest.skip("the facts beside the project are not here")
    rules = json.loads(RULE_FIELDS.read_text())["fields"]
    asked = {name for name, said in rules.items() if said["rules"] >= 10 and name.endswith(WINDOWS_NAMES)}
    known = dict(fields_of(mapping("m365_defender.event")))
    assert "process.name" in asked
    assert sorted(name for name in asked if f"{name}.caseless" not in known) == []


def test_text_multi_fields_are_those_of_ecs() -> None:
    """Each field of ECS with a .text has one here, wherever documents have the field; no other field has."""
    for dataset in datasets():
        known = dict(fields_of(mapping(dataset)))
        has = {
            name.removesuffix(".text")
            for name, field in known.items()
            if field == {"type": "match_only_text"} and name.endswith(".text")
        }
        assert has == {name for name in known if name in TEXT_FIELDS}


def test_types_are_those_of_ecs_and_of_elastics_package() -> None:
    """Every field has ECS' type, or the package's where ECS has none; float is double, and what is alone in its kind is said here."""
    wider = {("float", "double"), ("scaled_float", "double"), ("keyword", "constant_keyword")}
    ours_on_purpose = {"observer.vendor", "vulnerability.scanner.vendor"}  # constants there, a value of the record here
    for dataset in datasets():
        for name, field in fields_of(mapping(dataset)):
            want = ecs_types().get(name) or elastic_types(dataset).get(name)
            same = want in (None, field["type"]) or (want, field["type"]) in wider or name in ours_on_purpose
            assert same, f"{dataset}: {name} is {field['type']}, and {want} elsewhere"


def mapping(dataset: str) -> dict[str, Any]:
    """The whole mapping of a data stream's new index."""
    bodies = {path.stem: json.loads(text) for path, text in templates().items()}
    whole: dict[str, Any] = composed(bodies[f"logs-{dataset}"], bodies)["mappings"]
    return whole


def count(node: object) -> int:
    """Mappers of a mapping: fields, objects and multi-fields."""
    if not isinstance(node, dict):
        return 0
    here = sum(len(node[key]) for key in ("properties", "fields") if isinstance(node.get(key), dict))
    return here + sum(count(item) for key in ("properties", "fields") for item in (node.get(key) or {}).values())


def test_golden_documents_are_accepted(elasticsearch_server: LocalElasticsearch) -> None:
    """Every golden document, duplicates kept or not, is indexed by the real server under our templates."""
    client = elasticsearch_server.client()
    put_templates(client, namespace="golden*")
    lines: list[dict[str, Any]] = []
    for folder in sorted(GOLDEN.iterdir()):
        for duplicates in (False, True):
            for made in expectation(folder, duplicates=duplicates):
                index = made["_index"].removesuffix("default") + ("golden_duplicates" if duplicates else "golden")
                lines += [
                    {"create": {"_index": index, "_id": made["_id"]}},
                    made["_source"],
                ]
    patient = client.options(request_timeout=120)  # all data streams are made by this one request
    answer = patient.bulk(operations=lines, require_data_stream=True, refresh=True)
    refused = [item["create"] for item in answer["items"] if item["create"]["status"] != 201]
    assert not refused
    found = client.search(index="logs-m365_defender.event-golden", query={"term": {"process.name.caseless": "reg.exe"}})
    assert found["hits"]["total"]["value"] == 1


def test_install_says_in_one_sentence_what_is_wrong() -> None:
    """Without an address there is one sentence that names the setting, and exit code 2."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("ELASTICSEARCH")}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "install"], env=bare, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ELASTICSEARCH_URL: ")
    assert len(done.stderr.splitlines()) == 1
