"""Tables of Defender for Cloud's messages: the laws, times of each kind, and whatever comes becomes a document with nothing lost."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise import categories
from shared.normalise.cloud_message import COLUMNS, kind_of, opener, time_of
from shared.normalise.compile import Normalise, NormaliseFitted, compile_fitted, compile_table
from shared.normalise.convert import Issues
from shared.normalise.fit import LEARN_FROM, Fitted
from shared.normalise.identity import document_id
from shared.normalise.interpret import carry, interpret
from shared.normalise.mapping import Table
from shared.normalise.source import Presence
from shared.normalise.tables import cloud_export
from shared.normalise.tables.cloud_entities import object_fields
from tools.schema import elastic_types, type_of
from tools.write_golden import GOLDEN

TABLES = {table.name: table for table in vars(cloud_export).values() if isinstance(table, Table)}
SENT = "2026-03-04T10:15:30Z"
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@cache
def compiled(kind: str, duplicates: bool) -> Normalise:
    """The compiled function of a kind, made once."""
    return compile_table(TABLES[kind], duplicates=duplicates)


@cache
def compiled_fitted(kind: str, duplicates: bool, presence: Presence) -> NormaliseFitted:
    """The compiled function of a kind for a presence of an outline's columns, made once."""
    return compile_fitted(TABLES[kind], presence, duplicates=duplicates)


def document(
    message: dict[str, Any], *, duplicates: bool = False, kind: str | None = None, fitted: bool = True
) -> tuple[dict[str, Any], Issues]:
    """What a message becomes, plainly, compiled, and compiled for its outline, which must be the same; and what was found on the way."""
    kind = kind or kind_of(message)
    assert kind in TABLES
    envelope = {"enqueued": SENT}
    columns = opener(kind).open(message)
    issues: Issues = []
    made = interpret(TABLES[kind], columns, envelope, issues, duplicates=duplicates)
    carry(made, TABLES[kind], issues)
    others: list[tuple[dict[str, Any] | None, Issues]] = []
    its_issues: Issues = []
    others.append((compiled(kind, duplicates)(columns, envelope, its_issues), its_issues))
    outline, values = opener(kind).read(message)
    if fitted and outline is not None:
        learning = Fitted(TABLES[kind], outline.columns, partial(compiled_fitted, kind, duplicates))
        for _ in range(LEARN_FROM):
            learning.learn(values, envelope)
        for fast in (learning.function, compiled_fitted(kind, duplicates, Presence(outline.columns))):
            its_issues = []
            others.append((fast(outline.strangers(values), envelope, its_issues, values), its_issues))
    for other, its_issues in others:
        assert other is not None
        carry(other, TABLES[kind], its_issues)
        assert json.dumps(other, sort_keys=True) == json.dumps(made, sort_keys=True)
    return made, issues


def golden() -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, message) of every golden record of ours."""
    for kind in TABLES:
        for message in orjson.loads((GOLDEN / kind / "in.json").read_bytes()):
            yield kind, message


def test_every_kind_has_a_table() -> None:
    """Kinds that are opened are kinds that are mapped, and each is an alert or a state."""
    assert TABLES.keys() == COLUMNS.keys()
    assert {categories.kind(name) for name in TABLES} == {"alert", "state"}


@each_table
def test_columns_are_all_said(table: Table) -> None:
    """Every known column of a message is mapped or left out with a reason, and no row reads another one."""
    mapped = {column.source for column in table.columns} - {"/enqueued"}
    assert mapped | set(table.unmapped) == set(COLUMNS[table.name])
    assert not mapped & set(table.unmapped)


def test_vendor_fields_are_elastics() -> None:
    """Every vendor field of Elastic's package is filled by something, under its name."""
    root = "microsoft_defender_cloud.event."
    ours = {f"{root}{field}" for field in object_fields()}
    for table in TABLES.values():
        ours |= {f"{root}{column.vendor}" for column in table.columns if column.vendor}
        ours |= {f"{root}{write[1:]}" for rule in table.rules for write in rule.writes if write[0] == "~"}
    assert {field for field in elastic_types("microsoft_defender_cloud.event") if field.startswith(root)} <= ours


def test_fields_of_lists_have_elastics_types() -> None:
    """What entities, links and identifiers hold is converted to the type that Elastic's package has."""
    suits = {
        "keyword": "keyword",
        "wildcard": "keyword",
        "long": "long",
        "double": "double",
        "boolean": "boolean",
        "date": "date",
        "ip": "ip",
    }
    theirs = elastic_types("microsoft_defender_cloud.event")
    for field, kind in object_fields().items():
        assert theirs.get(f"microsoft_defender_cloud.event.{field}", suits[kind]) == suits[kind], field


