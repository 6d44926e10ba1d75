"""The journey: read, ask, plan, carry out. What the commands and the demo call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from cli.install import kibana
from cli.install.carry_out import carry_out
from cli.install.choices import Choices, Fleet, InstallSettings, kibana_spaces, retention_of
from cli.install.found import look
from cli.install.plan import plan
from cli.install.server import Body, elasticsearch
from cli.install.steps import Step
from cli.install.wanted import Wanted, adapted, chosen, datasets, read
from shared.settings import Settings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


def choices_of(
    environment: Mapping[str, str],
    files: Wanted,
    *,
    logsdb: bool | None = None,
    ilm: bool = False,
    geoip: bool = False,
    transforms: bool = False,
    fleet: Fleet = Fleet.LEAVE,
) -> Choices:
    """Options and the environment's settings -> what is decided. Raises Misconfigured."""
    settings = InstallSettings.read_all(environment)
    return Choices(
        namespace=Settings.read_one("namespace", environment),
        logsdb=logsdb,
        ilm=ilm,
        geoip=geoip,
        transforms=transforms,
        fleet=fleet,
        retention=retention_of(settings, datasets(files)),
        spaces=kibana_spaces(settings),
    )


def install_into(
    environment: Mapping[str, str],
    *,
    files: Wanted | None = None,
    choices: Choices | None = None,
    adapt: Callable[[Body], Body] | None = None,
    client: Elasticsearch | None = None,
    dry_run: bool = False,
) -> Iterator[Step]:
    """Install into the cluster (and Kibana) that the settings in `environment` name; each step as it is done, with dry_run as it would be.

    adapt: changes every template first (local servers lack field types); client: one that is open already. Raises Misconfigured or Retry.
    """
    settings = Settings.read(environment)
    files = files or read()
    choices = choices or choices_of(environment, files)
    if adapt is not None:
        files = adapted(files, adapt)
    ask = elasticsearch(settings, client)
    found = look(ask, chosen(files, choices))
    steps = plan(files, found, choices)
    yield from steps if dry_run else carry_out(steps, ask, found)
    url = InstallSettings.read_all(environment).kibana_url
    if url and choices.spaces:
        to = kibana.kibana(settings, url)
        for step in kibana.dashboard_steps(to, files.dashboards, choices.spaces):
            if step.requests and not dry_run:
                kibana.import_dashboards(to, step, files.dashboards)
            yield step
