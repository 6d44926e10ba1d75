"""What a document's id costs: ours, which begin with the time, beside random ones of the same length, in an index of many segments.

Every `create` looks its id up in each segment: a segment whose lowest and highest id exclude it needs no look at all.
"""

from __future__ import annotations

import random
import statistics
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from itertools import cycle, islice

from elasticsearch import Elasticsearch

from tests.speed.disk_load import DAY, NEWEST, DayOfDocuments, Made, bodies
from tests.speed.disk_variants import MANY_SEGMENTS, make_index

SLICES = 20
LATE = 180_000  # milliseconds by which the export is late, so that times are not in order
REDELIVERIES = 5

type Send = Callable[[Elasticsearch, str, Sequence[bytes], int], float]


def random_id(chance: random.Random, _share: float) -> str:
    """20 bytes of chance."""
    return urlsafe_b64encode(chance.randbytes(20)).rstrip(b"=").decode()


def timed_id(chance: random.Random, share: float) -> str:
    """As decision 3 has it: 6 bytes of milliseconds, then 14 of a hash."""
    moment = int((NEWEST + share * DAY).timestamp() * 1_000) - chance.randrange(LATE)
    return urlsafe_b64encode(moment.to_bytes(6) + chance.randbytes(14)).rstrip(b"=").decode()


WAYS: dict[str, Callable[[random.Random, float], str]] = {"time first": timed_id, "random": random_id}


def compare_ids(client: Elasticsearch, day: DayOfDocuments, count: int, send: Send) -> None:
    """Index so many documents under each kind of id, in turn, and send old ones again; print rates and bytes."""
    chance, each = random.Random(7), count // SLICES
    sources = cycle([source for _, source in day.made])
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    again: dict[str, list[float]] = {name: [] for name in WAYS}
    old: dict[str, list[list[bytes]]] = {name: [] for name in WAYS}
    indices = {name: f"ids-{number}" for number, name in enumerate(WAYS)}
    for index in indices.values():
        refused = make_index(client, index, MANY_SEGMENTS)
        assert refused is None, refused
    for number in range(SLICES):
        part = list(islice(sources, each))
        for name in list(WAYS) if number % 2 else reversed(WAYS):
            make = WAYS[name]
            made: list[Made] = [
                (make(chance, (number + place / each) / SLICES), source) for place, source in enumerate(part)
            ]
            ready = bodies(made)
            rates[name].append(each / send(client, indices[name], ready, 201))
            old[name].append(ready)
    for number in range(REDELIVERIES):
        place = number * (SLICES - 1) // (REDELIVERIES - 1)
        for name in list(WAYS) if number % 2 else reversed(WAYS):
            again[name].append(each / send(client, indices[name], old[name][place], 409))
    tell(client, indices, rates, again, each)


def tell(
    client: Elasticsearch,
    indices: dict[str, str],
    rates: dict[str, list[float]],
    again: dict[str, list[float]],
    each: int,
) -> None:
    """Print rates of new documents in the second half (many segments), of old ones, and what ids take on disk."""
    print(f"\nids, {each * SLICES:,} documents each, documents a second")
    for name, index in indices.items():
        segments = client.indices.stats(index=index, metric="segments")["_all"]["total"]["segments"]["count"]
        client.indices.flush(index=index)
        usage = client.indices.disk_usage(index=index, run_expensive_tasks=True)[index]["fields"]["_id"]
        print(
            f"{name:12} new {statistics.median(rates[name][SLICES // 2 :]):8,.0f}   "
            f"sent again {statistics.median(again[name]):8,.0f}   {segments} segments   "
            f"{usage['total_in_bytes'] / (each * SLICES):.1f} bytes on disk for an id"
        )
    for words, found, first in (
        ("new, second half", rates, SLICES // 2),
        ("new, all", rates, 1),
        ("sent again", again, 0),
    ):
        pairs = zip(found["time first"][first:], found["random"][first:], strict=True)
        print(f"time first / random, {words}: {statistics.median(a / b for a, b in pairs):.3f}")
    for index in indices.values():
        client.indices.delete(index=index)
