"""The data views that panels look into, and the colours that words have everywhere."""

from __future__ import annotations

from shared.ship.latest import VIEWS
from tools.dashboards.vocabulary import DataView, Parts

LINKS = ("event.url", "event.reference", "vulnerability.reference")


def of_dataset(dataset: str, name: str) -> DataView:
    """The data streams of one dataset, whatever their namespace."""
    pattern = f"logs-{dataset}-*"
    return DataView(f"defender-{dataset}", pattern, f"Defender: {name}", (pattern,), LINKS)


def of_latest(view: str, name: str) -> DataView:
    """A latest view, by its alias where it has one."""
    pattern = VIEWS[view].index.format(namespace="*")
    alias = VIEWS[view].alias
    return DataView(f"defender-latest-{view}", alias or pattern, f"Defender: {name}", (pattern,), LINKS)


EVENT = of_dataset("m365_defender.event", "events")
ALERT = of_dataset("m365_defender.alert", "alerts")
INCIDENT = of_dataset("m365_defender.incident", "incidents")
VULNERABILITY = of_dataset("m365_defender.vulnerability", "vulnerabilities")
CLOUD_EVENT = of_dataset("microsoft_defender_cloud.event", "cloud events")
ASSESSMENT = of_dataset("microsoft_defender_cloud.assessment", "cloud assessments")
RUN = of_dataset("defender_to_elasticsearch.run", "runs of the pipeline")
ALERT_NOW = of_latest("alert", "alerts as they stand now")
INCIDENT_NOW = of_latest("incident", "incidents as they stand now")
EVERYTHING = DataView(
    "defender-everything",
    "logs-m365_defender.*-*,logs-microsoft_defender_cloud.*-*",
    "Defender: everything",
    tuple(view.pattern for view in (EVENT, ALERT, INCIDENT, VULNERABILITY, CLOUD_EVENT, ASSESSMENT)),
    LINKS,
)

CRITICAL, HIGH, MEDIUM, LOW, CALM = "#8b0000", "#d9473c", "#f0a13a", "#f2d16b", "#9fb3c8"
GOOD, BAD, DOUBT = "#4c9f70", "#d9473c", "#b9a44c"
BLUE, GREY = "#3c78b4", "#8b98a5"

SEVERITY = {
    "critical": CRITICAL, "high": HIGH, "medium": MEDIUM, "low": LOW, "informational": CALM,
    "Critical": CRITICAL, "High": HIGH, "Medium": MEDIUM, "Low": LOW, "Informational": CALM,
}  # fmt: skip
OUTCOME = {
    "success": GOOD, "failure": BAD, "unknown": GREY, "passed": GOOD, "failed": BAD, "Allowed": GOOD, "Blocked": BAD,
    "Delivered": GOOD, "Junked": DOUBT, "Replaced": DOUBT, "ok": GOOD, "retry": DOUBT, "misconfigured": BAD,
    "Healthy": GOOD, "Unhealthy": BAD, "NotApplicable": GREY, "Passed": GOOD, "Failed": BAD, "Skipped": GREY,
}  # fmt: skip
STATUS = {
    "new": HIGH, "active": HIGH, "inProgress": MEDIUM, "awaitingAction": LOW, "resolved": GOOD, "redirected": GREY,
    "Active": HIGH, "New": HIGH, "In progress": MEDIUM, "Resolved": GOOD, "Dismissed": GREY,
}  # fmt: skip

LEVELS = Parts(
    "Severity", tuple((word, f"vulnerability.severity: {word}") for word in ("Critical", "High", "Medium", "Low"))
)
# event.severity is Elastic's number; these are its words
SEVERITIES = Parts(
    "Severity",
    (
        ("Critical", "event.severity >= 99"),
        ("High", "event.severity >= 73 and event.severity < 99"),
        ("Medium", "event.severity >= 47 and event.severity < 73"),
        ("Low", "event.severity >= 21 and event.severity < 47"),
        ("Informational", "event.severity < 21"),
    ),
)
