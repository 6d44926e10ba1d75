"""A seed -> made-up rows of Microsoft's APIs, of the size and shape of real ones: alerts of about 5.7 kB with 3.5 items of evidence, incidents.

Names and addresses are those of `load_world`: nobody's. Times are whatever the caller says; ids are the same for the same seed and number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from local.load_world import TECHNIQUES, WINDOWS, Host, dice, fingerprint, guid, hexadecimal, hosts
from local.microsoft_http import LargeRow, Row

TEXT = (
    "Collect artifacts and determine scope. Review the machine timeline for suspicious activities that may have occurred before and after the time of "
    "the alert, and record additional related artifacts (files, IPs, URLs). Look for the presence of relevant artifacts on other systems. Submit "
    "relevant files for deep analysis and review resulting detailed behavioral information. Initiate containment and mitigation: contact the user to "
    "verify intent and initiate local remediation actions as needed; update signatures and run a full scan. If credential theft is suspected, reset all "
    "relevant users' passwords. Block communication with relevant URLs or addresses at the perimeter."
)
SOURCES = (
    "microsoftDefenderForEndpoint",
    "microsoftDefenderForIdentity",
    "microsoftDefenderForOffice365",
    "microsoftDefenderForCloud",
    "microsoftSentinel",
)
GRAPH = "#microsoft.graph.security."


def stamp(moment: datetime, digits: int = 7) -> str:
    """A moment as the APIs write it, with so many digits of a fraction."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{f'{moment.microsecond:06}0'[:digits]}Z" if digits else f"{text}Z"


def alert(seed: str, number: int, moment: datetime, tenant: str, incident: int | None = None) -> Row:
    """An alert of Graph's alerts_v2, last updated at that moment."""
    chance = dice(f"alert {seed} {number}")
    host = chance.choice(hosts(seed))
    title, category, severity, technique = chance.choice(TECHNIQUES)
    incident = number if incident is None else incident
    id = f"{chance.choice(('da', 'ed', 'aa', 'fa'))}{63_800_000_000_0000_0000 + number}_{chance.randint(-(2**31), 2**31)}"
    created = moment - timedelta(minutes=chance.randint(0, 10), milliseconds=chance.randint(0, 999))
    count = min(11, 1 + int(chance.expovariate(1 / 3.1)))
    return {
        "id": id, "providerAlertId": id[2:], "incidentId": str(incident), "status": chance.choice(("new", "inProgress", "resolved")),
        "severity": severity.lower(), "classification": None, "determination": None, "serviceSource": chance.choice(SOURCES),
        "detectionSource": "microsoftDefenderForEndpoint", "productName": "Microsoft Defender for Endpoint", "detectorId": guid(chance),
        "tenantId": tenant, "title": title, "description": f"{title} on {host.name}. " + TEXT[:600], "recommendedActions": f"{TEXT} {TEXT[:500]}", "category": category,
        "assignedTo": None, "alertWebUrl": f"https://security.microsoft.com/alerts/{id}?tid={tenant}",
        "incidentWebUrl": f"https://security.microsoft.com/incidents/{incident}?tid={tenant}", "actorDisplayName": None, "threatDisplayName": None,
        "threatFamilyName": None, "mitreTechniques": [technique[technique.index("(") + 1 : -1]], "createdDateTime": stamp(created),
        "lastUpdateDateTime": stamp(moment), "resolvedDateTime": None, "firstActivityDateTime": stamp(created - timedelta(hours=1)),
        "lastActivityDateTime": stamp(created), "comments": [], "systemTags": [], "alertPolicyId": None, "investigationState": "queued",
        "customDetails": None, "additionalData": None, "evidence": [evidence(chance, host, created, tenant) for _ in range(count)],
    }  # fmt: skip


