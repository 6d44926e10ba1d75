"""Compile a table to one function: the fast meaning of what `interpret` says plainly; `source` writes it.

The source is handed to `linecache`, so that tracebacks and debuggers show it; `make show TABLE=DeviceProcessEvents` prints it.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from typing import Any, Protocol
from zlib import crc32

from shared.normalise.categories import ACTIONS
from shared.normalise.convert import CONVERTERS, ISO_LENGTHS, Issues, fromisoformat, many
from shared.normalise.interpret import Row, classify, constants, nest, unknown_columns
from shared.normalise.mapping import Action, Table
from shared.normalise.members import check, members_of
from shared.normalise.shapes import shaping
from shared.normalise.source import Presence, lines


class Normalise(Protocol):
    """A compiled table: (properties, envelope, issues) -> document."""

    def __call__(self, properties: Row, envelope: Row, issues: Issues, /) -> dict[str, Any]:
        """The document of one record."""


class NormaliseFitted(Protocol):
    """A table compiled for one presence: (properties, envelope, issues, values) -> document; None, and no issue, for a record without it.

    values: in the order of the presence's columns. properties: only looked at for what is no column of the table.
    """

    def __call__(
        self, properties: Row, envelope: Row, issues: Issues, values: Sequence[Any], /
    ) -> dict[str, Any] | None:
        """The document of one record, if it has what was promised."""


type Kind = tuple[list[str] | None, list[str], str | None]  # event.category, event.type, event.outcome

MOST_LOOKED_THROUGH = 8  # members of a list that are looked for in another one by one
MOST_ACTIONS = 4_096  # spellings of actions that are remembered
LONGEST_SHOWN = 80  # characters of a table's name in a traceback; an unknown table's comes from outside


def compile_table(table: Table, *, duplicates: bool = False, namespace: str = "default") -> Normalise:
    """The function of one table, for any record; `duplicates` keeps vendor fields that ECS fields repeat.

    Documents of one table share what is the same in all of them: the objects `ecs` and `data_stream`, and lists of categories. Nobody
    may change those. The properties and the envelope are not changed.
    """
    return _compiled(table, None, duplicates=duplicates, namespace=namespace)  # type: ignore[no-any-return]  # made by exec


def compile_fitted(
    table: Table, presence: Presence, *, duplicates: bool = False, namespace: str = "default"
) -> NormaliseFitted:
    """The function of one table for records with one presence; all else as `compile_table`."""
    return _compiled(table, presence, duplicates=duplicates, namespace=namespace)  # type: ignore[no-any-return]  # made by exec


def _compiled(table: Table, presence: Presence | None, *, duplicates: bool, namespace: str) -> Any:
    shown = "".join(character if character.isprintable() else "?" for character in table.name[:LONGEST_SHOWN])
    fitted = "" if presence is None else f" of columns {crc32(repr(presence.columns).encode('utf-8', 'replace')):08x}"
    name = f"<normalise {shown}{' with duplicates' if duplicates else ''}{fitted}>"
    source = "\n".join(lines(table, duplicates=duplicates, presence=presence)) + "\n"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    actions = {action: _kind(kind) for action, kind in ACTIONS.get(table.name, {}).items()}
    no_action = _kind(classify(table, None, []))

    def unknown(action: str | None, issues: Issues) -> Kind:
        before = len(issues)
        kind = classify(table, action, issues)
        if len(issues) > before or action is None:
            return no_action
        known = _kind(kind)
        if len(action) < LONGEST_SHOWN and len(actions) < MOST_ACTIONS:
            actions[action] = known  # in another spelling, or of a table in which none is unknown
        return known

    shared = nest(constants(table, namespace))
    scope: dict[str, Any] = {
        "known": table.known.issuperset,
        "KNOWN": table.known,
        "ECS": shared["ecs"],
        "DATA_STREAM": shared["data_stream"],
        "ACTIONS": actions,
        "NO_ACTION": no_action,
        "unknown": unknown,
        "unknown_columns": unknown_columns,
        "check": check,
        "ISO_LENGTHS": ISO_LENGTHS,
        "fromisoformat": fromisoformat,
        "many": many,
        "together": together,
        **{f"rule{n}": rule.function for n, rule in enumerate(table.rules)},
    }
    scope |= {str(kind): converter for kind, converter in CONVERTERS.items()}
    for n, column in enumerate(table.columns):
        if column.converter is not None:
            scope[f"convert_c{n}"] = column.converter
        if column.shape is not None:
            scope[f"shape_c{n}"] = shaping(column.shape, column.source)
        if (members := members_of(table.name, column.source)) is not None:
            scope |= {f"members_c{n}": members, f"spelled_c{n}": members.spelled}
    exec(compile(source, name, "exec"), scope)  # noqa: S102  our own tables only, never input
    return scope["normalise"]


def _kind(kind: Action) -> Kind:
    """category, type and outcome as the generated code unpacks them; the lists are shared by documents and never changed."""
    return list(kind.category) or None, list(kind.type), kind.outcome


def together(members: list[Any], more: list[Any]) -> list[Any]:
    """The members of both lists, each once, in order. The lists are mostly short: looking through them is faster than hashing."""
    if len(more) > MOST_LOOKED_THROUGH:
        return list(dict.fromkeys([*members, *more]))
    for member in more:
        if member not in members:
            members.append(member)
    return members
