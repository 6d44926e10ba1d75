"""Every source as the conformance suite sees it: how rows get into the fake, which route gives them, what its settings are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local import microsoft_data as data
from tests.poll.stand import Stand

SUBSCRIPTION = "subscriptions/11111111-2222-3333-4444-555555555555"
FILE = "/exports/{}/2026-01-02/part-{}.json.gz"


@dataclass(frozen=True)
class Case:
    """One source (or feed of one). put: add a row of that number and moment, and return what of it must be indexed (`id@version`)."""

    name: str
    source: str
    scope: str
    route: str
    put: Callable[[Stand, int, datetime], set[str]]
    settings: dict[str, str] = field(default_factory=dict)
    page: int = 5
    by_time: bool = True

    def have(self, stand: Stand) -> set[str]:
        """What is indexed of this case: of incidents with alerts inside, only the ones or the others (ids of incidents are numbers)."""
        wanted = {"incident alerts": False, "log": True}.get(self.name)
        return {item for item in stand.have() if wanted is None or item[0].isdigit() == wanted}

    def fill(
        self, stand: Stand, count: int, *, before: float = 3600.0, apart: float = 60.0, first: int = 0
    ) -> set[str]:
        """So many rows, a minute apart, the last one within the hour before now."""
        found: set[str] = set()
        for place in range(count):
            found |= self.put(stand, first + place, stand.now - timedelta(seconds=before - place * apart))
        return found


def put_alert(stand: Stand, number: int, moment: datetime) -> set[str]:
    """An alert."""
    row = data.alert("c", number, moment, stand.tenant.id)
    stand.tenant.alerts[row["id"]] = row
    return {f"{row['id']}@{row['lastUpdateDateTime']}"}


def put_incident(stand: Stand, number: int, moment: datetime) -> set[str]:
    """An incident."""
    row = data.incident("c", number, moment, stand.tenant.id)
    stand.tenant.incidents[row["id"]] = row
    return {f"{row['id']}@{row['lastUpdateDateTime']}"}


def put_incident_alert(stand: Stand, number: int, moment: datetime) -> set[str]:
    """An alert in an incident of its own."""
    put_incident(stand, number, moment)
    return put_alert(stand, number, moment)


def put_siem(stand: Stand, number: int, moment: datetime) -> set[str]:
    """An incident of the older API."""
    row = data.siem_incident("c", number, moment)
    stand.tenant.siem[number] = row
    return {f"{number}@{row['lastUpdateTime']}"}


def put_line(stand: Stand, number: int, moment: datetime) -> set[str]:
    """A line of one of three export files."""
    row = data.vulnerability("c", number, moment, pascal=True)
    rows = stand.tenant.export.files.setdefault(FILE.format(stand.tenant.id, number % 3), [])
    assert isinstance(rows, list)
    rows.append(row)
    return {f"{row['Id']}@{stand.now:%Y-%m-%dT%H:%M:%SZ}"}


def put_machine(stand: Stand, number: int, moment: datetime) -> set[str]:
    """A row by machine."""
    row = data.vulnerability("c", number, moment)
    stand.tenant.vulnerabilities.append(row)
    return {f"{row['id']}@{stand.now:%Y-%m-%dT%H:%M:%SZ}"}


def put_assessment(stand: Stand, number: int, moment: datetime) -> set[str]:
    """An assessment; every third with two findings, which are documents in its place."""
    azure, version = stand.tenant.azure, f"{stand.now:%Y-%m-%dT%H:%M:%SZ}"
    azure.subscriptions[SUBSCRIPTION.partition("/")[2]] = "Enabled"
    azure.page = 5
    row = data.assessment("c", SUBSCRIPTION, number, moment, findings=number % 3 == 0)
    azure.assessments.setdefault(SUBSCRIPTION, []).append(row)
    if number % 3:
        return {f"{row['id']}@{version}"}
    parts = azure.findings[row["id"].lower()] = [data.finding("c", row["id"], place, moment) for place in range(2)]
    return {f"{part['id']}@{version}" for part in parts}


CASES = {
    case.name: case
    for case in (
        Case("alert", "alert", "", "graph.alerts", put_alert, {"ALERT_PAGE_SIZE": "5"}),
        Case("incident", "incident", "incidents", "graph.incidents", put_incident, {"INCIDENT_PAGE_SIZE": "5", "INCIDENT_ALERTS": "false"}),
        Case("incident alerts", "incident", "alerts", "graph.alerts", put_incident_alert, {"ALERT_PAGE_SIZE": "5", "INCIDENT_PAGE_SIZE": "5", "INCIDENT_ALERTS": "true"}),
        Case("log", "log", "", "siem.incidents", put_siem, {"LOG_PAGE_SIZE": "5"}),
        Case("export", "vulnerability", "", "endpoint.export", put_line, by_time=False),
        Case(
            "pages", "vulnerability", "", "endpoint.by_machine", put_machine,
            {"VULNERABILITY_METHOD": "pages", "VULNERABILITY_PAGE_SIZE": "5"}, by_time=False,
        ),
        Case("assessment", "assessment", SUBSCRIPTION, "arm.assessments", put_assessment, by_time=False),
    )
}  # fmt: skip
BY_TIME = [name for name, case in CASES.items() if case.by_time]
