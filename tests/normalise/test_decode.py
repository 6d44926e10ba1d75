"""Message bodies of every shape: every record comes out, every broken piece is accounted for, nothing raises, the work is bounded."""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.load import json_bytes, packed, records
from shared.normalise import decode as decoding
from shared.normalise.decode import MOST_INFLATED, Message, Record, Unreadable, decode
from shared.normalise.identity import document_id
from tests.normalise.rows import nested

MADE = list(records(60, seed=3))
TEXTS = [json_bytes(record) for record in MADE]


def split(body: bytes) -> tuple[list[Record], list[Unreadable]]:
    """What comes out of a body: records, and pieces that are none."""
    pieces = list(decode(Message(body, "3", 17, "2026-01-02T03:04:05Z")))
    assert all(
        (piece.partition, piece.sequence_number, piece.enqueued) == ("3", 17, "2026-01-02T03:04:05Z")
        for piece in pieces
    )
    return [p for p in pieces if isinstance(p, Record)], [p for p in pieces if isinstance(p, Unreadable)]


def rows(found: list[Record]) -> list[Any]:
    """The columns of records."""
    return [record.properties for record in found]


def expected(texts: list[bytes]) -> list[Any]:
    """The columns of records as they were put in."""
    return [orjson.loads(text)["properties"] for text in texts]


# fmt: off
SHAPES: dict[str, Callable[[list[bytes]], bytes]] = {
    "wrapper":               packed,
    "wrapper with blanks":   lambda texts: b' \r\n{ "records" :\t[ ' + b" ,\n ".join(texts) + b" ] }\n",
    "wrapper after others":  lambda texts: b'{"a":{"records":[1]},"b":["records"],"records":[' + b",".join(texts) + b'],"c":1}',
    "wrapper twice":         lambda texts: b'{"records":[{"old":1}],"records":[' + b",".join(texts) + b"]}",
    "value wrapper":         lambda texts: b'{"@odata.context":"x","value":[' + b",".join(texts) + b"]}",
    "list":                  lambda texts: b"[" + b",".join(texts) + b"]",
    "one after another":     b"".join,
    "lines":                 b"\n".join,
    "Windows lines":         lambda texts: b"\r\n".join(texts) + b"\r\n",
    "commas":                b",".join,
    "byte order mark":       lambda texts: b"\xef\xbb\xbf" + packed(texts),
    "mark and lines":        lambda texts: b"\xef\xbb\xbf" + b"\n".join(texts),
    "gzip":                  lambda texts: gzip.compress(packed(texts), mtime=0),
    "gzip of lines":         lambda texts: gzip.compress(b"\n".join(texts), mtime=0),
    "gzip of a mark":        lambda texts: gzip.compress(b"\xef\xbb\xbf" + packed(texts), mtime=0),
    "gzips":                 lambda texts: gzip.compress(packed(texts)[:500], mtime=0) + gzip.compress(packed(texts)[500:], mtime=0) + b"\0" * 7,
    "wrappers in a list":    lambda texts: b"[" + b",".join(packed([text]) for text in texts) + b"]",
    "wrappers in lines":     lambda texts: b"\n".join(packed([text]) for text in texts),
    "texts in a list":       lambda texts: orjson.dumps([text.decode() for text in texts]),
    "texts of wrappers":     lambda texts: orjson.dumps({"records": [packed([text]).decode() for text in texts]}),
    "properties as text":    lambda texts: packed([orjson.dumps({**orjson.loads(t), "properties": orjson.dumps(orjson.loads(t)["properties"]).decode()}) for t in texts]),
    "escaped":               lambda texts: packed([json.dumps(orjson.loads(text), indent=1).encode() for text in texts]),
}
# fmt: on


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 7])
def test_every_shape(shape: str, count: int) -> None:
    """All records come out of every known shape, in order and alike, and each leads back to bytes that give it again."""
    texts = TEXTS[:count]
    found, broken = split(SHAPES[shape](texts))
    assert not broken
    assert rows(found) == expected(texts)
    for record, text in zip(found, texts, strict=True):
        assert record.table == orjson.loads(text)["category"].removeprefix("AdvancedHunting-")
        again, broken = split(record.original())
        assert not broken
        assert rows(again) == [record.properties]
        if shape not in ("escaped", "properties as text", "texts of wrappers"):
            assert record.original().strip() == text  # a body of one record is that record, with the line's end


