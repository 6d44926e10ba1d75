"""The forward journey: every record of a batch gets exactly one outcome, and nothing is acknowledged too early."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from local.azurite import LocalAzurite
from shared.errors import Misconfigured, Retry
from shared.flows import Message, Parts, forward, normaliser
from shared.normalise.filtering import record_filter
from shared.report import NO_NAME, UNDECODED, Report
from shared.settings import Settings
from shared.ship.client import Reply
from shared.ship.dead_letter import DeadLetter, DeadLetters
from shared.ship.shipper import Shipper

TENANT = "11111111-2222-3333-4444-555555555555"


class Index:
    """What an Elasticsearch would hold: answers bulk bodies at the network's seam, 409 for an id it has."""

    def __init__(self, refuse: Callable[[dict[str, Any]], int | None] = lambda _: None) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.refuse = refuse

    def post(self, body: bytes, seconds: float) -> Reply:
        """One bulk request."""
        text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        lines, items = text.splitlines(), []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            id, document = orjson.loads(action)["create"]["_id"], orjson.loads(source)
            status = self.refuse(document) or (409 if id in self.documents else 201)
            if status == 201:
                self.documents[id] = document
            error = (
                {}
                if status == 201
                else {
                    "error": {
                        "type": "security_exception" if status == 403 else "some_exception",
                        "reason": f"because {status}",
                    }
                }
            )
            items.append({"create": {"status": status, **error}})
        return Reply(200, {"errors": True, "items": items})


@pytest.fixture
def environment(azurite_server: LocalAzurite) -> dict[str, str]:
    """Settings with a container of their own."""
    return {
        "ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "ELASTICSEARCH_USERNAME": "someone",
        "ELASTICSEARCH_PASSWORD": "word",
        "AzureWebJobsStorage": azurite_server.connection_string,
        "DEAD_LETTER_CONTAINER": azurite_server.container_name("letters"),
        "SHIP_SECONDS": "1",
    }


@pytest.fixture
def opened(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Parts]:
    """Parts over a given index, and further settings."""

    def open_with(index: Index, **more: str) -> Parts:
        for name, value in (environment | more).items():
            monkeypatch.setenv(name, value)
        settings = Settings.read(environment | more)
        return Parts(
            settings,
            normaliser(settings),
            record_filter(settings.record_filter),
            Shipper(settings, post=index.post),
            DeadLetters.open(settings),
            latest=Shipper(settings, post=index.post),
        )

    return open_with


def record(n: int, table: str = "DeviceEvents", action: str = "DpapiAccessed", **columns: Any) -> dict[str, Any]:
    """One record of the stream."""
    properties = {
        "Timestamp": f"2026-03-04T10:11:{n % 60:02}Z",
        "DeviceId": "d",
        "ReportId": n,
        "ActionType": action,
        **columns,
    }
    return {
        "time": "2026-03-04T10:15:00Z",
        "tenantId": TENANT,
        "category": f"AdvancedHunting-{table}",
        "properties": properties,
    }


def message(*records: Any) -> Message:
    """A message as Defender packs it."""
    return Message(orjson.dumps({"records": records}), "0", 7, "2026-03-04T10:15:01Z")


def stored(parts: Parts) -> list[DeadLetter]:
    """Every dead letter in the container."""
    return [letter for blob in parts.dead_letters.list() for letter in parts.dead_letters.read(blob)]


