"""The whole path, hub messages -> Elasticsearch, beside the official helper fed with ready-made dicts of the same documents.

    python -m tests.speed.stream [--records 20000] [--rounds 5]

`shared.flows.forward` decodes, identifies, maps, serialises and ships messages packed as Defender packs them (hundreds of records in up
to 1 MB); `elasticsearch.helpers.bulk` gets dicts that need nothing but sending. Same server, same templates, same documents and ids,
rounds interleaved, each into a data stream of its own; the figure is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from local.azurite import azurite
from local.elasticsearch import LocalElasticsearch, elasticsearch
from local.load import load
from local.templates import put_templates
from shared.flows import Message, Parts, documents, forward, open_parts
from shared.report import Report
from shared.settings import Settings

LEAST = 0.8  # of the helper's documents per second


def ours(settings: Settings, messages: list[Message], expected: int) -> Callable[[str], None]:
    """Forward all messages in batches of 100, into the data streams of a namespace."""

    def run(namespace: str) -> None:
        parts: Parts = open_parts(replace(settings, namespace=namespace))
        indexed = sum(
            forward(messages[start : start + 100], parts, "xdr").total("indexed")
            for start in range(0, len(messages), 100)
        )
        if indexed != expected:
            raise SystemExit(f"expected {expected} documents, indexed {indexed}")

    return run


def theirs(client: Elasticsearch, ready: list[tuple[str, str, dict[str, object]]]) -> Callable[[str], None]:
    """The official helper with ready-made dicts, in the chunks it likes by default."""

    def run(namespace: str) -> None:
        actions = (
            {"_op_type": "create", "_index": index.removesuffix("default") + namespace, "_id": id, "_source": fields}
            for index, id, fields in ready
        )
        indexed, _ = bulk(client, actions)
        if indexed != len(ready):
            raise SystemExit(f"expected {len(ready)} documents, the helper indexed {indexed}")

    return run


def measure(server: LocalElasticsearch, settings: Settings, count: int, rounds: int) -> float:
    """Print both rates and return their ratio."""
    made = load(count, broken_share=0.0)
    messages = [Message(body, "0", n) for n, body in enumerate(made.bodies)]
    parts = open_parts(settings)
    ready = {
        d.id: (d.index, d.id, orjson.loads(d.source))
        for d in documents(messages, parts.normaliser, None, Report("xdr"), [])
    }
    client = server.client()
    ways = {"forward": ours(settings, messages, len(ready)), "helpers.bulk": theirs(client, list(ready.values()))}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {
        name: [] for name in ways
    }  # a processor's microseconds for each document, here alone
    for turn in range(-1, rounds):  # the first turn warms the server and does not count
        for name, way in ways.items():
            namespace = f"speed_{os.getpid()}_{turn + 1}_{name.replace('.', '_')}"
            started, busy = time.perf_counter(), time.process_time()
            way(namespace)
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            if turn >= 0:
                rates[name].append(len(ready) / seconds)
                work[name].append(busy / len(ready) * 1e6)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    for name, median in medians.items():
        print(
            f"{name:<14} {median:8.0f} documents/s, {statistics.median(work[name]):5.0f} µs of this process's processor each"
        )
    ratio = medians["forward"] / medians["helpers.bulk"]
    print(
        f"ratio          {ratio:8.2f}  (at least {LEAST})  {len(ready)} documents in {len(messages)} messages, {rounds} rounds"
    )
    return ratio


def main() -> int:
    """Start the servers, measure, and with --check fail below the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with elasticsearch() as server, azurite() as blobs:
        put_templates(server.client())
        os.environ["AzureWebJobsStorage"] = blobs.connection_string  # noqa: SIM112  the Functions' own spelling
        settings = Settings.read({**os.environ, **server.app_settings()})
        ratio = measure(server, settings, options.records, options.rounds)
    return 1 if options.check and ratio < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
