"""Evidence of Graph's alerts: the shape holds all that is documented, and each type fills the ECS fields that it is about."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.normalise.convert import Issue
from shared.normalise.mapping import OBJECTS, Row, Shape
from shared.normalise.shapes import shaped, takes_list
from shared.normalise.tables.graph_evidence import EVIDENCE
from shared.normalise.tables.graph_evidence_rules import EVIDENCE_FIELDS, READINGS, evidence
from shared.normalise.tables.graph_found import MOST
from tools.schema import rows

FACTS = Path(__file__).resolve().parents[4] / "shared" / "facts" / "graph_security.json"
PREFIX = "#microsoft.graph.security."
ENDPOINT = "microsoftDefenderForEndpoint"
KINDS = {"DateTimeOffset": "date", "Boolean": "boolean", "dictionary": "flattened"}
NUMBERS = {"Int32": ("long", "keyword"), "Int64": ("long", "keyword")}  # ids are numbers that nobody adds up
SHA1 = "f43d9bb316e30ae1a3494ac5b0624f6bea1bf054"


def item(name: str, /, **members: Any) -> dict[str, Any]:
    """An item of evidence as the API sends it."""
    return {"@odata.type": f"{PREFIX}{name}Evidence", **members}


def told(*items: dict[str, Any], service: str = ENDPOINT) -> dict[str, Any]:
    """ECS fields -> values, of some items; no item may hold anything that is not known."""
    issues: list[Issue] = []
    values = evidence(shaped(list(items), EVIDENCE, "evidence", issues), service)
    assert not issues
    return {field: value for field, value in zip(EVIDENCE_FIELDS, values, strict=True) if value is not None}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What Microsoft's metadata says of evidence."""
    if not FACTS.is_file():
        pytest.skip("the knowledge folder is not beside the project")
    found: dict[str, Any] = json.loads(FACTS.read_text())
    return found


def test_every_documented_type_is_read(facts: dict[str, Any]) -> None:
    """Each evidence type of the metadata has a reading, and no other name has."""
    assert {f"{PREFIX}{name}" for name in READINGS} == set(facts["evidence_types"])


def test_the_shape_holds_every_documented_property(facts: dict[str, Any]) -> None:
    """Properties of all types, of what lies in them, and of complex types, with their kinds; lists are taken where collections are."""
    base = facts["evidence_base"]["properties"]
    objects = {name.removeprefix(PREFIX): base | fact["properties"] for name, fact in facts["evidence_types"].items()}
    objects |= {"alertEvidence": base} | {name: members for name, members in facts["complex_types"].items() if members}
    kept_whole: set[str] = set()

    def check(shape: Shape, name: str, path: str) -> None:
        for key, documented in objects[name].items():
            type = documented.removesuffix(" (required)")
            many = re.fullmatch(r"Collection\((.*)\)", type)
            type = many[1] if many else type
            row: Row | None = shape.get(key)
            if type in objects:
                row = shape.get(f"{key}{OBJECTS}", row)
            assert row is not None, f"{path}.{key} is documented, but not in the shape"
            assert takes_list(row) == bool(many) or row[1] == "flattened", f"{path}.{key} is documented as {documented}"
            if type in objects and not isinstance(row[1], str):
                check(row[1], type, f"{path}.{key}")
            elif type in objects:
                assert row[1] == "flattened", f"{path}.{key} holds objects, the shape says {row[1]}"
                kept_whole.add(key)
            elif type in NUMBERS:
                assert row[1] in NUMBERS[type], f"{path}.{key}"
            elif type in KINDS:
                assert row[1] == KINDS[type], f"{path}.{key}"
            else:
                assert row[1] in (("latitude", "longitude") if type == "Double" else ("keyword", "wildcard", "ip")), (
                    f"{path}.{key}"
                )

    for name in (*(fact.removeprefix(PREFIX) for fact in facts["evidence_types"]), "alertEvidence"):
        check(EVIDENCE, name, name)
    assert kept_whole == {
        "containers", "digestImage", "ephemeralContainers", "initContainers", "location", "namespace", "pod", "registry", "stream", "trustedDomains",
    }  # fmt: skip


