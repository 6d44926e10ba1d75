"""Requests for Elasticsearch -> the real server behind it, with faults on the way as a seeded plan says.

One proxy serves many plans at once: the first part of the path names the plan (`http://127.0.0.1:PORT/seed-7` is given
to the app as ELASTICSEARCH_URL). What happens to a request depends on the seed, its body and how often that body was
seen, so the order in which several senders' requests arrive does not matter.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.fakes.http_wire import Request, Upstream, gzip_like, read_request, send

LINGER_ZERO = struct.pack("ii", 1, 0)  # close with a reset instead of a goodbye


class Fault(StrEnum):
    """What happens to one request."""

    NONE = "none"
    SLOW = "slow"  # answered late, but in time
    BUSY = "429"
    BUSY_RETRY_AFTER = "429 with Retry-After"
    UNAVAILABLE = "503"
    BAD_GATEWAY = "502 with a page of HTML"
    TOO_LARGE = "413"
    PARTIAL = "partial bulk"  # some documents are answered 429 or 503 and not sent on
    PARTIAL_COMMITTED = "partial bulk, committed"  # answered 429 or 503 although they were sent on
    TIMEOUT_COMMITTED = "time-out after commit"
    TIMEOUT_LOST = "time-out before commit"
    RESET_BEFORE = "reset before commit"
    RESET_AFTER = "reset after commit"
    CUT_ANSWER = "answer cut off"
    BROKEN_ANSWER = "answer of half a JSON"
    SHORT_ANSWER = "answer with an item missing"
    TWICE = "sent on twice"
    FORBIDDEN = "403"


@dataclass(slots=True)
class Plan:
    """Faults by seed: how probable they are, which, and from how many bytes a request is too large.

    A body meets at most `patience` faults; then it goes through, so every plan ends.
    """

    seed: int
    share: float = 0.0
    faults: tuple[Fault, ...] = ()
    limit: int | None = None
    patience: int = 4
    hang: float = 30.0  # seconds that a time-out is kept waiting; the client leaves earlier
    retry_after: tuple[str, ...] = ("0",)
    script: list[Fault] = field(default_factory=list)  # the first requests' faults, in order, before chance begins
    seen: Counter[int] = field(default_factory=Counter)
    happened: Counter[Fault] = field(default_factory=Counter)

    def next(self, request: Request) -> tuple[Fault, random.Random]:
        """The fault for this request, and the chance that its details are drawn from."""
        mark = zlib.crc32(request.plain)
        self.seen[mark] += 1
        chance = random.Random(f"{self.seed}/{mark}/{self.seen[mark]}")
        if self.limit is not None and len(request.plain) > self.limit:
            fault = Fault.TOO_LARGE
        elif self.script:
            fault = self.script.pop(0)
        elif self.faults and self.seen[mark] <= self.patience and chance.random() < self.share:
            fault = chance.choice(self.faults)
        else:
            fault = Fault.NONE
        self.happened[fault] += 1
        return fault, chance


class FaultProxy:
    """A proxy on 127.0.0.1 in a thread of its own; `plans` may be added while it runs."""

    def __init__(self, upstream: str, tls: ssl.SSLContext | None = None) -> None:
        address = urlsplit(upstream)
        self.host, self.upstream_port = address.hostname or "127.0.0.1", address.port or 9200
        self.plans: dict[str, Plan] = {}
        self.port = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._open: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """Its address; append `/<plan>`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Bind a free port and serve."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the proxy did not start")

    def stop(self) -> None:
        """Close every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=2**20)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task, writer in self._open.items():
            task.cancel()
            writer.transport.abort()
        self._loop.run_until_complete(asyncio.gather(*self._open, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.01))  # connections are closed in the loop's next turns
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        upstream = Upstream(self.host, self.upstream_port)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while (request := await read_request(reader)) is not None:
                    plan = self.plans.get(request.plan) or Plan(0)
                    if not await answer(request, plan, upstream, reader, writer):
                        break
        finally:
            del self._open[task]
            upstream.close()
            writer.close()


async def answer(
    request: Request, plan: Plan, upstream: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Let one request meet its fault; False when the connection is over."""
    fault, chance = plan.next(request)
    if fault in REFUSALS:
        status, headers, body = refusal(fault, chance, plan)
        await send(writer, status, headers, body)
        return True
    if fault is Fault.RESET_BEFORE:
        return reset(writer)
    if fault is Fault.TIMEOUT_LOST:
        return await hang(reader, plan.hang)
    if fault is Fault.PARTIAL:
        await send(writer, *await partial(request, upstream, chance, committed=False))
        return True
    if fault is Fault.PARTIAL_COMMITTED:
        await send(writer, *await partial(request, upstream, chance, committed=True))
        return True
    status, headers, body = await upstream.ask(request, request.body)
    if fault is Fault.TWICE:
        status, headers, body = await upstream.ask(request, request.body)
    if fault is Fault.RESET_AFTER:
        return reset(writer)
    if fault is Fault.TIMEOUT_COMMITTED:
        return await hang(reader, plan.hang)
    if fault is Fault.SLOW:
        await asyncio.sleep(chance.uniform(0.005, 0.03))
    if fault is Fault.CUT_ANSWER:
        await send(writer, status, headers, body, cut=len(body) // 2)
        return False
    if fault is Fault.BROKEN_ANSWER:
        body = body[: len(body) // 2]
    if fault is Fault.SHORT_ANSWER:
        told = orjson.loads(body)
        if isinstance(told.get("items"), list):
            told["items"] = told["items"][:-1]
            body = orjson.dumps(told)
    await send(writer, status, headers, body)
    return True


REFUSALS = frozenset(
    {Fault.BUSY, Fault.BUSY_RETRY_AFTER, Fault.UNAVAILABLE, Fault.BAD_GATEWAY, Fault.TOO_LARGE, Fault.FORBIDDEN}
)


def refusal(fault: Fault, chance: random.Random, plan: Plan) -> tuple[int, dict[str, str], bytes]:
    """The answer of a server (or a balancer) that does nothing."""
    headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    if fault is Fault.BAD_GATEWAY:
        return 502, {"content-type": "text/html"}, b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    if fault is Fault.TOO_LARGE:
        return 413, {}, b""
    status, kind = {
        Fault.UNAVAILABLE: (503, "cluster_block_exception"),
        Fault.FORBIDDEN: (403, "security_exception"),
    }.get(fault, (429, "es_rejected_execution_exception"))
    if fault is Fault.BUSY_RETRY_AFTER:
        asked = chance.choice(plan.retry_after)
        headers["retry-after"] = formatdate(usegmt=True) if asked == "date" else asked
    return status, headers, orjson.dumps({"error": {"type": kind, "reason": "as the plan says"}, "status": status})


async def partial(
    request: Request, upstream: Upstream, chance: random.Random, *, committed: bool
) -> tuple[int, dict[str, str], bytes]:
    """Answer some documents with 429 or 503, the others as the server does; every item at its own position.

    committed: the refused documents are sent on all the same, so their next try finds them there.
    """
    lines = request.plain.splitlines(keepends=True)
    pairs = [lines[i] + lines[i + 1] for i in range(0, len(lines), 2)]
    refused = {i for i in range(len(pairs)) if chance.random() < 0.5}
    sent = [pair for i, pair in enumerate(pairs) if committed or i not in refused]
    items: list[Any] = []
    headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    if sent:
        status, headers, body = await upstream.ask(request, gzip_like(request, b"".join(sent)))
        if status != 200:
            return status, headers, body
        items = orjson.loads(body)["items"]
    if not committed:
        real = iter(items)
        items = [None if i in refused else next(real) for i in range(len(pairs))]
    for i in refused:
        code = chance.choice((429, 503))
        error = {"type": "es_rejected_execution_exception", "reason": "rejected execution of coordinating operation"}
        items[i] = {"create": {"status": code, "error": error}}
    return 200, headers, orjson.dumps({"errors": bool(refused), "items": items})


def reset(writer: asyncio.StreamWriter) -> bool:
    """End the connection with a reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    writer.transport.abort()
    return False


async def hang(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Never answer; over when the client leaves or after `seconds`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.read(1), seconds)
    return False


@contextmanager
def fault_proxy(upstream: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A running proxy before `upstream` (`http://127.0.0.1:PORT`), stopped at the end."""
    proxy = FaultProxy(upstream, tls)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
