"""RawEventData tells who acted in a cloud app or control plane, on whom, on which file, and how it ended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.cloud_app_rules import (
    audit_actor,
    audit_outcome,
    client_os,
    cloud_actor,
    cloud_file,
    cloud_target,
    object_url,
)

KIM, LEE, APP = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
ROLE = "arn:aws:sts::111122223333:assumed-role/Deploy/kim"
SITE = "https://example.sharepoint.com/a/b.xlsx"

# fmt: off
ACTORS: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = [
    (({"UserId": "kim@example.com"}, KIM, KIM, "Doe, Kim", "Regular", None),  ("kim", "example.com", "kim@example.com", KIM, "Doe, Kim", None)),
    (({"UserId": "Not Available"}, "kim@example.com", KIM, "Doe, Kim", None, None), ("kim", "example.com", "kim@example.com", KIM, "Doe, Kim", None)),
    (({"caller": "kim@example.com"}, None, KIM, None, None, None),            ("kim", "example.com", "kim@example.com", KIM, None, None)),
    (({"UserId": KIM}, KIM, None, "Kim", None, None),                         ("Kim", None, None, KIM, "Kim", None)),
    ((None, KIM, KIM, "Doe, Kim", None, None),                                (None, None, None, KIM, "Doe, Kim", None)),
    ((None, "kim@example.com", None, None, None, None),                       ("kim", "example.com", "kim@example.com", None, None, None)),
    (({"UserId": "CORP\\kim"}, None, None, None, None, None),                 ("kim", "CORP", None, None, None, None)),
    (({"UserId": "lee@example.com", "ClientAppId": APP}, APP, APP, "Reader", None, APP), ("Reader", None, None, APP, "Reader", "lee@example.com")),
    (({"UserId": "lee@example.com"}, APP, None, "Reader", "Application", None), ("Reader", None, None, APP, "Reader", "lee@example.com")),
    (({"UserId": "kim@example.com"}, KIM, KIM, "Kim", "Regular", APP),        ("kim", "example.com", "kim@example.com", KIM, "Kim", None)),
    (({"UserId": ["kim"]}, None, None, None, None, None),                     (None,) * 6),
    ((None,) * 6,                                                             (None,) * 6),
]
OUTCOMES: list[tuple[Any, str | None, tuple[Any, ...]]] = [
    ({"ResultStatus": "Succeeded"},                                        None, ("success", None)),
    ({"ResultStatus": "Failed", "LogonError": "InvalidUserNameOrPassword"}, None, ("failure", "InvalidUserNameOrPassword")),
    ({"ResultStatus": "True", "LogonError": "x"},                          "failure", ("failure", "x")),
    ({"status": {"value": "Started"}},                                     None, (None, None)),
    ({"status": {"value": "Failed"}},                                      None, ("failure", None)),
    ({"ResponseStatus": {"code": 403, "message": "no"}},                   None, ("failure", "no")),
    ({"responseStatus": {"code": "200", "message": "yes"}},                None, ("success", None)),
    ({"eventSource": "iam.amazonaws.com", "errorCode": "AccessDenied"},    None, ("failure", "AccessDenied")),
    ({"eventSource": "iam.amazonaws.com"},                                 None, ("success", None)),
    ({"protoPayload": {"status": {"code": 7, "message": "denied"}}},       None, ("failure", "denied")),
    ({"protoPayload": {"status": {"code": 0}}},                            None, ("success", None)),
    ({"values": [1]},                                                      None, (None, None)),
    (None,                                                                 "success", ("success", None)),
]
PRINCIPALS: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = [
    (("kim@example.com", None),                                    ("kim", "example.com", "kim@example.com", None)),
    (("system:serviceaccount:ns:job", None),                       ("system:serviceaccount:ns:job", None, None, None)),
    ((ROLE, None),                                                 ("Deploy", None, None, ROLE)),
    (("arn:aws:iam::111122223333:user/ops/kim", None),             ("kim", None, None, "arn:aws:iam::111122223333:user/ops/kim")),
    (("arn:aws:iam::111122223333:root", None),                     ("root", None, None, "arn:aws:iam::111122223333:root")),
    ((KIM, None),                                                  (None, None, None, KIM)),
    ((None, {"caller": "kim@example.com"}),                        ("kim", "example.com", "kim@example.com", None)),
    ((None, {"userIdentity": {"arn": ROLE, "userName": "role"}}),  ("role", None, None, ROLE)),
    ((None, {"user": {"username": "system:node:n1"}}),             ("system:node:n1", None, None, None)),
    ((None, {"protoPayload": {"authenticationInfo": {"principalEmail": "kim@example.com"}}}), ("kim", "example.com", "kim@example.com", None)),
    (("Unknown", None),                                            (None, None, None, None)),
    ((None, {"userIdentity": "x", "user": [], "protoPayload": 1}), (None, None, None, None)),
]
# fmt: on


@pytest.mark.parametrize(("columns", "expected"), ACTORS)
def test_who_acted(columns: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    """The name is never "Last, First", the id is Entra ID's, and an app that acts by itself is no person."""
    assert cloud_actor(*columns) == expected


