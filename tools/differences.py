"""Where our documents differ from those of Elastic's integration, leaf by leaf, and whether each difference is explained.

Their documents are what github.com/elastic/integrations expects of given input, gathered beside the project (Elastic License 2.0: compared,
never copied). A leaf is a dotted field and its value as Elasticsearch would index it:

- a list is the set of its values, since Elasticsearch knows no order; only arguments (`*.args`) keep theirs;
- `related.*` is a collection: it is equal where ours holds all of theirs;
- fields of objects in a list are one leaf, as in Elasticsearch; a field below `flattened` is a leaf like any other;
- numbers, booleans and text compare as text (`5` and `"5"` index alike), dates cut to milliseconds;
- `event.ingested`, `event.original`, `ecs.*` and `tags` do not compare, nor what `NOT_COMPARED` names.

Explanations are rows of tools/differences/<file>.csv:

- documents: numbers of lines (`1 3 5-8`), or `*`. field: a field's name, in which `*` stands for anything.
- kind: `moved`, ours has the value in the field that `ours` names (what `*` stood for in `field` goes where its `*` is); `value`, ours has
  the field with another value; `left_out`, ours does not have the field; `theirs_wrong`, ours is one or the other since theirs is wrong.
- theirs, ours: what they do and what we do. A cell that begins with `=` is the very value (several joined with `, `), and proven.
- why: one line, why ours is better.

A leaf is explained by the first row that fits it. `python -m tools.differences FILE …` prints what no row explains, and rows that explain nothing.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from shared.flows import Message, documents
from shared.normalise.api import Context, Source
from shared.normalise.normaliser import Normaliser
from shared.report import Report

ROOT = Path(__file__).resolve().parent.parent
UPSTREAM = ROOT.parent / "shared" / "upstream"
EXPLANATIONS = Path(__file__).resolve().parent / "differences"
KINDS = ("moved", "value", "left_out", "theirs_wrong")

Document = dict[str, Any]
Leaves = dict[str, tuple[str, ...]]  # field -> values as text, sorted unless it is a list of arguments

IGNORED = re.compile(r"event\.(ingested|original)|ecs\..*|tags")
DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00:00)")
ORDERED = ".args"
COLLECTED = "related."


def streamed(line: bytes) -> list[Document]:
    """A record of an export, as it comes from the hub -> what the functions make of it, nothing left out."""
    normaliser = Normaliser(duplicates=True, original=True)
    return [orjson.loads(made.source) for made in documents([Message(line)], normaliser, None, Report("xdr"), [])]


def polled(source: Source) -> Callable[[bytes], list[Document]]:
    """Likewise for an object of a source's API."""

    def made(line: bytes) -> list[Document]:
        normaliser = Normaliser(duplicates=True, original=True)
        parts = normaliser.parts(source, orjson.loads(line), Context(), "2026-01-01T00:00:00Z")
        return [orjson.loads(orjson.dumps(part.document)) for part in parts]

    return made


