"""The shipped roles on the real server: what each allows works, what it does not is refused, and what is lacking is told by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase as fnmatch
from typing import Any

import pytest
from elasticsearch import ApiError, Elasticsearch

from local.demo_install import install_here
from local.elasticsearch import INSTALLER_ROLE, SHIPPER_ROLE, LocalElasticsearch, elasticsearch, roles_of
from shared.backoff import Clock
from shared.errors import Misconfigured
from shared.runs import DATASET as RUNS
from shared.ship.client import BULK_LATEST, client_post
from shared.ship.document import Document
from shared.ship.latest import VIEWS, latest_index
from shared.ship.privileges import lacking, needed
from shared.ship.shipper import Shipper
from tests.conftest import require
from tests.ship.shipping import document, settings
from tests.ship.target import ship
from tools.fields import datasets
from tools.write_roles import files, roles

STREAMS = [f"logs-{dataset}-roles" for dataset in sorted(datasets())]
LATEST = [latest_index(view, "roles") for view in VIEWS]
STREAM, VIEW, FINDINGS = "logs-m365_defender.event-acts", "m365_defender.alert_latest-acts", LATEST[-1]
EVENT = {"@timestamp": "2026-01-02T03:04:05Z", "message": "made up"}

type Act = Callable[[Elasticsearch], Any]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalElasticsearch]:
    """A server whose templates the installer's user put there, and documents that the shipper's user added."""
    require("elasticsearch")
    with elasticsearch() as running:
        install_here(running)
        with running.client(running.add_user("shipper", role=SHIPPER_ROLE)) as shipper:
            shipper.create(index=STREAM, id="there", document=EVENT)
            shipper.index(index=VIEW, id="there", document=EVENT, version=5, version_type="external")
            shipper.index(index=FINDINGS, id="there", document=EVENT, version=5, version_type="external")
        yield running


def put(path: str, body: Mapping[str, Any]) -> Act:
    """A PUT, for what this server has and the client's methods would prepare too well."""
    return lambda client: client.perform_request("PUT", path, headers=JSON, body=body)


def backing() -> str:
    """The index behind the data stream, where a document could be changed; the data stream itself takes new ones only."""
    return f".ds-{STREAM}-{datetime.now(UTC):%Y.%m.%d}-000001"


JSON = {"accept": "application/json", "content-type": "application/json"}

