"""A chart's description -> the state of a Kibana Lens panel, of the shape that Kibana 8.13 to 9 import.

Shapes as public exports have them (elastic/integrations `kibana/dashboard`, Kibana's sample data). Lens runs one layer: columns with an
order, buckets before metrics; the order of the buckets is that in which they nest.
"""

from __future__ import annotations

from typing import Any

from tools.dashboards.templates import NUMBERS, type_in
from tools.dashboards.vocabulary import DataView, Group, Lens, Measure, Parts, Time, Top

LAYER = "layer"
RECORDS = "___records___"  # Lens' name for documents as such
OPERATIONS = {"count": "count", "unique": "unique_count", "sum": "sum", "average": "average", "maximum": "max", "percentile": "percentile", "last": "last_value"}  # fmt: skip
FORMATS: dict[str, dict[str, Any]] = {
    "seconds": {"id": "number", "params": {"decimals": 1, "suffix": " s"}},
    "percent": {"id": "percent", "params": {"decimals": 0}},
}
SERIES = {"line": "line", "area": "area_stacked", "columns": "bar_stacked", "bars": "bar_horizontal_stacked"}
VISUALIZATION = {"metric": "lnsMetric", "donut": "lnsPie", "table": "lnsDatatable"}
Json = dict[str, Any]


def kuery(text: str) -> Json:
    """A KQL query as Kibana keeps it."""
    return {"language": "kuery", "query": text}


def attributes(panel: Lens) -> Json:
    """The Lens document of a panel, by value: state, and a reference to its data view."""
    columns, order = _columns(panel)
    return {
        "title": panel.title,
        "description": panel.note,
        "type": "lens",
        "visualizationType": VISUALIZATION.get(panel.chart, "lnsXY"),
        "references": [
            {"type": "index-pattern", "id": panel.view.id, "name": f"indexpattern-datasource-layer-{LAYER}"},
        ],
        "state": {
            "adHocDataViews": {},
            "internalReferences": [],
            "datasourceStates": {
                "formBased": {"layers": {LAYER: {"columnOrder": order, "columns": columns, "incompleteColumns": {}}}},
                "textBased": {"layers": {}},
            },
            "filters": [],
            "query": kuery(panel.where),
            "visualization": _visualization(panel),
        },
    }


def buckets(panel: Lens) -> list[tuple[str, Group]]:
    """The groups of a panel by their column's id, in the order in which they nest.

    The colours come before a time axis, so that they are the same all along; bars are chosen before they are split.
    """
    split = [("split", panel.split)] if panel.split is not None else []
    groups = [(f"group{place}", group) for place, group in enumerate(panel.groups)]
    return [*groups, *split] if panel.chart == "bars" else [*split, *groups]


def measures(panel: Lens) -> list[tuple[str, Measure]]:
    """The measures of a panel by their column's id."""
    return [(f"measure{place}", measure) for place, measure in enumerate(panel.measures)]


def _columns(panel: Lens) -> tuple[dict[str, Json], list[str]]:
    first = measures(panel)[0][0]
    columns = {id: _bucket(group, panel.view, first) for id, group in buckets(panel)}
    columns |= {id: _measure(measure, panel.view) for id, measure in measures(panel)}
    return columns, list(columns)


def data_type(view: DataView, field: str) -> str:
    """Lens' word for a field's type."""
    kinds = type_in(view, field)
    if kinds & NUMBERS:
        return "number"
    return next((kind for kind in ("date", "boolean", "ip") if kind in kinds), "string")


def _bucket(group: Group, view: DataView, measure: str) -> Json:
    if isinstance(group, Time):
        return {
            "label": group.field, "customLabel": False, "dataType": "date", "isBucketed": True, "scale": "interval",
            "operationType": "date_histogram", "sourceField": group.field,
            "params": {"interval": group.interval, "includeEmptyRows": True, "dropPartials": False},
        }  # fmt: skip
    if isinstance(group, Parts):
        parts = [{"label": label, "input": kuery(kql)} for label, kql in group.parts]
        return {
            "label": group.label, "customLabel": True, "dataType": "string", "isBucketed": True, "scale": "ordinal",
            "operationType": "filters", "params": {"filters": parts},
        }  # fmt: skip
    return {
        "label": group.label, "customLabel": True, "dataType": data_type(view, group.field), "isBucketed": True, "scale": "ordinal",
        "operationType": "terms", "sourceField": group.field,
        "params": {
            "size": group.size, "orderBy": {"type": "column", "columnId": measure}, "orderDirection": "desc",
            "otherBucket": group.other, "missingBucket": False, "parentFormat": {"id": "terms"},
            "include": [], "exclude": [], "includeIsRegex": False, "excludeIsRegex": False,
        },
    }  # fmt: skip


