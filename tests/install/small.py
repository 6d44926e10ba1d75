"""A small set of what could be installed, and clusters that have some of it: the same forms as the real ones, few enough to read."""

from __future__ import annotations

import copy
from typing import Any

from cli.install.choices import Choices
from cli.install.found import DataStream, Found, Index
from cli.install.mappings import composed
from cli.install.steps import Step
from cli.install.wanted import Wanted, chosen

META = {"managed_by": "defender-to-elasticsearch"}
DATASET = "m365_defender.event"
TEMPLATE = f"logs-{DATASET}"
STREAM = f"{TEMPLATE}-default"
VIEW = "m365_defender.alert_latest"
VIEW_INDEX = f"{VIEW}-default"


def component(**fields: Any) -> dict[str, Any]:
    """A component template with these fields at its root."""
    return {"template": {"mappings": {"properties": fields}}, "_meta": META}


def files() -> Wanted:
    """A data stream's templates, a latest view's, a pipeline, a transform."""
    custom = [f"{TEMPLATE}@custom"]
    common = {
        "priority": 250,
        "composed_of": [f"{TEMPLATE}@ecs", f"{TEMPLATE}@vendor", *custom],
        "ignore_missing_component_templates": custom,
        "_meta": META,
    }
    settings = {"index.codec": "best_compression", "index.mapping.total_fields.limit": 300}
    stream = {
        **common,
        "index_patterns": [f"{TEMPLATE}-*"],
        "data_stream": {},
        "template": {"settings": settings, "mappings": {"date_detection": False}, "lifecycle": {"enabled": True}},
    }
    short = {
        **common,
        "index_patterns": ["logs-microsoft_defender_cloud.assessment-*"],
        "data_stream": {},
        "template": {"settings": settings, "lifecycle": {"enabled": True, "data_retention": "7d"}},
    }
    view = {
        **common,
        "index_patterns": [f"{VIEW}-*"],
        "template": {"settings": settings, "aliases": {"latest-alerts": {}}},
    }
    return Wanted(
        component_templates={
            f"{TEMPLATE}@ecs": component(
                process={"properties": {"name": {"type": "keyword", "ignore_above": 1024, "fields": {"text": {"type": "match_only_text"}}}}},
                host={"properties": {"ip": {"type": "ip"}}},
            ),
            f"{TEMPLATE}@vendor": component(m365_defender={"properties": {"event": {"properties": {"count": {"type": "long"}}}}}),
            "defender_to_elasticsearch@places": {
                "template": {"settings": {"index.default_pipeline": "defender_to_elasticsearch-places"}},
                "_meta": META,
            },
        },
        index_templates={TEMPLATE: stream, "logs-microsoft_defender_cloud.assessment": short, VIEW: view},
        ingest_pipelines={"defender_to_elasticsearch-places": {"processors": [{"geoip": {"field": "source.ip"}}], "_meta": META}},
        transforms={"latest": {"source": {"index": "logs-*"}, "dest": {"index": "x"}, "latest": {"unique_key": ["a"], "sort": "b"}}},
    )  # fmt: skip


def choose(**options: Any) -> Choices:
    """Choices; retention: seven days for assessments, for ever for events."""
    kept = {DATASET: None, "microsoft_defender_cloud.assessment": 7}
    return Choices(**{"retention": kept, **options})


def cluster(choices: Choices | None = None, **more: Any) -> Found:
    """A cluster in which all of it is installed as `choices` say, without data streams; `more` changes parts of that."""
    wanted = chosen(files(), choices or choose())
    indices = {}
    for name in wanted.indices:
        if name.startswith(VIEW):
            new = composed(wanted.index_templates[VIEW], wanted.component_templates)
            indices[name] = Index(new["mappings"], new["settings"], frozenset({"latest-alerts"}))
        else:
            indices[name] = Index({}, {}, frozenset())
    parts: dict[str, Any] = {
        "version": (9, 1, 0),
        "component_templates": wanted.component_templates,
        "index_templates": wanted.index_templates,
        "ilm_policies": wanted.ilm_policies,
        "ingest_pipelines": wanted.ingest_pipelines,
        "transforms": wanted.transforms,
        "indices": indices,
    }
    return Found(**copy.deepcopy({**parts, **more}))


def stream(choices: Choices | None = None, *, kept: dict[str, Any] | None = None, **changes: Any) -> DataStream:
    """The data stream of events, made by the templates as they are; `changes` to its mapping's roots or its parts."""
    wanted = chosen(files(), choices or choose())
    new = copy.deepcopy(composed(wanted.index_templates[TEMPLATE], wanted.component_templates))
    for name, field in changes.items():
        if field is None:
            del new["mappings"]["properties"][name]
        else:
            new["mappings"]["properties"][name] = field
    return DataStream(".ds-1", new["mappings"], new["settings"], TEMPLATE, kept or {"enabled": True})


def by_name(steps: list[Step]) -> dict[tuple[str, str], Step]:
    """Steps by kind and name; no two have the same."""
    found = {(step.kind, step.name): step for step in steps}
    assert len(found) == len(steps)
    return found
