"""Blobs -> portions, a message of the queue each: ranges of one container that make up about so many bytes.

Large blobs are cut, small ones go together. A message is JSON: `{"run","number","container","ranges":[[blob,start,end],…]}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from shared.backfill.places import Found
from shared.errors import Reject

MOST_RANGES = 200  # of one portion
MOST_NAMES = 24_000  # characters of their blobs' names: a message has 48 KB at most, and a character up to 2 bytes here
RUN = re.compile(r"[0-9A-Za-z-]{1,64}")


class Range(NamedTuple):
    """The bytes [start, end) of a blob; what begins in them is meant."""

    blob: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Portion:
    """What one invocation reads; `number` counts from 0 within its run."""

    run: str
    number: int
    container: str
    ranges: tuple[Range, ...]

    @property
    def size(self) -> int:
        """Bytes of all ranges."""
        return sum(item.end - item.start for item in self.ranges)

    def text(self) -> str:
        """The message."""
        ranges = [list(item) for item in self.ranges]
        return orjson.dumps(
            {"run": self.run, "number": self.number, "container": self.container, "ranges": ranges}
        ).decode()

    @classmethod
    def parse(cls, text: str | bytes) -> Portion:
        """Read a message back; raises `Reject` for what is none of ours."""
        try:
            found = orjson.loads(text)
            run, number, container = found["run"], found["number"], found["container"]
            ranges = tuple(Range(str(blob), int(start), int(end)) for blob, start, end in found["ranges"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise Reject("not_a_portion", "the message is not one of the back-fill's") from None
        whole = all(0 <= item.start < item.end for item in ranges)
        if not isinstance(run, str) or not RUN.fullmatch(run) or not isinstance(number, int) or number < 0 or not whole:
            raise Reject("not_a_portion", "the message is not one of the back-fill's")
        return cls(run, number, str(container), ranges)


def portions(run: str, found: Iterable[Found], range_bytes: int) -> Iterator[Portion]:
    """The blobs as portions of about `range_bytes`, in their order."""
    number, container = 0, ""
    ranges: list[Range] = []
    size = characters = 0
    for blob in found:
        for start in range(0, blob.size, range_bytes):
            piece = Range(blob.name, start, min(start + range_bytes, blob.size))
            full = (
                size + piece.end - piece.start > range_bytes
                or characters + len(blob.name.encode()) > MOST_NAMES
                or len(ranges) >= MOST_RANGES
            )
            if ranges and (full or blob.container != container):
                yield Portion(run, number, container, tuple(ranges))
                number, ranges, size, characters = number + 1, [], 0, 0
            container = blob.container
            ranges.append(piece)
            size += piece.end - piece.start
            characters += len(blob.name.encode())
    if ranges:
        yield Portion(run, number, container, tuple(ranges))
