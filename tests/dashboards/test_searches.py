"""Every panel's search on the real server, over a made-up week: it is accepted, has rows, and counts what a plain loop over the documents counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.conftest import Week
from tools.dashboards.answers import answers
from tools.dashboards.boards import DASHBOARDS
from tools.dashboards.search import Value, pick
from tools.dashboards.vocabulary import Dashboard, Panel, Text


@pytest.fixture(scope="session")
def answered(made_up_week: Week) -> dict[str, list[tuple[Panel, list[tuple[Value, ...]]]]]:
    """Each dashboard's panels with their rows."""
    return {board.key: list(answers(made_up_week.client, board)) for board in DASHBOARDS}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)
def test_every_panel_has_rows(dashboard: Dashboard, answered: dict[str, list[tuple[Panel, list[tuple[Value, ...]]]]]) -> None:  # fmt: skip
    """No search is refused, and none finds nothing."""
    empty = [panel.title for panel, rows in answered[dashboard.key] if not rows and not isinstance(panel, Text)]
    assert not empty


@pytest.fixture(scope="session")
def documents(made_up_week: Week) -> list[dict[str, Any]]:
    """The documents that the server has, each once."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for line, document in made_up_week.actions:
        action = line.get("create")
        if action is not None:
            found.setdefault((action["_index"], action.get("_id", len(found))), document)
    return list(found.values())


def of(documents: list[dict[str, Any]], dataset: str, **values: str) -> Iterator[dict[str, Any]]:
    """Documents of a dataset with these values; `__` is a dot."""
    for document in documents:
        if document["data_stream"]["dataset"] == dataset and all(
            pick(document, name.replace("__", ".")) == value for name, value in values.items()
        ):
            yield document


def rows_of(answered: dict[str, list[tuple[Panel, list[tuple[Value, ...]]]]], board: str, title: str) -> list[tuple[Value, ...]]:  # fmt: skip
    """The rows of a panel."""
    return next(rows for panel, rows in answered[board] if panel.title == title)


def test_counts_are_those_of_the_documents(answered: dict[str, list[tuple[Panel, list[tuple[Value, ...]]]]], documents: list[dict[str, Any]]) -> None:  # fmt: skip
    """Numbers, parts, bars, and a chart over time agree with what is counted one by one."""
    alerts = list(of(documents, "m365_defender.alert"))
    assert rows_of(answered, "overview", "Alerts") == [(len({alert["event"]["id"] for alert in alerts}),)]
    assert rows_of(answered, "overview", "High alerts") == [
        (len({alert["event"]["id"] for alert in alerts if alert["event"]["severity"] >= 73}),)
    ]
    logons = list(of(documents, "m365_defender.event", m365_defender__event__category="AdvancedHunting-DeviceLogonEvents"))  # fmt: skip
    failed = [logon for logon in logons if logon["event"].get("outcome") == "failure"]
    assert ("Failed logons", len(failed)) in rows_of(answered, "devices", "Events")
    outcomes: Counter[Value] = Counter()
    for outcome, _, number in rows_of(answered, "devices", "Logons"):
        outcomes[outcome] += int(float(number or 0))
    assert outcomes == Counter(logon["event"].get("outcome") for logon in logons if "outcome" in logon["event"])
    mails = of(documents, "m365_defender.event", m365_defender__event__category="AdvancedHunting-EmailEvents")
    threats = Counter(kind for mail in mails for kind in mail["m365_defender"]["event"].get("threat", {}).get("types", ()))  # fmt: skip
    assert {str(row[0]): row[1] for row in rows_of(answered, "email", "Threats")} == threats
    runs = [run["defender_to_elasticsearch"]["run"] for run in of(documents, "defender_to_elasticsearch.run")]
    assert rows_of(answered, "pipeline", "Documents indexed") == [(sum(run["indexed"] for run in runs),)]
    assert rows_of(answered, "pipeline", "Runs in trouble") == [(sum(run["failed"] for run in runs),)]


def test_what_stands_now_counts_each_incident_once(answered: dict[str, list[tuple[Panel, list[tuple[Value, ...]]]]], documents: list[dict[str, Any]]) -> None:  # fmt: skip
    """However many versions an incident has, it is in one status: that of its latest version."""
    newest: dict[tuple[str, str], tuple[str, str]] = {}
    for incident in of(documents, "m365_defender.incident", event__code="incident"):
        key = incident["data_stream"]["namespace"], incident["event"]["id"]
        newest[key] = max(newest.get(key, ("", "")), (incident["@timestamp"], incident["m365_defender"]["incident"]["status"]))  # fmt: skip
    statuses = Counter(status for _, status in newest.values())
    ids = {id for _, id in newest}
    shown = {str(row[0]): row[1] for row in rows_of(answered, "alerts", "Incidents now")}
    assert sum(statuses.values()) > len(ids) > 0
    by_id: dict[str, set[str]] = {}
    for (_, id), (_, status) in newest.items():
        by_id.setdefault(status, set()).add(id)
    assert shown == {label: len(by_id[status]) for label, status in (("Active", "active"), ("In progress", "inProgress"), ("Resolved", "resolved"))}  # fmt: skip
