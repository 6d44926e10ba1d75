"""Assessments of Azure Resource Manager (2021-06-01) and their sub-assessments (2019-01-01-preview), polled -> findings, as Elastic's package has them.

An assessment without sub-assessments is one document; one with them is a document for each, with the assessment's own fields. Their class
says which of Kibana's Findings pages they belong to: a vulnerability is a flaw in software, a misconfiguration anything else.

A scan says how things stand, and much of it has no time of its own: @timestamp is when the scan began, and an entity is one document for
each UTC day.
"""

from __future__ import annotations

from typing import Any

from shared.normalise.api import columns_of
from shared.normalise.mapping import Column, Fragment, Table, ecs, objects, rule, table, vendor
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, framework, tactics
from shared.normalise.rules.mitre_names import named_techniques
from shared.normalise.rules.severity import severity
from shared.normalise.tables.arm_objects import ASSESSMENT, SUB_ASSESSMENT, TABLES
from shared.normalise.tables.arm_objects import split as split  # noqa: PLC0414  found here by its source's name
from shared.normalise.tables.arm_rules import (
    RESOURCE_FIELDS,
    account,
    later,
    located,
    product,
    resource,
    rule_uuid,
    weakness,
)
from shared.normalise.tables.arm_shapes import ADDITIONAL_DATA, IMAGE_CVES
from shared.normalise.tables.cloud_export_rules import PLACE_FIELDS, assessment_key, evaluation, portal_link
from shared.normalise.tables.cloud_findings import VULNERABILITY_FIELDS, VULNERABILITY_KINDS, WORKLOAD_FIELDS, workload
from shared.normalise.tables.fragments import first

DATASET = "microsoft_defender_cloud.assessment"
COLUMNS: dict[str, dict[str, str]] = dict.fromkeys(TABLES, columns_of(f"{ASSESSMENT} {SUB_ASSESSMENT}"))

# What both can have, ECS fields say of the sub-assessment: so only its vendor fields are duplicates, and the assessment's are kept.
_A, _S = "properties", "subAssessment.properties"
_PARTNER = "it holds a partner's name and a secret of the partner's, which belongs in no index"


# fmt: off
def _resource(path: str, field: str, *, told: bool) -> tuple[Column, ...]:
    """Columns of resourceDetails, of an assessment or a sub-assessment: Azure, OnPremise, OnPremiseSql, AWS and GCP."""
    path, field = f"{path}.resourceDetails.", f"{field}resource_details."
    return (
        vendor(f"{path}source",           "keyword", f"{field}source"),
        vendor(f"{path}id",               "keyword", f"{field}id"),
        vendor(f"{path}resourceId",       "keyword", f"{field}resource_id"),
        vendor(f"{path}nativeResourceId", "keyword", f"{field}native_resource_id"),
        vendor(f"{path}resourceName",     "keyword", f"{field}resource_name",     told=told),
        vendor(f"{path}resourceType",     "keyword", f"{field}resource_type",     told=told),
        vendor(f"{path}resourceProvider", "keyword", f"{field}resource_provider", told=told),
        vendor(f"{path}machineName",      "keyword", f"{field}machine_name"),
        vendor(f"{path}workspaceId",      "keyword", f"{field}workspace_id"),
        vendor(f"{path}sourceComputerId", "keyword", f"{field}source_computer_id"),
        vendor(f"{path}vmuuid",           "keyword", f"{field}vm_uuid"),
        vendor(f"{path}serverName",       "keyword", f"{field}server_name"),
        vendor(f"{path}databaseName",     "keyword", f"{field}database_name"),
        vendor(f"{path}connectorId",      "keyword", f"{field}connector_id"),
        vendor(f"{path}region",           "keyword", f"{field}region"),
        vendor(f"{path}hierarchyId",      "keyword", f"{field}hierarchy_id"),
        vendor(f"{path}nativeCloudUniqueIdentifier", "keyword", f"{field}native_cloud_unique_identifier"),
    )


def _either(name: str, field: str, **more: Any) -> Any:
    """A rule for what stands in both: the sub-assessment's own value, else the assessment's."""
    return rule(first, (f"{_S}.{name}", f"{_A}.{name}"), field, **more)


