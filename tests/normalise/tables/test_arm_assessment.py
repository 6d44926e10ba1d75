"""Assessments of the API: how they are split, that spellings do not count, what Kibana's Findings need, and that nothing is lost or raised."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from shared.errors import Reject
from shared.normalise.api import Context, Part, split_of
from shared.normalise.bags import opened_text
from shared.normalise.compile import Normalise, compile_table
from shared.normalise.convert import PLACEHOLDERS, Issue
from shared.normalise.interpret import interpret
from shared.normalise.mapping import Shape
from shared.normalise.normaliser import Normalised, Normaliser
from shared.normalise.salvage import clean
from shared.normalise.shapes import fields_of
from shared.normalise.tables.arm_assessment import COLUMNS, DATASET, MISCONFIGURATION, VULNERABILITY_FINDING
from shared.normalise.tables.arm_shapes import ADDITIONAL_DATA
from tests.normalise.rows import ANYTHING, one
from tools.fields import fields
from tools.schema import elastic_types
from tools.write_golden import GOLDEN

Object = dict[str, Any]

SCAN, ARRIVED = "2026-03-04T10:00:00Z", "2026-03-04T10:16:00.000Z"
CONTEXT = Context(tenant="11111111-2222-3333-4444-555555555555", scan=SCAN)
TABLES = {table.name: table for table in (MISCONFIGURATION, VULNERABILITY_FINDING)}
COMPILED: dict[str, Normalise] = {name: compile_table(table, duplicates=True) for name, table in TABLES.items()}
VM = "/subscriptions/8f1c2d3e-1111-4222-8333-444455556666/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/WEB-1"
KEY = "1195afff-c881-495e-9bc5-1486211ae03f"
ID = f"{VM}/providers/Microsoft.Security/assessments/{KEY}"
GIVEN: list[Object] = orjson.loads((GOLDEN / "assessment" / "in.json").read_bytes())


def assessment(**properties: Any) -> Object:
    """An assessment of a machine, with these properties."""
    return {"type": "Microsoft.Security/assessments", "id": ID, "name": KEY, "properties": properties}


def sub(name: str, **properties: Any) -> Object:
    """A sub-assessment of it."""
    return {
        "type": "Microsoft.Security/assessments/subAssessments",
        "id": f"{ID}/subassessments/{name}",
        "name": name,
        "properties": properties,
    }


def split(value: Mapping[str, Any], context: Context = CONTEXT) -> list[Part]:
    """The parts of an assessment."""
    return list(split_of("assessment")(value, context))


def made(value: Mapping[str, Any], context: Context = CONTEXT, *, duplicates: bool = False) -> list[Normalised]:
    """Its documents."""
    return list(Normaliser(duplicates=duplicates).parts("assessment", value, context, ARRIVED))


def documents(value: Mapping[str, Any]) -> list[Object]:
    """Its documents' contents."""
    return [found.document for found in made(value, duplicates=True)]


def test_an_assessment_alone_is_one_document() -> None:
    """Without sub-assessments, or with an empty list of them, there is one document, of the assessment itself."""
    alone = assessment(displayName="a", status={"code": "Unhealthy"})
    (found,) = made(alone)
    assert found.document["event"]["id"] == ID
    assert found.document["microsoft_defender_cloud"]["assessment"]["class"] == "misconfiguration"
    assert documents({**alone, "subAssessments": []}) == documents(alone)
    assert documents({**alone, "subAssessments": None}) == documents(alone)


def test_each_sub_assessment_is_a_document_with_the_assessments_fields() -> None:
    """Every sub-assessment has its own id, state and names, and beside them what the assessment says."""
    findings = [
        sub("1", id="1", displayName="one", status={"code": "Healthy", "severity": "Low"}),
        sub("2", displayName="two", status={"code": "Unhealthy", "severity": "High"}),
    ]
    value = {**assessment(displayName="all", status={"code": "Unhealthy", "cause": "why"}), "subAssessments": findings}
    first, second = (found.document for found in made(value))
    assert [first["message"], second["message"]] == ["one", "two"]
    assert [first["event"]["outcome"], second["event"]["outcome"]] == ["success", "failure"]
    assert [first["rule"]["id"], second["rule"]["id"]] == ["1", KEY]
    assert first["rule"]["ruleset"] == KEY
    for document in (first, second):
        assert document["microsoft_defender_cloud"]["assessment"]["status"] == {"code": "Unhealthy", "cause": "why"}


