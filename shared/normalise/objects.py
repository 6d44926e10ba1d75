"""Objects of a list, or one object, of an API -> the same with our fields' names and values of their kinds: what a column of objects is converted with.

Keys are looked for in any letter case. What becomes of an object's keys is worked out once for all objects that have the same keys in the
same order; for those that come often a function is generated, as for tables (`compile`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.normalise.bags import opened_text
from shared.normalise.convert import (
    CONVERTERS,
    LARGEST,
    LONGEST_PLACEHOLDER,
    PLACEHOLDERS,
    UNKNOWN_COLUMN,
    Issue,
    Issues,
    boolean,
    double,
    keyword,
    long,
)
from shared.normalise.mapping import Kind

MOST = 500  # objects of a list; the rest goes into the bag of what is not mapped
MOST_KEYS, MOST_REMEMBERED = 64, 512  # of an object whose keys are remembered, and such objects of one sort
LONGEST_KEYS = 2048  # characters of them
FIT_AFTER, MOST_FITTED = (
    50,
    128,
)  # objects with the same keys before a function is generated (about 0.5 ms), and such functions


class Found:
    """What comes up in the objects of one column besides their fields: values that would not convert, and by its path what has no field."""

    __slots__ = ("issues", "unknown")

    def __init__(self, issues: Issues) -> None:
        self.issues = issues
        self.unknown: dict[str, list[Any]] = {}

    def strange(self, path: str, value: Any) -> None:
        """Keep what has no field, together with its like."""
        if value is not None and value != "":
            self.unknown.setdefault(path, []).append(value)

    def report(self) -> None:
        """Hand on what has no field, as a column that is not known."""
        if self.unknown:
            self.issues.extend(Issue(path, UNKNOWN_COLUMN, values) for path, values in self.unknown.items())


# What a good value looks like; anything else goes through the converter.
GOOD: dict[Callable[[Any, str, Issues], Any], str] = {
    keyword: f"{{v}}.__class__ is str and (len({{v}}) > {LONGEST_PLACEHOLDER} or {{v}} not in PLACEHOLDERS)",
    boolean: "{v} is True or {v} is False",
    long: "{v}.__class__ is int and not {v} >> 63",
    double: f"{{v}}.__class__ is float and {-LARGEST!r} <= {{v}} <= {LARGEST!r}",
}

type Put = Callable[
    [dict[str, Any], str, Any, str, Any], None
]  # (object, field, value, path, found): puts what is no plain value
type Made = Callable[[Iterable[Any], str, Any], dict[str, Any]]  # (values, path, found) -> an object


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one key: its value is converted into a field, or `put` knows what to do."""

    key: str
    field: str
    converter: Callable[[Any, str, Issues], Any]
    put: Put | None = None


