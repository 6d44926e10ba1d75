"""What the tests of shipping share: documents made of a few words, settings, a clock that jumps, a fake server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.backoff import Clock
from shared.report import Report
from shared.settings import Settings
from shared.ship.client import Reply
from shared.ship.document import Document

INDEX = "logs-m365_defender.event-default"


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """A record that knows its bytes."""

    body: bytes = b"{}"
    partition: str | None = "3"
    sequence_number: int | None = 42
    enqueued: str | None = "2026-01-01T00:00:00Z"

    def original(self) -> bytes:
        """The bytes it was made with."""
        return self.body


def document(name: str = "a", *, index: str = INDEX, table: str = "DeviceEvents", **fields: Any) -> Document:
    """A document with an @timestamp and whatever fields are given."""
    source = orjson.dumps({"@timestamp": "2026-01-01T00:00:00Z", **fields})
    return Document(index, name, source, table, PlainRecord(f"record {name}".encode()))


def settings(**environment: str) -> Settings:
    """Settings for an address where nothing listens, unless told."""
    base = {
        "ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "ELASTICSEARCH_USERNAME": "someone",
        "ELASTICSEARCH_PASSWORD": "word",
    }
    return Settings.read(base | environment)


@dataclass(slots=True)
class Time:
    """A clock that jumps: waiting costs nothing and is written down."""

    now: float = 1_000.0
    waits: list[float] = field(default_factory=list)
    chance: float = 1.0  # the full delay

    def clock(self) -> Clock:
        """The clock as the shipper wants it."""
        return Clock(now=lambda: self.now, wall=lambda: 0.0, wait=self.wait, chance=lambda: self.chance)

    def wait(self, seconds: float, _stop: threading.Event) -> None:
        """Jump ahead."""
        self.waits.append(seconds)
        self.now += seconds


def created(ids: Iterable[str]) -> Reply:
    """The answer of a server that indexes everything."""
    return items([{"status": 201} for _ in ids])


def items(results: list[dict[str, Any]]) -> Reply:
    """A bulk answer with these items."""
    return Reply(200, {"errors": any(r["status"] >= 300 for r in results), "items": [{"create": r} for r in results]})


def error(status: int, kind: str = "some_exception", reason: str = "some reason") -> dict[str, Any]:
    """One item that failed."""
    return {"status": status, "error": {"type": kind, "reason": reason}}


def ids_of(body: bytes) -> list[str]:
    """The _ids of a bulk body, in order."""
    return [orjson.loads(line)["create"]["_id"] for line in body.splitlines()[::2]]


@dataclass(slots=True)
class Server:
    """A fake at the network seam: answers each bulk body by a function of the ids in it, and keeps what it got."""

    answer: Callable[[list[str]], Reply]
    bodies: list[list[str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: bytes, _seconds: float) -> Reply:
        """Take one request."""
        ids = ids_of(body)
        with self.lock:
            self.bodies.append(ids)
        return self.answer(ids)


def outcome(report: Report) -> dict[str, int]:
    """Totals of a report that are not zero."""
    totals = {name: report.total(name) for name in ("indexed", "duplicate", "filtered", "dead_lettered")}
    return {name: number for name, number in totals.items() if number}
