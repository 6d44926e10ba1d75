"""The list of commands: what `python -m cli` can do, in a line each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the module below `cli` that has its `run`, and what it does."""

    module: str
    words: str


COMMANDS: dict[str, Command] = {
    "backfill": Command("backfill", "bring in what was exported to a storage account; status, resume or cancel a run"),
    "cursors": Command("cursors", "list, show, set or reset how far each source has been read"),
    "dead-letters": Command("dead_letters", "list, show, replay or drop records that could not be indexed"),
    "doctor": Command(
        "doctor",
        "check all between Defender and Elasticsearch, hubs and their lag among it, and say how to mend what is wrong",
    ),
    "drift": Command("drift", "what Defender sent that is not mapped; clear what has been dealt with"),
    "estimate": Command("estimate", "events a day, or a sample of the hub -> what it needs and what it costs a month"),
    "install": Command(
        "install.command",
        "put templates, lifecycle, latest views and dashboards in place; --dry-run shows a diff; twice changes nothing",
    ),
    "normalize": Command(
        "normalize", "records or API objects from files or standard input -> the documents they become"
    ),
    "uninstall": Command("install.uninstall", "remove what install put, and name what stays: data, and what is in use"),
    "poll": Command("poll", "read one source once, with a progress bar; --dry-run ships nothing"),
}


def usage() -> str:
    """What a person sees who asks for help."""
    rows = "".join(f"  {name:<14} {command.words}\n" for name, command in sorted(COMMANDS.items()))
    return f"python -m cli COMMAND [--help]\n\n{rows}"
