"""Whatever Microsoft Graph may send, every alert and incident becomes documents that the real Elasticsearch takes under our templates."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from shared.errors import Reject
from shared.normalise.api import Context, Source
from shared.normalise.convert import UNKNOWN_COLUMN
from shared.normalise.normaliser import Normalised, Normaliser
from tests.normalise.graph_objects import MAKERS

NOW = "2026-01-02T03:04:06.789Z"
CONTEXT = Context(tenant="t", scan="2026-01-02T03:00:00Z", evidence=True)
OBJECTS = 300  # of each source: some 4,000 documents
NORMALISER = Normaliser(namespace="graph", duplicates=True, original=True)


def documents(source: Source, chance: random.Random) -> list[Normalised]:
    """The documents of a random object; none where it has no id."""
    value = MAKERS[source](chance)
    before = orjson.dumps(value)
    try:
        made = list(NORMALISER.parts(source, value, CONTEXT, NOW))
    except Reject as reject:
        if reject.code != "no_id":
            raise
        return []
    assert orjson.dumps(value) == before, "the object was changed"
    return made


@pytest.mark.parametrize("source", MAKERS)
@settings(max_examples=300, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a smaller seed is no simpler object
@given(seed=st.integers(0, 2**32))
def test_any_object_becomes_documents(source: Source, seed: int) -> None:
    """Nothing raises but `Reject`, every document can be written, has a time and its own kind, and what it can not use is reported."""
    for made in documents(source, random.Random(seed)):
        orjson.dumps(made.document)
        assert made.document["@timestamp"]
        assert made.document["event"]["kind"] == ("enrichment" if made.table == "alert_evidence" else "alert")
        told = any(issue.reason != UNKNOWN_COLUMN for issue in made.issues)
        assert ("error" in made.document) == told, made.issues


def test_nothing_is_refused(elasticsearch_server: LocalElasticsearch) -> None:
    """Thousands of documents of random objects are indexed, every single one, and no field is left to dynamic mapping."""
    client = elasticsearch_server.client()
    put_templates(client, namespace="graph*")
    chance = random.Random("graph")
    made = [found for source in MAKERS for _ in range(OBJECTS) for found in documents(source, chance)]
    assert len({found.table for found in made}) == 4
    assert len(made) > 3 * OBJECTS
    refused: list[Any] = []
    for begin in range(0, len(made), 500):
        lines = b"".join(
            orjson.dumps({"create": {"_index": found.index}}) + b"\n" + orjson.dumps(found.document) + b"\n"
            for found in made[begin : begin + 500]
        )
        answer = client.bulk(body=lines, require_data_stream=True)  # type: ignore[arg-type]  # the client takes ready-made lines too
        refused += [item["create"]["error"] for item in answer["items"] if item["create"]["status"] != 201]
    assert not refused, f"{len(refused)} refused, the first: {str(refused[0])[:2000]}"
