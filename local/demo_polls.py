"""The demo's second half: every source polled from a fake of Microsoft's APIs over TLS, then all of it once more.

Two tenants are made up: contoso, of a few hundred alerts, incidents, vulnerabilities and assessments, whose app registration has a secret (real
msal), and a small one, fabrikam, whose managed identity is asked for at an identity endpoint as App Service has it (real azure-identity). The
timers' time comes, as in Azure at their schedule; then some things change, and only what changed may become new documents.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local import microsoft_data as data
from local.demo_report import OUTCOMES, RUN_LOGGER, number
from local.host_process import LocalFunctions
from local.microsoft import Microsoft, Tenant
from local.microsoft_entra import App
from shared.poll_settings import SOURCES

SEED = "demo"
ALERTS, INCIDENTS, OLDER, FLAWS, ASSESSMENTS = 600, 120, 60, 2_000, 150
SMALLER = 10  # times that the second tenant is smaller
CONTOSO, FABRIKAM = "contoso", "fabrikam"
SUBSCRIPTIONS = ("aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002")
POLL_SECONDS = 300.0  # that a timer of the demo may take


def settings(fake: Microsoft) -> dict[str, str]:
    """Fill two tenants, register an app in one, give the other a managed identity, and say how the pollers find both."""
    contoso, fabrikam = (fake.tenant(f"{name}.example.com") for name in (CONTOSO, FABRIKAM))
    fill(contoso, datetime.now(UTC))
    fill(fabrikam, datetime.now(UTC), SMALLER)
    app = fake.app(contoso, secret="a-made-up-secret-of-the-demo")  # noqa: S106  made up
    fake.entra.identities[""] = (fabrikam.id, App())
    found = fake.environment(contoso, app)
    own = {f"{CONTOSO.upper()}__{name}": found.pop(name) for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")}
    return {
        **found,
        **own,
        **fake.identity_environment(),
        "TENANTS": f"{CONTOSO}, {FABRIKAM}",
        "FABRIKAM__TENANT_ID": fabrikam.id,
        "FABRIKAM__CREDENTIAL": "managed_identity",
        "POLL_SOURCES": ", ".join(SOURCES),
        "INCIDENT_ALERTS": "true",
        "LATEST_VIEWS": "true",
    }


def fill(tenant: Tenant, now: datetime, smaller: int = 1) -> None:
    """A tenant of some hundred alerts and incidents, two subscriptions with assessments, and an export of vulnerabilities; or so many times smaller."""
    for n in range(ALERTS // smaller):
        row = data.alert(SEED, n, now - timedelta(minutes=2 * n + 20), tenant.id, n % (INCIDENTS // smaller))
        tenant.alerts[row["id"]] = row
    for n in range(INCIDENTS // smaller):
        row = data.incident(SEED, n, now - timedelta(minutes=5 * n + 20), tenant.id)
        tenant.incidents[row["id"]] = row
    for n in range(OLDER // smaller):
        row = data.siem_incident(SEED, n, now - timedelta(minutes=10 * n + 20))
        tenant.siem[row["incidentId"]] = row
    flaws = [data.vulnerability(SEED, n, now - timedelta(hours=5)) for n in range(FLAWS // smaller)]
    tenant.export.generated = data.stamp(now, 0)
    tenant.export.files = {f"/export/{tenant.id}/part-{n}.json.gz": flaws[n::2] for n in range(2)}
    tenant.azure.metadata = data.metadata()
    for id in SUBSCRIPTIONS:
        scope = f"subscriptions/{id}"
        tenant.azure.subscriptions[id] = "Enabled"
        rows = [data.assessment(SEED, scope, n, now, findings=n % 10 == 0) for n in range(ASSESSMENTS // smaller)]
        tenant.azure.assessments[scope] = rows
        for row in rows[::10]:
            tenant.azure.findings[row["id"].lower()] = [data.finding(SEED, row["id"], n, now) for n in range(8)]


def change(tenant: Tenant, now: datetime) -> dict[str, int]:
    """Let some alerts and incidents be updated; returns how many documents each source owes for it."""
    for place, n in enumerate(range(0, ALERTS, 100)):
        row = data.alert(SEED, n, now - timedelta(seconds=place), tenant.id, n % INCIDENTS)
        tenant.alerts[row["id"]] = {**row, "status": "resolved"}
    for place, n in enumerate(range(0, INCIDENTS, 40)):
        row = data.incident(SEED, n, now - timedelta(seconds=place), tenant.id)
        tenant.incidents[row["id"]] = {**row, "status": "resolved"}
    changed = len(range(0, ALERTS, 100))
    return {"alert": changed, "incident": changed + len(range(0, INCIDENTS, 40))}


@dataclass(slots=True)
class Polled:
    """What the sources' timers did in one round: outcomes by source and table, and how often which API was asked."""

    tables: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    ended: dict[str, Counter[str]] = field(default_factory=dict)
    tenants: dict[str, Counter[str]] = field(default_factory=dict)  # documents of each by source
    asked: Counter[str] = field(default_factory=Counter)

    def add(self, source: str, line: Mapping[str, Any]) -> None:
        """Add one sweep's line of log."""
        self.ended.setdefault(source, Counter())[str(line.get("ended"))] += 1
        self.tenants.setdefault(str(line.get("tenant")), Counter())[source] += int(line.get("indexed") or 0)
        self.asked[source] += int(line.get("api_requests") or 0)
        for table, counts in line.get("tables", {}).items():
            self.tables.setdefault((source, table), Counter()).update(counts)

    def total(self, source: str, outcome: str) -> int:
        """Records of a source with an outcome."""
        return sum(counts[outcome] for (one, _), counts in self.tables.items() if one == source)


