"""A cursor's JSON: written and read back, old schemas migrated, anything else refused with the reason."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cursors.cursor import MOST_SEEN, Corrupt, Cursor, plain

TEXT = st.text(max_size=20)


@given(st.builds(Cursor, TEXT, TEXT, TEXT, st.none() | TEXT, st.dictionaries(TEXT, TEXT), st.none() | st.dictionaries(TEXT, st.integers(-9, 9)),
                 st.dictionaries(TEXT, st.integers(0, 9)), st.none() | TEXT))  # fmt: skip
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    """Whatever is in it comes back."""
    assert Cursor.parse(cursor.written()) == cursor


def test_schema_1_is_migrated() -> None:
    """The ids at the watermark's edge, once a list, are seen in the watermark's version."""
    old = {"schema": 1, "source": "alert", "tenant": "t", "watermark": "2026-01-02T03:04:05Z", "edge": ["a", "b", 7]}
    cursor = Cursor.parse(orjson.dumps(old))
    assert cursor == Cursor("alert", "t", "", old["watermark"], dict.fromkeys("ab", "2026-01-02T03:04:05Z"))  # type: ignore[arg-type]  # a text
    assert Cursor.parse(cursor.written()) == cursor


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[]", "no schema"),
        (b'{"schema": "2"}', "no schema"),
        (b'{"schema": true}', "no schema"),
        (b'{"schema": 0}', "schema 0"),
        (b'{"schema": -3}', "schema -3"),
        (b'{"schema": 3}', "knows up to 2"),
        (b'{"schema": 2, "source": "alert"}', "no usable 'tenant'"),
        (b'{"schema": 1, "source": "alert"}', "no usable 'tenant'"),
        (b'{"schema": 2, "source": "a", "tenant": "t", "scope": "", "watermark": null, "seen": {"a": 1}, "work": null, "counters": {}, "updated": null}',
         "no usable 'seen'"),
        (b'{"schema": 2, "source": "a", "tenant": "t", "scope": "", "watermark": null, "seen": {}, "work": null, "counters": {"a": "b"}, "updated": null}',
         "no usable 'counters'"),
        (b'{"schema": 2, "source": "a", "tenant": "t", "scope": "", "watermark": "yesterday", "seen": {}, "work": null, "counters": {}, "updated": null}',
         None),
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_refused_with_the_reason(data: bytes, why: str | None) -> None:
    """Anything that the next read could stumble over is corrupt."""
    if why is None:
        assert Cursor.parse(data).watermark == "yesterday"
        return
    with pytest.raises(Corrupt, match=why):
        Cursor.parse(data)


@given(st.text(max_size=60))
def test_names_are_plain_and_stay_apart_from_folders(text: str) -> None:
    """A blob's name has no slash of a scope's, no leading dots, and only letters that every store takes."""
    name = Cursor("assessment", text, text).name
    assert name.count("/") == 2
    assert not any(part.startswith(".") for part in name.split("/"))
    assert name.isascii()


def test_scopes_that_differ_only_in_a_strange_letter_do_not_share_a_cursor() -> None:
    """Two scopes never have one blob."""
    names = {
        Cursor("assessment", "t", scope).name for scope in ("subscriptions/a", "subscriptions_a", "subscriptions.a", "")
    }
    assert len(names) == 4


def test_no_more_rows_are_remembered_than_there_is_room_for() -> None:
    """The last ones stay."""
    cursor = Cursor("alert", "t").moved(seen={str(number): "" for number in range(MOST_SEEN + 5)})
    assert len(cursor.seen) == MOST_SEEN
    assert str(MOST_SEEN + 4) in cursor.seen
    assert "4" not in cursor.seen


def test_counters_add_up() -> None:
    """Rows and pages are counted."""
    cursor = Cursor("alert", "t").counted(rows=3, pages=1).counted(rows=4)
    assert cursor.counters == {"rows": 7, "pages": 1}
    assert plain("../../x") == "=2e.~..~x"