def test_every_record_has_one_outcome(opened: Callable[..., Parts]) -> None:
    """Good, repeated, filtered, refused and broken records of one batch add up, and each is where it belongs."""
    # GIVEN an index that refuses one document, and a filter on one ActionType
    index = Index(refuse=lambda document: 400 if document["m365_defender"]["event"].get("report_id") == "3" else None)
    parts = opened(index, RECORD_FILTER="DeviceEvents/NamedPipeEvent")
    batch = [
        message(record(1), record(2), record(1), record(3), record(4, action="NamedPipeEvent"), 17),
        Message(b"\xff not json", "0", 8),
        Message(b"", "0", 9),
        Message(gzip.compress(orjson.dumps({"records": [record(5, "AlertInfo", AlertId="a")]})), "0", 10),
    ]
    # WHEN it is forwarded
    report = forward(batch, parts, "xdr")
    # THEN the sums hold, table by table
    assert report.received.total() == 9
    assert {outcome: report.total(outcome) for outcome in ("indexed", "duplicate", "filtered", "dead_lettered")} == {
        "indexed": 3, "duplicate": 1, "filtered": 1, "dead_lettered": 4,
    }  # fmt: skip
    assert report.received[UNDECODED] == 3
    letters = {letter.code: letter for letter in stored(parts)}
    assert letters.keys() == {"some_exception", "not_an_object", "not_json", "empty"}
    assert orjson.loads(letters["some_exception"].original) == record(3)
    assert letters["not_json"].original == b"\xff not json"
    assert (letters["not_json"].partition, letters["not_json"].sequence_number) == ("0", 8)


def test_a_batch_again_changes_nothing(opened: Callable[..., Parts]) -> None:
    """The same batch twice: all duplicates the second time."""
    index = Index()
    parts = opened(index)
    batch = [message(*(record(n) for n in range(50)))]
    assert forward(batch, parts, "xdr").total("indexed") == 50
    again = forward(batch, parts, "xdr")
    assert (again.total("indexed"), again.total("duplicate"), len(index.documents)) == (0, 50, 50)


def test_what_is_owed_raises_and_leaves_no_dead_letter(opened: Callable[..., Parts]) -> None:
    """While one document is refused as busy the batch is not acknowledged, and its broken records are not put away yet."""
    parts, report = opened(Index(refuse=lambda _: 429)), Report("xdr")
    with pytest.raises(Retry, match="owed"):
        forward([message(record(1)), Message(b"broken")], parts, "xdr", report)
    assert stored(parts) == []
    assert (report.received.total(), report.held) == (2, 2)


def test_missing_privileges_raise_misconfigured(opened: Callable[..., Parts]) -> None:
    """A 403 for a document is a person's to mend, not the document's fault."""
    parts = opened(Index(refuse=lambda _: 403))
    with pytest.raises(Misconfigured, match="ELASTICSEARCH_USERNAME"):
        forward([message(record(1))], parts, "xdr")


def test_unknown_tables_and_columns_are_carried_and_named(opened: Callable[..., Parts]) -> None:
    """A table and a column that nobody told us of are indexed, and the report names them."""
    index = Index()
    report = forward(
        [message(record(1, "DeviceNovelEvents", Novelty={"a": 1}), record(2, NewColumn="x", FileSize="big"))],
        opened(index),
        "xdr",
    )
    assert report.total("indexed") == 2
    assert dict(report.unknown_tables) == {"DeviceNovelEvents": 1}
    assert ("DeviceNovelEvents", "Novelty") in report.unknown_columns
    assert ("DeviceEvents", "NewColumn") in report.unknown_columns
    assert dict(report.unconverted) == {("DeviceEvents", "FileSize", "string", "long"): 1}
    bags = [document["m365_defender"]["event"]["unmapped"] for document in index.documents.values()]
    assert {"Novelty": {"a": 1}} in bags
    assert {"NewColumn": "x", "FileSize": "big"} in bags


def test_an_unknown_action_is_valid_and_named(opened: Callable[..., Parts]) -> None:
    """An ActionType nobody has seen gets its table's default, and the report names it."""
    index = Index()
    report = forward([message(record(1, action="Teleported"))], opened(index), "xdr")
    (document,) = index.documents.values()
    assert document["event"]["category"] == ["host"]
    assert dict(report.unknown_actions) == {("DeviceEvents", "Teleported"): 1}


