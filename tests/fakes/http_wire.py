"""Bytes on a connection <-> HTTP/1.1 requests and answers, as far as the client and Elasticsearch use it."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass

KEPT = ("content-type", "x-elastic-product", "retry-after")  # headers of an answer that are passed on


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: the plan's name, the target behind it, headers, the body and its bytes unpacked."""

    plan: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    plain: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, or None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    plan, _, target = path[1:].partition("/")
    if plan.startswith("_"):  # no plan in the path
        plan, target = "", path[1:]
    plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    return Request(plan, method, f"/{target}", headers, body, plain)


def gzip_like(request: Request, plain: bytes) -> bytes:
    """`plain` in the encoding that the request came in."""
    return gzip.compress(plain, 1) if request.headers.get("content-encoding") == "gzip" else plain


async def send(
    writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes, cut: int | None = None
) -> None:
    """Write an answer; with `cut`, promise all of it and send so many bytes."""
    lines = [f"HTTP/1.1 {status} as planned", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body if cut is None else body[:cut]))
    await writer.drain()


class Upstream:
    """A kept-alive connection to the real server."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request on with another body; (status, the headers that matter, body)."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**20)
        reader, writer = self._streams
        headers = request.headers | {"content-length": str(len(body)), "host": f"{self._host}:{self._port}"}
        head = f"{request.method} {request.target} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(head.encode("latin-1") + b"\r\n" + body)
        await writer.drain()
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        got = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
        if got.get("transfer-encoding") == "chunked":
            data = await read_chunked(reader)
        else:
            data = await reader.readexactly(int(got.get("content-length", "0")))
        kept = {name: value for name, value in got.items() if name in KEPT}
        return int(first.split(" ")[1]), kept, data

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_chunked(reader: asyncio.StreamReader) -> bytes:
    """A body in chunked transfer encoding."""
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
