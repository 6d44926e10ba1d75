"""Recipes: a small KQL means what Kibana makes of it, and every question of docs/recipes.md finds something in the demo's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.elasticsearch import LocalElasticsearch
from shared.normalise.latest import texts
from tools import kql
from tools.recipes import FUNCTIONS, RECIPES, Recipe

TYPES = {"ip": "ip", "port": "long", "name": "keyword", "path": "wildcard", "many": "keyword", "on": "boolean"}


@pytest.mark.parametrize(
    ("text", "query", "condition"),
    [
        ("name: a", {"match": {"name": "a"}}, 'name == "a"'),
        ('name: "a \\"b\\" and c"', {"match_phrase": {"name": 'a "b" and c'}}, 'name == "a \\"b\\" and c"'),
        ('name: "*"', {"match_phrase": {"name": "*"}}, 'name == "*"'),
        ("name: *", {"exists": {"field": "name"}}, "name IS NOT NULL"),
        ("path: *x*", {"wildcard": {"path": {"value": "*x*"}}}, 'path LIKE "*x*"'),
        ("port >= 5", {"range": {"port": {"gte": "5"}}}, "port >= 5"),
        ("on: true", {"match": {"on": "true"}}, "on == true"),
        ("many: a", {"match": {"many": "a"}}, 'many : "a"'),
        ('ip: "10.0.0.0/8"', {"match_phrase": {"ip": "10.0.0.0/8"}}, 'CIDR_MATCH(ip, "10.0.0.0/8")'),
        (
            "port: (1 or 2)",
            {"bool": {"should": [{"match": {"port": "1"}}, {"match": {"port": "2"}}], "minimum_should_match": 1}},
            "port IN (1, 2)",
        ),
        ("not name: a", {"bool": {"must_not": [{"match": {"name": "a"}}]}}, 'NOT COALESCE(name == "a", false)'),
        (
            "name: a or name: b and not port < 3",
            {
                "bool": {
                    "should": [
                        {"match": {"name": "a"}},
                        {
                            "bool": {
                                "filter": [
                                    {"match": {"name": "b"}},
                                    {"bool": {"must_not": [{"range": {"port": {"lt": "3"}}}]}},
                                ]
                            }
                        },
                    ],
                    "minimum_should_match": 1,
                }
            },
            'name == "a" OR name == "b" AND NOT COALESCE(port < 3, false)',
        ),
        (
            "(name: a or port: 1) and on: false",
            {
                "bool": {
                    "filter": [
                        {
                            "bool": {
                                "should": [{"match": {"name": "a"}}, {"match": {"port": "1"}}],
                                "minimum_should_match": 1,
                            }
                        },
                        {"match": {"on": "false"}},
                    ]
                }
            },
            '(name == "a" OR port == 1) AND on == false',
        ),
    ],
)
def test_kql_means_what_kibana_makes_of_it(text: str, query: dict[str, Any], condition: str) -> None:
    """Values, phrases, wildcards, ranges, lists, and what binds closer, as query DSL and as ES|QL."""
    node = kql.parse(text)
    assert kql.dsl(node) == query
    assert kql.esql(node, TYPES.__getitem__, lambda name: name == "many") == condition


@pytest.mark.parametrize(
    "text", ["", "name", "name: ", "name: (a or", "name: a b", "(name: a", "and name: a", 'name: "a']
)
def test_what_is_no_kql_is_told(text: str) -> None:
    """Never a query that means something else."""
    with pytest.raises(ValueError, match="KQL"):
        kql.parse(text)


def test_several_values_have_no_wildcards_in_esql() -> None:
    """It would be null for every document."""
    with pytest.raises(ValueError, match="several values"):
        kql.esql(kql.parse("many: a*"), TYPES.__getitem__, lambda name: name == "many")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_every_field_of_a_recipe_is_in_the_templates(recipe: Recipe) -> None:
    """With a type that can do what the recipe does with it."""
    for name in recipe.named():
        assert recipe.type_of(name) not in ("flattened", "object", "nested"), name
    for name in recipe.by:
        assert "text" not in recipe.type_of(name), name
    for metric in recipe.metrics:
        assert metric.kind in FUNCTIONS
        assert not recipe.several(metric.field), metric.field
        assert metric.kind == "unique" or recipe.type_of(metric.field) in ("date", "long", "double", "float")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.question)
def test_every_recipe_finds_something(filled_elasticsearch: LocalElasticsearch, recipe: Recipe) -> None:
    """On the demo's data: rows, in which each column that it shows and each number that it counts has a value."""
    with filled_elasticsearch.client() as client:
        answer = client.search(index=recipe.index, **arguments(recipe.search()))
    if recipe.show:
        sources = [hit["_source"] for hit in answer["hits"]["hits"]]
        assert sources
        empty = [name for name in recipe.show if not any(texts(source, name) for source in sources)]
        assert not empty
        return
    groups = list(innermost(answer["aggregations"], recipe.by))
    assert groups
    for metric in recipe.metrics:
        assert any(group[metric.name]["value"] for group in groups), metric.name


def arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """A search's body as the client names its arguments."""
    return {"source" if key == "_source" else key: value for key, value in body.items()}


def innermost(aggregations: Mapping[str, Any], by: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """The groups by all fields."""
    for bucket in aggregations[by[0]]["buckets"]:
        if by[1:]:
            yield from innermost(bucket, by[1:])
        else:
            yield bucket
