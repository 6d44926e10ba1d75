"""What a run did: received = indexed + duplicate + filtered + dead-lettered (+ held while owed)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

DriftKind = Literal["table", "column", "action", "enum", "type"]
Outcome = Literal["indexed", "duplicate", "filtered", "dead_lettered"]
OUTCOMES: tuple[Outcome, ...] = ("indexed", "duplicate", "filtered", "dead_lettered")

UNDECODED = "(undecoded)"  # the table of what could not be read far enough to know its table
LONGEST_NAME = 80  # characters of a name that are kept
MOST_NAMES = 200  # names of unknown columns and the like kept per run; beyond that only their number
MOST_MEMBERS = 20  # of one column: what has more is a list no longer, and its values may be anything
OTHERS = "(others)"  # stands for names beyond such a bound
NO_NAME = (
    "(not a name)"  # stands for a value that no list of Microsoft's would hold: it may say what is nobody's business
)
MEMBER = re.compile(rf"[A-Za-z0-9][\w .:/()+&'-]{{0,{LONGEST_NAME - 1}}}", re.ASCII)


class Unbalanced(AssertionError):
    """The sum of outcomes is not what was received: a bug, never to be acknowledged."""


def bounded_add(counter: Counter[Any], key: Any, count: int = 1) -> None:
    """Count `key`, unless that would make the counter hold more than `MOST_NAMES` keys."""
    if key in counter or len(counter) < MOST_NAMES:
        counter[key] += count


class Drift(NamedTuple):
    """One thing that was seen and is not mapped. `table` is Defender's, or the name of a poller's source.

    table: nothing more. column: `column`. action: `value` is the ActionType. enum: `value` is the member that the list of `column` lacks.
    type: `value` is the JSON type that came in `column`, `expected` the kind that the column is mapped as.
    """

    kind: DriftKind
    table: str
    column: str = ""
    value: str = ""
    expected: str = ""


@dataclass(slots=True)
class Report:
    """Counts of one run. Tables are Defender's names (`DeviceProcessEvents`); every record counts under one table."""

    source: str
    received: Counter[str] = field(default_factory=Counter)
    outcomes: defaultdict[Outcome, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failure_store: Counter[str] = field(default_factory=Counter)  # part of `indexed`: Elasticsearch redirected it
    latest: Counter[str] = field(
        default_factory=Counter
    )  # entries of latest views: written, older, over (taken out), refused, expired, not_expired; not records
    unknown_tables: Counter[str] = field(default_factory=Counter)
    unknown_columns: Counter[tuple[str, str]] = field(default_factory=Counter)  # (table, column)
    unknown_actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (table, ActionType)
    unknown_members: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (table, column, value)
    # (table, column, JSON type that came, kind that is mapped): value that would not convert
    unconverted: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
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

    def count_member(self, table: str, column: str, member: str) -> None:
        """Book a value that the closed list of its column lacks; what can not be such a value is not kept."""
        name = (table, column, member if MEMBER.fullmatch(member) else NO_NAME)
        if name not in self.unknown_members:
            of_column = sum(known[:2] == name[:2] for known in self.unknown_members)
            name = name if of_column < MOST_MEMBERS else (table, column, OTHERS)
        bounded_add(self.unknown_members, name)

    def drift(self) -> Counter[Drift]:
        """Everything of this run that is not mapped, and how often it came."""
        return Counter(
            {
                **{Drift("table", table): n for table, n in self.unknown_tables.items()},
                **{Drift("column", table, column): n for (table, column), n in self.unknown_columns.items()},
                **{Drift("action", table, "ActionType", name): n for (table, name), n in self.unknown_actions.items()},
                **{Drift("enum", *name): n for name, n in self.unknown_members.items()},
                **{Drift("type", *name): n for name, n in self.unconverted.items()},
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as one structured log line: flat totals, then what is per table or per name."""
        tables = sorted(self.received)
        unconverted: Counter[str] = Counter()
        for (table, column, *_), number in self.unconverted.items():
            unconverted[f"{table}.{column}"] += number
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
            "unknown_members": {".".join(name): n for name, n in self.unknown_members.items()},
            "unconverted": dict(unconverted),
        }
