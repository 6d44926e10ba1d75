"""Rules of behaviours and of attack disruption: how long something went on, which device told of it, who was on either end."""

from __future__ import annotations

from datetime import datetime

from shared.normalise.tables.fragments import host_names

SECOND = 1_000_000_000  # nanoseconds
MICROSECONDS = len("2026-01-02T03:04:05.678901Z")  # what Python reads whole
_NO_PROTOCOL = frozenset({"undefined", "unknown", "none"})


def duration(start: str | None, end: str | None) -> int | None:
    """event.duration: nanoseconds from event.start to event.end, each with the digits it has; None where one is missing or the order is wrong."""
    if start is None or end is None:
        return None
    try:
        if start[-1:] == end[-1:] == "Z" and len(start) <= MICROSECONDS >= len(end):
            passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
            found = (passed.days * 86_400 + passed.seconds) * SECOND + passed.microseconds * 1000
        else:
            found = _nanoseconds(end) - _nanoseconds(start)
    except (ValueError, TypeError):
        return None
    return found if 0 <= found < 2**63 else None


def _nanoseconds(moment: str) -> int:
    """Since the year 1, of a time as `convert.date` writes it; ValueError for any other."""
    passed = datetime.fromisoformat(moment[:19]) - datetime.min  # noqa: DTZ901  both without a zone, as UTC
    if moment[-1:] != "Z" or (moment[19] == "." and not moment[20:-1].isdecimal()):
        raise ValueError(moment)
    return (passed.days * 86_400 + passed.seconds) * SECOND + int(moment[20:-1].ljust(9, "0") or 0)


def device_name(name: str | None, domain: str | None) -> str | None:
    """A device's full name out of its name and its DNS domain; a NetBIOS domain (`CORP`) is no part of it.

    >>> device_name("WS1", "corp.example.com"), device_name("ws1.corp.example.com", "corp.example.com"), device_name("WS1", "CORP")
    ('WS1.corp.example.com', 'ws1.corp.example.com', 'WS1')
    """
    if name is None or domain is None or "." in name or "." not in domain:
        return name
    return f"{name}.{domain}"


def reporting_host(name: str | None, domain: str | None) -> tuple[str | None, str | None, str | None]:
    """DeviceName and DomainName of the device that reported -> host.(name, hostname, domain); the domain's own column wins."""
    full, hostname, found = host_names(device_name(name, domain))
    return full, hostname, domain or found


def authentication_protocol(name: str | None) -> str | None:
    """AuthenticationProtocol (`NTLM`, `Kerberos`, `Undefined`) -> network.protocol, as in DeviceLogonEvents."""
    return None if name is None or name.lower() in _NO_PROTOCOL else name.lower()