def evidence(chance: random.Random, host: Host, moment: datetime, tenant: str) -> Row:
    """One item of an alert's evidence."""
    kind = chance.choice(("device", "process", "file", "user", "ip", "url"))
    program = chance.choice(WINDOWS)
    item: Row = {
        "@odata.type": f"{GRAPH}{kind}Evidence", "createdDateTime": stamp(moment), "verdict": chance.choice(("suspicious", "malicious", "unknown")),
        "remediationStatus": chance.choice(("none", "active", "prevented")), "remediationStatusDetails": None, "roles": [], "detailedRoles": [], "tags": [],
    }  # fmt: skip
    account: Row = {
        "accountName": host.user, "domainName": "example", "userSid": host.sid, "azureAdUserId": host.object_id,
        "userPrincipalName": f"{host.user}@example.com", "displayName": host.user, "activeDirectoryObjectGuid": None, "resourceAccessEvents": [],
    }  # fmt: skip
    details = {
        "sha1": fingerprint(program.name, "SHA1"), "sha256": fingerprint(program.name, "SHA256"), "md5": fingerprint(program.name, "MD5"),
        "sha256Ac": None, "fileName": program.name, "filePath": program.folder, "fileSize": chance.randint(1000, 5_000_000),
        "filePublisher": program.company, "signer": None, "issuer": None,
    }  # fmt: skip
    if kind == "device":
        return item | {
            "firstSeenDateTime": stamp(moment - timedelta(days=90)), "mdeDeviceId": host.id, "azureAdDeviceId": host.object_id, "deviceDnsName": host.name,
            "hostName": host.name.partition(".")[0], "ntDomain": None, "dnsDomain": "example.com", "osPlatform": host.platform, "osBuild": 22631,
            "version": "23H2", "healthStatus": "active", "riskScore": "medium", "rbacGroupId": 7, "rbacGroupName": host.group, "onboardingStatus":
            "onboarded", "defenderAvStatus": "updated", "lastIpAddress": host.address, "lastExternalIpAddress": "198.51.100.7", "ipInterfaces":
            [host.address, host.address6, "127.0.0.1"], "vmMetadata": None, "loggedOnUsers": [{"accountName": host.user, "domainName": "example"}],
            "resourceAccessEvents": [],
        }  # fmt: skip
    if kind == "process":
        return item | {
            "processId": chance.randint(4, 60_000), "parentProcessId": chance.randint(4, 60_000), "processCommandLine": program.commands[0],
            "processCreationDateTime": stamp(moment), "parentProcessCreationDateTime": stamp(moment), "detectionStatus": "detected", "mdeDeviceId":
            host.id, "imageFile": details, "parentProcessImageFile": {**details, "fileName": program.parent}, "userAccount": account,
        }  # fmt: skip
    if kind == "file":
        return item | {"detectionStatus": "prevented", "mdeDeviceId": host.id, "fileDetails": details}
    if kind == "user":
        return item | {"userAccount": account | {"tenantId": tenant}, "stream": None}
    if kind == "ip":
        return item | {
            "ipAddress": f"203.0.113.{chance.randint(1, 254)}",
            "countryLetterCode": "NO",
            "location": None,
            "stream": None,
        }
    return item | {"url": f"https://www.example.com/{chance.randint(1, 10**6)}"}


def incident(seed: str, number: int, moment: datetime, tenant: str) -> Row:
    """An incident of Graph's, without its alerts."""
    chance = dice(f"incident {seed} {number}")
    title, _, severity, _ = chance.choice(TECHNIQUES)
    return {
        "id": str(number), "tenantId": tenant, "status": chance.choice(("active", "resolved", "inProgress", "awaitingAction")), "incidentWebUrl":
        f"https://security.microsoft.com/incident2/{number}/overview?tid={tenant}", "redirectIncidentId": None, "displayName":
        f"{title} on one endpoint", "createdDateTime": stamp(moment - timedelta(minutes=chance.randint(0, 60))), "lastUpdateDateTime": stamp(moment),
        "assignedTo": None, "classification": "unknown", "determination": "unknown", "severity": severity.lower(), "customTags": ["Demo"],
        "systemTags": [], "description": TEXT[:200], "lastModifiedBy": "Microsoft 365 Defender-AlertCorrelation", "resolvingComment": None,
        "summary": TEXT[:100], "priorityScore": chance.randint(0, 100), "comments": [],
    }  # fmt: skip


def siem_incident(seed: str, number: int, moment: datetime, alerts: int = 2) -> Row:
    """An incident of the older API, with its alerts inside."""
    row = siem_base(seed, number, moment)
    row["alerts"] = [siem_alert(seed, number, place, moment) for place in range(alerts)]
    return row


def siem_base(seed: str, number: int, moment: datetime) -> Row:
    """An incident of the older API before its alerts."""
    chance = dice(f"siem {seed} {number}")
    title, _, severity, _ = chance.choice(TECHNIQUES)
    return {
        "incidentId": number, "incidentUri": f"https://security.microsoft.com/incidents/{number}", "redirectIncidentId": None, "incidentName": title,
        "createdTime": stamp(moment - timedelta(minutes=5)), "lastUpdateTime": stamp(moment), "assignedTo": None, "classification": "Unknown",
        "determination": "NotAvailable", "status": "Active", "severity": severity, "tags": [], "comments": [],
    }  # fmt: skip