KIM = {
    "accountName": "kim", "domainName": "EXAMPLE", "userSid": "S-1-5-21-1-2-3-1104", "azureAdUserId": "5b3f", "userPrincipalName": "kim@example.com",
    "displayName": "Kim Example",
}  # fmt: skip
AZURE = "/subscriptions/7D2C/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/data"


@pytest.mark.parametrize(
    ("evidence", "fields"),
    [
        (item("activeDirectoryDomain", activeDirectoryDomainName="Corp.Example.com"), {"#hosts": ["corp.example.com"]}),
        (item("aiAgent", agentId="a1", agentName="Helper"), {"gen_ai.agent.id": "a1", "gen_ai.agent.name": "Helper"}),
        (
            item("amazonResource", amazonResourceId="arn:aws:ec2:eu-west-1:123456789012:instance/i-1", resourceName="web", resourceType="ec2Instance"),
            {"cloud.provider": "aws", "cloud.region": "eu-west-1", "#account": "123456789012", "resource.sub_type": "ec2Instance"},
        ),
        (item("amazonResource", amazonAccountId="123456789012"), {"cloud.provider": "aws", "#account": "123456789012"}),
        (
            item("azureResource", resourceId=AZURE, resourceType="Storage account"),
            {"cloud.provider": "azure", "#account": "7d2c", "resource.id": AZURE.lower(), "resource.type": "Microsoft.Storage", "resource.sub_type": "storageAccounts"},
        ),
        (
            item("googleCloudResource", fullResourceName="//x/y", projectId="p1", location="us-central1-c", locationType="zonal"),
            {"cloud.provider": "gcp", "cloud.project.id": "p1", "cloud.region": "us-central1", "resource.id": "//x/y"},
        ),
        (item("googleCloudResource", projectId="p1", location="us-central1", locationType="regional"), {"cloud.region": "us-central1"}),
        (
            item("blob", name="a.zip", url="https://x.example.net/c/a.zip", fileHashes=[{"algorithm": "md5", "value": "aa11"}]),
            {"file.name": "a.zip", "file.extension": "zip", "file.hash.md5": "aa11", "url.domain": "x.example.net", "#hosts": ["x.example.net"]},
        ),
        (item("blobContainer", url="https://x.example.net/c", storageResource={"resourceId": AZURE}), {"url.path": "/c", "resource.id": AZURE.lower()}),
        (
            item("cloudLogonSession", account={"userAccount": KIM}, userAgent="Mozilla", browser="Edge", operatingSystem="iOS", deviceName="PHONE"),
            {"user.name": "kim", "user_agent.original": "Mozilla", "user_agent.name": "Edge", "user_agent.os.name": "iOS"},
        ),
        (
            item("container", containerId="c0", name="cart", isPrivileged=True, pod={"name": "cart-1", "namespace": {"name": "shop"}}),
            {"container.id": "c0", "container.security_context.privileged": True, "orchestrator.resource.name": "cart-1", "orchestrator.namespace": "shop"},
        ),
        (
            item("containerImage", imageId="r.example.io/a:1", digestImage={"imageId": "r.example.io/a@sha256:ab"}, registry={"registry": "r.example.io"}),
            {"container.image.name": "r.example.io/a:1", "container.image.hash.all": ["sha256:ab"], "#hosts": ["r.example.io"]},
        ),
        (item("containerImage", imageId="sha256:ab"), {"container.image.hash.all": ["sha256:ab"]}),
        (item("containerRegistry", registry="r.example.io"), {"#hosts": ["r.example.io"]}),
        (
            item("dns", domainName="x.example.net", ipAddresses=[{"ipAddress": "198.51.100.7"}], hostIpAddress={"ipAddress": "192.0.2.4"}),
            {"dns.question.name": "x.example.net", "dns.resolved_ip": ["198.51.100.7"], "host.ip": ["192.0.2.4"], "#ips": ["198.51.100.7", "192.0.2.4"]},
        ),
        (item("fileHash", algorithm="sha1", value=SHA1), {"file.hash.sha1": SHA1, "#hashes": [SHA1]}),
        (item("fileHash", algorithm="sha256ac", value="ac"), {"#hashes": ["ac"]}),
        (item("gitHubOrganization", login="org", displayName="Org"), {"organization.name": "Org"}),
        (item("gitHubUser", login="kim", email="kim@example.com", userId="3"), {"user.name": "kim", "user.email": "kim@example.com", "user.id": "3"}),
        (item("hostLogonSession", account={"userAccount": KIM}, host={"mdeDeviceId": "d1"}), {"user.id": KIM["userSid"], "host.id": "d1", "device.id": "d1"}),
        (
            item("ioTDevice", deviceId="i7", deviceName="PLC-7", manufacturer="M", model="X", ipAddress={"ipAddress": "192.0.2.77"}, macAddress="00005e005377"),
            {"host.id": "i7", "host.name": "plc-7", "device.manufacturer": "M", "device.model.name": "X", "host.ip": ["192.0.2.77"], "host.mac": ["00-00-5E-00-53-77"]},
        ),
        (
            item("kubernetesCluster", name="c1", platform="eks", version="1.31", cloudResource={"amazonResourceId": "arn:aws:eks:eu-west-1:1:cluster/c1"}),
            {"orchestrator.cluster.name": "c1", "cloud.provider": "aws", "orchestrator.cluster.id": "arn:aws:eks:eu-west-1:1:cluster/c1"},
        ),
        (item("kubernetesController", name="cart", type="Deployment"), {"orchestrator.resource.type": "deployment", "orchestrator.type": "kubernetes"}),
        (item("kubernetesNamespace", name="shop", cluster={"name": "c1"}), {"orchestrator.namespace": "shop", "orchestrator.cluster.name": "c1"}),
        (
            item("kubernetesPod", name="p", controller={"type": "Deployment"}, podIp={"ipAddress": "192.0.2.9"}, containers=[{"name": "c", "image": {"imageId": "i:1"}}]),
            {"orchestrator.resource.parent.type": "deployment", "orchestrator.resource.ip": ["192.0.2.9"], "container.name": "c", "container.image.name": "i:1"},
        ),
        (item("kubernetesSecret", name="s"), {"orchestrator.resource.type": "secret", "orchestrator.resource.name": "s"}),
        (item("kubernetesService", name="s", labels={"a": "b", "@odata.type": "x"}), {"orchestrator.resource.label": ["a:b"]}),
        (item("kubernetesServiceAccount", name="s"), {"orchestrator.resource.type": "serviceaccount"}),
        (item("mailbox", primaryAddress="k@example.com", userAccount=KIM), {"user.email": ["kim@example.com", "k@example.com"], "user.full_name": "Kim Example"}),
        (item("mailboxConfiguration", mailboxPrimaryAddress="k@example.com"), {"user.email": "k@example.com", "#users": ["k", "k@example.com"]}),
        (item("malware", name="Wacatac", files=[{"fileDetails": {"fileName": "a.dll"}}]), {"#malware": "Wacatac", "file.name": "a.dll", "file.extension": "dll"}),
        (
            item("networkConnection", sourceAddress={"ipAddress": "192.0.2.4"}, destinationAddress={"ipAddress": "::1"}, destinationPort=443, protocol="tcp"),
            {"source.ip": "192.0.2.4", "destination.ip": "::1", "destination.port": 443, "network.transport": "tcp", "#ips": ["192.0.2.4", "::1"]},
        ),
        (item("nic", ipAddress={"ipAddress": "192.0.2.8"}, macAddress="0"), {"host.ip": ["192.0.2.8"]}),
        (
            item("registryValue", registryHive="HKEY_LOCAL_MACHINE", registryKey="SOFTWARE\\X", registryValueName="V", registryValueType="Dword", registryValue="1"),
            {"registry.path": "HKLM\\SOFTWARE\\X\\V", "registry.data.type": "REG_DWORD", "registry.data.strings": ["1", "0x00000001"], "host.os.type": "windows"},
        ),
        (item("sasToken", storageResource={"resourceId": AZURE}, allowedIpAddresses="192.0.2.1-192.0.2.9"), {"resource.id": AZURE.lower()}),
        (item("securityGroup", sid="S-1-5-21-1-2-3-512", displayName="Admins"), {"group.id": "S-1-5-21-1-2-3-512", "group.name": "Admins"}),
        (item("servicePrincipal", servicePrincipalName="auto", servicePrincipalObjectId="o1", appId="a1"), {"user.name": "auto", "user.id": "o1", "#users": ["auto", "o1", "a1"]}),
        (
            item("submissionMail", sender="b@example.net", recipient="k@example.com", submitter="k@example.com", senderIp="203.0.113.5", networkMessageId="n1"),
            {"email.from.address": ["b@example.net"], "email.to.address": ["k@example.com"], "source.ip": "203.0.113.5", "email.local_id": "n1"},
        ),
        (
            item("teamsMessage", senderFromAddress="m@example.net", recipients=["k@example.com"], urls=[{"url": "https://l.example.org/y"}], messageDirection="intraorg", groupId="g1"),
            {"email.from.address": ["m@example.net"], "email.direction": "internal", "url.domain": "l.example.org", "group.id": "g1"},
        ),
        (item("url", url="http://192.0.2.66/x.exe"), {"url.path": "/x.exe", "url.extension": "exe", "#ips": ["192.0.2.66"]}),
    ],
    ids=lambda value: value["@odata.type"].removeprefix(PREFIX) if "@odata.type" in value else "",
)  # fmt: skip
def test_what_an_item_says(evidence: dict[str, Any], fields: dict[str, Any]) -> None:
    """Each type fills the fields that it is about."""
    found = told(evidence)
    assert {field: found.get(field) for field in fields} == fields


