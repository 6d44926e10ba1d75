"""A dashboard and its panels' rows -> a picture of about what Kibana shows: the same places, titles, colours and numbers."""

from __future__ import annotations

import textwrap
from datetime import datetime
from io import BytesIO
from itertools import pairwise

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from tools.dashboards.search import Range, Value
from tools.dashboards.views import BLUE, GREY
from tools.dashboards.vocabulary import (
    WIDTH,
    Dashboard,
    Lens,
    Listing,
    Measure,
    Panel,
    Parts,
    Place,
    Text,
    places,
    says_itself,
)

mpl.use("Agg")
mpl.rcParams.update({"font.family": "DejaVu Sans", "font.size": 7, "svg.hashsalt": "defender", "axes.linewidth": 0.4})

Rows = list[tuple[Value, ...]]
UNIT = 0.30  # inches a column of the grid
LINE = 0.19  # inches a line of the grid
HEAD = 4  # lines for title and controls
PALETTE = ("#54b399", "#6092c0", "#d36086", "#9170b8", "#ca8eae", "#d6bf57", "#b9a888", "#da8b45", "#aa6556", "#e7664c", "#7e9bb5", "#a3c585")  # fmt: skip
INK, PALE, PAPER = "#1a1c21", "#69707d", "#f5f7fa"
COLOURS = 200  # of the file, which makes it small


def picture(dashboard: Dashboard, found: list[tuple[Panel, Rows]], time: Range) -> bytes:
    """A PNG."""
    placed = places(dashboard, HEAD)
    height = max(place.y + place.height for _, place in placed)
    figure = Figure(figsize=(WIDTH * UNIT, height * LINE), dpi=100, facecolor=PAPER)
    _head(figure, dashboard, time, height)
    for (panel, place), (_, rows) in zip(placed, found, strict=True):
        _draw(figure, panel, place, rows, height)
    raw = BytesIO()
    figure.savefig(raw, format="png", facecolor=PAPER)
    small = BytesIO()
    Image.open(raw).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def _head(figure: Figure, dashboard: Dashboard, time: Range, height: int) -> None:
    figure.text(0.008, 1 - 1.1 / height, dashboard.title, fontsize=12, weight="bold", color=INK, va="center")
    span = f"{time.start:%d %b %H:%M} to {time.end:%d %b %H:%M} UTC · made-up data"
    figure.text(0.992, 1 - 1.1 / height, span, fontsize=7.5, color=PALE, va="center", ha="right")
    x = 0.008
    for control in dashboard.controls:
        label = f"{control.label}  |  Any"
        width = 0.035 + 0.0052 * len(label)
        _box(figure, x, 1 - 3.3 / height, width, 1.5 / height, "#ffffff")
        figure.text(x + 0.008, 1 - 2.55 / height, label, fontsize=7, color=PALE, va="center")
        x += width + 0.008


def _box(figure: Figure, x: float, y: float, width: float, height: float, colour: str) -> None:
    figure.patches.append(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.003", mutation_aspect=figure.get_figwidth() / figure.get_figheight(),
            facecolor=colour, edgecolor="#d3dae6", linewidth=0.6, transform=figure.transFigure, zorder=-1,
        )
    )  # fmt: skip


def _draw(figure: Figure, panel: Panel, place: Place, rows: Rows, height: int) -> None:
    x, y = place.x / WIDTH + 0.003, 1 - (place.y + place.height) / height + 0.3 / height
    width, tall = place.width / WIDTH - 0.006, (place.height - 0.6) / height
    _box(figure, x, y, width, tall, "#ffffff")
    title = "" if says_itself(panel) else panel.title
    figure.text(x + 0.006, y + tall - 0.75 / height, title, fontsize=8, weight="bold", color=INK, va="center")
    inner = (x + 0.008, y + 0.5 / height, width - 0.016, tall - 2.0 / height)  # below the title
    if isinstance(panel, Text):
        _text(figure, panel, inner)
    elif isinstance(panel, Listing):
        _table(figure, [_short(column) for column in panel.columns], rows, inner, place)
    elif not rows:
        figure.text(x + width / 2, y + tall / 2, "No results found", fontsize=8, color=PALE, ha="center")
    elif panel.chart == "table":
        labels = [getattr(group, "label", "") for group in panel.groups] + [measure.label for measure in panel.measures]
        units = [None] * len(panel.groups) + list(panel.measures)  # None: a key
        _table(figure, labels, [tuple(_cell(value, unit) for value, unit in zip(row, units, strict=True)) for row in rows], inner, place)  # fmt: skip
    elif panel.chart == "metric":
        _metric(figure, panel, rows, inner, height)
    elif panel.chart == "donut":
        _donut(figure, panel, rows, inner)
    elif panel.chart == "bars":
        _bars(figure, panel, rows, inner, place)
    else:
        _over_time(figure, panel, rows, inner)


