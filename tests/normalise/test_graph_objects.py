"""Whatever Microsoft Graph may send becomes documents or is rejected with a reason; `test_api_accepted` shows that Elasticsearch takes them."""

from __future__ import annotations

import random

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.errors import Reject
from shared.normalise.api import Context, Source
from shared.normalise.convert import UNKNOWN_COLUMN
from shared.normalise.interpret import NOT_TOLD
from shared.normalise.normaliser import Normalised, Normaliser
from tests.normalise.graph_objects import MAKERS

NOW = "2026-01-02T03:04:06.789Z"
CONTEXT = Context(tenant="t", scan="2026-01-02T03:00:00Z", evidence=True)
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
        assert made.document["event"]["kind"] == ("enrichment" if made.table == "GraphAlertEvidence" else "alert")
        told = any(issue.reason not in (UNKNOWN_COLUMN, *NOT_TOLD) for issue in made.issues)
        assert ("error" in made.document) == told, made.issues
