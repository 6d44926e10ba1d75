"""A nested object, as Microsoft's APIs and exports have them -> its values as columns, which are the paths that a table names.

A column is the path of a value as the API's documents spell it, whatever the object spells: `properties.status.code`. What no column names
comes under its own path, so that it is reported and kept. `Opener.open` says what that means; `Opener.read` gives the same values faster:
objects of one kind have few outlines (their keys in order, on every level that is opened), and what values an outline has is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.normalise.bags import opened_text

type Tree = dict[
    str, "str | Tree"
]  # key -> the column's name, or what lies below; by its usual spellings and in lower case

MOST_STEPS = 1024  # remembered of an opener: two to ten of them are an outline
LONGEST_STEP = 8192  # characters of an object's keys that are remembered


NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What objects with the same keys have in common, on every level that is opened.

    columns: of each value in the order of `Opener.read`; None for an object whose own values follow. unknown: the places of those that no
    table's column names.
    """

    columns: tuple[str | None, ...]
    unknown: tuple[int, ...]

    def strangers(self, values: list[Any]) -> dict[str, Any]:
        """The values that no table's column names, by their path; nobody may change it."""
        if not self.unknown:
            return NOTHING
        return {column: values[place] for place in self.unknown if (column := self.columns[place]) is not None}


class _Step:
    """What is known of objects once some of their keys have been seen: the next object to look into (its key in one seen before), or the outline."""

    __slots__ = ("key", "next", "outline", "parent")

    def __init__(self, parent: int, key: str | None, outline: Outline | None = None) -> None:
        self.parent = parent
        self.key = key
        self.outline = outline
        self.next: dict[tuple[str, ...] | None, _Step] = {}


class Opener:
    """How objects of one kind are opened.

    columns: paths with dots. within: a key below which an object may have the same columns as at its root.
    """

    def __init__(self, columns: Iterable[str], *, within: str | None = None) -> None:
        self._tree: Tree = {}
        for column in columns:
            _put(self._tree, column)
        if within is not None:
            self._tree |= {key: dict(self._tree) for key in _spellings(within)}
        self._first = _Step(0, None)
        self._steps = 0

    def open(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The values by column, and under their own path whatever is no column; nothing that is empty.

        The object is not changed, nothing is raised, and what is opened is bounded by the columns: everything below them stays as it is.
        """
        columns: dict[str, Any] = {}
        _open(value, self._tree, "", columns)
        return columns

    def read(self, value: Mapping[str, Any]) -> tuple[Outline | None, list[Any]]:
        """The object's outline, and its values in the order of the outline's columns, empty ones among them.

        No outline: the object has to be opened, since it spells a column twice, or has text or a list where an object belongs.
        """
        values = [*value.values()]
        step = self._first.next.get(tuple(value))
        if step is None:
            return self._learn(value)
        objects = [value]
        while step.key is not None:
            below = objects[step.parent][step.key]
            keys: tuple[str, ...] | None = None
            if below.__class__ is dict:
                values += below.values()
                keys = tuple(below)
                objects.append(below)
            elif below is not None:
                return None, values
            step = step.next.get(keys)
            if step is None:
                return self._learn(value)
        return step.outline, values

    def _learn(self, value: Mapping[str, Any]) -> tuple[Outline | None, list[Any]]:
        """What `read` says, and remember what the object looks like; within bounds, because keys come from outside."""
        if self._steps >= MOST_STEPS:
            self._first, self._steps = _Step(0, None), 0
        step = self._first
        keys: tuple[str, ...] | None = tuple(value)
        objects, tree, path = [value], self._tree, ""
        columns: list[str | None] = []
        unknown: list[int] = []
        values = [*value.values()]
        waiting: list[tuple[int, str, Tree, str]] = []  # objects to look into: parent, key, what is below, path
        while True:
            if sum(map(len, keys or ())) > LONGEST_STEP:
                return None, values
            for key in keys or ():
                below = tree.get(key) or tree.get(key.lower())
                if below is None:
                    unknown.append(len(columns))
                    columns.append(f"{path}{key}")
                elif isinstance(below, str):
                    columns.append(below)
                else:
                    columns.append(None)
                    waiting.append((len(objects) - 1, key, below, f"{path}{key}."))
            following = step.next.get(keys)
            if following is None:
                following = (
                    _Step(waiting[0][0], waiting[0][1]) if waiting else _Step(0, None, _outline(columns, unknown))
                )
                step.next[keys] = following
                self._steps += 1
            step = following
            if not waiting:
                return step.outline, values
            parent, key, tree, path = waiting.pop(0)
            found = objects[parent][key]
            keys = None
            if found.__class__ is dict:
                objects.append(found)
                values += found.values()
                keys = tuple(found)
            elif found is not None:
                return None, values


def _outline(columns: list[str | None], unknown: list[int]) -> Outline | None:
    """The outline of these columns; None where two values are of one column."""
    named = [column for column in columns if column is not None]
    return Outline(tuple(columns), tuple(unknown)) if len(set(named)) == len(named) else None


def _put(root: Tree, column: str) -> None:
    node = root
    *path, leaf = column.split(".")
    for part in path:
        below = node.get(part, {})
        if isinstance(below, str):
            raise TypeError(f"{column} lies below a column that holds a value")
        node |= dict.fromkeys(_spellings(part), below)
        node = below
    node |= dict.fromkeys(_spellings(leaf), column)


def _spellings(key: str) -> tuple[str, str, str]:
    """A key as documented, with a capital, and in lower case, which stands for all others."""
    return key, key[:1].upper() + key[1:], key.lower()


def _open(values: Mapping[str, Any], tree: Tree, path: str, columns: dict[str, Any]) -> None:
    """Put what lies in an object into columns."""
    for key, value in values.items():
        if value is None or value == "":
            continue
        below = tree.get(key) or tree.get(key.lower())
        if isinstance(below, str):
            if below in columns:  # both casings in one object
                columns[_free(f"{path}{key}", columns)] = value
            else:
                columns[below] = value
            continue
        if below is not None and value.__class__ is str and value[:1] == "{":
            value = opened_text(value) or value  # noqa: PLW2901  JSON in text stands for the object
        if below is not None and value.__class__ is dict:
            _open(value, below, f"{path}{key}.", columns)
        else:
            columns[_free(f"{path}{key}", columns)] = value


def _free(name: str, columns: Mapping[str, Any]) -> str:
    """A name that is not taken yet."""
    while name in columns:
        name += " (again)"
    return name
