"""Records to documents: tables, variants, carriers for what is unknown, bags for what has no field, and never an exception."""

from __future__ import annotations

import json
import linecache
import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.load import json_bytes, packed, records
from shared.normalise.bags import DEEPEST
from shared.normalise.convert import UNKNOWN_COLUMN
from shared.normalise.decode import Body, Message, Record, decode
from shared.normalise.fit import LEARN_FROM, not_fitted
from shared.normalise.interpret import MOST_MESSAGES, NOT_TOLD
from shared.normalise.normaliser import FIT_AFTER, MOST_FITTED, MOST_SEEN, NO_TIME, Normalised, Normaliser
from shared.normalise.salvage import clean
from tests.normalise.rows import UNKNOWN_TABLES, layouts, nested, row

NOW = "2026-01-02T03:04:06.789Z"
LAYOUTS = dict(layouts())


def record(table: str, properties: Any, envelope: Any = None, enqueued: str | None = None) -> Record:
    """A record as the decoder makes it."""
    data = json.dumps({**(envelope or {}), "properties": properties}).encode()
    return Record(
        table,
        {"category": f"AdvancedHunting-{table}"} if envelope is None else envelope,
        properties,
        Message(data, enqueued=enqueued),
        Body(data),
        -1,
    )


def normalise(normaliser: Normaliser, given_record: Record) -> Normalised:
    """What becomes of a record."""
    return normaliser.normalise(given_record, normaliser.identify(given_record), NOW)


@pytest.mark.parametrize("options", [{}, {"duplicates": True, "original": True, "namespace": "other"}], ids=["", "all"])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_anything_becomes_a_document(options: dict[str, Any], seed: int) -> None:
    """Any record at all, once decoded, becomes a document that can be written, with an id, a time, a category of its table and its data stream."""
    normaliser = NORMALISERS[bool(options)]
    chance = random.Random(seed)
    for meaning in LAYOUTS.values():
        properties, envelope = map(clean, row(chance, meaning))
        made = normalise(normaliser, record(meaning.name, properties, envelope if envelope else None))
        text = orjson.dumps(made.document)
        assert made.document["@timestamp"]
        assert made.document["event"]["ingested"] == NOW
        assert made.document["data_stream"]["namespace"] == options.get("namespace", "default")
        assert made.index == f"logs-{made.document['data_stream']['dataset']}-{options.get('namespace', 'default')}"
        assert ("original" in made.document["event"]) == bool(options)
        assert b'"error"' in text or not [
            issue for issue in made.issues if issue.reason not in (UNKNOWN_COLUMN, *NOT_TOLD)
        ]


NORMALISERS = {False: Normaliser(), True: Normaliser(duplicates=True, original=True, namespace="other")}


@pytest.mark.parametrize("action", [["ProcessCreated"], {"a": 1}, 5, True, None, 1.5, "x" * 100_000])
@pytest.mark.parametrize("table", ["DeviceEvents", "DeviceNetworkEvents", "AlertEvidence", "Unknown"])
def test_action_of_any_type(table: str, action: Any) -> None:
    """An ActionType that is no text, of a table that looks for its own layout by it, costs its field and not the batch."""
    column = "EntityType" if table == "AlertEvidence" else "ActionType"
    made = normalise(Normaliser(), record(table, {column: action, "DeviceId": "d1"}))
    assert made.document["host"]["id"] == "d1"
    orjson.dumps(made.document)


def test_variant_of_a_table() -> None:
    """An inspected connection is read by its own layout, other connections by the table's."""
    normaliser = Normaliser()
    inspected = {
        "ActionType": "DnsConnectionInspected",
        "AdditionalFields": {"query": "www.example.com"},
        "RemoteIP": "192.0.2.1",
    }
    assert (
        normalise(normaliser, record("DeviceNetworkEvents", inspected)).document["dns"]["question"]["name"]
        == "www.example.com"
    )
    assert (
        "dns"
        not in normalise(
            normaliser, record("DeviceNetworkEvents", {**inspected, "ActionType": "ConnectionSuccess"})
        ).document
    )


