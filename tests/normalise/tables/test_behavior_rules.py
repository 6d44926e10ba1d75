"""Behaviours have a duration, and the devices of attack disruption a full name."""

from __future__ import annotations

import pytest

from shared.normalise.tables.behavior_rules import authentication_protocol, device_name, duration, reporting_host


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06.5Z", 1_500_000_000),
        ("2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.1234569Z", 200),
        ("2026-01-02T03:04:05.9Z", "2026-01-02T03:04:06.000000001Z", 100_000_001),
        ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", 172_800_000_000_000),
        ("2026-01-02T03:04:06Z", "2026-01-02T03:04:05Z", None),
        ("0001-01-02T00:00:00Z", "9999-12-31T23:59:59Z", None),
        ("2026-01-02", "2026-01-02T03:04:05Z", None),
        ("yesterday", "2026-01-02T03:04:05Z", None),
        (None, "2026-01-02T03:04:05Z", None),
        ("2026-01-02T03:04:05Z", None, None),
    ],
)
def test_durations(start: str | None, end: str | None, expected: int | None) -> None:
    """Nanoseconds between two times; nothing where one is missing, wrong or earlier, or the number has more than 63 bits."""
    assert duration(start, end) == expected


@pytest.mark.parametrize(
    ("name", "domain", "full", "host"),
    [
        ("WS1", "corp.example.com", "WS1.corp.example.com", ("ws1.corp.example.com", "WS1", "corp.example.com")),
        ("ws1.corp.example.com", None, "ws1.corp.example.com", ("ws1.corp.example.com", "ws1", "corp.example.com")),
        ("WS1", "CORP", "WS1", ("ws1", "WS1", "CORP")),
        ("WS1", None, "WS1", ("ws1", "WS1", None)),
        (None, "corp.example.com", None, (None, None, "corp.example.com")),
        (None, None, None, (None, None, None)),
    ],
)
def test_names_of_devices(name: str | None, domain: str | None, full: str | None, host: tuple[str | None, ...]) -> None:
    """A DNS domain completes a short name, a NetBIOS domain does not, and the domain's own column is host.domain."""
    assert device_name(name, domain) == full
    assert reporting_host(name, domain) == host


def test_undefined_is_no_protocol() -> None:
    """`Undefined` gives no network.protocol, a real one its name in lower case."""
    assert [authentication_protocol(name) for name in ("NTLM", "Kerberos", "Undefined", None)] == [
        "ntlm",
        "kerberos",
        None,
        None,
    ]
