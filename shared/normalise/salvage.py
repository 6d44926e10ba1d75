"""Text that is not one JSON value -> the pieces that are, and the pieces that are not, each with its own bytes.

Works with the standard library's scanner, which says where a value ends and allows raw control characters in strings (some Azure services emit
them). Bytes that are not UTF-8 become U+FFFD in the value; the piece keeps them as they came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.errors import Reject

WRAPPERS = ("records", "value")  # keys that hold the list of records, the first that does wins


def _number(digits: str) -> int | str:
    """A whole number; Python refuses to read one of more than 4,300 digits, which stays text."""
    try:
        return int(digits)
    except ValueError:
        return digits


SCANNER = json.JSONDecoder(strict=False, parse_int=_number)
BLANK = re.compile(r"[\s,\x00\ufeff]*+")
COLON = re.compile(r"\s*+:\s*+")
WRAPPER = re.compile(r'\s*+\{\s*+"(?:records|value)"\s*+:\s*+\[')
LIST = re.compile(r"\[")
CLOSED = re.compile(r"\]\s*+\}?")
STRING_OR_BRACE = re.compile(
    r'"(?:[^"\\]++|\\.)*+"?|[{}]', re.DOTALL
)  # a string that nothing closes is read once, to the end
# Patterns that search must not begin with blanks: at each of a million blanks they would look at all that follow.
ENVELOPE = re.compile(r'\{\s*+"(?:time|tenantId|Tenant|category|operationName|_TimeReceivedBySvc|properties|records)"')
OBJECT = re.compile(r"\{")
MOST_READ_AGAIN = (
    4_000_000  # characters of a broken body that may be read a second time, so that a hostile one costs little
)
TOO_BIG = 2**64  # orjson writes whole numbers below this


@dataclass(frozen=True, slots=True)
class Piece:
    """A JSON value with its bytes, or bytes with the reason why they are none."""

    data: bytes
    value: Any = None
    reject: Reject | None = None


def pieces(body: bytes) -> Iterator[Piece]:
    """Every value and every broken stretch of a body, in order. Never raises."""
    text = body.decode("utf-8", "surrogateescape")
    position, inside, resumption = _blanks(text, 0), False, Resumption(text)
    if position == len(text):
        yield Piece(body, reject=Reject("empty", "the message has no content"))
        return
    while (position := _blanks(text, position)) < len(text):
        if inside and (closed := CLOSED.match(text, position)):
            position, inside = closed.end(), False
            continue
        try:
            value, end = SCANNER.raw_decode(text, position)
            piece = Piece(_bytes(text[position:end]), clean(value))
        except (ValueError, RecursionError) as error:
            opening = None if inside else WRAPPER.match(text, position) or LIST.match(text, position)
            if opening:  # a list that is broken somewhere: its members one by one
                position, inside = opening.end(), True
                continue
            end = resumption.after(position, getattr(error, "pos", position + 10_000))
            stretch = text[position:end].rstrip(" \t\r\n,")
            piece = Piece(_bytes(stretch), reject=Reject("not_json", f"not JSON: {_why(error)}"))
        yield piece
        position = end


def _blanks(text: str, position: int) -> int:
    return BLANK.match(text, position).end()  # type: ignore[union-attr]  # the pattern matches everywhere


class Resumption:
    """Where to go on behind a broken stretch; remembers what it has looked up, so that a body is searched once and not at each break."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.budget = MOST_READ_AGAIN
        self.found: dict[re.Pattern[str], int] = {ENVELOPE: 0, OBJECT: 0}

    def _next(self, pattern: re.Pattern[str], start: int) -> int:
        """Where the pattern next matches, at or behind `start`, as an element of its own; or the end of the text."""
        if self.found[pattern] < start:
            matches = pattern.finditer(self.text, start)
            self.found[pattern] = next((m.start() for m in matches if self._begins(m.start())), len(self.text))
        return self.found[pattern]

    def _begins(self, position: int) -> bool:
        """Whether a brace opens an element and not a member's value: before it, blanks aside, is `,`, `[`, `}` or a line's end."""
        before = position - 1
        while before >= 0 and self.text[before] in " \t\r":
            before -= 1
        return before >= 0 and self.text[before] in ",[}\n"

    def after(self, start: int, failed_at: int) -> int:
        """Where the braces of the broken stretch close, or where the next envelope begins, whichever comes first."""
        self.budget -= 1_000 + failed_at - start + failed_at // 32  # an error of the scanner counts the lines before it
        if self.budget <= 0:
            return len(self.text)
        envelope = self._next(ENVELOPE, start + 1)  # behind the stretch's own beginning
        if self.text[start] == "{":
            depth = 0
            for match in STRING_OR_BRACE.finditer(self.text, start, min(envelope, start + self.budget)):
                depth += {"{": 1, "}": -1}.get(match[0], 0)
                if depth == 0:
                    return match.end()
            self.budget -= min(envelope, start + self.budget) - start
        return envelope if envelope < len(self.text) else self._next(OBJECT, start + 1)


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def exact_pieces(body: bytes) -> list[bytes]:
    """The bytes of each record of a body that is one valid JSON value: of the list's members, or of the one object."""
    text = body.decode("utf-8", "surrogateescape")
    position = _list_begins(text)
    if position is None:
        return [body]
    result = []
    while text[position := _blanks(text, position)] != "]":
        _, end = SCANNER.raw_decode(text, position)
        result.append(_bytes(text[position:end]))
        position = end
    return result


def _list_begins(text: str) -> int | None:
    """Where the first record of a body begins, behind the bracket; None for an object that wraps no list. Twice the same key: the last counts."""
    start = _blanks(text, 0)
    if text[start] == "[":
        return start + 1
    lists: dict[str, int | None] = dict.fromkeys(WRAPPERS)
    position = start + 1
    while text[position := _blanks(text, position)] != "}":
        key, position = SCANNER.raw_decode(text, position)
        position = COLON.match(text, position).end()  # type: ignore[union-attr]  # valid JSON has a colon there
        if key in lists:
            lists[key] = position + 1 if text[position] == "[" else None
        _, position = SCANNER.raw_decode(text, position)
    return next((place for place in lists.values() if place is not None), None)


def clean(value: Any) -> Any:
    """The value as orjson would have read it: lone surrogates become U+FFFD, whole numbers beyond 64 bits floats, infinite ones their text.

    A record must read the same whether a broken neighbour made it be read here or not, or else its document id would differ.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < TOO_BIG:
        try:
            return float(value)
        except OverflowError:
            return str(value)
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value
