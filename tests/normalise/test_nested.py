"""Nested objects open to columns by path, in either letter case, and their outlines give the same values faster."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise import nested
from shared.normalise.nested import Opener

OPENER = Opener(
    (
        "id",
        "name",
        "properties.status.code",
        "properties.status.cause",
        "properties.links.azurePortal",
        "properties.displayName",
    )
)
ALERT = Opener(("name", "alertType", "extendedProperties"), within="properties")


def test_columns_are_paths_and_the_unknown_keeps_its_own() -> None:
    """Known values come under the documented path; new keys, wrong forms and a second spelling under theirs."""
    value = {
        "Properties": {
            "Status": {"Code": "Healthy", "code": "Unhealthy", "Mood": "good"},
            "links": '{"azurePortal": "portal.azure.com/#x"}',
            "displayName": None,
            "novelty": {"deep": [1]},
        },
        "properties": {"status": "not an object"},
        "Shiny": 1,
    }
    before = copy.deepcopy(value)
    assert OPENER.open(value) == {
        "properties.status.code": "Healthy",
        "Properties.Status.code": "Unhealthy",
        "Properties.Status.Mood": "good",
        "properties.links.azurePortal": "portal.azure.com/#x",
        "Properties.novelty": {"deep": [1]},
        "properties.status": "not an object",
        "Shiny": 1,
    }
    assert value == before


def test_the_same_columns_within() -> None:
    """What may lie at the root or below one key has the same columns in both places, once."""
    flat = {"alertType": "x", "extendedProperties": {"a": {"b": 1}}}
    assert ALERT.open(flat) == flat
    assert ALERT.open({"name": "n", "properties": flat}) == {"name": "n", **flat}
    assert ALERT.open({"Properties": json.dumps(flat)}) == flat
    assert ALERT.open({"properties": {"properties": flat}}) == {"properties.properties": flat}


def test_outlines_are_told_by_keys_alone() -> None:
    """Objects with the same keys in the same order share an outline, whatever the values; others have another one."""
    first, values = OPENER.read({"id": 1, "properties": {"displayName": "a", "status": {"code": "x"}}})
    again, others = OPENER.read({"id": None, "properties": {"displayName": [1], "status": {"code": ""}}})
    assert first is not None
    assert first is again
    assert first.columns == ("id", None, "properties.displayName", None, "properties.status.code")
    assert (values[0], values[2], values[4]) == (1, "a", "x")
    assert (others[0], others[2], others[4]) == (None, [1], "")
    for other in (
        {"properties": {}, "id": 1},
        {"id": 1, "properties": None},
        {"ID": 1, "properties": {"status": {"code": 1}}},
    ):
        assert OPENER.read(other)[0] not in (first, None)


@pytest.mark.parametrize(
    "value",
    [
        {"properties": '{"displayName": "a"}'},
        {"properties": ["a"]},
        {"properties": {"status": "text"}},
        {"id": 1, "Id": 2},
        {"properties": {"displayName": 1}, "Properties": {"DisplayName": 2}},
    ],
)
def test_what_has_no_outline(value: dict[str, Any]) -> None:
    """Text and lists in place of an object, and columns that come twice, have to be opened one by one, the second time too."""
    opener = Opener(("id", "properties.displayName", "properties.status.code"))
    assert opener.read(value)[0] is None
    assert opener.read(value)[0] is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever new keys make an opener forget, not grow; keys that are too long are not remembered at all."""
    monkeypatch.setattr(nested, "MOST_STEPS", 10)
    opener = Opener(("id",))
    for number in range(100):
        assert opener.read({f"key{number}": 1})[0] is not None
        assert opener._steps <= 10
    assert opener.read({"id": 1})[0] is opener.read({"id": 2})[0] is not None
    assert opener.read({"x" * 100_000: 1})[0] is None


def test_a_column_below_a_value_is_refused() -> None:
    """A column that lies below another one is a mistake of ours, told at once."""
    with pytest.raises(TypeError, match=r"status\.code"):
        Opener(("status", "status.code"))


KEYS = (
    "id",
    "ID",
    "name",
    "properties",
    "Properties",
    "status",
    "Status",
    "code",
    "cause",
    "links",
    "azurePortal",
    "displayName",
    "novelty",
)
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["{", '{"code": {}}', "[{}]"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(value=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), WILD, max_size=6))
def test_reading_says_what_opening_says(value: dict[str, Any]) -> None:
    """Whatever an object holds, it opens, is not changed, and an outline's values are the columns that opening gives."""
    before = copy.deepcopy(value)
    opened = OPENER.open(value)
    for _ in range(2):
        outline, values = OPENER.read(value)
        assert value == before
        if outline is None:
            continue
        assert len(outline.columns) == len(values)
        read = {
            name: item
            for name, item in zip(outline.columns, values, strict=True)
            if name is not None and item not in (None, "")
        }
        assert read == opened
        known = {
            "id",
            "name",
            "properties.status.code",
            "properties.status.cause",
            "properties.links.azurePortal",
            "properties.displayName",
        }
        assert outline.strangers(values).keys() == {name for name in outline.columns if name is not None} - known
