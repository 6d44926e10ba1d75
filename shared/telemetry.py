"""A run's report -> metrics, one span and one structured log line, through opentelemetry-api alone.

The Functions worker sets up the exporter (PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY); where it did not, or where
opentelemetry is not installed, metrics and spans cost nothing and only the log line is written. Everything that is
sent is declared in shared/instruments.py, `SPAN` and `LOGGER`, so that pages and queries can be checked against it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from shared.instruments import (
    BATCH_BYTES,
    BATCH_MESSAGES,
    BATCH_RECORDS,
    BULK_SECONDS,
    CREDENTIAL_DAYS,
    DRIFT,
    FAILURE_STORE,
    INSTRUMENTS,
    INVOCATIONS,
    LAG_ENQUEUED,
    LAG_EVENT,
    RECORDS,
    RETRIES,
    RUN_SECONDS,
    UNCONVERTED,
    UNKNOWN_ACTIONS,
    UNKNOWN_COLUMNS,
    UNKNOWN_MEMBERS,
    UNKNOWN_TABLES,
    Instrument,
)
from shared.report import OUTCOMES, Drift, Report

Result = Literal["acknowledged", "retry", "misconfigured", "bug"]
LEVELS: dict[Result, int] = {
    "acknowledged": logging.INFO,
    "retry": logging.WARNING,
    "misconfigured": logging.ERROR,
    "bug": logging.CRITICAL,
}
SCOPE = "defender"  # name of our meter and tracer
SPAN = "defender.forward"  # one per invocation of a trigger
SPAN_SWEEP = "defender.sweep"  # one per poll of a source
LOGGER = "defender.run"  # one line per invocation, JSON
DRIFT_LOGGER = "defender.drift"  # one line for each new entry of the drift report, JSON
LINE_LENGTH = 30_000  # Application Insights cuts a message off at 32,768 characters
MOST_DRIFT_LINES = 100  # lines of new drift at once; a last one says how many more there are
MOST_TABLES = 150  # different table names sent as attribute by one process; all further ones are `(other)`
# Libraries that tell of every request at INFO; the exporter would even export its own requests, without end.
CHATTY = ("azure", "azure.core", "azure.monitor", "elastic_transport", "elasticsearch", "msal", "urllib3")

_tables_seen: set[str] = set()


@cache
def _sinks() -> Mapping[str, Any]:
    """Instruments by name, made at the first use: by then the worker has set up the exporter, if there is one."""
    try:
        from opentelemetry.metrics import get_meter
    except ImportError:
        return {}
    meter, sinks = get_meter(SCOPE), {}
    for item in INSTRUMENTS:
        if item.kind == "counter":
            sinks[item.name] = meter.create_counter(item.name, item.unit, item.words).add
        else:
            sinks[item.name] = meter.create_histogram(
                item.name, item.unit, item.words, explicit_bucket_boundaries_advisory=item.buckets
            ).record
    return sinks


def _send(instrument: Instrument, amount: float, *attributes: str) -> None:
    """Record `amount` under the attributes, given in the instrument's order; a negative one (clocks differ) is 0."""
    sink = _sinks().get(instrument.name)
    if sink is not None:
        sink(max(amount, 0), dict(zip(instrument.attributes, attributes, strict=True)))


def _table(name: str) -> str:
    """A table's name as attribute: names come from outside, so neither their form nor their number is trusted."""
    if name not in _tables_seen:
        if len(_tables_seen) >= MOST_TABLES or not re.fullmatch(r"[A-Za-z(][\w() -]{0,63}", name, re.ASCII):
            return "(other)"
        _tables_seen.add(name)
    return name


def quieten_libraries() -> None:
    """Let libraries speak from WARNING up, and our own loggers from INFO up."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(SCOPE).setLevel(logging.INFO)


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[Any]:
    """A span around a step, below whatever span is open; yields it, or None where opentelemetry is not installed.

    Exceptions go through unrecorded: their text may hold what must not be sent. `end` says how a run ended.
    """
    try:
        from opentelemetry.trace import get_tracer
    except ImportError:
        yield None
        return
    tracer = get_tracer(SCOPE)
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        yield opened


def record(
    report: Report,
    *,
    seconds: float,
    now: float,
    attempt: int = 0,
    into: Any = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Send an acknowledged run's metrics and write its line.

    `seconds` is how long the run took, `now` the epoch time of its end, `attempt` how often the host had tried
    before, `into` the span that the run was under, `more` what the line says besides (of a poll). Raises nothing of its own; the caller guards against the rest,
    because a run that is shipped may not fail over its telemetry.
    """
    source = report.source
    _measure(report, now)
    if into is not None:
        into.set_attributes(
            {
                "defender.received": report.received.total(),
                **{f"defender.{outcome}": report.total(outcome) for outcome in OUTCOMES},
                "defender.requests": report.requests,
                "defender.elasticsearch_seconds": report.elasticsearch_seconds,
            }
        )
    lag = None if report.oldest_enqueued is None else round(now - report.oldest_enqueued, 3)
    _end(
        source,
        "acknowledged",
        seconds,
        {"attempt": attempt, "lag_seconds": lag, **report.as_dict(), **(more or {})},
        into=into,
    )


