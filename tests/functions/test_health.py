"""GET /api/health against real servers: 200 when all is there, 503 with the reason for each thing that is not."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from functions.health import concealed, examine
from functions.hubs import SOURCES
from functions.probes import DATASETS, winner
from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch
from local.process import free_port
from shared.normalise.tables import all_tables, carrier
from shared.poll_settings import SOURCES as POLLED
from shared.report import Report
from shared.settings import Settings
from shared.state import LastReceived
from tests.functions.app_process import environment, http, run_app
from tests.functions.conftest import Users

NOT_STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:{}/x;"
)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, app_settings: dict[str, str]) -> Any:
    """Examine a whole app after changes to its settings; None takes a setting away."""

    def examined(**changes: str | None) -> dict[str, Any]:
        settings = {name: value for name, value in (app_settings | changes).items() if value is not None}
        for name in app_settings:
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return asyncio.run(examine(settings))

    return examined


@contextmanager
def listener(answer: bytes | None) -> Iterator[int]:
    """A port that takes connections and answers each with the same bytes, or never."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop, open_ones = threading.Event(), []

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                open_ones.append(connection)
                if answer is not None:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join()
            for connection in open_ones:
                connection.close()


def test_a_whole_app_answers_200_and_after_a_broken_setting_503(app_settings: dict[str, str]) -> None:
    """Through Microsoft's runtime: JSON, not to be cached, and the reason names the setting."""
    ran = run_app(app_settings, [http("health"), environment(SHIP_SECONDS="soon"), http("health")])

    good, bad = ran.answers[0], ran.answers[2]
    assert (good["status"], bad["status"]) == (200, 503)
    assert good["headers"]["content-type"] == "application/json"
    assert good["headers"]["cache-control"] == "no-store"
    answer = json.loads(good["body"])
    assert answer["whole"] is True
    assert answer["reasons"] == []
    assert {name: check["state"] for name, check in answer["checks"].items()} == {
        "event_hubs": "ok",
        "pollers": "ok",
        "backfill": "ok",
        "settings": "ok",
        "elasticsearch": "ok",
        "index_templates": "not checked",
        "blob_store": "ok",
        "last_received": "ok",
        "drift": "ok",
    }
    assert answer["checks"]["last_received"]["detail"] == "nothing yet from defender_cloud, xdr."
    assert answer["versions"]["elasticsearch"].startswith("8.")
    assert json.loads(bad["body"])["reasons"] == ["settings: SHIP_SECONDS: 'soon' is not a number."]


def test_no_secret_is_in_the_answer(app_settings: dict[str, str]) -> None:
    """Neither when all is well nor when the storage connection string is broken and told about."""
    ran = run_app(
        app_settings,
        [
            http("health"),
            environment(AzureWebJobsStorage="AccountKey=c3RvcmFnZS1zZWNyZXQ=;nonsense"),
            http("health"),
        ],
    )

    for body in (ran.answers[0]["body"], ran.answers[2]["body"]):
        assert app_settings["ELASTICSEARCH_PASSWORD"] not in body
        assert "SharedAccessKey" not in body
        assert "c3RvcmFnZS1zZWNyZXQ=" not in body
    assert "AzureWebJobsStorage: is not a connection string" in ran.answers[2]["body"]


def test_a_secret_that_json_writes_differently_is_hidden_too() -> None:
    """Quotes and backslashes in a password do not carry it past the concealing."""
    secret = 'quo"te\\slash'
    answer = {"reasons": [f"failed with {secret}"], "checks": {"x": {"detail": secret, "seconds": 0.1}}}

    shown = concealed(answer, {"ELASTICSEARCH_PASSWORD": secret})
    assert shown == {"reasons": ["failed with (hidden)"], "checks": {"x": {"detail": "(hidden)", "seconds": 0.1}}}


def test_a_user_that_may_read_templates_is_told_which_is_taken(ask: Any, users: Users, namespace: str) -> None:
    """With the cluster privilege monitor the templates are checked as well."""
    answer = ask(ELASTICSEARCH_USERNAME=users.watcher.name, ELASTICSEARCH_PASSWORD=users.watcher.password)

    assert answer["whole"] is True
    assert (
        f"logs-m365_defender.event-{namespace} is made by functions-" in answer["checks"]["index_templates"]["detail"]
    )


def test_without_that_privilege_templates_are_not_checked_and_nothing_fails(ask: Any) -> None:
    """The shipping user of the documentation: the answer says what it would take."""
    check = ask()["checks"]["index_templates"]

    assert check["state"] == "not checked"
    assert "cluster privilege monitor" in check["detail"]


def test_a_missing_template_is_a_reason(ask: Any, users: Users) -> None:
    """Data streams that no template of ours makes are named."""
    answer = ask(
        NAMESPACE="nobodys", ELASTICSEARCH_USERNAME=users.watcher.name, ELASTICSEARCH_PASSWORD=users.watcher.password
    )

    assert answer["whole"] is False
    assert answer["reasons"][0].startswith("index_templates: no index template of ours matches logs-")
    assert "logs-m365_defender.event-nobodys" in answer["reasons"][0]


