"""Latest views from the fake of Microsoft's APIs through sweeps into the real Elasticsearch: what heals, vanishes or can not be read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from local import microsoft_data as data
from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch
from local.templates import put_templates
from shared.flows import normaliser
from shared.settings import Settings
from shared.ship.client import BULK_LATEST, client_ask, client_post
from shared.ship.latest import VIEWS
from shared.ship.shipper import Shipper
from shared.sweeps import Swept
from tests.poll.stand import Stand

SETTINGS, FLAWS, MACHINES = (VIEWS[name] for name in ("misconfiguration", "vulnerability_finding", "vulnerability"))
ONE, TWO = (f"{number * 8}-2222-3333-4444-555555555555" for number in "12")


@dataclass
class Tenant:
    """A stand whose documents and views are on a real server, in a namespace of its own."""

    stand: Stand
    client: Elasticsearch
    namespace: str

    def day(self, hours: float = 24.5) -> list[Swept]:
        """Time passes, and assessments are polled."""
        self.stand.later(hours=hours)
        return self.poll("assessment")

    def poll(self, source: str) -> list[Swept]:
        """One run, with everything refreshed before it, so that expiry sees all."""
        self.client.indices.refresh(index="security_solution-*,m365_defender.*", ignore_unavailable=True)
        return self.stand.poll(source)

    def held(self, view: Any) -> dict[str, dict[str, Any]]:
        """event.id -> entry of a view."""
        self.client.indices.refresh(index=view.index.format(namespace=self.namespace), ignore_unavailable=True)
        query = {"term": {"data_stream.namespace": self.namespace}}
        index = view.alias or view.index.format(namespace=self.namespace)
        found = self.client.search(index=index, size=1000, query=query, ignore_unavailable=True)
        return {hit["_source"]["event"]["id"]: hit["_source"] for hit in found["hits"]["hits"]}

    def assess(self, subscription: str, number: int, *, findings: int = 0) -> dict[str, Any]:
        """An unhealthy assessment of a subscription, with so many findings of programs."""
        azure, scope = self.stand.tenant.azure, f"subscriptions/{subscription}"
        azure.subscriptions[subscription] = "Enabled"
        row = data.assessment(self.namespace, scope, number, self.stand.now, findings=findings > 0)
        row["properties"]["status"]["code"] = "Unhealthy"
        azure.assessments.setdefault(scope, []).append(row)
        if findings:
            azure.findings[row["id"].lower()] = [
                data.finding(self.namespace, row["id"], 2 * place + 1, self.stand.now) for place in range(findings)
            ]  # fmt: skip
        return row


@pytest.fixture(scope="module")
def admin(elasticsearch_server: LocalElasticsearch) -> Iterator[Elasticsearch]:
    """The administrator's client, on a server with the templates."""
    with elasticsearch_server.client() as client:
        put_templates(client, namespace="latest*")
        yield client


@pytest.fixture
def make(elasticsearch_server: LocalElasticsearch, admin: Elasticsearch) -> Callable[..., Tenant]:
    """Makes a tenant, in a namespace (by default of its own), shipped by the least-privileged user or one with another role."""

    def tenant(namespace: str = "", role: dict[str, Any] | None = None, **settings: str) -> Tenant:
        namespace = namespace or f"latest{secrets.token_hex(5)}"
        user = elasticsearch_server.add_user("latest" if role is None else "latest-less", role=role)
        stand = Stand(settings={"LATEST_VIEWS": "true", **settings})
        told = Settings.read(elasticsearch_server.app_settings(user) | {"NAMESPACE": namespace})
        assert told.namespace == namespace
        stand.parts = replace(
            stand.parts,
            settings=told,
            normaliser=normaliser(told),
            shipper=Shipper(told, clock=stand.time.clock()),
            latest=Shipper(told, post=client_post(told, path=BULK_LATEST), clock=stand.time.clock()),
            ask=client_ask(told),
        )
        return Tenant(stand, admin, namespace)

    return tenant


