"""`python -m cli dead-letters list|show|replay|drop`: what could not be indexed is looked at, sent again or dropped."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.dead_letter_choice import found, wanted
from shared.errors import ForwarderError
from shared.poll_settings import SOURCES, PollSettings
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter, DeadLetters

if TYPE_CHECKING:
    from shared.flows import Parts

app = typer.Typer(help="Records that could not be indexed: list, show, replay, drop.", no_args_is_help=True)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)  # a pipe has no width: cut nothing
errors = Console(stderr=True, soft_wrap=True)

BATCH_LETTERS = 500  # letters sent through the flow at once
BATCH_BYTES = 8_000_000
SHOWN = 2_000  # characters of an original that `show` prints unless told to print all

Code = Annotated[list[str] | None, typer.Option("--class", help="Only this class, e.g. too_large; repeatable.")]
Source = Annotated[
    str | None,
    typer.Option(
        "--source", help="Only this source: xdr, defender_cloud, alert, incident, log, vulnerability, assessment."
    ),
]
TableName = Annotated[list[str] | None, typer.Option("--table", help="Only this table; repeatable.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Given up at or after: 2026-01-31, a date and time, or 2h, 7d.")
]
Until = Annotated[str | None, typer.Option("--until", help="Given up before: the same forms.")]


def stop(error: ForwarderError) -> typer.Exit:
    """Say what went wrong in one sentence, and end with exit code 1."""
    errors.print(f"[red]{escape(str(error))}[/red]")
    return typer.Exit(1)


def open_letters() -> DeadLetters:
    """The dead letters that the app settings (environment variables) point at."""
    return DeadLetters.open(Settings.read(os.environ))


@app.command("list")
def list_command(
    code: Code = None, source: Source = None, table: TableName = None, since: Since = None, until: Until = None
) -> None:
    """Count dead letters by source, class and table, and name the blobs that hold them."""
    want = wanted(code, source, table, since, until)
    groups: Counter[tuple[str, str, str]] = Counter()
    oldest: dict[tuple[str, str, str], str] = {}
    newest: dict[tuple[str, str, str], str] = {}
    blobs: list[tuple[str, int, int]] = []
    keys: set[str] = set()
    try:
        for stored, meant, _ in found(open_letters(), want):
            for letter in meant:
                group = (letter.source, letter.code, letter.table)
                groups[group] += 1
                oldest[group] = min(oldest.get(group, letter.when), letter.when)
                newest[group] = max(newest.get(group, letter.when), letter.when)
                keys.add(letter.key)
            blobs.append((stored.name, len(meant), stored.size))
    except ForwarderError as error:
        raise stop(error) from None
    if not blobs:
        out.print("No dead letters.")
        return
    counts = Table("source", "class", "table", "letters", "oldest", "newest")
    for group, number in groups.most_common():
        counts.add_row(*map(escape, group), str(number), oldest[group], newest[group])
    out.print(counts)
    places = Table("blob", "letters", "bytes")
    for name, number, size in blobs:
        places.add_row(escape(name), str(number), str(size))
    out.print(places)
    out.print(f"{groups.total()} letters, {len(keys)} different records, {len(blobs)} blobs.")


@app.command()
def show(
    code: Code = None,
    source: Source = None,
    table: TableName = None,
    since: Since = None,
    until: Until = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Only the letter with this key (or the start of it).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="At most so many.")] = 10,
    whole: Annotated[bool, typer.Option("--whole", help="Print originals in full, however long.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the stored JSON lines, for other programs.")] = False,
) -> None:
    """Print dead letters with their reason and their original."""
    want = wanted(code, source, table, since, until)
    shown = 0
    try:
        for stored, meant, _ in found(open_letters(), want):
            for letter in meant:
                if key is not None and not letter.key.startswith(key):
                    continue
                if shown >= limit:
                    errors.print(f"There are more; --limit is {limit}.")
                    return
                shown += 1
                print_letter(letter, stored.name, whole=whole, raw=raw)
    except ForwarderError as error:
        raise stop(error) from None
    if not shown:
        errors.print("No such dead letter.")
        raise typer.Exit(1)


def print_letter(letter: DeadLetter, blob: str, *, whole: bool, raw: bool) -> None:
    """One letter for a person, or as its line of JSON."""
    if raw:
        typer.echo(letter.line().rstrip(b"\n"))
        return
    out.print(f"[bold]{letter.key}[/bold]  {escape(letter.code)}  {escape(letter.source)}/{escape(letter.table)}")
    out.print(f"  reason    {escape(letter.reason)}")
    out.print(f"  given up  {letter.when} after {letter.attempt} attempt(s), enqueued {letter.enqueued or 'unknown'}")
    out.print(f"  from      partition {letter.partition}, sequence number {letter.sequence_number}; _id {letter.id}")
    out.print(f"  blob      {escape(blob)}")
    text = letter.original.decode("utf-8", "backslashreplace")
    cut = "" if whole or len(text) <= SHOWN else f" … ({len(letter.original)} bytes; --whole prints all)"
    out.print(f"  original  {escape(text if whole else text[:SHOWN])}{cut}\n")


@app.command()
def replay(
    code: Code = None,
    source: Source = None,
    table: TableName = None,
    since: Since = None,
    until: Until = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the letters where they are.")] = False,
) -> None:
    """Send originals through the flow again; what is there already counts as duplicate, so repeating it is harmless."""
    from shared.backfill.fill import points
    from shared.flows import open_parts

    want = wanted(code, source, table, since, until)
    totals: Counter[str] = Counter()
    try:
        settings = Settings.read(os.environ)
        letters = DeadLetters.open(settings)
        parts = open_parts(settings)
        for stored, meant, others in found(letters, want):
            records = [letter for letter in meant if not points(letter)]
            others += [letter for letter in meant if points(letter)]
            totals["pointers"] += len(meant) - len(records)
            if not records:
                continue
            for batch in batches(distinct(records)):
                totals += send(batch, parts)
            totals["replayed"] += len(records)
            if not keep and not letters.keep(stored, others):
                errors.print(f"{escape(stored.name)} has changed meanwhile and was left as it is.")
    except ForwarderError as error:
        if totals:
            tell(totals)
        raise stop(error) from None
    tell(totals)


def tell(totals: Counter[str]) -> None:
    """Say what a replay did."""
    out.print(
        f"{totals['replayed']} letters replayed: {totals['received']} records, {totals['indexed']} indexed, "
        f"{totals['duplicate']} duplicate, {totals['filtered']} filtered, "
        f"{totals['dead_lettered']} dead-lettered again."
    )
    if totals["pointers"]:
        out.print(
            f"{totals['pointers']} letters only say what could not be read in exported blobs: `python -m cli backfill resume RUN` "
            "reads it again."
        )


def distinct(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Letters without those whose record is there already."""
    return list({letter.key: letter for letter in letters}.values())


