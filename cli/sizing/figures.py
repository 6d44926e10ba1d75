"""What the arithmetic starts from: figures that were measured here, limits that Microsoft documents, prices with their source and date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MB: Final = 1_000_000
DAY: Final = 86_400  # seconds
MONTH: Final = 30  # days


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, its unit, and where it is from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a unit, where that was published, and when; `checked` is None where only the vendor's page has it, which could not be read from here."""

    dollars: float
    unit: str
    source: str
    checked: str | None


# fmt: off
MEASURED: dict[str, Figure] = {  # `make bench`, a virtual machine with 2 cores; the mix of tables of tests/speed/samples.py
    "record":        Figure(2_712,  "bytes of a record in the hub",                        "make bench: mix of tables"),
    "message":       Figure(192,    "records in a full message of at most 1 MB",            "make bench: tests.speed.stream"),
    "forward":       Figure(91,     "µs of a processor for a record: decode, map, ship",    "make bench: tests.speed.stream, the slower of two runs"),
    "index":         Figure(245,    "µs of a processor of Elasticsearch for a document, without replica", "make bench: tests.speed.stream, both processors less the app's share, the slower of two runs"),
    "document":      Figure(3_195,  "bytes of a document's JSON",                           "make bench: mix of tables"),
    "disk":          Figure(928,    "bytes on disk for a document, without replica",        "python -m tests.speed.disk --full"),
    "line":          Figure(1_900,  "bytes of an invocation's log line, as sent",            "make bench: tests.speed.telemetry"),
    "metrics":       Figure(29_000, "bytes of metrics for a minute of an instance, as sent", "make bench: tests.speed.telemetry"),
    "trace":         Figure(4_400,  "bytes of an invocation's spans, as sent; those of six a minute of an instance are kept", "make bench: tests.speed.telemetry"),
}
LIMITS: dict[str, Figure] = {
    "unit_in":       Figure(1.0,    "MB/s into a throughput unit",                          "Event Hubs scalability: throughput units"),
    "partition_in":  Figure(1.0,    "MB/s into a partition, recommended, of every tier",    "Event Hubs scalability: partitions"),
    "unit_most":     Figure(40,     "throughput units of a namespace",                      "Event Hubs quotas, Standard"),
    "standard_partitions": Figure(32, "partitions of a hub, Standard",                      "Event Hubs quotas"),
    "premium_in":    Figure(7.5,    "MB/s into a processing unit (documented: 5 to 10)",    "Event Hubs Premium overview"),
    "premium_partitions": Figure(100, "partitions of a hub, Premium",                       "Event Hubs quotas"),
    "dedicated_in":  Figure(100,    "MB/s into a capacity unit (workloads differ)",         "Event Hubs Dedicated overview"),
    "dedicated_partitions": Figure(1_024, "partitions of a hub, Dedicated",                 "Event Hubs quotas"),
    "active":        Figure(1.0,    "seconds that an active instance is billed for at least", "Azure Functions consumption-based costs"),
    "request":       Figure(1_000,  "bytes of the host's own request row for an invocation", "assumed: the host itself does not run here"),
    "billed":        Figure(0.75,   "of what is sent is billed",                            "Azure Monitor Logs cost calculations: about a quarter less"),
    "instances":     Figure(1_000,  "instances of a Flex Consumption app",                  "Azure Functions Flex Consumption plan"),
}
PREMIUM_SOLD: Final = (1, 2, 4, 8, 16)  # processing units of a namespace (Event Hubs Premium overview)
# Of what a processor could do at most, what is planned with: the host, TLS, the collector and uneven partitions take the rest.
APP_SHARE: Final = 0.5
# Likewise of Elasticsearch: searches and merges need the other half.
INDEX_SHARE: Final = 0.5
INSTANCE_GB: Final = 2.0  # with one processor (Flex Consumption: 2,048 MB)
NODE_CORES: Final = 8
EAST_US: Final = "list price, East US"
PRICES: dict[str, Price] = {
    "unit":          Price(0.030,     "an hour of a throughput unit",          f"azure.microsoft.com/pricing/details/event-hubs, {EAST_US}", None),
    "ingress":       Price(0.028,     "a million ingress events of 64 KB",     f"azure.microsoft.com/pricing/details/event-hubs, {EAST_US}", None),
    "premium":       Price(1.233,     "an hour of a processing unit",          f"azure.microsoft.com/pricing/details/event-hubs, {EAST_US}", None),
    "dedicated":     Price(6.849,     "an hour of a capacity unit",            f"azure.microsoft.com/pricing/details/event-hubs, {EAST_US}", None),
    "gb_second":     Price(0.000026,  "a GB-second of Flex Consumption on demand", "modal.com/blog/azure-function-pricing-guide (East US)", "2025-05-22"),
    "executions":    Price(0.40,      "a million executions",                  f"azure.microsoft.com/pricing/details/functions, {EAST_US}", None),
    "storage":       Price(0.0184,    "a GB a month in blobs, hot, one region", f"azure.microsoft.com/pricing/details/storage/blobs, {EAST_US}", None),
    "writes":        Price(0.05,      "10,000 writes of blobs (checkpoints, state)", f"azure.microsoft.com/pricing/details/storage/blobs, {EAST_US}", None),
    "logs":          Price(2.30,      "a GB into Log Analytics",               "monitoringcost.com/azure-monitor-cost", "2026"),
    "node":          Price(0.50,      "an hour of Elasticsearch's machine with 8 cores and 64 GB (E8s v5)", "learningbro.com, Azure VMs and compute: illustrative", "2026"),
    "disk":          Price(0.08,      "a GB a month of Elasticsearch's disk",  f"azure.microsoft.com/pricing/details/managed-disks (Premium SSD v2), {EAST_US}", None),
}
# fmt: on
GB_SECONDS_FREE, EXECUTIONS_FREE, LOGS_FREE_GB = 100_000, 250_000, 5  # a month
