"""Document ids: frozen values, and what they may and may not depend on."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Reject
from shared.normalise import identity
from shared.normalise.identity import document_id, time_prefix
from shared.normalise.salvage import clean
from tests.normalise.rows import layouts, nested, row

ROOT = Path(__file__).resolve().parent.parent.parent
TENANT = "11111111-2222-3333-4444-555555555555"
PROCESS = {
    "Timestamp": "2026-01-02T03:04:05.1234567Z",
    "DeviceId": "d1",
    "ReportId": 42,
    "FileName": "Grüße.exe",
    "ProcessId": None,
    "AdditionalFields": {"b": [1, 2.5, True], "a": '\u2028 \\ " /'},
}
# fmt: off
GOLDEN: tuple[tuple[tuple[str, str, Any, dict[str, Any]], str], ...] = (  # frozen: another value here means that every document in every cluster would be doubled
    ((TENANT, "DeviceProcessEvents", "2026-01-02T03:04:05.1234567Z", PROCESS),            "AZt8qY0DjqJnlFK2TkM_P0n1iB8"),
    ((TENANT, "DeviceProcessEvents", None, {"A": 1}),                                     "AAAAAAAAIR5DUN92Mg-ZO8lvbCU"),
    (("", "SecurityAlert", "1970-01-01T00:00:00.001Z", {}),                               "AAAAAAAB7AjmvT7gthINE7cYhDM"),
    ((TENANT, "AlertInfo", "9999-12-31T23:59:59.999Z", {"Title": "x", "Severity": None}), "5nfSH9v_dNlFmBfZ1SwAjHJa8ls"),
    ((TENANT, "DeviceInfo", "2026-01-02T03:04:05", {"ReportId": 2**63, "Timestamp": 1}),  "AZt8qYyIElVuCdObOZ_kSXk4Xlk"),
)
# fmt: on


@pytest.mark.parametrize(("given_record", "expected"), GOLDEN)
def test_golden_ids(given_record: tuple[str, str, Any, dict[str, Any]], expected: str) -> None:
    """Ids are what they always were."""
    assert document_id(*given_record) == expected


def test_same_in_other_processes() -> None:
    """Two fresh processes with other hash seeds make the same ids as this one."""
    program = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "from shared.normalise.identity import document_id\n"
        "print(json.dumps([document_id(*record) for record in json.load(sys.stdin)]))"
    )
    records = [record for record, _ in GOLDEN]
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", program, str(ROOT)],
            input=json.dumps(records),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert json.loads(done.stdout) == [expected for _, expected in GOLDEN]


def rows(seed: int, count: int = 20) -> list[dict[str, Any]]:
    """Random rows of many tables, as they come out of the decoder."""
    chance = random.Random(seed)
    known = [layout for _, layout in layouts()]
    return [clean(row(chance, chance.choice(known))[0]) for _ in range(count)]


def shuffled(chance: random.Random, value: Any) -> Any:
    """The same value with the keys of all its objects in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(chance, item)) for key, item in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(chance, item) for item in value] if isinstance(value, list) else value


@given(st.integers(0, 2**32))
def test_order_of_keys_and_what_was_seen_before_do_not_count(seed: int) -> None:
    """The order of keys at any depth changes nothing, nor does forgetting the names of columns seen before."""
    chance = random.Random(seed)
    for columns in rows(seed):
        expected = document_id(TENANT, "DeviceEvents", columns.get("Timestamp"), columns)
        assert document_id(TENANT, "DeviceEvents", columns.get("Timestamp"), shuffled(chance, columns)) == expected
        identity.known.clear()
        assert document_id(TENANT, "DeviceEvents", columns.get("Timestamp"), shuffled(chance, columns)) == expected


@given(st.integers(0, 2**32))
def test_every_difference_counts(seed: int) -> None:
    """Another tenant, another table, one column more, less, renamed or with another value: always another id."""
    chance = random.Random(seed)
    for columns in rows(seed, 5):
        here = document_id(TENANT, "DeviceEvents", None, columns)
        others = {
            document_id("another", "DeviceEvents", None, columns),
            document_id(TENANT, "DeviceFileEvents", None, columns),
            document_id(TENANT, "DeviceEvents", None, {**columns, "One": None}),
        }
        count = 3
        for name in columns:
            less = {key: value for key, value in columns.items() if key != name}
            others |= {
                document_id(TENANT, "DeviceEvents", None, less),
                document_id(TENANT, "DeviceEvents", None, {**less, name + "2": columns[name]}),
                document_id(TENANT, "DeviceEvents", None, {**columns, name: [columns[name], chance.random()]}),
            }
            count += 3
        assert len(others | {here}) == count + 1


def test_values_that_look_alike_differ() -> None:
    """1, 1.0, "1", true, null, "null", a list and an object are different values of a column."""
    values: tuple[Any, ...] = (1, 1.0, "1", True, "true", None, "null", "", [], {}, [1], {"1": 1}, [[1]], "[1]")
    assert len({document_id(TENANT, "T", None, {"A": value}) for value in values}) == len(values)
    assert len({document_id(TENANT, "T", None, {"A": value, "B": 1}) for value in values}) == len(values)


