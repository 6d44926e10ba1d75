"""Servers that tests start come up, say what is wrong if they do not, and leave no process behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.process import PORTS, NotStarted, free_port, listening, running, start, temporary_folder
from tests.local.tiny_app import until

ROOT = Path(__file__).resolve().parents[2]


def test_a_stopped_server_takes_its_children_with_it(tmp_path: Path) -> None:
    """After `stop` neither the server nor a child that it left running is there."""
    script = "sleep 600 & echo child $!; exec sleep 600"
    server = start("sleeper", ["sh", "-c", script], log=tmp_path / "log")
    words = server.wait_until(lambda: server.output().split() or None, 10)
    child = int(words[1])
    assert running(child)

    assert server.stop(seconds=1) == -signal.SIGTERM

    assert not server.running()
    assert not running(child)


def test_a_deaf_server_is_killed(tmp_path: Path) -> None:
    """A server that ignores SIGTERM is killed when its time is up."""
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    server = start("deaf", [sys.executable, "-c", script], log=tmp_path / "log")
    server.wait_until(lambda: server.output() or None, 10)

    assert server.stop(seconds=0.2) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child's life to its parent's")
@pytest.mark.parametrize("keep", [False, True])
def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path, keep: bool) -> None:
    """SIGKILL to the parent ends its servers, unless they are meant to be kept."""
    script = (
        "import pathlib, time; from local.process import start; "
        f"print(start('x', ['sleep', '600'], log=pathlib.Path({str(tmp_path / 'log')!r}), keep={keep}).pid, flush=True); "
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        command = Path(f"/proc/{child}/cmdline")
        until(lambda: command.read_bytes().startswith(b"sleep"))  # the leash is on

        parent.kill()
        parent.wait()

    if keep:
        assert running(child)
        os.kill(child, signal.SIGKILL)
    until(lambda: not running(child), 10)


def test_a_server_that_ends_at_once_is_explained(tmp_path: Path) -> None:
    """`NotStarted` names the server, its exit code and the last lines that it printed."""
    server = start("grumbler", ["sh", "-c", "echo no such port; exit 3"], log=tmp_path / "log")

    with pytest.raises(NotStarted, match=r"grumbler ended with code 3 before it was up:\nno such port"):
        server.wait_until(lambda: None, 10)


def test_a_server_that_never_gets_ready_is_explained(tmp_path: Path) -> None:
    """`NotStarted` tells how long was waited."""
    server = start("sleeper", ["sleep", "600"], log=tmp_path / "log")
    try:
        with pytest.raises(NotStarted, match="sleeper was not up after 0 seconds"):
            server.wait_until(lambda: None, 0.05)
    finally:
        server.stop()


def test_a_command_that_is_not_there_is_explained(tmp_path: Path) -> None:
    """A missing program is an error that names it."""
    server = start("nothing", ["no-such-program-here"], log=tmp_path / "log")

    with pytest.raises(NotStarted, match="no-such-program-here"):
        server.wait_until(lambda: None, 10)


def test_free_ports_are_free() -> None:
    """A free port can be listened on at once, and is none that the kernel gives to clients."""
    port = free_port()
    assert port in PORTS
    assert listening(port) is None
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", port))
        mine.listen()
        assert listening(port) is True


def test_folders_of_killed_processes_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new temporary folder comes with the removal of those whose process is gone; others stay."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    stale, alive, other = (tmp_path / f"local-{name}" for name in (f"x-{gone.pid}-a", f"x-{os.getpid()}-b", "y-1-c"))
    for folder in (stale, alive, other):
        folder.mkdir()
        (folder / "log").touch()

    made = temporary_folder("x")

    assert made.is_dir()
    assert made.name.startswith(f"local-x-{os.getpid()}-")
    assert (stale.exists(), alive.exists(), other.exists()) == (False, True, True)
