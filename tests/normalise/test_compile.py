"""The compiled function of a table against what the table means: equal documents, equal issues, whatever the record holds."""

from __future__ import annotations

import copy
import json
import linecache
import random
import traceback
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.normalise.compile import NormaliseFitted, compile_fitted, compile_table
from shared.normalise.convert import Issue
from shared.normalise.fit import GOOD, LEARN_FROM, MOST_COMPILED, Fitted
from shared.normalise.interpret import carry, interpret
from shared.normalise.mapping import Kind, Table, ecs, rule, table, vendor
from shared.normalise.source import Presence, lines
from tests.normalise.rows import Row, layouts, row, value

LAYOUTS = dict(layouts())
ROWS = 20  # of each seed; with the seeds, both settings and all layouts more than 20,000
SEEDS = 12


def exact(value: Any) -> str:
    """A value as text in which 1, 1.0 and true differ and the order of keys does not count."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("duplicates", [False, True], ids=["", "duplicates"])
@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=SEEDS, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a smaller seed is no simpler row
@given(seed=st.integers(0, 2**32))
def test_compiled_says_what_interpreter_says(name: str, duplicates: bool, seed: int) -> None:
    """Random rows of every layout give the same document and the same issues both ways, and neither changes the row."""
    meaning = LAYOUTS[name]
    chance = random.Random(seed)
    compiled = compiled_layout(name, duplicates)
    for _ in range(ROWS):
        properties, envelope = row(chance, meaning)
        before = copy.deepcopy((properties, envelope))
        issues: list[Issue] = []
        same_as_interpreter(meaning, duplicates, properties, envelope, compiled(properties, envelope, issues), issues)
        assert exact((properties, envelope)) == exact(before)


@pytest.mark.parametrize("duplicates", [False, True], ids=["", "duplicates"])
@pytest.mark.parametrize("name", LAYOUTS)
@settings(max_examples=SEEDS, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_compiled_for_a_presence_says_what_interpreter_says(name: str, duplicates: bool, seed: int) -> None:
    """A function fitted to some rows takes those, and of others with the same columns says what the interpreter says, or nothing at all."""
    meaning = LAYOUTS[name]
    chance = random.Random(seed)
    properties, envelope = row(chance, meaning)
    rows = [(properties, envelope)]
    for _ in range(ROWS):
        changed = {source for source in (*properties, *(f"/{key}" for key in envelope)) if chance.random() < 0.1}
        values = {column.source: value(chance, column, meaning) for column in meaning.columns}
        rows.append(
            (
                {key: values.get(key, "x") if key in changed else properties[key] for key in properties},
                {key: values.get(f"/{key}", "x") if f"/{key}" in changed else envelope[key] for key in envelope},
            )
        )
    learnt = chance.randint(1, 3)
    columns = tuple(sorted(properties))
    fitted = Fitted(meaning, columns, partial(compile_fitted, meaning, duplicates=duplicates))
    for number in range(LEARN_FROM):
        assert fitted.function(*rows[0], [], in_order(properties)) is None
        fitted.learn(in_order(rows[number % learnt][0]), rows[number % learnt][1])
    for number, (changed_properties, changed_envelope) in enumerate(rows):
        before = copy.deepcopy((changed_properties, changed_envelope))
        issues: list[Issue] = []
        made = fitted.function(changed_properties, changed_envelope, issues, in_order(changed_properties))
        if made is None:
            assert number >= learnt
            assert not issues
        else:
            same_as_interpreter(meaning, duplicates, changed_properties, changed_envelope, made, issues)
        assert exact((changed_properties, changed_envelope)) == exact(before)


def in_order(properties: Row) -> list[Any]:
    """The values of a row by the order of its columns' names."""
    return [properties[name] for name in sorted(properties)]


def same_as_interpreter(
    meaning: Table, duplicates: bool, properties: Row, envelope: Row, made: dict[str, Any], issues: list[Issue]
) -> None:
    """Hold a compiled function's document and issues against the interpreter's, and what becomes of both."""
    plain_issues: list[Issue] = []
    plain = interpret(meaning, properties, envelope, plain_issues, duplicates=duplicates)
    assert exact(made) == exact(plain), properties
    assert exact(sorted(issues, key=exact)) == exact(sorted(plain_issues, key=exact)), properties
    carry(plain, meaning, plain_issues)
    carry(made, meaning, issues)
    assert exact(made) == exact(plain), properties


COMPILED: dict[tuple[str, bool], Any] = {}


def compiled_layout(name: str, duplicates: bool) -> Any:
    """The compiled function of a layout, made once."""
    key = (name, duplicates)
    if key not in COMPILED:
        COMPILED[key] = compile_table(LAYOUTS[name], duplicates=duplicates)
    return COMPILED[key]


def test_rows_reach_what_they_are_for() -> None:
    """The random rows are worth something: they give issues of every kind of column and documents with most of their fields."""
    meaning = LAYOUTS["DeviceProcessEvents"]
    chance = random.Random(1)
    issues: list[Issue] = []
    fields: set[str] = set()
    for _ in range(300):
        fields |= leaves(interpret(meaning, *row(chance, meaning), issues, duplicates=True))
    assert {issue.column for issue in issues} >= {
        "ProcessId",
        "AccountName",
        "ProcessCreationTime",
        "IsProcessRemoteSession",
        "ExampleColumn",
    }
    written = {field for column in meaning.columns for field in column.ecs} | {
        write for step in meaning.rules for write in step.writes if write[0] not in "~#"
    }
    assert written <= fields