def siem_alert(seed: str, number: int, place: int, moment: datetime) -> Row:
    """An alert inside an incident of the older API."""
    chance = dice(f"siem alert {seed} {number} {place}")
    host, program = chance.choice(hosts(seed)), chance.choice(WINDOWS)
    title, category, severity, technique = chance.choice(TECHNIQUES)
    return {
        "alertId": f"da{number}_{place}", "providerAlertId": f"{number}_{place}", "incidentId": number, "serviceSource": "MicrosoftDefenderForEndpoint",
        "creationTime": stamp(moment), "lastUpdatedTime": stamp(moment), "resolvedTime": None, "firstActivity": stamp(moment), "lastActivity": stamp(moment),
        "title": title, "description": TEXT[:300], "category": category, "status": "New", "severity": severity, "investigationId": None,
        "investigationState": "Queued", "classification": None, "determination": None, "detectionSource": "WindowsDefenderAv", "detectorId": guid(chance),
        "assignedTo": None, "actorName": None, "threatFamilyName": None, "mitreTechniques": [technique[technique.index("(") + 1 : -1]],
        "devices": [{
            "mdatpDeviceId": host.id, "aadDeviceId": None, "deviceDnsName": host.name, "osPlatform": host.platform, "version": "23H2", "osProcessor": "x64",
            "osBuild": 22631, "healthStatus": "Active", "riskScore": "High", "rbacGroupName": host.group, "firstSeen": stamp(moment), "tags": [],
            "defenderAvStatus": "Updated", "onboardingStatus": "Onboarded", "vmMetadata": None, "loggedOnUsers": [],
        }],
        "entities": [
            {"entityType": "User", "evidenceCreationTime": stamp(moment), "verdict": "Suspicious", "remediationStatus": "None", "accountName": host.user,
             "domainName": "example", "userSid": host.sid, "aadUserId": host.object_id, "userPrincipalName": f"{host.user}@example.com"},
            {"entityType": "Process", "evidenceCreationTime": stamp(moment), "verdict": "Malicious", "remediationStatus": "Prevented",
             "sha1": fingerprint(program.name, "SHA1"), "sha256": fingerprint(program.name, "SHA256"), "fileName": program.name, "filePath": program.folder,
             "processId": chance.randint(4, 60_000), "processCommandLine": program.commands[0], "processCreationTime": stamp(moment),
             "parentProcessId": 4, "parentProcessCreationTime": stamp(moment), "deviceId": host.id},
        ],
    }  # fmt: skip


def large_incident(seed: str, number: int, moment: datetime, alerts: int) -> LargeRow:
    """An incident of the older API with so many alerts that they are written one by one; they differ in their ids."""
    base = siem_base(seed, number, moment)
    row = LargeRow(base)
    template = orjson.dumps(siem_alert(seed, number, 987_654, moment))

    def pieces() -> Iterator[bytes]:
        yield orjson.dumps(base)[:-1] + b',"alerts":['
        for place in range(alerts):
            yield (b"," if place else b"") + template.replace(b"987654", b"%d" % place)
        yield b"]}"

    row.pieces = pieces
    return row


def vulnerability(seed: str, number: int, moment: datetime, *, pascal: bool = False) -> Row:
    """A row of the export (PascalCase) or of the pages by machine."""
    chance = dice(f"vulnerability {seed} {number}")
    host, cve = chance.choice(hosts(seed)), f"CVE-{chance.randint(2015, 2026)}-{chance.randint(1000, 60000)}"
    name, version = (
        chance.choice(("edge_chromium-based", "windows_11", "openssl", "chrome")),
        f"{chance.randint(1, 120)}.0.{chance.randint(0, 9999)}.{number}",
    )
    row = {
        "id": f"{host.id}_example_{name}_{version}_{cve}", "deviceId": host.id, "deviceName": host.name, "rbacGroupId": 7, "rbacGroupName": host.group,
        "osPlatform": host.platform, "osVersion": "10.0.22631.1", "osArchitecture": "x64", "softwareVendor": "example", "softwareName": name,
        "softwareVersion": version, "cveId": cve, "vulnerabilitySeverityLevel": chance.choice(("Low", "Medium", "High", "Critical")), "cvssScore":
        round(chance.uniform(2, 10), 1), "exploitabilityLevel": "NoExploit", "recommendedSecurityUpdate": "July 2026 Security Updates",
        "recommendedSecurityUpdateId": "5055518", "recommendedSecurityUpdateUrl": "https://www.example.com/kb/5055518", "securityUpdateAvailable": True,
        "recommendationReference": f"va-_-example-_-{name}", "diskPaths": [rf"C:\Program Files\Example\{name}.exe"], "registryPaths":
        [rf"HKEY_LOCAL_MACHINE\SOFTWARE\Example\{name}"], "firstSeenTimestamp": stamp(moment - timedelta(days=30), 0), "lastSeenTimestamp": stamp(moment, 0),
        "isOnboarded": True, "cveBatchTitle": None, "cveBatchUrl": None,
    }  # fmt: skip
    return {key[0].upper() + key[1:]: value for key, value in row.items()} if pascal else row


