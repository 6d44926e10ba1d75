"""tools/differences/*.csv -> docs/differences-from-elastic.md, and how much was compared -> tools/differences/counts.csv.

Their documents may not be there; then the counts stay as they were committed.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from tools.differences import EXPLANATIONS, FILES, KINDS, ROOT, UPSTREAM, Explanation, compare, explanations
from tools.freshness import write_or_compare

PAGE = ROOT / "docs" / "differences-from-elastic.md"
COUNTS = EXPLANATIONS / "counts.csv"
COUNTED = ("file", "documents", "leaves", "equal", *KINDS, "only_ours")
INTRODUCTION = """<!-- Made from tools/differences by `make generate`; do not edit. -->

# Differences from Elastic's integration

For the input of Elastic's own public test data, our documents (vendor duplicates kept) are compared with those that the integrations
`m365_defender` and `microsoft_defender_cloud` make of it, one stored version each, leaf by leaf; `tools/differences.py` says how. Every
difference is explained here, and a test (`tests/normalise/test_differences.py`) holds that: no leaf without a row, no row without a leaf.

*moved*: ours has the value in another field. *value*: ours has another value there. *left out*: ours does not have the field. *theirs
wrong*: what they write contradicts the record or ECS. Documents are line numbers of the file, `*` in a field stands for anything. What
is left out of `device` is nearly all places of addresses (`*.geo.*`), which their ingest pipeline looks up ([how to have them](elasticsearch.md#places-networks-and-user-agents)).
"""


def counts() -> list[dict[str, str]]:
    """A row for each file that is compared: worked out where their documents are there, else as committed."""
    if not UPSTREAM.is_dir():
        with COUNTS.open(newline="") as file:
            return list(csv.DictReader(file))
    found = []
    for name in FILES:
        seen = compare(name)
        explained = (seen.explained[kind] for kind in KINDS)
        values = (name, seen.documents, seen.leaves, seen.equal, *explained, seen.only_ours)
        found.append(dict(zip(COUNTED, map(str, values), strict=True)))
    return found


def counts_text(found: list[dict[str, str]]) -> str:
    """The counts as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COUNTED, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def page(found: list[dict[str, str]]) -> str:
    """The page: how much is equal, then each file's differences."""
    lines = [
        INTRODUCTION,
        f"\n| {' | '.join((*COUNTED, 'equal', 'equal or moved'))} |\n".replace("_", " "),
        "| --- " * 11 + "|\n",
    ]
    for row in found:
        equal, moved, leaves = int(row["equal"]), int(row["moved"]), int(row["leaves"])
        shares = (f"{equal / leaves:.1%}", f"{(equal + moved) / leaves:.1%}")
        lines.append(f"| {' | '.join((*row.values(), *shares))} |\n")
    for name in FILES:
        lines.append(f"\n## {name}\n\n| documents | field | kind | theirs | ours | why ours |\n" + "| --- " * 6 + "|\n")
        lines += [_line(row) for row in explanations(name)]
    return "".join(lines)


def _line(row: Explanation) -> str:
    documents = "all" if row.documents is None else _spans(sorted(row.documents))
    ours = f"`{row.ours}`" if row.kind == "moved" else _cell(row.ours)
    kind = row.kind.replace("_", " ")
    return f"| {documents} | `{row.field}` | {kind} | {_cell(row.theirs)} | {ours} | {_cell(row.why)} |\n"


def _cell(text: str) -> str:
    text = text.replace("|", "\\|")
    return f"`{text[1:]}`" if len(text) > 1 and text[0] == "=" else text


def _spans(found: list[int]) -> str:
    """1, 2, 3, 7 -> `1-3, 7`."""
    spans: list[list[int]] = []
    for number in found:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def files() -> dict[Path, str]:
    """Both files by their path."""
    found = counts()
    return {COUNTS: counts_text(found), PAGE: page(found)}


def main() -> int:
    """Write the page and the counts, or with --check say whether they are fresh."""
    made = files()
    return write_or_compare({COUNTS: made[COUNTS]}, EXPLANATIONS, COUNTS.name) or write_or_compare(
        {PAGE: made[PAGE]}, PAGE.parent, PAGE.name
    )


if __name__ == "__main__":
    sys.exit(main())
