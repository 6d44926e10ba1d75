"""Times as ticks of 100 ns since 1970, the finest that Microsoft writes, so that they can be compared and go back with all their digits."""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECOND = 10_000_000  # ticks
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


def ticks(text: object) -> int | None:
    """An ISO 8601 text as ticks since 1970; None where it is none. Without a zone it is UTC, as Microsoft means it."""
    match = MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    zone = (match[3] or "Z").upper()
    try:
        passed = datetime.fromisoformat(match[1] + ("+00:00" if zone == "Z" else zone)) - EPOCH
    except ValueError:
        return None
    fraction = int((match[2] or "0").ljust(9, "0")[:7])
    return (passed.days * 86_400 + passed.seconds) * SECOND + fraction


def iso(moment: int) -> str:
    """Ticks as text: whole seconds, or seven digits of a fraction."""
    seconds, fraction = divmod(moment, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:07}Z" if fraction else f"{text}Z"
