"""Cursors and their leases on a real blob store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

from local.azurite import LocalAzurite
from shared.cursors.cursor import Corrupt, Cursor
from shared.cursors.store import ASIDE, BlobCursors, Busy, Lost
from shared.errors import Retry
from shared.settings import Settings

FRESH = Cursor("alert", "t")


@pytest.fixture
def store(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Callable[..., BlobCursors]:
    """Opens the same container's cursors, as another process would."""
    name = azurite_server.container_name("cursors")
    environment = {
        "ELASTICSEARCH_URL": "http://127.0.0.1:9", "ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p",
        "AzureWebJobsStorage": azurite_server.connection_string,
    }  # fmt: skip
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    settings = Settings.read(environment)

    def open_it(renew: float = 20.0) -> BlobCursors:
        made = BlobCursors.open(settings, name)
        made.renew_seconds = renew
        return made

    return open_it


def blob_of(store: BlobCursors, cursor: Cursor = FRESH) -> BlobClient:
    """The blob of a cursor."""
    return store.container.get_blob_client(cursor.name)


def test_a_cursor_is_made_kept_and_given_back(store: Callable[..., BlobCursors]) -> None:
    """The first take makes it, a save is there at the next take, also in another process; its lease is given back."""
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark is None
        taken.save(taken.cursor.moved(watermark="2026-01-02T03:04:05Z", seen={"a": "v"}))
        taken.save(taken.cursor.counted(rows=2))
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark == "2026-01-02T03:04:05Z"
        assert taken.cursor.counters == {"rows": 2}
        assert taken.cursor.updated is not None
        assert abs((datetime.fromisoformat(taken.cursor.updated) - datetime.now(UTC)).total_seconds()) < 60


def test_two_runs_at_once_do_not_read_one_source(store: Callable[..., BlobCursors]) -> None:
    """While one run has a cursor, the other is told that it is busy; of many that start at once exactly one gets it."""
    with store().take(FRESH), pytest.raises(Busy), store().take(FRESH):
        pass
    got: list[str] = []
    begin, end = threading.Barrier(6), threading.Event()

    def run() -> None:
        mine = store()
        begin.wait()
        try:
            with mine.take(Cursor("alert", "another")):
                got.append("got")
                end.wait(10)
        except Busy:
            got.append("busy")
            if got.count("busy") == 5:
                end.set()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == ["busy"] * 5 + ["got"]


def test_a_lease_that_is_broken_in_mid_run_stops_the_run_at_its_next_save(store: Callable[..., BlobCursors]) -> None:
    """Somebody breaks the lease and another run takes over: the first saves nothing any more, and the second's cursor stands."""
    first = store()
    with first.take(FRESH) as taken:
        taken.save(taken.cursor.moved(watermark="1"))
        BlobLeaseClient(blob_of(first)).break_lease(0)
        with store().take(FRESH) as other:
            assert other.cursor.watermark == "1"
            other.save(other.cursor.moved(watermark="2"))
            with pytest.raises(Lost):
                taken.save(taken.cursor.moved(watermark="lost"))
            with pytest.raises(Lost):
                taken.check()
        with pytest.raises(Lost):
            taken.save(taken.cursor.moved(watermark="lost"))
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark == "2"


def test_a_lost_lease_shows_without_a_save(store: Callable[..., BlobCursors]) -> None:
    """The thread that renews the lease sees that it is gone."""
    mine = store(renew=0.05)
    with mine.take(FRESH) as taken:
        BlobLeaseClient(blob_of(mine)).break_lease(0)
        assert taken._gone.wait(10)
        with pytest.raises(Lost):
            taken.check()


def test_the_lease_is_renewed(store: Callable[..., BlobCursors]) -> None:
    """A run that takes long keeps its cursor."""
    mine = store(renew=0.05)
    with mine.take(FRESH) as taken:
        time.sleep(0.4)
        taken.check()
        taken.save(taken.cursor.moved(watermark="late"))


