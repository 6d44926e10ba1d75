"""A day of a made-up company -> documents of the real mapping in the order of their arrival, as bulk bodies ready to be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from local.load import json_bytes, packed, records
from shared.flows import Message, documents
from shared.normalise.normaliser import Normaliser
from shared.report import Report
from shared.ship.bulk import gzipped

DAY = timedelta(days=1)
NEWEST = datetime(2026, 1, 2, tzinfo=UTC)
RECORDS_A_MESSAGE = 300
DOCUMENTS_A_BODY = 1_500  # as BULK_MAX_DOCUMENTS
SAMPLE = 97  # every so many documents one is kept to choose queries' words from

type Made = tuple[str, bytes]  # id, source


@dataclass(frozen=True, slots=True)
class DayOfDocuments:
    """Documents by slices of bodies, and a sample of them parsed."""

    made: list[Made]
    sample: list[dict[str, Any]]

    @property
    def size(self) -> int:
        """Bytes of all sources."""
        return sum(len(source) for _, source in self.made)

    def slices(self, number: int) -> Iterator[Sequence[Made]]:
        """The documents in so many parts, in order."""
        each = -(-len(self.made) // number)
        for start in range(0, len(self.made), each):
            yield self.made[start : start + each]


def bodies(made: Sequence[Made]) -> list[bytes]:
    """Bulk bodies for one index that the request's path names, gzipped."""
    result = []
    for start in range(0, len(made), DOCUMENTS_A_BODY):
        lines: list[bytes] = []
        for id, source in made[start : start + DOCUMENTS_A_BODY]:
            lines += (b'{"create":{"_id":"%s"}}' % id.encode(), source)
        result.append(gzipped(b"\n".join([*lines, b""])))
    return result


def day_of_documents(count: int) -> DayOfDocuments:
    """So many documents of 24 hours and 120 devices; the export is late by 20 to 200 seconds, so that times of the devices mix."""
    raw = [(record["time"], json_bytes(record)) for record in records(count, seed=5, newest=NEWEST, span=DAY)]
    raw.sort()
    normaliser, made = Normaliser(), []
    for start in range(0, len(raw), RECORDS_A_MESSAGE):
        message = Message(packed([text for _, text in raw[start : start + RECORDS_A_MESSAGE]]))
        made += [(one.id, one.source) for one in documents([message], normaliser, None, Report("xdr"), [])]
    return DayOfDocuments(made, [orjson.loads(source) for _, source in made[::SAMPLE]])
