"""Text that is not one JSON value: its pieces, their own bytes, and where reading goes on behind a broken one."""

from __future__ import annotations

import json
import random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.salvage import clean, exact_pieces, pieces
from tests.normalise.rows import ANYTHING

ENVELOPE = '{"time":"t","category":"AdvancedHunting-X","properties":%s}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4),
    max_leaves=12,
)


def found(body: str | bytes) -> list[tuple[object, bytes]]:
    """Values of the pieces, None for broken ones, with their bytes."""
    return [
        (None if piece.reject else piece.value, piece.data)
        for piece in pieces(body.encode() if isinstance(body, str) else body)
    ]


@given(st.lists(JSON, min_size=1, max_size=6), st.sampled_from(["", " ", "\n", ",", ",\n", "\r\n", "\0", "\ufeff"]))
def test_values_one_after_another(values: list[object], between: str) -> None:
    """Objects that follow one another come out with exactly their own bytes, whatever stands between them."""
    texts = [
        json.dumps({"a": value}, ensure_ascii=False).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        for value in values
    ]
    assert [data.decode() for _, data in found(between.join(texts))] == texts


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a":1}oops{"b":2}', ['{"a":1}', 'oops{"b":2}']),
        ('{"a":1}oops\n{"b":2}', ['{"a":1}', "oops", '{"b":2}']),
        ('{"a":1}\n{"a":\n{"b":2}', ['{"a":1}', '{"a":', '{"b":2}']),
        ('{"a":{"time":1},oops}{"b":2}', ['{"a":{"time":1},oops}', '{"b":2}']),
        ('{"a":"}{", oops}{"b":2}', ['{"a":"}{", oops}', '{"b":2}']),
        ('[{"a":1},{"b":oops},{"c":3}]', ['{"a":1}', '{"b":oops}', '{"c":3}']),
        ('{"records":[{"a":1},{"b":oops},{"c":3}]}', ['{"a":1}', '{"b":oops}', '{"c":3}']),
        ('{"records":[{"a":1},{"b":', ['{"a":1}', '{"b":']),
        ("[1,2", ["1", "2"]),
        ("}{", ["}", "{"]),
        ('{"a":1}]}{"b":2}', ['{"a":1}', "]}", '{"b":2}']),
    ],
)
def test_pieces_of_broken_text(body: str, expected: list[str]) -> None:
    """Where broken text is cut, and that what follows is read."""
    assert [data.decode() for _, data in found(body)] == expected


def test_unclosed_record_ends_where_the_next_begins() -> None:
    """A record that is cut off in the middle of a message does not swallow the next one."""
    cut = (ENVELOPE % '{"A":"x","B":{"c":[1')[:-1]
    after = ENVELOPE % '{"A":2}'
    for between in (",", "\n", ",\r\n  "):
        assert found('{"records":[' + cut + between + after + "]}")[-1] == (json.loads(after), after.encode())


@given(JSON)
def test_clean_reads_as_orjson_does(value: object) -> None:
    """What Python's scanner has read and `clean` has mended is what orjson reads, where it reads it."""
    text = json.dumps(value)
    try:
        expected = orjson.loads(text)
    except orjson.JSONDecodeError:
        orjson.dumps(clean(json.loads(text)), option=orjson.OPT_NON_STR_KEYS)
        return
    assert json.dumps(clean(json.loads(text)), sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_clean_makes_everything_writable() -> None:
    """Lone surrogates, infinite and huge numbers can be written afterwards, and cleaning twice changes nothing more."""
    for value in ANYTHING:
        once = clean({"key": value})
        assert json.dumps(clean(once)) == json.dumps(once)
        json.dumps(once, allow_nan=False).encode()


@given(st.integers(0, 2**32))
def test_exact_pieces_are_the_members(seed: int) -> None:
    """The bytes of a list's members, in any wrapper and with any blanks, are the ones that were written."""
    chance = random.Random(seed)
    members = [json.dumps(clean({"v": chance.choice(ANYTHING)})) for _ in range(chance.randint(0, 5))]
    blank = chance.choice(["", " ", "\n\t"])
    listed = f"[{blank}{f'{blank},{blank}'.join(members)}{blank}]"
    others = [f'"k{n}":{json.dumps(clean(chance.choice(ANYTHING)))}' for n in range(chance.randint(0, 2))]
    wrapped = (
        "{"
        + ",".join([*others, f'"{chance.choice(("records", "value"))}"{blank}:{listed}', '"after":[{"records":[1]}]'])
        + "}"
    )
    for body in (listed, wrapped):
        assert exact_pieces(body.encode()) == [member.encode() for member in members]


def test_which_list_counts() -> None:
    """`records` goes before `value`, the last of two equal keys counts, and one that is no list is none."""
    assert exact_pieces(b'{"value":[1],"records":[2]}') == [b"2"]
    assert exact_pieces(b'{"records":[1],"records":[2]}') == [b"2"]
    assert exact_pieces(b'{"records":{},"value":[1]}') == [b"1"]
    assert exact_pieces(b'{"records":[1],"records":5}') == [b'{"records":[1],"records":5}']
    assert exact_pieces(b' {"a":[1]} ') == [b' {"a":[1]} ']
