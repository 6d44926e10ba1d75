"""Objects inside an API's object (evidence, devices, comments) -> the same with our field names and values of known kinds.

A shape says what an object may hold: Microsoft's key -> our field and the kind of its values, or a shape again. Lists stay lists, member by
member. What a shape does not know is reported under its path and carried, just as an unknown column is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.normalise.convert import CONVERTERS, UNKNOWN_COLUMN, Issue, Issues, many
from shared.normalise.mapping import Kind, Shape

DEEPEST = 20  # levels of objects and lists within one another; what lies deeper is refused


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
        member = shape.get(key)
        if member is None:
            issues.append(Issue(f"{path}.{key}", UNKNOWN_COLUMN, item))
            continue
        field, kind = member
        made = (
            one_or_many(kind, item, f"{path}.{key}", issues)
            if isinstance(kind, str)
            else shaped(item, kind, f"{path}.{key}", issues, levels - 1)
        )
        if made is not None:
            put(result, field, made)
    return result or None


def one_or_many(kind: Any, item: Any, path: str, issues: Issues) -> Any:
    """A value, or each of a list, converted to a kind."""
    one = CONVERTERS[kind]
    return many(one, item, path, issues) if item.__class__ is list and kind != "flattened" else one(item, path, issues)


def put(target: dict[str, Any], field: str, value: Any) -> None:
    """Set a field whose name may hold dots: `image_file.name` lies below `image_file`."""
    *path, leaf = field.split(".")
    for part in path:
        target = target.setdefault(part, {})
    target[leaf] = value


def fields_of(shape: Shape, root: str, seen: tuple[int, ...] = ()) -> Iterator[tuple[str, Kind]]:
    """Every field below `root` that an object of this shape can have, with its kind; a shape within itself is followed once."""
    for field, kind in shape.values():
        if isinstance(kind, str):
            yield f"{root}.{field}", kind
        elif id(kind) not in seen:
            yield from fields_of(kind, f"{root}.{field}", (*seen, id(kind)))
