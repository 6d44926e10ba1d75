"""Rules of the API's assessments: keys, rules' and resources' ids, accounts, flaws, and MITRE's techniques by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.mitre_names import named_techniques
from shared.normalise.rules.mitre_techniques import IDS
from shared.normalise.tables import arm_rules as rules
from shared.normalise.tables.cloud_export_rules import PLACE_FIELDS
from shared.normalise.tables.cloud_findings import VULNERABILITY_FIELDS

SUB = "/subscriptions/00000000-aaaa-bbbb-cccc-000000000001"
VM = f"{SUB}/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/WEB-1"
USER = "5e0b8f7a-9c4d-4e21-8a67-0123456789ab"


def named(values: tuple[Any, ...], fields: tuple[str, ...]) -> dict[str, Any]:
    """A rule's result by field, without what is absent."""
    return {field: value for field, value in zip(fields, values, strict=True) if value is not None}


@pytest.mark.parametrize(
    ("key", "snake", "plain"),
    [
        ("displayName", "display_name", "displayname"),
        ("NativeResourceId", "native_resource_id", "nativeresourceid"),
        ("K8sClusterId", "k8s_cluster_id", "k8sclusterid"),
        ("NSG open ports", "nsg_open_ports", "nsgopenports"),
        ("Can onboard to BYOL", "can_onboard_to_byol", "canonboardtobyol"),
        ("cvssV30Score", "cvss_v30_score", "cvssv30score"),
        ("maxCvss30Score", "max_cvss30_score", "maxcvss30score"),
        ("CVEs", "cves", "cves"),
        ("lastPushedToRegistryUTC", "last_pushed_to_registry_utc", "lastpushedtoregistryutc"),
        ("identityDesignateLessThanXOwnersObjectIdList", "identity_designate_less_than_xowners_object_id_list",
         "identitydesignatelessthanxownersobjectidlist"),
        ("already_snake", "already_snake", "alreadysnake"),
        ("--", "", ""),
        ("日本", "", ""),
        ("K" * 5000, "K" * 5000, "K" * 5000),
    ],
)  # fmt: skip
def test_keys(key: str, snake: str, plain: str) -> None:
    """A key in Elastic's spelling, acronyms, digits and blanks among them; and what all spellings of it have in common."""
    assert rules.snake(key) == snake
    assert rules.plain(key) == plain


@given(st.text(max_size=40))
def test_any_key_becomes_a_name(key: str) -> None:
    """No key makes the names of fields raise or differ from time to time, and a name again is itself."""
    assert rules.snake(rules.snake(key)) == rules.snake(key)
    assert rules.plain(rules.snake(key)) == rules.plain(key)


def test_rule_uuid_is_a_fingerprint_of_the_name() -> None:
    """Equal names have equal ids, other names others; a name that is no proper text still has one."""
    assert rules.rule_uuid("Signatures out of date") == "cnwSzby0LtfLZ3LiV1GzwJtKs40="
    assert rules.rule_uuid("Signatures out of date ") != rules.rule_uuid("Signatures out of date")
    assert rules.rule_uuid("\ud800") is not None
    assert rules.rule_uuid(None) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("11/13/2024 11:40:48 PM", "2024-11-13T23:40:48Z"),
        ("1/2/2026 12:00:00 AM", "2026-01-02T00:00:00Z"),
        ("13/11/2024 11:40:48 PM", "13/11/2024 11:40:48 PM"),
        ("2024-11-13T23:40:48Z", "2024-11-13T23:40:48Z"),
        (5, 5),
    ],
)
def test_american_times(text: Any, time: Any) -> None:
    """What is written the American way becomes ISO 8601, everything else stays."""
    assert rules.us_time(text) == time


