"""The real server stopped and started under a running app: nothing is acknowledged meanwhile, and all arrives after."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from elasticsearch import ApiError

from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch, elasticsearch
from local.event_hub import event_hub
from local.host_process import LocalFunctions, functions_host
from shared.telemetry import LOGGER
from tests.conftest import require
from tests.functions.test_event_hub import body, dead_letters, indexed, record

SECONDS = 60.0


def wait_until(wanted: Callable[[], bool], what: str) -> None:
    """Return as soon as `wanted` is true; fail with what was waited for."""
    deadline = time.monotonic() + SECONDS
    while not wanted():
        assert time.monotonic() < deadline, f"not within {SECONDS:.0f} s: {what}"
        time.sleep(0.1)


def arrived(server: LocalElasticsearch, number: int) -> bool:
    """Whether exactly so many documents are there; not yet, while the server's data are still on their way up."""
    try:
        return indexed(server, "outage") == number
    except ApiError as error:
        if error.meta.status != 503:
            raise
        return False


def runs(app: LocalFunctions, result: str) -> list[dict[str, Any]]:
    """The structured lines of all invocations that ended like that."""
    lines = [json.loads(line["message"]) for line in app.logged(LOGGER)]
    return [line for line in lines if line["result"] == result]


def test_a_batch_outlasts_an_outage_of_elasticsearch_without_help(azurite_server: LocalAzurite) -> None:
    """Held with back-off while the server is down, shipped once when it is back; health says so all along."""
    require("elasticsearch")
    require("node")
    with elasticsearch() as server, event_hub(("outage",), partitions=1) as hub:
        with server.client() as admin:
            admin.indices.put_index_template(
                name="outage",
                index_patterns=["logs-*-outage"],
                data_stream={},
                template={"settings": {"number_of_replicas": 0}, "mappings": {"dynamic": False}},
            )
        settings = {
            **server.app_settings(server.add_user("shipper")),
            "NAMESPACE": "outage",
            "SHIP_SECONDS": "1",
            "AzureWebJobsStorage": azurite_server.connection_string,
            "DEAD_LETTER_CONTAINER": azurite_server.container_name("dead-letter"),
            "STATE_CONTAINER": azurite_server.container_name("state"),
            "XDR_EVENT_HUB_NAMES": "outage",
            "XDR_EVENT_HUB": hub.connection_string,
        }
        with functions_host(settings=settings, backoff_scale=0.02) as app:
            hub.send([body(record(1))])
            wait_until(lambda: arrived(server, 1), "the first record")
            assert app.get("/api/health").status_code == 200

            server.stop()
            hub.send([body(record(2), record(3)), b"broken"])
            wait_until(lambda: any(line["attempt"] >= 2 for line in runs(app, "retry")), "a second retry")
            down = app.get("/api/health")
            assert down.status_code == 503
            assert any(reason.startswith("elasticsearch: ") for reason in down.json()["reasons"])
            assert len(runs(app, "acknowledged")) == 1
            assert dead_letters(azurite_server, settings) == []

            server.start()
            wait_until(lambda: len(runs(app, "acknowledged")) > 1, "an acknowledged batch after the outage")
            wait_until(lambda: arrived(server, 3), "the records sent meanwhile")
            wait_until(lambda: app.get("/api/health").status_code == 200, "health")
            after = runs(app, "acknowledged")[1:]

    assert sum(line["indexed"] + line["duplicate"] for line in after) == 2
    assert sum(line["dead_lettered"] for line in after) == 1
    assert len(dead_letters(azurite_server, settings)) == 1
