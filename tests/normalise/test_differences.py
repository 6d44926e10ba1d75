"""Differences from Elastic's integration: every leaf of its documents is in ours, or a row says why not."""

from __future__ import annotations

import pytest

from tools.differences import (
    FILES,
    KINDS,
    UPSTREAM,
    Comparison,
    Difference,
    Explanation,
    Leaves,
    closest,
    compare,
    explanations,
    fits,
    leaves,
    numbers,
    same,
)
from tools.write_differences import COUNTS, PAGE, counts, counts_text, page

THERE = pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the knowledge folder has no documents of Elastic's here")


@pytest.fixture(scope="module", params=FILES)
def comparison(request: pytest.FixtureRequest) -> Comparison:
    """A file compared, once for all tests."""
    return compare(request.param)


@THERE
def test_every_leaf_is_equal_or_explained(comparison: Comparison) -> None:
    """Each leaf of their documents is equal in ours, or a row of tools/differences explains it."""
    assert not comparison.unexplained, "\n".join(map(str, comparison.unexplained))


@THERE
def test_every_row_explains_something(comparison: Comparison) -> None:
    """No row is left over from a difference that is no more, or hidden behind an earlier row."""
    assert not comparison.stale


@THERE
def test_the_counts_are_those_of_today() -> None:
    """The committed counts, which machines without their documents show, are what comparing gives."""
    assert COUNTS.read_text() == counts_text(counts()), "make generate"


def test_the_page_is_made_of_the_rows() -> None:
    """docs/differences-from-elastic.md is what would be written."""
    assert PAGE.read_text() == page(counts()), "make generate"


@pytest.mark.parametrize("name", FILES)
def test_rows_are_whole(name: str) -> None:
    """Each row has a kind that we know, what both do, and a reason in one line; what moved names its new place."""
    for row in explanations(name):
        assert row.kind in KINDS, row
        assert row.field, row
        assert row.theirs, row
        assert row.ours, row
        assert row.why, row
        assert "\n" not in row.why, row
        assert row.kind != "moved" or (" " not in row.ours and row.ours.count("*") <= row.field.count("*")), row


def test_a_leaf_is_what_elasticsearch_indexes() -> None:
    """Lists lose their order save arguments, objects of a list become one field, dates are cut, and some fields do not count."""
    assert leaves(
        {
            "a": {"b": [2, 1.0, "1"], "none": None, "nothing": [], "args": ["b", "a"]},
            "list": [{"x": 1}, {"x": "2024-01-02T03:04:05.6789Z", "y": True}],
            "event": {"ingested": "now", "original": "{}", "end": "2024-01-02T03:04:05Z"},
            "ecs": {"version": "8"},
            "tags": ["t"],
        }
    ) == {
        "a.b": ("1", "2"),
        "a.args": ("b", "a"),
        "list.x": ("1", "2024-01-02T03:04:05.678Z"),
        "list.y": ("true",),
        "event.end": ("2024-01-02T03:04:05.000Z",),
    }


def test_related_fields_may_hold_more() -> None:
    """Only in related.* are more values than theirs still equal."""
    assert same("related.ip", ("1",), ("1", "2"))
    assert not same("related.ip", ("1", "3"), ("1", "2"))
    assert not same("event.type", ("start",), ("info", "start"))
    assert not same("event.type", ("start",), None)


def test_of_several_documents_the_closest_counts() -> None:
    """Where a raw line becomes several documents, the one with most of their leaves is compared."""
    theirs: Leaves = {"a": ("1",), "b": ("2",)}
    assert closest(theirs, [{"a": ("1",)}, {"a": ("1",), "b": ("2",)}, {}]) == theirs
    assert closest(theirs, []) == {}


def test_numbers_of_documents() -> None:
    """Single lines, spans and all."""
    assert numbers("1 3 5-7") == frozenset({1, 3, 5, 6, 7})
    assert numbers("*") is None


OURS: Leaves = {"process.pid": ("4",), "event.kind": ("event",)}
MOVED = Difference(2, "process.parent.pid", ("4",), None)
OTHER = Difference(2, "event.kind", ("alert",), ("event",))


@pytest.mark.parametrize(
    ("difference", "row", "fit"),
    [
        (MOVED, ("*", "process.parent.*", "moved", "", "process.*"), True),
        (MOVED, ("1", "process.parent.*", "moved", "", "process.*"), False),
        (MOVED, ("*", "process.parent.*", "moved", "", "process.parent.*"), False),
        (MOVED, ("*", "process.*.pid", "moved", "", "process.start"), False),
        (MOVED, ("*", "process.parent.pid", "left_out", "", ""), True),
        (MOVED, ("*", "process.parent.pid", "left_out", "=5", ""), False),
        (MOVED, ("*", "process.parent.pid", "value", "", ""), False),
        (MOVED, ("*", "process_parent_pid", "left_out", "", ""), False),
        (OTHER, ("2", "event.kind", "value", "=alert", "=event"), True),
        (OTHER, ("2", "event.kind", "value", "=alert", "=state"), False),
        (OTHER, ("2", "event.kind", "left_out", "", ""), False),
        (OTHER, ("2-3", "event.*", "theirs_wrong", "", ""), True),
    ],
)
def test_a_row_has_to_be_true(difference: Difference, row: tuple[str, str, str, str, str], fit: bool) -> None:
    """A row fits only its documents and fields, and only if what it says of both sides holds."""
    documents, field, kind, theirs, ours = row
    assert fits(Explanation(numbers(documents), field, kind, theirs, ours, "why"), difference, OURS) is fit
