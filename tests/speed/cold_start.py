"""Fresh interpreters -> how long importing the app takes, against importing the libraries that it stands on.

`python -m tests.speed.cold_start [--rounds 15] [--check]` prints medians and their ratio; `--check` exits 1 above
`MOST`. Both kinds of process alternate, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 1.5
LIBRARIES = ("azure.functions", "azure.identity", "azure.storage.blob", "elasticsearch")
# The app as the host indexes it, then all that the first event of a batch makes it load.
APP = (
    "function_app",
    "shared.flows",
    "shared.ship.client",
    "shared.normalise.tables.device",
    "opentelemetry.metrics",
    "opentelemetry.trace",
    *LIBRARIES,
)
PROGRAM = """
import importlib, json, sys, time
started = time.perf_counter()
for name in sys.argv[1:]:
    importlib.import_module(name)
    if name == "function_app":
        indexed = time.perf_counter() - started
total = time.perf_counter() - started
print(json.dumps([total, indexed if "indexed" in dir() else total, len(sys.modules)]))
"""


def measure(modules: Sequence[str]) -> tuple[float, float, int]:
    """Seconds to import `modules` in a fresh interpreter, seconds until the app is indexed, modules then loaded."""
    environment = {"PYTHONPATH": str(ROOT), "XDR_EVENT_HUB_NAMES": "hub", "CLOUD_EVENT_HUB_NAMES": "hub2"}
    command = [sys.executable, "-c", PROGRAM, *modules]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    total, indexed, count = json.loads(done.stdout.splitlines()[-1])
    return total, indexed, count


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help=f"exit 1 above {MOST}")
    options = parser.parse_args(arguments)
    measure(LIBRARIES), measure(APP)  # bytecode and file caches
    rounds = [(measure(LIBRARIES), measure(APP)) for _ in range(options.rounds)]
    libraries = statistics.median(alone[0] for alone, _ in rounds)
    app = statistics.median(whole[0] for _, whole in rounds)
    indexed = statistics.median(whole[1] for _, whole in rounds)
    ratio = statistics.median(whole[0] / alone[0] for alone, whole in rounds)
    lines = (
        f"libraries alone     {libraries * 1000:7.1f} ms  {rounds[0][0][2]} modules",
        f"app, first event    {app * 1000:7.1f} ms  {rounds[0][1][2]} modules",
        f"app, until indexed  {indexed * 1000:7.1f} ms",
        f"ratio               {ratio:7.2f}     (median of {options.rounds} pairs, at most {MOST})",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if options.check and ratio > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