@pytest.mark.parametrize(
    ("additional", "software"),
    [
        ({"assessedresourcetype": "ServerVulnerability"}, True),
        ({"assessedresourcetype": "ServerVulnerabilityAssessment"}, True),
        ({"assessedresourcetype": "ServerVulnerabilityTvm"}, True),
        ({"assessedresourcetype": "ManagedAggregatedServerVulnerabilityTvm"}, True),
        ({"assessedresourcetype": "ContainerRegistryVulnerability"}, True),
        ({"assessedresourcetype": "AzureContainerRegistryVulnerability"}, True),
        ({"assessedresourcetype": "AzureRuntimeImageVulnerability"}, True),
        ({"assessedresourcetype": "SqlServerVulnerability"}, False),
        ({"assessedresourcetype": "GeneralVulnerability"}, False),
        ({"assessedresourcetype": "SomethingElse"}, False),
        ({"assessedresourcetype": "GeneralVulnerability", "vulnerabilitydetails": {"cveid": "CVE-2026-0001"}}, True),
        ({"metadata": {"scanner": "MicrosoftDefenderVulnerabilityManagement"}}, True),
        ({"source": "Agentless Microsoft Defender vulnerability management"}, True),
        ({"cve": []}, False),
        ({"assessedresourcetype": 5, "metadata": [], "source": {}}, False),
        ({}, False),
    ],
)
def test_flaws_and_settings(additional: dict[str, Any], software: bool) -> None:
    """Every scanner's shape has its class: flaws in software are vulnerabilities, checks of settings are not."""
    assert rules.describes_software(additional) is software


