"""What Defender for Identity knows of both ends becomes user, user.target, group, host.os, threat and file fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.identity_rules import (
    ATTACK_FIELDS,
    account,
    attack,
    changed_group,
    dashed,
    dns_question,
    host_address,
    location,
    mailbox,
    outcome,
    provider,
    queried,
    shared_file,
    source_os,
    target,
    target_objects,
    user_id,
)

SID = "S-1-5-21-57989841-2025429265-839522115-1187"
OTHER_SID = "S-1-5-21-57989841-2025429265-839522115-1203"

# fmt: off
ACCOUNTS = [
    (("kim", "CORP", SID, "kim@example.com", "Kim Example", None),        ("kim", "CORP", "kim@example.com")),
    (("Lee Example", "example.com", None, "lee@example.com", "Lee Example", None), ("lee", "example.com", "lee@example.com")),
    (("Lee Example", "CORP", None, None, "Lee Example", None),            ("Lee Example", "CORP", None)),
    (("kim", "CORP", None, "k.example@example.com", "kim", None),         ("kim", "CORP", "k.example@example.com")),
    ((None, None, None, "kim@example.com", "Kim Example", None),          ("kim", "example.com", "kim@example.com")),
    ((None, None, None, None, "WS-0042$", None),                          ("WS-0042$", None, None)),
    ((None, None, None, None, "Last, First", {}),                         (None, None, None)),
    ((None, None, None, None, None, {"SourceAccountName": "corp.example.com\\svc-scan"}), ("svc-scan", "corp.example.com", None)),
    (("kim", None, None, None, None, {"SourceAccountName": "corp.example.com\\lee"}),     ("kim", None, None)),
    ((None, None, "S-1-5-18", None, None, None),                          ("SYSTEM", "NT AUTHORITY", None)),
    ((None, None, None, None, None, None),                                (None, None, None)),
]
# fmt: on


@pytest.mark.parametrize(("columns", "expected"), ACCOUNTS)
def test_account(columns: tuple[Any, ...], expected: tuple[str | None, ...]) -> None:
    """A display name is no user name, unless a computer's, and what AdditionalFields say comes last."""
    assert account(*columns) == expected


def test_user_id_and_mailbox() -> None:
    """The SID before the object id before what AdditionalFields say; the account's own address before its UPN's."""
    fields = {"SourceAccountSid": OTHER_SID}
    assert user_id(SID, "object", fields) == SID
    assert user_id(None, "object", fields) == "object"
    assert user_id(None, None, fields) == OTHER_SID
    assert user_id(None, None, None) is user_id(None, None, [fields]) is None
    assert mailbox("kim@mail.example.com", "kim@example.com") == "kim@mail.example.com"
    assert mailbox(None, "kim@example.com") == "kim@example.com"


def test_actions_are_dashed_as_in_the_published_package() -> None:
    """Blanks become dashes and letters small."""
    assert dashed("SAMR query") == "samr-query"
    assert dashed("LogonFailed") == "logonfailed"
    assert dashed(None) is None


def test_source_os() -> None:
    """The platform's column wins; without it the computer's system with version and build; its bare type gives no name."""
    full = {
        "SourceComputerOperatingSystem": "windows server 2019 datacenter",
        "SourceComputerOperatingSystemVersion": "10.0 (17763)",
        "SourceComputerOperatingSystemType": "windows",
    }
    assert source_os("Windows 10", full) == ("windows", "windows", "Windows 10", "windows", None, "Windows 10")
    name = "windows server 2019 datacenter"
    assert source_os(None, full) == ("windows", "windows", name, "windows", "10.0", f"{name} 10.0 (17763)")
    assert source_os(None, full | {"SourceComputerOperatingSystemVersion": "10.0"})[4:] == ("10.0", f"{name} 10.0")
    assert source_os(None, full | {"SourceComputerOperatingSystemVersion": None})[4:] == (None, name)
    only_type = {"SourceComputerOperatingSystemType": "windows"}
    assert source_os(None, only_type) == ("windows", "windows", None, "windows", None, None)
    assert source_os(None, {"SourceComputerOperatingSystemType": "unknown"}) == (None,) * 6


