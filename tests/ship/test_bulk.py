"""Cutting documents into chunks and writing bulk bodies."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import chain, pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.ship.bulk import body, chunks, gzipped, line, size_of
from shared.ship.document import Document
from tests.ship.shipping import PlainRecord, document

ANY_DOCUMENT = st.builds(
    lambda index, name, value, gone: Document(
        index,
        name,
        b"" if gone else orjson.dumps({"v": value}),
        "T",
        PlainRecord(),
        version=7 if gone else None,
        gone=gone,
    ),
    st.sampled_from(("logs-a.b-default", 'logs-odd"\n-x', "logs-ü-default")),
    st.text(max_size=20).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
    st.text(max_size=300).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
    st.sampled_from((False, False, False, True)),
)


@given(st.lists(ANY_DOCUMENT, max_size=60), st.integers(1, 10), st.integers(1, 2_000))
def test_chunks_keep_every_document_in_order_and_within_both_limits(
    documents: list[Document], most: int, limit: int
) -> None:
    """Nothing is lost or moved, no chunk is too long, and only a single document may be too large."""
    cut = list(chunks(documents, most, lambda: limit))
    assert [item.document for item in chain.from_iterable(cut)] == documents
    for chunk in cut:
        assert 1 <= len(chunk) <= most
        assert len(body(chunk)) <= limit or len(chunk) == 1
        assert len(body(chunk)) == size_of(chunk)


@given(st.lists(ANY_DOCUMENT, min_size=2, max_size=60), st.integers(1, 10), st.integers(1, 2_000))
def test_chunks_are_as_large_as_the_limits_allow(documents: list[Document], most: int, limit: int) -> None:
    """A chunk ends only where the next document would not have fitted."""
    cut = list(chunks(documents, most, lambda: limit))
    for chunk, following in pairwise(cut):
        assert len(chunk) == most or size_of(chunk) + following[0].size > limit


@given(st.lists(ANY_DOCUMENT, min_size=1, max_size=20))
def test_a_body_is_action_and_document_lines_in_turn(documents: list[Document]) -> None:
    """Index and id survive whatever characters they hold, and the document's bytes are untouched; what is taken out has none."""
    lines = body([line(one) for one in documents]).split(b"\n")
    assert lines.pop() == b""
    left = iter(lines)
    for one in documents:
        name = {"_index": one.index, "_id": one.id}
        if one.gone:
            assert orjson.loads(next(left)) == {"delete": name | {"version": 7, "version_type": "external"}}
        else:
            assert orjson.loads(next(left)) == {"create": name}
            assert next(left) == one.source
    assert next(left, None) is None


def test_a_giant_goes_alone_and_its_neighbours_are_not_held_up() -> None:
    """A document above the limit is a chunk of its own between the others."""
    names = ["a", "b", "giant", "c", "d"]
    documents = [document(name, padding="x" * (5_000 if name == "giant" else 1)) for name in names]
    cut = [[item.document.id for item in chunk] for chunk in chunks(documents, 100, lambda: 1_000)]
    assert cut == [["a", "b"], ["giant"], ["c", "d"]]


def test_chunks_read_no_further_than_they_must() -> None:
    """The first chunk is ready as soon as one document more than fits has been read."""
    read: list[str] = []

    def documents() -> Iterator[Document]:
        for name in "abcdef":
            read.append(name)
            yield document(name)

    next(chunks(documents(), 2, lambda: 10_000))
    assert read == ["a", "b", "c"]


def test_the_limit_may_shrink_on_the_way() -> None:
    """A limit learnt from a 413 holds for the next chunk."""
    limits = iter([10_000] * 3 + [1] * 10)
    cut = list(chunks([document(name) for name in "abcdef"], 100, lambda: next(limits)))
    assert [len(chunk) for chunk in cut] == [4, 1, 1]


@given(st.binary(max_size=5_000))
def test_gzipped_is_a_gzip_stream(data: bytes) -> None:
    """Any gzip reader gives the same bytes back."""
    assert gzip.decompress(gzipped(data)) == data