# fmt: off
SHIPPER_MAY: dict[str, Act] = {
    "add to a data stream":              lambda c: c.create(index=STREAM, id="new", document=EVENT),
    "add a field that no template has":  lambda c: c.create(index=STREAM, id="more", document={**EVENT, "own": {"field": "x"}}),
    "renew an entry of a latest view":   lambda c: c.index(index=VIEW, id="there", document=EVENT, version=6, version_type="external"),
    "look for old entries of findings":  lambda c: c.search(index=FINDINGS, query={"range": {"@timestamp": {"lt": "now-26h"}}}),
    "remove an entry of findings":       lambda c: c.delete(index=FINDINGS, id="there"),
}
SHIPPER_MAY_NOT: dict[str, Act] = {
    "read a data stream":                lambda c: c.search(index=STREAM),
    "change a document":                 lambda c: c.index(index=backing(), id="there", document=EVENT, if_seq_no=0, if_primary_term=1),
    "update a document":                 lambda c: c.update(index=backing(), id="there", doc=EVENT),
    "remove a document":                 lambda c: c.delete(index=backing(), id="there"),
    "read alerts' latest view":          lambda c: c.get(index=VIEW, id="there"),
    "remove from alerts' latest view":   lambda c: c.delete(index=VIEW, id="there"),
    "write to another data stream":      lambda c: c.create(index="logs-other-default", id="x", document=EVENT),
    "write to another integration's":    lambda c: c.create(index="logs-m365_defender-default", id="x", document=EVENT),
    "write to an index of its own":      lambda c: c.index(index="mine", id="x", document=EVENT),
    "roll over":                         lambda c: c.indices.rollover(alias=STREAM),
    "map by hand":                       lambda c: c.indices.put_mapping(index=STREAM, properties={"own": {"type": "keyword"}}),
    "change settings":                   lambda c: c.indices.put_settings(index=STREAM, settings={"index.refresh_interval": "1h"}),
    "delete a view":                     lambda c: c.indices.delete(index=VIEW),
    "put a template":                    put("/_index_template/own", {"index_patterns": ["own-*"]}),
    "read templates":                    lambda c: c.indices.get_index_template(name="*"),
    "put a pipeline":                    put("/_ingest/pipeline/own", {"processors": []}),
    "look at the cluster":               lambda c: c.cluster.health(),
    "change the cluster":                lambda c: c.cluster.put_settings(persistent={"cluster.max_shards_per_node": 2_000}),
    "read users":                        lambda c: c.perform_request("GET", "/_security/user", headers=JSON),
}
INSTALLER_MAY: dict[str, Act] = {
    "put a component template":          put("/_component_template/logs-m365_defender.event@custom", {"template": {}}),
    "read component templates":          lambda c: c.cluster.get_component_template(name="logs-*"),
    "put an index template":             put("/_index_template/logs-acts", {"index_patterns": ["logs-acts-*"], "data_stream": {}, "priority": 250}),
    "read others' index templates":      lambda c: c.indices.get_index_template(name="*"),
    "try a template":                    lambda c: c.indices.simulate_index_template(name=STREAM),
    "delete an index template":          lambda c: c.indices.delete_index_template(name="logs-acts"),
    "delete a component template":       lambda c: c.cluster.put_component_template(name="gone@custom", template={}) and c.cluster.delete_component_template(name="gone@custom"),
    "put a pipeline":                    put("/_ingest/pipeline/logs-m365_defender.event", {"processors": []}),
    "read pipelines":                    lambda c: c.ingest.get_pipeline(id="*"),
    "delete a pipeline":                 lambda c: c.ingest.delete_pipeline(id="logs-m365_defender.event"),
    "find our data streams":             lambda c: c.indices.resolve_index(name="logs-m365_defender.*,logs-microsoft_defender_cloud.*"),
    "roll a data stream over":           lambda c: c.indices.rollover(alias=STREAM),
    "read a data stream's mapping":      lambda c: c.indices.get_mapping(index=STREAM),
    "map a field":                       lambda c: c.indices.put_mapping(index=STREAM, properties={"acts": {"type": "keyword"}}),
    "change a data stream's settings":   lambda c: c.indices.put_settings(index=STREAM, settings={"index.refresh_interval": "30s"}),
    "make a latest view":                lambda c: c.indices.create(index="m365_defender.incident_latest-acts"),
    "give a view its alias":             lambda c: c.indices.put_alias(index=FINDINGS, name=VIEWS["vulnerability"].alias or ""),
    "know how much there is":            lambda c: c.indices.stats(index=STREAM),
    "delete a latest view":              lambda c: c.indices.delete(index="m365_defender.incident_latest-acts"),
    "ask for the licence":               lambda c: c.license.get(),
    "ask for nodes' versions":           lambda c: c.nodes.info(),
    "ask for the cluster's settings":    lambda c: c.cluster.get_settings(),
}
INSTALLER_MAY_NOT: dict[str, Act] = {
    "read a document":                   lambda c: c.search(index=STREAM),
    "count documents":                   lambda c: c.count(index=VIEW),
    "add a document":                    lambda c: c.create(index=STREAM, id="by-installer", document=EVENT),
    "change an entry":                   lambda c: c.index(index=VIEW, id="there", document=EVENT),
    "make another index":                lambda c: c.indices.create(index="mine"),
    "map another's data stream":         lambda c: c.indices.put_mapping(index="logs-m365_defender-default", properties={}),
    "change the cluster":                lambda c: c.cluster.put_settings(persistent={"cluster.max_shards_per_node": 2_000}),
    "read users":                        lambda c: c.perform_request("GET", "/_security/user", headers=JSON),
    "read snapshots' repositories":      lambda c: c.snapshot.get_repository(),
}
# fmt: on