def test_wrong_credentials_are_a_reason(ask: Any) -> None:
    """401 names the setting that holds them."""
    answer = ask(ELASTICSEARCH_PASSWORD="wrong")

    assert answer["reasons"] == [
        "elasticsearch: ELASTICSEARCH_USERNAME: Elasticsearch does not accept the credentials (401)."
    ]


def test_an_api_key_that_is_none_names_its_setting(ask: Any) -> None:
    """The reason names the setting in use, not the other one."""
    answer = ask(ELASTICSEARCH_USERNAME=None, ELASTICSEARCH_PASSWORD=None, ELASTICSEARCH_API_KEY="bm90OmFrZXk=")

    assert answer["reasons"][0].startswith("elasticsearch: ELASTICSEARCH_API_KEY: ")


def test_lacking_privileges_are_a_reason(ask: Any, users: Users, namespace: str) -> None:
    """Each privilege that shipping needs and the user lacks is named, with its data stream."""
    answer = ask(ELASTICSEARCH_USERNAME=users.stranger.name, ELASTICSEARCH_PASSWORD=users.stranger.password)

    assert answer["whole"] is False
    (reason,) = answer["reasons"]
    assert reason.startswith("elasticsearch: ELASTICSEARCH_USERNAME: lacks ")
    for privilege in ("auto_configure", "create_doc"):
        assert f"{privilege} on logs-m365_defender.event-{namespace}" in reason


def test_privileges_on_latest_views_are_asked_for_where_they_are_on(
    ask: Any, elasticsearch_server: LocalElasticsearch, namespace: str
) -> None:
    """A key that may only add to data streams does for an app without latest views; with them each lacking privilege is named."""
    role = {"indices": [grant for grant in SHIPPER_ROLE["indices"] if "create_doc" in grant["privileges"]]}
    user = elasticsearch_server.add_user("fn-streams-only", role=role)
    own = {
        "ELASTICSEARCH_USERNAME": user.name,
        "ELASTICSEARCH_PASSWORD": user.password,
        "POLL_SOURCES": "alert, vulnerability",
        "TENANT_ID": "example.com",
    }
    assert ask(**own)["reasons"] == []
    (reason,) = ask(**own, LATEST_VIEWS="true")["reasons"]
    assert f"index on m365_defender.alert_latest-{namespace}" in reason
    assert "delete on security_solution-m365_defender.vulnerability_latest-v1" in reason
    assert "misconfiguration" not in reason
    assert "create_doc" not in reason


def test_elasticsearch_that_is_away_is_a_reason(ask: Any) -> None:
    """Nothing listens there."""
    answer = ask(ELASTICSEARCH_URL=f"http://127.0.0.1:{free_port()}")

    assert answer["whole"] is False
    (reason,) = answer["reasons"]
    assert reason.startswith("elasticsearch: Elasticsearch can not be reached")


def test_elasticsearch_that_never_answers_does_not_hold_the_answer(ask: Any) -> None:
    """Each probe has its own few seconds; the others say what they found."""
    with listener(None) as port:
        answer = ask(ELASTICSEARCH_URL=f"http://127.0.0.1:{port}")

    assert answer["reasons"][0].startswith("elasticsearch: Elasticsearch did not answer in time")
    assert answer["checks"]["blob_store"]["state"] == "ok"


