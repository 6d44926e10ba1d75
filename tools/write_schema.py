"""Facts gathered beside the project -> schema/*.csv, the snapshots of what others own: Defender's columns, ECS' and Elastic's fields."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT.parent / "shared" / "facts"
SCHEMA = ROOT / "schema"

# Columns that streamed rows have and no document names: table -> column, type. Seen in the test data of elastic/integrations.
UNDOCUMENTED = {
    "IdentityDirectoryEvents": (("IsAdminOperation", "bool"),),
    "IdentityQueryEvents": (("IsAdminOperation", "bool"),),
}


def write(name: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table with Unix line ends and no time stamp in it."""
    with (SCHEMA / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def defender() -> Iterable[Sequence[str]]:
    """(table, column, documented type, streamed: yes, planned or no) for every column of every Advanced Hunting table, documented or seen."""
    tables = json.loads((FACTS / "advanced_hunting_tables.json").read_text())["tables"]
    for table, fact in sorted(tables.items()):
        verdict = fact["streaming"]["verdict"].lower()
        streamed = "yes" if verdict.startswith(("yes", "streamed")) else "planned" if "planned" in verdict else "no"
        for column in fact["columns"]:
            yield table, column["name"], column["type"], streamed
        for name, type in UNDOCUMENTED.get(table, ()):
            yield table, name, type, streamed


def ecs() -> Iterable[Sequence[str]]:
    """(field, type, level, whether ECS wants an array) for every ECS field."""
    with (FACTS / "ecs_fields.csv").open() as file:
        for row in csv.DictReader(file):
            yield row["field"], row["type"], row["level"], row["array"]


def elastic() -> Iterable[tuple[str, ...]]:
    """(dataset, field, type, whether only old versions have it) of Elastic's two packages."""
    with (FACTS / "elastic_exported_fields.csv").open() as file:
        for row in csv.DictReader(file):
            yield (
                f"{row['package']}.{row['data_stream']}",
                row["field"],
                row["type"],
                "yes" if "old" in row["notes"] else "",
            )


def main() -> int:
    """Write the three files."""
    if not FACTS.is_dir():
        sys.stderr.write("The knowledge folder is not there; schema/ stays as it is.\n")
        return 1
    SCHEMA.mkdir(exist_ok=True)
    write("defender.csv", ("table", "column", "type", "streamed"), defender())
    write("ecs.csv", ("field", "type", "level", "array"), ecs())
    write("elastic.csv", ("dataset", "field", "type", "old"), sorted(set(elastic())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
