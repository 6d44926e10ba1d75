"""A byte range of a blob -> the whole pieces that begin in it: lines of JSON, or blocks of Avro between sync markers.

A piece belongs to the range that holds its first byte, so that ranges that follow one another give every piece once, wherever they were cut.
The last piece is read to its end, beyond the range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.errors import Reject

type Read = Callable[[int, int], bytes]  # offset and length -> bytes, fewer at the blob's end, none behind it

LINE_END = b"\n"
STEP = 262_144  # bytes asked for at once, beyond a range
MOST_PIECE = 32_000_000  # bytes of one piece; Defender's records and Capture's events have 1 MB at most


@dataclass(frozen=True, slots=True)
class Cut:
    """Whole pieces and where the first begins; `broken` says why a last one is missing."""

    offset: int
    data: bytearray
    broken: Reject | None = None


def cut(read: Read, start: int, end: int, delimiter: bytes, *, most_piece: int = MOST_PIECE) -> Cut:
    """The pieces that begin in [start, end) and end with `delimiter` (or with the blob).

    A line begins at the blob's first byte too; a block of Avro begins behind the header, which ends with the marker.
    """
    at = max(0, start - len(delimiter))
    data = bytearray(read(at, end - at))
    if start == 0 and delimiter == LINE_END:
        begin = 0
    else:
        found = data.find(delimiter)
        begin = found + len(delimiter)
        if found < 0 or at + begin >= end:
            return Cut(end, bytearray())
    del data[:begin]
    at += begin
    if data.endswith(delimiter):
        return Cut(at, data)
    last = (
        data.rfind(delimiter) + len(delimiter) if delimiter in data else 0
    )  # where the piece begins that is not whole
    while True:
        seen = len(data)
        more = read(at + seen, STEP)
        if not more:  # the blob ends without a delimiter
            return Cut(at, data)
        data += more
        found = data.find(delimiter, max(last, seen - len(delimiter) + 1))
        if found >= 0:
            del data[found + len(delimiter) :]
            return Cut(at, data)
        if len(data) - last > most_piece:
            reason = f"what begins at byte {at + last} is longer than {most_piece} bytes"
            del data[last:]
            return Cut(at, data, Reject("too_long", reason))


def lines(piece: Cut) -> Iterator[tuple[int, bytes]]:
    """Each line with the offset of its first byte, without its end (CRLF or LF); empty ones are left out."""
    data, position = piece.data, 0
    while position < len(data):
        end = data.find(LINE_END, position)
        end = len(data) if end < 0 else end
        line = data[position:end].strip()
        if line:
            yield piece.offset + position, bytes(line)
        position = end + 1