def latest(swept: list[Swept]) -> dict[str, int]:
    """What became of entries in a run."""
    total: dict[str, int] = {}
    for one in swept:
        for name, count in one.report.latest.items():
            total[name] = total.get(name, 0) + count
    return {name: count for name, count in total.items() if count}


def scan(entry: dict[str, Any]) -> datetime:
    """When the scan began that saw an entry last."""
    return datetime.fromisoformat(entry["defender_to_elasticsearch"]["latest"]["scan"])


def test_what_is_healed_or_gone_leaves(make: Callable[..., Tenant]) -> None:
    """A healed flaw leaves with the scan that says so; what is not there any more, 26 hours after it was seen last."""
    tenant = make()
    kept, gone = tenant.assess(ONE, 0), tenant.assess(ONE, 1)
    parent = tenant.assess(ONE, 2, findings=2)
    azure = tenant.stand.tenant.azure
    healed, stays = azure.findings[parent["id"].lower()]
    assert latest(tenant.poll("assessment")) == {"written": 4}
    assert tenant.held(SETTINGS).keys() == {kept["id"], gone["id"]}
    assert tenant.held(FLAWS).keys() == {healed["id"], stays["id"]}
    begun = tenant.stand.now

    healed["properties"]["status"]["code"] = "Healthy"
    kept["properties"]["status"]["code"] = "Healthy"
    azure.assessments[f"subscriptions/{ONE}"].remove(gone)
    assert latest(tenant.day()) == {"written": 2, "over": 1}
    assert tenant.held(FLAWS).keys() == {stays["id"]}
    entries = tenant.held(SETTINGS)
    assert entries.keys() == {kept["id"], gone["id"]}  # not yet 26 hours
    assert entries[kept["id"]]["event"]["outcome"] == "success"
    assert (scan(entries[kept["id"]]) - begun).total_seconds() == 24.5 * 3600

    assert latest(tenant.day(1)) == {}
    assert latest(tenant.day(1)) == {"expired": 1}
    assert tenant.held(SETTINGS).keys() == {kept["id"]}
    assert latest(tenant.day(0.5)) == {}


def test_a_scope_that_can_not_be_read_keeps_its_entries(make: Callable[..., Tenant]) -> None:
    """Another subscription's scans say nothing of it, nor does one that is not complete; when it can be read again, what is gone goes."""
    tenant = make()
    first, second, vanishing = tenant.assess(ONE, 0), tenant.assess(TWO, 0), tenant.assess(TWO, 1)
    tenant.poll("assessment")
    azure = tenant.stand.tenant.azure
    azure.assessments[f"subscriptions/{TWO}"].remove(vanishing)
    tenant.stand.fake.fault(
        "status", "arm.assessments", when=lambda request: TWO in request.path, options={"status": 403}
    )
    for _ in range(9):
        results = {one.scope: one.result for one in tenant.day()}
        assert results[f"subscriptions/{ONE}"] == "finished"
        assert results[f"subscriptions/{TWO}"] != "finished"
    assert tenant.held(SETTINGS).keys() == {first["id"], second["id"], vanishing["id"]}
    tenant.stand.fake.faults.clear()
    assert latest(tenant.day())["expired"] == 1
    assert tenant.held(SETTINGS).keys() == {first["id"], second["id"]}


def test_findings_that_are_owed_keep_their_entries(make: Callable[..., Tenant]) -> None:
    """A scan with assessments whose findings could not be read is not complete."""
    tenant = make()
    parent, other = tenant.assess(ONE, 0, findings=2), tenant.assess(ONE, 1)
    tenant.poll("assessment")
    findings = tenant.stand.tenant.azure.findings[parent["id"].lower()]
    tenant.stand.fake.fault("status", "arm.findings", options={"status": 500})
    tenant.day()
    tenant.day(3)
    assert tenant.held(FLAWS).keys() == {row["id"] for row in findings}
    tenant.stand.fake.faults.clear()
    del findings[0]
    for _ in range(3):
        tenant.day()
    assert tenant.held(FLAWS).keys() == {findings[0]["id"]}
    assert tenant.held(SETTINGS).keys() == {other["id"]}


