"""Entra ID's numbers become words, results and times, and what they do not mean stays out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.sign_in_rules import (
    browser,
    conditional_access_status,
    country,
    duration,
    external,
    geo_point,
    request_result,
    risk_level,
    risk_state,
    scopes,
    sign_in_result,
    token_issuer,
)

# fmt: off
RESULTS = [
    (0,       ("success", None,      None)),
    (50126,   ("failure", "50126",   "InvalidUserNameOrPassword")),
    (50053,   ("failure", "50053",   "IdsLocked")),
    (53003,   ("failure", "53003",   "BlockedByConditionalAccess")),
    (50074,   ("unknown", "50074",   "UserStrongAuthClientAuthNRequiredInterrupt")),
    (50140,   ("unknown", "50140",   "KmsiInterrupt")),
    (7000222, ("failure", "7000222", "InvalidClientSecretExpiredKeysProvided")),
    (424242,  ("failure", "424242",  None)),
    (None,    (None,      None,      None)),
]
# fmt: on


@pytest.mark.parametrize(("code", "expected"), RESULTS)
def test_sign_in_result(code: int | None, expected: tuple[str | None, ...]) -> None:
    """A success, failures with their names, interrupts that are neither, and a code that nobody knows."""
    assert sign_in_result(code) == expected


def test_numbers_in_words() -> None:
    """Microsoft's numbers get its words; numbers that it does not name stay, as text."""
    assert [risk_level(number) for number in (0, 1, 10, 50, 100, 7)] == [
        ("notSet", None),
        ("none", 0.0),
        ("low", 10.0),
        ("medium", 50.0),
        ("high", 100.0),
        ("7", 7.0),
    ]
    assert [risk_state(number) for number in (0, 3, 4, 5, 9)] == [
        "none",
        "dismissed",
        "atRisk",
        "confirmedCompromised",
        "9",
    ]
    assert [conditional_access_status(number) for number in (0, 1, 2, 3)] == ["success", "failure", "notApplied", "3"]
    assert [token_issuer(number) for number in (0, 1, 2)] == [
        "Microsoft Entra ID",
        "Active Directory Federation Services",
        "2",
    ]
    assert [external(number) for number in (1, 0, -1, 2, None)] == [True, False, None, None, None]


def test_browser() -> None:
    """A version is what ends in the text and begins with a digit."""
    assert browser("Edge 133.0.0") == ("Edge", "133.0.0")
    assert browser("Chrome Mobile 120") == ("Chrome Mobile", "120")
    assert browser("Rich Client") == ("Rich Client", None)
    assert browser("133") == ("133", None)
    assert browser(" " * 5_000 + "1") == (" " * 5_000 + "1", None)


def test_country() -> None:
    """Two letters are a code, in either case; anything longer a name."""
    assert country("de") == ("DE", None)
    assert country("Netherlands") == (None, "Netherlands")
    assert country("ÄÖ") == (None, "ÄÖ")


def test_geo_point() -> None:
    """A place needs both numbers; zero is one."""
    assert geo_point(0.0, -0.5) == {"lat": 0.0, "lon": -0.5}
    assert geo_point(1.0, None) is geo_point(None, 1.0) is None


def test_request_result() -> None:
    """Redirects succeed, 4xx and 5xx fail, and what is no HTTP status says nothing."""
    assert [request_result(status) for status in (200, 304, 403, 503)] == ["success", "success", "failure", "failure"]
    assert request_result(0) is request_result(999) is request_result(None) is None


def test_duration() -> None:
    """Milliseconds become nanoseconds, as long as they fit a long."""
    assert duration(1234567.0) == 1_234_567_000_000
    assert duration(12.5) == 12_500_000
    assert duration(0.0) == 0
    assert duration(-1.0) is duration(1e300) is duration(None) is None


def test_scopes() -> None:
    """Scopes are parted by blanks, each counted once."""
    assert scopes("User.Read Mail.Read  User.Read") == ["User.Read", "Mail.Read"]
    assert scopes("  ") is scopes(None) is None


@given(st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.text(), st.none() | st.floats(allow_nan=False))
def test_anything_has_a_shape(number: int | None, text: str | None, milliseconds: float | None) -> None:
    """No number and no text raises; nothing comes out of nothing."""
    outcome, code, reason = sign_in_result(number)
    assert (outcome is None) == (number is None)
    assert reason is None or code is not None
    assert (risk_level(number)[0] is None) == (number is None)
    assert (browser(text)[0] is None) == (text is None)
    assert (country(text) == (None, None)) == (text is None)
    found = duration(milliseconds)
    assert found is None or 0 <= found < 2**63
    assert scopes(text) != []
