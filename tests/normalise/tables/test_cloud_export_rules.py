"""Rules of Defender for Cloud's messages: resource ids, states, times, findings of every scanner's shape, and entities in ECS."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise.lowered import lowered
from shared.normalise.tables import cloud_alert_network as network
from shared.normalise.tables import cloud_alert_rules as alert
from shared.normalise.tables import cloud_alert_told as alert_told
from shared.normalise.tables import cloud_export_rules as export
from shared.normalise.tables import cloud_findings as findings
from shared.normalise.tables.cloud_alert_place import alert_place
from shared.normalise.tables.cloud_entities import entities as listed_entities

SUB = "00000000-aaaa-bbbb-cccc-000000000001"
VM = f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/WEB-1"
SECURITY = "/providers/Microsoft.Security"


@pytest.mark.parametrize(
    ("id", "parts"),
    [
        (VM, (SUB, "Microsoft.Compute", "virtualMachines", "WEB-1")),
        (f"{VM}{SECURITY}/assessments/x", (SUB, "Microsoft.Compute", "virtualMachines", "WEB-1")),
        (VM.upper(), (SUB, "MICROSOFT.COMPUTE", "VIRTUALMACHINES", "WEB-1")),
        (
            f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b",
            (SUB, "Microsoft.Sql", "servers/databases", "b"),
        ),
        (
            f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Compute/WEB-1",
            (SUB, "Microsoft.Compute", None, "WEB-1"),
        ),
        (f"/subscriptions/{SUB}", (SUB, "Microsoft.Resources", "subscriptions", None)),
        (f"/subscriptions/{SUB}/resourceGroups/g", (SUB, None, None, None)),
        (f"/subscriptions/{SUB}{SECURITY}/assessments/x", (SUB, None, None, None)),
        (
            f"/subscriptions/{SUB}/resourceGroups/g{SECURITY}/securityConnectors/c/securityentitydata/vm-1",
            (SUB, None, None, "vm-1"),
        ),
        ("repositories/a/images/sha256:b", (None, None, None, None)),
        ("/", (None, None, None, None)),
        ("x" * 10_000, (None, None, None, None)),
        (None, (None, None, None, None)),
    ],
)
def test_arm_ids(id: str | None, parts: tuple[str | None, ...]) -> None:
    """A resource id's subscription, provider, type and name, in any case, and what is no such id gives nothing."""
    assert export.parts_of(id)[:4] == parts
    assert export.parts_of(id).id == (id.lower() if id and id[:15].lower() == "/subscriptions/" else id)


def named(values: tuple[Any, ...], fields: tuple[str, ...]) -> dict[str, Any]:
    """A rule's result by field, without what is absent."""
    return {field: value for field, value in zip(fields, values, strict=True) if value is not None}


def test_place_of_a_machine_and_of_something_else() -> None:
    """A machine is an instance and a host; a database is a resource only; ids are in lower case so that one resource is one value."""
    assert named(export.place(None, VM.upper()), export.PLACE_FIELDS) == {
        "resource.id": VM.lower(), "resource.name": "WEB-1", "resource.type": "MICROSOFT.COMPUTE", "resource.sub_type": "VIRTUALMACHINES",
        "cloud.provider": "azure", "cloud.account.id": SUB, "cloud.service.name": "MICROSOFT.COMPUTE", "cloud.instance.id": VM.lower(),
        "cloud.instance.name": "WEB-1", "host.name": "web-1",
    }  # fmt: skip
    site = f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Web/sites/shop"
    found = named(export.place(f"{site}{SECURITY}/assessments/x", None, location="westeurope"), export.PLACE_FIELDS)
    assert found["resource.id"] == site.lower()
    assert found["cloud.region"] == "westeurope"
    assert not {"host.name", "cloud.instance.id"} & found.keys()


