"""Real parts for a back-fill: a storage account with exports, Elasticsearch, the app in the local host, the command as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from elasticsearch.helpers import scan

from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch
from local.load import records
from shared.flows import normaliser
from shared.normalise.decode import Message, Unreadable
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter, DeadLetters

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ("PATH", "HOME", "TMPDIR")
MINUTES = 10  # that a run of the command may take


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a test's traces are."""

    storage: LocalAzurite
    server: LocalElasticsearch
    namespace: str
    settings: Mapping[str, str]

    def command(self, *arguments: str, of: str = "backfill") -> subprocess.Popen[str]:
        """`python -m cli backfill …`, started; of: another command."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "cli", of, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**kept, "PYTHONPATH": str(ROOT), **self.settings},
        )

    def ran(self, *arguments: str, of: str = "backfill") -> tuple[int, str]:
        """The same, run to its end: exit code and what it printed."""
        process = self.command(*arguments, of=of)
        printed, _ = process.communicate(timeout=60 * MINUTES)
        return process.returncode, printed

    def ids(self) -> list[str]:
        """The id of every document, as often as it is there; of one moment, because segments are merged meanwhile."""
        index = f"logs-m365_defender.event-{self.namespace}"
        with self.server.client() as admin:
            admin.indices.refresh(index=index)
            return [hit["_id"] for hit in scan(admin, index=index, size=5_000, _source=False)]

    def letters(self) -> list[DeadLetter]:
        """Every dead letter."""
        with self.storage.service() as service:
            container = service.get_container_client(self.settings["DEAD_LETTER_CONTAINER"])
            if not container.exists():
                return []
            stored = DeadLetters(lambda: container, "AzureWebJobsStorage")
            return [letter for blob in stored.list() for letter in stored.read(blob)]


def hourly(count: int, newest: datetime, hours: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """So many records, spread over hours, each hour's unlike any other's."""
    for hour in range(hours):
        yield from records(count // hours, seed + hour, newest - timedelta(hours=hour))


def ids_of(made: Iterable[Mapping[str, Any]]) -> list[str]:
    """The document ids that records have, however they come."""
    mapping, result = normaliser(Settings.read({}, whole=False)), list[str]()
    for record in made:
        for piece in mapping.identified(Message(orjson.dumps(record))):
            assert not isinstance(piece, Unreadable)
            result.append(piece[1])
    return result
