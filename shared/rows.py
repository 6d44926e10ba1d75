"""Rows of an API -> documents ready to be sent, and what is none, as dead letters: what sweeps, replays and `normalize` have in common."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.errors import Reject
from shared.flows import Parts, note
from shared.normalise.api import Context
from shared.normalise.latest import Entry
from shared.normalise.normaliser import Normaliser
from shared.poll.walk import Bad, Row
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


def in_turns(rows: Iterator[Row | Bad], most: int | None) -> Iterator[Iterator[Row | Bad]]:
    """The rows, at most so many at a time, each time read to the end before the next; once at least, and all at once for None."""
    more = True

    def some() -> Iterator[Row | Bad]:
        nonlocal more
        for number, row in enumerate(rows, 1):
            yield row
            if number == most:
                return
        more = False

    while more:
        yield some()


def replay_rows(letters: Sequence[DeadLetter], parts: Parts, *, evidence: bool = False) -> Report:
    """Send dead letters of polled rows, all of one source, through the mapping again; raises Retry or Misconfigured."""
    report = Report(letters[0].source)
    again: list[DeadLetter] = []

    def made() -> Iterator[Document]:
        for one in letters:
            context = Context(tenant=one.partition or "", scan=one.enqueued, evidence=evidence)
            yield from row_documents([row_of(one.original)], one.source, parts.normaliser, context, report, again)

    again += parts.shipper.ship(
        made(), report, source=report.source, deadline=time.monotonic() + parts.settings.ship_seconds
    )
    put_away(again, parts, report)
    return report


def row_of(original: bytes) -> Row | Bad:
    """The row of a dead letter; what is none goes there again."""
    try:
        row = orjson.loads(original)
    except orjson.JSONDecodeError as error:
        return Bad("", f"is not JSON: {error}", original)
    return row if isinstance(row, dict) else Bad("", "is no object", original)


def put_away(letters: Sequence[DeadLetter], parts: Parts, report: Report) -> None:
    """Write what can never be shipped, and see that the report balances."""
    if letters:
        parts.dead_letters.write(letters)
        for letter in letters:
            report.count("dead_lettered", letter.table)
    report.check()
