"""Objects inside an API's object (evidence, devices, comments) -> the same with our field names and values of known kinds.

A shape says what an object may hold: Microsoft's key -> our field and the kind of its values, or a shape again. Lists stay lists, member by
member. What a shape does not know is reported under its path and carried, just as an unknown column is. `shaped` is what a shape means,
`shaping` the same, fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.normalise.convert import (
    CONVERTERS,
    LONGEST_PLACEHOLDER,
    PLACEHOLDERS,
    UNKNOWN_COLUMN,
    Issue,
    Issues,
    flattened,
    many,
)
from shared.normalise.mapping import OBJECTS, Kind, Row, Shape

type Objects = tuple[str, Shape] | tuple[str, Shape, bool]

DEEPEST = 20  # levels of objects and lists within one another; what lies deeper is refused
MANY = True  # third in a row of `shape_of`
LIST = "expected one value, got a list"
EMPTY = frozenset({str, list, dict})
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def shape_of(words: str, **objects: Objects) -> dict[str, Row]:
    """A shape out of words `key`, `key=field` or `key:kind` (both: `key=field:kind`), and of keys that hold objects.

    Without a field it is the key in snake case, without a kind `keyword`. A list is taken only where the word has a `*` before its kind, or
    an object's row ends in `MANY`; elsewhere it is refused as in a column, so that rules meet values and lists where they expect them.

    >>> shape_of("fileSize:long roles* rbacGroupId=rbac_group.id")
    {'fileSize': ('file_size', 'long', False), 'roles': ('roles', 'keyword', True), 'rbacGroupId': ('rbac_group.id', 'keyword', False)}
    """
    found: dict[str, Row] = {}
    for word in words.split():
        name, _, kind = word.partition(":")
        if kind and kind not in CONVERTERS:
            raise ValueError(f"{word}: {kind} is no kind of values")
        key, _, field = name.rstrip("*").partition("=")
        found[key] = (field or snake(key), kind or "keyword", name[-1] == "*")
    return found | {key: (row[0], row[1], len(row) == 3 and row[2]) for key, row in objects.items()}


def snake(key: str) -> str:
    """A key in snake case, as Elastic's packages name fields: `createdDateTime` -> `created_datetime`, `p2Sender` -> `p2_sender`."""
    return _WORD_BEGINS.sub("_", key).lower().replace("date_time", "datetime")


def shaped(value: Any, shape: Shape, path: str, issues: Issues, levels: int = DEEPEST) -> Any:
    """An object, or a list of objects, in our words; None where nothing is left. Bad values go to `issues`; nothing is raised."""
    if value is None or value == "":
        return None
    if not levels or not isinstance(value, dict | list):
        issues.append(Issue(path, "is not an object" if levels else "lies too deep", value))
        return None
    if isinstance(value, list):
        members: list[Any] = []
        for item in value:
            made = shaped(item, shape, path, issues, levels - 1)
            if made is not None:
                members += made if made.__class__ is list else [made]
        return members or None
    result: dict[str, Any] = {}
    for key, item in value.items():
        if item is None or item in ("", [], {}):
            continue
        row = shape.get(key)
        if row is None:
            issues.append(Issue(f"{path}.{key}", UNKNOWN_COLUMN, item))
            continue
        if item.__class__ is dict or (item.__class__ is list and item[0].__class__ is dict):
            row = shape.get(f"{key}{OBJECTS}", row)
        if item.__class__ is list and not takes_list(row):
            issues.append(Issue(f"{path}.{key}", LIST, item))
            continue
        made = (
            one_or_many(row[1], item, f"{path}.{key}", issues)
            if isinstance(row[1], str)
            else shaped(item, row[1], f"{path}.{key}", issues, levels - 1)
        )
        if made is not None:
            put(result, row[0], made)
    return result or None


def takes_list(row: Row) -> bool:
    """Whether a list may come where a row says what a value is; a bag takes any."""
    return len(row) == 2 or row[2] or row[1] == "flattened"


def one_or_many(kind: Kind, item: Any, path: str, issues: Issues) -> Any:
    """A value, or each of a list, converted to a kind."""
    one = CONVERTERS[kind]
    return many(one, item, path, issues) if item.__class__ is list and kind != "flattened" else one(item, path, issues)


def put(target: dict[str, Any], field: str, value: Any) -> None:
    """Set a field whose name may hold dots: `image_file.name` lies below `image_file`."""
    *path, leaf = field.split(".")
    for part in path:
        target = target.setdefault(part, {})
    target[leaf] = value


