"""Ranges of blobs: every piece once, wherever a blob is cut."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.exports import avro
from shared.backfill.capture import enqueued, header, messages
from shared.backfill.places import Found, hour_of, partition_of
from shared.backfill.portion import Portion, Range, portions
from shared.backfill.ranges import LINE_END, Read, cut, lines
from shared.errors import Reject


def reader(blob: bytes) -> Read:
    """Reads as the blob service does."""
    return lambda offset, length: blob[offset : offset + length]


def ends(size: int, cuts: list[int]) -> list[tuple[int, int]]:
    """The ranges that some cuts make of a blob."""
    return list(pairwise([0, *sorted({at for at in cuts if 0 < at < size}), size]))


line = st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ").strip())


@given(st.lists(line, min_size=1, max_size=30), st.lists(st.integers(0, 1_300), max_size=12), st.booleans())
def test_every_line_is_read_once_wherever_the_blob_is_cut(texts: list[bytes], cuts: list[int], ended: bool) -> None:
    """The lines of all ranges together are the blob's, in order, each with the offset of its first byte."""
    blob = b"\r\n".join(texts) + (b"\r\n" if ended else b"")
    if not blob:
        return

    found = [item for start, end in ends(len(blob), cuts) for item in lines(cut(reader(blob), start, end, LINE_END))]

    assert [text for _, text in found] == [text for text in texts if text]
    assert all(blob[offset:].lstrip().startswith(text) for offset, text in found)


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=40),
    st.lists(st.integers(0, 12_000), max_size=10),
    st.sampled_from(["null", "deflate"]),
    st.integers(1, 900),
)
def test_every_captured_message_is_read_once_wherever_the_blob_is_cut(
    bodies: list[bytes], cuts: list[int], codec: str, interval: int
) -> None:
    """The messages of all ranges together are those that were captured, with their numbers, whatever the blocks are."""
    blob = avro(bodies, 7, codec=codec, sync_interval=interval)
    head = header(reader(blob))

    found = [
        message
        for start, end in ends(len(blob), cuts)
        for message in messages(head, cut(reader(blob), start, end, head.marker), "3")
    ]

    assert [message.body for message in found] == bodies
    assert [message.sequence_number for message in found] == list(range(7, 7 + len(bodies)))
    assert {(message.partition, message.enqueued) for message in found} == {("3", "2026-01-02T15:04:05Z")}


def test_a_line_without_an_end_costs_itself_only() -> None:
    """What is longer than any record is told with its place, and what stands before it is read."""
    blob = b"short\n" + b"x" * 700_000

    found = cut(reader(blob), 0, 10, LINE_END, most_piece=300_000)

    assert [text for _, text in lines(found)] == [b"short"]
    assert found.broken is not None
    assert "byte 6" in found.broken.reason


@pytest.mark.parametrize(
    ("blob", "code"),
    [
        (b"", "not_avro"),
        (b"no Avro at all", "not_avro"),
        (b"\0" * 100_000, "not_avro"),
        (avro([b"a" * 100, b"b" * 100], sync_interval=50)[:-30], "avro_broken"),
    ],
)
def test_what_is_no_capture_is_told(blob: bytes, code: str) -> None:
    """A blob that is no Avro, or torn, is a Reject with its class, and never anything else."""

    def read() -> None:
        head = header(reader(blob))
        list(messages(head, cut(reader(blob), 0, len(blob), head.marker), None))

    with pytest.raises(Reject) as told:
        read()

    assert told.value.code == code


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("8/31/2017 7:12:14 PM", "2017-08-31T19:12:14Z"),
        ("12/1/2026 12:00:00 AM", "2026-12-01T00:00:00Z"),
        ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ("yesterday", None),
        (5, None),
    ],
)
def test_captures_time_is_read(text: object, moment: str | None) -> None:
    """Capture writes times as Americans do; a text that is no time costs nothing but itself."""
    assert enqueued(text) == moment


@pytest.mark.parametrize(
    ("name", "hour", "partition"),
    [
        ("tenantId=1/y=2026/m=01/d=02/h=03/m=00/PT1H.json", datetime(2026, 1, 2, 3, tzinfo=UTC), "tenantId=1"),
        ("ns/hub/0/2026/12/31/23/59/58.avro", datetime(2026, 12, 31, 23, tzinfo=UTC), "0"),
        ("ns/hub/11/year=2026/month=12/day=31/hour=23/59/58.avro", datetime(2026, 12, 31, 23, tzinfo=UTC), "11"),
        ("ns/hub/0/2026/13/31/23/59/58.avro", None, "0"),
        ("readme.json", None, None),
    ],
)
def test_a_path_tells_hour_and_partition(name: str, hour: datetime | None, partition: str | None) -> None:
    """Both writers' paths are understood; a path that tells no hour is left out."""
    assert hour_of(name) == hour
    assert partition_of(name) == partition


def test_small_blobs_go_together_and_large_ones_are_cut() -> None:
    """Every byte is in one range, no portion is larger than asked for, and a message can be read back."""
    hour = datetime(2026, 1, 2, tzinfo=UTC)
    sizes = [5, 5, 2_500, 1, 999, 1_000, 3]
    found = [Found("a" if number < 5 else "b", f"blob-{number}", size, hour) for number, size in enumerate(sizes)]

    made = list(portions("run", found, 1_000))

    assert [Portion.parse(one.text()) for one in made] == made
    assert [one.number for one in made] == list(range(len(made)))
    assert all(0 < one.size <= 1_000 for one in made)
    assert len(made) == 7
    for number, size in enumerate(sizes):
        mine = [item for one in made for item in one.ranges if item.blob == f"blob-{number}"]
        assert [item.start for item in mine] == [0, *(item.end for item in mine[:-1])]
        assert mine[-1].end == size
    long = [Found("a", f"{'ü' * 1_000}{number}", 1, hour) for number in range(60)]
    assert all(len(one.text().encode()) < 48_000 for one in portions("run", long, 1_000))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "5", '{"run":"../x","number":0,"container":"a","ranges":[["b",0,1]]}', '{"run":"x","number":-1,"container":"a","ranges":[]}',
     '{"run":"x","number":0,"container":"a","ranges":[["b",5,1]]}', '{"run":"x","number":0,"container":"a","ranges":[["b"]]}'],
)  # fmt: skip
def test_a_message_of_somebody_elses_is_refused(text: str) -> None:
    """A message that no command of ours wrote is a Reject."""
    with pytest.raises(Reject):
        Portion.parse(text)


def test_a_portion_is_read_back_as_it_was() -> None:
    """Names with anything in them survive."""
    portion = Portion("20260102T030405-ab12", 4, "a", (Range('q"\\ü\n', 0, 9), Range("b", 9, 2**40)))

    assert Portion.parse(portion.text()) == portion
    assert orjson.loads(portion.text())["ranges"][0] == ['q"\\ü\n', 0, 9]
