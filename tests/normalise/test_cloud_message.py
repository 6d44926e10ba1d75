"""Defender for Cloud's messages: told apart by shape, opened to the same columns in either letter case, nothing lost, nothing raised."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise.cloud_message import COLUMNS, kind_of, lowered, opened
from shared.normalise.convert import Issue
from shared.normalise.tables.cloud_entities import DEEPEST, MOST, Graph

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
ID = "/subscriptions/11111111-2222-3333-4444-555555555555/providers/Microsoft.Security"
ALERT = {
    "SystemAlertId": "2517_a",
    "AlertType": "VM_EICAR",
    "AlertDisplayName": "Test alert",
    "Severity": "High",
    "TimeGenerated": "2026-03-04T10:11:12Z",
    "RemediationSteps": ["Look", "Act"],
    "ExtendedProperties": {"Client IP address": "192.0.2.7", "resourceType": "Virtual Machine"},
    "Entities": [{"$id": "3", "HostName": "WEB-1", "Type": "host"}],
}


def recased(value: Any, how: Any) -> Any:
    """A message with its keys in another case; keys of free bags too."""
    if isinstance(value, dict):
        return {how(key): recased(item, how) for key, item in value.items()}
    return [recased(item, how) for item in value] if isinstance(value, list) else value


def pascal(key: str) -> str:
    """`statusChangeDate` -> `StatusChangeDate`."""
    return key[:1].upper() + key[1:]


def samples() -> list[tuple[str, dict[str, Any]]]:
    """Every message of the knowledge folder's samples, by file."""
    found = []
    for path in sorted(
        [*SAMPLES.glob("derived_export_*.json"), *SAMPLES.glob("arm_*.json"), *SAMPLES.glob("arg_*.json")]
    ):
        body = json.loads(path.read_text())
        if isinstance(body, dict) and "responses" in body:
            body = body["responses"]["200"]["body"]
            body = body.get("value", body)
        found += [(f"{path.stem}-{n}", message) for n, message in enumerate(body if isinstance(body, list) else [body])]
    return found


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("Microsoft.Security/assessments", "assessments"),
        ("microsoft.security/assessments/subassessments", "subAssessments"),
        ("Microsoft.Security/assessments/subAssessments", "subAssessments"),
        ("Microsoft.Security/Locations/alerts", "SecurityAlert"),
        ("Microsoft.Security/secureScores", "secureScores"),
        ("Microsoft.Security/secureScores/secureScoreControls", "secureScoreControls"),
        ("Microsoft.Security/regulatoryComplianceStandard", "regulatoryComplianceStandards"),
        (
            "Microsoft.Security/regulatoryComplianceStandards/regulatoryComplianceControls",
            "regulatoryComplianceControls",
        ),
        ("Microsoft.Security/regulatoryComplianceAssessment", "regulatoryComplianceAssessments"),
        ("Microsoft.Security/attackPaths", "attackPaths"),
        ("Microsoft.Compute/virtualMachines", None),
        ("Microsoft.Security/", None),
        (f"Microsoft.Security/{'x' * 300}", None),
        (5, None),
    ],
)
def test_kind_by_type(type: Any, kind: str | None) -> None:
    """The type tells the kind in any case, singular or plural, under `type` or `Type`; a type of another service does not."""
    assert kind_of({"type": type}) == kind
    assert kind_of({"Type": type}) == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"type": None, "id": f"{ID}/assessments/a"}, "assessments"),
        ({"Id": f"{ID.upper()}/ASSESSMENTS/a/SUBASSESSMENTS/b"}, "subAssessments"),
        ({"id": f"{ID}/secureScores/ascScore/secureScoreControls/b"}, "secureScoreControls"),
        ({"id": "/subscriptions/s/providers/Microsoft.Compute/assessments/a"}, None),
        ({"systemAlertId": "1"}, "SecurityAlert"),
        ({"AlertUri": "https://example.com"}, "SecurityAlert"),
        ({"properties": {"alertDisplayName": "x"}}, "SecurityAlert"),
        ({"AssessmentEventDataEnrichment": {}}, "assessments"),
        ({"SubAssessmentEventDataEnrichment": {}}, "subAssessments"),
        ({"properties": {"status": {}, "resourceDetails": {}}}, "assessments"),
        ({"Properties": {"Status": {}, "ResourceDetails": {}, "TimeGenerated": "x"}}, "subAssessments"),
        ({"properties": {"score": {}, "weight": 1}}, "secureScores"),
        ({"properties": {"score": {}, "weight": 1, "healthyResourceCount": 1}}, "secureScoreControls"),
        ({"properties": {"state": "Failed", "failedControls": 1}}, "regulatoryComplianceStandards"),
        ({"properties": {"state": "Failed", "passedAssessments": 1}}, "regulatoryComplianceControls"),
        ({"properties": {"state": "Failed", "passedResources": 1}}, "regulatoryComplianceAssessments"),
        ({"properties": {"Timestamp": "2026-01-02", "ActionType": "x"}}, None),
        ({"properties": "text", "id": "x" * 10_000}, None),
        ({}, None),
    ],
)
def test_kind_by_shape(message: dict[str, Any], kind: str | None) -> None:
    """Without a type that tells, the id's collection and keys that only one kind has do."""
    assert kind_of(message) == kind


