"""Microsoft's runtime, driven in process: what it says about an app, and what an invocation carries."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.runtime import RetryPolicy
from tests.local.tiny_app import TinyApp

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import asyncio, dataclasses, json, pathlib, sys
from local.runtime import Runtime
from local.trigger_data import Event, Place, events

async def main():
    runtime = Runtime(pathlib.Path(sys.argv[1]))
    functions = await runtime.index()
    result = {"functions": {
        name: {"trigger": dict(function.trigger), "retry": function.retry and dataclasses.asdict(function.retry)}
        for name, function in functions.items()
    }}
    good = await runtime.invoke_event_hub("forever", events([b"a", b"", b"\\xff"], 7), Place("1", "mine"), retry=3)
    odd = await runtime.invoke_event_hub("forever", [Event(b"x", 10, "1:2:3", partition_key="key")])
    (pathlib.Path(sys.argv[1]) / "forever-0.down").touch()
    bad = await runtime.invoke_event_hub("forever", events([b"a"]))
    result["outcomes"] = [(one.ok, one.error) for one in (good, odd, bad)]
    http = await runtime.invoke_http("hello", route={"name": "you"}, query={"asked": "yes"}, headers={"X-Mine": "here"})
    broken = await runtime.invoke_http("broken")
    result["http"] = [[http.status, json.loads(http.body), dict(http.headers)], [broken.status, broken.body.decode()]]
    result["timer"] = (await runtime.invoke_timer("tick", past_due=True)).ok
    runtime.close()
    print(json.dumps(result))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyApp:
    """The tiny app in a folder of its own."""
    return TinyApp.write(tmp_path_factory.mktemp("runtime") / "app")


@pytest.fixture(scope="module")
def result(tiny: TinyApp) -> dict[str, Any]:
    """What a process that indexes and invokes the app found (one process indexes one app)."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tiny.folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_bindings_are_those_that_the_host_gets(result: dict[str, Any]) -> None:
    """Triggers come raw, with settings unresolved, cardinality and data type as declared."""
    assert sorted(result["functions"]) == ["broken", "forever", "hello", "thrice", "tick"]
    trigger = result["functions"]["forever"]["trigger"]
    assert (trigger["type"], trigger["eventHubName"], trigger["consumerGroup"]) == (
        "eventHubTrigger",
        "%TINY_HUB%",
        "%TINY_GROUP%",
    )
    assert (trigger["cardinality"], trigger["dataType"]) == ("MANY", "BINARY")


def test_retry_policies_are_those_that_the_app_declares(result: dict[str, Any]) -> None:
    """Intervals in seconds, -1 for ever, none where none is declared."""
    retry = {name: function["retry"] for name, function in result["functions"].items()}
    assert retry["forever"] == {
        "strategy": "exponential_backoff",
        "most": -1,
        "fixed": 0.0,
        "minimum": 10.0,
        "maximum": 60.0,
    }
    assert (retry["thrice"]["strategy"], retry["thrice"]["most"], retry["thrice"]["fixed"]) == ("fixed_delay", 2, 5.0)
    assert retry["hello"] is None


def test_events_carry_what_the_host_sends(result: dict[str, Any], tiny: TinyApp) -> None:
    """Empty and undecodable bodies, sequence numbers, partition, hub and retry count arrive; odd offsets do no harm."""
    assert result["outcomes"] == [[True, None], [True, None], [False, "RuntimeError('down')"]]
    seen = tiny.seen()
    assert [(item["sequence"], item["body"], item["partition"], item["hub"], item["retry"]) for item in seen] == [
        (7, "61", "1", "mine", 3),
        (8, "", "1", "mine", 3),
        (9, "ff", "1", "mine", 3),
        (10, "78", "0", "hub", 0),
    ]
    assert (seen[3]["offset"], seen[3]["key"]) == (-1, "key")
    assert seen[0]["enqueued"] == "2026-01-02T03:04:05+00:00"


def test_http_and_timer_triggers_work(result: dict[str, Any], tiny: TinyApp) -> None:
    """A request's route, query and headers arrive, the answer's status and body come back, an exception is a 500."""
    good, broken = result["http"]
    assert good == [
        203,
        {"hello": "you", "asked": "yes", "header": "here"},
        {"content-type": "application/json"},
    ]
    assert broken == [500, "ValueError('broken on purpose')"]
    assert result["timer"] is True
    assert (tiny.folder / "tick.seen").read_text() == "True"


def test_exponential_back_off_grows_up_to_its_maximum() -> None:
    """The first wait is the minimum, later ones about double each time, none is beyond the maximum."""
    policy = RetryPolicy("exponential_backoff", -1, minimum=5, maximum=300)
    waits = [policy.wait(retry, random.Random(retry)) for retry in range(1, 200)]
    assert waits[0] == 5
    for retry, wait in enumerate(waits[1:7], start=2):
        spread = 5 * 2.0 ** (retry - 2)
        assert min(300, 5 + 0.8 * spread) <= wait <= min(300, 5 + 1.2 * spread)
    assert max(waits) == 300
    assert policy.allows(10**9)


def test_a_finite_policy_allows_so_many_retries() -> None:
    """Two retries are allowed by `max_retry_count` 2, a third is not; the delay is fixed."""
    policy = RetryPolicy("fixed_delay", 2, fixed=7)
    assert [policy.allows(retry) for retry in (1, 2, 3)] == [True, True, False]
    assert {policy.wait(retry) for retry in range(1, 5)} == {7}
