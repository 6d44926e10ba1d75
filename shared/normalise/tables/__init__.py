"""The tables we map, by name; a family's tables are imported when one of them is first needed."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from shared.normalise.mapping import Table

# table -> the module that says what it means
# fmt: off
FAMILIES: dict[str, str] = {
    "AADSignInEventsBeta":                      "sign_in",
    "AADSpnSignInEventsBeta":                   "sign_in",
    "AIAgentsInfo":                             "data_security",
    "AgentsInfo":                               "data_security",
    "AlertEvidence":                            "alert",
    "AlertInfo":                                "alert",
    "BehaviorEntities":                         "behavior",
    "BehaviorInfo":                             "behavior",
    "CallActivityEvents":                       "message",
    "CampaignInfo":                             "email",
    "CloudAppEvents":                           "cloud",
    "CloudAuditEvents":                         "cloud",
    "CloudDnsEvents":                           "cloud",
    "CloudPolicyEnforcementEvents":             "cloud",
    "CloudProcessEvents":                       "cloud",
    "CloudStorageAggregatedEvents":             "cloud",
    "DataSecurityBehaviors":                    "data_security",
    "DataSecurityEvents":                       "data_security",
    "DeviceBaselineComplianceAssessment":       "posture",
    "DeviceBaselineComplianceAssessmentKB":     "posture",
    "DeviceBaselineComplianceProfiles":         "posture",
    "DeviceEvents":                             "device_events",
    "DeviceFileCertificateInfo":                "device",
    "DeviceFileEvents":                         "device",
    "DeviceImageLoadEvents":                    "device",
    "DeviceInfo":                               "device",
    "DeviceLogonEvents":                        "device",
    "DeviceNetworkEvents":                      "device_network",
    "DeviceNetworkInfo":                        "device",
    "DeviceProcessEvents":                      "device",
    "DeviceRegistryEvents":                     "device",
    "DeviceTvmBrowserExtensions":               "vulnerability",
    "DeviceTvmBrowserExtensionsKB":             "vulnerability",
    "DeviceTvmCertificateInfo":                 "posture",
    "DeviceTvmHardwareFirmware":                "posture",
    "DeviceTvmInfoGathering":                   "posture",
    "DeviceTvmInfoGatheringKB":                 "posture",
    "DeviceTvmSecureConfigurationAssessment":   "posture",
    "DeviceTvmSecureConfigurationAssessmentKB": "posture",
    "DeviceTvmSoftwareEvidenceBeta":            "vulnerability",
    "DeviceTvmSoftwareInventory":               "vulnerability",
    "DeviceTvmSoftwareVulnerabilities":         "vulnerability",
    "DeviceTvmSoftwareVulnerabilitiesKB":       "vulnerability",
    "DisruptionAndResponseEvents":              "behavior",
    "EmailAttachmentInfo":                      "email",
    "EmailEvents":                              "email",
    "EmailPostDeliveryEvents":                  "email",
    "EmailUrlInfo":                             "email",
    "EntraIdSignInEvents":                      "sign_in",
    "EntraIdSpnSignInEvents":                   "sign_in",
    "ExposureGraphEdges":                       "exposure",
    "ExposureGraphNodes":                       "exposure",
    "FileMaliciousContentInfo":                 "email",
    "GraphAPIAuditEvents":                      "sign_in",
    "IdentityAccountInfo":                      "identity",
    "IdentityDirectoryEvents":                  "identity",
    "IdentityEvents":                           "identity",
    "IdentityInfo":                             "identity",
    "IdentityLogonEvents":                      "identity",
    "IdentityQueryEvents":                      "identity",
    "MessageEvents":                            "message",
    "MessagePostDeliveryEvents":                "message",
    "MessageUrlInfo":                           "message",
    "OAuthAppInfo":                             "sign_in",
    "UrlClickEvents":                           "email",
    # Defender for Cloud's messages
    "SecurityAlert":                           "cloud_export",
    "assessments":                             "cloud_export",
    "regulatoryComplianceAssessments":         "cloud_export",
    "regulatoryComplianceControls":            "cloud_export",
    "regulatoryComplianceStandards":           "cloud_export",
    "secureScoreControls":                     "cloud_export",
    "secureScores":                            "cloud_export",
    "subAssessments":                          "cloud_export",
}

# What API objects become (shared/normalise/api.py): a name of ours -> the module that says what it means.
API: dict[str, str] = {
    "GraphAlert":                              "graph_alert",
    "GraphAlertEvidence":                      "graph_alert",
    "GraphIncident":                           "graph_incident",
    "GraphIncidentAlert":                      "graph_incident",
    "MachineVulnerability":                    "machine_vulnerability",
    "SiemAlert":                               "siem_incident",
    "SiemIncident":                            "siem_incident",
    "SoftwareVulnerability":                   "machine_vulnerability",
    "misconfiguration":                        "arm_assessment",
    "vulnerability_finding":                   "arm_assessment",
}
# fmt: on


@cache
def family(module: str) -> dict[str, Table]:
    """The tables of one module, by name."""
    found = vars(import_module(f"shared.normalise.tables.{module}"))
    return {table.name: table for name, table in found.items() if isinstance(table, Table) and not name.startswith("_")}


def table(name: str) -> Table | None:
    """The table of that name, or None where we map none; raises `LookupError` where `FAMILIES` names a module that has no such table."""
    module = FAMILIES.get(name)
    if module is None:
        return None
    known = family(module)
    if name not in known:
        raise LookupError(
            f"FAMILIES says that {name} is in shared/normalise/tables/{module}.py, which has no such table"
        )
    return known[name]


def api_table(name: str) -> Table:
    """The mapping of a part of an API object; KeyError for a name that is none."""
    return family(API[name])[name]


def api_columns() -> dict[str, dict[str, str]]:
    """Name in `API` -> column -> documented type, as its module's COLUMNS says."""
    return {name: import_module(f"shared.normalise.tables.{module}").COLUMNS[name] for name, module in API.items()}


def carrier(name: str, *, cloud: bool = False) -> Table:
    """The mapping for a table, or a kind of Defender for Cloud message, that we have none of."""
    from shared.normalise.tables import carried

    return carried.carrier(name, cloud=cloud)


def all_tables() -> tuple[Table, ...]:
    """Every table we map, for laws, templates and docs."""
    return (*(found for name in FAMILIES if (found := table(name)) is not None), *map(api_table, API))
