"""What is mapped now, asked by name: for drift that an older version saw, and for what a column should have held."""

from __future__ import annotations

from functools import lru_cache

from shared.normalise import categories
from shared.normalise.members import members_of, unknown_member
from shared.normalise.tables import carrier, table
from shared.report import Drift


@lru_cache(maxsize=512)  # names come from outside
def kind_of(name: str, column: str) -> str:
    """The kind that a table's column is mapped as; "" where it is not. Tables that we do not know are read as the carrier reads them."""
    layouts = (table(name) or carrier(name)).layouts()
    return next((row.kind for layout in layouts for row in layout.columns if row.source == column), "")


def is_mapped(drift: Drift) -> bool:
    """Whether this version knows what was drift when it was seen: the table, column, ActionType or member, or another kind for the column."""
    meaning = table(drift.table)
    if drift.kind == "type":
        return kind_of(drift.table, drift.column) != drift.expected
    if drift.kind == "enum":
        members = members_of(drift.table, drift.column)
        return members is None or unknown_member(members, drift.value) is None
    if meaning is None or drift.kind == "table":
        return meaning is not None
    if drift.kind == "action":
        return meaning.action != "ActionType" or categories.lookup(drift.table, drift.value) is not None
    return any(drift.column in layout.known for layout in meaning.layouts())


def json_type(value: object) -> str:
    """JSON's name for the type of a value.

    >>> [json_type(value) for value in ({}, [], "1", 1.5, True, None)]
    ['object', 'array', 'string', 'number', 'boolean', 'null']
    """
    return JSON_TYPES.get(type(value), "null")


JSON_TYPES = {dict: "object", list: "array", str: "string", int: "number", float: "number", bool: "boolean"}
