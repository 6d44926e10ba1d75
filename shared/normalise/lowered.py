"""Bags whose keys come in either letter case -> the same with keys in lower case and without empty values, so that one spelling has to be searched for.

What becomes of an object's keys is worked out once for all objects that have the same keys; for those that come often a function is
generated, as for tables (`compile`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from shared.normalise.bags import DEEPEST, bag, fits, opened_text

MOST_KEYS, MOST_REMEMBERED = 64, 1024  # of an object whose keys are remembered, and such objects
FIT_AFTER = 50  # objects with the same keys, before a function is generated: that takes 0.3 ms
MOST_FITTED = 256  # such functions


def lowered_bag(value: Any, column: str, issues: list[Any]) -> Any:  # noqa: ARG001  every converter takes the three
    """A converter for a column with such a bag, or with its JSON text."""
    if value is None or value == "":
        return None
    if value.__class__ is str:
        opened = opened_text(value)
        if opened is None:
            return {"text": value}
        value = opened
    try:
        quick = _lowered(value, DEEPEST - 1)
    except KeyError:
        return bag(lowered(value))
    return bag(quick, fit=True)


def lowered(value: Any, levels: int = DEEPEST) -> Any:
    """A copy with keys in lower case and without empty values; where two keys become one, the second keeps its case. Deeper levels stay."""
    if not levels:
        return value
    if value.__class__ is dict:
        result: dict[str, Any] = {}
        for key, item in value.items():
            if item is None or item == "":
                continue
            plain = key.lower()
            if plain in result or (plain != key and plain in value):
                plain = key
            result[plain] = lowered(item, levels - 1) if item.__class__ is dict or item.__class__ is list else item
        return result
    if value.__class__ is list:
        return [
            lowered(item, levels - 1) if item.__class__ is dict or item.__class__ is list else item for item in value
        ]
    return value


type Lowering = Callable[[Iterable[Any], int], dict[str, Any]]  # (values, levels) -> an object

_plain_keys: dict[
    tuple[str, ...], tuple[str, ...]
] = {}  # keys -> the same in lower case, of objects that can be lowered quickly
_seen: Counter[tuple[str, ...]] = Counter()
_fitted: dict[tuple[str, ...], Lowering] = {}


def _lowered(value: Any, levels: int) -> Any:
    """What `lowered` and `bag` make of an ordinary object or list; raises KeyError for any other."""
    if not levels:
        raise KeyError
    if value.__class__ is dict:
        keys = tuple(value)
        made = _fitted.get(keys)
        return _fit(keys)(value.values(), levels - 1) if made is None else made(value.values(), levels - 1)
    if value.__class__ is list:
        for item in value:
            if item.__class__ is dict or item.__class__ is list:
                return [
                    _lowered(item, levels - 1) if item.__class__ is dict or item.__class__ is list else item
                    for item in value
                ]
    return value


def _fit(keys: tuple[str, ...]) -> Lowering:
    """What lowers objects with these keys: a generated function if they come often; within bounds, because keys come from outside."""
    plain = _plain_keys.get(keys)
    if plain is None:
        plain = tuple(map(str.lower, keys))
        if len(set(plain)) < len(plain) or not fits(dict.fromkeys(plain), 1):
            raise KeyError(keys)
        if len(keys) > MOST_KEYS:
            return partial(_lower, plain)
        if len(_plain_keys) >= MOST_REMEMBERED:
            _plain_keys.clear()
            _seen.clear()
        _plain_keys[keys] = plain
    _seen[keys] += 1
    if _seen[keys] < FIT_AFTER or len(_fitted) >= MOST_FITTED:
        return partial(_lower, plain)
    return _fitted.setdefault(keys, _generated(plain))


def _lower(plain: tuple[str, ...], values: Iterable[Any], levels: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in zip(plain, values, strict=True):
        if item.__class__ is dict or item.__class__ is list:
            result[key] = _lowered(item, levels)
        elif item is not None and item != "":
            result[key] = item
    return result


def _generated(plain: tuple[str, ...]) -> Lowering:
    """A function that does what `_lower` does with these keys, in two thirds of the time."""
    lines = [
        "def lower(values, levels):",
        "    result = {}",
        f"    [{', '.join(f'v{n}' for n in range(len(plain)))}] = values",
    ]
    for n, key in enumerate(plain):
        target, v = f"result[{key!r}]", f"v{n}"
        lines += [
            f"    if {v}.__class__ is str:",
            f"        if {v}: {target} = {v}",
            f"    elif {v}.__class__ is dict or {v}.__class__ is list: {target} = lowered({v}, levels)",
            f"    elif {v} is not None: {target} = {v}",
        ]
    scope: dict[str, Any] = {"lowered": _lowered}
    exec("\n".join([*lines, "    return result"]), scope)  # noqa: S102  keys from outside only as literals
    return scope["lower"]  # type: ignore[no-any-return]  # made by exec
