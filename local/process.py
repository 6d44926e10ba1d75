"""A command -> a running server that is up, has a log file, and does not outlive us.

Each server is the leader of a process group of its own (Ctrl-C in the terminal does not reach it: whoever started it stops
it in order), is stopped by its process id, and on Linux is killed by the kernel when the process that started it dies
without having stopped it. Start servers from the main thread: the kernel takes the end of the starting *thread* for the
parent's death.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
LEASH = Path(__file__).with_name("leash.py")
PORTS = range(15_000, 32_000)  # below Linux's ephemeral ports: no client takes the port of a server that is stopped
POLL_SECONDS = 0.02
PROC = Path("/proc")


class NotStarted(RuntimeError):
    """A server did not come up; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The user and group, by number, that a server runs as."""

    user: int
    group: int


@dataclass(slots=True)
class Server:
    """A child process, leader of its own process group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    gone: bool = False  # it and its group were ended; their number may belong to somebody else by now

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's id too."""
        return self.process.pid

    def output(self) -> str:
        """Everything that it has printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def last_words(self, lines: int = 15) -> str:
        """The last lines that it printed."""
        return "\n".join(self.output().splitlines()[-lines:])

    def running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def wait_until(self, ready: Callable[[], T | None], seconds: float) -> T:
        """What `ready` gives as soon as it gives anything but None; `NotStarted` if the server ends or time is up."""
        deadline = time.monotonic() + seconds
        while True:
            result = ready()
            if result is not None:
                return result
            if not self.running():
                raise NotStarted(
                    f"{self.name} ended with code {self.process.returncode} before it was up:\n{self.last_words()}"
                )
            if time.monotonic() > deadline:
                raise NotStarted(f"{self.name} was not up after {seconds:.0f} seconds:\n{self.last_words()}")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """End it and all its group at once, as a crash would."""
        self.stop(seconds=0)

    def stop(self, seconds: float = 10.0) -> int:
        """Ask it to end, kill it and what is left of its group after `seconds`; returns its exit code."""
        if self.gone:
            return self.process.wait()
        deadline = time.monotonic() + seconds
        if self.running() and seconds > 0:
            self.process.send_signal(signal.SIGTERM)
            self._wait_for_group(deadline)
        _signal_group(self.pid, signal.SIGKILL)
        code = self.process.wait()
        self._wait_for_group(time.monotonic() + 5)
        self.gone = True
        return code

    def _wait_for_group(self, deadline: float) -> None:
        """Return when no process of the group runs any more, or at the deadline."""
        while (self.running() or _group_runs(self.pid)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def running(process: int) -> bool:
    """Whether a process is there and not just waiting to be reaped (init does that in its own time)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(process) not in ("Z", None) if (PROC / "self" / "stat").exists() else True


def _group_runs(group: int) -> bool:
    """Whether any process of a group runs."""
    if not _signal_group(group, 0):
        return False
    if not (PROC / "self" / "stat").exists():
        return True
    members = (int(item.name) for item in PROC.iterdir() if item.name.isdigit())
    return any(_state(member, group) not in ("Z", None) for member in members)


def _state(process: int, group: int | None = None) -> str | None:
    """The letter for a process' state on Linux; None if it is not there or not of that group."""
    try:
        words = (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return words[0] if group is None or int(words[2]) == group else None


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to every process of a group; False if there is none left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS: only zombies are left
        return False
    return True


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    owner: Owner | None = None,
    keep: bool = False,
) -> Server:
    """Start `command` in a process group of its own, its output going to `log` (appended).

    environment: added to ours. owner: run as that user (we must be root). keep: let it live on when we end.
    """
    who = f"{owner.user}:{owner.group}" if owner else "-"
    leash = [
        sys.executable,
        "-I",
        "-S",
        str(LEASH),
        "0" if keep else str(os.getpid()),
        who,
    ]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*leash, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    return Server(name, process, log)


def temporary_folder(name: str) -> Path:
    """A new folder `local-NAME-PID-…`; those of processes that were killed before they could remove theirs go now."""
    place = Path(tempfile.gettempdir())
    for old in place.glob(f"local-{name}-*"):
        owner = old.name.removeprefix(f"local-{name}-").partition("-")[0]
        if owner.isdigit() and not running(int(owner)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"local-{name}-{os.getpid()}-"))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotStarted("No free port was found on 127.0.0.1.")


def listening(port: int) -> bool | None:
    """True if somebody accepts connections on that port of 127.0.0.1, else None (made for `wait_until`)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return None