def poll(console: Console, app: LocalFunctions) -> Polled:
    """Let each source's time come once, and read in the log what its sweeps did."""
    result = Polled()
    for source in SOURCES:
        earlier = len(app.logged(RUN_LOGGER))
        with console.status(f"{source} is polled ..."):
            answer = requests.post(
                f"{app.url}/admin/functions/{source}_poll", headers={"x-functions-key": app.key}, timeout=POLL_SECONDS
            )
        if not answer.ok:
            console.print(f"[red]{source}_poll failed:[/] {answer.text[:300]}")
        for line in app.logged(RUN_LOGGER)[earlier:]:
            told = json.loads(line["message"])
            if told.get("source") == source:
                result.add(source, told)
    return result


def show(console: Console, title: str, this: Polled) -> None:
    """The table of a round."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("source", "became"):
        table.add_column(name, no_wrap=True)
    for name in ("received", *OUTCOMES, "requests"):
        table.add_column(name.replace("_", "\n"), justify="right", vertical="bottom")
    for source in SOURCES:
        rows = sorted(name for one, name in this.tables if one == source) or [""]
        for place, name in enumerate(rows):
            counts = this.tables.get((source, name), Counter())
            asked = number(this.asked[source]) if place == 0 else ""
            values = (number(counts[outcome]) for outcome in ("received", *OUTCOMES))
            table.add_row(source if place == 0 else "", name, *values, asked)
    console.print(table)


def verdicts(first: Polled, second: Polled, owed: Mapping[str, int], fake: Microsoft) -> list[tuple[bool, str]]:
    """What was promised of polling, and whether it was kept."""
    large = {"alert": ALERTS, "incident": ALERTS + INCIDENTS, "vulnerability": FLAWS}
    expected = {source: count + count // SMALLER for source, count in large.items()}
    identity = sum(one.route == "identity" and one.status == 200 for one in fake.asked)
    small = first.tenants.get(FABRIKAM, Counter())
    found = {source: first.total(source, "indexed") for source in SOURCES}
    missing = {source: count for source, count in expected.items() if found[source] != count}
    again = {source: second.total(source, "indexed") for source in SOURCES}
    finished = all(set(ended) == {"finished"} for round_ in (first, second) for ended in round_.ended.values())
    expanded = sum("$expand" in json.dumps(one.query) for one in fake.asked)
    return [
        (
            finished and not missing and all(found.values()),
            f"everything polled: {', '.join(f'{count:,} of {source}' for source, count in found.items())}",
        ),
        (
            again == {source: owed.get(source, 0) for source in SOURCES},
            f"nothing doubled: a second poll indexed {sum(again.values())} documents, for {sum(owed.values())} that had changed",
        ),
        (
            identity > 0 and all(small[source] for source in SOURCES),
            f"two tenants: {small.total():,} of these are of {FABRIKAM}, read with a managed identity",
        ),
        (expanded == 0, "alerts of incidents came without $expand"),
    ]
