"""Messages, handed over when wanted -> events of a hub, sent one by one by a thread whatever else happens meanwhile."""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.event_hub import LocalEventHubs
from tests.faults.fated_messages import FatedMessage

PAUSE = 0.3  # seconds between two messages, at most
SECONDS = 120.0  # that sending what was handed over may take


@dataclass(slots=True)
class Sender:
    """What waits to be sent, and how far each partition got."""

    hubs: LocalEventHubs
    chance: random.Random
    waiting: queue.Queue[FatedMessage | None] = field(default_factory=queue.Queue)
    ends: dict[str, int] = field(default_factory=dict)  # partition -> last sequence number sent
    through: Future[None] | None = None

    def send(self, messages: Sequence[FatedMessage]) -> None:
        """Hand messages over and return at once."""
        for message in messages:
            self.waiting.put(message)

    def finish(self) -> None:
        """Wait until all that was handed over is sent; raises what sending raised."""
        self.waiting.put(None)
        assert self.through is not None
        self.through.result(SECONDS)

    def run(self) -> None:
        """Send, with pauses, until a None comes."""
        while (message := self.waiting.get()) is not None:
            self.hubs.send([message.body], partition=message.partition)
            self.ends[str(message.partition)] = message.sequence_number
            time.sleep(self.chance.uniform(0, PAUSE))


@contextmanager
def sending(hubs: LocalEventHubs, seed: int) -> Iterator[Sender]:
    """A sender at work; what still waits at the block's end is not sent any more."""
    sender = Sender(hubs, random.Random(f"pauses {seed}"))
    with ThreadPoolExecutor(1) as pool:
        sender.through = pool.submit(sender.run)
        try:
            yield sender
        finally:
            while not sender.waiting.empty():
                sender.waiting.get()
            sender.waiting.put(None)