# file -> how one raw line of it becomes our documents; a file is compared once it stands here
FILES: dict[str, Callable[[bytes], list[Document]]] = {
    "device": streamed,
    "app_and_identity": streamed,
    "email": streamed,
    "event_alert": streamed,
    "defender_cloud_event": streamed,
    "alert": polled("alert"),
    "incident": polled("incident"),
    "incident_no_alerts": polled("incident"),
    "log": polled("log"),
    "vulnerability": polled("vulnerability"),
    "defender_cloud_assessment": polled("assessment"),
}
# file -> line -> fields that can not be compared, because their input was damaged on its way (README beside their documents)
NOT_COMPARED: dict[str, dict[int, tuple[str, ...]]] = {
    "incident": {9: ("email.subject", "m365_defender.incident.alert.evidence.subject")},
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A row of tools/differences/<file>.csv; `documents` is None for all of them."""

    documents: frozenset[int] | None
    field: str
    kind: str
    theirs: str
    ours: str
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A leaf of theirs that ours does not have as it is."""

    document: int
    field: str
    theirs: tuple[str, ...]
    ours: tuple[str, ...] | None

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"{self.document} {self.field}: theirs {', '.join(self.theirs)!r}, ours {', '.join(self.ours or ('-',))!r}"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file compared.

    explained: how many differences rows of each kind explain. only_ours: leaves that theirs do not have. unexplained: differences that no
    row fits. stale: rows that explain nothing.
    """

    documents: int
    leaves: int
    equal: int
    only_ours: int
    explained: Counter[str]
    unexplained: tuple[Difference, ...]
    stale: tuple[Explanation, ...]


def explanations(name: str) -> tuple[Explanation, ...]:
    """The rows of a file, none where it has none. Raises ValueError where `documents` can not be read."""
    path = EXPLANATIONS / f"{name}.csv"
    if not path.exists():
        return ()
    with path.open(newline="") as file:
        return tuple(
            Explanation(numbers(row["documents"]), row["field"], row["kind"], row["theirs"], row["ours"], row["why"])
            for row in csv.DictReader(file)
        )


def numbers(text: str) -> frozenset[int] | None:
    """`1 3 5-8` -> 1, 3, 5, 6, 7, 8; `*` -> None."""
    if text == "*":
        return None
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def leaves(document: Mapping[str, Any]) -> Leaves:
    """Every field of a document that has a value, with its values."""
    found: dict[str, list[str]] = {}
    _collect(document, "", found)
    return {
        field: tuple(values) if field.endswith(ORDERED) else tuple(sorted(set(values)))
        for field, values in found.items()
        if not IGNORED.fullmatch(field)
    }


def _collect(value: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _collect(item, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, path, found)
    elif value is not None:
        found.setdefault(path, []).append(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else orjson.dumps(value).decode()
    date = DATE.fullmatch(value)
    return f"{date[1]}.{(date[2] or '')[:3].ljust(3, '0')}Z" if date else value


def same(field: str, theirs: tuple[str, ...], ours: tuple[str, ...] | None) -> bool:
    """Whether ours says what theirs says."""
    if ours is None:
        return False
    return set(theirs) <= set(ours) if field.startswith(COLLECTED) else theirs == ours


def fits(row: Explanation, difference: Difference, ours: Leaves) -> bool:
    """Whether a row explains a difference; `ours` are all leaves of our document."""
    matched = _pattern(row.field).fullmatch(difference.field)
    if matched is None or (row.documents is not None and difference.document not in row.documents):
        return False
    if not _proven(row.theirs, difference.theirs):
        return False
    if row.kind == "moved":
        stood = iter(matched.groups())
        place = re.sub(r"\*", lambda _: next(stood), row.ours)
        return place != difference.field and set(difference.theirs) <= set(ours.get(place, ()))
    if (row.kind == "value" and difference.ours is None) or (row.kind == "left_out" and difference.ours is not None):
        return False
    return _proven(row.ours, difference.ours)


@cache
def _pattern(field: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(map(re.escape, field.split("*"))))


def _proven(cell: str, values: tuple[str, ...] | None) -> bool:
    return not cell.startswith("=") or cell[1:] == ", ".join(values or ())


def closest(theirs: Leaves, made: list[Leaves]) -> Leaves:
    """Of our documents the one with most of their leaves; an empty one where there are none."""
    return max(made, key=lambda ours: sum(same(f, v, ours.get(f)) for f, v in theirs.items()), default={})


def compare(name: str) -> Comparison:
    """Compare a file of `FILES`, which has to be there."""
    rows = explanations(name)
    compared = equal = only_ours = 0
    explained: Counter[str] = Counter()
    unexplained: list[Difference] = []
    used: set[int] = set()
    lines = (UPSTREAM / f"{name}.ndjson").read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        document = orjson.loads(line)
        left_out = NOT_COMPARED.get(name, {}).get(number, ())
        theirs = {field: values for field, values in leaves(document).items() if field not in left_out}
        made = FILES[name](document["event"]["original"].encode())
        ours = closest(theirs, [leaves(found) for found in made])
        compared += len(theirs)
        only_ours += len(ours.keys() - theirs.keys())
        for field, values in sorted(theirs.items()):
            if same(field, values, ours.get(field)):
                equal += 1
                continue
            difference = Difference(number, field, values, ours.get(field))
            row = next((place for place, row in enumerate(rows) if fits(row, difference, ours)), None)
            if row is None:
                unexplained.append(difference)
            else:
                used.add(row)
                explained[rows[row].kind] += 1
    stale = tuple(row for place, row in enumerate(rows) if place not in used)
    return Comparison(len(lines), compared, equal, only_ours, explained, tuple(unexplained), stale)


def main() -> int:
    """Print what is open in the files named, or in all; 1 where anything is."""
    found = {name: compare(name) for name in sys.argv[1:] or FILES}
    for name, seen in found.items():
        sys.stdout.writelines(f"{name} {difference}\n" for difference in seen.unexplained)
        sys.stdout.writelines(f"{name} explains nothing: {row}\n" for row in seen.stale)
    return int(any(seen.unexplained or seen.stale for seen in found.values()))


if __name__ == "__main__":
    sys.exit(main())
