"""Sizing as data and arithmetic -> docs/scale.md; with --simulate, the lag of the simulated pipeline -> docs/scale-lag.md, in two minutes."""

from __future__ import annotations

import sys
from pathlib import Path

from cli.sizing.demand import TRACES_A_MINUTE, WAIT, WAITS, Estimate, Load, app_rate, estimate
from cli.sizing.figures import APP_SHARE, DAY, INDEX_SHARE, LIMITS, LOGS_FREE_GB, MEASURED, NODE_CORES, PRICES
from cli.sizing.queueing import Cell, Event, Lags, simulate
from tools.freshness import write_or_compare

DOCS = Path(__file__).resolve().parent.parent / "docs"
HOUR, MINUTE = 3_600.0, 60.0
MILLION = 1e6 * DAY  # events a day that make a million a second
SIZES = {"250 thousand": 250e3, "5 million": 5e6, "50 million": 50e6, "500 million": 500e6, "5 billion": 5e9}
CELLS = 64  # as many of what is simulated make the whole
GOOD = 30.0  # seconds of lag at which the pipeline has caught up
STRIKES: dict[str, tuple[tuple[Event, ...], float]] = {  # what happens -> (events, seconds that are simulated)
    "nothing": ((), HOUR),
    "three times the events for ten minutes": ((Event(10 * MINUTE, 20 * MINUTE, burst=3.0),), 2 * HOUR),
    "Elasticsearch away for an hour": ((Event(10 * MINUTE, 70 * MINUTE, away=True),), 4 * HOUR),
    "one node four times slower for twenty minutes": ((Event(10 * MINUTE, 30 * MINUTE, slow=4.0),), 2 * HOUR),
}


def row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |\n"


def table(*head: str) -> str:
    """The head of a table."""
    return row(*head) + row(*["---"] * len(head))


def money(dollars: float) -> str:
    """Dollars, to three figures where they are small."""
    return f"${dollars:,.0f}" if dollars >= 100 else f"${dollars:,.2f}"


def sizes() -> str:
    """What amounts of events need and cost."""
    head = (
        "events a day",
        "a second, busiest hour",
        "Event Hubs",
        "partitions",
        "instances",
        "GB-seconds a month",
        "Elasticsearch",
        "disk a day",
    )
    text = table(*head, "Azure a month", "with Elasticsearch's machines and disk", "a million events")
    for words, events in SIZES.items():
        found = estimate(Load(events))
        text += row(words, *needs(found), money(azure(found)), money(found.total), f"${found.per_million:.2f}")
    return text


def azure(found: Estimate) -> float:
    """Dollars a month without Elasticsearch."""
    return sum(dollars for name, dollars in found.dollars.items() if not name.startswith("Elasticsearch"))


def needs(found: Estimate) -> tuple[str, ...]:
    """The cells of a row."""
    return (
        f"{found.load.busiest:,.0f}",
        f"{found.hub.tier}, {found.hub.units}",
        f"{found.hub.partitions}" + (f" in {found.hub.hubs} hubs" if found.hub.hubs > 1 else ""),
        f"{found.instances}",
        f"{found.gb_seconds:,.0f}",
        f"{found.nodes} of {NODE_CORES} cores",
        f"{found.disk_gb_per_day:,.1f} GB",
    )


