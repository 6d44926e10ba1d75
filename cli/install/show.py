"""Steps for people: a line each, and for what changed a coloured diff against the cluster."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

from rich.markup import escape

from cli.install.mappings import fields_of
from cli.install.server import Body
from cli.install.steps import Step, normal

COLOURS = {
    "new": "green",
    "changed": "yellow",
    "unchanged": "dim",
    "left": "magenta",
    "missing": "magenta",
    "removed": "red",
}
CONTEXT = 2
MOST_LINES = 60  # of one diff, unless all is asked for


def line(step: Step, *, dry_run: bool = False) -> str:
    """`new  index template  logs-…  words`, with rich's markup."""
    would = "would be " if dry_run and step.state in ("new", "changed", "removed") else ""
    words = step.words or (f"{number} fields" if (number := _fields(step.after)) and step.state == "new" else "")
    name = escape(f"{step.kind} {step.name}")
    return f"[{COLOURS[step.state]}]{would}{step.state}[/] {name}" + (f": {escape(words)}" if words else "")


def _fields(body: Body | None) -> int:
    """Fields of a component template."""
    return sum(1 for _ in fields_of(((body or {}).get("template") or {}).get("mappings") or {}))


def diff(step: Step, *, whole: bool = False) -> Iterator[str]:
    """The lines of a unified diff from what the cluster has to what it will have; nothing where nothing changes."""
    if step.state != "changed" or step.before is None or step.after is None:
        return
    before, after = (
        json.dumps(normal(body), indent=2, sort_keys=True, ensure_ascii=False).splitlines()
        for body in (step.before, step.after)
    )
    lines = list(difflib.unified_diff(before, after, lineterm="", n=CONTEXT))[2:]
    shown = lines if whole else lines[:MOST_LINES]
    for text in shown:
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(text[:1])
        yield f"[{colour}]  {escape(text)}[/]" if colour else f"  {escape(text)}"
    if len(lines) > len(shown):
        yield f"  … {len(lines) - len(shown)} more lines: --whole shows all"
