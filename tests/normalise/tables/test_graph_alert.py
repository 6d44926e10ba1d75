"""Alerts and incidents of Microsoft Graph: how they are split, what their documents are known by, and the rules of their rows."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.errors import Reject
from shared.normalise.api import Context, Source
from shared.normalise.latest import Entry, Latest
from shared.normalise.normaliser import Normalised, Normaliser
from shared.normalise.tables.graph_alert import (
    COLUMNS,
    all_tactics,
    assigned,
    assignee,
    authors,
    categories,
    software,
    split,
)
from shared.normalise.tables.graph_incident import COLUMNS as INCIDENT_COLUMNS
from shared.normalise.tables.graph_incident import all_tags
from shared.normalise.tables.graph_incident import split as split_incident

FACTS = Path(__file__).resolve().parents[4] / "shared" / "facts" / "graph_security.json"
SAMPLES = FACTS.parent.parent / "samples"
NOW = "2026-03-04T10:16:00.000Z"
UPDATED, MILLISECONDS = "2026-03-04T09:40:02.1766667Z", 1_772_617_202_176
DEVICE = {"@odata.type": "#microsoft.graph.security.deviceEvidence", "mdeDeviceId": "d1", "verdict": "unknown"}
ALERT = {"id": "da1_1", "lastUpdateDateTime": UPDATED, "title": "Odd", "severity": "low", "evidence": [DEVICE]}
INCIDENT = {
    "id": "7",
    "lastUpdateDateTime": "2026-03-04T09:45:00Z",
    "displayName": "All of it",
    "status": "active",
    "tenantId": "t1",
}
PLAIN, ALL = Context(tenant="t1"), Context(tenant="t1", evidence=True)


def made(source: Source, value: dict[str, Any], context: Context = PLAIN, **options: Any) -> list[Normalised]:
    """The documents of an object."""
    return list(Normaliser(**options).parts(source, value, context, NOW))


@pytest.mark.skipif(not FACTS.is_file(), reason="the knowledge folder is not beside the project")
@pytest.mark.parametrize(
    ("name", "columns"), [("alert", COLUMNS["GraphAlert"]), ("incident", INCIDENT_COLUMNS["GraphIncident"])]
)
def test_every_documented_property_is_a_column(name: str, columns: dict[str, str]) -> None:
    """The columns are Microsoft's properties; more only where documents' examples have another name, and the type."""
    documented = set(json.loads(FACTS.read_text())[name]["properties"]) - {"alerts"}
    assert documented <= columns.keys()
    assert columns.keys() - documented <= {"@odata.type", "tags"}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the knowledge folder is not beside the project")
@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("alert", "graph_alerts_v2_list.json"),
        ("incident", "graph_incidents_expand_alerts.json"),
        ("incident", "graph_incidents_list.json"),
        ("incident", "graph_incidents_list_live.json"),
    ],
)
def test_documented_and_live_objects_are_mapped_whole(source: Source, file: str) -> None:
    """Nothing in Microsoft's examples and in live answers is unknown or would not convert."""
    for value in json.loads((SAMPLES / file).read_text())["value"]:
        for found in made(source, value, ALL):
            assert found.issues == []


def test_an_alert_is_known_by_its_id_and_its_last_update() -> None:
    """Key, version and the latest view; the columns are the properties as they come."""
    (part,) = split(ALERT, Context())
    assert (part.table, part.key, part.version, part.value) == ("GraphAlert", ("da1_1",), UPDATED, ALERT)
    assert part.latest == Latest("alert", MILLISECONDS)


@pytest.mark.parametrize("updated", [None, "", "yesterday", 5, "0001-01-01T00:00:00Z"])
def test_without_a_time_the_content_is_the_version(updated: Any) -> None:
    """Two contents are two versions, equal ones are one; the latest view goes by the scan, and without one is left alone."""
    one, same, other = (
        {**ALERT, "lastUpdateDateTime": updated, "status": status} for status in ("new", "new", "resolved")
    )
    versions = [next(split(value, Context())).version for value in (one, same, other)]
    assert versions[0] == versions[1] != versions[2]
    assert next(split(one, Context())).latest is None
    scanned = next(split(one, Context(scan="2026-03-04T09:40:02.1766667Z")))
    assert scanned.latest == Latest("alert", MILLISECONDS)


