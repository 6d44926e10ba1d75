"""Incidents of the deprecated SIEM API (Microsoft 365 Defender, `api/incidents`) -> one document for the incident, one for each alert and entity.

Elastic's log data stream splits an incident so, and keeps Microsoft's own names: `m365_defender.incidentId`, `m365_defender.alerts.*`. An
alert's document is a version of the alert (its lastUpdatedTime): an incident that changes while its alerts do not brings none again.
@timestamp is the incident's last update, as in Elastic's; event.start and .end say when it happened, event.created when it was raised.

Stored lines of Elastic's have one alert, with one entity, as objects where the API has lists: such a line becomes that one document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Reject
from shared.normalise.api import Context, Part, columns_of, open_object, tree_of
from shared.normalise.identity import canonical
from shared.normalise.mapping import Column, Fragment, Table, ecs, rule, table, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.command_line import args
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, framework, tactics, techniques
from shared.normalise.rules.paths import directory, drive_letter, extension, full_path
from shared.normalise.rules.severity import severity
from shared.normalise.tables.behavior_rules import duration
from shared.normalise.tables.email_rows import link_rule
from shared.normalise.tables.fragments import account_id, alone, first
from shared.normalise.tables.siem_rules import (
    DEVICE_FIELDS,
    PROCESS_FIELDS,
    REGISTRY_FIELDS,
    REGISTRY_KINDS,
    category,
    device,
    image,
    observer,
    os_type,
    redirected,
    registry_value,
    source_address,
)

_INCIDENT = columns_of("""
    incidentId:long incidentUri redirectIncidentId:long incidentName createdTime:datetime lastUpdateTime:datetime assignedTo
    classification determination status severity detectionSource investigationState tags:dynamic comments:dynamic
""")
_ALERT = columns_of("""
    alertId providerAlertId incidentId:long serviceSource creationTime:datetime lastUpdatedTime:datetime resolvedTime:datetime
    firstActivity:datetime lastActivity:datetime title description category status severity investigationId:long investigationState
    classification determination detectionSource detectorId assignedTo actorName threatFamilyName mitreTechniques:dynamic devices:dynamic
""")
_ENTITY = columns_of("""
    entityType evidenceCreationTime:datetime verdict remediationStatus remediationStatusDetails detectionStatus sha1 sha256 fileName
    filePath processId:long processCommandLine processCreationTime:datetime parentProcessId:long parentProcessCreationTime:datetime
    parentProcessFileName parentProcessFilePath ipAddress url accountName domainName userSid aadUserId userPrincipalName
    mailboxDisplayName mailboxAddress clusterBy sender recipient subject deliveryAction securityGroupId securityGroupName registryHive
    registryKey registryValueType registryValue deviceId applicationId:long applicationName