_IDENTITY = Fragment((
    Column("/scan", "date", ("@timestamp",)),
    vendor("class",                    "keyword", "class"),
    ecs("entity",                      "keyword", "event.id"),
    vendor("id",                       "keyword", "id"),
    vendor("name",                     "keyword", "name"),
    vendor("type",                     "keyword", "type"),
    vendor("properties.displayName",   "keyword", "display_name"),
    vendor(f"{_S}.displayName",        "keyword", "additional_data.sub_assessment.display_name", told=True),
    vendor("subAssessment.id",         "keyword", "additional_data.sub_assessment.id"),
    vendor("subAssessment.name",       "keyword", "additional_data.sub_assessment.name"),
    vendor("subAssessment.type",       "keyword", "additional_data.sub_assessment.type"),
    vendor(f"{_S}.id",                 "keyword", "additional_data.sub_assessment.event_id"),
    vendor(f"{_S}.timeGenerated",      "keyword", "additional_data.sub_assessment.time_generated"),  # a keyword in Elastic's package
), (
    rule(product, ("class",), "observer.vendor"),
    rule(product, ("class",), "event.provider"),
    _either("displayName", "message"),
))
_STATUS = Fragment((
    vendor("properties.status.code",                "keyword", "status.code"),
    vendor("properties.status.cause",               "keyword", "status.cause"),
    vendor("properties.status.description",         "keyword", "status.description"),
    vendor("properties.status.firstEvaluationDate", "date",    "status.first_evaluation_date"),
    vendor("properties.status.statusChangeDate",    "date",    "status.status_change_date"),
    vendor(f"{_S}.status.code",                     "keyword", "additional_data.sub_assessment.status.code"),
    vendor(f"{_S}.status.cause",                    "keyword", "additional_data.sub_assessment.status.cause"),
    vendor(f"{_S}.status.description",              "keyword", "additional_data.sub_assessment.status.description", told=True),
    vendor(f"{_S}.status.severity",                 "keyword", "additional_data.sub_assessment.status.severity"),
), (
    rule(later, ("properties.status.statusChangeDate", "properties.status.firstEvaluationDate"), "event.created", kind="date"),
    _either("status.description", "event.reason"),
    _either("status.code", "#state"),
))
_RESOURCE = Fragment((
    *_resource(_A, "", told=False),
    *_resource(_S, "additional_data.sub_assessment.", told=True),
), (
    rule(workload, ("additional",), *WORKLOAD_FIELDS,
         related=tuple("hash" if field == "#digest" else None for field in WORKLOAD_FIELDS)),
    rule(resource, (*(f"{path}.resourceDetails.{name}" for path in (_A, _S)
                      for name in ("id", "nativeResourceId", "resourceName", "resourceProvider", "resourceType")), "container.image.name"),
         *RESOURCE_FIELDS),
    _either("resourceDetails.source", "#source"),
    _either("resourceDetails.region", "#region"),
    _either("resourceDetails.hierarchyId", "#hierarchy"),
    _either("resourceDetails.machineName", "#machine"),
    _either("resourceDetails.nativeCloudUniqueIdentifier", "#unique"),
    rule(located, ("id", "#resource", "#source", "#name", "#provider", "#type", "#native", "#unique", "#region", "#hierarchy", "#machine"),
         *PLACE_FIELDS, related=(*(None,) * (len(PLACE_FIELDS) - 1), "hosts")),
    _either("resourceDetails.vmuuid", "host.id", related="hosts"),
    rule(account, ("properties.resourceDetails.id", f"{_S}.resourceDetails.id", "properties.additionalData.resourceType",
                   "properties.additionalData.resourceName"), "user.id", "user.name", related="user"),
))
_METADATA = Fragment((
    vendor("properties.links.azurePortal",             "keyword", "links.azure_portal",     told=True),
    vendor("properties.links.azurePortalUri",          "keyword", "links.azure_portal_uri", told=True),
    vendor("properties.risk.level",                    "keyword", "risk.level"),
    vendor("properties.risk.attackPathsReferences",    "keyword", "risk.attack_paths_references", many=True),
    vendor("properties.metadata.displayName",          "keyword", "metadata.display_name"),
    vendor("properties.metadata.assessmentType",       "keyword", "metadata.assessment_type"),
    vendor("properties.metadata.policyDefinitionId",   "keyword", "metadata.policy_definition_id"),
    vendor("properties.metadata.description",          "keyword", "metadata.description"),
    vendor("properties.metadata.remediationDescription", "keyword", "metadata.remediation_description"),
    vendor("properties.metadata.categories",           "keyword", "metadata.categories", many=True),
    vendor("properties.metadata.severity",             "keyword", "metadata.severity"),
    vendor("properties.metadata.userImpact",           "keyword", "metadata.user_impact"),
    vendor("properties.metadata.implementationEffort", "keyword", "metadata.implementation_effort"),
    vendor("properties.metadata.threats",              "keyword", "metadata.threats", many=True),
    vendor("properties.metadata.preview",              "boolean", "metadata.preview"),
    vendor("properties.metadata.tactics",              "keyword", "metadata.tactics", many=True),
    vendor("properties.metadata.techniques",           "keyword", "metadata.techniques", many=True, told=True),
    vendor("properties.metadata.publishDates",         "flattened", "metadata.publish_dates"),  # 06/01/2021, by cloud or not
    vendor("properties.metadata.plannedDeprecationDate", "keyword", "metadata.planned_deprecation_date"),  # 03/2022
    vendor("properties.metadata.partnerData.partnerName", "keyword", "metadata.partner_data.partner_name"),
    vendor("properties.metadata.partnerData.productName", "keyword", "metadata.partner_data.product_name"),
    vendor(f"{_S}.description",                        "keyword", "additional_data.sub_assessment.description"),
    vendor(f"{_S}.category",                           "keyword", "additional_data.sub_assessment.category",    told=True),
    vendor(f"{_S}.impact",                             "keyword", "additional_data.sub_assessment.impact"),
    vendor(f"{_S}.remediation",                        "keyword", "additional_data.sub_assessment.remediation", told=True),
), (
    rule(portal_link, ("properties.links.azurePortal", "properties.links.azurePortalUri"), "event.reference", "event.url"),
    rule(tactics, ("properties.metadata.tactics",), *TACTIC_FIELDS),
    rule(named_techniques, ("properties.metadata.techniques",), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    rule(first, (f"{_S}.remediation", "properties.metadata.remediationDescription"), "rule.remediation"),
    rule(rule_uuid, ("rule.name",), "rule.uuid"),
    rule(assessment_key, ("entity",), "rule.ruleset"),
))
_ADDITIONAL = "properties.additionalData."
_DATA = Fragment((
    Column("additional", "flattened", told=True),
    objects(f"{_S}.additionalData", ADDITIONAL_DATA, "additional_data.sub_assessment.additional_data"),
    vendor(f"{_ADDITIONAL}subAssessmentsLink", "keyword", "additional_data.sub_assessments_link"),
    vendor(f"{_ADDITIONAL}canOnboardToBYOL",   "boolean", "additional_data.can_onboard_to_byol"),
    vendor(f"{_ADDITIONAL}nsgOpenPorts",       "long",    "additional_data.nsg_open_ports", many=True),
    vendor(f"{_ADDITIONAL}edrsFound",          "keyword", "additional_data.edrs_found",     many=True),
    vendor(f"{_ADDITIONAL}identityDesignateLessThanXOwnersObjectIdList", "keyword",
           "additional_data.identity_designate_less_than_xowners_object_id_list", many=True),
    vendor(f"{_ADDITIONAL}resourceName",       "keyword", "additional_data.resource_name"),
    vendor(f"{_ADDITIONAL}resourceProvider",   "keyword", "additional_data.resource_provider"),
    vendor(f"{_ADDITIONAL}resourceType",       "keyword", "additional_data.resource_type"),
    vendor(f"{_ADDITIONAL}resourceUrl",        "keyword", "additional_data.resource_url"),
    vendor(f"{_ADDITIONAL}roleAndScope",       "keyword", "additional_data.role_and_scope", many=True),
    vendor(f"{_ADDITIONAL}linkedWorkspaceId",  "keyword", "additional_data.linked_workspace_id"),
    vendor(f"{_ADDITIONAL}k8sClusterId",       "keyword", "additional_data.k8s_cluster_id"),
    vendor(f"{_ADDITIONAL}k8sClusterName",     "keyword", "additional_data.k8s_cluster_name"),
    vendor(f"{_ADDITIONAL}controllerName",     "keyword", "additional_data.controller_name"),
    vendor(f"{_ADDITIONAL}controllerType",     "keyword", "additional_data.controller_type"),
    vendor(f"{_ADDITIONAL}podName",            "keyword", "additional_data.pod_name"),
    vendor(f"{_ADDITIONAL}namespace",          "keyword", "additional_data.namespace"),
    vendor(f"{_ADDITIONAL}imageUri",           "keyword", "additional_data.image_uri"),
    vendor(f"{_ADDITIONAL}repo",               "keyword", "additional_data.repo"),
    vendor(f"{_ADDITIONAL}digest",             "keyword", "additional_data.digest"),
    vendor(f"{_ADDITIONAL}tags",               "keyword", "additional_data.tags", many=True),
    vendor(f"{_ADDITIONAL}osType",             "keyword", "additional_data.os_type"),
    vendor(f"{_ADDITIONAL}osDistribution",     "keyword", "additional_data.os_distribution"),
    vendor(f"{_ADDITIONAL}inventorySource",    "keyword", "additional_data.inventory_source"),
    vendor(f"{_ADDITIONAL}cvesCount",          "long",    "additional_data.cves_count"),
    vendor(f"{_ADDITIONAL}highestSeverity",    "keyword", "additional_data.highest_severity"),
    vendor(f"{_ADDITIONAL}maxCvss30Score",     "double",  "additional_data.max_cvss30_score"),
    objects(f"{_ADDITIONAL}cves", IMAGE_CVES, "additional_data.cves"),
    vendor(f"{_ADDITIONAL}other",              "flattened", "additional_data.other"),  # an open map: what has no field
))


def made(name: str, *rules: Any) -> Table:
    """A table of findings of one class."""
    return table(
        name, (), _IDENTITY, _STATUS, _DATA, _RESOURCE, *rules, _METADATA, dataset=DATASET, vendor_root=DATASET, action=None,
        unmapped={"properties.partnersData": _PARTNER, "properties.metadata.partnerData.secret": _PARTNER},
    )  # fmt: skip


MISCONFIGURATION = made(
    "misconfiguration",
    rule(evaluation, ("#state",), "event.outcome", "result.evaluation"),
    rule(first, (f"{_S}.status.severity", "properties.metadata.severity"), "#severity"),
    rule(severity, ("#severity",), "event.severity", kind="long"),
    rule(first, (f"{_S}.id", "name"), "rule.id"),
    rule(first, (f"{_S}.displayName", "properties.displayName", "properties.metadata.displayName"), "rule.name"),
    rule(first, (f"{_S}.description", "properties.metadata.description"), "rule.description"),
    rule(first, (f"{_S}.category", "properties.metadata.categories"), "rule.category"),
    rule(first, (f"{_S}.impact",), "rule.impact"),
)
# The rule of a flaw is the recommendation that it belongs to.
VULNERABILITY_FINDING = made(
    "vulnerability_finding",
    rule(evaluation, ("#state",), "event.outcome", "#evaluation"),
    rule(weakness, ("additional", f"{_S}.id", f"{_S}.displayName", f"{_S}.description", f"{_S}.category", f"{_S}.status.severity"),
         *VULNERABILITY_FIELDS, kind=VULNERABILITY_KINDS),
    rule(first, (f"{_S}.status.severity", "vulnerability.severity", "properties.metadata.severity"), "#severity"),
    rule(severity, ("#severity",), "event.severity", kind="long"),
    rule(first, ("name",), "rule.id"),
    rule(first, ("properties.displayName", "properties.metadata.displayName"), "rule.name"),
    rule(first, ("properties.metadata.description",), "rule.description"),
    rule(first, ("properties.metadata.categories",), "rule.category"),
)
# fmt: on