@pytest.mark.parametrize("name", [name for name, (_, category) in READINGS.items() if category])
def test_every_item_has_a_category(name: str) -> None:
    """An item that says nothing else still tells what the alert is about."""
    assert told({"@odata.type": f"{PREFIX}{name}"})["#categories"] == [READINGS[name][1]]


def test_a_mail_says_who_sent_it_and_to_whom() -> None:
    """From is whom the recipient sees, the sender whom bounces go to; display names are no addresses, links are related hosts."""
    found = told(
        item(
            "analyzedMessage", subject="-", receivedDateTime="2026-03-04T08:59:55Z", recipientEmailAddress="kim@example.com", antiSpamDirection="Inbound",
            p1Sender={"emailAddress": "bounce@m.example.net", "domainName": "m.example.net"}, networkMessageId="n1", internetMessageId="<a@b>",
            p2Sender={"emailAddress": '"Team" <team@example.net>', "displayName": "Team", "domainName": "example.net"}, senderIp="203.0.113.5",
            urls=["https://l.example.org/x", "https://192.0.2.66/"],
        )
    )  # fmt: skip
    assert found == {
        "email.subject": "-", "email.delivery_timestamp": "2026-03-04T08:59:55Z", "email.to.address": ["kim@example.com"], "email.direction": "inbound",
        "email.sender.address": "bounce@m.example.net", "email.from.address": ["team@example.net"], "email.local_id": "n1", "email.message_id": "<a@b>",
        "source.ip": "203.0.113.5", "#categories": ["email"], "#ips": ["203.0.113.5", "192.0.2.66"],
        "#hosts": ["example.net", "m.example.net", "l.example.org"],
        "#users": ["team@example.net", "bounce@m.example.net", "kim@example.com"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "service", "ends"),
    [
        (["attacker"], ENDPOINT, {"source.ip"}),
        (["commandAndControl"], ENDPOINT, {"destination.ip"}),
        (["source", "destination"], ENDPOINT, {"source.ip", "destination.ip"}),
        (["contextual"], ENDPOINT, set()),
        ([], ENDPOINT, set()),
        ([], "microsoftDefenderForCloudApps", {"source.ip"}),
        (["attacked"], "microsoftDefenderForCloudApps", {"destination.ip"}),
    ],
)
def test_which_end_an_address_is(roles: list[str], service: str, ends: set[str]) -> None:
    """Its roles tell; without one it is the client's where the service watches clients, else it is related only."""
    found = told(
        item(
            "ip",
            ipAddress="203.0.113.77",
            roles=roles,
            countryLetterCode="nz",
            location={"city": "Bay", "latitude": -45.5, "longitude": 170},
        ),
        service=service,
    )
    assert {field for field in found if field in ("source.ip", "destination.ip")} == ends
    assert found["#ips"] == ["203.0.113.77"]
    assert {found[field.replace("ip", "geo.country_iso_code")] for field in ends} <= {"NZ"}
    assert all(found[field.replace("ip", "geo.location")] == {"lat": -45.5, "lon": 170.0} for field in ends)


