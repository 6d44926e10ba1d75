"""A batch of 100 messages of 1 MB -> the most memory that a worker takes to forward it, its bodies and libraries included.

`python -m tests.speed.memory [--messages 100] [--check]` starts a fresh process that loads the libraries of the function app, reads the
bodies, and forwards them through the flow to a stand-in for Elasticsearch, which compresses each bulk request, takes its time, and says that all is
indexed. Printed is the peak of resident memory and how much of it are libraries, bodies, and the rest; `--check` exits 1 above `MOST`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from local.load import LARGEST_BODY, json_bytes, packed, records

ROOT = Path(__file__).resolve().parent.parent.parent
MOST = 300.0  # MB
DIFFERENT = 10  # messages that are made; the batch repeats them
WORKER = """
import json, resource, sys, time
from pathlib import Path
import azure.functions, azure.identity, azure.storage.blob, elasticsearch
from shared.flows import Message, Parts, forward, normaliser
from shared.settings import Settings
from shared.ship.bulk import gzipped
from shared.ship.client import Reply
from shared.ship.dead_letter import DeadLetters
from shared.ship.shipper import Shipper

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

settings = Settings.read({"ELASTICSEARCH_URL": "http://127.0.0.1:9", "ELASTICSEARCH_USERNAME": "u", "ELASTICSEARCH_PASSWORD": "p",
                          "SHIP_SECONDS": "420", **json.loads(sys.argv[2])})
sent = 0

def post(body, seconds):
    global sent
    count = body.count(b'{"create":{')
    sent += len(gzipped(body))
    time.sleep(0.05)
    return Reply(200, {"errors": False, "items": [{"create": {"status": 201}}] * count})

libraries = megabytes()
files = sorted(Path(sys.argv[1]).iterdir())
messages = [Message(bytes(bytearray(file.read_bytes())), "0", number, "2026-01-02T03:04:05Z")
            for number, file in enumerate(files * int(sys.argv[3]))]
bodies = megabytes()
shipper = Shipper(settings, post=post)
parts = Parts(settings, normaliser(settings), None, shipper, DeadLetters.open(settings), shipper)
begun = time.perf_counter()
report = forward(messages, parts, "xdr")
print(json.dumps({"peak": megabytes(), "libraries": libraries, "with_bodies": bodies, "seconds": time.perf_counter() - begun,
                  "documents": report.total("indexed"), "bytes": sum(len(message.body) for message in messages)}))
"""


def full_messages(count: int) -> Iterator[bytes]:
    """So many bodies that are as large as Defender makes them."""
    texts: list[bytes] = []
    size = 0
    for record in records(count * 450, seed=5):
        texts.append(json_bytes(record))
        size += len(texts[-1]) + 1
        if size > LARGEST_BODY - 10_000:
            yield packed(texts)
            texts, size, count = [], 0, count - 1
            if not count:
                return
    raise RuntimeError("the records do not fill the messages")


def measure(messages: int, environment: dict[str, str]) -> dict[str, float]:
    """What the worker says of itself: MB at the peak, before and with the bodies; documents; seconds."""
    with tempfile.TemporaryDirectory() as folder:
        for number, body in enumerate(full_messages(DIFFERENT)):
            (Path(folder) / f"{number:03}").write_bytes(body)
        repeat = max(1, messages // DIFFERENT)
        done = subprocess.run(
            [sys.executable, "-c", WORKER, folder, json.dumps(environment), str(repeat)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--check", action="store_true", help=f"exit 1 above {MOST:.0f} MB")
    options = parser.parse_args(arguments)
    found = measure(options.messages, {})
    print(f"{found['documents']:.0f} documents of {found['bytes'] / 1e6:.0f} MB in {found['seconds']:.1f} s")
    print(f"libraries {found['libraries']:6.1f} MB")
    print(f"bodies    {found['with_bodies'] - found['libraries']:6.1f} MB")
    print(f"the rest  {found['peak'] - found['with_bodies']:6.1f} MB")
    print(f"peak      {found['peak']:6.1f} MB, at most {MOST:.0f}")
    return 1 if options.check and found["peak"] > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
