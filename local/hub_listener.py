"""Partitions of a hub -> invocations of a function, batch by batch, with the retries and checkpoints of the Functions host.

Each partition has a thread that receives through the real SDK and waits for its batch; all invocations run on one event
loop, as in the real worker. The checkpoint is written when the function succeeded or its retry policy has run out, and not
when the host is stopping: then the batch comes again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.eventhub import EventData, EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore
from azure.storage.blob import BlobServiceClient

from local.host_options import CHECKPOINT_CONTAINER, HostOptions, HubSource
from local.runtime import Runtime
from local.trigger_data import Event, Place

LOG = logging.getLogger("local.host")
CLAIM_SECONDS = 1.0  # how soon a lost connection to a partition is taken up again


def event_of(received: EventData) -> Event:
    """An event of the SDK as the extension hands it on."""
    key: Any = received.partition_key
    properties = {
        _text(name): _text(value) if isinstance(value, bytes | str) else value
        for name, value in (received.properties or {}).items()
    }
    return Event(
        b"".join(_chunks(received)),
        int(received.sequence_number or 0),
        str(received.offset),
        received.enqueued_time or datetime.fromtimestamp(0, UTC),
        None if key is None else _text(key),
        properties,
    )


def _chunks(received: EventData) -> Sequence[bytes]:
    """The data sections of an event's body."""
    body: Any = received.body
    return [body] if isinstance(body, bytes) else list(body)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@dataclass(slots=True)
class HubListener:
    """One event hub function and the hub that it listens to."""

    runtime: Runtime
    source: HubSource
    options: HostOptions
    storage: str
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    clients: list[EventHubConsumerClient] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> list[str]:
        """Begin to receive from every partition, where the last checkpoint left off; returns the partitions."""
        # The container may be there from an earlier run, with its checkpoints.
        with BlobServiceClient.from_connection_string(self.storage) as blobs, suppress(ResourceExistsError):
            blobs.create_container(CHECKPOINT_CONTAINER)
        with self._client(None) as client:
            partitions = [str(name) for name in client.get_partition_ids()]
        for partition in partitions:
            store = BlobCheckpointStore.from_connection_string(self.storage, CHECKPOINT_CONTAINER)
            client = self._client(store)
            self.clients.append(client)
            name = f"{self.source.function.name}-{partition}"
            thread = threading.Thread(target=self._receive, args=(client, partition), name=name, daemon=True)
            self.threads.append(thread)
            thread.start()
        return partitions

    def stop(self, seconds: float) -> None:
        """Receive no more, and give batches that are under way so many seconds to end."""
        closers = [threading.Thread(target=client.close, daemon=True) for client in self.clients]
        for closer in closers:
            closer.start()
        deadline = time.monotonic() + seconds
        for thread in (*self.threads, *closers):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _client(self, store: BlobCheckpointStore | None) -> EventHubConsumerClient:
        return EventHubConsumerClient.from_connection_string(
            self.source.connection,
            self.source.consumer_group,
            eventhub_name=self.source.hub,
            checkpoint_store=store,
            load_balancing_interval=CLAIM_SECONDS,
            retry_total=1,
        )

    def _receive(self, client: EventHubConsumerClient, partition: str) -> None:
        """Receive until the client is closed; every batch is delivered before the next is taken."""
        batches = 0

        def on_batch(context: Any, received: list[EventData]) -> None:
            nonlocal batches
            if not received:
                return
            batch = [event_of(event) for event in received]
            place = Place(partition, self.source.hub, self.source.consumer_group, context.fully_qualified_namespace)
            done = asyncio.run_coroutine_threadsafe(self._deliver(batch, place), self.loop).result()
            batches += 1
            if done and batches % self.options.checkpoint_every == 0:
                try:
                    context.update_checkpoint(received[-1])
                except AzureError:
                    LOG.exception(
                        "the checkpoint of partition %s was not written; the batch will come again", partition
                    )

        def on_error(_: Any, error: Exception) -> None:
            LOG.warning("partition %s of %s: %r", partition, self.source.hub, error)

        client.receive_batch(
            on_batch,
            max_batch_size=self.options.batch,
            prefetch=self.options.prefetch,
            partition_id=partition,
            starting_position="-1",
            on_error=on_error,
        )

    async def _deliver(self, batch: Sequence[Event], place: Place) -> bool:
        """Invoke, again and again as the retry policy says; True when the checkpoint may move behind the batch."""
        function, retry, started = self.source.function, 0, time.monotonic()
        while not self.stopping.is_set():
            outcome = await self.runtime.invoke_event_hub(function.name, batch, place, retry=retry)
            facts = {
                "function": function.name,
                "hub": place.hub,
                "partition": place.partition,
                "first": batch[0].sequence_number,
                "last": batch[-1].sequence_number,
                "retry": retry,
                "seconds": round(time.monotonic() - started, 3),
            }
            if outcome.ok:
                LOG.info("batch done", extra={"facts": facts})
                return True
            retry += 1
            if function.retry is None or not function.retry.allows(retry):
                LOG.critical(
                    "batch given up, as in Azure: %s", outcome.error, extra={"facts": {**facts, "lost": len(batch)}}
                )
                return True
            wait = function.retry.wait(retry) * self.options.scale
            LOG.warning("batch failed, again in %.2f s: %s", wait, outcome.error, extra={"facts": facts})
            await self._pause(wait)
        return False

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until the host is stopping."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return