@pytest.mark.parametrize(
    "value", [{}, {"id": None}, {"id": ""}, {"id": " "}, {"id": 1.5}, {"id": True}, {"id": {"a": 1}}, {"title": "x"}]
)
@pytest.mark.parametrize("source", ["alert", "incident"])
def test_what_has_no_id_is_rejected(source: Source, value: dict[str, Any]) -> None:
    """An object that can not be told from others is none of this source."""
    with pytest.raises(Reject) as caught:
        made(source, value)
    assert caught.value.code == "no_id"


@pytest.mark.parametrize("value", [[], "x", None, 5])
@pytest.mark.parametrize("splitting", [split, split_incident])
def test_what_is_no_object_is_rejected(splitting: Any, value: Any) -> None:
    """A list or a text among the rows says so."""
    with pytest.raises(Reject) as caught:
        list(splitting(value, Context()))
    assert caught.value.code == "not_an_object"


def test_each_item_of_evidence_becomes_a_document_if_wanted() -> None:
    """Items keep their values together under the alert's names, in a data stream of their own, and are no alerts."""
    value = {**ALERT, "evidence": [DEVICE, {**DEVICE, "mdeDeviceId": "d2"}, DEVICE, None, {}, "odd"]}
    alert, *items = made("alert", value, ALL)
    assert alert.document["host"]["id"] == ["d1", "d2"]
    assert [item.document["host"]["id"] for item in items] == ["d1", "d2", "d1"]
    assert items[0].id == items[2].id != items[1].id
    assert {item.index for item in items} == {"logs-m365_defender.alert_evidence-default"}
    first = items[0].document
    assert first["event"]["kind"] == "enrichment"
    assert first["event"]["id"] == "da1_1"
    assert first["event"]["severity"] == 21
    assert first["@timestamp"] == UPDATED
    assert first["message"] == first["rule"]["name"] == "Odd"
    assert first["m365_defender"]["alert"] == {
        "id": "da1_1", "title": "Odd", "severity": "low",
        "evidence": {"odata_type": DEVICE["@odata.type"], "mde_device_id": "d1", "verdict": "unknown"},
    }  # fmt: skip
    assert len(made("alert", value)) == 1


def test_evidence_that_is_no_list_is_taken() -> None:
    """One item where a list belongs is one item; none is none."""
    assert [part.table for part in split({**ALERT, "evidence": DEVICE}, ALL)] == ["GraphAlert", "GraphAlertEvidence"]
    nothings: tuple[Any, ...] = (None, [], {}, "x", 5)
    for nothing in nothings:
        assert [part.table for part in split({**ALERT, "evidence": nothing}, ALL)] == ["GraphAlert"]


def test_what_dashboards_and_rules_of_elastic_read_stays() -> None:
    """Vendor fields that Elastic's dashboards count and its suppression rules group by are there without duplicates kept too."""
    value = {
        **ALERT,
        "tenantId": "t1",
        "status": "new",
        "detectionSource": "antivirus",
        "assignedTo": "kim@example.com",
    }
    document = made("alert", value)[0].document
    assert document["m365_defender"]["alert"].keys() >= {"id", "tenant_id", "status", "detection_source", "title"}
    assert document["source"]["user"] == {"name": "kim", "domain": "example.com", "email": "kim@example.com"}
    incident, alert = made("incident", {**INCIDENT, "severity": "high", "alerts": [ALERT]})
    for found in (incident, alert):
        assert found.document["m365_defender"]["incident"].keys() >= {"display_name", "status", "severity", "id"}
        assert found.document["event"]["id"] == "7"
    assert alert.document["m365_defender"]["incident"]["alert"]["id"] == "da1_1"


