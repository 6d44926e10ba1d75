"""(table, ActionType) -> event.category, event.type and event.outcome, and a table -> event.kind.

The rows are in `rules/device_actions.py` and `rules/other_actions.py`, one for each value known. Microsoft publishes
no complete list and values differ in letter case and blanks between documents and records ("Manual remediation",
"Manual Remediation"): an exact name is looked for first, then one that is equal but for those. Whatever is still
unknown gets its table's default.
"""

from __future__ import annotations

from shared.normalise.mapping import Action
from shared.normalise.rules import device_actions, other_actions

# Not `event`: alerts, and tables that are snapshots of how things stand (ECS event.kind `state`). DeviceInfo,
# DeviceNetworkInfo and DeviceFileCertificateInfo are snapshots too but stay `event`, as Elastic's integration has them.
_SNAPSHOTS = """
    AIAgentsInfo AgentsInfo CampaignInfo DeviceBaselineComplianceAssessment
    DeviceBaselineComplianceAssessmentKB DeviceBaselineComplianceProfiles DeviceTvmBrowserExtensions
    DeviceTvmBrowserExtensionsKB DeviceTvmCertificateInfo DeviceTvmHardwareFirmware DeviceTvmInfoGathering
    DeviceTvmInfoGatheringKB DeviceTvmSecureConfigurationAssessment DeviceTvmSecureConfigurationAssessmentKB
    DeviceTvmSoftwareEvidenceBeta DeviceTvmSoftwareInventory DeviceTvmSoftwareVulnerabilities
    DeviceTvmSoftwareVulnerabilitiesKB ExposureGraphEdges ExposureGraphNodes
"""
# Inventories of accounts and applications (ECS event.kind `asset`), as Elastic's integration has IdentityInfo.
_INVENTORIES = "IdentityAccountInfo IdentityInfo OAuthAppInfo"
# Defender for Cloud's messages about how resources stand; its alerts are SecurityAlert. Of its API's findings those of settings: flaws in
# software are events in Elastic's integrations, here as in m365_defender.vulnerability.
_POSTURE = """
    assessments subAssessments secureScores secureScoreControls regulatoryComplianceStandards
    regulatoryComplianceControls regulatoryComplianceAssessments
    misconfiguration
"""
# Parts of API objects. A machine's vulnerabilities are read again and again as they stand.
_POLLED_ALERTS = "GraphAlert GraphIncident GraphIncidentAlert SiemAlert SiemIncident"
_POLLED_STATES = "MachineVulnerability SoftwareVulnerability"
KINDS: dict[str, str] = {
    "AlertEvidence": "alert",
    "AlertInfo": "alert",
    "SecurityAlert": "alert",
    "GraphAlertEvidence": "enrichment",  # of the alert: a rule that looks for alerts should not find each item
    **dict.fromkeys(_SNAPSHOTS.split(), "state"),
    **dict.fromkeys(_POSTURE.split(), "state"),
    **dict.fromkeys(_INVENTORIES.split(), "asset"),
    **dict.fromkeys(_POLLED_ALERTS.split(), "alert"),
    **dict.fromkeys(_POLLED_STATES.split(), "state"),
}

# For tables nobody has heard of: what the name promises.
_BY_PREFIX: tuple[tuple[str, str], ...] = (
    ("DeviceTvm", "host info"),
    ("Device", "host info"),
    ("Email", "email info"),
    ("Message", "email info"),
    ("Identity", "iam info"),
    ("EntraId", "iam info"),
    ("Alert", "intrusion_detection info"),
    ("Behavior", "intrusion_detection info"),
    ("", " info"),  # no category at all rather than a wrong one
)

_shared: dict[str, Action] = {}  # one Action for each different row


def _action(row: str) -> Action:
    known = _shared.get(row)
    if known is None:
        categories, types, *outcome = row.split(" ")
        known = _shared[row] = Action(
            tuple(filter(None, categories.split(","))), tuple(types.split(",")), outcome[0] if outcome else None
        )
    return known


ACTIONS: dict[str, dict[str, Action]] = {
    table: {name: _action(row) for name, row in rows.items()}
    for table, rows in {**device_actions.ACTIONS, **other_actions.ACTIONS}.items()
}
DEFAULTS: dict[str, Action] = {
    table: _action(row) for table, row in {**device_actions.DEFAULTS, **other_actions.DEFAULTS}.items()
}


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


_PLAIN: dict[str, dict[str, Action]] = {
    table: {_plain(name): action for name, action in rows.items()} for table, rows in ACTIONS.items()
}


def kind(table: str) -> str:
    """event.kind of a table's records: alert, state, asset or event."""
    return KINDS.get(table, "event")


def default(table: str) -> Action:
    """What a record is when its ActionType is missing or unknown; for an unknown table, what its name promises."""
    known = DEFAULTS.get(table)
    if known is not None:
        return known
    return _action(next(row for prefix, row in _BY_PREFIX if table.startswith(prefix)))


def lookup(table: str, action: str | None) -> Action | None:
    """What a record with this ActionType is; None when the value is not known, so that the caller can report it.

    `action` is ActionType, for AlertInfo the Category and for AlertEvidence the EntityType. Exact first, then
    ignoring letter case and blanks.

    >>> lookup("DeviceFileEvents", "FileCreated")
    Action(category=('file',), type=('creation',), outcome=None)
    """
    rows = ACTIONS.get(table)
    if rows is None or not action:
        return None
    return rows.get(action) or _PLAIN[table].get(_plain(action))


def classify(table: str, action: str | None) -> Action:
    """`lookup`, or the table's default: always an Action.

    >>> classify("DeviceFileEvents", "FileTeleported")
    Action(category=('file',), type=('info',), outcome=None)
    """
    return lookup(table, action) or default(table)
