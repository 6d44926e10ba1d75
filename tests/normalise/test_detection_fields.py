"""Public detection rules find in our documents what they compare, made from raw records alone."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.normalise.decode import Message, Record, decode
from shared.normalise.normaliser import Normaliser
from tests.normalise.detection_fields import CASES, FOREIGN, MAKERS, MATCHING, Raw
from tools.fields import fields

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT.parent / "shared" / "facts" / "detection_rule_fields.json"
# The fields that no record fills, each with its reason, stand in the page.
UNFILLED = set(
    re.findall(r"^\| `([\w.]+)` \| .{20,} \|$", (ROOT / "docs/detection-rules.md").read_text(), re.MULTILINE)
)
NORMALISER = Normaliser()


def document(raw: Raw) -> dict[str, Any]:
    """What the record becomes, by way of a streamed message."""
    body = {
        "time": "2026-01-02T03:05:00Z",
        "tenantId": "t",
        "category": f"AdvancedHunting-{raw.table}",
        "properties": raw.properties,
    }
    (record,) = decode(Message(orjson.dumps({"records": [body]})))
    assert isinstance(record, Record)
    return NORMALISER.normalise(record, NORMALISER.identify(record), "2026-01-02T03:06:00Z").document


def value(node: Any, field: str) -> Any:
    """The value of a dotted field, None where there is none."""
    for part in field.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


@pytest.mark.parametrize(
    ("field", "raw", "expected"), CASES, ids=[f"{field}-{raw.table}-{n}" for n, (field, raw, _) in enumerate(CASES)]
)
def test_field_has_the_form_rules_compare(field: str, raw: Raw, expected: Any) -> None:
    """A raw record fills the field with the value in the form that rules compare it with."""
    made = document(raw)
    found = value(made, field)
    assert found == expected
    assert found.__class__ is expected.__class__
    assert "error" not in made


def rules() -> dict[str, dict[str, Any]]:
    """What the rules compare, out of the knowledge folder."""
    if not FACTS.exists():
        pytest.skip("the knowledge folder with the rules' fields is not here")
    known: dict[str, dict[str, Any]] = json.loads(FACTS.read_text())["fields"]
    return known


def test_every_field_of_the_rules_is_filled_or_explained() -> None:
    """Each field that a public rule reads has a case here, or the reason why Defender can not fill it; and never both."""
    filled = {field for field, _, _ in CASES}
    assert not filled & UNFILLED
    assert not {field for field in rules() if field not in filled and field not in UNFILLED}


def test_what_is_called_unfilled_is_in_no_mapping_of_events() -> None:
    """A field with a reason is in no template: once a table fills it, the reason has to go."""
    assert len(UNFILLED) == 4
    assert not UNFILLED & set(fields("m365_defender.event"))


def concrete(literal: str) -> str:
    """A text that a rule's wildcard pattern matches."""
    if literal in MATCHING:
        return MATCHING[literal]
    drives = re.sub(r"\?(?=:)", "C", literal)
    return drives.replace("?", "a").replace("*", "x1")


def matches(literal: str, found: Any) -> bool:
    """Whether a rule's literal, a pattern, a network or a regular expression, is met by one of the values found."""
    values = [str(item) for item in (found if isinstance(found, list) else [found])]
    if literal in MATCHING:
        return any(re.fullmatch(literal, item, re.IGNORECASE | re.DOTALL) for item in values)
    if "/" in literal and re.fullmatch(r"[0-9A-Fa-f.:]+/\d+", literal):
        return any(ip_address(item) in ip_network(literal, strict=False) for item in values)
    pattern = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in literal)
    return any(re.fullmatch(pattern, item, re.IGNORECASE | re.DOTALL) for item in values)


def literals() -> list[tuple[str, str]]:
    """(field, literal) of every rule, less those that no record of Defender can have."""
    known: dict[str, dict[str, Any]] = json.loads(FACTS.read_text())["fields"] if FACTS.exists() else {}
    return [
        (field, literal)
        for field, told in known.items()
        if field not in UNFILLED
        for literal in told["literals"]
        if not any(matches(foreign, literal) for foreign in FOREIGN.get(field, ()))
    ]


def test_every_literal_of_the_rules_is_met() -> None:
    """For each literal that a rule compares a field with there is a raw record whose document matches it."""
    rules()
    missed = [
        (field, literal, found)
        for field, literal in literals()
        if not matches(literal, found := value(document(MAKERS[field](concrete(literal))), field))
    ]
    assert not missed
    assert len(literals()) > 500


def test_names_are_found_in_any_case() -> None:
    """The multi-fields `.caseless`, which three rules read, are in the templates for every name and path they query."""
    template = json.loads((ROOT / "infra/elastic/component_templates/logs-m365_defender.event@ecs.json").read_text())
    node = template["template"]["mappings"]["properties"]["process"]["properties"]["name"]
    assert node["fields"]["caseless"]["normalizer"] == "lowercase"