def test_duplicates_are_kept_by_setting_only() -> None:
    """What event.url and @timestamp say is in vendor fields only where duplicates are kept."""
    value = {**ALERT, "alertWebUrl": "https://security.example.com/alerts/1?tid=2"}
    lean, full = (made("alert", value, duplicates=keep)[0].document["m365_defender"]["alert"] for keep in (False, True))
    assert "web_url" not in lean
    assert "last_update_datetime" not in lean
    assert full["last_update_datetime"] == UPDATED
    assert full["web_url"] == {
        "original": "https://security.example.com/alerts/1?tid=2", "scheme": "https", "domain": "security.example.com",
        "path": "/alerts/1", "query": "tid=2",
    }  # fmt: skip


def test_an_incident_and_its_alerts_are_documents_of_their_own() -> None:
    """The incident's own document has no alert in it, each alert's has the incident's fields; event.code tells them apart."""
    value = {**INCIDENT, "alerts": [ALERT, {**ALERT, "id": "da2_1"}]}
    incident, first, second = made("incident", value, original=True)
    assert [found.document["event"]["code"] for found in (incident, first, second)] == ["incident", "alert", "alert"]
    assert "alert" not in incident.document["m365_defender"]["incident"]
    assert first.document["m365_defender"]["incident"]["alert"]["title"] == "Odd"
    assert first.document["message"] == "All of it"
    assert incident.entries == (Entry("incident", ("7",), 1_772_617_500_000),)
    assert (first.entries, second.entries) == ((), ())
    assert len({incident.id, first.id, second.id}) == 3
    assert orjson.loads(incident.document["event"]["original"]) == INCIDENT
    assert orjson.loads(second.document["event"]["original"]) == {**INCIDENT, "alerts": {**ALERT, "id": "da2_1"}}


def test_an_update_of_the_incident_does_not_ship_its_alerts_again() -> None:
    """Alerts that did not change keep their ids, the incident and the alert that changed get new ones."""
    before = made("incident", {**INCIDENT, "alerts": [ALERT, {**ALERT, "id": "da2_1"}]})
    changed = {**ALERT, "id": "da2_1", "lastUpdateDateTime": "2026-03-04T09:46:00Z"}
    after = made(
        "incident",
        {**INCIDENT, "lastUpdateDateTime": "2026-03-04T09:46:00Z", "status": "resolved", "alerts": [ALERT, changed]},
    )
    assert [old.id == new.id for old, new in zip(before, after, strict=True)] == [False, True, False]


def test_an_alert_has_one_id_in_both_forms() -> None:
    """A stored line of an incident with one alert becomes just the document that the alert in a list becomes."""
    (line,) = made("incident", {**INCIDENT, "alerts": ALERT})
    listed = made("incident", {**INCIDENT, "alerts": [ALERT]})[1]
    assert (line.id, line.document) == (listed.id, listed.document)


def test_an_alerts_evidence_has_one_id_in_both_sources() -> None:
    """The same item from the alert and from its incident is one document."""
    of_alert = made("alert", ALERT, ALL)[1]
    of_incident = [
        found for found in made("incident", {**INCIDENT, "alerts": [ALERT]}, ALL) if found.table == "GraphAlertEvidence"
    ]
    of_line = [
        found for found in made("incident", {**INCIDENT, "alerts": ALERT}, ALL) if found.table == "GraphAlertEvidence"
    ]
    assert [found.id for found in of_incident] == [found.id for found in of_line] == [of_alert.id]
    assert of_incident[0].document == of_alert.document


@pytest.mark.parametrize("alerts", [[ALERT], ALERT, None, [], {}])
def test_without_alerts_there_is_the_incident_alone(alerts: Any) -> None:
    """Also where a context wants none of the alerts that are there."""
    context = Context(tenant="t1", alerts=not alerts)
    (found,) = made("incident", {**INCIDENT, "alerts": alerts}, context)
    assert (found.table, found.issues) == ("GraphIncident", [])


