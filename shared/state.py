"""What was last received, and last held, per source -> one small blob each, for whoever asks how the stream is doing.

Blobs `<source>.json` and `<source>.held.json` in the container STATE_CONTAINER; of several processes the last writer
stands. This is information, never a position: a lost write costs nothing, so writing is short, rare and never raises.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.blobs import blob_errors, make, open_service
from shared.errors import ForwarderError
from shared.report import OUTCOMES, Report
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

EVERY = 30.0  # seconds between two writes of a blob by one process
# One try and few seconds: a batch has been shipped and waits for this to be acknowledged.
BRIEF: Mapping[str, Any] = {"retry_total": 0, "connection_timeout": 3, "read_timeout": 5}

log = logging.getLogger(__name__)


class LastReceived:
    """Writes what a process' invocations did, each blob at most every `EVERY` seconds. For threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._written: dict[str, float] = {}  # blob -> clock of its last write, or of the last attempt
        self._window: dict[str, Counter[str]] = {}  # source -> what became of records since its blob was written
        self._since: dict[str, str | None] = {}  # source -> when that was (ISO 8601)
        self._container: tuple[Settings, ContainerClient] | None = None  # kept: opening costs a connection and a token

    def note(self, report: Report, settings: Settings, now: float) -> bool:
        """An invocation was acknowledged at the epoch second `now`; returns whether that was written.

        What became of records since the last write goes along as `window`, so that a rate can be told; a process that
        has not written yet takes the time of whoever did. Of several instances it is one's.
        """
        source, blob = report.source, f"{report.source}.json"
        with self._lock:
            window = self._window.setdefault(source, Counter())
            window.update(counts(report))
        if not self._due(blob):
            return False
        with self._lock:
            told, known = dict(window), source in self._since
            since = self._since.get(source)
        content = received(report, now)

        def written_since() -> Mapping[str, Any]:
            return content | {"window": {"since": since if known else self._last(blob, settings), **told}}

        if not self._write(blob, settings, written_since):
            return False
        with self._lock:
            window.subtract(told)
            self._since[source] = content["at"]
        return True

    def hold(self, source: str, settings: Settings, reason: str, now: float) -> bool:
        """A batch was held at `now` for `reason` (no secrets in it); what is received next is written at once."""
        if not self._due(f"{source}.held.json"):
            return False
        with self._lock:
            self._written.pop(f"{source}.json", None)
        return self._write(f"{source}.held.json", settings, lambda: {"at": iso(now), "reason": reason[:1_000]})

    def _due(self, blob: str) -> bool:
        with self._lock:
            if self._clock() - self._written.get(blob, -EVERY) < EVERY:
                return False
            self._written[blob] = self._clock()
            return True

    def _last(self, blob: str, settings: Settings) -> str | None:
        at = (content_of(self._open(settings), blob) or {}).get("at")
        return at if isinstance(at, str) else None

    def _write(self, blob: str, settings: Settings, content: Callable[[], Mapping[str, Any]]) -> bool:
        try:
            with blob_errors(settings.storage):
                write(self._open(settings), blob, json.dumps(content()).encode())
        except Exception as error:  # see the module's first lines
            log.warning("State blob %s was not written: %s", blob, type(error).__name__, exc_info=seldom(error))
            with self._lock:
                self._container = None
            return False
        return True

    def _open(self, settings: Settings) -> ContainerClient:
        with self._lock:
            if self._container is None or self._container[0] is not settings:
                self._container = (settings, container_of(settings))
            return self._container[1]


LAST_RECEIVED = LastReceived()


def seldom(error: Exception) -> Exception | None:
    """The error, for its traceback, unless it is one of ours, which says all in its sentence."""
    return None if isinstance(error, ForwarderError) else error


def received(report: Report, now: float) -> dict[str, Any]:
    """The last acknowledged invocation of a source: counts, times in ISO 8601, lags in seconds."""
    newest = report.newest_enqueued
    return {
        "at": iso(now),
        **counts(report),
        "newest_event": report.newest_event,
        "newest_enqueued": None if newest is None else iso(newest),
        "lag_seconds": None if newest is None else round(now - newest, 1),
    }


def counts(report: Report) -> dict[str, int]:
    """Messages, records received, and records by outcome."""
    outcomes: dict[str, int] = {outcome: report.total(outcome) for outcome in OUTCOMES}
    return {"messages": report.messages, "received": report.received.total(), **outcomes}


def iso(epoch: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, to the millisecond: what came later is told by comparing texts."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def container_of(settings: Settings) -> ContainerClient:
    """The container that holds the state blobs; nothing is contacted."""
    return open_service(settings.storage, os.environ).get_container_client(settings.state_container)


def write(container: ContainerClient, blob: str, content: bytes) -> None:
    """Write one state blob; the container is made where it is missing."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        container.upload_blob(blob, content, overwrite=True, **BRIEF)
    except ResourceNotFoundError:
        make(container)
        container.upload_blob(blob, content, overwrite=True, **BRIEF)


def read(settings: Settings, sources: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Per source `received` and `held` as last written, None where nothing was.

    Raises Retry or Misconfigured where the blob store can not be asked.
    """
    with blob_errors(settings.storage), container_of(settings) as container:
        return {
            source: {
                "received": content_of(container, f"{source}.json"),
                "held": content_of(container, f"{source}.held.json"),
            }
            for source in sources
        }


def content_of(container: ContainerClient, blob: str) -> dict[str, Any] | None:
    """A state blob's content; None where it is missing or not ours."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        content = json.loads(container.download_blob(blob, **BRIEF).readall())
    except (ResourceNotFoundError, ValueError):  # nothing written yet, or by something else
        return None
    return content if isinstance(content, dict) else None