@pytest.mark.parametrize("shape", ["wrapper", "list", "lines", "one after another", "commas"])
@pytest.mark.parametrize(
    "broken",
    [
        b'{"time":"x", oops}',
        b'{"category":"AdvancedHunting-DeviceEvents","properties":{"A":tru}}',
        b'{"category":"AdvancedHunting-DeviceEvents","properties":{"A":"\xff\xfe"},,}',
        b'{"category":"AdvancedHunting-DeviceEvents","properties":{}}',
        b'{"properties":{"A":1}}',
        b"{}",
        b"42",
        b"null",
        b'"text"',
        b'{"category":"' + b"x" * 300 + b'","properties":{"A":1}}',
        b'{"category":"AdvancedHunting-","properties":{"A":1}}',
        b'{"category":[],"properties":{"A":1}}',
        b'{"category":"AdvancedHunting-DeviceEvents","properties":"{broken"}',
    ],
)
def test_broken_record_among_good_ones(shape: str, broken: bytes) -> None:
    """The neighbours of a broken record always come out, and its own bytes are a slice of the body that holds all of it."""
    texts = [*TEXTS[:3], broken, *TEXTS[3:6]]
    body = SHAPES[shape](texts)
    found, unreadable = split(body)
    assert rows(found) == expected(TEXTS[:6])
    assert [record.original() for record in found] == TEXTS[:6]
    assert broken in b"".join(piece.original() for piece in unreadable)
    assert all(piece.data in body and piece.reject.code and piece.reject.reason for piece in unreadable)


def test_odd_strings_are_read_not_refused() -> None:
    """Bytes that are not UTF-8, raw control characters, lone surrogates and huge numbers cost nothing but themselves."""
    odd = (
        b'{"category":"AdvancedHunting-DeviceEvents","properties":{"A":"x\xff\xc3","B":"a\x01b","C":"\\ud800","D":1e999,"E":'
        + b"9" * 5000
        + b',"F":NaN}}'
    )
    found, broken = split(packed([TEXTS[0], odd, TEXTS[1]]))
    assert not broken
    assert found[1].original() == odd
    columns = found[1].properties
    assert (columns["A"], columns["B"], columns["C"], columns["D"], columns["E"], columns["F"]) == (
        "x\ufffd\ufffd",
        "a\x01b",
        "\ufffd",
        "inf",
        "9" * 5000,
        "nan",
    )
    orjson.dumps(dict(columns))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
        max_leaves=15,
    )
)
def test_a_broken_neighbour_changes_nothing(value: Any) -> None:
    """A record has the same columns and the same id whether its body is read in one go or salvaged."""
    record = json.dumps({"category": "AdvancedHunting-DeviceEvents", "properties": {"A": value}}).encode()
    whole, salvaged = packed([record, TEXTS[0]]), packed([record, b"{oops}", TEXTS[0]])
    (first, *_), _ = split(whole)
    (second, *_), _ = split(salvaged)
    assert orjson.dumps(dict(second.properties), option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        dict(first.properties), option=orjson.OPT_SORT_KEYS
    )
    assert document_id("t", first.table, None, second.properties) == document_id(
        "t", first.table, None, first.properties
    )


