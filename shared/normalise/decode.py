"""Bytes of an Event Hub message -> records with their table's name, and what could not be read, with the reason.

The common case is one `orjson.loads` of `{"records":[…]}`. Everything else (bare arrays and objects, objects one after another, BOM, gzip,
bytes that are not UTF-8, a broken record among good ones) is salvaged record by record. Shapes: elastic/beats#18651,
#34874, #40641; design lessons 1.6.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.errors import Reject
from shared.normalise.cloud_message import TYPES, kind_of
from shared.normalise.identity import Names
from shared.normalise.salvage import WRAPPERS, exact_pieces, pieces

BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
MOST_INFLATED = 16 * 1024 * 1024  # bytes a gzipped body may unpack to; an Event Hub message holds 1 MB
PREFIX = "AdvancedHunting-"
LONGEST_NAME = 200  # characters of a table's name, which is kept in counts and in metrics
MOST_WRAPPERS = 4  # lists of records within one another that are opened


@dataclass(frozen=True, slots=True)
class Message:
    """One Event Hub message: its body and where it stood; `enqueued` is ISO 8601."""

    body: bytes
    partition: str | None = None
    sequence_number: int | None = None
    enqueued: str | None = None


class Body:
    """The plain bytes of one JSON value, and its records' own bytes, cut out all at once when somebody first asks for one."""

    __slots__ = ("_pieces", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._pieces: list[bytes] | None = None

    def piece(self, position: int) -> bytes:
        """The bytes of the record at that place of the list; -1: the record is the whole body."""
        if position < 0:
            return self.data
        if self._pieces is None:
            self._pieces = exact_pieces(self.data)
        return self._pieces[position]


class FromHub:
    """Something out of a message: where it stood in the hub is the message's to say."""

    __slots__ = ()
    message: Message

    @property
    def partition(self) -> str | None:
        """The hub's partition that the message came from."""
        return self.message.partition

    @property
    def sequence_number(self) -> int | None:
        """The message's number in its partition."""
        return self.message.sequence_number

    @property
    def enqueued(self) -> str | None:
        """When the hub took the message."""
        return self.message.enqueued


class Record(FromHub):
    """One row of a table: the envelope, the columns, and the way back to its own bytes."""

    __slots__ = ("_body", "_position", "envelope", "message", "names", "properties", "table", "values")

    def __init__(
        self,
        table: str,
        envelope: Mapping[str, Any],
        properties: Mapping[str, Any],
        message: Message,
        body: Body,
        position: int,
    ) -> None:
        self.table = table
        self.envelope = envelope
        self.properties = properties
        self.message = message
        self.names: Names | None = None  # once the record has its id: its columns' names in order,
        self.values: Sequence[Any] = ()  # and their values
        self._body = body
        self._position = position

    def original(self) -> bytes:
        """The record's own bytes, cut out of the message only when somebody asks."""
        return self._body.piece(self._position)


@dataclass(frozen=True, slots=True)
class Unreadable(FromHub):
    """A piece of a message that is no record: its bytes and why; it goes to the dead letters."""

    reject: Reject
    message: Message
    data: bytes
    table: str | None = None  # of a record that can be read but not given an id

    def original(self) -> bytes:
        """The bytes as they came."""
        return self.data


def decode(message: Message) -> Iterator[Record | Unreadable]:
    """Every record of a message, in order, and an `Unreadable` for whatever is none. Never raises."""
    body, broken = message.body, None
    if body[:3] == BOM or body[:2] == GZIP:
        body, broken = plain(body)
    if body or broken is None:
        yield from _values(message, body, MOST_WRAPPERS)
    if broken is not None:
        yield Unreadable(broken, message, message.body)


def plain(body: bytes) -> tuple[bytes, Reject | None]:
    """The body without BOM and gzip, and what is wrong with the gzip stream; of a broken one, what could be unpacked."""
    inflated, broken = [], None
    room = MOST_INFLATED
    while body[:2] == GZIP and broken is None:  # streams may follow one another (RFC 1952, 2.2)
        inflater = zlib.decompressobj(wbits=31)
        try:
            inflated.append(inflater.decompress(body, room))
        except zlib.error as error:
            broken = Reject("gzip_broken", f"the gzip stream is broken: {error}")
        else:
            room -= len(inflated[-1])
            if inflater.unconsumed_tail or room <= 0:
                return b"", Reject("gzip_too_large", f"the gzip stream unpacks to more than {MOST_INFLATED} bytes")
            if not inflater.eof:
                broken = Reject("gzip_broken", "the gzip stream ends too early")
        body = inflater.unused_data
    if inflated:
        if body.strip(b"\0"):
            broken = Reject("gzip_broken", "something that is no gzip stream follows the gzip stream")
        body = b"".join(inflated)
    return body[3:] if body[:3] == BOM else body, broken


def _values(message: Message, data: bytes, wrappers: int) -> Iterator[Record | Unreadable]:
    """The records of plain bytes, in which so many wrappers may still lie in one another."""
    if not wrappers:
        yield Unreadable(Reject("wrapped_too_often", "lists of records lie in one another too often"), message, data)
        return
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        for piece in pieces(data):
            if piece.reject is not None:
                yield Unreadable(piece.reject, message, piece.data)
            else:
                yield from _members(message, Body(piece.data), piece.value, wrappers)
    else:
        yield from _members(message, Body(data), value, wrappers)


def _members(message: Message, body: Body, value: Any, wrappers: int) -> Iterator[Record | Unreadable]:
    """The records of one JSON value: of the list that it is or wraps, or the one that it is itself."""
    members: list[Any] | None = None
    if value.__class__ is dict:
        members = next((value[key] for key in WRAPPERS if value.get(key).__class__ is list), None)
    elif value.__class__ is list:
        members = value
    if members is None:
        yield _record(message, body, -1, value)
        return
    for position, member in enumerate(members):
        if member.__class__ is dict:
            category, properties = member.get("category"), member.get("properties")
            if (
                category.__class__ is str
                and category[:16] == PREFIX
                and properties.__class__ is dict
                and 16 < len(category) <= LONGEST_NAME
                and properties
            ):
                yield Record(
                    category[16:], member, properties, message, body, position
                )  # by far the most: what `classify` would say
            elif "records" in member:  # a wrapper within the wrapper
                yield from _values(message, body.piece(position), wrappers - 1)
            elif (
                category is None
                and (kind := member.get("type") or member.get("Type")).__class__ is str
                and (cloud := TYPES.get(kind)) is not None
            ):  # most of Defender for Cloud's
                yield Record(cloud, NO_ENVELOPE, member, message, body, position)
            else:
                yield _record(message, body, position, member)
        elif member.__class__ is str and member.lstrip()[:1] in ("{", "["):  # text that holds JSON
            yield from _values(message, member.encode("utf-8", "replace"), wrappers - 1)
        else:
            yield Unreadable(NO_OBJECT, message, body.piece(position))


NO_ENVELOPE: Mapping[str, Any] = {}
NO_OBJECT = Reject("not_an_object", "a record must be a JSON object")


def _record(message: Message, body: Body, position: int, value: Any) -> Record | Unreadable:
    """The record that a JSON value is; position -1 means the value is the whole body."""
    try:
        table, envelope, properties = classify(value)
    except Reject as reject:
        reject.__traceback__ = None  # its frames hold the whole message
        return Unreadable(reject, message, body.piece(position))
    return Record(table, envelope, properties, message, body, position)


def classify(value: Any) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """(table, envelope, columns) of one JSON value; raises `Reject` where it is no Defender record.

    Defender XDR: `category` = AdvancedHunting-<Table> and an object `properties`. Defender for Cloud has no such envelope: `cloud_message`
    tells its messages apart, and the whole object is the row.
    """
    if value.__class__ is not dict:
        raise Reject(NO_OBJECT.code, NO_OBJECT.reason)
    category = value.get("category")
    properties = value.get("properties")
    if category.__class__ is str and category[:16] == PREFIX and properties.__class__ is dict and properties:
        return table_name(category[16:]), value, properties
    if category.__class__ is not str and (cloud := kind_of(value)) is not None:
        return table_name(cloud), NO_ENVELOPE, value
    if properties.__class__ is str:
        try:
            properties = orjson.loads(properties)
        except orjson.JSONDecodeError:
            raise Reject("no_properties", "properties is text that is not JSON") from None
    if not isinstance(category, str) or not category:
        raise Reject("no_category", "the record has no category, so its table is not known")
    if not isinstance(properties, dict) or not properties:
        raise Reject("no_properties", "the record has no properties, so there are no columns")
    return table_name(category.removeprefix(PREFIX)), value, properties


def table_name(name: str) -> str:
    """The name, if it can be a table's; raises `Reject` for one that is empty or too long."""
    if 0 < len(name) <= LONGEST_NAME:
        return name
    raise Reject("no_category", f"the record's category has {len(name)} characters where a table's name should be")
