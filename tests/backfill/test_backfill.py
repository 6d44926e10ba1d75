"""The back-fill on real parts: killed mid-way, nothing is lost and nothing doubled, with what was streamed before and without.

With more records: BACKFILL_RECORDS=300000 .venv/bin/pytest -n 0 -s tests/backfill/test_backfill.py -k killed
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from azure.storage.queue import QueueClient

from local.azurite import azurite
from local.elasticsearch import LocalElasticsearch
from local.exports import avro, bodies, capture, export, export_place
from local.host_process import LocalFunctions, functions_host
from local.queue_listener import client
from local.templates import put_templates
from shared.backfill.portion import Portion, Range
from shared.flows import Message, forward, open_parts
from shared.settings import Settings
from tests.backfill.stage import Stage, hourly, ids_of
from tests.conftest import require
from tests.functions.app_process import http, queue, run_app

RECORDS = int(os.environ.get("BACKFILL_RECORDS", "6000"))
KILLS, MOST_KILLS = 2, 8  # at least; at most, until one has come while a message was under way
NEWEST = datetime(2026, 1, 2, 12, 20, tzinfo=UTC)
FROM, TO = "2026-01-02T08:00", "2026-01-02T13:00"


@pytest.fixture
def stage(elasticsearch_server: LocalElasticsearch, tmp_path: Path) -> Iterator[Stage]:
    """A storage account of the test's own, a namespace of its own, a user who may only ship."""
    require("node")
    tail = secrets.token_hex(4)
    with elasticsearch_server.client() as admin:
        put_templates(admin, namespace=f"fill{tail}")
    user = elasticsearch_server.add_user(f"filler-{tail}")
    with azurite(folder=tmp_path / "azurite") as storage:
        settings = {
            **elasticsearch_server.app_settings(user),
            "NAMESPACE": f"fill{tail}",
            "AzureWebJobsStorage": storage.connection_string,
            "EXPORTED": storage.connection_string,
            "BACKFILL_STORAGE": "EXPORTED",
            "BACKFILL_CONTAINERS": "insights-logs-advancedhunting-*, captured",
            "BACKFILL_RANGE_BYTES": str(max(300_000, 25 * RECORDS)),
            "DEAD_LETTER_CONTAINER": "dead-letter",
            "BULK_MAX_DOCUMENTS": "1500"
            if RECORDS > 50_000
            else "25",  # several requests for a portion, to be killed between
            "LOCAL_HOST_QUEUE_SECONDS": "3",
        }
        yield Stage(storage, elasticsearch_server, f"fill{tail}", settings)


def wait_for_marks(stage: Stage, number: int) -> None:
    """Return when so many portions are through."""
    deadline = time.monotonic() + 120
    with stage.storage.service() as service:
        container = service.get_container_client("backfill")
        while sum("/done/" in blob.name for blob in container.list_blobs()) < number if container.exists() else True:
            assert time.monotonic() < deadline, f"{number} portions were not through in time"
            time.sleep(0.1)


def wait_for_more(stage: Stage) -> None:
    """Return when a document has come in: some portion is being worked on."""
    index, deadline = f"logs-m365_defender.event-{stage.namespace}", time.monotonic() + 60
    with stage.server.client() as admin:

        def count() -> int:
            admin.indices.refresh(index=index)
            return int(admin.count(index=index)["count"])

        before = count()
        while count() == before:
            assert time.monotonic() < deadline, "nothing comes in"


def logged(app: LocalFunctions) -> list[dict[str, Any]]:
    """The line of each message so far; attempt: how often it had come before."""
    return [json.loads(line["message"]) for line in app.logged("defender.run")]


