"""Objects and lists of any shape, also as JSON or Python literals in text -> what an Elasticsearch field of type `flattened` takes."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from typing import Any

import orjson

DEEPEST = 12  # levels in a flattened bag; Elasticsearch allows 20 below the field
LONGEST_KEY = 160  # characters: Elasticsearch refuses a path of 12 such keys (of 4 bytes) and a value (8,191 of 3 bytes) beyond 32,766 bytes
SHORT = 1_024  # characters of JSON text whose keys, all in one path, are far from that limit
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
