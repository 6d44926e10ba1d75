"""Values of Defender's columns -> values Elasticsearch accepts; they report what would not convert, they do not raise.

Every converter takes (value, column, issues) and returns the value or None. `issues` collects `Issue`s: a bad value costs its field, never the
event. Absent are, in every kind, null and ""; "-" and "N/A" too, save in `wildcard` and `text`, where they can be content (streaming
envelope facts; elastic/integrations#9047).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from shared.normalise.bags import DEEPEST, SHORT, bag
from shared.normalise.bags import as_text as as_text  # noqa: PLC0414  tables have both from here
from shared.normalise.bags import opened_text as opened_text  # noqa: PLC0414  as above
from shared.normalise.mapping import Column, Kind

PLACEHOLDERS = frozenset({"", "-", "N/A", "n/a"})
LONGEST_PLACEHOLDER = 3
NO_TIMES = ("0001-01-01T00:00:00", "1601-01-01T00:00:00")  # .NET's and FILETIME's zero: no time at all
ISO_FORM = frozenset(
    {"--T::.", "--T::Z", "--T::"}
)  # every third character of 2026-01-02T03:04:05.6Z, from the fifth to the twentieth
ISO_LENGTHS = frozenset({20, *range(22, 31)})  # no fraction, or one to nine digits of it
fromisoformat = datetime.fromisoformat
LONGEST, SHORTEST = 2**63 - 1, -(2**63)
LARGEST = float.fromhex("0x1.fffffep+127")  # of 32 bits
LONGEST_ADDRESS = 45  # characters: 0000:0000:0000:0000:0000:ffff:255.255.255.255


UNKNOWN_COLUMN = "is not a column we know"


class Issue(NamedTuple):
    """A value that would not convert: its column, why, and the value as it came."""

    column: str
    reason: str
    value: Any


Issues = list[Issue]


def keyword(value: Any, column: str, issues: Issues) -> str | None:
    """Text; numbers and booleans are written out; objects and lists are refused."""
    if value.__class__ is str:
        return None if len(value) < 4 and value in PLACEHOLDERS else value
    if value.__class__ is int:  # report and logon ids
        return str(value)
    return _written_out(value, column, issues)


def wildcard(value: Any, column: str, issues: Issues) -> str | None:
    """Text in which "-" can be content, such as a command line."""
    if value.__class__ is str:
        return value or None
    return _written_out(value, column, issues)


text = wildcard


def _written_out(value: Any, column: str, issues: Issues) -> str | None:
    if value is None:
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    issues.append(Issue(column, f"expected text, got {_shape(value)}", value))
    return None


def long(value: Any, column: str, issues: Issues) -> int | None:
    """A whole number of 64 bits; "17", "17.0" and 17.0 too."""
    if value is None or (value.__class__ is str and value in PLACEHOLDERS):
        return None
    result: int | None = None
    if value.__class__ is int:
        result = value
    elif value.__class__ is float and value.is_integer():
        result = int(value)
    elif value.__class__ is str and len(value) < 40 and "_" not in value:  # Python reads 1_000 as a number
        try:
            result = int(value)
        except ValueError:
            try:
                number = float(value)
                result = int(number) if number.is_integer() else None
            except (ValueError, OverflowError):
                result = None
    if result is None or not SHORTEST <= result <= LONGEST:
        issues.append(Issue(column, f"expected a whole number of 64 bits, got {_shape(value)}", value))
        return None
    return result


def double(value: Any, column: str, issues: Issues) -> float | None:
    """A number that Elasticsearch's `float` holds, as which ECS has scores; its text too."""
    if value is None or (value.__class__ is str and value in PLACEHOLDERS):
        return None
    if (
        value.__class__ is float
        or value.__class__ is int
        or (value.__class__ is str and len(value) < 400 and "_" not in value)
    ):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            pass
        else:
            if -LARGEST <= number <= LARGEST:  # so neither infinite nor "not a number"
                return number
    issues.append(Issue(column, f"expected a number, got {_shape(value)}", value))
    return None


def latitude(value: Any, column: str, issues: Issues) -> float | None:
    """Degrees from -90 (south) to 90, as Elasticsearch's geo_point takes them; their text too."""
    return _degrees(value, column, issues, 90)


def longitude(value: Any, column: str, issues: Issues) -> float | None:
    """Degrees from -180 (west) to 180, likewise."""
    return _degrees(value, column, issues, 180)


def _degrees(value: Any, column: str, issues: Issues, most: int) -> float | None:
    number = double(value, column, issues)
    if number is None or -most <= number <= most:
        return number
    issues.append(Issue(column, f"expected degrees from -{most} to {most}, got {_shape(value)}", value))
    return None


BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def boolean(value: Any, column: str, issues: Issues) -> bool | None:
    """True and false, also as text in any case, and 1 and 0 (KQL exports)."""
    if value is True or value is False:
        return value
    if value is None or (value.__class__ is str and value in PLACEHOLDERS):
        return None
    known: bool | None = None
    if value.__class__ is str:
        known = BOOLEANS.get(value.lower()) if len(value) < 6 else None
    elif value.__class__ is int and 0 <= value <= 1:
        known = value == 1
    if known is None:
        issues.append(Issue(column, f"expected true or false, got {_shape(value)}", value))
    return known


