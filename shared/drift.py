"""What was seen and is not mapped, of all runs -> one blob, `drift.json` in STATE_CONTAINER, that the command line and health read.

An entry is a `Drift` (unknown table, column, ActionType, member of a closed list, or another JSON type) with count, first and last seen
and the source that had it first. It holds names, never values; names are cut, of what can not be shown too, and there are bounds on how
many (`MOST_ENTRIES`, `MOST_ALIKE`): those that came first stay, what has no room is counted as `(others)` or in `left_out`.

A batch never waits for this and never fails by it: counts are gathered in the process, and a thread of its own merges them into the blob
under its ETag, so that instances which write at once lose nothing to each other. It writes when there is something new, else every
`EVERY` seconds. What fails is logged, kept and tried later. Lost is what a process that ends had not written: counts of its last minutes,
and an entry that it alone had seen for some seconds. Where the answer to a write is lost, its counts are added twice. Never an event.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from shared import telemetry
from shared.blobs import blob_errors, make
from shared.errors import ForwarderError, Retry
from shared.report import LONGEST_NAME, MOST_MEMBERS, OTHERS, Drift, DriftKind, Report
from shared.settings import Settings
from shared.state import BRIEF, container_of, iso, seldom

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

BLOB = "drift.json"
PUT_ASIDE = "drift.aside.json"  # what stood in BLOB and was none of ours; the last such content
MOST_ENTRIES = 1_000
MOST_ALIKE = 200  # entries of one kind and table, or unknown tables; of one list MOST_MEMBERS
MOST_BYTES = 2_000_000  # of the blob; MOST_ENTRIES with the longest names have fewer
EVERY = 600.0  # seconds between two writes by one process where nothing is new
EVERY_NEW = 5.0  # … where something is
AFTER_FAILURE = (30.0, 900.0)  # … after a failed one, doubled each time up to the second
TRIES = 8  # at a merge into what others keep writing
KINDS = frozenset(get_args(DriftKind))

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """How often an entry was seen, when first and last (ISO 8601, UTC), and by which source first."""

    times: int
    first: str
    last: str
    source: str

    def with_(self, other: Seen) -> Seen:
        """Both together."""
        earlier = self if self.first <= other.first else other
        return Seen(self.times + other.times, earlier.first, max(self.last, other.last), earlier.source)


type Entries = dict[Drift, Seen]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the blob holds; `left_out`: sightings that had no room; `etag`: None where there is no blob; `odd`: what is not ours."""

    entries: Entries = field(default_factory=dict)
    left_out: int = 0
    etag: str | None = None
    odd: bytes | None = None

    def newest_first(self) -> list[Drift]:
        """The entries, the one that was first seen last in front."""
        return sorted(self.entries, key=lambda drift: (self.entries[drift].first, drift), reverse=True)

    def newest(self, most: int | None = None) -> list[dict[str, Any]]:
        """The same as JSON objects, all or the first so many."""
        return [told(drift, self.entries[drift]) for drift in self.newest_first()[:most]]


def told(drift: Drift, seen: Seen) -> dict[str, Any]:
    """An entry as a JSON object; what does not apply to its kind is left out."""
    return {
        **{name: value for name, value in drift._asdict().items() if value},
        "count": seen.times,
        "first_seen": seen.first,
        "last_seen": seen.last,
        "source": seen.source,
    }


def clean(name: str) -> str:
    """A name from outside as it is kept: cut, and without characters that control a terminal or can not be written."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:LONGEST_NAME])


def cleaned(drift: Drift) -> Drift:
    """The same with names as they are kept."""
    return Drift(drift.kind, *map(clean, drift[1:]))


def like(drift: Drift) -> Drift | tuple[str, ...]:
    """What entries have in common of which no more than so many are kept: the kind, the table, of a closed list the column."""
    return drift[: {"table": 1, "enum": 3}.get(drift.kind, 2)]


def others(drift: Drift) -> Drift:
    """The entry that stands for all of its like which have no room."""
    if drift.kind == "table":
        return Drift("table", OTHERS)
    if drift.kind in ("action", "enum"):
        return drift._replace(value=OTHERS)
    return Drift(drift.kind, drift.table, OTHERS)


def added(to: Stored, found: Stored) -> tuple[Stored, Entries]:
    """Both together, within bounds, and the entries that are new in `to`."""
    entries, new, left_out = dict(to.entries), dict[Drift, Seen](), to.left_out + found.left_out
    alike = Counter(map(like, entries))
    for name, seen in found.entries.items():
        full = alike[like(name)] >= (MOST_MEMBERS if name.kind == "enum" else MOST_ALIKE)
        drift = others(name) if full and name not in entries else name
        if drift in entries:
            entries[drift] = entries[drift].with_(seen)
        elif len(entries) < MOST_ENTRIES:
            entries[drift] = new[drift] = seen
            alike[like(drift)] += 1
        else:
            left_out += seen.times
    return replace(to, entries=entries, left_out=left_out), new


def written(stored: Stored) -> bytes:
    """The blob's content: JSON."""
    return json.dumps({"entries": stored.newest(), "left_out": stored.left_out}, ensure_ascii=False).encode()


def entry_of(row: Mapping[str, Any]) -> tuple[Drift, Seen]:
    """What `told` told; raises KeyError, TypeError, ValueError or AttributeError for anything else."""
    names = [row.get(name, "") for name in Drift._fields]
    times = [row["first_seen"], row["last_seen"], row["source"]]
    if not all(isinstance(text, str) for text in (*names, *times)):
        raise TypeError
    return cleaned(Drift(*names)), Seen(int(row["count"]), *map(clean, times))


