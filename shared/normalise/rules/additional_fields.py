"""AdditionalFields and what is in it -> plain values: the object out of its text, numbers and lists out of theirs.

Defender nests JSON as text up to three times, and Zeek's values in it are text ("200", "true", "[1200.0]"). Nothing
raises: what has a wrong shape is absent.
"""

from __future__ import annotations

from typing import Any

import orjson

MOST = 100  # members kept of one list
LONGEST = 1_000_000  # characters of JSON text that are read: about what an Event Hub message can carry
_EMPTY = frozenset({"", "-", "(empty)", "<unknown>", "<init>", "unknown"})  # Zeek's words for nothing


def opened(additional_fields: Any) -> dict[str, Any]:
    """The object in AdditionalFields, as it is or out of its JSON text; empty where there is none."""
    if additional_fields.__class__ is str and additional_fields[:1] == "{" and len(additional_fields) <= LONGEST:
        try:
            additional_fields = orjson.loads(additional_fields)
        except orjson.JSONDecodeError:
            return {}
    return additional_fields if additional_fields.__class__ is dict else {}


def text(value: Any) -> str | None:
    """Text that says something; a whole number is written out."""
    if value.__class__ is str:
        return None if value in _EMPTY else value
    return str(value) if value.__class__ is int else None


def number(value: Any) -> int | None:
    """A count of at most 63 bits, from a number or its text; "1200.0" too."""
    if (value.__class__ is str and len(value) < 40) or value.__class__ in (int, float):
        try:
            whole = int(float(value) if value.__class__ is str and not value.isdecimal() else value)
        except (ValueError, OverflowError):
            return None
        return whole if 0 <= whole < 1 << 63 else None
    return None


def boolean(value: Any) -> bool | None:
    """True or false, also as text and as Zeek's T and F."""
    if value.__class__ is bool:
        return value
    return {"true": True, "t": True, "false": False, "f": False}.get(value.lower()) if value.__class__ is str else None


def members(value: Any) -> list[Any]:
    """At most `MOST` members of a list, of its JSON text, or of one value; empty for anything else."""
    if value.__class__ is str and value[:1] == "[":
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return []
    if value.__class__ is list:
        return value[:MOST]
    return [value] if value.__class__ in (str, dict) and value else []


def first(value: Any) -> str | None:
    """The first member that is text."""
    return next((told for told in map(text, members(value)) if told is not None), None)