def million() -> str:
    """A million events a second, step by step."""
    load = Load(MILLION, peak=1.5)
    found = estimate(load)
    into = load.busiest * load.record_bytes / 1e6
    cores = found.node_cores
    return f"""## A million events a second

{MILLION / 1e9:.1f} billion events a day, the busiest hour {load.peak} times the mean: so large a stream is smooth. No single tenant is known to send as much; it is what
a provider with many tenants has. Each hub then is a cell of its own, with its own function app, and nothing is shared but Elasticsearch.

1. **In**: {load.busiest:,.0f} records of {load.record_bytes:,.0f} bytes are {into:,.0f} MB a second. A throughput unit takes {LIMITS["unit_in"].value:.0f}, a processing unit
   {LIMITS["premium_in"].value}, a capacity unit about {LIMITS["dedicated_in"].value:.0f}: **{found.hub.units} capacity units**; a cluster that one makes oneself has at most 10, more are asked of support.
2. **Mapping and shipping**: {MEASURED["forward"].value:.0f} µs of a processor for a record; planned with {APP_SHARE:.0%} of it, {app_rate():,.0f} records a second for an instance of 2 GB:
   **{found.instances} instances** in the busiest hour, far from the {LIMITS["instances"].value:,.0f} that an app may have.
3. **Partitions**: one reader each; twice as many as instances, so that an uneven key does not hold others up, and one for each MB a second, as Microsoft recommends: **{found.hub.partitions:,}**, in {found.hub.hubs} hub(s) of at most
   {LIMITS["dedicated_partitions"].value:,.0f}. Messages of a partition are {load.mean / load.records_per_message / found.hub.partitions:,.0f} a second.
4. **Elasticsearch**: {MEASURED["index"].value:.0f} µs of a processor for a document, twice with a replica, planned with {INDEX_SHARE:.0%}: {cores:,.0f} cores, **{found.nodes} nodes** of {NODE_CORES}.
   At {found.disk_gb_per_day / 1000:,.0f} TB a day, {found.load.retention_days} days are {found.disk_gb / 1e6:,.1f} PB: keep a few days hot and the rest in searchable snapshots or frozen tiers, which this
   arithmetic does not price. A data stream rolls over at 50 GB a primary shard: {found.disk_gb_per_day / 2 / 50:,.0f} shards a day; so one data stream a tenant (NAMESPACE), or routing by table.
5. **Money**: {money(found.total)} a month, {money(azure(found))} of it Azure without Elasticsearch's machines; ${found.per_million:.2f} a million events.

| for | dollars a month |
| --- | ---: |
{"".join(row(name, f"{dollars:,.0f}") for name, dollars in found.dollars.items())}
What it takes beside that: several function apps (a hub each, `XDR_EVENT_HUB_NAMES`), since scaling of one app by partitions is not instant; `RECORD_FILTER` for tables that no rule
reads, which is the cheapest capacity there is; and Elasticsearch with dedicated masters.

"""


def watching() -> str:
    """What telemetry costs, next to what it watches."""
    line, request, billed = MEASURED["line"].value, LIMITS["request"].value, LIMITS["billed"].value
    text = f"""## What telemetry costs

An invocation sends its line ({line:,.0f} bytes) and the host a request row ({request:,.0f}, assumed); an instance sends {MEASURED["metrics"].value:,.0f} bytes of metrics a minute and keeps the spans of {TRACES_A_MINUTE}
invocations ({MEASURED["trace"].value:,.0f} bytes each; `OTEL_TRACES_SAMPLER`). About {billed:.0%} of that is billed, {LOGS_FREE_GB} GB a month are free. What counts is the number of invocations, so Bicep lets the host wait
{WAIT:.0f} seconds for a batch to fill up (`batchSeconds`); {", ".join(f"{seconds:.0f} beyond {beyond:,} partitions" for beyond, seconds in reversed(WAITS))}, each of which then gets less. That the host does so, and what its own rows weigh, could not be tried where this was written.

"""
    text += table("events a day", "invocations a month", "telemetry", "dollars", "of all")
    for words, events in SIZES.items():
        found = estimate(Load(events))
        dollars = found.dollars["Application Insights"]
        text += row(
            words,
            f"{found.executions:,.0f}",
            f"{found.telemetry_gb:,.1f} GB",
            money(dollars),
            f"{dollars / found.total:.2%}",
        )
    return text + "\n"


def figures() -> str:
    """The figures, limits and prices with their sources."""
    text = "## Figures\n\n" + table("what", "value", "from")
    for figure in (*MEASURED.values(), *LIMITS.values()):
        text += row(figure.unit, f"{figure.value:,g}", figure.source)
    text += "\n## Prices\n\nDollars without tax. *Not checked*: the vendor's list price as known; its page could not be read where this was written.\n\n"
    text += table("a unit", "dollars", "from", "checked")
    for price in PRICES.values():
        text += row(price.unit, f"{price.dollars:g}", price.source, price.checked or "*not checked*")
    return text


