"""`python -m local.demo` (or `make demo`): real Defender records through a real Functions runtime into real Elasticsearch.

Sends samples and a generated load through an event hub, shows what became of every record, sends it all a second time and
shows that nothing was doubled. KEEP=1 leaves everything up until Ctrl-C. GIVEN=1, or missing Java or Maven, makes
it go on with the Elasticsearch of ELASTICSEARCH_URL; without one it writes the documents to a file. Exit code 0 if every promise was kept.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from elasticsearch import ApiError, TransportError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local import demo_polls
from local.demo_input import Script, script
from local.demo_places import STREAMS, dead_letters, places, show_places, view_names
from local.demo_report import Account, Round, show, show_example
from local.demo_stage import PARTITIONS, Stage, parts, stage
from local.process import NotStarted
from local.setup import Missing
from shared.errors import ForwarderError
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "demo-output"
RECORDS = 12_000
AT_ONCE = 8  # messages sent before the bars are drawn again
PATIENCE = 180.0  # seconds without any progress before the demo gives up
EXAMPLES = ("DeviceProcessEvents", "DeviceNetworkEvents", "AlertEvidence")
INTERRUPTED = 130


class Stuck(Exception):
    """The app made no progress for too long."""


def play(console: Console, on: Stage, what: Script, earlier: int) -> Round:
    """Send everything once and wait until the app has accounted for it; `earlier` log lines are of rounds before."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    started = last = time.monotonic()
    with Progress(*columns, console=console) as progress:
        sent = progress.add_task("messages sent       ", total=what.messages)
        done = progress.add_task("records accounted for", total=what.records + what.broken)
        account = Account()

        def look() -> bool:
            nonlocal account, last
            latest = Account.of(on.app.logged()[earlier:])
            if latest.total["received"] != account.total["received"]:
                last = time.monotonic()
            for reason in latest.why_held[len(account.why_held) :]:
                progress.console.print(f"[yellow]held, will be given again:[/] {reason}")
            account = latest
            progress.update(done, completed=account.total["received"])
            return account.messages >= what.messages

        for hub, bodies in what.bodies.items():
            for first in range(0, len(bodies), AT_ONCE):
                some = bodies[first : first + AT_ONCE]
                on.hubs.send(some, hub=hub, partition=first // AT_ONCE % PARTITIONS)
                progress.update(sent, advance=len(some))
                look()
        while not look():
            if not on.app.server or not on.app.server.running():
                raise Stuck("The app has ended.")
            if time.monotonic() - last > PATIENCE:
                raise Stuck(f"Nothing has happened for {PATIENCE:.0f} seconds.")
            time.sleep(0.1)
        seconds = time.monotonic() - started
    return Round(account, seconds, on.target.counts())


def verdicts(what: Script, first: Round, second: Round) -> list[tuple[bool, str]]:
    """What was promised, and whether it was kept."""
    one, two = first.account.total, second.account.total
    result = [
        (
            one["received"] == what.records + what.broken,
            f"nothing lost: {what.records:,} records and {what.broken} unreadable pieces sent, {one['received']:,} received",
        ),
        (
            first.account.balanced and second.account.balanced,
            "every record received is indexed, a duplicate, filtered or dead-lettered, table by table",
        ),
        (
            two["indexed"] == 0 and two["duplicate"] == one["indexed"] + one["duplicate"],
            f"nothing doubled: of {two['received']:,} records sent again {two['indexed']:,} were indexed",
        ),
    ]
    if first.documents is not None:
        kept = first.documents == second.documents
        result.append(
            (
                kept,
                f"Elasticsearch counts {first.documents:,} documents after the first round, {second.documents:,} after the second",
            )
        )
    return result


def run(console: Console, what: Script, output: Path, *, keep: bool, local_elasticsearch: bool) -> int:
    """Everything with servers; returns the exit code."""
    with stage(console, local_elasticsearch=local_elasticsearch, logs=output / "logs") as on:
        console.print(
            f"\nSending {what.records:,} records in {what.messages:,} messages (from {what.examples} and generated), "
            f"{what.broken} broken pieces among them.\n"
        )
        first = play(console, on, what, 0)
        console.print("\nThe same once more.\n")
        second = play(console, on, what, len(on.app.logged()))
        for table in EXAMPLES if first.documents is not None else ():
            document = on.target.example(table)
            if document:
                show_example(console, f"An example of {table}", document)
        console.print()
        show(console, "The first time", first)
        console.print()
        show(console, "Everything a second time", second)
        console.print()
        judged = verdicts(what, first, second) + polls(console, on)
        where(console, on)
        for kept, words in judged:
            console.print(f"[green]yes[/]  {words}" if kept else f"[red]NO[/]   {words}")
        where_next(console, on, output, keep=keep)
        if keep:
            console.print(f"\n[bold]All is left up. Stop it with Ctrl-C, or: kill {os.getpid()}[/]")
            with suppress(KeyboardInterrupt):
                signal.pause()
            console.print("Stopping ...")
    return 0 if all(kept for kept, _ in judged) else 1


def polls(console: Console, on: Stage) -> list[tuple[bool, str]]:
    """Poll every source, let some things change, poll again; what was promised of that, and whether it was kept."""
    console.print("\nNow the sources that are polled, each by its timer.\n")
    first = demo_polls.poll(console, on.app)
    demo_polls.show(console, "Polled", first)
    owed = demo_polls.change(next(iter(on.fake.tenants.values())), datetime.now(UTC))  # contoso
    second = demo_polls.poll(console, on.app)
    demo_polls.show(console, "Polled again, some alerts and incidents having changed", second)
    console.print()
    return demo_polls.verdicts(first, second, owed, on.fake)


def where(console: Console, on: Stage) -> None:
    """Where each thing went."""
    settings, reader = Settings.read(on.app.settings), on.target.reader
    streams, views = places(reader, STREAMS), places(reader, view_names(settings.namespace))
    letters = dead_letters(settings, on.app.settings)
    show_places(console, streams, views, letters, settings.dead_letter_container)
    console.print()


def where_next(console: Console, on: Stage, output: Path, *, keep: bool) -> None:
    """Where to look now."""
    health = on.app.get("/api/health")
    console.print(
        f"\n[bold]Where to look next[/]\n  health        answered {health.status_code}: {_headline(health.text)}"
    )
    console.print(f"  logs          {output.name}/logs, one line of JSON each; logger defender.run has the reports")
    if keep:
        console.print(f"  health        curl -H 'x-functions-key: {on.app.key}' {on.app.url}/api/health")
        console.print(f"  Elasticsearch {on.target.settings['ELASTICSEARCH_URL']}, {on.target.login}")
        console.print(
            "  dead letters  with the settings below in the environment: .venv/bin/python -m cli dead-letters list"
        )
        for name, value in on.app.settings.items():
            if name == "AzureWebJobsStorage" or name.startswith("ELASTICSEARCH_"):
                console.print(f"                export {name}='{value}'", soft_wrap=True)
    else:
        console.print("  servers       make demo KEEP=1 leaves them up for looking around")
    console.print("  pages         README.md, docs/settings.md, docs/promises.md")


def _headline(text: str) -> str:
    """What a health answer says in few words."""
    try:
        content = json.loads(text)
    except ValueError:
        return text[:100]
    return "all is whole" if content.get("whole") else "; ".join(content.get("reasons", [text[:100]]))


def to_file(console: Console, what: Script, output: Path) -> int:
    """Without servers: the documents go to a file, through the command line that uses the function's own code."""
    lines = [
        body
        for bodies in what.bodies.values()
        for body in bodies
        if body.startswith((b"{", b"[")) and b"\n" not in body
    ]
    documents, rejected = output / "documents.ndjson", output / "rejected.ndjson"
    with documents.open("wb") as out, rejected.open("wb") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "normalize"],
            cwd=ROOT,
            input=b"\n".join(lines) + b"\n",
            stdout=out,
            stderr=errors,
            check=False,
        )
    with documents.open("rb") as file:
        made = sum(1 for _ in file)
    console.print(
        f"{made:,} documents are in {output.name}/{documents.name}, what was rejected in {rejected.name} beside it."
    )
    return done.returncode


