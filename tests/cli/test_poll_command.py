"""`python -m cli poll` and `doctor` against the fake of Microsoft's APIs over TLS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from cli import doctor, poll
from local import demo_polls
from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch
from local.microsoft import Microsoft, Tenant
from shared.cursors.cursor import Cursor
from shared.cursors.store import BlobCursors
from shared.settings import Settings


@pytest.fixture
def set_up(
    fake: Microsoft, tenant: Tenant, azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, str]]:
    """Sets the environment; options are those of the app registration."""

    def environment(**options: object) -> dict[str, str]:
        values = {
            **fake.environment(tenant, fake.app(tenant, secret="s", **options)),
            "AzureWebJobsStorage": azurite_server.connection_string,
            "CURSOR_CONTAINER": azurite_server.container_name("cursors"),
            "DEAD_LETTER_CONTAINER": azurite_server.container_name("letters"),
            "STATE_CONTAINER": azurite_server.container_name("state"),
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return values

    return environment


def run(app: object, *arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments))  # type: ignore[arg-type]  # a typer app


def test_a_dry_run_writes_documents_and_moves_no_cursor(set_up: Callable[..., dict[str, str]]) -> None:
    """The documents of a span on standard output, as normalize writes them; nothing is shipped, no cursor is there."""
    environment = set_up()
    result = run(poll.app, "alert", "--dry-run", "--since", "3h", "--until", "1h")
    assert result.exit_code == 0, result.output
    documents = [json.loads(line) for line in result.stdout.splitlines() if line.startswith('{"_op"')]
    assert 0 < len(documents) < demo_polls.ALERTS
    assert {document["_index"] for document in documents} == {"logs-m365_defender.alert-default"}
    assert len({document["_id"] for document in documents}) == len(documents)
    store = BlobCursors.open(Settings.read(environment, whole=False), environment["CURSOR_CONTAINER"])
    assert list(store.list()) == []


def test_a_poll_goes_on_at_its_cursor(
    set_up: Callable[..., dict[str, str]], elasticsearch_server: LocalElasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --since it is the timer's own sweep: the cursor moves, and a second poll finds nothing."""
    environment = set_up()
    for name, value in elasticsearch_server.app_settings(elasticsearch_server.admin).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NAMESPACE", "clipoll")
    with elasticsearch_server.client() as admin:
        admin.indices.put_index_template(
            name="clipoll",
            index_patterns=["logs-*-clipoll"],
            priority=6_000,
            data_stream={},
            template={"mappings": {"dynamic": False}},
        )
    first, second = run(poll.app, "log"), run(poll.app, "log")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    store = BlobCursors.open(Settings.read(environment, whole=False), environment["CURSOR_CONTAINER"])
    [(_, cursor, _)] = store.list()
    assert isinstance(cursor, Cursor)
    assert cursor.watermark
    assert cursor.counters["rows"] >= demo_polls.OLDER


def test_what_can_not_be_polled_is_one_sentence(
    set_up: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenant that is not told, and one that nobody knows by that name."""
    set_up()
    assert "--until" in run(poll.app, "alert", "--until", "1h").output
    assert "none of TENANTS" in run(poll.app, "alert", "--dry-run", "--tenant", "contoso").output.replace("\n", " ")
    monkeypatch.delenv("TENANT_ID")
    refused = run(poll.app, "alert", "--dry-run")
    assert refused.exit_code == 2
    assert "TENANT_ID: is not set" in refused.output


def told(*sources: str) -> dict[str, dict[str, str]]:
    """The doctor's findings by name."""
    result = run(doctor.app, "--json", *(word for source in sources for word in ("--source", source)))
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_the_doctor_finds_every_source_well(set_up: Callable[..., dict[str, str]]) -> None:
    """A token with its roles, and one small request answered, for each source."""
    set_up()
    found = told("alert", "incident", "log", "vulnerability", "assessment")
    polled = {name: check["state"] for name, check in found.items() if ":" in name}
    assert len(polled) == 10
    assert set(polled.values()) == {"ok"}, found


def test_the_doctor_names_the_permission_that_is_missing(
    set_up: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which source, which permission, which application; a scope of Azure that may not be read likewise."""
    set_up(roles={"graph": ("SecurityIncident.Read.All",)}, reads=lambda scope: False)
    assert "SecurityAlert.Read.All" in told("incident")["incident: token"]["mend"]  # for the incidents' alerts
    monkeypatch.setenv("INCIDENT_ALERTS", "false")
    found = told("alert", "incident", "assessment")
    assert found["alert: token"]["state"] == "failed"
    assert "SecurityAlert.Read.All" in found["alert: token"]["mend"]
    assert found["incident: token"]["state"] == "ok"
    [assessment] = [check for name, check in found.items() if name.startswith("assessment: ") and "token" not in name]
    assert assessment["state"] == "failed"
    assert "Security Reader" in assessment["detail"] + assessment["mend"]


def test_the_doctor_tells_a_wrong_secret_from_an_endpoint_that_is_not_there(
    set_up: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting to mend is named in each case, and no secret is shown."""
    set_up()
    monkeypatch.setenv("CLIENT_SECRET", "not-the-right-one")
    wrong = told("alert")["alert: token"]
    assert "CLIENT_SECRET" in wrong["detail"]
    assert "not-the-right-one" not in json.dumps(wrong)
    monkeypatch.setenv("CLOUD", "china")
    monkeypatch.delenv("GRAPH_ENDPOINT")
    assert "CLOUD" in told("alert")["alert: token"]["detail"]


def test_the_doctor_tells_a_missing_certificate_authority_and_an_answer_that_is_none(
    set_up: Callable[..., dict[str, str]], fake: Microsoft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a finding, whatever the credential; never a traceback."""
    set_up()
    fake.fault("not_json", "arm.*")
    try:
        [broken] = [
            check
            for name, check in told("assessment").items()
            if name.startswith("assessment: ") and "token" not in name
        ]
    finally:
        fake.heal()
    assert (broken["state"], "not JSON" in broken["detail"]) == ("failed", True)
    monkeypatch.setenv("MICROSOFT_CA", "/no/such/file.pem")
    assert told("alert")["alert: token"]["detail"] == "MICROSOFT_CA: is no file that can be read."


def test_ctrl_c_ends_a_poll_by_hand(set_up: Callable[..., dict[str, str]], fake: Microsoft) -> None:
    """Waiting for a throttled API, it ends at once, with its table and exit code 1."""
    environment = set_up()
    fake.fault("throttle", "graph.alerts", seconds=500)
    begun = fake.count("graph.alerts")
    command = [sys.executable, "-m", "cli", "poll", "alert", "--dry-run"]
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while fake.count("graph.alerts") == begun and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, shown = process.communicate(timeout=20)
        finally:
            fake.heal()
            process.kill()
    assert process.returncode == 1
    assert "out_of_time" in shown
    assert "Traceback" not in shown