def leaves(node: Any, path: str = "") -> set[str]:
    """The dotted names of a document's fields, objects that are fields of their own included."""
    if not isinstance(node, dict):
        return {path}
    return {path}.union(*(leaves(child, f"{path}.{key}".lstrip(".")) for key, child in node.items()))


def test_traceback_shows_generated_source() -> None:
    """An error within a compiled function shows the generated line that raised it, so that a bug in a rule can be found."""

    def broken(value: Any) -> Any:
        raise RuntimeError(value)

    meaning = table(
        "ExampleOfATraceback", (), vendor("Name", "keyword", "name"), rule(broken, ("Name",), "host.name"), action=None
    )
    compiled = compile_table(meaning)
    with pytest.raises(RuntimeError) as caught:
        compiled({"Name": "x" * 10}, {}, [])
    shown = "".join(traceback.format_exception(caught.value))
    assert "<normalise ExampleOfATraceback>" in shown
    assert "rule0(" in shown
    assert any("rule0(" in line for line in linecache.getlines("<normalise ExampleOfATraceback>"))


def test_two_rules_may_write_one_field() -> None:
    """Of two rules that write one field the last wins, a rule between them reads the first, and `related` has both."""
    meaning = table(
        "ExampleOfTwoRules",
        (),
        vendor("A", "keyword", "a"),
        vendor("B", "keyword", "b"),
        rule(lambda a: a, ("A",), "user.name", related="user"),
        rule(lambda name: name and name * 2, ("user.name",), "user.full_name"),
        rule(lambda b: b, ("B",), "user.name", related="user"),
        action=None,
    )
    compiled = compile_table(meaning)
    for properties in ({"A": "anna", "B": "bert"}, {"A": "anna"}, {"B": "bert"}, {}):
        assert exact(compiled(properties, {}, [])) == exact(interpret(meaning, properties, {}, []))
    both = compiled({"A": "anna", "B": "bert"}, {}, [])
    assert both["user"] == {"name": "bert", "full_name": "annaanna"}
    assert sorted(both["related"]["user"]) == ["anna", "bert"]


def test_field_below_a_value_is_refused() -> None:
    """A table in which one field lies below another that holds a value is a mistake, told when it is compiled."""
    meaning: Table = table(
        "ExampleOfAClash", (), ecs("A", "keyword", "user"), ecs("B", "keyword", "user.name"), action=None
    )
    with pytest.raises(TypeError, match=r"user\.name"):
        list(lines(meaning))


@pytest.mark.parametrize("name", LAYOUTS)
def test_rules_make_nothing_out_of_nothing(name: str) -> None:
    """A rule whose columns are all absent gives nothing: compiled tables do not call it then."""
    for step in LAYOUTS[name].rules:
        result = step.function(*(None for _ in step.reads))
        assert (result if len(step.writes) > 1 else (result,)) == (None,) * len(step.writes), step.function.__name__


def test_documents_do_not_share_what_is_written_to() -> None:
    """What the normaliser or anybody puts into one document does not show in the next one of the table."""
    compiled = compile_table(LAYOUTS["DeviceProcessEvents"])
    first = compiled({"ActionType": "ProcessCreated", "DeviceId": "d1"}, {}, [])
    carry(first, LAYOUTS["DeviceProcessEvents"], [Issue("ProcessId", "is odd", "x")])
    first["event"]["ingested"] = "now"
    first["host"]["id"] = "changed"
    second = compiled({"ActionType": "ProcessCreated", "DeviceId": "d1"}, {}, [])
    assert "ingested" not in second["event"]
    assert "unmapped" not in json.dumps(second)
    assert second["host"]["id"] == "d1"


def test_a_fitted_function_gives_way_and_learns() -> None:
    """Records unlike those it learnt from are not taken, until so many have come that a weaker promise is compiled; that has an end."""
    meaning = LAYOUTS["AlertInfo"]
    made: list[Presence] = []

    def compiled(presence: Presence) -> NormaliseFitted:
        made.append(presence)
        return compile_fitted(meaning, presence)

    fitted = Fitted(meaning, ("AlertId", "Category", "Severity", "Title"), compiled)
    odd: tuple[dict[str, Any], ...] = (
        {"AlertId": "da-1", "Category": None, "Severity": "High", "Title": "First"},
        {"AlertId": "da-2", "Category": None, "Severity": "High", "Title": 5},
        {"AlertId": "da-3", "Category": "Malware", "Severity": "High", "Title": "Third"},
        {"AlertId": "-", "Category": "Malware", "Severity": "High", "Title": "Fourth"},
        {"AlertId": "da-5", "Category": "Malware", "Severity": "N/A", "Title": "Fifth"},
    )
    for turn, properties in enumerate(odd):
        for _ in range(LEARN_FROM):
            assert fitted.function(properties, {}, [], in_order(properties)) is None
            fitted.learn(in_order(properties), {})
        taken = fitted.function(properties, {}, [], in_order(properties))
        assert (taken is not None) == (turn < MOST_COMPILED)
    assert [sorted(presence.full) for presence in made] == [
        ["AlertId", "Severity", "Title"],
        ["AlertId", "Severity"],
        ["AlertId", "Severity"],
        ["Severity"],
    ]
    assert ["Category" in presence.empty for presence in made] == [True, True, False, False]


@pytest.mark.parametrize(
    ("kind", "text"), [("ip", b'"192.0.2.7"'), ("date", b'"2026-01-02T03:04:05Z"'), ("keyword", b'"text"')]
)
def test_good_values_are_good_again(kind: Kind, text: bytes) -> None:
    """A value that a converter remembers from another record is as good as it comes there too."""
    assert [GOOD[kind](orjson.loads(text)) for _ in range(2)] == [True, True]
