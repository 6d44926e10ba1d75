"""How long to wait before sending again."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import LONGEST_RETRY_AFTER, Clock, Gate, retry_after


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_jittered_and_capped(failures: int, chance: float) -> None:
    """A delay is between half and all of the doubled first one, and never above the longest."""
    clock = Clock(chance=lambda: chance)
    full = min(30.0, 0.5 * 2.0 ** (min(max(failures, 1), 20) - 1))
    assert full / 2 <= clock.delay(failures) <= full


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 12 ", 12.0),
        (formatdate(1_000_030, usegmt=True), 30.0),
        (formatdate(999_000, usegmt=True), 0.0),
        ("999999999999", LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 2999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110 are read, bounded, and anything else counts as not said."""
    assert retry_after(value, wall=1_000_000.0) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_raises(value: str) -> None:
    """Whatever a proxy writes there, we go on."""
    seconds = retry_after(value, wall=0.0)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


def test_a_gate_only_ever_opens_later() -> None:
    """A second, shorter Retry-After does not undo the first."""
    gate = Gate()
    gate.close_until(50.0)
    gate.close_until(20.0)
    assert gate.opens == 50.0
