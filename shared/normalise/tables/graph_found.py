"""What the items of an alert's evidence say, field by field: the values on their way to a document."""

from __future__ import annotations

from typing import Any

type Item = dict[str, Any]  # an item of evidence, or an object in one, as the shape made it
type Found = dict[
    str, Any
]  # every field -> its value, or None; several distinct values are the keys of a dict, in order

MOST = 1_000  # values kept of one field; all of them are in `evidence`
# Collections that most items add to, always dicts: `found[USERS][name] = None`. None among them is dropped in the end.
CATEGORIES, HASHES, HOSTS, IPS, USERS = COLLECTIONS = "#categories", "#hashes", "#hosts", "#ips", "#users"
# Not fields of their own: what a rule of the table decides on, the alert's serviceSource, and which fields have several values.
ACCOUNT, MALWARE, SERVICE, SEVERAL = "#account", "#malware", "#service", "#several"

_NOTHING: Item = {}  # never written to


def add(found: Found, field: str, value: Any) -> None:
    """One more value of a field, once; None is none."""
    if value is None:
        return
    known = found[field]
    if known is None:
        found[field] = value
    elif known.__class__ is dict:
        if len(known) < MOST:
            known[value] = None
    elif known != value:
        found[field] = {known: None, value: None}
        found[SEVERAL].append(field)


def fill(found: Found, fields: tuple[str, ...], values: tuple[Any, ...]) -> None:
    """`add` for each of some fields."""
    for field, value in zip(fields, values, strict=True):
        if value is not None:
            if found[field] is None:
                found[field] = value
            else:
                add(found, field, value)


def some(found: Found, field: str) -> Any:
    """The first value of a field."""
    known = found[field]
    return next(iter(known)) if known.__class__ is dict else known


def all_of(found: Found, field: str) -> list[Any]:
    """The values of a field."""
    known = found[field]
    return [*known] if known.__class__ is dict else [] if known is None else [known]


def each(value: Any) -> list[Any]:
    """A value that is a list by the documents, bounded."""
    return [] if value is None else value[:MOST] if value.__class__ is list else [value]


def within(item: Item, key: str) -> Item:
    """The object in an item, empty where there is none."""
    value = item.get(key)
    return value if value.__class__ is dict else _NOTHING


def raw(value: Any, key: str) -> Any:
    """What an object that came as it is (`flattened`) has under a key, if it is text or an object."""
    found = value.get(key) if value.__class__ is dict else None
    return found if found.__class__ is str or found.__class__ is dict else None
