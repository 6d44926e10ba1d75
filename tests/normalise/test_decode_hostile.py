"""Message bodies that are made to be slow: decoding them comes to an end, in steps that grow no faster than they do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from shared.normalise.decode import MOST_WRAPPERS, Message, decode
from shared.normalise.salvage import MOST_READ_AGAIN

# fmt: off
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "braces":              lambda n: b"{" * n,
    "brackets":            lambda n: b"[" * n,
    "objects opened":      lambda n: b'{"a":' * (n // 5),
    "lists and braces":    lambda n: b"[{" * (n // 2),
    "blank lines":         lambda n: b"x" + b"\n" * n,
    "blanks":              lambda n: b"{" + b" " * n + b"{",
    "blanks and braces":   lambda n: b"x" + b" \n{" * (n // 3),
    "quotes":              lambda n: b'{"a":"' + b'\\"' * (n // 2),
    "quote after quote":   lambda n: b'{"' * (n // 2),
    "numbers":             lambda n: b"[" + b"1," * (n // 2) + b"1]",
    "empty objects":       lambda n: b"[" + b"{}," * (n // 3) + b"{}]",
    "wrappers":            lambda n: b'{"records":[' * (n // 12) + b"]}" * (n // 12),
    "wrappers with more":  lambda n: b'{"records":[1,' * (n // 16) + b"1" + b"]}" * (n // 16),
    "lists after another": lambda n: b"[x]{}," * (n // 6),
    "broken wrappers":     lambda n: b'{"records":[x]}' * (n // 15),
    "envelopes":           lambda n: b'{"time":' * (n // 8),
    "broken members":      lambda n: b"[" + b'{"time":x},' * (n // 11),
    "closing":             lambda n: b"]}" * (n // 2),
    "commas":              lambda n: b"," * n + b"x",
    "zeros":               lambda n: b"\0" * n + b"x",
    "digits":              lambda n: b"[" + b"9" * n + b"]",
    "texts in texts":      lambda n: text_in_text(n),  # noqa: PLW0108  it is defined below
    "late wrapper":        lambda n: b'{"a":[' + b'{"records":[]},' * (n // 15) + b'1],"value":[1]}',
    "unfinished escape":   lambda n: b'["' + b"\\" * n,
}
# fmt: on


def text_in_text(size: int) -> bytes:
    """JSON in text in JSON, as often as fits into the size."""
    body = b"[1]"
    while len(body) * 2 < size:
        body = orjson.dumps([body.decode()])
    return body


def work(body: bytes) -> tuple[int, int]:
    """How many calls of functions decoding a body takes, in Python and below, and how many bytes come out as pieces."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        size = sum(len(piece.original()) for piece in decode(Message(body)))
    finally:
        sys.setprofile(before)
    return calls, size


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_cost_little(name: str) -> None:
    """A body made to be slow takes a number of steps in proportion to its size, and its pieces are not larger than a few of it."""
    small, large = HOSTILE[name](20_000), HOSTILE[name](80_000)
    calls, size = work(small)
    assert size <= (MOST_WRAPPERS + 1) * len(small) + 100
    assert calls <= 40 * len(small) + MOST_READ_AGAIN
    more, _ = work(large)
    assert more <= 6 * calls + 2_000  # four times the size: four times the steps, not sixteen times


@pytest.mark.parametrize("name", HOSTILE)
def test_megabytes_end(name: str) -> None:
    """A full message of every hostile kind comes to an end (patterns that try again at every character would not, for hours)."""
    pieces = list(decode(Message(HOSTILE[name](1_000_000))))
    assert pieces or name == "commas"
