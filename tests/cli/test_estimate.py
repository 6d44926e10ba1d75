"""`python -m cli estimate` and the simulation behind docs/scale-lag.md: the arithmetic holds together, and grows as it must."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli.estimate import amount, sizes_of
from cli.sizing.demand import TRACES_A_MINUTE, WAIT, Load, app_rate, batch_seconds, estimate
from cli.sizing.figures import DAY, LIMITS, MEASURED, MONTH, PREMIUM_SOLD, PRICES
from cli.sizing.queueing import Cell, Event, simulate
from shared.errors import Misconfigured
from tools.write_golden import GOLDEN

ROOT = Path(__file__).resolve().parent.parent.parent
STEADY = Cell(rate=2_000, partitions=4, instances=2, nodes=3, cores=4)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a person calls it."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "estimate", *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "400"},  # wide enough for a sentence with a path in it
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("text", "number"), [("250000", 250e3), ("120_000", 120e3), ("2.5b", 2.5e9), ("50 M", 50e6)])
def test_amounts_are_written_as_people_do(text: str, number: float) -> None:
    """Thousands, millions and billions may be letters."""
    assert amount(text) == number


@pytest.mark.parametrize("text", ["", "0", "many", "-5", "5x", "1e9"])
def test_what_is_no_amount_is_said_so(text: str) -> None:
    """One sentence, with examples."""
    with pytest.raises(typer.BadParameter, match="is no amount of events"):
        amount(text)


@pytest.mark.parametrize("events", [1e4, 1e6, 5e7, 2.5e8, 5e8, 8e8, 1e9, 5e9, 8.64e10])
def test_what_is_asked_for_suffices(events: float) -> None:
    """Units, partitions, instances, nodes and disk take the busiest hour, within what each tier may have."""
    load = Load(events)
    found = estimate(load)
    into = load.busiest * load.record_bytes / 1e6
    takes = {"Standard": "unit_in", "Premium": "premium_in", "Dedicated": "dedicated_in"}[found.hub.tier]
    assert found.hub.units * LIMITS[takes].value >= into
    if found.hub.tier == "Standard":
        assert found.hub.partitions <= found.hub.hubs * LIMITS["standard_partitions"].value
        assert found.hub.units <= LIMITS["unit_most"].value
    if found.hub.tier == "Premium":
        assert found.hub.units in PREMIUM_SOLD
    assert found.hub.partitions * LIMITS["partition_in"].value >= into
    assert found.instances * app_rate() >= load.busiest
    assert found.hub.partitions >= found.instances
    assert found.gb_seconds >= events * MONTH * MEASURED["forward"].value / 1e6 * 2
    assert found.executions <= events * MONTH
    assert found.disk_gb == pytest.approx(found.disk_gb_per_day * load.retention_days)
    assert found.total == pytest.approx(sum(found.dollars.values()))


def test_more_events_never_cost_less_and_each_costs_less_or_a_tier_more() -> None:
    """The bill grows with the load."""
    totals = [estimate(Load(10**power)).total for power in range(4, 11)]
    assert totals == sorted(totals)


def test_an_instance_that_is_woken_all_the_time_is_billed_all_the_time() -> None:
    """A message a second keeps an instance active, although it works for a hundredth of that; never more than all the time."""
    found = estimate(Load(DAY * MEASURED["message"].value))
    assert 0.5 * MONTH * DAY * 2 < found.gb_seconds <= MONTH * DAY * 2


@pytest.mark.parametrize("events", [2.5e5, 5e6, 2e7, 5e7, 1e8, 5e8, 5e9, 8.64e10])
def test_telemetry_costs_less_than_a_fiftieth_of_what_it_watches(events: float) -> None:
    """Issue 7, "Monitoring as code": at most 2 %, with the sampling and batches that Bicep sets."""
    found = estimate(Load(events))
    assert found.dollars["Application Insights"] <= 0.02 * found.total


def test_bicep_sets_what_the_arithmetic_takes_for_granted() -> None:
    """Seconds that a batch fills up, and traces that are kept, are those of infra/main.bicep."""
    bicep = (ROOT / "infra" / "main.bicep").read_text()
    assert f"param batchSeconds int = {WAIT:.0f}\n" in bicep
    parts = (
        re.search(r"param partitionCount int = (\d+)", bicep),
        re.search(r"param maximumThroughputUnits int = (\d+)", bicep),
    )
    assert parts[0]
    assert parts[1]
    assert int(parts[1][1]) <= int(parts[0][1]) * LIMITS["partition_in"].value
    large = (ROOT / "infra" / "main.large.bicepparam").read_text()
    assert f"param batchSeconds = {batch_seconds(40):.0f} " in large
    assert f"OTEL_TRACES_SAMPLER_ARG: '{TRACES_A_MINUTE / 60:g}'" in bicep


def test_a_sample_of_the_hub_gives_the_sizes(tmp_path: Path) -> None:
    """Bodies of messages, one a line: bytes of a record, records of a message, and documents in proportion."""
    record = json.loads((GOLDEN / "DeviceProcessEvents" / "in.json").read_text())[0]
    body = json.dumps({"records": [record] * 7})
    file = tmp_path / "bodies.ndjson"
    file.write_text(f"{body}\n{body}\n")
    found = sizes_of(file)
    assert found["records_per_message"] == 7
    assert found["record_bytes"] == pytest.approx(len(body) / 7)
    assert 0.1 * MEASURED["disk"].value < found["document_disk"] < 10 * MEASURED["disk"].value


def test_a_sample_without_records_is_said_so(tmp_path: Path) -> None:
    """One sentence that names the file."""
    file = tmp_path / "nothing.ndjson"
    file.write_text("[]\n")
    with pytest.raises(Misconfigured, match=r"nothing\.ndjson holds no record"):
        sizes_of(file)


def test_the_command_says_what_it_needs_and_what_it_costs() -> None:
    """A table for people, JSON for programs, a sentence for mistakes."""
    words = run("--events-per-day", "50M")
    assert words.returncode == 0, words.stderr
    assert "Standard" in words.stdout
    assert "a million events" in words.stdout
    told = json.loads(run("-e", "50M", "--json").stdout)
    assert told["total"] == pytest.approx(estimate(Load(50e6)).total)
    wrong = run("-e", "plenty")
    assert wrong.returncode == 2
    assert "is no amount of events" in wrong.stderr
    wrong = run("-e", "50M", "--sample", str(ROOT))
    assert wrong.returncode == 2
    assert "is a directory" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_every_price_has_a_source() -> None:
    """A price without a source, or a figure without one, could not be brought up to date."""
    assert all(price.source and price.unit and price.dollars > 0 for price in PRICES.values())
    assert all(figure.source and figure.value > 0 for figure in (*MEASURED.values(), *LIMITS.values()))


def test_the_simulation_repeats_itself_and_indexes_all() -> None:
    """The same seed gives the same lags; what came is indexed, save what is under way at the end."""
    first, second = (simulate(STEADY, (), 600) for _ in range(2))
    assert first.seconds == second.seconds
    indexed = sum(count for _, count in first.seconds) * MEASURED["message"].value
    assert indexed == pytest.approx(STEADY.rate * 600, rel=0.05)
    assert first.quantile(0.99) < 10


def test_an_outage_is_worked_off_as_fast_as_there_is_spare_capacity() -> None:
    """After five minutes without Elasticsearch the first to wait has waited five; twice the instances and partitions end it sooner."""
    away = (Event(60, 360, away=True),)
    tight = Cell(rate=9_000, partitions=4, instances=2, nodes=3, cores=4, replicas=0)
    wide = Cell(rate=9_000, partitions=8, instances=4, nodes=3, cores=4, replicas=0)
    slow, fast = simulate(tight, away, 3_000), simulate(wide, away, 3_000)
    assert 300 <= slow.quantile(1) < 400
    later, sooner = slow.caught_up(360, 30), fast.caught_up(360, 30)
    assert later is not None
    assert sooner is not None
    assert sooner < later


def test_too_much_is_never_caught_up() -> None:
    """More than the instances can map: the lag grows until the end, and the simulation says so."""
    lags = simulate(Cell(rate=20_000, partitions=4, instances=2, nodes=3, cores=8), (), 900)
    assert lags.caught_up(0, 30) is None
    assert lags.quantile(1) > 200