def test_unknown_columns_go_into_the_bag() -> None:
    """A column that we do not know is kept with its type below `unmapped`, reported, and is no error."""
    made = normalise(
        Normaliser(),
        record(
            "DeviceInfo",
            {"DeviceId": "d1", "Timestamp": NOW, "Example": {"a": [1]}, "Other": 5, "Empty": "", "None": None},
        ),
    )
    assert made.document["m365_defender"]["event"]["unmapped"] == {"Example": {"a": [1]}, "Other": 5}
    assert sorted(issue.column for issue in made.issues if issue.reason is UNKNOWN_COLUMN) == ["Example", "Other"]
    assert "error" not in made.document


def test_wrong_types_are_kept_as_text() -> None:
    """A value that its field does not take is in the bag as text, with the reason in error.message, and its neighbours are as ever."""
    made = normalise(
        Normaliser(),
        record("DeviceProcessEvents", {"ProcessId": "abc", "FileSize": {"a": 1}, "SHA1": "aa", "Timestamp": NOW}),
    )
    assert made.document["m365_defender"]["event"]["unmapped"] == {"ProcessId": "abc", "FileSize": '{"a":1}'}
    assert made.document["error"]["message"] == [
        "FileSize: expected a whole number of 64 bits, got an object",
        "ProcessId: expected a whole number of 64 bits, got 'abc'",
    ]
    assert made.document["process"]["hash"]["sha1"] == "aa"


def test_every_bad_member_of_a_list_is_kept() -> None:
    """Several members of a list that would not convert are all in the bag; the messages about thousands of them are cut short."""
    members = ["192.0.2.1", *[{"n": number} for number in range(500)]]
    made = normalise(Normaliser(), record("DeviceNetworkInfo", {"DnsAddresses": members, "Timestamp": NOW}))
    event = made.document["m365_defender"]["event"]
    assert event["dns_addresses"] == ["192.0.2.1"]
    assert event["unmapped"] == {"DnsAddresses": [f'{{"n":{number}}}' for number in range(500)]}
    assert len(made.document["error"]["message"]) <= MOST_MESSAGES + 1


def test_no_time() -> None:
    """Without a time that can be read the one of the hub, else of arrival, stands in; that is said, and the bad value is kept."""
    made = normalise(
        Normaliser(),
        record("DeviceEvents", {"Timestamp": "yesterday", "DeviceId": "d1"}, enqueued="2026-01-02T03:04:05Z"),
    )
    assert made.document["@timestamp"] == "2026-01-02T03:04:05Z"
    assert made.document["m365_defender"]["event"]["unmapped"] == {"Timestamp": "yesterday"}
    assert f"Timestamp: {NO_TIME.reason}" in made.document["error"]["message"]
    made = normalise(Normaliser(), record("DeviceEvents", {"DeviceId": "d1"}))
    assert made.document["@timestamp"] == NOW
    assert "unmapped" not in made.document["m365_defender"]["event"]


@pytest.mark.parametrize("table", [*UNKNOWN_TABLES, "", "x" * 200, "Tab\x00le", "Grüße"])
def test_unknown_tables_are_carried(table: str) -> None:
    """A table that we have no mapping of keeps the columns whose meaning is known and the rest in the bag, and says so."""
    properties = {
        "Timestamp": NOW,
        "DeviceName": "host.example.com",
        "AccountName": "kim",
        "ActionType": "Something",
        "Score": 5,
    }
    made = normalise(Normaliser(), record(table, properties))
    assert not made.known
    assert made.document["host"]["name"] == "host.example.com"
    assert made.document["user"]["name"] == "kim"
    assert made.document["m365_defender"]["event"]["unmapped"] == {"Score": 5}