def test_names_do_not_run_into_values() -> None:
    """Moving characters between tenant, table, names and values gives other ids."""
    made = [
        document_id("a", "bc", None, {"A": "x"}),
        document_id("ab", "c", None, {"A": "x"}),
        document_id("a", "b", None, {"cA": "x"}),
        document_id("a\nb", "c", None, {"A": "x"}),
        document_id("a", "b\nc", None, {"A": "x"}),
        document_id("a", "bc", None, {"A": "x", "B": "y"}),
        document_id("a", "bc", None, {"A": "y", "B": "x"}),
        document_id("a", "bc", None, {'A","B': "x"}),
    ]
    assert len(set(made)) == len(made)


@given(st.integers(0, 2**32))
def test_form(seed: int) -> None:
    """An id has 27 characters of the alphabet that Elasticsearch stores in three quarters of the bytes, and its last may be read back."""
    for columns in rows(seed):
        made = document_id(TENANT, "DeviceEvents", columns.get("Timestamp"), columns)
        assert re.fullmatch(r"[A-Za-z0-9_-]{27}", made)
        raw = base64.urlsafe_b64decode(made + "=")
        assert len(raw) == 20
        assert base64.urlsafe_b64encode(raw).decode().rstrip("=") == made


@given(st.datetimes(), st.datetimes())
def test_prefix_sorts_by_time(one: Any, other: Any) -> None:
    """The prefixes of two times are in the order of their milliseconds; before 1970 all are zero."""
    first, second = sorted((one.isoformat(), other.isoformat()))
    assert time_prefix(first) <= time_prefix(second)
    assert time_prefix(first) == time_prefix(first + "Z") == time_prefix(first + "+00:00")
    if first < "1970":
        assert time_prefix(first) == bytes(6)


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        "",
        "yesterday",
        5,
        True,
        ["2026-01-02"],
        {},
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\ud800",
    ],
)
def test_no_readable_time_is_no_error(nothing: Any) -> None:
    """Anything at all in Timestamp gives six bytes."""
    assert len(time_prefix(nothing)) == 6


def test_deep_columns_have_an_id() -> None:
    """Columns deeper than orjson writes have an id all the same; beyond what Python writes they are rejected with the reason."""
    assert document_id(TENANT, "T", None, {"A": nested(260)}) != document_id(TENANT, "T", None, {"A": nested(261)})
    value: Any = "end"
    for _ in range(200_000):
        value = [value]
    with pytest.raises(Reject, match="can not be written") as caught:
        document_id(TENANT, "T", None, {"A": value})
    assert caught.value.code == "too_deep"
    while isinstance(value, list):  # taken apart here: Python's own way would be recursive
        value = value[0]


def test_what_is_remembered_is_bounded() -> None:
    """Names of tenants, tables and columns come from outside: many or huge ones do not fill the memory."""
    identity.known.clear()
    identity.latest.clear()
    for number in range(identity.MOST_TABLES + 50):
        document_id(TENANT, f"Table{number}", None, {"A": 1})
        assert {key[:2] for key in identity.latest} <= identity.known.keys()
    for number in range(identity.MOST_NAMES + 50):
        document_id(TENANT, "OneTable", None, {f"A{number}": 1, "B": 2})
        document_id(TENANT, "OneTable", None, dict.fromkeys(map(str, range(number))))
        assert len(identity.latest) <= identity.MOST_TABLES * identity.MOST_NAMES
    document_id(TENANT, "OneTable", None, {"A" * 100_000: 1, "B": 2})
    assert len(identity.known) <= identity.MOST_TABLES
    assert all(len(seen) <= identity.MOST_NAMES for seen in identity.known.values())
    assert all(len(name) < 100_000 for seen in identity.known.values() for names in seen for name in names)


def test_hashed_text_is_as_documented() -> None:
    """The id of a small record, put together by hand as the module says."""
    import hashlib

    names = hashlib.sha256(orjson.dumps(["t", "T", ["A", "B"]])).digest()
    content = hashlib.sha256(names + b'[1,{"x":null,"y":2}]').digest()
    raw = bytes(6) + content[:14]
    assert (
        document_id("t", "T", None, {"B": {"y": 2, "x": None}, "A": 1}) == base64.urlsafe_b64encode(raw).decode()[:27]
    )


@given(st.integers(0, 2**32))
def test_record_before_does_not_count(seed: int) -> None:
    """Records with the same columns, others, more or fewer, one after another: each has the id that it has alone."""
    chance = random.Random(seed)
    made = [{name: chance.random() for name in chance.sample("ABCD", chance.randint(1, 3))} for _ in range(10)]
    in_turn = [document_id(TENANT, "OneTable", None, columns) for columns in made]
    for columns, id in zip(made, in_turn, strict=True):
        identity.known.clear()
        identity.latest.clear()
        assert document_id(TENANT, "OneTable", None, columns) == id
