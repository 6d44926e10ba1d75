"""A local Elasticsearch -> the same server with the templates and all kinds of documents that the demo indexes: what docs and dashboards ask.

The demo's load, its two tenants' alerts, incidents, vulnerabilities and assessments with their entries in latest views, and every golden
example go through the project's own mapping and shipper, as the shipper's user. No hub, host or API runs, so it takes seconds. Everything
happens on the day of the golden examples (`DAY`) and is the same each time.
"""

from __future__ import annotations

import fcntl
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson

from local import demo_polls
from local.elasticsearch import LocalElasticsearch
from local.elasticsearch_keeper import shared_elasticsearch
from local.load import TENANT, load
from local.microsoft import Tenant
from local.templates import put_templates
from shared.flows import documents
from shared.normalise.api import SOURCES, Context
from shared.normalise.decode import Message
from shared.normalise.normaliser import Normaliser
from shared.poll.arm import FINDINGS, described
from shared.poll.walk import Row
from shared.report import Report
from shared.rows import row_documents
from shared.settings import Settings
from shared.ship.client import BULK_LATEST, client_post
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document
from shared.ship.shipper import Shipper

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
DAY = datetime(2026, 3, 4, 10, 15, tzinfo=UTC)  # about when everything happened last
RECORDS = 2_000  # of the demo's load
SHIP_SECONDS = 300.0
TENANTS = {  # id -> how many times smaller than the demo's first
    "aaaaaaaa-1111-4000-8000-000000000001": 1,
    "bbbbbbbb-2222-4000-8000-000000000002": demo_polls.SMALLER,
}


def fill(server: LocalElasticsearch, records: int = RECORDS) -> Counter[str]:
    """Index all of it and refresh; returns documents by data stream or latest view. Doing it again adds nothing.

    Raises AssertionError if Elasticsearch refused one.
    """
    with server.client(request_timeout=120) as admin:
        put_templates(admin)
        settings = Settings.read({**server.app_settings(server.add_user("filling")), "ELASTICSEARCH_TIMEOUT": "120"})
        streams, views = everything(records)
        ship(streams, Shipper(settings))
        ship(views, Shipper(settings, post=client_post(settings, path=BULK_LATEST)))
        admin.indices.refresh(index="logs-*,*_latest*")
    return Counter(document.index for document in (*streams, *views))


def fill_once(folder: Path, owner: int) -> LocalElasticsearch:
    """The filled server that all test processes with the same `folder` share; it ends with the process `owner` at the latest."""
    folder.mkdir(exist_ok=True)
    server = shared_elasticsearch(folder, owner)
    with (folder / "filling").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            fill(server)
            lock.write("filled")
    return server


def ship(made: list[Document], shipper: Shipper) -> None:
    """Ship documents; each has to get in (or be there already, from a filling before)."""
    report = Report("fill")
    for document in made:
        report.received[document.table] += 1
    refused = shipper.ship(made, report, source="fill", deadline=time.monotonic() + SHIP_SECONDS)
    assert not refused, f"{len(refused)} documents were refused, the first: {refused[0].reason}"
    report.check()


def everything(records: int = RECORDS) -> tuple[list[Document], list[Document]]:
    """Documents for data streams, each once, and entries of latest views."""
    normaliser, views = Normaliser(), list[Document]()
    streams = [*streamed(normaliser, records), *polled(normaliser, views), *golden(normaliser, views)]
    return list({(document.index, document.id): document for document in streams}.values()), views


def streamed(normaliser: Normaliser, records: int) -> Iterator[Document]:
    """The demo's load; what can not be read in it is left out."""
    bodies = load(records, newest=DAY).bodies
    yield from documents(map(Message, bodies), normaliser, None, Report("fill"), [])


def polled(normaliser: Normaliser, views: list[Document]) -> Iterator[Document]:
    """What the pollers find in the demo's tenants."""
    for id, smaller in TENANTS.items():
        tenant = Tenant(id)
        demo_polls.fill(tenant, DAY, smaller)
        for source in SOURCES:
            yield from mapped(source, rows(tenant, source), tenant.id, normaliser, views)


def rows(tenant: Tenant, source: str) -> Iterator[Row]:
    """A source's rows, each as its poller gives it: an alert in its incident, an assessment with its description and findings."""
    if source == "alert":
        yield from tenant.alerts.values()
    elif source == "incident":
        yield from tenant.incidents.values()
        for alert in tenant.alerts.values():
            yield {**tenant.incidents[alert["incidentId"]], "alerts": [alert]}
    elif source == "log":
        yield from tenant.siem.values()
    elif source == "vulnerability":
        for file in tenant.export.files.values():
            yield from file  # type: ignore[misc]  # the demo's files are lists of rows
    else:
        known = {str(one["name"]): one["properties"] for one in tenant.azure.metadata}
        for assessment in (one for found in tenant.azure.assessments.values() for one in found):
            findings = tenant.azure.findings.get(assessment["id"].lower())
            whole = described(assessment, known)
            yield {**whole, FINDINGS: findings} if findings else whole


def golden(normaliser: Normaliser, views: list[Document]) -> Iterator[Document]:
    """Every golden example."""
    for folder in sorted(GOLDEN.iterdir()):
        content = (folder / "in.json").read_bytes()
        if folder.name in SOURCES:
            yield from mapped(folder.name, iter(orjson.loads(content)), TENANT, normaliser, views)
        else:
            yield from documents([Message(content)], normaliser, None, Report("fill"), [])


def mapped(
    source: str, found: Iterator[Row], tenant: str, normaliser: Normaliser, views: list[Document]
) -> Iterator[Document]:
    """Rows of a source as documents, evidence too; their entries in latest views go to `views`."""
    letters: list[DeadLetter] = []
    context = Context(tenant=tenant, scan=DAY.strftime("%Y-%m-%dT%H:%M:%SZ"), evidence=True)
    yield from row_documents(found, source, normaliser, context, Report("fill"), letters, views)
    assert not letters, letters[0].reason
