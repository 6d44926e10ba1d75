"""Assessments pass, fail or were not judged; names in certificates come apart; tactics are known by name and id."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.posture_rules import (
    LONGEST_NAME,
    MOST_NAMES,
    NO_NAME,
    evaluation,
    related_tactics,
    system_model,
    x509_name,
)


@pytest.mark.parametrize(
    ("compliant", "applicable", "exempt", "expected"),
    [
        (True, True, False, ("passed", "success")),
        (False, True, None, ("failed", "failure")),
        (False, None, None, ("failed", "failure")),
        (False, False, None, (None, None)),
        (True, False, None, (None, None)),
        (False, True, True, (None, None)),
        (None, True, None, (None, None)),
    ],
)
def test_only_what_was_judged_has_a_result(
    compliant: bool | None,
    applicable: bool | None,
    exempt: bool | None,
    expected: tuple[str | None, str | None],
) -> None:
    """A check that does not apply, or from which the device is exempt, neither passed nor failed."""
    assert evaluation(compliant, applicable, exempt) == expected


def test_an_object_is_taken_apart_by_its_keys() -> None:
    """Keys are known in any case and with or without `Name`; values that are no text are passed over."""
    found = x509_name(
        {
            "commonName": "www.example.com",
            "OrganizationName": ["Example", "Example Two"],
            "organizationalUnit": "",
            "COUNTRY": "DE",
            "L": "Bonn",
            "StateOrProvinceName": 7,
            "Email": "kim@example.com",
        }
    )
    assert found.common_name == ["www.example.com"]
    assert found.organization == ["Example", "Example Two"]
    assert (found.organizational_unit, found.state_or_province) == (None, None)
    assert (found.country, found.locality) == (["DE"], ["Bonn"])
    assert found.distinguished_name is None


@pytest.mark.parametrize(
    ("text", "name", "organization"),
    [
        ("CN=www.example.com, O=Example, C=DE", ["www.example.com"], ["Example"]),
        ('O="Example, Inc.";CN=x', ["x"], ["Example, Inc."]),
        ("CN=x,O=Example\\, Inc.", ["x"], ["Example, Inc."]),
        ("CN=a=b, O = Example", ["a=b"], ["Example"]),
        ('CN="x', ['"x'], None),
    ],
)
def test_a_distinguished_name_is_taken_apart(text: str, name: list[str], organization: list[str] | None) -> None:
    """Quotes and backslashes keep commas within a value (RFC 4514), and the whole text stays distinguished_name."""
    found = x509_name({"text": text})
    assert (found.common_name, found.organization, found.distinguished_name) == (name, organization, text)


def test_a_plain_text_is_the_common_name() -> None:
    """A name that is not written as attributes is a common name and no distinguished name."""
    found = x509_name({"text": "Example Root CA"})
    assert (found.common_name, found.distinguished_name) == (["Example Root CA"], None)


@pytest.mark.parametrize("value", [None, [], [{"CommonName": "x"}], {}, {"values": [1]}, {"CommonName": {"a": 1}}])
def test_what_names_nobody_gives_no_name(value: Any) -> None:
    """Lists, empty objects and nested ones give nothing; they stay in the vendor field."""
    assert x509_name(value) == NO_NAME


def test_huge_names_are_cut() -> None:
    """No more than a bounded part of a name is taken apart, and no more than a bounded number of values kept."""
    many = x509_name({"OU": ["x"] * 1_000}).organizational_unit
    assert many is not None
    assert len(many) == MOST_NAMES
    long = x509_name({"text": "CN=" + '"\\ ' * 1_000_000}).common_name
    assert long is not None
    assert len(long[0]) <= LONGEST_NAME


def test_tactics_are_known_by_name_and_by_id() -> None:
    """Ids become names, names keep theirs, what is neither gives none."""
    found = related_tactics(["TA0006", "Initial Access", "DefenseEvasion", "TA9999", "Hardening"])
    assert found.ids == ["TA0006", "TA0001", "TA0005"]
    assert found.names == ["Credential Access", "Initial Access", "Defense Evasion"]
    assert related_tactics(None).ids is related_tactics([]).ids is None


def test_only_a_hardware_component_is_the_machines_model() -> None:
    """A BIOS' or a processor's maker is not written as the maker of the device."""
    assert system_model("Hardware", "contoso", "notebook_14") == ("contoso", "notebook_14")
    assert system_model("Bios", "fabrikam", "firmware") == system_model(None, "a", "b") == (None, None)


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.none()), st.text(), st.lists(st.text()))
def test_any_value_is_taken(names: dict[str, Any], text: str, texts: list[str]) -> None:
    """The rules never raise, whatever stands in the columns."""
    x509_name(names)
    x509_name({"text": text})
    related_tactics(texts)
    system_model(text, text, text)
