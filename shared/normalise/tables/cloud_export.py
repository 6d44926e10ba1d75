"""Defender for Cloud's continuous export: alerts, recommendations, findings, secure scores and compliance, each message one document.

Columns are paths that `cloud_message` opens. `/enqueued` is when the hub took the message: what @timestamp is where a message has no time.

- An alert: TimeGenerated, when Defender raised it; event.start and .end say when it happened, event.created when it was last worked on.
- A recommendation: when its state last changed; a finding: when it was found. A deletion carries the last state and its time, so that
  its own time is the hub's: else it would tie with the change before it and "latest" would be a matter of luck.
- Scores and compliance have no time: the hub's.

Streamed messages and snapshots are the same but for isSnapshot.
"""

from __future__ import annotations

from typing import Any

from shared.normalise.lowered import lowered_bag
from shared.normalise.mapping import Column, Fragment, Table, ecs, first, rule, table, vendor
from shared.normalise.rules.command_line import args
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, framework, tactics
from shared.normalise.rules.mitre_names import named_techniques
from shared.normalise.rules.network import application_protocol, transport
from shared.normalise.rules.paths import drive_letter, extension
from shared.normalise.rules.severity import severity
from shared.normalise.tables.cloud_alert_network import (
    CONNECTION_FIELDS,
    CONNECTION_KINDS,
    CONTAINER_FIELDS,
    connection,
    container,
    first_url,
)
from shared.normalise.tables.cloud_alert_place import alert_place
from shared.normalise.tables.cloud_alert_rules import (
    FILE_FIELDS,
    HOST_FIELDS,
    HOST_KINDS,
    PROCESS_FIELDS,
    PROCESS_KINDS,
    category,
    file,
    graph,
    host,
    process_and_user,
)
from shared.normalise.tables.cloud_alert_told import told
from shared.normalise.tables.cloud_entities import entities, extended_links, resource_identifiers
from shared.normalise.tables.cloud_export_rules import (
    PLACE_FIELDS,
    action_name,
    all_techniques,
    arm_id,
    assessment_key,
    compliance,
    definition_ids,
    evaluation,
    happened,
    place,
    portal_link,
    reasons,
    tag_texts,
)
from shared.normalise.tables.cloud_findings import (
    FINDING_KINDS,
    RULE_FIELDS,
    VULNERABILITY_FIELDS,
    WORKLOAD_FIELDS,
    finding,
    finding_category,
    image_findings,
    workload,
)
from shared.normalise.tables.network_rows import url_rule

DATASET = "microsoft_defender_cloud.event"
_PLACE = tuple("#machine" if field == "host.name" else field for field in PLACE_FIELDS)


def made(name: str, *rows: Column | Fragment | Any, **more: Any) -> Table:
    """A table of messages: no documented key (the id is made of the whole message) and no ActionType."""
    return table(name, (), *rows, dataset=DATASET, vendor_root=DATASET, action=None, **more)


