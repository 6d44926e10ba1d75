"""host.json: every value is explained, and times fit into one another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions.backfill import FRESH_FROM, MOST_TAKEN
from functions.event_hub import CLOSING, HOST_TIMEOUT
from shared.backfill_settings import BackfillSettings
from shared.poll.client import READ_SECONDS
from shared.poll_settings import MOST_POLL_SECONDS
from shared.settings import MOST_SHIP_SECONDS, Settings
from shared.sweeps import GRACE

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))


def values(part: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of host.json: its path with dots and its value as text."""
    if isinstance(part, dict):
        for key, child in part.items():
            yield from values(child, f"{path}.{key}" if path else key)
    else:
        yield path, str(part)


def test_every_value_of_host_json_is_explained() -> None:
    """docs/host.md has one row per value, with the value that stands in host.json and a sentence; and no other row."""
    page = (ROOT / "docs" / "host.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (.{20,}\.) \|$", page, re.MULTILINE)

    assert sorted((path, value) for path, value, _ in rows) == sorted(values(HOST))


def test_a_batch_is_handed_back_before_the_host_would_cut_it_off() -> None:
    """A function that times out counts as done: SHIP_SECONDS, at most, leaves time for dead letters."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))

    assert hours * 3600 + minutes * 60 + seconds == HOST_TIMEOUT
    assert Settings.read_one("ship_seconds", {}) <= MOST_SHIP_SECONDS
    assert MOST_SHIP_SECONDS + CLOSING <= HOST_TIMEOUT - 60


def test_a_poll_ends_before_the_host_would_cut_it_off() -> None:
    """The longest POLL_SECONDS, then an answer that hangs, or a shipment in its grace, ends before functionTimeout."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    assert hours * 3600 + minutes * 60 + seconds > MOST_POLL_SECONDS + max(READ_SECONDS, GRACE)


def test_the_host_neither_skips_nor_gives_up() -> None:
    """Checkpoint after each batch, first start from the beginning, no retry policy that could end."""
    hubs = HOST["extensions"]["eventHubs"]

    assert hubs["batchCheckpointFrequency"] == 1
    assert hubs["initialOffsetOptions"]["type"] == "fromStart"
    assert hubs["prefetchCount"] >= hubs["maxEventBatchSize"]
    assert "retry" not in HOST


def test_a_message_of_the_back_fill_is_replaced_before_the_host_gives_it_up() -> None:
    """The host's count is the one that the function knows; one instance takes as many messages as it works on."""
    queues = HOST["extensions"]["queues"]

    assert queues["maxDequeueCount"] == MOST_TAKEN > FRESH_FROM > 1
    assert queues["batchSize"] == BackfillSettings.read_one("concurrency", {})
    assert queues["newBatchThreshold"] == 0
    assert queues["visibilityTimeout"] != "00:00:00"
    assert queues["messageEncoding"] == "base64"
