"""A seed -> Event Hub batches of records whose fate is known, a plan of faults, and the settings to ship them with."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.flows import Message
from tests.fakes.fault_proxy import Fault, Plan

GROUPS = 8  # data streams; one holds what many schedules wrote
MOST_BYTES = 3_000  # that the server takes at once, where a plan has such a limit: three documents or so
EVERY_FAULT = tuple(fault for fault in Fault if fault not in (Fault.NONE, Fault.TOO_LARGE))

# What must become of a record of each kind: documents in Elasticsearch, and the class of its dead letter.
FATES: dict[str, tuple[int, str | None]] = {
    "good": (1, None),
    "filtered": (0, None),
    "refused": (0, "document_parsing_exception"),
    "giant": (0, "too_large"),
    "unreadable": (0, "not_an_object"),
}

# Where a file's size goes is an address here, so that Elasticsearch refuses the records that have one.
REFUSING = {"properties": {"file": {"properties": {"size": {"type": "ip"}}}}}
TEMPLATE: dict[str, Any] = {
    "index_patterns": ["logs-m365_defender.event-faults*"],
    "priority": 900,
    "data_stream": {},
    "template": {
        "settings": {
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "translog.durability": "async",
        },
        "mappings": {
            "dynamic": False,
            "properties": {
                "@timestamp": {"type": "date"},
                **REFUSING["properties"],
                "m365_defender": {"properties": {"event": REFUSING}},
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class FatedRecord:
    """A record of a test: its token tells it from all others, its kind what must become of it."""

    token: str
    kind: str

    def as_json(self) -> Any:
        """The record as Defender would send it."""
        if self.kind == "unreadable":
            return self.token
        columns: dict[str, Any] = {
            "Timestamp": "2026-01-01T00:00:00Z",
            "DeviceId": self.token,
            "DeviceName": "host1.example.com",
            "ReportId": 1,
            "ActionType": "NamedPipeEvent" if self.kind == "filtered" else "UsbDriveMounted",
        }
        if self.kind == "refused":
            columns["FileSize"] = 123
        if self.kind == "giant":
            columns["ProcessCommandLine"] = "x" * (MOST_BYTES + 500)
        return {
            "time": "2026-01-01T00:00:01Z",
            "tenantId": "00000000-0000-4000-8000-000000000001",
            "operationName": "Publish",
            "category": "AdvancedHunting-DeviceEvents",
            "properties": columns,
        }


@dataclass(slots=True)
class Schedule:
    """One seed: its plan of faults, its batches and how they are to be shipped."""

    seed: int
    plan: Plan
    batches: list[list[FatedRecord]]
    settings: dict[str, str]
    seconds: float  # for one invocation
    twice: float  # share of acknowledged batches that come again
    deliveries: int = 0
    totals: Counter[str] = field(default_factory=Counter)

    @property
    def records(self) -> Iterator[FatedRecord]:
        """Every record of every batch."""
        for batch in self.batches:
            yield from batch


def schedule(seed: int) -> Schedule:
    """Everything that happens under one seed."""
    chance = random.Random(seed)
    limit = MOST_BYTES if chance.random() < 0.12 else None
    kinds = {"good": 80, "filtered": 6, "refused": 8, "unreadable": 3, "giant": 3 if limit else 0}
    batches: list[list[FatedRecord]] = []
    earlier: list[FatedRecord] = []
    for _ in range(chance.randint(1, 2)):
        batch: list[FatedRecord] = []
        for _ in range(chance.randint(1, 10 if limit else 25)):
            if earlier and chance.random() < 0.08:
                batch.append(chance.choice(earlier))  # a record that was there already
                continue
            kind = chance.choices(list(kinds), list(kinds.values()))[0]
            batch.append(FatedRecord(f"token-{seed}-{len(earlier)}", kind))
            earlier.append(batch[-1])
        batches.append(batch)
    plan = Plan(
        seed,
        share=chance.choice((0.1, 0.3, 0.5, 0.8)),
        faults=tuple(chance.sample(EVERY_FAULT, chance.randint(1, len(EVERY_FAULT)))),
        limit=limit,
        patience=chance.randint(1, 3),
        retry_after=("0", "date"),
    )
    if chance.random() < 0.2:  # an outage: nothing works for a while
        plan.script = [chance.choice((Fault.UNAVAILABLE, Fault.RESET_BEFORE, Fault.BUSY)) for _ in range(12)]
    return Schedule(
        seed,
        plan,
        batches,
        {
            "BULK_MAX_DOCUMENTS": str(chance.choice((4, 10, 100))),
            "BULK_MAX_BYTES": str(chance.choice((10_000, 100_000))),
            "BULK_CONCURRENCY": str(chance.randint(1, 3)),
            "BULK_COMPRESS": str(chance.random() < 0.5),
            "NAMESPACE": f"faults{seed % GROUPS}",
            "RECORD_FILTER": "DeviceEvents/NamedPipeEvent",
        },
        seconds=chance.choice((0.2, 0.5, 2.0)),
        twice=chance.choice((0.0, 0.3)),
    )


def messages(batch: Sequence[FatedRecord], chance: random.Random) -> list[Message]:
    """A batch as the hub hands it over: its records in one to three messages."""
    pieces = chance.randint(1, 3)
    result = []
    for piece in range(pieces):
        records = [record.as_json() for record in batch[piece::pieces]]
        result.append(Message(orjson.dumps({"records": records}), "0", piece, "2026-01-01T00:00:02Z"))
    return result
