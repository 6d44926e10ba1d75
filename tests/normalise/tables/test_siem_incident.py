"""An incident of the SIEM API becomes its own document and one for each alert and entity; Elastic's lines become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.errors import Reject
from shared.normalise.api import Context, Part
from shared.normalise.identity import part_id
from shared.normalise.normaliser import Normaliser
from shared.normalise.tables.siem_incident import split
from tools.write_golden import ARRIVED, GOLDEN

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
EVERY = Context("t")
FILE = {"entityType": "File", "fileName": "a.exe", "sha1": None}
USER = {"entityType": "User", "accountName": "kim"}
ALERT = {"alertId": "a1", "incidentId": 7, "lastUpdatedTime": "2026-03-04T09:00:00Z", "entities": [FILE, USER]}
INCIDENT = {"incidentId": 7, "status": "Active", "lastUpdateTime": "2026-03-04T10:00:00Z", "alerts": [ALERT]}


def parts(value: dict[str, Any], context: Context = EVERY) -> list[Part]:
    """The parts of an incident."""
    return list(split(value, context))


def ids(found: list[Part]) -> list[str]:
    """Their document ids."""
    return [part_id("t", part.table, part.key, part.version) for part in found]


def test_one_document_for_the_incident_and_each_entity() -> None:
    """Keys and versions tell them apart; an alert's version is its own."""
    incident, file, user = parts(INCIDENT)
    assert (incident.table, incident.key, incident.version) == ("SiemIncident", ("7",), "2026-03-04T10:00:00Z")
    assert file.table == user.table == "SiemAlert"
    assert file.key[:2] == user.key[:2] == ("7", "a1")
    assert file.key[2] != user.key[2]
    assert file.version == user.version == "2026-03-04T09:00:00Z"
    assert "alerts" not in incident.value


@pytest.mark.parametrize("entities", [[], None, [None, {}], {}, ""])
def test_an_alert_without_entities_is_one_document(entities: Any) -> None:
    """Nothing is split off, and the alert is there."""
    found = parts({**INCIDENT, "alerts": [{**ALERT, "entities": entities}]})
    assert [part.key for part in found[1:]] == [("7", "a1", "")]
    assert found[1].columns["alerts.alertId"] == "a1"


def test_an_update_of_the_incident_alone_brings_its_alerts_not_again() -> None:
    """Only the incident is new; after an update of the alert all its documents are."""
    before = ids(parts(INCIDENT))
    later = ids(parts({**INCIDENT, "lastUpdateTime": "2026-03-04T11:00:00Z", "status": "Resolved"}))
    assert (before[0] == later[0], before[1:] == later[1:]) == (False, True)
    newer = ids(parts({**INCIDENT, "alerts": [{**ALERT, "lastUpdatedTime": "2026-03-04T12:00:00Z"}]}))
    assert before[0] == newer[0]
    assert not set(before[1:]) & set(newer[1:])


def test_keys_without_a_value_do_not_make_another_entity() -> None:
    """The documented answer names every key with null, live ones leave them out: the same entity."""
    short = {key: item for key, item in FILE.items() if item is not None}
    assert ids(parts(INCIDENT)) == ids(
        parts({**INCIDENT, "alerts": [{**ALERT, "entities": [short, {**USER, "url": ""}]}]})
    )


def test_without_a_time_what_is_said_is_the_version() -> None:
    """An incident and an alert without their times, or ids, are told apart by their content."""
    bare = {"incidentId": "7", "alerts": [{"title": "x"}]}
    again, changed = ids(parts(bare)), ids(parts({**bare, "alerts": [{"title": "y"}], "status": "Active"}))
    assert again == ids(parts(dict(reversed(bare.items()))))
    assert not set(again) & set(changed)


