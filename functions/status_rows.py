"""What blobs say of a source -> one row of the status page: a verdict with its reason, and the facts. Pure: the moment is told.

Blobs are read as what they are, text from outside: what is not of the expected kind counts as not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shared.report import OUTCOMES

Verdict = Literal["broken", "attention", "unknown", "waiting", "well"]
WORST_FIRST: tuple[Verdict, ...] = ("broken", "attention", "unknown", "waiting", "well")

MOST_LAG = 900.0  # seconds that messages may be old when they are shipped
MOST_PERIODS = 3  # without a sweep that ended well
# Seconds without anything after which a hub is looked at: XDR's export never rests, Defender for Cloud's may for days.
SILENT: Mapping[str, float] = {"xdr": 3_600.0, "defender_cloud": 7 * 86_400.0}
RECENT = timedelta(hours=24)  # dead letters and drift that are news
HOUR = timedelta(hours=1)  # a dead letter's blob tells no more than that


@dataclass(frozen=True, slots=True)
class CursorFact:
    """A cursor: its blob's name, how far it has read, when it was written, whether it is being read, or why it is none."""

    name: str
    watermark: datetime | None = None
    updated: datetime | None = None
    busy: bool = False
    corrupt: str = ""


@dataclass(frozen=True, slots=True)
class LetterFact:
    """A source's dead letters: blobs, bytes, the hour of the newest; more: there are more blobs than were looked at."""

    blobs: int = 0
    bytes: int = 0
    newest: datetime | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class DriftFact:
    """What a source was first to bring that is not mapped: how many entries, how many of them new, the newest in words."""

    entries: int = 0
    fresh: int = 0
    newest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one source; None: could not be asked."""

    source: str
    origin: str  # `event hub defender-xdr, consumer group $Default`
    polled: bool
    period: float | None = None  # seconds between two polls, at most
    received: Mapping[str, Any] | None = None
    held: Mapping[str, Any] | None = None
    cursors: Sequence[CursorFact] | None = ()
    letters: LetterFact | None = field(default_factory=LetterFact)
    drift: DriftFact | None = field(default_factory=DriftFact)
    known: bool = True  # False: the blob store did not tell what was received


@dataclass(frozen=True, slots=True)
class Row:
    """One source as it is shown."""

    source: str
    origin: str
    verdict: Verdict
    why: tuple[str, ...]
    success: datetime | None
    lag: (
        float | None
    )  # seconds from the hub's taking a message in, of what is polled from its newest event, until it was shipped
    rate: float | None  # records a second
    rate_over: float | None  # seconds
    outcomes: Mapping[str, int]  # of the window that the rate is of, else of the last invocation
    cursors: Sequence[CursorFact] | None
    letters: LetterFact | None
    drift: DriftFact | None
    polled: bool


def rows(facts: Sequence[Facts], now: datetime) -> list[Row]:
    """The rows, the worst in front; of the same verdict in the order given."""
    return sorted((row(fact, now) for fact in facts), key=lambda made: WORST_FIRST.index(made.verdict))


def row(facts: Facts, now: datetime) -> Row:
    """One source's row."""
    received = facts.received or {}
    success = moment(received.get("at"))
    lag = number(received.get("lag_seconds"))
    newest = moment(received.get("newest_event"))
    if facts.polled and success and newest:
        lag = (success - newest).total_seconds()
    verdict, why = judged(facts, success, lag, now)
    window = received.get("window")
    counted = window if isinstance(window, dict) else received
    since = moment(window.get("since")) if isinstance(window, dict) else None
    over = (success - since).total_seconds() if success and since else 0.0
    records = number(counted.get("received"))
    return Row(
        source=facts.source,
        origin=facts.origin,
        verdict=verdict,
        why=why,
        success=success,
        lag=lag,
        rate=records / over if over > 0 and records is not None else None,
        rate_over=over if over > 0 else None,
        outcomes={name: int(number(counted.get(name)) or 0) for name in OUTCOMES} if received else {},
        cursors=facts.cursors,
        letters=facts.letters,
        drift=facts.drift,
        polled=facts.polled,
    )


def judged(facts: Facts, success: datetime | None, lag: float | None, now: datetime) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and a sentence for each thing that is not as it should be."""
    broken, attention = list[str](), list[str]()
    held_at = moment((facts.held or {}).get("at"))
    if held_at and (success is None or held_at > success):
        reason = text((facts.held or {}).get("reason"))
        broken.append(f"The last {'poll' if facts.polled else 'batch'} was held {clock(held_at)}: {reason}")
    broken += [f"Cursor {cursor.name} {cursor.corrupt}" for cursor in facts.cursors or () if cursor.corrupt]
    if success and facts.polled and facts.period:
        silence = (now - success).total_seconds()
        if silence > MOST_PERIODS * facts.period:
            attention.append(f"No poll has ended well for {rough(silence)}; one is due every {rough(facts.period)}.")
    if success and not facts.polled:
        if lag is not None and lag > MOST_LAG:
            attention.append(f"Messages were {rough(lag)} old when they were shipped.")
        silence = (now - success).total_seconds()
        if silence > SILENT.get(facts.source, 86_400.0):
            attention.append(f"Nothing has come for {rough(silence)}: is the export still on?")
    letters = facts.letters
    if letters and letters.newest and now - letters.newest < RECENT + HOUR:
        attention.append("Records were dead-lettered in the last day: python -m cli dead-letters list.")
    if broken:
        return "broken", tuple(broken + attention)
    if attention:
        return "attention", tuple(attention)
    if not facts.known:
        return "unknown", ()
    if success is None:
        return "waiting", ()
    return "well", ()


def moment(value: object) -> datetime | None:
    """A moment from ISO 8601 text, in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found and (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return float(value)


def text(value: object) -> str:
    """A text, bounded."""
    return value[:1_000] if isinstance(value, str) else "(no reason told)"


def clock(when: datetime) -> str:
    """A moment as text."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def rough(seconds: float) -> str:
    """A span in its largest fitting unit: 45 s, 12 min, 3 h, 9 d."""
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
