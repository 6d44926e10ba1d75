"""Rows -> one HTML page that needs nothing else: no script, no picture, no font. Pure: the same rows give the same bytes.

Everything that is written goes through `shown`, which escapes it; what is markup is a `Markup`, made here only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from functions.status_rows import CursorFact, Row, Verdict, clock, rough
from functions.status_style import STYLE

RENEW_SECONDS = 30
# A verdict by word, by shape and by colour (functions/status_style.py): none of them alone.
WORDS: dict[Verdict, str] = {
    "broken": "Broken",
    "attention": "Needs attention",
    "unknown": "Not known",
    "waiting": "Nothing yet",
    "well": "Well",
}
SHAPES: dict[Verdict, str] = {
    "broken": "M1 1h8v8H1z",
    "attention": "M5 .6 9.6 9H.4z",
    "unknown": "M5 1a4 4 0 1 0 .01 0z",
    "waiting": "M5 1a4 4 0 1 0 .01 0z",
    "well": "M5 .5a4.5 4.5 0 1 0 .01 0z",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NONE = "\N{EN DASH}"


class Markup(str):
    """HTML that was made here."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows: when it was made, what is wrong with the app as a whole, and a row for each source."""

    at: datetime
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def render(page: Page) -> str:
    """The page."""
    headline = headline_of(page.rows, noted=bool(page.notes))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f'<meta http-equiv="refresh" content="{RENEW_SECONDS}">\n'
        f"<title>{shown(headline)} Defender to Elasticsearch</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<p class="eyebrow">Microsoft Defender to Elasticsearch</p>\n<h1>{shown(headline)}</h1>\n'
        f'<p class="asof">As of {time(page.at, clock(page.at))}. Renews itself every {RENEW_SECONDS} seconds.</p>\n'
        + (f'<ul class="notes">{items(page.notes)}</ul>\n' if page.notes else "")
        + (
            f'<ol class="rows">\n{"".join(row_of(row, page.at) for row in page.rows)}</ol>\n'
            if page.rows
            else '<p class="empty">No source is set up. Name event hubs in <code>XDR_EVENT_HUB_NAMES</code> or '
            "<code>CLOUD_EVENT_HUB_NAMES</code>, or sources to poll in <code>POLL_SOURCES</code>.</p>\n"
        )
        + "<footer><p>Whether settings, Elasticsearch and templates are whole: <code>GET /api/health</code>. What each "
        "line means and what to do: <code>docs/operate.md</code>.</p></footer>\n</main>\n</body>\n</html>\n"
    )


def shown(value: object) -> str:
    """A value as HTML: escaped, unless it is markup of ours; what can not be encoded is replaced."""
    if isinstance(value, Markup):
        return value
    return escape(str(value).encode("utf-8", "replace").decode(), quote=True)


def headline_of(rows: Sequence[Row], *, noted: bool) -> str:
    """One sentence for the whole: what is worst, in numbers."""
    if not rows:
        return "Nothing is set up yet."
    for verdict, one, many in (
        ("broken", "is broken", "are broken"),
        ("attention", "needs attention", "need attention"),
        ("unknown", "is not known of", "are not known of"),
    ):
        number = sum(row.verdict == verdict for row in rows)
        if number:
            if verdict == "unknown" and number == len(rows):
                return "How the sources are is not known."
            if len(rows) == 1:
                return f"The one source {one}."
            return f"{spelt(number).capitalize()} of {spelt(len(rows))} sources {one if number == 1 else many}."
    if noted:
        return "The settings need mending."
    if all(row.verdict == "waiting" for row in rows):
        return "Nothing has come yet."
    return "All is well."


