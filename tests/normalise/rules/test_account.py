"""Account columns become user.name, user.domain and user.email in the spelling that rules compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.account import address, is_computer, split, user

SID = "S-1-5-21-57989841-2025429265-839522115-962270"


# fmt: off
USER = [
    (("janebloggs", "corporatedomain", SID, "j@example.com"),      ("janebloggs", "corporatedomain", "j@example.com")),
    (("system", "nt authority", "S-1-5-18", None),                 ("SYSTEM", "NT AUTHORITY", None)),
    (("SYSTEM", "NT AUTHORITY", "S-1-5-18", None),                 ("SYSTEM", "NT AUTHORITY", None)),
    (("system", "nt authority", None, None),                       ("SYSTEM", "NT AUTHORITY", None)),
    (("network service", "nt authority", "S-1-5-20", None),        ("NETWORK SERVICE", "NT AUTHORITY", None)),
    (("local service", "nt authority", "S-1-5-19", None),          ("LOCAL SERVICE", "NT AUTHORITY", None)),
    ((None, None, "S-1-5-18", None),                               ("SYSTEM", "NT AUTHORITY", None)),
    (("root", "macbookpro-123", "S-1-5-18", None),                 ("root", "macbookpro-123", None)),
    (("système", "autorite nt", "S-1-5-18", None),                 ("système", "autorite nt", None)),
    (("SYSTEM", "NT-AUTORITÄT", "S-1-5-18", None),                 ("SYSTEM", "NT-AUTORITÄT", None)),
    (("HOST1$", "contoso", "S-1-5-18", None),                      ("HOST1$", "contoso", None)),
    (("dwm-1", "window manager", "S-1-5-90-0-1", None),            ("dwm-1", "Window Manager", None)),
    (("defaultapppool", "iis apppool", "S-1-5-82-1", None),        ("defaultapppool", "IIS APPPOOL", None)),
    (("CONTOSO\\kim", None, None, None),                           ("kim", "CONTOSO", None)),
    (("CONTOSO\\kim", "other", None, None),                        ("kim", "other", None)),
    (("kim@example.com", None, None, None),                        ("kim", "example.com", "kim@example.com")),
    ((None, None, None, "kim@example.com"),                        ("kim", "example.com", "kim@example.com")),
    ((None, "contoso", SID, "kim@example.com"),                    ("kim", "contoso", "kim@example.com")),
    (("kim", None, None, "k.im_example.com#EXT#@t.onmicrosoft.com"), ("kim", None, "k.im@example.com")),
    (("-", "-", None, None),                                       (None, None, None)),
    ((None, None, None, None),                                     (None, None, None)),
    (("Last, First", None, None, None),                            ("Last, First", None, None)),
]
# fmt: on


@pytest.mark.parametrize(("columns", "expected"), USER)
def test_user(columns: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    """Real forms of the four columns, the traps among them (root with a Windows SID, localised names, guests)."""
    assert user(*columns) == expected


def test_literals_of_public_rules() -> None:
    """One rule compares user.name with "SYSTEM" and others user.domain with "NT AUTHORITY", heeding case."""
    name, domain, _ = user("system", "nt authority", "S-1-5-18")
    assert name == "SYSTEM"
    assert domain == "NT AUTHORITY"


def test_split_and_address() -> None:
    """The pieces by themselves, also where there is nothing to split."""
    assert split("a\\b\\c") == ("b\\c", "a", None)
    assert split("\\kim") == ("kim", None, None)
    assert split("CONTOSO\\") == ("CONTOSO", None, None)
    assert split("@x") == ("@x", None, None)
    assert address("kim") is address("@x") is address("x@") is address(None) is address("a b@c") is None
    assert address("#EXT#@x.y") == "#EXT#@x.y"


def test_computers() -> None:
    """A computer's account ends in a dollar sign."""
    assert is_computer("HOST1$") is True
    assert is_computer("kim") is False
    assert is_computer(None) is None


PIECES = (
    st.none()
    | st.text(alphabet="aS\\@#.-_ EXT1", max_size=24)
    | st.text()
    | st.sampled_from(["S-1-5-18", "nt authority"])
)


@given(PIECES, PIECES, PIECES, PIECES)
def test_anything_has_a_shape(name: str | None, domain: str | None, sid: str | None, upn: str | None) -> None:
    """No text raises, nothing that comes out is empty, and an address has both its halves."""
    found = user(name, domain, sid, upn)
    assert "" not in found
    assert found[2] is None or all(found[2].rpartition("@")[::2])
    assert is_computer(name) in (None, True, False)