@pytest.mark.parametrize("name", [*STREAMS, f"logs-{RUNS}-roles"])
def test_the_shipper_adds_to_every_data_stream(server: LocalElasticsearch, name: str) -> None:
    """The first document makes it, the same again is a duplicate."""
    with server.client(server.add_user("shipper", role=SHIPPER_ROLE)) as client:
        assert client.create(index=name, id="one", document=EVENT)["result"] == "created"
        with pytest.raises(ApiError, match="version_conflict"):
            client.create(index=name, id="one", document=EVENT)


@pytest.mark.parametrize("name", LATEST)
def test_the_shipper_renews_every_latest_view(server: LocalElasticsearch, name: str) -> None:
    """A newer version takes the place of an older one."""
    with server.client(server.add_user("shipper", role=SHIPPER_ROLE)) as client:
        for version in (1, 2):
            made = client.index(index=name, id="one", document=EVENT, version=version, version_type="external")
            assert made["_version"] == version


@pytest.mark.parametrize("act", SHIPPER_MAY)
def test_the_shipper_may(server: LocalElasticsearch, act: str) -> None:
    """Everything that shipping does works."""
    with server.client(server.add_user("shipper", role=SHIPPER_ROLE)) as client:
        SHIPPER_MAY[act](client)


@pytest.mark.parametrize("act", SHIPPER_MAY_NOT)
def test_the_shipper_may_not(server: LocalElasticsearch, act: str) -> None:
    """Everything else is refused, as it stands in the privileges and not because it can not be done."""
    with server.client(server.add_user("shipper", role=SHIPPER_ROLE)) as client:
        refused(lambda: SHIPPER_MAY_NOT[act](client))


@pytest.mark.parametrize("act", INSTALLER_MAY)
def test_the_installer_may(server: LocalElasticsearch, act: str) -> None:
    """Everything that installing does works, in this order."""
    with server.client(server.add_user("installer", role=INSTALLER_ROLE)) as client:
        INSTALLER_MAY[act](client)


@pytest.mark.parametrize("act", INSTALLER_MAY_NOT)
def test_the_installer_may_not(server: LocalElasticsearch, act: str) -> None:
    """Documents are none of its business, nor is what others own."""
    with server.client(server.add_user("installer", role=INSTALLER_ROLE)) as client:
        refused(lambda: INSTALLER_MAY_NOT[act](client))


def refused(act: Callable[[], Any]) -> str:
    """The server's words for a 403."""
    with pytest.raises(ApiError) as caught:
        act()
    assert caught.value.status_code == 403, caught.value
    assert caught.value.error == "security_exception"
    return str(caught.value.body["error"]["reason"])


@pytest.mark.parametrize(
    ("privilege", "act"),
    [
        ("manage_index_templates", "put an index template"),
        ("manage_ingest_pipelines", "put a pipeline"),
        ("monitor", "ask for the licence"),
        ("manage", "roll a data stream over"),
        ("manage", "make a latest view"),
    ],
)
def test_what_the_installer_lacks_is_named(server: LocalElasticsearch, privilege: str, act: str) -> None:
    """Without one of its privileges what it is for is refused, and the refusal can be read."""
    with server.client(server.add_user(f"no-{privilege}", role=without(INSTALLER_ROLE, privilege))) as client:
        words = refused(lambda: INSTALLER_MAY[act](client))
    offered = words.rpartition("privileges [")[2].rstrip("]").split(",")
    assert privilege in offered
    assert lacking(words) == offered[0]


def without(role: Mapping[str, Any], privilege: str, index: str = "") -> dict[str, Any]:
    """The role without a privilege; on grants that name indices beginning like `index` only, if that is given."""
    head = index.partition("-")[0]

    def left(grant: Mapping[str, Any]) -> list[str]:
        ours = any(name.startswith(head) for name in grant["names"])
        return [one for one in grant["privileges"] if one != privilege or not ours]

    return {
        "cluster": [one for one in role["cluster"] if one != privilege],
        "indices": [{**grant, "privileges": left(grant)} for grant in role["indices"] if left(grant)],
    }


