"""The mapping -> every field it can write, with its Elasticsearch type: the one list that docs and templates are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.normalise.interpret import constants
from shared.normalise.mapping import UNMAPPED, Kind, Table
from shared.normalise.shapes import paths_of
from shared.normalise.tables import all_tables, carrier
from shared.normalise.tables.cloud_entities import object_fields
from tools.schema import ecs_levels, ecs_types, elastic_types, type_of

KIND_TYPES: dict[Kind, str] = {
    "keyword": "keyword",
    "wildcard": "wildcard",
    "text": "match_only_text",
    "long": "long",
    "double": "double",
    "latitude": "double",
    "longitude": "double",
    "boolean": "boolean",
    "date": "date",
    "ip": "ip",
    "flattened": "flattened",
    "object": "object",
    "geo_point": "geo_point",
}
RELATED_TYPES = {"related.hash": "keyword", "related.hosts": "keyword", "related.ip": "ip", "related.user": "keyword"}
ALWAYS = {
    "event.category": "keyword", "event.type": "keyword", "event.outcome": "keyword", "event.ingested": "date",
    "event.original": "keyword", "error.message": "match_only_text", "data_stream.namespace": "constant_keyword",
    "@timestamp": "date", **RELATED_TYPES,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """One row of a mapping: what it reads, the field it writes, and how."""

    table: str
    source: str  # a column, or the columns a rule reads
    field: str
    type: str
    rule: str | None  # the rule's function, or None where the value is copied
    duplicate: bool = False  # a vendor field kept only by setting


def uses(table: Table) -> Iterator[Use]:
    """Every field that records of a table can fill, in the order the table says it."""
    seen: set[tuple[str, str]] = set()
    for layout in table.layouts():
        for use in _layout(table.name, layout):
            if (use.source, use.field) not in seen:
                seen.add((use.source, use.field))
                yield use


def _layout(name: str, table: Table) -> Iterator[Use]:
    for column in table.columns:
        source = column.source.removeprefix("/") if column.source.startswith("/") else column.source
        source = f"{source} (envelope)" if column.source.startswith("/") else source
        for field in column.ecs:
            yield Use(name, source, field, type_of(field) or KIND_TYPES[column.kind], None)
        if column.vendor is not None:
            field = f"{table.vendor_root}.{column.vendor}"
            yield Use(name, source, field, vendor_type(table.dataset, field, column.kind), None, column.duplicate)
            for path, below, kind in paths_of(column.shape, source, field) if column.shape is not None else ():
                yield Use(name, path, below, vendor_type(table.dataset, below, kind), None, column.duplicate)
    for rule in table.rules:
        read = ", ".join(name.removeprefix("/") for name in rule.reads if name)
        for write, kind in zip(rule.writes, rule.kinds, strict=True):
            if write.startswith("~"):
                field = f"{table.vendor_root}.{write[1:]}"
                kept = vendor_type(table.dataset, field, kind)
                yield Use(name, read, field, kept, rule.function.__name__, rule.duplicate)
            elif not write.startswith("#"):
                yield Use(name, read, write, type_of(write) or KIND_TYPES[kind], rule.function.__name__)


def vendor_type(dataset: str, field: str, kind: Kind) -> str:
    """Elastic's own type where its package has the field (a date stays a date there too), else the kind's."""
    return elastic_types(dataset).get(field) or KIND_TYPES[kind]


def datasets() -> dict[str, list[Table]]:
    """Dataset -> the tables whose documents it holds, the carrier of unknown ones last."""
    found: dict[str, list[Table]] = {}
    for table in (*all_tables(), carrier("(unknown tables)"), carrier("(unknown messages)", cloud=True)):
        found.setdefault(table.dataset, []).append(table)
    return found


def fields(dataset: str) -> dict[str, str]:
    """Every field that documents of a dataset can have -> its Elasticsearch type, sorted by name."""
    found = dict(ALWAYS)
    for table in datasets()[dataset]:
        found |= {name: type_of(name) or "keyword" for name in constants(table)}
        found[f"{table.vendor_root}.{UNMAPPED}"] = "flattened"
        for use in uses(table):
            if use.type in ("object", "nested"):
                below = ecs_types() | {
                    f"{table.vendor_root}.{name}": KIND_TYPES[kind] for name, kind in object_fields().items()
                }
                below |= elastic_types(dataset)
                found |= {name: kind for name, kind in below.items() if name.startswith(f"{use.field}.")}
            if use.type != "object":  # a nested field (email.attachments) has to be named itself as well
                found[use.field] = use.type
    return dict(sorted(found.items()))


def level(field: str) -> str:
    """core, extended, or where else the field comes from."""
    known = ecs_levels().get(field)
    return known or ("vendor" if field.startswith(("m365_defender.", "microsoft_defender_cloud.")) else "Elastic")
