"""Log lines of the app's runs and counts of Elasticsearch -> what happened, as tables for a person."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

OUTCOMES = ("indexed", "duplicate", "filtered", "dead_lettered")
RUN_LOGGER = "defender.run"
UNDECODED = "(undecoded)"
LONGEST_EXAMPLE = 42  # lines of JSON


@dataclass(slots=True)
class Account:
    """The sum of the app's own reports over a round."""

    tables: dict[str, Counter[str]] = field(default_factory=dict)  # received and the outcomes, by table
    messages: int = 0
    runs: int = 0
    held: int = 0  # runs that were not acknowledged: their batch came again
    why_held: list[str] = field(default_factory=list)
    requests: int = 0
    retries: int = 0
    size: int = 0
    lag: float = 0.0
    unknown_tables: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> Counter[str]:
        """The sum over all tables."""
        result: Counter[str] = Counter()
        for table in self.tables.values():
            result.update(table)
        return result

    @property
    def balanced(self) -> bool:
        """Whether every record received, table by table, has exactly one outcome."""
        return all(table["received"] == sum(table[outcome] for outcome in OUTCOMES) for table in self.tables.values())

    @classmethod
    def of(cls, lines: Iterable[Mapping[str, Any]]) -> Account:
        """Sum up the run lines among the host's log lines."""
        result = cls()
        for line in lines:
            if line.get("logger") == RUN_LOGGER:
                result.add(json.loads(str(line["message"])))
        return result

    def add(self, run: Mapping[str, Any]) -> None:
        """Add one run."""
        if run.get("result") != "acknowledged":
            self.held += 1
            reason = str(run.get("reason", ""))
            if reason not in self.why_held:
                self.why_held.append(reason)
            return
        self.runs += 1
        self.messages += run["messages"]
        self.requests += run["requests"]
        self.retries += run["retries"]
        self.size += run["bytes_received"]
        self.lag = max(self.lag, run.get("lag_seconds") or 0.0)
        self.unknown_tables.update(run.get("unknown_tables", {}))
        for table, counts in run["tables"].items():
            if isinstance(counts, dict):  # a long line has a number of further names in place of them
                self.tables.setdefault(table, Counter()).update(counts)


@dataclass(frozen=True, slots=True)
class Round:
    """One sending of everything: how long it took from the first message to the last outcome, and what is there now."""

    account: Account
    seconds: float
    counts: Mapping[str, int] | None

    @property
    def documents(self) -> int | None:
        """All documents in Elasticsearch."""
        return None if self.counts is None else sum(self.counts.values())


def show(console: Console, title: str, this: Round) -> None:
    """The table of a round and a line of figures below it."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("table", no_wrap=True)
    for name in ("received", *OUTCOMES, "in_Elastic-_search"):
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True, vertical="bottom")
    for name in sorted(this.account.tables, key=lambda name: (name == UNDECODED, name)):
        counts = this.account.tables[name]
        there = number(this.counts[name]) if this.counts and name in this.counts else ""
        table.add_row(name, number(counts["received"]), *(number(counts[outcome]) for outcome in OUTCOMES), there)
    if this.counts and "" in this.counts:
        table.add_row("(of other products)", *[""] * 5, number(this.counts[""]))
    table.add_section()
    total = this.account.total
    there = "?" if this.documents is None else number(this.documents)
    table.add_row("all", number(total["received"]), *(number(total[outcome]) for outcome in OUTCOMES), there)
    console.print(table)
    console.print(
        f"{number(this.account.messages)} messages, {this.account.size / 1e6:,.1f} MB in {this.seconds:.1f} s: "
        f"[bold]{total['received'] / this.seconds:,.0f} records a second[/]; lag at most {this.account.lag:.1f} s; "
        f"{this.account.runs} invocations, {this.account.requests} bulk requests, {this.account.retries} sent again, "
        f"{this.account.held} invocations held and given again"
    )


def show_example(console: Console, title: str, document: Mapping[str, Any]) -> None:
    """A document as JSON, its middle left out where it is long."""
    lines = json.dumps(document, indent=2, ensure_ascii=False).splitlines()
    if len(lines) > LONGEST_EXAMPLE:
        left = len(lines) - LONGEST_EXAMPLE + 1
        lines = [*lines[: LONGEST_EXAMPLE - 1], f"  ... {left} more lines"]
    console.print(f"\n[bold]{title}[/]")
    console.print(Syntax("\n".join(lines), "json", background_color="default", word_wrap=True))


def number(value: int) -> str:
    """A count for people: 12,345, and a dot for nothing."""
    return f"{value:,}" if value else "."