def test_attack() -> None:
    """Techniques stand in one text with commas, names with slashes among them; the category may be two words."""
    found = dict(
        zip(
            ATTACK_FIELDS,
            attack(
                {
                    "AttackTechniques": "Remote Services (T1021), SMB/Windows Admin Shares (T1021.002),Lateral Tool Transfer (T1570)",
                    "Category": "Lateral Movement",
                }
            ),
            strict=True,
        )
    )
    assert found["threat.technique.id"] == ["T1021", "T1570"]
    assert found["threat.technique.name"] == ["Remote Services", "Lateral Tool Transfer"]
    assert found["threat.technique.subtechnique.name"] == ["SMB/Windows Admin Shares"]
    assert found["threat.tactic.id"] == ["TA0008"]
    listed = attack({"AttackTechniques": '["Valid Accounts (T1078)"]'})
    assert listed == attack({"AttackTechniques": ["Valid Accounts (T1078)"]})
    assert listed[1:3] == (["T1078"], ["Valid Accounts"])
    assert set(attack({"AttackTechniques": "", "Category": "Malware"})) == {None}
    assert set(attack({"Count": "1"})) == {None}


def test_places_and_providers() -> None:
    """Two capital letters are a country; words for no provider are none."""
    assert location("GB") == ("GB", None)
    assert location("HQ Berlin") == (None, "HQ Berlin")
    assert location("gb") == (None, "gb")
    assert location(None) == (None, None)
    assert provider("Example Broadband") == "Example Broadband"
    assert provider("INTERNAL_NETWORK") is provider("none specified") is provider(None) is None


def test_host_address() -> None:
    """The address is the named computer's; where none is named, it is only where the event came from."""
    assert host_address("ws-0042", "192.0.2.42") == ["192.0.2.42"]
    assert host_address(None, "192.0.2.42") is host_address("ws-0042", None) is None


def test_target() -> None:
    """The account it was done to, by its UPN and display name, and by AdditionalFields where those are missing."""
    assert target("lee@example.com", "Lee Example", {"TargetAccountSid": OTHER_SID}) == (
        "lee",
        "example.com",
        "lee@example.com",
        "Lee Example",
        OTHER_SID,
    )
    assert target(None, "SRV-0007$", None) == ("SRV-0007$", None, None, "SRV-0007$", None)
    assert target(None, None, {"TARGET_OBJECT.USER": "Lee Example"}) == (None, None, None, "Lee Example", None)
    assert target(None, None, {"TARGET_OBJECT.ENTITY_USER": "Lee Example"})[3] == "Lee Example"
    assert target(None, None, {"TARGET_OBJECT.USER": ["x"]}) == (None,) * 5


def test_changed_group() -> None:
    """A group that gets or loses a member, before the member group; a created group by itself."""
    assert changed_group({"TO.GROUP": "Domain Admins", "TARGET_OBJECT.GROUP": "Helpers"}) == "Domain Admins"
    assert changed_group({"FROM.GROUP": "Domain Admins"}) == "Domain Admins"
    assert changed_group({"TARGET_OBJECT.GROUP": "Helpers"}) == "Helpers"
    assert changed_group({"TO.DEVICE": "DC01"}) is None


def test_shared_file() -> None:
    """The name is the path's last part, and a file without a path is a file still."""
    assert shared_file({"FilePath": "a\\b.txt", "FileSize": 5}) == ("a\\b.txt", "b.txt", "txt", 5)
    assert shared_file({"FileName": "b"}) == (None, "b", None, None)
    assert shared_file({"FileSize": 5}) == (None,) * 4


