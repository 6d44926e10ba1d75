"""Drift that an older version saw: what this version knows of it."""

from __future__ import annotations

import pytest

from shared.normalise.mapped import is_mapped, kind_of
from shared.report import NO_NAME, OTHERS, Drift

# fmt: off
MAPPED = [
    Drift("table",  "DeviceInfo"),
    Drift("table",  "SecurityAlert"),
    Drift("column", "DeviceInfo", "OSPlatform"),
    Drift("column", "DeviceNetworkEvents", "LogonID"),                # left out on purpose, with a reason
    Drift("action", "DeviceEvents", "ActionType", "UsbDriveMounted"),
    Drift("enum",   "AlertInfo", "Severity", "HIGH"),
    Drift("enum",   "AlertInfo", "Title", "free text"),               # has no list any more
    Drift("type",   "DeviceInfo", "OSBuild", "number", "long"),       # a keyword since
    Drift("type",   "DeviceInfo", "GoneColumn", "number", "long"),
]
UNKNOWN = [
    Drift("table",  "DeviceNovelEvents"),
    Drift("table",  OTHERS),
    Drift("column", "DeviceInfo", "Novelty"),
    Drift("column", "DeviceNovelEvents", "DeviceId"),
    Drift("column", "DeviceInfo", OTHERS),
    Drift("action", "DeviceEvents", "ActionType", "Teleported"),
    Drift("action", "DeviceNovelEvents", "ActionType", "Teleported"),
    Drift("enum",   "AlertInfo", "Severity", "Apocalyptic"),
    Drift("enum",   "AlertInfo", "Severity", NO_NAME),
    Drift("enum",   "AlertInfo", "Severity", OTHERS),
    Drift("type",   "DeviceInfo", "OSPlatform", "object", "keyword"),
    Drift("type",   "DeviceInfo", "NoSuchColumn", "null", ""),
]
# fmt: on


@pytest.mark.parametrize("drift", MAPPED, ids=str)
def test_known_by_now(drift: Drift) -> None:
    """What this version maps, leaves out on purpose, or maps as another kind than when it was seen."""
    assert is_mapped(drift)


@pytest.mark.parametrize("drift", UNKNOWN, ids=str)
def test_still_drift(drift: Drift) -> None:
    """What this version does not know either, and what stands for many."""
    assert not is_mapped(drift)


def test_kinds_are_found_by_name() -> None:
    """Of mapped tables, of those that are carried, and of none where the column is no column."""
    assert kind_of("DeviceEvents", "FileSize") == "long"
    assert kind_of("SecurityAlert", "severity") == "keyword"
    assert kind_of("DeviceNovelEvents", "OSPlatform") == "keyword"
    assert kind_of("DeviceInfo", "NoSuchColumn") == ""