def test_a_device_is_the_host() -> None:
    """Names, addresses, system and risk; accounts that were logged on are users only where nobody else is told."""
    device = item(
        "device", mdeDeviceId="d1", deviceDnsName="WS1", dnsDomain="corp.example.com", osPlatform="Windows11", version="23H2", osBuild=22631, riskScore="high",
        ipInterfaces=["192.0.2.4", "::1"], lastIpAddress="192.0.2.4", lastExternalIpAddress="203.0.113.9", loggedOnUsers=[{"accountName": "lee", "domainName": "WS1"}],
        vmMetadata={"cloudProvider": "azure", "subscriptionId": "7D2C"},
    )  # fmt: skip
    found = told(device)
    assert found == {
        "host.id": "d1", "device.id": "d1", "cloud.instance.id": "d1", "host.name": "ws1.corp.example.com", "host.hostname": "WS1",
        "host.domain": "corp.example.com", "host.os.type": "windows", "host.os.family": "windows", "host.os.name": "Windows11", "host.os.platform": "windows",
        "host.os.version": "23H2", "host.os.full": "Windows11 23H2 (22631)", "host.ip": ["192.0.2.4", "::1"], "host.risk.calculated_level": "high",
        "user.name": "lee", "user.domain": "WS1", "cloud.provider": "azure", "#account": "7d2c", "#categories": ["host"], "#users": ["lee"],
        "#hosts": ["d1", "ws1.corp.example.com", "WS1"], "#ips": ["192.0.2.4", "::1", "203.0.113.9"],
    }  # fmt: skip
    assert told(device, item("user", userAccount=KIM))["user.name"] == "kim"
    assert "host.risk.calculated_level" not in told(item("device", riskScore="none"))


