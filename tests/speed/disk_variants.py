"""What the event data streams' index could be like: settings laid over our own template, on plain indices of the local server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from local.templates import TEMPLATES, adapt_template, put_templates

DATASET = "m365_defender.event"
NEWEST_FIRST = {"index.sort.field": ["@timestamp"], "index.sort.order": ["desc"]}
BY_HOST = {"index.sort.field": ["host.name", "@timestamp"], "index.sort.order": ["asc", "desc"]}
# None: the setting is not set
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "default codec": {"index.codec": None},
    "best_compression": {},
    "best_compression, newest first": NEWEST_FIRST,
    "best_compression, by host": BY_HOST,
    "logsdb, source stored": {"index.mode": "logsdb", "index.mapping.source.mode": "stored"},
    "logsdb, source synthetic": {"index.mode": "logsdb", "index.mapping.source.mode": "synthetic"},
}
# Few merges: what a lookup of an id costs grows with the segments
MANY_SEGMENTS = {"index.merge.policy.segments_per_tier": 60, "index.merge.policy.max_merge_at_once": 60}


def put_all(client: Elasticsearch) -> None:
    """Put our component templates."""
    put_templates(client, namespace="default")


def make_index(client: Elasticsearch, index: str, settings: Mapping[str, Any]) -> str | None:
    """Make an index with our mapping and these settings over ours; why not, if the server refuses."""
    body = adapt_template(json.loads((TEMPLATES / "index_templates" / f"logs-{DATASET}.json").read_text()))
    del body["data_stream"]
    body |= {"index_patterns": [index], "priority": 900}
    own: dict[str, Any] = body["template"]["settings"]
    own |= {"index.number_of_shards": 1, "index.number_of_replicas": 0, **settings}
    body["template"]["settings"] = {name: value for name, value in own.items() if value is not None}
    try:
        client.indices.put_index_template(name=index, **{key.lstrip("_"): value for key, value in body.items()})
        client.indices.create(index=index)
    except ApiError as error:
        return str(error)[:400]
    return None