def spelt(number: int) -> str:
    """A small number in words."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def items(texts: Iterable[object]) -> str:
    """List items."""
    return "".join(f"<li>{shown(text)}</li>" for text in texts)


def row_of(row: Row, now: datetime) -> str:
    """One source."""
    facts = (
        ("Last success", ago(row.success, now)),
        ("Lag", lag(row)),
        ("Rate", rate(row)),
        ("Cursor", cursor(row, now)),
        ("Outcomes", outcomes(row)),
        ("Dead letters", letters(row, now)),
        ("Drift", drift(row)),
    )
    return (
        f'<li class="row {row.verdict}">\n<div class="head"><h2>{shown(row.source)}</h2>'
        f'<p class="verdict"><svg viewBox="0 0 10 10" aria-hidden="true"><path d="{SHAPES[row.verdict]}"/></svg>'
        f'{WORDS[row.verdict]}</p><p class="origin">{shown(row.origin)}</p></div>\n'
        + (f'<ul class="why">{items(row.why)}</ul>\n' if row.why else "")
        + '<dl class="facts">'
        + "".join(
            f"<div{' class=none' if value == NONE else ''}><dt>{name}</dt><dd>{shown(value)}"
            f"{f'<small>{shown(more)}</small>' if more else ''}</dd></div>"
            for name, (value, more) in facts
        )
        + f"</dl>\n{details(row, now)}</li>\n"
    )


Fact = tuple[object, object]  # what is shown large, and small below


def time(when: datetime, words: str) -> Markup:
    """A moment that a machine can read too."""
    return Markup(f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{shown(words)}</time>')


def ago(when: datetime | None, now: datetime) -> Fact:
    """How long ago, and when."""
    if when is None:
        return NONE, ""
    passed = (now - when).total_seconds()
    words = f"{rough(passed)} ago" if passed >= 0 else f"in {rough(-passed)}"
    absolute = f"{when:%H:%M:%S} UTC" if when.date() == now.date() else f"{when:%-d %b %Y, %H:%M} UTC"
    return time(when, words), absolute


def lag(row: Row) -> Fact:
    """How old what came last was when it was shipped."""
    if row.lag is None:
        return NONE, ""
    return rough(row.lag), "newest event to shipped" if row.polled else "enqueued to shipped"


def rate(row: Row) -> Fact:
    """Records a second, or a minute or hour where they are few."""
    if row.rate is None or row.rate_over is None:
        return NONE, ""
    for unit, factor in (("s", 1), ("min", 60), ("h", 3_600)):
        if row.rate * factor >= 1 or unit == "h":
            break
    of = "" if row.polled else ", one instance"
    return f"{row.rate * factor:,.0f} /{unit}", f"in {rough(row.rate_over)}{of}"


def outcomes(row: Row) -> Fact:
    """What became of records since the last time but one."""
    if not row.outcomes:
        return NONE, ""
    found = row.outcomes
    rest = [f"{found[name]:,} {name.replace('_', '-')}" for name in found if name != "indexed" and found[name]]
    return f"{found.get('indexed', 0):,} indexed", ", ".join(rest)


def cursor(row: Row, now: datetime) -> Fact:
    """How far the cursor that is furthest behind has read."""
    if row.cursors is None:
        return "not known", ""
    if not row.cursors:
        return (NONE, "none yet") if row.polled else (NONE, "kept by the host")
    marks = [found.watermark for found in row.cursors if found.watermark]
    written = [found.updated for found in row.cursors if found.updated]
    number = f"{len(row.cursors)} cursors, " if len(row.cursors) > 1 else ""
    told = f"{number}written {rough((now - max(written)).total_seconds())} ago" if written else number.rstrip(", ")
    return (time(min(marks), f"{rough((now - min(marks)).total_seconds())} old") if marks else "begun"), told


def letters(row: Row, now: datetime) -> Fact:
    """Blobs of dead letters: each holds those of one batch."""
    found = row.letters
    if found is None:
        return "not known", ""
    if not found.blobs:
        return "none", ""
    more, newest = ("+", "") if found.more else ("", "")
    if found.newest and not found.more:  # its blob's name tells the hour
        hours = int((now - found.newest).total_seconds() // 3_600)
        newest = f", newest {rough(3_600 * hours)} ago" if hours else ", newest within the hour"
    return f"{found.blobs:,}{more} file{'' if found.blobs == 1 else 's'}", f"{size(found.bytes)}{more}{newest}"


def size(number: int) -> str:
    """Bytes in their largest fitting unit."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} B"


def drift(row: Row) -> Fact:
    """What is not mapped."""
    if row.drift is None:
        return "not known", ""
    if not row.drift.entries:
        return "none", ""
    fresh = f"{row.drift.fresh:,} new in a day" if row.drift.fresh else "none new in a day"
    return f"{row.drift.entries:,} unmapped", fresh


def details(row: Row, now: datetime) -> str:
    """Each cursor, and the newest drift."""
    lists = (
        ("Cursors", [cursor_line(found, now) for found in row.cursors or ()]),
        ("Newest drift", row.drift.newest if row.drift else ()),
    )
    return "".join(
        f"<details><summary>{name}</summary><ul>{items(lines)}</ul></details>\n" for name, lines in lists if lines
    )


def cursor_line(found: CursorFact, now: datetime) -> Markup:
    """One cursor in words."""
    if found.corrupt:
        return Markup(f"<code>{shown(found.name)}</code> {shown(found.corrupt)}")
    parts = [f"reads from {clock(found.watermark)}" if found.watermark else "has no watermark yet"]
    if found.updated:
        parts.append(f"written {ago(found.updated, now)[1]}")
    if found.busy:
        parts.append("being read")
    return Markup(f"<code>{shown(found.name)}</code> {shown(', '.join(parts))}")
