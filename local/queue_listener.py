"""A storage queue -> invocations of a function, message by message, as the Functions host's queue extension does it.

Messages are taken for ten minutes and kept hidden while they are worked on. A function that succeeds has its output messages sent and then its
message deleted; one that fails has it hidden for `visibilityTimeout`, or moved to `<queue>-poison` when it was taken `maxDequeueCount`
times; a message of a poison queue is never moved (Azure/azure-sdk-for-net: QueueProcessor.cs, QueueListener.cs). A host that is
killed leaves its messages hidden for the rest of their time: LOCAL_HOST_QUEUE_SECONDS makes it shorter than ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.queue import BinaryBase64DecodePolicy, BinaryBase64EncodePolicy, QueueClient, QueueMessage

from local.host_options import HostOptions, QueueSource
from local.runtime import Outcome, Runtime
from local.trigger_data import Taken

LOG = logging.getLogger("local.host")
POISON = "-poison"
SHORTEST_POLL = 0.1  # seconds between two looks at an empty queue, doubled up to maxPollingInterval
LONGEST_LOCAL_POLL = 0.5  # … but a test need not wait as long as Azure would


@dataclass(slots=True)
class QueueListener:
    """One queue function and the queue that it listens to."""

    runtime: Runtime
    source: QueueSource
    options: HostOptions
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event
    ended: threading.Event = field(default_factory=threading.Event)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    thread: threading.Thread | None = None

    def start(self) -> str:
        """Begin to take messages; returns the queue."""
        self.thread = threading.Thread(target=self._listen, name=self.source.function.name, daemon=True)
        self.thread.start()
        return self.source.queue

    def stop(self, seconds: float) -> None:
        """Take no more, and give messages that are under way so many seconds to end."""
        self.ended.set()
        if self.thread is not None:
            self.thread.join(seconds)

    def _listen(self) -> None:
        """Take messages when there is room, until the end; then wait for what is under way."""
        asyncio.run_coroutine_threadsafe(self._take_turns(), self.loop).result()

    async def _take_turns(self) -> None:
        wait = SHORTEST_POLL
        with client(self.source.connection, self.source.queue) as queue:
            await asyncio.to_thread(_make, queue)
            while not self.ended.is_set() and not self.stopping.is_set():
                room = self.options.queue_batch if len(self.under_way) <= self.options.queue_threshold else 0
                found = await asyncio.to_thread(self._receive, queue, room) if room else []
                for message in found:
                    task = self.loop.create_task(self._deliver(queue, message))
                    self.under_way.add(task)
                    task.add_done_callback(self.under_way.discard)
                wait = SHORTEST_POLL if found else min(wait * 2, self.options.queue_poll, LONGEST_LOCAL_POLL)
                if self.under_way:
                    await asyncio.wait(self.under_way, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(wait)
            if self.under_way:
                await asyncio.wait(self.under_way)

    def _receive(self, queue: QueueClient, most: int) -> list[QueueMessage]:
        try:
            return list(
                queue.receive_messages(
                    messages_per_page=most, max_messages=most, visibility_timeout=self.options.queue_seconds
                )
            )
        except AzureError as error:
            LOG.warning("queue %s: %r", self.source.queue, error)
            return []

    async def _deliver(self, queue: QueueClient, message: QueueMessage) -> None:
        """One message, from being taken to being gone or back."""
        taken = int(message.dequeue_count or 1)
        facts = {"function": self.source.function.name, "message_id": message.id, "taken": taken}
        can_be_moved = not self.source.queue.endswith(POISON)
        try:
            if can_be_moved and taken > self.options.queue_most_taken:  # whoever took it last was killed
                await asyncio.to_thread(self._move, queue, message)
                return
            keeper = self.loop.create_task(self._keep(queue, message))
            try:
                outcome = await self.runtime.invoke_queue(self.source.function.name, taken_of(message))
                if outcome.ok:
                    await asyncio.to_thread(self._send, outcome)
            finally:
                keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await keeper
            if outcome.ok:
                await asyncio.to_thread(queue.delete_message, message)
                LOG.info("message done", extra={"facts": facts})
                return
            LOG.warning("message failed: %s", outcome.error, extra={"facts": facts})
            if can_be_moved and taken >= self.options.queue_most_taken:
                await asyncio.to_thread(self._move, queue, message)
            elif can_be_moved:
                hidden = round(self.options.queue_hidden * self.options.scale)
                await asyncio.to_thread(queue.update_message, message, visibility_timeout=hidden)
        except AzureError:
            LOG.exception("a message of %s comes again", self.source.queue, extra={"facts": facts})

    async def _keep(self, queue: QueueClient, message: QueueMessage) -> None:
        """Hide a message again and again, half of its time before it would be seen."""
        while True:
            await asyncio.sleep(self.options.queue_seconds / 2)
            kept = await asyncio.to_thread(queue.update_message, message, visibility_timeout=self.options.queue_seconds)
            message.pop_receipt = kept.pop_receipt

    def _send(self, outcome: Outcome) -> None:
        """Write what the function gave to its output bindings."""
        for name, value in outcome.outputs.items():
            binding = self.source.outputs[name]
            with client(binding.connection, binding.queue) as target:
                _make(target)
                for text in texts(value):
                    target.send_message(text.encode())

    def _move(self, queue: QueueClient, message: QueueMessage) -> None:
        with client(self.source.connection, self.source.queue + POISON) as poison:
            _make(poison)
            poison.send_message(message.content)
        queue.delete_message(message)
        LOG.error("message moved to %s%s", self.source.queue, POISON, extra={"facts": {"message_id": message.id}})


@contextmanager
def client(connection: str, queue: str) -> Iterator[QueueClient]:
    """A queue whose messages are bytes in base64, as the extension's `messageEncoding` says by default."""
    with QueueClient.from_connection_string(
        connection,
        queue,
        message_encode_policy=BinaryBase64EncodePolicy(),
        message_decode_policy=BinaryBase64DecodePolicy(),
    ) as opened:
        yield opened


def _make(queue: QueueClient) -> None:
    with suppress(ResourceExistsError):
        queue.create_queue()


def taken_of(message: QueueMessage) -> Taken:
    """A message of the SDK as the extension hands it on."""
    content: Any = message.content
    facts: Mapping[str, Any] = {
        "inserted": message.inserted_on,
        "expires": message.expires_on,
        "visible": message.next_visible_on,
    }
    times = {name: moment for name, moment in facts.items() if moment is not None}
    return Taken(bytes(content), str(message.id), str(message.pop_receipt), int(message.dequeue_count or 1), **times)


def texts(datum: Any) -> list[str]:
    """The messages that an output binding was given: one text, or a JSON list of texts."""
    if datum.type == "json":
        value = json.loads(datum.value)
        return [str(item) for item in value] if isinstance(value, list) else [datum.value]
    return [datum.value.decode() if isinstance(datum.value, bytes) else str(datum.value)]
