"""The blob store runs here, by the real SDK, in memory or in a folder that outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError

from local.azurite import LocalAzurite, azurite
from local.process import running
from tests.conftest import require


def test_blobs_can_be_written_once(azurite_server: LocalAzurite) -> None:
    """A blob is written, found and read, and not overwritten by accident."""
    with azurite_server.service() as service:
        container = service.create_container(azurite_server.container_name())
        container.upload_blob("a/b.ndjson", b"\xff\x00")
        with pytest.raises(ResourceExistsError):
            container.upload_blob("a/b.ndjson", b"other")
        assert [blob.name for blob in container.list_blobs(name_starts_with="a/")] == ["a/b.ndjson"]
        assert container.download_blob("a/b.ndjson").readall() == b"\xff\x00"


def test_a_folder_outlives_the_server(tmp_path: Path) -> None:
    """Stopped and started on one folder, it has the same port and the same blobs; at the end no process is left."""
    require("node")
    with azurite(folder=tmp_path) as server, server.service(retry_total=0) as service:
        assert server.server is not None
        service.create_container("kept").upload_blob("x", b"hello")
        first = server.server.pid

        server.stop()
        assert not running(first)
        server.start()

        assert service.get_blob_client("kept", "x").download_blob().readall() == b"hello"
        second = server.server.pid
    assert not running(second)
