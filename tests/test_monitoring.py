"""Alert rules and workbook: every query is valid by Microsoft's own parser, and names only what the code sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.periods import longest_period
from functions.status_rows import SILENT
from functions.timers import line_of
from shared.cursors.cursor import Cursor
from shared.poll.client import Usage
from shared.poll_settings import SOURCES, PollSettings
from shared.report import Report
from shared.sweeps import Swept
from tools.monitoring import ALERT_HEAD, CHARTS, FOLDER, PART_HEAD, Query, alerts, attributes, parsed, queries, workbook

ROOT = Path(__file__).resolve().parent.parent
ALERTS, PARTS = queries("alerts"), queries("workbook")
BOTH = [pytest.param(query, id=f"{kind} {query.name}") for kind, found in (("alert", ALERTS), ("part", PARTS)) for query in found]  # fmt: skip
ISO = re.compile(r"P(?:\d+D|T\d+[HM])")


def keys_of_lines() -> set[str]:
    """Every key that a line of a run may have: of a hub's batch, of a sweep, of one that was not acknowledged."""
    swept = Swept("", "", "finished", Report("alert"), Usage(), cursor=Cursor("alert", "", ""))
    return {"result", "seconds", "attempt", "lag_seconds", "reason", "messages", *Report("xdr").as_dict(), *line_of(swept, "", 0.0)}  # fmt: skip


@pytest.mark.parametrize("found", [ALERTS, PARTS], ids=["alerts", "workbook"])
def test_microsofts_parser_takes_every_query(found: list[Query]) -> None:
    """Names of tables and columns, types and functions: no error and no warning."""
    answers = parsed(found)
    assert {name: answer["problems"] for name, answer in answers.items() if answer["problems"]} == {}
    assert all(answer["columns"] for answer in answers.values())


def test_the_parser_would_find_a_fault() -> None:
    """A misspelt column, table and function are problems, so that the test above can fail."""
    wrong = [
        Query("column", {}, "traces | where mesage == ''"),
        Query("table", {}, "trace | take 1"),
        Query("function", {}, "traces | extend a = tostrin(message)"),
    ]
    assert all(answer["problems"] for answer in parsed(wrong).values())


@pytest.mark.parametrize("query", BOTH)
def test_a_query_names_only_what_is_sent(query: Query) -> None:
    """Metrics, their attributes and the keys of lines are those that shared/instruments.py declares and functions write."""
    known = attributes()
    assert query.metrics <= set(known), f"{query.metrics - set(known)} is not declared in shared/instruments.py"
    allowed = set[str]().union(*(known[metric] for metric in query.metrics)) if query.metrics else set()
    assert query.dimensions <= allowed, f"{query.dimensions - allowed} is no attribute of {query.metrics}"
    assert query.keys <= keys_of_lines(), f"{query.keys - keys_of_lines()} is in no line of a run"
    assert query.metrics or query.keys or query.name == "telemetry"


@pytest.mark.parametrize("query", [pytest.param(query, id=query.name) for query in ALERTS])
def test_an_alert_says_how_bad_it_is_and_what_to_do(query: Query) -> None:
    """Every head is whole, and what it names in the runbook is there."""
    assert set(query.head) - {"mute"} == ALERT_HEAD
    assert query.head["severity"] in "01234"
    assert ISO.fullmatch(query.head["every"])
    assert ISO.fullmatch(query.head["window"])
    assert ISO.fullmatch(query.head.get("mute", "PT1H"))
    page, _, heading = query.head["mend"].partition("#")
    assert heading in set(anchors((ROOT / page).read_text())), f"{page} has no heading {heading}"


@pytest.mark.parametrize("query", [pytest.param(query, id=query.name) for query in PARTS])
def test_a_part_of_the_workbook_can_be_drawn(query: Query) -> None:
    """A title and a chart; what is drawn over time has a column `timestamp`."""
    assert {"title", "chart"} <= set(query.head) <= PART_HEAD
    assert query.head["chart"] in CHARTS
    if query.head["chart"] != "table":
        assert "timestamp" in parsed([query])[query.name]["columns"]


