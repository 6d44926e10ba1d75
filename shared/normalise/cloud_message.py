"""A Defender for Cloud export message (nested, in either letter case) -> its kind, and its values as columns by the paths that tables name.

The same message comes with keys in camelCase and in PascalCase, as the alerts' REST object and as a flat one, and with `$type` hints of a
serialiser (facts: continuous_export.case). A column is the path of a value as Microsoft's API documents spell it, whatever the message
spells: `properties.status.code`. `COLUMNS` lists all we know of, with their documented types, and `OPENERS` open messages to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.normalise.nested import Opener

LONGEST_KIND = 200  # characters of a kind that we do not know
LONGEST_ID = 4096  # characters of an id that is looked at; the longest seen have about 1,000
_PREFIX = "microsoft.security/"
_ALERTS = "SecurityAlert"

# fmt: off
# The last part of a type, or of the collection in an id -> kind. The API's examples have some in the singular.
KINDS: dict[str, str] = {
    "alerts":                           _ALERTS,
    "assessments":                      "assessments",
    "subassessments":                   "subAssessments",
    "securescores":                     "secureScores",
    "securescorecontrols":              "secureScoreControls",
    "regulatorycompliancestandards":    "regulatoryComplianceStandards",
    "regulatorycompliancestandard":     "regulatoryComplianceStandards",
    "regulatorycompliancecontrols":     "regulatoryComplianceControls",
    "regulatorycompliancecontrol":      "regulatoryComplianceControls",
    "regulatorycomplianceassessments":  "regulatoryComplianceAssessments",
    "regulatorycomplianceassessment":   "regulatoryComplianceAssessments",
}
# Keys that only one kind has, at the message's root or in its properties, for a message without a type and an id that tell.
_ALERT_KEYS = frozenset({"systemalertid", "alertdisplayname", "alerttype", "alerturi", "compromisedentity"})
_TELLING: tuple[tuple[frozenset[str], str], ...] = (
    (_ALERT_KEYS,                                                       _ALERTS),
    (frozenset({"subassessmenteventdataenrichment"}),                   "subAssessments"),
    (frozenset({"assessmenteventdataenrichment"}),                      "assessments"),
    (frozenset({"healthyresourcecount", "unhealthyresourcecount"}),     "secureScoreControls"),
    (frozenset({"passedcontrols", "failedcontrols"}),                   "regulatoryComplianceStandards"),
    (frozenset({"passedassessments", "failedassessments"}),             "regulatoryComplianceControls"),
    (frozenset({"passedresources", "failedresources"}),                 "regulatoryComplianceAssessments"),
)

_ARM = """
    $type id name type kind location tenantId tags:dynamic resourceGroup subscriptionId
    securityEventDataEnrichment.$type securityEventDataEnrichment.action securityEventDataEnrichment.apiVersion
    securityEventDataEnrichment.isSnapshot:bool securityEventDataEnrichment.interval
"""
_RESOURCE = """
    properties.resourceDetails.$type properties.resourceDetails.source properties.resourceDetails.id properties.resourceDetails.resourceId
    properties.resourceDetails.resourceName properties.resourceDetails.resourceType properties.resourceDetails.resourceProvider
    properties.resourceDetails.nativeResourceId properties.resourceDetails.machineName properties.resourceDetails.workspaceId
    properties.resourceDetails.sourceComputerId properties.resourceDetails.vmuuid properties.resourceDetails.serverName
    properties.resourceDetails.databaseName properties.resourceDetails.connectorId properties.resourceDetails.region
    properties.resourceDetails.nativeCloudUniqueIdentifier properties.resourceDetails.hierarchyId
"""
_SCORE = """
    properties.$type properties.displayName properties.environment properties.weight:long
    properties.score.$type properties.score.max:long properties.score.current:real properties.score.percentage:real
