"""The dashboards as Kibana would import them: complete, consistent, of fields that are there; and the check itself finds what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboards.shapes import problems
from tools.dashboards.boards import DASHBOARDS
from tools.dashboards.page import elastic_panels, page
from tools.dashboards.saved_objects import ndjson
from tools.dashboards.vocabulary import Dashboard
from tools.write_dashboards import FOLDER, ROOT

MOST_PANELS, LARGEST_PICTURE = 14, 150_000


def test_saved_objects_are_whole() -> None:
    """The committed file has no problem: references, columns, fields and their types, queries, places, drill-downs, controls."""
    assert problems((FOLDER / "defender.ndjson").read_text().splitlines()) == []


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.key)
def test_a_dashboard_can_be_taken_in(dashboard: Dashboard) -> None:
    """Each has a picture that is not too large, no more panels than one takes in, panels with titles of their own, and the controls that all have."""
    file = ROOT / "docs" / "dashboards" / f"{dashboard.key}.png"
    assert 10_000 < file.stat().st_size < LARGEST_PICTURE, "run python -m tools.draw_dashboards, and look at it"
    titles = [panel.title for panel in dashboard.panels]
    assert len(set(titles)) == len(titles) <= MOST_PANELS
    labels = [control.label for control in dashboard.controls]
    assert labels[0] == "Tenant"
    if dashboard.key != "pipeline":
        assert any(label.startswith(("Host", "Recipient")) for label in labels)
        assert any(label.startswith("User") for label in labels)


def test_links_lead_to_every_dashboard() -> None:
    """Every dashboard links to all of them; and the file is the same every time it is made."""
    made = ndjson(DASHBOARDS)
    assert made == ndjson(DASHBOARDS)
    boards = [item for item in map(json.loads, made.splitlines()) if item["type"] == "dashboard"]
    ids = {dashboard.id for dashboard in DASHBOARDS}
    assert {board["id"] for board in boards} == ids
    for board in boards:
        assert {reference["id"] for reference in board["references"] if reference["type"] == "dashboard"} == ids


def test_the_page_shows_them_all() -> None:
    """The page has each dashboard's picture, and what it says of Elastic's panels names panels and controls that are there."""
    text = page()
    known = {f"{board.key}: {name}" for board in DASHBOARDS for name in (*(panel.title for panel in board.panels), *(control.label for control in board.controls))}  # fmt: skip
    assert all(f"(dashboards/{dashboard.key}.png)" in text for dashboard in DASHBOARDS)
    for row in elastic_panels():
        assert row["ours"] in known or (not row["ours"] and row["why"]), row


def _lens(dashboard: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All panels, and the layer of the first chart with a field's values."""
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    for panel in panels:
        if panel["type"] == "lens":
            layer = panel["embeddableConfig"]["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]["layer"]
            if "group0" in layer["columns"] and layer["columns"]["group0"]["operationType"] == "terms":
                return panels, layer
    raise AssertionError("no such panel")


def _rename(dashboard: dict[str, Any], field: str) -> None:
    panels, layer = _lens(dashboard)
    layer["columns"]["group0"]["sourceField"] = field
    dashboard["attributes"]["panelsJSON"] = json.dumps(panels)


def _reorder(dashboard: dict[str, Any]) -> None:
    panels, layer = _lens(dashboard)
    layer["columnOrder"].reverse()
    dashboard["attributes"]["panelsJSON"] = json.dumps(panels)


def _forget_column(dashboard: dict[str, Any]) -> None:
    panels, layer = _lens(dashboard)
    del layer["columns"]["group0"]
    dashboard["attributes"]["panelsJSON"] = json.dumps(panels)


def _ask(dashboard: dict[str, Any], query: str) -> None:
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    next(panel for panel in panels if panel["type"] == "lens")["embeddableConfig"]["attributes"]["state"]["query"]["query"] = query  # fmt: skip
    dashboard["attributes"]["panelsJSON"] = json.dumps(panels)


def _shift(dashboard: dict[str, Any]) -> None:
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    panels[1]["gridData"]["x"] += 3
    dashboard["attributes"]["panelsJSON"] = json.dumps(panels)


BREAK: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a field that is nowhere": (lambda one: _rename(one, "no.such.field"), "is in no template"),
    "a field of text": (lambda one: _rename(one, "message"), "can not be done with"),
    "a bag": (lambda one: _rename(one, "m365_defender.alert.unmapped"), "can not be done with"),
    "the order of columns": (_reorder, "buckets do not come before metrics"),
    "a column less": (_forget_column, "columnOrder and columns are not the same"),
    "a query of an unknown field": (lambda one: _ask(one, "no.such.field: 1"), "which no template has"),
    "a query that is broken": (lambda one: _ask(one, "event.kind: (alert or"), "query"),
    "a panel over another": (_shift, "lies over panel"),
    "a reference less": (lambda one: one["references"].pop(), "is not referred to"),
    "a reference too many": (lambda one: one["references"].append({"type": "dashboard", "id": "x", "name": "y"}), "nothing uses"),
    "a reference to nothing": (lambda one: one["references"][-1].update(id="nothing"), "which the file does not have"),
    "panels that are no string": (lambda one: one["attributes"].update(optionsJSON={}), "is not JSON in a string"),
    "the id of another": (lambda one: one.update(id="defender-email"), "two objects have one id"),
    "a setting of a later Kibana": (lambda one: one["attributes"]["controlGroupInput"].update(showApplySelections=False), "the four strings"),
    "an attribute that is unknown": (lambda one: one["attributes"].update(colour="red"), "its schema does not take"),
    "a version of tomorrow": (lambda one: one.update(typeMigrationVersion="10.9.0"), "may not know"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAK)
def test_what_is_broken_is_found(name: str) -> None:
    """The check says what is wrong where one thing of a good file is broken."""
    alter, said = BREAK[name]
    objects = [json.loads(line) for line in ndjson(DASHBOARDS).splitlines()]
    alter(next(item for item in objects if item["id"] == "defender-alerts"))
    assert any(said in problem for problem in problems(list(map(json.dumps, objects))))
