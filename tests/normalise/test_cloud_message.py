"""Defender for Cloud's messages: told apart by shape, and opened to the same columns in either letter case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise.cloud_message import COLUMNS, LONGEST_KIND, kind_of, opener, time_of

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
ID = "/subscriptions/11111111-2222-3333-4444-555555555555/providers/Microsoft.Security"


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


@pytest.mark.parametrize("how", [lambda key: key[:1].upper() + key[1:], str.upper, str.lower])
def test_either_case_gives_the_same_columns(how: Callable[[str], str]) -> None:
    """A message and the same in other letter case open to equal columns, but for what lies in bags."""
    for name, message in samples():
        if (kind := kind_of(message)) in COLUMNS:
            properties = {how(key): value for key, value in message.get("properties", {}).items()}
            recased = {how(key): value for key, value in message.items()}
            if properties:
                recased[how("properties")] = properties
            assert opener(kind).open(recased) == opener(kind).open(message), name


KEYS = sorted({part for columns in COLUMNS.values() for column in columns for part in column.split(".")})
WILD = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(["Microsoft.Security/x", f"{ID}/assessments/a"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(message=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), WILD, max_size=8))
def test_anything_is_told_apart(message: dict[str, Any]) -> None:
    """Whatever an object holds, it has a kind or none, and a time or none, and nothing is raised."""
    kind = kind_of(message)
    assert kind is None or (isinstance(kind, str) and 0 < len(kind) <= LONGEST_KIND)
    for known in COLUMNS:
        time_of(known, message)
