"""A seed -> Event Hub messages whose fate is known before they are sent: document ids, records left out, dead letters.

The fates come from how a message was made, not from reading it again; of the project's code only the ids are used.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.load import UNKNOWN_TABLE, json_bytes, packed, records
from shared.normalise.identity import document_id

LEFT_OUT_TABLE, LEFT_OUT_ACTION = "DeviceFileEvents", "FileModified"
RECORD_FILTER = f"{LEFT_OUT_TABLE}/{LEFT_OUT_ACTION}"
UNKNOWN_SHARE = 0.03  # of records that are of a table that Defender does not have
BROKEN_SHARE = 0.15  # of messages that hold something broken
MOST_RECORDS = 19  # in a message

Broken = tuple[str, bytes]  # a dead letter's class and its record's own bytes


@dataclass(frozen=True, slots=True)
class FatedMessage:
    """A message, where it will stand in the hub, and what must become of its pieces."""

    partition: int
    sequence_number: int
    body: bytes
    indexed: frozenset[str]  # ids of documents
    left_out: frozenset[str]  # ids that no document may have
    broken: tuple[Broken, ...]

    @property
    def pieces(self) -> int:
        """Records and broken pieces in it."""
        return len(self.indexed) + len(self.left_out) + len(self.broken)


def fated_messages(seed: int, count: int, partitions: int) -> list[FatedMessage]:
    """So many messages, to be sent in this order; no two records are alike, and every kind of breakage is among them."""
    chance = random.Random(f"fated messages {seed}")
    source = records(count * MOST_RECORDS, seed)
    ways = list(BREAKAGES)
    sent = [0] * partitions
    result = []
    for number in range(count):
        group = [next(source) for _ in range(chance.randint(1, MOST_RECORDS))]
        for record in group:
            if chance.random() < UNKNOWN_SHARE:
                record["category"] = f"AdvancedHunting-{UNKNOWN_TABLE}"
        is_broken = number < len(ways) or chance.random() < BROKEN_SHARE
        way = ways[number % len(ways)] if is_broken else None
        body, readable, broken = BREAKAGES[way](group, number) if way else (packed(_texts(group)), group, ())
        fates = [(id_of(record), is_left_out(record)) for record in readable]
        partition = chance.randrange(partitions)
        result.append(
            FatedMessage(
                partition,
                sent[partition],
                body,
                frozenset(id for id, out in fates if not out),
                frozenset(id for id, out in fates if out),
                tuple(broken),
            )
        )
        sent[partition] += 1
    return result


def id_of(record: dict[str, Any]) -> str:
    """The id of a record's document (tests/normalise/test_identity.py holds that these are always the same)."""
    columns = record["properties"]
    return document_id(record["tenantId"], table(record), columns["Timestamp"], columns)


def is_left_out(record: dict[str, Any]) -> bool:
    """Whether `RECORD_FILTER` means this record."""
    return table(record) == LEFT_OUT_TABLE and record["properties"].get("ActionType") == LEFT_OUT_ACTION


def table(record: dict[str, Any]) -> str:
    """The name of a record's table."""
    return str(record["category"]).removeprefix("AdvancedHunting-")


# A breakage: records of a message and its number -> body, records in it that can be read, pieces that can not.
Breakage = tuple[bytes, Sequence[dict[str, Any]], Sequence[Broken]]


def not_json(_: Sequence[dict[str, Any]], number: int) -> Breakage:
    """Text instead of JSON."""
    body = f"This is no JSON at all ({number}).".encode()
    return body, (), [("not_json", body)]


def not_text(_: Sequence[dict[str, Any]], number: int) -> Breakage:
    """Bytes that are not UTF-8."""
    body = b"\xff\xfe\x80\x81 " + str(number).encode()
    return body, (), [("not_json", body)]


def empty(_: Sequence[dict[str, Any]], __: int) -> Breakage:
    """No content: all such messages have the same bytes, and so the same dead letter."""
    return b"", (), [("empty", b"")]


def no_properties(group: Sequence[dict[str, Any]], number: int) -> Breakage:
    """One record among the others has no columns."""
    bare = {name: value for name, value in group[0].items() if name != "properties"} | {"number": number}
    middle = len(group) // 2
    texts = [*_texts(group[:middle]), json_bytes(bare), *_texts(group[middle:])]
    return packed(texts), group, [("no_properties", json_bytes(bare))]


def not_an_object(group: Sequence[dict[str, Any]], number: int) -> Breakage:
    """A piece of text stands where a record should."""
    piece = json_bytes(f"no record ({number})")  # type: ignore[arg-type]  # what is no record is the point
    return packed([*_texts(group), piece]), group, [("not_an_object", piece)]


def cut_off(group: Sequence[dict[str, Any]], _: int) -> Breakage:
    """The message ends within its last record."""
    whole = packed(_texts(group))
    last = json_bytes(group[-1])
    begins = whole.rindex(last)
    ends = begins + last.index(b'"properties":{"') + 17
    return whole[:ends], group[:-1], [("not_json", whole[begins:ends])]


BREAKAGES = {way.__name__: way for way in (not_json, not_text, empty, no_properties, not_an_object, cut_off)}


def _texts(group: Sequence[dict[str, Any]]) -> list[bytes]:
    return [json_bytes(record) for record in group]


def all_indexed(messages: Sequence[FatedMessage]) -> set[str]:
    """The ids of all documents that messages must become."""
    return {id for message in messages for id in message.indexed}


def all_broken(messages: Sequence[FatedMessage]) -> Iterator[tuple[str, int, str, bytes]]:
    """(partition, sequence number, class, bytes) of every dead letter that messages must become."""
    for message in messages:
        for code, data in message.broken:
            yield str(message.partition), message.sequence_number, code, data
