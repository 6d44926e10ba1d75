"""Questions that a SOC asks all day, as searches; each asks for another host or hash every time."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from elasticsearch import Elasticsearch

from tests.speed.disk_load import NEWEST

type Search = dict[str, Any]

NEWEST_FIRST = [{"@timestamp": "desc"}]
LAST_HOUR = {"range": {"@timestamp": {"gte": (NEWEST - timedelta(hours=1)).isoformat()}}}


def host_of(document: Mapping[str, Any]) -> str | None:
    """A document's host.name."""
    name = document.get("host", {}).get("name")
    return name if isinstance(name, str) else None


def hash_of(document: Mapping[str, Any]) -> str | None:
    """One of a document's hashes."""
    hashes = document.get("related", {}).get("hash")
    return hashes[-1] if hashes else None


def questions(sample: Sequence[Mapping[str, Any]], chance: random.Random) -> dict[str, Callable[[], Search]]:
    """Each question by name, asked of what is really there."""
    hosts = sorted({host for host in map(host_of, sample) if host})
    hashes = [value for value in map(hash_of, sample) if value]

    def one_host() -> Search:
        query = {"bool": {"filter": [{"term": {"host.name": chance.choice(hosts)}}, LAST_HOUR]}}
        return {"query": query, "sort": NEWEST_FIRST, "size": 100}

    def one_hash() -> Search:
        query = {"bool": {"filter": [{"term": {"related.hash": chance.choice(hashes)}}]}}
        return {"query": query, "sort": NEWEST_FIRST, "size": 100}

    def histogram() -> Search:
        words = {"term": {"user.name": f"user{chance.randint(1, 120)}"}}
        by_time = {"date_histogram": {"field": "@timestamp", "fixed_interval": "30m"}}
        tops = {"terms": {"field": "event.action", "size": 10}}
        return {"query": {"bool": {"filter": [words]}}, "size": 0, "aggs": {"time": by_time, "action": tops}}

    def over_all() -> Search:
        by_time = {"date_histogram": {"field": "@timestamp", "fixed_interval": "30m"}}
        return {"size": 0, "aggs": {"time": {**by_time, "aggs": {"hosts": {"terms": {"field": "host.name"}}}}}}

    def newest() -> Search:
        return {"query": {"match_all": {}}, "sort": NEWEST_FIRST, "size": 500, "track_total_hits": False}

    return {
        "last hour of a host, 100 newest": one_host,
        "a hash across everything, 100 newest": one_hash,
        "a user over time, by action": histogram,
        "everything over time, by host": over_all,
        "the 500 newest of all": newest,
    }


def latencies(
    client: Elasticsearch, indices: Iterable[str], sample: Sequence[Mapping[str, Any]], rounds: int
) -> dict[str, dict[str, float]]:
    """Question -> index -> median milliseconds, seen by the client; indices take turns, the first rounds do not count."""
    chance, known = random.Random(3), list(indices)
    found: dict[str, dict[str, float]] = {}
    for name, make in questions(sample, chance).items():
        times: dict[str, list[float]] = {index: [] for index in known}
        for turn in range(-5, rounds):
            search = make()  # the same for all in a round
            chance.shuffle(known)
            for index in known:
                started = time.perf_counter()
                client.search(index=index, request_cache=False, **search)
                if turn >= 0:
                    times[index].append((time.perf_counter() - started) * 1_000)
        found[name] = {index: statistics.median(values) for index, values in times.items()}
    return found