# fmt: off
NOTHING: tuple[tuple[bytes, str], ...] = (
    (b"", "empty"), (b" \n\t ", "empty"), (b"\xef\xbb\xbf", "empty"), (b"This is no JSON", "not_json"), (b"\xff\xfe\x80", "not_json"), (b"\x00\x01\x02", "not_json"),
    (b'"text"', "not_an_object"), (b"17", "not_an_object"), (b"{}", "no_category"), (b"[[]]", "not_an_object"), (b"[null]", "not_an_object"),
    (b'{"category":"AdvancedHunting-X"}', "no_properties"), (b'{"category":"AdvancedHunting-X","properties":[]}', "no_properties"),
    (b"\x1f\x8b\x08", "gzip_broken"), (b"\x1f\x8bnot gzip at all", "gzip_broken"), (gzip.compress(b"0" * (MOST_INFLATED + 1), mtime=0), "gzip_too_large"),
    (gzip.compress(b"", mtime=0), "empty"), (b"[" * 100_000, "not_json"), (b'{"a":' * 100_000, "not_json"), ("utf-16 text".encode("utf-16"), "not_json"),
    (b"[" * 100_000 + b"]" * 100_000, "not_json"),
)
# fmt: on


@pytest.mark.parametrize(("body", "code"), NOTHING)
def test_nothing_readable(body: bytes, code: str) -> None:
    """A body without any record is put away whole, under the class that tells why."""
    found, broken = split(body)
    assert not found
    assert broken[0].reject.code == code
    kept = b"".join(piece.data for piece in broken)
    assert kept in body
    assert len(kept) >= len(body.strip(b" \n\t\0\xef\xbb\xbf[]")) or body[:2] == decoding.GZIP


def test_empty_lists_hold_nothing() -> None:
    """A message without records is no error and gives nothing."""
    assert split(b'{"records":[]}') == split(b"[]") == ([], [])


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_truncated(keep: float) -> None:
    """Of a message that was cut off, the records before the cut come out, and what remains is put away, gzipped or not."""
    body = packed(TEXTS)
    cut = body[: int(len(body) * keep)]
    complete = 0
    while packed(TEXTS[: complete + 1])[:-2] in cut and complete < len(TEXTS):
        complete += 1
    found, broken = split(cut)
    assert rows(found)[:complete] == expected(TEXTS[:complete])
    assert broken
    assert cut.endswith(broken[-1].data)
    zipped = gzip.compress(body, mtime=0)
    found, broken = split(zipped[: int(len(zipped) * keep)])
    assert rows(found) == expected(TEXTS[: len(found)])
    assert (broken[-1].reject.code, broken[-1].data) == ("gzip_broken", zipped[: int(len(zipped) * keep)])


def test_garbage_between_and_after_gzip() -> None:
    """What follows a gzip stream and is none is not lost: the records come out and the message is put away too."""
    found, broken = split(gzip.compress(packed(TEXTS[:3]), mtime=0) + b"garbage")
    assert rows(found) == expected(TEXTS[:3])
    assert [piece.reject.code for piece in broken] == ["gzip_broken"]


def account(body: bytes) -> tuple[list[Record], list[Unreadable]]:
    """What comes out of any body, checked: nothing raises, pieces have bytes, and originals decode to the same again."""
    found, broken = split(body)
    assert found or broken or body.strip(b" \r\n\t\0\xef\xbb\xbf,") in (b"[]", b'{"records":[]}')
    inner = decoding.plain(body)[0] if body[:2] == decoding.GZIP or body[:3] == decoding.BOM else body
    for piece in broken:
        assert piece.data in inner or piece.data == body or b"\\" in inner  # text within text is opened, so not a slice
        assert piece.reject.reason
    for record in found[:3]:
        assert rows(split(record.original())[0]) == [record.properties]
        orjson.dumps(document_id("t", record.table, None, record.properties))
    return found, broken


