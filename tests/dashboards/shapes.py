"""What Kibana's import and its Lens ask of saved objects, as public exports of Kibana 8.9 to 9 have them; written apart from what makes ours.

`problems` reads the lines of one file and says in a sentence each what is wrong; nothing here looks at the descriptions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tools.dashboards.kql import NotUnderstood, fields_of
from tools.dashboards.templates import NUMBERS, types_of

Json = dict[str, Any]
OBJECT = {"type", "id", "attributes", "references", "managed", "coreMigrationVersion", "typeMigrationVersion"}
# Attributes that must be there, and what else the schema of Kibana 8.9 (which 8.13 still has) takes: it refuses an import with any other
ATTRIBUTES = {
    "index-pattern": {"title", "name", "timeFieldName", "fieldFormatMap", "allowNoIndex"},
    "search": {"title", "description", "columns", "sort", "kibanaSavedObjectMeta", "grid", "hideChart"},
    "dashboard": {"title", "description", "version", "timeRestore", "timeFrom", "timeTo", "optionsJSON", "panelsJSON", "controlGroupInput", "kibanaSavedObjectMeta"},
}  # fmt: skip
MORE = {
    "index-pattern": {"fields", "fieldAttrs", "runtimeFieldMap", "sourceFilters", "typeMeta"},
    "search": {"isTextBasedQuery", "usesAdHocDataView", "rowHeight", "rowsPerPage", "timeRestore", "timeRange", "refreshInterval", "viewMode"},
    "dashboard": {"refreshInterval", "hits"},
}  # fmt: skip
CONTROL_GROUP = {"panelsJSON", "controlStyle", "chainingSystem", "ignoreParentSettingsJSON"}
IN_STRINGS = (
    "optionsJSON",
    "panelsJSON",
    "fieldFormatMap",
    "fieldAttrs",
    "runtimeFieldMap",
    "sourceFilters",
    "typeMeta",
    "fields",
)
METRICS = {"count", "unique_count", "sum", "average", "max", "percentile", "last_value"}
BUCKETS = {"date_histogram", "filters", "terms"}
VALUES = NUMBERS | {"keyword", "constant_keyword", "wildcard", "ip", "boolean", "date", "version"}
FIT = {
    "date_histogram": {"date"}, "terms": VALUES, "unique_count": VALUES, "last_value": VALUES, "max": NUMBERS | {"date"},
    "sum": NUMBERS, "average": NUMBERS, "percentile": NUMBERS,
}  # fmt: skip
VISUALS = {"lnsMetric", "lnsXY", "lnsPie", "lnsDatatable"}
TRIGGERS = {"OPEN_IN_DISCOVER_DRILLDOWN": "FILTER_TRIGGER", "URL_DRILLDOWN": "ROW_CLICK_TRIGGER"}


def problems(lines: list[str]) -> list[str]:
    """Everything wrong with the objects of one file."""
    objects = [json.loads(line) for line in lines]
    known = {(item["type"], item["id"]): item for item in objects}
    found = [] if len(known) == len(objects) else ["two objects have one id"]
    for item in objects:
        where = f"{item['type']} {item['id']}"
        found += [f"{where}: {problem}" for problem in _of_object(item, known)]
    return found


def _of_object(item: Json, known: dict[tuple[str, str], Json]) -> Iterator[str]:
    if set(item) != OBJECT:
        yield f"has {sorted(set(item) ^ OBJECT)} too many or too few"
    missing = ATTRIBUTES[item["type"]] - set(item["attributes"])
    if missing:
        yield f"lacks {sorted(missing)}"
    if tuple(map(int, item["typeMigrationVersion"].split("."))) > (8, 9, 0):
        yield "is of a version that Kibana 8.13 may not know"
    foreign = set(item["attributes"]) - ATTRIBUTES[item["type"]] - MORE[item["type"]]
    if foreign:
        yield f"has {sorted(foreign)}, which its schema does not take"
    for name in IN_STRINGS:
        if name in item["attributes"] and not isinstance(item["attributes"][name], str):
            yield f"{name} is not JSON in a string"
    names = [reference["name"] for reference in item["references"]]
    if len(set(names)) != len(names):
        yield "two references have one name"
    for reference in item["references"]:
        if (reference["type"], reference["id"]) not in known:
            yield f"refers to {reference['type']} {reference['id']}, which the file does not have"
    if item["type"] == "search":
        yield from _of_search(item, known)
    if item["type"] == "dashboard":
        yield from _of_dashboard(item, known)


def fields_of_view(view: Json) -> dict[str, set[str]]:
    """Field -> its types, in all index templates that a data view's indices come from."""
    found: dict[str, set[str]] = {}
    for pattern in _template_patterns(view["attributes"]["title"]):
        for field, kind in types_of(pattern).items():
            found.setdefault(field, set()).add(kind)
    return found


