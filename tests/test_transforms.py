"""The transforms that are shipped and the views that the shipper writes hold the same entries, out of the same documents."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from shared.normalise.api import SOURCES, Context
from shared.normalise.latest import HELD
from shared.normalise.normaliser import Normalised, Normaliser
from shared.ship.latest import VIEWS
from tools.write_golden import ARRIVED, GOLDEN, SCAN, TENANT
from tools.write_transforms import transform

NAMESPACE = f"transforms{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def made() -> list[Normalised]:
    """The golden objects' documents."""
    normaliser, context = Normaliser(namespace=NAMESPACE), Context(tenant=TENANT, scan=SCAN, evidence=True)
    return [
        one
        for source in SOURCES
        for value in orjson.loads((GOLDEN / source / "in.json").read_bytes())
        for one in normaliser.parts(source, value, context, ARRIVED)
    ]


@pytest.fixture(scope="module")
def client(elasticsearch_server: LocalElasticsearch, made: list[Normalised]) -> Iterator[Elasticsearch]:
    """The real server, with these documents."""
    with elasticsearch_server.client(request_timeout=120) as opened:
        put_templates(opened, namespace="transforms*")
        lines: list[dict[str, Any]] = []
        for one in made:
            lines += [{"create": {"_index": one.index, "_id": one.id}}, one.document]
        assert not opened.bulk(operations=lines, require_data_stream=True, refresh=True)["errors"]
        yield opened


@pytest.mark.parametrize("name", VIEWS)
def test_a_transform_keys_as_the_shipper_does(name: str, client: Elasticsearch, made: list[Normalised]) -> None:
    """Its query and its unique_key, as the composite aggregation that such a transform runs, give the shipper's entries, key by key."""
    view, held, body = VIEWS[name], HELD[name], transform(name, VIEWS[name])
    (source,) = body["source"]["index"]
    keys = body["latest"]["unique_key"]
    sources = [{field: {"terms": {"field": field, "missing_bucket": True}}} for field in keys]
    found = client.search(
        index=f"{source.rpartition('-')[0]}-{NAMESPACE}",
        size=0,
        query=body["source"]["query"],
        aggs={"entries": {"composite": {"size": 1000, "sources": sources}}},
    )
    buckets = {
        tuple((bucket["key"][field] or "").lower() if field in held.any_case else bucket["key"][field] or "" for field in keys)
        for bucket in found["aggregations"]["entries"]["buckets"]
    }  # fmt: skip
    entries = {
        (*entry.key, NAMESPACE)
        for one in made
        for entry in one.entries
        if entry.view == name and not entry.gone
    }  # fmt: skip
    assert entries
    assert buckets == entries
    assert view.index.format(namespace="default") == body["dest"]["index"]


def test_elastics_keys_are_ours() -> None:
    """The three for findings are keyed, sorted and kept as Elastic's (elastic/integrations, read in November 2026)."""
    told = {name: transform(name, view) for name, view in VIEWS.items() if view.alias}
    namespace = "data_stream.namespace"
    assert {name: one["latest"]["unique_key"] for name, one in told.items()} == {
        "misconfiguration": ["event.id", "rule.uuid", "resource.id", namespace],
        "vulnerability_finding": [
            "event.id",
            "vulnerability.id",
            "resource.id",
            "package.name",
            "package.version",
            namespace,
        ],
        "vulnerability": ["vulnerability.id", "resource.id", "package.name", "package.version", namespace],
    }
    assert {name: one["retention_policy"]["time"] for name, one in told.items()} == {
        name: {"field": "@timestamp", "max_age": age}
        for name, age in (("misconfiguration", "26h"), ("vulnerability_finding", "26h"), ("vulnerability", "2160h"))
    }
    assert {one["latest"]["sort"] for one in told.values()} == {"@timestamp"}
    assert all("error.message" in json.dumps(one["source"]["query"]["bool"]["must_not"]) for one in told.values())


def test_views_take_several_namespaces_and_no_lifecycle() -> None:
    """Their templates hold none of what people add for data streams, and where several namespaces share one, its field is no constant."""
    from tools.write_templates import INDICES, templates

    bodies = {path.name: json.loads(text) for path, text in templates().items() if path.parent == INDICES}
    for view in VIEWS.values():
        (body,) = [one for one in bodies.values() if one["index_patterns"] == [view.pattern]]
        assert "data_stream" not in body
        assert "lifecycle" not in json.dumps(body["template"])
        assert not [name for name in body["composed_of"] if name.startswith("logs") and name.endswith("@custom")]
        properties = body["template"]["mappings"].get("properties", {})
        shared = "{namespace}" not in view.index
        assert (properties.get("data_stream") == {"properties": {"namespace": {"type": "keyword"}}}) is shared