def test_a_process_has_a_parent_arguments_and_an_account() -> None:
    """Path is folder and name, arguments are split as the host does; the account is the user where no item tells one."""
    process = item(
        "process", mdeDeviceId="d1", processId=0, processCommandLine='"C:\\a b\\x.exe" "1 2"', processCreationDateTime="2026-03-04T09:05:11.1234567Z",
        imageFile={"fileName": "x.exe", "filePath": "C:\\a b", "sha1": SHA1, "signer": "Example"}, detectionStatus="blocked",
        parentProcessId=4, parentProcessCreationDateTime="2026-03-04T09:05:10Z", parentProcessImageFile={"fileName": "y.exe", "filePath": "C:\\w"},
        userAccount={"accountName": "system", "domainName": "nt authority", "userSid": "S-1-5-18"},
    )  # fmt: skip
    assert told(process) == {
        "host.id": "d1", "device.id": "d1", "cloud.instance.id": "d1", "host.os.type": "windows", "process.pid": 0, "process.name": "x.exe",
        "process.executable": "C:\\a b\\x.exe", "process.command_line": '"C:\\a b\\x.exe" "1 2"', "process.args": ["C:\\a b\\x.exe", "1 2"],
        "process.args_count": 2, "process.start": "2026-03-04T09:05:11.1234567Z", "process.entity_id": "d1-0-2026-03-04T09:05:11.123",
        "process.hash.sha1": SHA1, "process.code_signature.subject_name": "Example", "process.parent.pid": 4, "process.parent.name": "y.exe",
        "process.parent.executable": "C:\\w\\y.exe", "process.parent.start": "2026-03-04T09:05:10Z", "process.parent.entity_id": "d1-4-2026-03-04T09:05:10.000",
        "process.user.name": "SYSTEM", "process.user.id": "S-1-5-18", "user.name": "SYSTEM", "user.domain": "NT AUTHORITY", "user.id": "S-1-5-18",
        "event.action": "blocked", "#categories": ["process"], "#hosts": ["d1"], "#hashes": [SHA1], "#users": ["SYSTEM", "S-1-5-18"],
    }  # fmt: skip


