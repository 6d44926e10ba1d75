"""What runs did -> a small document now and then in `logs-defender_to_elasticsearch.run-NAMESPACE`, for the dashboard *pipeline health*.

Runs are gathered by source and tenant in the process. A document is written after a run if the last one is a minute old, and at once if
something begins not to be well; what was gathered meanwhile is in it as sums. So a process writes one a minute and source, two at worst.

A batch never waits for this and never fails by it: a thread of its own writes. What Elasticsearch can not take is kept (for `KEPT` at
most), told once, and tried again with a later run. Lost is what a process that ends had not written; where an answer is lost, a document
may be there twice. The whole truth is in Application Insights (docs/runs.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from shared import VERSION
from shared.drift import clean
from shared.errors import ForwarderError, Misconfigured, Retry, Verdict
from shared.report import OTHERS, OUTCOMES, Report
from shared.settings import Settings
from shared.state import iso, seldom

if TYPE_CHECKING:
    from shared.ship.client import Post
    from shared.ship.outcome import Answer, Item

DATASET = "defender_to_elasticsearch.run"
MODULE = DATASET.partition(".")[0]
EVERY = 60.0  # seconds between two documents of a source and tenant by one process
AFTER_OUTAGE, AFTER_REFUSAL = 60.0, 900.0  # seconds until the next attempt, where there was no answer or a refusal
KEPT = 3_600.0  # seconds of runs that one document may tell of; what is older and could not be written is let go
MOST_NAMES = 50  # names of unknown tables, and of columns, in a document
LONGEST_WHY = 1_000
WRITE_SECONDS = 10.0

RunResult = Literal["ok", "retry", "misconfigured", "bug"]
GRAVITY: Sequence[RunResult] = ("ok", "retry", "misconfigured", "bug")

log = logging.getLogger("defender.runs")


@dataclass(slots=True)
class Window:
    """Runs of one source and tenant that one document tells of. Times in epoch seconds, lengths in seconds."""

    start: float  # when the first run began
    end: float = 0.0  # when the last one ended
    runs: int = 0
    failed: int = 0
    result: RunResult = "ok"  # the gravest of them
    why: str = ""
    seconds: float = 0.0
    elasticsearch_seconds: float = 0.0
    lag: float | None = None  # the longest
    counts: Counter[str] = field(default_factory=Counter)
    tables: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)

    def add(self, other: Window) -> None:
        """Both together."""
        if GRAVITY.index(other.result) >= GRAVITY.index(self.result):
            self.result, self.why = other.result, other.why
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.runs += other.runs
        self.failed += other.failed
        self.seconds += other.seconds
        self.elasticsearch_seconds += other.elasticsearch_seconds
        self.lag = max((lag for lag in (self.lag, other.lag) if lag is not None), default=None)
        self.counts.update(other.counts)
        self.tables = bounded(self.tables, other.tables)
        self.columns = bounded(self.columns, other.columns)


type Key = tuple[str, str]  # source, tenant ("" where a run is of none)


def bounded(names: set[str], more: Iterable[str]) -> set[str]:
    """Both together, at most so many: those that came first stay."""
    new = set(more) - names
    if not new:
        return names
    kept = names | set(sorted(new)[: max(0, MOST_NAMES - len(names))])
    return kept if new <= kept else kept | {OTHERS}


def window_of(report: Report, result: RunResult, *, now: float, seconds: float, lag: float | None, why: str) -> Window:
    """One run that ended at the epoch second `now`; lag: where it is not told by the hub's times."""
    if lag is None and report.oldest_enqueued is not None:
        lag = now - report.oldest_enqueued
    return Window(
        start=now - seconds,
        end=now,
        runs=1,
        failed=int(result != "ok"),
        result=result,
        why=clean_text(why),
        seconds=seconds,
        elasticsearch_seconds=report.elasticsearch_seconds,
        lag=None if lag is None else max(lag, 0.0),  # clocks differ
        counts=Counter(
            received=report.received.total(),
            held=report.held,
            requests=report.requests,
            retries=report.retries,
            **{outcome: report.total(outcome) for outcome in OUTCOMES},
        ),
        tables=bounded(set(), map(clean, report.unknown_tables)),
        columns=bounded(set(), (f"{clean(table)}.{clean(column)}" for table, column in report.unknown_columns)),
    )


def clean_text(words: str) -> str:
    """A sentence as it is kept: cut, and without what can not be written."""
    return words[:LONGEST_WHY].encode("utf-8", "replace").decode()


def document(key: Key, window: Window, namespace: str, now: float) -> dict[str, Any]:
    """The document of a window, written at the epoch second `now`. Fields: docs/runs.md; types: tools/run_fields.py."""
    source, tenant = key
    run: dict[str, Any] = {
        "source": source,
        "result": window.result,
        "runs": window.runs,
        "failed": window.failed,
        **window.counts,
        "elasticsearch_seconds": round(window.elasticsearch_seconds, 3),
        "version": VERSION,
    }
    if tenant:
        run["tenant"] = tenant
    if window.lag is not None:
        run["lag_seconds"] = round(window.lag, 1)
    for name, found in (("unknown_tables", window.tables), ("unknown_columns", window.columns)):
        if found:
            run[name] = sorted(found)
    result: dict[str, Any] = {
        "@timestamp": iso(window.end),
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": {
            "kind": "metric",
            "module": MODULE,
            "dataset": DATASET,
            "outcome": "success" if window.result == "ok" else "failure",
            "start": iso(window.start),
            "duration": int(window.seconds * 1e9),
            "ingested": iso(now),
        },
        MODULE: {"run": run},
    }
    if window.why:
        result["error"] = {"message": window.why}
    return result


