"""The drift report in a real blob store: merged by many, bounded, clean, and never a reason for a batch to wait or fail."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local.azurite import LocalAzurite
from local.process import free_port
from shared import drift
from shared.drift import (
    AFTER_FAILURE,
    BLOB,
    EVERY,
    EVERY_NEW,
    MOST_ALIKE,
    MOST_BYTES,
    MOST_ENTRIES,
    PUT_ASIDE,
    DriftLog,
    Entries,
    Seen,
    Stored,
    added,
    clear,
    parsed,
    read,
    written,
)
from shared.errors import Retry
from shared.report import LONGEST_NAME, MOST_MEMBERS, OTHERS, Drift, Report
from shared.settings import Settings
from shared.telemetry import DRIFT_LOGGER
from tests.functions.app_process import event_hub, http, run_app
from tests.functions.test_event_hub import body, record
from tests.functions.test_state import Clock

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z
MOMENT = "2026-01-02T03:04:05.000Z"
TABLE, COLUMN = Drift("table", "DeviceNovelEvents"), Drift("column", "DeviceInfo", "Novelty")


@pytest.fixture
def settings(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a state container that is not there yet."""
    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    return Settings(state_container=azurite_server.container_name("state"))


def report(*names: Drift, times: int = 1, source: str = "xdr") -> Report:
    """An acknowledged run that saw unknown tables and columns, each so many times."""
    return Report(
        source,
        unknown_tables=Counter({name.table: times for name in names if name.kind == "table"}),
        unknown_columns=Counter({(name.table, name.column): times for name in names if name.kind == "column"}),
    )


def noted(log: DriftLog, run: Report, settings: Settings, now: float = NOW) -> bool:
    """Note a run and wait for its write, if there is one."""
    begun = log.note(run, settings, now)
    log.settle(30)
    return begun


def seen(times: int, first: str = MOMENT, last: str = MOMENT) -> Seen:
    """A sighting by xdr."""
    return Seen(times, first, last, "xdr")


def put(server: LocalAzurite, settings: Settings, content: bytes) -> None:
    """Write the blob as somebody else would."""
    with server.service() as service, service.get_container_client(settings.state_container) as container:
        if not container.exists():
            container.create_container()
        container.upload_blob(BLOB, content, overwrite=True)


def content(server: LocalAzurite, settings: Settings, blob: str = BLOB) -> bytes:
    """What is in a blob."""
    with server.service() as service, service.get_container_client(settings.state_container) as container:
        return bytes(container.download_blob(blob).readall())


def test_what_a_run_saw_is_read_back(settings: Settings) -> None:
    """The container is made at the first write; counts add up, first seen stays, last seen moves, a clean run writes nothing."""
    clock = Clock()
    log = DriftLog(clock)
    assert read(settings) == Stored()
    assert not noted(log, Report("xdr"), settings)

    assert noted(log, report(TABLE, COLUMN, times=3), settings)
    clock.now += EVERY
    assert noted(log, report(TABLE, source="defender_cloud"), settings, NOW + 60)

    stored = read(settings)
    assert stored.entries == {TABLE: seen(4, last="2026-01-02T03:05:05.000Z"), COLUMN: seen(3)}
    assert stored.newest() == [
        {
            "kind": "table",
            "table": "DeviceNovelEvents",
            "count": 4,
            "first_seen": MOMENT,
            "last_seen": "2026-01-02T03:05:05.000Z",
            "source": "xdr",
        },
        {
            "kind": "column",
            "table": "DeviceInfo",
            "column": "Novelty",
            "count": 3,
            "first_seen": MOMENT,
            "last_seen": MOMENT,
            "source": "xdr",
        },
    ]


