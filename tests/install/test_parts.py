"""The pure parts of the installer: composing mappings, bodies in one form, policies, diffs, refusals, the pipeline's fields."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cli.install.carry_out import refused_settings
from cli.install.lifecycle import policy
from cli.install.mappings import composed, field_changes, fields_of, only
from cli.install.server import privilege
from cli.install.show import diff, line
from cli.install.steps import Step, normal
from shared.ship.client import Reply
from tests.install.small import component
from tools.fields import datasets
from tools.places import CITY, ENDS, places_component, places_pipeline
from tools.write_templates import templates

KEYWORD = {"type": "keyword"}


def test_templates_compose_as_elasticsearch_does() -> None:
    """Objects are merged, a field that is there again is replaced whole, a dynamic template of the same name too; the index template is last."""
    parts = {
        "a": component(host={"properties": {"name": {**KEYWORD, "ignore_above": 9}, "ip": {"type": "ip"}}}),
        "b": component(host={"properties": {"name": {"type": "text"}}}),
    }
    parts["a"]["template"]["mappings"]["dynamic_templates"] = [{"x": {"match": "1"}}, {"y": {"match": "2"}}]
    parts["b"]["template"]["settings"] = {"index": {"codec": "default"}}
    last = {"settings": {"index.codec": "best_compression"}, "mappings": {"dynamic_templates": [{"x": {"match": "3"}}]}}
    new = composed({"composed_of": ["a", "b", "missing"], "template": last}, parts)
    assert new["settings"] == {"index.codec": "best_compression"}
    assert new["mappings"]["properties"] == {"host": {"properties": {"name": {"type": "text"}, "ip": {"type": "ip"}}}}
    assert new["mappings"]["dynamic_templates"] == [{"y": {"match": "2"}}, {"x": {"match": "3"}}]


def test_what_is_as_by_default_is_no_difference() -> None:
    """Servers leave out of a mapping what is as by default; what that is of ignore_above depends on the index' mode."""
    want = {"properties": {"bag": {"type": "flattened", "depth_limit": 20}, "name": {**KEYWORD, "ignore_above": 8191}}}
    have = {"properties": {"bag": {"type": "flattened"}, "name": {"type": "keyword"}}}
    assert field_changes(want, have, "logsdb") == ([], [])
    assert field_changes(want, have) == ([], ["name"])
    assert field_changes({"properties": {"name": KEYWORD}}, {"properties": {"name": {**KEYWORD, "index": False}}}) == (
        [],
        ["name"],
    )


def test_part_of_a_mapping_is_a_mapping() -> None:
    """What an index lacks, with the objects on the way and their type; for a multi-field its whole field."""
    whole = {
        "properties": {
            "a": {
                "type": "nested",
                "properties": {"b": {**KEYWORD, "fields": {"text": {"type": "text"}}}, "c": KEYWORD},
            },
            "d": KEYWORD,
        }
    }
    assert only(whole, ["a.b.text"]) == {
        "properties": {"a": {"type": "nested", "properties": {"b": {**KEYWORD, "fields": {"text": {"type": "text"}}}}}}
    }


def test_one_form_for_what_is_put_and_what_comes_back() -> None:
    """Numbers and booleans as text, settings dotted or nested, defaults and dates of the server's own left out."""
    ours = {
        "template": {"settings": {"index.a.b": True}, "lifecycle": {"data_retention": "7d"}},
        "data_stream": {},
        "priority": 1,
    }
    theirs = {
        "template": {"settings": {"index": {"a": {"b": "true"}}}, "lifecycle": {"enabled": True, "data_retention": "7d"}},
        "data_stream": {"hidden": False, "allow_custom_routing": False},
        "priority": 1,
        "composed_of": [],
        "created_date": "2026",
    }  # fmt: skip
    assert normal(ours) == normal(theirs)


