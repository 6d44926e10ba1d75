"""Records that can never be indexed -> NDJSON lines in append blobs, and back again with their exact bytes."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from shared.blobs import blob_errors, open_container
from shared.errors import Retry
from shared.settings import Settings
from shared.ship.document import Record

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, ContainerClient

logger = logging.getLogger("defender.dead_letters")

MAX_BLOCK = 4_000_000  # bytes in one append; the service takes 4 MiB in every version
MAX_BLOCKS = 49_000  # appends to one blob; it takes 50,000, and a blob ends only where a line does
REASON_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that can never be indexed, with the reason and all that is needed to send it again."""

    code: str  # short stable class: too_large, not_json, document_parsing_exception
    reason: str
    source: str  # xdr or defender_cloud
    table: str
    id: str | None  # the document's _id, or None where it did not get that far
    partition: str | None
    sequence_number: int | None
    enqueued: str | None  # ISO 8601
    when: str  # ISO 8601, UTC: when it was given up
    attempt: int  # how often it was sent
    original: bytes

    @classmethod
    def of(
        cls,
        record: Record,
        *,
        code: str,
        reason: str,
        source: str,
        table: str,
        id: str | None = None,
        attempt: int = 1,
        when: str | None = None,
    ) -> DeadLetter:
        """Make the letter of a record; `when` is now unless told."""
        return cls(
            code=code,
            reason=reason[:REASON_LENGTH],
            source=source,
            table=table,
            id=id,
            partition=record.partition,
            sequence_number=record.sequence_number,
            enqueued=record.enqueued,
            when=when or iso(datetime.now(UTC)),
            attempt=attempt,
            original=record.original(),
        )

    @property
    def key(self) -> str:
        """What tells letters apart: the same record from the same source gives the same key, however often it fails."""
        digest = hashlib.sha256()
        for part in (self.source.encode(), self.table.encode(), self.original):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()[:32]

    def line(self) -> bytes:
        """The letter as one line of JSON, newline included; bytes that are not UTF-8 text go as base64."""
        fields: dict[str, Any] = {
            "class": self.code,
            "reason": self.reason,
            "source": self.source,
            "table": self.table,
            "key": self.key,
            "id": self.id,
            "partition": self.partition,
            "sequence_number": self.sequence_number,
            "enqueued": self.enqueued,
            "when": self.when,
            "attempt": self.attempt,
        }
        try:
            fields["original"] = self.original.decode("utf-8")
        except UnicodeDecodeError:
            fields["original_base64"] = base64.b64encode(self.original).decode("ascii")
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def parse(cls, line: bytes) -> DeadLetter:
        """Read a line back; raises ValueError where it is none (a line torn by a crash while it was written)."""
        fields = orjson.loads(line)
        try:
            original = (
                fields["original"].encode("utf-8")
                if "original" in fields
                else base64.b64decode(fields["original_base64"], validate=True)
            )
            return cls(
                code=fields["class"],
                reason=fields["reason"],
                source=fields["source"],
                table=fields["table"],
                id=fields["id"],
                partition=fields["partition"],
                sequence_number=fields["sequence_number"],
                enqueued=fields["enqueued"],
                when=fields["when"],
                attempt=fields["attempt"],
                original=original,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a dead letter: {error!r}") from None


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob of dead letters: its name below the container, its size in bytes, and its ETag when listed."""

    name: str
    size: int
    etag: str


class DeadLetters:
    """The dead letters of one container, at `<source>/<yyyy>/<mm>/<dd>/<hh>/<run>.ndjson`."""

    def __init__(
        self,
        container: Callable[[], ContainerClient],
        setting: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_block: int = MAX_BLOCK,
        max_blocks: int = MAX_BLOCKS,
    ) -> None:
        """`container` opens the container at the first need; `setting` is named when it can not be used."""
        self._open = container
        self._container: ContainerClient | None = None
        self._setting = setting
        self._now = now
        self._max_block = max_block
        self._max_blocks = max_blocks

    @classmethod
    def open(cls, settings: Settings) -> DeadLetters:
        """The dead letters that the settings point at; nothing is contacted before the first use."""
        return cls(lambda: open_container(settings, settings.dead_letter_container), settings.storage)

    @property
    def container(self) -> ContainerClient:
        """The container, opened (and made where missing) once; raises Retry or Misconfigured."""
        if self._container is None:
            self._container = self._open()
        return self._container

    def write(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Append letters durably, one run per source, and return the names of the blobs.

        When this returns the letters are stored; it raises Retry where the store can not be reached and Misconfigured
        where it refuses us. A letter may then be there once more after the batch came again: `key` tells.
        """
        names: list[str] = []
        for source in dict.fromkeys(letter.source for letter in letters):
            run = [letter for letter in letters if letter.source == source]
            names += self._write_run(self._run_name(run[0]), [letter.line() for letter in run])
        return names

    def list(self, source: str | None = None) -> Iterator[Stored]:
        """Every blob of dead letters, oldest name first, of one source or of all."""
        with blob_errors(self._setting):
            for blob in self.container.list_blobs(name_starts_with=f"{source}/" if source else None):
                if blob.name.endswith(".ndjson"):
                    yield Stored(blob.name, blob.size, blob.etag)

    def read(self, stored: Stored) -> Iterator[DeadLetter]:
        """The letters of one blob as it was when listed, in the order written, read piece by piece.

        Lines that a crash has torn are skipped and logged: their batch was never acknowledged and came again.
        """
        tail = b""
        with blob_errors(self._setting):
            stream = self.container.download_blob(stored.name, offset=0, length=stored.size) if stored.size else None
            for piece in stream.chunks() if stream is not None else ():
                *lines, tail = (tail + piece).split(b"\n")
                yield from self._parse(lines, stored.name)
        yield from self._parse([tail], stored.name)

    def delete(self, stored: Stored) -> bool:
        """Remove a blob; False where it has changed since it was listed (then it stays) or is gone already."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        with blob_errors(self._setting):
            try:
                self.container.delete_blob(stored.name, etag=stored.etag, match_condition=MatchConditions.IfNotModified)
            except (ResourceModifiedError, ResourceNotFoundError):
                return False
        return True

    def keep(self, stored: Stored, letters: Sequence[DeadLetter]) -> bool:
        """Replace a blob by one that holds only `letters`; False where it has changed since it was listed.

        The new blob is written before the old one goes, so a crash between the two leaves a letter twice, never less.
        """
        written: Sequence[str] = ()
        if letters:
            stem = stored.name.removesuffix(".ndjson").split("~")[0]
            written = self._write_run(f"{stem}~{secrets.token_hex(4)}", [letter.line() for letter in letters])
        if self.delete(stored):
            return True
        with blob_errors(self._setting):
            for name in written:
                self.container.delete_blob(name)
        return False

    def _parse(self, lines: Sequence[bytes], name: str) -> Iterator[DeadLetter]:
        for line in lines:
            if line.strip():
                try:
                    yield DeadLetter.parse(line)
                except ValueError as error:
                    logger.warning("%s: a torn line of %d bytes was skipped: %s", name, len(line), error)

    def _run_name(self, first: DeadLetter) -> str:
        """Path of a run: source, hour, then partition, first sequence number and a short random part."""
        hour = self._now().astimezone(UTC).strftime("%Y/%m/%d/%H")
        partition = "".join(c if c.isalnum() or c in "-_" else "_" for c in first.partition or "none")
        number = "none" if first.sequence_number is None else str(first.sequence_number)
        return f"{first.source}/{hour}/{partition}-{number}-{secrets.token_hex(4)}"

    def _write_run(self, stem: str, lines: Sequence[bytes]) -> Sequence[str]:
        names: list[str] = []
        blob: BlobClient | None = None
        written = blocks = 0
        line_ended = True
        with blob_errors(self._setting):
            for block in pack(lines, self._max_block):
                if blob is None or (blocks >= self._max_blocks and line_ended):
                    names.append(f"{stem}.ndjson" if not names else f"{stem}~{len(names):04}.ndjson")
                    blob = self.container.get_blob_client(names[-1])
                    blob.create_append_blob()
                    written = blocks = 0
                append(blob, block, written)
                written += len(block)
                blocks += 1
                line_ended = block.endswith(b"\n")
        return names


def append(blob: BlobClient, block: bytes, position: int) -> None:
    """Append one block at `position` exactly once, even if the answer to the first try is lost and it is repeated."""
    from azure.core.exceptions import HttpResponseError

    try:
        blob.append_block(block, appendpos_condition=position)
    except HttpResponseError as error:
        if error.status_code != 412:
            raise
        if blob.get_blob_properties().size != position + len(block):
            raise Retry(f"{blob.blob_name} was written by someone else") from error


def pack(lines: Sequence[bytes], max_block: int) -> Iterator[bytes]:
    """Gather lines into blocks of at most `max_block` bytes; a longer line goes over several blocks."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > max_block and block:
            yield b"".join(block)
            block, size = [], 0
        rest = line
        while len(rest) > max_block:
            yield rest[:max_block]
            rest = rest[max_block:]
        block.append(rest)
        size += len(rest)
    if block:
        yield b"".join(block)


def iso(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC with milliseconds: 2026-01-02T03:04:05.678Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