def test_a_subscription_that_is_polled_no_more_is_forgotten(make: Callable[..., Tenant]) -> None:
    """Its entries stay a week, as their documents do, and then go with the scans of another."""
    tenant = make()
    first, second = tenant.assess(ONE, 0), tenant.assess(TWO, 0)
    tenant.poll("assessment")
    tenant.stand.tenant.azure.subscriptions[TWO] = "Deleted"
    for _ in range(6):
        tenant.day()
    assert tenant.held(SETTINGS).keys() == {first["id"], second["id"]}
    for _ in range(2):
        tenant.day()
    assert tenant.held(SETTINGS).keys() == {first["id"]}


def test_tenants_share_a_view_and_not_their_fate(make: Callable[..., Tenant]) -> None:
    """Two tenants in one namespace: the scans of one take nothing of the other."""
    mine = make()
    other = make(mine.namespace)
    row, theirs = mine.assess(ONE, 0), other.assess(TWO, 0)
    mine.poll("assessment")
    other.poll("assessment")
    mine.stand.tenant.azure.assessments[f"subscriptions/{ONE}"].remove(row)
    for _ in range(9):
        mine.day()
    assert mine.held(SETTINGS).keys() == {theirs["id"]}


def test_vulnerabilities_of_machines_stay_90_days(make: Callable[..., Tenant]) -> None:
    """As in Elastic's transform; a finding that is in the export again is there as it is now."""
    tenant = make()
    rows = [data.vulnerability("v", number, tenant.stand.now) for number in range(3)]
    name = "/export/part-0.json.gz"
    tenant.stand.tenant.export.files = {name: rows}
    assert latest(tenant.poll("vulnerability")) == {"written": 3}
    tenant.stand.tenant.export.files = {name: [{**rows[0], "vulnerabilitySeverityLevel": "Critical"}, rows[1]]}
    tenant.stand.later(days=89)
    tenant.poll("vulnerability")
    assert tenant.held(MACHINES).keys() == {row["id"] for row in rows}
    assert tenant.held(MACHINES)[rows[0]["id"]]["vulnerability"]["severity"] == "Critical"
    tenant.stand.later(days=1.1)
    assert latest(tenant.poll("vulnerability"))["expired"] == 1
    assert tenant.held(MACHINES).keys() == {rows[0]["id"], rows[1]["id"]}


def test_a_failed_expiry_fails_no_poll(make: Callable[..., Tenant], caplog: pytest.LogCaptureFixture) -> None:
    """Without the privilege to read, entries are renewed, everything is shipped, and it is told which privilege lacks."""
    less = [
        {**rule, "privileges": [name for name in rule["privileges"] if name != "read"]} for rule in SHIPPER_ROLE["indices"]
    ]  # fmt: skip
    tenant = make(role={"indices": less})
    row = tenant.assess(ONE, 0)
    tenant.poll("assessment")
    (swept,) = tenant.day()
    assert (swept.result, latest([swept])) == ("finished", {"written": 1, "not_expired": 2})
    assert tenant.held(SETTINGS).keys() == {row["id"]}
    assert any(
        "read is needed on" in record.getMessage() for record in caplog.records if record.name == "defender.sweep"
    )


def test_alerts_stay(make: Callable[..., Tenant]) -> None:
    """An alert's entry is its last version, in a view of the namespace's own, and no scan's mark is in it."""
    tenant = make()
    row = data.alert("l", 1, tenant.stand.now, tenant.stand.tenant.id)
    tenant.stand.tenant.alerts[row["id"]] = row
    tenant.poll("alert")
    tenant.stand.later(days=400)
    changed = data.alert("l", 1, tenant.stand.now, tenant.stand.tenant.id) | {"id": row["id"], "status": "resolved"}
    tenant.stand.tenant.alerts[row["id"]] = changed
    assert latest(tenant.poll("alert"))["written"] == 1
    held = tenant.held(VIEWS["alert"])
    assert held.keys() == {row["id"]}
    assert held[row["id"]]["m365_defender"]["alert"]["status"] == "resolved"
    assert b"defender_to_elasticsearch" not in orjson.dumps(held)
