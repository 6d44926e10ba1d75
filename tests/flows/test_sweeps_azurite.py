"""A sweep with its cursor on a real blob store and its dead letters beside it: two runs at once, and a lease that is broken in mid-run."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from azure.storage.blob import BlobLeaseClient

from local import microsoft_data as data
from local.azurite import LocalAzurite
from shared.cursors.cursor import Cursor
from shared.cursors.memory import MemoryCursors
from shared.cursors.store import BlobCursors
from shared.settings import Settings
from tests.poll.stand import ELASTICSEARCH, Stand


@pytest.fixture
def stand(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A tenant with 30 alerts, pages of 5, its cursors in blobs."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    one = Stand(settings={"ALERT_PAGE_SIZE": "5"})
    settings = Settings.read(ELASTICSEARCH | {"AzureWebJobsStorage": azurite_server.connection_string})
    one.cursors = cast("MemoryCursors", BlobCursors.open(settings, azurite_server.container_name("cursors")))
    for number in range(30):
        row = data.alert("b", number, one.now - timedelta(minutes=60 - number), one.tenant.id)
        one.tenant.alerts[row["id"]] = row
    return one


def store(stand: Stand) -> BlobCursors:
    """Where its cursors are."""
    return cast("BlobCursors", stand.cursors)


def test_two_runs_at_once_are_one_run_and_one_that_is_told(stand: Stand) -> None:
    """The second is busy, sends nothing, and the first reads everything."""
    second: list[str] = []
    stand.fake.after("graph.alerts", lambda: second.append(stand.poll("alert")[0].result))
    first = stand.poll("alert")[0]
    assert second == ["busy"]
    assert first.result == "finished"
    assert len(stand.have()) == 30
    assert max(stand.index.sent.values()) == 1


def test_a_lease_that_is_broken_in_mid_run_ends_it_and_the_next_goes_on(stand: Stand) -> None:
    """The run stops at its next save with what it shipped; the next begins at the last saved page, and in the end all is there."""
    name = Cursor("alert", stand.tenant.id).name

    def take_away() -> None:
        BlobLeaseClient(store(stand).container.get_blob_client(name)).break_lease(0)

    stand.fake.after("graph.alerts", lambda: None)
    stand.fake.after("graph.alerts", take_away)
    first = stand.poll("alert")[0]
    assert first.result == "lost"
    assert len(stand.have()) < 30
    assert stand.poll("alert")[0].result == "finished"
    assert len(stand.have()) == 30
    assert sum(count - 1 for count in stand.index.sent.values()) <= 10
