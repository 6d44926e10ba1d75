"""The generated templates on the real server: every golden document goes in, no field is refused, and limits hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.elasticsearch import LocalElasticsearch
from local.templates import TEMPLATES, put_templates
from tools.fields import datasets, fields
from tools.write_golden import GOLDEN, expectation
from tools.write_templates import HEADROOM, templates

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


@pytest.mark.parametrize("dataset", sorted(datasets()))
def test_the_field_limit_has_headroom(dataset: str) -> None:
    """total_fields.limit counts objects and multi-fields too: all of ours fit, with room for @custom templates."""
    bodies = {path.name: json.loads(text) for path, text in templates().items()}
    counted = sum(count(bodies[f"logs-{dataset}@{part}.json"]["template"]["mappings"]) for part in ("ecs", "vendor"))
    limit = bodies[f"logs-{dataset}.json"]["template"]["settings"]["index.mapping.total_fields.limit"]
    assert counted * 1.2 < limit <= 2000, f"{counted} fields and a limit of {limit}: raise HEADROOM ({HEADROOM})"


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


def test_install_twice_changes_nothing(elasticsearch_server: LocalElasticsearch, tmp_path: Path) -> None:
    """`python -m cli install` puts the templates, tells a dry run from a real one, and finds nothing to do the second time."""
    adapted = tmp_path / "elastic"
    (adapted / "component_templates").mkdir(parents=True)
    (adapted / "index_templates").mkdir()
    from local.templates import adapt_template

    for file in TEMPLATES.glob("*_templates/*.json"):
        body = adapt_template(json.loads(file.read_text()))
        if "index_patterns" in body:  # tests of missing templates share the server
            body["index_patterns"] = [f"{pattern.removesuffix('*')}install" for pattern in body["index_patterns"]]
        body["_meta"]["run"] = str(tmp_path)  # so that this test's templates differ from those of others
        (adapted / file.parent.name / file.name).write_text(json.dumps(body))
    environment = {
        **os.environ,
        "ELASTICSEARCH_URL": elasticsearch_server.url,
        "ELASTICSEARCH_USERNAME": elasticsearch_server.admin.name,
        "ELASTICSEARCH_PASSWORD": elasticsearch_server.admin.password,
        "TEMPLATES": str(adapted),
    }
    code = "import os, pathlib, sys; from cli import install; install.TEMPLATES = pathlib.Path(os.environ['TEMPLATES']); install.app()"

    def run(*arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert all(line.startswith("would be ") for line in run("--dry-run"))
    assert all(line.startswith(("new", "changed")) for line in run())
    assert all(line.startswith("unchanged") for line in run())


def test_install_says_in_one_sentence_what_is_wrong() -> None:
    """Without an address there is one sentence that names the setting, and exit code 2."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith("ELASTICSEARCH")}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "install"], env=bare, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ELASTICSEARCH_URL: ")
    assert len(done.stderr.splitlines()) == 1
