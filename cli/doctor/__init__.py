"""`python -m cli doctor`: what each part of the app needs, asked once, with a sentence for each thing that is to be mended.

It asks with the rights of whoever runs it, which need not be the app's: what the app itself finds is at GET /api/health.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.doctor.check import Check, State, failed, ok
from functions.conceal import conceal
from functions.hubs import SOURCES as HUBS
from functions.hubs import faults, triggers
from shared.errors import Misconfigured
from shared.poll_settings import PollSettings, Tenant, poll_tenants
from shared.settings import Settings

app = typer.Typer(add_completion=False)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)
COLORS: dict[State, str] = {"ok": "green", "warning": "yellow", "failed": "red", "not checked": "dim"}
# How what functions/probes.py finds is mended.
MEND = {
    "elasticsearch": "Look at ELASTICSEARCH_URL, and grant the API key what is named (docs/privileges.md).",
    "index_templates": "Run python -m cli install with the installer's key (docs/privileges.md).",
    "blob_store": "Look at STORAGE, and at the identity's role Storage Blob Data Owner.",
    "last_received": "Mend what the reason names: the batch comes again by itself. docs/operate.md has the commonest.",
    "drift": "Look at the log lines of defender.drift.",
}
SET = "Set {}; docs/settings.md says what it may hold."


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only this polled source, also one that is not in POLL_SOURCES; repeatable."),
    ] = None,
) -> None:
    """Check settings, packages, clock, Elasticsearch, storage, event hubs and every polled source.

    Exit code 1 if something is to be mended; warnings alone are 0.
    """
    shown = (clean(check) for check in examined(tuple(source or ())))
    if as_json:
        checks = list(shown)
        whole = not any(check.state == "failed" for check in checks)
        typer.echo(json.dumps({"whole": whole, "checks": [asdict(check) for check in checks]}, indent=2))
        raise typer.Exit(0 if whole else 1)
    with out.status("Asking …"):  # nothing where it is no terminal
        checks = list(shown)
    out.print(table_of(checks))
    counted = Counter(check.state for check in checks)
    out.print(", ".join(f"[{COLORS[state]}]{counted[state]} {state}[/]" for state in COLORS if counted[state]))
    raise typer.Exit(1 if counted["failed"] else 0)


def table_of(checks: list[Check]) -> Table:
    """The checks for a person."""
    table = Table("check", "", "what was found, and how to mend it", show_lines=False)
    for check in checks:
        words = escape(check.detail) + (f"\n[bold]{escape(check.mend)}[/bold]" if check.mend else "")
        table.add_row(escape(check.name), f"[{COLORS[check.state]}]{check.state}[/]", words)
    return table


def clean(check: Check) -> Check:
    """The check without secrets."""
    return replace(check, detail=conceal(check.detail, os.environ), mend=conceal(check.mend, os.environ))


def examined(only: tuple[str, ...]) -> Iterator[Check]:
    """Every check, in the order in which they are mended best."""
    from cli.doctor.packages import of_packages

    yield of_packages()
    settings: Settings | None = None
    try:
        settings = Settings.read(os.environ)
        yield ok("settings", "every setting makes sense.")
    except Misconfigured as error:
        yield failed("settings", str(error), SET.format(error.setting))
    try:
        polled = PollSettings.read_all(os.environ)
    except Misconfigured as error:
        yield failed("pollers", str(error), SET.format(error.setting))
        return
    declared, wrong = triggers(os.environ), list(faults(os.environ))
    if wrong:
        names = dict.fromkeys(sentence.partition(":")[0] for sentence in wrong)
        yield failed("event hubs", " ".join(wrong), SET.format(" and ".join(names)))
    elif declared:
        told = (f"{one.function} reads {one.hub} as {one.consumer_group}" for one in declared)
        yield ok("event hubs", f"{'; '.join(told)}.")
    tenants: dict[str, Tenant] = {}
    asked = only or polled.sources
    if asked:
        try:
            tenants = poll_tenants(polled, os.environ)
        except Misconfigured as error:
            yield failed("tenants", str(error), SET.format(error.setting))
    if settings is not None:
        yield from of_servers(settings, polled, asked, tenants)
    yield from of_apis(polled, asked, tenants)


def of_servers(
    settings: Settings, polled: PollSettings, asked: tuple[str, ...], tenants: dict[str, Tenant]
) -> Iterator[Check]:
    """Elasticsearch, storage, clocks and hubs; `asked`: the polled sources."""
    from cli.doctor.clocks import of_times
    from cli.doctor.elastic import of_version
    from cli.doctor.hubs import of_hubs
    from cli.doctor.storage import of_storage
    from functions.probes import PROBES, probed

    hubs = {trigger.source for trigger in triggers(os.environ)}
    sources = (*(hub.name for hub in HUBS if hub.name in hubs), *asked) or tuple(hub.name for hub in HUBS)
    yield of_version(settings)
    stored = True
    for name, probe in PROBES.items():
        found = probed(probe, settings, sources)
        stored = stored and not (name == "blob_store" and found.state == "failed")
        yield Check(name.replace("_", " "), found.state, found.detail, MEND[name] if found.state == "failed" else "")
    yield from of_storage(settings, polled, stored=stored)
    yield of_times(settings, polled, tenants)
    yield from of_hubs(settings)


def of_apis(polled: PollSettings, asked: tuple[str, ...], tenants: dict[str, Tenant]) -> Iterator[Check]:
    """Every polled source in every tenant."""
    from cli.doctor.apis import of_source
    from shared.poll.sources import SOURCES

    for name in asked:
        if name not in SOURCES:
            yield failed("pollers", f"{name!r} is no source.", f"Sources are {', '.join(SOURCES)}.")
            continue
        for called, tenant in tenants.items():
            yield from of_source(polled, name, called, tenant)
