"""Alerts and incidents: what there is to do, of whom, and what it is about."""

from __future__ import annotations

from tools.dashboards.views import ALERT, ALERT_NOW, INCIDENT, INCIDENT_NOW, SEVERITIES, SEVERITY, STATUS
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Listing,
    Parts,
    Row,
    Text,
    Top,
    donut,
    latest,
    metric,
    over_time,
    table,
    top,
    unique,
)

ALERTS, INCIDENTS = unique("event.id", "Alerts"), unique("event.id", "Incidents")
NOW = "Counts each once, as it stands now; needs LATEST_VIEWS=true."
OPEN = "not m365_defender.alert.status: resolved"

BOARD = Dashboard(
    key="alerts",
    title="Defender: Alerts and incidents",
    about="Alerts and incidents of Microsoft Graph: open ones, owners, tactics, hosts and people.",
    questions=(
        "Which incidents and alerts are open now, and who has them?",
        "Which incidents hold most alerts?",
        "Which techniques, hosts and people stand out?",
        "How were they classified in the end?",
    ),
    controls=(
        Control("Tenant", ALERT, "data_stream.namespace"),
        Control("Host", ALERT, "host.name"),
        Control("User", ALERT, "user.name"),
        Control("Severity", ALERT, "m365_defender.alert.severity"),
        Control("Product", ALERT, "event.provider"),
    ),
    rows=(
        Row(
            7,
            (
                metric("Incidents now", INCIDENT_NOW, INCIDENTS, where="event.code: incident", note=NOW, parts=Parts("Status", (
                    ("Active", "m365_defender.incident.status: active"),
                    ("In progress", "m365_defender.incident.status: inProgress"),
                    ("Resolved", "m365_defender.incident.status: resolved"),
                ))),
                metric("Alerts now", ALERT_NOW, ALERTS, note=NOW, parts=Parts("Status", (
                    ("New", "m365_defender.alert.status: new"),
                    ("In progress", "m365_defender.alert.status: inProgress"),
                    ("Resolved", "m365_defender.alert.status: resolved"),
                    ("Open, nobody's", f"{OPEN} and not source.user.name: *"),
                ))),
            ),
        ),
        Row(
            12,
            (
                over_time("Incidents updated, by severity", INCIDENT, INCIDENTS, split=SEVERITIES, colours=SEVERITY),
                over_time("Alerts by severity", ALERT, ALERTS, split=SEVERITIES, colours=SEVERITY),
            ),
        ),
        Row(
            13,
            (
                donut("Open alerts by severity, now", ALERT_NOW, SEVERITIES, ALERTS, where=OPEN, colours=SEVERITY, note=NOW),
                donut("Open incidents by owner, now", INCIDENT_NOW, Parts("Owner", (
                    ("nobody", "not source.user.name: *"), ("somebody", "source.user.name: *"),
                )), INCIDENTS, where="event.code: incident and not m365_defender.incident.status: resolved", colours={"nobody": STATUS["new"], "somebody": STATUS["resolved"]}, note=NOW),
                top("Classification of what was resolved", ALERT, Top("m365_defender.alert.classification", "Classification", 6), ALERTS),
                top("Tactics", ALERT, Top("threat.tactic.name", "Tactic"), ALERTS, split=SEVERITIES, colours=SEVERITY),
            ),
        ),
        Row(
            14,
            (
                table("Incidents with most alerts", INCIDENT, (Top("m365_defender.incident.id", "Incident"),), (
                    unique("m365_defender.incident.alert.id", "Alerts"), latest("m365_defender.incident.display_name", "Name"), latest("m365_defender.incident.severity", "Severity"),
                    latest("m365_defender.incident.status", "Status"), latest("event.url", "Portal"),
                ), link="Portal", width=30),
                table("Techniques", ALERT, (Top("threat.technique.id", "Technique"),), (ALERTS, unique("host.id", "Hosts"), latest("m365_defender.alert.title", "For instance"))),
            ),
        ),
        Row(
            12,
            (
                top("Hosts with most alerts", ALERT, Top("host.name", "Host"), ALERTS, split=SEVERITIES, colours=SEVERITY),
                top("People with most alerts", ALERT, Top("user.name", "User"), ALERTS, split=SEVERITIES, colours=SEVERITY),
                Text("Reading it", "Each **version** of an alert or incident is a document, so charts over time count those updated in the interval, each once.\n\n"
                     "Panels that say *now* read the latest views, where each has one document: set `LATEST_VIEWS=true`.\n\n"
                     "A row of *Incidents with most alerts* opens the incident in the Defender portal."),
            ),
        ),
        Row(
            14,
            (
                Listing("Latest alerts", ALERT, (
                    "m365_defender.alert.severity", "m365_defender.alert.title", "m365_defender.alert.status", "host.name", "user.name", "event.provider", "event.url",
                )),
            ),
        ),
    ),
)  # fmt: skip