def test_every_sample_is_of_a_known_kind() -> None:
    """Messages of the samples are told by their whole shape, and by the rest of it when type and id are missing."""
    known = [
        (name, message)
        for name, message in samples()
        if not name.startswith(("arm_automations", "arm_assessment_metadata"))
    ]
    if not known:
        pytest.skip("the knowledge folder's samples are not here")
    for name, message in known:
        assert kind_of(message) in COLUMNS, name
        bare = {key: value for key, value in message.items() if key.lower() not in ("type", "id")}
        assert kind_of(bare) == kind_of(message), name


@pytest.mark.parametrize("how", [pascal, str.upper, str.lower])
def test_either_case_gives_the_same_columns(how: Any) -> None:
    """A message and the same in other letter case open to equal columns."""
    messages = [ALERT, *(message for _, message in samples())]
    for message in messages:
        kind = kind_of(message)
        if kind in COLUMNS:
            assert opened(kind, recased(message, how), []) == opened(kind, message, [])


def test_rest_alert_is_opened_to_the_flat_form() -> None:
    """The alerts' API nests under `properties` what exports have at the root: the columns are the same, plus those of the envelope."""
    flat = opened("SecurityAlert", ALERT, [])
    nested = opened("SecurityAlert", {"id": "/x", "name": "n", "properties": ALERT}, [])
    assert nested == {"id": "/x", "name": "n", **flat}
    assert flat["extendedProperties"] == {"client ip address": "192.0.2.7", "resourcetype": "Virtual Machine"}
    assert opened("SecurityAlert", {"properties": json.dumps(ALERT)}, []) == flat


def test_columns_are_paths_and_the_unknown_keeps_its_own() -> None:
    """Known values come under the documented path; new keys, wrong shapes and a second spelling under theirs."""
    message = {
        "Properties": {
            "Status": {"Code": "Healthy", "code": "Unhealthy", "Mood": "good"},
            "metadata": "not an object",
            "links": '{"azurePortal": "portal.azure.com/#x"}',
            "displayName": None,
            "novelty": {"deep": [1]},
        },
        "Shiny": 1,
    }
    before = copy.deepcopy(message)
    assert opened("assessments", message, []) == {
        "properties.status.code": "Healthy",
        "Properties.Status.code": "Unhealthy",
        "Properties.Status.Mood": "good",
        "Properties.metadata": "not an object",
        "properties.links.azurePortal": "portal.azure.com/#x",
        "Properties.novelty": {"deep": [1]},
        "Shiny": 1,
    }
    assert message == before


def test_bags_are_in_lower_case() -> None:
    """Free bags have keys in one case, lose empty values, and keep both where two keys become one."""
    assert lowered({"Data": {"AZID": "1", "x": "", "y": None}, "L": [{"A": 1}, "B"]}) == {
        "data": {"azid": "1"},
        "l": [{"a": 1}, "B"],
    }
    assert lowered({"Name": 1, "name": 2, "NAME": 3}) == {"Name": 1, "name": 2, "NAME": 3}
    deep: Any = "x"
    for _ in range(100):
        deep = {"K": deep}
    assert lowered(deep, 2) == {"k": {"k": deep["K"]["K"]}}


