"""The third journey: a portion of exported blobs, on the stream's own way to Elasticsearch.

    fill      queue message ─ [ range ─ lines or Avro blocks ]* ─ forward ─ put away what can not be read ─ mark ─ acknowledge

Acknowledging is returning; a portion that raises comes again, whole. That is harmless, because what was streamed or filled before has the
same ids (shared/normalise/identity.py), and a portion's mark is set behind all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import orjson

from shared.backfill.capture import header, messages
from shared.backfill.places import AVRO, allowed, partition_of
from shared.backfill.portion import Portion, Range
from shared.backfill.ranges import LINE_END, Read, cut, lines
from shared.backfill.runs import Runs
from shared.blobs import blob_errors
from shared.errors import Reject
from shared.flows import Parts, forward
from shared.normalise.decode import Message
from shared.report import UNDECODED, Report
from shared.ship.dead_letter import DeadLetter

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

SOURCE = "backfill"
LONGEST_PLACE = 400  # characters of container and blob in a dead letter, whose own blob is named after it

# Classes of dead letters that hold no record but where one is to be found; only `backfill resume` can read it again.
POINTERS = frozenset({"blob_unread", "not_avro", "not_captured", "avro_broken", "too_long", "not_a_portion", "poison"})

type Filled = Literal["filled", "through", "cancelled"]


@dataclass(frozen=True, slots=True)
class Pointer:
    """What could not be read, for its dead letter: where it is, instead of its bytes."""

    partition: str
    sequence_number: int | None
    data: bytes
    enqueued: str | None = None

    def original(self) -> bytes:
        """The portion of a message that would read it again."""
        return self.data


@dataclass(frozen=True, slots=True)
class Exports:
    """The account that the blobs are in, the setting that names it, and the containers that may be read, as in BACKFILL_CONTAINERS."""

    service: BlobServiceClient
    setting: str
    containers: Sequence[str]


def fill(portion: Portion, parts: Parts, exports: Exports, runs: Runs, report: Report) -> Filled:
    """Ship one portion, unless it is through or its run cancelled. Raises Retry or Misconfigured, for it to come again.

    Raises `Reject` for a container that is not to be read: who may write to the queue may not choose any.
    """
    if not allowed(portion.container, exports.containers):
        raise Reject("not_allowed", f"{portion.container} is none of BACKFILL_CONTAINERS")
    if runs.cancelled(portion.run):
        return "cancelled"
    if runs.through(portion):
        return "through"
    unread: list[DeadLetter] = []
    forward(read(portion, exports, unread), parts, SOURCE, report)
    put_away(unread, parts, report)
    runs.mark(portion, report, len(unread))
    return "filled"


def give_up(text: bytes, parts: Parts, runs: Runs, reason: str) -> Report:
    """Put a message away that has failed too often; its mark says so, and `resume` sends it again."""
    report = Report(SOURCE)
    put_away([letter(Pointer("queue", None, text), Reject("poison", reason))], parts, report)
    try:
        portion = Portion.parse(text)
    except Reject:  # not ours: the dead letter is all there is to do
        return report
    if not runs.through(portion):
        runs.mark(portion, report, 1)
    return report


def read(portion: Portion, exports: Exports, unread: list[DeadLetter]) -> Iterator[Message]:
    """The messages of a portion, read when asked for; what can not be read goes to `unread`, and the rest goes on."""
    with exports.service.get_container_client(portion.container) as container:
        for item in portion.ranges:
            try:
                yield from read_range(portion.container, item, reader(container, item.blob, exports.setting))
            except Reject as reject:
                place = f"{portion.container}/{item.blob}"[-LONGEST_PLACE:]
                alone = {"container": portion.container, "ranges": [list(item)]}
                unread.append(letter(Pointer(place, item.start, orjson.dumps(alone)), reject))


def read_range(container: str, item: Range, ask: Read) -> Iterator[Message]:
    """The messages of one range: a line each, or what was captured. Raises `Reject`, behind what could be read."""
    if item.blob.lower().endswith(AVRO):
        head = header(ask)
        found = cut(ask, item.start, item.end, head.marker)
        yield from messages(head, found, partition_of(item.blob))
    else:
        found, place = cut(ask, item.start, item.end, LINE_END), f"{container}/{item.blob}"[-LONGEST_PLACE:]
        for offset, line in lines(found):
            yield Message(line, place, offset)
    if found.broken is not None:
        raise found.broken


def reader(container: ContainerClient, blob: str, setting: str) -> Read:
    """What reads a blob's bytes. It raises Retry or Misconfigured, and `Reject` where the blob can not be read for good."""

    def ask(offset: int, length: int) -> bytes:
        from azure.core.exceptions import HttpResponseError

        try:
            with blob_errors(setting):
                return container.download_blob(blob, offset=offset, length=length).readall()
        except HttpResponseError as error:
            if error.status_code == 416:  # behind the end
                return b""
            code = str(getattr(error, "error_code", None) or error.status_code)
            raise Reject("blob_unread", f"the blob can not be read: {code}") from None

    return ask


def points(one: DeadLetter) -> bool:
    """Whether a dead letter is a pointer and no record."""
    return one.source == SOURCE and one.code in POINTERS


def letter(pointer: Pointer, reject: Reject) -> DeadLetter:
    """The dead letter of something that could not be read."""
    return DeadLetter.of(pointer, code=reject.code, reason=reject.reason, source=SOURCE, table=UNDECODED)


def put_away(letters: list[DeadLetter], parts: Parts, report: Report) -> None:
    """Write such letters and book each as a record received and dead-lettered."""
    if letters:
        parts.dead_letters.write(letters)
        for one in letters:
            report.received[one.table] += 1
            report.count("dead_lettered", one.table)
        report.check()
