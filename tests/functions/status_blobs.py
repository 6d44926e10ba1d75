"""What the blobs of an app look like that has seen something of everything: for the status page's tests and its pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from azure.storage.blob import BlobServiceClient

from shared import drift
from shared.cursors.cursor import Cursor
from shared.report import Drift
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter, DeadLetters

HOSTILE = "</li><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\""
ENVIRONMENT = {
    "ELASTICSEARCH_URL": "https://elasticsearch.example.com:9200",
    "ELASTICSEARCH_API_KEY": "bm90LWEta2V5Om9ubHktYW4tZXhhbXBsZQ==",
    "XDR_EVENT_HUB_NAMES": "defender-xdr",
    "XDR_EVENT_HUB__fullyQualifiedNamespace": "example.servicebus.windows.net",
    "XDR_CONSUMER_GROUP": "elastic",
    "CLOUD_EVENT_HUB_NAMES": "defender-for-cloud",
    "CLOUD_EVENT_HUB__fullyQualifiedNamespace": "example.servicebus.windows.net",
    "CLOUD_CONSUMER_GROUP": "elastic",
    "POLL_SOURCES": "alert, incident, vulnerability, assessment",
    "TENANT_ID": "example.com",
}


def iso(when: datetime) -> str:
    """As our blobs have it."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(service: BlobServiceClient, environment: Mapping[str, str], now: datetime, hostile: str = HOSTILE) -> None:
    """Write state, cursors, dead letters and drift as the app does (the environment is set too); `hostile` stands where names come from outside."""
    settings = Settings.read_all(environment)
    state = service.create_container(settings.state_container)

    def received(source: str, seconds: float, records: int, over: float | None, lag: float, dead: int = 0) -> None:
        at = now - timedelta(seconds=seconds)
        counts = {"messages": 3, "received": records, "indexed": records - 4 - dead, "duplicate": 4, "filtered": 0}
        counts["dead_lettered"] = dead
        since = None if over is None else iso(at - timedelta(seconds=over))
        content: dict[str, object] = {"at": iso(at), "lag_seconds": lag, **counts, "window": {"since": since, **counts}}
        content["newest_event"] = iso(at - timedelta(seconds=lag))
        state.upload_blob(f"{source}.json", json.dumps(content))

    def held(source: str, seconds: float, reason: str) -> None:
        at = iso(now - timedelta(seconds=seconds))
        state.upload_blob(f"{source}.held.json", json.dumps({"at": at, "reason": reason}))

    received("xdr", 12, 48_604, 31, 4.2, dead=1)
    received("defender_cloud", 95, 60, 3_600, 5_400)
    received("alert", 1_500, 12, 120, 61)
    held("alert", 40, f"CLIENT_SECRET: no token: invalid_client: AADSTS7000222: the secret of {hostile} has expired")
    received("incident", 75, 31, 120, 48)
    received("vulnerability", 900, 120_031, None, 4_000)

    cursors = service.create_container(environment["CURSOR_CONTAINER"])
    for source, age in (("alert", 1_600), ("incident", 130), ("incident", 200), ("vulnerability", 86_000)):
        cursor = Cursor(source, f"tenant-{age}", hostile if age == 200 else "", iso(now - timedelta(seconds=age)))
        cursor = cursor.moved(updated=iso(now - timedelta(seconds=min(age, 900))))
        cursors.upload_blob(cursor.name, cursor.written())

    letter = DeadLetter("not_json", "byte 3", "xdr", hostile, None, "0", 7, None, iso(now), 1, b"\xff{")
    DeadLetters.open(settings).write([letter])

    seen = now - timedelta(hours=3)
    names = [
        Drift("table", hostile),
        Drift("column", "DeviceEvents", "AdditionalInfo"),
        Drift("action", hostile, "ActionType", hostile),
    ]
    entries = Counter({drift.cleaned(name): 17 for name in names})
    stored = drift.Stored({name: drift.Seen(n, iso(seen), iso(now), "xdr") for name, n in entries.items()})
    drift.change(settings, lambda before: (drift.added(before, stored)[0], None))
