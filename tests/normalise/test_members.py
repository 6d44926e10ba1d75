"""Closed lists: they are of columns that are there, have all that rules look up, and a new member costs nothing but a line of the report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from shared.normalise import members as lists
from shared.normalise.categories import ACTIONS
from shared.normalise.compile import compile_table
from shared.normalise.convert import Issues
from shared.normalise.decode import Message
from shared.normalise.interpret import carry
from shared.normalise.mapping import Table, table, vendor
from shared.normalise.members import (
    MEMBERS,
    MOST_SPELLED,
    UNKNOWN_MEMBER,
    Members,
    check,
    members_of,
    plain,
    unknown_member,
)
from shared.normalise.normaliser import Normaliser
from shared.normalise.rules import mitre, network, registry, severity, signature
from shared.normalise.tables import alert, all_tables, cloud_export_rules, email_rules, identity_rules, sign_in_rules

ROOT = Path(__file__).resolve().parent.parent.parent
FACTS = ROOT.parent / "shared" / "facts" / "defender_cloud.json"

# fmt: off
LOOKED_UP: list[tuple[str, str, Iterable[Any]]] = [  # table, column, what the rule that reads it knows
    ("AlertInfo",                     "Severity",                         severity._SCALE),
    ("SecurityAlert",                 "severity",                         severity._SCALE),
    ("assessments",                   "properties.metadata.severity",     severity._SCALE),
    ("DeviceTvmSoftwareVulnerabilities", "VulnerabilitySeverityLevel",    severity._SCALE),
    ("AlertInfo",                     "Category",                         (*mitre.TACTICS, *ACTIONS["AlertInfo"])),
    ("AlertEvidence",                 "Categories",                       mitre.TACTICS),
    ("BehaviorInfo",                  "Categories",                       mitre.TACTICS),
    ("SecurityAlert",                 "intent",                           mitre.TACTICS),
    ("AlertEvidence",                 "EntityType",                       ACTIONS["AlertEvidence"]),
    ("AlertEvidence",                 "CloudPlatform",                    alert.CLOUD_PROVIDERS),
    ("DeviceNetworkEvents",           "Protocol",                         network._TRANSPORTS),
    ("DeviceRegistryEvents",          "RegistryValueType",                (*registry._TYPES, *registry._TYPES.values())),
    ("DeviceProcessEvents",           "InitiatingProcessSignatureStatus", signature._STATUS),
    ("EmailEvents",                   "EmailDirection",                   email_rules.DIRECTIONS),
    ("EmailEvents",                   "DeliveryAction",                   email_rules.DELIVERIES),
    ("EmailPostDeliveryEvents",       "ActionResult",                     email_rules.RESULTS),
    ("MessagePostDeliveryEvents",     "ActionResult",                     email_rules.RESULTS),
    ("IdentityEvents",                "ActionResult",                     identity_rules._OUTCOMES),
    ("EntraIdSignInEvents",           "RiskLevelAggregated",              sign_in_rules._RISK_LEVELS),
    ("EntraIdSignInEvents",           "RiskState",                        sign_in_rules._RISK_STATES),
    ("EntraIdSignInEvents",           "ConditionalAccessStatus",          sign_in_rules._CONDITIONAL_ACCESS),
    ("EntraIdSignInEvents",           "TokenIssuerType",                  sign_in_rules._TOKEN_ISSUERS),
    ("assessments",                   "properties.resourceDetails.source", cloud_export_rules._PROVIDERS),
    ("assessments",                   "properties.status.code",           ("healthy", "unhealthy", "notapplicable")),
    ("regulatoryComplianceStandards", "properties.state",                 ("passed", "failed", "skipped", "unsupported")),
]
DOCUMENTED = {  # definition and property of the API's specification -> table, column
    ("assessments", "AssessmentStatus", "code"): ("assessments", "properties.status.code"),
    ("sub_assessments", "SubAssessmentStatus", "code"): ("subAssessments", "properties.status.code"),
    ("sub_assessments", "SubAssessmentStatus", "severity"): ("subAssessments", "properties.status.severity"),
    ("assessment_metadata", "SecurityAssessmentMetadataProperties", "severity"): ("assessments", "properties.metadata.severity"),
    ("assessment_metadata", "SecurityAssessmentMetadataProperties", "userImpact"): ("assessments", "properties.metadata.userImpact"),
    ("assessment_metadata", "SecurityAssessmentMetadataProperties", "implementationEffort"):
        ("assessments", "properties.metadata.implementationEffort"),
    ("assessment_metadata", "SecurityAssessmentMetadataProperties", "assessmentType"): ("assessments", "properties.metadata.assessmentType"),
    ("alerts", "AlertProperties", "severity"): ("SecurityAlert", "severity"),
    ("alerts", "AlertProperties", "intent"): ("SecurityAlert", "intent"),
    ("alerts", "AlertProperties", "status"): ("SecurityAlert", "status"),
    ("regulatory_compliance", "RegulatoryComplianceStandardProperties", "state"): ("regulatoryComplianceStandards", "properties.state"),
}
# fmt: on


def listed(name: str, column: str) -> Members:
    """The list of a column that has one."""
    found = members_of(name, column)
    assert found is not None, f"{name}.{column} has no list"
    return found


def test_lists_are_of_columns_that_are_there() -> None:
    """Each list names a keyword or long column of a table, and a list of numbers a long one."""
    columns = {(known.name, column.source, column.kind) for known in all_tables() for column in known.columns}
    places: dict[str, set[str]] = {}
    for name, source, kind in columns:
        for key in (source, f"{name}.{source}"):
            places.setdefault(key, set()).add(kind)
    for key in MEMBERS:
        assert places.get(key, set()) == ({"long"} if key in lists._NUMBERS else {"keyword"}), key


@pytest.mark.parametrize(
    ("name", "column", "values"), LOOKED_UP, ids=[f"{name}.{column}" for name, column, _ in LOOKED_UP]
)
def test_what_a_rule_looks_up_is_listed(name: str, column: str, values: Iterable[Any]) -> None:
    """Every value that a rule has a row for is a known one."""
    known = listed(name, column)
    assert [value for value in values if unknown_member(known, value) is not None and value not in known.spelled] == []


def test_documented_enumerations_are_listed() -> None:
    """Every member of an enumeration of Defender for Cloud's API specification is a known one."""
    if not FACTS.exists():
        pytest.skip("the knowledge folder beside the project is not there")
    areas = json.loads(FACTS.read_text())["arm"]
    for (area, definition, name), place in DOCUMENTED.items():
        members = areas[area]["definitions"][definition]["enums"][name]
        assert members
        assert [member for member in members if unknown_member(listed(*place), member) is not None] == [], name


