"""The mapping -> docs/fields/*.md: a page for each table, and an index by field."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.normalise.mapping import Table
from shared.normalise.tables import all_tables
from tools.fields import level, uses
from tools.freshness import write_or_compare
from tools.schema import columns

DOCS = Path(__file__).resolve().parent.parent / "docs" / "fields"
MADE = "<!-- Made from shared/normalise by `make generate`; do not edit. -->\n\n"


def page(table: Table) -> str:
    """One table: every column with its field, then what is left out."""
    types = columns()[table.name]
    lines = [
        MADE,
        f"# {table.name}\n\n",
        f"Documents go to `logs-{table.dataset}-<namespace>`. Key by Microsoft's documents: {', '.join(table.identity)}.\n\n",
        f"{table.about}\n\n" if table.about else "",
        "| column | Defender's type | field | type | level | how |\n| --- | --- | --- | --- | --- | --- |\n",
    ]
    for use in uses(table):
        how = (
            f"rule `{use.rule}`{'; kept by PRESERVE_DUPLICATE_CUSTOM_FIELDS' if use.duplicate else ''}"
            if use.rule
            else "copied; kept by PRESERVE_DUPLICATE_CUSTOM_FIELDS"
            if use.duplicate
            else "copied"
        )
        lines.append(
            f"| {use.source} | {types.get(use.source, '')} | `{use.field}` | {use.type} | {level(use.field)} | {how} |\n"
        )
    if table.unmapped:
        lines.append("\n## Left out\n\n| column | why |\n| --- | --- |\n")
        lines += [f"| {column} | {why} |\n" for column, why in sorted(table.unmapped.items())]
    return "".join(lines)


def index(tables: tuple[Table, ...]) -> str:
    """Which tables fill which field."""
    filled: dict[str, dict[str, None]] = {}
    for table in tables:
        for use in uses(table):
            if not use.duplicate:
                filled.setdefault(use.field, {})[table.name] = None
    lines = [
        MADE,
        "# Fields\n\nWhich tables fill a field. A page for each table: ",
        ", ".join(f"[{table.name}]({table.name}.md)" for table in tables),
        ".\n\n| field | level | tables |\n| --- | --- | --- |\n",
    ]
    lines += [f"| `{field}` | {level(field)} | {', '.join(found)} |\n" for field, found in sorted(filled.items())]
    return "".join(lines)


def pages() -> dict[Path, str]:
    """Every page by its path."""
    tables = all_tables()
    return {DOCS / "README.md": index(tables), **{DOCS / f"{table.name}.md": page(table) for table in tables}}


def main() -> int:
    """Write the pages, or with --check say whether they are fresh."""
    return write_or_compare(pages(), DOCS, "*.md")


if __name__ == "__main__":
    sys.exit(main())