class RunLog:
    """Gathers what a process' runs did and writes it now and then. For threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[Key, Window] = {}  # not written yet
        self._written: dict[Key, tuple[float, RunResult]] = {}  # clock of the last document, and what it told
        self._not_before = clock()
        self._told = ""  # what was said of a failure that still lasts
        self._writer: threading.Thread | None = None
        self._writing = False
        self._opened: tuple[Settings, Post] | None = None  # kept: opening costs a connection

    def add(
        self,
        report: Report,
        result: RunResult,
        settings: Settings,
        *,
        now: float,
        seconds: float,
        tenant: str = "",
        lag: float | None = None,
        why: str = "",
    ) -> None:
        """A run ended at the epoch second `now` after so many seconds; `why` shows no secret. Never raises.

        lag: seconds, of a run that no hub's times tell of.
        """
        if not settings.ship_runs:
            return
        try:
            window = window_of(report, result, now=now, seconds=seconds, lag=lag, why=why)
            with self._lock:
                key = (report.source, tenant)
                known = self._windows.get(key)
                if known is None or window.end - known.start > KEPT:
                    self._windows[key] = window
                else:
                    known.add(window)
        except Exception:
            log.exception("A run has ended, but its document was not made.")

    def write(self, settings: Settings) -> bool:
        """Begin to write what is due; returns whether anything is. Never raises."""
        with self._lock:
            if self._writing or not any(map(self._due, self._windows)):
                return False
            self._writer = threading.Thread(target=self._write, args=(settings,), name="runs", daemon=True)
            try:
                self._writer.start()
            except RuntimeError:  # no thread to be had: the next run tries again
                return False
            self._writing = True
            return True

    def settle(self, seconds: float) -> None:
        """Wait so long for a write that is under way."""
        writer = self._writer
        if writer is not None:
            writer.join(seconds)

    def _due(self, key: Key) -> bool:
        now = self._clock()
        if now < self._not_before:
            return False
        at, told = self._written.get(key, (now - EVERY, "ok"))
        return now - at >= EVERY or GRAVITY.index(self._windows[key].result) > GRAVITY.index(told)

    def _take(self) -> dict[Key, Window]:
        """What is due, or nothing and the writer's end."""
        with self._lock:
            due = {key: self._windows.pop(key) for key in list(self._windows) if self._due(key)}
            self._writing = bool(due)
            return due

    def _write(self, settings: Settings) -> None:
        while due := self._take():
            error: Exception | None = None
            try:
                error = self._send(settings, due)
            except Exception as raised:  # noqa: BLE001  see the module's first lines
                error = raised
            kind = "" if error is None else type(error).__name__
            with self._lock:
                new, self._told = kind != self._told, kind
                if error is not None:
                    self._not_before = self._clock() + (AFTER_OUTAGE if isinstance(error, Retry) else AFTER_REFUSAL)
                for key, window in due.items():  # what is left of it
                    if key in self._windows:  # of runs meanwhile
                        window.add(self._windows[key])
                    self._windows[key] = window
            if error is not None and new:
                log.warning(
                    "Documents of runs were not written; they are tried again later, and nothing else waits for them "
                    "(SHIP_RUNS=false turns them off). %s",
                    error if isinstance(error, ForwarderError) else kind,
                    exc_info=seldom(error),
                )

    def _send(self, settings: Settings, due: dict[Key, Window]) -> ForwarderError | None:
        """Write documents in one request and take out of `due` what is in; what keeps others out comes back, or is raised."""
        import orjson

        from shared.ship.client import client_post, credential_setting
        from shared.ship.outcome import judge

        if self._opened is None or self._opened[0] is not settings:
            self._opened = (settings, client_post(settings))
        index = f"logs-{DATASET}-{settings.namespace}"
        action, now = orjson.dumps({"create": {"_index": index}}), time.time()
        windows = list(due.items())
        lines = [action + b"\n" + orjson.dumps(document(*item, settings.namespace, now)) + b"\n" for item in windows]
        reply = self._opened[1](b"".join(lines), WRITE_SECONDS)
        answer = judge(reply.status, reply.body, [index] * len(lines), credential=credential_setting(settings))
        error = None if answer.verdict is Verdict.INDEXED else error_of(answer)
        for (key, window), item in zip(windows, answer.items, strict=False):  # no items where all is refused
            if item.verdict is Verdict.INDEXED:
                del due[key]
                with self._lock:
                    self._written[key] = (self._clock(), window.result)
            else:
                error = error or error_of(item)
        return error


def error_of(answer: Answer | Item) -> ForwarderError:
    """Why documents were not taken."""
    if answer.verdict is Verdict.RETRY:
        return Retry(answer.reason)
    return Misconfigured(answer.setting or "index template", answer.reason)


RUNS = RunLog()
