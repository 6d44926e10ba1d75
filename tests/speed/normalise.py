"""Messages as Defender sends them -> how long normalising takes against parsing and writing the same records with orjson.

`python -m tests.speed.normalise [--rounds 15] [--check]` prints, by table and message kind and over a realistic mix, the time of decode, id,
document and its JSON for each record (a), the time of `orjson.loads` and `orjson.dumps` of the record (b), and a : b. Both are measured in
turn, and of each slice of the work the best of all rounds counts. A round begins with a worker that remembers nothing, has it read other records
of the same fleet, and measures with records that it has not seen. `--check` exits 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson

from shared.normalise import identity
from shared.normalise.cloud_message import COLUMNS as MESSAGES
from shared.normalise.compile import compile_table
from shared.normalise.decode import Unreadable
from shared.normalise.interpret import interpret
from shared.normalise.normaliser import Normaliser
from shared.normalise.rules import mitre
from shared.normalise.tables import FAMILIES, table
from tests.speed.polled import CONTEXT
from tests.speed.samples import GOLDEN_MARK, MIX, MIX_APART, Lots, Portion, lots

MOST, MOST_OF_PROCESSES, MOST_OF_MIX, LEAST_GAIN = 7.0, 5.0, 5.0, 3.0
MOST_TO_IMPORT, MOST_TO_COMPILE = 100.0, 150.0  # milliseconds
ROOT = Path(__file__).resolve().parent.parent.parent
NOW = "2026-01-02T03:04:06.789Z"
# Records whose time is taken together: less than a millisecond of either, so that in some round nothing comes between
SLICE, PLAIN_SLICE = 32, 160
PROCESSES = "DeviceProcessEvents"


def forget() -> None:
    """Empty everything that is remembered between records, save functions that are compiled."""
    for known in (identity.known, identity.latest, mitre._known_techniques, mitre._known_tactics):
        known.clear()
    for name, module in list(sys.modules.items()):
        if name.startswith("shared.normalise"):
            for member in vars(module).values():
                if hasattr(member, "cache_clear"):
                    member.cache_clear()


def normalise(normaliser: Normaliser, portion: Portion) -> Iterator[float]:
    """What the flow does with messages, or with objects of an API, up to the documents' JSON; how long each slice of it took."""
    if portion.source is not None:
        for start in range(0, len(portion.texts), SLICE):
            begun = time.thread_time()
            for text in portion.texts[start : start + SLICE]:
                for part in normaliser.parts(portion.source, orjson.loads(text), CONTEXT, NOW):
                    orjson.dumps(part.document)
            yield time.thread_time() - begun
    for message in portion.messages:
        begun = time.thread_time()
        pieces = normaliser.identified(message)
        for start in range(0, len(pieces), SLICE):
            for piece in pieces[start : start + SLICE]:
                if isinstance(piece, Unreadable):
                    raise TypeError("a record of the load can not be read")
                record, id = piece
                orjson.dumps(normaliser.normalise(record, id, NOW).document)
            ended = time.thread_time()
            yield ended - begun
            begun = ended


def round_trips(portion: Portion) -> Iterator[float]:
    """What every program that takes records in and sends them out has to do at least; how long each slice of it took."""
    for start in range(0, len(portion.texts), PLAIN_SLICE):
        begun = time.thread_time()
        for text in portion.texts[start : start + PLAIN_SLICE]:
            orjson.dumps(orjson.loads(text))
        yield time.thread_time() - begun


def compare(lots: Lots, rounds: int) -> tuple[float, float]:
    """Microseconds for each record: (a) normalised, (b) parsed and written."""
    normaliser = Normaliser()
    before, measured = lots
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(rounds):
        forget()
        for portion in before:
            list(normalise(normaliser, portion))
        took: tuple[list[float], list[float]] = ([], [])
        for portion in measured:
            took[0].extend(normalise(normaliser, portion))
            took[1].extend(round_trips(portion))
        ours, plain = list(map(min, ours or took[0], took[0])), list(map(min, plain or took[1], took[1]))
    count = sum(len(portion.texts) for portion in measured)
    return sum(ours) / count * 1e6, sum(plain) / count * 1e6


