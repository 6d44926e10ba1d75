"""A handler of requests -> a server on a free loopback port, with TLS of a CA of its own; also what breaks on the way to the client."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import trustme

from local.microsoft_http import Answer, Request

LEAST_PACKED = 1_000  # bytes of a body that is worth to be gzipped

type Handle = Callable[[Any, Request], Answer]


def trusted(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for localhost, and the file of the CA to trust."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    file = folder / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return context, file


class Server(ThreadingHTTPServer):
    """A thread for each connection; the TLS handshake is that thread's business."""

    daemon_threads = True
    request_queue_size = 64
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection."""
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that go away are part of the game."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    handle_with: ClassVar[Handle]
    host: ClassVar[str]
    base: ClassVar[str]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def handle_one(self) -> None:
        """Read the request, answer it."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request.of(self.command, self.path, dict(self.headers.items()), self.base, body)
        answer = type(self).handle_with(self.host, request)
        if answer.delay:
            time.sleep(answer.delay)
        if answer.reset:
            self._break()
            return
        content = answer.content()
        headers = {"content-type": "application/json; odata.metadata=minimal"} | answer.headers
        if isinstance(content, bytes):
            if (
                "gzip" in request.headers.get("accept-encoding", "")
                and len(content) >= LEAST_PACKED
                and "content-encoding" not in headers
            ):
                content, headers["content-encoding"] = gzip.compress(content, 1, mtime=0), "gzip"
            self._head(answer.status, headers | {"content-length": str(len(content))})
            if answer.cut:
                self.wfile.write(content[: len(content) // 2])
                self._break()
            elif answer.drip:
                self._drip(content, answer.drip)
            else:
                self.wfile.write(content)
            return
        self._head(answer.status, headers | {"transfer-encoding": "chunked"})
        for number, piece in enumerate(content):
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if answer.cut and number >= 1:
                self._break()
                return
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815  http.server's names

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, content: bytes, seconds: float) -> None:
        for place in range(len(content)):
            self.wfile.write(content[place : place + 1])
            time.sleep(seconds)

    def _break(self) -> None:
        """End the connection with a reset."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing: tests read `asked`."""


@contextmanager
def serve(handle: Handle, host: str, context: ssl.SSLContext | None) -> Iterator[str]:
    """A running server; gives its address."""
    made = type("Made", (Handler,), {"handle_with": staticmethod(handle), "host": host})
    with Server(("127.0.0.1", 0), made) as server:
        server.context = context
        base = f"{'https' if context else 'http'}://localhost:{server.server_port}"
        made.base = base  # type: ignore[attr-defined]  # the class was made above
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=f"microsoft {host}", daemon=True)
        thread.start()
        try:
            yield base
        finally:
            server.shutdown()
            thread.join()
