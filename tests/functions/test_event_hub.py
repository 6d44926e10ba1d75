"""The triggers at work on real parts: which batches are acknowledged, which are held, and what is told of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from functions import event_hub as triggers
from functions.parts import SharedParts
from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch
from local.process import free_port
from shared.errors import ForwarderError, Retry
from shared.report import Report
from shared.settings import Settings
from shared.telemetry import LOGGER
from tests.functions.app_process import Ran, environment, event_hub, http, run_app


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A record as Defender streams it."""
    return {
        "time": "2026-01-02T03:04:05.0000000Z",
        "tenantId": "11111111-2222-3333-4444-555555555555",
        "operationName": "Publish",
        "category": "AdvancedHunting-DeviceInfo",
        "properties": {
            "Timestamp": f"2026-01-02T03:{number % 60:02d}:00.1234567Z",
            "DeviceId": "0123456789abcdef",
            "DeviceName": "host1.example.com",
            "ReportId": number,
        },
        **changes,
    }


def body(*records: Any) -> bytes:
    """A message as Defender packs it."""
    return json.dumps({"records": records}).encode()


def indexed(server: LocalElasticsearch, namespace: str) -> int:
    """How many of Defender's documents are in a namespace's data streams."""
    with server.client() as admin:
        streams = f"logs-m*-{namespace}"
        admin.indices.refresh(index=streams, allow_no_indices=True)
        return int(admin.count(index=streams, allow_no_indices=True)["count"])


def dead_letters(server: LocalAzurite, settings: dict[str, str]) -> list[dict[str, Any]]:
    """Every dead letter of an app."""
    with server.service() as service, service.get_container_client(settings["DEAD_LETTER_CONTAINER"]) as container:
        if not container.exists():
            return []
        names = [blob.name for blob in container.list_blobs()]
        lines = b"".join(container.download_blob(name).readall() for name in names).splitlines()
    return [json.loads(line) for line in lines]


def runs(ran: Ran) -> list[dict[str, Any]]:
    """The structured lines, one per invocation, with their level."""
    return [{"level": entry["level"], **json.loads(entry["text"])} for entry in ran.logged(LOGGER)]


def test_good_and_broken_bodies_are_acknowledged_and_all_accounted_for(
    app_settings: dict[str, str], elasticsearch_server: LocalElasticsearch, azurite_server: LocalAzurite, namespace: str
) -> None:
    """Neighbours of what is broken are indexed; what is broken is a dead letter that says where it came from."""
    bodies = [body(record(1), record(2)), b"", b"\xff\xfe not json", body(record(3)), body("no record")]

    ran = run_app(app_settings, [event_hub("xdr_stream", bodies, first=70, partition="5"), http("health")])

    assert ran.answers[0] == {"ok": True, "error": None, "traceback": None}
    (line,) = runs(ran)
    letters = dead_letters(azurite_server, app_settings)
    assert (line["level"], line["result"], line["source"]) == ("INFO", "acknowledged", "xdr")
    assert (line["messages"], line["indexed"], line["held"]) == (5, 3, 0)
    assert line["received"] == 3 + len(letters)
    assert line["dead_lettered"] == len(letters)
    assert indexed(elasticsearch_server, namespace) == 3
    assert {letter["sequence_number"] for letter in letters} == {71, 72, 74}
    assert {letter["partition"] for letter in letters} == {"5"}
    assert {letter["enqueued"] for letter in letters} == {"2026-01-02T03:04:05Z"}
    last = json.loads(ran.answers[1]["body"])["checks"]["last_received"]["data"]["xdr"]
    assert (last["received"]["messages"], last["received"]["indexed"], last["held"]) == (5, 3, None)


def test_the_same_batch_again_doubles_nothing_and_the_clouds_hub_takes_the_same_way(
    app_settings: dict[str, str], elasticsearch_server: LocalElasticsearch, namespace: str
) -> None:
    """A redelivery is counted as duplicates; a hub that carries the other export's records is no problem."""
    batch = [body(*map(record, range(10)))]

    ran = run_app(
        app_settings,
        [
            event_hub("xdr_stream", batch),
            event_hub("xdr_stream", batch, retry=3),
            event_hub("defender_cloud_stream", batch),
        ],
    )

    first, again, cloud = runs(ran)
    assert (first["indexed"], first["duplicate"], first["attempt"]) == (10, 0, 0)
    assert (again["indexed"], again["duplicate"], again["attempt"]) == (0, 10, 3)
    assert (cloud["source"], cloud["received"], cloud["duplicate"]) == ("defender_cloud", 10, 10)
    assert indexed(elasticsearch_server, namespace) == 10


