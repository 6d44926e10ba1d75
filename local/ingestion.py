"""Posts of the Application Insights exporter -> telemetry items kept in memory, for tests and for looking at.

Answers `/v2.1/track` as the real ingestion endpoint does (gzip or plain, a JSON list or one item a line), and live metrics'
pings so that they are quiet.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000001"
POLL_SECONDS = 0.02


@dataclass(slots=True)
class LocalIngestion:
    """The endpoint and what came in: `items` are envelopes (`name`, `tags`, `data.baseData`) in the order of arrival."""

    port: int
    items: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # what could not be read, and why
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def connection_string(self) -> str:
        """For APPLICATIONINSIGHTS_CONNECTION_STRING."""
        url = f"http://127.0.0.1:{self.port}/"
        return f"InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={url};LiveEndpoint={url}"

    def app_settings(self) -> dict[str, str]:
        """The app settings that make the Python worker send its telemetry here, soon and without statistics of its own."""
        return {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": self.connection_string,
            "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The items whose `data.baseType` is that, for example MessageData, MetricData, RequestData, RemoteDependencyData."""
        with self.lock:
            return [item for item in self.items if item.get("data", {}).get("baseType") == kind]

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 30.0) -> dict[str, Any]:
        """The first item for which `wanted` is true; raises TimeoutError, with what did come in, if there is none."""
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                items = list(self.items)
            found = next((item for item in items if wanted(item)), None)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                names = sorted({str(item.get("data", {}).get("baseType")) for item in items})
                raise TimeoutError(f"not among {len(items)} items ({', '.join(names)}) within {seconds:.0f} seconds")
            time.sleep(POLL_SECONDS)

    def take(self, body: bytes, encoding: str) -> int:
        """Keep the items of one post, and return how many they were; raises ValueError if it can not be read."""
        try:
            text = gzip.decompress(body) if encoding == "gzip" else body
            lines = [text] if text.lstrip()[:1] == b"[" else text.splitlines()
            items: list[dict[str, Any]] = []
            for line in lines:
                if line.strip():
                    value = json.loads(line)
                    items += value if isinstance(value, list) else [value]
        except (OSError, EOFError, zlib.error, ValueError) as error:
            with self.lock:
                self.refused.append(repr(error))
            raise ValueError(str(error)) from error
        with self.lock:
            self.items += items
        return len(items)


class Handler(BaseHTTPRequestHandler):
    """One connection of the exporter."""

    ingestion: ClassVar[LocalIngestion]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take what is posted to /v2.1/track (or /v2/track); everything else is a ping."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        status, answer = 200, b""
        if self.path.split("?")[0].endswith("/track"):
            try:
                count = self.ingestion.take(body, self.headers.get("content-encoding", ""))
                answer = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
            except ValueError as error:
                status, answer = 400, json.dumps({"errors": [{"message": str(error)}]}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing: tests read `items`."""


@contextmanager
def ingestion() -> Iterator[LocalIngestion]:
    """A running endpoint on a free port, gone at the end."""
    handler = type("Handler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        result = LocalIngestion(server.server_port)
        handler.ingestion = result  # type: ignore[attr-defined]  # the class was made above
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield result
        finally:
            server.shutdown()
            thread.join()
