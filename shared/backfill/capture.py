"""Avro that Event Hubs Capture has written -> the messages that it captured. `fastavro` is imported at the first use.

The schema is Microsoft's EventData: SequenceNumber, Offset, EnqueuedTimeUtc (`8/31/2017 7:12:14 PM`), SystemProperties, Properties, Body
(learn.microsoft.com, event-hubs-capture-overview); blocks are plain or deflated.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from shared.backfill.ranges import Cut, Read
from shared.errors import Reject
from shared.normalise.decode import Message

MARKER = 16  # bytes; the header's last
HEADERS = (8_192, 1_048_576)  # bytes that are tried for the header: Capture's has some 600


@dataclass(frozen=True, slots=True)
class Header:
    """The header's bytes, schema and codec in it, and the marker that ends it and every block."""

    data: bytes
    marker: bytes


def header(read: Read) -> Header:
    """The header of an Avro blob. Raises `Reject` where it has none."""
    import fastavro

    for length in HEADERS:
        source = BytesIO(read(0, length))
        try:
            fastavro.reader(source)  # reads the header and no more
        except (ValueError, EOFError, KeyError, TypeError, IndexError):
            continue
        data = source.getvalue()[: source.tell()]
        return Header(data, data[-MARKER:])
    raise Reject("not_avro", "the blob does not begin with the header of an Avro file")


def messages(head: Header, blocks: Cut, partition: str | None) -> Iterator[Message]:
    """The captured messages of whole blocks, in order. Raises `Reject` where a block is broken or holds no captured messages."""
    import fastavro

    if not blocks.data:
        return
    before: int | None = None
    try:
        for event in fastavro.reader(BytesIO(head.data + blocks.data)):
            body, number = event["Body"], event["SequenceNumber"]  # type: ignore[call-overload,index]  # what they are, is seen below
            if not isinstance(body, bytes | None) or not isinstance(number, int):
                raise Reject("not_captured", "the Avro blob is not one of Event Hubs Capture")
            yield Message(body or b"", partition, number, enqueued(event.get("EnqueuedTimeUtc")))  # type: ignore[union-attr]
            before = number
    except (ValueError, EOFError, KeyError, TypeError, IndexError, zlib.error) as error:
        where = f"behind message {before}" if before is not None else f"behind byte {blocks.offset}"
        raise Reject("avro_broken", f"a block {where} can not be read: {type(error).__name__}") from None


def enqueued(text: object) -> str | None:
    """Capture's time, `8/31/2017 7:12:14 PM`, as ISO 8601; one that is ISO already as it is; None for what is neither."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