def failed(
    report: Report,
    result: Result,
    error: Exception,
    *,
    messages: int,
    seconds: float,
    attempt: int = 0,
    into: Any = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Count a run that was not acknowledged and write its line: warning, error, or critical with the traceback.

    `report` is as far as the run got: its records come again, so only its bulk requests count in metrics. `error` must be fit to be shown: whoever calls takes secrets out first.
    """
    source = report.source
    if report.retries:
        _send(RETRIES, report.retries, source)
    if report.requests:
        _send(BULK_SECONDS, report.elasticsearch_seconds / report.requests, source)
    line = {"attempt": attempt, "reason": str(error), **report.as_dict(), "messages": messages, **(more or {})}
    if into is not None:
        from opentelemetry.trace import Status, StatusCode

        into.set_status(Status(StatusCode.ERROR, str(error)))
    _end(source, result, seconds, line, error=error if result == "bug" else None, into=into)


def new_drift(entries: Iterable[tuple[Drift, str]]) -> None:
    """Count each new entry of the drift report and write its line; an entry comes with the source that it was seen in."""
    told, logger = list(entries), logging.getLogger(DRIFT_LOGGER)
    for number, (drift, source) in enumerate(told):
        _send(DRIFT, 1, source, _table(drift.table), drift.kind)
        if number < MOST_DRIFT_LINES:
            logger.warning(line_of({"source": source, **drift._asdict()}))
    if len(told) > MOST_DRIFT_LINES:
        logger.warning(line_of({"more": len(told) - MOST_DRIFT_LINES}))


def credential(name: str, days: float) -> None:
    """Tell how many days are left of what a setting holds; 0 where it has ended."""
    _send(CREDENTIAL_DAYS, days, name)


def _end(
    source: str, result: Result, seconds: float, line: dict[str, Any], *, into: Any, error: Exception | None = None
) -> None:
    """What every run ends with: counters, the span's result, the log line."""
    if into is not None:
        into.set_attributes({"defender.source": source, "defender.result": result})
    _send(INVOCATIONS, 1, source, result)
    _send(RUN_SECONDS, seconds, source, result)
    text = line_of({"result": result, "seconds": round(seconds, 3), **line})
    logging.getLogger(LOGGER).log(LEVELS[result], text, exc_info=error)


def _measure(report: Report, now: float) -> None:
    source = report.source
    for outcome in OUTCOMES:
        for table, number in report.outcomes[outcome].items():
            if number:
                _send(RECORDS, number, source, _table(table), outcome)
    for instrument, counter in ((FAILURE_STORE, report.failure_store), (UNKNOWN_TABLES, report.unknown_tables)):
        for table, number in counter.items():
            _send(instrument, number, source, _table(table))
    for instrument, pairs in (
        (UNKNOWN_COLUMNS, report.unknown_columns),
        (UNKNOWN_ACTIONS, report.unknown_actions),
        (UNKNOWN_MEMBERS, report.unknown_members),
        (UNCONVERTED, report.unconverted),
    ):
        for (table, *_), number in pairs.items():
            _send(instrument, number, source, _table(table))
    if report.retries:
        _send(RETRIES, report.retries, source)
    _send(BATCH_MESSAGES, report.messages, source)
    _send(BATCH_RECORDS, report.received.total(), source)
    _send(BATCH_BYTES, report.bytes_received, source)
    if report.requests:
        _send(BULK_SECONDS, report.elasticsearch_seconds / report.requests, source)
    for edge, enqueued, event in (
        ("newest", report.newest_enqueued, report.newest_event),
        ("oldest", report.oldest_enqueued, report.oldest_event),
    ):
        if enqueued is not None:
            _send(LAG_ENQUEUED, now - enqueued, source, edge)
        if (happened := epoch(event)) is not None:
            _send(LAG_EVENT, now - happened, source, edge)


def epoch(timestamp: str | None) -> float | None:
    """Epoch seconds of an ISO timestamp (taken as UTC if it names no zone); None where it is not one."""
    try:
        moment = datetime.fromisoformat(timestamp or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def line_of(line: Mapping[str, Any]) -> str:
    """One JSON line of at most `LINE_LENGTH` characters: where it would be longer, names are cut down, totals stay.

    Of a table of names the 20 first stay and `(others)` says how many went; `shortened` says that it happened.
    """
    text = json.dumps(line, default=str)
    if len(text) <= LINE_LENGTH:
        return text
    cut = {key: _cut(value) for key, value in line.items()} | {"shortened": True}
    text = json.dumps(cut, default=str)
    if len(text) <= LINE_LENGTH:
        return text
    return json.dumps({key: value for key, value in cut.items() if not isinstance(value, dict)}, default=str)


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:2_000]
    if not isinstance(value, dict):
        return value
    kept = {str(name)[:100]: number for name, number in list(value.items())[:20]}
    return kept | {"(others)": len(value) - 20} if len(value) > 20 else kept
