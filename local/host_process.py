"""An app folder and app settings -> a child process that runs the app as the Functions host would (functions_host.py)."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from local.process import Server, start, temporary_folder

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0


@dataclass(slots=True)
class LocalFunctions:
    """One app in one process: its HTTP port (after `start`), its function key, its log."""

    folder: Path
    settings: Mapping[str, str]
    log: Path
    key: str
    server: Server | None = None
    ready: dict[str, Any] = field(default_factory=dict)
    starts: int = 0

    @property
    def url(self) -> str:
        """The address of its HTTP functions, without the route prefix."""
        return f"http://127.0.0.1:{self.ready['port']}"

    def start(self) -> None:
        """Start it (again), from the last checkpoints on, and wait until it receives."""
        if self.server is not None and self.server.running():
            return
        self.starts += 1
        log = self.log.with_name(f"{self.log.stem}-{self.starts}{self.log.suffix}")
        command: list[str | Path] = [sys.executable, "-m", "local.functions_host", self.folder]
        environment = {"PYTHONPATH": str(ROOT), **self.settings, "LOCAL_HOST_KEY": self.key}
        self.server = start("the local Functions host", command, log=log, environment=environment, folder=ROOT)
        self.ready = self.server.wait_until(self._is_ready, START_SECONDS)

    def stop(self, seconds: float = 20.0) -> int:
        """Stop it in order; returns its exit code."""
        return self.server.stop(seconds) if self.server is not None else 0

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self.server is not None:
            self.server.kill()

    def logged(self, logger: str | None = None) -> list[dict[str, Any]]:
        """The log lines of all its starts, oldest first, of one logger or of all."""
        lines = []
        for number in range(1, self.starts + 1):
            log = self.log.with_name(f"{self.log.stem}-{number}{self.log.suffix}")
            lines += [_parsed(line) for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if line and (logger is None or line.get("logger") == logger)]

    def get(self, path: str, *, key: str | None = None, timeout: float = 60.0) -> requests.Response:
        """GET an HTTP function with the function key (or another one)."""
        headers = {"x-functions-key": self.key if key is None else key}
        return requests.get(f"{self.url}{path}", headers=headers, timeout=timeout)

    def _is_ready(self) -> dict[str, Any] | None:
        assert self.server is not None
        return next((line for line in map(_parsed, self.server.output().splitlines()) if line.get("ready")), None)


def _parsed(line: str) -> dict[str, Any]:
    """A line of JSON, or nothing."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@contextmanager
def functions_host(
    folder: Path = ROOT,
    settings: Mapping[str, str] | None = None,
    *,
    backoff_scale: float = 1.0,
    logs: Path | None = None,
) -> Iterator[LocalFunctions]:
    """The app in `folder`, running with these app settings, stopped at the end; `NotStarted` holds the log's end.

    backoff_scale: of every interval of the retry policies. logs: a folder for its logs.
    """
    place = logs or temporary_folder("functions")
    place.mkdir(parents=True, exist_ok=True)
    values = {**(settings or {}), "LOCAL_HOST_BACKOFF_SCALE": str(backoff_scale)}
    app = LocalFunctions(folder, values, place / "functions.log", secrets.token_urlsafe(16))
    try:
        app.start()
        yield app
    finally:
        app.stop()
        if logs is None:
            shutil.rmtree(place, ignore_errors=True)
