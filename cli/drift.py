"""`python -m cli drift [clear]`: what was seen and is not mapped: tables, columns, ActionTypes, members of lists, types."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared import drift
from shared.errors import ForwarderError
from shared.normalise.mapped import is_mapped
from shared.report import Drift
from shared.settings import Settings

app = typer.Typer(invoke_without_command=True, add_completion=False)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)  # a pipe has no width: cut nothing
errors = Console(stderr=True, soft_wrap=True)


class Kind(StrEnum):
    """What an entry is about."""

    TABLE = "table"
    COLUMN = "column"
    ACTION = "action"
    ENUM = "enum"
    TYPE = "type"


SECONDS = 19  # characters of a time in UTC, to the second
COLOURS = {"table": "red", "column": "yellow", "action": "cyan", "enum": "magenta", "type": "bright_red"}
Kinds = Annotated[list[Kind] | None, typer.Option("--kind", help="Only this kind; repeatable.")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table or source; repeatable.")]


def wanted(kind: list[Kind] | None, table: list[str] | None) -> Callable[[Drift], bool]:
    """Whether the options of a command mean an entry."""
    return lambda entry: (not kind or entry.kind in kind) and (not table or entry.table in table)


def stop(error: ForwarderError) -> typer.Exit:
    """Say what went wrong in one sentence, and end with exit code 2: 1 means that there is drift."""
    errors.print(f"[red]{escape(str(error))}[/red]")
    return typer.Exit(2)


@app.callback()
def show(
    context: typer.Context,
    kind: Kinds = None,
    table: Tables = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for other programs.")] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with 1 if anything is not mapped by this version.")
    ] = False,
) -> None:
    """Show what was seen and was not mapped, newest first, and what of it this version does map.

    Written by the functions to the container STATE_CONTAINER; settings are read from the environment, as in the functions.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        stored = drift.read(Settings.read(os.environ, whole=False))
    except ForwarderError as error:
        raise stop(error) from None
    if stored.odd is not None:
        errors.print(f"{drift.BLOB} holds something that is no drift report; the next write puts it aside.")
    meant = filter(wanted(kind, table), stored.newest_first())
    found = [(entry, stored.entries[entry], is_mapped(entry)) for entry in meant]
    if as_json:
        rows = [{**drift.told(entry, seen), "mapped_since": mapped} for entry, seen, mapped in found]
        typer.echo(orjson.dumps({"drift": rows, "left_out": stored.left_out}, option=orjson.OPT_INDENT_2))
    elif found:
        out.print(as_table(found))
        out.print(f"{len(found)} entries, {sum(mapped for *_, mapped in found)} of them mapped by this version.")
    else:
        out.print("No drift.")
    if stored.left_out and not as_json:
        out.print(f"{stored.left_out} more sightings had no room: clear what has been dealt with.")
    if fail and not all(mapped for *_, mapped in found):
        raise typer.Exit(1)


def as_table(found: list[tuple[Drift, drift.Seen, bool]]) -> Table:
    """Entries for a person."""
    table = Table("kind", "table", "name", "seen", "count", "first seen (UTC)", "last seen (UTC)", "now")
    for entry, seen, mapped in found:
        table.add_row(
            f"[{COLOURS[entry.kind]}]{entry.kind}[/]",
            escape(entry.table),
            escape(entry.value if entry.kind == "action" else entry.column),
            ""
            if entry.kind == "action"
            else escape(entry.value + (f" for {entry.expected}" if entry.expected else "")),
            str(seen.times),
            escape(seen.first[:SECONDS]),
            escape(seen.last[:SECONDS]),
            "[green]mapped since[/]" if mapped else "",
        )
    return table


@app.command()
def clear(
    kind: Kinds = None,
    table: Tables = None,
    mapped: Annotated[bool, typer.Option("--mapped", help="Only what this version maps.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take entries out of the report. What still comes is entered again, by running functions within ten minutes."""
    meant = wanted(kind, table)

    def unwanted(entry: Drift) -> bool:
        return meant(entry) and (not mapped or is_mapped(entry))

    try:
        settings = Settings.read(os.environ, whole=False)
        number = sum(map(unwanted, drift.read(settings).entries))
        if not number:
            out.print("No such drift.")
            return
        if not yes and not typer.confirm(f"Clear {number} entries?"):
            raise typer.Exit(2)
        out.print(f"{drift.clear(settings, unwanted)} entries cleared.")
    except ForwarderError as error:
        raise stop(error) from None
