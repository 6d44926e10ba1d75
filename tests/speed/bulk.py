"""Documents per second into the real Elasticsearch: the shipper beside `elasticsearch.helpers.bulk`, in one run.

    python -m tests.speed.bulk [--documents 20000] [--rounds 5] [--sweep]

The helper gets ready-made dicts of the same documents, and the chunk sizes and compression that it likes best: all of
its ways are measured and the best one counts. Rounds are interleaved; the figure is the ratio of the medians. With
--sweep the shipper is measured over limits, senders and compression instead, to choose the defaults in settings.py.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from local.elasticsearch import LocalElasticsearch, elasticsearch
from shared.flows import Message, documents, normaliser
from shared.report import Report
from shared.settings import Settings
from shared.ship.document import Document
from shared.ship.shipper import Shipper

TEMPLATE: dict[str, Any] = {
    "index_patterns": ["logs-*"],
    "priority": 999,
    "data_stream": {},
    "template": {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {
            "dynamic_templates": [
                {"text": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}
            ],
            "properties": {"@timestamp": {"type": "date"}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Load:
    """The same documents in both forms: as the shipper takes them and as the helper does."""

    ready: list[Document]
    dicts: list[dict[str, object]]
    bytes: int


def record(number: int) -> dict[str, object]:
    """A process event with the columns and sizes that are usual."""
    columns: dict[str, object] = {
        "Timestamp": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z",
        "DeviceId": f"{number % 500:040x}",
        "DeviceName": f"host{number % 500}.example.com",
        "ReportId": number,
        "ActionType": "ProcessCreated",
        "FileName": f"tool{number % 37}.exe",
        "FolderPath": f"C:\\Program Files\\Vendor {number % 91}\\bin\\tool{number % 37}.exe",
        "SHA1": f"{number * 7919:040x}",
        "SHA256": f"{number * 104729:064x}",
        "MD5": f"{number * 1299709:032x}",
        "FileSize": 10_000 + number % 5_000,
        "ProcessId": 1_000 + number % 30_000,
        "ProcessCommandLine": f'"tool{number % 37}.exe" --input "C:\\data\\file {number}.dat" /quiet',
        "ProcessIntegrityLevel": "Medium",
        "ProcessTokenElevation": "TokenElevationTypeLimited",
        "ProcessCreationTime": "2026-01-01T00:00:00.1234567Z",
        "AccountDomain": "example",
        "AccountName": f"user{number % 300}",
        "AccountSid": f"S-1-5-21-1-2-3-{number % 300}",
        "LogonId": number * 31,
    }
    for column, value in list(columns.items())[5:19]:
        columns[f"InitiatingProcess{column.removeprefix('Process')}"] = value
    return {
        "time": "2026-01-01T00:00:01Z",
        "tenantId": "00000000-0000-4000-8000-000000000001",
        "operationName": "Publish",
        "category": "AdvancedHunting-DeviceProcessEvents",
        "properties": columns,
    }


def load(number: int, settings: Settings) -> Load:
    """So many documents, made by the real mapping."""
    message = Message(orjson.dumps({"records": [record(i) for i in range(number)]}))
    ready = list(documents([message], normaliser(settings), None, Report("xdr"), []))
    return Load(ready, [orjson.loads(one.source) for one in ready], sum(len(one.source) for one in ready))


def by_shipper(settings: Settings) -> Callable[[Load, str], None]:
    """Ship into a data stream; all must be indexed."""
    shipper = Shipper(settings)

    def run(what: Load, index: str) -> None:
        report = Report("xdr")
        stream: Iterator[Document] = (Document(index, one.id, one.source, one.table, one.record) for one in what.ready)
        left = shipper.ship(stream, report, source="xdr", deadline=time.monotonic() + 600)
        assert (len(left), report.total("indexed")) == (0, len(what.ready)), report

    return run


def by_helper(client: Elasticsearch, **options: Any) -> Callable[[Load, str], None]:
    """The official helper, with ready-made dicts and the same ids."""

    def run(what: Load, index: str) -> None:
        actions = (
            {"_op_type": "create", "_index": index, "_id": one.id, "_source": fields}
            for one, fields in zip(what.ready, what.dicts, strict=True)
        )
        indexed, _ = bulk(client, actions, **options)
        assert indexed == len(what.ready)

    return run


@dataclass(slots=True)
class Rates:
    """What one way made, round by round: documents per second, and our own process' CPU in µs per document."""

    documents: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure(ways: dict[str, Callable[[Load, str], None]], what: Load, rounds: int, mark: str) -> dict[str, Rates]:
    """Each way's rates, round by round in turn, each into a data stream of its own."""
    rates = {name: Rates() for name in ways}
    for turn in range(-1, rounds):  # the first turn warms server and connections and does not count
        for place, (name, way) in enumerate(ways.items()):
            started, cpu = time.perf_counter(), time.process_time()
            way(what, f"logs-m365_defender.event-speed{mark}{turn + 1}x{place}")
            if turn >= 0:
                rates[name].documents.append(len(what.ready) / (time.perf_counter() - started))
                rates[name].cpu.append((time.process_time() - cpu) / len(what.ready) * 1e6)
    return rates