def test_a_sub_assessment_may_be_merged_in() -> None:
    """The row of Elastic's event.original, with one sub-assessment within additionalData, gives the same document as a list of one."""
    finding = sub(
        "1",
        id="1",
        displayName="one",
        status={"code": "Healthy"},
        additionalData={"assessedResourceType": "GeneralVulnerability"},
    )
    listed = {**assessment(displayName="all", additionalData={"maxCvss30Score": "7.5"}), "subAssessments": [finding]}
    merged = assessment(displayName="all", additionalData={"maxCvss30Score": "7.5", "subAssessment": finding})
    as_text = assessment(
        displayName="all", additionalData={"maxCvss30Score": "7.5", "subAssessment": json.dumps(finding)}
    )
    assert documents(merged) == documents(listed) == documents(as_text)


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_a_parts_value_gives_the_part_again(number: int) -> None:
    """event.original, read again, gives the very same part: id, columns and view."""
    for part in split(GIVEN[number]):
        if "subAssessments" in part.columns:  # what was no sub-assessment is kept once, and is not in the part's value
            continue
        (again,) = split(orjson.loads(orjson.dumps(part.value)))
        assert again == part


def test_spellings_do_not_count() -> None:
    """PascalCase and camelCase, words with blanks, numbers and truths as text: the same document."""
    spec = assessment(
        resourceDetails={"source": "Azure", "id": VM, "resourceName": "WEB-1", "nativeResourceId": VM},
        additionalData={
            "canOnboardToBYOL": True,
            "nsgOpenPorts": [22, 3389],
            "cvesCount": 0,
            "tags": ["a"],
            "cves": [],
        },
    )
    real = assessment(
        resourceDetails={"Source": "Azure", "Id": VM, "ResourceName": "WEB-1", "NativeResourceId": VM},
        additionalData={
            "Can onboard to BYOL": "true",
            "NSG open ports": "22, 3389",
            "CvesCount": "0",
            "Tags": '["a"]',
            "CVEs": "[]",
        },
    )
    assert documents(real) == documents(spec)


def test_ports_that_are_no_numbers_are_kept_without_an_error() -> None:
    """A range of ports is no number: it stays as it came, and the document is whole."""
    (found,) = documents(assessment(additionalData={"NSG open ports": "22, 5000-5010"}))
    assert found["microsoft_defender_cloud"]["assessment"]["additional_data"] == {
        "other": {"nsg_open_ports": "22, 5000-5010"}
    }
    assert "error" not in found


def test_both_spellings_in_one_object_are_kept() -> None:
    """Of a key that comes twice the second is carried as unknown, and nothing overwrites anything."""
    (found,) = documents(
        assessment(resourceDetails={"id": VM, "Id": "other"}, additionalData={"Score one": 1, "scoreOne": 2})
    )
    vendor = found["microsoft_defender_cloud"]["assessment"]
    assert vendor["resource_details"]["id"] == VM
    assert vendor["unmapped"] == {"properties.resourceDetails.Id (again)": "other"}
    assert vendor["additional_data"]["other"] == {"score_one": 1, "scoreOne": 2}


def test_names_of_ours_can_not_be_sent() -> None:
    """A key that is called like a column which only we make is carried, and does not stand in for it."""
    (found,) = documents({**assessment(), "class": "x", "entity": "y", "additional": {"cves": "[]"}})
    vendor = found["microsoft_defender_cloud"]["assessment"]
    assert (vendor["class"], found["event"]["id"]) == ("misconfiguration", ID)
    assert vendor["unmapped"] == {"class (sent)": "x", "entity (sent)": "y", "additional (sent)": {"cves": "[]"}}


def test_what_is_no_sub_assessment_is_carried_once() -> None:
    """Text and numbers among the sub-assessments are reported with the first document, and the others are as ever."""
    first, second = made({**assessment(), "subAssessments": ["x", sub("1"), 5, sub("2"), None, {}]})
    assert [(issue.column, issue.value) for issue in first.issues] == [("subAssessments", ["x", 5])]
    assert second.issues == []


