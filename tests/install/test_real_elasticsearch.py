"""The installer on the real Elasticsearch, with the real files: field types that it lacks are replaced, all else that it lacks it refuses itself.

A server of its own: what is installed here would serve every data stream of the tests that share one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.install.choices import Fleet
from cli.install.run import choices_of, install_into
from cli.install.steps import Step
from cli.install.uninstall import uninstall_from
from cli.install.wanted import Wanted, read
from local.elasticsearch import LocalElasticsearch, User, elasticsearch
from local.templates import with_families
from shared.errors import Misconfigured
from tests.conftest import require
from tests.install.small import by_name
from tools.write_golden import GOLDEN, expectation

OLD = Path(__file__).resolve().parent / "version_5db5bbe"
# What the installer needs (docs/elasticsearch.md), as far as this server has it.
INSTALLER = {
    "cluster": ["monitor", "manage_index_templates", "manage_ingest_pipelines", "manage_ilm", "manage_transform"],
    "indices": [
        {
            "names": ["logs-m365_defender.*", "logs-microsoft_defender_cloud.*", "m365_defender.*_latest-*", "security_solution-*_latest*"],
            "privileges": ["manage"],
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[LocalElasticsearch]:
    """A real server with nothing on it."""
    require("elasticsearch")
    with elasticsearch() as running:
        yield running


def install(
    server: LocalElasticsearch,
    namespace: str,
    *,
    user: User | None = None,
    files: Wanted | None = None,
    dry_run: bool = False,
    **options: Any,
) -> list[Step]:
    """Install, by default as the installer's user with no more than its role; the steps."""
    files = files or read()
    who = user or server.add_user("installer", role=INSTALLER)
    environment = {**server.app_settings(who), "NAMESPACE": namespace}
    choices = choices_of(environment, files, **options)
    return list(install_into(environment, files=files, choices=choices, adapt=with_families, dry_run=dry_run))


def changes(steps: list[Step], namespace: str) -> list[str]:
    """What was done: of data streams and indices only for this test's namespace."""
    return [
        f"{s.state} {s.kind} {s.name}"
        for s in steps
        if s.state in ("new", "changed")
        and (s.kind not in ("data stream", "lifecycle") or s.name.endswith(f"-{namespace}"))
    ]


