"""A node of the exposure graph is the host, account, vulnerability or cloud resource that its label and identifiers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.exposure_rules import (
    NO_ACCOUNT,
    NO_HOST,
    NO_RESOURCE,
    entity_ids,
    entity_type,
    node_account,
    node_host,
    node_resource,
    node_vulnerability,
    related_names,
)

DEVICE = "0123456789abcdef0123456789abcdef01234567"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def identifiers(**ids: str) -> dict[str, str] | None:
    """What the rules are given of a node's EntityIds."""
    return entity_ids([{"type": kind, "id": identifier} for kind, identifier in ids.items()])


@pytest.mark.parametrize(
    ("label", "categories", "expected"),
    [
        ("device", ["device", "compute"], ["host"]),
        ("Microsoft.Compute/virtualMachines", None, ["host"]),
        ("user", ["identity"], ["user"]),
        ("serviceprincipal", ["identity"], ["service"]),
        ("microsoft.sql/servers/databases", ["data", "sql_server"], ["database"]),
        ("group", ["identity"], None),
        (None, ["virtual_machine"], ["host"]),
        ("x" * 10_000, ["y" * 10_000], None),
        (None, None, None),
    ],
)
def test_the_label_comes_before_the_categories(
    label: str | None, categories: list[str] | None, expected: list[str] | None
) -> None:
    """Accounts and service principals share a category: the label tells them apart, categories tell the rest."""
    assert entity_type(label, categories) == expected


def test_names_go_where_the_kind_of_node_belongs() -> None:
    """Hosts are related hosts, users related users, others neither."""
    assert related_names(["host"], "ws-0042") == ("ws-0042", None)
    assert related_names(["user"], "Kim") == (None, "Kim")
    assert related_names(["bucket"], "b") == related_names(None, "b") == (None, None)


def test_a_device_is_the_host_of_the_other_tables() -> None:
    """host.id is the DeviceInventoryId, and the device's own name is preferred to the displayed one."""
    found = node_host(
        ["host"],
        "shown",
        identifiers(SenseDeviceId="f" * 40, DeviceInventoryId=DEVICE),
        {"rawData": {"deviceName": "WS-0042.example.com", "osPlatform": "Windows11"}},
    )
    assert found == (DEVICE, DEVICE, DEVICE, "ws-0042.example.com", "WS-0042", "example.com", "windows")


def test_a_device_is_known_by_its_identifier_alone() -> None:
    """A node whose label is new is a host all the same where it has a device's identifier."""
    assert node_host(None, "ws-7", identifiers(SenseDeviceId=DEVICE), None)[:4] == (DEVICE, DEVICE, DEVICE, "ws-7")
    assert node_host(["user"], "Kim", identifiers(AadObjectId="x"), None) == NO_HOST


def test_an_account_has_its_sid_or_object_id() -> None:
    """user.id is the SID, else the object id cut out of AadObjectId; the displayed name is no user.name."""
    entra = "tenantid=11111111-2222-3333-4444-555555555555;objectid=99999999-8888-7777-6666-555555555555"
    raw = {"rawData": {"accountUpn": "kim@example.com"}}
    both = node_account(["user"], identifiers(AadObjectId=entra, SecurityIdentifier="S-1-5-21-1-2-3-1001"), raw)
    assert both == ("S-1-5-21-1-2-3-1001", "kim", "example.com", "kim@example.com")
    alone = node_account(["user"], identifiers(AadObjectId=entra), None)
    assert alone == ("99999999-8888-7777-6666-555555555555", None, None, None)
    assert node_account(["service"], identifiers(AadObjectId=entra), raw) == NO_ACCOUNT


@pytest.mark.parametrize(
    ("kind", "identifier", "provider", "account"),
    [
        ("AzureResourceId", "/subscriptions/2222/resourceGroups/g/providers/P/t/n", "azure", "2222"),
        ("AzureResourceId", "/providers/Microsoft.Management/managementGroups/m", "azure", None),
        ("AwsResourceName", "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "aws", "123456789012"),
        ("AwsArn", "arn:aws:s3:::bucket", "aws", None),
        ("GcpFullResourceName", "//compute.googleapis.com/projects/shop/zones/z/instances/1", "gcp", "shop"),
    ],
)
def test_a_cloud_resource_names_its_account(kind: str, identifier: str, provider: str, account: str | None) -> None:
    """The provider is known by the identifier's type; the account is the subscription, account number or project."""
    assert node_resource("n", identifiers(**{kind: identifier})) == (provider, account, identifier, "n")


def test_what_is_no_cloud_resource_has_none() -> None:
    """Devices and accounts outside the clouds get no resource, whatever Azure calls their directory."""
    assert node_resource("Kim", identifiers(AzureAdObjectId="9999")) == NO_RESOURCE
    assert node_resource("ws-0042", identifiers(DeviceInventoryId=DEVICE)) == NO_RESOURCE


def test_a_vulnerability_is_its_number() -> None:
    """Only a node labelled Cve has its name as vulnerability.id."""
    assert node_vulnerability("Cve", "CVE-2025-1") == "CVE-2025-1"
    assert node_vulnerability("device", "CVE-2025-1") is node_vulnerability(None, "x") is None


def test_the_first_identifier_of_a_type_counts() -> None:
    """Of several of one type the first is kept; members without a type or id are passed over."""
    assert entity_ids([{"type": "A", "id": "1"}, {"type": "a", "id": "2"}, {"type": "B"}, 7]) == {"a": "1"}
    assert entity_ids(None) is None


@given(JSON, JSON, st.none() | st.text(), st.none() | st.lists(st.text()))
def test_any_value_is_taken(ids: Any, properties: Any, label: str | None, categories: list[str] | None) -> None:
    """The rules never raise, whatever JSON stands in the bags."""
    kinds = entity_type(label, categories)
    known = entity_ids(ids)
    for each in (kinds, ["host"], ["user"]):
        node_host(each, label, known, properties)
        node_account(each, known, properties)
        node_resource(label, known)