def test_a_finding_without_an_id_is_told_from_others() -> None:
    """A name, a scanner's number or what does not change between scans stands in; the state and the time do not count."""
    bare = [
        {"name": "n", "properties": {}},
        {"properties": {"id": "7"}},
        {"properties": {"additionalData": {"a": 1}, "status": {"code": "Healthy"}, "timeGenerated": "2026-01-01"}},
        {"properties": {"additionalData": {"a": 1}, "status": {"code": "Unhealthy"}}},
        {"properties": {"additionalData": {"a": 2}}},
        {"properties": None},
    ]
    ids = [found.document["event"]["id"] for found in made({**assessment(), "subAssessments": bare})]
    assert ids[:2] == [f"{ID}/subassessments/n", f"{ID}/subassessments/7"]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "no_id"),
        ({"id": ""}, "no_id"),
        ({"id": 5}, "no_id"),
        ({"id": "N/A"}, "no_id"),
        ({"id": ID, "type": "Microsoft.Security/alerts"}, "wrong_type"),
        (sub("1"), "wrong_type"),
    ],
)
def test_what_is_no_assessment_is_refused(value: Object, code: str) -> None:
    """Without an id, or of another type, an object is refused with a reason."""
    with pytest.raises(Reject) as caught:
        split(value)
    assert caught.value.code == code


def test_an_entity_is_one_document_a_day() -> None:
    """Two scans of a day give one id, whatever the letters of ids; the next day, another tenant or another finding give others."""

    def ids(value: Object, scan: str = SCAN, tenant: str = "t") -> list[str]:
        return [found.id for found in made(value, Context(tenant=tenant, scan=scan))]

    value = {**assessment(status={"code": "Healthy"}), "subAssessments": [sub("a"), sub("b")]}
    changed = json.loads(json.dumps(value).replace("Healthy", "Unhealthy"))
    changed["id"] = ID.lower()
    changed["subAssessments"][0]["id"] = value["subAssessments"][0]["id"].upper()
    assert ids(changed, "2026-03-04T23:59:59.9999999Z") == ids(value)
    assert ids(value, "2026-03-05T01:30:00+02:00") == ids(value)
    assert len({*ids(value), *ids(value, "2026-03-05T00:00:00Z"), *ids(value, tenant="u"), *ids(assessment())}) == 7


def test_time_and_version_are_the_scans() -> None:
    """@timestamp is when the scan began, to the digit; the version is its day; without a scan nothing renews a view."""
    value = assessment(status={"code": "Healthy", "statusChangeDate": "2026-01-02T03:04:05Z"})
    (part,), (found,) = split(value), made(value)
    assert (part.version, part.key) == ("2026-03-04T00:00:00Z", (ID.lower(), ""))
    assert found.document["@timestamp"] == SCAN
    assert found.document["event"]["created"] == "2026-01-02T03:04:05Z"
    (bare,), (other,) = split(value, Context()), made(value, Context())
    assert (bare.version, bare.latest) == ("", None)
    assert other.document["@timestamp"] == ARRIVED
    assert split(value, Context(scan="yesterday"))[0].version == ""


def test_the_views_have_the_keys_of_elastics_transforms() -> None:
    """A misconfiguration renews its entry by rule, a flaw one for each CVE of a package, with the scan's time as version."""
    cve, bad = {"title": "CVE-2026-0001"}, {"code": "Unhealthy"}
    tvm = {"assessedResourceType": "ServerVulnerabilityTvm", "softwareName": "chrome", "softwareVersion": "1"}
    value = {
        **assessment(displayName="all", resourceDetails={"Source": "Azure", "Id": VM}),
        "subAssessments": [
            sub("1", displayName="Signatures out of date"),
            sub("2", status=bad, additionalData={**tvm, "cve": [cve]}),
            sub("3", status=bad, additionalData={**tvm, "cve": [cve, {"title": "CVE-2026-0002"}]}),
        ],
    }
    entries = [one for found in made(value) for one in found.entries]
    lower, resource = ID.lower(), VM.lower()
    assert [(one.view, one.key) for one in entries] == [
        ("misconfiguration", (f"{lower}/subassessments/1", "cnwSzby0LtfLZ3LiV1GzwJtKs40=", resource)),
        ("vulnerability_finding", (f"{lower}/subassessments/2", "CVE-2026-0001", resource, "chrome", "1")),
        ("vulnerability_finding", (f"{lower}/subassessments/3", "CVE-2026-0001", resource, "chrome", "1")),
        ("vulnerability_finding", (f"{lower}/subassessments/3", "CVE-2026-0002", resource, "chrome", "1")),
    ]
    assert {(one.version, one.gone) for one in entries} == {(1_772_618_400_000, False)}