def test_unknown_messages_are_carried() -> None:
    """A kind of Defender for Cloud message that we have no mapping of keeps what every message has, and the rest in the bag."""
    path = "/subscriptions/S/providers/Microsoft.Security/attackPaths/p1"
    body = {
        "Id": path, "Type": "Microsoft.Security/attackPaths", "Name": "p1", "SecurityEventDataEnrichment": {"Action": "Insert", "IsSnapshot": True},
        "Properties": {"DisplayName": "A way in", "TimeGenerated": "2026-01-02T03:04:05Z"}, "Sparkle": 1,
    }  # fmt: skip
    [found] = decode(Message(orjson.dumps(body), enqueued="2026-01-02T04:00:00Z"))
    assert isinstance(found, Record)
    made = normalise(Normaliser(), found)
    assert not made.known
    document = made.document
    assert (document["@timestamp"], document["event"]["created"]) == ("2026-01-02T03:04:05Z", "2026-01-02T04:00:00Z")
    assert (document["event"]["id"], document["event"]["action"]) == (path.lower(), "insert")
    assert document["cloud"]["account"] == {"id": "s"}
    fields = document["microsoft_defender_cloud"]["event"]
    assert fields["carried"] == body["Properties"]
    assert fields["unmapped"] == {"Sparkle": 1}
    assert fields["security_event_data_enrichment"]["is_snapshot"] is True
    assert "error" not in document
    del body["Properties"]
    [found] = decode(Message(orjson.dumps(body), enqueued="2026-01-02T04:00:00Z"))
    assert isinstance(found, Record)
    assert normalise(Normaliser(), found).document["@timestamp"] == "2026-01-02T04:00:00Z"


def test_messages_that_come_often_get_a_function_of_their_own() -> None:
    """Messages with the same keys on every level get a faster function, which says the same, also of what no column names."""
    normaliser = Normaliser(duplicates=True)
    body = {
        "id": "/subscriptions/s/providers/Microsoft.Security/assessments/a", "type": "Microsoft.Security/assessments", "Sparkle": {"a": 1},
        "properties": {"status": {"code": "Healthy", "mood": "good"}, "displayName": "x", "links": None},
    }  # fmt: skip
    made = []
    for _ in range(FIT_AFTER + LEARN_FROM + 2):
        [found] = decode(Message(orjson.dumps(body), enqueued=NOW))
        assert isinstance(found, Record)
        made.append(normalise(normaliser, found))
    layout = normaliser._messages["assessments"]
    assert [fitted.function is not not_fitted for fitted in layout.fitted.values()] == [True]
    assert made[-1].document == made[0].document
    assert sorted(made[-1].issues) == sorted(made[0].issues)
    assert made[0].document["microsoft_defender_cloud"]["event"]["unmapped"] == {
        "Sparkle": {"a": 1},
        "properties.status.mood": "good",
    }


def test_names_from_outside_fill_no_memory() -> None:
    """Thousands of table names that nobody knows share a few compiled functions."""
    normaliser = Normaliser()
    normalise(normaliser, record("Whatever", {"A": 1}))
    before = len(linecache.cache)
    for number in range(2_000):
        prefix = ("", "Device", "DeviceTvm", "Email", "Identity")[number % 5]
        normalise(normaliser, record(f"{prefix}Example{number}", {"A": 1}))
    assert len(linecache.cache) - before <= 12
    assert len(normaliser._carriers) <= 12


def test_columns_that_come_often_get_a_function_of_their_own() -> None:
    """From some number of records on, a faster function made for just their columns takes over, and says the same of all of them."""
    normaliser = Normaliser()
    columns = {
        "Timestamp": NOW,
        "DeviceId": "d1",
        "ProcessId": 5,
        "Example": "x",
        "FileSize": "bad",
        "AccountName": None,
    }
    first = normalise(normaliser, record("DeviceProcessEvents", columns))
    for number in range(FIT_AFTER + LEARN_FROM + 5):
        changed = {**columns, "ProcessId": number}
        made = normalise(normaliser, record("DeviceProcessEvents", changed))
        assert made.document == {
            **first.document,
            "process": {**first.document["process"], "pid": number, **entity(made)},
        }
        assert made.issues == first.issues
    layout = normaliser._layouts["DeviceProcessEvents"]
    assert [fitted.function is not not_fitted for fitted in layout.fitted.values()] == [True]
    assert (
        normalise(normaliser, record("DeviceProcessEvents", dict(reversed(columns.items())))).document == first.document
    )
    assert normalise(normaliser, record("DeviceProcessEvents", {**columns, "SHA1": "aa"})).document["process"][
        "hash"
    ] == {"sha1": "aa"}