def parsed(content: bytes) -> Stored:
    """What `written` wrote; raises ValueError for anything else, hand-made changes that would not be understood too."""
    try:
        root = json.loads(content)
        entries = dict(map(entry_of, root["entries"]))
        stored = Stored(entries, int(root["left_out"]))
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a drift report: {type(error).__name__}") from None
    if len(entries) > MOST_ENTRIES or not all(drift.kind in KINDS for drift in entries):
        raise ValueError("not a drift report: too many entries, or one of no kind")
    return stored


def load(container: ContainerClient) -> Stored:
    """What the blob holds now; nothing where there is none."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        stream = container.download_blob(BLOB, **BRIEF)
        content, etag = stream.read(MOST_BYTES), stream.properties.etag
    except ResourceNotFoundError:
        return Stored()
    try:
        return replace(parsed(content), etag=etag)
    except ValueError:
        return Stored(etag=etag, odd=content)


def save(container: ContainerClient, stored: Stored) -> bool:
    """Write the blob as the next version of the one that was loaded; False where there has been another since, or no container."""
    from azure.core import MatchConditions
    from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

    condition: dict[str, Any] = {"overwrite": stored.etag is not None}  # not to overwrite is a condition too
    if stored.etag is not None:
        condition |= {"etag": stored.etag, "match_condition": MatchConditions.IfNotModified}
    try:
        if stored.odd is not None:
            container.upload_blob(PUT_ASIDE, stored.odd, overwrite=True, **BRIEF)
            log.warning("%s held something that is no drift report; it is now in %s.", BLOB, PUT_ASIDE)
        container.upload_blob(BLOB, written(stored), **condition, **BRIEF)
    except ResourceNotFoundError:
        make(container)
        return False
    except (ResourceExistsError, ResourceModifiedError):
        return False
    return True


def change[Told](settings: Settings, make_of: Callable[[Stored], tuple[Stored, Told]]) -> tuple[Stored, Told]:
    """Load, change and save, again where somebody else has written meanwhile; what `make_of` made at last.

    Raises Retry or Misconfigured where the blob store can not be used, Retry too where others write all the time.
    """
    with blob_errors(settings.storage), container_of(settings) as container:
        for _ in range(TRIES):
            stored, result = make_of(load(container))
            if save(container, stored):
                return stored, result
            time.sleep(random.uniform(0.02, 0.3))  # noqa: S311  spreads writers, guards nothing
    raise Retry(f"{BLOB} is written by others all the time")


def read(settings: Settings) -> Stored:
    """The drift report. Raises Retry or Misconfigured where the blob store can not be asked."""
    with blob_errors(settings.storage), container_of(settings) as container:
        return load(container)


def clear(settings: Settings, unwanted: Callable[[Drift], bool]) -> int:
    """Take entries out of the report, and say how many; what comes again is entered again. Raises as `change` does."""

    def without(stored: Stored) -> tuple[Stored, int]:
        kept = {drift: seen for drift, seen in stored.entries.items() if not unwanted(drift)}
        return replace(stored, entries=kept, left_out=stored.left_out if kept else 0), len(stored.entries) - len(kept)

    return change(settings, without)[1]


class DriftLog:
    """Gathers what a process' invocations saw and writes it now and then. For threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._pending = Stored()  # not written yet
        self._stored = Stored()  # the blob after our last write
        self._written = self._not_before = clock()
        self._pause = AFTER_FAILURE[0]
        self._writer: threading.Thread | None = None

    def note(self, report: Report, settings: Settings, now: float) -> bool:
        """An invocation was acknowledged at the epoch second `now`; returns whether writing has begun."""
        moment, found = iso(now), Counter[Drift]()
        for name, number in report.drift().items():
            found[cleaned(name)] += number  # cut names may be one
        with self._lock:
            if found:
                sightings = {name: Seen(number, moment, moment, report.source) for name, number in found.items()}
                self._pending, _ = added(self._pending, Stored(sightings))
            if not self._due():
                return False
            writer = threading.Thread(target=self._write, args=(settings,), name="drift", daemon=True)
            writer.start()
            self._writer = writer
            return True

    def settle(self, seconds: float) -> None:
        """Wait so long for a write that is under way."""
        writer = self._writer
        if writer is not None:
            writer.join(seconds)

    def _due(self) -> bool:
        now, pending = self._clock(), self._pending
        if not (pending.entries or pending.left_out) or now < self._not_before:
            return False
        if self._writer is not None and self._writer.is_alive():
            return False
        return now - self._written >= EVERY or bool(added(self._stored, pending)[1])

    def _write(self, settings: Settings) -> None:
        with self._lock:
            found, self._pending = self._pending, Stored()
        try:
            stored, new = change(settings, lambda before: added(before, found))
        except Exception as error:  # see the module's first lines
            shown = error if isinstance(error, ForwarderError) else type(error).__name__
            log.warning("The drift report was not written, and will be later: %s", shown, exc_info=seldom(error))
            with self._lock:
                self._pending, _ = added(found, self._pending)
                self._not_before = self._clock() + self._pause
                self._pause = min(2 * self._pause, AFTER_FAILURE[1])
            return
        with self._lock:
            self._stored = replace(stored, etag=None, odd=None)
            self._written = self._clock()
            self._not_before, self._pause = self._written + EVERY_NEW, AFTER_FAILURE[0]
        try:
            telemetry.new_drift((drift, seen.source) for drift, seen in new.items())
        except Exception:
            log.exception("The drift report is written, but telling about it failed.")


DRIFT = DriftLog()