# fmt: off
_ENRICHMENT = (
    vendor("securityEventDataEnrichment.$type",      "keyword", "security_event_data_enrichment.type"),
    vendor("securityEventDataEnrichment.action",     "keyword", "security_event_data_enrichment.action"),
    vendor("securityEventDataEnrichment.apiVersion", "keyword", "security_event_data_enrichment.api_version"),
    vendor("securityEventDataEnrichment.isSnapshot", "boolean", "security_event_data_enrichment.is_snapshot"),
    vendor("securityEventDataEnrichment.interval",   "keyword", "security_event_data_enrichment.interval"),
)
# What every message has: Azure's own keys of a resource.
_ENVELOPE = Fragment((
    Column("/enqueued", "date", told=True),
    vendor("$type",           "keyword",   "event_type"),
    vendor("id",              "keyword",   "id"),
    vendor("name",            "keyword",   "name"),
    vendor("type",            "keyword",   "type"),
    vendor("kind",            "keyword",   "kind"),
    vendor("location",        "keyword",   "location"),
    vendor("tenantId",        "keyword",   "tenant_id"),
    Column("tags",            "flattened", told=True),
    *_ENRICHMENT,
), (
    rule(tag_texts, ("tags",), "~tags"),
))
ARM = Fragment((
    *_ENVELOPE.columns,
    vendor("resourceGroup",   "keyword",   "resource_group"),
    vendor("subscriptionId",  "keyword",   "subscription_id"),
    vendor("properties.$type", "keyword",  "properties.type"),
), (
    *_ENVELOPE.rules,
    rule(arm_id, ("id",), "event.id"),
))
# Messages without a time of their own.
_SENT = Fragment((), (
    rule(first, ("/enqueued",), "@timestamp", kind="date"),
    rule(first, ("/enqueued",), "event.created", kind="date"),
    rule(action_name, ("securityEventDataEnrichment.action", ""), "event.action"),
))
SUBSCRIPTION = rule(place, ("id", "", "", "", "", "", "", "", "", "location", "", ""), *_PLACE)

_RESOURCE = Fragment((
    vendor("properties.resourceDetails.$type",            "keyword", "properties.resource_details.type"),
    vendor("properties.resourceDetails.source",           "keyword", "properties.resource_details.source"),
    vendor("properties.resourceDetails.id",               "keyword", "properties.resource_details.id"),
    vendor("properties.resourceDetails.resourceId",       "keyword", "properties.resource_details.resource_id"),
    vendor("properties.resourceDetails.resourceName",     "keyword", "properties.resource_details.resource_name",     told=True),
    vendor("properties.resourceDetails.resourceType",     "keyword", "properties.resource_details.resource_type",     told=True),
    vendor("properties.resourceDetails.resourceProvider", "keyword", "properties.resource_details.resource_provider", told=True),
    vendor("properties.resourceDetails.nativeResourceId", "keyword", "properties.resource_details.native_resource_id"),
    vendor("properties.resourceDetails.machineName",      "keyword", "properties.resource_details.machine_name"),
    vendor("properties.resourceDetails.workspaceId",      "keyword", "properties.resource_details.workspace_id"),
    vendor("properties.resourceDetails.sourceComputerId", "keyword", "properties.resource_details.source_computer_id"),
    vendor("properties.resourceDetails.vmuuid",           "keyword", "properties.resource_details.vm_uuid"),
    vendor("properties.resourceDetails.serverName",       "keyword", "properties.resource_details.server_name"),
    vendor("properties.resourceDetails.databaseName",     "keyword", "properties.resource_details.database_name"),
    vendor("properties.resourceDetails.connectorId",      "keyword", "properties.resource_details.connector_id"),
    vendor("properties.resourceDetails.region",           "keyword", "properties.resource_details.region"),
    vendor("properties.resourceDetails.nativeCloudUniqueIdentifier", "keyword", "properties.resource_details.native_cloud_unique_identifier"),
    vendor("properties.resourceDetails.hierarchyId",      "keyword", "properties.resource_details.hierarchy_id"),
), (
    rule(first, ("properties.resourceDetails.id", "properties.resourceDetails.resourceId"), "#resource"),
    rule(place, ("id", "#resource", "properties.resourceDetails.source", "properties.resourceDetails.resourceName",
                 "properties.resourceDetails.resourceProvider", "properties.resourceDetails.resourceType",
                 "properties.resourceDetails.nativeResourceId", "properties.resourceDetails.nativeCloudUniqueIdentifier",
                 "properties.resourceDetails.region", "location", "properties.resourceDetails.hierarchyId",
                 "properties.resourceDetails.machineName"),
         *PLACE_FIELDS, related=(*(None,) * (len(PLACE_FIELDS) - 1), "hosts")),
))
_STATUS = Fragment((
    vendor("properties.status.$type",       "keyword", "properties.status.type"),
    vendor("properties.status.code",        "keyword", "properties.status.code"),
    vendor("properties.status.cause",       "keyword", "properties.status.cause"),
    ecs("properties.status.description",    "keyword", "event.reason", vendor="properties.status.description"),
    vendor("properties.status.severity",    "keyword", "properties.status.severity"),
), (
    rule(evaluation, ("properties.status.code",), "event.outcome", "result.evaluation"),
))
_STATE = Fragment((
    vendor("properties.state",              "keyword", "properties.state"),
    vendor("properties.scope",              "keyword", "properties.scope"),
), (
    rule(evaluation, ("properties.state",), "event.outcome", "result.evaluation"),
))
_WORKLOAD = Fragment((
    vendor("properties.additionalData",     "flattened", "properties.additional_data", converter=lowered_bag),
), (
    rule(workload, ("properties.additionalData",), *WORKLOAD_FIELDS,
         related=tuple("hash" if field == "#digest" else None for field in WORKLOAD_FIELDS)),
))