def test_queried() -> None:
    """A SAMR query names a user or a group; other queries name neither."""
    group = queried("SAMR query", "QueryGroup", "Domain Admins", None, None, {"TargetAccountSid": OTHER_SID})
    assert group == (None, None, None, None, None, "Domain Admins", OTHER_SID)
    person = queried("SAMR query", "QueryUser", "CORP\\lee", None, "Lee Example", {"TargetAccountSid": OTHER_SID})
    assert person == ("lee", "CORP", None, "Lee Example", OTHER_SID, None, None)
    assert queried("SAMR query", "QueryUser", "x", "lee@example.com", None, None)[0] == "lee"
    assert queried("LDAP query", "QueryUser", "CORP", None, None, None) == (None,) * 7


def test_dns_question() -> None:
    """Only a DNS query has a question; types are written as DNS has them."""
    assert dns_question("DNS query", "Axfr", "corp.example.com") == ("corp.example.com", "AXFR", "query")
    assert dns_question("DNS query", None, "corp.example.com") == ("corp.example.com", None, "query")
    assert dns_question("LDAP query", "Text", "corp.example.com") == (None, None, None)


def test_outcome() -> None:
    """Okta's results in ECS' words; what is neither is unknown, and no result leaves what the action says."""
    assert outcome("SUCCESS", None) == outcome("Allow", None) == "success"
    assert outcome("FAILURE", "success") == outcome("DENY", None) == "failure"
    assert outcome("SKIPPED", "success") == "unknown"
    assert outcome(None, "success") == "success"


def test_target_objects() -> None:
    """The first user and the first group, with keys in any case, in a list or alone; the rest stays in the vendor field."""
    user = {"Id": "u1", "TYPE": "AppUser", "alternateId": "lee@example.com", "DisplayName": "Lee Example"}
    group = {"id": "g1", "type": "UserGroup", "displayName": "Administrators"}
    assert target_objects([user, group]) == (
        "lee",
        "example.com",
        "lee@example.com",
        "Lee Example",
        "u1",
        "Administrators",
        "g1",
    )
    assert target_objects([group])[5:] == ("Administrators", "g1")
    assert target_objects([group])[:5] == (None,) * 5
    assert target_objects([group, group | {"id": "g2"}, user, user | {"Id": "u2"}])[4:] == (
        "u1",
        "Administrators",
        "g1",
    )
    assert target_objects(user)[4] == "u1"
    assert target_objects({"values": ["u1"]}) == (None,) * 7


KEYS = [
    "AttackTechniques", "Category", "FileName", "FilePath", "FileSize", "SourceAccountName", "SourceComputerOperatingSystem",
    "TARGET_OBJECT.USER", "TO.GROUP", "TargetAccountSid", "alternateId", "displayName", "id", "type",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["User", "UserGroup", "a (T1078), b (T1078.002)", "Discovery", "x\\y", "10.0 (1)"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.none() | st.text(max_size=12),
    st.none() | st.sampled_from(["SAMR query", "DNS query", "QueryUser", "QueryGroup", "WS$"]),
)
def test_anything_has_a_shape(fields: Any, told: str | None, word: str | None) -> None:
    """No value of AdditionalFields raises, and nothing that comes out is empty text."""
    results: tuple[Any, ...] = (
        *account(told, word, None, None, word, fields),
        *source_os(None, fields),
        *attack(fields),
        *target(told, word, fields),
        changed_group(fields),
        *shared_file(fields),
        *queried(word, word, told, None, word, fields),
        *target_objects(fields),
        user_id(None, None, fields),
    )
    assert [found for found in results if found == "" and told != ""] == []


def test_nothing_comes_out_of_nothing() -> None:
    """Rules of absent columns are not called, so they must have nothing to say then."""
    results: tuple[Any, ...] = (
        *source_os(None, None),
        *attack(None),
        *target(None, None, None),
        *target_objects(None),
        *queried(None, None, None, None, None, None),
        *dns_question(None, None, None),
        *shared_file(None),
        changed_group(None),
        outcome(None, None),
        mailbox(None, None),
    )
    assert set(results) == {None}
