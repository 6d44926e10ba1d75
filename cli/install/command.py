"""`python -m cli install`: everything that the cluster needs, shown or put in place; twice changes nothing."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cli.install import show
from cli.install.choices import Fleet
from cli.install.run import choices_of, install_into
from cli.install.wanted import read
from shared.errors import ForwarderError

app = typer.Typer(add_completion=False)
out, errors = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def install(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, as a diff, and do nothing.")
    ] = False,
    logsdb: Annotated[
        bool | None,
        typer.Option("--logsdb/--no-logsdb", help="index.mode logsdb or standard. Default: as the cluster has it."),
    ] = None,
    ilm: Annotated[bool, typer.Option("--ilm", help="ILM policies instead of data stream lifecycle.")] = False,
    geoip: Annotated[
        bool, typer.Option("--geoip", help="Attach the pipeline that looks up places, networks and user agents.")
    ] = False,
    transforms: Annotated[
        bool, typer.Option("--transforms", help="Make and start the transforms for latest views.")
    ] = False,
    fleet: Annotated[
        Fleet,
        typer.Option(
            "--fleet",
            help="Where Elastic's packages hold our data streams: leave theirs, put ours beside for NAMESPACE alone, or replace.",
        ),
    ] = Fleet.LEAVE,
    whole: Annotated[bool, typer.Option("--whole", help="With --dry-run: every line of every diff.")] = False,
) -> None:
    """Put all that the documents need into Elasticsearch and, with KIBANA_URL, into Kibana; settings are those of the app's environment."""
    number = 0
    try:
        files = read()
        options = choices_of(os.environ, files, logsdb=logsdb, ilm=ilm, geoip=geoip, transforms=transforms, fleet=fleet)
        for step in install_into(os.environ, files=files, choices=options, dry_run=dry_run):
            number += step.state in ("new", "changed")
            out.print(show.line(step, dry_run=dry_run))
            if dry_run:
                for text in show.diff(step, whole=whole):
                    out.print(text)
    except ForwarderError as error:
        raise stop(error) from None
    ending = "would be done" if dry_run else "done"
    out.print(f"{number} steps {ending}." if number else "Nothing to do: all is as it should be.")


def stop(error: ForwarderError) -> typer.Exit:
    """One sentence on standard error, exit code 2."""
    errors.print(escape(str(error)))
    return typer.Exit(2)