def test_geo_replicated_namespaces_whose_offsets_are_no_numbers(app_settings: dict[str, str]) -> None:
    """The host sends offset -1 for all of them: events are told apart by partition and sequence number alone."""
    ran = run_app(app_settings, [event_hub("xdr_stream", [body(record(1)), body(record(2))], offset="3:900:17")])

    assert ran.answers[0]["ok"]
    assert runs(ran)[0]["indexed"] == 2


def test_an_empty_batch_is_acknowledged(app_settings: dict[str, str]) -> None:
    """Nothing in, nothing owed."""
    assert run_app(app_settings, [event_hub("xdr_stream", [])]).answers[0]["ok"]


def test_while_elasticsearch_is_away_nothing_is_acknowledged_and_then_all_is(
    app_settings: dict[str, str], elasticsearch_server: LocalElasticsearch, azurite_server: LocalAzurite, namespace: str
) -> None:
    """Held with a warning, no dead letter; parts are kept, so the way back is the address that answers again."""
    away = app_settings | {"ELASTICSEARCH_URL": f"http://127.0.0.1:{free_port()}", "SHIP_SECONDS": "1"}

    ran = run_app(away, [event_hub("xdr_stream", [body(record(1)), b"broken"], retry=2)])

    assert not ran.answers[0]["ok"]
    assert ran.answers[0]["error"].startswith("Retry(")
    (line,) = runs(ran)
    assert (line["level"], line["result"], line["attempt"], line["messages"]) == ("WARNING", "retry", 2, 2)
    assert "Elasticsearch can not be reached" in line["reason"]
    assert indexed(elasticsearch_server, namespace) == 0
    assert dead_letters(azurite_server, app_settings) == []


def test_wrong_credentials_hold_the_batch_until_they_are_mended(
    app_settings: dict[str, str], elasticsearch_server: LocalElasticsearch, namespace: str
) -> None:
    """An error that names the setting; after it, the next attempt opens everything anew from the settings."""
    batch = event_hub("xdr_stream", [body(record(1))])

    ran = run_app(
        app_settings | {"ELASTICSEARCH_PASSWORD": "wrong-secret"},
        [
            batch,
            environment(ELASTICSEARCH_PASSWORD=app_settings["ELASTICSEARCH_PASSWORD"]),
            http("health"),
            batch,
            http("health"),
        ],
    )

    refused, mended = runs(ran)
    assert [answer["ok"] for answer in (ran.answers[0], ran.answers[3])] == [False, True]
    assert [answer["status"] for answer in (ran.answers[2], ran.answers[4])] == [503, 200]
    assert "the last batch of xdr was held at" in ran.answers[2]["body"]
    assert (refused["level"], refused["result"]) == ("ERROR", "misconfigured")
    assert refused["reason"].startswith("ELASTICSEARCH_USERNAME: ")
    assert "wrong-secret" not in json.dumps(ran.logs) + json.dumps(ran.answers)
    assert mended["indexed"] == 1
    assert indexed(elasticsearch_server, namespace) == 1


def test_a_wrong_setting_holds_every_batch_with_one_sentence(app_settings: dict[str, str]) -> None:
    """The app is there and says what is wrong, instead of not being there at all."""
    ran = run_app(
        app_settings | {"BULK_MAX_BYTES": "lots"},
        [event_hub("xdr_stream", [b"{}"]), environment(BULK_MAX_BYTES="100000"), event_hub("xdr_stream", [b"{}"])],
    )

    assert [answer["ok"] for answer in (ran.answers[0], ran.answers[2])] == [False, True]
    assert runs(ran)[0]["reason"] == "BULK_MAX_BYTES: 'lots' is not a number."


def test_a_missing_index_template_holds_the_batch(app_settings: dict[str, str]) -> None:
    """No plain index with guessed types comes into being; the reason is an error a person can act on."""
    ran = run_app(app_settings | {"NAMESPACE": "templateless"}, [event_hub("xdr_stream", [body(record(1))])])

    assert not ran.answers[0]["ok"]
    assert runs(ran)[0]["result"] == "misconfigured"


def test_a_blob_store_that_is_away_holds_only_batches_with_dead_letters(
    app_settings: dict[str, str], namespace: str, elasticsearch_server: LocalElasticsearch
) -> None:
    """Good batches go on (their state is not written); one that has something to put away is not acknowledged."""
    place = f"http://127.0.0.1:{free_port()}/x"
    storage = f"DefaultEndpointsProtocol=http;AccountName=x;AccountKey=a2V5LXNlY3JldA==;BlobEndpoint={place};"

    ran = run_app(
        app_settings | {"AzureWebJobsStorage": storage},
        [event_hub("xdr_stream", [body(record(1))]), event_hub("xdr_stream", [b"broken"])],
    )

    assert [answer["ok"] for answer in ran.answers] == [True, False]
    assert [line["result"] for line in runs(ran)] == ["acknowledged", "retry"]
    assert "blob storage" in runs(ran)[1]["reason"]
    assert "a2V5LXNlY3JldA==" not in json.dumps(ran.logs) + json.dumps(ran.answers)
    assert indexed(elasticsearch_server, namespace) == 1