def test_the_later_date_is_when_the_state_was_recorded() -> None:
    """Of two dates the later, of one that one."""
    assert rules.later("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z") == "2026-01-02T00:00:00Z"
    assert rules.later(None, "2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"
    assert rules.later(None, None) is None


def test_a_findings_own_resource_comes_first() -> None:
    """A sub-assessment's resource wins; names and types of the assessment's are taken only for the same resource, in whatever case."""
    of_assessment = (VM, VM, "WEB-1", "Microsoft.Compute", "virtualMachines")
    nothing = (None,) * 5
    assert rules.resource(*of_assessment, *nothing, None) == (VM, VM, *of_assessment[2:4], "virtualMachines")
    assert rules.resource(*of_assessment, VM.lower(), None, None, None, None, None)[:3] == (VM.lower(), VM, "WEB-1")
    database = f"{SUB}/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b"
    found = rules.resource(*of_assessment, database, None, None, None, None, None)
    assert found == (database, VM, None, "Microsoft.Compute", None)
    image = rules.resource(*of_assessment, "/repositories/a/images/sha256:b", None, None, None, None, "a")
    assert image == ("/repositories/a/images/sha256:b", VM, "a", "Microsoft.Compute", None)
    identity = rules.resource(SUB, SUB, None, None, None, f"{SUB}/identities/{USER}", SUB, None, None, None, None)
    assert identity[0] == SUB


def test_ids_stay_as_they_were_sent() -> None:
    """resource.id and cloud.instance.id keep their letters; so does an id that only the assessment's own tells."""
    found = named(
        rules.located(f"{VM}/providers/Microsoft.Security/assessments/x", VM, "Azure", *(None,) * 8), PLACE_FIELDS
    )
    assert found["resource.id"] == found["cloud.instance.id"] == VM
    assert (found["cloud.provider"], found["host.name"]) == ("azure", "web-1")
    own = rules.located(f"{VM}/providers/Microsoft.Security/assessments/x", *(None,) * 10)
    assert named(own, PLACE_FIELDS)["resource.id"] == VM


@pytest.mark.parametrize("source", ["OnPremise", "OnPremiseSql"])
def test_a_machine_outside_of_the_clouds_is_in_none(source: str) -> None:
    """What Azure only looks after has a host, but no cloud provider."""
    arc = f"{SUB}/resourceGroups/g/providers/Microsoft.HybridCompute/machines/FILE-7"
    assessment = f"{arc}/providers/Microsoft.Security/assessments/x"
    found = named(rules.located(assessment, None, source, *(None,) * 7, "FILE-7"), PLACE_FIELDS)
    assert (found["resource.id"], found["host.name"]) == (arc, "file-7")
    assert "cloud.provider" not in found


def test_other_clouds_have_their_own_ids() -> None:
    """AWS: the ARN, account and region; the connector's Azure subscription is none of the resource's."""
    arn = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"
    entity = f"{SUB}/resourceGroups/g/providers/Microsoft.Security/securityConnectors/c/securityentitydata/i-1"
    made = rules.located(
        entity, entity, "Aws", "batch", "ec2", "ec2instance", None, arn, "eu-west-1", "123456789012", None
    )
    found = named(made, PLACE_FIELDS)
    assert found["resource.id"] == found["cloud.instance.id"] == arn
    assert (found["cloud.provider"], found["cloud.account.id"], found["cloud.region"]) == (
        "aws",
        "123456789012",
        "eu-west-1",
    )


@pytest.mark.parametrize(
    ("arguments", "account"),
    [
        ((SUB, f"{SUB}/identities/{USER.upper()}", None, None), (USER, None)),
        ((f"{SUB}/identities/{USER}", None, None, None), (USER, None)),
        ((f"{SUB}/identities/kim", None, None, None), (None, None)),
        ((SUB, None, "User", USER), (USER, None)),
        ((SUB, None, "User", "kim@example.com"), (None, "kim@example.com")),
        ((SUB, None, "Group", "admins"), (None, None)),
        ((None, None, None, None), (None, None)),
    ],
)
def test_accounts(arguments: tuple[str | None, ...], account: tuple[str | None, str | None]) -> None:
    """The account of a finding about identities, out of its resource's id or the assessment's additionalData."""
    assert rules.account(*arguments) == account


def test_flaws_of_an_image_and_of_a_finding() -> None:
    """An image's CVEs are told together; a finding as the export's are; one that says nothing more keeps its id, names and severity."""
    image = rules.weakness(
        {"cves": [{"cve": "CVE-2026-0001", "basescore": 5.5}, {"cve": "CVE-2026-0002", "basescore": 7.5}], "highestseverity": "High"},
        *(None,) * 5,
    )  # fmt: skip
    assert named(image, VULNERABILITY_FIELDS) == {
        "vulnerability.id": ["CVE-2026-0001", "CVE-2026-0002"], "vulnerability.cve": ["CVE-2026-0001", "CVE-2026-0002"],
        "vulnerability.severity": "High", "vulnerability.score.base": 7.5, "vulnerability.classification": "CVSS",
        "vulnerability.enumeration": "CVE", "vulnerability.scanner.vendor": "Microsoft Defender Vulnerability Management",
    }  # fmt: skip
    one = rules.weakness(
        {"cve": {"title": "CVE-2026-0003", "cvssscore": 5.5, "cvssversion": 3}}, "D1", "t", None, "Update", "Low"
    )
    found = named(one, VULNERABILITY_FIELDS)
    assert (found["vulnerability.id"], found["vulnerability.score.version"]) == (["CVE-2026-0003"], "3.0")
    bare = named(rules.weakness({"source": "x"}, "D1", "title", "words", "Update", "Low"), VULNERABILITY_FIELDS)
    assert bare == {
        "vulnerability.id": ["D1"], "vulnerability.title": "title", "vulnerability.description": "words",
        "vulnerability.severity": "Low", "vulnerability.category": ["Update"],
    }  # fmt: skip
    assert named(rules.weakness(None, *(None,) * 5), VULNERABILITY_FIELDS) == {}


def test_techniques_by_name() -> None:
    """Names of today's and of older ATT&CK get their ids, in pairs; an unknown name stays, behind those that have one."""
    found = named_techniques(["Never Heard Of", "brute force", "Man-in-the-Middle", "Process Injection (T1055)"])
    assert found.ids == ["T1110", "T1557", "T1055"]
    assert found.names == ["brute force", "Man-in-the-Middle", "Process Injection", "Never Heard Of"]
    assert named_techniques(["Never Heard Of"]).names == ["Never Heard Of"]
    assert named_techniques(["SQL Stored Procedures"]).sub_names == ["SQL Stored Procedures"]
    assert named_techniques(None) == named_techniques([])
    assert len(set(IDS.values())) == len(IDS) == 104
