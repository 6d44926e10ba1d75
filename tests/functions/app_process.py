"""An app folder, an environment and a list of steps -> what Microsoft's runtime made of them, in a process of its own.

The runtime indexes one app per process and keeps module state, so every test that needs it starts one:
`run_app(environment, [event_hub(...), http("health")])`. The process is this module's own `main`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 120  # after which a hanging process is killed
KEPT = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")  # of our own environment; the rest would change what the app reads
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: functions as indexed, one answer per step, the log records, or why it was not indexed."""

    functions: dict[str, Any]
    answers: list[dict[str, Any]]
    logs: list[dict[str, Any]]
    refused: str | None

    def logged(self, logger: str) -> list[dict[str, Any]]:
        """The records of one logger."""
        return [record for record in self.logs if record["name"] == logger]


def event_hub(function: str, bodies: Sequence[bytes], **options: Any) -> Step:
    """A batch; options: first, partition, retry, trace_parent, offset (that of all its events)."""
    return {
        "do": "event_hub",
        "function": function,
        "bodies": [base64.b64encode(b).decode() for b in bodies],
        **options,
    }


def http(function: str) -> Step:
    """A GET request."""
    return {"do": "http", "function": function}


def timer(function: str, *, late: bool = False) -> Step:
    """A timer's time comes; late: past due."""
    return {"do": "timer", "function": function, "late": late}


def queue(function: str, text: str, *, taken: int = 1) -> Step:
    """A message of a queue that was taken so many times."""
    return {"do": "queue", "function": function, "text": text, "taken": taken}


def environment(**changes: str) -> Step:
    """Change app settings while the process runs, as a mended Key Vault reference does."""
    return {"do": "environment", "changes": changes}


def flush() -> Step:
    """Let the exporter send all it has."""
    return {"do": "flush"}


def settle() -> Step:
    """Wait for documents of runs that are being written."""
    return {"do": "settle"}


def run_app(settings: Mapping[str, str], steps: Sequence[Step] = (), folder: Path = ROOT) -> Ran:
    """Index the app in `folder` with exactly these app settings, take the steps, and say what came of each."""
    plan = {"folder": str(folder), "steps": list(steps)}
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tests.functions.app_process"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **settings},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return Ran(**json.loads(done.stdout.splitlines()[-1]))


class Kept(logging.Handler):
    """Keeps log records as they would be shown."""

    def __init__(self) -> None:
        """Nothing kept yet."""
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        shown = self.format(record) if record.exc_info else ""
        self.records.append(
            {"name": record.name, "level": record.levelname, "text": record.getMessage(), "shown": shown}
        )


async def carry_out(plan: Mapping[str, Any]) -> Ran:
    """Index and take the steps, in this process."""
    from local.runtime import NotIndexed, Runtime

    kept = Kept()
    logging.getLogger().addHandler(kept)
    logging.getLogger().setLevel(logging.INFO)  # as the worker does
    runtime = Runtime(Path(plan["folder"]))
    try:
        functions = await runtime.index()
    except NotIndexed as error:
        return Ran({}, [], kept.records, str(error))
    shown = {
        name: {
            "bindings": [dict(binding) for binding in function.bindings],
            "retry": None
            if function.retry is None
            else [function.retry.strategy, function.retry.most, function.retry.minimum, function.retry.maximum],
        }
        for name, function in functions.items()
    }
    answers = [await take(runtime, step) for step in plan["steps"]]
    runtime.close()
    return Ran(shown, answers, kept.records, None)


async def take(runtime: Any, step: Step) -> dict[str, Any]:
    """One step."""
    from local.trigger_data import Event, Place, event_hub_input

    if step["do"] == "environment":
        os.environ.update(step["changes"])
        return {}
    if step["do"] == "settle":
        from shared.runs import RUNS

        RUNS.settle(30)
        return {}
    if step["do"] == "flush":
        from opentelemetry import _logs, metrics, trace

        for provider in (_logs.get_logger_provider(), metrics.get_meter_provider(), trace.get_tracer_provider()):
            provider.force_flush()  # type: ignore[union-attr]  # the SDK's providers, once the worker has set them
        return {}
    if step["do"] == "http":
        answer = await runtime.invoke_http(step["function"])
        return {"status": answer.status, "headers": dict(answer.headers), "body": answer.body.decode()}
    if step["do"] == "timer":
        outcome = await runtime.invoke_timer(step["function"], past_due=step["late"])
        return {"ok": outcome.ok, "error": outcome.error, "traceback": outcome.traceback}
    if step["do"] == "queue":
        from local.trigger_data import Taken

        outcome = await runtime.invoke_queue(step["function"], Taken(step["text"].encode(), count=step["taken"]))
        outputs = {name: datum.value for name, datum in outcome.outputs.items()}
        return {"ok": outcome.ok, "error": outcome.error, "traceback": outcome.traceback, "outputs": outputs}
    first = step.get("first", 0)
    batch = [
        Event(base64.b64decode(body), first + number, step.get("offset", str(128 * number)))
        for number, body in enumerate(step["bodies"])
    ]
    trigger, metadata = event_hub_input(batch, Place(partition=step.get("partition", "0")))
    outcome = await runtime.invoke(
        step["function"], (trigger, metadata), retry=step.get("retry", 0), trace_parent=step.get("trace_parent")
    )
    return {"ok": outcome.ok, "error": outcome.error, "traceback": outcome.traceback}


def main() -> None:
    """Read a plan from stdin, write what came of it as the last line of stdout."""
    ran = asyncio.run(carry_out(json.load(sys.stdin)))
    result = {"functions": ran.functions, "answers": ran.answers, "logs": ran.logs, "refused": ran.refused}
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # exporters' threads would hold the process for their last interval


if __name__ == "__main__":
    main()
