"""The fake without sockets: what a `requests` session would give, straight from the fake's own routing, for tests that ask very often."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ProtocolError

from local.microsoft import Microsoft
from local.microsoft_http import Answer, Request
from shared.backoff import Clock


class Raw:
    """A body as it comes over the wire."""

    def __init__(self, answer: Answer) -> None:
        content = answer.content()
        self._pieces: Iterator[bytes] = iter([content] if isinstance(content, bytes) else content)
        self._left = b""
        self._cut = answer.cut

    def read(self, size: int) -> bytes:
        """The next bytes; half of a body that is cut, then an error."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece[: len(piece) // 2] if self._cut else piece
            if self._cut and not self._left:
                raise ProtocolError("Connection broken")
        if self._cut and self._left == b"\0":
            raise ProtocolError("Connection broken")
        out, self._left = self._left[:size], self._left[size:]
        if self._cut and not self._left:
            self._left = b"\0"
        return out


@dataclass
class Response:
    """What a session gives back."""

    status_code: int
    headers: dict[str, str]
    raw: Raw

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


@dataclass
class InProcess:
    """A session whose requests never leave the process."""

    fake: Microsoft
    sent: list[tuple[str, str | None]] = field(default_factory=list)  # (host's address, token)

    def get(self, address: str, *, headers: Mapping[str, str], **_: Any) -> Response:
        """Ask the fake."""
        parts = urlsplit(address)
        base = f"{parts.scheme}://{parts.netloc}"
        host = "api" if base == self.fake.base else "files"
        self.sent.append((base, headers.get("authorization")))
        answer = self.fake.answer(host, Request.of("GET", f"{parts.path}?{parts.query}", headers, base))  # type: ignore[arg-type]  # a host
        if answer.reset:
            raise requests.exceptions.ConnectionError("Connection reset by peer")
        return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, Raw(answer))


@dataclass
class Moving:
    """A clock that nobody waits for: waiting moves it."""

    seconds: float = 1_000_000.0
    epoch: float = 1_767_322_800.0  # 2026-01-02T03:00:00Z
    waits: list[float] = field(default_factory=list)
    chances: Iterator[float] = field(default_factory=lambda: iter(()))

    def clock(self, **more: Any) -> Clock:
        """As the code wants it."""
        return Clock(
            now=lambda: self.seconds,
            wall=lambda: self.epoch + self.seconds - 1_000_000.0,
            wait=self.wait,
            chance=lambda: 1.0,
            **more,
        )

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Let time pass."""
        if not stop.is_set():
            self.waits.append(seconds)
            self.seconds += seconds
