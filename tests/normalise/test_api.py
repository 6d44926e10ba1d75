"""API objects opened to columns, and objects inside them brought to a shape: nothing is lost, nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.api import columns_of, open_object, steps, tree_of
from shared.normalise.convert import UNKNOWN_COLUMN, Issue
from shared.normalise.identity import part_id, time_prefix
from shared.normalise.mapping import Shape
from shared.normalise.shapes import DEEPEST, fields_of, shaped

COLUMNS = columns_of("id status.code status.since:datetime @odata.type owner.@odata.type evidence:dynamic")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "size", "file", "ip", "other"]), inner)
    ),
    max_leaves=12,
)
FILE: Shape = {"name": ("name", "keyword"), "size": ("size", "long")}
SHAPE: Shape = {
    "name": ("name", "keyword"),
    "ip": ("address", "ip"),
    "file": ("image_file", FILE),
    "tags": ("tags", "keyword"),
}


def test_columns_are_paths_with_types() -> None:
    """A specification gives paths in order, each with its type; `@odata.type` is one step."""
    assert COLUMNS["status.since"] == "datetime"
    assert COLUMNS["id"] == "string"
    assert steps("owner.@odata.type") == ["owner", "@odata.type"]
    assert steps("@odata.type") == ["@odata.type"]


def test_known_paths_become_columns_and_all_else_keeps_its_own_path() -> None:
    """What the tree knows comes out under its name, what it does not know under its path, what is empty not at all."""
    value = {
        "id": "1",
        "status": {"code": "new", "why": "x"},
        "owner": {"@odata.type": "#u"},
        "evidence": [],
        "more": {"a": 1},
        "none": "",
    }
    assert open_object(value, tree_of(COLUMNS)) == {
        "id": "1", "status.code": "new", "status.why": "x", "owner.@odata.type": "#u", "evidence": [], "more": {"a": 1},
    }  # fmt: skip


def test_an_object_from_further_down_is_opened_under_its_whole_path() -> None:
    """A part that is opened by itself gets the names that it would have had within the whole."""
    tree = tree_of(COLUMNS, "alerts.")
    assert open_object({"id": "1", "status": {"code": "new"}, "why": "x"}, tree, "alerts.") == {
        "alerts.id": "1", "alerts.status.code": "new", "alerts.why": "x",
    }  # fmt: skip


def test_an_object_where_a_value_was_is_kept_under_the_columns_name() -> None:
    """A value of another shape than documented reaches the column, whose converter reports it."""
    assert open_object({"id": {"a": 1}, "status": "new"}, tree_of(COLUMNS)) == {"id": {"a": 1}, "status": "new"}


def test_a_column_below_a_value_is_refused_at_once() -> None:
    """A specification in which a path is a value and an object is a mistake of ours."""
    with pytest.raises(TypeError, match=r"a\.b lies below"):
        tree_of(columns_of("a a.b"))


def test_objects_are_brought_to_their_shape() -> None:
    """Keys become our fields, values their kinds, lists stay lists, and what is unknown or wrong is reported with its path."""
    issues: list[Issue] = []
    value = [
        {"name": "a", "ip": "-", "file": {"name": "x.exe", "size": "12", "age": 3}, "tags": ["t", None]},
        "text",
        None,
        {},
    ]
    assert shaped(value, SHAPE, "evidence", issues) == [
        {"name": "a", "image_file": {"name": "x.exe", "size": 12}, "tags": ["t"]}
    ]
    assert issues == [
        Issue("evidence.file.age", UNKNOWN_COLUMN, 3),
        Issue("evidence", "is not an object", "text"),
    ]


@given(value=JSON)
def test_any_value_can_be_shaped(value: Any) -> None:
    """Whatever comes, it is shaped or reported; nothing raises, and nothing of a wrong kind comes out."""
    issues: list[Issue] = []
    found = shaped(value, SHAPE, "x", issues)
    for one in found if isinstance(found, list) else [found] if found else []:
        assert one.keys() <= {"name", "address", "image_file", "tags"}
    assert found is None or found


def test_what_lies_too_deep_is_reported() -> None:
    """A shape within itself ends at its depth, with a reason."""
    loop: dict[str, tuple[str, Any]] = {"name": ("name", "keyword")}
    loop["child"] = ("child", loop)
    value: dict[str, Any] = {"name": "end"}
    for _ in range(DEEPEST + 3):
        value = {"child": value}
    issues: list[Issue] = []
    assert shaped(value, loop, "x", issues) is None
    assert [issue.reason for issue in issues] == ["lies too deep"]


def test_fields_of_a_shape_are_listed_for_templates() -> None:
    """Every field below the root, also of objects in objects."""
    assert dict(fields_of(SHAPE, "a.evidence")) == {
        "a.evidence.name": "keyword", "a.evidence.address": "ip", "a.evidence.tags": "keyword",
        "a.evidence.image_file.name": "keyword", "a.evidence.image_file.size": "long",
    }  # fmt: skip


def test_versions_of_a_thing_have_ids_that_sort_by_time_and_differ() -> None:
    """Tenant, table, key and version all count; the prefix is the version's time."""
    import base64

    first = part_id("t", "alert", ("a",), "2026-01-01T00:00:00Z")
    others = {
        part_id("u", "alert", ("a",), "2026-01-01T00:00:00Z"),
        part_id("t", "incident", ("a",), "2026-01-01T00:00:00Z"),
        part_id("t", "alert", ("b",), "2026-01-01T00:00:00Z"),
        part_id("t", "alert", ("a",), "2026-01-01T00:00:01Z"),
        part_id("t", "alert", ("a", ""), "2026-01-01T00:00:00Z"),
    }
    assert len(others | {first}) == 6
    assert base64.urlsafe_b64decode(first + "=")[:6] == time_prefix("2026-01-01T00:00:00Z")
