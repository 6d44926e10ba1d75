"""What telemetry weighs: bytes for an invocation, and for a minute of an instance, of a real run through Microsoft's runtime.

`python -m tests.speed.telemetry` runs the app with a local ingestion endpoint and prints what cli/sizing/figures.py has as figures. Sizes are of the JSON
that is sent; Azure bills what it stores of it, about a quarter less (Microsoft: Azure Monitor Logs cost calculations).
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from local.azurite import azurite
from local.elasticsearch import elasticsearch
from local.ingestion import ingestion
from local.load import load
from local.templates import put_templates
from tests.functions.app_process import event_hub, flush, run_app

RECORDS, A_MESSAGE = 4_000, 200
KINDS = {"MessageData": "lines", "RemoteDependencyData": "spans", "MetricData": "metrics", "RequestData": "requests", "ExceptionData": "exceptions"}  # fmt: skip
UNKNOWN = "DeviceExampleEvents"  # the load has a table that nobody knows, all of whose columns would be told
HUB = "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=listen;SharedAccessKey=aHViLXNlY3JldA=="


def main() -> int:
    """Run, weigh, print."""
    bodies = load(RECORDS, broken_share=0.0).bodies
    with elasticsearch() as server, azurite() as blobs, ingestion() as sink:
        put_templates(server.client())
        settings = {
            **server.app_settings(),
            **sink.app_settings(),
            "OTEL_TRACES_SAMPLER": "always_on",
            "OTEL_METRIC_EXPORT_INTERVAL": "3600000",  # once, at the end: what a minute has
            "AzureWebJobsStorage": blobs.connection_string,
            "XDR_EVENT_HUB_NAMES": "defender-xdr",
            "XDR_EVENT_HUB": HUB,
            "RECORD_FILTER": UNKNOWN,
        }
        run_app(settings, [*(event_hub("xdr_stream", [body]) for body in bodies), flush()])
        weight, number = Counter[str](), Counter[str]()
        for item in sink.items:
            kind = KINDS.get(item["data"]["baseType"], "others")
            weight[kind] += len(json.dumps(item, separators=(",", ":")))
            number[kind] += 1
    runs = len(bodies)
    print(f"{runs} invocations of one message each, {RECORDS} records")
    for kind in weight:
        per = "a minute of an instance" if kind == "metrics" else "an invocation"
        share = weight[kind] if kind == "metrics" else weight[kind] / runs
        print(f"{kind:<10} {number[kind]:6} items, {share:8.0f} bytes {per}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
