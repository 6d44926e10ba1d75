"""Objects of Microsoft's APIs with anything in them: each becomes documents or is refused with a reason, and Elasticsearch takes every document."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from shared.errors import Reject
from shared.normalise.api import SOURCES, Context, Source
from shared.normalise.normaliser import Normalised, Normaliser
from shared.normalise.salvage import clean
from tests.normalise.rows import ANYTHING, nested
from tools.write_golden import GOLDEN

OBJECTS = 600  # of each source
SEEN: list[Source] = [source for source in SOURCES if (GOLDEN / source).is_dir()]
ARRIVED = "2026-03-04T10:16:00.000Z"


def changed(chance: random.Random, value: Any, share: float) -> Any:
    """A value with some of its members left out, emptied, made anything at all, repeated, or joined by ones that nobody knows."""
    draw = chance.random()
    if draw < share:
        return clean(chance.choice(ANYTHING)) if draw < share * 0.9 else nested(chance.choice((3, 13, 30, 260)))
    if isinstance(value, dict):
        made = {key: changed(chance, item, share) for key, item in value.items() if chance.random() > share}
        if chance.random() < share:
            made[chance.choice(("novelty", "@odata.type", "a.b", "", "a\x00b", "k" * 300, "/scan"))] = clean(
                chance.choice(ANYTHING)
            )
        return made
    if isinstance(value, list):
        members = [changed(chance, item, share) for item in value if chance.random() > share]
        return members * chance.choice((1, 1, 1, 2)) if len(members) < 50 else members
    return value


def objects(source: Source, folder: Path) -> Iterator[Any]:
    """The golden pair's objects, changed a little or a lot, and one with huge lists."""
    chance = random.Random(source)
    golden = orjson.loads((folder / "in.json").read_bytes())
    for _ in range(OBJECTS):
        yield changed(chance, chance.choice(golden), chance.choice((0.01, 0.05, 0.3)))
    yield {
        key: item * 10_000 if isinstance(item, list) and item and not isinstance(item[0], dict) else item
        for key, item in golden[0].items()
    }


def made(source: Source) -> Iterator[Normalised]:
    """All documents of a source's objects; only `Reject` may be raised, and not for most."""
    normaliser = Normaliser(namespace="changed", duplicates=True, original=True)
    refused = count = 0
    for number, value in enumerate(objects(source, GOLDEN / source)):
        if not isinstance(value, dict):
            continue
        count += 1
        context = Context("t", ARRIVED if number % 2 else None, number % 5 > 0, number % 3 == 0)
        try:
            yield from normaliser.parts(source, value, context, ARRIVED)
        except Reject as reject:
            refused += bool(reject.code and reject.reason)
    assert refused < count / 3, "too few objects are mapped for the test to say anything"


@pytest.mark.parametrize("source", SEEN)
def test_nothing_is_refused(source: Source, elasticsearch_server: LocalElasticsearch) -> None:
    """Whatever an object holds, its documents are indexed under the templates, every single one."""
    client = elasticsearch_server.client()
    put_templates(client, namespace="changed*")
    documents = 0
    lines: list[bytes] = []
    for document in made(source):
        lines += [orjson.dumps({"create": {"_index": document.index}}), orjson.dumps(document.document)]
        documents += 1
        if len(lines) >= 1_000:
            send(client, lines)
            lines = []
    if lines:
        send(client, lines)
    assert documents >= OBJECTS / 2


def send(client: Any, lines: list[bytes]) -> None:
    """Index a batch; anything refused fails with its document."""
    answer = client.bulk(body=b"\n".join(lines) + b"\n", require_data_stream=True)
    refused = [
        (item["create"]["error"], lines[2 * place + 1])
        for place, item in enumerate(answer["items"])
        if item["create"]["status"] != 201
    ]
    assert not refused, f"{len(refused)} refused, the first: {str(refused[0])[:3000]}"