def seconds(work: Callable[[], object]) -> float:
    """How much of a processor's time something takes."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def gain(texts: Sequence[bytes], rounds: int) -> tuple[float, float]:
    """Microseconds for each record of process events: (interpreter, compiled function)."""
    meaning = table(PROCESSES)
    if meaning is None:
        raise LookupError(PROCESSES)
    compiled = compile_table(meaning)
    rows = [orjson.loads(text) for text in texts]
    slow = fast = float("inf")
    for _ in range(rounds):
        slow = min(slow, seconds(lambda: [interpret(meaning, row["properties"], row, []) for row in rows]))
        fast = min(fast, seconds(lambda: [compiled(row["properties"], row, []) for row in rows]))
    return slow / len(rows) * 1e6, fast / len(rows) * 1e6


START = """
import time
begun = time.process_time()
from shared.normalise.normaliser import Normaliser
from shared.normalise.cloud_message import COLUMNS as MESSAGES
from shared.normalise.compile import compile_table
from shared.normalise.tables import all_tables
tables = all_tables()
imported = time.process_time()
layouts = [table for known in tables for table in {id(table): table for table in (known, *known.variants.values())}.values()]
for layout in layouts:
    compile_table(layout)
print(imported - begun, time.process_time() - imported, len(layouts))
"""


def start(rounds: int) -> tuple[float, float, int]:
    """Milliseconds of a processor to import the modules of all tables and to compile all layouts, in fresh processes; how many layouts there are."""
    found = []
    for _ in range(rounds + 1):  # the first one writes bytecode
        done = subprocess.run(
            [sys.executable, "-c", START],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(tuple(map(float, done.stdout.split())))
    imported, compiled, layouts = (min(figures) for figures in zip(*found[1:], strict=True))
    return imported * 1000, compiled * 1000, int(layouts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--records", type=int, default=600, help="of each table; the mix has five times as many")
    parser.add_argument("--check", action="store_true", help="exit 1 where a limit is exceeded")
    options = parser.parse_args(arguments)
    load = lots(options.records, options.records * 5)
    gc.collect()
    gc.freeze()  # the load itself is not the worker's; the collector is on, as in the worker
    failed = []
    print(f"{'':42}{'records':>8}{'bytes':>7}{'ours µs':>9}{'orjson µs':>11}{'ratio':>7}{'limit':>7}")
    for name, both in sorted(load.items()):
        ours, plain = compare(both, options.rounds)
        # The limit is for tables of Advanced Hunting; messages and API objects, rarer and small, are shown beside them.
        limit = {MIX: MOST_OF_MIX, MIX_APART: MOST_OF_MIX, PROCESSES: MOST_OF_PROCESSES}.get(
            name, MOST if (bare := name.rstrip(GOLDEN_MARK)) in FAMILIES and bare not in MESSAGES else None
        )
        texts = [text for portion in both[1] for text in portion.texts]
        size = sum(map(len, texts)) // len(texts)
        print(f"{name:42}{len(texts):8}{size:7}{ours:9.2f}{plain:11.2f}{ours / plain:7.2f}{limit or '':>7}", flush=True)
        if limit is not None and ours / plain > limit:
            failed.append(f"{name} takes {ours / plain:.2f} times as long as orjson, at most {limit} is wanted")
    print(f"{GOLDEN_MARK} the load makes none: golden records with other times, ids, hashes and numbers")
    slow, fast = gain(load[PROCESSES][1][0].texts, options.rounds)
    print(f"interpreter {slow:.1f} µs, compiled {fast:.1f} µs, {slow / fast:.1f} times as fast (at least {LEAST_GAIN})")
    if slow / fast < LEAST_GAIN:
        failed.append(f"the compiled function is only {slow / fast:.1f} times as fast as the interpreter")
    imported, compiled, layouts = start(options.rounds)
    print(
        f"import of all tables {imported:.0f} ms (at most {MOST_TO_IMPORT:.0f}), compiling their {layouts} layouts {compiled:.0f} ms (at most {MOST_TO_COMPILE:.0f})"
    )
    failed += [f"importing takes {imported:.0f} ms"] * (imported > MOST_TO_IMPORT) + [
        f"compiling takes {compiled:.0f} ms"
    ] * (compiled > MOST_TO_COMPILE)
    print("\n".join(failed), file=sys.stderr)
    return 1 if options.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