"""
_SPECIFIED: dict[str, str] = {  # kind -> columns, each with its type after a colon unless it is text
    _ALERTS: """
        $type id name type kind location tenantId tags:dynamic version systemAlertId alertType alertDisplayName alertName alertUri description
        severity reportedSeverity status state providerAlertStatus intent techniques:dynamic subTechniques:dynamic isIncident:bool
        timeGenerated:datetime timeGeneratedUtc:datetime reportedTimeUtc:datetime detectedTimeUtc:datetime startTimeUtc:datetime endTimeUtc:datetime
        processingEndTime:datetime processingEndTimeUtc:datetime vendorName productName productComponentName correlationKey compromisedEntity
        confidenceLevel confidenceScore confidenceReasons:dynamic azureResourceId azureResourceSubscriptionId associatedResource subscriptionId
        workspaceId workspaceSubscriptionId workspaceResourceGroup workspaceArmId agentId instanceId systemSource actionTaken canBeInvestigated:bool
        remediationSteps:dynamic extendedProperties:dynamic extendedLinks:dynamic resourceIdentifiers:dynamic supportingEvidence:dynamic
        entities:dynamic securityEventDataEnrichment.$type securityEventDataEnrichment.action securityEventDataEnrichment.apiVersion
        securityEventDataEnrichment.isSnapshot:bool securityEventDataEnrichment.interval
    """,
    "assessments": _ARM + _RESOURCE + """
        assessmentEventDataEnrichment.$type assessmentEventDataEnrichment.action assessmentEventDataEnrichment.apiVersion
        assessmentEventDataEnrichment.isSnapshot:bool
        properties.$type properties.displayName properties.additionalData:dynamic
        properties.status.$type properties.status.code properties.status.cause properties.status.description properties.status.severity
        properties.status.statusChangeDate:datetime properties.status.firstEvaluationDate:datetime
        properties.metadata.$type properties.metadata.displayName properties.metadata.assessmentType properties.metadata.policyDefinitionId
        properties.metadata.description properties.metadata.remediationDescription properties.metadata.categories:dynamic properties.metadata.severity
        properties.metadata.userImpact properties.metadata.implementationEffort properties.metadata.threats:dynamic properties.metadata.preview:bool
        properties.metadata.tactics:dynamic properties.metadata.techniques:dynamic properties.metadata.publishDates:dynamic
        properties.metadata.plannedDeprecationDate properties.metadata.partnerData:dynamic
        properties.links.azurePortal properties.links.azurePortalUri properties.risk.level properties.risk.attackPathsReferences:dynamic
        properties.partnersData:dynamic
    """,
    "subAssessments": _ARM + _RESOURCE + """
        subAssessmentEventDataEnrichment.$type subAssessmentEventDataEnrichment.action subAssessmentEventDataEnrichment.apiVersion
        subAssessmentEventDataEnrichment.isSnapshot:bool assessmentKey timeGenerated:datetime
        properties.$type properties.id properties.displayName properties.remediation properties.impact properties.category properties.description
        properties.timeGenerated:datetime properties.additionalData:dynamic
        properties.status.$type properties.status.code properties.status.cause properties.status.description properties.status.severity
    """,
    "secureScores": _ARM + _SCORE,
    "secureScoreControls": _ARM + _SCORE + """
        properties.healthyResourceCount:long properties.unhealthyResourceCount:long properties.notApplicableResourceCount:long
        properties.definition.id properties.definition.name properties.definition.type properties.definition.properties.$type
        properties.definition.properties.source.sourceType properties.definition.properties.displayName
        properties.definition.properties.description properties.definition.properties.maxScore:long
        properties.definition.properties.assessmentDefinitions:dynamic
    """,
    "regulatoryComplianceStandards": _ARM + """
        properties.$type properties.state properties.scope properties.passedControls:long properties.failedControls:long
        properties.skippedControls:long properties.unsupportedControls:long
    """,
    "regulatoryComplianceControls": _ARM + """
        properties.$type properties.description properties.state properties.scope properties.passedAssessments:long
        properties.failedAssessments:long properties.skippedAssessments:long
    """,
    "regulatoryComplianceAssessments": _ARM + """
        properties.$type properties.description properties.state properties.scope properties.assessmentType properties.assessmentDetailsLink
        properties.passedResources:long properties.failedResources:long properties.skippedResources:long properties.unsupportedResources:long
    """,
}
# fmt: on

_OF_ANY = (
    _ARM
    + "properties:dynamic timeGenerated:datetime timeGeneratedUtc:datetime processingEndTime:datetime startTimeUtc:datetime"
)


def _columns(words: str) -> dict[str, str]:
    return {name: type or "string" for name, _, type in (word.partition(":") for word in words.split())}


# Kind -> column -> documented type, for laws and docs as schema/defender.csv is for Advanced Hunting's tables.
COLUMNS: dict[str, dict[str, str]] = {kind: _columns(words) for kind, words in _SPECIFIED.items()}
# An alert's REST object has under `properties` what exports have at the root.
_OPENERS: dict[str, Opener] = {
    kind: Opener(columns, within="properties" if kind == _ALERTS else None) for kind, columns in COLUMNS.items()
}
_OPENER_OF_ANY = Opener(_columns(_OF_ANY))


def opener(kind: str) -> Opener:
    """What opens messages of a kind; one for all kinds that we do not know."""
    return _OPENERS.get(kind, _OPENER_OF_ANY)


# The types as exports and the API write them, which need no closer look.
TYPES: dict[str, str] = {
    f"Microsoft.Security/{path}": KINDS[path.rpartition("/")[2].lower()]
    for path in (
        "assessments", "assessments/subAssessments", "secureScores", "secureScores/secureScoreControls", "regulatoryComplianceStandards",
        "regulatoryComplianceStandards/regulatoryComplianceControls", "regulatoryComplianceStandard", "regulatoryComplianceControl",
        "regulatoryComplianceStandards/regulatoryComplianceControls/regulatoryComplianceAssessments", "regulatoryComplianceAssessment",
        "Locations/alerts", "locations/alerts",
    )
}  # fmt: skip


def kind_of(message: Mapping[str, Any]) -> str | None:
    """What a message is: one of `COLUMNS`, the last part of a type of Microsoft.Security that we do not know, or None for anything else.

    In this order: `type` (`Microsoft.Security/assessments`, any case), the collection that the id names, and keys that only one
    kind has.
    """
    type = message.get("type") or message.get("Type")
    if type.__class__ is str and (known := TYPES.get(type)) is not None:
        return known
    if (
        type is None and "SystemAlertId" in message and message.get("id") is message.get("Id") is None
    ):  # as alerts are exported
        return _ALERTS
    plain = {key.lower(): value for key, value in message.items()}
    unknown: str | None = None
    type = plain.get("type")
    if type.__class__ is str and type[: len(_PREFIX)].lower() == _PREFIX:
        last = type.rpartition("/")[2]
        if (known := KINDS.get(last.lower())) is not None:
            return known
        unknown = last if 0 < len(last) <= LONGEST_KIND else None
    if unknown is None and (known := _kind_of_id(plain.get("id"))) is not None:
        return known
    properties = plain.get("properties")
    within = {key.lower() for key in properties} if properties.__class__ is dict else frozenset()
    if unknown is None:
        for keys, known in _TELLING:
            if not keys.isdisjoint(plain) or not keys.isdisjoint(within):
                return known
        if "status" in within and "resourcedetails" in within:
            return "subAssessments" if "timegenerated" in within else "assessments"
        if "score" in within and "weight" in within:
            return "secureScores"
    return unknown


def _kind_of_id(id: Any) -> str | None:
    """`…/providers/Microsoft.Security/…/<collection>/<name>` -> the kind of that collection."""
    if id.__class__ is not str or len(id) > LONGEST_ID:
        return None
    parts = id.lower().rsplit("/", 2)
    return KINDS.get(parts[1]) if len(parts) == 3 and f"/providers/{_PREFIX}" in id.lower() else None


# Where a message says when it began to be true, by the usual spellings: what its document id begins with. Scores and compliance do not say.
_TIMES: dict[str, tuple[tuple[str, ...], ...]] = {
    _ALERTS: (
        ("TimeGenerated",), ("timeGenerated",), ("properties", "timeGeneratedUtc"), ("properties", "timeGenerated"), ("properties", "reportedTimeUtc"),
    ),
    "assessments": (("properties", "status", "statusChangeDate"), ("Properties", "Status", "StatusChangeDate")),
    "subAssessments": (("properties", "timeGenerated"), ("Properties", "TimeGenerated")),
}  # fmt: skip


def time_of(kind: str, message: Mapping[str, Any]) -> Any:
    """A message's own time, as it came; None where it has none. Of two messages with equal content it is the same."""
    for path in _TIMES.get(kind, ()):
        found: Any = message
        for key in path:
            found = found.get(key) if found.__class__ is dict else None
        if found is not None:
            return found
    return None
