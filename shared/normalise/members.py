"""Columns whose values are a closed list -> the list, so that a value that is new in it is reported.

A member that nobody listed costs the document nothing: the rule that looks it up falls back, as its own words say, and the run's report
names the member (`python -m cli drift`). Lists are Microsoft's, where it documents one: the pages of the Advanced Hunting tables, the API
of Defender for Cloud (facts: defender_cloud `enums`); or what a rule of ours looks up; and what real records hold. A test requires that
every value that a rule knows is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.normalise.convert import Issue, Issues
from shared.normalise.rules.mitre import TACTICS
from shared.normalise.rules.platform import os_type

UNKNOWN_MEMBER = "is not a value we know"
MOST_SPELLED = 256  # spellings of one list that are remembered
LONGEST = 200  # characters of a value that can be a member, or several with commas between them
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Members:
    """One list. Compared is without letter case, blanks and marks: documents and records differ in these (`Intra-org`, `IntraOrg`).

    spelled: values found to be known, as they came; compiled tables look in here first. also: a rule that knows further ones.
    """

    plain: frozenset[str]
    spelled: set[str | int]
    also: Callable[[str], object] | None = None


# fmt: off
_NOTHING = "unknown|none|unspecified|undefined|not available"  # said in any list for: no value
_SEVERITIES = "informational|information|info|low|medium|moderate|high|very high|critical"
_TACTICS = "|".join(TACTICS)
_INTEGRITY = "untrusted|low|medium|medium plus|high|system|protected"
_ELEVATION = "TokenElevationTypeDefault|TokenElevationTypeFull|TokenElevationTypeLimited|default|full|limited"
_ADDRESSES = "public|private|reserved|loopback|teredo|FourToSixMapping|broadcast|multicast|link local"
_LEVELS = "low|moderate|medium|high"
_PROTOCOLS = "tcp|tcpv4|tcpv6|udp|udpv4|udpv6|icmp|icmpv4|icmpv6|igmp|gre|sctp|esp|ah|ntlm|local"
_RESULTS = "success|succeeded|completed|error|failed|failure|pending"
_DELIVERED = "inbox|inbox/folder|on-premises/external|junk|junk folder|quarantine|failed|dropped|deleted items|deleted folder|external|forwarded|teams"
# MITRE's tactics, and the categories of Defender's alerts that are none.
_CATEGORIES = (
    f"{_TACTICS}|malware|ransomware|phishing|exploit|exploitation|suspicious activity|unwanted software|general|credential stealing"
    "|antivirus|threat management|data governance|data loss prevention|mail flow|access governance|insider risk|compromised account|others|other"
)
_ENTITIES = (
    "cloud application|cloud logon session|cloud resource|container|file|ip|mail cluster|mail message|mailbox|machine|OAuth application|process"
    "|registry key|registry value|security group|url|user"
)

# What Microsoft Graph's alerts, also in incidents, and incidents are (Microsoft Graph v1.0, enums of `microsoft.graph.security`).
_GRAPH_ALERT: dict[str, str] = {
    "classification":        "falsePositive|truePositive|informationalExpectedActivity",
    "determination":         "apt|malware|securityPersonnel|securityTesting|unwantedSoftware|other|multiStagedAttack"
                             "|compromisedAccount|phishing|maliciousUserActivity|notMalicious|notEnoughDataToValidate"
                             "|confirmedActivity|lineOfBusinessApplication",
    "detectionSource":       "microsoftDefenderForEndpoint|antivirus|smartScreen|customTi"
                             "|microsoftDefenderForOffice365|automatedInvestigation|microsoftThreatExperts"
                             "|customDetection|microsoftDefenderForIdentity|cloudAppSecurity|microsoft365Defender"
                             "|azureAdIdentityProtection|manual|microsoftDataLossPrevention|appGovernancePolicy"
                             "|appGovernanceDetection|microsoftDefenderForCloud|microsoftDefenderForIoT"
                             "|microsoftDefenderForServers|microsoftDefenderForStorage|microsoftDefenderForDNS"
                             "|microsoftDefenderForDatabases|microsoftDefenderForContainers"
                             "|microsoftDefenderForNetwork|microsoftDefenderForAppService|microsoftDefenderForKeyVault"
                             "|microsoftDefenderForResourceManager|microsoftDefenderForApiManagement|nrtAlerts"
                             "|scheduledAlerts|microsoftDefenderThreatIntelligenceAnalytics|builtInMl"
                             "|microsoftInsiderRiskManagement|microsoftThreatIntelligence"
                             "|microsoftDefenderForAIServices|securityCopilot|microsoftSentinel",
    "investigationState":    "terminated|successfullyRemediated|benign|failed|partiallyRemediated|running"
                             "|pendingApproval|pendingResource|queued|innerFailure|preexistingAlert|unsupportedOs"
                             "|unsupportedAlertType|suppressedAlert|partiallyInvestigated|terminatedByUser"
                             "|terminatedBySystem",
    "serviceSource":         "microsoftDefenderForEndpoint|microsoftDefenderForIdentity|microsoftDefenderForCloudApps"
                             "|microsoftDefenderForOffice365|microsoft365Defender|azureAdIdentityProtection"
                             "|microsoftAppGovernance|dataLossPrevention|microsoftDefenderForCloud|microsoftSentinel"
                             "|microsoftInsiderRiskManagement|microsoftThreatIntelligence|microsoftSecurityForAI",
}
_GRAPH_INCIDENT: dict[str, str] = {
    "classification": _GRAPH_ALERT["classification"],
    "determination":  _GRAPH_ALERT["determination"],
    "status":         "active|resolved|inProgress|redirected|awaitingAction",
}
_GRAPH: dict[str, str] = {
    f"{table}.{column}": values
    for table, lists in (
        ("GraphAlert", _GRAPH_ALERT), ("GraphIncidentAlert.alerts", _GRAPH_ALERT),
        ("GraphIncident", _GRAPH_INCIDENT), ("GraphIncidentAlert", _GRAPH_INCIDENT),
    )
    for column, values in lists.items()
} | {"GraphIncidentAlert.alerts.severity": _SEVERITIES}

_LISTS: dict[str, str] = {  # column, or Table.column -> values
    "Severity":                             _SEVERITIES,
    "VulnerabilitySeverityLevel":           _SEVERITIES,
    "ExtensionRisk":                        _SEVERITIES,
    "AlertInfo.Category":                   _CATEGORIES,
    "AlertEvidence.Categories":             _CATEGORIES,
    "BehaviorInfo.Categories":              _CATEGORIES,
    "BehaviorEntities.Categories":          _CATEGORIES,
    "BehaviorEntities.EntityType":          _ENTITIES,
    "AlertEvidence.EntityType":             _ENTITIES,
    "EvidenceRole":                         "impacted|related",
    "EvidenceDirection":                    "source|destination",
    "CloudPlatform":                        "Azure|Amazon Web Services|AWS|Google Cloud Platform|GCP",
    "ProcessIntegrityLevel":                _INTEGRITY,
    "InitiatingProcessIntegrityLevel":      _INTEGRITY,
    "ProcessTokenElevation":                _ELEVATION,
    "InitiatingProcessTokenElevation":      _ELEVATION,
    "InitiatingProcessSignatureStatus":     "valid|signed|invalid|untrusted|expired|revoked|unsigned",
    "DeviceNetworkEvents.Protocol":         _PROTOCOLS,
    "LocalIPType":                          _ADDRESSES,
    "RemoteIPType":                         _ADDRESSES,
    "DeviceLogonEvents.LogonType":          "interactive|remote interactive (RDP) logons|remote interactive|network|batch|service|unlock|network cleartext"
                                            "|new credentials|cached interactive|cached remote interactive|cached unlock|local",
    "RegistryValueType":                    "string|expand string|expandable string|multi string|binary|dword|dword little endian|dword big endian|qword|link"
                                            "|resource list|full resource descriptor|resource requirements list|REG_SZ|REG_EXPAND_SZ|REG_MULTI_SZ|REG_BINARY"
                                            "|REG_DWORD|REG_DWORD_BIG_ENDIAN|REG_QWORD|REG_LINK|REG_NONE|REG_RESOURCE_LIST|REG_FULL_RESOURCE_DESCRIPTOR"
                                            "|REG_RESOURCE_REQUIREMENTS_LIST",
    "OSPlatform":                           "other|Cisco IOS|Windows Phone|Windows Mobile|printer|network device",  # and what `os_type` knows
    "NetworkAdapterStatus":                 "up|down|testing|dormant|not present|lower layer down",
    "TunnelType":                           "other|direct|6to4|ISATAP|Teredo|IPHTTPS",
    "OnboardingStatus":                     "onboarded|can be onboarded|unsupported|insufficient info|offboarded",
    "SensorHealthState":                    "active|inactive|misconfigured|impaired communications|impaired communication|no sensor data"
                                            "|no sensor data impaired communication",
    "ExposureLevel":                        "low|medium|high",
    "AssetValue":                           "low|normal|high",
    "EmailDirection":                       "inbound|outbound|intra-org",
    "DeliveryAction":                       "delivered|junked|blocked|replaced|delivered as spam",
    "DeliveryLocation":                     _DELIVERED,
    "EmailPostDeliveryEvents.ActionResult": _RESULTS,
    "MessagePostDeliveryEvents.ActionResult": _RESULTS,
    "ThreatTypes":                          "malware|phish|spam|bulk|high confidence phish|normal",
    "IdentityEvents.ActionResult":          "success|succeeded|allow|allowed|failure|failed|deny|denied|skipped|challenge",  # Okta's outcome.result
    "AuthenticationRequirement":            "multiFactorAuthentication|singleFactorAuthentication",
    "TenantMembershipType":                 "guest|member",
    "IdentityEnvironment":                  "cloud only|cloud|hybrid|on-premises",
    "IdentityInfo.RiskLevel":               "low|medium|high|hidden",
    "IdentityInfo.RiskStatus":              "confirmed safe|remediated|dismissed|at risk|confirmed compromised",
    # Defender for Cloud
    "severity":                             _SEVERITIES,
    "reportedSeverity":                     _SEVERITIES,
    "status":                               "new|active|in progress|resolved|dismissed",
    "intent":                               f"{_TACTICS}|pre attack|probing|exploitation",
    "properties.status.code":               "healthy|unhealthy|not applicable",
    "properties.status.severity":           _SEVERITIES,
    "properties.metadata.severity":         _SEVERITIES,
    "properties.metadata.tactics":          _TACTICS,
    "properties.metadata.assessmentType":   "built in|custom policy|custom|customer managed|verified partner|dynamic built in|manual built in|manual built in policy"
                                            "|manual custom policy|built in policy",
    "properties.metadata.userImpact":       _LEVELS,
    "properties.metadata.implementationEffort": _LEVELS,
    "properties.resourceDetails.source":    "azure|on premise|on premise sql|aws|gcp",
    "properties.risk.level":                "low|medium|high|critical",
    "properties.state":                     "passed|failed|skipped|unsupported",
}
_NUMBERS: dict[str, tuple[int, ...]] = {  # Microsoft: EntraIdSignInEvents
    "RiskLevelAggregated":     (0, 1, 10, 50, 100),
    "RiskState":               (0, 1, 2, 3, 4, 5),
    "ConditionalAccessStatus": (0, 1, 2),
    "TokenIssuerType":         (0, 1),
}
_ALSO: dict[str, Callable[[str], object]] = {"OSPlatform": os_type}
# fmt: on


def plain(value: str) -> str:
    """A value as it is compared.

    >>> plain("Intra-org"), plain("Can be onboarded")
    ('intraorg', 'canbeonboarded')
    """
    return _MARKS.sub("", value.casefold())


MEMBERS: dict[str, Members] = {
    **{
        name: Members(frozenset(map(plain, f"{_NOTHING}|{values}".split("|"))), set(), _ALSO.get(name))
        for name, values in (_LISTS | _GRAPH).items()
    },
    **{name: Members(frozenset(), set(numbers)) for name, numbers in _NUMBERS.items()},
}


def members_of(table: str, column: str) -> Members | None:
    """The list that a table's column takes its values from; None for the many whose values are free."""
    return MEMBERS.get(f"{table}.{column}") or MEMBERS.get(column)


def check(members: Members, value: Any, column: str, issues: Issues) -> None:
    """Report the first member of a converted value (text, a number, or a list) that is not listed."""
    for one in value if value.__class__ is list else (value,):
        if one not in members.spelled:
            unknown = unknown_member(members, one)
            if unknown is not None:
                issues.append(Issue(column, UNKNOWN_MEMBER, unknown))
                return


def unknown_member(members: Members, value: str | int) -> str | None:
    """What is not listed in a value (several members have commas between them: `Phish, Spam`); None if all is."""
    if value.__class__ is not str:
        return str(value)
    if len(value) > LONGEST:
        return value
    for part in value.split(","):
        if plain(part) not in members.plain and (members.also is None or members.also(part) is None):
            return part.strip()
    if len(members.spelled) < MOST_SPELLED:
        members.spelled.add(value)
    return None