def export_lines(seed: str, size: int, moment: datetime, different: int = 50_000) -> Callable[[], Iterator[bytes]]:
    """A file of about so many bytes, in lines; made when it is asked for, from one row with other ids."""
    line = orjson.dumps(vulnerability(seed, 987_654, moment, pascal=True)) + b"\n"
    width = len(line)

    def lines() -> Iterator[bytes]:
        for begin in range(0, max(1, size // width), 200):
            numbers = range(begin, min(begin + 200, max(1, size // width)))
            yield b"".join(line.replace(b"987654", b"%06d" % (number % (different * 20))) for number in numbers)

    return lines


def assessment(seed: str, scope: str, number: int, moment: datetime, *, findings: bool = False) -> Row:
    """An assessment of Resource Manager as its list gives it: capitals in resourceDetails, texts in additionalData, no metadata."""
    chance = dice(f"assessment {seed} {scope} {number}")
    name = NAMES[number % len(NAMES)]
    resource = f"/{scope}/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/host{number}"
    id = f"{resource}/providers/Microsoft.Security/assessments/{name}"
    more: dict[str, Any] = {"Can onboard to BYOL": "false"}
    if findings:
        more["subAssessmentsLink"] = f"{id}/subAssessments"
    return {
        "type": "Microsoft.Security/assessments", "id": id, "name": name,
        "properties": {
            "resourceDetails": {
                "Source": "Azure", "Id": resource, "ResourceName": f"host{number}", "ResourceType": "virtualMachines", "ResourceProvider":
                "Microsoft.Compute", "NativeResourceId": resource,
            },
            "displayName": f"Machines should be demo {name[:4]}", "additionalData": more, "status": {
                "code": chance.choice(("Healthy", "Unhealthy", "NotApplicable")), "cause": "demo", "description": TEXT[:120],
                "statusChangeDate": stamp(moment), "firstEvaluationDate": stamp(moment - timedelta(days=90)),
            },
        },
    }  # fmt: skip


NAMES = tuple(guid(dice(f"assessment name {number}")) for number in range(40))


def metadata() -> list[Row]:
    """What is said of the assessments in general."""
    return [
        {
            "id": f"/providers/Microsoft.Security/assessmentMetadata/{name}", "name": name, "type": "Microsoft.Security/assessmentMetadata",
            "properties": {
                "displayName": f"Machines should be demo {name[:4]}", "description": TEXT[:300], "remediationDescription": TEXT[300:600],
                "categories": ["Compute"], "severity": ("Low", "Medium", "High")[number % 3], "userImpact": "Low", "implementationEffort": "Low",
                "threats": ["accountBreach"], "assessmentType": "BuiltIn", "tactics": ["Initial Access"], "techniques": ["Exploit Public-Facing Application"],
                "policyDefinitionId": f"/providers/Microsoft.Authorization/policyDefinitions/{name}",
            },
        }
        for number, name in enumerate(NAMES)
    ]  # fmt: skip


def finding(seed: str, assessment_id: str, number: int, moment: datetime) -> Row:
    """A sub-assessment of a server's vulnerability: by turns one of an update, and one of a program, which is a package."""
    chance = dice(f"finding {seed} {assessment_id} {number}")
    id, cve = guid(chance), f"CVE-{chance.randint(2015, 2026)}-{chance.randint(1000, 60000)}"
    told: dict[str, Any] = {"cve": [{"title": cve, "link": f"https://www.example.com/{cve}"}]}
    if number % 2:
        told |= {
            "assessedResourceType": "ServerVulnerabilityTvm",
            "softwareName": "demo",
            "softwareVendor": "example",
            "softwareVersion": f"1.{number}",
        }
    else:
        told |= {
            "assessedResourceType": "ServerVulnerability",
            "type": "Vulnerability",
            "patchable": True,
            "threat": TEXT[:80],
            "cvss": {"2.0": {"base": 6.4}, "3.0": {"base": 7.5}},
            "publishedTime": stamp(moment - timedelta(days=200), 0),
            "vendorReferences": [{"title": hexadecimal(chance, 8), "link": "https://www.example.com/"}],
        }
    return {
        "type": "Microsoft.Security/assessments/subAssessments", "id": f"{assessment_id}/subAssessments/{id}", "name": id,
        "properties": {
            "id": str(90_000 + number), "displayName": f"Update of demo software {number}", "status": {"code": "Unhealthy", "severity": "High", "cause": ""},
            "remediation": TEXT[:150], "impact": TEXT[:100], "category": "Windows", "description": TEXT[:200], "timeGenerated": stamp(moment),
            "resourceDetails": {"source": "Azure", "id": assessment_id.partition("/providers/Microsoft.Security/")[0]},
            "additionalData": told,
        },
    }  # fmt: skip