def test_it_is_written_at_once_where_something_is_new_and_else_seldom(settings: Settings) -> None:
    """Known drift waits for the interval and is not lost by waiting; new drift does not wait, but for a moment after a write."""
    clock = Clock()
    log = DriftLog(clock)
    assert noted(log, report(TABLE), settings)
    clock.now += EVERY_NEW
    assert not noted(log, report(TABLE, times=10), settings)
    assert noted(log, report(COLUMN), settings)
    assert read(settings).entries == {TABLE: seen(11), COLUMN: seen(1)}

    other = Drift("column", "DeviceInfo", "Other")
    clock.now += EVERY_NEW - 1
    assert not noted(log, report(other), settings)
    clock.now += 1
    assert noted(log, Report("xdr"), settings)
    assert read(settings).entries[other] == seen(1)
    clock.now += EVERY - 1
    assert not noted(log, report(TABLE), settings)
    clock.now += 1
    assert noted(log, report(TABLE), settings)
    assert read(settings).entries[TABLE] == seen(13)


def test_writers_at_once_lose_nothing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Six instances, ten writes each, of what they share and of what only one saw: every count and every entry is there, each told once."""
    instances, rounds = 6, 10
    start = threading.Barrier(instances)

    def instance(number: int) -> None:
        clock = Clock()
        log = DriftLog(clock)
        start.wait()
        for turn in range(rounds):
            own = Drift("column", f"Table{number}", f"Column{turn}")
            log.note(report(TABLE, own), settings, NOW + turn)
            log.settle(60)
            clock.now += AFTER_FAILURE[1]
        while log._pending.entries:  # what a busy blob did not take is tried again
            clock.now += AFTER_FAILURE[1]
            noted(log, Report("xdr"), settings)

    threads = [threading.Thread(target=instance, args=(number,)) for number in range(instances)]
    with caplog.at_level(logging.WARNING, DRIFT_LOGGER):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    entries = read(settings).entries
    assert entries.pop(TABLE) == seen(instances * rounds, last="2026-01-02T03:04:14.000Z")
    own = {Drift("column", f"Table{n}", f"Column{turn}") for n in range(instances) for turn in range(rounds)}
    assert set(entries) == own
    assert {found.times for found in entries.values()} == {1}
    lines = [json.loads(entry.getMessage()) for entry in caplog.records if entry.name == DRIFT_LOGGER]
    assert len(lines) == len(own) + 1
    assert {(line["kind"], line["table"], line["column"]) for line in lines} == {
        (name.kind, name.table, name.column) for name in (TABLE, *own)
    }


def test_a_store_that_is_away_costs_a_warning_and_later_counts_arrive(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, azurite_server: LocalAzurite
) -> None:
    """Noting returns at once although nobody answers; tries grow rarer; when the store is back all of it is written."""
    place = f"http://127.0.0.1:{free_port()}/devstoreaccount1"
    monkeypatch.setenv(
        "AzureWebJobsStorage",
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint={place};",
    )
    clock = Clock()
    log = DriftLog(clock)
    with caplog.at_level(logging.WARNING, "shared.drift"):
        began = time.monotonic()
        assert log.note(report(TABLE), settings, NOW)
        assert time.monotonic() - began < 0.5
        log.settle(30)
        assert not noted(log, report(TABLE, COLUMN), settings)
        clock.now += AFTER_FAILURE[0]
        assert noted(log, report(TABLE), settings)
        clock.now += 2 * AFTER_FAILURE[0] - 1
        assert not noted(log, report(TABLE), settings)
    told = [entry.getMessage() for entry in caplog.records if entry.name == "shared.drift"]
    assert len(told) == 2
    assert "can not be reached" in told[0]
    with pytest.raises(Retry, match="can not be reached"):
        read(settings)

    monkeypatch.setenv("AzureWebJobsStorage", azurite_server.connection_string)
    clock.now += 1
    assert noted(log, Report("xdr"), settings)
    assert read(settings).entries == {TABLE: seen(4), COLUMN: seen(1)}


def test_a_slow_store_holds_no_batch(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, azurite_server: LocalAzurite
) -> None:
    """While a write hangs, runs are noted without waiting, by no second write, and nothing of them is lost."""
    entered, gate, real = threading.Event(), threading.Event(), drift.load

    def hanging(container: Any) -> Stored:
        entered.set()
        gate.wait(30)
        return real(container)

    monkeypatch.setattr(drift, "load", hanging)
    clock = Clock()
    log = DriftLog(clock)
    assert log.note(report(TABLE), settings, NOW)
    assert entered.wait(30)
    clock.now += EVERY
    began = time.monotonic()
    assert not any(log.note(report(TABLE, COLUMN), settings, NOW) for _ in range(200))
    assert time.monotonic() - began < 1
    gate.set()
    log.settle(30)
    clock.now += EVERY
    assert noted(log, Report("xdr"), settings)
    assert read(settings).entries == {TABLE: seen(201), COLUMN: seen(200)}


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "no json": b"\xff not json",
    "a list": b"[1]",
    "no entries": b"{}",
    "no count": b'{"entries":[{"kind":"table","table":"T"}],"left_out":0}',
    "no kind": b'{"entries":[{"kind":"tables","table":"T","count":1,"first_seen":"","last_seen":"","source":""}],"left_out":0}',
    "a list for a name": b'{"entries":[{"kind":"table","table":["T"],"count":1,"first_seen":"","last_seen":"","source":""}],"left_out":0}',
    "a list for a kind": b'{"entries":[{"kind":[],"table":"T","count":1,"first_seen":"","last_seen":"","source":""}],"left_out":0}',
    "infinite": b'{"entries":[],"left_out":Infinity}',
    "deep": b"[" * 100_000,
    "too long": b'{"entries":[],"left_out":0' + b" " * MOST_BYTES + b"}",
    "too many": json.dumps(
        {
            "left_out": 0,
            "entries": [
                {"kind": "table", "table": f"T{n}", "count": 1, "first_seen": "", "last_seen": "", "source": ""}
                for n in range(MOST_ENTRIES + 1)
            ],
        }
    ).encode(),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_no_drift_report_is_put_aside_and_told(
    settings: Settings, azurite_server: LocalAzurite, caplog: pytest.LogCaptureFixture, broken: bytes
) -> None:
    """Content of somebody else counts as nothing, is kept in another blob, and the report begins anew."""
    put(azurite_server, settings, broken)
    found = read(settings)
    assert (found.entries, found.odd) == ({}, broken[:MOST_BYTES])

    with caplog.at_level(logging.WARNING, "shared.drift"):
        noted(DriftLog(), report(TABLE), settings)

    assert [PUT_ASIDE in entry.getMessage() for entry in caplog.records if entry.name == "shared.drift"] == [True]
    assert content(azurite_server, settings, PUT_ASIDE) == broken[:MOST_BYTES]
    assert read(settings).entries == {TABLE: seen(1)}


HOSTILE = (
    "x" * 100_000,
    "x" * 200_000,
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "a\x00b\r\n[red]bold[/red]",
    "\ud800\udfff\ud801",
    "'; DROP TABLE--",
    "<script>alert(1)</script>",
    "😀" * 200,
    "",
    "../../drift.json",
)


def test_hostile_names_are_kept_short_and_harmless(settings: Settings, azurite_server: LocalAzurite) -> None:
    """Names from outside are cut, control characters and lone surrogates replaced, and what is written can be read again."""
    run = Report("xdr")
    for name in HOSTILE:
        run.unknown_tables[name] = 1
        run.unknown_columns[(name, name)] = 1
        run.unknown_actions[(name, name)] = 1
        run.unknown_members[(name, name, name)] = 1
        run.unconverted[(name, name, "string", "long")] = 1
    noted(DriftLog(), run, settings)

    stored = read(settings)
    assert stored.odd is None
    assert sum(found.times for found in stored.entries.values()) == 5 * len(HOSTILE)
    for kept in stored.entries:
        assert all(len(part) <= LONGEST_NAME and part.isprintable() for part in kept)
    assert len(content(azurite_server, settings)) < 100_000


@pytest.mark.parametrize(
    ("make", "kept", "other"),
    [
        (lambda n: Drift("table", f"Table{n}"), MOST_ALIKE, Drift("table", OTHERS)),
        (lambda n: Drift("column", "AlertInfo", f"Column{n}"), MOST_ALIKE, Drift("column", "AlertInfo", OTHERS)),
        (
            lambda n: Drift("action", "DeviceEvents", "ActionType", f"Action{n}"),
            MOST_ALIKE,
            Drift("action", "DeviceEvents", "ActionType", OTHERS),
        ),
        (
            lambda n: Drift("enum", "AlertInfo", "Severity", f"Member{n}"),
            MOST_MEMBERS,
            Drift("enum", "AlertInfo", "Severity", OTHERS),
        ),
        (
            lambda n: Drift("type", "AlertInfo", f"Column{n}", "string", "long"),
            MOST_ALIKE,
            Drift("type", "AlertInfo", OTHERS),
        ),
    ],
    ids=["table", "column", "action", "enum", "type"],
)
def test_one_table_can_not_fill_the_report(make: Callable[[int], Drift], kept: int, other: Drift) -> None:
    """Of one kind and table so many have room, those that came first; the rest is one entry with their count, and no longer new."""
    flood = Stored({make(n): seen(2) for n in range(kept + 50)})
    stored, new = added(Stored({COLUMN: seen(1)}), flood)
    assert len(stored.entries) == len(new) + 1 == kept + 2
    assert stored.entries[other] == seen(100)
    assert set(map(make, range(kept))) < set(new)
    again, none = added(stored, Stored({make(kept + 500): seen(1), make(0): seen(1)}))
    assert not none
    assert (again.entries[other], again.entries[make(0)]) == (seen(101), seen(3))


def test_the_report_is_bounded_in_all(settings: Settings, azurite_server: LocalAzurite) -> None:
    """Many floods at once, with the longest names there are, fill the entries there may be and count the rest; the blob stays below its bound."""
    flood: Entries = {
        Drift("type", f"{table:03}" + "😀" * 77, f"{n:03}" + "😀" * 77, "😀" * 80, "😀" * 80): Seen(
            10**15, MOMENT, MOMENT, "x" * 80
        )
        for table in range(20)
        for n in range(100)
    }
    stored, new = added(Stored(), Stored(flood))
    assert len(stored.entries) == len(new) == MOST_ENTRIES
    assert stored.left_out == (2_000 - MOST_ENTRIES) * 10**15
    assert len(written(stored)) < MOST_BYTES
    put(azurite_server, settings, written(stored))
    log = DriftLog()
    assert noted(log, report(TABLE), settings)
    found = read(settings)
    assert found.entries == stored.entries
    assert found.left_out == stored.left_out + 1


def test_a_flood_of_new_names_is_not_written_each_time(settings: Settings) -> None:
    """Names that have no room are nothing new: a column that changes with every record does not make a write of every batch."""
    clock = Clock()
    log = DriftLog(clock)
    begun = 0
    for turn in range(40):
        names = [Drift("column", "AlertInfo", f"Column{turn}-{n}") for n in range(20)]
        begun += noted(log, report(*names), settings)
        clock.now += EVERY_NEW
    assert begun < MOST_ALIKE / 20 + 3
    clock.now += EVERY
    noted(log, Report("xdr"), settings)
    assert sum(found.times for found in read(settings).entries.values()) == 800


def test_clearing_takes_what_is_meant_and_what_comes_again_is_new(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Cleared entries are gone, others stay; a process that knew them enters them again when it next writes, and that is told again."""
    clock = Clock()
    log = DriftLog(clock)
    noted(log, report(TABLE, COLUMN), settings)

    assert clear(settings, lambda name: name.kind == "table") == 1
    assert read(settings).entries == {COLUMN: seen(1)}
    clock.now += EVERY
    caplog.clear()
    with caplog.at_level(logging.WARNING, DRIFT_LOGGER):
        noted(log, report(TABLE, COLUMN), settings, NOW + 60)
    later = "2026-01-02T03:05:05.000Z"
    assert read(settings).entries == {TABLE: seen(1, later, later), COLUMN: seen(2, last=later)}
    assert [json.loads(entry.getMessage())["kind"] for entry in caplog.records] == ["table"]
    assert clear(settings, lambda _: True) == 2
    assert read(settings).entries == {}