@given(st.integers(0, 2**32))
def test_mutated_bodies(seed: int) -> None:
    """Bodies with bytes changed, dropped, doubled or moved about never raise, and every piece accounts for its own bytes."""
    chance = random.Random(seed)
    shape = chance.choice([name for name in SHAPES if "texts" not in name and "gzip" not in name])
    texts = chance.sample(TEXTS, 4)
    body = bytearray(SHAPES[shape](texts))
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(body))
        action = chance.random()
        if action < 0.4:
            body[at] = chance.choice(b'{}[]",:\\ \n\x00\xff0a' if chance.random() < 0.7 else bytes(range(256)))
        elif action < 0.6:
            del body[at : at + chance.choice((1, 3, 100))]
        elif action < 0.8:
            body[at:at] = chance.choice((b"{", b"}", b"[", b"]", b'"', b"\n", b",", b"garbage", b'{"records":[', b"\\"))
        else:
            other = chance.randrange(len(body))
            body[at:at] = body[other : other + 200]
    account(bytes(body))


@pytest.mark.parametrize("shape", ["wrapper", "lines"])
def test_one_changed_byte_costs_one_record(shape: str) -> None:
    """Whichever byte of a record is destroyed, at most that record is lost, and then its bytes are put away."""
    texts = TEXTS[:5]
    body = SHAPES[shape](texts)
    begin = body.index(texts[2])
    chance = random.Random(5)
    for at in chance.sample(range(begin + 1, begin + len(texts[2]) - 1), 60):
        for new in (b"}", b'"', b"\xff", b"\\"):
            changed = body[:at] + new + body[at + 1 :]
            found, broken = account(changed)
            got = rows(found)
            assert all(row in got for row in expected(texts[:2])), (at, new)
            lost = [row for row in expected(texts[3:]) if row not in got]
            assert not lost or new == b'"', (at, new)  # a quote may swallow what follows up to the next one
            assert len(lost) <= 1
            assert broken or len(got) == 5


def test_deep_columns_are_records() -> None:
    """Columns that lie deep within one another are no reason to refuse a record."""
    for depth in (100, 260, 900, 1_100, 3_000):
        text = (
            '{"category":"AdvancedHunting-DeviceEvents","properties":{"A":'
            + '[{"a":' * (depth // 2)
            + "1"
            + "}]" * (depth // 2)
            + "}}"
        )
        found, broken = split(packed([text.encode(), TEXTS[0]]))
        assert rows(found)[-1:] == expected(TEXTS[:1])
        assert len(found) + len(broken) == 2
        assert found[0].original() == text.encode() if len(found) == 2 else broken[0].data == text.encode()
        assert depth > 900 or len(found) == 2


def test_originals_are_cut_out_once() -> None:
    """Asking all records of a message for their bytes reads the message once more, not once for each."""
    body = packed(TEXTS)
    found, _ = split(body)
    calls = 0

    def count(_frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call" and _frame.f_code.co_name == "exact_pieces"

    sys.setprofile(count)
    try:
        originals = [record.original() for record in found]
    finally:
        sys.setprofile(None)
    assert originals == TEXTS
    assert calls == 1


def test_shared_bytes_of_cloud_messages() -> None:
    """Defender for Cloud's messages have no envelope: the whole object is the row, told by its own keys."""
    alert = {"AlertUri": "https://example.com", "SystemAlertId": "1", "TimeGenerated": "2026-01-02T03:04:05Z"}
    assessment = {"type": "Microsoft.Security/assessments", "id": "/x", "properties": {"status": {"code": "Healthy"}}}
    found, broken = split(packed([orjson.dumps(alert), orjson.dumps(assessment)]))
    assert not broken
    assert [(record.table, record.envelope, record.properties) for record in found] == [
        ("SecurityAlert", {}, alert),
        ("assessments", {}, assessment),
    ]


def test_deep_values_do_not_break_the_scanner() -> None:
    """A value too deep for Python's own scanner is a piece that can not be read, and the next one is read."""
    deep = json.dumps(nested(900)).encode()
    found, broken = split(b"\n".join([TEXTS[0], b"[" * 50_000 + b"]" * 50_000, TEXTS[1], b'{"A":' + deep + b"}"]))
    assert rows(found) == expected(TEXTS[:2])
    assert len(broken) >= 2
