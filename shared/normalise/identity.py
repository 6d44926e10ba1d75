"""A record -> the document id: time first, then a hash of what the record says.

Layout: 6 bytes of milliseconds since 1970 (big endian), 14 bytes of SHA-256; as base64 for URLs without padding, 27 characters.
Elasticsearch stores ids of that alphabet as their 20 bytes, and sorts them by time, so that equal prefixes compress and look-ups stay
in few segments (docs/decisions/0003-document-ids.md).

Hashed is the SHA-256 of `["<tenant>","<table>",["<column>",…]]`, then the values as a JSON list, columns and keys in the order of their
code points, without blanks. So neither the order of keys nor blanks nor escapes count, and the names, which are the same in many records,
are written and hashed once.

The envelope takes no part: `time` differs between two deliveries of one row. The key that Defender documents for a table
is among the columns, so equal keys with different content give two documents.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson

from shared.errors import Reject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
NO_TIME = bytes(6)
MOST_TABLES, MOST_NAMES, LONGEST_NAMES = (
    256,
    16,
    16_384,
)  # tenants' tables, sets of columns of each, characters of such a set


class Names:
    """What records of one tenant and table with the same columns have in common: the columns in order, and the digest of all that."""

    __slots__ = ("_digest", "columns", "values")

    def __init__(self, tenant: str, table: str, columns: tuple[str, ...]) -> None:
        """columns: sorted. Raises `Reject` for names that can not be written as JSON.

        `values` takes a record's columns and gives their values in order; it raises KeyError where one is not there.
        """
        self.columns = columns
        self._digest = hashlib.sha256(canonical([tenant, table, self.columns])).digest()
        # itemgetter gives no tuple for a single name
        self.values: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            itemgetter(*self.columns) if len(self.columns) > 1 else lambda row: [row[name] for name in self.columns]
        )

    def document_id(self, timestamp: Any, values: Sequence[Any]) -> str:
        """The `_id` of a record with these values; raises `Reject` where they can not be written as JSON (nested too deeply).

        timestamp: the column `Timestamp`, or a message's own time, as it came; without a readable one the prefix is zero.
        """
        try:
            content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)  # what `canonical` does, less a call
        except orjson.JSONEncodeError:
            content = canonical(values)
        digest = hashlib.sha256(self._digest + content).digest()
        raw = time_prefix(timestamp) + digest[:14]
        return b2a_base64(raw, newline=False).translate(URL_ALPHABET)[:27].decode("ascii")


latest: dict[tuple[str, str, int], Names] = {}  # (tenant, table, number of columns) -> the names of the record before
known: dict[tuple[str, str], dict[tuple[str, ...], Names]] = {}  # (tenant, table) -> sorted columns -> their names


def names_and_values(tenant: str, table: str, columns: Mapping[str, Any]) -> tuple[Names, Sequence[Any]]:
    """What a record has in common with others, and its values in the order of the names.

    Worked out once for many records, because most records of a table have the same columns as one before. Raises `Reject` for names
    that can not be written as JSON.
    """
    before = latest.get((tenant, table, len(columns)))
    if before is not None:
        try:
            return before, before.values(columns)
        except KeyError:  # as many columns, but others
            before = None
    names = _names(tenant, table, tuple(sorted(columns)))
    return names, names.values(columns)


def _names(tenant: str, table: str, columns: tuple[str, ...]) -> Names:
    """The names from among those that are known; kept within bounds, because tenants, tables and names come from outside."""
    try:
        names = known[tenant, table][columns]
    except KeyError:
        names = Names(tenant, table, columns)
        if len(tenant) + len(table) + sum(map(len, columns)) > LONGEST_NAMES:
            return names
        if len(known) >= MOST_TABLES:
            known.clear()
            latest.clear()
        seen = known.setdefault((tenant, table), {})
        if len(seen) >= MOST_NAMES:
            seen.clear()
            latest.clear()
        seen[columns] = names
    latest[tenant, table, len(columns)] = names
    return names


def document_id(tenant: str, table: str, timestamp: Any, columns: Mapping[str, Any]) -> str:
    """The `_id` of one record: the same for the same record in any process and on any Python version. Raises `Reject` as `Names` does."""
    names, values = names_and_values(tenant, table, columns)
    return names.document_id(timestamp, values)


def part_id(tenant: str, table: str, key: Sequence[str], version: str) -> str:
    """The `_id` of a version of a thing that is polled: the time prefix is the version's, where it is a time. Raises `Reject` as `Names` does."""
    digest = hashlib.sha256(canonical([tenant, table, list(key), version])).digest()
    raw = time_prefix(version) + digest[:14]
    return b2a_base64(raw, newline=False).translate(URL_ALPHABET)[:27].decode("ascii")


def canonical(value: Any) -> bytes:
    """A JSON value as bytes that do not depend on the order of keys; raises `Reject` for what can not be written."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # objects within objects beyond what orjson writes
        try:
            return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        except (RecursionError, TypeError, ValueError) as error:
            raise Reject("too_deep", f"the record can not be written as JSON: {error}") from None


def time_prefix(timestamp: Any) -> bytes:
    """Milliseconds since 1970 in 6 bytes; zero where there is no time, or none in range."""
    if timestamp is None:
        return NO_TIME
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return NO_TIME
    passed = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - EPOCH
    milliseconds = passed.days * 86_400_000 + passed.seconds * 1000 + passed.microseconds // 1000
    return milliseconds.to_bytes(6, "big") if milliseconds >= 0 else NO_TIME
