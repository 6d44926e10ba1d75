"""Requests on a loopback port -> invocations of the app's HTTP functions, with the key check of the Functions host."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, urlsplit

from local.host_options import HostOptions
from local.runtime import Function, HttpAnswer, Runtime

T = TypeVar("T")
ADMIN = re.compile(r"^/admin/functions/([^/]+)$")


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP function with the pattern of its path."""

    function: Function
    pattern: re.Pattern[str]
    methods: frozenset[str]
    level: str

    @classmethod
    def of(cls, function: Function, prefix: str) -> Route:
        """The route that an httpTrigger declares below the route prefix (`{name}`, `{name:int}`, `{*rest}`)."""
        route = str(function.trigger.get("route") or function.name).strip("/")
        full = "/".join(part for part in (prefix.strip("/"), route) if part)
        pattern = ""
        for piece in re.split(r"(\{[^}]+\})", full):
            match = re.fullmatch(r"\{(\*?)(\w+)[^}]*\}", piece)
            pattern += f"(?P<{match[2]}>{'.*' if match[1] else '[^/]+'})" if match else re.escape(piece)
        methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
        level = str(function.trigger.get("authLevel", "function")).lower()
        return cls(function, re.compile(f"^/{pattern}/?$", re.IGNORECASE), methods, level)


class HttpFront:
    """A server on 127.0.0.1 for all HTTP functions, and `POST /admin/functions/NAME` to let a timer's time come."""

    def __init__(self, runtime: Runtime, options: HostOptions, loop: asyncio.AbstractEventLoop, port: int = 0) -> None:
        self.runtime, self.options, self.loop = runtime, options, loop
        self.routes = [
            Route.of(function, options.route_prefix)
            for function in runtime.functions.values()
            if function.triggered_by("httpTrigger")
        ]
        handler = type("Handler", (Handler,), {"front": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self.server.serve_forever, args=(0.1,), name="http", daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Find the function, check the key, invoke it."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        has_key = self._has_key(headers, query)
        admin = ADMIN.match(parts.path)
        if admin:
            return self._trigger(method, admin[1], has_key=has_key)
        here = [(route, match) for route in self.routes if (match := route.pattern.match(parts.path))]
        if not here:
            return HttpAnswer(404, {}, b"")
        for route, match in here:
            if route.methods and method not in route.methods:
                continue
            if route.level != "anonymous" and not has_key:
                return HttpAnswer(401, {}, b"")
            return self._wait(
                self.runtime.invoke_http(
                    route.function.name,
                    method=method,
                    url=f"http://127.0.0.1:{self.port}{target}",
                    headers=headers,
                    query=query,
                    route=match.groupdict(),
                    body=body,
                )
            )
        return HttpAnswer(405, {}, b"")

    def _trigger(self, method: str, name: str, *, has_key: bool) -> HttpAnswer:
        """Invoke a timer function at once, as the host's administration interface does."""
        if not has_key:
            return HttpAnswer(401, {}, b"")
        function = self.runtime.functions.get(name)
        if function is None or not function.triggered_by("timerTrigger"):
            return HttpAnswer(404, {}, b"")
        if method != "POST":
            return HttpAnswer(405, {}, b"")
        outcome = self._wait(self.runtime.invoke_timer(name))
        content = json.dumps({"ok": outcome.ok, "error": outcome.error}).encode()
        return HttpAnswer(202 if outcome.ok else 500, {"content-type": "application/json"}, content)

    def _has_key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the function key came with the request; without a key set, nobody has it."""
        given = headers.get("x-functions-key") or query.get("code") or ""
        return bool(self.options.key) and hmac.compare_digest(given.encode(), self.options.key.encode())

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()


class Handler(BaseHTTPRequestHandler):
    """One connection; every method is handed to the front."""

    front: ClassVar[HttpFront]
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        """Read the request, answer it."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.front.answer(self.command, self.path, headers, body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_one  # noqa: N815  http.server's names

    def log_message(self, *_: object) -> None:
        """Nothing: the functions say what is worth saying."""
