"""Rows of an API -> documents ready to be sent, and what is none, as dead letters: what sweeps, replays and `normalize` have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.errors import Reject
from shared.flows import note
from shared.normalise.api import Context
from shared.normalise.latest import Entry
from shared.normalise.normaliser import Normaliser
from shared.poll.walk import Bad
from shared.report import Report
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document
from shared.ship.latest import latest_id, latest_index, seen_by


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A row, or a part of it, for its dead letter: its tenant stands as partition, its scan as the time of arrival, so that a replay has both."""

    value: Any
    partition: str | None = None
    sequence_number: int | None = None
    enqueued: str | None = None

    def original(self) -> bytes:
        """The row as JSON: what a replay maps again."""
        return self.value if isinstance(self.value, bytes) else orjson.dumps(self.value)


def row_documents(
    rows: Iterable[Mapping[str, Any] | Bad],
    source: str,
    normaliser: Normaliser,
    context: Context,
    report: Report,
    letters: list[DeadLetter],
    views: list[Document] | None = None,
) -> Iterator[Document]:
    """Every document of the rows, made when asked for; what is none goes to `letters`, entries of latest views to `views`, if wanted.

    Each part of a row counts as received under its own name; a row that is no object of its source counts under the source's.
    """
    arrived = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def letter(value: Any, reject: Reject, table: str) -> DeadLetter:
        record = RowRecord(value, context.tenant, None, context.scan)
        return DeadLetter.of(record, code=reject.code, reason=reject.reason, source=source, table=table)

    for row in rows:
        if isinstance(row, Bad):
            report.received[source] += 1
            letters.append(letter(row.original, Reject("unreadable", f"{row.id}: {row.reason}"), source))
            continue
        try:
            for made in normaliser.parts(source, row, context, arrived):  # type: ignore[arg-type]  # a source's name
                report.received[made.table] += 1
                try:
                    text = orjson.dumps(made.document)
                except orjson.JSONEncodeError as error:
                    letters.append(letter(made.value, Reject("unwritable", str(error)), made.table))
                    continue
                note(report, made.table, made)
                record = RowRecord(made.value, context.tenant, None, context.scan)
                if views is not None and made.entries:
                    namespace = made.document["data_stream"]["namespace"]
                    seen = seen_by(text, context.tenant, context.scope, context.scan)
                    views += [in_view(one, seen, context.tenant, namespace, made.table, record) for one in made.entries]
                yield Document(made.index, made.id, text, made.table, record)
        except Reject as reject:
            report.received[source] += 1
            letters.append(letter(row, reject, source))


def in_view(entry: Entry, source: bytes, tenant: str, namespace: str, table: str, record: RowRecord) -> Document:
    """An entry of a latest view, to be renewed or taken out."""
    return Document(
        latest_index(entry.view, namespace),
        latest_id(tenant, namespace, entry.key),
        b"" if entry.gone else source,
        OVER if entry.gone else table,
        record,
        version=entry.version,
        gone=entry.gone,
    )


OVER = "(over)"  # stands for the table of an entry that is taken out