def test_every_metric_is_watched() -> None:
    """A metric that no alert and no part of the workbook reads costs money for nothing."""
    read = set[str]().union(*(query.metrics for query in (*ALERTS, *PARTS)))
    # For whoever looks closer by hand: how old events are, how large batches are.
    assert set(attributes()) - read == {"defender.lag.event", "defender.batch.messages"}


def test_an_alert_on_what_has_stopped_does_not_end_with_its_window() -> None:
    """Where a query looks for the last of something, it finds nothing once that lies before the window, though all is as wrong as before."""
    stopped = {query.name for query in ALERTS if re.search(r"< ago\((silent|scan)\)", query.text)}
    assert stopped == {"silent-hub", "silent-poller", "unfinished"}
    assert {rule["name"] for rule in alerts() if rule["mute"]} == stopped
    assert all(query.head["window"] == "P2D" for query in ALERTS if query.name in stopped)
    # Azure: "Auto mitigation must be disabled when action suppression is set", "EvaluationFrequency cannot be greater than MuteActionsDuration"
    bicep = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()
    assert "autoMitigate: rule.mute == null\n" in bicep
    assert "muteActionsDuration: rule.mute\n" in bicep
    assert all(minutes(rule["every"]) <= minutes(rule["mute"]) for rule in alerts() if rule["mute"])


@pytest.mark.parametrize("name", ["misconfigured", "bug"])
def test_an_alert_lasts_from_one_run_of_a_timer_to_the_next(name: str) -> None:
    """What fails at every run would else end and fire again between two of them."""
    (query,) = (query for query in ALERTS if query.name == name)
    periods = [longest_period(str(PollSettings.__dataclass_fields__[f"{source}_schedule"].default)) for source in SOURCES]  # fmt: skip
    longest = max(period for period in periods if period is not None)
    assert None not in periods
    assert minutes(query.head["window"]) * 60 > longest + minutes(query.head["every"]) * 60


def test_the_status_page_and_the_alert_agree_when_a_hub_is_silent() -> None:
    """XDR's hub after the same time; Defender for Cloud's later than a query can look back."""
    (silent,) = (query for query in ALERTS if query.name == "silent-hub")
    told = re.search(r"let silent = (\d+)m;", silent.text)
    assert told
    assert re.findall(r'source == "(\w+)"', silent.text) == ["xdr"]
    assert int(told[1]) * 60 == SILENT["xdr"]
    assert SILENT["defender_cloud"] > minutes("P2D") * 60


def test_scans_are_told_from_lists() -> None:
    """The alert on what has not finished gives scans their day."""
    (unfinished,) = (query for query in ALERTS if query.name == "unfinished")
    listed = re.search(r"source in \((.*?)\)", unfinished.text)
    assert listed
    scans = tuple(source for source in SOURCES if f"{source}_interval_hours" in PollSettings.__dataclass_fields__)
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == scans


def test_what_bicep_reads_is_complete() -> None:
    """Each alert has a window that Azure takes with its frequency, and names are unique; the workbook holds every part."""
    rules = alerts()
    assert len({rule["name"] for rule in rules}) == len(rules) == len(list((FOLDER / "alerts").glob("*.kql")))
    for rule in rules:
        # Microsoft (scheduledQueryRules): a window of a day or more only with a frequency of 5 minutes or more, at most 2 days
        assert minutes(rule["every"]) >= 5
        assert minutes(rule["every"]) <= minutes(rule["window"]) <= 2 * 24 * 60
    assert [item["content"]["title"] for item in workbook()["items"] if item["type"] == 3] == [part.head["title"] for part in PARTS]  # fmt: skip


def minutes(duration: str) -> int:
    """An ISO 8601 duration of one unit."""
    number = int("".join(filter(str.isdigit, duration)))
    return number * {"D": 24 * 60, "H": 60, "M": 1}[duration[-1]]


def anchors(page: str) -> Iterator[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
