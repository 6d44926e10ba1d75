"""Moments -> the app's host killed at them: a host as a process that is watched by its log, and what a kill left behind."""

from __future__ import annotations

import json
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from local.host_process import ROOT
from local.process import NotStarted, Server, start
from shared.telemetry import LOGGER

Anchor = Literal["launched", "ready", "acknowledged"]

READY = b'"ready": true'
ACKNOWLEDGED = rb"\"result\": \"acknowledged\""  # the app is through with a batch; its checkpoint comes next
SECONDS = 60.0  # that a host may take to get ready, on a machine that has much else to do
LOOK_SECONDS = 0.001  # between two looks at the log

# Of twenty moments so many are counted from each event.
WEIGHTS: dict[Anchor, int] = {"launched": 5, "ready": 8, "acknowledged": 7}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a kill comes: behind the `batches`th event of that kind, by this share of what usually follows it."""

    anchor: Anchor
    share: float  # 0 to 1 of `Pace`
    batches: int


@dataclass(slots=True)
class Pace:
    """How long things take on this machine now, in seconds: what a moment is a share of."""

    start_up: float = 1.0  # from launch to ready
    first_batch: float = 1.0  # from ready until a first batch is acknowledged
    checkpoint: float = 0.012  # in which most checkpoints are written

    def seconds(self, moment: Moment) -> float:
        """How long after its event the moment comes."""
        match moment.anchor:
            case "launched":
                return 1.1 * self.start_up * moment.share
            case "ready":  # most of it is connecting to the hub: begin a little before the first batch does
                return self.first_batch * (0.6 + 0.6 * moment.share)
            case "acknowledged":
                return self.checkpoint * moment.share


def moments(seed: int, count: int) -> list[Moment]:
    """So many random moments, spread over start-up, work and the time between shipping and checkpoint."""
    chance = random.Random(f"moments {seed}")
    anchors = [anchor for anchor, weight in WEIGHTS.items() for _ in range(weight)]
    chosen = anchors * (count // len(anchors) + 1)
    chance.shuffle(chosen)
    return [Moment(anchor, chance.random(), chance.choice((1, 1, 2, 3))) for anchor in chosen[:count]]


@dataclass(slots=True)
class Host:
    """The app in one host process after the other; each starts from the last checkpoints and has a log of its own."""

    settings: Mapping[str, str]
    logs: Path
    pace: Pace = field(default_factory=Pace)
    servers: list[Server] = field(default_factory=list)
    launched: float = 0.0

    @property
    def server(self) -> Server:
        """The newest process."""
        return self.servers[-1]

    def launch(self) -> None:
        """Start a host and return at once."""
        self.launched = time.monotonic()
        log = self.logs / f"host-{len(self.servers)}.log"
        command = [sys.executable, "-m", "local.functions_host", str(ROOT)]
        environment = {"PYTHONPATH": str(ROOT), **self.settings}
        self.servers.append(start("the host", command, log=log, environment=environment, folder=ROOT))

    def wait_for(self, mark: bytes, seconds: float, times: int = 1) -> bool:
        """Whether its log had that text so many times before so many seconds were over."""
        deadline, log = time.monotonic() + seconds, self.server.log
        while log.read_bytes().count(mark) < times:
            if not self.server.running():
                raise NotStarted(f"the host ended with {self.server.process.returncode}:\n{self.server.last_words()}")
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def wait_until_ready(self) -> None:
        """Return when it receives."""
        if not self.wait_for(READY, SECONDS):
            raise NotStarted(f"the host was not up after {SECONDS:.0f} seconds:\n{self.server.last_words()}")

    def kill(self) -> None:
        """Kill the newest process, if it still runs."""
        if self.servers:
            self.server.kill()

    def kill_at(self, moment: Moment) -> None:
        """Wait for the moment, counted from what happens to the newest process, and kill it whole (SIGKILL)."""
        if moment.anchor != "launched":
            self.wait_until_ready()
            ready = time.monotonic()
            self.pace.start_up = ready - self.launched
            if moment.anchor == "acknowledged":
                if not self.wait_for(ACKNOWLEDGED, SECONDS):
                    raise NotStarted(f"no batch within {SECONDS:.0f} seconds:\n{self.server.last_words()}")
                self.pace.first_batch = min(3.0, time.monotonic() - ready)
                self.wait_for(ACKNOWLEDGED, self.pace.first_batch, moment.batches)  # there may be no more
        time.sleep(self.pace.seconds(moment))
        code = self.server.stop(seconds=0)
        if code != -signal.SIGKILL:
            raise NotStarted(f"the host had ended before it was killed, with {code}:\n{self.server.last_words()}")


@dataclass(frozen=True, slots=True)
class Left:
    """What the log of one process says that it did."""

    ready: bool
    runs: tuple[Mapping[str, Any], ...]  # the app's line for every batch that it acknowledged
    held: tuple[Mapping[str, Any], ...]  # and for every other one that it told of
    done: tuple[
        tuple[str, int], ...
    ]  # partition and last sequence number of every batch that the host was through with

    @classmethod
    def behind(cls, server: Server) -> Left:
        """Read the log of a process that is gone; a kill may have torn the last line."""
        lines = list(_objects(server.output()))
        runs = [json.loads(line["message"]) for line in lines if line.get("logger") == LOGGER]
        return cls(
            any(line.get("ready") for line in lines),
            tuple(run for run in runs if run["result"] == "acknowledged"),
            tuple(run for run in runs if run["result"] != "acknowledged"),
            tuple((line["partition"], line["last"]) for line in lines if line.get("message") == "batch done"),
        )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The lines that are whole JSON objects."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
