"""What a run did: received = indexed + duplicate + filtered + dead-lettered (+ held while owed)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["indexed", "duplicate", "filtered", "dead_lettered"]
OUTCOMES: tuple[Outcome, ...] = ("indexed", "duplicate", "filtered", "dead_lettered")

UNDECODED = "(undecoded)"  # the table of what could not be read far enough to know its table
MOST_NAMES = 200  # names of unknown columns and the like kept per run; beyond that only their number


class Unbalanced(AssertionError):
    """The sum of outcomes is not what was received: a bug, never to be acknowledged."""


def bounded_add(counter: Counter[Any], key: Any, count: int = 1) -> None:
    """Count `key`, unless that would make the counter hold more than `MOST_NAMES` keys."""
    if key in counter or len(counter) < MOST_NAMES:
        counter[key] += count


@dataclass(slots=True)
class Report:
    """Counts of one run. Tables are Defender's names (`DeviceProcessEvents`); every record counts under one table."""

    source: str
    received: Counter[str] = field(default_factory=Counter)
    outcomes: defaultdict[Outcome, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failure_store: Counter[str] = field(default_factory=Counter)  # part of `indexed`: Elasticsearch redirected it
    latest: Counter[str] = field(
        default_factory=Counter
    )  # entries of latest views: written, older, refused; not records
    unknown_tables: Counter[str] = field(default_factory=Counter)
    unknown_columns: Counter[tuple[str, str]] = field(default_factory=Counter)  # (table, column)
    unknown_actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (table, ActionType)
    unconverted: Counter[tuple[str, str]] = field(default_factory=Counter)  # (table, column): value of a wrong type
    messages: int = 0  # Event Hub messages, or pages of a poller
    bytes_received: int = 0
    requests: int = 0  # bulk requests sent
    retries: int = 0  # bulk requests sent again, whole or in part
    elasticsearch_seconds: float = 0.0
    bytes_sent: int = 0  # uncompressed bulk bytes
    newest_enqueued: float | None = None  # epoch seconds
    oldest_enqueued: float | None = None
    newest_event: str | None = None  # @timestamp of the newest and oldest document
    oldest_event: str | None = None

    def count(self, outcome: Outcome, table: str, number: int = 1) -> None:
        """Book `number` records of `table` under an outcome."""
        self.outcomes[outcome][table] += number

    def total(self, outcome: Outcome) -> int:
        """How many records had this outcome."""
        return self.outcomes[outcome].total()

    @property
    def held(self) -> int:
        """Records received that have no outcome yet."""
        return self.received.total() - sum(self.total(outcome) for outcome in OUTCOMES)

    def check(self) -> None:
        """Raise `Unbalanced` unless, table by table, every received record has exactly one outcome."""
        tables = set(self.received).union(*(self.outcomes[outcome] for outcome in OUTCOMES))
        for table in tables:
            booked = sum(self.outcomes[outcome][table] for outcome in OUTCOMES)
            if booked != self.received[table]:
                raise Unbalanced(f"{table}: received {self.received[table]}, accounted for {booked}")

    def as_dict(self) -> dict[str, Any]:
        """The report as one structured log line: flat totals, then what is per table or per name."""
        tables = sorted(self.received)
        return {
            "source": self.source,
            "messages": self.messages,
            "bytes_received": self.bytes_received,
            "received": self.received.total(),
            **{outcome: self.total(outcome) for outcome in OUTCOMES},
            "held": self.held,
            "failure_store": self.failure_store.total(),
            **({"latest": dict(self.latest)} if self.latest else {}),
            "requests": self.requests,
            "retries": self.retries,
            "bytes_sent": self.bytes_sent,
            "elasticsearch_seconds": round(self.elasticsearch_seconds, 3),
            "newest_event": self.newest_event,
            "oldest_event": self.oldest_event,
            "tables": {
                table: {
                    "received": self.received[table],
                    **{outcome: n for outcome in OUTCOMES if (n := self.outcomes[outcome][table])},
                }
                for table in tables
            },
            "unknown_tables": dict(self.unknown_tables),
            "unknown_columns": {f"{table}.{column}": n for (table, column), n in self.unknown_columns.items()},
            "unknown_actions": {f"{table}.{action}": n for (table, action), n in self.unknown_actions.items()},
            "unconverted": {f"{table}.{column}": n for (table, column), n in self.unconverted.items()},
        }