def test_a_vendor_field_has_one_kind() -> None:
    """Messages of all kinds share one data stream, so a vendor field has one kind in all tables."""
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for table in TABLES.values():
        for column in table.columns:
            if column.vendor:
                kinds[column.vendor].add(column.kind)
        for rule in table.rules:
            for write, kind in zip(rule.writes, rule.kinds, strict=True):
                if write[0] == "~":
                    kinds[write[1:]].add(kind)
    assert not {field: found for field, found in kinds.items() if len(found) > 1}


def test_what_elastics_dashboard_reads_is_always_there() -> None:
    """The fields of the panels of "Overview of Microsoft Defender Cloud Events" are filled, duplicates kept or not."""
    panels = {
        "alert_type", "entities.threat_intelligence.name", "entities.threat_intelligence.type", "properties.failed_resources",
        "properties.healthy_resource_count", "properties.passed_resources", "properties.skipped_resources", "properties.unhealthy_resource_count",
    }  # fmt: skip
    made = [document(message, kind=kind)[0]["microsoft_defender_cloud"]["event"] for kind, message in golden()]
    for panel in panels:
        assert any(found_at(one, panel.split(".")) for one in made), panel


def found_at(value: Any, path: list[str]) -> bool:
    """Whether something lies at a path, in one of a list's members at least."""
    if isinstance(value, list):
        return any(found_at(member, path) for member in value)
    return not path or (isinstance(value, dict) and path[0] in value and found_at(value[path[0]], path[1:]))


@each_table
def test_rules_make_nothing_out_of_nothing(table: Table) -> None:
    """A rule whose arguments are all absent writes nothing, so that compiled tables need not call it."""
    for rule in table.rules:
        result = rule.function(*(None for _ in rule.reads))
        assert result is None or all(value is None for value in result), rule.function.__name__


@pytest.mark.parametrize(
    ("kind", "message"), [pytest.param(*pair, id=f"{pair[0]}-{n}") for n, pair in enumerate(golden())]
)
def test_nothing_is_lost(kind: str, message: dict[str, Any]) -> None:
    """Every text of a golden message is in its document when duplicates are kept; only placeholders, and a partner's secret, are not."""
    made, _ = document(message, duplicates=True)
    text = json.dumps(made).lower()
    left_out = {"n/a", "-", "0001-01-01t00:00:00z", "p", "s"}
    lost = [
        leaf for leaf in texts(message) if json.dumps(leaf).lower()[1:-1] not in text and leaf.lower() not in left_out
    ]
    assert not [leaf for leaf in lost if leaf[:1] != "["]  # lists in text are opened


