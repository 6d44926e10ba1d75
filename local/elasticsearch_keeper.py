"""One Elasticsearch for several test processes: `python -m local.elasticsearch_keeper STATE PID` runs it until PID is gone.

The first process that needs the server starts the keeper, the others read its address from the STATE file; the server ends
when the process PID (which started them all) ends or stops the keeper.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from local.elasticsearch import LocalElasticsearch, User, elasticsearch
from local.process import NotStarted, Server, running, start

LOOK_SECONDS = 0.3
START_SECONDS = 150.0
STATE = "elasticsearch.json"
KEEPERS: list[Server] = []  # held on to: a Popen that is dropped while its process runs warns, which fails a test


@atexit.register
def leave_keepers() -> None:
    """The keeper outlives this process on purpose: at our end its Popen is not to warn that it still runs."""
    for keeper in KEEPERS:
        keeper.process.returncode = 0


def shared_elasticsearch(folder: Path, owner: int) -> LocalElasticsearch:
    """The server that all processes with the same `folder` share; it ends with the process `owner` at the latest."""
    state = folder / STATE
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            command = [sys.executable, "-m", "local.elasticsearch_keeper", str(state), str(owner)]
            root = Path(__file__).resolve().parent.parent
            keeper = start("Elasticsearch's keeper", command, log=folder / "keeper.log", folder=root, keep=True)
            KEEPERS.append(keeper)
            try:
                keeper.wait_until(lambda: state.exists() or None, START_SECONDS)
            except NotStarted:
                keeper.stop()
                raise
    known = json.loads(state.read_text())
    return LocalElasticsearch(known["port"], User(*known["admin"]), Path(known["home"]))


def stop_shared(folder: Path, seconds: float = 40.0) -> None:
    """Stop the server of that folder, if there is one, and wait until it is gone."""
    state = folder / STATE
    if not state.exists():
        return
    keeper = int(json.loads(state.read_text())["keeper"])
    deadline = time.monotonic() + seconds
    if running(keeper):
        os.kill(keeper, signal.SIGTERM)
    while running(keeper) and time.monotonic() < deadline:
        time.sleep(0.05)


def main() -> None:
    """Run the server, say where it is, wait for the end."""
    state, owner = Path(sys.argv[1]), int(sys.argv[2])
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    with elasticsearch() as server:
        known = {
            "port": server.port,
            "admin": [server.admin.name, server.admin.password],
            "home": str(server.home),
            "keeper": os.getpid(),
        }
        beside = state.with_suffix(".new")
        beside.write_text(json.dumps(known))
        beside.replace(state)
        while not end.wait(LOOK_SECONDS) and running(owner):
            pass


if __name__ == "__main__":
    main()
