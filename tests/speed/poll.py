"""Every source against the fake: rows a second and the most memory that a worker takes, and whether that grows with the alerts of an incident.

`python -m tests.speed.poll [--full] [--check]` starts a fake of Microsoft's APIs here and, for each measurement, a fresh process that loads the
libraries of the function app and polls one source once, through its mapping, into a stand-in for Elasticsearch that
compresses each bulk request and says that all is indexed. `--full`: also an export file of 1 GB. `--check`: exit 1 above `MOST`, or where memory
grows from 10 to 1,000 alerts of an incident by more than `GROWTH`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from local import microsoft_data as data
from local.microsoft import Microsoft, Tenant, microsoft
from tests.poll.stand import BEGIN

ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 300.0  # MB
GROWTH = 40.0  # MB
SUBSCRIPTION = "subscriptions/11111111-2222-3333-4444-555555555555"
WORKER = """
import json, resource, sys, time
from datetime import datetime
import azure.functions, azure.identity, azure.storage.blob, elasticsearch
from shared.cursors.memory import MemoryCursors
from shared.flows import Parts, normaliser
from shared.poll.source import Span
from shared.poll_settings import PollSettings, poll_tenants
from shared.settings import Settings
from shared.ship.bulk import gzipped
from shared.ship.client import Reply
from shared.ship.dead_letter import DeadLetters
from shared.ship.shipper import Shipper
from shared.sweeps import open_pollers, run

def megabytes():  # not of getrusage: that begins at what the parent had
    try:
        lines = open("/proc/self/status").read().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

source, environment, moment = sys.argv[1], json.loads(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
def post(body, seconds):
    count = body.count(b'{"create":{')
    gzipped(body)
    return Reply(200, {"errors": False, "items": [{"create": {"status": 201}}] * count})

settings = Settings.read({"ELASTICSEARCH_URL": "http://127.0.0.1:9", "ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p",
                          "SHIP_SECONDS": "420"})
shipper = Shipper(settings, post=post)
parts = Parts(settings, normaliser(settings), None, shipper, DeadLetters.open(settings), shipper)
polling = PollSettings.read_all(environment)
libraries = megabytes()
begun = time.perf_counter()
swept = run(open_pollers(polling, source, poll_tenants(polling, environment)), parts, MemoryCursors(), Span(moment), 3600.0)
seconds = time.perf_counter() - begun
print(json.dumps({"peak": megabytes(), "libraries": libraries, "seconds": seconds,
                  "documents": sum(one.report.total("indexed") for one in swept), "bytes": sum(one.usage.bytes for one in swept),
                  "results": sorted({f"{one.result} {one.why}".strip() for one in swept})}))
"""


@dataclass
class Measured:
    """What a worker says of one poll; MB and seconds."""

    name: str
    peak: float
    libraries: float
    seconds: float
    documents: int
    bytes: int
    results: list[str] = field(default_factory=list)

    def line(self) -> str:
        """For a person."""
        return (
            f"{self.name:34} {self.documents:8,} documents of {self.bytes / 1e6:7.1f} MB in {self.seconds:6.1f} s = {self.documents / self.seconds:7,.0f}/s"
            f"   peak {self.peak:6.1f} MB (libraries {self.libraries:.0f})"
        )


def measure(fake: Microsoft, tenant: Tenant, name: str, source: str, **settings: str) -> Measured:
    """Poll a source once, in a process of its own."""
    app = fake.app(tenant, secret="of the bench")
    environment = fake.environment(tenant, app) | {"INCIDENT_ALERTS": "true"} | settings
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WORKER, source, json.dumps(environment), BEGIN.isoformat()],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = Measured(name, **json.loads(done.stdout.splitlines()[-1]))
    if found.results != ["finished"]:
        raise RuntimeError(f"{name}: {found.results}")
    return found


def alerts(fake: Microsoft, count: int) -> Tenant:
    """A tenant with so many alerts, and an incident for every ten."""
    tenant = fake.tenant()
    for number in range(count):
        row = data.alert("bench", number, BEGIN - timedelta(seconds=count - number), tenant.id, incident=number // 10)
        tenant.alerts[row["id"]] = row
    for number in range(count // 10):
        row = data.incident("bench", number, BEGIN - timedelta(seconds=count - number * 10), tenant.id)
        tenant.incidents[row["id"]] = row
    return tenant


def incidents(fake: Microsoft, count: int, alerts: int) -> Tenant:
    """A tenant with so many incidents of the older API, each with so many alerts."""
    tenant = fake.tenant()
    for number in range(count):
        tenant.siem[number] = data.large_incident("bench", number, BEGIN - timedelta(seconds=count - number), alerts)
    return tenant


def export(fake: Microsoft, size: int) -> Tenant:
    """A tenant with one export file of so many bytes."""
    tenant = fake.tenant()
    tenant.export.files[f"/exports/{tenant.id}/part-0.json.gz"] = data.export_lines("bench", size, BEGIN)
    return tenant


def machines(fake: Microsoft, count: int) -> Tenant:
    """A tenant with so many vulnerabilities by machine."""
    tenant = fake.tenant()
    tenant.vulnerabilities = [data.vulnerability("bench", number, BEGIN) for number in range(count)]
    return tenant


def assessments(fake: Microsoft, count: int) -> Tenant:
    """A tenant with so many assessments, every fifth with ten findings."""
    tenant = fake.tenant()
    azure = tenant.azure
    azure.subscriptions[SUBSCRIPTION.partition("/")[2]] = "Enabled"
    azure.metadata = data.metadata()
    rows = azure.assessments[SUBSCRIPTION] = [
        data.assessment("bench", SUBSCRIPTION, number, BEGIN, findings=number % 5 == 0) for number in range(count)
    ]
    for row in rows[::5]:
        azure.findings[row["id"].lower()] = [data.finding("bench", row["id"], number, BEGIN) for number in range(10)]
    return tenant


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also an export file of 1 GB")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"exit 1 above {MOST:.0f} MB, or where memory grows with the alerts of an incident",
    )
    options = parser.parse_args(arguments)
    found: list[Measured] = []
    with microsoft() as fake:
        tenant = alerts(fake, 5_000)
        found.append(measure(fake, tenant, "alert, 5 pages of 1,000", "alert"))
        found.append(measure(fake, tenant, "incident with their alerts", "incident"))
        found += [
            measure(fake, incidents(fake, 50, number), f"log, 50 incidents of {number:,} alerts", "log")
            for number in (10, 100, 1_000)
        ]
        size = 1_000_000_000 if options.full else 100_000_000
        found.append(
            measure(fake, export(fake, size), f"vulnerability, a file of {size // 1_000_000:,} MB", "vulnerability")
        )
        tenant = machines(fake, 60_000)
        found.append(
            measure(fake, tenant, "vulnerability, pages of 50,000", "vulnerability", VULNERABILITY_METHOD="pages")
        )
        found.append(measure(fake, assessments(fake, 1_000), "assessment, 1 in 5 with 10 findings", "assessment"))
        for one in found:
            print(one.line())
    logs = [one.peak for one in found if one.name.startswith("log")]
    highest, growth = max(one.peak for one in found), max(logs) - min(logs)
    print(
        f"highest peak {highest:.1f} MB, at most {MOST:.0f}; from 10 to 1,000 alerts of an incident it grows by {growth:.1f} MB, at most {GROWTH:.0f}"
    )
    return 1 if options.check and (highest > MOST or growth > GROWTH) else 0


if __name__ == "__main__":
    sys.exit(main())
