"""Bodies: bounded, complete, and the same rows whether parsed at once or as a stream; times with all their digits."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reject
from shared.poll import body
from shared.poll.body import Body, Broken, Rows, unpacked
from shared.poll.moment import SECOND, iso, ticks

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.dictionaries(st.text(max_size=6), JSON, max_size=4), max_size=5)
BESIDE = st.dictionaries(st.sampled_from(["@odata.nextLink", "@odata.context", "nextLink", "more"]), JSON, max_size=3)


def body_of(data: bytes) -> Body:
    """A spooled body."""
    return Body.of(iter([data]))


def streamed(data: bytes) -> tuple[list[Any], dict[str, Any]]:
    """The rows as a large body would give them."""
    rows = Rows(body_of(data))
    return list(rows._as_a_stream()), rows.rest


@given(rows=ROWS, beside=BESIDE, first=st.booleans())
def test_a_stream_gives_the_same_rows_and_the_same_rest(
    rows: list[Any], beside: dict[str, Any], *, first: bool
) -> None:
    """Wherever the list stands in the page, and whatever stands beside it."""
    root = {**beside, "value": rows} if first else {"value": rows, **beside}
    data = orjson.dumps(root)
    at_once = Rows(body_of(data))
    assert list(at_once) == rows
    found, rest = streamed(data)
    assert found == rows
    assert rest == at_once.rest == beside


@given(ROWS.filter(bool), st.integers(1, 60))
def test_a_torn_page_is_broken_never_short(rows: list[Any], less: int) -> None:
    """JSON that ends too early gives an error, at once or as a stream."""
    data = orjson.dumps({"value": rows})[: -min(less, 9)]
    with pytest.raises(Broken):
        list(Rows(body_of(data)))
    with pytest.raises(Broken):
        streamed(data)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"value": {}}', b'{"value": null}', b'{"value": 3}', b"null", b"<html>"]
)
def test_what_is_no_page_is_broken(data: bytes) -> None:
    """No list, no page."""
    with pytest.raises(Broken):
        list(Rows(body_of(data)))
    with pytest.raises(Broken):
        streamed(data)


@given(
    st.binary(max_size=4000),
    st.sampled_from(["gzip", "x-gzip", "deflate", "", "identity"]),
    st.integers(1, 700),
    st.integers(1, 3),
)
def test_what_was_packed_comes_out_whole(data: bytes, encoding: str, chunk: int, members: int) -> None:
    """Gzip of several members, deflate, or nothing at all, in pieces of any size."""
    packed = (
        data
        if encoding in ("", "identity")
        else zlib.compress(data)
        if encoding == "deflate"
        else b"".join(gzip.compress(data) for _ in range(members))
    )
    times = members if "gzip" in encoding else 1

    class Small:
        """Gives little at a time."""

        def __init__(self) -> None:
            self.file = io.BytesIO(packed)

        def read(self, size: int) -> bytes:
            return self.file.read(min(size, chunk))

    assert b"".join(unpacked(Small(), encoding, None)) == data * times


def test_a_cut_gzip_is_broken() -> None:
    """Its end is missing."""
    packed = gzip.compress(b"x" * 100_000)
    for size in (1, 10, len(packed) - 1):
        with pytest.raises(Broken):
            list(unpacked(io.BytesIO(packed[:size]), "gzip", None))
    with pytest.raises(Broken):
        list(unpacked(io.BytesIO(b"no gzip at all"), "gzip", None))
    with pytest.raises(Broken):
        list(unpacked(io.BytesIO(b""), "br", None))


def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    """By its ratio, and by its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(60)) + packer.flush()
    came: list[int] = []
    with pytest.raises(Reject, match="times its size"):
        came.extend(map(len, unpacked(io.BytesIO(bomb), "gzip", None)))
    assert sum(came) <= body.MOST_SMALL + 2_000_000
    with pytest.raises(Reject, match="POLL_MAX_MEGABYTES"):
        list(unpacked(io.BytesIO(b"x" * 2_000), "", 1_000))


@given(st.integers(-(10**17), 2 * 10**17))
def test_a_moment_goes_there_and_back(moment: int) -> None:
    """Ticks to text to ticks, all seven digits."""
    assert ticks(iso(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01T00:00:01.1234567Z", SECOND + 1_234_567),
        ("1970-01-01T00:00:01.12345678Z", SECOND + 1_234_567),
        ("1970-01-01T01:00:01+01:00", SECOND),
        ("1970-01-01T00:00:01", SECOND),
        ("1970-01-01", None),
        ("1970-13-01T00:00:01Z", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_times_are_read_as_microsoft_writes_them(text: object, moment: int | None) -> None:
    """None to nine digits, with or without a zone."""
    assert ticks(text) == moment