def _measure(measure: Measure, view: DataView) -> Json:
    params: Json = {"format": FORMATS[measure.unit]} if measure.unit else {}
    kind = data_type(view, measure.field) if measure.kind in ("last", "maximum") else "number"
    where = measure.where
    if measure.kind in ("count", "unique", "sum"):
        params["emptyAsNull"] = False
    elif measure.kind == "percentile":
        params["percentile"] = measure.percent
    elif measure.kind == "last":
        params |= {"sortField": "@timestamp", "showArrayValues": kind == "string"}
        where = where or f"{measure.field}: *"  # as Lens sets it: the newest document that has the field
    column: Json = {
        "label": measure.label, "customLabel": True, "dataType": kind, "isBucketed": False,
        "scale": "ordinal" if kind == "string" else "ratio",
        "operationType": OPERATIONS[measure.kind], "sourceField": measure.field or RECORDS, "params": params,
    }  # fmt: skip
    return column | ({"filter": kuery(where)} if where else {})


def _visualization(panel: Lens) -> Json:
    names = [id for id, _ in measures(panel)]
    if panel.chart == "metric":
        state = {"layerId": LAYER, "layerType": "data", "metricAccessor": names[0]}
        colour = {"color": panel.colours[""]} if panel.colours.get("") else {}
        return state | colour | ({"breakdownByAccessor": "split", "maxCols": 5} if panel.split is not None else {})
    if panel.chart == "table":
        columns = [{"columnId": id, "isTransposed": False} for id, _ in buckets(panel)]
        return {
            "layerId": LAYER, "layerType": "data", "rowHeight": "single", "headerRowHeight": "single",
            "columns": columns + [{"columnId": name, "isTransposed": False} for name in names],
            "paging": {"enabled": True, "size": 10},
        }  # fmt: skip
    if panel.chart == "donut":
        return {
            "shape": "donut",
            "layers": [
                {
                    "layerId": LAYER, "layerType": "data", "primaryGroups": ["group0"], "metrics": names,
                    "numberDisplay": "value", "categoryDisplay": "default", "legendDisplay": "show", "legendPosition": "right",
                    "nestedLegend": False, "emptySizeRatio": 0.54, "colorMapping": colour_mapping(panel),
                }
            ],
        }  # fmt: skip
    return _xy(panel, names)


def _xy(panel: Lens, names: list[str]) -> Json:
    layer: Json = {
        "layerId": LAYER, "layerType": "data", "position": "top", "seriesType": SERIES[panel.chart], "showGridlines": False,
        "accessors": names, "xAccessor": "group0", "colorMapping": colour_mapping(panel),
        "yConfig": [{"forAccessor": id, "color": panel.colours[measure.label]} for id, measure in measures(panel) if measure.label in panel.colours],
    }  # fmt: skip
    if panel.split is not None:
        layer["splitAccessor"] = "split"
    many = panel.split is not None or len(names) > 1
    seen = {"x": True, "yLeft": True, "yRight": True}
    return {
        "preferredSeriesType": SERIES[panel.chart], "layers": [layer], "valueLabels": "hide", "fittingFunction": "Linear",
        "legend": {"isVisible": many, "position": "right", "shouldTruncate": True, "maxLines": 1},
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
        "gridlinesVisibilitySettings": seen, "tickLabelsVisibilitySettings": seen,
        "labelsOrientation": {"x": 0, "yLeft": 0, "yRight": 0}, "yLeftExtent": {"mode": "full"},
    }  # fmt: skip


def colour_mapping(panel: Lens) -> Json:
    """Values with colours of their own, the rest from the palette. Kibana 9 rewrites `rule` into its newer `rules` as it loads the panel."""
    assignments = [
        {"rule": {"type": "matchExactly", "values": [value]}, "color": {"type": "colorCode", "colorCode": colour}, "touched": True}
        for value, colour in panel.colours.items()
    ]  # fmt: skip
    return {
        "assignments": assignments,
        "specialAssignments": [{"rule": {"type": "other"}, "color": {"type": "loop"}, "touched": False}],
        "paletteId": "eui_amsterdam_color_blind",
        "colorMode": {"type": "categorical"},
    }


def index_of_column(panel: Lens, label: str) -> int:
    """The place of a table's column among all, as a row's values are numbered; Top is the only group that tables have."""
    labels = [group.label for group in panel.groups if isinstance(group, Top)]
    return [*labels, *(measure.label for measure in panel.measures)].index(label)
