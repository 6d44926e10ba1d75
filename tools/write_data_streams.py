"""The mapping -> docs/data-streams.md (what goes where, with an example of each) and docs/exported-fields/ (every field of each data stream)."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from functions.probes import DATASETS
from shared.normalise.mapping import UNMAPPED, Table
from shared.poll.sources import SOURCES
from shared.runs import DATASET as RUNS
from shared.ship.latest import VIEWS
from tools.fields import ALWAYS, datasets, fields, level, uses
from tools.freshness import write_or_compare
from tools.schema import columns
from tools.schema import rows as schema_rows
from tools.write_fields import MADE
from tools.write_golden import GOLDEN
from tools.write_templates import CASELESS_FIELDS, TEXT_FIELDS

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, FOLDER = DOCS / "data-streams.md", DOCS / "exported-fields"
# Where a dataset's example is taken from, where many folders have one: the record that most readers know.
EXAMPLES = {"m365_defender.event": "DeviceProcessEvents", "microsoft_defender_cloud.event": "SecurityAlert"}
LEVELS = ("core", "extended", "Elastic", "vendor")
APIS = {
    "graph": "Microsoft Graph",
    "security": "Microsoft 365 Defender's older API",
    "endpoint": "Defender for Endpoint",
    "arm": "Azure Resource Manager",
}
FROM = {  # a hub's source or a poller's -> what sends it
    "xdr": "Defender XDR's streaming export, by `XDR_EVENT_HUB`",
    "defender_cloud": "Defender for Cloud's continuous export, by `CLOUD_EVENT_HUB`",
} | {name: f"{APIS[source.api]}, polled as `{name}`" for name, source in SOURCES.items()}
MOST_TABLES = 4  # named in a row of exported fields
HEAD = """# Data streams

What goes where. `<namespace>` is the setting `NAMESPACE` (`default`). Names, fields and types are those of Elastic's own integrations, so that their rules and
dashboards hold; [differences](differences-from-elastic.md) are listed. A data stream takes new documents only; [latest views](#latest-views) hold the last version
of each thing and are written where `LATEST_VIEWS` is on. Who may write is in [privileges](privileges.md); what to ask is in [recipes](recipes.md).

| from | what | data stream |
| --- | --- | --- |
"""
VIEWS_HEAD = """
## Latest views

Plain indices, one document for each thing, renewed by external version: an older version never takes the place of a newer one. Those of findings have the names
and keys of Elastic's latest transforms, where Kibana's Findings pages look.

| view | index | alias | out of |
| --- | --- | --- | --- |
"""
COVERAGE_HEAD = """
## ECS coverage

Of the columns that Microsoft documents, how many end in a field of ECS (also), in a vendor's field alone, or nowhere (the table's page says why), an object or list
being one; and the fields that documents can have, by level: ECS core and extended, of Elastic's packages and rules beyond ECS, vendor's.

| data stream | columns | in ECS | vendor alone | left out | fields | core | extended | Elastic | vendor |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def stream(dataset: str) -> str:
    """A dataset's data streams, as docs write them."""
    return f"logs-{dataset}-<namespace>"


def page() -> str:
    """docs/data-streams.md."""
    lines = [MADE, HEAD]
    for source, names in DATASETS.items():
        lines += [
            f"| {FROM[source]} | {contents(source, dataset)} | [`{stream(dataset)}`](#{anchor(dataset)}) |\n"
            for dataset in names
        ]
    lines.append(
        f"| the app itself | what each of its runs did: counts, lag, what was not known | `{stream(RUNS)}` |\n"
    )
    lines.append(
        "\nRecords that can never be indexed go to dead letters, blobs in the container `DEAD_LETTER_CONTAINER`.\n"
    )
    lines.append(VIEWS_HEAD)
    for name, view in VIEWS.items():
        index = view.index.format(namespace="<namespace>")
        lines.append(f"| {name} | `{index}` | {f'`{view.alias}`' if view.alias else ''} | `{stream(view.dataset)}` |\n")
    lines.append(COVERAGE_HEAD)
    lines += [coverage(dataset) for dataset in datasets()]
    lines += [section(dataset) for dataset in datasets()]
    return "".join(lines)


def contents(source: str, dataset: str) -> str:
    """What of a source goes to a dataset, in few words."""
    if dataset.endswith(".alert_evidence"):
        return "a document for each item of an alert's evidence, by `EVIDENCE_DOCUMENTS`"
    mapped = [table.name for table in known(dataset)]
    if source in ("xdr", "defender_cloud"):
        kind = "tables" if source == "xdr" else "kinds of message"
        return f"{len(mapped)} {kind}, and those that are not known"
    return ", ".join(page_link(name) for name in mapped)


def known(dataset: str) -> list[Table]:
    """The mapped tables of a dataset, by name; carriers of unknown ones are none."""
    return sorted(
        (table for table in datasets()[dataset] if not table.name.startswith("(")), key=lambda table: table.name
    )


def page_link(table: str) -> str:
    """A table's page of fields."""
    return f"[{table}](fields/{table}.md)"


def anchor(dataset: str) -> str:
    """The anchor of a dataset's heading, as GitHub makes it."""
    return f"logs-{dataset}-namespace".replace(".", "")


