"""`python -m cli doctor` against a real Elasticsearch, blob store and hub stand-in, and the fake of Microsoft's APIs."""

from __future__ import annotations

import io
import json
import os
import secrets
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventHubConsumerClient
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore
from rich.console import Console
from typer.testing import CliRunner

from cli import doctor
from cli.doctor.check import failed, ok
from cli.doctor.checkpoints import read_group
from cli.doctor.clocks import of_clock, skew
from cli.doctor.elastic import of_version
from cli.doctor.hubs import of_hubs
from cli.doctor.packages import PYTHON, REQUIREMENTS, of_packages, pinned
from cli.doctor.storage import of_hosts
from local.azurite import LocalAzurite
from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch, User
from local.event_hub import LocalEventHubs
from local.microsoft import Microsoft, Tenant
from local.process import free_port
from shared.report import Report
from shared.settings import Settings
from shared.state import LastReceived
from tests.conftest import require

Checks = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def user(elasticsearch_server: LocalElasticsearch) -> User:
    """May ship, and monitor, so that version and templates are told."""
    return elasticsearch_server.add_user(
        f"doctor-{secrets.token_hex(3)}", role={**SHIPPER_ROLE, "cluster": ["monitor"]}
    )


@pytest.fixture
def app(
    fake: Microsoft,
    tenant: Tenant,
    azurite_server: LocalAzurite,
    elasticsearch_server: LocalElasticsearch,
    event_hub_server: LocalEventHubs,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """A whole app: hub, pollers, templates, containers of its own."""
    namespace = f"doctor{secrets.token_hex(4)}"
    with elasticsearch_server.client() as admin:
        admin.indices.put_index_template(
            name=namespace,
            index_patterns=[f"logs-*-{namespace}"],
            priority=5_500,
            data_stream={},
            template={"mappings": {"dynamic": False}},
        )
    values = {
        **fake.environment(tenant, fake.app(tenant, secret="a-secret-of-the-app")),
        **elasticsearch_server.app_settings(user),
        "NAMESPACE": namespace,
        "AzureWebJobsStorage": azurite_server.connection_string,
        "CURSOR_CONTAINER": azurite_server.container_name("cursors"),
        "DEAD_LETTER_CONTAINER": azurite_server.container_name("letters"),
        "STATE_CONTAINER": azurite_server.container_name("state"),
        "XDR_EVENT_HUB_NAMES": "defender",
        "XDR_EVENT_HUB": event_hub_server.connection_string,
        "XDR_CONSUMER_GROUP": f"group-{secrets.token_hex(4)}",
        "POLL_SOURCES": "alert, incident, vulnerability, assessment",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def run(*arguments: str) -> tuple[int, Checks]:
    """The exit code and the checks by name; whatever is not well says how to mend it."""
    result = CliRunner().invoke(doctor.app, ["--json", *arguments])
    answer = json.loads(result.stdout)
    assert answer["whole"] is (result.exit_code == 0)
    for check in answer["checks"]:
        assert bool(check["mend"]) is (check["state"] in ("failed", "warning")), check
    return result.exit_code, {check["name"]: check for check in answer["checks"]}


def read_some(app: dict[str, str], many: int) -> None:
    """Read so many messages of each partition as the host does: by the real client, checkpoints in the host's container."""
    with EventHubConsumerClient.from_connection_string(
        app["XDR_EVENT_HUB"],
        app["XDR_CONSUMER_GROUP"],
        eventhub_name="defender",
        checkpoint_store=checkpoint_store(app),
        load_balancing_interval=1,
    ) as client:
        done: dict[str, int] = {}

        def on_event(context: Any, event: Any) -> None:
            if event is not None and done.get(context.partition_id, 0) < many:
                done[context.partition_id] = done.get(context.partition_id, 0) + 1
                context.update_checkpoint(event)
            if sum(done.values()) >= 2 * many:
                threading.Thread(target=client.close).start()

        client.receive(on_event, starting_position="-1", max_wait_time=1)


def checkpoint_store(app: dict[str, str]) -> BlobCheckpointStore:
    """Microsoft's own, which writes what the host's writes."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(app["AzureWebJobsStorage"]) as blobs, suppress(ResourceExistsError):
        blobs.create_container("azure-webjobs-eventhub")
    return BlobCheckpointStore.from_connection_string(app["AzureWebJobsStorage"], "azure-webjobs-eventhub")


def test_a_whole_app_is_found_well(app: dict[str, str], event_hub_server: LocalEventHubs) -> None:
    """Every check of the list is made and is well; the lag is that of each partition, from the host's own checkpoints."""
    for partition in (0, 1):
        event_hub_server.send([b"{}"] * 3, hub="defender", partition=partition)
    read_some(app, 1)
    LastReceived().note(Report("xdr", messages=2), Settings.read(app), time.time())
    code, found = run()

    assert (code, {check["state"] for check in found.values()}) == (0, {"ok", "not checked"}), found
    assert [name for name, check in found.items() if check["state"] == "not checked"] == ["function app"]
    assert list(found) == [
        "package versions", "settings", "event hubs", "elasticsearch version", "elasticsearch", "index templates", "blob store",
        "last received", "drift", "storage and lease", "function app", "cursors", "clock", "xdr: hub defender", "xdr: consumer group",
        *(name for name in found if ": token" in name or ": 1" in name or ": localhost" in name),
    ]  # fmt: skip
    assert sum(": token" in name for name in found) == 4
    lags = found["xdr: hub defender"]["data"]["partitions"]
    last = event_hub_server.last_sequence_numbers("defender")
    assert {id: lag["last_enqueued"] for id, lag in lags.items()} == {"0": last[0], "1": last[1]}
    assert [lag["behind"] for lag in lags.values()] == [last[0], last[1]]  # the first of each, number 0, was read
    assert "8.19" in found["elasticsearch version"]["detail"]
    assert "the storage account" in found["clock"]["detail"]
    assert "SecurityAlert.Read.All" in found["alert: token"]["data"]["roles"]
    assert "checkpoints go with what was received" in found["xdr: consumer group"]["detail"]


def test_the_hosts_blobs_are_read_as_microsofts_client_writes_them(own_storage: LocalAzurite) -> None:
    """Checkpoints and owners by partition, names in lower case; an ownership that was given up is none; other groups are not ours."""
    place = {"fully_qualified_namespace": "Example.servicebus.windows.net", "eventhub_name": "Defender"}
    store = checkpoint_store({"AzureWebJobsStorage": own_storage.connection_string})
    ours, theirs = ({**place, "consumer_group": group} for group in ("Elastic", "other"))
    for where, partition, number in ((ours, "0", 41), (ours, "1", 7), (theirs, "0", 99)):
        store.update_checkpoint({**where, "partition_id": partition, "offset": "1", "sequence_number": number})
    claims = [{**ours, "partition_id": id, "owner_id": owner} for id, owner in (("0", "instance-a"), ("1", ""))]
    store.claim_ownership(claims)
    with own_storage.service() as service:  # as versions of the host that wrote an offset alone
        blob = "example.servicebus.windows.net/defender/elastic/checkpoint/2"
        service.get_container_client("azure-webjobs-eventhub").upload_blob(blob, b"", metadata={"offset": "512"})

    found = read_group(f"Endpoint=sb://{place['fully_qualified_namespace']}/;SharedAccessKey=x", "Defender", "Elastic")
    assert {id: point.sequence for id, point in found.checkpoints.items()} == {"0": 41, "1": 7, "2": None}
    assert {id: owner.name for id, owner in found.owners.items()} == {"0": "instance-a"}
    assert read_group("nobody.servicebus.windows.net", "Defender", "Elastic").checkpoints == {}


def test_an_empty_environment_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing that anybody sees: exit code 1, and the settings to begin with."""
    for name in list(os.environ):
        if name.startswith(("ELASTICSEARCH_", "XDR_", "CLOUD_", "POLL_", "TENANT")):
            monkeypatch.delenv(name)
    code, found = run()

    assert code == 1
    assert found["settings"]["mend"].startswith("Set ELASTICSEARCH_URL")
    assert found["event hubs"]["mend"].startswith("Set XDR_EVENT_HUB_NAMES")


def test_each_broken_part_is_told_apart(app: dict[str, str], monkeypatch: pytest.MonkeyPatch, elasticsearch_server: LocalElasticsearch) -> None:  # fmt: skip
    """A key without privileges, a namespace without templates, a hub that is not there: each by name."""
    poor = elasticsearch_server.add_user(
        f"doctor-{secrets.token_hex(3)}", role={"indices": [{"names": ["logs-*"], "privileges": ["create_doc"]}]}
    )
    for name, value in elasticsearch_server.app_settings(poor).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDR_EVENT_HUB_NAMES", "no-such-hub")
    monkeypatch.setenv("POLL_SOURCES", "")
    code, found = run()

    assert code == 1
    assert f"auto_configure on logs-m365_defender.event-{app['NAMESPACE']}" in found["elasticsearch"]["detail"]
    assert "create_doc on" not in found["elasticsearch"]["detail"]
    assert found["elasticsearch version"]["state"] == "not checked"
    assert found["xdr: hub no-such-hub"]["state"] == "failed"
    assert "XDR_EVENT_HUB_NAMES" in found["xdr: hub no-such-hub"]["mend"]


def test_servers_that_are_away_and_no_secret_is_shown(app: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check says that its server can not be reached, none hangs, and neither key nor password is in it."""
    away = free_port()
    monkeypatch.setenv("ELASTICSEARCH_URL", f"http://127.0.0.1:{away}")
    monkeypatch.setenv("AzureWebJobsStorage", f"DefaultEndpointsProtocol=http;AccountName=x;AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint=http://127.0.0.1:{away}/x;")  # fmt: skip
    monkeypatch.setenv("XDR_EVENT_HUB", app["XDR_EVENT_HUB"].replace("127.0.0.1:", f"127.0.0.1:{away};").replace("SAS_KEY_VALUE", "aHViLXNlY3JldA=="))  # fmt: skip
    code, found = run("--source", "alert")

    assert code == 1
    for name in ("elasticsearch", "blob store", "last received", "function app", "xdr: hub defender checkpoints"):
        assert found[name]["state"] == "failed", name
    assert found["storage and lease"]["state"] == "not checked"  # one reason is enough, and each takes its tries
    shown = json.dumps(found)
    for secret in ("c2VjcmV0LWtleQ", "aHViLXNlY3JldA", "a-secret-of-the-app", app["ELASTICSEARCH_PASSWORD"]):
        assert secret not in shown


def test_a_hub_that_is_away_is_told(
    app: dict[str, str], monkeypatch: pytest.MonkeyPatch, event_hub_server: LocalEventHubs
) -> None:
    """The check ends soon and says what to open."""
    port = str(event_hub_server.port)
    monkeypatch.setenv("XDR_EVENT_HUB", app["XDR_EVENT_HUB"].replace(port, str(free_port())))
    monkeypatch.setenv("POLL_SOURCES", "")
    found = run()[1]["xdr: hub defender"]
    assert found["state"] == "failed"
    assert "5671" in found["mend"]


@pytest.mark.parametrize("told", ["nonsense", "Endpoint=sb://x.servicebus.windows.net/"])
def test_a_connection_string_that_is_none_is_told(
    azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """The setting is named, and no port is to be opened."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    monkeypatch.setenv("XDR_EVENT_HUB_NAMES", "defender")
    monkeypatch.setenv("XDR_EVENT_HUB", told)
    found = next(of_hubs(Settings.read(os.environ, whole=False)))
    assert (found.name, found.state) == ("xdr: hub defender", "failed")
    assert found.detail.startswith("the connection string can not be read (")
    assert "XDR_EVENT_HUB" in found.mend
    assert "5671" not in found.mend


def test_cursors_that_are_none_and_a_storage_account_that_is_shared(
    app: dict[str, str], azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blob that is no cursor is named with the command that mends it; two function apps that run on one account are named."""
    with azurite_server.service() as service:
        service.create_container(app["CURSOR_CONTAINER"]).upload_blob("alert/x/all.json", b"{")
    monkeypatch.setenv("XDR_EVENT_HUB_NAMES", "")
    found = run("--source", "alert")[1]
    assert "alert/x/all.json is not JSON" in found["cursors"]["detail"]
    assert "cursors reset" in found["cursors"]["mend"]


@pytest.fixture
def own_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAzurite]:
    """A blob store of the test's own: the host's container names are fixed."""
    from local.azurite import azurite

    require("node")
    with azurite() as server:
        monkeypatch.setenv("AzureWebJobsStorage", server.connection_string)
        yield server


def test_the_hosts_locks_tell_which_apps_run(own_storage: LocalAzurite) -> None:
    """None yet; one that runs; one that ran before beside it; two that run at once."""
    assert of_hosts().state == "not checked"
    with own_storage.service() as service, service.create_container("azure-webjobs-hosts") as container:
        container.upload_blob("locks/app-one/host", b"").acquire_lease(60)
        container.upload_blob("locks/app-one/alert_poll.Listener", b"")
        container.upload_blob("locks/app-two/host", b"")
        alone = of_hosts()
        container.get_blob_client("locks/app-two/host").acquire_lease(60)
        shared = of_hosts()
    assert (alone.state, alone.detail) == ("ok", "app-one, app-two (running: app-one).")
    assert (shared.state, "app-one, app-two" in shared.detail) == ("warning", True)


@contextmanager
def answering(body: dict[str, Any], status: int = 200, **headers: str) -> Iterator[Settings]:
    """Something that calls itself Elasticsearch and answers all with the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response_only(status)
            for name, value in {"content-type": "application/json", "x-elastic-product": "Elasticsearch", **headers}.items():  # fmt: skip
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Settings.read(
                {"ELASTICSEARCH_URL": f"http://127.0.0.1:{server.server_port}", "ELASTICSEARCH_API_KEY": "eA=="}
            )
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("version", "flavor", "state"),
    [
        ("8.13.0", "default", "ok"),
        ("9.2.1", "default", "ok"),
        ("8.12.9", "default", "failed"),
        ("7.17.29", "default", "failed"),
        ("10.0.0", "default", "warning"),
        ("8.11.0", "serverless", "ok"),
        ("", "default", "not checked"),
    ],
)
def test_the_version_is_held_against_what_was_tried(version: str, flavor: str, state: str) -> None:
    """From 8.13 on, line 9 too; serverless has no version to speak of; the rest is to be upgraded or is new."""
    with answering({"version": {"number": version, "build_flavor": flavor}}) as settings:
        check = of_version(settings)
    assert check.state == state
    assert bool(check.mend) is (state in ("failed", "warning"))


def test_clocks_that_differ_are_told_with_the_side(azurite_server: LocalAzurite) -> None:
    """Within a request's time and the header's second there is no difference; beyond, by how much and which way."""
    now = 1_767_323_045.0
    assert skew(formatdate(now, usegmt=True), now, now + 2) == 0.0
    assert skew(formatdate(now - 100, usegmt=True), now, now + 2) == 99.0
    assert skew(formatdate(now + 100, usegmt=True), now, now + 2) == -98.0
    assert skew("yesterday", now, now) is None

    def date(ahead: float) -> Callable[[], str]:
        return lambda: formatdate(time.time() + ahead, usegmt=True)

    def broken() -> str:
        raise OSError

    assert of_clock({"a": date(0), "b": broken, "c": lambda: "nonsense"}).detail == "agrees with a."
    slow = of_clock({"a": date(0), "b": date(120)})
    assert (slow.state, "behind b" in slow.detail) == ("warning", True)
    fast = of_clock({"a": date(-4_000)})
    assert (fast.state, "ahead of a" in fast.detail) == ("failed", True)
    assert of_clock({"b": broken}).state == "not checked"


def test_packages_are_held_against_requirements(tmp_path: Path) -> None:
    """As pinned; another version; one that is not there; and the Python of pyproject.toml."""
    root = REQUIREMENTS.parent
    assert len(pinned(REQUIREMENTS.read_text())) > 10
    assert of_packages().state == "ok"
    other = tmp_path / "requirements.txt"
    other.write_text(
        "# made\nelasticsearch==1.2.3  # other\norjson==" + pinned(REQUIREMENTS.read_text())["orjson"] + "\n"
    )
    check = of_packages(other)
    assert check.state == "warning"
    assert "elasticsearch 8." in check.detail
    assert "instead of 1.2.3" in check.detail
    other.write_text("no-such-package-at-all==1\n")
    assert of_packages(other).detail == "not installed: no-such-package-at-all."
    required = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    assert required.startswith(f">={PYTHON},")


def test_a_terminal_gets_colours_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words either way; the last line counts."""
    monkeypatch.setattr(doctor, "examined", lambda only: iter([ok("one", "fine [x]"), failed("two", "broken", "mend it")]))  # fmt: skip
    shown = {}
    for terminal in (True, False):
        text = io.StringIO()
        monkeypatch.setattr(
            doctor,
            "out",
            Console(file=text, force_terminal=terminal, width=100, color_system="standard" if terminal else "auto"),
        )
        assert CliRunner().invoke(doctor.app, []).exit_code == 1
        shown[terminal] = text.getvalue()
    assert "\x1b[31mfailed" in shown[True]
    assert "\x1b" not in shown[False]
    for words in ("fine [x]", "mend it", "1 ok, 1 failed"):
        assert words in shown[False]