@pytest.mark.parametrize(("days", "age"), [(None, "30d"), (1, "1d"), (7, "1d"), (90, "12d"), (365, "30d")])
def test_indices_are_small_against_their_retention(days: int | None, age: str) -> None:
    """Whole indices are deleted, days after they were rolled over: what is kept too long is at most a seventh."""
    phases = policy(days)["policy"]["phases"]
    assert phases["hot"]["actions"]["rollover"]["max_age"] == age
    assert phases.get("delete", {}).get("min_age") == (None if days is None else f"{days}d")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("index_template [t] invalid, cause [Validation Failed: 1: unknown setting [index.lifecycle.name] please check;2: unknown setting [index.foo] please", ("index.foo", "index.lifecycle.name")),
        ("Settings [index.codec,index.number_of_shards] are not available when running in serverless mode", ("index.codec", "index.number_of_shards")),
        ("Limit of total fields [1000] has been exceeded", ()),
    ],
)  # fmt: skip
def test_refused_settings_are_read_out_of_the_sentence(words: str, names: tuple[str, ...]) -> None:
    """Elasticsearch's own words, of a version that lacks a setting and of serverless."""
    assert refused_settings(Reply(400, {"error": {"reason": words, "type": "x"}})) == names


def test_the_narrowest_privilege_is_named() -> None:
    """The server lists all that would do; people grant the first. Indices are named where it is about them."""
    said = "action [indices:admin/create] is unauthorized for user [u] with effective roles [r] on indices [a,b], this action is granted by the index privileges [create_index,manage,all]"
    assert privilege(said) == "the index privilege create_index on a,b"
    assert privilege("no") == "a privilege: no"


def test_a_diff_is_coloured_and_short() -> None:
    """What goes is red, what comes green; long ones end with how to see all; markup in values is text."""
    before, after = {"a": {f"k{n}": 1 for n in range(99)}}, {"a": {f"k{n}": "[red]" for n in range(99)}}
    step = Step("kind", "name", "changed", before=before, after=after)
    whole, short = list(diff(step, whole=True)), list(diff(step))
    assert any(text.startswith("[green]  +") and "\\[red]" in text for text in whole)
    assert any(text.startswith("[red]  -") for text in short)
    assert short[-1].endswith("--whole shows all")
    assert len(short) < len(whole)
    assert list(diff(Step("kind", "name", "new", after=after))) == []
    assert line(Step("kind", "name", "new"), dry_run=True) == "[green]would be new[/] kind name"


def test_the_pipeline_reads_what_documents_have_and_writes_what_is_typed() -> None:
    """Addresses that it looks up are ip fields of ours, and each field that it writes has a type in its component template."""
    bodies = {path.stem: json.loads(text) for path, text in templates().items()}
    known: dict[str, Any] = {}
    for dataset in datasets():
        known |= fields_of(composed(bodies[f"logs-{dataset}"], bodies)["mappings"])
    typed = dict(fields_of(places_component()["template"]["mappings"]))
    read, written = set(), set()
    for processor in places_pipeline()["processors"]:
        ((kind, said),) = processor.items()
        if kind == "rename":
            written.add(said["target_field"])
            continue
        assert said["ignore_failure"], "no processor may refuse a document"
        read.add(said["field"])
        if kind == "geoip" and said["target_field"].endswith(".geo"):
            written |= {f"{said['target_field']}.{name}" for name in CITY}
    assert read == {*(f"{end}.ip" for end in ENDS), "user_agent.original"}
    assert {known[f"{end}.ip"]["type"] for end in ENDS} == {"ip"}
    assert written <= typed.keys()
    assert {typed[name]["type"] for name in typed if name.endswith(".location")} == {"geo_point"}
    assert [name for name in known.keys() & typed.keys() if known[name]["type"] != typed[name]["type"]] == []
    assert all(
        re.match(r"ctx\.", said["if"]) for p in places_pipeline()["processors"] for said in p.values() if "if" in said
    )
