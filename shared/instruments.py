"""Every metric that is sent: name, kind, unit, attributes. Queries, pages and `shared.telemetry` are checked against, or made from, these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric: OpenTelemetry name, kind, unit (UCUM), what it tells, its attributes, a histogram's buckets."""

    name: str
    kind: Literal["counter", "histogram"]
    unit: str
    words: str
    attributes: tuple[str, ...]
    buckets: tuple[float, ...] | None = None


def counter(name: str, unit: str, words: str, *attributes: str) -> Instrument:
    """A sum that only grows."""
    return Instrument(name, "counter", unit, words, attributes)


def histogram(name: str, unit: str, buckets: tuple[float, ...], words: str, *attributes: str) -> Instrument:
    """A spread of values."""
    return Instrument(name, "histogram", unit, words, attributes, buckets)


LAG = (1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 604_800)
COUNT = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
SIZE = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
DAYS = (0, 1, 7, 14, 21, 30, 60, 90, 180, 365)
TIME = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240)


RECORDS = counter("defender.records", "{record}", "Records by what became of them", "source", "table", "outcome")
FAILURE_STORE = counter(
    "defender.records.failure_store",
    "{record}",
    "Indexed records that Elasticsearch redirected to a failure store",
    "source",
    "table",
)
UNKNOWN_TABLES = counter(
    "defender.unknown_tables", "{record}", "Records of a table that has no mapping", "source", "table"
)
UNKNOWN_COLUMNS = counter(
    "defender.unknown_columns", "{value}", "Values in columns that have no mapping", "source", "table"
)
UNKNOWN_ACTIONS = counter(
    "defender.unknown_actions", "{record}", "Records whose ActionType is not known", "source", "table"
)
UNKNOWN_MEMBERS = counter(
    "defender.unknown_members", "{value}", "Values that the closed list of their column lacks", "source", "table"
)
UNCONVERTED = counter(
    "defender.unconverted", "{value}", "Values of a type that their field can not take", "source", "table"
)
DRIFT = counter("defender.drift", "{entry}", "New entries of the drift report", "source", "table", "kind")
RETRIES = counter("defender.elasticsearch.retries", "{request}", "Bulk requests sent again, whole or in part", "source")
INVOCATIONS = counter("defender.invocations", "{invocation}", "Invocations by how they ended", "source", "result")
LAG_ENQUEUED = histogram(
    "defender.lag.enqueued", "s", LAG, "Now less the time the event hub took the message in", "source", "edge"
)
LAG_EVENT = histogram("defender.lag.event", "s", LAG, "Now less @timestamp", "source", "edge")
BATCH_MESSAGES = histogram("defender.batch.messages", "{message}", COUNT, "Messages in one invocation", "source")
BATCH_RECORDS = histogram("defender.batch.records", "{record}", COUNT, "Records in one invocation", "source")
BATCH_BYTES = histogram("defender.batch.bytes", "By", SIZE, "Bytes received in one invocation", "source")
BULK_SECONDS = histogram(
    "defender.elasticsearch.seconds", "s", TIME, "Mean time of an invocation's bulk requests", "source"
)
RUN_SECONDS = histogram("defender.invocation.seconds", "s", TIME, "Time of one invocation", "source", "result")
CREDENTIAL_DAYS = histogram(
    "defender.credential.days", "d", DAYS, "Days until a credential ends, once an hour", "credential"
)
INSTRUMENTS = (
    *(RECORDS, FAILURE_STORE, UNKNOWN_TABLES, UNKNOWN_COLUMNS, UNKNOWN_ACTIONS, UNKNOWN_MEMBERS, UNCONVERTED, DRIFT),
    *(RETRIES, INVOCATIONS),
    *(LAG_ENQUEUED, LAG_EVENT, BATCH_MESSAGES, BATCH_RECORDS, BATCH_BYTES, BULK_SECONDS, RUN_SECONDS, CREDENTIAL_DAYS),
)
