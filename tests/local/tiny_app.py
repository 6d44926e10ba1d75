"""A function app of a few lines, written into a folder, that notes in a file what reached it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST_JSON = {"version": "2.0", "extensions": {"eventHubs": {"maxEventBatchSize": 4, "prefetchCount": 20}}}

APP = '''
import json, os, pathlib, typing
import azure.functions as func

app = func.FunctionApp()
FOLDER = pathlib.Path(__file__).parent

def note(name, events, context):
    """Fail while the file NAME-PARTITION.down is there, else write a line per event in one go."""
    partition = events[0].metadata["PartitionContext"]["PartitionId"]
    retry = context.retry_context.retry_count
    if (FOLDER / f"{name}-{partition}.down").exists():
        with (FOLDER / f"{name}.failed").open("a") as file:
            file.write(f"{partition} {retry}\\n")
        raise RuntimeError("down")
    lines = [
        json.dumps({
            "partition": partition, "sequence": event.sequence_number, "offset": event.offset, "body": event.get_body().hex(),
            "key": event.partition_key, "batch": len(events), "retry": retry,
            "enqueued": event.enqueued_time.isoformat(), "properties": event.metadata["PropertiesArray"][index],
            "hub": event.metadata["PartitionContext"]["EventHubName"],
        })
        for index, event in enumerate(events)
    ]
    with (FOLDER / f"{name}.seen").open("a") as file:
        file.write("".join(line + "\\n" for line in lines))

@app.function_name("forever")
@app.event_hub_message_trigger(
    "events", connection="TINY_HUBS", event_hub_name="%TINY_HUB%", consumer_group="%TINY_GROUP%",
    cardinality=func.Cardinality.MANY, data_type=func.DataType.BINARY,
)
@app.retry(strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:10", maximum_interval="00:01:00")
async def forever(events: typing.List[func.EventHubEvent], context: func.Context) -> None:
    note("forever", events, context)

@app.function_name("thrice")
@app.event_hub_message_trigger(
    "events", connection="TINY_HUBS", event_hub_name="other",
    cardinality=func.Cardinality.MANY, data_type=func.DataType.BINARY,
)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:05")
async def thrice(events: typing.List[func.EventHubEvent], context: func.Context) -> None:
    note("thrice", events, context)

@app.route("hello/{name}", auth_level=func.AuthLevel.FUNCTION, methods=["GET"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    answer = {"hello": req.route_params["name"], "asked": req.params.get("asked"), "header": req.headers.get("x-mine")}
    return func.HttpResponse(json.dumps(answer), mimetype="application/json", status_code=203)

@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("broken on purpose")

@app.timer_trigger("tick", schedule="%TINY_SCHEDULE%")
async def tick(tick: func.TimerRequest) -> None:
    (FOLDER / "tick.seen").write_text(str(tick.past_due))
'''


@dataclass(frozen=True, slots=True)
class TinyApp:
    """The app's folder."""

    folder: Path

    @classmethod
    def write(cls, folder: Path) -> TinyApp:
        """Write the app into a new folder."""
        folder.mkdir(parents=True)
        (folder / "function_app.py").write_text(APP)
        (folder / "host.json").write_text(json.dumps(HOST_JSON))
        return cls(folder)

    def seen(self, name: str = "forever") -> list[dict[str, object]]:
        """What that function took, in order."""
        file = self.folder / f"{name}.seen"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def failed(self, name: str = "forever") -> list[str]:
        """`PARTITION RETRY` of every time that function failed."""
        file = self.folder / f"{name}.failed"
        return file.read_text().splitlines() if file.exists() else []

    def down(self, name: str, partition: int) -> None:
        """Let that function fail for that partition from now on."""
        (self.folder / f"{name}-{partition}.down").touch()

    def up(self, name: str, partition: int) -> None:
        """Let it work again."""
        (self.folder / f"{name}-{partition}.down").unlink()


def until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return as soon as `what` is true; fail the test if it is not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"did not come true within {seconds:.0f} seconds"
        time.sleep(0.02)