def test_golden_records_have_known_members_only() -> None:
    """Of all golden records one has a member that nobody lists, which is there to show what becomes of it."""
    normaliser = Normaliser()
    found = []
    for path in sorted((ROOT / "tests" / "golden").glob("*/in.json")):
        for piece in normaliser.identified(Message(path.read_bytes())):
            if isinstance(piece, tuple):
                made = normaliser.normalise(*piece, "2026-01-02T03:04:05Z")
                found += [(issue.column, issue.value) for issue in made.issues if issue.reason is UNKNOWN_MEMBER]
    assert found == [("RiskState", "9")]


def made(meaning: Table, **columns: Any) -> tuple[dict[str, Any], Issues]:
    """A document as the normaliser makes it, and its issues."""
    issues: Issues = []
    document = compile_table(meaning)(columns, {}, issues)
    carry(document, meaning, issues)
    return document, issues


EXAMPLE = table("AlertInfo", (), vendor("Severity", "keyword", "severity"), action=None)
LIST = table("EmailEvents", (), vendor("ThreatTypes", "keyword", "threat_types", many=True), action=None)


def test_a_new_member_is_reported_and_costs_the_document_nothing() -> None:
    """The value is in its field, there is no error.message, and the report gets column and member."""
    document, issues = made(EXAMPLE, Severity="Apocalyptic")
    assert [(issue.column, issue.reason, issue.value) for issue in issues] == [
        ("Severity", UNKNOWN_MEMBER, "Apocalyptic")
    ]
    assert document["m365_defender"]["event"] == {"severity": "Apocalyptic"}
    assert "error" not in document


@pytest.mark.parametrize("value", ["High", "HIGH", "hIgH", " high ", "very-high", "Unknown", "-", None, ""])
def test_spelling_and_absence_are_no_drift(value: str | None) -> None:
    """Letter case, blanks and marks differ between documents and records; what says nothing is in every list."""
    assert made(EXAMPLE, Severity=value)[1] == []


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("Phish, Spam", None),
        ('["Phish","Malware"]', None),
        (["Phish", "Sorcery", "Witchcraft"], "Sorcery"),
        ("Phish, Sorcery", "Sorcery"),
        (",".join(["Phish"] * 1_000), ",".join(["Phish"] * 1_000)),
    ],
)
def test_several_members_in_one_value(value: Any, unknown: str | None) -> None:
    """Lists, and texts with commas between members: the first one that is not known is reported; what is too long is not taken apart."""
    assert [issue.value for issue in made(LIST, ThreatTypes=value)[1]] == ([] if unknown is None else [unknown])


def test_a_platform_that_the_rule_knows_is_known() -> None:
    """Platforms are many and known by how they begin: the rule itself says which."""
    known = listed("DeviceInfo", "OSPlatform")
    assert [unknown_member(known, name) for name in ("WindowsServer2031", "Ubuntu", "iOS 17.1", "Unknown")] == [
        None
    ] * 4
    assert unknown_member(known, "TempleOS") == "TempleOS"


def test_spellings_are_remembered_within_bounds() -> None:
    """A flood of spellings of one member fills no memory and stays known."""
    known = Members(frozenset({"a"}), set())
    issues: Issues = []
    for number in range(MOST_SPELLED + 100):
        check(known, "A" + " " * (number % 190) + "." * (number // 190), "Column", issues)
    assert not issues
    assert len(known.spelled) == MOST_SPELLED
    assert plain("A . .") == "a"