def interrupted(_number: int, _frame: FrameType | None) -> None:
    """The first signal takes everything down in order; further ones do not disturb that."""
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Read the command line, see what can be had, play."""
    parser = argparse.ArgumentParser(description="The whole way, locally.")
    parser.add_argument("--records", type=int, default=int(os.environ.get("RECORDS", RECORDS)), help="to generate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for logs (and documents), emptied first")
    parser.add_argument(
        "--given",
        action="store_true",
        default=os.environ.get("GIVEN", "") not in ("", "0"),
        help="ship to the Elasticsearch of ELASTICSEARCH_URL or _CLOUD_ID and its credentials; start none here",
    )
    parser.add_argument("--keep", action="store_true", default=os.environ.get("KEEP", "") not in ("", "0"))
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        missing = parts(console, given=chosen.given)
        there = not chosen.given and missing["elasticsearch"] is None
        for sentence in filter(None, missing.values()):
            console.print(f"[yellow]{sentence}[/]")
        shutil.rmtree(chosen.output, ignore_errors=True)
        chosen.output.mkdir(parents=True)
        what = script(chosen.records, chosen.seed)
        known = chosen.given or os.environ.get("ELASTICSEARCH_URL") or os.environ.get("ELASTICSEARCH_CLOUD_ID")
        if missing["node"] or not (there or known):
            return to_file(console, what, chosen.output)
        return run(console, what, chosen.output, keep=chosen.keep, local_elasticsearch=there)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return INTERRUPTED
    except (Missing, NotStarted, Stuck, ApiError, TransportError, ForwarderError) as reason:
        console.print(f"{type(reason).__name__}: {reason}", style="red", markup=False)
        return 1


if __name__ == "__main__":
    sys.exit(main())
