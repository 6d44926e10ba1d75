"""The two journeys, told in one screen each: a hub's batch forward, and (with the pollers) a source's sweep.

    forward   Event Hub batch ─ decode ─ filter ─ normalise ─ ship ─ put away what can not be shipped ─ acknowledge

Acknowledging is returning. Raising `Retry` or `Misconfigured` makes the host give the same batch again; that is harmless, because a
record's document id is always the same and the operation is `create` (docs/promises.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from shared.errors import Reject
from shared.normalise.convert import UNKNOWN_COLUMN
from shared.normalise.decode import Message, Record, Unreadable
from shared.normalise.filtering import Filter, record_filter
from shared.normalise.interpret import UNKNOWN_ACTION
from shared.normalise.mapped import json_type, kind_of
from shared.normalise.members import UNKNOWN_MEMBER
from shared.normalise.normaliser import Normalised, Normaliser
from shared.report import LONGEST_NAME, UNDECODED, Report, bounded_add
from shared.settings import Settings
from shared.ship.client import BULK_LATEST, Ask, client_ask, client_post
from shared.ship.dead_letter import DeadLetter, DeadLetters
from shared.ship.document import Document
from shared.ship.shipper import Shipper

__all__ = ["Message", "Parts", "documents", "forward", "open_parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a journey works with; opened once per process."""

    settings: Settings
    normaliser: Normaliser
    left_out: Filter | None
    shipper: Shipper
    dead_letters: DeadLetters
    latest: Shipper  # for latest views
    ask: Ask | None = None  # finds what has expired of them; without it nothing expires


def open_parts(settings: Settings) -> Parts:
    """Build the parts; nothing is contacted before the first batch. Raises `Misconfigured` where a setting can not be used."""
    return Parts(
        settings,
        normaliser(settings),
        record_filter(settings.record_filter),
        Shipper(settings),
        DeadLetters.open(settings),
        Shipper(settings, post=client_post(settings, path=BULK_LATEST)),
        client_ask(settings),
    )


def normaliser(settings: Settings) -> Normaliser:
    """The normaliser that the settings ask for."""
    return Normaliser(
        namespace=settings.namespace,
        duplicates=settings.preserve_duplicate_custom_fields,
        original=settings.preserve_original_event,
    )


def forward(messages: Iterable[Message], parts: Parts, source: str, report: Report | None = None) -> Report:
    """Ship one batch. Returns to acknowledge it; raises `Retry` or `Misconfigured` to be given it again.

    messages: read once, when needed. source: "xdr", "defender_cloud" or "backfill", for telemetry and dead letters; what a record is, its own
    shape tells. report: an empty one
    to book in, for a caller who wants to see it where this raises.
    """
    report = Report(source) if report is None else report
    deadline = time.monotonic() + parts.settings.ship_seconds
    letters: list[DeadLetter] = []
    made = documents(messages, parts.normaliser, parts.left_out, report, letters)
    letters += parts.shipper.ship(made, report, source=source, deadline=deadline)
    if letters:  # last of all, so that a batch that has to come again leaves none behind
        parts.dead_letters.write(letters)
        for letter in letters:
            report.count("dead_lettered", letter.table)
    report.check()
    return report


def documents(
    messages: Iterable[Message],
    normaliser: Normaliser,
    left_out: Filter | None,
    report: Report,
    letters: list[DeadLetter],
) -> Iterator[Document]:
    """Every record of the messages as a document ready to be sent, made when asked for; what is none goes to `letters`."""
    arrived = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for message in messages:
        report.messages += 1
        report.bytes_received += len(message.body)
        note_enqueued(report, message)
        for piece in normaliser.identified(message):
            if isinstance(piece, Unreadable):
                table = piece.table or UNDECODED
                report.received[table] += 1
                letters.append(letter(piece, piece.reject, report.source, table))
                continue
            record, id = piece
            report.received[record.table] += 1
            if left_out is not None and left_out(record, id):
                report.count("filtered", record.table)
                continue
            try:
                made = normaliser.normalise(record, id, arrived)
                source = orjson.dumps(made.document)
            except Reject as reject:
                letters.append(letter(record, reject, report.source, record.table))
                continue
            except orjson.JSONEncodeError as error:
                letters.append(letter(record, Reject("unwritable", str(error)), report.source, record.table))
                continue
            note(report, record.table, made)
            yield Document(made.index, made.id, source, record.table, record)


def letter(record: Record | Unreadable, reject: Reject, source: str, table: str) -> DeadLetter:
    """The dead letter of something that never became a document."""
    return DeadLetter.of(record, code=reject.code, reason=reject.reason, source=source, table=table)


def note(report: Report, table: str, made: Normalised) -> None:
    """Book drift and the span of event times."""
    if not made.known:
        bounded_add(report.unknown_tables, table)
    for name, reason, value in made.issues:
        column = name[:LONGEST_NAME]
        if reason is UNKNOWN_COLUMN:
            bounded_add(report.unknown_columns, (table, column))
        elif reason is UNKNOWN_ACTION:
            bounded_add(report.unknown_actions, (table, str(value)[:LONGEST_NAME]))
        elif reason is UNKNOWN_MEMBER:
            report.count_member(table, column, str(value))
        else:
            bounded_add(report.unconverted, (table, column, json_type(value), kind_of(table, column)))
    moment = made.document["@timestamp"]
    if report.newest_event is None or moment > report.newest_event:
        report.newest_event = moment
    if report.oldest_event is None or moment < report.oldest_event:
        report.oldest_event = moment


def note_enqueued(report: Report, message: Message) -> None:
    """Book when the hub took the message, for the lag."""
    if message.enqueued is None:
        return
    try:
        moment = datetime.fromisoformat(message.enqueued).timestamp()
    except ValueError:
        return
    if report.newest_enqueued is None or moment > report.newest_enqueued:
        report.newest_enqueued = moment
    if report.oldest_enqueued is None or moment < report.oldest_enqueued:
        report.oldest_enqueued = moment
