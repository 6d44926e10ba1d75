"""Bags in one letter case: what a free bag becomes, and that the quick way agrees with the plain one."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise import lowered as module
from shared.normalise.bags import DEEPEST, bag, fits
from shared.normalise.lowered import lowered, lowered_bag


def test_bags_are_in_lower_case() -> None:
    """Free bags have keys in one case, lose empty values, and keep both where two keys become one."""
    assert lowered({"Data": {"AZID": "1", "x": "", "y": None}, "L": [{"A": 1}, "B"]}) == {
        "data": {"azid": "1"},
        "l": [{"a": 1}, "B"],
    }
    assert lowered({"Name": 1, "name": 2, "NAME": 3}) == {"Name": 1, "name": 2, "NAME": 3}
    deep: Any = "x"
    for _ in range(100):
        deep = {"K": deep}
    assert lowered(deep, 2) == {"k": {"k": deep["K"]["K"]}}


def test_text_is_opened() -> None:
    """JSON in text is opened, other text kept as text, lists of texts too; nothing is nothing."""
    assert lowered_bag('{"A": {"B": 1}}', "", []) == {"a": {"b": 1}}
    assert lowered_bag("none", "", []) == {"text": "none"}
    assert lowered_bag(["a"], "", []) == {"values": ["a"]}
    assert lowered_bag("", "", []) is lowered_bag({}, "", []) is lowered_bag({"a": None}, "", []) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever new keys do not fill the memory, nor do functions for keys that come often."""
    monkeypatch.setattr(module, "MOST_REMEMBERED", 5)
    monkeypatch.setattr(module, "MOST_FITTED", len(module._fitted) + 3)
    for number in range(12):
        for _ in range(module.FIT_AFTER + 1):
            assert lowered_bag({f"Some{number}": 1, "Empty": ""}, "", []) == {f"some{number}": 1}
        assert len(module._plain_keys) <= max(5, len(module._seen))
    assert len(module._fitted) == module.MOST_FITTED
    before = len(module._plain_keys)
    wide = {f"K{number}": number for number in range(module.MOST_KEYS + 1)}
    assert lowered_bag(wide, "", []) == lowered(wide)
    assert len(module._plain_keys) == before


KEYS = st.sampled_from(["A", "a", "Name", "ß", "\u0130", "", "x\x00", "k" * 161, "Value"]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(value=JSON, levels=st.integers(0, 14))
def test_quick_and_plain_agree(value: Any, levels: int) -> None:
    """Whatever a bag holds, it is not changed, and both ways make the same of it, which a `flattened` field takes."""
    for level in range(levels):
        value = {"Level": value} if level % 2 else [value]
    before = copy.deepcopy(value)
    made = lowered_bag(value, "", [])
    assert value == before
    if value.__class__ is dict or value.__class__ is list:
        assert made == bag(lowered(value))
    assert made is None or fits(made, DEEPEST)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(JSON, min_size=5, max_size=5), levels=st.integers(1, 4))
def test_generated_says_what_lower_says(values: list[Any], levels: int) -> None:
    """A generated function makes the same object of the same values, or finds the same ones that have to be looked at closer."""
    keys = ("a", "two words", "it's", "{x}\n", "\ud800")
    outcomes = []
    for lower in (partial(module._lower, keys), module._generated(keys)):
        try:
            outcomes.append(repr(lower(values, levels)))
        except KeyError:
            outcomes.append("closer")
    assert outcomes[0] == outcomes[1]