def test_place_of_what_is_no_arm_id() -> None:
    """An image's path is no resource id: provider and account are those of the registry that the message is about; a bare name of Compute is a machine."""
    registry = f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"
    image = "/repositories/shop/images/sha256:ab"
    assert named(export.place(f"{registry}{SECURITY}/assessments/x", image, "Azure"), export.PLACE_FIELDS) == {
        "resource.id": image, "resource.type": "Microsoft.ContainerRegistry", "cloud.provider": "azure", "cloud.account.id": SUB,
        "cloud.service.name": "Microsoft.ContainerRegistry",
    }  # fmt: skip
    bare = named(
        export.place(None, f"/subscriptions/{SUB}/resourceGroups/g/providers/Microsoft.Compute/WEB-1"),
        export.PLACE_FIELDS,
    )
    assert bare["host.name"] == "web-1"
    assert "resource.sub_type" not in bare


def test_place_in_another_cloud() -> None:
    """AWS and GCP: the cloud's own id and account or project, never the Azure subscription that the connector is in."""
    connector = f"/subscriptions/{SUB}/resourceGroups/g{SECURITY}/securityConnectors/c/securityentitydata/i-1"
    aws = export.place(
        connector,
        connector,
        "Aws",
        "i-1",
        "ec2",
        "EC2Instance",
        "arn:aws:ec2:eu-west-1:1:instance/i-1",
        None,
        "eu-west-1",
        None,
        "123456789012",
        None,
    )
    assert named(aws, export.PLACE_FIELDS) == {
        "resource.id": "arn:aws:ec2:eu-west-1:1:instance/i-1", "resource.name": "i-1", "resource.type": "ec2", "resource.sub_type": "EC2Instance",
        "cloud.provider": "aws", "cloud.account.id": "123456789012", "cloud.region": "eu-west-1", "cloud.service.name": "ec2",
        "cloud.instance.id": "arn:aws:ec2:eu-west-1:1:instance/i-1", "cloud.instance.name": "i-1", "host.name": "i-1",
    }  # fmt: skip
    gcp = named(export.place(connector, connector, "GCP", hierarchy="shop-1"), export.PLACE_FIELDS)
    assert gcp["cloud.project.id"] == "shop-1"
    assert "cloud.account.id" not in gcp


def test_states_and_times() -> None:
    """States become outcome and evaluation; a deletion happened when it was sent, all else when the state changed."""
    assert export.evaluation("UNHEALTHY") == ("failure", "failed")
    assert export.evaluation("Skipped") == ("unknown", "unknown")
    assert export.evaluation("Novel") == export.evaluation(None) == (None, None)
    assert export.happened("Insert", None, "old", "sent") == "old"
    assert export.happened(None, "DELETE", "old", "sent") == "sent"
    assert export.happened("Delete", None, "old", None) == "old"
    assert export.happened(None, None, None, "sent") == "sent"


def test_links_tags_and_reasons() -> None:
    """A link gets its scheme; tags become texts; reasons keep their type; keys and names come out of ids."""
    assert export.portal_link(None, "portal.azure.com/#x") == ("https://portal.azure.com/#x",) * 2
    assert export.portal_link("https://a.example.com") == ("https://a.example.com",) * 2
    assert export.tag_texts({"env": "prod", "bare": "", "n": 5}) == ["env:prod", "bare"]
    assert export.reasons([{"type": "User", "reason": "why"}, "plain", 5, {}]) == ["User: why", "plain"]
    assert export.reasons({"values": ["plain"]}) == export.reasons({"text": "plain"}) == ["plain"]
    assert export.reasons({"reason": "why"}) == ["why"]
    assert export.definition_ids([{"id": "a"}, {"id": "a"}, {"x": 1}]) == ["a"]
    assert export.assessment_key("/x/Assessments/KEY/subAssessments/y") == "key"
    assert export.compliance("/s/regulatoryComplianceStandards/PCI/regulatoryComplianceControls/1.1/x") == (
        "PCI",
        "1.1",
    )
    assert export.compliance("/s/regulatoryComplianceStandards") == (None, None)


