"""An app folder -> a running app: `python -m local.functions_host [FOLDER]` does what the Functions host does around it.

Reads host.json, indexes the app in Microsoft's own Python runtime, listens to the hubs of its eventHubTriggers (real SDK,
checkpoints in AzureWebJobsStorage) and the queues of its queueTriggers, and serves its HTTP functions on 127.0.0.1. App settings are environment variables;
LOCAL_HOST_PORT, LOCAL_HOST_KEY (the function key), LOCAL_HOST_BACKOFF_SCALE, LOCAL_HOST_QUEUE_SECONDS and LOCAL_HOST_DRAIN_SECONDS are the host's own.
Prints one line of JSON on standard output when all is ready, and log lines of JSON on standard error. Ends on SIGTERM or
SIGINT after what is under way. Not done: function time-outs, scaling, and `minEventBatchSize` (batches are what is there).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.eventhub.exceptions import EventHubError

from local.host_options import HostError, HostOptions, hub_source, queue_source
from local.http_front import HttpFront
from local.hub_listener import HubListener
from local.queue_listener import QueueListener
from local.runtime import NotIndexed, Runtime

LOG = logging.getLogger("local.host")
FAILED = 1


class JsonLines(logging.Formatter):
    """A log record as one line of JSON: time, level, logger, message, and what the host adds as facts."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception's traceback is a field of it."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "facts", {}))
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str)


async def serve(folder: Path) -> int:
    """Run the app until a signal comes; returns the exit code."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    options = HostOptions.read(folder, os.environ)
    runtime = Runtime(folder)
    listeners: list[HubListener | QueueListener] = []
    try:
        await runtime.index()
        storage = os.environ.get("AzureWebJobsStorage", "")  # noqa: SIM112  Azure writes it so
        sources = [
            hub_source(item, os.environ) for item in runtime.functions.values() if item.triggered_by("eventHubTrigger")
        ]
        if sources and not storage:
            raise HostError("AzureWebJobsStorage: is not set, but checkpoints are kept there.")
        front = HttpFront(runtime, options, loop, int(os.environ.get("LOCAL_HOST_PORT", "0")))
        hubs = {}
        for source in sources:
            listener = HubListener(runtime, source, options, storage, loop, stopping)
            hubs[source.function.name] = {"hub": source.hub, "partitions": await asyncio.to_thread(listener.start)}
            listeners.append(listener)
        queues = {}
        for item in runtime.functions.values():
            if item.triggered_by("queueTrigger"):
                taker = QueueListener(runtime, queue_source(item, os.environ), options, loop, stopping)
                queues[item.name] = taker.start()
                listeners.append(taker)
    except (HostError, NotIndexed, AzureError, EventHubError, OSError) as reason:
        LOG.critical("the app could not be started: %s", reason)
        return FAILED
    front.start()
    ready = {
        "ready": True,
        "pid": os.getpid(),
        "port": front.port,
        "functions": sorted(runtime.functions),
        "hubs": hubs,
        "queues": queues,
        "routes": sorted(route.function.name for route in front.routes),
    }
    print(json.dumps(ready), flush=True)
    await stopping.wait()
    LOG.info("stopping")
    await asyncio.to_thread(front.stop)
    await asyncio.gather(*(asyncio.to_thread(item.stop, options.drain_seconds) for item in listeners))
    return 0


def main() -> None:
    """Set up the log, run, and leave at once: threads of the app may still wait for a server that is not there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("azure").setLevel(logging.WARNING)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    code = _run(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(folder: Path) -> int:
    """`asyncio.run` without its end, which waits for threads of `to_thread`."""
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(serve(folder))


if __name__ == "__main__":
    main()
