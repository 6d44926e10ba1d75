"""infra/monitoring/*.kql -> alerts.json and workbook.json beside them, which Bicep reads, and docs/alerts.md."""

from __future__ import annotations

import json
import sys

from tools.freshness import write_or_compare
from tools.monitoring import FOLDER, ROOT, alerts, queries, workbook

HEAD = """# Alerts

<!-- Made from infra/monitoring/alerts by `make generate`; do not edit. -->

Each is a query over Application Insights (infra/monitoring/alerts) that fires when it has rows; `infra/modules/alerts.bicep` makes them. Severity 0 is the worst.
Change a threshold in the query's first lines, run `make generate`, deploy.

| alert | severity | looks every | says | what to do |
| --- | --- | --- | --- | --- |
"""
KEPT = """
Most alerts end by themselves when their query has no rows any more. The ones below do not: two days after the last sign of life a query finds nothing, though all is as wrong as
before, and Azure would call that resolved. They mail again while they have rows. That they are quiet does not mean that all is well: look at the status page. When it is, close
them yourself: *Monitor, Alerts*, user response *Closed*.

"""


def page() -> str:
    """docs/alerts.md."""
    rows = sorted(queries("alerts"), key=lambda query: (query.head["severity"], query.name))
    kept = "".join(
        f"- {query.head['title']}: every {spoken(query.head['mute'])}.\n" for query in rows if "mute" in query.head
    )
    table = "".join(
        f"| {query.head['title']} | {query.head['severity']} | {spoken(query.head['every'])} | {query.head['words']} "
        f"| [{query.head['mend'].partition('#')[2].replace('-', ' ')}]({query.head['mend'].removeprefix('docs/')}) |\n"
        for query in rows
    )
    return HEAD + table + KEPT + kept


def spoken(duration: str) -> str:
    """An ISO 8601 duration of one unit as one says it: 15m, 6h."""
    return duration[1:].lstrip("T").lower()


def main() -> int:
    """Write them, or with --check say whether they are fresh."""
    files = {
        FOLDER / "alerts.json": json.dumps(alerts(), indent=2, ensure_ascii=False) + "\n",
        FOLDER / "workbook.json": json.dumps(workbook(), indent=2, ensure_ascii=False) + "\n",
    }
    docs = ROOT / "docs"
    return write_or_compare(files, FOLDER, "*.json") | write_or_compare({docs / "alerts.md": page()}, docs, "alerts.md")


if __name__ == "__main__":
    sys.exit(main())
