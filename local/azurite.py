"""npm's Azurite -> a local Azure storage account (blobs and queues) on 127.0.0.1, in memory or in a folder, with its connection string."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from local.process import Server, free_port, listening, start, temporary_folder
from local.setup import AZURITE, Missing, available, node_command

ACCOUNT = "devstoreaccount1"
# Azurite's well-known development key: the same on every machine, published by Microsoft, no secret.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_SECONDS = 30.0


@dataclass(slots=True)
class LocalAzurite:
    """One storage account: its blob service's address, its folder (None: in memory), and the process."""

    port: int
    queue_port: int
    log: Path
    folder: Path | None = None
    server: Server | None = None

    @property
    def url(self) -> str:
        """The blob service's address."""
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What AzureWebJobsStorage holds to use it."""
        queues = f"http://127.0.0.1:{self.queue_port}/{ACCOUNT}"
        account = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY}"
        return f"{account};BlobEndpoint={self.url};QueueEndpoint={queues};"

    def service(self, **options: Any) -> BlobServiceClient:
        """The real client of the blob service; whoever asks closes it."""
        return BlobServiceClient.from_connection_string(self.connection_string, **options)

    def container_name(self, word: str = "test") -> str:
        """A container name that nobody has used yet."""
        return f"{word}-{secrets.token_hex(6)}"

    def start(self) -> None:
        """Start it (again) on the same folder and port, and wait until it listens."""
        if self.server is not None and self.server.running():
            return
        place = ["--location", self.folder] if self.folder else ["--inMemoryPersistence"]
        # The SDK speaks a newer API version than Azurite knows; what we use has not changed.
        options = [
            "--silent",
            "--disableTelemetry",
            "--skipApiVersionCheck",
            "--blobPort",
            str(self.port),
            "--queuePort",
            str(self.queue_port),
            "--tablePort",
            "0",  # wherever: nobody asks for tables
        ]
        command = [*node_command(), AZURITE, *options, *place]
        self.server = start("Azurite", command, log=self.log)
        self.server.wait_until(lambda: listening(self.port) and listening(self.queue_port), START_SECONDS)

    def stop(self) -> None:
        """Stop it; what is in a folder stays, what is in memory is gone."""
        if self.server is not None:
            self.server.stop()


@contextmanager
def azurite(*, folder: Path | None = None) -> Iterator[LocalAzurite]:
    """A running storage account, stopped at the end; raises `Missing` with the reason if it can not run here.

    folder: where it keeps its data, so that they survive `stop()` (default: in memory).
    """
    missing = available("node")
    if missing:
        raise Missing(missing)
    logs = temporary_folder("azurite")
    server = LocalAzurite(free_port(), free_port(), logs / "azurite.log", folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(logs, ignore_errors=True)
