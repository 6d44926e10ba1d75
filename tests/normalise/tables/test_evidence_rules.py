"""AdditionalFields of evidence rows: what an entity says beyond the table's own columns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.evidence_rules import MAIL_FIELDS, PROCESS_FIELDS, mail, process, told_platform

ENTITY = {
    "ProcessId": "0x1bc0",
    "CreationTimeUtc": "2026-03-04T10:07:58.5Z",
    "ParentProcess": {"ProcessId": 4820, "CommandLine": "x -y", "ImageFile": {"Name": "x.exe", "Directory": "C:\\a"}},
}
MAIL = {"P1Sender": "bounce@a.example", "P2Sender": "kim@a.example", "Sender": "old@a.example", "Recipient": "sam@b.example",
        "InternetMessageId": "<1@a.example>", "AntispamDirection": "Outbound", "SenderIP": "::ffff:192.0.2.1"}  # fmt: skip


def test_a_process_has_its_id_start_and_parent() -> None:
    """Of a process only; ids in decimal, hexadecimal or as numbers."""
    assert process("Process", ENTITY) == (
        7104,
        "2026-03-04T10:07:58.5Z",
        4820,
        None,
        "x -y",
        "x.exe",
        "C:\\a\\x.exe",
    )
    assert process("File", ENTITY) == process("Process", None) == (None,) * len(PROCESS_FIELDS)


def test_a_mail_has_both_ends() -> None:
    """The sender that the recipient sees is from, the envelope's is sender; of a mail only."""
    assert mail("MailMessage", MAIL) == (
        ["kim@a.example"],
        "bounce@a.example",
        ["sam@b.example"],
        "<1@a.example>",
        "outbound",
        "192.0.2.1",
    )
    assert mail("MailMessage", {"Sender": "old@a.example"})[0] == ["old@a.example"]
    assert mail("Mailbox", MAIL) == mail("MailMessage", [MAIL]) == (None,) * len(MAIL_FIELDS)


def test_a_machine_may_tell_its_platform() -> None:
    """In either key; numbers of an enumeration that is not documented tell nothing."""
    assert (
        told_platform("Machine", {"OSFamily": "Linux"}) == told_platform("Machine", {"OsPlatform": "Linux"}) == "Linux"
    )
    assert told_platform("Machine", {"OSFamily": 1}) is told_platform("User", {"OSFamily": "Linux"}) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ENTITY, *MAIL, "ImageFile", "Name"]), inner),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(["Process", "MailMessage", "Machine"]), ANY)
def test_whatever_comes_gives_as_many_fields(entity: str, fields: Any) -> None:
    """No exception, and no value of a type that the field does not take."""
    found = process(entity, fields)
    assert len(found) == len(PROCESS_FIELDS)
    assert all(value is None or value.__class__ in (int, str) for value in found)
    assert len(mail(entity, fields)) == len(MAIL_FIELDS)
    told_platform(entity, fields)


@pytest.mark.parametrize("number", [-1, 2**63, True, "", "x", "1" * 40, 1.5, None])
def test_what_is_no_process_id_is_none(number: Any) -> None:
    """Elasticsearch takes 64 bits."""
    assert process("Process", {"ProcessId": number})[0] is None
