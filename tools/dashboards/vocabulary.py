"""The words that dashboards are described with; what Kibana, a search and a picture make of them is said elsewhere.

A dashboard is rows of panels. A panel takes documents of a data view that match a KQL query, groups them, and measures each group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

WIDTH = 48  # columns of Kibana's grid


@dataclass(frozen=True, slots=True)
class DataView:
    """A Kibana data view: its fixed id, the indices it looks into, and the index templates (by their pattern) that have its fields."""

    id: str
    pattern: str
    name: str
    templates: tuple[str, ...]
    links: tuple[str, ...] = ()  # fields that hold an address, shown as a link


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of a group; `field` is not asked for by a count. where: KQL, for a part of the group only."""

    kind: Literal["count", "unique", "sum", "average", "maximum", "percentile", "last"]
    label: str
    field: str = ""
    where: str = ""
    percent: int = 95  # of a percentile
    unit: Literal["", "seconds", "percent"] = ""


@dataclass(frozen=True, slots=True)
class Top:
    """Groups by a field's most frequent values (by the panel's first measure)."""

    field: str
    label: str
    size: int = 10
    other: bool = False  # the rest as a group of its own


@dataclass(frozen=True, slots=True)
class Parts:
    """Groups by queries: label -> KQL."""

    label: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Time:
    """Groups by time; Kibana chooses the interval by the range that is looked at, unless one is given."""

    field: str = "@timestamp"
    interval: str = "auto"


Group = Top | Parts | Time
Chart = Literal["metric", "line", "area", "columns", "bars", "donut", "table"]


@dataclass(frozen=True, slots=True)
class Lens:
    """A chart. groups: what a table's rows, a chart's axis or a donut's slices are; split: what colours tell apart."""

    title: str
    view: DataView
    chart: Chart
    measures: tuple[Measure, ...]
    groups: tuple[Group, ...] = ()
    split: Group | None = None
    where: str = ""
    colours: Mapping[str, str] = field(default_factory=dict)  # value or label -> colour
    link: str = ""  # label of the measure that holds an address: a row opens it
    last: str = ""  # a time range of its own, such as 26h, where the dashboard's would mislead
    note: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown."""

    title: str
    markdown: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """Documents, newest first, with some columns: a saved search."""

    title: str
    view: DataView
    columns: tuple[str, ...]
    where: str = ""
    width: int = 0


Panel = Lens | Text | Listing


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, all of a height; those without a width share what is left."""

    height: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A list of a field's values to choose from, above the panels."""

    label: str
    view: DataView
    field: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `questions` are those it answers, for the documentation."""

    key: str
    title: str
    about: str
    questions: tuple[str, ...]
    controls: tuple[Control, ...]
    rows: tuple[Row, ...]
    last: str = "7d"

    @property
    def id(self) -> str:
        """Its fixed id in Kibana."""
        return f"defender-{self.key}"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, row by row."""
        return tuple(panel for row in self.rows for panel in row.panels)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is on the grid."""

    x: int
    y: int
    width: int
    height: int


def places(dashboard: Dashboard, top: int = 0) -> list[tuple[Panel, Place]]:
    """Each panel with its place, the first row at `top`; what does not divide evenly goes to the last of a row."""
    result: list[tuple[Panel, Place]] = []
    y = top
    for row in dashboard.rows:
        free = [panel for panel in row.panels if not panel.width]
        left = WIDTH - sum(panel.width for panel in row.panels)
        x = 0
        for panel in row.panels:
            width = panel.width or left // len(free)
            if panel is row.panels[-1]:
                width = WIDTH - x
            result.append((panel, Place(x, y, width, row.height)))
            x += width
        y += row.height
    return result


def says_itself(panel: Panel) -> bool:
    """Whether a panel is one number, whose label is title enough."""
    return isinstance(panel, Lens) and panel.chart == "metric" and panel.split is None


def count(label: str = "Documents", where: str = "") -> Measure:
    """How many documents."""
    return Measure("count", label, where=where)


def unique(field: str, label: str, where: str = "") -> Measure:
    """How many different values."""
    return Measure("unique", label, field, where)


def total(field: str, label: str, where: str = "") -> Measure:
    """The sum of a field."""
    return Measure("sum", label, field, where)


def maximum(field: str, label: str, unit: Literal["", "seconds", "percent"] = "") -> Measure:
    """The largest value."""
    return Measure("maximum", label, field, unit=unit)


def latest(field: str, label: str, where: str = "", unit: Literal["", "seconds", "percent"] = "") -> Measure:
    """The value of the newest document."""
    return Measure("last", label, field, where, unit=unit)


def metric(title: str, view: DataView, measure: Measure, *, where: str = "", parts: Parts | None = None, colour: str = "", last: str = "", note: str = "", width: int = 0) -> Lens:  # fmt: skip
    """One large number, or one for each part."""
    colours = {"": colour} if colour else {}
    measure = measure if parts is not None else replace(measure, label=title)
    return Lens(title, view, "metric", (measure,), (), parts, where, colours, last=last, note=note, width=width)


def over_time(title: str, view: DataView, *measures: Measure, split: Group | None = None, chart: Chart = "columns", where: str = "", colours: Mapping[str, str] | None = None, interval: str = "auto", width: int = 0) -> Lens:  # fmt: skip
    """Measures against time: columns (stacked), lines or areas."""
    time = Time(interval=interval)
    return Lens(title, view, chart, measures, (time,), split, where, colours or {}, width=width)


def top(title: str, view: DataView, group: Top | Parts, measure: Measure, *, split: Group | None = None, where: str = "", colours: Mapping[str, str] | None = None, last: str = "", width: int = 0) -> Lens:  # fmt: skip
    """The largest groups as horizontal bars."""
    return Lens(title, view, "bars", (measure,), (group,), split, where, colours or {}, last=last, width=width)


def donut(title: str, view: DataView, group: Group, measure: Measure, *, where: str = "", colours: Mapping[str, str] | None = None, last: str = "", note: str = "", width: int = 0) -> Lens:  # fmt: skip
    """Shares of a whole."""
    return Lens(title, view, "donut", (measure,), (group,), None, where, colours or {}, last=last, note=note, width=width)  # fmt: skip


def table(title: str, view: DataView, groups: tuple[Top, ...], measures: tuple[Measure, ...], *, where: str = "", link: str = "", last: str = "", note: str = "", width: int = 0) -> Lens:  # fmt: skip
    """Groups as rows, ordered by the first measure; a click on a row opens the address in the measure `link`."""
    return Lens(title, view, "table", measures, groups, None, where, link=link, last=last, note=note, width=width)