def test_findings_of_one_and_of_many_flaws() -> None:
    """One CVE as object and several as list: ids of all, the highest score and severity, the version that the vector names."""
    one = lowered({"assessedResourceType": "ManagedAggregatedServerVulnerabilityTvm", "cve": {"title": "CVE-2026-0001", "cvssScore": 5.5, "severity": "Medium",
                   "description": "why", "cvssVectorString": "CVSS:3.1/AV:L", "publishedDate": "2026-01-02T00:00:00"}, "cvssV30Score": 5.5})  # fmt: skip
    found = named(
        findings.finding(one, "D1", "title", "short", "Update", "x", "Low"),
        (*findings.VULNERABILITY_FIELDS, *findings.RULE_FIELDS),
    )
    assert found == {
        "vulnerability.id": ["CVE-2026-0001"], "vulnerability.cve": ["CVE-2026-0001"], "vulnerability.title": "title", "vulnerability.description": "why",
        "vulnerability.severity": "Medium", "vulnerability.score.base": 5.5, "vulnerability.score.version": "3.1", "vulnerability.classification": "CVSS",
        "vulnerability.enumeration": "CVE", "vulnerability.published_date": "2026-01-02T00:00:00Z", "vulnerability.category": ["Update"],
        "vulnerability.scanner.vendor": "Microsoft Defender Vulnerability Management",
    }  # fmt: skip
    many = {
        "cve": [
            {"title": "A", "cvssscore": 9.8, "severity": "Critical"},
            {"title": "B", "cvssscore": "5", "severity": "Low"},
        ],
        "softwarename": "x",
    }
    found = named(
        findings.finding(many, None, None, None, None, None, "High"),
        (*findings.VULNERABILITY_FIELDS, *findings.RULE_FIELDS),
    )
    assert found["vulnerability.severity"] == "Critical"
    assert found["vulnerability.score.base"] == 9.8
    assert found["package.name"] == "x"


def test_findings_without_a_flaw_are_rules() -> None:
    """SQL's and general checks are rules; a scanner's finding without CVEs keeps its own id; a base score may be text."""
    fields = (*findings.VULNERABILITY_FIELDS, *findings.RULE_FIELDS)
    for kind in ("SqlServerVulnerability", "GeneralVulnerability", "Novelty"):
        found = named(
            findings.finding({"assessedresourcetype": kind}, "VA1", "name", "why", "cat", "bad", "High"), fields
        )
        assert found == {
            "rule.id": "VA1",
            "rule.name": "name",
            "rule.description": "why",
            "rule.category": "cat",
            "rule.impact": "bad",
        }
    found = named(
        findings.finding(
            {"assessedresourcetype": "ServerVulnerabilityAssessment", "cvss": {"2.0": {"base": "7.5"}}},
            "3",
            *[None] * 5,
        ),
        fields,
    )
    assert found == {
        "vulnerability.id": ["3"], "vulnerability.score.base": 7.5, "vulnerability.score.version": "2.0", "vulnerability.classification": "CVSS",
    }  # fmt: skip


def graph_of(*entities: dict[str, Any]) -> Any:
    """The graph of entities as a message has them."""
    return alert.graph(listed_entities(list(entities), "entities", []))


def test_process_and_user_of_a_graph() -> None:
    """The process that is no parent, with its image, hash and account; the parent by the link; all accounts in related.user."""
    found = graph_of(
        {"$id": "1", "Type": "process", "ProcessId": "100", "CommandLine": "/bin/sh -c x"},
        {"$id": "2", "Type": "account", "Name": "kim", "UPNSuffix": "example.com", "AadUserId": "id"},
        {"$id": "3", "Type": "account", "Name": "system", "NTDomain": "nt authority", "Sid": "S-1-5-18"},
        {"$id": "4", "Type": "process", "ProcessId": "0xFF", "ParentProcess": {"$ref": "1"}, "Account": {"$ref": "3"},
         "ImageFile": {"Directory": "/tmp", "Name": "x", "FileHashes": [{"Algorithm": "MD5", "Value": "Sample"}, {"Algorithm": "SHA1", "Value": "A" * 40}], "Type": "file"}},
    )  # fmt: skip
    assert named(alert.process_and_user(found, None, "linux"), alert.PROCESS_FIELDS) == {
        "process.name": "x", "process.executable": "/tmp/x", "process.pid": 255, "process.hash.sha1": "a" * 40, "process.parent.name": "sh",
        "process.parent.pid": 100, "process.parent.command_line": "/bin/sh -c x", "user.name": "SYSTEM", "user.domain": "NT AUTHORITY",
        "user.id": "S-1-5-18", "#users": ["kim", "SYSTEM"],
    }  # fmt: skip


