"""A stretch of the pipeline, simulated: messages wait in partitions, instances map them, Elasticsearch's nodes index them -> lag.

A cell is simulated, as many of which make the whole: its partitions, instances and nodes, in the ratio that `demand` gives. What it is fed with
are the measured figures. Checkpoints follow batches, as in the Functions host: a partition's next batch begins when all of the one before is
indexed; a batch that Elasticsearch does not take is sent again after a wait.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from cli.sizing.demand import BATCH, app_rate
from cli.sizing.figures import INDEX_SHARE, MEASURED

TICK = 1.0  # seconds between arrivals, which come together
REQUEST, SENDERS = (
    1_500,
    2,
)  # documents of a bulk request (BULK_MAX_DOCUMENTS), those under way at once (BULK_CONCURRENCY)
RETRY = 15.0  # seconds until a batch that was not taken comes again
CURVE = 60.0  # seconds of a point of the curve


@dataclass(frozen=True, slots=True)
class Cell:
    """What is simulated: records a second, partitions, instances of one processor, Elasticsearch's nodes and their processors."""

    rate: float
    partitions: int
    instances: int
    nodes: int
    cores: int
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens from a second to another: the rate times `burst`, or Elasticsearch away, or one node so many times slower."""

    start: float
    end: float
    burst: float = 1.0
    away: bool = False
    slow: float = 1.0

    def now(self, time: float) -> bool:
        """Whether it goes on."""
        return self.start <= time < self.end


@dataclass(slots=True)
class Lags:
    """Seconds from a message's arrival to its being indexed, weighed by messages, and the worst of each minute."""

    seconds: list[tuple[float, int]] = field(default_factory=list)
    worst: dict[int, float] = field(default_factory=dict)

    def add(self, arrived: float, indexed: float, count: int) -> None:
        """Note some messages that arrived together."""
        lag = indexed - arrived
        self.seconds.append((lag, count))
        minute = int(indexed // CURVE)
        self.worst[minute] = max(self.worst.get(minute, 0.0), lag)

    def quantile(self, share: float) -> float:
        """The lag that such a share of messages does not exceed."""
        left = share * sum(count for _, count in self.seconds)
        for lag, count in sorted(self.seconds):
            left -= count
            if left <= 0:
                return lag
        return 0.0

    def caught_up(self, after: float, lag: float) -> float | None:
        """The first second from which on no message is indexed later than `lag`; None where that does not happen."""
        late = [minute for minute, worst in self.worst.items() if worst > lag]
        last = (max(late) + 1) * CURVE if late else after
        return max(0.0, last - after) if last / CURVE <= max(self.worst, default=0) else None


def simulate(cell: Cell, events: tuple[Event, ...], seconds: float, seed: int = 1) -> Lags:
    """Run a cell for so many seconds; the same seed gives the same lags."""
    world, chance, lags = simpy.Environment(), random.Random(seed), Lags()  # noqa: S311  no secret
    queues: list[deque[list[float]]] = [deque() for _ in range(cell.partitions)]  # [arrival, messages]
    processors = [simpy.Resource(world) for _ in range(cell.instances)]
    nodes = [simpy.Resource(world, max(1, round(cell.cores * INDEX_SHARE))) for _ in range(cell.nodes)]
    for number, queue in enumerate(queues):
        world.process(_arrivals(world, chance, queue, cell, events))
        world.process(_reader(world, chance, queue, processors[number % cell.instances], nodes, cell, events, lags))
    world.run(seconds)
    return lags


def _arrivals(
    world: simpy.Environment, chance: random.Random, queue: deque[list[float]], cell: Cell, events: tuple[Event, ...]
) -> Generator[Any]:
    """Messages of a second at a time, as a Poisson stream is nearly: the mean with a deviation of its root."""
    mean = cell.rate / cell.partitions / MEASURED["message"].value * TICK
    while True:
        rate = mean
        for event in events:
            rate *= event.burst if event.now(world.now) else 1.0
        count = max(0, round(chance.gauss(rate, rate**0.5)))
        if count:
            queue.append([world.now, count])
        yield world.timeout(TICK)


def _reader(
    world: simpy.Environment,
    chance: random.Random,
    queue: deque[list[float]],
    processor: simpy.Resource,
    nodes: list[simpy.Resource],
    cell: Cell,
    events: tuple[Event, ...],
    lags: Lags,
) -> Generator[Any]:
    """What the host does for a partition: take a batch, have it mapped and shipped, take the next."""
    while True:
        if not queue:
            yield world.timeout(TICK / 4)
            continue
        batch: list[list[float]] = []
        room = BATCH
        while queue and room:
            arrived, count = queue[0]
            taken = min(room, int(count))
            batch.append([arrived, taken])
            room -= taken
            if taken == count:
                queue.popleft()
            else:
                queue[0][1] -= taken
        records = (BATCH - room) * MEASURED["message"].value
        while any(event.away and event.now(world.now) for event in events):
            yield world.timeout(RETRY)
        under_way: list[simpy.Process] = []
        while records > 0:
            documents = min(records, REQUEST)
            records -= documents
            with processor.request() as turn:
                yield turn
                yield world.timeout(documents / app_rate())
            if len(under_way) >= SENDERS:
                yield world.any_of(under_way)
                under_way = [request for request in under_way if request.is_alive]
            under_way.append(world.process(_index(world, chance, nodes, documents, cell, events)))
        yield world.all_of(under_way)
        for arrived, count in batch:
            lags.add(arrived, world.now, int(count))


def _index(
    world: simpy.Environment,
    chance: random.Random,
    nodes: list[simpy.Resource],
    documents: float,
    cell: Cell,
    events: tuple[Event, ...],
) -> Generator[Any]:
    """A bulk request: a thread of the node that has the primaries, and one of another for each replica."""
    chosen = chance.sample(range(len(nodes)), min(len(nodes), 1 + cell.replicas))
    for number in chosen:
        slow = 1.0
        for event in events:
            slow *= event.slow if number == 0 and event.now(world.now) else 1.0
        with nodes[number].request() as turn:
            yield turn
            yield world.timeout(documents * MEASURED["index"].value / 1e6 * slow)
