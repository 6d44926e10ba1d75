"""A real Elasticsearch made ready for shipping: a template, a least-privileged user, a data stream."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from local.elasticsearch import LocalElasticsearch, User
from shared.backoff import Clock
from shared.report import Report
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document
from shared.ship.shipper import Shipper
from tests.ship.shipping import document, settings

TEMPLATE: dict[str, Any] = {
    "index_patterns": ["logs-m365_defender.event-ship*"],
    "priority": 800,
    "data_stream": {},
    "template": {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
        "mappings": {
            "dynamic": False,
            "properties": {"@timestamp": {"type": "date"}, "number": {"type": "long"}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Target:
    """A server, a least-privileged user of it, and a data stream of the test's own that a template makes."""

    server: LocalElasticsearch
    user: User
    index: str

    def shipper(self, **environment: str) -> Shipper:
        """A shipper to it that waits little."""
        clock = Clock(first_delay=0.1, longest_delay=0.5)
        return Shipper(settings(**(self.server.app_settings(self.user) | environment)), clock=clock)

    def document(self, name: str, **fields: Any) -> Document:
        """A document for its data stream."""
        return document(name, index=self.index, **fields)

    def count(self) -> int:
        """Documents in its data stream."""
        with self.server.client() as client:
            client.indices.refresh(index=self.index)
            return int(client.count(index=self.index)["count"])


def target_on(server: LocalElasticsearch) -> Target:
    """Put the template, add the user."""
    with server.client() as client:
        client.indices.put_index_template(name="ship", **TEMPLATE)
    return Target(server, server.add_user("shipping"), f"logs-m365_defender.event-ship{secrets.token_hex(4)}")


def ship(shipper: Shipper, documents: list[Document], seconds: float = 30) -> tuple[list[DeadLetter], Report]:
    """Ship a batch."""
    report = Report("xdr")
    return shipper.ship(documents, report, source="xdr", deadline=time.monotonic() + seconds), report
