"""Alerts of Microsoft Graph (`security/alerts_v2`) -> a document for each version of an alert, and, if wanted, one for each item of its evidence.

Columns are the properties of Microsoft Graph v1.0 `security.alert`. @timestamp is when the alert was last updated, as Elastic's integration
has it; event.start and event.end say when it happened, event.created when it was raised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Reject
from shared.normalise.api import Context, Part, columns_of
from shared.normalise.convert import date
from shared.normalise.identity import canonical, time_prefix
from shared.normalise.latest import Latest
from shared.normalise.mapping import Column, Fragment, Kind, ecs, objects, rule, table, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, Tactics, framework, tactics, techniques
from shared.normalise.rules.severity import severity
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.rules.url import url_fields
from shared.normalise.tables.behavior_rules import duration
from shared.normalise.tables.fragments import first
from shared.normalise.tables.graph_evidence import EVIDENCE
from shared.normalise.tables.graph_evidence_rules import EVIDENCE_FIELDS, EVIDENCE_KINDS, EVIDENCE_RELATED, evidence
from shared.normalise.tables.graph_found import each

MOST = 1_000  # comments whose authors are looked at

# fmt: off
ALERT_COLUMNS = columns_of("""
    @odata.type id actorDisplayName additionalData:dynamic alertPolicyId alertWebUrl assignedTo categories:dynamic category classification
    comments:dynamic createdDateTime:datetime customDetails:dynamic description detectionSource detectorId determination evidence:dynamic
    firstActivityDateTime:datetime incidentId incidentWebUrl investigationState lastActivityDateTime:datetime lastUpdateDateTime:datetime
    mitreTechniques:dynamic productName providerAlertId recommendedActions resolvedDateTime:datetime serviceSource severity status
    systemTags:dynamic tenantId threatDisplayName threatFamilyName title""")
# What a document of one item of evidence says of its alert.
EVIDENCE_COLUMNS = columns_of("""
    id alertWebUrl category createdDateTime:datetime detectionSource detectorId evidence:dynamic firstActivityDateTime:datetime incidentId
    lastActivityDateTime:datetime lastUpdateDateTime:datetime mitreTechniques:dynamic serviceSource severity status tenantId title""")
# fmt: on
COLUMNS = {"GraphAlert": ALERT_COLUMNS, "GraphAlertEvidence": EVIDENCE_COLUMNS}


def split(value: Mapping[str, Any], context: Context) -> Iterator[Part]:
    """An alert -> its document, then those of its evidence if the context wants them. Raises `Reject` for what is no alert."""
    key = (identifier(value, "alert"),)
    version, moment = updated(value)
    yield Part(
        "GraphAlert", value, key, version, value, latest(context, "alert", moment)
    )  # no property has to be opened
    if context.evidence:
        yield from evidence_parts(value, key[0], version)


def evidence_parts(alert: Mapping[str, Any], id: str, version: str) -> Iterator[Part]:
    """The documents of an alert's items of evidence.

    The key of an item is a digest of what it says: two items of a type can be told apart by nothing that all types have, and their order
    is not promised.
    """
    items = alert.get("evidence")
    shared = {name: alert[name] for name in EVIDENCE_COLUMNS if name in alert}
    for item in items if items.__class__ is list else [items]:
        if item.__class__ is dict and item:
            yield Part("GraphAlertEvidence", shared | {"evidence": item}, (id, digest(item)), version, item)


def identifier(value: Any, name: str) -> str:
    """The id of an object; raises `Reject` where it is no object or has none."""
    if not isinstance(value, Mapping):
        raise Reject("not_an_object", f"an {name} must be a JSON object")
    id = value.get("id")
    if id.__class__ is int:
        id = str(id)
    if id.__class__ is not str or not id.strip():
        raise Reject("no_id", f"the {name} has no id")
    return id


def updated(value: Mapping[str, Any]) -> tuple[str, str | None]:
    """(version, time): when an object was last updated; where that is no time, a digest of what it says. Raises `Reject` as `digest` does."""
    moment: str | None = date(value.get("lastUpdateDateTime"), "", [])
    return (digest(value), None) if moment is None else (moment, moment)


def digest(value: Any) -> str:
    """What a JSON value says, in 32 characters. Raises `Reject` for what lies too deep to be written."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def latest(context: Context, view: str, moment: str | None) -> Latest | None:
    """The latest view that an object is of, by its last update, else by the scan; None where neither is known."""
    milliseconds = int.from_bytes(time_prefix(moment or context.scan), "big")
    return Latest(view, milliseconds) if milliseconds else None


