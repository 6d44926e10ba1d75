"""App settings of a whole app: a real Elasticsearch with users of least privilege, a real blob store, own names."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local.azurite import LocalAzurite
from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch, User
from local.microsoft import Microsoft, Tenant
from local.templates import put_templates
from shared.poll_settings import SOURCES

SECRET = "a-secret-of-these-tests"

Template = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Users:
    """Users of the shared server, by what they may."""

    shipper: User  # what the documentation tells to grant
    watcher: User  # the same and the cluster privilege monitor, with which templates can be read
    stranger: User  # may log in and has no right on our data streams


@pytest.fixture(scope="session")
def users(elasticsearch_server: LocalElasticsearch) -> Users:
    """Made once per run; names are our own."""
    tail = secrets.token_hex(3)
    return Users(
        elasticsearch_server.add_user(f"fn-shipper-{tail}"),
        elasticsearch_server.add_user(f"fn-watcher-{tail}", role={**SHIPPER_ROLE, "cluster": ["monitor"]}),
        elasticsearch_server.add_user(
            f"fn-stranger-{tail}", role={"indices": [{"names": ["other-*"], "privileges": ["read"]}]}
        ),
    )


@pytest.fixture
def namespace() -> str:
    """A data stream namespace of the test's own."""
    return f"fn{secrets.token_hex(5)}"


@pytest.fixture
def install_template(elasticsearch_server: LocalElasticsearch) -> Template:
    """Puts an index template for all data streams of a namespace in place; the server wipes it with the rest."""

    def install(namespace: str) -> None:
        with elasticsearch_server.client() as admin:
            admin.indices.put_index_template(
                name=f"functions-{namespace}",
                index_patterns=[f"logs-*-{namespace}"],
                priority=5_000,  # above whatever other tests put there
                data_stream={},
                template={
                    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
                    "mappings": {"dynamic": False, "properties": {"@timestamp": {"type": "date"}}},
                },
            )

    return install


@pytest.fixture
def app_settings(
    elasticsearch_server: LocalElasticsearch,
    azurite_server: LocalAzurite,
    users: Users,
    namespace: str,
    install_template: Template,
) -> dict[str, str]:
    """A whole app: both hubs, least privileges, index templates, containers of its own."""
    install_template(namespace)
    return {
        **elasticsearch_server.app_settings(users.shipper),
        "NAMESPACE": namespace,
        "AzureWebJobsStorage": azurite_server.connection_string,
        "DEAD_LETTER_CONTAINER": azurite_server.container_name("dead-letter"),
        "STATE_CONTAINER": azurite_server.container_name("state"),
        "XDR_EVENT_HUB_NAMES": "defender-xdr",
        "XDR_EVENT_HUB": "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=listen;SharedAccessKey=aHViLXNlY3JldA==",
        "CLOUD_EVENT_HUB_NAMES": "for-cloud",
        "CLOUD_EVENT_HUB__fullyQualifiedNamespace": "example.servicebus.windows.net",
    }


@pytest.fixture
def polling(
    app_settings: dict[str, str],
    azurite_server: LocalAzurite,
    elasticsearch_server: LocalElasticsearch,
    fake: Microsoft,
    tenant: Tenant,
    namespace: str,
) -> dict[str, str]:
    """App settings of an app that polls everything from that tenant."""
    with elasticsearch_server.client() as admin:
        put_templates(admin, namespace=namespace)
    return {
        **app_settings,
        **fake.environment(tenant, fake.app(tenant, secret=SECRET)),
        "CURSOR_CONTAINER": azurite_server.container_name("cursors"),
        "POLL_SOURCES": ", ".join(SOURCES),
        "LATEST_VIEWS": "true",
        "EVIDENCE_DOCUMENTS": "true",
    }