def batches(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Letters of one source at a time, in batches that a flow takes at once."""
    by_source: dict[str, list[DeadLetter]] = {}
    for letter in letters:
        by_source.setdefault(letter.source, []).append(letter)
    for group in by_source.values():
        batch: list[DeadLetter] = []
        size = 0
        for letter in group:
            if batch and (len(batch) >= BATCH_LETTERS or size + len(letter.original) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(letter)
            size += len(letter.original)
        yield batch


def send(batch: list[DeadLetter], parts: Parts) -> Counter[str]:
    """Send one batch through the flow it came from; what became of it, by outcome."""
    from shared.flows import Message, forward
    from shared.rows import replay_rows

    messages = [
        Message(
            body=letter.original,
            partition=letter.partition,
            sequence_number=letter.sequence_number,
            enqueued=letter.enqueued,
        )
        for letter in batch
    ]
    source = batch[0].source
    evidence = bool(PollSettings.read_one("evidence_documents", os.environ))
    report = replay_rows(batch, parts, evidence=evidence) if source in SOURCES else forward(messages, parts, source)
    told = report.as_dict()
    return Counter({name: told[name] for name in ("received", "indexed", "duplicate", "filtered", "dead_lettered")})


@app.command()
def drop(
    code: Code = None,
    source: Source = None,
    table: TableName = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Throw dead letters away for good."""
    want = wanted(code, source, table, since, until)
    try:
        letters = open_letters()
        chosen = list(found(letters, want))
        number = sum(len(meant) for _, meant, _ in chosen)
        if not number:
            out.print("No dead letters.")
            return
        if not yes and not typer.confirm(f"Drop {number} dead letters for good?"):
            raise typer.Exit(1)
        dropped = 0
        for stored, meant, others in chosen:
            if letters.keep(stored, others):
                dropped += len(meant)
            else:
                errors.print(f"{escape(stored.name)} has changed meanwhile and was left as it is.")
        out.print(f"{dropped} letters dropped.")
    except ForwarderError as error:
        raise stop(error) from None
