"""Whatever the converters let through, the real Elasticsearch takes: hostile values of every kind, not one refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

from local.elasticsearch import LocalElasticsearch
from shared.normalise.convert import UNKNOWN_COLUMN, Issue, convert
from shared.normalise.interpret import carry
from shared.normalise.mapping import Column, Kind
from shared.normalise.salvage import clean
from shared.normalise.tables import table
from shared.normalise.tables.sign_in_rules import geo_point
from tests.normalise.rows import ANYTHING, RIGHT, nested

KINDS: tuple[Kind, ...] = (
    "keyword",
    "wildcard",
    "text",
    "long",
    "double",
    "latitude",
    "longitude",
    "boolean",
    "date",
    "ip",
    "flattened",
)
DOCUMENTS = 4_000
# As in infra/elastic: the local distribution has no wildcard fields, keyword stands in (local/templates.py).
MAPPING: dict[str, Any] = {
    "dynamic": False,
    "properties": {
        "latitude": {"type": "double"},
        "longitude": {"type": "double"},
        "location": {"type": "geo_point"},
        **{kind: {"type": kind} for kind in ("long", "double", "boolean", "date", "ip", "text")},
        **{kind: {"type": "keyword", "ignore_above": 1024} for kind in ("keyword", "wildcard")},
        "flattened": {"type": "flattened", "ignore_above": 8191, "depth_limit": 20},
        "unmapped": {"type": "flattened", "ignore_above": 8191, "depth_limit": 20},
    },
}


def hostile(chance: random.Random) -> Any:
    """A value of any type and shape, as it comes out of the decoder."""
    draw = chance.random()
    if draw < 0.02:  # the longest keys, as deep as may be, above the longest values that are indexed
        value: Any = chance.choice("x日😀") * 8_191
        for _ in range(chance.choice((1, 11, 12, 13))):
            value = {chance.choice("k語🚀") * chance.choice((160, 161, 400)): value}
        return value
    if draw < 0.1:
        return nested(chance.choice((5, 11, 12, 13, 25, 100)))
    if draw < 0.3:
        keys = [
            str(clean(chance.choice(ANYTHING)))[: chance.choice((5, 400))] * chance.choice((1, 1, 30)) for _ in range(4)
        ]
        return {key: clean(chance.choice(ANYTHING)) for key in keys}
    if draw < 0.4:
        return [clean(chance.choice(ANYTHING)) for _ in range(chance.choice((1, 5, 200)))]
    if draw < 0.45:
        return "x" * chance.choice((1_025, 8_191, 8_192, 32_766, 32_767, 40_000))
    if draw < 0.5:
        return str(clean(chance.choice(ANYTHING))) * chance.choice((1, 3, 50))
    return clean(chance.choice(ANYTHING))


def documents(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Documents with one field of each kind, and what would not convert in the bag."""
    meaning = table("DeviceEvents")
    assert meaning is not None
    for _ in range(DOCUMENTS):
        document: dict[str, Any] = {}
        issues: list[Issue] = []
        for kind in KINDS:
            many = chance.random() < 0.2
            value = clean(chance.choice(RIGHT[kind])) if chance.random() < 0.5 else hostile(chance)
            found = convert(Column(kind, kind, many=many), value, issues)
            if found is not None:
                document[kind] = found
        degrees = (
            convert(Column(kind, kind), chance.choice(RIGHT[kind]), issues) for kind in ("latitude", "longitude")
        )
        if (place := geo_point(*degrees)) is not None:
            document["location"] = place
        issues.append(Issue(str(hostile(chance)), UNKNOWN_COLUMN, hostile(chance)))
        bag: dict[str, Any] = {}
        carry(bag, meaning, issues)
        yield {**document, "unmapped": bag["m365_defender"]["event"]["unmapped"]}


def test_nothing_is_refused(elasticsearch_server: LocalElasticsearch) -> None:
    """Thousands of documents of random hostile input are indexed, every single one."""
    index = "test-accepted"
    client = elasticsearch_server.client()
    client.indices.create(index=index, mappings=MAPPING, settings={"number_of_replicas": 0, "refresh_interval": "-1"})
    try:
        made = list(documents(random.Random("accepted")))
        refused = []
        for begin in range(0, len(made), 500):
            lines = b"".join(
                b'{"create":{}}\n' + orjson.dumps(document) + b"\n" for document in made[begin : begin + 500]
            )
            answer = client.bulk(index=index, body=lines)  # type: ignore[arg-type]  # the client takes ready-made lines too
            refused += [
                (item["create"]["error"], made[begin + place])
                for place, item in enumerate(answer["items"])
                if item["create"]["status"] != 201
            ]
        assert not refused, f"{len(refused)} refused, the first: {str(refused[0])[:2000]}"
        for kind in KINDS:
            assert sum(kind in document for document in made) > DOCUMENTS / 10, (
                f"too few values of kind {kind} for the test to say anything"
            )
    finally:
        client.indices.delete(index=index)