def test_a_healed_flaw_leaves_its_view() -> None:
    """The same finding in another state takes its entry out; a healed misconfiguration stays, as passed."""
    tvm = {"assessedResourceType": "ServerVulnerabilityTvm", "softwareName": "chrome", "cve": [{"title": "CVE-2026-1"}]}
    for state, gone in (("Unhealthy", False), ("Healthy", True), ("NotApplicable", True)):
        flaw = sub("1", additionalData=tvm, status={"code": state})
        setting = sub("2", displayName="Signatures out of date", status={"code": state})
        value = {
            **assessment(displayName="all", resourceDetails={"Source": "Azure", "Id": VM}),
            "subAssessments": [flaw, setting],
        }
        assert [one.gone for found in made(value) for one in found.entries] == [gone, False]


def test_no_secret_is_in_a_document() -> None:
    """A partner's secret is in no field, kept duplicates or not, and is not carried as unknown either."""
    value = assessment(
        partnersData={"secret": "s3cr3t"}, metadata={"partnerData": {"partnerName": "Contoso", "secret": "s3cr3t"}}
    )
    assert "s3cr3t" not in json.dumps(documents(value))
    assert "Contoso" in json.dumps(documents(value))


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, opened where it holds JSON."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str) and value and opened_text(value) is not None:
        yield from texts(opened_text(value))
    elif value is not None:
        yield str(value)


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_nothing_of_a_golden_assessment_is_lost(number: int) -> None:
    """Every value of an assessment is in its documents, as it came or converted, but for placeholders and secrets."""
    found = "\n".join(text for document in documents(GIVEN[number]) for text in texts(document))
    spoken = found.lower() + "\n" + "\n".join(re.findall(r"\d+(?:\.\d+)?", found))
    for text in texts(GIVEN[number]):
        if text in ("", "N/A", "not-for-an-index") or re.match(r"\d\d/\d\d/\d{4} ", text):
            continue
        parts = text.split(",") if re.fullmatch(r"[\d,]+", text) else [text]
        for part in parts:
            assert part.lower() in spoken, f"{text!r} is in no document"


@pytest.mark.parametrize("number", range(len(GIVEN)))
def test_duplicates_only_repeat(number: int) -> None:
    """What is left out by default, ECS fields hold: no value is in the full document alone."""
    for lean, full in zip(made(GIVEN[number]), made(GIVEN[number], duplicates=True), strict=True):
        assert set(texts(full.document)) <= set(texts(lean.document))


def test_elastics_fields_are_all_there() -> None:
    """Every field that Elastic's package has for this data stream can be filled, and those in objects have its types too."""
    ours, theirs = fields(DATASET), elastic_types(DATASET)
    assert not [field for field in theirs if field not in ours]
    kinds = {
        "keyword": {"keyword"},
        "double": {"float", "double"},
        "boolean": {"boolean"},
        "date": {"date"},
        "flattened": {"flattened"},
    }
    root = f"{DATASET}.additional_data.sub_assessment.additional_data"
    known = {field: kind for field, kind in fields_of(ADDITIONAL_DATA, root) if field in theirs}
    assert not {field: kind for field, kind in known.items() if theirs[field] not in kinds[kind]}
    assert len(known) > 80


SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the knowledge folder has no samples here")
def test_microsofts_examples_are_known_whole() -> None:
    """In the examples of Microsoft's specification nothing is unknown and nothing does not convert."""

    def bodies(name: str) -> list[Object]:
        body = orjson.loads((SAMPLES / f"{name}.json").read_bytes())["responses"]["200"]["body"]
        found: list[Object] = body.get("value", [body])
        return found

    seen = 0
    for name in (
        "arm_assessments_list_2021-06-01",
        "arm_assessment_get_expand_2021-06-01",
        "arm_assessments_list_2020-01-01",
    ):
        metadata = bodies("arm_assessment_metadata_list_2021-06-01")[0]["properties"]
        for value in bodies(name):
            value["properties"]["metadata"] = metadata
            seen += 1
            assert [found.issues for found in made(value)] == [[]]
    for name in (
        "arm_subassessments_list_2019-01-01-preview",
        "arm_subassessments_subscription_list_2019-01-01-preview",
        "arm_subassessment_get_2019-01-01-preview",
    ):
        for found in made({**assessment(), "subAssessments": bodies(name)}):
            seen += 1
            assert found.issues == []
    row = orjson.loads((SAMPLES / "arg_subassessment_AzureContainerRegistryVulnerability.json").read_bytes())[0]
    (of_resource_graph,) = made({**assessment(), "subAssessments": [row]})
    assert "error" not in of_resource_graph.document  # Resource Graph's own keys are carried
    assert of_resource_graph.document["package"]["name"] == "py"
    assert seen == 9


def random_object(chance: random.Random) -> Object:
    """An assessment as it might come: documented paths with right and wrong values, keys in any case, unknown ones, odd sub-assessments."""
    value = opened(chance, "")
    value["id"] = ID if chance.random() < 0.95 else chance.choice(ANYTHING)
    value["type"] = chance.choice(("Microsoft.Security/assessments", "microsoft.security/assessments", "", None))
    subs: Any = [opened(chance, "subAssessment.") for _ in range(chance.choice((0, 1, 1, 3)))]
    if chance.random() < 0.1:
        subs.append(chance.choice(ANYTHING))
    if chance.random() < 0.05:
        subs = chance.choice(ANYTHING)
    if chance.random() < 0.7:
        value["subAssessments"] = subs
    elif isinstance(value.get("properties"), dict) and isinstance(value["properties"].get("additionalData"), dict):
        value["properties"]["additionalData"]["subAssessment"] = (
            chance.choice(subs) if isinstance(subs, list) and subs else subs
        )
    found: Object = clean(value)
    return found


def opened(chance: random.Random, root: str) -> Object:
    """An assessment (root "") or a sub-assessment, out of the columns' paths."""
    value: Object = {}
    share = chance.choice((0.1, 0.4, 0.9))
    for column, type in COLUMNS["misconfiguration"].items():
        path = column.removeprefix(root).split(".")
        if column.startswith("subAssessment.") == bool(root) and chance.random() < share:
            node = value
            for part in path[:-1]:
                node = node.setdefault(spelled(chance, part, 0.03), {})
                if not isinstance(node, dict):
                    break
            else:
                node[spelled(chance, path[-1], 0.2)] = (
                    fitting(chance, type) if chance.random() < 0.8 else chance.choice(ANYTHING)
                )
    if root and chance.random() < 0.9 and isinstance(value.setdefault("properties", {}), dict):
        value["properties"]["additionalData"] = one(chance, ADDITIONAL_DATA) | raw_findings(chance)
    if chance.random() < 0.1:
        value[chance.choice(("class", "entity", "novel", "", "a\x00b"))] = chance.choice(ANYTHING)
    return value


def raw_findings(chance: random.Random) -> Object:
    """Members of additionalData that are not as their fields are: lists under one name with objects, keys with dots, text of JSON."""
    score = {"base": chance.choice((7.5, "9.8", None, "x")), "cvssVectorString": "CVSS:3.1/AV:N"}
    shape: Shape = ADDITIONAL_DATA["cve"][1]  # type: ignore[assignment]  # an object's
    members: Object = {
        "cve": [one(chance, shape) for _ in range(chance.randint(0, 3))],
        "cvss": {version: score for version in ("2.0", "3.0", "5.0") if chance.random() < 0.5},
        "data": chance.choice(({"SignatureUpdateDate": "1/2/2026 3:04:05 AM", "X y": 1, "x_y": 2}, "{}", [], "text")),
        "metadata": json.dumps({"scanner": "MicrosoftDefenderVulnerabilityManagement"}),
        "assessedResourceType": chance.choice(
            ("GeneralVulnerability", "ServerVulnerabilityTvm", "SqlServerVulnerability", 5)
        ),
    }
    return {key: item for key, item in members.items() if chance.random() < 0.5}


