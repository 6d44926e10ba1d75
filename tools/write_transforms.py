"""VIEWS -> infra/elastic/transforms/: for those who prefer them to LATEST_VIEWS, the transforms that keep the same views.

Each file is the body of `PUT _transform/<its name>`. Views that are made for each namespace are written for `default`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared.normalise.latest import HELD
from shared.ship.latest import VIEWS, View
from tools.freshness import write_or_compare
from tools.latest_template import template_name

FOLDER = Path(__file__).resolve().parent.parent / "infra" / "elastic"
TRANSFORMS = FOLDER / "transforms"
NAMESPACE = "default"
# What tells a view's documents apart from others of their data stream
ABOUT: dict[str, dict[str, str]] = {
    "incident": {"event.code": "incident"},
    "misconfiguration": {"microsoft_defender_cloud.assessment.class": "misconfiguration"},
    "vulnerability_finding": {"microsoft_defender_cloud.assessment.class": "vulnerability"},
}


def transform(name: str, view: View) -> dict[str, Any]:
    """The transform that keeps a view."""
    held = HELD[name]
    shared = "{namespace}" not in view.index
    wanted = ABOUT.get(name, {}) | dict(held.only)
    dest: dict[str, Any] = {"index": view.index.format(namespace=NAMESPACE)}
    if view.alias:
        dest["aliases"] = [{"alias": view.alias}]
    made: dict[str, Any] = {
        "description": f"Microsoft Defender: the latest of each, out of {view.dataset}",
        "source": {
            "index": [f"logs-{view.dataset}-{'*' if shared else NAMESPACE}"],
            "query": {
                "bool": {
                    "filter": [
                        *({"term": {field: value}} for field, value in wanted.items()),
                        *({"exists": {"field": field}} for field in held.needs),
                    ],
                    "must_not": [{"exists": {"field": "error.message"}}],
                }
            },
        },
        "dest": dest,
        "latest": {"unique_key": [*held.key, "data_stream.namespace"], "sort": "@timestamp"},
        "frequency": "5m",
        "sync": {"time": {"field": "event.ingested", "delay": "60s"}},
        "settings": {"unattended": True},
        "_meta": {"managed_by": "defender-to-elasticsearch"},
    }
    if view.kept is not None:
        hours = int(view.kept.total_seconds() // 3600)
        made["retention_policy"] = {"time": {"field": "@timestamp", "max_age": f"{hours}h"}}
    return made


def transforms() -> dict[Path, str]:
    """Every file by its path."""
    return {
        TRANSFORMS / f"{template_name(view)}.json": json.dumps(transform(name, view), indent=2, sort_keys=True) + "\n"
        for name, view in VIEWS.items()
    }


def main() -> int:
    """Write the transforms, or with --check say whether they are fresh."""
    return write_or_compare(transforms(), FOLDER, "transforms/*.json")


if __name__ == "__main__":
    sys.exit(main())
