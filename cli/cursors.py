"""`python -m cli cursors list|show|set|reset`: how far each source has been read, looked at and set by hand."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.dead_letter_choice import moment
from shared.cursors.cursor import Corrupt, Cursor
from shared.cursors.store import BlobCursors
from shared.errors import ForwarderError
from shared.poll_settings import PollSettings
from shared.settings import Settings

app = typer.Typer(help="How far each source has been read: list, show, set, reset.", no_args_is_help=True)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)  # a pipe has no width: cut nothing
errors = Console(stderr=True, soft_wrap=True)

Name = Annotated[str, typer.Argument(help="A cursor's name as `list` shows it, or the beginning of exactly one.")]


def opened() -> BlobCursors:
    """The cursors that the app settings (environment variables) point at; raises Misconfigured."""
    settings = Settings.read(os.environ, whole=False)
    return BlobCursors.open(settings, PollSettings.read_all(os.environ).cursor_container)


def stop(words: str) -> typer.Exit:
    """Say what went wrong in one sentence, and end with exit code 1."""
    errors.print(f"[red]{escape(words)}[/red]")
    return typer.Exit(1)


@app.command("list")
def list_command(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False) -> None:
    """Every cursor: where it stands, how old that is, what is left of a scan, and whether it is being read."""
    try:
        found = list(opened().list())
    except ForwarderError as error:
        raise stop(str(error)) from None
    if as_json:
        typer.echo(json.dumps([told(name, cursor, busy=busy) for name, cursor, busy in found], indent=2))
        return
    if not found:
        out.print("No cursors: nothing has been polled yet.")
        return
    table = Table("cursor", "watermark", "age", "seen", "scan", "rows", "updated", "")
    for name, cursor, busy in found:
        if isinstance(cursor, Corrupt):
            table.add_row(escape(name), f"[red]{escape(str(cursor))}[/red]")
            continue
        scan = str(cursor.work.get("scan", "")) if cursor.work else ""
        owed = len(cursor.work.get("owed") or ()) if cursor.work else 0
        table.add_row(
            escape(name),
            cursor.watermark or "not yet",
            age(cursor.watermark),
            str(len(cursor.seen)),
            f"{scan}{f', {owed} owed' if owed else ''}",
            str(cursor.counters.get("rows", 0)),
            cursor.updated or "",
            "being read" if busy else "",
        )
    out.print(table)


def told(name: str, cursor: Cursor | Corrupt, *, busy: bool) -> dict[str, Any]:
    """A cursor for other programs."""
    if isinstance(cursor, Corrupt):
        return {"name": name, "corrupt": str(cursor)}
    return {"name": name, "busy": busy, **json.loads(cursor.written())}


def age(watermark: str | None) -> str:
    """How long ago a moment was, roughly."""
    try:
        passed = (datetime.now(UTC) - datetime.fromisoformat(watermark or "")).total_seconds()
    except ValueError:
        return ""
    for name, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if passed >= 2 * seconds:
            return f"{passed / seconds:.0f} {name}"
    return f"{passed:.0f} s"


def one(cursors: BlobCursors, name: str) -> tuple[str, Cursor | Corrupt]:
    """The one cursor whose name begins so; ends the program where there is none, or more than one."""
    found = [(known, cursor) for known, cursor, _ in cursors.list(name)]
    exact = [(known, cursor) for known, cursor in found if known == name]
    if exact or len(found) == 1:
        return (exact or found)[0]
    raise stop(
        f"{len(found)} cursors begin with {name!r}: {', '.join(known for known, _ in found[:5])}"
        if found
        else f"There is no cursor {name!r}."
    )


@app.command()
def show(name: Name) -> None:
    """Print one cursor whole."""
    try:
        known, cursor = one(opened(), name)
    except ForwarderError as error:
        raise stop(str(error)) from None
    typer.echo(json.dumps(told(known, cursor, busy=False), indent=2))


@app.command("set")
def set_command(
    name: Name,
    watermark: Annotated[str, typer.Argument(help="2026-01-31, a date and time, or 2h, 7d (ago).")],
) -> None:
    """Let a source go on from another moment: an earlier one sends rows again (duplicates cost nothing), a later one leaves rows out."""
    when = moment(watermark, "WATERMARK")
    if when is None:
        raise typer.BadParameter("is no moment", param_hint="WATERMARK")
    try:
        cursors = opened()
        known, cursor = one(cursors, name)
        if isinstance(cursor, Corrupt):
            raise stop(f"{known} {cursor}: reset it.")
        with cursors.take(cursor) as taken:
            text = when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            taken.save(taken.cursor.moved(watermark=text, seen={}, work=None))
    except ForwarderError as error:
        raise stop(str(error)) from None
    out.print(f"{escape(known)} goes on from {text}.")


@app.command()
def reset(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove a cursor: its source begins at its lookback again."""
    try:
        cursors = opened()
        known, _ = one(cursors, name)
        if not yes and not typer.confirm(f"Remove {known}?"):
            raise typer.Exit(1)
        cursors.reset(known)
    except ForwarderError as error:
        raise stop(str(error)) from None
    out.print(f"{escape(known)} is removed.")