def _text(figure: Figure, panel: Text, inner: tuple[float, float, float, float]) -> None:
    x, y, width, tall = inner
    paragraphs = [textwrap.fill(part.replace("**", "").replace("`", "").replace("*", ""), int(width * 230)) for part in panel.markdown.split("\n\n")]  # fmt: skip
    figure.text(x, y + tall, "\n\n".join(paragraphs), fontsize=7.5, color=INK, va="top", linespacing=1.35)


def _metric(figure: Figure, panel: Lens, rows: Rows, inner: tuple[float, float, float, float], height: int) -> None:
    x, y, width, tall = inner
    colour = panel.colours.get("", INK)
    for place, row in enumerate(rows):
        left = x + width * place / len(rows)
        label = str(row[0]) if panel.split is not None else panel.measures[0].label
        figure.text(left, y + tall * 0.36, _cell(row[-1], panel.measures[0]), fontsize=19, weight="bold", color=colour, va="center")  # fmt: skip
        figure.text(left, y + tall - 0.1 / height, label, fontsize=7.5, color=PALE, va="center")


def _palette(panel: Lens, names: list[str]) -> dict[str, str]:
    """Colours by name: those the panel says, the others in turn; a single series is blue."""
    if len(names) == 1 and names[0] not in panel.colours:
        return {names[0]: BLUE}
    free = iter([*PALETTE, *[GREY] * len(names)])
    return {name: panel.colours.get(name) or next(free) for name in names}


def _donut(figure: Figure, panel: Lens, rows: Rows, inner: tuple[float, float, float, float]) -> None:
    x, y, width, tall = inner
    names = [str(row[0]) for row in rows]
    values = [float(row[-1] or 0) for row in rows]
    colours = _palette(panel, names)
    axes = figure.add_axes((x, y, width * 0.58, tall))
    axes.pie(values, colors=[colours[name] for name in names], startangle=90, counterclock=False, wedgeprops={"width": 0.42, "edgecolor": "white", "linewidth": 0.8})  # fmt: skip
    total = sum(values)
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        level = y + tall * (0.5 + 0.055 * len(names) - 0.11 * place)
        figure.text(x + width * 0.60, level, "■", fontsize=8, color=colours[name], va="center")
        figure.text(x + width * 0.64, level, f"{textwrap.shorten(name, 20, placeholder='…')}  {_number(value)} ({value / total:.0%})", fontsize=7, color=INK, va="center")  # fmt: skip


def _bars(figure: Figure, panel: Lens, rows: Rows, inner: tuple[float, float, float, float], place: Place) -> None:
    x, y, width, tall = inner
    split = 1 if panel.split is not None else 0
    keys = list(dict.fromkeys(str(row[split]) for row in rows))
    series = list(dict.fromkeys(str(row[0]) for row in rows)) if split else [panel.measures[0].label]
    if isinstance(panel.split, Parts):
        series = [label for label, _ in panel.split.parts if label in series]
    values = {name: dict.fromkeys(keys, 0.0) for name in series}
    for row in rows:
        values[str(row[0]) if split else series[0]][str(row[split])] += float(row[-1] or 0)
    keys = sorted(keys, key=lambda key: -sum(values[name][key] for name in series))[
        : max(3, int((place.height - 3.5) / 0.75))
    ]
    longest = min(max((len(key) for key in keys), default=1), 40)
    gutter = min(width * 0.55, 0.0042 * longest + 0.008)
    bottom = 0.012 if split and len(series) > 1 else 0.0
    axes = figure.add_axes((x + gutter, y + bottom, width - gutter, tall - bottom))
    colours = _palette(panel, series)
    single = {key: panel.colours[key] for key in keys if key in panel.colours} if not split else {}
    left = [0.0] * len(keys)
    for name in series:
        parts = [values[name][key] for key in keys]
        axes.barh(range(len(keys)), parts, left=left, color=[single.get(key, colours[name]) for key in keys], height=0.68, label=name)  # fmt: skip
        left = [one + two for one, two in zip(left, parts, strict=True)]
    for level, value in enumerate(left):
        axes.text(value, level, f" {_number(value)}", fontsize=6.5, va="center", color=PALE)
    axes.set_yticks(range(len(keys)), [textwrap.shorten(key, 40, placeholder="…") if " " in key else _cut(key, 40) for key in keys])  # fmt: skip
    axes.set_ylim(max(len(keys), 4) - 0.5, -0.6)
    axes.set_xlim(0, max(left) * 1.14)
    _quiet(axes, x_ticks=False)
    if split and len(series) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(-gutter / (width - gutter), -0.005), ncols=max(1, int(place.width / 3.2)), fontsize=6.3, frameon=False, handlelength=0.9, handleheight=0.9, columnspacing=1.0)  # fmt: skip