def peak(app: LocalFunctions) -> float:
    """The most memory that the app's process had, in MB; 0 where the system does not tell."""
    assert app.server is not None
    status = Path(f"/proc/{app.server.pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1000 if found else 0.0


def counts_of(printed: str) -> dict[str, int]:
    """The counts that the command ends with."""
    found = re.findall(r"([\d,]+) (received|indexed|duplicate|filtered|dead-lettered)", printed)
    return {name: int(number.replace(",", "")) for number, name in found}


def test_killed_mid_way_it_goes_on_and_adds_only_what_was_not_streamed(stage: Stage, tmp_path: Path) -> None:
    """Every record is in Elasticsearch once: those streamed before, and those that only the export has."""
    # GIVEN a third of the export was streamed before, as the hub's messages
    made = list(hourly(RECORDS, NEWEST, 3))
    expected, streamed = ids_of(made), made[::3]
    parts = open_parts(Settings.read(stage.settings))
    forward([Message(body, "0", number) for number, body in enumerate(bodies(streamed))], parts, "xdr")
    before = stage.ids()
    assert sorted(before) == sorted(ids_of(streamed))
    with stage.storage.service() as service:
        sizes = export(service, made)

    # WHEN the app is killed, twice and until it was in the midst of a message, while the command feeds it
    with functions_host(settings=stage.settings, backoff_scale=0.02, logs=tmp_path / "logs") as app:
        began = time.monotonic()
        command = stage.command("--from", FROM, "--to", TO, "--ahead", "6")
        kills = 0
        while kills < KILLS or (kills < MOST_KILLS and not any(line["attempt"] for line in logged(app))):
            kills += 1
            wait_for_marks(stage, 3 * kills)
            wait_for_more(stage)
            app.kill()
            app.start()
        printed, _ = command.communicate(timeout=600)
        took = time.monotonic() - began
        memory = peak(app)
        lines = logged(app)

    # THEN it ends well, and there is nothing but what there must be
    assert command.returncode == 0, printed
    assert sorted(stage.ids()) == sorted(expected)
    assert len(set(expected)) == len(made)
    counts = counts_of(printed)
    assert counts["received"] == len(made) == counts["indexed"] + counts["duplicate"]
    assert counts["duplicate"] >= len(streamed)
    assert stage.letters() == []
    assert any(line["attempt"] for line in lines), "no message was under way when the app was killed"
    assert {line["source"] for line in lines} == {"backfill"}
    assert all(line["held"] == 0 for line in lines if line["result"] == "acknowledged")

    # THEN a second run over the same hours adds nothing
    with functions_host(settings=stage.settings, backoff_scale=0.02):
        began = time.monotonic()
        code, again = stage.ran("--from", FROM, "--to", TO)
    again_took = time.monotonic() - began
    assert (code, counts_of(again)) == (0, {**counts, "indexed": 0, "duplicate": len(made)})
    assert len(stage.ids()) == len(made)
    print(
        f"{len(made)} records, {sum(sizes.values()) / 1e6:.0f} MB in {len(sizes)} blobs, {kills} kills: {took:.1f} s, "
        f"{len(made) / took:.0f}/s; {counts['indexed']} indexed, {counts['duplicate']} known ({len(streamed)} of them streamed before, {counts['duplicate'] - len(streamed)} by what was killed); all of it again in {again_took:.1f} s; peak memory of the app {memory:.0f} MB"
    )


def test_what_can_not_be_read_is_told_and_the_rest_is_brought_in(stage: Stage) -> None:
    """Broken lines, blobs that are gone, torn Avro and strange messages become dead letters; `resume` mends what can be mended."""
    # GIVEN an export with broken lines, captures of which one is torn, and a blob that will be gone
    made = list(hourly(600, NEWEST, 1))
    exported, captured = made[:300], made[300:]
    gone = export_place(exported[0])
    names = []
    with stage.storage.service() as service:
        export(service, exported)
        service.get_blob_client(*gone).append_block(b"no record\r\n{}\r\n")
        whole = avro(list(bodies(captured[:200], 20_000)), codec="deflate", sync_interval=20_000)
        torn = avro(list(bodies(captured[200:], 20_000)), 500, sync_interval=20_000)
        hours = (NEWEST.replace(minute=5), NEWEST.replace(minute=10))
        names = capture(service, "captured", "defender", {(0, hours[0]): whole, (1, hours[1]): torn[:-40]})
        content = service.get_blob_client(*gone).download_blob().readall()

        # WHEN it is counted, sent, the blob is gone before it is read, and somebody else's message is in the queue
        code, printed = stage.ran("--from", FROM, "--to", TO, "--dry-run")
        assert code == 0
        assert "captured/namespace/defender" in printed
        code, printed = stage.ran("--from", FROM, "--to", TO, "--no-wait")
        assert code == 0, printed
        service.get_blob_client(*gone).delete_blob()
    with client(stage.storage.connection_string, "defender-backfill") as sent:
        sent.send_message(b"not ours")
    with functions_host(settings=stage.settings, backoff_scale=0.01) as app:
        code, printed = stage.ran("resume", "last")

        # THEN the rest is there, and each thing that could not be read has a letter which says why
        assert code == 1
        assert "could not be read" in printed
        deadline = time.monotonic() + 60
        while "poison" not in {letter.code for letter in stage.letters()}:
            assert time.monotonic() < deadline, app.logged()[-5:]
            time.sleep(0.3)
        found = {letter.code for letter in stage.letters()}
        assert {"blob_unread", "avro_broken", "poison"} <= found
        letter = next(letter for letter in stage.letters() if letter.code == "blob_unread")
        assert letter.partition == "/".join(gone)
        assert [gone[1], 0, len(content)] in orjson.loads(letter.original)["ranges"]
        code, shown = stage.ran("status", "last")
        assert (code, "incomplete" in shown) == (0, True)

        # THEN a replay leaves those that point at something where they are
        code, printed = stage.ran("replay", of="dead-letters")
        assert (code, "resume" in printed) == (0, True)
        assert {letter.code for letter in stage.letters()} == found

        # WHEN the blob is back
        with stage.storage.service() as service:
            service.get_blob_client(*gone).upload_blob(content)
            service.get_blob_client("captured", names[1]).upload_blob(torn, overwrite=True)
        code, printed = stage.ran("resume", "last")
    # THEN only the lines that are no records are left over
    assert code == 0, printed
    assert sorted(stage.ids()) == sorted(ids_of(made))
    assert {letter.code for letter in stage.letters()} - found == {"not_json", "no_category"}


def test_a_cancelled_run_stops_and_can_be_taken_up_again(stage: Stage) -> None:
    """Messages of a cancelled run are dropped unread, and `resume` brings all of it in."""
    made = list(hourly(300, NEWEST, 1))
    with stage.storage.service() as service:
        export(service, made)
    assert stage.ran("--from", FROM, "--to", TO, "--no-wait")[0] == 0
    assert stage.ran("cancel", "last")[0] == 0

    with functions_host(settings=stage.settings, backoff_scale=0.01):
        with QueueClient.from_connection_string(stage.storage.connection_string, "defender-backfill") as waiting:
            deadline = time.monotonic() + 60
            while waiting.get_queue_properties().approximate_message_count:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        assert "cancelled" in stage.ran("status")[1]
        with stage.server.client() as admin:
            assert not admin.indices.exists(index=f"logs-m365_defender.event-{stage.namespace}")

        assert stage.ran("resume", "last")[0] == 0
    assert sorted(stage.ids()) == sorted(ids_of(made))


def test_a_message_that_has_to_wait_never_becomes_poison(stage: Stage) -> None:
    """While Elasticsearch is away a message fails, and before the host would give it up it is replaced by a fresh one."""
    made = list(hourly(20, NEWEST, 1))
    with stage.storage.service() as service:
        sizes = export(service, made)
    container, _, blob = next(iter(sizes)).partition("/")
    text = Portion("20260102T030405-ab12", 0, container, (Range(blob, 0, 1_000),)).text()
    away = {**stage.settings, "ELASTICSEARCH_URL": "http://127.0.0.1:9", "SHIP_SECONDS": "1"}

    other = Portion("20260102T030405-ab12", 1, "azure-webjobs-secrets", (Range("host.json", 0, 9),)).text()
    steps = [queue("backfill", text, taken=taken) for taken in (1, 3, 4, 5)]

    ran = run_app(away, [*steps, http("health"), queue("backfill", other, taken=4)])

    assert [answer["ok"] for answer in ran.answers[:4]] == [False, False, True, True]
    assert [answer["outputs"].get("again") for answer in ran.answers[:4]] == [None, None, text, text]
    assert "can not be reached" in ran.answers[0]["error"]
    assert [json.loads(line["text"])["result"] for line in ran.logged("defender.run")] == ["retry"] * 4 + ["bug"]
    assert (ran.answers[5]["ok"], ran.answers[5]["outputs"]) == (False, {})
    assert "none of BACKFILL_CONTAINERS" in ran.answers[5]["error"]
    assert json.loads(ran.answers[4]["body"])["checks"]["backfill"]["detail"] == "reads defender-backfill."


def test_its_functions_are_there_only_with_its_setting(stage: Stage) -> None:
    """Without BACKFILL_STORAGE no queue is asked for; a prefix that names no account is one sentence in health."""
    without = {name: value for name, value in stage.settings.items() if name != "BACKFILL_STORAGE"}
    assert set(run_app(without).functions) == {"health", "status"}
    ran = run_app({**stage.settings, "BACKFILL_STORAGE": "NOWHERE"}, [http("health")])
    bindings = {binding["type"]: binding for binding in ran.functions["backfill"]["bindings"]}

    assert set(ran.functions) == {"health", "status", "backfill", "backfill_poison"}
    assert bindings["queueTrigger"]["queueName"] == bindings["queue"]["queueName"] == "defender-backfill"
    assert bindings["queueTrigger"]["connection"] == "AzureWebJobsStorage"
    health = json.loads(ran.answers[0]["body"])
    assert "NOWHERE: is not set" in health["checks"]["backfill"]["detail"]
    assert "wrong" not in run_app({**stage.settings, "BACKFILL_QUEUE": "Not A Queue"}).functions


def test_a_run_has_hours(stage: Stage) -> None:
    """Only blobs of the hours that were asked for are read, found by their folders; a table can be chosen."""
    made = list(hourly(200, NEWEST, 2))
    with stage.storage.service() as service:
        export(service, made)
        service.get_blob_client(
            "insights-logs-advancedhunting-deviceevents", "tenantId=1/y=2026/m=02/d=30/x.json"
        ).upload_blob(b"{}")
    since = (NEWEST - timedelta(hours=1)).replace(minute=59).isoformat()

    code, both = stage.ran("--from", FROM, "--to", TO, "--dry-run")
    code_one, one = stage.ran("--from", since, "--to", FROM.replace("08", "12"), "--dry-run", "--table", "DeviceEvents")
    code_none, none = stage.ran("--from", "2025-01-01", "--to", "2025-02-01", "--dry-run")

    assert (code, code_one, code_none) == (0, 0, 1)
    assert "deviceprocessevents" in both
    assert "deviceprocessevents" not in one
    assert "deviceevents" in one
    assert "No blob" in none
    assert stage.ran("--from", TO, "--to", FROM, "--dry-run")[0] == 2