def test_properties_tell_what_entities_do_not() -> None:
    """Each thing that properties name is told once, by the better of several names; placeholders, lists and truths tell nothing."""
    properties = {
        "process name": "svchost.exe", "process path": "c:\\temp\\svchost.exe", "pid": 944, "account": "CONTOSO\\kim", "user": "lee", "user sid": "-",
        "source ip": ["192.0.2.1"], "machine name": True, "novel": "x",
    }  # fmt: skip
    assert alert_told.told(properties) == {"path": "c:\\temp\\svchost.exe", "pid": "944", "user": "CONTOSO\\kim"}
    assert alert_told.told({"user name": "", "source ip": 5.5}) is alert_told.told([]) is alert_told.told(None) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("IP Address: 192.0.2.7", "192.0.2.7"),
        ("198.51.100.1,192.0.2.7", "198.51.100.1"),
        ("somewhere", None),
        ("192.0.2.7 " * 50, None),
    ],
)
def test_the_clients_address(text: str, address: str | None) -> None:
    """The client's address stands alone or after words, and long texts are not searched."""
    assert alert_told.client({"client": text}) == address


@pytest.mark.parametrize(
    ("text", "number"),
    [("944", 944), ("0x1e49a", 124058), ("-1", None), ("1_0", None), ("x", None), ("", None), ("9" * 13, None)],
)
def test_process_ids(text: str, number: int | None) -> None:
    """Process ids come in decimal and in hexadecimal digits; what is none is nothing."""
    assert alert_told.number(text) == number


def test_properties_stand_in_for_entities() -> None:
    """Alerts without entities name process, account and client in their properties."""
    told: alert_told.Told = {
        "path": "c:\\temp\\svchost.exe", "pid": "944", "user": "CONTOSO\\kim", "sid": "S-1-5-21-1-2-3-4", "client": "IP Address: 192.0.2.7",
        "resource_type": "Virtual Machine", "parent": "cmd.exe", "parent_pid": "0x10",
    }  # fmt: skip
    assert named(alert.process_and_user(None, told, "windows"), alert.PROCESS_FIELDS) == {
        "process.name": "svchost.exe", "process.executable": "c:\\temp\\svchost.exe", "process.pid": 944, "process.parent.name": "cmd.exe",
        "process.parent.pid": 16, "user.name": "kim", "user.domain": "CONTOSO", "user.id": "S-1-5-21-1-2-3-4", "#users": ["kim"],
    }  # fmt: skip
    assert named(alert.host(None, told, None, "WEB-1"), alert.HOST_FIELDS) == {
        "host.name": "web-1",
        "host.os.type": "windows",
    }
    assert alert.host(None, {"host": "DB-1"}, None, "a subscription")[0] == "db-1"
    assert alert.host(None, {}, None, "a subscription")[0] is None
    assert named(network.connection(None, told), network.CONNECTION_FIELDS) == {
        "source.ip": "192.0.2.7",
        "#ips": ["192.0.2.7"],
    }


def test_properties_stand_in_for_links() -> None:
    """The alerts' API sends entities without links: the image of the process and its parent are what the properties tell of the same program."""
    found = graph_of({"Type": "process", "ProcessId": "0x4aec", "CommandLine": "c:\\users\\kim\\scrsave.scr -x"})
    told: alert_told.Told = {"path": "c:\\users\\kim\\scrsave.scr", "parent": "c:\\windows\\cmd.exe"}
    assert named(alert.process_and_user(found, told, "windows"), alert.PROCESS_FIELDS) == {
        "process.name": "scrsave.scr", "process.executable": "c:\\users\\kim\\scrsave.scr", "process.pid": 19180,
        "process.command_line": "c:\\users\\kim\\scrsave.scr -x", "process.parent.name": "cmd.exe", "process.parent.executable": "c:\\windows\\cmd.exe",
    }  # fmt: skip
    assert alert.process_and_user(found, {"path": "c:\\other.exe"}, "windows")[1] is None


