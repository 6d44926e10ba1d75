"""A document to index, and what a dead letter needs to know of the record it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Record(Protocol):
    """Where a document came from; only asked when the document has to become a dead letter."""

    @property
    def partition(self) -> str | None:
        """Event Hub partition, or None where there is none."""

    @property
    def sequence_number(self) -> int | None:
        """The message's number in its partition, or None."""

    @property
    def enqueued(self) -> str | None:
        """When the hub took the message in (ISO 8601, UTC), or None."""

    def original(self) -> bytes:
        """The record's own bytes: what a replay sends through the flow again."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing to index; `id` is the same for the same record in every process, so sending it twice is harmless."""

    index: str  # data stream, e.g. logs-m365_defender.event-default
    id: str  # deterministic _id
    source: bytes  # the document as one line of JSON
    table: str  # Defender's table, for the report
    record: Record
    version: int | None = None  # of an entry of a latest view: Elasticsearch keeps the highest
    gone: bool = False  # the entry is taken out of its view; it has no source
