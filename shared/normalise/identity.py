"""A record -> the document id: time first, then a hash of what the record says.

Layout: 6 bytes of milliseconds since 1970 (big endian), 14 bytes of SHA-256 over tenant, table and the columns in a canonical
form; as base64 for URLs without padding, 27 characters. Elasticsearch stores ids of that alphabet as their 20 bytes, and sorts
them by time, so that equal prefixes compress and look-ups stay in few segments (docs/decisions/0003-document-ids.md).

The envelope takes no part: `time` differs between two deliveries of one row. The key that Defender documents for a table
is among the columns, so equal keys with different content give two documents.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.errors import Reject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
NO_TIME = bytes(6)


def document_id(tenant: str, table: str, timestamp: Any, columns: Mapping[str, Any]) -> str:
    """The `_id` of one record: the same for the same record in any process and on any Python version.

    timestamp: the column `Timestamp` as it came; without a readable one the prefix is zero. Raises `Reject` for columns that can not
    be written as JSON (nested too deeply).
    """
    digest = hashlib.sha256(f"{tenant}\n{table}\n".encode("utf-8", "replace"))
    digest.update(canonical(columns))
    raw = time_prefix(timestamp) + digest.digest()[:14]
    return b2a_base64(raw, newline=False).translate(URL_ALPHABET)[:27].decode("ascii")


def canonical(columns: Mapping[str, Any]) -> bytes:
    """The columns as bytes that do not depend on the order of keys; raises `Reject` for what can not be written."""
    try:
        return orjson.dumps(columns, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # objects within objects beyond what orjson writes
        try:
            return json.dumps(columns, sort_keys=True, separators=(",", ":")).encode()
        except (RecursionError, TypeError, ValueError) as error:
            raise Reject("too_deep", f"the record can not be written as JSON: {error}") from None


def time_prefix(timestamp: Any) -> bytes:
    """Milliseconds since 1970 in 6 bytes; zero where there is no time, or none in range."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return NO_TIME
    milliseconds = ((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND
    return milliseconds.to_bytes(6, "big") if milliseconds >= 0 else NO_TIME
