"""A scan of everything: when the next one is due, and what an unfinished one still has to do, in the cursor's `work`.

{"scan": "2026-01-02T00:17:00Z", …what the walk needs…}       and, in `watermark`, when the last complete scan began
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.poll.moment import EPOCH, SECOND, ticks
from shared.poll.source import Span, Start

MOST_INTERVALS = 7


def scan_of(start: Start, span: Span, hours: float) -> Mapping[str, Any] | None:
    """The work of the scan to go on with, a new one's, or None while none is due.

    An unfinished scan goes on, however long it takes; but one that has read everything and only owes some is given up when a new one is due,
    which brings them too, and so is one that makes no end for many intervals.
    """
    now = int((span.now - EPOCH) / timedelta(microseconds=1)) * 10
    interval = int(hours * 3600) * SECOND
    work = start.work if start.work and ticks(start.work.get("scan")) is not None else None
    if work is not None and span.since is None:
        age = now - (ticks(work["scan"]) or 0)
        if age < (interval if work.get("done") else interval * MOST_INTERVALS):
            return work
    last = ticks(start.watermark)
    if span.since is None and work is None and last is not None and now - last < interval:
        return None
    return {"scan": iso_of(span)}


def iso_of(span: Span) -> str:
    """When a scan that begins now begins."""
    return span.now.strftime("%Y-%m-%dT%H:%M:%SZ")