def _over_time(figure: Figure, panel: Lens, rows: Rows, inner: tuple[float, float, float, float]) -> None:
    x, y, width, tall = inner
    split = 1 if panel.split is not None else 0
    times = sorted({str(row[split]) for row in rows})
    series = list(dict.fromkeys(str(row[0]) for row in rows)) if split else [measure.label for measure in panel.measures]  # fmt: skip
    values: dict[str, dict[str, float]] = {name: {} for name in series}
    for row in rows:
        if split:
            values[str(row[0])][str(row[1])] = float(row[2] or 0)
        else:
            for measure, value in zip(panel.measures, row[1:], strict=True):
                values[measure.label][str(row[0])] = float(value or 0)
    if isinstance(panel.split, Parts):
        series = [label for label, _ in panel.split.parts if label in series]
    many = len(series) > 1
    legend = min(0.1, 0.012 + 0.0042 * min(max(map(len, series)), 24)) if many else 0.0
    axes = figure.add_axes((x + 0.022, y + 0.010, width - 0.026 - legend, tall - 0.012))
    moments = [datetime.fromisoformat(text) for text in times]
    place_of = [float(number) for number in dates.date2num(moments)]  # type: ignore[no-untyped-call]  # matplotlib's own
    step = min((b - a for a, b in pairwise(place_of)), default=1.0)
    colours = _palette(panel, series)
    bottom = [0.0] * len(times)
    for name in series:
        heights = [values[name].get(moment, 0.0) for moment in times]
        if panel.chart == "line":
            known = [
                (at, values[name][moment])
                for at, moment in zip(place_of, times, strict=True)
                if values[name].get(moment)
            ]
            axes.plot([at for at, _ in known], [value for _, value in known], color=colours[name], linewidth=1.2, label=name, marker="o" if len(known) < 12 else None, markersize=3)  # fmt: skip
        else:
            axes.bar(place_of, heights, width=step * 0.86, bottom=bottom, color=colours[name], label=name)
            bottom = [one + two for one, two in zip(bottom, heights, strict=True)]
    axes.xaxis.set_major_locator(dates.DayLocator(interval=1 if width - legend > 0.3 else 2))  # type: ignore[no-untyped-call]  # matplotlib's own
    axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))  # type: ignore[no-untyped-call]  # matplotlib's own
    axes.yaxis.set_major_formatter(lambda value, _: _cell(value, panel.measures[0]))
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y", color="#e6eaf0", linewidth=0.5)
    axes.set_axisbelow(True)
    _quiet(axes, x_ticks=True)
    if many:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.03), fontsize=6.3, frameon=False, handlelength=0.9, handleheight=0.9, labels=[_cut(name, 24) for name in series])  # fmt: skip


def _quiet(axes: Axes, *, x_ticks: bool) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_visible(x_ticks)
    axes.tick_params(length=0, labelsize=6.5, colors=PALE, labelbottom=x_ticks)
    axes.tick_params(axis="y", labelcolor=INK if not x_ticks else PALE)


def _table(figure: Figure, labels: list[str], rows: Rows, inner: tuple[float, float, float, float], place: Place) -> None:  # fmt: skip
    x, y, width, tall = inner
    lines = max(2, int((place.height - 3.6) / 0.95))
    shown = [[value if isinstance(value, str) else _cell(value, None) for value in row] for row in rows[:lines]]
    sizes = [max([len(label), *(min(len(row[column]), 60) for row in shown)]) for column, label in enumerate(labels)]
    room = place.width * 4.3  # characters that fit
    while sum(sizes) + 2 * len(sizes) > room and max(sizes) > 6:
        sizes[sizes.index(max(sizes))] -= 1
    spare = max(0.0, room - sum(sizes) - 2 * len(sizes)) / len(sizes)
    left, step = x, tall / (lines + 1)
    for column, label in enumerate(labels):
        share = (sizes[column] + 2 + spare) / room
        number = all(row[column].replace(",", "").replace(".", "").removesuffix(" s").isdigit() for row in shown if row[column])  # fmt: skip
        at, side = (left + width * share - 0.008, "right") if number and column else (left, "left")
        figure.text(at, y + tall - step * 0.5, _cut(label, sizes[column]), fontsize=6.8, weight="bold", color=PALE, va="center", ha=side)  # fmt: skip
        for line, row in enumerate(shown):
            address = row[column].startswith("https://")
            figure.text(at, y + tall - step * (line + 1.5), _cut(row[column], sizes[column]), fontsize=6.8, color=BLUE if address else INK, va="center", ha=side)  # fmt: skip
        left += width * share


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: max(1, size - 1)]}…"


def _short(column: str) -> str:
    """A field's name without the words that all of a listing have."""
    for prefix in ("m365_defender.event.", "m365_defender.alert.", "microsoft_defender_cloud.event.", "defender_to_elasticsearch.run."):  # fmt: skip
        column = column.removeprefix(prefix)
    return column


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _cell(value: Value, measure: Measure | None) -> str:
    """A value as Kibana formats it."""
    if value is None:
        return ""
    if isinstance(value, str):
        moment = value.partition(".")[0]
        return moment.replace("T", " ") if measure is not None and measure.kind == "maximum" else value
    if measure is None:
        return f"{value:g}"
    if measure.unit == "percent":
        return f"{value:.0%}"
    return _number(value) + (" s" if measure.unit == "seconds" else "")