def test_several_items_of_a_type_give_each_value_once() -> None:
    """One value stays plain, several become a list in their order, arguments those of each process in turn."""
    found = told(
        item("process", processId=1, processCommandLine="a.exe -x", detectionStatus="detected"),
        item("process", processId=2, processCommandLine="a.exe -y -x", detectionStatus="detected"),
        item("url", url="https://a.example.org/1"),
        item("url", url="https://a.example.org/2"),
        item(
            "file", fileDetails={"fileName": "a.exe", "filePath": "/opt/x", "fileSize": 7}, detectionStatus="prevented"
        ),
    )
    assert found["process.pid"] == [1, 2]
    assert found["process.name"] == "a.exe"
    assert found["process.args"] == ["a.exe", "-x", "a.exe", "-y", "-x"]
    assert found["process.args_count"] == [2, 3]
    assert found["url.domain"] == "a.example.org"
    assert found["url.path"] == ["/1", "/2"]
    assert found["file.path"] == "/opt/x/a.exe"
    assert found["event.action"] == ["detected", "prevented"]


def test_fields_that_ecs_has_as_arrays_are_lists() -> None:
    """Also of one value."""
    arrays = {row["field"] for row in rows("ecs.csv") if row["array"] == "yes"} & set(EVIDENCE_FIELDS)
    golden = Path(__file__).resolve().parents[2] / "golden" / "alert" / "in.json"
    found: dict[str, Any] = {}
    for value in json.loads(golden.read_text()):
        found |= {
            field: values
            for field, values in told_loosely(value["evidence"], value["serviceSource"]).items()
            if field in arrays
        }
    assert found.keys() == arrays
    assert all(isinstance(values, list) for values in found.values())


def told_loosely(items: list[Any], service: str) -> dict[str, Any]:
    """`told` of items with members that nobody knows among them."""
    values = evidence(shaped(items, EVIDENCE, "evidence", []), service)
    return {field: value for field, value in zip(EVIDENCE_FIELDS, values, strict=True) if value is not None}


def test_every_field_is_filled_by_the_golden_alerts() -> None:
    """The golden pair shows each field that evidence can fill."""
    golden = Path(__file__).resolve().parents[2] / "golden" / "alert" / "in.json"
    filled: set[str] = set()
    for value in json.loads(golden.read_text()):
        filled |= told_loosely(value["evidence"], value["serviceSource"]).keys()
    assert set(EVIDENCE_FIELDS) - filled <= {
        # parents come without hash and signer from the API
        "process.parent.hash.md5", "process.parent.hash.sha1", "process.parent.hash.sha256", "process.parent.code_signature.subject_name",
        "url.port", "url.fragment",
    }  # fmt: skip


def test_more_items_than_anybody_reads_cost_no_more() -> None:
    """Fields hold the values of the first items; the rest is in the evidence itself."""
    found = told(*(item("ip", ipAddress=f"2001:db8::{n:x}", roles=["source"]) for n in range(MOST + 50)))
    assert len(found["source.ip"]) == len(found["#ips"]) == MOST


def test_types_in_another_spelling_and_of_nobody() -> None:
    """The last part of a type's name counts; an unknown or missing one fills nothing."""
    assert (
        told({"@odata.type": "microsoft.graph.urlEvidence", "url": "https://a.example.org"})["url.domain"]
        == "a.example.org"
    )
    assert told({"@odata.type": "#microsoft.graph.security.novelEvidence", "url": "https://a.example.org"}) == {}
    assert told({"url": "https://a.example.org"}) == {}
    assert evidence(None, ENDPOINT) == (None,) * len(EVIDENCE_FIELDS)
