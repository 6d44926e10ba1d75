"""VIEWS -> docs/latest-views.md: what the views are, how they are keyed, what goes, what they cost, and how they are turned on."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from shared.normalise.latest import HELD
from shared.ship.latest import SEEN, VIEWS
from tools.freshness import write_or_compare
from tools.latest_template import REMEMBERED, template_name
from tools.write_transforms import ABOUT

PAGE = Path(__file__).resolve().parent.parent / "docs" / "latest-views.md"
HEAD = """<!-- Made from shared/ship/latest.py and shared/normalise/latest.py by `make generate`; do not edit. -->

# Latest views

Data streams keep each version of an alert and each day's picture of a finding. A latest view has one document for each, always the newest: ask it what is open
*now*. With `LATEST_VIEWS=true` the pollers write them, beside the data streams, as plain indices; no transform runs. Elasticsearch keeps the highest version of an entry
(external versioning), so that order and repetition count for nothing.

| view | index | alias | one entry for each | holds | goes when not seen for |
| --- | --- | --- | --- | --- | --- |
"""
TEXT = """
## Entries

- Each combination of a key's values is an entry, as with a transform: a finding of two CVEs in a package is two. The namespace is a part of each key, and so is the tenant; letter
  case in ids of Azure counts for nothing.
- A document with `error.message` renews no entry. One that says that a flaw is healed (another outcome than the table says) takes its entry out at once; a misconfiguration stays,
  as `passed`, as in Elastic's.
- `{seen}.tenant`, `.scope` and `.scan` say which scan of what saw a finding last. Nothing else is added to the document.
- Streamed tables of how things stand are in no view ([decision 10](decisions/0010-streamed-pictures.md)).

## What goes, and what never does

After each poll of assessments and vulnerabilities, entries go that the *last complete scan* of their scope (a subscription, a management group, all machines of a tenant) did not find and that were seen
last longer ago than the table says. A scan that failed, or that could not read some findings, takes nothing away. Entries of a subscription that is polled no more go after
{forgotten}. Alerts and incidents stay; delete what is too old by hand. Why so: [decision 9](decisions/0009-latest-views-expire-by-scans.md).

The run's log line says under `latest` how many entries were `written`, `older` (nothing to do), `over` (taken out), `refused` and `expired`; `not_expired` counts views in which expiry failed,
and the line before it says why. That fails no poll: the next one tries again.

## Kibana

Security's *Findings* pages read `security_solution-*.misconfiguration_latest` and `security_solution-*.vulnerability_latest`, which are the aliases above: misconfigurations of the
last 26 hours (in some versions 90 days), vulnerabilities of the last 90 days (elastic/kibana, kbn-cloud-security-posture-common). `@timestamp` of a finding is when its scan began. Where a scan takes more than an hour or two, let it
begin more often (`ASSESSMENT_INTERVAL_HOURS=12`), so that its findings never look too old.

## Turning them on

1. `python -m cli install`: the views' templates. Without them an index would be made with guessed types.
2. The shipper's key needs, on each index: {privileges}.
3. `LATEST_VIEWS=true`.
4. Assessments and vulnerabilities fill their views with the next scan, within a day. Alerts and incidents come as they change; for what is older, once:
   `python -m cli poll alert --since 30d` and `python -m cli poll incident --since 30d`. What is in the data streams already counts as duplicate. A scan at once: `python -m cli poll assessment --since 1h`.

Where Elastic's integration is installed too, its transforms write the same names: stop them (Stack Management, Transforms), and delete their indices, before you turn the views on. Two writers
of one view would show each finding twice.

**What it costs.** Each alert, incident and finding is written twice, findings once for each of their CVEs; a view is as large as one day's picture. Expiry is a search for each scope and
view at each poll (by default twice an hour). Deletions are remembered for {remembered} (`index.gc_deletes`), in memory.

**Your own settings** go into a component template `<name of the view's template>@custom`, for example `{custom}@custom`; `logs@custom` and those of data streams do not hold for
views, because lifecycles and rollovers are not for an index whose entries change.

## Transforms instead

[`infra/elastic/transforms`](../infra/elastic/transforms) has a transform for each view, with the same keys, for clusters that have a transform node:
`PUT _transform/<name>` with the file, then `POST _transform/<name>/_start`, and `LATEST_VIEWS` stays `false`. What differs: they lag by some minutes, read each document again from the data stream, keep
a healed flaw until its age ends it, and remove by age alone, also where a scan failed. Ids of entries differ: delete the index before you change from one to the other.
Views that are made for each namespace are written for `default`.
"""


def page() -> str:
    """docs/latest-views.md."""
    lines = [HEAD]
    for name, view in VIEWS.items():
        held = HELD[name]
        key = ", ".join(f"`{field}`" for field in held.key)
        wanted = ABOUT.get(name, {}) | dict(held.only)
        holds = [f"`{field}: {value}`" for field, value in wanted.items()] + [f"with `{field}`" for field in held.needs]
        alias = f"`{view.alias}`" if view.alias else ""
        kept = age(view.kept) if view.kept else "never"
        lines.append(f"| {name} | `{view.index}` | {alias} | {key} | {', '.join(holds) or 'all'} | {kept} |\n")
    forgotten = {age(view.forgotten) for view in VIEWS.values() if view.forgotten}
    lines.append(
        TEXT.format(
            seen=SEEN,
            forgotten=" or ".join(sorted(forgotten)),
            privileges="; ".join(f"`{view.pattern}`: {', '.join(view.privileges)}" for view in VIEWS.values()),
            remembered=f"{REMEMBERED.removesuffix('m')} minutes",
            custom=template_name(VIEWS["misconfiguration"]),
        )
    )
    return "".join(lines)


def age(span: timedelta) -> str:
    """A time in hours or whole days."""
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"


def main() -> int:
    """Write the page, or with --check say whether it is fresh."""
    return write_or_compare({PAGE: page()}, PAGE.parent, PAGE.name)


if __name__ == "__main__":
    sys.exit(main())
