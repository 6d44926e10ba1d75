"""What a cluster has, and what it should have -> the steps between. No server: the plan is pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.install.choices import Fleet
from cli.install.found import DataStream, Found, Index
from cli.install.plan import plan
from cli.install.steps import Step
from tests.install.small import (
    DATASET,
    STREAM,
    TEMPLATE,
    VIEW,
    VIEW_INDEX,
    by_name,
    choose,
    cluster,
    files,
    stream,
)

PLACES = "defender_to_elasticsearch@places"
FLEET_META = {"managed_by": "fleet", "managed": True, "package": {"name": "m365_defender"}}


def fleet(**template: Any) -> dict[str, Any]:
    """A template as Fleet installs it for the data stream of events."""
    return {
        "index_patterns": [f"{TEMPLATE}-*"], "priority": 200, "data_stream": {}, "composed_of": [f"{TEMPLATE}@package"],
        "_meta": FLEET_META, **template,
    }  # fmt: skip


def work(steps: list[Step]) -> list[tuple[str, str, str]]:
    """What there is to do."""
    return [(step.state, step.kind, step.name) for step in steps if step.requests]


def test_an_empty_cluster_gets_all_in_order() -> None:
    """Parts come before what names them: component templates, index templates, then the indices that these make."""
    steps = plan(files(), Found(version=(9, 0, 0)), choose())
    assert {step.state for step in steps} == {"new"}
    kinds = list(dict.fromkeys(step.kind for step in steps))
    assert kinds == ["component template", "index template", "index"]
    assert ("index", VIEW_INDEX) in by_name(steps)
    assert ("component template", PLACES) not in by_name(steps)  # nobody asked for it


@pytest.mark.parametrize(
    "options",
    [{}, {"ilm": True}, {"geoip": True}, {"logsdb": True}, {"logsdb": False}, {"transforms": True}, {"namespace": "soc"}],
    ids=str,
)  # fmt: skip
def test_twice_is_nothing(options: dict[str, Any]) -> None:
    """Where all is as the same choices made it, there is nothing to do, data streams included."""
    choices = choose(**options)
    found = cluster(choices, data_streams={f"{TEMPLATE}-{choices.namespace}": stream(choices)})
    assert work(plan(files(), found, choices)) == []


def test_what_the_server_adds_is_no_change() -> None:
    """Settings come back nested and as text, data streams and lifecycle with defaults, and newer servers add dates."""
    said = {
        **files().index_templates[TEMPLATE],
        "data_stream": {"hidden": False, "allow_custom_routing": False},
        "created_date_millis": 1,
        "template": {
            "settings": {"index": {"codec": "best_compression", "mapping": {"total_fields": {"limit": "300"}}}},
            "mappings": {"date_detection": False},
            "lifecycle": {"enabled": True},
        },
    }
    found = cluster()
    found = replace(found, index_templates={**found.index_templates, TEMPLATE: said})
    assert work(plan(files(), found, choose())) == []


def test_a_setting_that_somebody_added_is_taken_back() -> None:
    """A template is what we say it is: more than that is a change as well (people's own go into @custom)."""
    found = cluster()
    changed = {**found.component_templates[f"{TEMPLATE}@vendor"]}
    changed["template"] = {**changed["template"], "settings": {"index": {"refresh_interval": "30s"}}}
    found = replace(found, component_templates={**found.component_templates, f"{TEMPLATE}@vendor": changed})
    (step,) = (step for step in plan(files(), found, choose()) if step.requests)
    assert (step.state, step.name, step.before) == ("changed", f"{TEMPLATE}@vendor", changed)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"host": None}, "1 field not yet (host.ip)"),
        ({"host": {"properties": {"ip": {"type": "keyword"}}}}, "1 field of another type or form (host.ip)"),
        ({"process": {"properties": {"name": {"type": "keyword", "ignore_above": 1024}}}}, "1 field not yet (process.name.text)"),
        (
            {"process": {"properties": {"name": {"type": "keyword", "fields": {"text": {"type": "match_only_text"}}}}}},
            "1 field of another type or form (process.name)",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_a_mapping_that_changed_rolls_over(change: dict[str, Any], reason: str) -> None:
    """A write index without a field, a multi-field, or with another type or parameter is left behind, for the reason told."""
    step = by_name(plan(files(), cluster(data_streams={STREAM: stream(**change)}), choose()))["data stream", STREAM]
    assert step.state == "changed"
    assert reason in step.words
    assert [(r.method, r.path) for r in step.requests] == [("POST", f"/{STREAM}/_rollover?lazy=true")]


def test_fields_of_its_own_are_no_reason_to_roll_over() -> None:
    """Fields that came dynamically or by a @custom template are nobody's mistake."""
    found = cluster(data_streams={STREAM: stream(mine={"type": "long"})})
    assert work(plan(files(), found, choose())) == []


def test_a_custom_template_counts() -> None:
    """What people say in @custom is what a new index would have: a write index with it is as it should be, without it is not."""
    custom = {
        f"{TEMPLATE}@custom": {
            "template": {"mappings": {"properties": {"host": {"properties": {"ip": {"type": "keyword"}}}}}}
        }
    }
    found = cluster(data_streams={STREAM: stream(host={"properties": {"ip": {"type": "keyword"}}})})
    found = replace(found, component_templates={**found.component_templates, **custom})
    assert work(plan(files(), found, choose())) == []
    found = replace(found, data_streams={STREAM: stream()})
    assert work(plan(files(), found, choose())) == [("changed", "data stream", STREAM)]


def test_a_data_stream_that_was_told_before_is_not_told_again() -> None:
    """A lazy rollover waits for a document; until then a second install has nothing to do."""
    waiting = replace(stream(host=None), rolls_over=True)
    assert work(plan(files(), cluster(data_streams={STREAM: waiting}), choose())) == []


def test_without_lazy_rollover_it_is_done_now() -> None:
    """A server that does not tell of data streams rolls over at once, and keeps the lifecycle it has."""
    found = cluster(data_streams={STREAM: stream(host=None, kept={})}, data_stream_api=False)
    steps = by_name(plan(files(), found, choose()))
    assert steps["data stream", STREAM].requests[0].path == f"/{STREAM}/_rollover"
    assert ("lifecycle", STREAM) not in steps
    assert steps["lifecycle", "data streams"].state == "missing"


@pytest.mark.parametrize(
    ("have", "days", "body"),
    [
        ({}, 30, {"data_retention": "30d"}),
        ({"enabled": True, "data_retention": "7d"}, None, {}),
        ({"enabled": True, "data_retention": "7d", "effective_retention": "7d"}, 30, {"data_retention": "30d"}),
    ],
)  # fmt: skip
def test_retention_reaches_data_streams_that_are_there(
    have: dict[str, Any], days: int | None, body: dict[str, Any]
) -> None:
    """A template's lifecycle is for new data streams; those that are there are told as well."""
    choices = choose(retention={DATASET: days, "microsoft_defender_cloud.assessment": 7})
    told = replace(stream(choices), lifecycle=have)
    step = by_name(plan(files(), cluster(choices, data_streams={STREAM: told}), choices))["lifecycle", STREAM]
    assert [(r.method, r.path, r.body) for r in step.requests] == [("PUT", f"/_data_stream/{STREAM}/_lifecycle", body)]


def test_ilm_has_a_policy_for_each_retention_and_no_lifecycle_beside() -> None:
    """Two retentions, two policies; templates name them, and the write index without one rolls over."""
    choices = choose(ilm=True)
    steps = by_name(plan(files(), cluster(data_streams={STREAM: stream()}), choices))
    assert {name for kind, name in steps if kind == "ILM policy"} == {
        "defender_to_elasticsearch",
        "defender_to_elasticsearch-7d",
    }
    after = steps["index template", TEMPLATE].after
    assert after is not None
    assert after["template"]["settings"]["index.lifecycle.name"] == "defender_to_elasticsearch"
    assert "lifecycle" not in after["template"]
    assert "index.lifecycle.name" in steps["data stream", STREAM].words


def test_geoip_puts_the_pipeline_before_what_names_it() -> None:
    """Pipeline, then the component template that attaches it, then index templates, with people's @custom still the last word."""
    steps = plan(files(), Found(version=(9, 0, 0)), choose(geoip=True))
    names = [step.name for step in steps]
    assert names.index("defender_to_elasticsearch-places") < names.index(PLACES) < names.index(TEMPLATE)
    after = by_name(steps)["index template", TEMPLATE].after
    assert after is not None
    assert after["composed_of"] == [f"{TEMPLATE}@ecs", f"{TEMPLATE}@vendor", PLACES, f"{TEMPLATE}@custom"]


@pytest.mark.parametrize(
    ("lacks", "choices", "words"),
    [
        ({"ilm_policies": None}, {"ilm": True}, "no ILM"),
        ({"ingest_pipelines": None}, {"geoip": True}, "no pipeline is attached"),
        ({"transforms": None}, {"transforms": True}, "no transforms"),
        ({"version": (8, 15, 2)}, {"logsdb": True}, "8.17"),
    ],
)  # fmt: skip
def test_what_a_cluster_lacks_is_said_and_the_rest_is_done(
    lacks: dict[str, Any], choices: dict[str, Any], words: str
) -> None:
    """One sentence for the feature, and then the same as if it had not been chosen."""
    lacking = Found(**{"version": (9, 0, 0), **lacks})
    steps = plan(files(), lacking, choose(**choices))
    assert [step.state for step in steps].count("missing") == 1
    assert words in next(step.words for step in steps if step.state == "missing")
    assert work(steps) == work(plan(files(), lacking, choose()))


def test_what_a_cluster_refused_before_is_not_tried_again() -> None:
    """A note in `_meta` keeps a template that went in without a setting from being changed for ever; after an upgrade it is tried."""
    body = files().index_templates[TEMPLATE]
    note = {"left_out": {"settings": ["index.codec"], "by": "9.1.0"}}
    less = {"index.mapping.total_fields.limit": "300"}
    have = {**body, "template": {**body["template"], "settings": less}, "_meta": {**body["_meta"], **note}}
    found = cluster()
    found = replace(found, index_templates={**found.index_templates, TEMPLATE: have})
    assert work(plan(files(), found, choose())) == []
    assert work(plan(files(), replace(found, version=(9, 2, 0)), choose())) == [("changed", "index template", TEMPLATE)]


# Fleet


PACKAGE = {
    f"{TEMPLATE}@package": {
        "template": {
            "settings": {"index.default_pipeline": f"{TEMPLATE}-5.1.0"},
            "mappings": {"properties": {"host": {"properties": {"ip": {"type": "ip"}}}}},
        }
    }
}


def side_by_side() -> Found:
    """A cluster with Elastic's package for events, and a data stream that it made."""
    return Found(
        version=(9, 0, 0),
        index_templates={TEMPLATE: fleet()},
        component_templates=PACKAGE,
        data_streams={STREAM: DataStream(".ds-1", {}, {}, TEMPLATE, {})},
    )


def test_fleets_template_is_left() -> None:
    """By default theirs stays, its data streams too, and the sentence says what that means: fields and the pipeline."""
    steps = by_name(plan(files(), side_by_side(), choose()))
    step = steps["index template", TEMPLATE]
    assert (step.state, step.requests) == ("left", ())
    assert "Elastic's package m365_defender" in step.words
    assert "3 of our fields are not in it (process.name, process.name.text, m365_defender.event.count, …)" in step.words
    assert f"{TEMPLATE}-5.1.0 would run over our documents" in step.words
    assert ("data stream", STREAM) not in steps
    assert steps["index template", "logs-microsoft_defender_cloud.assessment"].state == "new"


def test_beside_fleet_ours_takes_our_namespace_alone() -> None:
    """Under a name of its own, for NAMESPACE; their template and their data streams are not touched."""
    steps = by_name(plan(files(), side_by_side(), choose(fleet=Fleet.BESIDE, namespace="soc")))
    step = steps["index template", f"{TEMPLATE}-soc@defender"]
    assert step.after is not None
    assert step.after["index_patterns"] == [f"{TEMPLATE}-soc"]
    assert step.after["priority"] > files().index_templates[TEMPLATE]["priority"] > fleet()["priority"]
    assert ("index template", TEMPLATE) not in steps
    assert ("data stream", STREAM) not in steps


def test_who_is_beside_fleet_stays_there() -> None:
    """The choice is in the cluster: a later install without it keeps ours up to date; once ours holds all, the one beside goes."""
    own = f"{TEMPLATE}-soc@defender"
    first = by_name(plan(files(), side_by_side(), choose(fleet=Fleet.BESIDE, namespace="soc")))["index template", own]
    assert first.after is not None
    found = side_by_side()
    found = replace(found, index_templates={**found.index_templates, own: first.after})
    steps = by_name(plan(files(), found, choose(namespace="soc")))
    assert steps["index template", own].state == "unchanged"
    replaced = by_name(plan(files(), found, choose(fleet=Fleet.REPLACE, namespace="soc")))
    assert replaced["index template", own].state == "removed"
    assert replaced["index template", TEMPLATE].state == "changed"


def test_replacing_fleets_is_a_change_with_a_warning() -> None:
    """Ours takes the place, its data stream rolls over, and it is said that theirs comes back."""
    steps = by_name(plan(files(), side_by_side(), choose(fleet=Fleet.REPLACE)))
    step = steps["index template", TEMPLATE]
    assert step.state == "changed"
    assert "comes back" in step.words
    assert steps["data stream", STREAM].state == "changed"


def test_a_template_of_the_same_priority_is_left_or_gone_above() -> None:
    """Two templates of one priority for one index can not be: ours is left out, or by choice gets a higher one."""
    theirs = {"index_patterns": [f"{VIEW}-*"], "priority": 250, "_meta": FLEET_META}
    found = Found(version=(9, 0, 0), index_templates={"their-latest": theirs})
    steps = by_name(plan(files(), found, choose()))
    assert steps["index template", VIEW].state == "left"
    assert ("index", VIEW_INDEX) not in steps
    step = by_name(plan(files(), found, choose(fleet=Fleet.REPLACE)))["index template", VIEW]
    assert step.after is not None
    assert step.after["priority"] == 251


def test_a_template_above_ours_is_named() -> None:
    """Somebody's template with a higher priority wins whatever we do; whoever reads the output knows."""
    found = Found(
        version=(9, 0, 0),
        index_templates={"all-logs": {"index_patterns": ["logs-*"], "priority": 500, "data_stream": {}}},
    )
    step = by_name(plan(files(), found, choose()))["index template", TEMPLATE]
    assert step.state == "new"
    assert "all-logs has the higher priority 500 and wins" in step.words


def test_component_templates_of_others_stay() -> None:
    """A component template of our name that somebody else made is left, and taken only by choice."""
    found = Found(version=(9, 0, 0), component_templates={f"{TEMPLATE}@ecs": {"template": {}}})
    assert by_name(plan(files(), found, choose()))["component template", f"{TEMPLATE}@ecs"].state == "left"
    replaced = by_name(plan(files(), found, choose(fleet=Fleet.REPLACE)))["component template", f"{TEMPLATE}@ecs"]
    assert replaced.state == "changed"


# Latest views


def test_a_latest_index_gets_new_fields_in_place() -> None:
    """A plain index can not roll over: it gets the fields it lacks, the room for them, and its alias."""
    have = Index(
        {"properties": {"host": {"properties": {"ip": {"type": "ip"}}}}},
        {"index.mapping.total_fields.limit": "100"},
        frozenset(),
    )
    step = by_name(plan(files(), cluster(indices={VIEW_INDEX: have}), choose()))["index", VIEW_INDEX]
    limit, mapping, alias = step.requests
    assert limit.body == {"index.mapping.total_fields.limit": "300"}
    assert sorted(mapping.body["properties"]) == ["m365_defender", "process"]
    assert mapping.body["properties"]["process"]["properties"]["name"]["fields"] == {
        "text": {"type": "match_only_text"}
    }
    assert alias.body == {"actions": [{"add": {"index": VIEW_INDEX, "alias": "latest-alerts"}}]}


def test_a_latest_index_of_other_types_is_told() -> None:
    """What a plain index can not change is said, with the way out; nothing is deleted."""
    have = Index(
        {"properties": {"host": {"properties": {"ip": {"type": "keyword"}}}}}, {}, frozenset({"latest-alerts"})
    )
    step = by_name(plan(files(), cluster(indices={VIEW_INDEX: have}), choose()))["index", VIEW_INDEX]
    assert "host.ip" in step.words
    assert "delete it and install again" in step.words
    assert all(request.method != "DELETE" for request in step.requests)


# Transforms


def test_a_transform_is_made_anew_only_when_it_changed() -> None:
    """The server makes lists of single names and adds much; another key is a change, and then it is stopped and made anew."""
    choices = choose(transforms=True)
    body = dict(files().transforms["latest"])
    have = {**body, "id": "latest", "source": {"index": ["logs-*"], "query": {"match_all": {}}}, "version": "10.0.0"}
    assert work(plan(files(), cluster(choices, transforms={"latest": have}), choices)) == []
    have["latest"] = {"unique_key": ["other"], "sort": "b"}
    (step,) = (s for s in plan(files(), cluster(choices, transforms={"latest": have}), choices) if s.requests)
    assert [request.method for request in step.requests] == ["POST", "DELETE", "PUT", "POST"]


def test_a_component_nobody_uses_is_not_installed() -> None:
    """Where Fleet's templates stay everywhere, the parts of ours would be of no use."""
    alone = replace(files(), index_templates={TEMPLATE: files().index_templates[TEMPLATE]})
    steps = by_name(plan(alone, side_by_side(), choose()))
    assert [name for kind, name in steps if kind == "component template"] == []
