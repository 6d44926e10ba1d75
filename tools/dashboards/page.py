"""The dashboards' description -> docs/dashboards.md: a picture of each, what it answers, how to import it, and what became of Elastic's panels."""

from __future__ import annotations

import csv
from pathlib import Path

from tools.dashboards.boards import DASHBOARDS
from tools.dashboards.vocabulary import Dashboard, Lens

ELASTIC = Path(__file__).resolve().parent / "elastic.csv"
HEAD = """<!-- Made from tools/dashboards by `make generate`; do not edit. -->

# Dashboards

Eight dashboards for Kibana 8.13 and newer, and 9. The pictures are drawn by us (`python -m tools.draw_dashboards`) out of what a real Elasticsearch answers to the
panels' searches on a made-up week; Kibana looks a little different.

"""
IMPORT = """## How they come into Kibana

- With the installer: set `KIBANA_URL` for `python -m cli install`.
- By hand: *Stack Management, Saved objects, Import*, the file [defender.ndjson](../infra/elastic/dashboards/defender.ndjson): data views, saved searches and all dashboards.
- By curl, which replaces what is there:

```
curl -sS -X POST "$KIBANA_URL/api/saved_objects/_import?overwrite=true" -H "Authorization: ApiKey $KIBANA_API_KEY" -H "kbn-xsrf: true" \\
     -F file=@infra/elastic/dashboards/defender.ndjson
```

Ids are fixed, so an import again is an update. To keep changes of your own, save the dashboard under another name.

## What to know

- A click on a chart filters, or opens the documents in Discover. In tables with a column *Portal* or *Reference* the addresses are links; *Open its page* on the row is
   a URL drilldown, which Kibana offers from the Gold licence on.
- *Tenant* is the namespace of the data streams where documents of several products are shown together, and Microsoft's tenant id elsewhere.
- Panels that say *now* need `LATEST_VIEWS=true`. Findings (vulnerabilities, recommendations) come as a picture a day: their panels look at the last 26 hours, charts by day at all.
- *Pipeline health* reads the documents that the app writes about its own runs.

"""
FURTHER = """## Elastic's own dashboards

Those of the packages `m365_defender` and `microsoft_defender_cloud` work on our documents too, which have the same fields (a test holds that). What became of their
panels here, as far as we know them:

| Elastic's dashboard | panel | here | |
| --- | --- | --- | --- |
"""
CHANGE = """
## To change one

A dashboard is a module of a page in `tools/dashboards/boards`; its words are in `tools/dashboards/vocabulary.py`. Then `python -m tools.write_dashboards` and
`python -m tools.draw_dashboards`, and look at the picture. Tests say which field a panel can not use, and run every panel's search.
"""


def page() -> str:
    """The page."""
    return HEAD + IMPORT + "".join(map(_section, DASHBOARDS)) + FURTHER + "".join(_counterparts()) + CHANGE


def _section(dashboard: Dashboard) -> str:
    """One dashboard."""
    controls = ", ".join(control.label for control in dashboard.controls)
    links = " A row opens its page in Microsoft's portal (of a CVE: at cve.org)." if any(isinstance(panel, Lens) and panel.link for panel in dashboard.panels) else ""  # fmt: skip
    questions = "".join(f"- {question}\n" for question in dashboard.questions)
    return (
        f"## {dashboard.title}\n\n{dashboard.about}\n\n{questions}\nControls: {controls}.{links}\n\n"
        f"![{dashboard.title}](dashboards/{dashboard.key}.png)\n\n"
    )


def elastic_panels() -> list[dict[str, str]]:
    """Elastic's panels: dashboard, panel, ours (`key: title of a panel or control`, or nothing), and why."""
    return list(csv.DictReader(ELASTIC.read_text().splitlines()))


def _counterparts() -> list[str]:
    return [
        f"| {row['dashboard']} | {row['panel'].replace('|', '/')} | {row['ours'] or 'none'} | {row['why']} |\n"
        for row in elastic_panels()
    ]