def golden(namespace: str, datasets: tuple[str, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    """(index, document) for every golden document, or those of some datasets."""
    made = (one for folder in sorted(GOLDEN.iterdir()) for one in expectation(folder, duplicates=True))
    return [
        (one["_index"].removesuffix("default") + namespace, one["_source"])
        for one in made
        if not datasets or one["_index"].startswith(datasets)
    ]


def ship(server: LocalElasticsearch, documents: list[tuple[str, dict[str, Any]]], mark: str) -> list[Any]:
    """Index them as the shipper does, and give what was refused."""
    lines: list[dict[str, Any]] = []
    for number, (index, source) in enumerate(documents):
        lines += [{"create": {"_index": index, "_id": f"{mark}{number}"}}, source]
    with server.client(request_timeout=120) as client:
        answer = client.bulk(operations=lines, require_data_stream=True, refresh=True)
    return [item["create"] for item in answer["items"] if item["create"]["status"] != 201]


def test_install_twice_with_documents_between(server: LocalElasticsearch) -> None:
    """A dry run changes nothing; then all is put by a user with the installer's role; with every golden document indexed, a second run has nothing to do."""
    with server.client() as client:
        before = client.cluster.get_component_template()["component_templates"]
        would = install(server, "journey", dry_run=True)
        assert client.cluster.get_component_template()["component_templates"] == before
        done = install(server, "journey")
        assert changes(done, "journey") == changes(would, "journey")
        for index in (step.name for step in done if step.kind == "index"):
            assert client.indices.exists(index=index)
        assert client.indices.exists_alias(name="security_solution-m365_defender.vulnerability_latest")
    assert ship(server, golden("journey"), "j") == []
    again = install(server, "journey")
    assert changes(again, "journey") == []
    assert {s.name for s in again if s.kind == "data stream" and s.state == "unchanged"} >= {
        index for index, _ in golden("journey")
    }


def test_logsdb_takes_every_document(server: LocalElasticsearch) -> None:
    """index.mode logsdb: the golden documents go in, malformed values are refused as before, and a second run has nothing to do."""
    install(server, "logsdb", logsdb=True)
    documents = golden("logsdb")
    assert ship(server, documents, "l") == []
    bad = {**documents[0][1], "event": {**documents[0][1]["event"], "severity": "high"}}
    assert [item["status"] for item in ship(server, [(documents[0][0], bad)], "bad")] == [400]
    assert changes(install(server, "logsdb", logsdb=True), "logsdb") == []
    with server.client() as client:
        settings = client.indices.get_settings(index="logs-*-logsdb", flat_settings=True)
        assert {item["settings"]["index.mode"] for item in settings.values()} == {"logsdb"}


def test_what_this_server_lacks_is_said_and_the_rest_is_done(server: LocalElasticsearch) -> None:
    """It has neither ILM nor geoip nor transforms, and refuses a setting: a sentence each, and twice changes nothing."""
    files = read()
    name = "logs-m365_defender.log"
    body = json.loads(json.dumps(files.index_templates[name]))
    body["template"]["settings"]["index.lifecycle.name"] = "somebody's"
    files = replace(
        files,
        index_templates={**files.index_templates, name: body},
        transforms={"latest": {"source": {"index": "logs-*"}, "dest": {"index": "x"}}},
    )
    options: dict[str, Any] = {"ilm": True, "geoip": True, "transforms": True}
    steps = install(server, "lacking", files=files, **options)
    assert {step.kind for step in steps if step.state == "missing"} >= {"ILM", "ingest pipeline", "transform"}
    assert (
        by_name(steps)["index template", name].words
        == "without index.lifecycle.name, which this cluster does not take."
    )
    assert changes(install(server, "lacking", files=files, **options), "lacking") == []
    install(server, "lacking")  # as the other tests expect it


def test_an_upgrade_rolls_over_and_finds_old_and_new(server: LocalElasticsearch) -> None:
    """Templates of an older version with documents: upgraded in place, one rollover, and documents before and after are found by one search."""
    name, view = "logs-m365_defender.vulnerability", "security_solution-m365_defender.vulnerability_latest-v1"
    stream = f"{name}-upgrade"
    old = read(OLD)
    with server.client() as client:  # other tests may have made it, of what is new
        client.indices.delete(index=view, ignore_unavailable=True)
    install(server, "upgrade", files=old)
    documents = golden("upgrade", (name,))
    assert ship(server, documents, "before") == []
    assert changes(install(server, "upgrade", files=old), "upgrade") == []
    would = changes(install(server, "upgrade", dry_run=True), "upgrade")
    steps = by_name(install(server, "upgrade"))
    assert "not yet" in steps["data stream", stream].words
    assert f"changed data stream {stream}" in would
    assert steps["index template", name].state == "changed"
    assert "fields more" in steps["index", view].words
    assert changes(install(server, "upgrade"), "upgrade") == []
    assert ship(server, documents, "after") == []
    with server.client() as client:
        backing = client.indices.resolve_index(name=stream)["data_streams"][0]["backing_indices"]
        assert len(backing) == 2
        for query in ({"term": {"event.dataset": "m365_defender.vulnerability"}}, {"prefix": {"host.name": "build"}}):
            once = sum(matches(source, query) for _, source in documents)
            assert client.count(index=stream, query=query)["count"] == 2 * once > 0
        assert "text" in client.field_caps(index=stream, fields="host.os.name.text")["fields"]["host.os.name.text"]


def matches(source: dict[str, Any], query: dict[str, Any]) -> bool:
    """Whether a document is one that the term or prefix finds."""
    ((kind, said),) = query.items()
    ((path, wanted),) = said.items()
    value: Any = source
    for part in path.split("."):
        value = (value or {}).get(part)
    return value == wanted if kind == "term" else str(value or "").startswith(wanted)


def test_fleets_template_on_the_real_server(server: LocalElasticsearch) -> None:
    """Left by default, beside for a namespace, replaced by choice; each time the server itself says who holds a data stream."""
    name = "logs-m365_defender.alert_evidence"
    install(server, "fleet")
    theirs: dict[str, Any] = {
        "index_patterns": [f"{name}-*"], "priority": 200, "data_stream": {},
        "template": {"mappings": {"properties": {"theirs": {"type": "keyword"}}}},
        "meta": {"managed_by": "fleet", "package": {"name": "m365_defender"}},
    }  # fmt: skip
    with server.client() as client:

        def holder(namespace: str) -> str:
            fields = client.indices.simulate_index_template(name=f"{name}-{namespace}")["template"]["mappings"][
                "properties"
            ]
            return "theirs" if "theirs" in fields else "ours"

        client.indices.put_index_template(name=name, **theirs)
        assert by_name(install(server, "fleet"))["index template", name].state == "left"
        assert (holder("fleet"), holder("default")) == ("theirs", "theirs")
        assert (
            by_name(install(server, "fleet", fleet=Fleet.BESIDE))["index template", f"{name}-fleet@defender"].state
            == "new"
        )
        assert (holder("fleet"), holder("default")) == ("ours", "theirs")
        assert changes(install(server, "fleet", fleet=Fleet.BESIDE), "fleet") == []
        install(server, "fleet", fleet=Fleet.REPLACE)
        assert (holder("fleet"), holder("default")) == ("ours", "ours")
        assert client.indices.exists_index_template(name=f"{name}-fleet@defender").body is False


def test_a_missing_privilege_has_its_name(server: LocalElasticsearch) -> None:
    """The real server's sentence, for the cluster and for an index: ours names the privilege."""
    less = server.add_user("onlooker", role={"cluster": ["monitor"], "indices": INSTALLER["indices"]})
    with pytest.raises(
        Misconfigured, match="ELASTICSEARCH_USERNAME: the credentials lack the cluster privilege manage_index_templates"
    ):
        install(server, "less", user=less, logsdb=False)
    without_indices = server.add_user("templates-only", role={"cluster": INSTALLER["cluster"], "indices": []})
    with pytest.raises(Misconfigured, match=r"the credentials lack the index privilege \w+"):
        install(server, "less", user=without_indices)


def test_uninstall_names_what_is_in_use(server: LocalElasticsearch) -> None:
    """Templates that data streams rest on are refused by the server and named, the others go, and no document is lost."""
    install(server, "end")
    assert ship(server, golden("end", ("logs-m365_defender.log",)), "e") == []
    environment = {**server.app_settings(server.add_user("installer", role=INSTALLER)), "NAMESPACE": "end"}
    steps = by_name(list(uninstall_from(environment)))
    assert steps["index template", "m365_defender.alert_latest"].state == "removed"
    assert "in use" in steps["index template", "logs-m365_defender.log"].words
    assert steps["data stream", "logs-m365_defender.log-end"].state == "left"
    assert steps["index", "m365_defender.alert_latest-end"].state == "left"
    with server.client() as client:
        assert client.count(index="logs-m365_defender.log-end")["count"] == len(
            golden("end", ("logs-m365_defender.log",))
        )


def test_templates_that_grew_beyond_the_old_limit_go_in(server: LocalElasticsearch) -> None:
    """The server checks a component template with the index template that uses it: one that is too small yet is tried again after that."""
    name = "logs-m365_defender.grown"

    def version(fields: int) -> Wanted:
        properties = {f"field_{number}": {"type": "keyword"} for number in range(fields)}
        template = {
            "index_patterns": [f"{name}-*"], "data_stream": {}, "priority": 250, "composed_of": [f"{name}@ecs"],
            "template": {"settings": {"index.mapping.total_fields.limit": fields + 5}, "lifecycle": {"enabled": True}},
            "_meta": {"managed_by": "defender-to-elasticsearch"},
        }  # fmt: skip
        part = {"template": {"mappings": {"properties": properties}}, "_meta": template["_meta"]}
        return Wanted(component_templates={f"{name}@ecs": part}, index_templates={name: template})

    install(server, "grown", files=version(10))
    assert ship(server, [(f"{name}-grown", {"@timestamp": "2026-01-01T00:00:00Z"})], "g") == []
    done = by_name(install(server, "grown", files=version(40)))
    assert done["component template", f"{name}@ecs"].state == "changed"
    assert "30 fields not yet" in done["data stream", f"{name}-grown"].words
    assert changes(install(server, "grown", files=version(40)), "grown") == []
