"""What is mapped now, asked by name: for drift that an older version saw, and for what a column should have held."""

from __future__ import annotations

from functools import lru_cache

from shared.normalise import categories
from shared.normalise.mapping import Shape, Table
from shared.normalise.members import members_of, unknown_member
from shared.normalise.tables import API, api_table, carrier, table
from shared.report import Drift


def known(name: str) -> Table | None:
    """The mapping of a table, message or part of an API object; None where there is none."""
    return api_table(name) if name in API else table(name)


def within(shape: Shape | None, path: str) -> bool:
    """Whether an object's shape knows what lies at a path below it."""
    key, _, rest = path.partition(".")
    if shape is None or key not in shape:
        return False
    kind = shape[key][1]
    return not rest or (not isinstance(kind, str) and within(kind, rest))


@lru_cache(maxsize=512)  # names come from outside
def kind_of(name: str, column: str) -> str:
    """The kind that a table's column is mapped as; "" where it is not. Tables that we do not know are read as the carrier reads them."""
    layouts = (known(name) or carrier(name)).layouts()
    return next((row.kind for layout in layouts for row in layout.columns if row.source == column), "")


def is_mapped(drift: Drift) -> bool:
    """Whether this version knows what was drift when it was seen: the table, column, ActionType or member, or another kind for the column."""
    meaning = known(drift.table)
    if drift.kind == "type":
        return kind_of(drift.table, drift.column) != drift.expected
    if drift.kind == "enum":
        members = members_of(drift.table, drift.column)
        return members is None or unknown_member(members, drift.value) is None
    if meaning is None or drift.kind == "table":
        return meaning is not None
    if drift.kind == "action":
        return meaning.action != "ActionType" or categories.lookup(drift.table, drift.value) is not None
    column, _, path = drift.column.partition(".")
    return any(
        drift.column in layout.known or any(row.source == column and within(row.shape, path) for row in layout.columns)
        for layout in meaning.layouts()
    )


def json_type(value: object) -> str:
    """JSON's name for the type of a value.

    >>> [json_type(value) for value in ({}, [], "1", 1.5, True, None)]
    ['object', 'array', 'string', 'number', 'boolean', 'null']
    """
    return JSON_TYPES.get(type(value), "null")


JSON_TYPES = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}
