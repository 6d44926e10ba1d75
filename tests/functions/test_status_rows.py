"""A source's verdict and its reasons, the periods of schedules, and that nothing from outside becomes markup."""

from __future__ import annotations

import html.parser
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.periods import longest_period
from functions.status_page import Page, render
from functions.status_rows import CursorFact, DriftFact, Facts, LetterFact, row, rows
from tests.functions.status_blobs import HOSTILE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HUB = Facts("xdr", "event hub a", polled=False)
POLL = Facts("alert", "polled", polled=True, period=120.0)


def ago(seconds: float) -> str:
    """So many seconds before now."""
    return (NOW - timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("facts", "verdict", "words"),
    [
        (HUB, "waiting", ""),
        (replace(HUB, known=False), "unknown", ""),
        (replace(HUB, received={"at": ago(9), "lag_seconds": 3}), "well", ""),
        (replace(HUB, received={"at": ago(9), "lag_seconds": 901}), "attention", "15 min old"),
        (replace(HUB, received={"at": ago(4_000), "lag_seconds": 3}), "attention", "Nothing has come for 67 min"),
        (replace(HUB, source="defender_cloud", received={"at": ago(86_400), "lag_seconds": 3}), "well", ""),
        (replace(HUB, received={"at": ago(9)}, held={"at": ago(10), "reason": "x"}), "well", ""),
        (replace(HUB, received={"at": ago(9)}, held={"at": ago(8), "reason": "no key"}), "broken", "no key"),
        (replace(HUB, held={"at": ago(8), "reason": "no key"}), "broken", "2026-01-02 03:03:57 UTC"),
        (replace(HUB, received={"at": ago(9)}, letters=LetterFact(1, 9, NOW)), "attention", "dead-letters list"),
        (replace(HUB, received={"at": ago(9)}, letters=LetterFact(1, 9, NOW - timedelta(days=2))), "well", ""),
        (replace(POLL, received={"at": ago(359)}), "well", ""),
        (replace(POLL, received={"at": ago(361)}), "attention", "one is due every 2 min"),
        (replace(POLL, received={"at": ago(9)}, cursors=[CursorFact("alert/x", corrupt="is not JSON")]), "broken", "JSON"),
    ],
)  # fmt: skip
def test_a_verdict_has_its_reason(facts: Facts, verdict: str, words: str) -> None:
    """Each thing that may be wrong with a source alone, and next to it what just is not."""
    made = row(facts, NOW)
    assert made.verdict == verdict
    assert words in " ".join(made.why)


def test_the_worst_stands_in_front_and_equals_keep_their_order() -> None:
    """Broken, then what needs attention, what is not known, what waits, what is well."""
    well = replace(HUB, received={"at": ago(9)})
    facts = [
        replace(well, source="a"),
        replace(HUB, source="b"),
        replace(HUB, source="c", held={"at": ago(1), "reason": ""}),
        replace(well, source="d", received={"at": ago(9), "lag_seconds": 1e6}),
        replace(HUB, source="e", known=False),
        replace(well, source="f"),
    ]
    assert [made.source for made in rows(facts, NOW)] == ["c", "d", "e", "b", "a", "f"]


def test_a_rate_is_of_the_window() -> None:
    """Records of the window over its seconds, in the unit in which it is at least one."""
    window = {"since": ago(129), "received": 600, "indexed": 598, "duplicate": 2}
    made = row(replace(HUB, received={"at": ago(9), "received": 5, "window": window}), NOW)
    assert (made.rate, made.rate_over) == (5.0, 120.0)
    assert made.outcomes == {"indexed": 598, "duplicate": 2, "filtered": 0, "dead_lettered": 0}
    assert "5 /s" in render(Page(NOW, [made]))
    assert "6 /min" in render(Page(NOW, [replace(made, rate=0.1)]))


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("0 */2 * * * *", 120),
        ("0 7,37 * * * *", 1_800),
        ("0 5,15 * * * *", 3_000),
        ("*/10 * * * * *", 10),
        ("0 30 4 * * *", 86_400),
        ("0 0 8-18/2 * * *", 14 * 3_600),
        ("0 0 6 * * mon-fri", 3 * 86_400),
        ("0 0 6 * * 0", 7 * 86_400),
        ("0 0 */12 1,15 * *", 17 * 86_400 - 12 * 3_600),
        ("00:05:00", 300),
        ("0 0 0 1 1 *", None),
        ("0 0 99 * * *", None),
        ("0 */0 * * * *", None),
        ("nonsense", None),
    ],
)
def test_the_longest_period_of_a_schedule(schedule: str, seconds: float | None) -> None:
    """NCRONTAB and hh:mm:ss; None where none can be told, never an error."""
    assert longest_period(schedule) == seconds


class Tags(html.parser.HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self) -> None:
        """Nothing yet."""
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element."""
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text += data


def page_with(words: str) -> str:
    """A page on which `words` stands wherever a text from outside can."""
    facts = Facts(
        words,
        words,
        polled=True,
        received={"at": ago(9), "received": words, "lag_seconds": words, "window": {"since": words}},
        held={"at": ago(1), "reason": words},
        cursors=[CursorFact(words, NOW, NOW, busy=True), CursorFact(words, corrupt=words)],
        drift=DriftFact(2, 1, (words,)),
    )
    return render(Page(NOW, [row(facts, NOW)], [words]))


def read(page: str) -> Tags:
    """Parse a page."""
    found = Tags()
    found.feed(page)
    return found


PLAIN = read(page_with("plain"))


@given(st.text() | st.sampled_from([HOSTILE, "</style><script>", "' onload='x", "\ud800", "<!--", "&lt;"]))
def test_no_text_from_outside_becomes_markup(words: str) -> None:
    """The same elements and attributes whatever a table, a cursor or a reason is called; and never a script."""
    found = read(page_with(words))
    assert (found.tags, found.attributes) == (PLAIN.tags, PLAIN.attributes)
    assert "script" not in found.tags
    assert "style" not in found.attributes
    page_with(words).encode()  # can be sent


def test_hostile_names_are_shown_as_they_are() -> None:
    """Escaped, not dropped: a person sees what came."""
    assert HOSTILE in read(page_with(HOSTILE)).text


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["at", "lag_seconds", "window", "received", "since", "indexed", "reason", "newest_event"]), inner)))  # fmt: skip
def test_whatever_a_state_blob_holds_the_page_is_made(content: Any) -> None:
    """State blobs are text from outside: of another kind, too large, in the future; no error, and a verdict."""
    found = content if isinstance(content, dict) else {"at": content, "window": content, "received": content}
    for facts in (replace(POLL, received=found, held=found), replace(HUB, received=found, held=found)):
        assert render(Page(NOW, [row(facts, NOW)])).startswith("<!doctype html>")


def test_a_page_without_sources_says_what_to_set() -> None:
    """The empty state names the settings."""
    assert "XDR_EVENT_HUB_NAMES" in render(Page(NOW, []))
    assert "Nothing is set up yet." in render(Page(NOW, []))
