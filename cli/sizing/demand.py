"""Events a day -> throughput units, partitions, executions, GB-seconds, Elasticsearch nodes, disk and dollars (issue 7, "Cost and size")."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cli.sizing.figures import (
    APP_SHARE,
    DAY,
    EXECUTIONS_FREE,
    GB_SECONDS_FREE,
    INDEX_SHARE,
    INSTANCE_GB,
    LIMITS,
    LOGS_FREE_GB,
    MB,
    MEASURED,
    MONTH,
    NODE_CORES,
    PREMIUM_SOLD,
    PRICES,
)

BATCH = 100  # messages of an invocation at most (host.json: maxEventBatchSize)
WAIT = 5.0  # seconds that the host waits for a batch to fill up (infra/main.bicep: batchSeconds),
WAITS = (
    (1_024, 20.0),
    (32, 10.0),
)  # and where there are more partitions than so many: each then gets little in five seconds
TRACES_A_MINUTE = 6  # of an instance (infra/main.bicep: OTEL_TRACES_SAMPLER_ARG)
INGRESS_EVENT = 64_000  # bytes that Event Hubs bills as one event
HOURS = 24 * MONTH


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in: records a day, how much above the mean the busiest hour is, and what a record and a message are like."""

    events_per_day: float
    peak: float = 2.5
    record_bytes: float = MEASURED["record"].value
    records_per_message: float = MEASURED["message"].value
    document_disk: float = MEASURED["disk"].value  # bytes, without replica
    retention_days: int = 30
    replicas: int = 1

    @property
    def mean(self) -> float:
        """Records a second."""
        return self.events_per_day / DAY

    @property
    def busiest(self) -> float:
        """Records a second in the busiest hour."""
        return self.mean * self.peak


@dataclass(frozen=True, slots=True)
class Hub:
    """What the hub must be: its tier, units of that tier, partitions of all hubs together, and how many hubs those need."""

    tier: str
    units: int
    partitions: int
    hubs: int
    dollars: float  # a month


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a load needs and what it costs a month."""

    load: Load
    hub: Hub
    batch_seconds: float  # that the host waits for a batch
    instances: int  # busy ones in the busiest hour
    executions: float  # a month
    gb_seconds: float  # a month
    node_cores: float
    nodes: int
    disk_gb_per_day: float  # with replicas
    disk_gb: float  # when retention is reached
    telemetry_gb: float  # a month
    dollars: dict[str, float]  # a month, by what it is for

    @property
    def total(self) -> float:
        """Dollars a month."""
        return sum(self.dollars.values())

    @property
    def per_million(self) -> float:
        """Dollars for a million records."""
        return self.total / (self.load.events_per_day * MONTH / 1e6)


def app_rate() -> float:
    """Records a second that one instance with one processor is planned for."""
    return APP_SHARE * 1e6 / MEASURED["forward"].value


def index_cores(rate: float, replicas: int) -> float:
    """Processors of Elasticsearch for so many documents a second; each replica indexes them again."""
    return rate * (1 + replicas) * MEASURED["index"].value / 1e6 / INDEX_SHARE


def hub(load: Load) -> Hub:
    """The smallest tier that takes the busiest hour, in units that are sold.

    Partitions: twice as many as instances, so that none waits for another, and no more bytes into one than Microsoft recommends; a Standard
    hub keeps their number.
    """
    into = load.busiest * load.record_bytes / MB
    partitions = max(4, 2 * math.ceil(load.busiest / app_rate()), math.ceil(into / LIMITS["partition_in"].value))
    billed = math.ceil(load.record_bytes * load.records_per_message / INGRESS_EVENT)  # ingress events of a message
    ingress = load.events_per_day * MONTH / load.records_per_message * billed / 1e6
    units = max(1, math.ceil(into / LIMITS["unit_in"].value))
    if units <= LIMITS["unit_most"].value:
        dollars = units * PRICES["unit"].dollars * HOURS + ingress * PRICES["ingress"].dollars
        hubs = math.ceil(
            partitions / LIMITS["standard_partitions"].value
        )  # Defender XDR sends tables to hubs as one chooses
        return Hub("Standard", units, partitions, hubs, dollars)
    units = next((sold for sold in PREMIUM_SOLD if sold * LIMITS["premium_in"].value >= into), 0)
    if units:
        hubs = math.ceil(partitions / LIMITS["premium_partitions"].value)
        return Hub("Premium", units, partitions, hubs, units * PRICES["premium"].dollars * HOURS)
    units = math.ceil(into / LIMITS["dedicated_in"].value)
    hubs = math.ceil(partitions / LIMITS["dedicated_partitions"].value)
    return Hub("Dedicated", units, partitions, hubs, units * PRICES["dedicated"].dollars * HOURS)


def batch_seconds(partitions: int) -> float:
    """How long the host should wait for a batch to fill up, so that a batch's line, request row and checkpoint stay small beside it."""
    return next((seconds for beyond, seconds in WAITS if partitions > beyond), WAIT)


def estimate(load: Load) -> Estimate:
    """What a load needs and costs. Nothing is rounded in favour of the answer: free grants are taken off, idle time is not billed."""
    needed = hub(load)
    busy = load.events_per_day * MONTH / app_rate()  # seconds of an instance
    messages = load.events_per_day * MONTH / load.records_per_message
    # A batch is what has come since the one before; at low rates that is one message, at high ones up to a hundred.
    wait = batch_seconds(needed.partitions)
    seconds = max(wait, load.records_per_message / app_rate())
    waiting = load.mean / load.records_per_message / needed.partitions * seconds  # messages of a partition meanwhile
    executions = messages / min(BATCH, max(1.0, waiting))
    # An instance that works for a moment is billed for a second; executions within that second are in it.
    moments = 1 - math.exp(-executions / (MONTH * DAY) * LIMITS["active"].value)
    gb_seconds = max(busy, moments * MONTH * DAY) * INSTANCE_GB
    cores = index_cores(load.busiest, load.replicas)
    nodes = max(1 + load.replicas, math.ceil(cores / NODE_CORES))
    disk = load.events_per_day * load.document_disk * (1 + load.replicas) / 1e9
    minutes = gb_seconds / INSTANCE_GB / 60
    lines = executions * (MEASURED["line"].value + LIMITS["request"].value)
    kept = minutes * (MEASURED["metrics"].value + TRACES_A_MINUTE * MEASURED["trace"].value)
    telemetry = (lines + kept) * LIMITS["billed"].value / 1e9
    writes = 2 * executions / 10_000  # a checkpoint, and what was last received
    return Estimate(
        load=load,
        hub=needed,
        batch_seconds=wait,
        instances=math.ceil(load.busiest / app_rate()),
        executions=executions,
        gb_seconds=gb_seconds,
        node_cores=cores,
        nodes=nodes,
        disk_gb_per_day=disk,
        disk_gb=disk * load.retention_days,
        telemetry_gb=telemetry,
        dollars={
            "Event Hubs": needed.dollars,
            "Functions": max(0.0, gb_seconds - GB_SECONDS_FREE) * PRICES["gb_second"].dollars
            + max(0.0, executions - EXECUTIONS_FREE) / 1e6 * PRICES["executions"].dollars,
            "Storage": writes * PRICES["writes"].dollars + PRICES["storage"].dollars,
            "Application Insights": max(0.0, telemetry - LOGS_FREE_GB) * PRICES["logs"].dollars,
            "Elasticsearch nodes": nodes * PRICES["node"].dollars * HOURS,
            "Elasticsearch disk": disk * load.retention_days * PRICES["disk"].dollars,
        },
    )