SECURITY_ALERT = made(
    "SecurityAlert", _ENVELOPE,
    vendor("systemAlertId",        "keyword",  "system.alert_id",      told=True),
    rule(first, ("systemAlertId", "name"), "event.id"),  # the name is the same id
    ecs("alertDisplayName",        "keyword",  "message", "rule.name", vendor="display_name"),
    ecs("description",             "keyword",  "event.reason",         vendor="description"),
    vendor("alertType",            "keyword",  "alert_type"),  # kept beside rule.id: Elastic's dashboard reads it
    vendor("alertName",            "keyword",  "alert_name",           told=True),  # alerts' API until 2019
    rule(first, ("alertType", "alertName"), "rule.id"),
    ecs("vendorName",              "keyword",  "observer.vendor",      vendor="vendor_name"),
    ecs("productName",             "keyword",  "event.provider", "observer.product", vendor="product.name"),
    vendor("productComponentName", "keyword",  "product.component_name"),
    vendor("version",              "keyword",  "version"),
    vendor("alertUri",             "keyword",  "uri",                  told=True),
    rule(portal_link, ("alertUri",), "event.reference", "event.url"),
    vendor("severity",             "keyword",  "severity"),
    vendor("reportedSeverity",     "keyword",  "reported_severity"),
    rule(first, ("severity", "reportedSeverity"), "#severity"),
    rule(severity, ("#severity",), "event.severity", kind="long"),
    vendor("status",               "keyword",  "status"),
    vendor("state",                "keyword",  "state"),
    vendor("providerAlertStatus",  "keyword",  "provider_alert_status"),
    vendor("isIncident",           "boolean",  "is_incident"),
    vendor("correlationKey",       "keyword",  "correlation_key"),
    vendor("confidenceLevel",      "keyword",  "confidence.level"),
    vendor("confidenceScore",      "keyword",  "confidence.score"),
    Column("confidenceReasons",    "flattened", told=True, converter=lowered_bag),
    rule(reasons, ("confidenceReasons",), "~confidence.reasons"),
    vendor("actionTaken",          "keyword",  "action_taken"),
    vendor("canBeInvestigated",    "boolean",  "can_be_investigated"),
    vendor("instanceId",           "keyword",  "instance_id"),
    vendor("systemSource",         "keyword",  "system_source"),

    vendor("timeGenerated",        "date",     "time_generated",       told=True),
    vendor("timeGeneratedUtc",     "date",     "time_generated_utc",   told=True),
    vendor("reportedTimeUtc",      "date",     "reported_time_utc",    told=True),
    vendor("detectedTimeUtc",      "date",     "detected_time_utc",    told=True),
    vendor("startTimeUtc",         "date",     "start_time_utc",       told=True),
    vendor("endTimeUtc",           "date",     "end_time_utc",         told=True),
    vendor("processingEndTime",    "date",     "processing_end_time",  told=True),
    vendor("processingEndTimeUtc", "date",     "processing_end_time_utc", told=True),
    rule(first, ("timeGenerated", "timeGeneratedUtc", "reportedTimeUtc", "processingEndTime", "processingEndTimeUtc", "detectedTimeUtc",
                 "startTimeUtc", "/enqueued"), "@timestamp", kind="date"),
    rule(first, ("processingEndTime", "processingEndTimeUtc", "reportedTimeUtc", "/enqueued"), "event.created", kind="date"),
    rule(first, ("startTimeUtc", "detectedTimeUtc"), "event.start", kind="date"),
    rule(first, ("endTimeUtc",), "event.end", kind="date"),

    vendor("intent",               "keyword",  "intent"),
    vendor("techniques",           "keyword",  "techniques",     many=True),
    vendor("subTechniques",        "keyword",  "sub_techniques", many=True),
    rule(tactics, ("intent",), *TACTIC_FIELDS),
    rule(all_techniques, ("techniques", "subTechniques"), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    vendor("remediationSteps",     "keyword",  "remediation_steps", many=True),
    vendor("extendedProperties",   "flattened", "extended_properties",  converter=lowered_bag),
    vendor("supportingEvidence",   "flattened", "supporting_evidence",  converter=lowered_bag),
    vendor("extendedLinks",        "object",    "extended_links",       converter=extended_links),
    vendor("resourceIdentifiers",  "object",    "resource_identifiers", converter=resource_identifiers),
    vendor("entities",             "object",    "entities",             converter=entities),
    rule(graph, ("entities",), "#graph", kind="object"),
    rule(category, ("event.category", "#graph"), "event.category"),

    vendor("compromisedEntity",    "keyword",  "compromised_entity"),
    vendor("azureResourceId",      "keyword",  "azure_resource_id"),
    vendor("associatedResource",   "keyword",  "associated_resource"),
    vendor("azureResourceSubscriptionId", "keyword", "azure_resource_subscription_id"),
    vendor("subscriptionId",       "keyword",  "subscription_id"),
    vendor("workspaceId",          "keyword",  "workspace.id"),
    vendor("workspaceSubscriptionId", "keyword", "workspace.subscription_id"),
    vendor("workspaceResourceGroup", "keyword", "workspace.resource_group"),
    vendor("workspaceArmId",       "keyword",  "workspace.resource_id"),
    vendor("agentId",              "keyword",  "agent_id"),
    rule(first, ("azureResourceSubscriptionId", "subscriptionId"), "#subscription"),
    rule(alert_place, ("id", "azureResourceId", "associatedResource", "resourceIdentifiers", "#graph", "#subscription"), *_PLACE),
    rule(told, ("extendedProperties",), "#told", kind="object"),
    rule(host, ("#graph", "#told", "#machine", "compromisedEntity"), *HOST_FIELDS, kind=HOST_KINDS,
         related=("hosts", None, None, "ip", None, None, None, None, "hosts")),
    rule(process_and_user, ("#graph", "#told", "host.os.type"), *PROCESS_FIELDS, kind=PROCESS_KINDS,
         related=(None, None, None, None, None, "hash", "hash", "hash", None, None, None, None, None, "user", None, None, None, "user")),
    rule(args, ("process.command_line", "host.os.type", "process.executable"), "process.args", "process.args_count", kind=("keyword", "long")),
    rule(args, ("process.parent.command_line", "host.os.type", "process.parent.executable"), "process.parent.args", "process.parent.args_count",
         kind=("keyword", "long")),
    rule(file, ("#graph",), *FILE_FIELDS, related=(None, None, None, "hash", "hash", "hash", None, "hash")),
    rule(extension, ("file.name",), "file.extension"),
    rule(drive_letter, ("file.path",), "file.drive_letter"),
    rule(connection, ("#graph", "#told"), *CONNECTION_FIELDS, kind=CONNECTION_KINDS,
         related=("ip", None, "ip", *(None,) * 8, "hosts", None, "ip")),
    rule(first, ("source.ip",), "source.address"),
    rule(first, ("destination.ip",), "destination.address"),
    rule(transport, ("#protocol", "source.ip", "destination.ip"), "network.transport", "network.iana_number", "network.type"),
    rule(application_protocol, ("#protocol", ""), "network.protocol"),
    rule(container, ("#graph",), *CONTAINER_FIELDS),
    rule(first_url, ("#graph",), "#url"),
    url_rule("#url"),
)

ASSESSMENTS = made(
    "assessments", ARM, _RESOURCE, _STATUS, _WORKLOAD,
    vendor("assessmentEventDataEnrichment.$type",      "keyword", "assessment_event_data_enrichment.type"),
    vendor("assessmentEventDataEnrichment.action",     "keyword", "assessment_event_data_enrichment.action"),
    vendor("assessmentEventDataEnrichment.apiVersion", "keyword", "assessment_event_data_enrichment.api_version"),
    vendor("assessmentEventDataEnrichment.isSnapshot", "boolean", "assessment_event_data_enrichment.is_snapshot"),
    vendor("properties.status.statusChangeDate",       "date",    "properties.status.status_change_date"),
    vendor("properties.status.firstEvaluationDate",    "date",    "properties.status.first_evaluation_date"),
    rule(happened, ("securityEventDataEnrichment.action", "assessmentEventDataEnrichment.action", "properties.status.statusChangeDate",
                    "/enqueued"), "@timestamp", kind="date"),
    rule(first, ("/enqueued",), "event.created", kind="date"),
    rule(action_name, ("securityEventDataEnrichment.action", "assessmentEventDataEnrichment.action"), "event.action"),
    ecs("properties.displayName",                      "keyword", "message", "rule.name", vendor="properties.display_name"),
    rule(first, ("name",), "rule.id"),
    vendor("properties.metadata.$type",                "keyword", "properties.metadata.type"),
    vendor("properties.metadata.displayName",          "keyword", "properties.metadata.display_name"),
    vendor("properties.metadata.assessmentType",       "keyword", "properties.metadata.assessment_type"),
    vendor("properties.metadata.policyDefinitionId",   "keyword", "properties.metadata.policy_definition_id"),
    ecs("properties.metadata.description",             "keyword", "rule.description", vendor="properties.metadata.description"),
    ecs("properties.metadata.remediationDescription",  "keyword", "rule.remediation", vendor="properties.metadata.remediation_description"),
    ecs("properties.metadata.categories",              "keyword", "rule.category", vendor="properties.metadata.categories", many=True),
    vendor("properties.metadata.severity",             "keyword", "properties.metadata.severity"),
    rule(first, ("properties.status.severity", "properties.metadata.severity"), "#severity"),
    rule(severity, ("#severity",), "event.severity", kind="long"),
    vendor("properties.metadata.userImpact",           "keyword", "properties.metadata.user_impact"),
    vendor("properties.metadata.implementationEffort", "keyword", "properties.metadata.implementation_effort"),
    vendor("properties.metadata.threats",              "keyword", "properties.metadata.threats", many=True),
    vendor("properties.metadata.preview",              "boolean", "properties.metadata.preview"),
    vendor("properties.metadata.tactics",              "keyword", "properties.metadata.tactics", many=True, told=True),
    rule(tactics, ("properties.metadata.tactics",), *TACTIC_FIELDS),
    vendor("properties.metadata.techniques",           "keyword", "properties.metadata.techniques", many=True, told=True),
    rule(named_techniques, ("properties.metadata.techniques",), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    vendor("properties.metadata.publishDates",         "flattened", "properties.metadata.publish_dates", converter=lowered_bag),
    vendor("properties.metadata.plannedDeprecationDate", "keyword", "properties.metadata.planned_deprecation_date"),  # 03/2022
    vendor("properties.metadata.partnerData",          "flattened", "properties.metadata.partner_data", converter=lowered_bag),
    vendor("properties.links.azurePortal",             "keyword", "properties.links.azure_portal",     told=True),
    vendor("properties.links.azurePortalUri",          "keyword", "properties.links.azure_portal_uri", told=True),
    rule(portal_link, ("properties.links.azurePortal", "properties.links.azurePortalUri"), "event.reference", "event.url"),
    vendor("properties.risk.level",                    "keyword", "properties.risk.level"),
    vendor("properties.risk.attackPathsReferences",    "keyword", "properties.risk.attack_paths_references", many=True),
    rule(image_findings, ("properties.additionalData", "event.category"), "event.category", "vulnerability.id", "vulnerability.cve",
         "vulnerability.enumeration", "vulnerability.severity", "vulnerability.score.base", "vulnerability.classification",
         kind=("keyword", "keyword", "keyword", "keyword", "keyword", "double", "keyword")),
    unmapped={"properties.partnersData": "it holds a partner's name and a secret of the partner's, which belongs in no index"},
)

SUB_ASSESSMENTS = made(
    "subAssessments", ARM, _RESOURCE, _STATUS, _WORKLOAD,
    vendor("subAssessmentEventDataEnrichment.$type",      "keyword", "sub_assessment_event.data_enrichment.type"),
    vendor("subAssessmentEventDataEnrichment.action",     "keyword", "sub_assessment_event.data_enrichment.action"),
    vendor("subAssessmentEventDataEnrichment.apiVersion", "keyword", "sub_assessment_event.data_enrichment.api_version"),
    vendor("subAssessmentEventDataEnrichment.isSnapshot", "boolean", "sub_assessment_event.data_enrichment.is_snapshot"),
    vendor("assessmentKey",                               "keyword", "assessment_key"),
    vendor("timeGenerated",                               "date",    "time_generated"),
    vendor("properties.timeGenerated",                    "date",    "properties.time_generated"),
    rule(first, ("properties.timeGenerated", "timeGenerated"), "#found", kind="date"),
    rule(happened, ("securityEventDataEnrichment.action", "subAssessmentEventDataEnrichment.action", "#found", "/enqueued"), "@timestamp", kind="date"),
    rule(first, ("/enqueued",), "event.created", kind="date"),
    rule(action_name, ("securityEventDataEnrichment.action", "subAssessmentEventDataEnrichment.action"), "event.action"),
    vendor("properties.id",                               "keyword", "properties.id"),
    ecs("properties.displayName",                         "keyword", "message", vendor="properties.display_name"),
    vendor("properties.description",                      "keyword", "properties.description"),
    vendor("properties.category",                         "keyword", "properties.category",    told=True),
    vendor("properties.impact",                           "keyword", "properties.impact"),
    ecs("properties.remediation",                         "keyword", "rule.remediation", vendor="properties.remediation"),
    rule(severity, ("properties.status.severity",), "event.severity", kind="long"),
    rule(finding, ("properties.additionalData", "properties.id", "properties.displayName", "properties.description", "properties.category",
                   "properties.impact", "properties.status.severity"),
         *VULNERABILITY_FIELDS, *RULE_FIELDS, kind=FINDING_KINDS),
    rule(finding_category, ("vulnerability.id", "vulnerability.score.base", "event.category"), "event.category"),
    rule(assessment_key, ("id",), "rule.ruleset"),
)

_SCORE = Fragment((
    ecs("properties.displayName",      "keyword", "message", "rule.name", vendor="properties.display_name"),
    vendor("properties.environment",   "keyword", "properties.environment"),
    vendor("properties.weight",        "long",    "properties.weight"),
    vendor("properties.score.$type",   "keyword", "properties.score.type"),
    vendor("properties.score.max",     "long",    "properties.score.max"),
    vendor("properties.score.current", "double",  "properties.score.current"),
    vendor("properties.score.percentage", "double", "properties.score.percentage"),
), (
    rule(first, ("name",), "rule.id"),
))
SECURE_SCORES = made("secureScores", ARM, _SENT, SUBSCRIPTION, _SCORE)
SECURE_SCORE_CONTROLS = made(
    "secureScoreControls", ARM, _SENT, SUBSCRIPTION, _SCORE,
    vendor("properties.healthyResourceCount",       "long",    "properties.healthy_resource_count"),
    vendor("properties.unhealthyResourceCount",     "long",    "properties.unhealthy_resource_count"),
    vendor("properties.notApplicableResourceCount", "long",    "properties.not_applicable_resource_count"),
    vendor("properties.definition.id",              "keyword", "properties.definition.id"),
    vendor("properties.definition.name",            "keyword", "properties.definition.name"),
    vendor("properties.definition.type",            "keyword", "properties.definition.type"),
    vendor("properties.definition.properties.$type", "keyword", "properties.definition.properties_type"),
    vendor("properties.definition.properties.source.sourceType", "keyword", "properties.definition.source_type"),
    vendor("properties.definition.properties.displayName", "keyword", "properties.definition.display_name"),
    ecs("properties.definition.properties.description", "keyword", "rule.description", vendor="properties.definition.description"),
    vendor("properties.definition.properties.maxScore", "long", "properties.definition.max_score"),
    Column("properties.definition.properties.assessmentDefinitions", "flattened", told=True, converter=lowered_bag),
    rule(definition_ids, ("properties.definition.properties.assessmentDefinitions",), "~properties.assessment.definitions"),
)

_COMPLIANCE = Fragment((), (
    rule(compliance, ("id",), "rule.ruleset", "~compliance.control"),
))
REGULATORY_COMPLIANCE_STANDARDS = made(
    "regulatoryComplianceStandards", ARM, _SENT, SUBSCRIPTION, _STATE, _COMPLIANCE,
    rule(first, ("name",), "rule.id"),
    rule(first, ("name",), "rule.name"),
    rule(first, ("name",), "message"),
    vendor("properties.passedControls",         "long",    "properties.passed_controls"),
    vendor("properties.failedControls",         "long",    "properties.failed_controls"),
    vendor("properties.skippedControls",        "long",    "properties.skipped_controls"),
    vendor("properties.unsupportedControls",    "long",    "properties.unsupported_controls"),
)
REGULATORY_COMPLIANCE_CONTROLS = made(
    "regulatoryComplianceControls", ARM, _SENT, SUBSCRIPTION, _STATE, _COMPLIANCE,
    rule(first, ("name",), "rule.id"),
    ecs("properties.description",               "keyword", "message", "rule.name", vendor="properties.description"),
    vendor("properties.passedAssessments",      "long",    "properties.passed_assessments"),
    vendor("properties.failedAssessments",      "long",    "properties.failed_assessments"),
    vendor("properties.skippedAssessments",     "long",    "properties.skipped_assessments"),
)
REGULATORY_COMPLIANCE_ASSESSMENTS = made(
    "regulatoryComplianceAssessments", ARM, _SENT, SUBSCRIPTION, _STATE, _COMPLIANCE,
    rule(first, ("name",), "rule.id"),
    ecs("properties.description",               "keyword", "message", "rule.name", vendor="properties.description"),
    vendor("properties.assessmentType",         "keyword", "properties.assessment.type"),
    vendor("properties.assessmentDetailsLink",  "keyword", "properties.assessment.details_link", told=True),
    rule(portal_link, ("properties.assessmentDetailsLink",), "event.reference", "event.url"),
    vendor("properties.passedResources",        "long",    "properties.passed_resources"),
    vendor("properties.failedResources",        "long",    "properties.failed_resources"),
    vendor("properties.skippedResources",       "long",    "properties.skipped_resources"),
    vendor("properties.unsupportedResources",   "long",    "properties.unsupported_resources"),
)
# fmt: on
