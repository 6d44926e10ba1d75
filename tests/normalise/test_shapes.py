"""Shapes written in words, keys in snake case, lists where they belong, and the fast way to bring objects to a shape."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.convert import UNKNOWN_COLUMN, Issue
from shared.normalise.mapping import OBJECTS, Shape
from shared.normalise.shapes import DEEPEST, LIST, MANY, fields_of, paths_of, shape_of, shaped, shaping, snake
from tests.normalise.rows import ANYTHING, nested, one

IP = shape_of("ipAddress:ip countryLetterCode labels:flattened")
ITSELF: dict[str, Any] = {"name": ("name", "keyword")}
ITSELF["child"] = ("child", ITSELF)
SHAPE: Shape = {
    **shape_of(
        "displayName roles* fileSize:long createdDateTime:date processId=process.id:long commandLine=process.line.text:wildcard urls*",
        details=("file_details", shape_of("fileName=name fileSize=size:long")),
        nics=("nics", shape_of("macAddress", ipAddress=("ip", IP)), MANY),
        itself=("itself", ITSELF),
    ),
    f"displayName{OBJECTS}": ("names", IP, False),
    f"urls{OBJECTS}": ("url_evidence", IP, MANY),
    "plain": ("plain", "keyword"),  # a row that says nothing of lists takes them
}


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("createdDateTime", "created_datetime"),
        ("mdeDeviceId", "mde_device_id"),
        ("ipAddress", "ip_address"),
        ("clusterIP", "cluster_ip"),
        ("senderIp", "sender_ip"),
        ("p1Sender", "p1_sender"),
        ("sha256Ac", "sha256_ac"),
        ("azureAdUserId", "azure_ad_user_id"),
        ("startUtcDateTime", "start_utc_datetime"),
        ("isDNSName", "is_dns_name"),
        ("sid", "sid"),
    ],
)
def test_keys_become_names_as_elastic_writes_them(key: str, field: str) -> None:
    """Acronyms and digits too (lessons: microsoft_defender_cloud 1.1.2)."""
    assert snake(key) == field


def test_a_kind_that_is_none_is_refused_at_once() -> None:
    """A typing error in a shape is told where it is written."""
    with pytest.raises(ValueError, match="name:keywrod: keywrod is no kind"):
        shape_of("name:keywrod")


def test_a_list_is_taken_only_where_one_belongs() -> None:
    """A list in the place of a value is reported and carried, a value in the place of a list is taken."""
    issues: list[Issue] = []
    value = {
        "displayName": ["a", "b"],
        "roles": "source",
        "details": [{"fileName": "x"}],
        "nics": {"macAddress": "m"},
        "plain": ["a", "b"],
    }
    assert shaping(SHAPE, "x")(value, issues) == {"roles": "source", "nics": {"mac_address": "m"}, "plain": ["a", "b"]}
    assert issues == [Issue("x.displayName", LIST, ["a", "b"]), Issue("x.details", LIST, [{"fileName": "x"}])]


def test_a_key_may_hold_values_or_objects() -> None:
    """Which of two rows counts is told by what comes."""
    bring = shaping(SHAPE, "x")
    assert bring({"displayName": "Kim"}, []) == {"display_name": "Kim"}
    assert bring({"displayName": {"ipAddress": "192.0.2.1"}}, []) == {"names": {"ip_address": "192.0.2.1"}}
    assert bring({"urls": ["https://example.com"]}, []) == {"urls": ["https://example.com"]}
    assert bring({"urls": [{"countryLetterCode": "NZ-X"}]}, []) == {"url_evidence": [{"country_letter_code": "NZ-X"}]}


def test_fields_in_one_object_meet_there() -> None:
    """A field with dots lies in objects that other keys may fill too."""
    assert shaping(SHAPE, "x")({"processId": 4, "commandLine": "-"}, []) == {
        "process": {"id": 4, "line": {"text": "-"}}
    }


@given(seed=st.integers(0, 2**32))
def test_the_fast_way_does_what_the_plain_one_does(seed: int) -> None:
    """Random objects, right and wrong, in lists and too deep, give the same result and the same issues both ways; the input stays."""
    chance = random.Random(seed)
    value: Any = [one(chance, SHAPE) for _ in range(3)]
    for _ in range(chance.choice((0, 0, 1, DEEPEST - 1, DEEPEST, DEEPEST + 1))):
        value = [value, chance.choice(ANYTHING)] if chance.random() < 0.5 else [value]
    if chance.random() < 0.2:
        value = {
            "itself": {"name": "a", "child": nested(30)},
            "details": nested(30),
            "nics": [[[{"macAddress": "m", "x": 1}]]],
        }
    before = copy.deepcopy(value)
    plain: list[Issue] = []
    fast: list[Issue] = []
    expected = shaped(value, SHAPE, "x", plain)
    assert json.dumps(shaping(SHAPE, "x")(value, fast)) == json.dumps(expected)
    assert fast == plain
    assert json.dumps(value) == json.dumps(before)


def test_a_shape_in_itself_is_followed_as_deep_as_it_may_be() -> None:
    """What lies too deep is reported, also by the fast way."""
    value: dict[str, Any] = {"name": "end"}
    for _ in range(DEEPEST + 3):
        value = {"child": value}
    issues: list[Issue] = []
    assert shaping(ITSELF, "x")(value, issues) is None
    assert [issue.reason for issue in issues] == ["lies too deep"]
    unknown: list[Issue] = []
    shaping(ITSELF, "x")({"child": {"child": {"novel": 1}}}, unknown)
    assert unknown == [Issue("x.child.child.novel", UNKNOWN_COLUMN, 1)]


def test_every_field_has_the_path_of_its_key() -> None:
    """Docs tell which key of Microsoft's becomes which field."""
    assert ("x.nics.ipAddress.countryLetterCode", "e.nics.ip.country_letter_code", "keyword") in list(
        paths_of(SHAPE, "x", "e")
    )
    assert ("x.urls.ipAddress", "e.url_evidence.ip_address", "ip") in list(paths_of(SHAPE, "x", "e"))
    assert dict(fields_of(SHAPE, "e"))["e.process.line.text"] == "wildcard"
