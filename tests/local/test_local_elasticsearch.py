"""The real Elasticsearch runs here with security on, privileges are enforced, and an outage loses nothing."""

from __future__ import annotations

import elasticsearch as client_library
import pytest
import requests
from elasticsearch import AuthenticationException, AuthorizationException, ConflictError

from local.elasticsearch import LocalElasticsearch, elasticsearch
from local.process import running
from tests.conftest import require

STREAM = "logs-m365_defender.event-privileges"
SHIPPING = {"names": ["logs-m365_defender.event-x"], "privileges": ["create_doc"]}
DOCUMENT = {"@timestamp": "2026-01-02T03:04:05Z", "message": "x"}


@pytest.fixture(scope="module")
def template(elasticsearch_server: LocalElasticsearch) -> str:
    """A template that makes data streams of the shipper's names; returns the stream's name."""
    with elasticsearch_server.client() as client:
        client.indices.put_index_template(
            name="privileges",
            index_patterns=["logs-m365_defender.event-privileges*"],
            data_stream={},
            priority=900,
            template={"mappings": {"properties": {"message": {"type": "keyword"}}}},
        )
    return STREAM


def test_the_shipper_may_create_documents_and_nothing_else(
    elasticsearch_server: LocalElasticsearch, template: str
) -> None:
    """The least-privileged user creates a data stream by its first document; search and other indices answer 403."""
    shipper = elasticsearch_server.add_user("shipper-privileges")
    with elasticsearch_server.client(shipper) as client:
        made = client.create(index=template, id="1", document=DOCUMENT)
        assert made["result"] == "created"
        with pytest.raises(ConflictError):
            client.create(index=template, id="1", document=DOCUMENT)
        with pytest.raises(AuthorizationException):
            client.search(index=template)
        with pytest.raises(AuthorizationException):
            client.create(index="logs-other-default", id="1", document=DOCUMENT)
        with pytest.raises(AuthorizationException):
            client.indices.put_index_template(name="mine", index_patterns=["mine-*"])
        with pytest.raises(AuthorizationException):
            client.delete(index=made["_index"], id="1")  # the backing index: a data stream deletes nothing by id


def test_a_wrong_password_is_refused(elasticsearch_server: LocalElasticsearch) -> None:
    """Security is on: a wrong password answers 401, and so does none."""
    shipper = elasticsearch_server.add_user("shipper-password")
    with (
        elasticsearch_server.client(type(shipper)(shipper.name, "wrong")) as client,
        pytest.raises(AuthenticationException),
    ):
        client.cluster.health()
    assert requests.get(f"{elasticsearch_server.url}/_cluster/health", timeout=10).status_code == 401


def test_a_changed_role_is_in_force_when_add_user_returns(elasticsearch_server: LocalElasticsearch) -> None:
    """Adding a user again takes away the old privileges and the old password."""
    reader = {"cluster": ["monitor"], "indices": [{"names": ["*"], "privileges": ["read"]}]}
    first = elasticsearch_server.add_user("changing", role=reader)
    with elasticsearch_server.client(first) as client:
        assert client.cluster.health()["status"] in ("green", "yellow")

    second = elasticsearch_server.add_user("changing", role={"cluster": [], "indices": []})

    with elasticsearch_server.client(second) as client, pytest.raises(AuthorizationException):
        client.cluster.health()
    with elasticsearch_server.client(first) as client, pytest.raises(AuthenticationException):
        client.cluster.health()


def test_an_outage_keeps_data_port_and_users() -> None:
    """A server of one's own with other settings: 413 where set so, refused while stopped, all there after the start."""
    require("elasticsearch")
    with elasticsearch(settings={"http.max_content_length": "10kb"}) as server:
        assert server.server is not None
        first = server.server.pid
        user = server.add_user("shipper")
        with server.client(max_retries=0) as client:
            client.index(index="kept", id="1", document=DOCUMENT, refresh=True)
            large = requests.post(
                f"{server.url}/kept/_doc",
                data=b'{"x":"' + b"x" * 20_000 + b'"}',
                headers={"content-type": "application/json"},
                auth=(server.admin.name, server.admin.password),
                timeout=10,
            )
            assert large.status_code == 413

            server.stop()
            assert not running(first)
            with pytest.raises(client_library.ConnectionError):
                client.count(index="kept")

            server.start()
            assert client.count(index="kept")["count"] == 1
            assert (
                client.options(basic_auth=(user.name, user.password)).security.authenticate()["username"] == "shipper"
            )
        second, home = server.server.pid, server.home
    assert not running(second)
    assert not home.exists()


def test_a_shared_server_can_not_be_stopped(elasticsearch_server: LocalElasticsearch) -> None:
    """What other tests use is not stopped by one of them: a server known by address only refuses."""
    shared = LocalElasticsearch(elasticsearch_server.port, elasticsearch_server.admin, elasticsearch_server.home)
    with pytest.raises(RuntimeError, match="shared"):
        shared.stop()


def test_the_same_user_is_added_once(elasticsearch_server: LocalElasticsearch) -> None:
    """Two processes that add the same user get the same password; a user of a similar name is left alone."""
    first = elasticsearch_server.add_user("twice-1")
    second = elasticsearch_server.add_user("twice-1")
    elasticsearch_server.add_user("twice")
    assert first == second
    with elasticsearch_server.client(first) as client:
        assert client.security.authenticate()["roles"] != []
        assert client.security.has_privileges(index=[SHIPPING])["has_all_requested"]
