"""Nothing -> everything that the demo plays on: Elasticsearch, blob store, event hubs and the app in its host."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError
from rich.console import Console

from local import demo_polls
from local.azurite import LocalAzurite, azurite
from local.demo_install import install_here
from local.elasticsearch import SHIPPER_ROLE, elasticsearch
from local.event_hub import LocalEventHubs, event_hub
from local.host_process import LocalFunctions, functions_host
from local.microsoft import Microsoft, microsoft
from local.setup import Part, install
from shared.settings import Settings
from shared.ship.client import open_client

XDR_HUB, CLOUD_HUB = "defender-xdr", "defender-for-cloud"
PARTITIONS = 2
OURS = "logs-m365_defender.*,logs-microsoft_defender_cloud.*"
TABLE_FIELD = "m365_defender.event.category"  # AdvancedHunting-<table>
CREDENTIALS = (
    *(
        "ELASTICSEARCH_URL",
        "ELASTICSEARCH_CLOUD_ID",
        "ELASTICSEARCH_API_KEY",
        "ELASTICSEARCH_USERNAME",
        "ELASTICSEARCH_PASSWORD",
    ),
    *("ELASTICSEARCH_CA", "ELASTICSEARCH_CA_FINGERPRINT", "NAMESPACE"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Elasticsearch: app settings to ship to it, a client to look at it, and what a person needs to log in."""

    settings: Mapping[str, str]
    reader: Elasticsearch
    login: str

    def counts(self) -> dict[str, int] | None:
        """Documents by Defender table, "" for those of no table; None where we may not read."""
        tables = {"tables": {"terms": {"field": TABLE_FIELD, "size": 200}}}
        try:
            self.reader.indices.refresh(index=OURS, ignore_unavailable=True)
            found = self.reader.search(
                index=OURS, size=0, track_total_hits=True, aggs=tables, ignore_unavailable=True
            ).body
        except (ApiError, TransportError):
            return None
        buckets = found.get("aggregations", {}).get("tables", {}).get("buckets", [])
        result = {str(item["key"]).removeprefix("AdvancedHunting-"): int(item["doc_count"]) for item in buckets}
        rest = int(found["hits"]["total"]["value"]) - sum(result.values())
        return {**result, "": rest} if rest else result

    def example(self, table: str) -> dict[str, Any] | None:
        """The newest document of a table, without what is the same in all."""
        query = {"term": {TABLE_FIELD: f"AdvancedHunting-{table}"}}
        newest = [{"@timestamp": "desc"}]
        hits = self.reader.search(index=OURS, size=1, query=query, sort=newest).body["hits"]["hits"]
        return {"_index": hits[0]["_index"], "_id": hits[0]["_id"], **hits[0]["_source"]} if hits else None


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs."""

    target: Target
    storage: LocalAzurite
    hubs: LocalEventHubs
    fake: Microsoft
    app: LocalFunctions


def parts(console: Console, *, given: bool) -> dict[Part, str | None]:
    """Install what the servers need; a sentence for each part that can not be had. given: Elasticsearch is there already."""
    result: dict[Part, str | None] = {}
    names: dict[Part, str] = {"node": "Azurite and the Event Hubs stand-in", "elasticsearch": "Elasticsearch"}
    for part, name in names.items():
        if given and part == "elasticsearch":
            continue
        with console.status(f"Looking for {name} (the first time fetches it) ..."):
            result[part] = install(part)
    return result


@contextmanager
def stage(console: Console, *, local_elasticsearch: bool, logs: Path) -> Iterator[Stage]:
    """Everything up, one after the other with a line each, and down again at the end, whatever happens.

    local_elasticsearch: start one here; else the app settings ELASTICSEARCH_* of our environment say where it is.
    """
    with ExitStack() as stack:
        target = stack.enter_context(_local(console) if local_elasticsearch else _given(console))
        storage = stack.enter_context(azurite())
        console.print(f"[green]up[/]  Azurite (blobs)              {storage.url}")
        hubs = stack.enter_context(event_hub((XDR_HUB, CLOUD_HUB), partitions=PARTITIONS))
        console.print(
            f"[green]up[/]  Event Hubs stand-in          127.0.0.1:{hubs.port}, {PARTITIONS} partitions a hub"
        )
        fake = stack.enter_context(microsoft())
        console.print(f"[green]up[/]  a fake of Microsoft's APIs   {fake.base} (TLS), two tenants")
        settings = {
            **target.settings,
            **demo_polls.settings(fake),
            "AzureWebJobsStorage": storage.connection_string,
            "XDR_EVENT_HUB": hubs.connection_string,
            "XDR_EVENT_HUB_NAMES": XDR_HUB,
            "CLOUD_EVENT_HUB": hubs.connection_string,
            "CLOUD_EVENT_HUB_NAMES": CLOUD_HUB,
        }
        app = stack.enter_context(functions_host(settings=settings, backoff_scale=0.1, logs=logs))
        console.print(f"[green]up[/]  the app, Microsoft's runtime {app.url}, {', '.join(app.ready['functions'])}")
        yield Stage(target, storage, hubs, fake, app)


@contextmanager
def _local(console: Console) -> Iterator[Target]:
    """A real Elasticsearch here, our templates installed by a user who may only install, shipped to by one who may only ship."""
    with console.status("Starting Elasticsearch (10 seconds) ..."):
        manager = elasticsearch(heap="1g")
        server = manager.__enter__()
    try:
        with server.client() as reader:
            installer, steps = install_here(server)
            shipper = server.add_user("shipper", role=SHIPPER_ROLE)
            console.print(f"[green]up[/]  Elasticsearch                {server.url}")
            console.print(
                f"    {len(steps)} templates and views were put by user {installer.name}; user {shipper.name} ships"
            )
            login = f"user {server.admin.name}, password {server.admin.password}"
            yield Target(server.app_settings(shipper), reader, login)
    finally:
        manager.__exit__(None, None, None)


@contextmanager
def _given(console: Console) -> Iterator[Target]:
    """The Elasticsearch that our environment names; its templates are not touched."""
    settings = {name: os.environ[name] for name in CREDENTIALS if os.environ.get(name)}
    with open_client(Settings.read(settings)) as reader:
        where = settings.get("ELASTICSEARCH_URL") or "by ELASTICSEARCH_CLOUD_ID"
        console.print(f"[green]up[/]  Elasticsearch (yours)        {where}")
        yield Target(settings, reader, "your own credentials")
