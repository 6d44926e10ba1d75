"""`make bench`: every measurement in turn; each prints ratios of what was measured side by side in its own run.

`python -m tests.speed --full` measures disk with the loads that the decision needs (about ten minutes more).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MEASUREMENTS = {
    "normalising, against orjson.loads + orjson.dumps of the same record": ["tests.speed.normalise"],
    "hub messages to Elasticsearch, against helpers.bulk with ready-made dicts": ["tests.speed.stream"],
    "shipping alone, against helpers.bulk with the same documents": ["tests.speed.bulk"],
    "peak memory of a worker with 100 messages of 1 MB": ["tests.speed.memory"],
    "polling every source, and its peak memory": ["tests.speed.poll", "--full"],
    "disk, indexing and searching by codec, sort and mode, and what ids cost": ["tests.speed.disk"],
    "what telemetry weighs": ["tests.speed.telemetry"],
    "cold start, against the SDKs alone": ["tests.speed.cold_start"],
    "what is deployed, its size and its cold import": ["tests.speed.package"],
}


def main() -> int:
    """Run them all; 1 if one of them fails."""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )
    failed = 0
    more = [argument for argument in sys.argv[1:] if argument == "--full"]
    for words, measurement in MEASUREMENTS.items():
        module = [*measurement, *more] if measurement == ["tests.speed.disk"] else measurement
        print(f"\n== {words}", flush=True)
        failed += subprocess.run([sys.executable, "-W", "ignore", "-m", *module], cwd=ROOT, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
