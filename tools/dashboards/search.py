"""A panel -> the search that Kibana would run for it, and what it answers as rows: the groups' keys, then the measures' values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.dashboards.kql import to_query
from tools.dashboards.lens import buckets, measures
from tools.dashboards.vocabulary import Group, Lens, Listing, Measure, Parts, Time, Top

Json = dict[str, Any]
Value = str | float | None
ORDER = "order"
MOST_COLUMNS = 60  # of a chart over time: what Kibana aims at
STEPS = {"1m": 60, "5m": 300, "10m": 600, "30m": 1800, "1h": 3600, "3h": 10_800, "12h": 43_200, "1d": 86_400}
UNITS = {"m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Range:
    """The time that is looked at."""

    start: datetime
    end: datetime

    def of(self, last: str) -> Range:
        """The range that a panel has of its own, with the same end."""
        return self if not last else Range(self.end - timedelta(seconds=int(last[:-1]) * UNITS[last[-1]]), self.end)

    @property
    def filter(self) -> Json:
        """Documents of this time."""
        return {"range": {"@timestamp": {"gte": _stamp(self.start), "lte": _stamp(self.end)}}}

    @property
    def step(self) -> str:
        """The interval of a chart over it."""
        seconds = (self.end - self.start).total_seconds()
        return next((step for step, size in STEPS.items() if seconds / size <= MOST_COLUMNS), "1d")


def body(panel: Lens | Listing, time: Range) -> Json:
    """The search of a panel."""
    if isinstance(panel, Listing):
        query = {"bool": {"filter": [time.filter, to_query(panel.where)]}}
        return {"size": 50, "query": query, "sort": [{"@timestamp": "desc"}], "_source": list(panel.columns)}
    own = time.of(panel.last)
    inner: Json = {id: _measure(measure) for id, measure in measures(panel)}
    for id, group in reversed(buckets(panel)):
        order = {ORDER: _measure(panel.measures[0])} if isinstance(group, Top) else {}
        inner = {id: _bucket(group, own, panel.measures[0]) | {"aggs": inner | order}}
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [own.filter, to_query(panel.where)]}},
        "aggs": inner,
    }


def rows(panel: Lens, answer: Json) -> list[tuple[Value, ...]]:
    """Rows of the answer, a split first; groups without documents, and those whose measures are all empty, are left out, as Kibana leaves them out of a table."""
    result: list[tuple[Value, ...]] = []
    groups, values = buckets(panel), measures(panel)
    turned = panel.chart == "bars" and panel.split is not None

    def walk(level: int, node: Json, keys: tuple[Value, ...]) -> None:
        if level == len(groups):
            found = tuple(_read(measure, node[id]) for id, measure in values)
            if any(value not in (None, 0) for value in found):
                result.append((*(keys[::-1] if turned else keys), *found))
            return
        id, group = groups[level]
        if isinstance(group, Parts):
            for label, _ in group.parts:
                walk(level + 1, node[id]["buckets"][label], (*keys, label))
            return
        for bucket in node[id]["buckets"]:
            walk(level + 1, bucket, (*keys, bucket.get("key_as_string", bucket["key"])))

    walk(0, answer["aggregations"], ())
    return result


def listed(panel: Listing, answer: Json) -> list[tuple[Value, ...]]:
    """Rows of a listing: a column's value, or values with commas."""
    return [tuple(pick(hit["_source"], column) for column in panel.columns) for hit in answer["hits"]["hits"]]


def _bucket(group: Group, time: Range, order: Measure) -> Json:
    if isinstance(group, Time):
        step = time.step if group.interval == "auto" else group.interval
        bounds = {"min": _stamp(time.start), "max": _stamp(time.end)}
        return {"date_histogram": {"field": group.field, "fixed_interval": step, "min_doc_count": 0, "extended_bounds": bounds}}  # fmt: skip
    if isinstance(group, Parts):
        return {"filters": {"filters": {label: to_query(kql) for label, kql in group.parts}}}
    return {"terms": {"field": group.field, "size": group.size, "order": {_order(order): "desc"}}}


def _order(measure: Measure) -> str:
    """What the values of a field are ordered by, at every level: the panel's first measure of the whole group."""
    if measure.kind == "count":
        return ORDER
    path = f"{ORDER}>value" if measure.where else ORDER
    return f"{path}.{measure.percent}" if measure.kind == "percentile" else path


def _measure(measure: Measure) -> Json:
    names = {"unique": "cardinality", "sum": "sum", "average": "avg", "maximum": "max"}
    if measure.kind == "count":
        return {"filter": to_query(measure.where)}
    if measure.kind == "percentile":
        inner: Json = {"percentiles": {"field": measure.field, "percents": [measure.percent]}}
    elif measure.kind == "last":
        # Lens asks for the newest document that has the field
        newest = {"size": 1, "sort": [{"@timestamp": "desc"}], "_source": [measure.field]}
        where = to_query(measure.where or f"{measure.field}: *")
        return {"filter": where, "aggs": {"value": {"top_hits": newest}}}
    else:
        inner = {names[measure.kind]: {"field": measure.field}}
    return {"filter": to_query(measure.where), "aggs": {"value": inner}} if measure.where else inner


def _read(measure: Measure, node: Json) -> Value:
    if measure.kind == "count":
        return int(node["doc_count"])
    below = node.get("value")
    node = below if isinstance(below, dict) else node  # below a filter
    if measure.kind == "last":
        hits = node["hits"]["hits"]
        return pick(hits[0]["_source"], measure.field) if hits else None
    if measure.kind == "percentile":
        value = next(iter(node["values"].values()))
        return None if value is None else float(value)
    if "value_as_string" in node:
        return str(node["value_as_string"])
    return None if node["value"] is None else float(node["value"])


def pick(source: Json, column: str) -> Value:
    """A field's value out of a document, whose objects may be lists."""
    found: list[Any] = [source]
    for part in column.split("."):
        found = [item for node in found for item in (node if isinstance(node, list) else [node])]
        found = [node[part] for node in found if isinstance(node, dict) and part in node]
    flat = [item for node in found for item in (node if isinstance(node, list) else [node])]
    if len(flat) == 1 and isinstance(flat[0], int | float) and not isinstance(flat[0], bool):
        return float(flat[0])
    return ", ".join(dict.fromkeys(map(str, flat))) or None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
