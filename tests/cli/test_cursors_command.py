"""`python -m cli cursors` on a real blob store: what is there is shown, set and removed; what is being read is left alone."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from cli.cursors import app
from local.azurite import LocalAzurite
from shared.cursors.cursor import Cursor
from shared.cursors.store import BlobCursors
from shared.settings import Settings

ALERT = Cursor("alert", "example.com", "", "2026-01-02T03:04:05Z", {"a": "2026-01-02T03:04:05Z"}, None, {"rows": 17})
SCAN = Cursor("assessment", "example.com", "subscriptions/1", None, {}, {"scan": "2026-01-02T00:00:00Z", "owed": ["x"]})


@pytest.fixture
def cursors(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> BlobCursors:
    """A container with two cursors, and the environment that points at it."""
    name = azurite_server.container_name("cursors")
    environment = {"AzureWebJobsStorage": azurite_server.connection_string, "CURSOR_CONTAINER": name}
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    store = BlobCursors.open(Settings.read(environment, whole=False), name)
    for cursor in (ALERT, SCAN):
        with store.take(cursor) as taken:
            taken.save(cursor)
    return store


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, list(arguments))


def test_every_cursor_is_listed(cursors: BlobCursors) -> None:
    """Watermark, what is left of a scan, and for programs the cursor itself."""
    shown = run("list")
    assert shown.exit_code == 0
    assert "2026-01-02T03:04:05Z" in shown.output
    assert "1 owed" in shown.output

    told = json.loads(run("list", "--json").output)
    assert [one["name"] for one in told] == [
        "alert/example.com/all.json",
        "assessment/example.com/subscriptions~1.json",
    ]
    assert told[0]["seen"] == dict(ALERT.seen)


def test_a_corrupt_cursor_is_shown_as_such(cursors: BlobCursors) -> None:
    """What is no cursor does not hide the others."""
    cursors.container.upload_blob("log/example.com/all.json", b"{", overwrite=True)
    assert "is not JSON" in run("list").output
    assert json.loads(run("show", "log").output)["corrupt"].startswith("is not JSON")


def test_a_cursor_is_set_to_another_moment(cursors: BlobCursors) -> None:
    """The watermark moves, what was seen at the old one and an unfinished scan are forgotten."""
    assert run("set", "alert", "2025-12-31").exit_code == 0
    told = json.loads(run("show", "alert").output)
    assert (told["watermark"], told["seen"], told["counters"]) == ("2025-12-31T00:00:00.000Z", {}, {"rows": 17})


def test_a_cursor_is_removed_only_when_meant(cursors: BlobCursors) -> None:
    """A name that fits two is refused, a question is asked, and `--yes` answers it."""
    assert "2 cursors begin with 'a'" in run("reset", "a", "--yes").output.replace("\n", " ")
    assert run("reset", "alert").exit_code == 1
    assert run("reset", "alert", "--yes").exit_code == 0
    assert [name for name, _, _ in cursors.list()] == ["assessment/example.com/subscriptions~1.json"]
    assert run("show", "alert").exit_code == 1


def test_a_cursor_that_is_being_read_is_left_alone(cursors: BlobCursors) -> None:
    """Neither set nor removed under a reader's hands; the list says who is at work."""
    with cursors.take(ALERT):
        assert "being read" in run("list").output
        for arguments in (("set", "alert", "1d"), ("reset", "alert", "--yes")):
            refused = run(*arguments)
            assert refused.exit_code == 1
            assert "being read" in refused.output
    assert run("reset", "alert", "--yes").exit_code == 0


@pytest.mark.parametrize("arguments", [("list",), ("show", "x"), ("set", "x", "2h"), ("reset", "x", "--yes")])
def test_a_wrong_setting_is_one_sentence(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and the setting's name, whatever the command."""
    monkeypatch.setenv("CURSOR_CONTAINER", "Not A Name")
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert refused.output.startswith("CURSOR_CONTAINER: 'Not A Name' is not a container name")
