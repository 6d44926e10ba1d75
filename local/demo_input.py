"""The knowledge folder or the project's own examples, and a seed -> the messages that the demo sends to each hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.demo_stage import CLOUD_HUB, XDR_HUB
from local.load import LATEST_EXPORT, Load, load

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT.parent / "shared" / "samples"
GOLDEN = ROOT / "tests" / "golden"


@dataclass(frozen=True, slots=True)
class Script:
    """Bodies by hub, and how many records and unreadable pieces are in them."""

    bodies: dict[str, tuple[bytes, ...]]
    records: int
    broken: int
    examples: str  # where the records come from that are not generated

    @property
    def messages(self) -> int:
        """How many messages are sent."""
        return sum(map(len, self.bodies.values()))


def script(count: int, seed: int) -> Script:
    """Samples (or examples) and a generated load of `count` records that happened some minutes ago."""
    made: Load = load(count, seed, newest=datetime.now(UTC) - LATEST_EXPORT)
    xdr, cloud, where = _samples() if SAMPLES.is_dir() else _golden()
    bodies = {XDR_HUB: (*xdr, *made.bodies), CLOUD_HUB: tuple(cloud)}
    return Script(bodies, made.records + len(xdr) + len(cloud), made.broken.total(), where)


def _samples() -> tuple[list[bytes], list[bytes], str]:
    """The knowledge folder's streamed records and its exports of Defender for Cloud, a message each."""
    xdr = [compact(file.read_text()) for file in sorted(SAMPLES.glob("stream_record_*.json"))]
    for file in sorted(SAMPLES.glob("derived_*stream_records.ndjson")):
        xdr += [line.encode() for line in file.read_text().splitlines() if line.strip()]
    cloud = [compact(file.read_text()) for file in sorted(SAMPLES.glob("derived_export_*.json"))]
    return xdr, cloud, "../shared/samples"


def _golden() -> tuple[list[bytes], list[bytes], str]:
    """The project's own examples, a message each."""
    xdr = [record for file in sorted(GOLDEN.glob("*/in.json")) for record in _records(file)]
    return xdr, [], "tests/golden"


def _records(file: Path) -> Iterator[bytes]:
    """A file's record, or each of its list."""
    content = json.loads(file.read_text())
    for record in content if isinstance(content, list) else [content]:
        yield compact(json.dumps(record))


def compact(text: str) -> bytes:
    """JSON text on one line."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()