def assignee(name: str | None) -> tuple[str | None, str | None, str | None]:
    """`assignedTo` (a UPN, or `Automation`) -> source.user.name, domain, email; Elastic's dashboards count alerts with and without."""
    return user(name, None, None, name)


def assigned(name: str | None) -> list[str] | None:
    """`assignedTo` -> who goes into related.user: nobody where it is `Automation`."""
    if name is None or name == "Automation":
        return None
    found, _, email = user(name, None, None, name)
    return [known for known in (found, email) if known is not None] or None


def authors(comments: Any) -> list[str] | None:
    """`comments` -> those who wrote them, for related.user; Microsoft's example has createdBy where the API has createdByDisplayName."""
    members = comments[:MOST] if comments.__class__ is list else [comments]
    found: dict[str, None] = {}
    for member in members:
        who = (member.get("createdByDisplayName") or member.get("createdBy")) if member.__class__ is dict else None
        if who.__class__ is str:
            found[who] = None
    return list(found) or None


def all_tactics(category: str | None, categories: list[str] | None) -> Tactics:
    """`category` and categories -> threat.tactic.*."""
    return tactics(category if categories is None else [*categories, *([category] if category is not None else ())])


def software(family: str | None, names: str | list[str] | None) -> str | list[str] | None:
    """`threatFamilyName` and the malware among the evidence -> threat.software.name."""
    if names is None or names == family:
        return family
    return names if family is None else list(dict.fromkeys([family, *each(names)]))


_MALWARE = frozenset({"malware", "ransomware"})


def categories(
    default: list[str] | None, of_evidence: list[str] | None, category: str | None, determination: str | None
) -> list[str] | None:
    """event.category: those of the evidence, and malware where the alert was determined to be or is of that category; else the default."""
    found = of_evidence or []
    named = (category or "").lower() in _MALWARE or (determination or "").lower() in _MALWARE
    if named and "malware" not in found:
        found = [*found, "malware"]
    return found or default


# fmt: off
_PARTS = tuple(name.removeprefix("url.") for name in URL_FIELDS)
_PART_KINDS: tuple[Kind, ...] = tuple("long" if name == "port" else "keyword" for name in _PARTS)


def link_parts(column: str, field: str, *, duplicate: bool) -> Fragment:
    """The parts of a link below a vendor field, as Elastic's package has them; `full` would only repeat `original`."""
    writes = (f"#{field}" if name == "full" else f"~{field}.{name}" for name in _PARTS)
    return Fragment((Column(column, "keyword", told=True),), (
        rule(url_fields, (column,), *writes, kind=_PART_KINDS, duplicate=duplicate),
    ))


def severity_of(column: str, field: str) -> Fragment:
    """event.severity from a severity's name, which stays, since dashboards count it."""
    return Fragment((vendor(column, "keyword", field),), (rule(severity, (column,), "event.severity", kind="long"),))


