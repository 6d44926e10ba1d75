"""`python -m cli drift` on a real blob store: what a person, a script and a pipeline get, and what clearing leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.drift import app
from local.azurite import LocalAzurite
from local.process import free_port
from shared.drift import BLOB, Entries, Seen, Stored, read, written
from shared.report import Drift
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
OLD, NEW = "2026-01-02T03:04:05.000Z", "2026-02-03T04:05:06.000Z"
ENTRIES: Entries = {
    Drift("table", "DeviceNovelEvents"): Seen(5, NEW, NEW, "xdr"),
    Drift("column", "DeviceInfo", "Novelty"): Seen(4, OLD, NEW, "xdr"),
    Drift("column", "DeviceInfo", "OSPlatform"): Seen(3, OLD, OLD, "xdr"),  # mapped by now
    Drift("action", "DeviceEvents", "ActionType", "[red]Teleported[/red]"): Seen(2, OLD, OLD, "xdr"),
    Drift("enum", "SecurityAlert", "severity", "Apocalyptic"): Seen(1, OLD, OLD, "defender_cloud"),
    Drift("type", "DeviceInfo", "OSPlatform", "object", "keyword"): Seen(9, OLD, OLD, "xdr"),
}


@pytest.fixture
def place(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The app settings of a blob store with a drift report, and nothing of Elasticsearch."""
    name = azurite_server.container_name("state")
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    monkeypatch.setenv("STATE_CONTAINER", name)
    with azurite_server.service() as service, service.create_container(name) as container:
        container.upload_blob(BLOB, written(Stored(ENTRIES, 7)))
    return Settings(state_container=name)


def run(*words: str, code: int = 0, answer: str | None = None) -> str:
    """Run a command and give what it printed, blanks made one."""
    result = CliRunner().invoke(app, list(words), input=answer)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_a_person_sees_all_of_it_newest_first(place: Settings) -> None:
    """Each kind with its name, what was seen against what is mapped, counts, times; hostile names are shown as they are."""
    shown = run()
    for words in (
        f"table │ DeviceNovelEvents │ │ │ 5 │ {NEW[:19]} │ {NEW[:19]} │",
        f"column │ DeviceInfo │ Novelty │ │ 4 │ {OLD[:19]} │ {NEW[:19]} │",
        f"column │ DeviceInfo │ OSPlatform │ │ 3 │ {OLD[:19]} │ {OLD[:19]} │ mapped since",
        "action │ DeviceEvents │ [red]Teleported[/red] │ │ 2",
        "enum │ SecurityAlert │ severity │ Apocalyptic │ 1",
        "type │ DeviceInfo │ OSPlatform │ object for keyword │ 9",
        "6 entries, 1 of them mapped by this version.",
        "7 more sightings had no room",
    ):
        assert words in shown
    assert shown.index("DeviceNovelEvents") < shown.index("Teleported")
    assert shown.count("mapped since") == 1


def test_a_script_gets_json(place: Settings) -> None:
    """One object with every entry's fields, filters applied."""
    told = json.loads(run("--json", "--kind", "type", "--kind", "table"))
    assert told == {
        "drift": [
            {
                "kind": "table",
                "table": "DeviceNovelEvents",
                "count": 5,
                "first_seen": NEW,
                "last_seen": NEW,
                "source": "xdr",
                "mapped_since": False,
            },
            {
                "kind": "type",
                "table": "DeviceInfo",
                "column": "OSPlatform",
                "value": "object",
                "expected": "keyword",
                "count": 9,
                "first_seen": OLD,
                "last_seen": OLD,
                "source": "xdr",
                "mapped_since": False,
            },
        ],
        "left_out": 7,
    }


def test_a_pipeline_fails_while_something_is_not_mapped(place: Settings) -> None:
    """0 whatever there is; with --fail 1 for what this version does not map, 0 for what it does."""
    run(code=0)
    run("--fail", code=1)
    run("--fail", "--json", "--table", "SecurityAlert", code=1)
    run("--fail", "--table", "AlertInfo", code=0)
    run("clear", "--kind", "type", "--yes")
    run("clear", "--table", "DeviceEvents", "--table", "DeviceNovelEvents", "--table", "SecurityAlert", "--yes")
    assert set(read(place).entries) == {
        Drift("column", "DeviceInfo", "Novelty"),
        Drift("column", "DeviceInfo", "OSPlatform"),
    }
    run("--fail", code=1)


def test_clearing_what_is_mapped_leaves_the_rest(place: Settings) -> None:
    """--mapped takes what this version maps; what had no room is still told."""
    assert run("clear", "--mapped", "--yes") == "1 entries cleared."
    assert set(read(place).entries) == set(ENTRIES) - {Drift("column", "DeviceInfo", "OSPlatform")}
    assert read(place).left_out == 7
    assert run("clear", "--mapped", "--yes") == "No such drift."


def test_clearing_asks_first(place: Settings) -> None:
    """No is no; yes takes all, and then there is none."""
    assert "Clear 6 entries?" in run("clear", code=2, answer="n\n")
    assert len(read(place).entries) == 6
    assert "6 entries cleared." in run("clear", answer="y\n")
    assert read(place).left_out == 0
    assert run() == "No drift."
    run("--fail", code=0)


def test_the_command_as_it_is_called(place: Settings, azurite_server: LocalAzurite) -> None:
    """`python -m cli drift` with the function's settings alone; a colour terminal's codes are in no pipe."""
    environment = {
        "PATH": os.environ["PATH"],
        "AzureWebJobsStorage": azurite_server.connection_string,
        "STATE_CONTAINER": place.state_container,
    }
    done = subprocess.run(
        [sys.executable, "-m", "cli", "drift", "--kind", "enum", "--fail"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert b"Apocalyptic" in done.stdout
    assert b"\x1b" not in done.stdout


def test_what_is_no_report_is_told(place: Settings, azurite_server: LocalAzurite) -> None:
    """Somebody else's content is no drift, and a sentence says that it is there."""
    with azurite_server.service() as service, service.get_container_client(place.state_container) as container:
        container.upload_blob(BLOB, b"not ours", overwrite=True)
    shown = run("--fail")
    assert "holds something that is no drift report" in shown
    assert "No drift." in shown


@pytest.mark.parametrize("words", [(), ("clear", "--yes")], ids=["show", "clear"])
def test_a_store_that_is_away_is_one_sentence(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, and an exit code that does not say that there is drift."""
    address = f"http://127.0.0.1:{free_port()}/devstoreaccount1"
    monkeypatch.setenv(
        "AzureWebJobsStorage",
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint={address};",
    )
    assert "blob storage (AzureWebJobsStorage) can not be reached" in run(*words, code=2)
    monkeypatch.delenv("AzureWebJobsStorage")
    assert "AzureWebJobsStorage: is not set" in run(*words, code=2)