def date(value: Any, column: str, issues: Issues) -> str | None:
    """ISO 8601 in UTC with the digits the source has (0 to 9); a missing zone means UTC; the zero times of .NET and Windows mean none.

    What comes out is what Elasticsearch's strict_date_optional_time takes: other ISO forms (basic, week, offsets) are written anew.
    """
    if value.__class__ is str:
        try:
            moment = fromisoformat(value)
            # By far the most are of this century, so no zero time, and in a form that Elasticsearch reads, with or without the Z.
            if len(value) > 18 and value[0] == "2" and value[7] == "-" and value[10] == "T" and value[16] == ":":
                zoned = value if moment.tzinfo is not None else value + "Z"
                if len(zoned) in ISO_LENGTHS and zoned[19] in ".Z" and zoned[-1] == "Z":
                    return zoned
            return _iso(value, moment)
        except (ValueError, OverflowError):
            pass
        try:
            return _iso(value.upper(), fromisoformat(value.upper()))  # ISO 8601 allows t and z, Python does not
        except (ValueError, OverflowError):
            if value in PLACEHOLDERS:
                return None
    elif value is None:
        return None
    issues.append(Issue(column, f"expected a date, got {_shape(value)}", value))
    return None


def _iso(value: str, moment: datetime) -> str | None:
    """A date as Elasticsearch takes it, None for a zero time; raises OverflowError for one that UTC's years do not hold."""
    if value[4:20:3] in ISO_FORM:
        if value[-1] != "Z" and moment.tzinfo is None:
            value += "Z"
        if value[-1] == "Z" and len(value) in ISO_LENGTHS:
            return None if value[:19] in NO_TIMES else value
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    written = aware.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    return None if written[:19] in NO_TIMES else written


def address(value: str) -> str | None:
    """The address if it is one, else None; an IPv4 address in IPv6 form (`::ffff:192.0.2.1`) is written as what it is.

    Dual-stack sockets show IPv4 peers so (RFC 4291, 2.5.5.2); as sent, network.type and community_id would not be those of the flow.
    """
    return _address(value) if len(value) <= LONGEST_ADDRESS else None


_MAPPED = bytes(10) + b"\xff\xff"


@lru_cache(maxsize=8192)
def _address(value: str) -> str | None:
    """Cached, because a fleet talks to few addresses; only short texts get here, so that the cache stays small."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
    except (OSError, ValueError):
        return None
    return socket.inet_ntop(socket.AF_INET, packed[12:]) if packed[:12] == _MAPPED else value


def ip(value: Any, column: str, issues: Issues) -> str | None:
    """An IPv4 or IPv6 address, as `address` writes it; a zone (`fe80::1%eth0`) is cut off, Elasticsearch knows none."""
    if value.__class__ is str:
        if len(value) <= LONGEST_ADDRESS and (known := _address(value)) is not None:
            return value if known == value else known  # the value itself is what fitted functions count as good
        if value in PLACEHOLDERS:
            return None
        known = address(value.partition("%")[0]) if "%" in value else None
        if known is not None:
            return known
    elif value is None:
        return None
    issues.append(Issue(column, f"expected an IP address, got {_shape(value)}", value))
    return None


def flattened(value: Any, column: str, issues: Issues) -> Any:  # noqa: ARG001  every converter takes the three
    """An object, or a list of objects, for a `flattened` field: JSON in text is opened, Python literals too, other text is kept as {"text": …}."""
    if value.__class__ is str:
        if len(value) < 4 and value in PLACEHOLDERS:
            return None
        if value[0] not in "{[":
            return {"text": value}
        try:
            opened = orjson.loads(value)
        except orjson.JSONDecodeError:
            opened = opened_text(value)
            return {"text": value} if opened is None else bag(opened)
        # Short JSON in which no key can be empty, escaped or too deep needs no look at each key.
        if (
            len(value) <= SHORT
            and '""' not in value
            and "\\" not in value
            and value.count("{") + value.count("[") < DEEPEST
        ):
            return (opened or None) if opened.__class__ is dict else bag(opened, fit=True)
        return bag(opened)
    return None if value is None else bag(value)


def _shape(value: Any) -> str:
    """How a value is named in an issue; never more of it than a glance."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return repr(value)


def many(one: Callable[[Any, str, Issues], Any], value: Any, column: str, issues: Issues) -> list[Any] | None:
    """A list out of a list, its JSON text, or one value; members that would not convert are reported and left out."""
    if value.__class__ is str and value[:1] == "[":
        opened = opened_text(value)
        value = value if opened is None else opened
    if value.__class__ is not list:
        converted = one(value, column, issues)
        return None if converted is None else [converted]
    as_is = one is keyword or one is wildcard  # what these would do with most members is told here, for speed
    result = [
        converted
        for member in value
        if (
            converted := member
            if as_is and member.__class__ is str and len(member) > LONGEST_PLACEHOLDER
            else one(member, column, issues)
        )
        is not None
    ]
    return result or None


CONVERTERS: dict[Kind, Callable[[Any, str, Issues], Any]] = {
    "keyword": keyword,
    "wildcard": wildcard,
    "text": text,
    "long": long,
    "double": double,
    "latitude": latitude,
    "longitude": longitude,
    "boolean": boolean,
    "date": date,
    "ip": ip,
    "flattened": flattened,
}


def convert(column: Column, value: Any, issues: Issues) -> Any:
    """The value of one column, by its row; the plain meaning that compiled tables repeat inline."""
    one = column.converter or CONVERTERS[column.kind]
    return many(one, value, column.source, issues) if column.many else one(value, column.source, issues)