def entity(made: Normalised) -> dict[str, Any]:
    """The process' entity id, where there is one."""
    return {key: value for key, value in made.document["process"].items() if key == "entity_id"}


def test_functions_for_columns_are_few() -> None:
    """Sets of columns come from outside: thousands of them do not make thousands of functions, nor are they all remembered."""
    normaliser = Normaliser()
    for number in range(MOST_FITTED + 3):
        for _ in range(FIT_AFTER + 1):
            normalise(normaliser, record("AlertInfo", {"Timestamp": NOW, f"Column{number}": 1}))
    for number in range(2 * MOST_SEEN):
        normalise(normaliser, record("AlertInfo", {f"Another{number}": 1, "Timestamp": NOW}))
    layout = normaliser._layouts["AlertInfo"]
    assert len(layout.by_columns) == MOST_FITTED
    assert len(layout.seen) <= MOST_SEEN + 1
    assert len(layout.fitted) <= MOST_SEEN


def test_unknown_table_means_what_its_name_says() -> None:
    """Tables that share a function still have the category that their own name promises."""
    normaliser = Normaliser()
    for _ in range(2):
        assert normalise(normaliser, record("DeviceExample", {"A": 1})).document["event"]["category"] == ["host"]
        assert normalise(normaliser, record("EmailExample", {"A": 1})).document["event"]["category"] == ["email"]
        assert "category" not in normalise(normaliser, record("Example", {"A": 1})).document["event"]


def test_deep_columns_are_cut_and_kept() -> None:
    """Objects within objects far beyond what Elasticsearch takes end as text, of known and of unknown columns."""
    for depth in (20, 260, 600):
        made = normalise(
            Normaliser(),
            record(
                "DeviceEvents", {"AdditionalFields": nested(depth), "Example": {"x": nested(depth)}, "Timestamp": NOW}
            ),
        )
        assert (
            orjson.dumps(made.document).decode().replace("defender", "").count("end") == 2
        )  # what the nested values end with
        event = made.document["m365_defender"]["event"]
        assert max(deepest(event["additional_fields"]), deepest(event["unmapped"])) <= DEEPEST


def deepest(value: Any) -> int:
    """How deep objects and lists lie in one another."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if members is None else 1 + max(map(deepest, members), default=0)


def test_original_is_the_records_own_bytes() -> None:
    """event.original, where asked for, is exactly what the hub delivered for this record."""
    texts = [json_bytes(made) for made in records(5)]
    normaliser = Normaliser(original=True)
    found = [piece for piece in decode(Message(packed(texts))) if isinstance(piece, Record)]
    assert [normalise(normaliser, piece).document["event"]["original"].encode() for piece in found] == texts


def test_documents_of_one_normaliser_do_not_mix() -> None:
    """What one record holds does not show in the document of another."""
    normaliser = Normaliser(duplicates=True)
    full = next(made for made in records(50) if made["category"].endswith("DeviceProcessEvents"))
    before = orjson.dumps(normalise(normaliser, record("DeviceProcessEvents", {"Timestamp": NOW})).document)
    normalise(normaliser, record("DeviceProcessEvents", {**full["properties"], "ProcessId": "bad", "Unknown": 1}, full))
    assert orjson.dumps(normalise(normaliser, record("DeviceProcessEvents", {"Timestamp": NOW})).document) == before
