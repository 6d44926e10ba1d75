"""The smallest mapping of a polled row there can be, through the seam that every source's mapping goes through: one document for each version.

For tests of how rows are read and shipped, which do not care what they mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shared.normalise import api, tables
from shared.normalise.api import Context, Part
from shared.normalise.mapping import Table, table, vendor

NAME = "small_mapping"
IDS = ("id", "incidentId", "Id")
TIMES = ("lastUpdateDateTime", "lastUpdateTime")

SMALL = table(
    "Small", ("id",), vendor("id", "keyword", "id"), vendor("version", "keyword", "version"),
    dataset="m365_defender.alert", vendor_root="m365_defender", action=None,
)  # fmt: skip
COLUMNS = {"Small": {"id": "string", "version": "string"}}


def split(value: Mapping[str, Any], context: Context) -> Iterator[Part]:
    """One part: who it is, and which version; of a scanned thing the scan is the version. An incident around an alert is that alert."""
    if isinstance(value.get("alerts"), dict):
        value = {**value["alerts"], "incident": value.get("displayName")}
    found = [value, *value.get("subAssessments", ())]
    for thing in found:
        id = next((str(thing[key]) for key in IDS if key in thing), "")
        version = next((str(thing[key]) for key in TIMES if key in thing), context.scan or "")
        yield Part("Small", {"id": id, "version": version}, (id,), version, thing)


@contextmanager
def registered() -> Iterator[None]:
    """Let every source be mapped by this module."""
    before = dict(api.SOURCES)
    sys.modules[f"shared.normalise.tables.{NAME}"] = sys.modules[__name__]
    tables.API["Small"] = NAME
    api.SOURCES.update(dict.fromkeys(before, NAME))
    api.split_of.cache_clear()
    try:
        yield
    finally:
        api.SOURCES.update(before)
        api.split_of.cache_clear()
        del tables.API["Small"], sys.modules[f"shared.normalise.tables.{NAME}"]


__all__ = ["COLUMNS", "SMALL", "Table", "registered", "split"]
