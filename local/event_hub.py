"""npm's rhea -> a local Event Hubs namespace on 127.0.0.1, spoken to by Microsoft's own SDK (see event_hub.js)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient

from local.process import Server, free_port, start, temporary_folder
from local.setup import NODE_MODULES, Missing, available, node_command

PROGRAM = Path(__file__).with_name("event_hub.js")
START_SECONDS = 30.0


@dataclass(slots=True)
class LocalEventHubs:
    """One namespace: its port, its hubs, and the process. Events are kept in memory until it stops."""

    port: int
    hubs: tuple[str, ...]
    partitions: int
    log: Path
    server: Server | None = None
    producers: dict[str, EventHubProducerClient] = field(default_factory=dict)  # opening one takes the SDK a second

    @property
    def connection_string(self) -> str:
        """What the SDK (and the app setting of a trigger's connection) needs; any key is accepted."""
        return (
            f"Endpoint=sb://127.0.0.1:{self.port};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
        )

    def start(self) -> None:
        """Start it (again) on the same port, empty, and wait until it listens."""
        if self.server is not None and self.server.running():
            return
        words: list[str | Path] = [*node_command(), PROGRAM, str(self.port), str(self.partitions), ",".join(self.hubs)]
        self.log.write_bytes(b"")  # its first line says that it is ready
        self.server = start("Event Hubs stand-in", words, log=self.log, environment={"NODE_PATH": str(NODE_MODULES)})
        self.server.wait_until(self._ready, START_SECONDS)

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        while self.producers:
            self.producers.popitem()[1].close()
        if self.server is not None:
            self.server.stop()

    def producer(self, hub: str) -> EventHubProducerClient:
        """The real SDK's producer for that hub, closed with the namespace."""
        if hub not in self.producers:
            self.producers[hub] = EventHubProducerClient.from_connection_string(
                self.connection_string, eventhub_name=hub
            )
        return self.producers[hub]

    def send(
        self, bodies: Iterable[bytes], *, hub: str | None = None, partition: int | None = None, key: str | None = None
    ) -> int:
        """Send each body as one event, in order, and return how many there were.

        hub: default the first. partition: default each batch in turn. A batch holds as many events as fit in 1 MiB, a
        larger body raises ValueError, as with the real service.
        """
        count = 0
        options: dict[str, Any] = {"partition_id": None if partition is None else str(partition), "partition_key": key}
        producer = self.producer(hub or self.hubs[0])
        batch = producer.create_batch(**options)
        for body in bodies:
            try:
                batch.add(EventData(body))
            except ValueError:
                if not len(batch):
                    raise
                producer.send_batch(batch)
                batch = producer.create_batch(**options)
                batch.add(EventData(body))
            count += 1
        if len(batch):
            producer.send_batch(batch)
        return count

    def last_sequence_numbers(self, hub: str | None = None) -> list[int]:
        """The last sequence number of every partition, -1 for an empty one."""
        producer = self.producer(hub or self.hubs[0])
        return [
            int(producer.get_partition_properties(str(number))["last_enqueued_sequence_number"])
            for number in range(self.partitions)
        ]

    def _ready(self) -> bool | None:
        first = next(iter(self.log.read_text().splitlines()), "")
        return bool(json.loads(first)["port"]) if first.startswith("{") and first.endswith("}") else None


@contextmanager
def event_hub(hubs: Sequence[str] = ("defender",), *, partitions: int = 2) -> Iterator[LocalEventHubs]:
    """A running namespace with these hubs, stopped at the end; raises `Missing` if it can not run here."""
    missing = available("node")
    if missing:
        raise Missing(missing)
    logs = temporary_folder("event-hub")
    server = LocalEventHubs(free_port(), tuple(hubs), partitions, logs / "event_hub.log")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(logs, ignore_errors=True)
