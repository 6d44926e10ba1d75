"""The fields of run documents (shared/runs.py) -> their Elasticsearch types, for templates and docs/runs.md."""

from __future__ import annotations

from shared.runs import DATASET

RUN = f"{DATASET}."
# fmt: off
COMMON = {
    "@timestamp": "date", "data_stream.dataset": "constant_keyword", "data_stream.namespace": "constant_keyword",
    "data_stream.type": "constant_keyword", "error.message": "match_only_text", "event.dataset": "constant_keyword",
    "event.duration": "long", "event.ingested": "date", "event.kind": "keyword", "event.module": "constant_keyword",
    "event.outcome": "keyword", "event.start": "date",
}
OWN = {
    "source": "keyword", "tenant": "keyword", "result": "keyword", "runs": "long", "failed": "long", "received": "long",
    "indexed": "long", "duplicate": "long", "filtered": "long", "dead_lettered": "long", "held": "long",
    "requests": "long", "retries": "long", "lag_seconds": "double", "elasticsearch_seconds": "double",
    "unknown_tables": "keyword", "unknown_columns": "keyword", "version": "keyword",
}
# fmt: on


def run_fields() -> tuple[dict[str, str], dict[str, str]]:
    """ECS fields and our own, sorted by name."""
    return dict(sorted(COMMON.items())), {RUN + name: kind for name, kind in sorted(OWN.items())}