def test_a_clear_between_load_and_save_is_not_undone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer that was overtaken looks again, and enters only what it saw itself."""
    clock = Clock()
    log = DriftLog(clock)
    noted(log, report(TABLE), settings)
    real, overtaken = drift.load, list[bool]()

    def overtaking(container: Any) -> Stored:
        stored = real(container)
        if not overtaken:
            overtaken.append(True)
            clear(settings, lambda _: True)
        return stored

    clock.now += EVERY
    monkeypatch.setattr(drift, "load", overtaking)
    noted(log, report(COLUMN), settings)
    assert overtaken
    assert read(settings).entries == {COLUMN: seen(1)}


def test_written_is_read_back_exactly() -> None:
    """Every field of every kind, and nothing else."""
    stored = Stored(
        {
            TABLE: seen(1),
            COLUMN: seen(2),
            Drift("action", "DeviceEvents", "ActionType", "Müller [x]"): seen(3),
            Drift("enum", "AlertInfo", "Severity", "Apocalyptic"): seen(4),
            Drift("type", "DeviceInfo", "OSBuild", "string", "long"): seen(5),
        },
        7,
    )
    assert parsed(written(stored)) == stored


def test_through_the_real_runtime(app_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch with drift of every kind is acknowledged; health has the list, newest first, and is whole; each entry is told once."""
    strange = [
        record(1, category="AdvancedHunting-DeviceNovelEvents"),
        record(2, properties={"Timestamp": "2026-01-02T03:04:05Z", "DeviceId": "d", "Novelty": {"a": 1}}),
        record(3, properties={"Timestamp": "2026-01-02T03:04:05Z", "AssetValue": "Priceless", "IsExcluded": [1]}),
        record(
            4,
            category="AdvancedHunting-DeviceEvents",
            properties={"ActionType": "Teleported", "Timestamp": "2026-01-02T03:04:05Z"},
        ),
    ]
    ran = run_app(
        app_settings,
        [
            event_hub("xdr_stream", [body(*strange)]),
            http("health"),
            event_hub("xdr_stream", [body(*strange)], first=9),
            http("health"),
        ],
    )

    assert [ran.answers[n]["ok"] for n in (0, 2)] == [True, True]
    expected = {
        ("table", "DeviceNovelEvents", "", ""),
        ("column", "DeviceInfo", "Novelty", ""),
        ("enum", "DeviceInfo", "AssetValue", "Priceless"),
        ("type", "DeviceInfo", "IsExcluded", "array"),
        ("action", "DeviceEvents", "ActionType", "Teleported"),
    }
    health = json.loads(ran.answers[1]["body"])
    assert health["whole"] is True
    rows = health["checks"]["drift"]["data"]
    assert {(r["kind"], r["table"], r.get("column", ""), r.get("value", "")) for r in rows} == expected
    assert {row["count"] for row in rows} == {1}
    assert next(row for row in rows if row["kind"] == "type")["expected"] == "boolean"
    lines = [json.loads(entry["text"]) for entry in ran.logged(DRIFT_LOGGER)]
    assert {(line["kind"], line["table"], line["column"], line["value"]) for line in lines} == expected
    assert len(lines) == len(expected)
