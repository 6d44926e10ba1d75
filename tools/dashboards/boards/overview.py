"""Overview: what there is, how much of it, and what is bad."""

from __future__ import annotations

from tools.dashboards.views import ALERT, CLOUD_EVENT, EVENT, EVERYTHING, HIGH, INCIDENT, SEVERITIES, SEVERITY
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Row,
    Top,
    count,
    metric,
    over_time,
    table,
    top,
    unique,
)

INCIDENTS, ALERTS = unique("event.id", "Incidents"), unique("event.id", "Alerts")

BOARD = Dashboard(
    key="overview",
    title="Defender: Overview",
    about="Alerts, incidents and events of all Microsoft Defender products, and how they come in.",
    questions=(
        "How many alerts and incidents are there, and how bad are they?",
        "Which hosts, people and tactics do they gather around?",
        "Do all products and tables still send?",
    ),
    controls=(
        Control("Tenant", EVERYTHING, "data_stream.namespace"),
        Control("Host", EVERYTHING, "host.name"),
        Control("User", EVERYTHING, "user.name"),
    ),
    rows=(
        Row(
            6,
            (
                metric("Incidents", INCIDENT, INCIDENTS),
                metric("Alerts", ALERT, ALERTS),
                metric("High alerts", ALERT, ALERTS, where="event.severity >= 73", colour=HIGH),
                metric("Cloud alerts", CLOUD_EVENT, ALERTS, where="event.kind: alert"),
                metric("Devices seen", EVENT, unique("host.id", "Devices")),
            ),
        ),
        Row(
            12,
            (
                over_time("Alerts by severity", ALERT, ALERTS, split=SEVERITIES, colours=SEVERITY),
                over_time("Cloud alerts by severity", CLOUD_EVENT, ALERTS, split=SEVERITIES, where="event.kind: alert", colours=SEVERITY),
            ),
        ),
        Row(
            13,
            (
                top("Alerts by product", ALERT, Top("event.provider", "Product", 8), ALERTS, split=SEVERITIES, colours=SEVERITY),
                top("Alerts by tactic", ALERT, Top("threat.tactic.name", "Tactic"), ALERTS, split=SEVERITIES, colours=SEVERITY),
            ),
        ),
        Row(
            13,
            (
                table("Hosts with most alerts", ALERT, (Top("host.name", "Host"),), (ALERTS, unique("rule.name", "Kinds"))),
                table("People with most alerts", ALERT, (Top("user.name", "User"),), (ALERTS, unique("rule.name", "Kinds"))),
                table("Alerts seen most", ALERT, (Top("rule.name", "Alert"),), (ALERTS, unique("host.id", "Hosts"))),
            ),
        ),
        Row(
            13,
            (
                over_time("Documents by data stream", EVERYTHING, count(), split=Top("data_stream.dataset", "Data stream", 8)),
                top("Events by table", EVENT, Top("m365_defender.event.category", "Table", 15), count("Events")),
            ),
        ),
    ),
)  # fmt: skip
