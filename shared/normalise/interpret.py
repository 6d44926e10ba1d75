"""What a table means, slowly and plainly: a record's columns -> a document. `compile` must agree with every word of this."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from shared.normalise import categories
from shared.normalise.bags import as_text, bag
from shared.normalise.convert import UNKNOWN_COLUMN, Issue, Issues, convert
from shared.normalise.mapping import UNMAPPED, Action, Related, Table
from shared.normalise.members import UNKNOWN_MEMBER, check, members_of
from shared.normalise.shapes import shaped

Row = Mapping[str, Any]

UNKNOWN_ACTION = "is not an ActionType we know"
ECS_VERSION = "8.17.0"
NOT_TOLD = (UNKNOWN_ACTION, UNKNOWN_MEMBER)  # for the run's report: the document has its value all the same
MOST_MESSAGES = 100  # in error.message; a list of thousands may hold thousands of bad members


def constants(table: Table, namespace: str = "default") -> dict[str, Any]:
    """The fields that are the same in every document of a table; `namespace` is that of the data stream."""
    return {
        "ecs.version": ECS_VERSION,
        "event.kind": categories.kind(table.name),
        "event.dataset": table.dataset,
        "event.module": table.dataset.partition(".")[0],
        "data_stream.type": "logs",
        "data_stream.dataset": table.dataset,
        "data_stream.namespace": namespace,
    }


def interpret(
    table: Table,
    properties: Row,
    envelope: Row,
    issues: Issues,
    *,
    duplicates: bool = False,
    namespace: str = "default",
) -> dict[str, Any]:
    """The nested document of one record; `duplicates` keeps vendor fields whose value ECS fields repeat."""
    values: dict[str, Any] = {}  # columns and fields, by name
    for column in table.columns:
        row, name = (envelope, column.source[1:]) if column.source.startswith("/") else (properties, column.source)
        value = values[column.source] = (
            convert(column, row.get(name), issues)
            if column.shape is None
            else shaped(row.get(name), column.shape, column.source, issues)
        )
        listed = members_of(table.name, column.source)
        if listed is not None and value is not None:
            check(listed, value, column.source, issues)

    fields: dict[str, Any] = constants(table, namespace)
    kind = classify(table, values.get(table.action) if table.action else None, issues)
    fields["event.category"], fields["event.type"] = list(kind.category) or None, list(kind.type)
    fields["event.outcome"] = kind.outcome
    values.update({name: fields[name] for name in ("event.category", "event.type", "event.outcome")})
    related: dict[Related, dict[str, None]] = {"hash": {}, "hosts": {}, "ip": {}, "user": {}}

    for rule in table.rules:
        if rule.when is not None and values.get(rule.when) is None:
            results: tuple[Any, ...] = (None,) * len(rule.writes)
        else:
            result = rule.function(*(values.get(name) for name in rule.reads))
            results = result if len(rule.writes) > 1 else (result,)
        for name, link, value in zip(rule.writes, rule.related, results, strict=True):
            values[name] = value
            if name[0] != "#" and (duplicates or name[0] != "~" or not rule.duplicate):
                fields[f"{table.vendor_root}.{name[1:]}" if name.startswith("~") else name] = value
            relate(related, link, value)

    for column in table.columns:
        value = values[column.source]
        for field in column.ecs:
            fields[field] = value
        if column.vendor is not None and (duplicates or not column.duplicate):
            fields[f"{table.vendor_root}.{column.vendor}"] = value
        relate(related, column.related, value)

    for name, members in related.items():
        if members:
            fields[f"related.{name}"] = list(members)
    unknown_columns(properties, table.known, issues)
    return nest(fields)


def classify(table: Table, action: str | None, issues: Issues) -> Action:
    """What a record is by its action; an action that is not known is reported and gets the table's default."""
    known = categories.lookup(table.name, action)
    if known is not None:
        return known
    if action is not None and table.action == "ActionType":
        issues.append(Issue("ActionType", UNKNOWN_ACTION, action))
    return categories.default(table.name)


def relate(related: dict[Related, dict[str, None]], link: Related | None, value: Any) -> None:
    """Add a value, or each of a list, to a `related` field, once."""
    if link is not None and value is not None:
        related[link].update(dict.fromkeys(value if isinstance(value, list) else [value]))


def unknown_columns(properties: Row, known: frozenset[str], issues: Issues) -> None:
    """Report every column with a value that the table says nothing about."""
    for name in properties.keys() - known:
        if properties[name] is not None and properties[name] != "":
            issues.append(Issue(name, UNKNOWN_COLUMN, properties[name]))


def nest(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names -> nested objects; what is None is left out, and so is an object with nothing in it."""
    root: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        *path, leaf = name.split(".")
        node = root
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = value
    return root


def carry(document: dict[str, Any], table: Table, issues: Issues) -> None:
    """Put what has no field of its own into the document: unknown columns and unconverted values in a bag, reasons in error.message."""
    unknown: dict[str, list[Any]] = {}  # several of one name where it lies in the objects of a list
    unconverted: dict[str, list[str]] = {}  # several of one column where the column is a list
    messages: dict[str, None] = {}
    for column, reason, value in sorted(issues, key=itemgetter(0)) if len(issues) > 1 else issues:
        if reason is UNKNOWN_COLUMN:
            unknown.setdefault(column, []).append(value)
        elif reason not in NOT_TOLD:
            messages[f"{column}: {reason}"] = None
            if value is not None:
                unconverted.setdefault(column, []).append(as_text(value))
    if unknown or unconverted:
        node = document
        for part in table.vendor_root.split("."):
            node = node.setdefault(part, {})
        carried = {
            column: values[0] if len(values) == 1 else values for column, values in (unknown | unconverted).items()
        }
        node[UNMAPPED] = bag(carried)
    if messages:
        told = list(messages)
        if len(told) > MOST_MESSAGES:
            told[MOST_MESSAGES:] = [f"and {len(told) - MOST_MESSAGES} more"]
        document["error"] = {"message": told}
