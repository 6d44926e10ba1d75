"""KQL becomes the query DSL that Kibana makes of it; what is outside of what we translate is refused, never guessed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.dashboards.kql import NotUnderstood, fields_of, to_query

A, B, C = ({"match": {"f": letter}} for letter in "abc")


def either(*queries: dict[str, Any]) -> dict[str, Any]:
    """Any of them."""
    return {"bool": {"should": list(queries), "minimum_should_match": 1}}


def both(*queries: dict[str, Any]) -> dict[str, Any]:
    """All of them."""
    return {"bool": {"filter": list(queries)}}


@pytest.mark.parametrize(
    ("kql", "query"),
    [
        ("", {"match_all": {}}),
        ("f: a", A),
        ('f: "a b"', {"match_phrase": {"f": "a b"}}),
        ("f: *", {"exists": {"field": "f"}}),
        ("f: a*", {"wildcard": {"f": {"value": "a*"}}}),
        (r"f: a\*", {"match": {"f": "a*"}}),
        ("f >= 73", {"range": {"f": {"gte": "73"}}}),
        ("f < 2", {"range": {"f": {"lt": "2"}}}),
        ("f: (a or b)", either(A, B)),
        ("f: (a and b)", both(A, B)),
        ("f: (a)", A),
        ("f: a or f: b and f: c", either(A, both(B, C))),
        ("(f: a or f: b) and f: c", both(either(A, B), C)),
        ("not f: a and f: b", both({"bool": {"must_not": [A]}}, B)),
        ("NOT (f: a OR f: b)", {"bool": {"must_not": [either(A, B)]}}),
        ('f.g-h: "x:(y)"', {"match_phrase": {"f.g-h": "x:(y)"}}),
        ("f: Microsoft.Security/secureScores", {"match": {"f": "Microsoft.Security/secureScores"}}),
    ],
)
def test_kql_becomes_a_query(kql: str, query: dict[str, Any]) -> None:
    """As Kibana translates it: `or` is weaker than `and`, `not` the strongest, a star alone asks whether there is a value."""
    assert to_query(kql) == query


@pytest.mark.parametrize("kql", ["word", "f:", "f: (a or", "f: (a or b and c)", 'f: "a', "f: a)", "(f: a", "f: a f: b", ": a", "not", "f: { g: a }"])  # fmt: skip
def test_what_is_not_translated_is_refused(kql: str) -> None:
    """Free text, broken queries and nested ones raise with a reason."""
    with pytest.raises(NotUnderstood):
        to_query(kql)


@given(st.text(alphabet='ab:()<>="* \\or.not ', max_size=40))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    """No text makes it fail in another way."""
    with suppress(NotUnderstood):
        assert isinstance(to_query(text), dict)


def test_fields_of_a_query() -> None:
    """Every field that is asked for is named, in every kind of question."""
    assert fields_of('a: 1 and (b: "x" or not c: *) and d >= 2 and e: (x* or y)') == {"a", "b", "c", "d", "e"}