def spelled(chance: random.Random, key: str, odd: float) -> str:
    """A key, now and then in another case."""
    return chance.choice((key.lower(), key.upper(), key[:1].upper() + key[1:])) if chance.random() < odd else key


def fitting(chance: random.Random, type: str) -> Any:
    """A value of a documented type."""
    known = {
        "datetime": "2026-01-02T03:04:05.1234567Z",
        "bool": "true",
        "long": "17",
        "real": 7.5,
        "dynamic": ["a", "b"],
    }
    return known.get(type) or chance.choice(("text", VM, "N/A", "Healthy", "User", "Aws", "OnPremise", ID))


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_any_assessment_becomes_documents(seed: int) -> None:
    """Whatever comes, it is refused with a reason or becomes documents that compiled tables and the interpreter agree on; it is not changed."""
    value = random_object(random.Random(seed))
    before = copy.deepcopy(value)
    try:
        parts = split(value)
    except Reject:
        assert not isinstance(value["id"], str) or value["id"] in PLACEHOLDERS
        return
    assert parts
    assert value == before
    for part in parts:
        plain_issues: list[Issue] = []
        fast_issues: list[Issue] = []
        plain = interpret(TABLES[part.table], part.columns, {"scan": SCAN}, plain_issues, duplicates=True)
        fast = COMPILED[part.table](part.columns, {"scan": SCAN}, fast_issues)
        assert json.dumps(fast, sort_keys=True) == json.dumps(plain, sort_keys=True)
        assert sorted(map(repr, fast_issues)) == sorted(map(repr, plain_issues))
    for found in made(value):
        assert found.document["event"]["id"]
        assert found.document["microsoft_defender_cloud"]["assessment"]["class"] in (
            "misconfiguration",
            "vulnerability",
        )


def test_huge_lists_become_documents() -> None:
    """Ten thousand sub-assessments, and ten thousand CVEs in one, are documents one after another."""
    many = {**assessment(), "subAssessments": [sub(str(number)) for number in range(10_000)]}
    assert sum(1 for _ in split_of("assessment")(many, CONTEXT)) == 10_000
    cves = [{"title": f"CVE-2026-{number:05}", "cvssScore": 5.5} for number in range(10_000)]
    (found,) = documents({**assessment(), "subAssessments": [sub("1", additionalData={"cve": cves})]})
    assert (
        len(
            found["microsoft_defender_cloud"]["assessment"]["additional_data"]["sub_assessment"]["additional_data"][
                "cve_list"
            ]
        )
        == 10_000
    )


def test_random_assessments_are_accepted(elasticsearch_server: LocalElasticsearch) -> None:
    """The real server takes the documents of thousands of random assessments under our templates, every single one."""
    client = elasticsearch_server.client()
    put_templates(client, namespace="assessments")
    normaliser, chance = Normaliser(duplicates=True, namespace="assessments"), random.Random("assessments")
    lines: list[Any] = []  # the client takes ready-made lines too
    count, refused = 0, []
    while count < 3_000:
        value = random_object(chance)
        if not isinstance(value["id"], str) or value["id"] in PLACEHOLDERS:
            continue
        for found in normaliser.parts("assessment", value, CONTEXT, ARRIVED):
            lines += [orjson.dumps({"create": {"_index": found.index}}), orjson.dumps(found.document)]
            count += 1
        if len(lines) >= 600 or count >= 3_000:
            answer = client.bulk(operations=lines, require_data_stream=True)
            refused += [item["create"]["error"] for item in answer["items"] if item["create"]["status"] != 201]
            lines = []
    assert not refused, f"{len(refused)} refused, the first: {str(refused[0])[:2000]}"
