"""Events a day, or a sample of the hub -> what Event Hubs, Functions and Elasticsearch must be, and what that costs a month."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.normalize import messages
from cli.sizing.demand import Estimate, Load, estimate
from cli.sizing.figures import MEASURED, PRICES
from shared.errors import Misconfigured
from shared.flows import documents, normaliser
from shared.report import Report
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter

app = typer.Typer(add_completion=False)
out, errors = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9}


def amount(text: str) -> float:
    """`50M`, `2.5b`, `120_000` -> a number; typer's BadParameter for anything else.

    >>> amount("50M"), amount("120_000")
    (50000000.0, 120000.0)
    """
    found = re.fullmatch(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([kmbg]?)", text.strip().lower())
    if not found or not float(found[1]):
        raise typer.BadParameter(f"{text!r} is no amount of events: write 250000, 50M or 2.5b")
    return float(found[1].replace("_", "")) * SUFFIXES[found[2]]


@app.command(name="estimate")
def main(
    events_per_day: Annotated[str, typer.Option("--events-per-day", "-e", help="Such as 250000, 50M, 2.5b.")],
    sample: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Bodies of hub messages, one a line: sizes are taken from them."
        ),
    ] = None,
    peak: Annotated[float, typer.Option(min=1.0, max=100.0, help="The busiest hour, as a multiple of the mean.")] = 2.5,
    retention_days: Annotated[int, typer.Option(min=1, max=3_650, help="How long documents are kept.")] = 30,
    replicas: Annotated[int, typer.Option(min=0, max=3, help="Copies of each shard.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Say what an amount of events needs, and what that costs; the figures behind it are in docs/scale.md."""
    try:
        sizes = {} if sample is None else sizes_of(sample)
    except Misconfigured as error:
        errors.print(str(error), markup=False)
        raise typer.Exit(2) from None
    load = Load(amount(events_per_day), peak=peak, retention_days=retention_days, replicas=replicas, **sizes)
    found = estimate(load)
    if as_json:
        out.print_json(json.dumps(asdict(found) | {"total": found.total, "per_million": found.per_million}))
        return
    out.print(needs(found))
    out.print(costs(found))
    unchecked = sum(price.checked is None for price in PRICES.values())
    out.print(
        f"Prices are data (cli/sizing/figures.py), each with its source; {unchecked} of {len(PRICES)} are list prices that could not be "
        "checked on the day they were written down. Look them up for your region and contract."
    )


def sizes_of(sample: Path) -> dict[str, float]:
    """Bytes of a record, records of a message and bytes of a document on disk, of message bodies in a file.

    Raises `Misconfigured` where no record can be read. A document's bytes on disk are to those of the measured mix as their JSON is.
    """
    report, letters = Report("sample"), list[DeadLetter]()
    read = list(messages([sample]))
    settings = Settings.read(os.environ, whole=False)
    made = [len(document.source) for document in documents(read, normaliser(settings), None, report, letters)]
    if not made:
        raise Misconfigured("--sample", f"{sample} holds no record that can be read.")
    return {
        "record_bytes": sum(len(message.body) for message in read) / len(made),
        "records_per_message": len(made) / len(read),
        "document_disk": MEASURED["disk"].value * sum(made) / len(made) / MEASURED["document"].value,
    }


def needs(found: Estimate) -> Table:
    """What there must be."""
    load, table = found.load, Table(box=None, show_header=False, title="What it needs", title_justify="left")
    rows = {
        "events": f"{load.mean:,.0f} a second, {load.busiest:,.0f} in the busiest hour; {load.record_bytes:,.0f} bytes each",
        "Event Hubs": f"{found.hub.tier}, {found.hub.units} units, {found.hub.partitions} partitions in {found.hub.hubs} hub(s)",
        "Functions": f"{found.instances} instance(s) of 2 GB in the busiest hour; batchSeconds {found.batch_seconds:.0f}; {found.executions:,.0f} executions and {found.gb_seconds:,.0f} GB-seconds a month",
        "Elasticsearch": f"{found.node_cores:.1f} cores: {found.nodes} node(s) of 8; {found.disk_gb_per_day:,.1f} GB a day on disk, {found.disk_gb:,.0f} GB kept",
        "telemetry": f"{found.telemetry_gb:,.2f} GB a month",
    }
    for name, words in rows.items():
        table.add_row(f"[bold]{name}[/]", words)
    return table


def costs(found: Estimate) -> Table:
    """What it costs."""
    table = Table(box=None, title="Dollars a month", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, dollars in found.dollars.items():
        table.add_row(name, f"{dollars:,.2f}")
    table.add_row("[bold]all[/]", f"[bold]{found.total:,.2f}[/]")
    table.add_row("a million events", f"{found.per_million:,.3f}")
    return table