def tell(rates: dict[str, Rates]) -> None:
    """Print each way's median and spread."""
    for name, rate in rates.items():
        low, middle, high = min(rate.documents), statistics.median(rate.documents), max(rate.documents)
        cpu = statistics.median(rate.cpu)
        print(f"{name:42} {middle:9,.0f} documents/s   ({low:,.0f} to {high:,.0f})   {cpu:5.1f} µs of own CPU each")


def settings_for(server: LocalElasticsearch, **environment: str) -> Settings:
    """Settings for this server."""
    return Settings.read(server.app_settings(server.admin) | environment)


def compare(server: LocalElasticsearch, number: int, rounds: int) -> float:
    """Print the comparison; give the ratio."""
    settings = settings_for(server)
    what = load(number, settings)
    print(f"{number:,} documents of {what.bytes // number} bytes")
    with server.client() as plain, server.client(http_compress=True) as packed:
        ways = {
            "shipper, default settings": by_shipper(settings),
            "helpers.bulk, its defaults": by_helper(plain),
            "helpers.bulk, chunks of 1,500": by_helper(plain, chunk_size=1_500),
            "helpers.bulk, chunks of 1,500, compressed": by_helper(packed, chunk_size=1_500),
        }
        rates = measure(ways, what, rounds, "a")
    tell(rates)
    ours, *others = (rate.documents for rate in rates.values())
    best = max(others, key=statistics.median)
    ratio = statistics.median(ours) / statistics.median(best)
    paired = statistics.median(a / b for a, b in zip(ours, best, strict=True))
    print(f"shipper / best helper = {ratio:.2f} (median of the rounds' own ratios: {paired:.2f})")
    return ratio


def sweep(server: LocalElasticsearch, number: int, rounds: int) -> None:
    """Print the shipper's rate over its settings, and what gzip costs and saves by level."""
    what = load(number, settings_for(server))
    sample = b"\n".join(one.source for one in what.ready[:1_500])
    for level in (1, 3, 6, 9):
        started = time.perf_counter()
        packer = zlib.compressobj(level, zlib.DEFLATED, 31)
        size = len(packer.compress(sample) + packer.flush())
        seconds = time.perf_counter() - started
        print(f"gzip level {level}: {len(sample) / seconds / 1e6:6.0f} MB/s, {len(sample) / size:4.1f} times smaller")
    ways = {
        f"{count:>5} documents, {size // 1_000_000:>2} MB, {senders} senders, gzip {compress}": by_shipper(
            settings_for(
                server,
                BULK_MAX_DOCUMENTS=str(count),
                BULK_MAX_BYTES=str(size),
                BULK_CONCURRENCY=str(senders),
                BULK_COMPRESS=compress,
            )
        )
        for compress in ("true", "false")
        for senders in (1, 2, 4)
        for count, size in ((500, 2_000_000), (1_500, 4_000_000), (4_000, 10_000_000))
    }
    tell(measure(ways, what, rounds, "s"))


def main() -> None:
    """Read the command line, start a server, measure, print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--documents", type=int, default=20_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--sweep", action="store_true")
    asked = words.parse_args()
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    warnings.simplefilter("ignore", ResourceWarning)
    with elasticsearch(heap="1g") as server:
        with server.client() as client:
            client.indices.put_index_template(name="speed", **TEMPLATE)
        if asked.sweep:
            sweep(server, asked.documents, asked.rounds)
        else:
            compare(server, asked.documents, asked.rounds)


if __name__ == "__main__":
    main()
