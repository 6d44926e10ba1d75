"""`python -m cli backfill --from … --to …`: plan a run over exported blobs, keep its messages in the queue, and show how far it is."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.backfill_queue import NEVER, open_queue, queue_errors
from cli.dead_letter_choice import moment
from shared.backfill.places import Found, blobs, matching
from shared.backfill.portion import Portion, portions
from shared.backfill.runs import COUNTS, UNREAD, Runs, Tally, new_run
from shared.backfill_settings import BackfillSettings
from shared.blobs import blob_errors, open_service
from shared.errors import ForwarderError, Misconfigured
from shared.settings import Settings

app = typer.Typer(add_completion=False)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)
errors = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else 240)

LOOK_SECONDS = 0.5  # between two looks at the marks
QUIET_SECONDS = 120.0  # without a mark, until a word is said about it
Ahead = Annotated[int | None, typer.Option("--ahead", help="Messages kept in the queue (default: BACKFILL_AHEAD).")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Put all messages into the queue and leave.")]
RunName = Annotated[str, typer.Argument(help="The run's name, or `last`.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the commands work with."""

    settings: Settings
    told: BackfillSettings

    @classmethod
    def open(cls) -> Desk:
        """Read the settings; raises Misconfigured."""
        result = cls(Settings.read(os.environ, whole=False), BackfillSettings.read_all(os.environ))
        if not result.told.storage:
            raise Misconfigured("BACKFILL_STORAGE", "is not set: it says where the exported blobs are.")
        return result

    def runs(self) -> Runs:
        """The runs."""
        return Runs.open(self.settings, self.told.container)

    def named(self, runs: Runs, name: str) -> str:
        """A run's name; `last` is the newest."""
        if name != "last":
            return name
        known = runs.names()
        if not known:
            raise Misconfigured("BACKFILL_CONTAINER", "there is no run in it yet.")
        return known[-1]

    def found(self, tables: Sequence[str], begin: datetime, end: datetime) -> list[Found]:
        """The blobs to read, hour by hour over all containers, so that a run grows in time and not table by table."""
        prefix = str(self.told.storage)
        with blob_errors(prefix):
            service = open_service(prefix, os.environ)
        result: list[Found] = []
        with service:
            for name in matching(service, prefix, self.told.containers):
                with service.get_container_client(name) as container:
                    result += [
                        blob for blob in blobs(container, prefix, begin, end) if not tables or wanted(blob, tables)
                    ]
        return sorted(result, key=lambda blob: (blob.hour.date(), blob.container, blob.hour, blob.name))


def wanted(blob: Found, tables: Sequence[str]) -> bool:
    """Whether a blob holds one of the tables, or its hub is named."""
    return any(blob.what.lower() == table.lower() for table in tables)


def fail(error: ForwarderError) -> typer.Exit:
    """Say what is wrong; exit code 2."""
    errors.print(f"[red]{escape(str(error))}[/red]")
    return typer.Exit(2)


@app.callback(invoke_without_command=True)
def backfill(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--from", help="From this hour on: 2026-01-31, with a time, or 7d.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Up to this hour (default: now).")] = None,
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this table; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count blobs, bytes and messages; send nothing.")] = False,
    no_wait: NoWait = False,
    ahead: Ahead = None,
) -> None:
    """Bring in what was exported to a storage account between two moments. What is in Elasticsearch already counts as duplicate."""
    if context.invoked_subcommand is not None:
        return
    begin, end = moment(since, "--from"), moment(until, "--to") or datetime.now(UTC)
    if begin is None:
        raise typer.BadParameter("is needed", param_hint="--from")
    if begin >= end:
        raise typer.BadParameter("is not before --to", param_hint="--from")
    try:
        desk = Desk.open()
        found = desk.found(table or (), begin, end)
        run = new_run(datetime.now(UTC))
        plan = list(portions(run, found, desk.told.range_bytes))
        errors.print(overview(found, plan))
        if not plan:
            errors.print("[yellow]No blob of these hours was found.[/yellow]")
            raise typer.Exit(1)
        if dry_run:
            return
        runs = desk.runs()
        facts = {"from": begin.isoformat(), "to": end.isoformat(), "blobs": len(found), "portions": len(plan)}
        runs.begin(run, facts | {"bytes": sum(one.size for one in plan), "tables": table or []}, plan)
        errors.print(f"Run [bold]{run}[/bold].")
        go(desk, runs, run, plan, no_wait=no_wait, ahead=ahead)
    except ForwarderError as error:
        raise fail(error) from None


@app.command()
def resume(run: RunName, no_wait: NoWait = False, ahead: Ahead = None) -> None:
    """Send what is not through, what could not be read, and what was given up; a cancelled run goes on."""
    try:
        desk = Desk.open()
        runs = desk.runs()
        name = desk.named(runs, run)
        count = int(runs.facts(name)["portions"])
        plan, tally = list(runs.plan(name)), runs.tally(name, count)
        runs.reopen(name, [plan[number] for number in sorted(tally.unread)])
        errors.print(f"Run [bold]{name}[/bold]: {len(tally.done - tally.unread)} of {count} portions are through.")
        go(desk, runs, name, plan, no_wait=no_wait, ahead=ahead)
    except ForwarderError as error:
        raise fail(error) from None