@pytest.mark.parametrize(
    ("privilege", "index", "fields"),
    [
        ("auto_configure", "logs-m365_defender.log-lack", {}),
        ("auto_configure", STREAM, {"lack": {"one": "more"}}),
        ("create_doc", STREAM, {}),
        ("auto_configure", "m365_defender.incident_latest-lack", {}),
        ("index", VIEW, {}),
    ],
)
def test_what_the_shipper_lacks_is_misconfigured(
    server: LocalElasticsearch, privilege: str, index: str, fields: dict[str, Any]
) -> None:
    """Without one of its privileges, on data streams or on views, the app names it and where, holds the batch, and puts nothing away."""
    role = without(SHIPPER_ROLE, privilege, index)
    user = server.add_user(f"no-{privilege}-{index[:4]}", role=role)
    made = document("lacking", index=index, **EVENT, **fields)
    view = not index.startswith("logs-")
    if view:
        made = Document(index, "lacking", made.source, made.table, made.record, version=1)
    own = settings(**server.app_settings(user))
    post = client_post(own, path=BULK_LATEST) if view else None
    with pytest.raises(Misconfigured) as caught:
        ship(Shipper(own, post=post, clock=Clock(first_delay=0.1)), [made])
    assert caught.value.setting == "ELASTICSEARCH_USERNAME"
    assert caught.value.sentence.startswith(f"the credentials lack the privilege {privilege} on {index} (")


def test_a_request_refused_as_a_whole_names_each_data_stream_once(server: LocalElasticsearch) -> None:
    """Whoever may write nothing at all gets one 403 for the request, without names: ours stand in the sentence."""
    user = server.add_user("nothing", role={"cluster": ["monitor"]})
    batch = [document(str(number), index=name, **EVENT) for name in STREAMS[:2] for number in range(3)]
    with pytest.raises(Misconfigured) as caught:
        ship(Shipper(settings(**server.app_settings(user)), clock=Clock(first_delay=0.1)), batch)
    said = f"the credentials lack the privilege create_doc on {STREAMS[0]}, {STREAMS[1]} ("
    assert caught.value.sentence.startswith(said)


def test_the_server_knows_every_privilege(server: LocalElasticsearch) -> None:
    """No name in the files is misspelt; those for parts that this server lacks (ILM, transforms) are granted to whoever has the role."""
    with server.client() as admin:
        known = admin.security.get_builtin_privileges()
    for found in roles().values():
        for role in found.values():
            assert set(role["cluster"]) <= set(known["cluster"])
            assert {one for grant in role["indices"] for one in grant["privileges"]} <= set(known["index"])
    lasting = ["manage_ilm", "manage_transform"]
    for file, held in (("installer", lasting[:1]), ("transforms", lasting), ("shipper", [])):
        with server.client(server.add_user(f"all-of-{file}", role=roles_of(file))) as client:
            answer = client.security.has_privileges(cluster=[*lasting, "manage_security", "all"])
            assert [name for name, granted in answer["cluster"].items() if granted] == held


def test_the_files_are_requests_for_api_keys() -> None:
    """Each has the parts that `POST /_security/api_key` takes and no other; every data stream and view has its privileges."""
    for path, text in files().items():
        body = json.loads(text)
        assert path.read_text() == text
        assert set(body) <= {"name", "expiration", "role_descriptors", "metadata"}
        assert all(
            set(role) <= {"cluster", "indices", "applications", "metadata"}
            for role in body["role_descriptors"].values()
        )
    for name in (*STREAMS, *LATEST):
        granted = [
            grant["privileges"]
            for grant in SHIPPER_ROLE["indices"]
            if any(fnmatch(name, pattern) for pattern in grant["names"])
        ]
        assert granted == [list(needed(name))], name
