"""Converters: what each kind makes of right, odd and wrong values; what they let through must be such that Elasticsearch takes it."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.bags import DEEPEST, LONGEST_KEY, SHORT, as_text, bag
from shared.normalise.convert import (
    CONVERTERS,
    Issue,
    address,
    boolean,
    convert,
    date,
    double,
    flattened,
    ip,
    keyword,
    latitude,
    long,
    longitude,
    wildcard,
)
from shared.normalise.mapping import Column
from shared.normalise.salvage import clean
from tests.normalise.rows import ANYTHING, nested

ROOT = Path(__file__).resolve().parents[2]


def one(converter: Any, value: Any) -> tuple[Any, int]:
    """The result of a converter and how many issues it reported."""
    issues: list[Issue] = []
    return converter(value, "Column", issues), len(issues)


# fmt: off
@pytest.mark.parametrize(("value", "expected", "issues"), [
    ("text", "text", 0), ("", None, 0), ("-", None, 0), ("N/A", None, 0), ("n/a", None, 0), ("NA", "NA", 0), (None, None, 0), ("--", "--", 0), ("nan", "nan", 0),
    (0, "0", 0), (17, "17", 0), (2**64, "18446744073709551616", 0), (1.5, "1.5", 0), (True, "true", 0), (False, "false", 0),
    ({"a": 1}, None, 1), ([1], None, 1), (" ", " ", 0),
])
def test_keyword(value: Any, expected: Any, issues: int) -> None:
    """Text stays, numbers and booleans are written out, placeholders mean absent, objects and lists are refused."""
    assert one(keyword, value) == (expected, issues)


@pytest.mark.parametrize(("value", "expected", "issues"), [
    ("-", "-", 0), ("N/A", "N/A", 0), ("", None, 0), (None, None, 0), (5, "5", 0), (True, "true", 0), ({}, None, 1),
])
def test_wildcard(value: Any, expected: Any, issues: int) -> None:
    """In a command line or a registry value a dash can be content."""
    assert one(wildcard, value) == (expected, issues)


@pytest.mark.parametrize(("value", "expected", "issues"), [
    (0, 0, 0), (-1, -1, 0), (2**63 - 1, 2**63 - 1, 0), (2**63, None, 1), (-(2**63), -(2**63), 0), (-(2**63) - 1, None, 1), (2**64, None, 1),
    ("17", 17, 0), (" 17 ", 17, 0), ("17.0", 17, 0), ("1e3", 1000, 0), ("9223372036854775807", 2**63 - 1, 0), ("9223372036854775808", None, 1),
    (17.0, 17, 0), (17.5, None, 1), (1e300, None, 1), ("nan", None, 1), ("inf", None, 1), ("1e400", None, 1), ("1_000", None, 1), ("0x10", None, 1),
    ("", None, 0), ("-", None, 0), ("N/A", None, 0), (None, None, 0), (True, None, 1), ([], None, 1), ("1" * 5_000, None, 1), ("not a number", None, 1),
])
def test_long(value: Any, expected: Any, issues: int) -> None:
    """Whole numbers of 64 bits, as text or as a float without a fraction too; nothing is rounded or wrapped around."""
    assert one(long, value) == (expected, issues)


@pytest.mark.parametrize(("value", "expected", "issues"), [
    (1, 1.0, 0), (1.5, 1.5, 0), ("1.5", 1.5, 0), ("1e38", 1e38, 0), ("1e39", None, 1), ("1e400", None, 1), (-1e300, None, 1), ("nan", None, 1), ("-inf", None, 1), ("1_0.5", None, 1),
    (10**400, None, 1), ("", None, 0), ("N/A", None, 0), (True, None, 1), ({}, None, 1), ("x", None, 1), (float("inf"), None, 1), (2**63, 2.0**63, 0),
])
def test_double(value: Any, expected: Any, issues: int) -> None:
    """Finite numbers, as text too."""
    assert one(double, value) == (expected, issues)


@pytest.mark.parametrize(("value", "north", "east", "issues"), [
    ("52.52", 52.52, 52.52, (0, 0)), (-90, -90.0, -90.0, (0, 0)), (90.5, None, 90.5, (1, 0)), ("-180", None, -180.0, (1, 0)), (181, None, None, (1, 1)),
    ("", None, None, (0, 0)), (None, None, None, (0, 0)), ("N 52", None, None, (1, 1)), ([52.5, 13.4], None, None, (1, 1)),
])
def test_degrees(value: Any, north: float | None, east: float | None, issues: tuple[int, int]) -> None:
    """Numbers and their text, within what is on the globe."""
    assert one(latitude, value) == (north, issues[0])
    assert one(longitude, value) == (east, issues[1])


@pytest.mark.parametrize(("value", "expected", "issues"), [
    (True, True, 0), (False, False, 0), ("true", True, 0), ("False", False, 0), ("YES", True, 0), ("no", False, 0), (1, True, 0), (0, False, 0), ("1", True, 0),
    ("0", False, 0), (2, None, 1), (-1, None, 1), (1.0, None, 1), ("maybe", None, 1), ("", None, 0), ("-", None, 0), (None, None, 0), ([], None, 1),
    (10**400, None, 1), ("x" * 1000, None, 1),
])
def test_boolean(value: Any, expected: Any, issues: int) -> None:
    """Booleans, their text in any case, and the 1 and 0 of KQL exports."""
    assert one(boolean, value) == (expected, issues)


@pytest.mark.parametrize(("value", "expected"), [
    ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),                    ("2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.1Z"),
    ("2026-01-02T03:04:05.12Z", "2026-01-02T03:04:05.12Z"),              ("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123Z"),
    ("2026-01-02T03:04:05.1234Z", "2026-01-02T03:04:05.1234Z"),          ("2026-01-02T03:04:05.12345Z", "2026-01-02T03:04:05.12345Z"),
    ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z"),      ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.1234567Z"),
    ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"), ("2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.123456Z"),
    ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),                     ("2026-01-02T03:04:05.5", "2026-01-02T03:04:05.5Z"),
    ("2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.000000Z"),            ("2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.500000Z"),
    ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"),        ("2026-01-02T03:04:05.5-0130", "2026-01-02T04:34:05.500000Z"),
    ("2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05.000000Z"),        ("2026-01-02T03:04:05+00:00:30", "2026-01-02T03:03:35.000000Z"),
    ("2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000000Z"),             ("20260102T030405Z", "2026-01-02T03:04:05.000000Z"),
    ("2026-W01-5T03:04:05Z", "2026-01-02T03:04:05.000000Z"),             ("2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"),
    ("2026-01-02", "2026-01-02T00:00:00.000000Z"),                       ("2026-01-02T03:04", "2026-01-02T03:04:00.000000Z"),
    ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),    ("1601-01-02T00:00:00Z", "1601-01-02T00:00:00Z"),
    ("0999-01-01T00:00:00+00:00", "0999-01-01T00:00:00.000000Z"),
    # no time at all
    ("0001-01-01T00:00:00", None), ("0001-01-01T00:00:00.0000000Z", None), ("1601-01-01T00:00:00Z", None), ("1601-01-01", None), ("", None), ("-", None), (None, None),
])
def test_date(value: Any, expected: Any) -> None:
    """Dates keep their digits where Elasticsearch reads them, are written anew where not; UTC always; zero times mean none."""
    assert one(date, value) == (expected, 0)


@pytest.mark.parametrize("value", [
    "yesterday", "2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T23:59:60Z", "2026-13-01", "01/02/2026", 1767323045, 1.5, True, [], {},
    "9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00.5+10:00", "2026-01-02T03:04:05Zulu", "٢026-01-02T03:04:05Z", "2026-01-02T03:04:05\ud800", "x" * 10_000,
])
def test_no_date(value: Any) -> None:
    """What is no date, or none between the years 1 and 9999, is reported."""
    assert one(date, value) == (None, 1)


@pytest.mark.parametrize(("value", "expected", "issues"), [
    ("192.0.2.1", "192.0.2.1", 0), ("::1", "::1", 0), ("2001:DB8::1", "2001:DB8::1", 0), ("::ffff:192.0.2.1", "192.0.2.1", 0), ("::FFFF:c000:201", "192.0.2.1", 0), ("::192.0.2.1", "::192.0.2.1", 0),
    ("fe80::1%eth0", "fe80::1", 0), ("fe80::1%12", "fe80::1", 0), ("", None, 0), ("-", None, 0), (None, None, 0),
    ("192.0.2.1:443", None, 1), ("[::1]:443", None, 1), ("192.0.2.0/24", None, 1), ("192.0.2.01", None, 1), ("192.0.2", None, 1), ("3221225985", None, 1),
    ("0x7f.1", None, 1), ("host", None, 1), (3221225985, None, 1), (["192.0.2.1"], None, 1), ("1\u0661.0.0.1", None, 1), ("192.0.2.1\x00", None, 1), ("%", None, 1),
    ("\ud800", None, 1), (" 192.0.2.1", None, 1), ("1" * 100_000, None, 1), ("fe80::1%" + "x" * 100_000, "fe80::1", 0),
])
def test_ip(value: Any, expected: Any, issues: int) -> None:
    """Addresses alone; with a port or a prefix length a text is none, and is reported and kept elsewhere."""
    assert one(ip, value) == (expected, issues)


@pytest.mark.parametrize(("value", "expected"), [
    ('{"a": 1}', {"a": 1}), ('[{"a": 1}]', [{"a": 1}]), ("[1, 2]", {"values": [1, 2]}), ('[{"a": 1}, 2]', {"values": [{"a": 1}, 2]}),
    ({"a": 1}, {"a": 1}), ([{"a": 1}], [{"a": 1}]), ([1], {"values": [1]}), ([None], {"values": [None]}),
    ("{}", None), ("[]", None), ("", None), ("-", None), ({}, None), ([], None), (None, None),
    ("plain text", {"text": "plain text"}), ("{broken", {"text": "{broken"}), (5, {"text": "5"}), (True, {"text": "true"}), (1.5, {"text": "1.5"}),
    ("{'a': 'it', 'b': [None, True]}", {"a": "it", "b": [None, True]}), ("{'p': 'C:\\\\x'}", {"p": "C:\\x"}), ("{1: 2}", {"text": "{1: 2}"}),
    ("{1: 'x'}", {"1": "x"}), ("{'a'}", {"text": "{'a'}"}), ("[b'x']", {"text": "[b'x']"}), ("{'p': 'C:\\d'}", {"text": "{'p': 'C:\\d'}"}),
    ('{"": 1}', {"(empty)": 1}), ("{'': 1}", {"(empty)": 1}), ('{"" : 1}', {"(empty)": 1}), ('{"a\\u0000b": 1}', {"ab": 1}), ("{'a\\x00b': 1}", {"ab": 1}),
])
def test_flattened(value: Any, expected: Any) -> None:
    """JSON and Python literals in text are opened; lists of other things than objects and plain text get a key; empty ones mean absent."""
    assert one(flattened, value) == (expected, 0)
# fmt: on


def test_python_literals_write_nothing_to_standard_error() -> None:
    """Nor does other text that Python's parser has something to say of, in a process as it runs in production."""
    code = (
        "from shared.normalise.bags import opened_text; print(opened_text(\"{'a': 1or 2}\"), opened_text(\"{'a': 1}\"))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("None {'a': 1}\n", "")


def test_python_literals_print_no_warnings() -> None:
    """Text with escapes that Python would warn about is left alone, so that a hub's content can not fill the log."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        flattened("{'path': 'C:\\dir\\windows'}", "AdditionalFields", [])
    assert not caught


def levels(value: Any) -> int:
    """How deep objects and lists lie in one another."""
    if isinstance(value, dict):
        return 1 + max(map(levels, value.values()), default=0)
    return 1 + max(map(levels, value), default=0) if isinstance(value, list) else 0


def keys(value: Any) -> list[str]:
    """All keys at all depths."""
    if isinstance(value, dict):
        return [*value, *(key for item in value.values() for key in keys(item))]
    return [key for item in value for key in keys(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, DEEPEST + 1, 50, 260, 900])
def test_flattened_depth_is_bounded_and_nothing_lost(depth: int) -> None:
    """What lies deeper than the limit becomes text in which the rest can still be read."""
    for value in ({"a": nested(depth)}, json.dumps({"a": nested(depth)})):
        found = flattened(value, "Column", [])
        assert levels(found) <= DEEPEST
        assert "end" in json.dumps(found)
        orjson.dumps(found)


def test_flattened_keys_are_fit_and_none_is_lost() -> None:
    """Keys that Elasticsearch refuses are replaced, each by one of its own, also where several would become the same."""
    value = {
        "": 1,
        "(empty)": 2,
        "a\x00": 3,
        "a": 4,
        "a\x00\x00": 5,
        "k" * 300: 6,
        "k" * 301: 7,
        "\x00": 8,
        "b": {"\x00c": 9, "c": [{"": 10}]},
    }
    found = bag(value)
    assert not [key for key in keys(found) if not key or "\x00" in key or len(key) > LONGEST_KEY]
    assert sorted(re.findall(r"\d+(?=[,}\]])", json.dumps(found))) == sorted(map(str, range(1, 11)))
    assert found["a"] == 4
    assert found["(empty)"] == 2
    assert bag(value) == found


def test_as_text_of_everything() -> None:
    """Any value has a text, however deep."""
    assert as_text("x") == "x"
    assert as_text({"a": [1, None, True, 1.5]}) == '{"a":[1,null,true,1.5]}'
    assert json.loads(as_text(nested(500))) == nested(500)
    for value in ANYTHING:
        assert isinstance(as_text(clean(value)), str)


def test_long_texts_are_not_remembered() -> None:
    """A megabyte of digits in an address column is not kept in the cache of addresses."""
    from shared.normalise.convert import _address

    _address.cache_clear()
    for number in range(20):
        assert address(str(number) * 100_000) is None
        assert ip(str(number) * 100_000, "RemoteIP", []) is None
    assert _address.cache_info().currsize == 0


STRICT_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)


def acceptable(kind: str, value: Any) -> bool:
    """Whether Elasticsearch takes the value in a field of that kind, by its documents (strict_date_optional_time, ip, long, flattened)."""
    if kind == "date":
        return STRICT_DATE.fullmatch(value) is not None and datetime.fromisoformat(value).tzinfo == UTC
    if kind == "ip":
        return str(ipaddress.ip_address(value)) != ""
    if kind == "long":
        return type(value) is int and -(2**63) <= value < 2**63
    if kind == "double":
        return type(value) is float and value - value == 0
    if kind in ("latitude", "longitude"):
        return type(value) is float and abs(value) <= (90 if kind == "latitude" else 180)
    if kind == "boolean":
        return type(value) is bool
    if kind == "flattened":
        roots = value if isinstance(value, list) else [value]
        return (
            all(isinstance(root, dict) for root in roots)
            and levels(value) <= DEEPEST
            and all(key and "\x00" not in key for key in keys(value))
            and (all(len(key) <= LONGEST_KEY for key in keys(value)) or sum(map(len, keys(value))) <= SHORT)
        )
    return isinstance(value, str) and bool(value)


@given(st.integers(0, 2**32))
def test_what_is_let_through_is_acceptable(seed: int) -> None:
    """Of anything at all, what a converter lets through fits its field and can be written; what it does not is absent or reported."""
    chance = random.Random(seed)
    values = [clean(chance.choice(ANYTHING)) for _ in range(40)]
    values += [
        {"k": values[:5], **{as_text(value): value for value in values[5:10]}},
        values[:7],
        nested(chance.randint(0, 40)),
    ]
    for kind in CONVERTERS:
        for many in (False, True):
            column = Column("Column", kind, many=many)
            for value in values:
                issues: list[Issue] = []
                found = convert(column, value, issues)
                if found is not None:
                    for member in found if many else [found]:
                        assert acceptable(kind, member), (kind, value, member)
                    orjson.dumps(found)
                if isinstance(value, int | float) and found is None:
                    assert issues


@given(
    st.text(max_size=60)
    | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{0,12})?)?(Z|z|[+-]\d\d:?\d\d)?", fullmatch=True)
)
def test_dates_mean_the_same_moment(text: str) -> None:
    """Whatever text is taken for a date, the text that comes out is the same moment, and converting it again changes nothing."""
    issues: list[Issue] = []
    found = date(text, "Timestamp", issues)
    if found is None:
        return
    moment = datetime.fromisoformat(text.upper())
    assert datetime.fromisoformat(found) == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    assert STRICT_DATE.fullmatch(found)
    assert date(found, "Timestamp", issues) == found
    assert not issues