def test_an_unknown_member_of_a_list_is_named_and_nothing_else(opened: Callable[..., Parts]) -> None:
    """A value that its column's closed list lacks is in the report; the document has it and no error; what is no name is not kept."""
    index = Index()
    rows = [
        record(1, "DeviceNetworkEvents", "ConnectionSuccess", Protocol="Quic", RemoteIPType="Public"),
        record(2, "DeviceNetworkEvents", "ConnectionSuccess", Protocol="TCP", RemoteIPType="somebody@example.com"),
    ]
    report = forward([message(*rows)], opened(index), "xdr")
    assert dict(report.unknown_members) == {
        ("DeviceNetworkEvents", "Protocol", "Quic"): 1,
        ("DeviceNetworkEvents", "RemoteIPType", NO_NAME): 1,
    }
    assert {document["m365_defender"]["event"]["protocol"] for document in index.documents.values()} == {"Quic", "TCP"}
    assert not [document for document in index.documents.values() if "error" in document]


def test_a_share_is_kept_by_id_and_stays_the_same(opened: Callable[..., Parts]) -> None:
    """A filter with a share keeps about that many records, and the same ones each time."""
    index = Index()
    parts = opened(index, RECORD_FILTER="DeviceEvents=0.25")
    batch = [message(*(record(n) for n in range(1000)))]
    first, second = forward(batch, parts, "xdr"), forward(batch, parts, "xdr")
    assert 180 < first.total("indexed") < 320
    assert first.total("filtered") == 1000 - first.total("indexed") == second.total("filtered")
    assert second.total("duplicate") == first.total("indexed")


def test_a_hub_that_carries_both_works(opened: Callable[..., Parts]) -> None:
    """Defender for Cloud's messages among Defender XDR's records go to their own data stream."""
    index = Index()
    alert = {"AlertDisplayName": "Test", "SystemAlertId": "1", "TimeGenerated": "2026-03-04T10:11:12Z", "Entities": []}
    assessment = {
        "type": "Microsoft.Security/assessments",
        "id": "/subscriptions/s/a",
        "properties": {"status": {"code": "Healthy"}},
    }
    report = forward(
        [message(record(1), alert), Message(orjson.dumps(assessment), enqueued="2026-03-04T10:15:02Z")],
        opened(index),
        "xdr",
    )
    assert report.total("indexed") == 3
    cloud = [d for d in index.documents.values() if d["data_stream"]["dataset"] == "microsoft_defender_cloud.event"]
    assert len(cloud) == 2
    assert {d["@timestamp"] for d in cloud} == {"2026-03-04T10:11:12Z", "2026-03-04T10:15:02Z"}


def test_deep_nesting_costs_at_most_itself(opened: Callable[..., Parts]) -> None:
    """A column nested deeply is carried; a record nested beyond what any reader takes is a dead letter; neighbours are indexed."""

    def nested(levels: int) -> bytes:
        return orjson.dumps(record(levels)).replace(
            b'"ActionType"', b'"X":' + b'{"a":' * levels + b"1" + b"}" * levels + b',"ActionType"'
        )

    body = b'{"records":[' + b",".join([nested(2), nested(300), nested(20_000), nested(3)]) + b"]}"
    index = Index()
    parts = opened(index)
    report = forward([Message(body)], parts, "xdr")
    assert (report.total("indexed"), report.total("dead_lettered")) == (3, 1)
    assert [(letter.code, letter.original) for letter in stored(parts)] == [("not_json", nested(20_000))]


def test_event_original_is_the_records_own_text(opened: Callable[..., Parts]) -> None:
    """With the setting on, event.original is exactly the bytes that came, blanks and all."""
    index = Index()
    text = b'{"category":  "AdvancedHunting-AlertInfo", "properties": {"AlertId" : "a", "Timestamp":"2026-01-01T00:00:00Z"} }'
    forward([Message(b'{"records": [ ' + text + b" ]}")], opened(index, PRESERVE_ORIGINAL_EVENT="true"), "xdr")
    (document,) = index.documents.values()
    assert document["event"]["original"].encode() == text
