"""Incidents of Microsoft Graph (`security/incidents`) -> a document for each version of an incident, and one for each of an alert in it.

Columns are the properties of Microsoft Graph v1.0 `security.incident`; those of an alert lie below `alerts`. Elastic's integration has one
document for each alert, with the incident in it, and writes all of them anew whenever the incident changes (elastic/integrations#9050).
Here an alert's document has the alert's own version in its id: one that did not change is a duplicate and stays as it was, with what its
incident was then. How the incident is now is in its own document, which has no alert in it and `event.code: incident`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.normalise.api import Context, Part, columns_of, open_object, tree_of
from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.tables.fragments import first
from shared.normalise.tables.graph_alert import (
    ALERT_COLUMNS,
    FACTS,
    assigned,
    assignee,
    authors,
    categories,
    digest,
    evidence_parts,
    identifier,
    latest,
    link_parts,
    severity_of,
    updated,
)

ALERTS = "alerts"
# fmt: off
INCIDENT_COLUMNS = columns_of("""
    @odata.type id assignedTo classification comments:dynamic createdDateTime:datetime customTags:dynamic description determination displayName
    incidentWebUrl lastModifiedBy lastUpdateDateTime:datetime priorityScore:long redirectIncidentId resolvingComment severity status summary
    systemTags:dynamic tags:dynamic tenantId""")
# fmt: on
COLUMNS = {
    "GraphIncident": INCIDENT_COLUMNS,
    "GraphIncidentAlert": INCIDENT_COLUMNS | {f"{ALERTS}.{name}": type for name, type in ALERT_COLUMNS.items()},
}
_TREE = tree_of(INCIDENT_COLUMNS)
_ALERT_TREE = tree_of(ALERT_COLUMNS, f"{ALERTS}.")


def split(value: Mapping[str, Any], context: Context) -> Iterator[Part]:
    """An incident -> its own document and those of its alerts, one after another; if the context wants none of these, its own alone.

    `alerts` as one object is a line of Elastic's integration: no document of the incident's own. Raises `Reject` for what is no incident.
    """
    id = identifier(value, "incident")
    own = {key: item for key, item in value.items() if key != ALERTS}
    columns = open_object(own, _TREE)
    alerts = value.get(ALERTS) if context.alerts else None
    if alerts.__class__ is dict and alerts:
        yield from alert_parts(id, own, columns, alerts, context)
        return
    members = [member for member in (alerts if alerts.__class__ is list else [alerts]) if member not in (None, "", {})]
    strangers = [member for member in members if member.__class__ is not dict]
    version, moment = updated(own)
    reported = columns | {ALERTS: strangers} if strangers else columns  # an unknown column: it is carried
    yield Part("GraphIncident", reported, (id,), version, own, latest(context, "incident", moment))
    for member in members:
        if member.__class__ is dict:
            yield from alert_parts(id, own, columns, member, context)


def alert_parts(
    id: str, own: Mapping[str, Any], columns: Mapping[str, Any], alert: Mapping[str, Any], context: Context
) -> Iterator[Part]:
    """An alert of an incident, with the incident in it, and its evidence if wanted; an alert without an id is known by what it says."""
    alert_id = alert.get("id")
    key = str(alert_id) if (alert_id.__class__ is str and alert_id) or alert_id.__class__ is int else digest(alert)
    version, _ = updated(alert)
    opened = open_object(alert, _ALERT_TREE, f"{ALERTS}.")
    yield Part("GraphIncidentAlert", {**columns, **opened}, (id, key), version, {**own, ALERTS: alert})
    if context.evidence:
        yield from evidence_parts(alert, key, version)


def incident_itself(id: str | None) -> str | None:
    """event.code of an incident's own document."""
    return None if id is None else "incident"


def alert_of_incident(id: str | None) -> str | None:
    """event.code of the document of an alert of an incident."""
    return None if id is None else "alert"


def all_tags(tags: list[str] | None, custom: list[str] | None) -> list[str] | None:
    """customTags, and tags as Microsoft's example calls them -> tags, as Elastic's package does."""
    return list(dict.fromkeys([*(tags or ()), *(custom or ())])) or None


