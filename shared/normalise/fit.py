"""Records with the same columns -> what else they have in common, and the function that is compiled for it.

Records of a table mostly come with the same columns, of which many always have a good value, and others never one (Windows' columns of
Linux devices). A function that may rely on that is faster by a fifth than one for any record. What was learnt from some records need
not hold for the next ones: the function then gives way, and when it has done so often, a weaker promise is compiled anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.normalise.compile import NormaliseFitted
from shared.normalise.convert import CONVERTERS, ISO_LENGTHS, Issues, fromisoformat
from shared.normalise.interpret import Row
from shared.normalise.mapping import Kind, Table
from shared.normalise.source import Columns, Presence, plain, unless_good

LEARN_FROM = 100  # records that are looked at before a function is compiled, and again before it is compiled anew
MOST_COMPILED = 4  # functions for one set of columns, each with a weaker promise than the one before


def _good(kind: Kind) -> Callable[[Any], bool]:
    """Whether a value is good as it comes: what the compiled functions ask, in their words."""
    scope: dict[str, Any] = {"ISO_LENGTHS": ISO_LENGTHS, "fromisoformat": fromisoformat, str(kind): CONVERTERS[kind]}
    source = "\n".join(["def good(v):", *unless_good(kind, "v", "return False"), "    return True"])
    exec(source, scope)  # noqa: S102  our own text only, never input
    return scope["good"]  # type: ignore[no-any-return]  # made by exec


GOOD = {kind: _good(kind) for kind in CONVERTERS}


def not_fitted(properties: Row, envelope: Row, issues: Issues, values: Sequence[Any], /) -> None:
    """What stands in until a function is compiled: no record has what it promises."""


class Fitted:
    """The function for one set of columns of a table, and what it is made from."""

    __slots__ = ("_columns", "_compile", "_empty", "_full", "_seen", "function")

    def __init__(self, table: Table, columns: Columns, compile_fitted: Callable[[Presence], NormaliseFitted]) -> None:
        """columns: in the order of a record's values. compile_fitted: makes the function of the table for a presence."""
        self.function: NormaliseFitted = not_fitted
        self._columns = columns
        self._compile = compile_fitted
        self._seen = 0
        there = [column for column in table.columns if column.source[0] == "/" or column.source in columns]
        self._full = {column.source: GOOD[column.kind] for column in there if plain(column)}
        self._empty = {column.source for column in there}

    def learn(self, values: Sequence[Any], envelope: Row) -> None:
        """Look at a record that the function did not take, and compile another function when so many have come."""
        if self._seen >= LEARN_FROM * MOST_COMPILED:
            return
        row = dict(zip(self._columns, values, strict=True))

        def value(source: str) -> Any:
            return envelope.get(source[1:]) if source[0] == "/" else row.get(source)

        self._full = {source: good for source, good in self._full.items() if good(value(source))}
        self._empty = {source for source in self._empty if value(source) is None}
        self._seen += 1
        if self._seen % LEARN_FROM == 0:
            self.function = self._compile(Presence(self._columns, frozenset(self._full), frozenset(self._empty)))