""")
COLUMNS: dict[str, dict[str, str]] = {
    "SiemIncident": _INCIDENT,
    "SiemAlert": {
        **_INCIDENT,
        **{f"alerts.{name}": type for name, type in _ALERT.items()},
        **{f"alerts.entities.{name}": type for name, type in _ENTITY.items()},
    },
}
_OF_INCIDENT = tree_of(_INCIDENT)
_OF_ALERT = tree_of(_ALERT, "alerts.")
_OF_ENTITY = tree_of(_ENTITY, "alerts.entities.")


def split(value: Mapping[str, Any], context: Context) -> Iterator[Part]:
    """An incident's document and those of its alerts, made one after another. Raises `Reject` for what has no incidentId.

    A line with one alert as an object is about this alert, and gives no document of the incident.
    """
    identifier = _id(value.get("incidentId"))
    if identifier is None:
        raise Reject("no_incident", "an incident of the SIEM API has an incidentId, which is a number")
    incident = {key: item for key, item in value.items() if key != "alerts"}
    opened = open_object(incident, _OF_INCIDENT)
    alerts = value.get("alerts")
    if alerts.__class__ is dict and context.alerts:
        whole = value if alerts.get("entities").__class__ is not list else None
        yield from _parts(identifier, incident, opened, alerts, whole)
        return
    strangers = _strangers(alerts)
    columns = {**opened, "alerts": strangers} if strangers else opened
    yield Part("SiemIncident", columns, (identifier,), _version(value.get("lastUpdateTime"), incident), incident)
    for alert in alerts if context.alerts and alerts.__class__ is list else ():
        if alert.__class__ is dict:
            yield from _parts(identifier, incident, opened, alert)


def _strangers(alerts: Any) -> Any:
    """What stands among the alerts, or instead of them, and is none: kept with the incident, as an unknown column."""
    if alerts.__class__ is list:
        return [item for item in alerts if item.__class__ is not dict and item is not None]
    return None if alerts.__class__ is dict else alerts


def _parts(
    incident_id: str,
    incident: Mapping[str, Any],
    opened: Mapping[str, Any],
    alert: Mapping[str, Any],
    whole: Mapping[str, Any] | None = None,
) -> Iterator[Part]:
    """One for each entity of an alert, or one where it has none. A part's value is a line as Elastic's poller has it: `whole`, if it came so."""
    entities = alert.get("entities")
    alert = {key: item for key, item in alert.items() if key != "entities"}
    alert_id = _id(alert.get("alertId")) or _digest(alert)
    version = _version(alert.get("lastUpdatedTime"), alert)
    about = {**opened, **open_object(alert, _OF_ALERT, "alerts.")}
    listed = entities if entities.__class__ is list else [entities]
    for entity in [item for item in listed if item not in (None, "", {})] or [None]:
        columns, line, digest = about, {**incident, "alerts": alert}, ""
        if entity is not None:
            line, digest = {**incident, "alerts": {**alert, "entities": entity}}, _digest(entity)
            known = entity.__class__ is dict
            found = open_object(entity, _OF_ENTITY, "alerts.entities.") if known else {"alerts.entities": entity}
            columns = {**about, **found}
        yield Part("SiemAlert", columns, (incident_id, alert_id, digest), version, line if whole is None else whole)


def _id(value: Any) -> str | None:
    if value.__class__ is int:
        return str(value)
    return value if value.__class__ is str and value else None


def _version(time: Any, content: Mapping[str, Any]) -> str:
    """When it was last updated; without a time a digest of all it says, so that a changed one is another version."""
    return time if time.__class__ is str and time else _digest(content)


def _digest(value: Any) -> str:
    """A short hash of what a value says; keys without a value do not count, since some answers leave them out."""
    said = {key: item for key, item in value.items() if item not in (None, "")} if value.__class__ is dict else value
    return hashlib.sha256(canonical(said)).hexdigest()[:32]


def made(name: str, identity: tuple[str, ...], *rows: Any, **more: Any) -> Table:
    """A table of the log data stream; its vendor fields lie right below `m365_defender`."""
    return table(name, identity, *rows, dataset="m365_defender.log", vendor_root="m365_defender", **more)


# fmt: off
INCIDENT = Fragment((
    Column("/scan",              "date",      told=True),
    vendor("incidentId",         "keyword",   "incidentId"),
    ecs("incidentUri",           "keyword",   "event.reference", "event.url", vendor="incidentUri"),
    vendor("redirectIncidentId", "keyword",   "redirectIncidentId"),
    vendor("incidentName",       "keyword",   "incidentName"),
    vendor("createdTime",        "date",      "createdTime"),
    vendor("lastUpdateTime",     "date",      "lastUpdateTime",  told=True),
    vendor("assignedTo",         "keyword",   "assignedTo"),
    vendor("classification",     "keyword",   "classification"),
    vendor("determination",      "keyword",   "determination"),
    vendor("status",             "keyword",   "status"),
    vendor("severity",           "keyword",   "severity"),
    vendor("detectionSource",    "keyword",   "detectionSource"),
    vendor("investigationState", "keyword",   "investigationState"),
    vendor("tags",               "keyword",   "tags", many=True),
    vendor("comments",           "flattened", "comments"),
), (
    rule(redirected, ("status", "redirectIncidentId"), "~isRedirected", kind="boolean"),
    rule(observer,   ("incidentId",), "observer.vendor", "observer.product", "event.timezone"),
))

SIEM_INCIDENT = made(
    "SiemIncident", ("incidentId",), INCIDENT,
    rule(first,    ("lastUpdateTime", "createdTime", "/scan"), "@timestamp", kind="date"),
    rule(first,    ("createdTime",), "event.created", kind="date"),
    rule(first,    ("incidentId",),   "event.id"),
    rule(first,    ("incidentName",), "message", kind="text"),
    rule(severity, ("severity",),     "event.severity", kind="long"),
    rule(category, ("event.category", "", "determination", ""), "event.category"),
    action=None,
)

ALERT = Fragment((
    ecs("alerts.alertId",             "keyword",   "event.id",              vendor="alerts.alertId"),
    vendor("alerts.providerAlertId",  "keyword",   "alerts.providerAlertId"),
    vendor("alerts.incidentId",       "keyword",   "alerts.incidentId"),
    ecs("alerts.serviceSource",       "keyword",   "event.provider", "observer.name", vendor="alerts.serviceSource"),
    vendor("alerts.creationTime",     "date",      "alerts.creationTime",    told=True),
    vendor("alerts.lastUpdatedTime",  "date",      "alerts.lastUpdatedTime"),
    vendor("alerts.resolvedTime",     "date",      "alerts.resolvedTime"),
    ecs("alerts.firstActivity",       "date",      "event.start",           vendor="alerts.firstActivity"),
    ecs("alerts.lastActivity",        "date",      "event.end",             vendor="alerts.lastActivity"),
    ecs("alerts.title",               "keyword",   "message", "rule.name",  vendor="alerts.title"),
    ecs("alerts.description",         "keyword",   "rule.description",      vendor="alerts.description"),
    ecs("alerts.category",            "keyword",   "event.action",          vendor="alerts.category"),
    vendor("alerts.status",           "keyword",   "alerts.status"),
    vendor("alerts.severity",         "keyword",   "alerts.severity"),
    vendor("alerts.investigationId",  "keyword",   "alerts.investigationId"),
    vendor("alerts.investigationState", "keyword", "alerts.investigationState"),
    vendor("alerts.classification",   "keyword",   "alerts.classification"),
    vendor("alerts.determination",    "keyword",   "alerts.determination"),
    vendor("alerts.detectionSource",  "keyword",   "alerts.detectionSource"),
    vendor("alerts.detectorId",       "keyword",   "alerts.detectorId"),
    vendor("alerts.assignedTo",       "keyword",   "alerts.assignedTo"),
    ecs("alerts.actorName",           "keyword",   "threat.group.name",     vendor="alerts.actorName"),
    ecs("alerts.threatFamilyName",    "keyword",   "threat.software.name",  vendor="alerts.threatFamilyName"),
    vendor("alerts.mitreTechniques",  "keyword",   "alerts.mitreTechniques", many=True),
    vendor("alerts.devices",          "flattened", "alerts.devices"),
), (
    rule(first,      ("lastUpdateTime", "alerts.lastUpdatedTime", "/scan"), "@timestamp", kind="date"),
    rule(first,      ("alerts.creationTime", "createdTime"), "event.created", kind="date"),
    rule(duration,   ("alerts.firstActivity", "alerts.lastActivity"), "event.duration", kind="long"),
    rule(first,      ("alerts.severity", "severity"), "#severity"),
    rule(severity,   ("#severity",), "event.severity", kind="long"),
    rule(category,   ("event.category", "alerts.category", "alerts.determination", "determination"), "event.category"),
    rule(tactics,    ("alerts.category",), *TACTIC_FIELDS),
    rule(techniques, ("alerts.mitreTechniques",), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(framework,  ("#framework", "threat.tactic.id"), TECHNIQUE_FIELDS[0]),
))

_E = "alerts.entities."
FILE = Fragment((
    ecs(f"{_E}fileName",              "keyword",   "file.name",             vendor=f"{_E}fileName"),
    vendor(f"{_E}filePath",           "keyword",   f"{_E}filePath",         told=True),
    ecs(f"{_E}sha1",                  "keyword",   "file.hash.sha1",        vendor=f"{_E}sha1",   related="hash"),
    ecs(f"{_E}sha256",                "keyword",   "file.hash.sha256",      vendor=f"{_E}sha256", related="hash"),
), (
    rule(full_path,    (f"{_E}filePath", f"{_E}fileName"), "file.path"),
    rule(directory,    ("file.path",),      "file.directory"),
    rule(extension,    (f"{_E}fileName",),  "file.extension"),
    rule(drive_letter, ("file.path",),      "file.drive_letter"),
))

# The alert's devices and which of them is the host; the entity's path and account help to tell its platform.
HOST = Fragment((
    vendor(f"{_E}deviceId",           "keyword",   f"{_E}deviceId",         told=True),
), (
    rule(device, ("alerts.devices", f"{_E}deviceId"), *DEVICE_FIELDS,
         related=((None,) * (len(DEVICE_FIELDS) - 2) + ("hosts", "user"))),
    rule(os_type, ("host.id", f"{_E}entityType", "#platform", f"{_E}registryKey", "file.path", f"{_E}userSid", f"{_E}processCommandLine"),
         "host.os.type"),
))

PROCESS = Fragment((
    ecs(f"{_E}processId",             "long",      "process.pid",           vendor=f"{_E}processId"),
    ecs(f"{_E}processCommandLine",    "wildcard",  "process.command_line",  vendor=f"{_E}processCommandLine"),
    ecs(f"{_E}processCreationTime",   "date",      "process.start",         vendor=f"{_E}processCreationTime"),
    ecs(f"{_E}parentProcessId",       "long",      "process.parent.pid",    vendor=f"{_E}parentProcessId"),
    ecs(f"{_E}parentProcessCreationTime", "date",  "process.parent.start",  vendor=f"{_E}parentProcessCreationTime"),
    ecs(f"{_E}parentProcessFileName", "keyword",   "process.parent.name",   vendor=f"{_E}parentProcessFileName"),
    vendor(f"{_E}parentProcessFilePath", "keyword", f"{_E}parentProcessFilePath", told=True),
), (
    rule(image, (f"{_E}entityType", f"{_E}fileName", "file.path", f"{_E}sha1", f"{_E}sha256", f"{_E}processCommandLine", "host.os.type"),
         *PROCESS_FIELDS),
    rule(args, (f"{_E}processCommandLine", "host.os.type", "process.executable"), "process.args", "process.args_count",
         kind=("keyword", "long"), when=f"{_E}processCommandLine"),
    rule(process_entity_id, ("host.id", f"{_E}processId", f"{_E}processCreationTime"), "process.entity_id"),
    rule(full_path, (f"{_E}parentProcessFilePath", f"{_E}parentProcessFileName"), "process.parent.executable"),
    rule(process_entity_id, ("host.id", f"{_E}parentProcessId", f"{_E}parentProcessCreationTime"), "process.parent.entity_id"),
))

PEOPLE = Fragment((
    vendor(f"{_E}accountName",        "keyword",   f"{_E}accountName",      told=True, related="user"),
    vendor(f"{_E}domainName",         "keyword",   f"{_E}domainName",       told=True),
    vendor(f"{_E}userSid",            "keyword",   f"{_E}userSid",          told=True, related="user"),
    vendor(f"{_E}aadUserId",          "keyword",   f"{_E}aadUserId",        related="user"),
    vendor(f"{_E}userPrincipalName",  "keyword",   f"{_E}userPrincipalName", related="user"),
    vendor(f"{_E}mailboxDisplayName", "keyword",   f"{_E}mailboxDisplayName"),
    vendor(f"{_E}mailboxAddress",     "keyword",   f"{_E}mailboxAddress",   related="user"),
    ecs(f"{_E}securityGroupId",       "keyword",   "group.id",              vendor=f"{_E}securityGroupId"),
    ecs(f"{_E}securityGroupName",     "keyword",   "group.name",            vendor=f"{_E}securityGroupName"),
), (
    rule(first, (f"{_E}userPrincipalName", f"{_E}mailboxAddress"), "#upn"),
    rule(user, (f"{_E}accountName", f"{_E}domainName", f"{_E}userSid", "#upn"), "user.name", "user.domain", "user.email",
         related=("user", None, None)),
    rule(account_id, (f"{_E}userSid", f"{_E}aadUserId"), "user.id"),
))

MAIL = Fragment((
    vendor(f"{_E}sender",             "keyword",   f"{_E}sender",           told=True, related="user"),
    vendor(f"{_E}recipient",          "keyword",   f"{_E}recipient",        told=True, related="user"),
    ecs(f"{_E}subject",               "keyword",   "email.subject",         vendor=f"{_E}subject"),
    vendor(f"{_E}deliveryAction",     "keyword",   f"{_E}deliveryAction"),
    vendor(f"{_E}clusterBy",          "keyword",   f"{_E}clusterBy"),
), (
    rule(alone, (f"{_E}sender",),    "email.from.address"),
    rule(alone, (f"{_E}recipient",), "email.to.address"),
))

SIEM_ALERT = made(
    "SiemAlert", ("incidentId", "alerts.alertId"), INCIDENT, ALERT,
    vendor(f"{_E}entityType",         "keyword",   f"{_E}entityType"),
    vendor(f"{_E}evidenceCreationTime", "date",    f"{_E}evidenceCreationTime"),
    vendor(f"{_E}verdict",            "keyword",   f"{_E}verdict"),
    vendor(f"{_E}remediationStatus",  "keyword",   f"{_E}remediationStatus"),
    vendor(f"{_E}remediationStatusDetails", "keyword", f"{_E}remediationStatusDetails"),
    vendor(f"{_E}detectionStatus",    "keyword",   f"{_E}detectionStatus"),
    FILE, HOST, PROCESS, PEOPLE, MAIL,
    vendor(f"{_E}ipAddress",          "ip",        f"{_E}ipAddress",        related="ip"),
    rule(source_address, (f"{_E}entityType", "alerts.serviceSource", f"{_E}ipAddress"), "source.ip", "source.address", kind="ip"),
    vendor(f"{_E}url",                "keyword",   f"{_E}url",              told=True),
    link_rule(f"{_E}url"),
    vendor(f"{_E}registryHive",       "keyword",   f"{_E}registryHive"),
    vendor(f"{_E}registryKey",        "keyword",   f"{_E}registryKey"),
    vendor(f"{_E}registryValueType",  "keyword",   f"{_E}registryValueType"),
    vendor(f"{_E}registryValue",      "wildcard",  f"{_E}registryValue"),
    rule(registry_value, (f"{_E}registryHive", f"{_E}registryKey", f"{_E}registryValueType", f"{_E}registryValue"),
         *REGISTRY_FIELDS, kind=REGISTRY_KINDS),
    vendor(f"{_E}applicationId",      "keyword",   f"{_E}applicationId"),
    vendor(f"{_E}applicationName",    "keyword",   f"{_E}applicationName"),
    action=f"{_E}entityType",
)
# fmt: on
