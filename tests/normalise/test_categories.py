"""Every known ActionType has its own row of ECS' allowed words only, and the rows say what detection rules read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise import categories
from shared.normalise.mapping import Action
from shared.normalise.rules import device_actions, other_actions

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"


def facts(name: str) -> Any:
    """One file of the knowledge folder, or a skip that says it is missing."""
    path = FACTS / name
    if not path.exists():
        pytest.skip(f"the knowledge folder has no {name} here")
    return json.loads(path.read_text())


def every_action() -> list[tuple[str, str, Action]]:
    """All rows, defaults too, as (table, ActionType, Action)."""
    rows = [(table, name, action) for table, names in categories.ACTIONS.items() for name, action in names.items()]
    return rows + [(table, "(default)", action) for table, action in categories.DEFAULTS.items()]


def test_every_known_action_type_has_a_row_by_its_exact_name() -> None:
    """Each value of the fact file, for every table in it, is a row of its own (greppable by name)."""
    known = facts("action_types.json")["tables"]
    rows = {**device_actions.ACTIONS, **other_actions.ACTIONS}
    missing = [(table, name) for table, names in known.items() for name in names if name not in rows.get(table, {})]
    assert missing == []
    assert sum(len(names) for names in known.values()) > 400  # the file is what we think it is


def test_every_table_has_a_default() -> None:
    """No documented table is left to what its name promises."""
    tables = facts("advanced_hunting_tables.json")["tables"]
    names = set(tables) if isinstance(tables, dict) else {table["name"] for table in tables}
    assert names - set(categories.DEFAULTS) == set()


def test_only_allowed_values_and_types_expected_for_the_category() -> None:
    """ECS allows each word; each type is expected by a category of the row, and each category has a type in it."""
    allowed = facts("ecs_allowed_values.json")["allowed_values"]
    expected = {value["name"]: set(value["expected_event_types"]) for value in allowed["event.category"]}
    outcomes = {value["name"] for value in allowed["event.outcome"]} | {None}
    wrong = []
    for table, name, action in every_action():
        known = [expected.get(category, set()) for category in action.category]
        fits = all(any(kind in types for types in known) for kind in action.type)
        useful = all(types & set(action.type) for types in known)
        if not (action.category and action.type and fits and useful and action.outcome in outcomes):
            wrong.append((table, name, action))
    assert not wrong, f"ECS expects other types of these categories, or has no such words: {wrong}"


def test_kinds_are_allowed_and_alerts_are_alerts() -> None:
    """event.kind is one of ECS' words; AlertInfo and AlertEvidence are alerts, and AlertInfo is no threat indicator."""
    allowed = {value["name"] for value in facts("ecs_allowed_values.json")["allowed_values"]["event.kind"]}
    assert set(categories.KINDS.values()) <= allowed
    assert categories.kind("AlertInfo") == categories.kind("AlertEvidence") == "alert"
    assert categories.kind("DeviceProcessEvents") == categories.kind("NeverHeardOf") == "event"
    assert set(categories.KINDS) <= set(categories.DEFAULTS)
    for name in ("Malware", "Persistence", None):
        assert "threat" not in categories.classify("AlertInfo", name).category


# fmt: off
WHAT_DETECTION_RULES_READ = [
    ("DeviceProcessEvents",   "ProcessCreated",                 "process",        ("start",),              None),
    ("DeviceProcessEvents",   "ProcessCreatedAggregatedReport", "process",        ("start",),              None),
    ("DeviceFileEvents",      "FileCreated",                    "file",           ("creation",),           None),
    ("DeviceFileEvents",      "FileModified",                   "file",           ("change",),             None),
    ("DeviceFileEvents",      "FileRenamed",                    "file",           ("change",),             None),
    ("DeviceFileEvents",      "FileDeleted",                    "file",           ("deletion",),           None),
    ("DeviceRegistryEvents",  "RegistryValueSet",               "registry",       ("change",),             None),
    ("DeviceRegistryEvents",  "RegistryKeyCreated",             "registry",       ("creation",),           None),
    ("DeviceRegistryEvents",  "RegistryKeyDeleted",             "registry",       ("deletion",),           None),
    ("DeviceRegistryEvents",  "RegistryValueDeleted",           "registry",       ("deletion",),           None),
    ("DeviceImageLoadEvents", "ImageLoaded",                    "library",        ("start",),              None),
    ("DeviceEvents",          "DriverLoad",                     "driver",         ("start",),              None),
    ("DeviceEvents",          "OpenProcessApiCall",             "api",            ("access",),             None),
    ("DeviceEvents",          "ReadProcessMemoryApiCall",       "api",            ("access",),             None),
    ("DeviceEvents",          "AntivirusDetection",             "malware",        ("info",),               None),
    ("DeviceEvents",          "UserAccountCreated",             "iam",            ("user", "creation"),    "success"),
    ("DeviceEvents",          "ScheduledTaskCreated",           "configuration",  ("creation",),           None),
    ("DeviceLogonEvents",     "LogonFailed",                    "authentication", ("start",),              "failure"),
    ("DeviceLogonEvents",     "LogonSuccess",                   "authentication", ("start",),              "success"),
    ("DeviceNetworkEvents",   "ConnectionFailed",               "network",        ("connection", "start"), "failure"),
    ("DeviceNetworkEvents",   "DnsConnectionInspected",         "network",        ("protocol", "info"),    None),
]
# fmt: on


