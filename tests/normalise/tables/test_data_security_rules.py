"""Purview's lists in text are separated, its numbers become words, and devices and recipients are found within its lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.data_security_rules import (
    account,
    client_addresses,
    devices,
    enforcement,
    entries,
    location,
    moved_file,
    recipients,
    separate,
)

PATH = r"C:\Users\kim\a.xlsx"


def test_lists_in_text_are_separated() -> None:
    """Commas and semicolons separate, blanks around members go, each member counts once."""
    assert separate(["a, b;c", "b", " "]) == ["a", "b", "c"]
    assert separate([";"]) is None
    assert separate(None) is None


def test_the_first_address_is_the_source() -> None:
    """Of several addresses the first is source.ip; what is none is left out."""
    assert client_addresses(["192.0.2.1, 2001:db8::1", "fe80::1%eth0", "host"]) == (
        "192.0.2.1",
        ["192.0.2.1", "2001:db8::1", "fe80::1"],
    )
    assert client_addresses(["host"]) == client_addresses(None) == (None, None)


def test_numbers_become_words() -> None:
    """Documented numbers have words, others stay as text; a block is a failure, anything else leaves the outcome alone."""
    assert [location(number) for number in (0, 3, 5, 6, -1, None)] == [
        "unknown",
        "removable",
        "file_share",
        "6",
        "-1",
        None,
    ]
    assert enforcement(4, None) == ("block", "failure")
    assert enforcement(5, "success") == ("allow", "success")
    assert enforcement(None, None) == (None, None)


def test_the_address_column_wins() -> None:
    """user.email is AccountEmail where there is one, else the UPN's."""
    assert account("kim@example.com", "kim.doe@example.com") == ("kim", "example.com", "kim.doe@example.com")
    assert account("kim@example.com", None) == ("kim", "example.com", "kim@example.com")
    assert account(None, "kim.doe@example.com") == ("kim.doe", "example.com", "kim.doe@example.com")
    assert account(None, None) == (None, None, None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("File", PATH, "a.xlsx", r"E:\a.xlsx"), ("a.xlsx", PATH)),
        (("File", "f1", "a.xlsx", r"E:\a.xlsx"), ("a.xlsx", r"E:\a.xlsx")),
        (("File", "f1", "a.xlsx", None), ("a.xlsx", None)),
        ((None, PATH, None, None), ("a.xlsx", PATH)),
        (("Email", "m1", "Prices", None), (None, None)),
        ((None, None, None, None), (None, None)),
    ],
)
def test_files_have_the_path_they_came_from(arguments: Any, expected: tuple[str | None, str | None]) -> None:
    """A path in ObjectId comes before the target's; what is no file has neither name nor path."""
    assert moved_file(*arguments) == expected


def test_one_device_is_the_host() -> None:
    """A single device is host.*; of several only related.hosts tells, and the spelling of keys does not matter."""
    one = [{"DeviceId": "d1", "Device Name": "WS1.corp.example.com"}, {"device_id": "d1"}]
    host = ("ws1.corp.example.com", "WS1", "corp.example.com")
    assert devices(one) == ("d1", "d1", "d1", *host, ["d1", "ws1.corp.example.com"])
    two = [{"DeviceId": "d1"}, {"DeviceId": "d2", "DeviceName": "WS2"}]
    assert devices(two) == (*(None,) * 6, ["d1", "d2", "ws2"])
    assert devices(None) == devices({"values": ["d1"]}) == (None,) * 7


def test_recipients_are_addresses() -> None:
    """Every text with an at sign in the objects is a recipient, once."""
    assert recipients([{"Recipient": "lee@example.net", "Count": 2}, {"x": "lee@example.net"}]) == ["lee@example.net"]
    assert recipients({"text": "none"}) is None
    assert entries({"values": [1, {"a": 1}]}) == [{"a": 1}]


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["DeviceId", "DeviceName", "values", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    value=JSON,
    texts=st.none() | st.lists(st.text(max_size=30), max_size=5),
    text=st.none() | st.text(min_size=1, max_size=30),
)
def test_anything_has_an_answer(value: Any, texts: list[str] | None, text: str | None) -> None:
    """No value makes a rule raise."""
    devices(value)
    recipients(value)
    separate(texts)
    client_addresses(texts)
    account(text, text)
    moved_file(text, text, text, text)
