"""Stream records -> the blobs that Defender's export to a storage account, or Event Hubs Capture, would have written of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import fastavro
import orjson
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local.load import LARGEST_BODY, packed

PREFIX = "insights-logs-advancedhunting-"
MOST_APPENDED = 4_000_000  # bytes in one append
# Microsoft's schema of captured events (learn.microsoft.com, event-hubs-capture-overview).
ANYTHING = {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}
CAPTURED = fastavro.parse_schema(
    {
        "type": "record",
        "name": "EventData",
        "namespace": "Microsoft.ServiceBus.Messaging",
        "fields": [
            {"name": "SequenceNumber", "type": "long"},
            {"name": "Offset", "type": "string"},
            {"name": "EnqueuedTimeUtc", "type": "string"},
            {"name": "SystemProperties", "type": ANYTHING},
            {"name": "Properties", "type": ANYTHING},
            {"name": "Body", "type": ["null", "bytes"]},
        ],
    }
)


def export(service: BlobServiceClient, records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Append each record to its table's blob of its hour, as a line that ends in CRLF; returns the blobs' sizes by `container/name`."""
    lines: dict[tuple[str, str], bytearray] = defaultdict(bytearray)
    sizes: dict[str, int] = defaultdict(int)

    def append(container: str, name: str) -> None:
        client = service.get_blob_client(container, name)
        with suppress(ResourceExistsError):
            service.create_container(container)
        if not client.exists():
            client.create_append_blob()
        client.append_block(bytes(lines[container, name]))
        sizes[f"{container}/{name}"] += len(lines.pop((container, name)))

    for record in records:
        place = export_place(record)
        lines[place] += orjson.dumps(record) + b"\r\n"
        if len(lines[place]) > MOST_APPENDED - LARGEST_BODY:
            append(*place)
    for place in list(lines):
        append(*place)
    return dict(sizes)


def export_place(record: Mapping[str, Any]) -> tuple[str, str]:
    """The container and blob of a record: its table's, and the hour of its export."""
    table, time = str(record["category"]).removeprefix("AdvancedHunting-"), str(record["time"])
    moment = datetime.fromisoformat(time).astimezone(UTC)
    return PREFIX + table.lower(), f"tenantId={record['tenantId']}/{moment:y=%Y/m=%m/d=%d/h=%H}/m=00/PT1H.json"


def bodies(records: Iterable[Mapping[str, Any]], most: int = LARGEST_BODY) -> Iterator[bytes]:
    """Records as the bodies of hub messages, filled up to so many bytes."""
    group: list[bytes] = []
    size = 0
    for record in records:
        text = orjson.dumps(record)
        if group and size + len(text) > most - 1_000:
            yield packed(group)
            group, size = [], 0
        group.append(text)
        size += len(text) + 1
    if group:
        yield packed(group)


def avro(messages: Sequence[bytes], first: int = 0, *, codec: str = "null", sync_interval: int = 64_000) -> bytes:
    """Hub messages as the content of a captured blob."""
    stream = BytesIO()
    events = (
        {
            "SequenceNumber": first + number,
            "Offset": str(4096 * (first + number)),
            "EnqueuedTimeUtc": "1/2/2026 3:04:05 PM",
            "SystemProperties": {"x-opt-enqueued-time": 1},
            "Properties": {},
            "Body": body,
        }
        for number, body in enumerate(messages)
    )
    fastavro.writer(stream, CAPTURED, events, codec=codec, sync_interval=sync_interval)
    return stream.getvalue()


def capture(
    service: BlobServiceClient, container: str, hub: str, files: Mapping[tuple[int, datetime], bytes]
) -> list[str]:
    """Write captured blobs, (partition, time) -> content, by Microsoft's default naming; returns their names."""
    names = []
    with suppress(ResourceExistsError):
        service.create_container(container)
    for (partition, moment), content in files.items():
        names.append(f"namespace/{hub}/{partition}/{moment:%Y/%m/%d/%H/%M/%S}.avro")
        service.get_blob_client(container, names[-1]).upload_blob(content)
    return names