def test_something_else_that_answers_is_a_reason(ask: Any) -> None:
    """A web server in Elasticsearch's place is not taken for it."""
    with listener(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi") as port:
        answer = ask(ELASTICSEARCH_URL=f"http://127.0.0.1:{port}")

    assert answer["reasons"][0] == "elasticsearch: ELASTICSEARCH_URL: what answers there is not Elasticsearch."


def test_a_blob_store_that_is_away_is_a_reason(ask: Any) -> None:
    """Dead letters could not be written, so batches would be held."""
    answer = ask(AzureWebJobsStorage=NOT_STORAGE.format(free_port()))

    assert [reason.split(":")[0] for reason in answer["reasons"]] == ["blob_store", "last_received"]
    assert "blob storage (AzureWebJobsStorage) can not be reached" in answer["reasons"][0]


def test_missing_storage_settings_are_a_reason(ask: Any) -> None:
    """The prefix that STORAGE names is told, and what may be set instead."""
    answer = ask(STORAGE="OURS")

    assert answer["reasons"][0].startswith("blob_store: OURS: is not set, and neither is OURS__blobServiceUri")


def test_a_hub_without_connection_is_a_reason(ask: Any) -> None:
    """The host would fail that function; health says which setting it misses."""
    answer = ask(XDR_EVENT_HUB=None)

    assert answer["reasons"] == [
        "event_hubs: XDR_EVENT_HUB: is not set, and neither is XDR_EVENT_HUB__fullyQualifiedNamespace."
    ]


def test_no_hub_at_all_is_a_reason(ask: Any) -> None:
    """An app that can receive nothing is not whole."""
    answer = ask(XDR_EVENT_HUB_NAMES=None, CLOUD_EVENT_HUB_NAMES=None)

    assert answer["reasons"] == [
        (
            "event_hubs: XDR_EVENT_HUB_NAMES: is not set, and neither is CLOUD_EVENT_HUB_NAMES or "
            "POLL_SOURCES: nothing is received."
        )
    ]


def test_pollers_alone_make_an_app_whole(ask: Any) -> None:
    """Without a hub, an app that polls is whole, and health looks at the data streams of what it polls."""
    answer = ask(
        XDR_EVENT_HUB_NAMES=None, CLOUD_EVENT_HUB_NAMES=None, POLL_SOURCES="alert, log", TENANT_ID="example.com"
    )

    assert answer["reasons"] == []
    assert answer["checks"]["pollers"]["detail"] == "alert is polled, log is polled"
    assert answer["checks"]["last_received"]["detail"] == "nothing yet from alert, log."


def test_a_tenant_that_is_not_told_is_a_reason(ask: Any) -> None:
    """A poller that can not work makes the app unhealthy, in one sentence."""
    assert ask(POLL_SOURCES="alert")["reasons"] == [
        "pollers: TENANT_ID: is not set: the pollers need to know the tenant."
    ]


def test_a_held_batch_is_a_reason_until_the_next_good_one(ask: Any, app_settings: dict[str, str]) -> None:
    """What was last held shows with time and reason; what was received after it makes the source whole again."""
    ask()  # sets the environment
    settings, now, last = Settings.read(app_settings), time.time(), LastReceived()
    last.hold("xdr", settings, "ELASTICSEARCH_API_KEY: lacks a privilege", now)

    held = ask()
    assert held["whole"] is False
    assert held["reasons"][0].startswith("last_received: the last batch of xdr was held at 20")
    assert held["reasons"][0].endswith("ELASTICSEARCH_API_KEY: lacks a privilege")

    last.note(Report("xdr", messages=7), settings, now + 5)
    mended = ask()
    assert mended["whole"] is True
    assert mended["checks"]["last_received"]["data"]["xdr"]["received"]["messages"] == 7
    assert mended["checks"]["last_received"]["detail"] == "nothing yet from defender_cloud."


def test_security_switched_off_is_not_a_failure(ask: Any) -> None:
    """A server that tells no privileges answers all the same: shipping will tell."""
    body = b'{"error":"no handler found","status":400}'
    head = b"HTTP/1.1 400 Bad Request\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\n"
    with listener(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body) as port:
        answer = ask(ELASTICSEARCH_URL=f"http://127.0.0.1:{port}")

    assert answer["checks"]["elasticsearch"]["state"] == "not checked"
    assert "(400)" in answer["checks"]["elasticsearch"]["detail"]


def test_the_template_of_highest_priority_is_the_one_taken() -> None:
    """As Elasticsearch chooses; templates without data streams and Elasticsearch's stock one are told apart."""

    def template(name: str, priority: int, *patterns: str, stream: bool = True) -> dict[str, Any]:
        body: dict[str, Any] = {"index_patterns": list(patterns), "priority": priority}
        return {"name": name, "index_template": body | ({"data_stream": {}} if stream else {})}

    stock = template("logs", 100, "logs-*-*")
    ours = template("ours", 200, "logs-m365_defender.event-*")
    plain = template("plain", 900, "logs-m365_defender.*", stream=False)

    assert winner("logs-m365_defender.event-default", [stock, ours, plain]) == "ours"
    assert winner("logs-m365_defender.alert-default", [stock, ours, plain]) == "logs"
    assert winner("metrics-x-default", [stock, ours, plain]) is None


def test_health_looks_at_the_data_streams_that_records_go_to() -> None:
    """All that the tables name, and those of records that no table maps: no more, no less."""
    mapped = {table.dataset for table in all_tables()}

    assert set(DATASETS["xdr"]) == {carrier("NewTable").dataset}
    assert set(DATASETS["defender_cloud"]) == {carrier("NewKind", cloud=True).dataset}
    assert {dataset for names in DATASETS.values() for dataset in names} == mapped
    assert set(DATASETS) == {source.name for source in SOURCES} | set(POLLED)


def test_shipping_users_see_what_the_server_sees(elasticsearch_server: LocalElasticsearch, users: Users) -> None:
    """The question that health asks is one that the real server answers to every user, rights or not."""
    with elasticsearch_server.client(users.stranger) as client:
        answer = client.security.has_privileges(index=[{"names": ["logs-x"], "privileges": ["create_doc"]}])

    assert answer["has_all_requested"] is False
