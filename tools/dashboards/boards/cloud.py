"""Defender for Cloud: alerts, recommendations, secure score and compliance."""

from __future__ import annotations

from tools.dashboards.views import ASSESSMENT, CLOUD_EVENT, HIGH, OUTCOME, SEVERITIES, SEVERITY
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Listing,
    Measure,
    Parts,
    Row,
    Top,
    donut,
    latest,
    metric,
    over_time,
    table,
    top,
    unique,
)

ALERTS, FINDINGS, RESOURCES = (
    unique("event.id", "Alerts"),
    unique("event.id", "Recommendations"),
    unique("resource.id", "Resources"),
)
ALERT = "event.kind: alert"
POSTURE = "microsoft_defender_cloud.assessment.class: misconfiguration"
UNHEALTHY = f"{POSTURE} and result.evaluation: failed"
SCORE = "microsoft_defender_cloud.event.type: Microsoft.Security/secureScores"
DAY = "26h"  # the picture of the last scan

BOARD = Dashboard(
    key="cloud",
    title="Defender: Defender for Cloud",
    about="Alerts and posture of Azure, AWS and Google Cloud as Defender for Cloud sees them.",
    questions=(
        "Which cloud resources are under attack?",
        "How good is the posture, and does it get better?",
        "Which recommendations have most unhealthy resources?",
        "Which compliance controls fail?",
    ),
    controls=(
        Control("Tenant", CLOUD_EVENT, "data_stream.namespace"),
        Control("Subscription", CLOUD_EVENT, "cloud.account.id"),
        Control("Host", CLOUD_EVENT, "host.name"),
        Control("User", CLOUD_EVENT, "user.name"),
        Control("Cloud", CLOUD_EVENT, "cloud.provider"),
    ),
    rows=(
        Row(
            6,
            (
                metric("Secure score", CLOUD_EVENT, latest("microsoft_defender_cloud.event.properties.score.percentage", "Score", unit="percent"), where=SCORE, note="Of the subscription that was heard of last: choose one above."),
                metric("Alerts", CLOUD_EVENT, ALERTS, where=ALERT),
                metric("High alerts", CLOUD_EVENT, ALERTS, where=f"{ALERT} and event.severity >= 73", colour=HIGH),
                metric("Recommendations", ASSESSMENT, FINDINGS, where=POSTURE, last=DAY, width=24, parts=Parts("Result", (
                    ("Unhealthy", "result.evaluation: failed"), ("Healthy", "result.evaluation: passed"), ("Not applicable", "result.evaluation: unknown"),
                ))),
            ),
        ),
        Row(
            12,
            (
                over_time("Alerts by severity", CLOUD_EVENT, ALERTS, split=SEVERITIES, where=ALERT, colours=SEVERITY),
                over_time("Secure score, day by day", CLOUD_EVENT, Measure("average", "Score", "microsoft_defender_cloud.event.properties.score.percentage", unit="percent"), chart="line", where=SCORE, interval="1d"),
                over_time("Recommendations by result", ASSESSMENT, FINDINGS, split=Top("result.evaluation", "Result", 3), where=POSTURE, colours=OUTCOME, interval="1d"),
            ),
        ),
        Row(
            13,
            (
                table("Alerts seen most", CLOUD_EVENT, (Top("rule.name", "Alert"),), (ALERTS, RESOURCES, latest("event.url", "Portal")), where=ALERT, link="Portal"),
                top("Resources under attack", CLOUD_EVENT, Top("microsoft_defender_cloud.event.compromised_entity", "Resource"), ALERTS, split=SEVERITIES, where=ALERT, colours=SEVERITY),
            ),
        ),
        Row(
            13,
            (
                table("Recommendations with most unhealthy resources", ASSESSMENT, (Top("rule.name", "Recommendation"),), (RESOURCES, latest("microsoft_defender_cloud.assessment.metadata.severity", "Severity")), where=UNHEALTHY, last=DAY, width=24),
                donut("Unhealthy by severity", ASSESSMENT, SEVERITIES, FINDINGS, where=UNHEALTHY, colours=SEVERITY, last=DAY),
                top("Results by cloud", ASSESSMENT, Top("cloud.provider", "Cloud", 5), FINDINGS, split=Top("result.evaluation", "Result", 3), where=POSTURE, colours=OUTCOME, last=DAY),
            ),
        ),
        Row(
            13,
            (
                top("Compliance controls by standard", CLOUD_EVENT, Top("rule.ruleset", "Standard", 8), unique("event.id", "Controls"), split=Top("microsoft_defender_cloud.event.properties.state", "State", 4),
                    where="microsoft_defender_cloud.event.type: *regulatoryComplianceControl*", colours=OUTCOME),
                Listing("Latest cloud alerts", CLOUD_EVENT, ("microsoft_defender_cloud.event.severity", "rule.name", "microsoft_defender_cloud.event.compromised_entity", "microsoft_defender_cloud.event.status", "event.url"), where=ALERT, width=32),
            ),
        ),
    ),
)  # fmt: skip