def test_entities_in_entities_become_entries_with_links() -> None:
    """An entity inside another is an entry of its own before it, linked by its id or, without one, by a made one."""
    issues: list[Issue] = []
    raw = [
        {
            "$id": "1", "ProcessId": "0x10", "Type": "process", "Host": {"$id": "2", "HostName": "WEB-1", "Type": "host"},
            "ImageFile": {"Name": "a.exe", "Type": "file"}, "ParentProcess": {"$ref": "9"},
        },
        {"$ref": "2"},
        {"$id": "3", "Type": "ip", "Address": "not an address", "Location": {"Asn": "64500", "CountryCode": "US"}, "Novelty": [1]},
        {"$id": "4", "Type": "gcp-resource", "Location": "us-central1-c"},
        "text",
    ]  # fmt: skip
    columns = opened("SecurityAlert", {"Entities": raw}, issues)
    assert columns["entities"] == [
        {"id": "2", "host_name": "WEB-1", "type": "host"},
        {"name": "a.exe", "type": "file", "id": "unnamed-1"},
        {
            "id": "1",
            "process_id": "0x10",
            "type": "process",
            "host": {"ref": "2"},
            "image_file": {"ref": "unnamed-1"},
            "parent_process": {"ref": "9"},
        },
        {"ref": "2"},
        {"id": "3", "type": "ip", "location": {"asn": 64500, "country_code": "US"}},
        {"id": "4", "type": "gcp-resource", "location_value": "us-central1-c"},
    ]
    assert columns["entities.Novelty"] == [[1]]
    assert columns["entities (other)"] == ["text"]
    assert [(issue.column, issue.value) for issue in issues] == [("entities.Address", "not an address")]


def test_a_ref_means_the_nearest_entity_of_the_right_type() -> None:
    """Real alerts use one $id several times: the nearest one before of a type that fits is meant, else the first after."""
    entities: list[dict[str, Any]] = [
        {"id": "5", "type": "ip", "address": "192.0.2.1"},
        {"id": "5", "type": "host", "host_name": "A"},
        {"id": "9", "type": "process", "host": {"ref": "5"}, "account": {"ref": "7"}, "image_file": {"ref": "none"}},
        {"id": "5", "type": "host", "host_name": "B"},
        {"id": "7", "type": "account", "name": "kim"},
    ]
    graph = Graph(entities)
    process = entities[2]
    assert graph.target(2, process, "host", "host") == (1, entities[1])
    assert graph.target(2, process, "account", "account") == (4, entities[4])
    assert graph.target(2, process, "image_file", "file") is None
    assert graph.target(2, process, "parent_process", "process") is None


def test_entities_are_bounded() -> None:
    """Thousands of entities, and entities nested without end, are opened up to the bound; the rest is handed on as it came."""
    many = opened("SecurityAlert", {"Entities": [{"$id": str(n), "Type": "ip"} for n in range(MOST + 50)]}, [])
    assert len(many["entities"]) == MOST
    assert len(many["entities (other)"]) == 50
    deep: dict[str, Any] = {"Type": "process"}
    for _ in range(50):
        deep = {"Type": "process", "ParentProcess": deep}
    columns = opened("SecurityAlert", {"Entities": [deep]}, [])
    assert len(columns["entities"]) == DEEPEST + 1
    assert len(columns["entities.ParentProcess"]) == 1


KEYS = sorted(
    {part for columns in COLUMNS.values() for column in columns for part in column.split(".")}
    | {"$id", "$ref", "Host", "IpAddresses", "FileHashes"}
)
WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["{", '{"a": {}}', "[{}]", "host", "process"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(sorted(COLUMNS)),
    message=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), WILD, max_size=8),
)
def test_anything_opens(kind: str, message: dict[str, Any]) -> None:
    """No message is refused or changed, whatever it holds, and it is told apart without an exception."""
    before = copy.deepcopy(message)
    assert kind_of(message) is None or isinstance(kind_of(message), str)
    assert isinstance(opened(kind, message, []), dict)
    assert message == before