def fields_of(shape: Shape, root: str) -> Iterator[tuple[str, Kind]]:
    """Every field below `root` that an object of this shape can have, with its kind; a shape within itself is followed once."""
    return ((field, kind) for _, field, kind in paths_of(shape, "", root))


def paths_of(shape: Shape, path: str, root: str, seen: tuple[int, ...] = ()) -> Iterator[tuple[str, str, Kind]]:
    """The same, each with the path of its key below `path`."""
    for key, (field, kind, *_) in shape.items():
        below = f"{path}.{key.removesuffix(OBJECTS)}"
        if isinstance(kind, str):
            yield below, f"{root}.{field}", kind
        elif id(kind) not in seen:
            yield from paths_of(kind, below, f"{root}.{field}", (*seen, id(kind)))


def shaping(shape: Shape, path: str) -> Callable[[Any, Issues], Any]:
    """A function of (value, issues) that does what `shaped` does with this shape at this path, in less time: compiled tables call it."""
    return _Shaping(shape, path, (id(shape),)).whole


@dataclass(frozen=True, slots=True)
class _Within:
    """A shape that lies in itself: its path has no end, so it is not made ready."""

    shape: Shape
    path: str

    def any(self, value: Any, issues: Issues, levels: int) -> Any:
        """`shaped`."""
        return shaped(value, self.shape, self.path, issues, levels)


class _Shaping:
    """A shape made ready for one path: what is done with the values of each key."""

    __slots__ = ("path", "rows", "shape", "texts")

    def __init__(self, shape: Shape, path: str, within: tuple[int, ...]) -> None:
        self.shape = shape
        self.path = path
        # The common case: text that becomes a keyword, key -> field.
        self.texts = {key: row[0] for key, row in shape.items() if row[1] == "keyword" and "." not in row[0]}
        # Any: key -> objects that the field is in, field, path, converter or None, shape of the object there, whether a list may come.
        self.rows: dict[str, tuple[list[str], str, str, Any, _Shaping | _Within | None, bool]] = {}
        for key, row in shape.items():
            *objects, leaf = row[0].split(".")
            kind, below = row[1], f"{path}.{key.removesuffix(OBJECTS)}"
            if isinstance(kind, str):
                self.rows[key] = (objects, leaf, below, CONVERTERS[kind], None, takes_list(row))
            else:
                inner = _Within(kind, below) if id(kind) in within else _Shaping(kind, below, (*within, id(kind)))
                self.rows[key] = (objects, leaf, below, None, inner, takes_list(row))

    def whole(self, value: Any, issues: Issues) -> Any:
        """`shaped` of the value of a column."""
        return self.any(value, issues, DEEPEST)

    def any(self, value: Any, issues: Issues, levels: int) -> Any:
        """`shaped` of any value."""
        if value.__class__ is dict and levels:
            return self.object(value, issues, levels)
        if value.__class__ is not list or not levels:
            return shaped(value, self.shape, self.path, issues, levels)
        members: list[Any] = []
        for item in value:
            made = self.any(item, issues, levels - 1)
            if made is not None:
                members += made if made.__class__ is list else (made,)
        return members or None

    def object(self, value: dict[str, Any], issues: Issues, levels: int) -> Any:
        """`shaped` of an object."""
        result: dict[str, Any] = {}
        texts, rows = self.texts, self.rows
        for key, item in value.items():
            if item is None:
                continue
            kind = item.__class__
            if kind is str and key in texts:
                if len(item) > LONGEST_PLACEHOLDER or item not in PLACEHOLDERS:
                    result[texts[key]] = item
                continue
            if not item and kind in EMPTY:
                continue
            row = rows.get(key)
            if row is None:
                issues.append(Issue(f"{self.path}.{key}", UNKNOWN_COLUMN, item))
                continue
            if kind is dict or (kind is list and item[0].__class__ is dict):
                row = rows.get(f"{key}{OBJECTS}", row)
            objects, leaf, path, convert, inner, list_too = row
            if kind is list and not list_too:
                issues.append(Issue(path, LIST, item))
                continue
            if inner is not None:
                made = inner.any(item, issues, levels - 1)
            elif kind is list and convert is not flattened:
                made = many(convert, item, path, issues)
            else:
                made = convert(item, path, issues)
            if made is not None:
                target = result
                for name in objects:
                    target = target.setdefault(name, {})
                target[leaf] = made
        return result or None