@pytest.mark.parametrize(("table", "name", "category", "types", "outcome"), WHAT_DETECTION_RULES_READ)
def test_what_detection_rules_read(
    table: str, name: str, category: str, types: tuple[str, ...], outcome: str | None
) -> None:
    """The rows public rules depend on, written out; ES|QL compares one value, so these have one category only."""
    assert categories.lookup(table, name) == Action((category,), types, outcome)


def test_event_types_in_rules_are_all_produced() -> None:
    """Each event.type and event.category that public rules compare is in some row."""
    fields = facts("detection_rule_fields.json")["fields"]
    rows = every_action()
    assert set(fields["event.type"]["literals"]) <= {kind for _, _, action in rows for kind in action.type}
    assert set(fields["event.category"]["literals"]) <= {
        category for _, _, action in rows for category in action.category
    }


def test_audited_is_allowed_and_blocked_is_denied() -> None:
    """Of every pair …Audited/…Blocked the first went through and the second did not."""
    rows = categories.ACTIONS["DeviceEvents"]
    families = [name for name in rows if name.startswith(("Asr", "ExploitGuard", "AppControl", "ControlledFolder"))]
    for name in families:
        if name.endswith("Audited"):
            assert ("allowed" in rows[name].type, rows[name].outcome) == (True, "success"), name
        if name.endswith("Blocked"):
            assert ("denied" in rows[name].type, rows[name].outcome) == (True, "failure"), name
    assert len(families) > 60


def test_aggregated_reports_read_as_their_plain_event() -> None:
    """`X` and `XAggregatedReport` are the same row."""
    pairs = 0
    for table, rows in categories.ACTIONS.items():
        for name, action in rows.items():
            if name.endswith("AggregatedReport"):
                assert categories.lookup(table, name.removesuffix("AggregatedReport")) is action
                pairs += 1
    assert pairs >= 8


def test_case_and_blanks_do_not_matter() -> None:
    """Documents and records differ by them; nothing else is forgiven."""
    assert categories.lookup("EmailPostDeliveryEvents", "malware zap") == Action(("email", "malware"), ("info",))
    assert categories.lookup("DeviceFileEvents", " FILECREATED ") is categories.lookup(
        "DeviceFileEvents", "FileCreated"
    )
    assert categories.lookup("DeviceFileEvents", "FileCreate") is None
    assert categories.lookup("DeviceFileEvents", None) is None


def test_names_that_differ_by_case_and_blanks_only_agree() -> None:
    """Two rows that fall together when case and blanks are ignored say the same."""
    for table, rows in categories.ACTIONS.items():
        seen: dict[str, Action] = {}
        for name, action in rows.items():
            assert seen.setdefault("".join(name.split()).casefold(), action) is action, (table, name)


def test_alert_evidence_goes_by_entity_type() -> None:
    """An alert's evidence is filed under what it is."""
    assert categories.classify("AlertEvidence", "File") == Action(("file",), ("info",))
    assert categories.classify("AlertEvidence", "Process").category == ("process",)
    assert categories.classify("AlertEvidence", "Fridge") == categories.default("AlertEvidence")


@given(st.text(), st.none() | st.text())
def test_anything_has_a_class(table: str, action: str | None) -> None:
    """Unknown tables and actions give a valid Action too, without a category where the name promises none."""
    found = categories.classify(table, action)
    assert found.type
    assert found.outcome in (None, "success", "failure")
    assert categories.classify("Device" + table, action).category


def test_unknown_tables_by_their_name() -> None:
    """A new Device table is about hosts; a name that promises nothing gets no category."""
    assert categories.default("DeviceFridgeEvents") == Action(("host",), ("info",))
    assert categories.default("FridgeEvents") == Action((), ("info",))
