"""Lists of objects get our fields' names and kinds; what has none is reported and kept; the generated functions agree with the plain one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.normalise import objects
from shared.normalise.convert import UNKNOWN_COLUMN, Issue, Issues
from shared.normalise.objects import Fields, Found, Step, generated, listed, make, single
from tests.normalise.rows import ANYTHING

PLACE = Fields({"city": ("city", "keyword"), "latitude": ("latitude", "double")})
THING = Fields(
    {
        "$id": ("id", "keyword"), "text": ("text", "wildcard"), "count": ("count", "long"), "share": ("share", "double"), "asset": ("asset", "boolean"),
        "seen": ("seen", "date"), "address": ("address", "ip"),
    },
    {"place": ("place", single(PLACE)), "parts": ("parts", listed(PLACE))},
)  # fmt: skip


def test_keys_become_fields() -> None:
    """Keys in any letter case become fields of their kinds; objects and lists of objects are opened; empty ones are left out."""
    issues: Issues = []
    raw = [
        {
            "$Id": "1",
            "Count": "17",
            "asset": True,
            "Place": {"City": "Oslo", "Latitude": 59.9},
            "PARTS": [{"city": "a"}, {}],
        },
        {"$id": "-", "count": None, "text": "", "place": {}, "parts": []},
        {"share": 1, "seen": "2026-01-02T03:04:05", "address": "192.0.2.1", "text": "-"},
    ]
    before = copy.deepcopy(raw)
    assert THING(raw, "things", issues) == [
        {"id": "1", "count": 17, "asset": True, "place": {"city": "Oslo", "latitude": 59.9}, "parts": [{"city": "a"}]},
        {"share": 1.0, "seen": "2026-01-02T03:04:05Z", "address": "192.0.2.1", "text": "-"},
    ]
    assert not issues
    assert raw == before


def test_what_has_no_field_is_kept() -> None:
    """Unknown keys and members that are no objects come together under their path; what would not convert is an issue."""
    issues: Issues = []
    raw = [{"Novel": 1, "count": "many"}, {"Novel": [2], "place": "Oslo"}, "text", None]
    assert THING(raw, "things", issues) is None
    assert next(issue for issue in issues if issue.reason is not UNKNOWN_COLUMN)[::2] == ("things.count", "many")
    assert {(issue.column, str(issue.value)) for issue in issues if issue.reason is UNKNOWN_COLUMN} == {
        ("things.Novel", "[1, [2]]"),
        ("things.place", "['Oslo']"),
        ("things (other)", "['text']"),
    }


def test_one_object_and_text_stand_for_a_list() -> None:
    """An object is a list of one, JSON in text is opened, other text is no object."""
    issues: Issues = []
    assert THING({"count": 1}, "things", issues) == THING('[{"count": 1}]', "things", issues) == [{"count": 1}]
    assert THING("", "things", issues) is THING(None, "things", issues) is None
    assert not issues
    assert THING("none", "things", issues) is None
    assert issues == [Issue("things (other)", UNKNOWN_COLUMN, ["none"])]


def test_lists_and_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of objects are taken up to the bound, the rest is kept as it came; ever new keys do not fill the memory."""
    issues: Issues = []
    made = THING([{"count": n} for n in range(objects.MOST + 7)], "things", issues)
    assert made is not None
    assert len(made) == objects.MOST
    assert len(issues[0].value) == 7
    monkeypatch.setattr(objects, "MOST_REMEMBERED", 5)
    monkeypatch.setattr(objects, "MOST_FITTED", 3)
    fields = Fields({"count": ("count", "long")})
    for number in range(20):
        for _ in range(objects.FIT_AFTER + 2):
            assert fields.one({"count": 1, f"x{number}": None}, "", Found([])) == {"count": 1}
    assert len(fields._known) <= 5
    assert len(fields._fitted) == 3
    assert fields.one({"count": 2, "x" * 100_000: 1}, "", Found([])) == {"count": 2}
    assert len(fields._known) <= 5


NAMES = [
    "$id",
    "$ID",
    "Text",
    "count",
    "Share",
    "asset",
    "seen",
    "address",
    "place",
    "Parts",
    "a'b\n{x}",
    "\ud800",
    "novel",
]


@settings(max_examples=400, deadline=None)
@example(raw={"Share": 1e300})
@given(
    raw=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ANYTHING) | st.just({"city": 5, "x": 1}), max_size=8)
)
def test_generated_says_what_make_says(raw: dict[str, Any]) -> None:
    """Whatever the values, a generated function gives the same object and the same issues, and changes nothing."""
    steps: list[Step] = [THING._step(key) for key in raw]
    before = repr(raw)
    plain, fast = Found([]), Found([])
    assert repr(generated(steps)(raw.values(), "p", fast)) == repr(make(steps, raw.values(), "p", plain))
    assert repr((fast.issues, fast.unknown)) == repr((plain.issues, plain.unknown))
    assert repr(raw) == before
