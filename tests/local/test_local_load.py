"""The generated load is the same every time, looks like Defender's, names nobody, and says what is in it."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from local.load import LARGEST_BODY, UNKNOWN_TABLE, Load, load, records
from local.load_entities import TABLES

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "defender.csv"
KEYS = ("Timestamp", "DeviceId", "ReportId", "AlertId")


@pytest.fixture(scope="module")
def made() -> Load:
    """A load of some size."""
    return load(3000, seed=7)


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    """Unbroken rows by table."""
    result: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records(3000, seed=7):
        result[record["category"].removeprefix("AdvancedHunting-")].append(record["properties"])
    return result


def readable(body: bytes) -> list[dict[str, Any]]:
    """The records of a body; none if it can not be read as a whole."""
    try:
        text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        found: list[dict[str, Any]] = json.loads(text)["records"]
    except ValueError:
        return []
    return found


def test_the_same_seed_gives_the_same_bytes(made: Load) -> None:
    """A load is repeatable to the byte, and another seed gives another one."""
    assert load(3000, seed=7) == made
    assert load(300, seed=8).bodies != load(300, seed=7).bodies


def test_the_load_says_what_is_in_it(made: Load) -> None:
    """Counting the bodies gives the numbers that the load tells: records by table and broken pieces by kind."""
    tables: Counter[str] = Counter()
    without = 0
    for body in made.bodies:
        for record in readable(body):
            if "properties" in record:
                tables[record["category"].removeprefix("AdvancedHunting-")] += 1
            else:
                without += 1
    cut_off = made.broken["cut_off"]  # each holds one whole record before the cut
    assert tables + Counter({"DeviceProcessEvents": cut_off}) == made.tables
    assert made.records == made.tables.total()
    assert without == made.broken["no_properties"] > 0
    assert set(made.broken) == {"not_json", "not_utf8", "empty", "no_properties", "cut_off"}
    assert made.bodies.count(b"") == made.broken["empty"]
    assert made.tables[UNKNOWN_TABLE] > 0
    assert made.size == sum(len(body) for body in made.bodies)


def test_messages_are_packed_as_defender_packs_them(made: Load) -> None:
    """Bodies hold up to a megabyte with hundreds of records; one comes gzipped."""
    assert max(map(len, made.bodies)) <= LARGEST_BODY
    assert max(len(readable(body)) for body in made.bodies) > 200
    assert sum(body.startswith(b"\x1f\x8b") for body in made.bodies) == 1


def test_every_table_occurs_with_its_own_columns(rows: dict[str, list[dict[str, Any]]]) -> None:
    """All tables are there, and a table's rows have exactly the columns that Defender streams, all in every row."""
    assert set(rows) == set(TABLES)
    with SCHEMA.open(newline="") as file:
        schema = list(csv.DictReader(file))
    known: dict[str, set[str]] = defaultdict(set)
    for line in schema:
        known[line["table"]].add(line["column"])
    for table, found in rows.items():
        assert set(found[0]) <= known[table], table
        assert all(row.keys() == found[0].keys() for row in found), table
        assert len(found[0]) >= len(known[table]) - 4, f"{table}: too few columns"


def test_no_two_records_are_the_same(made: Load) -> None:
    """Every readable record differs, so that a duplicate in Elasticsearch is a duplicate of ours."""
    texts = [json.dumps(record, sort_keys=True) for body in made.bodies for record in readable(body)]
    assert len(texts) == len(set(texts))
    keys = [
        (record["category"], *(record["properties"].get(name) for name in KEYS))
        for body in made.bodies
        for record in readable(body)
        if "properties" in record
    ]
    assert len(keys) == len(set(keys))


def test_times_are_written_as_defender_writes_them(rows: dict[str, list[dict[str, Any]]]) -> None:
    """0 to 7 fractional digits, no trailing zeros, Z."""
    times = [row["Timestamp"] for found in rows.values() for row in found]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z", time) for time in times)
    assert {len(time.partition(".")[2]) for time in times} >= {0, 4, 8}


def test_report_ids_of_devices_exceed_what_a_float_holds(rows: dict[str, list[dict[str, Any]]]) -> None:
    """As in real records, so that a reader that makes floats of them is found out."""
    large = [row["ReportId"] for row in (*rows["DeviceInfo"], *rows["DeviceNetworkInfo"])]
    assert any(int(float(number)) != number for number in large)


def test_nobody_real_is_named(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Hosts and sites are below example.*, addresses from documentation ranges, accounts userN or the system's."""
    text = json.dumps(rows)
    addresses = set(re.findall(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?![\d.])", text))
    versions = {address for address in addresses if address.startswith(("10.0.22621", "10.8760", "4.18"))}
    assert {address.rpartition(".")[0] for address in addresses - versions} == {"192.0.2", "198.51.100", "203.0.113"}
    sites = set(re.findall(r"https?://([^/\"\\]+)", text)) | set(re.findall(r"[\w.]+@([\w.]+)", text))
    assert all(site.endswith(("example.com", "example.net", "example.org")) for site in sites)
    accounts = {row["InitiatingProcessAccountName"] for row in rows["DeviceProcessEvents"]}
    assert all(re.fullmatch(r"user\d+|system|root", account) for account in accounts)