# What follows needs no server: a trigger's `run` with parts that can not be had.


def an_event(number: int = 1, enqueued: datetime | None = None, metadata: Any = None) -> func.EventHubEvent:
    """An event as the runtime hands it over."""
    return func.EventHubEvent(body=b"{}", sequence_number=number, enqueued_time=enqueued, trigger_metadata=metadata)


def parts_that_raise(error: Exception) -> Callable[[], Any]:
    """Opens nothing."""

    def opened() -> Any:
        raise error

    return opened


def test_a_bug_is_critical_with_its_traceback_and_holds_the_batch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is never acknowledged, and told once, so loudly that alerts can hear it."""
    monkeypatch.setattr(triggers, "PARTS", SharedParts(parts_that_raise(ZeroDivisionError("division by zero"))))

    with caplog.at_level(logging.INFO), pytest.raises(ZeroDivisionError):
        triggers.run("xdr", [an_event()], 0, time.monotonic())

    (entry,) = [entry for entry in caplog.records if entry.name == LOGGER]
    assert entry.levelname == "CRITICAL"
    assert json.loads(entry.getMessage())["result"] == "bug"
    assert entry.exc_info is not None


def test_a_bug_whose_text_shows_a_secret_shows_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the log nor the exception that the host gets."""
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", "api-key-secret")
    monkeypatch.setattr(triggers, "PARTS", SharedParts(parts_that_raise(ValueError("header ApiKey api-key-secret"))))

    with caplog.at_level(logging.INFO), pytest.raises(ForwarderError) as raised:
        triggers.run("xdr", [an_event()], 0, time.monotonic())

    assert str(raised.value) == "ValueError: header ApiKey (hidden)"
    assert "api-key-secret" not in caplog.text


def test_a_shipped_batch_is_acknowledged_even_if_telling_about_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A fault in telemetry would otherwise send the same batch again, for ever."""
    broken: Any = Report("xdr", newest_enqueued="not a number")  # type: ignore[arg-type]  # the fault

    with caplog.at_level(logging.INFO):
        triggers.tell(broken, Settings(), 1.0, 0, None)

    (entry,) = [entry for entry in caplog.records if entry.name == triggers.__name__]
    assert (entry.levelname, entry.getMessage()) == ("ERROR", "The batch is shipped, but telling about it failed.")


def test_a_batch_that_waited_too_long_is_handed_back() -> None:
    """The host would cut it off while it ships, and then count it as done."""
    most = triggers.HOST_TIMEOUT - triggers.CLOSING - 240.0

    triggers.in_time(most, 240.0)
    with pytest.raises(Retry, match="free thread"):
        triggers.in_time(most + 1, 240.0)


def test_parts_are_opened_once_and_again_when_dropped_by_whoever_has_them() -> None:
    """Two invocations that fail over the same parts make them be opened anew once, not twice."""
    made: list[object] = []

    def opened() -> Any:
        made.append(object())
        return made[-1]

    parts = SharedParts(opened)
    first = parts.take()
    assert parts.take() is first
    parts.drop(first)
    second = parts.take()
    parts.drop(first)
    parts.drop(None)
    assert parts.take() is second
    assert made == [first, second]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6000, UTC), "2026-01-02T03:04:05.006000Z"),
        (datetime.fromisoformat("2026-01-02T03:04:05"), "2026-01-02T03:04:05Z"),
        (datetime.fromisoformat("2026-01-02T05:04:05+02:00"), "2026-01-02T03:04:05Z"),
        (None, None),
    ],
)
def test_enqueued_times_are_iso_in_utc(moment: datetime | None, expected: str | None) -> None:
    """Whatever the host's decoder makes of them."""
    assert triggers.enqueued(an_event(enqueued=moment)) == expected


class Text:
    """Trigger metadata as the runtime holds it: JSON, or something that can not be read."""

    def __init__(self, text: str) -> None:
        """Holds JSON text."""
        self.text = text

    @property
    def python_value(self) -> Any:
        """What it reads as."""
        return json.loads(self.text)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"PartitionContext": Text('{"PartitionId": "3"}')}, "3"),
        ({"TriggerPartitionContext": Text('{"PartitionId": 0}')}, "0"),
        ({"PartitionContext": Text("{}")}, None),
        ({"PartitionContext": Text("not json")}, None),
        ({"PartitionContext": Text('"text"')}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_partition_is_told_where_the_host_tells_it(metadata: Any, expected: str | None) -> None:
    """Metadata that can not be read are no reason to hold a batch."""
    assert triggers.partition_of([an_event(metadata=metadata)]) == expected
    assert triggers.partition_of([]) is None
