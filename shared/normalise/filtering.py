"""Which records a setting leaves out, before anything is done with them, by exact name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.normalise.decode import Record

type Filter = Callable[[Record, str], bool]
type Clause = tuple[str, str | None, float]  # (table, ActionType or None for all, share of records kept)

SCALE = 2**32


def record_filter(clauses: Sequence[Clause]) -> Filter | None:
    """(record, document id) -> whether it is left out; None where nothing is. A clause with an ActionType wins over its table's.

    A share is decided by the document id, so that a record that comes again meets the same fate.
    """
    if not clauses:
        return None
    shares = {(table, action): round(share * SCALE) for table, action, share in clauses}
    tables = {table for table, _, _ in clauses}

    def left_out(record: Record, id: str) -> bool:
        if record.table not in tables:
            return False
        action = record.properties.get("ActionType")
        share = shares.get((record.table, action)) if isinstance(action, str) else None
        if share is None:
            share = shares.get((record.table, None), SCALE)
        return share < SCALE and draw(id) >= share

    return left_out


def draw(id: str) -> int:
    """A number from 0 to 2**32 - 1, evenly spread over document ids: their last characters are a hash's."""
    value = 0
    for character in id[-8:-2]:  # six of 64 values; the last may be padded
        value = value * 64 + ALPHABET[character]
    return value >> 4


ALPHABET = {c: n for n, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")}