def _template_patterns(title: str) -> Iterator[str]:
    """`logs-a.*-*` stands for all datasets of a."""
    for pattern in title.split(","):
        if not pattern.endswith(".*-*"):
            yield pattern
            continue
        package = pattern.removesuffix("*-*")
        names = ("event", "alert", "incident", "vulnerability") if "m365" in package else ("event", "assessment")
        yield from (f"{package}{name}-*" for name in names)


def _kql(text: str, fields: dict[str, set[str]]) -> Iterator[str]:
    try:
        named = fields_of(text)
    except NotUnderstood as reason:
        yield f"query {text!r}: {reason}"
        return
    yield from (f"query {text!r} asks for {field}, which no template has" for field in sorted(named - set(fields)))


def _of_search(item: Json, known: dict[tuple[str, str], Json]) -> Iterator[str]:
    source = json.loads(item["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    by_name = {reference["name"]: reference for reference in item["references"]}
    view = known[("index-pattern", by_name[source["indexRefName"]]["id"])]
    fields = fields_of_view(view)
    yield from _kql(source["query"]["query"], fields)
    yield from (
        f"column {column} is in no template" for column in item["attributes"]["columns"] if column not in fields
    )


def _of_dashboard(item: Json, known: dict[tuple[str, str], Json]) -> Iterator[str]:
    panels = json.loads(item["attributes"]["panelsJSON"])
    by_name = {reference["name"]: reference for reference in item["references"]}
    used: set[str] = set()
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        id, grid = panel["panelIndex"], panel["gridData"]
        if grid["i"] != id:
            yield f"panel {id}: gridData is of another panel"
        if grid["x"] < 0 or grid["x"] + grid["w"] > 48 or grid["w"] < 1 or grid["h"] < 2:
            yield f"panel {id}: leaves the grid of 48 columns"
        for cell in (
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        ):
            if taken.setdefault(cell, id) != id:
                yield f"panel {id}: lies over panel {taken[cell]}"
                break
        for name, problem in _of_panel(panel, by_name, known):
            if name:
                used.add(name)
            if problem:
                yield f"panel {panel['embeddableConfig'].get('title') or id}: {problem}"
    if len({panel["panelIndex"] for panel in panels}) != len(panels):
        yield "two panels have one index"
    for name, problem in _of_controls(item["attributes"]["controlGroupInput"], by_name, known):
        used.add(name)
        if problem:
            yield problem
    yield from (f"nothing uses the reference {name}" for name in sorted(set(by_name) - used))


Finding = tuple[str, str]  # a reference that is used, or ""; a problem, or ""


def _of_panel(panel: Json, references: dict[str, Json], known: dict[tuple[str, str], Json]) -> Iterator[Finding]:
    id, config = panel["panelIndex"], panel["embeddableConfig"]
    if panel["type"] == "lens":
        for reference in config["attributes"]["references"]:
            name = f"{id}:{reference['name']}"
            wrong = references.get(name, {}).get("id") != reference["id"]
            yield name, "its data view is not among the dashboard's references" if wrong else ""
            yield "", "" if ("index-pattern", reference["id"]) in known else "its data view is not in the file"
        yield from (("", problem) for problem in _of_lens(config["attributes"], known))
        yield from (("", problem) for problem in _of_drill_downs(config))
        if "timeRange" in config and set(config["timeRange"]) != {"from", "to"}:
            yield "", "its time range has no beginning or no end"
    elif panel["type"] == "search":
        name = f"{id}:{panel['panelRefName']}"
        yield name, "" if references.get(name, {}).get("type") == "search" else "its saved search is not referred to"
    elif panel["type"] == "links":
        for link in config["attributes"]["links"]:
            name = f"{id}:{link['destinationRefName']}"
            yield name, "" if references.get(name, {}).get("type") == "dashboard" else "a link leads nowhere"
    elif panel["type"] == "visualization":
        if config["savedVis"]["type"] != "markdown" or not config["savedVis"]["params"]["markdown"]:
            yield "", "is an old visualization, and no text"
    else:
        yield "", f"is of the unknown type {panel['type']}"


def _of_drill_downs(config: Json) -> Iterator[str]:
    for event in config["enhancements"]["dynamicActions"]["events"]:
        factory = event["action"]["factoryId"]
        if event["triggers"] != [TRIGGERS.get(factory)] or not event["eventId"] or not event["action"]["name"]:
            yield f"the drill-down {factory} has no trigger, id or name that goes with it"
        template = event["action"]["config"].get("url", {}).get("template", "")
        if factory == "URL_DRILLDOWN":
            columns = config["attributes"]["state"]["visualization"]["columns"]
            place = int(template.removeprefix("{{event.values.[").removesuffix("]}}"))
            order = config["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]["layer"]["columns"]
            if order[columns[place]["columnId"]].get("sourceField") not in ("event.url", "vulnerability.reference"):
                yield "the drill-down opens a column that is no address"


def _of_lens(lens: Json, known: dict[tuple[str, str], Json]) -> Iterator[str]:
    if lens["type"] != "lens" or lens["visualizationType"] not in VISUALS:
        yield f"is no Lens that we know: {lens['visualizationType']}"
    state = lens["state"]
    if {"datasourceStates", "visualization", "query", "filters", "adHocDataViews", "internalReferences"} != set(state):
        yield "its state lacks something"
    by_name = {reference["name"]: reference["id"] for reference in lens["references"]}
    layers = state["datasourceStates"]["formBased"]["layers"]
    for id, layer in layers.items():
        view = known.get(("index-pattern", by_name.get(f"indexpattern-datasource-layer-{id}", "")))
        if view is None:
            yield f"layer {id} has no data view"
            continue
        fields = fields_of_view(view)
        yield from _kql(state["query"]["query"], fields)
        yield from _of_layer(layer, fields)
    used = list(_accessors(state["visualization"]))
    columns = [column for layer in layers.values() for column in layer["columns"]]
    if sorted(used) != sorted(columns):
        yield f"the picture uses {sorted(used)}, the data have {sorted(columns)}"


def _of_layer(layer: Json, fields: dict[str, set[str]]) -> Iterator[str]:
    columns, order = layer["columns"], layer["columnOrder"]
    if sorted(order) != sorted(columns):
        yield "columnOrder and columns are not the same"
        return
    bucketed = [columns[id]["isBucketed"] for id in order]
    if bucketed != sorted(bucketed, reverse=True) or not bucketed or bucketed[-1]:
        yield "buckets do not come before metrics, or there is no metric"
    for column in columns.values():
        yield from _of_column(column, columns, fields)


def _of_column(column: Json, columns: dict[str, Json], fields: dict[str, set[str]]) -> Iterator[str]:
    operation, field, label = column["operationType"], column.get("sourceField"), column["label"]
    if operation not in (BUCKETS if column["isBucketed"] else METRICS):
        yield f"{label}: {operation} is no operation for this place"
    if not label or {"dataType", "scale", "params"} - set(column):
        yield f"{label}: lacks a label, a type, a scale or parameters"
    if operation == "filters":
        for part in column["params"]["filters"]:
            yield from _kql(part["input"]["query"], fields)
            if not part["label"]:
                yield f"{label}: a filter has no label"
    elif operation == "count":
        if field != "___records___":
            yield f"{label}: counts something that is not documents"
    elif field not in fields:
        yield f"{label}: {field} is in no template"
    elif not fields[field] <= FIT[operation]:
        yield f"{label}: {operation} can not be done with {field}, which is {sorted(fields[field])}"
    if operation == "terms":
        by = column["params"]["orderBy"]["columnId"]
        if by not in columns or columns[by]["isBucketed"]:
            yield f"{label}: is ordered by {by}, which is no metric"
    if operation == "percentile" and not 0 < column["params"]["percentile"] < 100:
        yield f"{label}: no percentile"
    if operation == "last_value" and column["params"]["sortField"] not in fields:
        yield f"{label}: sorted by no field"
    if "filter" in column:
        yield from _kql(column["filter"]["query"], fields)


def _accessors(visual: Json) -> Iterator[str]:
    """The columns that a visualization names."""
    for name in ("metricAccessor", "breakdownByAccessor"):
        if name in visual:
            yield visual[name]
    yield from (column["columnId"] for column in visual.get("columns", ()))
    for layer in visual.get("layers", ()):
        yield from layer.get("accessors", ())
        yield from layer.get("metrics", ())
        yield from layer.get("primaryGroups", ())
        yield from (layer[name] for name in ("xAccessor", "splitAccessor") if name in layer)


def _of_controls(group: Json, references: dict[str, Json], known: dict[tuple[str, str], Json]) -> Iterator[Finding]:
    if set(group) != CONTROL_GROUP or not all(isinstance(value, str) for value in group.values()):
        yield "", "controls are not the four strings that their schema takes"
    controls = json.loads(group["panelsJSON"])
    if sorted(control["order"] for control in controls.values()) != list(range(len(controls))):
        yield "", "controls have no order"
    json.loads(group["ignoreParentSettingsJSON"])
    for id, control in controls.items():
        asked = control["explicitInput"]
        name = f"controlGroup_{id}:optionsListDataView"
        view = known.get(("index-pattern", references.get(name, {}).get("id", "")))
        if view is None or asked["dataViewId"] != view["id"] or asked["id"] != id:
            yield name, f"control {asked['title']}: its data view is not referred to"
            continue
        kinds = fields_of_view(view).get(asked["fieldName"], set())
        yield name, "" if kinds and kinds <= VALUES else f"control {asked['title']}: {asked['fieldName']} has no values to choose from"  # fmt: skip
