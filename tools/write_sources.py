"""shared/poll/sources.py, endpoints and settings -> docs/sources.md: what is polled, with which permission, and how it is set."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from functions.probes import DATASETS
from shared.poll.endpoints import APIS, LOGIN
from shared.poll.sources import SOURCES
from shared.poll_settings import PollSettings
from tools.freshness import write_or_compare
from tools.write_settings import cell, written

PAGE = Path(__file__).resolve().parent.parent / "docs" / "sources.md"
HEAD = """<!-- Made from shared/poll by `make generate`; do not edit. -->

# Sources that are polled

`POLL_SOURCES` names those that are on; each has a timer function `<source>_poll`. Grant what the table says, and nothing more: permissions are
*application* permissions of the app registration (or of the managed identity), with an administrator's consent; roles are Azure roles. `python -m cli doctor`
tells which is missing. How cursors move is in [decision 7](decisions/0007-cursors-move-behind-what-is-shipped.md).

| source | API | needs | data streams |
| --- | --- | --- | --- |
"""
SETTINGS = """
## Settings of each source

| setting | default | what it does |
| --- | --- | --- |
"""
CLOUDS = """
## Clouds

`CLOUD` chooses the addresses; each can be set apart (`GRAPH_ENDPOINT` …). A cloud without an address does not offer the API.

| cloud | tokens | graph | security | endpoint | arm |
| --- | --- | --- | --- | --- | --- |
"""


def data_streams(source: str) -> list[str]:
    """The data streams that a source's documents go to."""
    return [f"`logs-{dataset}-*`" for dataset in DATASETS[source]]


def page() -> str:
    """docs/sources.md."""
    lines = [HEAD]
    lines += [
        f"| {source.name} | {source.api} | {cell(source.permission)} | {', '.join(data_streams(source.name))} |\n"
        for source in SOURCES.values()
    ]
    lines.append(SETTINGS)
    for item in fields(PollSettings):
        name = item.metadata["name"]
        if name.partition("_")[0].lower() in SOURCES:
            lines.append(
                f"| `{name}` | {f'`{written(item.default)}`' if written(item.default) else 'not set'} | {cell(item.metadata['words'])} |\n"
            )
    lines.append(CLOUDS)
    for cloud, apis in APIS.items():
        addresses = [apis[name][0] if name in apis else "" for name in ("graph", "security", "endpoint", "arm")]
        lines.append(f"| {cloud} | {LOGIN[cloud]} | {' | '.join(addresses)} |\n")
    return "".join(lines)


def main() -> int:
    """Write the page, or with --check say whether it is fresh."""
    return write_or_compare({PAGE: page()}, PAGE.parent, PAGE.name)


if __name__ == "__main__":
    sys.exit(main())
