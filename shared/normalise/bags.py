"""Objects and lists of any shape, also as JSON or Python literals in text -> what an Elasticsearch field of type `flattened` takes."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import orjson

DEEPEST = 12  # levels in a flattened bag; Elasticsearch allows 20 below the field
LONGEST_KEY = 160  # characters: Elasticsearch refuses a path of 12 such keys (of 4 bytes) and a value (8,191 of 3 bytes) beyond 32,766 bytes
MOST_KEYS, MOST_REMEMBERED = 64, 1024  # of an object whose keys are remembered in lower case, and such objects
FIT_AFTER, MOST_FITTED = (
    50,
    256,
)  # objects with the same keys before a function is generated (about 0.3 ms), and such functions
LONGEST_REPR = 100_000  # characters of Python-literal text that are worth parsing
# What Python's parser has to say of text from outside (`1or 2`) goes nowhere: the text is then taken as it is.
warnings.filterwarnings("ignore", category=SyntaxWarning, module="<unknown>")
ESCAPE = re.compile(r"\\(?:[\\'\"nrtxuU]|(.))", re.DOTALL)  # group 1: an escape that `repr` never writes


def opened_text(value: str) -> Any:
    """The object or list that a text holds as JSON, or as a Python literal; None where it holds neither."""
    if value[0] not in "{[":
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        pass
    # Only escapes that `repr` writes: at others Python's parser prints a warning.
    if "'" in value and len(value) <= LONGEST_REPR and not any(escape[1] for escape in ESCAPE.finditer(value)):
        try:
            literal = ast.literal_eval(value)
            return orjson.loads(orjson.dumps(literal, option=orjson.OPT_NON_STR_KEYS))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    return None


def bag(value: Any, *, fit: bool = False) -> Any:
    """What a `flattened` field accepts: objects at the root, bounded depth, no key that is empty, too long or holds a zero byte; None where nothing is in it.

    fit: depth and keys are known to be good.
    """
    if value.__class__ is list:
        for item in value:
            if item.__class__ is not dict:
                value = {"values": value}
                break
    elif value.__class__ is not dict:
        return {"text": as_text(value)}
    if not value:
        return None
    return value if fit or fits(value, DEEPEST) else _plain(value, DEEPEST)


def lowered_bag(value: Any, column: str, issues: list[Any]) -> Any:  # noqa: ARG001  every converter takes the three
    """A bag whose keys come in either letter case -> the same with keys in lower case and without empty values: one spelling to search for."""
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


def fits(value: Any, levels: int) -> bool:
    """Whether an object or list is such that a `flattened` field takes it as it is."""
    if not levels:
        return False
    if value.__class__ is dict:
        for key in value:
            if not key or len(key) > LONGEST_KEY or "\x00" in key:
                return False
        value = value.values()
    for item in value:
        if (item.__class__ is dict or item.__class__ is list) and not fits(item, levels - 1):
            return False
    return True


def _plain(value: Any, levels: int) -> Any:
    """A copy that fits: what lies too deep becomes text, a key that is refused another one that the object does not have yet."""
    if value.__class__ is dict and levels:
        result: dict[str, Any] = {}
        for key, item in value.items():
            good = key.replace("\x00", "") or "(empty)"
            if len(good) > LONGEST_KEY or good in result or (good != key and good in value):
                digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]
                good = f"{good[: LONGEST_KEY - 20]} ({digest})"
            result[good] = _plain(item, levels - 1)
        return result
    if value.__class__ is list and levels:
        return [_plain(item, levels - 1) for item in value]
    return as_text(value) if value.__class__ is dict or value.__class__ is list else value


def as_text(value: Any) -> str:
    """Any JSON value as text: text itself, else its JSON."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # deeper than orjson writes
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
