"""Kibana's query language, as much of it as our panels use -> Elasticsearch's query DSL.

Fields with values, lists of values in brackets, `*` alone (exists) and inside a value (wildcard), comparisons, and/or/not and
brackets; as Kibana does it, `or` binds weaker than `and` and `not` the strongest. Free text without a field is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Query = dict[str, Any]
TOKEN = re.compile(r'\s*(?:(?P<sign>>=|<=|[():<>])|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>(?:[^\s():<>"\\]|\\.)+))')
COMPARISONS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


class NotUnderstood(ValueError):
    """A query that is outside of what we translate."""


def to_query(kql: str) -> Query:
    """The query that a KQL text stands for; an empty text matches everything.

    Raises NotUnderstood where the text is broken or uses more of KQL than this module knows.
    """
    reader = _Reader(list(_tokens(kql)))
    if not reader.rest:
        return {"match_all": {}}
    query = reader.either()
    if reader.rest:
        raise NotUnderstood(f"{kql}: {reader.rest[0][1]!r} was not expected")
    return query


def fields_of(kql: str) -> set[str]:
    """The fields that a query names."""
    found: set[str] = set()

    def walk(node: object, kind: str = "") -> None:
        if isinstance(node, list):
            for item in node:
                walk(item, kind)
        elif isinstance(node, dict):
            for key, value in node.items():
                if kind in ("match", "match_phrase", "range", "wildcard"):
                    found.add(key)
                elif kind == "exists":
                    found.add(str(value))
                else:
                    walk(value, key)

    walk(to_query(kql))
    return found


def _tokens(kql: str) -> Iterator[tuple[str, str]]:
    place = 0
    while kql[place:].strip():
        match = TOKEN.match(kql, place)
        if match is None:
            raise NotUnderstood(f"{kql}: a quote is not closed")
        kind = str(match.lastgroup)
        yield kind, match[kind]
        place = match.end()


class _Reader:
    """A recursive descent over the tokens."""

    def __init__(self, rest: list[tuple[str, str]]) -> None:
        self.rest = rest

    def take(self, *signs: str) -> str | None:
        """The next token if it is one of these signs or, in any case, words."""
        if self.rest and self.rest[0][0] != "text" and self.rest[0][1].lower() in signs:
            return self.rest.pop(0)[1].lower()
        return None

    def either(self) -> Query:
        """Terms with `or` between them."""
        found = [self.both()]
        while self.take("or"):
            found.append(self.both())
        return _bool("should", found)

    def both(self) -> Query:
        """Terms with `and` between them."""
        found = [self.one()]
        while self.take("and"):
            found.append(self.one())
        return _bool("filter", found)

    def one(self) -> Query:
        """A negation, a bracket, or a field."""
        if self.take("not"):
            return {"bool": {"must_not": [self.one()]}}
        if self.take("("):
            query = self.either()
            self.close()
            return query
        kind, name = self.next()
        if kind != "word":
            raise NotUnderstood(f"{name!r}: a field is expected")
        sign = self.take(":", *COMPARISONS)
        if sign is None:
            raise NotUnderstood(f"{name!r}: text without a field is not translated")
        if sign != ":":
            return {"range": {name: {COMPARISONS[sign]: _unescaped(self.next()[1])}}}
        return self.values(name)

    def values(self, name: str) -> Query:
        """What comes after `field:`, a value or values in brackets."""
        if not self.take("("):
            return _value(name, *self.next())
        found, sign = [_value(name, *self.next())], None
        while joined := self.take("or", "and"):
            if sign not in (None, joined):
                raise NotUnderstood(f"{name}: or and and in one list")
            sign = joined
            found.append(_value(name, *self.next()))
        self.close()
        return _bool("filter" if sign == "and" else "should", found)

    def next(self) -> tuple[str, str]:
        """Any token that is a word or text."""
        if not self.rest or self.rest[0][0] == "sign":
            raise NotUnderstood("a value is expected")
        return self.rest.pop(0)

    def close(self) -> None:
        """A closing bracket."""
        if not self.take(")"):
            raise NotUnderstood("a bracket is not closed")


def _bool(clause: str, found: list[Query]) -> Query:
    """One clause of several, or the only one as it is."""
    if len(found) == 1:
        return found[0]
    return {"bool": {clause: found, **({"minimum_should_match": 1} if clause == "should" else {})}}


def _value(name: str, kind: str, text: str) -> Query:
    if kind == "text":
        return {"match_phrase": {name: _unescaped(text)}}
    if text == "*":
        return {"exists": {"field": name}}
    if re.search(r"(?<!\\)\*", text):
        return {"wildcard": {name: {"value": text}}}
    return {"match": {name: _unescaped(text)}}


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