@app.command()
def status(run: Annotated[str | None, typer.Argument(help="Only this run, or `last`.")] = None) -> None:
    """How far each run is, and what became of its records."""
    try:
        desk = Desk.open()
        runs = desk.runs()
        names = [desk.named(runs, run)] if run else runs.names()
        table = Table("run", "from", "to", "state", "portions", *COUNTS)
        for name in names:
            facts = runs.facts(name)
            tally = runs.tally(name, int(facts["portions"]))
            state = state_of(tally, int(facts["portions"]), cancelled=runs.cancelled(name))
            through = f"{len(tally.done)}/{facts['portions']}"
            counts = (str(tally.counts[count]) for count in COUNTS)
            table.add_row(name, facts["from"][:16], facts["to"][:16], state, through, *counts)
        out.print(table if names else "No runs.")
    except ForwarderError as error:
        raise fail(error) from None


@app.command()
def cancel(run: RunName) -> None:
    """Drop a run's messages, those in the queue too; what is being worked on ends. `resume` takes it up again."""
    try:
        desk = Desk.open()
        runs = desk.runs()
        name = desk.named(runs, run)
        runs.facts(name)
        runs.cancel(name)
        out.print(f"Run {name} is cancelled.")
    except ForwarderError as error:
        raise fail(error) from None


def state_of(tally: Tally, portions: int, *, cancelled: bool) -> str:
    """How a run stands, in a word."""
    if len(tally.done) == portions:
        return "incomplete" if tally.unread else "finished"
    return "cancelled" if cancelled else "under way"


def overview(found: Sequence[Found], plan: Sequence[Portion]) -> Table:
    """Blobs, bytes and messages, by what they hold."""
    files: Counter[str] = Counter(blob.what for blob in found)
    sizes: Counter[str] = Counter()
    for blob in found:
        sizes[blob.what] += blob.size
    table = Table("table or hub", "blobs", "MB", show_footer=True)
    for name, number in sorted(files.items()):
        table.add_row(escape(name), str(number), f"{sizes[name] / 1e6:,.1f}")
    table.columns[0].footer = f"{len(plan)} messages, {sum(len(one.ranges) for one in plan)} ranges"
    table.columns[1].footer, table.columns[2].footer = str(files.total()), f"{sizes.total() / 1e6:,.1f}"
    return table


def go(desk: Desk, runs: Runs, run: str, plan: Sequence[Portion], *, no_wait: bool, ahead: int | None) -> None:
    """Send what is not through and, unless told otherwise, stay until all of it is; exit code 1 where something could not be read."""
    setting = desk.settings.storage
    with open_queue(setting, desk.told.queue, os.environ) as queue:

        def send(portion: Portion) -> None:
            with queue_errors(setting):
                queue.send_message(portion.text(), time_to_live=NEVER)

        done = runs.tally(run, len(plan)).done
        todo = [portion for portion in plan if portion.number not in done]
        if no_wait:
            for portion in todo:
                send(portion)
            errors.print(f"{len(todo)} messages sent. `python -m cli backfill status {run}` tells how far it is.")
            return
        try:
            tally = feed(runs, run, plan, todo, send, ahead or desk.told.ahead)
        except KeyboardInterrupt:
            errors.print(f"\nWhat is in the queue goes on; the rest with `python -m cli backfill resume {run}`.")
            raise typer.Exit(130) from None
    errors.print(told(tally))
    if len(tally.done) < len(plan) or tally.unread:
        raise typer.Exit(1)


def feed(
    runs: Runs, run: str, plan: Sequence[Portion], todo: Iterable[Portion], send: Callable[[Portion], None], ahead: int
) -> Tally:
    """Keep so many messages in the queue until every portion has its mark or the run is cancelled; what the marks say."""
    columns = (
        SpinnerColumn(),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
    )
    sizes = [portion.size for portion in plan]
    waiting, sent, moved = iter(todo), set[int](), time.monotonic()
    before = -1
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        task = progress.add_task(run, total=sum(sizes), words="")
        while True:
            tally = runs.tally(run, len(plan))
            counts = tally.counts
            words = f"{counts['received']:,} records, {counts['indexed']:,} new, {counts['duplicate']:,} known"
            progress.update(task, completed=sum(sizes[number] for number in tally.done), words=words)
            if len(tally.done) == len(plan) or runs.cancelled(run):
                return tally
            while len(sent - tally.done) < ahead and (portion := next(waiting, None)) is not None:
                send(portion)
                sent.add(portion.number)
            if len(tally.done) != before:
                before, moved = len(tally.done), time.monotonic()
            elif time.monotonic() - moved > QUIET_SECONDS:
                moved = time.monotonic()
                errors.print(
                    f"[yellow]Nothing was finished for {QUIET_SECONDS:.0f} s: is the function app running with BACKFILL_STORAGE set, and "
                    "is Elasticsearch in reach? GET /api/health tells.[/yellow]"
                )
            time.sleep(LOOK_SECONDS)


def told(tally: Tally) -> str:
    """What became of the records, in a line."""
    counts = tally.counts
    words = ", ".join(f"{counts[name]:,} {name.replace('_', '-')}" for name in COUNTS[:-1])
    unread = f" [yellow]{counts[UNREAD]} pieces could not be read: `dead-letters list` says why.[/yellow]"
    return f"{words}.{unread if counts[UNREAD] else ''}"
