"""`python -m cli uninstall`: what install put is removed; data streams, their data and what is in use stay, and are named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.install import kibana, show
from cli.install.carry_out import carry_out
from cli.install.choices import InstallSettings, kibana_spaces
from cli.install.command import out, stop
from cli.install.found import Found, component_templates, data_streams, indices, is_ours, listed, server_of
from cli.install.server import Ask, Body, Request, elasticsearch, lacks_api, told
from cli.install.steps import Step
from cli.install.wanted import Wanted, read
from shared.errors import ForwarderError, Misconfigured
from shared.settings import Settings
from shared.ship.latest import VIEWS

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

app = typer.Typer(add_completion=False)


@app.command()
def uninstall(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove templates, policies, pipeline, transforms and dashboards that install put. Documents stay."""
    try:
        if not dry_run and not yes and not typer.confirm("Remove what install put into this cluster?"):
            raise typer.Exit(1)
        for step in uninstall_from(os.environ, dry_run=dry_run):
            out.print(show.line(step, dry_run=dry_run))
    except ForwarderError as error:
        raise stop(error) from None


def uninstall_from(
    environment: Mapping[str, str],
    *,
    files: Wanted | None = None,
    client: Elasticsearch | None = None,
    dry_run: bool = False,
) -> Iterator[Step]:
    """Remove from the cluster (and Kibana) of the settings; each step as it is done. Raises Misconfigured or Retry."""
    settings, own = Settings.read(environment), InstallSettings.read_all(environment)
    files = files or read()
    spaces = kibana_spaces(own)
    if own.kibana_url and spaces and files.dashboards:
        to = kibana.kibana(settings, own.kibana_url)
        if dry_run:
            yield from (
                Step("dashboards", s, "removed") for s in spaces if kibana.installed_version(to, s, files.dashboards)
            )
        else:
            yield from kibana.removal_steps(to, files.dashboards, spaces)
    ask = elasticsearch(settings, client)
    version, serverless = server_of(ask)
    found = Found(version=version, serverless=serverless)
    steps = list(removals(ask, files))
    yield from steps if dry_run else carry_out(steps, ask, found)
    yield from what_stays(ask, files, settings.namespace)


def removals(ask: Ask, files: Wanted) -> Iterator[Step]:
    """A step for everything in the cluster that has our mark, in an order in which nothing is in use by what comes later."""
    for name in _may_look("transform", partial(marked, ask, "/_transform/*?size=1000", "transforms")):
        if isinstance(name, Step):
            yield name
            continue
        stop_it = Request("POST", f"/_transform/{name}/_stop?force=true&wait_for_completion=true")
        yield Step("transform", name, "removed", requests=(stop_it, Request("DELETE", f"/_transform/{name}")))
    templates = {
        n: b for n, b in listed(ask, "/_index_template", "index_templates", "index_template").items() if is_ours(b)
    }
    for name in sorted(templates):
        yield _removal("index template", "/_index_template", name)
    parts = {part for body in templates.values() for part in body.get("composed_of", ())} | set(
        files.component_templates
    )
    for name, body in sorted(component_templates(ask, parts).items()):
        if is_ours(body):
            yield _removal("component template", "/_component_template", name)
    for kind, path in (("ingest pipeline", "/_ingest/pipeline"), ("ILM policy", "/_ilm/policy")):
        for name in _may_look(kind, partial(marked, ask, f"{path}/defender_to_elasticsearch*", None)):
            yield name if isinstance(name, Step) else _removal(kind, path, name)


def _may_look(kind: str, names: Callable[[], list[str]]) -> list[str] | list[Step]:
    """Names; or a step that says which privilege it needs to look for them (an installer's key may have none of them)."""
    try:
        return names()
    except Misconfigured as error:
        return [Step(kind, "(all)", "left", f"not looked for: {error.sentence}")]


def _removal(kind: str, path: str, name: str) -> Step:
    return Step(kind, name, "removed", requests=(Request("DELETE", f"{path}/{name}"),))


def marked(ask: Ask, path: str, key: str | None) -> list[str]:
    """Names of what has our mark; none where the server has no such API. key: where the answer is a list, of things with an `id`."""
    reply = ask("GET", path, None)
    if lacks_api(reply):
        return []
    said = told(reply)
    bodies: dict[str, Any] = {item["id"]: item for item in said.get(key) or ()} if key else said
    return sorted(name for name, body in bodies.items() if is_ours(_policy(body)))


def _policy(body: Body) -> Body:
    """ILM keeps `_meta` inside of the policy."""
    inner = body.get("policy")
    return inner if isinstance(inner, dict) else body


def what_stays(ask: Ask, files: Wanted, namespace: str) -> Iterator[Step]:
    """Data streams and latest views: they are documents, and only a person deletes these."""
    patterns = sorted(p for b in files.index_templates.values() if "data_stream" in b for p in b["index_patterns"])
    streams, _ = data_streams(ask, patterns)
    for name in streams:
        yield Step("data stream", name, "left", f"with its documents; DELETE _data_stream/{name} removes them.")
    for name in indices(ask, sorted(view.index.format(namespace=namespace) for view in VIEWS.values())):
        yield Step("index", name, "left", f"with its documents; DELETE {name} removes them.")
