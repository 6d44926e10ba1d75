"""The runs of a back-fill in a real blob store."""

from __future__ import annotations

from local.azurite import LocalAzurite
from shared.backfill.runs import Runs


def test_what_is_half_begun_or_half_deleted_is_no_run(azurite_server: LocalAzurite) -> None:
    """A plan without run.json (killed between the two) and a mark that came after its run was deleted hide no other run."""
    with azurite_server.service() as service:
        container = service.create_container(azurite_server.container_name("runs"))
        runs = Runs(container, "AzureWebJobsStorage")
        assert runs.names() == []
        runs.begin("b", {"portions": 1}, [])
        runs.begin("a", {"portions": 0}, [])
        container.upload_blob("c/plan.ndjson", b"")
        container.upload_blob("d/done/0", b"")
        assert runs.names() == ["a", "b"]
