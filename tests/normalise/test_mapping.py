"""The vocabulary: what is kept beside ECS, what is a duplicate, and rows of an object that lies in another one."""

from __future__ import annotations

from typing import Any

import pytest

from shared.normalise.compile import compile_table
from shared.normalise.interpret import interpret
from shared.normalise.mapping import Fragment, ecs, rule, table, vendor
from shared.normalise.source import lines


def halves(text: str | None) -> tuple[str | None, str | None]:
    """A text -> what stands before and after its first blank."""
    return (None, None) if text is None else (text.partition(" ")[0], text.partition(" ")[2])


ROWS = Fragment(
    (
        ecs("Id", "keyword", "event.id", vendor="id", kept=True),
        ecs("Name", "keyword", "rule.name", vendor="name"),
        vendor("Link", "keyword", "link", told=True),
    ),
    (
        rule(halves, ("Link",), "~parts.first", "~parts.rest", duplicate=True),
        rule(halves, ("Name",), "~name_parts.first", "~name_parts.rest", when="Link"),
    ),
)
EXAMPLE = table("ExampleOfDuplicates", (), ROWS, action=None)
ROW = {"Id": "long id", "Name": "long name", "Link": "long link"}


@pytest.mark.parametrize("way", ["interpreted", "compiled"])
def test_what_repeats_ecs_is_kept_by_setting_only(way: str) -> None:
    """Duplicates of columns and of rules go by default; a field that somebody looks for stays, and so does what no setting names."""

    def vendor_fields(*, duplicates: bool) -> dict[str, Any]:
        if way == "interpreted":
            document = interpret(EXAMPLE, ROW, {}, [], duplicates=duplicates)
        else:
            document = compile_table(EXAMPLE, duplicates=duplicates)(ROW, {}, [])
        found: dict[str, Any] = document["m365_defender"]["event"]
        return found

    lean = {"id": "long id", "name_parts": {"first": "long", "rest": "name"}}
    assert vendor_fields(duplicates=False) == lean
    assert vendor_fields(duplicates=True) == lean | {
        "name": "long name",
        "link": "long link",
        "parts": {"first": "long", "rest": "link"},
    }


def test_a_rule_of_which_nothing_is_seen_is_not_called() -> None:
    """Only where duplicates are kept, or another rule reads what it writes."""
    assert [line for line in lines(EXAMPLE) if "rule0(" in line] == []
    assert [line for line in lines(EXAMPLE, duplicates=True) if "rule0(" in line]
    read = table("ExampleOfReading", (), ROWS, rule(halves, ("~parts.first",), "host.name", "host.id"), action=None)
    assert [line for line in lines(read) if "rule0(" in line]
    assert compile_table(read)(ROW, {}, []) == interpret(read, ROW, {}, [])
    assert interpret(read, ROW, {}, [])["host"]["name"] == "long"


def test_rows_of_an_object_in_another_one() -> None:
    """Columns get the path, vendor fields and rules' fields the field that they lie below, ECS fields stay."""
    below = ROWS.below("alerts", "alert")
    assert [column.source for column in below.columns] == ["alerts.Id", "alerts.Name", "alerts.Link"]
    assert [column.vendor for column in below.columns] == ["alert.id", "alert.name", "alert.link"]
    assert below.columns[0].ecs == ("event.id",)
    assert (below.rules[0].reads, below.rules[0].writes) == (
        ("alerts.Link",),
        ("~alert.parts.first", "~alert.parts.rest"),
    )
    assert below.rules[1].when == "alerts.Link"
    without = Fragment((vendor("A", "keyword", "a"),), (rule(halves, ("event.category", "A"), "#x", "host.id"),)).below(
        "b", "c"
    )
    assert without.rules[0].reads == ("event.category", "b.A")
    assert without.rules[0].writes == ("#x", "host.id")