@pytest.mark.parametrize(("raw", "known", "expected"), OUTCOMES)
def test_how_it_ended(raw: Any, known: str | None, expected: tuple[Any, ...]) -> None:
    """Each source's word for a result becomes an outcome, with a reason for what did not succeed; an ActionType that tells wins."""
    assert audit_outcome(raw, known) == expected


@pytest.mark.parametrize(("arguments", "expected"), PRINCIPALS)
def test_who_acted_on_a_control_plane(arguments: tuple[Any, ...], expected: tuple[Any, ...]) -> None:
    """UPNs are split, ARNs give name and id, Kubernetes' names stay whole, a bare id is no name."""
    assert audit_actor(*arguments) == expected


def test_targets_come_from_objects_and_raw_data() -> None:
    """The target's id and display name are ActivityObjects', its address RawEventData's, and the group is told apart."""
    objects = [
        {"Type": "User", "Role": "Actor", "Name": "Doe, Kim", "Id": KIM},
        {"Type": "User", "Role": "Target object", "Name": "Roe, Lee", "Id": LEE},
        {"Type": "Group", "Role": "Parameter", "Name": "Readers", "Id": "g"},
    ]
    raw = {"Workload": "AzureActiveDirectory", "ObjectId": "lee@example.com"}
    assert cloud_target(raw, objects, "kim", "kim@example.com", KIM, None) == (
        "lee",
        "example.com",
        "lee@example.com",
        LEE,
        "Roe, Lee",
        "Readers",
        "g",
    )
    addressed = [{"Type": "Account", "Role": "Target object", "Name": "lee@example.com", "Id": LEE}]
    assert cloud_target(None, addressed, None, None, None, None) == (
        "lee",
        "example.com",
        "lee@example.com",
        LEE,
        None,
        None,
        None,
    )


def test_who_acts_on_himself_is_no_target() -> None:
    """A mailbox that its owner reads has no target; one that an app or somebody else reads has its owner."""
    raw = {"MailboxOwnerUPN": "lee@example.com"}
    assert cloud_target(raw, None, "lee", "lee@example.com", LEE, None) == (None,) * 7
    assert cloud_target(raw, None, "kim", "kim@example.com", KIM, None)[:3] == ("lee", "example.com", "lee@example.com")
    assert cloud_target(None, None, "Reader", None, APP, "lee@example.com")[:3] == (
        "lee",
        "example.com",
        "lee@example.com",
    )
    assert (
        cloud_target(
            {"TargetUserOrGroupName": "Staff", "TargetUserOrGroupType": "SecurityGroup"}, None, "kim", None, KIM, None
        )
        == (None,) * 7
    )
    itself = [{"Type": "User", "Role": "Target object", "Name": "Doe, Kim", "Id": KIM}]
    assert cloud_target(None, itself, "kim", None, KIM, None) == (None,) * 7


def test_files_of_sites_and_of_devices() -> None:
    """A file on a site has a name and an address, one on a device its path and hashes, and a mailbox task neither."""
    assert cloud_file("File", f"{SITE}?web=1", None)[:3] == ("b.xlsx", "xlsx", None)
    assert cloud_file(None, None, {"SourceFileName": "b.xlsx"})[:3] == ("b.xlsx", "xlsx", None)
    device = {"ObjectId": r"C:\Users\kim\b.docx", "FileSize": "7", "Sha256": "aa"}
    assert cloud_file(None, None, device) == ("b.docx", "docx", r"C:\Users\kim\b.docx", r"C:\Users\kim", 7, None, "aa")
    assert cloud_file("Task", "MailItemsAccessed", {"ObjectId": SITE}) == (None,) * 7
    assert object_url("f1", "b.xlsx", {"ObjectId": SITE}).domain == "example.sharepoint.com"
    assert object_url("f1", "b.xlsx", {"ObjectId": 5}).original is None


def test_unknown_systems_are_none() -> None:
    """Unknown and Other are no operating systems; Windows 10 is one."""
    assert client_os("Unknown") == client_os("Other") == client_os(None) == (None,) * 6
    assert client_os("Windows 10")[:3] == ("windows", "windows", "Windows 10")


KEYS = [
    "UserId",
    "ObjectId",
    "status",
    "user",
    "userIdentity",
    "protoPayload",
    "ResponseStatus",
    "code",
    "values",
    "Type",
    "Role",
    "Name",
    "Id",
    "arn",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["User", "Target object", "arn:", "kim@example.com"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
TEXT = st.none() | st.text(min_size=1, max_size=30)


@given(raw=JSON, objects=JSON, one=TEXT, two=TEXT, three=TEXT)
def test_anything_has_an_answer(raw: Any, objects: Any, one: str | None, two: str | None, three: str | None) -> None:
    """No RawEventData makes a rule raise, and every name is text."""
    for found in (
        cloud_actor(raw, one, two, three, one, two),
        cloud_target(raw, objects, one, two, three, one),
        audit_actor(one, raw),
    ):
        assert all(value is None or isinstance(value, str) for value in found)
    audit_outcome(raw, None)
    cloud_file(one, two, raw)
    object_url(one, two, raw)
    client_os(one)
