"""State blobs in a real blob store: written seldom, read back, and never a reason to fail."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from local.azurite import LocalAzurite
from local.process import free_port
from shared.errors import Retry
from shared.report import Report
from shared.settings import Settings
from shared.state import EVERY, LastReceived, read

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z


class Clock:
    """Seconds that go on when told."""

    def __init__(self) -> None:
        """Any start will do."""
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def settings(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a state container that is not there yet."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    return Settings(state_container=azurite_server.container_name("state"))


def report(received: int = 3) -> Report:
    """An acknowledged run."""
    return Report(
        "xdr",
        received=Counter({"AlertInfo": received}),
        messages=1,
        newest_enqueued=NOW - 90,
        newest_event="2026-01-02T03:00:00Z",
    )


def test_what_was_received_is_read_back(settings: Settings) -> None:
    """The container is made at the first write; times are ISO, lag is in seconds; other sources have nothing yet."""
    assert read(settings, ["xdr"]) == {"xdr": {"received": None, "held": None}}

    assert LastReceived().note(report(), settings, NOW)

    found = read(settings, ["xdr", "defender_cloud"])
    assert found["defender_cloud"] == {"received": None, "held": None}
    assert found["xdr"]["received"] == {
        "at": "2026-01-02T03:04:05.000Z",
        "messages": 1,
        "received": 3,
        "indexed": 0,
        "duplicate": 0,
        "filtered": 0,
        "dead_lettered": 0,
        "newest_event": "2026-01-02T03:00:00Z",
        "newest_enqueued": "2026-01-02T03:02:35.000Z",
        "lag_seconds": 90.0,
        "window": {
            "since": None,
            "messages": 1,
            "received": 3,
            "indexed": 0,
            "duplicate": 0,
            "filtered": 0,
            "dead_lettered": 0,
        },
    }


def test_a_process_writes_seldom_but_tells_of_recovery_at_once(settings: Settings) -> None:
    """One write per source and interval; a held batch is written, and the next good one after it is not held back."""
    clock = Clock()
    last = LastReceived(clock)

    assert last.note(report(1), settings, NOW)
    assert not last.note(report(2), settings, NOW + 1)
    assert last.hold("xdr", settings, "ELASTICSEARCH_API_KEY: lacks a privilege", NOW + 2)
    assert not last.hold("xdr", settings, "again", NOW + 3)
    held = read(settings, ["xdr"])["xdr"]["held"]
    assert held == {"at": "2026-01-02T03:04:07.000Z", "reason": "ELASTICSEARCH_API_KEY: lacks a privilege"}
    assert last.note(report(4), settings, NOW + 4)
    assert not last.note(report(5), settings, NOW + 5)
    clock.now += EVERY
    assert last.note(report(6), settings, NOW + 6)
    assert read(settings, ["xdr"])["xdr"]["received"]["received"] == 6


def test_what_came_since_the_last_write_is_told_for_a_rate(settings: Settings) -> None:
    """Invocations that were not written count in the next window; another process takes up where the blob stands."""
    clock = Clock()
    last = LastReceived(clock)
    last.note(report(1), settings, NOW)
    last.note(report(2), settings, NOW + 10)
    clock.now += EVERY
    last.note(report(4), settings, NOW + 30)
    window = read(settings, ["xdr"])["xdr"]["received"]["window"]
    assert (window["since"], window["received"], window["messages"]) == ("2026-01-02T03:04:05.000Z", 6, 2)

    LastReceived().note(report(5), settings, NOW + 90)
    window = read(settings, ["xdr"])["xdr"]["received"]["window"]
    assert (window["since"], window["received"]) == ("2026-01-02T03:04:35.000Z", 5)


def test_a_blob_store_that_is_away_costs_a_warning_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A shipped batch is not held because its state could not be written; asking for the state does say so."""
    place = f"http://127.0.0.1:{free_port()}/devstoreaccount1"
    monkeypatch.setenv(
        "AzureWebJobsStorage",
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint={place};",
    )
    settings = Settings()

    with caplog.at_level(logging.WARNING, "shared.state"):
        assert not LastReceived().note(report(), settings, NOW)
        assert not LastReceived().hold("xdr", settings, "x", NOW)

    assert [record.levelname for record in caplog.records if record.name == "shared.state"] == ["WARNING", "WARNING"]
    with pytest.raises(Retry, match="can not be reached"):
        read(settings, ["xdr"])


def test_a_blob_of_somebody_else_counts_as_nothing(settings: Settings, azurite_server: LocalAzurite) -> None:
    """Broken content does not break the health check."""
    with azurite_server.service() as service, service.create_container(settings.state_container) as container:
        container.upload_blob("xdr.json", b"\xff not json")
        container.upload_blob("xdr.held.json", b"[1]")

    assert read(settings, ["xdr"]) == {"xdr": {"received": None, "held": None}}
