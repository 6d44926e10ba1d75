"""`python -m cli poll SOURCE`: one source once, by hand, for back-fill and for looking what is wrong."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.dead_letter_choice import moment
from shared.cursors.memory import MemoryCursors
from shared.cursors.store import BlobCursors
from shared.errors import ForwarderError
from shared.poll_settings import PollSettings, poll_tenants
from shared.settings import Settings

app = typer.Typer(add_completion=False)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)
errors = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else 240)

GOOD = frozenset({"finished"})


class Source(StrEnum):
    """What can be polled."""

    ALERT = "alert"
    INCIDENT = "incident"
    LOG = "log"
    VULNERABILITY = "vulnerability"
    ASSESSMENT = "assessment"


@app.command()
def poll(
    source: Annotated[Source, typer.Argument(help="The source to poll.")],
    since: Annotated[
        str | None,
        typer.Option("--since", help="From here on, whatever the cursor says: 2026-01-31, a date and time, or 2h, 7d."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to here: the same forms.")] = None,
    tenant: Annotated[list[str] | None, typer.Option("--tenant", help="Only this one of TENANTS; repeatable.")] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Write the documents to standard output and ship nothing; no cursor moves."),
    ] = False,
    seconds: Annotated[float, typer.Option("--seconds", help="How long it may take.")] = 24 * 3600.0,
) -> None:
    """Sweep a source once. Without --since it goes on at its cursor, as its timer does, and moves it; with --since the cursor stays as it is."""
    from shared.flows import open_parts
    from shared.poll.source import Span
    from shared.sweeps import Swept, open_pollers, run

    begin, end = moment(since, "--since"), moment(until, "--until")
    if end is not None and begin is None:
        raise typer.BadParameter("needs --since", param_hint="--until")
    try:
        settings = Settings.read(os.environ, whole=not dry_run)
        told = PollSettings.read_all(os.environ)
        tenants = poll_tenants(told, os.environ)
        unknown = [name for name in tenant or () if name not in tenants]
        if unknown:
            raise typer.BadParameter(f"{unknown[0]!r} is none of TENANTS", param_hint="--tenant")
        chosen = {name: value for name, value in tenants.items() if not tenant or name in tenant}
        pollers = open_pollers(told, source.value, chosen)
        parts = open_parts(settings)
        if dry_run:
            parts = printing(parts)
        by_hand = begin is not None or dry_run
        cursors: Any = MemoryCursors() if by_hand else BlobCursors.open(settings, told.cursor_container)
        span = Span(datetime.now(UTC), begin, end)
        watched: list[Swept] = []
        with ended_by_ctrl_c([poller.stop for poller in pollers]), ThreadPoolExecutor(1) as pool:
            done = pool.submit(run, pollers, parts, cursors, span, seconds, watched.append)
            watch(done, source.value, watched)
            swept = done.result()
    except ForwarderError as error:
        errors.print(f"[red]{escape(str(error))}[/red]")
        raise typer.Exit(2) from None
    errors.print(summary(swept))
    for one in swept:
        if one.why:
            errors.print(f"[yellow]{escape(place(one))}: {escape(one.why)}[/yellow]")
    if any(one.result not in GOOD for one in swept):
        raise typer.Exit(1)


@contextmanager
def ended_by_ctrl_c(stops: Sequence[threading.Event]) -> Iterator[None]:
    """Meanwhile Ctrl-C ends what runs before its next page; a second one ends the program."""

    def end(_signal: int, _frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        for stop in stops:
            stop.set()
        errors.print("It ends before its next page.")

    # a handler, not KeyboardInterrupt: that could come before anybody waits for it
    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def watch(done: Any, source: str, watched: Sequence[Any]) -> None:
    """Show how far it is until it is done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} documents"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        task = progress.add_task(source, total=None, rows=0)
        while not done.done():
            time.sleep(0.2)
            current = list(watched)
            rows = sum(one.report.received.total() for one in current)
            pages = sum(one.report.messages for one in current)
            at = max((one.report.newest_event or "" for one in current), default="")
            progress.update(task, description=f"{source}: {pages} pages, at {at or 'the beginning'}", rows=rows)


def printing(parts: Any) -> Any:
    """Parts that write documents to standard output instead of shipping them, and dead letters to standard error."""
    from dataclasses import replace

    return replace(parts, shipper=Printer(), latest=Printer(quiet=True), ask=None, dead_letters=PrintedLetters())


class Printer:
    """Takes a shipper's place: a line for each document, as `normalize` writes it."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.Lock()

    def ship(self, documents: Any, report: Any, *, source: str, deadline: float) -> list[Any]:  # noqa: ARG002  a shipper's arguments
        """Write every document."""
        from cli.normalize import line_of

        for document in documents:
            if not self._quiet:
                with self._lock:
                    sys.stdout.buffer.write(line_of(document))
            report.count("indexed", document.table)
        sys.stdout.buffer.flush()
        return []


class PrintedLetters:
    """Takes the dead letters' place."""

    def write(self, letters: Sequence[Any]) -> list[str]:
        """Write every letter to standard error."""
        for letter in letters:
            sys.stderr.buffer.write(letter.line())
        return []


def place(swept: Any) -> str:
    """A sweep's tenant and scope."""
    return "/".join(part for part in (swept.tenant, swept.scope) if part) or "all"


def summary(swept: Sequence[Any]) -> Table:
    """What became of each scope."""
    table = Table(
        "tenant/scope",
        "result",
        "pages",
        "received",
        "indexed",
        "duplicate",
        "dead letters",
        "watermark",
        "requests",
        "throttled",
    )
    for one in swept:
        report, color = one.report, "green" if one.result in GOOD else "yellow"
        table.add_row(
            escape(place(one)),
            f"[{color}]{one.result}[/{color}]",
            str(report.messages),
            str(report.received.total()),
            str(report.total("indexed")),
            str(report.total("duplicate")),
            str(report.total("dead_lettered")),
            (one.cursor.watermark if one.cursor else None) or "",
            str(one.usage.requests),
            str(one.usage.throttled),
        )
    return table
