"""What the fake of Microsoft's APIs is asked and what it answers, and the bodies of errors in Microsoft's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import uuid4

import orjson

Row = dict[str, Any]


class LargeRow(dict[str, Any]):
    """A row that is written piece by piece, because it would not fit in memory twice; its items are what lists filter and sort by."""

    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. base: scheme, host and port that it came to; headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base: str
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], base: str, body: bytes = b"") -> Request:
        """Read the target of a request line."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, parts.path, query, {name.lower(): value for name, value in headers.items()}, base, body)

    def link(self, **more: str) -> str:
        """This request's address with other words in its query; `_` at the beginning of a word stands for `$`."""
        query = dict(self.query) | {("$" + name[1:] if name[0] == "_" else name): value for name, value in more.items()}
        return f"{self.base}{quote(self.path)}?{urlencode(query, quote_via=quote, safe='$')}"

    @property
    def form(self) -> dict[str, str]:
        """The body as a posted form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def further(self) -> bool:
        """Whether it comes from a next link."""
        return any(name.lower() in ("$skiptoken", "$skip", "skiptoken") for name in self.query)


@dataclass(slots=True)
class Answer:
    """One answer: a page of rows with what stands beside them, or a JSON value, or bytes; and what becomes of it on the way."""

    status: int = 200
    value: Any = None
    rows: list[Row] | None = None  # of a page: `value` is what stands beside them
    body: bytes | Iterable[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "value"
    id: str = "id"  # the rows' key for their id
    link: str = "@odata.nextLink"
    reset: bool = False  # no answer, a broken connection
    cut: bool = False  # half of the body, then a broken connection
    delay: float = 0.0  # seconds before the answer
    drip: float = 0.0  # seconds between one byte and the next

    def has(self, id: str) -> bool:
        """Whether a row is in the answer."""
        if self.rows is not None:
            return any(str(row.get(self.id)) == id for row in self.rows)
        return isinstance(self.value, dict) and str(self.value.get(self.id)) == id

    def content(self) -> bytes | Iterator[bytes]:
        """The body; a page with large rows comes in pieces."""
        if self.body is not None:
            return self.body if isinstance(self.body, bytes) else iter(self.body)
        if self.rows is None:
            return b"" if self.value is None else orjson.dumps(self.value)
        if any(isinstance(row, LargeRow) for row in self.rows):
            return self._pieces()
        return orjson.dumps({**(self.value or {}), self.key: self.rows})

    def _pieces(self) -> Iterator[bytes]:
        yield orjson.dumps(self.value or {})[:-1] + (b"," if self.value else b"") + orjson.dumps(self.key) + b":["
        for number, row in enumerate(self.rows or ()):
            yield b"," if number else b""
            yield from row.pieces() if isinstance(row, LargeRow) else (orjson.dumps(row),)
        yield b"]}"


def graph_error(status: int, code: str, message: str, **headers: str) -> Answer:
    """An error as Graph words it."""
    inner = {"date": "2026-01-02T03:04:05", "request-id": str(uuid4()), "client-request-id": str(uuid4())}
    return Answer(
        status, {"error": {"code": code, "message": message, "innerError": inner}}, headers=with_dashes(headers)
    )


def api_error(status: int, code: str, message: str, **headers: str) -> Answer:
    """An error as Defender's own APIs and Resource Manager word it."""
    return Answer(status, {"error": {"code": code, "message": message}}, headers=with_dashes(headers))


def with_dashes(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by their real names."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def blob_error(status: int, code: str, message: str) -> Answer:
    """An error as Azure Storage words it."""
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, body=text.encode(), headers={"content-type": "application/xml", "x-ms-error-code": code})


def shown(answer: Answer) -> str:
    """An answer's JSON, for a person."""
    return json.dumps(answer.value, indent=1)[:2000]
