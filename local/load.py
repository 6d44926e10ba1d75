"""A seed and a number -> Event Hub messages as Defender packs them, with a known share of broken ones of every kind.

`python -m local.load --records 1000 > bodies.ndjson` writes the unbroken records, one a line.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.load_entities import TABLES
from local.load_records import Scene, stamp
from local.load_world import dice, hosts

TENANT = "11111111-2222-3333-4444-555555555555"
LARGEST_BODY = 1_000_000  # bytes: what Defender fills a message with at most (a hub of the standard tier takes 1 MiB)
SMALLEST_BODY = 60_000
LATEST_EXPORT = timedelta(seconds=200)  # a record is exported 20 to 200 seconds after it happened
SPAN = timedelta(minutes=5)  # over which the records' times are spread
UNKNOWN_TABLE = "DeviceExampleEvents"  # none that Defender has


@dataclass(frozen=True, slots=True)
class Load:
    """Bodies to send, in their order, and what is in them."""

    bodies: tuple[bytes, ...]
    records: int  # readable records, broken ones not counted
    tables: Counter[str]  # readable records by table
    broken: Counter[str]  # pieces that can not be read, by kind

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(map(len, self.bodies))


def records(
    count: int, seed: int = 1, newest: datetime | None = None, span: timedelta = SPAN
) -> Iterator[dict[str, Any]]:
    """So many stream records, each unlike any other; the same for the same arguments.

    newest: about when the last of them happened (default: the start of 2026, so that all is the same every time);
    span: over how long they are spread.
    """
    chance = dice(f"records {seed}")
    end = newest or datetime(2026, 1, 2, tzinfo=UTC)
    names, weights = list(TABLES), [weight for _, weight in TABLES.values()]
    devices = hosts(seed)
    for number in range(1, count + 1):
        table = chance.choices(names, weights)[0]
        moment = end - span * (1 - number / count) - timedelta(seconds=chance.uniform(0, 2))
        scene = Scene(chance, chance.choice(devices), moment, number)
        yield envelope(table, TABLES[table][0](scene), scene)


def envelope(table: str, row: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """A row as the export wraps it: `time` is when it was exported, a little later."""
    exported = stamp(
        scene.moment + timedelta(seconds=scene.chance.uniform(20, LATEST_EXPORT.total_seconds())), scene.chance
    )
    return {
        "time": exported,
        "tenantId": TENANT,
        "operationName": "Publish",
        "category": f"AdvancedHunting-{table}",
        "_TimeReceivedBySvc": exported,
        "properties": row,
        "Tenant": "DefaultTenant",
    }


def load(count: int, seed: int = 1, newest: datetime | None = None, broken_share: float = 0.002) -> Load:
    """So many records packed into messages, and for `broken_share` of them something broken (at least one of each kind).

    Odd but readable records (wrong types, unknown table, gzip) are counted as records, unreadable pieces as broken.
    """
    chance = dice(f"load {seed}")
    tables: Counter[str] = Counter()
    made = list(records(count, seed, newest))
    each = max(1, round(count * broken_share / 5))
    for record in chance.sample(made, min(len(made), each)):
        twist_types(record, chance)
    for record in chance.sample(made, min(len(made), each)):
        record["category"] = f"AdvancedHunting-{UNKNOWN_TABLE}"
    for record in made:
        tables[record["category"].removeprefix("AdvancedHunting-")] += 1
    bodies = [packed(group) for group in groups(made, chance)]
    bodies[0] = gzip.compress(bodies[0], mtime=0)
    broken: Counter[str] = Counter()
    for number in range(each):
        for kind, body, readable in broken_bodies(seed, number):
            broken[kind] += 1
            tables["DeviceProcessEvents"] += readable
            bodies.insert(chance.randint(1, len(bodies)), body)
    return Load(tuple(bodies), tables.total(), tables, broken)


def groups(made: Sequence[dict[str, Any]], chance: random.Random) -> Iterator[list[bytes]]:
    """Records, as JSON, in groups that fill a message between the smallest and the largest body."""
    group: list[bytes] = []
    size, limit = 0, LARGEST_BODY
    for record in made:
        text = json_bytes(record)
        if group and size + len(text) + 1 > limit:
            yield group
            group, size, limit = [], 0, chance.randint(SMALLEST_BODY, LARGEST_BODY - 20)
        group.append(text)
        size += len(text) + 1
    if group:
        yield group


def packed(group: Sequence[bytes]) -> bytes:
    """Records as one message body."""
    return b'{"records":[' + b",".join(group) + b"]}"


def twist_types(record: dict[str, Any], chance: random.Random) -> None:
    """Give some columns values of a type that they never have; the record can be indexed all the same."""
    row = record["properties"]
    odd: tuple[tuple[str, Any], ...] = (
        ("ProcessId", "not a number"),
        ("RemoteIP", "host.example.com"),
        ("InitiatingProcessId", {"value": 4}),
        ("FileSize", [1, 2]),
        ("InitiatingProcessCreationTime", "yesterday"),
        ("IsLocalAdmin", "perhaps"),
    )
    there = [(column, value) for column, value in odd if column in row] or [("MachineGroup", 7)]
    column, value = chance.choice(there)
    row[column] = value


def broken_bodies(seed: int, number: int) -> Iterator[tuple[str, bytes, int]]:
    """A body of each kind that can not be read, or only in part: kind, body, readable records; `number` makes them differ."""
    yield "not_json", f"This is no JSON at all ({number}).".encode(), 0
    yield "not_utf8", b"\xff\xfe\x80\x81 " + str(number).encode(), 0
    yield "empty", b"", 0
    first, second = two_processes(seed, 2 * number)
    del second["properties"]
    yield "no_properties", packed([json_bytes(first), json_bytes(second)]), 1
    whole = packed(list(map(json_bytes, two_processes(seed, 2 * number + 1))))
    yield "cut_off", whole[: whole.rindex(b'"properties"') + 40], 1


def two_processes(seed: int, number: int) -> list[dict[str, Any]]:
    """Two records of processes, unlike those of the load and those of other numbers."""
    chance = dice(f"neighbours {seed} {number}")
    host = hosts(seed)[number % len(hosts(seed))]
    result = []
    for place in range(2):
        scene = Scene(chance, host, datetime(2026, 1, 1, tzinfo=UTC), 10_000_000 + 2 * number + place)
        result.append(envelope("DeviceProcessEvents", TABLES["DeviceProcessEvents"][0](scene), scene))
    return result


def json_bytes(record: dict[str, Any]) -> bytes:
    """A record as JSON."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> None:
    """Write unbroken records to standard output, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for record in records(chosen.records, chosen.seed):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
