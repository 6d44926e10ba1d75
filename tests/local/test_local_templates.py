"""A template for a real cluster is made fit for the local server, and only where it must be."""

from __future__ import annotations

import copy
from typing import Any

from local.elasticsearch import LocalElasticsearch, adapt_template
from local.templates import FAMILIES

TEMPLATE: dict[str, Any] = {
    "index_patterns": ["logs-adapted.test-*"],
    "priority": 500,
    "data_stream": {"failure_store": True},
    "_meta": {"type": "wildcard"},
    "template": {
        "lifecycle": {"data_retention": "30d"},
        "data_stream_options": {"failure_store": {"enabled": True}},
        "settings": {
            "index": {
                "lifecycle": {"name": "logs"},
                "default_pipeline": "x",
                "mapping": {"total_fields": {"limit": 2000}},
            },
            "index.lifecycle.name": "logs",
            "index.codec": "best_compression",
        },
        "mappings": {
            "dynamic_templates": [
                {"text": {"match_mapping_type": "string", "mapping": {"type": "wildcard", "ignore_above": 1024}}}
            ],
            "properties": {
                "type": {"type": "constant_keyword", "value": "x"},
                "version": {"type": "version"},
                "ratio": {"type": "scaled_float", "scaling_factor": 100},
                "count": {"type": "unsigned_long"},
                "command": {"type": "wildcard", "fields": {"text": {"type": "match_only_text"}}},
                "process": {"properties": {"name": {"type": "keyword", "ignore_above": 1024}}},
                "bag": {"type": "flattened"},
            },
        },
    },
}


def test_types_become_their_families_and_nothing_else_changes() -> None:
    """Every type that the server lacks is replaced, parameters that its family does not know go, the input stays."""
    before = copy.deepcopy(TEMPLATE)

    result = adapt_template(TEMPLATE)

    assert before == TEMPLATE
    assert result == {
        "index_patterns": ["logs-adapted.test-*"],
        "priority": 500,
        "data_stream": {},
        "_meta": {"type": "wildcard"},
        "template": {
            "settings": {"index": {"mapping": {"total_fields": {"limit": 2000}}}, "index.codec": "best_compression"},
            "mappings": {
                "dynamic_templates": [
                    {"text": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}
                ],
                "properties": {
                    "type": {"type": "keyword"},
                    "version": {"type": "keyword"},
                    "ratio": {"type": "double"},
                    "count": {"type": "long"},
                    "command": {"type": "keyword", "ignore_above": 8191, "fields": {"text": {"type": "text"}}},
                    "process": {"properties": {"name": {"type": "keyword", "ignore_above": 1024}}},
                    "bag": {"type": "flattened"},
                },
            },
        },
    }


def test_the_real_server_takes_the_adapted_template(elasticsearch_server: LocalElasticsearch) -> None:
    """The server refuses each lacking type as it is, and takes the adapted template and a document for it."""
    with elasticsearch_server.client() as client:
        for kind in FAMILIES:
            refused = client.options(ignore_status=400).indices.create(
                index="not-adapted", mappings={"properties": {"x": {"type": kind}}}
            )
            assert "mapper_parsing_exception" in str(refused), kind
        client.indices.put_index_template(name="adapted", **adapt_template(TEMPLATE))
        answer = client.create(
            index="logs-adapted.test-default",
            id="1",
            document={"@timestamp": "2026-01-02T03:04:05Z", "version": "1.2.3", "ratio": 0.5, "command": "cmd /c dir"},
        )
    assert answer["result"] == "created"
