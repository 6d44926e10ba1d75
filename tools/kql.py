"""A small part of KQL -> the query DSL that Kibana makes of it, and the same condition in ES|QL.

    field: value    field: "a phrase"    field: *    field: *part*    field: (one or two)    field >= 5    and, or, not, ( )

What lies outside it raises ValueError; fields always have a name, and wildcards stand in values without quotes only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign><=|>=|[:<>()])|(?P<word>[^\s"():<>]+))')
RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
NUMBERS = ("long", "double", "float", "integer")
ADDRESS_RANGE = re.compile(r"[0-9a-fA-F.:]+/\d+")


@dataclass(frozen=True, slots=True)
class Is:
    """A field has a value: `*` any at all; with `*` in it, and not quoted, one that looks like it."""

    field: str
    value: str
    quoted: bool = False

    @property
    def pattern(self) -> bool:
        """Whether the value has wildcards."""
        return "*" in self.value and not self.quoted


@dataclass(frozen=True, slots=True)
class Compare:
    """A field's value is less or more than another."""

    field: str
    sign: str
    value: str


@dataclass(frozen=True, slots=True)
class Each:
    """All of some conditions (`and`), or at least one (`or`)."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that does not hold."""

    part: Node


type Node = Is | Compare | Each | Not


@dataclass(slots=True)
class Tokens:
    """What is left of a query: (kind, text) of each token."""

    left: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Tokens:
        """Cut a query; raises ValueError where something can not be read."""
        found, at = cls(), 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"can not read KQL from here on: {text[at:]}")
            found.left.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        return found

    def next_is(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or words."""
        return bool(self.left) and self.left[0][0] != "quoted" and self.left[0][1].lower() in texts

    def take(self, *texts: str) -> tuple[str, str]:
        """The next token, which has to be one of these if any are given."""
        if not self.left or (texts and not self.next_is(*texts)):
            raise ValueError(f"KQL has {self.left[:1] or 'its end'} where it should have {texts or 'a value'}")
        return self.left.pop(0)


def parse(text: str) -> Node:
    """A query's tree."""
    tokens = Tokens.of(text)
    found = _each(tokens, "or", lambda: _each(tokens, "and", lambda: _negated(tokens)))
    if tokens.left:
        raise ValueError(f"KQL goes on behind its end: {tokens.left[0][1]}")
    return found


def _each(tokens: Tokens, word: str, part: Callable[[], Node]) -> Node:
    parts = [part()]
    while tokens.next_is(word):
        tokens.take()
        parts.append(part())
    return Each(word, tuple(parts)) if len(parts) > 1 else parts[0]


def _negated(tokens: Tokens) -> Node:
    if tokens.next_is("not"):
        tokens.take()
        return Not(_negated(tokens))
    if tokens.next_is("("):
        tokens.take()
        found = _each(tokens, "or", lambda: _each(tokens, "and", lambda: _negated(tokens)))
        tokens.take(")")
        return found
    name, sign = tokens.take()[1], tokens.take(":", *RANGES)[1]
    if sign != ":":
        return Compare(name, sign, tokens.take()[1].strip('"'))
    if not tokens.next_is("("):
        return _value(name, tokens)
    tokens.take()
    found = _each(tokens, "or", lambda: _value(name, tokens))
    tokens.take(")")
    return found


def _value(name: str, tokens: Tokens) -> Node:
    kind, text = tokens.take()
    return Is(name, json.loads(text), quoted=True) if kind == "quoted" else Is(name, text)


def fields_of(node: Node) -> Iterator[str]:
    """Every field that a query names."""
    if isinstance(node, Each):
        for part in node.parts:
            yield from fields_of(part)
    elif isinstance(node, Not):
        yield from fields_of(node.part)
    else:
        yield node.field


def dsl(node: Node) -> dict[str, Any]:
    """The query DSL."""
    if isinstance(node, Each):
        parts = [dsl(part) for part in node.parts]
        if node.word == "and":
            return {"bool": {"filter": parts}}
        return {"bool": {"should": parts, "minimum_should_match": 1}}
    if isinstance(node, Not):
        return {"bool": {"must_not": [dsl(node.part)]}}
    if isinstance(node, Compare):
        return {"range": {node.field: {RANGES[node.sign]: node.value}}}
    if node.value == "*" and not node.quoted:
        return {"exists": {"field": node.field}}
    if node.pattern:
        return {"wildcard": {node.field: {"value": node.value}}}
    return {"match_phrase" if node.quoted else "match": {node.field: node.value}}


def esql(node: Node, type_of: Callable[[str], str], several: Callable[[str], bool]) -> str:
    """The condition of ES|QL's WHERE. type_of: a field's type; several: whether it may hold more than one value.

    `==` is null for several values, so such a field is compared by `:`, as KQL does; and null for none, which `not` has to count as false.
    Raises ValueError for what `:` can not say.
    """
    if isinstance(node, Each):
        same = _one_of(node, type_of, several)
        if same is not None:
            return same
        parts = [esql(part, type_of, several) for part in node.parts]
        return f" {node.word.upper()} ".join(
            f"({part})" if " OR " in part and node.word == "and" else part for part in parts
        )
    if isinstance(node, Not):
        return f"NOT COALESCE({esql(node.part, type_of, several)}, false)"
    kind = type_of(node.field)
    if isinstance(node, Compare):
        return f"{node.field} {node.sign} {_literal(node.value, kind)}"
    if node.value == "*" and not node.quoted:
        return f"{node.field} IS NOT NULL"
    if node.pattern and several(node.field):
        raise ValueError(f"{node.field} may hold several values: ES|QL has no wildcards for it")
    if node.pattern:
        return f"{node.field} LIKE {json.dumps(node.value)}"
    if kind == "ip" and ADDRESS_RANGE.fullmatch(node.value):
        return f"CIDR_MATCH({node.field}, {json.dumps(node.value)})"
    return f"{node.field} {':' if several(node.field) else '=='} {_literal(node.value, kind)}"


def _one_of(node: Each, type_of: Callable[[str], str], several: Callable[[str], bool]) -> str | None:
    """`field IN (…)`, or one CIDR_MATCH, for the values of one field that has one; None where it is not so simple."""
    values = [part for part in node.parts if isinstance(part, Is) and not part.pattern]
    name = values[0].field if values else ""
    if node.word == "and" or len(values) < len(node.parts) or any(one.field != name for one in values) or several(name):
        return None
    literals = ", ".join(_literal(one.value, type_of(name)) for one in values)
    ranges = [bool(ADDRESS_RANGE.fullmatch(one.value)) for one in values]
    if type_of(name) == "ip" and all(ranges):
        return f"CIDR_MATCH({name}, {literals})"
    return None if any(ranges) else f"{name} IN ({literals})"


def _literal(value: str, kind: str) -> str:
    return value if kind in NUMBERS or (kind == "boolean" and value in ("true", "false")) else json.dumps(value)