class Fields:
    """What one sort of object becomes.

    values: key in lower case -> (field, kind). objects: key in lower case -> (field, how the object or list there is put in). A converter
    for a column with a list of such objects.
    """

    def __init__(
        self, values: Mapping[str, tuple[str, Kind]], objects: Mapping[str, tuple[str, Put]] | None = None
    ) -> None:
        self._values = values
        self._objects = objects or {}
        self._known: dict[tuple[str, ...], tuple[Step, ...]] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._fitted: dict[tuple[str, ...], Made] = {}

    def __call__(self, value: Any, column: str, issues: Issues) -> list[dict[str, Any]] | None:
        """The objects of a list, of its JSON text, or of one object; None where there is none."""
        found = Found(issues)
        made = self.many(value, column, found)
        found.report()
        return made or None

    def many(self, value: Any, path: str, found: Any) -> list[dict[str, Any]]:
        """What each object of a list becomes; other members and those beyond `MOST` are kept as not known."""
        if value.__class__ is str and value:
            value = opened_text(value) or value
        made = []
        for place, member in enumerate(value if value.__class__ is list else (value,)):
            if member.__class__ is dict and place < MOST:
                if one := self.one(member, path, found):
                    made.append(one)
            else:
                found.strange(f"{path} (other)", member)
        return made

    def one(self, raw: Mapping[str, Any], path: str, found: Any) -> dict[str, Any]:
        """What one object becomes; empty where it says nothing."""
        keys = tuple(raw)
        made = self._fitted.get(keys) or self._fit(keys)
        return made(raw.values(), path, found)

    def _fit(self, keys: tuple[str, ...]) -> Made:
        """What to do with objects that have these keys; within bounds, because keys come from outside."""
        steps = self._known.get(keys)
        if steps is None:
            steps = tuple(self._step(key) for key in keys)
            if len(keys) > MOST_KEYS or sum(map(len, keys)) > LONGEST_KEYS:
                return partial(make, steps)
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
                self._seen.clear()
            self._known[keys] = steps
        self._seen[keys] += 1
        if self._seen[keys] < FIT_AFTER or len(self._fitted) >= MOST_FITTED:
            return partial(make, steps)
        return self._fitted.setdefault(keys, generated(steps))

    def _step(self, key: str) -> Step:
        plain = key.lower()
        if (value := self._values.get(plain)) is not None:
            return Step(key, value[0], CONVERTERS[value[1]])
        field, put = self._objects.get(plain, ("", unknown))
        return Step(key, field, keyword, put)


def make(steps: Iterable[Step], values: Iterable[Any], path: str, found: Any) -> dict[str, Any]:
    """What an object's values become, plainly; `generated` must agree with every word of this."""
    result: dict[str, Any] = {}
    for step, value in zip(steps, values, strict=True):
        if value is None or value == "":
            continue
        if step.put is not None:
            step.put(result, step.field, value, f"{path}.{step.key}", found)
        elif (converted := step.converter(value, f"{path}.{step.key}", found.issues)) is not None:
            result[step.field] = converted
    return result


def generated(steps: Sequence[Step]) -> Made:
    """A function that does what `make` does with these steps, in half the time."""
    scope: dict[str, Any] = {"PLACEHOLDERS": PLACEHOLDERS}
    lines = ["def made(values, path, found):", "    result = {}"]
    lines.append(f"    [{', '.join(f'v{n}' for n in range(len(steps)))}] = values")
    for n, step in enumerate(steps):
        v, field, at = f"v{n}", repr(step.field), f"path + {f'.{step.key}'!r}"
        scope |= {f"convert{n}": step.converter, f"put{n}": step.put}
        if step.put is not None:
            lines.append(f"    if {v} is not None and {v} != '': put{n}(result, {field}, {v}, {at}, found)")
            continue
        lines.append(f"    if {GOOD.get(step.converter, 'False').format(v=v)}: result[{field}] = {v}")
        lines.append(f"    elif {v} is not None and {v} != '':")
        lines.append(f"        {v} = convert{n}({v}, {at}, found.issues)")
        lines.append(f"        if {v} is not None: result[{field}] = {v}")
    exec("\n".join([*lines, "    return result"]), scope)  # noqa: S102  our own fields, and keys only as literals
    return scope["made"]  # type: ignore[no-any-return]  # made by exec


def unknown(result: dict[str, Any], field: str, value: Any, path: str, found: Any) -> None:  # noqa: ARG001  as every `Put`
    """Keep what has no field."""
    found.strange(path, value)


def listed(fields: Fields) -> Put:
    """A list of objects within an object."""

    def put(result: dict[str, Any], field: str, value: Any, path: str, found: Any) -> None:
        if made := fields.many(value, path, found):
            result[field] = made

    return put


def single(fields: Fields) -> Put:
    """An object within an object; anything else is kept as not known."""

    def put(result: dict[str, Any], field: str, value: Any, path: str, found: Any) -> None:
        if value.__class__ is not dict:
            found.strange(path, value)
        elif made := fields.one(value, path, found):
            result[field] = made

    return put
