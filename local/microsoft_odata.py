"""OData's query words of a list, as Microsoft's security APIs take them: only what is documented, anything else is 400."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from local.microsoft_http import Row

CLAUSE = re.compile(r"\s*([A-Za-z][\w/]*)\s+(ge|gt|le|lt|eq|ne)\s+('(?:[^']|'')*'|[^\s()']+)\s*")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip
TIMES = ("DateTime", "Time")  # endings of properties that are times


class Refused(ValueError):
    """The API does not take the query: 400, in these words."""


@lru_cache(maxsize=200_000)
def moment(text: str) -> tuple[int, int]:
    """A time as (seconds, ten millionths); raises ValueError."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?", text)
    if match is None:
        raise ValueError(text)
    zone = (match[3] or "Z").upper().replace("Z", "+00:00")
    seconds = int((datetime.fromisoformat(match[1] + zone) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds, int((match[2] or "").ljust(7, "0")[:7])


def time_of(row: Row, name: str) -> tuple[int, int]:
    """When a row was, by one of its properties; before everything where it has none."""
    try:
        return moment(str(row.get(name)))
    except ValueError:
        return (-1, 0)


def filtered(rows: Iterable[Row], words: str | None, properties: Sequence[str]) -> list[Row]:
    """The rows that a $filter lets through; raises Refused in the words of the API."""
    found = list(rows)
    for clause in re.split(r"\s+and\s+", words.strip()) if words and words.strip() else ():
        match = CLAUSE.fullmatch(clause)
        if match is None:
            raise Refused(f"Invalid filter clause: syntax error in '{clause[:100]}'.")
        name, compare, literal = match[1], COMPARE[match[2]], match[3]
        if name not in properties:
            raise Refused(f"Invalid filter clause: The property '{name}' can not be used in $filter.")
        if name.endswith(TIMES):
            try:
                bound = moment(literal)
            except ValueError:
                raise Refused(
                    f"Invalid filter clause: A binary operator with incompatible types was detected: '{literal}'."
                ) from None
            found = [row for row in found if row.get(name) is not None and compare(time_of(row, name), bound)]
        else:
            if literal[0] != "'":
                raise Refused(f"Invalid filter clause: '{literal}' is no string.")
            text = literal[1:-1].replace("''", "'")
            found = [row for row in found if compare(str(row.get(name) or ""), text)]
    return found


def number(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of the query."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise Refused(f"Invalid value '{text}' for {name} query option found. It must be a non-negative integer.")
    return int(text)


def ordered(rows: list[Row], words: str | None, properties: Sequence[str], default: str) -> list[Row]:
    """The rows in the order of $orderby; without it, newest first. Rows of one moment stand in the order of their ids, as far as anybody knows."""
    name, descending = default, True
    if words:
        parts = words.split()
        if parts[0] not in properties or parts[1:] not in ([], ["asc"], ["desc"]):
            raise Refused(f"The query specified in the URI is not valid. Could not order by '{words[:100]}'.")
        name, descending = parts[0], parts[1:] == ["desc"]
    return sorted(rows, key=lambda row: time_of(row, name), reverse=descending)


def selected(rows: list[Row], words: str | None) -> list[Row]:
    """Only the properties of $select."""
    if not words:
        return rows
    names = [name.strip() for name in words.split(",")]
    return [{name: row[name] for name in names if name in row} for row in rows]
