"""A made-up week in a real Elasticsearch, and what it answers to the searches of a dashboard's panels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch

from local.templates import put_templates
from tools.dashboards.search import Range, Value, body, listed, rows
from tools.dashboards.vocabulary import Dashboard, DataView, Listing, Panel, Text
from tools.dashboards.week import DAYS, TENANTS, Action

CHUNK = 4000  # documents a request
PATIENCE = 180.0  # seconds; the first request makes all data streams


END = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)  # a Wednesday afternoon: pictures and tests are the same every time
TIME = Range(END - timedelta(days=DAYS), END)


def fill(client: Elasticsearch, actions: list[Action]) -> None:
    """Put templates for the week's namespaces and what happened in it into a server; raises where a document is refused."""
    for namespace in TENANTS:
        put_templates(client, namespace=namespace)
    patient = client.options(request_timeout=PATIENCE)
    for begin in range(0, len(actions), CHUNK):
        lines = [line for action in actions[begin : begin + CHUNK] for line in action]
        answer = patient.bulk(operations=lines)
        refused = [item for item in answer["items"] if next(iter(item.values()))["status"] not in (200, 201, 409)]
        if refused:
            raise RuntimeError(f"{len(refused)} documents were refused, the first: {refused[0]}")
    patient.indices.refresh(index=",".join(f"*-{namespace}" for namespace in TENANTS))


def answers(
    client: Elasticsearch, dashboard: Dashboard, time: Range = TIME
) -> Iterator[tuple[Panel, list[tuple[Value, ...]]]]:
    """Each panel with its rows; Markdown has none."""
    asking = [panel for panel in dashboard.panels if not isinstance(panel, Text)]
    own = time.of(dashboard.last)
    searches: list[dict[str, Any]] = []
    for asked in asking:
        searches += [{"index": indices(asked.view)}, body(asked, own)]
    responses = iter(client.options(request_timeout=PATIENCE).msearch(searches=searches)["responses"])
    for panel in dashboard.panels:
        if isinstance(panel, Text):
            yield panel, []
            continue
        answer = next(responses)
        if "error" in answer:
            raise RuntimeError(f"{dashboard.key}, {panel.title}: {answer['error']}")
        yield panel, listed(panel, answer) if isinstance(panel, Listing) else rows(panel, answer)


def indices(view: DataView) -> list[str]:
    """A view's indices in the week's namespaces: a server may have others, of other tests."""
    return [
        f"{pattern.removesuffix('*')}{namespace}" if pattern.endswith("*") else pattern
        for pattern in view.pattern.split(",")
        for namespace in TENANTS
    ]
