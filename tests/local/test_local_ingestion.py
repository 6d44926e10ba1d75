"""The ingestion stand-in takes what Microsoft's exporter sends, and keeps it readable."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
import requests

from local.ingestion import ingestion

# A process of its own: the exporter has threads that outlive a test.
EXPORT = """
from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(AzureMonitorTraceExporter(disable_offline_storage=True)))
with provider.get_tracer("test").start_as_current_span("a span") as span:
    print(format(span.get_span_context().trace_id, "032x"))
provider.shutdown()
"""


def test_the_real_exporter_delivers() -> None:
    """A span of the real exporter arrives with its operation id."""
    with ingestion() as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", EXPORT],
            env={**os.environ, **endpoint.app_settings()},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        trace = done.stdout.strip()
        item = endpoint.wait_for(lambda item: item["tags"].get("ai.operation.id") == trace, seconds=10)

    assert item["data"]["baseData"]["name"] == "a span"
    assert endpoint.of_kind("RemoteDependencyData") == [item]
    assert endpoint.refused == []


def test_lists_lines_and_gzip_are_read() -> None:
    """A JSON list, one item a line and gzip are all read, and the answer counts the items; nonsense answers 400."""
    items = [{"name": "one"}, {"name": "two"}]
    lines = "\n".join(json.dumps(item) for item in items).encode()
    with ingestion() as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/v2.1/track"
        first = requests.post(url, data=json.dumps(items), timeout=10)
        zipped = requests.post(url, data=gzip.compress(lines), headers={"content-encoding": "gzip"}, timeout=10)
        broken = requests.post(url, data=b"not json", timeout=10)
        ping = requests.post(f"http://127.0.0.1:{endpoint.port}/QuickPulseService.svc/ping", timeout=10)

    assert first.json() == zipped.json() == {"itemsReceived": 2, "itemsAccepted": 2, "errors": []}
    assert (broken.status_code, ping.status_code) == (400, 200)
    assert endpoint.items == [*items, *items]
    assert len(endpoint.refused) == 1


def test_waiting_for_what_does_not_come_says_what_came() -> None:
    """The error of a wait in vain names the kinds of items that are there."""
    with ingestion() as endpoint:
        endpoint.take(b'{"data":{"baseType":"MetricData"}}', "")
        with pytest.raises(TimeoutError, match=r"not among 1 items \(MetricData\)"):
            endpoint.wait_for(lambda item: False, seconds=0)