# What documents of an alert and of an item of its evidence have in common.
BASIC_FACTS = Fragment((
    ecs("title",              "keyword",   "rule.name",           vendor="title", kept=True),
    ecs("detectorId",         "keyword",   "rule.id",             vendor="detector_id"),
    ecs("serviceSource",      "keyword",   "event.provider",      vendor="service_source"),
    vendor("detectionSource", "keyword",   "detection_source"),
    vendor("incidentId",      "keyword",   "incident_id"),
    vendor("status",          "keyword",   "status"),
    vendor("category",        "keyword",   "category"),
    vendor("tenantId",        "keyword",   "tenant_id"),
    ecs("firstActivityDateTime", "date",   "event.start",         vendor="first_activity_datetime"),
    ecs("lastActivityDateTime",  "date",   "event.end",           vendor="last_activity_datetime"),
    vendor("mitreTechniques", "keyword",   "mitre_techniques", many=True),
    objects("evidence", EVIDENCE, "evidence"),
), (
    rule(duration, ("firstActivityDateTime", "lastActivityDateTime"), "event.duration", kind="long"),
    rule(techniques, ("mitreTechniques",), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(evidence, ("evidence", "serviceSource"), *EVIDENCE_FIELDS, kind=EVIDENCE_KINDS, related=EVIDENCE_RELATED, when="evidence"),
    rule(first, ("source.ip",), "source.address"),
    rule(first, ("destination.ip",), "destination.address"),
))
# What is said of an alert wherever it lies: in a document of its own, or in one of its incident.
FACTS = Fragment((
    *BASIC_FACTS.columns,
    vendor("@odata.type",     "keyword",   "odata_type"),
    vendor("providerAlertId", "keyword",   "provider_alert_id"),
    vendor("classification",  "keyword",   "classification"),
    vendor("determination",   "keyword",   "determination"),
    vendor("investigationState", "keyword", "investigation_state"),
    vendor("productName",     "keyword",   "product_name"),
    vendor("alertPolicyId",   "keyword",   "alert_policy_id"),
    vendor("categories",      "keyword",   "categories", many=True),
    ecs("actorDisplayName",   "keyword",   "threat.group.name",   vendor="actor_display_name"),
    vendor("threatDisplayName", "keyword", "threat_display_name"),
    vendor("threatFamilyName", "keyword",  "threat_family_name", told=True),
    vendor("resolvedDateTime", "date",     "resolved_datetime"),
    vendor("recommendedActions", "text",   "recommended_actions"),
    vendor("systemTags",      "keyword",   "system_tags", many=True),
    vendor("additionalData",  "flattened", "additional_data"),
    vendor("customDetails",   "flattened", "custom_details"),
    vendor("comments",        "flattened", "comments"),
), (
    *BASIC_FACTS.rules,
    rule(all_tactics, ("category", "categories"), *TACTIC_FIELDS),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    rule(software, ("threatFamilyName", "#malware"), "threat.software.name"),
    rule(categories, ("event.category", "#categories", "category", "determination"), "event.category"),
    rule(authors, ("comments",), "#authors", related="user"),
))
# What only a document that is about the alert says in ECS.
OWN = Fragment((
    ecs("id",                 "keyword",   "event.id",            vendor="id", kept=True),
    ecs("createdDateTime",    "date",      "event.created",       vendor="created_datetime"),
    vendor("lastUpdateDateTime", "date",   "last_update_datetime", told=True),
    *severity_of("severity", "severity").columns,
), (
    *severity_of("severity", "severity").rules,
    rule(first, ("lastUpdateDateTime", "createdDateTime"), "@timestamp", kind="date"),
    rule(first, ("#account", "tenantId"), "cloud.account.id"),  # the evidence's, else the tenant as Elastic has it
))

ALERT = table(
    "GraphAlert", ("id", "lastUpdateDateTime"),
    FACTS, OWN,
    ecs("description",        "text",      "message",             vendor="description"),
    vendor("assignedTo",      "keyword",   "assigned_to", told=True),
    rule(assignee, ("assignedTo",), "source.user.name", "source.user.domain", "source.user.email"),
    rule(assigned, ("assignedTo",), "#assigned", related="user"),
    link_parts("alertWebUrl", "web_url", duplicate=True),
    rule(first, ("alertWebUrl",), "event.url"),
    link_parts("incidentWebUrl", "incident_web_url", duplicate=True),
    rule(first, ("incidentWebUrl",), "event.reference"),
    dataset="m365_defender.alert", vendor_root="m365_defender.alert", action=None,
    about="One document for each version of an alert; the version is lastUpdateDateTime.",
)

ALERT_EVIDENCE = table(
    "GraphAlertEvidence", ("id", "lastUpdateDateTime", "evidence"),
    BASIC_FACTS, OWN,
    rule(tactics, ("category",), *TACTIC_FIELDS),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    rule(software, ("", "#malware"), "threat.software.name"),
    rule(categories, ("event.category", "#categories", "category", ""), "event.category"),
    rule(first, ("title",), "message"),
    ecs("alertWebUrl",        "keyword",   "event.url"),
    dataset="m365_defender.alert_evidence", vendor_root="m365_defender.alert", action=None,
    about=(
        "One document for each item of an alert's evidence, made only if EVIDENCE_DOCUMENTS says so: its values stay together, where a document of "
        "the alert has those of all items. Fields are called as in the alert's documents, so that a query serves both; event.kind is "
        "`enrichment`, so that no rule takes an item for an alert."
    ),
)
# fmt: on
