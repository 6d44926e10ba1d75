"""Bytes on disk, indexing rate and queries' latency of one day of documents, by codec, sort and mode; and what ids cost.

    python -m tests.speed.disk [--full] [--documents N] [--ids N] [--slices N] [--rounds N]

All variants of an index get the same documents, slice by slice in turn, so that what else the machine does falls on all. A slice's time is over
when its merges are. Then each is merged to one segment, measured, and asked. Figures are medians; rates are given as ratios to the first
variant in the same turn too. --full takes the loads that a decision needs; without it a smaller load, for `make bench`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from elasticsearch import Elasticsearch

from local.elasticsearch import elasticsearch
from tests.speed.disk_ids import compare_ids
from tests.speed.disk_load import DayOfDocuments, Made, bodies, day_of_documents
from tests.speed.disk_queries import latencies
from tests.speed.disk_variants import VARIANTS, make_index, put_all

SENDERS = 2  # as BULK_CONCURRENCY
PATIENCE = 600.0  # seconds for one request
NDJSON = {"accept": "application/json", "content-type": "application/x-ndjson", "content-encoding": "gzip"}
PARTS = ("_source", "_ignored_source", "_recovery_source", "_id", "_seq_no")


def send(client: Elasticsearch, index: str, ready: Sequence[bytes], status: int = 201) -> float:
    """Index bodies and wait for the merges; seconds. Every document must get that status."""

    def one(body: bytes) -> None:
        path = f"/{index}/_bulk?filter_path=items.*.status,items.*.error"
        answer: Any = client.perform_request("POST", path, headers=NDJSON, body=body)
        wrong = [item["create"] for item in answer["items"] if item["create"]["status"] != status]
        if wrong:
            raise SystemExit(f"{index}: {len(wrong)} documents were not answered with {status}, the first: {wrong[0]}")

    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(one, ready))
    client.indices.refresh(index=index)
    while client.indices.stats(index=index, metric="merge")["_all"]["total"]["merges"]["current"]:
        time.sleep(0.02)
    return time.perf_counter() - started


def fill(client: Elasticsearch, names: Mapping[str, str], day: DayOfDocuments, slices: int) -> dict[str, list[float]]:
    """Documents per second of each index by slice; the first slice warms the server and does not count."""
    rates: dict[str, list[float]] = {name: [] for name in names}
    for number, part in enumerate(day.slices(slices)):
        ready, order = bodies(part), list(names)
        for name in order if number % 2 else reversed(order):
            seconds = send(client, names[name], ready)
            if number:
                rates[name].append(len(part) / seconds)
    return rates


def merged(client: Elasticsearch, index: str) -> dict[str, int]:
    """Merge to one segment; bytes on disk of all and of parts."""
    client.indices.forcemerge(index=index, max_num_segments=1)
    client.indices.flush(index=index, wait_if_ongoing=True)
    client.indices.refresh(index=index)
    stats = client.indices.stats(index=index, metric=["store", "segments"])["_all"]["total"]
    assert stats["segments"]["count"] == 1, stats
    usage: dict[str, Any] = client.indices.disk_usage(index=index, run_expensive_tasks=True)[index]
    sizes = {name: usage["fields"].get(name, {}).get("total_in_bytes", 0) for name in PARTS}
    whole: dict[str, Any] = usage["all_fields"]
    found = {"inverted_index": whole["inverted_index"]["total_in_bytes"]}
    found |= {kind: whole[f"{kind}_in_bytes"] for kind in ("doc_values", "points", "stored_fields", "norms")}
    return {"all": stats["store"]["size_in_bytes"], **found, **sizes}


def tell_sizes(sizes: Mapping[str, Mapping[str, int]], count: int) -> None:
    """Megabytes per million documents."""
    first = next(iter(sizes.values()))["all"]
    kinds = [kind for kind in next(iter(sizes.values())) if kind != "all"]
    print(
        f"\nMB on disk for a million documents (one segment)\n{'':34}{'all':>7}{'ratio':>7}  "
        + "  ".join(k for k in kinds)
    )
    for name, size in sizes.items():
        parts = "  ".join(f"{size[kind] / count:>{len(kind)}.0f}" for kind in kinds)
        print(f"{name:34}{size['all'] / count:7.0f}{size['all'] / first:7.2f}  {parts}")


def tell_rates(rates: Mapping[str, Sequence[float]]) -> None:
    """Documents per second, and against the first variant in the same turn."""
    first = next(iter(rates.values()))
    print(f"\ndocuments a second, merges included\n{'':34}{'median':>8}{'ratio':>7}{'lowest to highest':>20}")
    for name, found in rates.items():
        ratio = statistics.median(a / b for a, b in zip(found, first, strict=True))
        print(f"{name:34}{statistics.median(found):8,.0f}{ratio:7.2f}{f'{min(found):,.0f} to {max(found):,.0f}':>20}")


def tell_latencies(found: Mapping[str, Mapping[str, float]], names: Mapping[str, str]) -> None:
    """Milliseconds by question and variant."""
    print("\nmedian milliseconds of a search")
    for question, times in found.items():
        print(f"  {question}")
        first = times[next(iter(names.values()))]
        for name, index in names.items():
            print(f"    {name:34}{times[index]:8.1f}{times[index] / first:7.2f}")


def measure(client: Elasticsearch, day: DayOfDocuments, slices: int, rounds: int) -> None:
    """Fill every variant that the server takes, and tell."""
    names = {}
    for number, (name, settings) in enumerate(VARIANTS.items()):
        refused = make_index(client, f"disk-{number}", settings)
        if refused:
            print(f"{name}: not measured, the server refuses it: {refused}")
        else:
            names[name] = f"disk-{number}"
            modes = client.indices.get_settings(index=f"disk-{number}", flat_settings=True, include_defaults=True)
            shown: dict[str, Any] = modes[f"disk-{number}"]
            told = {**shown.get("defaults", {}), **shown["settings"]}
            wanted = ("index.mode", "index.codec", "index.sort.field", "index.mapping.source.mode")
            print(f"{name}: {', '.join(f'{key.removeprefix("index.")}={told.get(key)}' for key in wanted)}")
    rates = fill(client, names, day, slices)
    tell_rates(rates)
    tell_sizes({name: merged(client, index) for name, index in names.items()}, len(day.made))
    tell_latencies(latencies(client, names.values(), day.sample, rounds), names)
    for index in names.values():
        client.indices.delete(index=index)


def main() -> None:
    """Read the command line, start a server, measure, print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--full", action="store_true")
    words.add_argument("--documents", type=int)
    words.add_argument("--ids", type=int)
    words.add_argument("--slices", type=int)
    words.add_argument("--rounds", type=int)
    asked = words.parse_args()
    count = asked.documents or (200_000 if asked.full else 40_000)
    ids = asked.ids or (500_000 if asked.full else 80_000)
    slices = asked.slices or (11 if asked.full else 6)
    rounds = asked.rounds or (40 if asked.full else 20)
    started = time.perf_counter()
    day = day_of_documents(count)
    made: list[Made] = day.made
    print(f"{len(made):,} documents of {day.size // len(made):,} bytes, made in {time.perf_counter() - started:.0f} s")
    with elasticsearch(heap="1g") as server, server.client(request_timeout=PATIENCE) as client:
        put_all(client)
        measure(client, day, slices, rounds)
        compare_ids(client, day, ids, send)
    print(f"\nall in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