# fmt: off
INCIDENT_FACTS = Fragment((
    vendor("@odata.type",        "keyword",   "odata_type"),
    ecs("id",                    "keyword",   "event.id",           vendor="id", kept=True),
    ecs("displayName",           "keyword",   "message",            vendor="display_name", kept=True),
    ecs("description",           "text",      "event.reason",       vendor="description"),
    vendor("summary",            "text",      "summary"),
    vendor("status",             "keyword",   "status"),
    vendor("classification",     "keyword",   "classification"),
    vendor("determination",      "keyword",   "determination"),
    ecs("priorityScore",         "double",    "event.risk_score",   vendor="priority_score"),
    vendor("redirectIncidentId", "keyword",   "redirect_incident_id"),
    vendor("resolvingComment",   "text",      "resolving_comment"),
    vendor("assignedTo",         "keyword",   "assigned_to", told=True),
    vendor("lastModifiedBy",     "keyword",   "last_modified_by"),
    ecs("createdDateTime",       "date",      "event.created",      vendor="created_datetime"),
    vendor("lastUpdateDateTime", "date",      "last_update_datetime", told=True),
    Column("customTags",         "keyword",   many=True, told=True),
    Column("tags",               "keyword",   many=True, told=True),
    vendor("systemTags",         "keyword",   "system_tags", many=True),
    vendor("comments",           "flattened", "comments"),
    vendor("tenantId",           "keyword",   "tenant_id"),
    *severity_of("severity", "severity").columns,
    *link_parts("incidentWebUrl", "web_url", duplicate=True).columns,
), (
    rule(all_tags, ("tags", "customTags"), "~tags"),
    rule(first, ("lastUpdateDateTime", "createdDateTime"), "@timestamp", kind="date"),
    rule(first, ("incidentWebUrl",), "event.url"),
    rule(assignee, ("assignedTo",), "source.user.name", "source.user.domain", "source.user.email"),
    rule(assigned, ("assignedTo",), "#assigned", related="user"),
    rule(authors, ("comments",), "#commentators", related="user"),
    *severity_of("severity", "severity").rules,
    *link_parts("incidentWebUrl", "web_url", duplicate=True).rules,
))
_REDIRECTED = "One that was merged into another has the status `redirected` and says into which in `m365_defender.incident.redirect_incident_id`."

INCIDENT = table(
    "GraphIncident", ("id", "lastUpdateDateTime"),
    INCIDENT_FACTS,
    rule(first, ("tenantId",), "cloud.account.id"),
    rule(categories, ("event.category", "", "", "determination"), "event.category"),
    rule(incident_itself, ("id",), "event.code"),
    dataset="m365_defender.incident", vendor_root="m365_defender.incident", action=None,
    about=(
        "An incident's own document, one for each version of it (lastUpdateDateTime): `event.code: incident`, and no field below "
        f"`m365_defender.incident.alert`. {_REDIRECTED} Its alerts have documents of their own in the same data stream: [GraphIncidentAlert](GraphIncidentAlert.md)."
    ),
)

INCIDENT_ALERT = table(
    "GraphIncidentAlert", ("id", "alerts.id", "alerts.lastUpdateDateTime"),
    INCIDENT_FACTS, FACTS.below(ALERTS, "alert"),
    rule(first, ("#account", "tenantId"), "cloud.account.id"),
    rule(alert_of_incident, ("id",), "event.code"),
    vendor("alerts.id",          "keyword",   "alert.id"),
    vendor("alerts.description", "text",      "alert.description"),
    vendor("alerts.severity",    "keyword",   "alert.severity"),
    vendor("alerts.assignedTo",  "keyword",   "alert.assigned_to"),
    rule(assigned, ("alerts.assignedTo",), "#alert_assigned", related="user"),
    vendor("alerts.createdDateTime",    "date", "alert.created_datetime"),
    vendor("alerts.lastUpdateDateTime", "date", "alert.last_update_datetime"),
    link_parts("alerts.alertWebUrl", "alert.alert_web_url", duplicate=True),
    rule(first, ("alerts.alertWebUrl",), "event.reference"),
    link_parts("alerts.incidentWebUrl", "alert.incident_web_url", duplicate=False),
    dataset="m365_defender.incident", vendor_root="m365_defender.incident", action=None,
    about=(
        "An alert of an incident, with the incident's fields as they were when this version of the alert (its lastUpdateDateTime) was first "
        "seen: `event.code: alert`. event.id, message, event.severity and @timestamp are the incident's, as in Elastic's integration. An "
        "update of the incident brings only a new document of the incident itself: [GraphIncident](GraphIncident.md)."
    ),
)
# fmt: on
