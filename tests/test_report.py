"""The report: every received record has exactly one outcome, and the line made of it says so."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.report import (
    MOST_MEMBERS,
    MOST_NAMES,
    NO_NAME,
    OTHERS,
    OUTCOMES,
    Drift,
    Outcome,
    Report,
    Unbalanced,
    bounded_add,
)

TABLES = ("AlertInfo", "DeviceEvents", "(undecoded)")
BOOKINGS = st.lists(st.tuples(st.sampled_from(TABLES), st.sampled_from(OUTCOMES), st.integers(1, 50)), max_size=30)


def booked(bookings: list[tuple[str, Outcome, int]]) -> Report:
    """A report that received just what it books."""
    report = Report("xdr")
    for table, outcome, number in bookings:
        report.received[table] += number
        report.count(outcome, table, number)
    return report


@given(BOOKINGS)
def test_a_balanced_report_passes_and_holds_nothing(bookings: list[tuple[str, Outcome, int]]) -> None:
    """received = indexed + duplicate + filtered + dead-lettered, in any order of booking."""
    report = booked(bookings)

    report.check()
    assert report.held == 0
    assert sum(report.total(outcome) for outcome in OUTCOMES) == report.received.total()


@given(BOOKINGS, st.sampled_from(TABLES), st.integers(1, 9))
def test_a_record_without_outcome_is_held_and_never_passes(
    bookings: list[tuple[str, Outcome, int]], table: str, number: int
) -> None:
    """What is received but not accounted for is seen, and by its table."""
    report = booked(bookings)
    report.received[table] += number

    assert report.held == number
    with pytest.raises(Unbalanced, match=f"received {report.received[table]}, accounted for"):
        report.check()


@given(BOOKINGS, st.sampled_from(TABLES), st.sampled_from(OUTCOMES))
def test_a_record_with_two_outcomes_never_passes(
    bookings: list[tuple[str, Outcome, int]], table: str, outcome: Outcome
) -> None:
    """Booking twice is a bug too, even for a table that was never received."""
    report = booked(bookings)
    report.count(outcome, table)

    with pytest.raises(Unbalanced):
        report.check()


def test_tables_do_not_make_up_for_each_other() -> None:
    """One too many here and one too few there is not balanced, although the totals agree."""
    report = Report("xdr")
    report.received["AlertInfo"] += 1
    report.count("indexed", "DeviceEvents")

    assert report.held == 0
    with pytest.raises(Unbalanced):
        report.check()


@given(BOOKINGS)
def test_the_line_adds_up_and_is_json(bookings: list[tuple[str, Outcome, int]]) -> None:
    """Totals of the line are the sums over its tables, and every table received is in it."""
    line = json.loads(json.dumps(booked(bookings).as_dict()))

    assert line["held"] == 0
    assert line["received"] == sum(line[outcome] for outcome in OUTCOMES)
    for key in ("received", *OUTCOMES):
        assert line[key] == sum(table.get(key, 0) for table in line["tables"].values())


def test_names_from_outside_are_bounded() -> None:
    """A flood of made-up column names takes bounded memory; names that are known go on counting."""
    report = Report("xdr")
    for number in range(MOST_NAMES + 500):
        bounded_add(report.unknown_columns, ("AlertInfo", f"Column{number}"))
    bounded_add(report.unknown_columns, ("AlertInfo", "Column0"), 5)

    assert len(report.unknown_columns) == MOST_NAMES
    assert report.unknown_columns[("AlertInfo", "Column0")] == 6
    assert len(report.as_dict()["unknown_columns"]) == MOST_NAMES


def test_members_are_names_and_few_of_a_column() -> None:
    """A column that is no list any more shows twenty of its values, and none that no list would hold; the count goes on."""
    report = Report("xdr")
    for value in ("kim@example.com", "\x1b[31mred", "x" * 81, "", "Müller", "10.0.0.1\n"):
        report.count_member("AlertInfo", "Severity", value)
    assert dict(report.unknown_members) == {("AlertInfo", "Severity", NO_NAME): 6}

    for number in range(3 * MOST_MEMBERS):
        report.count_member("AlertInfo", "Severity", f"Value {number}")
    report.count_member("AlertInfo", "Severity", "Value 1")
    report.count_member("AlertInfo", "Category", "Sorcery")
    assert report.unknown_members[("AlertInfo", "Severity", "Value 1")] == 2
    assert report.unknown_members[("AlertInfo", "Category", "Sorcery")] == 1
    assert report.unknown_members[("AlertInfo", "Severity", OTHERS)] == 3 * MOST_MEMBERS - (MOST_MEMBERS - 1)
    assert len(report.unknown_members) == MOST_MEMBERS + 2


def test_drift_is_everything_that_is_not_mapped() -> None:
    """The five kinds of a run in one counter, and the line adds types of one column together."""
    report = Report("xdr")
    report.unknown_tables["NewTable"] = 1
    report.unknown_columns[("AlertInfo", "NewColumn")] = 2
    report.unknown_actions[("DeviceEvents", "Teleported")] = 3
    report.unknown_members[("AlertInfo", "Severity", "Apocalyptic")] = 4
    report.unconverted[("DeviceInfo", "OSBuild", "string", "long")] = 5
    report.unconverted[("DeviceInfo", "OSBuild", "object", "long")] = 6

    assert report.drift() == {
        Drift("table", "NewTable"): 1,
        Drift("column", "AlertInfo", "NewColumn"): 2,
        Drift("action", "DeviceEvents", "ActionType", "Teleported"): 3,
        Drift("enum", "AlertInfo", "Severity", "Apocalyptic"): 4,
        Drift("type", "DeviceInfo", "OSBuild", "string", "long"): 5,
        Drift("type", "DeviceInfo", "OSBuild", "object", "long"): 6,
    }
    assert report.as_dict()["unconverted"] == {"DeviceInfo.OSBuild": 11}
    assert report.as_dict()["unknown_members"] == {"AlertInfo.Severity.Apocalyptic": 4}