def texts(value: Any) -> Iterator[str]:
    """Every text in a message that says something."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str) and value:
        yield value


CHANGED = {
    "properties": {"status": {"code": "Unhealthy", "statusChangeDate": "2026-01-02T03:04:05Z"}, "resourceDetails": {}}
}


@pytest.mark.parametrize(
    ("kind", "message", "time"),
    [
        (
            "SecurityAlert",
            {"TimeGenerated": "2026-01-02T03:04:05Z", "StartTimeUtc": "2026-01-01T00:00:00Z"},
            "2026-01-02T03:04:05Z",
        ),
        ("SecurityAlert", {"properties": {"timeGeneratedUtc": "2026-01-02T03:04:05Z"}}, "2026-01-02T03:04:05Z"),
        ("SecurityAlert", {"TimeGenerated": "soon", "StartTimeUtc": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
        ("SecurityAlert", {}, SENT),
        ("assessments", CHANGED, "2026-01-02T03:04:05Z"),
        (
            "assessments",
            {**CHANGED, "securityEventDataEnrichment": {"isSnapshot": True, "action": "Insert"}},
            "2026-01-02T03:04:05Z",
        ),
        ("assessments", {**CHANGED, "securityEventDataEnrichment": {"action": "Delete"}}, SENT),
        ("assessments", {**CHANGED, "AssessmentEventDataEnrichment": {"Action": "Delete"}}, SENT),
        ("assessments", {}, SENT),
        (
            "subAssessments",
            {"properties": {"timeGenerated": "2026-01-02T03:04:05.1234567"}},
            "2026-01-02T03:04:05.1234567Z",
        ),
        (
            "subAssessments",
            {
                "properties": {"timeGenerated": "2026-01-02T03:04:05Z"},
                "SecurityEventDataEnrichment": {"Action": "Delete"},
            },
            SENT,
        ),
        ("secureScores", {}, SENT),
        ("secureScoreControls", {}, SENT),
        ("regulatoryComplianceStandards", {}, SENT),
        ("regulatoryComplianceControls", {}, SENT),
        ("regulatoryComplianceAssessments", {}, SENT),
    ],
)
def test_time_of_each_kind(kind: str, message: dict[str, Any], time: str) -> None:
    """@timestamp is the message's own time, and the hub's where it has none or something was deleted."""
    made, _ = document(message, kind=kind)
    assert made["@timestamp"] == time


def test_a_partners_secret_is_dropped() -> None:
    """partnersData holds a secret: it is in no field, with duplicates neither, and is no drift."""
    made, issues = document(
        {"type": "Microsoft.Security/assessments", "properties": {"partnersData": {"secret": "xyzzy"}}}, duplicates=True
    )
    assert "xyzzy" not in json.dumps(made)
    assert not issues


def recased(value: Any, how: Callable[[str], str]) -> Any:
    """A message with its keys in another case; keys of free bags too."""
    if isinstance(value, dict):
        return {how(key): recased(item, how) for key, item in value.items()}
    return [recased(item, how) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("how", [lambda key: key[:1].upper() + key[1:], str.upper, str.lower])
def test_either_case_gives_the_same_document(how: Callable[[str], str]) -> None:
    """A message and the same in other letter case become equal documents; only names of tags and of what is not mapped are kept as they come."""
    for kind, message in golden():
        told = {key: value for key, value in message.items() if key not in ("tags", "Sparkle")}
        made, _ = document(recased(told, how), kind=kind, duplicates=True, fitted=False)
        expected, _ = document(told, kind=kind, duplicates=True, fitted=False)
        for one in (made, expected):
            one["microsoft_defender_cloud"]["event"].pop("unmapped", None)
            one.pop("error", None)
        assert made == expected


def test_ids_are_of_the_whole_message() -> None:
    """A snapshot of equal content has the same id, any change another one; the order of keys does not count."""
    message = orjson.loads((GOLDEN / "assessments" / "in.json").read_bytes())[0]
    again = dict(reversed(message.items()))
    assert document_id("", "assessments", None, again) == document_id("", "assessments", None, message)
    changed = copy.deepcopy(message)
    changed["properties"]["status"]["code"] = "Healthy"
    assert document_id("", "assessments", None, changed) != document_id("", "assessments", None, message)


@pytest.mark.parametrize(
    ("kind", "message", "time"),
    [
        ("SecurityAlert", {"TimeGenerated": "t", "StartTimeUtc": "s"}, "t"),
        ("SecurityAlert", {"properties": {"timeGeneratedUtc": "t"}}, "t"),
        ("SecurityAlert", {"properties": "text"}, None),
        ("assessments", CHANGED, "2026-01-02T03:04:05Z"),
        ("assessments", {"Properties": {"Status": {"StatusChangeDate": "t"}}}, "t"),
        ("assessments", {"properties": {"status": "Healthy"}}, None),
        ("subAssessments", {"Properties": {"TimeGenerated": "t"}}, "t"),
        ("secureScores", {"properties": {"timeGenerated": "t"}}, None),
    ],
)
def test_time_that_an_id_begins_with(kind: str, message: dict[str, Any], time: str | None) -> None:
    """A message's own time, which is the same whenever it comes again; never the hub's."""
    assert time_of(kind, message) == time


KEYS = sorted({part for columns in COLUMNS.values() for column in columns for part in column.split(".")})
ENTITY_KEYS = ["$id", "$ref", "Type", "Name", "Address", "Host", "Account", "ImageFile", "ParentProcess", "FileHashes", "Algorithm", "Value", "CommandLine", "ProcessId",
               "HostName", "Directory", "IpAddresses", "Location", "CountryCode", "Asn", "SourceAddress", "Files", "Url", "Sid", "UPNSuffix", "CloudResource"]  # fmt: skip
WORDS = ["1", "2", "host", "process", "account", "file", "ip", "malware", "dns", "network-connection", "url", "K8s-cluster", "gcp-resource", "amazon-resource", "arn:a:b",
         "192.0.2.1", "0x10", "https://a.example.com/x", "c:\\a\\b.exe", "/bin/sh -c x", "MD5", "a" * 32, "S-1-5-18", "2026-01-02T03:04:05Z"]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(WORDS)
)
WILD = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KEYS, *ENTITY_KEYS]) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=30,
)
ENTITIES = st.lists(st.dictionaries(st.sampled_from(ENTITY_KEYS), WILD, max_size=8), max_size=6)


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(sorted(TABLES)),
    message=st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), WILD, max_size=8),
    entities=ENTITIES,
    nested=st.booleans(),
)
def test_anything_becomes_a_document(kind: str, message: dict[str, Any], entities: list[Any], nested: bool) -> None:
    """Whatever a message holds, both ways of making its document agree, nothing is raised, and it can be written as JSON."""
    if kind == "SecurityAlert":
        message["Entities"] = entities
    if nested:
        message = {"Properties": message}
    made, _ = document(
        message, kind=kind, fitted=len(entities) < 2
    )  # most examples have an outline of their own: some will do
    assert made["@timestamp"]
    assert json.dumps(made)


@each_table
def test_ecs_fields_are_known(table: Table) -> None:
    """Fields outside the vendor root are ECS' or those that Elastic's posture pages read."""
    posture = set(elastic_types("microsoft_defender_cloud.assessment"))
    fields = {field for column in table.columns for field in column.ecs} | {
        write for rule in table.rules for write in rule.writes if write[0] not in "~#"
    }
    assert not {field for field in fields if type_of(field) is None and field not in posture}