def test_a_write_by_somebody_else_is_never_overwritten(
    store: Callable[..., BlobCursors], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lease's id in hand, but another ETag: the save fails, and what is there stays."""
    mine = store()
    with mine.take(FRESH) as taken:
        blob_of(mine).upload_blob(FRESH.moved(watermark="by hand").written(), overwrite=True, lease=taken._lease)
        with pytest.raises(Lost, match="412"):
            taken.save(taken.cursor.moved(watermark="mine"))
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark == "by hand"


def test_a_deleted_cursor_is_lost_and_begun_anew(store: Callable[..., BlobCursors]) -> None:
    """`reset` is refused while a run has the cursor; afterwards the source begins at its lookback."""
    mine = store()
    with mine.take(FRESH) as taken:
        taken.save(taken.cursor.moved(watermark="1"))
        with pytest.raises(Busy):
            store().reset(FRESH.name)
    assert store().reset(FRESH.name) is True
    assert store().reset(FRESH.name) is False
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema": 99}', b"\xff\xfe" * 10])
def test_a_corrupt_cursor_is_put_aside(
    data: bytes, store: Callable[..., BlobCursors], caplog: pytest.LogCaptureFixture
) -> None:
    """It is kept for a person, told, and the source goes on from its lookback."""
    mine = store()
    blob_of(mine).upload_blob(data)
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark is None
        assert taken.put_aside
        taken.save(taken.cursor.moved(watermark="new"))
    (aside,) = [blob.name for blob in mine.container.list_blobs(name_starts_with=ASIDE)]
    assert mine.container.download_blob(aside).readall() == data
    assert "put aside" in caplog.text
    with store().take(FRESH) as taken:
        assert taken.cursor.watermark == "new"
        assert taken.put_aside is None
    assert [name for name, _, _ in mine.list()] == [FRESH.name]


def test_schema_1_is_migrated_in_place(store: Callable[..., BlobCursors]) -> None:
    """A blob of an older version is read, and written in the present schema."""
    mine = store()
    blob_of(mine).upload_blob(
        b'{"schema": 1, "source": "alert", "tenant": "t", "watermark": "2026-01-02T03:04:05Z", "edge": ["a"]}'
    )
    with store().take(FRESH) as taken:
        assert taken.put_aside is None
        assert taken.cursor.seen == {"a": "2026-01-02T03:04:05Z"}
        taken.save(taken.cursor)
    ((_, found, leased),) = mine.list()
    assert isinstance(found, Cursor)
    assert not leased
    assert b'"schema":2' in blob_of(mine).download_blob().readall()


def test_a_missing_container_is_made_also_when_it_goes_in_between(store: Callable[..., BlobCursors]) -> None:
    """The container is made at the first need; deleted under a running process, this run tells it and the next makes it again."""
    mine = store()
    with mine.take(FRESH) as taken:
        taken.save(taken.cursor.moved(watermark="1"))
    container: ContainerClient = mine.container
    container.delete_container()
    with pytest.raises(Retry), mine.take(FRESH):
        pass
    with mine.take(FRESH) as taken:
        assert taken.cursor.watermark is None


def test_a_container_that_goes_in_mid_run_ends_it(store: Callable[..., BlobCursors]) -> None:
    """A save without a container is a lost cursor or a retry, never a success."""
    mine = store()
    with mine.take(FRESH) as taken:
        blob_of(mine).delete_blob(lease=taken._lease)
        mine.container.delete_container()
        with pytest.raises((Lost, Retry)):
            taken.save(taken.cursor.moved(watermark="1"))


def test_cursors_are_listed(store: Callable[..., BlobCursors]) -> None:
    """Each with what it says, or why it says nothing, and whether it is being read."""
    mine = store()
    for cursor in (Cursor("alert", "t"), Cursor("incident", "t", "alerts")):
        with mine.take(cursor):
            pass
    mine.container.upload_blob("log/t/all.json", b"{")
    with store().take(Cursor("alert", "t")):
        found = {name: (cursor, leased) for name, cursor, leased in mine.list()}
    assert list(found) == ["alert/t/all.json", "incident/t/alerts.json", "log/t/all.json"]
    assert found["alert/t/all.json"][1] is True
    assert isinstance(found["log/t/all.json"][0], Corrupt)