def scale() -> str:
    """docs/scale.md."""
    return f"""# Size and cost

<!-- Made from cli/sizing by `make generate`; do not edit. -->

`.venv/bin/python -m cli estimate --events-per-day 50M` makes these figures for your amount; with `--sample FILE` (bodies of hub messages, one a line) for your records too. Defaults:
the busiest hour is 2.5 times the mean, one replica, 30 days kept, records and messages as in the mix that `make bench` measures.

{sizes()}
How many events a day: Microsoft's figures differ widely; count for an hour with the command below, and multiply messages by the records in one.

```
az monitor metrics list --resource NAMESPACE_RESOURCE_ID --metric IncomingMessages IncomingBytes --aggregation Total --interval PT1H --filter "EntityName eq 'defender-xdr'"
```

{million()}{watching()}{figures()}
How long events wait, in bursts and after an outage: [simulated](scale-lag.md).
"""


def lag() -> str:
    """docs/scale-lag.md: a million events a second, a 64th of it simulated."""
    load = Load(MILLION / CELLS, peak=1.5)
    text = """# How long events wait

<!-- Made from cli/sizing/queueing.py by `make scale`; do not edit. -->

A 64th of [a million events a second](scale.md), simulated with simpy: messages come into partitions, instances with one processor map them, bulk requests go to a node and to another for the
replica. What each takes is what `make bench` measured. Lag is from the message's arrival to the moment when all of its batch is indexed. Seeds are fixed: the same figures every time.

"""
    for words, peak in (("Sized for 1.5 times the mean", 1.5), ("Sized for 2.5 times the mean", 2.5)):
        found = estimate(Load(load.events_per_day, peak=peak))
        cell = Cell(load.mean, found.hub.partitions, found.instances, found.nodes, NODE_CORES)
        text += f"## {words}: {cell.partitions} partitions, {cell.instances} instances, {cell.nodes} nodes of {cell.cores} cores\n\n"
        text += table("what happens", "median", "95 %", "99 %", "worst", f"below {GOOD:.0f} s again, after its end")
        for what, (events, seconds) in STRIKES.items():
            text += outcome(
                what, simulate(cell, events, seconds), max((event.end for event in events), default=0.0), seconds
            )
        text += "\n"
    return (
        text
        + """What follows from it:

- Capacity above the mean is what ends a backlog. An hour's outage at 1.5 times takes more than two hours to work off, at 2.5 times less than one. Retention of the hub must be longer than
  the outage and its working off together: keep at least a day.
- One slow node of a few slows everything, since each bulk request waits for its slowest shard. More, smaller nodes soften it; nothing but replacing the node ends it.
- Nothing is lost in any of these: the hub keeps what is not indexed, and a batch that is not taken comes again.
"""
    )


def outcome(what: str, lags: Lags, end: float, seconds: float) -> str:
    """A row: quantiles of the lag, and when it was good again."""
    again = lags.caught_up(end, GOOD)
    later = (
        "never above"
        if lags.quantile(1) <= GOOD
        else f"{again / MINUTE:.0f} min"
        if again is not None
        else f"not within {(seconds - end) / HOUR:.1f} h"
    )
    return row(what, *[f"{lags.quantile(share):,.1f} s" for share in (0.5, 0.95, 0.99, 1)], later)


def main() -> int:
    """Write the page, or with --check say whether it is fresh; --simulate writes the simulated one."""
    if "--simulate" in sys.argv[1:]:
        return write_or_compare({DOCS / "scale-lag.md": lag()}, DOCS, "scale-lag.md")
    return write_or_compare({DOCS / "scale.md": scale()}, DOCS, "scale.md")


if __name__ == "__main__":
    sys.exit(main())
