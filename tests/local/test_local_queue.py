"""The local host takes messages of a queue as the Functions host does: hidden while worked on, back when it fails, poison in the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.azurite import LocalAzurite
from local.host_process import LocalFunctions, functions_host
from local.queue_listener import client

HOST_JSON = {
    "version": "2.0",
    "extensions": {
        "queues": {"batchSize": 2, "newBatchThreshold": 0, "maxDequeueCount": 3, "visibilityTimeout": "00:01:00"}
    },
}
APP = """
import asyncio, os, pathlib
import azure.functions as func

app = func.FunctionApp()
SEEN = pathlib.Path(__file__).parent / "seen"

@app.function_name("work")
@app.queue_trigger("message", queue_name="%TINY_QUEUE%", connection="TINY")
@app.queue_output("made", queue_name="%TINY_QUEUE%-made", connection="TINY")
async def work(message: func.QueueMessage, made: func.Out[str]) -> None:
    text = message.get_body().decode()
    with SEEN.open("a") as file:
        file.write(f"{text} {message.dequeue_count}\\n")
    if text.startswith("slow"):
        await asyncio.sleep(7)
    if text.startswith("die") and message.dequeue_count == 1:
        os._exit(9)
    made.set(f"of {text}")
    if text.startswith("fail"):
        raise RuntimeError("failed on purpose")
"""


@pytest.fixture
def app(azurite_server: LocalAzurite, tmp_path: Path) -> Iterator[tuple[LocalFunctions, str]]:
    """The app in its host, and the name of its queue."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "function_app.py").write_text(APP)
    (tmp_path / "app" / "host.json").write_text(json.dumps(HOST_JSON))
    queue = azurite_server.container_name("queue")
    settings = {"TINY": azurite_server.connection_string, "TINY_QUEUE": queue, "LOCAL_HOST_QUEUE_SECONDS": "5"}
    with client(azurite_server.connection_string, queue) as made:
        made.create_queue()
    with functions_host(tmp_path / "app", settings, backoff_scale=0.02) as running:
        yield running, queue


def until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return when it is so."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


def test_messages_are_deleted_repeated_or_moved(app: tuple[LocalFunctions, str], azurite_server: LocalAzurite) -> None:
    """One that succeeds is gone and its output sent; one that fails comes thrice and is moved; a long one stays hidden; a kill costs a turn."""
    running, queue = app
    seen = running.folder / "seen"

    def lines() -> list[str]:
        return sorted(seen.read_text().split("\n")) if seen.exists() else []

    def waiting(name: str) -> list[str]:
        with client(azurite_server.connection_string, name) as peeked:
            return sorted(bytes(message.content).decode() for message in peeked.peek_messages(max_messages=30))

    assert running.ready["queues"] == {"work": queue}
    with client(azurite_server.connection_string, queue) as sent:
        for text in ("good", "fail", "slow"):
            sent.send_message(text.encode())
        until(lambda: len(lines()) == 1 + 1 + 3 + 1 and not sent.get_queue_properties().approximate_message_count)
        assert lines()[1:] == ["fail 1", "fail 2", "fail 3", "good 1", "slow 1"]
        assert waiting(f"{queue}-poison") == ["fail"]
        assert waiting(f"{queue}-made") == ["of good", "of slow"]

        sent.send_message(b"die")
        assert running.server is not None
        process = running.server
        until(lambda: not process.running())
        running.start()
        until(lambda: "die 2" in lines() and not sent.get_queue_properties().approximate_message_count)
        assert waiting(f"{queue}-made") == ["of die", "of good", "of slow"]
