"""Rules of behaviours and of attack disruption: how long something went on, which device told of it, who was on either end."""

from __future__ import annotations

from datetime import datetime

from shared.normalise.tables.fragments import host_names

MICROSECOND = 1_000  # nanoseconds
_NO_PROTOCOL = frozenset({"undefined", "unknown", "none"})


def duration(start: str | None, end: str | None) -> int | None:
    """event.duration: nanoseconds from event.start to event.end (microseconds count); None where one is missing or the order is wrong."""
    if start is None or end is None:
        return None
    try:
        passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (ValueError, TypeError):
        return None
    found = (passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds) * MICROSECOND
    return found if 0 <= found < 2**63 else None


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
