"""The options of the `dead-letters` commands -> which letters are meant, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer

from shared.ship.dead_letter import DeadLetter, DeadLetters, Stored


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters a command is about; None means any."""

    codes: frozenset[str] | None
    source: str | None
    tables: frozenset[str] | None
    since: datetime | None
    until: datetime | None

    def takes(self, letter: DeadLetter) -> bool:
        """Whether one letter is meant."""
        when = datetime.fromisoformat(letter.when)
        return (
            (self.codes is None or letter.code in self.codes)
            and (self.source is None or letter.source == self.source)
            and (self.tables is None or letter.table in self.tables)
            and (self.since is None or when >= self.since)
            and (self.until is None or when < self.until)
        )


def wanted(
    code: list[str] | None, source: str | None, table: list[str] | None, since: str | None, until: str | None
) -> Wanted:
    """The options of a command as one value; a wrong time ends the program with a sentence."""
    return Wanted(
        frozenset(code) if code else None,
        source,
        frozenset(table) if table else None,
        moment(since, "--since"),
        moment(until, "--until"),
    )


def moment(text: str | None, option: str) -> datetime | None:
    """`90m`, `2h` or `7d` ago, or an ISO date or time (UTC unless it says otherwise)."""
    if text is None:
        return None
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdigit() and text[-1] in units:
        return datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[:-1])})
    try:
        result = datetime.fromisoformat(text)
    except ValueError:
        words = f"{text!r} is neither a time such as 2026-01-31T08:00 nor 90m, 2h or 7d."
        raise typer.BadParameter(words, param_hint=option) from None
    return result if result.tzinfo else result.replace(tzinfo=UTC)


def found(letters: DeadLetters, want: Wanted) -> Iterator[tuple[Stored, list[DeadLetter], list[DeadLetter]]]:
    """Per blob with at least one letter that is meant: the blob, those letters, and the others in it.

    The blobs are listed before the first is read: what a replay puts away again is not found by it.
    """
    for stored in list(letters.list(want.source)):
        meant: list[DeadLetter] = []
        others: list[DeadLetter] = []
        for letter in letters.read(stored):
            (meant if want.takes(letter) else others).append(letter)
        if meant:
            yield stored, meant, others