def coverage(dataset: str) -> str:
    """A row: columns by where they end, fields by level."""
    ended = ends(dataset)
    levels = Counter(level(field) for field in fields(dataset))
    parts = (ended["ecs"], ended["vendor"], ended["out"])
    counts = (ended.total(), *parts, levels.total(), *(levels[name] for name in LEVELS))
    return f"| `{dataset}` | {' | '.join(map(str, counts))} |\n"


def ends(dataset: str) -> Counter[str]:
    """Columns of a dataset's tables: `ecs` where a field beyond the vendor's is filled from it, `vendor`, or left `out`."""
    found: Counter[str] = Counter()
    for table in known(dataset):
        ending = ends_of(table)
        found.update(ending.get(column, "out") for column in columns()[table.name])
    return found


def ends_of(table: Table) -> dict[str, str]:
    """Column, or intermediate value of rules (`#name`) -> where it ends."""
    found: dict[str, str] = {}

    def mark(name: str, end: str) -> None:
        if found.get(name) != "ecs":
            found[name] = end

    for layout in table.layouts():
        for column in layout.columns:
            mark(column.source, "ecs" if column.ecs else "vendor")
        for rule in reversed(layout.rules):  # what a rule reads was written by one before it
            written = {
                found.get(name, "") if name[0] == "#" else "vendor" if name[0] == "~" else "ecs" for name in rule.writes
            }
            for name in rule.reads:
                mark(name, "ecs" if "ecs" in written else "vendor")
    return found


def section(dataset: str) -> str:
    """One data stream: its tables, its fields, an example."""
    tables = known(dataset)
    shown = example(dataset)
    views = [name for name, view in VIEWS.items() if view.dataset == dataset]
    return "".join(
        (
            f"\n## logs-{dataset}-&lt;namespace&gt;\n\n",
            f"{'Tables' if dataset == 'm365_defender.event' else 'Made of'}: {', '.join(page_link(table.name) for table in tables)}.\n",
            f"[All {len(fields(dataset))} fields](exported-fields/{dataset}.md).",
            f" Latest view{'s' if len(views) > 1 else ''}: {', '.join(views)}." if views else "",
            f"\n\n<details><summary>An example, out of tests/golden/{shown[0]}</summary>\n\n```json\n",
            json.dumps(shown[1], indent=2, sort_keys=True, ensure_ascii=False),
            "\n```\n\n</details>\n",
        )
    )


@cache
def golden() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Dataset -> (folder, document) of every golden pair."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for folder in sorted(GOLDEN.iterdir()):
        for made in json.loads((folder / "out.json").read_text()):
            document = made["_source"]
            found.setdefault(document["data_stream"]["dataset"], []).append((folder.name, document))
    return found


def example(dataset: str) -> tuple[str, dict[str, Any]]:
    """The folder and the document of a dataset's example: of those without an error the first of its folder, else the shortest."""
    good = [(folder, document) for folder, document in golden()[dataset] if "error" not in document]
    chosen = [one for one in good if one[0] == EXAMPLES.get(dataset)]
    return chosen[0] if chosen else min(good, key=lambda one: len(json.dumps(one[1])))


def exported(dataset: str) -> str:
    """docs/exported-fields/<dataset>.md."""
    arrays = {row["field"] for row in schema_rows("ecs.csv") if row["array"]}
    filled: dict[str, dict[str, None]] = {}
    for table in known(dataset):
        for use in uses(table):
            filled.setdefault(use.field, {})[table.name] = None
    lines = [
        MADE,
        f"# Fields of logs-{dataset}-&lt;namespace&gt;\n\n",
        "Level: ECS core or extended, a field of Elastic's packages and rules beyond ECS, or the vendor's. Every document has `@timestamp`, `event.kind`, ",
        "`event.dataset`, `event.ingested` and `data_stream.*`. See [data streams](../data-streams.md).\n\n",
        "| field | type | also as | level | filled from |\n| --- | --- | --- | --- | --- |\n",
    ]
    for field, kind in fields(dataset).items():
        also = [part for part, names in (("text", TEXT_FIELDS), ("caseless", CASELESS_FIELDS)) if field in names]
        many = f"{kind}, several" if field in arrays else kind
        lines.append(
            f"| `{field}` | {many} | {', '.join(f'`.{part}`' for part in also)} | {level(field)} | {origin(field, filled)} |\n"
        )
    return "".join(lines)


def origin(field: str, filled: Mapping[str, Mapping[str, None]]) -> str:
    """Which tables fill a field, or the object that it lies in; the first few by name."""
    if field.endswith(f".{UNMAPPED}"):
        return "columns that are not known"
    parts = field.split(".")
    tables = next(
        (list(filled[name]) for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in filled), []
    )
    if not tables:
        return (
            "every document"
            if field in ALWAYS or parts[0] in ("event", "data_stream", "ecs")
            else "records of tables that are not known"
        )
    more = len(tables) - MOST_TABLES
    return f"{', '.join(tables[:MOST_TABLES])}{f' and {more} more' if more > 0 else ''}"


def main() -> int:
    """Write all of it, or with --check say whether it is fresh."""
    pages = {FOLDER / f"{dataset}.md": exported(dataset) for dataset in datasets()}
    return max(write_or_compare(pages, FOLDER, "*.md"), write_or_compare({PAGE: page()}, DOCS, PAGE.name))


if __name__ == "__main__":
    sys.exit(main())