def test_what_is_no_alert_is_reported_and_carried() -> None:
    """Texts among the alerts, or instead of them, cost neither the incident nor its alerts; an alert without an id is kept."""
    incident, nameless, alert = made("incident", {**INCIDENT, "alerts": ["odd", None, {"title": "No id"}, 5, ALERT]})
    assert incident.document["m365_defender"]["incident"]["unmapped"] == {"alerts": ["odd", 5]}
    assert nameless.document["m365_defender"]["incident"]["alert"]["title"] == "No id"
    assert alert.document["m365_defender"]["incident"]["alert"]["id"] == "da1_1"
    (only,) = made("incident", {**INCIDENT, "alerts": "odd"})
    assert only.document["m365_defender"]["incident"]["unmapped"] == {"alerts": ["odd"]}


def test_a_redirected_incident_is_kept() -> None:
    """It says into which other one it was merged."""
    (found,) = made("incident", {**INCIDENT, "status": "redirected", "redirectIncidentId": "6"})
    told = found.document["m365_defender"]["incident"]
    assert (told["status"], told["redirect_incident_id"]) == ("redirected", "6")


def test_a_large_incident_is_split_one_alert_at_a_time() -> None:
    """Documents of a thousand alerts that are let go one by one take no more memory than those of ten."""
    normaliser = Normaliser()

    def peak(number: int) -> int:
        alerts = [
            {**ALERT, "id": f"da{n}_1", "description": "x" * 5_000, "evidence": [DEVICE] * 4} for n in range(number)
        ]
        value = {**INCIDENT, "alerts": alerts}
        tracemalloc.start()
        try:
            for found in normaliser.parts("incident", value, Context(tenant="t1"), NOW):
                orjson.dumps(found.document)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # compiles
    few, many = peak(10), peak(1_000)
    assert many < few + 100_000


def test_who_an_alert_is_assigned_to() -> None:
    """A UPN is split as a user's name is; `Automation` is counted as assigned, but is nobody."""
    assert assignee("kim@example.com") == ("kim", "example.com", "kim@example.com")
    assert assigned("kim@example.com") == ["kim", "kim@example.com"]
    assert assignee("Automation") == ("Automation", None, None)
    assert assigned("Automation") is None


def test_authors_of_comments() -> None:
    """Under the API's name and under that of Microsoft's example; whatever else is there is passed over."""
    comments = [
        {"createdByDisplayName": "kim"},
        {"createdBy": "lee"},
        {"createdByDisplayName": "kim"},
        {"createdBy": 5},
        "x",
        None,
        {},
    ]
    assert authors(comments) == ["kim", "lee"]
    assert authors({"createdBy": "lee"}) == ["lee"]
    assert authors([]) is None


def test_tactics_of_category_and_categories() -> None:
    """Both are looked at; what is no tactic of MITRE's gives none."""
    assert all_tactics("DefenseEvasion", None).names == ["Defense Evasion"]
    assert all_tactics("Execution", ["Execution", "Impact"]).ids == ["TA0002", "TA0040"]
    assert all_tactics("Malware", ["SuspiciousActivity"]).ids is None


def test_malware_by_family_and_evidence() -> None:
    """Each name once."""
    assert software("Wacatac", None) == "Wacatac"
    assert software("Wacatac", "Wacatac") == "Wacatac"
    assert software(None, ["A", "B"]) == ["A", "B"]
    assert software("Wacatac", ["A", "Wacatac"]) == ["Wacatac", "A"]


def test_event_category_is_that_of_the_evidence() -> None:
    """Malware comes by the alert's category or determination; an alert of nothing is an intrusion detection."""
    default = ["intrusion_detection"]
    assert categories(default, None, "Execution", None) is default
    assert categories(default, ["host"], "Execution", "phishing") == ["host"]
    assert categories(default, ["host", "malware"], "Malware", "malware") == ["host", "malware"]
    assert categories(default, None, None, "malware") == ["malware"]
    assert categories(default, ["file"], "Ransomware", None) == ["file", "malware"]


def test_tags_of_both_names() -> None:
    """Each once."""
    assert all_tags(["a"], ["b", "a"]) == ["a", "b"]
    assert all_tags(None, []) is None