def test_without_alerts_only_the_incident() -> None:
    """Where another source brings the alerts, or there are none, the incident comes alone."""
    assert [part.table for part in parts(INCIDENT, Context("t", alerts=False))] == ["SiemIncident"]
    assert [part.table for part in parts({**INCIDENT, "alerts": ALERT}, Context("t", alerts=False))] == ["SiemIncident"]
    assert [part.table for part in parts({"incidentId": 7})] == ["SiemIncident"]
    assert "alerts" not in parts(INCIDENT, Context("t", alerts=False))[0].columns


def test_a_line_of_elastics_poller_is_one_document() -> None:
    """One alert and one entity as objects: the same document that the incident of them gives, and its text is the line as it came."""
    line = {**INCIDENT, "alerts": {**ALERT, "entities": FILE}}
    (found,) = parts(line)
    assert found.value is line
    assert ids([found]) == [ids(parts(INCIDENT))[1]]
    assert len(parts({**INCIDENT, "alerts": {**ALERT, "entities": [FILE, USER]}})) == 2
    assert len(parts({**INCIDENT, "alerts": {**ALERT, "entities": None}})) == 1


def test_what_is_no_alert_or_entity_is_kept() -> None:
    """Texts where objects should be stay in the documents, as unknown columns."""
    found = parts({**INCIDENT, "alerts": ["text", {**ALERT, "entities": ["text", USER]}, None]})
    assert found[0].columns["alerts"] == ["text"]
    assert found[1].columns["alerts.entities"] == "text"
    assert len(found) == 3
    assert parts({**INCIDENT, "alerts": "text"})[0].columns["alerts"] == "text"
    assert parts({**INCIDENT, "alerts": {**ALERT, "entities": 5}})[0].columns["alerts.entities"] == 5


@pytest.mark.parametrize("value", [{}, {"incidentId": None}, {"incidentId": ""}, {"incidentId": True}, {"value": []}])
def test_what_has_no_number_is_refused(value: dict[str, Any]) -> None:
    """Without an incidentId there is nothing to tell versions of; the reason says so."""
    with pytest.raises(Reject, match="incidentId") as refused:
        parts(value)
    assert refused.value.code == "no_incident"


def test_documents_come_again_from_their_own_originals() -> None:
    """event.original of an alert's document is a line of Elastic's shape: mapped by itself it gives the document, and its id."""
    normaliser = Normaliser(original=True)
    seen = 0
    for value in orjson.loads((GOLDEN / "log" / "in.json").read_bytes()):
        for made in normaliser.parts("log", value, EVERY, ARRIVED):
            if made.table == "SiemAlert":
                again = list(normaliser.parts("log", orjson.loads(made.document["event"]["original"]), EVERY, ARRIVED))
                assert [(one.id, one.document) for one in again] == [(made.id, made.document)]
                seen += 1
    assert seen > 10


def test_severity_is_the_alerts_own() -> None:
    """An alert of another severity than its incident keeps it; without one the incident's stands in."""
    normaliser = Normaliser()
    value = {**INCIDENT, "severity": "Low", "alerts": [{**ALERT, "severity": "High"}, {"alertId": "a2"}]}
    made = list(normaliser.parts("log", value, EVERY, ARRIVED))
    assert [one.document["event"]["severity"] for one in made] == [21, 73, 73, 21]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the knowledge folder has no samples here")
def test_real_answers_hold_nothing_unknown() -> None:
    """Microsoft's documented answer and a live alert are mapped whole: no unknown column, no value that does not convert."""
    incidents = orjson.loads((SAMPLES / "m365_incidents_list.json").read_bytes())["value"]
    live = orjson.loads((SAMPLES / "m365_incident_alert_live.json").read_bytes())
    made = [
        one
        for value in (*incidents, {"incidentId": 486, "alerts": [live]})
        for one in Normaliser(duplicates=True).parts("log", value, EVERY, ARRIVED)
    ]
    assert [issue for one in made for issue in one.issues if issue.column != "Timestamp"] == []
    assert {one.table for one in made} == {"SiemIncident", "SiemAlert"}
    assert len(made) > 15