def test_ends_of_a_connection() -> None:
    """Linked addresses are source and destination; a bare address is related only, and never the host's place."""
    found = graph_of(
        {
            "$id": "1",
            "Type": "ip",
            "Address": "198.51.100.7",
            "Location": {"CountryCode": "nl", "City": "Amsterdam", "Asn": 64500},
        },
        {"$id": "2", "Type": "ip", "Address": "10.0.0.4"},
        {
            "$id": "3",
            "Type": "network-connection",
            "SourceAddress": {"$ref": "1"},
            "DestinationAddress": {"$ref": "2"},
            "DestinationPort": 22,
            "Protocol": "Tcp",
        },
    )
    assert named(network.connection(found, None), network.CONNECTION_FIELDS) == {
        "source.ip": "198.51.100.7", "destination.ip": "10.0.0.4", "destination.port": 22, "#protocol": "Tcp", "source.geo.city_name": "Amsterdam",
        "source.geo.country_iso_code": "NL", "source.as.number": 64500, "#ips": ["198.51.100.7", "10.0.0.4"],
    }  # fmt: skip
    bare = graph_of({"Type": "ip", "Address": "198.51.100.7"})
    assert named(network.connection(bare, None), network.CONNECTION_FIELDS) == {"#ips": ["198.51.100.7"]}


def test_resource_of_an_alert() -> None:
    """The alert's own resource, else the deepest of its identifiers; behind a connector the entity of the other cloud."""
    identifiers = [{"azure_id": f"/subscriptions/{SUB}"}, {"azure_id": VM}, {"workspace_id": "w"}]
    assert alert_place(None, None, None, identifiers, None, None)[0] == VM.lower()
    assert alert_place(None, VM, None, identifiers, None, None)[11] == "web-1"
    assert named(alert_place(None, None, None, None, None, SUB.upper()), export.PLACE_FIELDS) == {
        "cloud.provider": "azure",
        "cloud.account.id": SUB,
    }
    arn = "arn:aws:eks:eu-west-1:123456789012:cluster/shop"
    found = graph_of(
        {"Type": "amazon-resource", "AmazonResourceId": arn, "ResourceName": "shop", "ResourceType": "EKS cluster"}
    )
    assert named(alert_place(None, "", None, None, found, SUB), export.PLACE_FIELDS) == {
        "resource.id": arn, "resource.name": "shop", "resource.sub_type": "EKS cluster", "cloud.provider": "aws", "cloud.account.id": "123456789012",
        "cloud.region": "eu-west-1",
    }  # fmt: skip


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cve",
                    "cvss",
                    "3.0",
                    "base",
                    "title",
                    "softwaredetails",
                    "osdetails",
                    "cves",
                    "tags",
                    "type",
                    "id",
                    "reason",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(value=ANY, text=st.none() | st.text(max_size=20))
def test_rules_of_bags_never_raise(value: Any, text: str | None) -> None:
    """Whatever lies in a bag or a list, a rule answers with one value for each of its fields."""
    assert len(findings.finding(value, text, text, text, text, text, text)) == len(findings.VULNERABILITY_FIELDS) + len(
        findings.RULE_FIELDS
    )
    assert len(findings.workload(value)) == len(findings.WORKLOAD_FIELDS)
    assert len(findings.image_findings(value, None)) == 7
    found = alert.graph(listed_entities(value, "entities", []))
    told = alert_told.told(value)
    assert len(network.connection(found, told)) == len(network.CONNECTION_FIELDS)
    assert len(network.container(found)) == len(network.CONTAINER_FIELDS)
    assert len(alert.host(found, told, text, text)) == len(alert.HOST_FIELDS)
    assert len(alert.file(found)) == len(alert.FILE_FIELDS)
    assert (
        len(alert.process_and_user(found, told, None))
        == len(alert.process_and_user(None, told, None))
        == len(alert.PROCESS_FIELDS)
    )
    assert len(export.place(text, text, text, text)) == len(export.PLACE_FIELDS)
    export.tag_texts(value)
    export.reasons(value)
