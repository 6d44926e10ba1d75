"""The package as the deploy makes it -> what is in it, how large it is, and how long importing it takes with requirements.txt alone.

`python -m tests.speed.package [--rounds 9]`. Cold means a fresh interpreter each time, with bytecode as the remote build leaves it, and warm disks.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.package import describe, lay_out, pack, packages, size

PROGRAM = """
import sys, time
sys.path[:0] = sys.argv[1:3]
started = time.perf_counter()
import function_app
count = len(function_app.app.get_functions())
indexed = time.perf_counter()
import shared.flows, shared.ship.client, shared.normalise.tables.device, elasticsearch, azure.storage.blob
print(indexed - started, time.perf_counter() - started, count)
"""
ENVIRONMENT = {
    "XDR_EVENT_HUB_NAMES": "a",
    "CLOUD_EVENT_HUB_NAMES": "b",
    "POLL_SOURCES": "alert, incident, log, vulnerability, assessment",
}


def cold(package: Path, site: Path) -> tuple[float, float, int]:
    """Seconds until the host knows the functions, until the first batch can be worked on, and how many functions there are."""
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", PROGRAM, str(package), str(site)]
    done = subprocess.run(command, cwd=package, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    indexed, ready, count = done.stdout.split()
    return float(indexed), float(ready), int(count)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        package, site = lay_out(Path(folder) / "app"), packages()
        zipped = pack(Path(folder) / "app.zip").stat().st_size
        cold(package, site)  # bytecode
        found = [cold(package, site) for _ in range(rounds)]
        indexed, ready = (statistics.median(row[place] for row in found) for place in (0, 1))
        lines = (
            *describe(),
            f"zip                  {zipped / 1000:,.0f} kB; installed from requirements.txt {size(site) / 1e6:,.0f} MB",
            f"cold import          {indexed * 1000:,.0f} ms until {found[0][2]} functions are known, {ready * 1000:,.0f} ms until the first batch",
        )
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
