"""Devices: processes, files, registry, network and logons of Defender for Endpoint."""

from __future__ import annotations

from tools.dashboards.views import EVENT, OUTCOME, SEVERITY
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Parts,
    Row,
    Top,
    count,
    donut,
    metric,
    over_time,
    table,
    top,
    unique,
)

EVENTS = count("Events")


def of(*tables: str) -> str:
    """Events of these Device* tables."""
    return f"m365_defender.event.category: ({' or '.join(f'AdvancedHunting-Device{table}' for table in tables)})"


ALL = "m365_defender.event.category: AdvancedHunting-Device*"
FAILED = f"{of('LogonEvents')} and event.outcome: failure"

KINDS = Parts("Kind", (
    ("Processes", of("ProcessEvents")), ("Connections", of("NetworkEvents")), ("Files", of("FileEvents")), ("Images loaded", of("ImageLoadEvents")),
    ("Registry", of("RegistryEvents")), ("Logons", of("LogonEvents")), ("Other events", of("Events")), ("Inventory", of("Info", "NetworkInfo", "FileCertificateInfo")),
))  # fmt: skip

BOARD = Dashboard(
    key="devices",
    title="Defender: Devices",
    about="What devices did: processes, files, registry, network, logons, and how exposed they are.",
    questions=(
        "Which devices are the busiest, and which tables still come in?",
        "Which processes start, and which parents start them?",
        "Who fails to log on, and from where?",
        "Where do devices connect to, and what is written to files and the registry?",
    ),
    controls=(
        Control("Tenant", EVENT, "m365_defender.event.tenant.id"),
        Control("Host", EVENT, "host.name"),
        Control("User", EVENT, "user.name"),
        Control("Action", EVENT, "event.action"),
    ),
    rows=(
        Row(
            6,
            (
                metric("Devices", EVENT, unique("host.id", "Devices"), where=ALL, width=8),
                metric("Events", EVENT, EVENTS, parts=Parts("What", (
                    ("Processes", of("ProcessEvents")),
                    ("Connections", of("NetworkEvents")),
                    ("File changes", of("FileEvents")),
                    ("Registry changes", of("RegistryEvents")),
                    ("Failed logons", FAILED),
                ))),
            ),
        ),
        Row(
            12,
            (
                over_time("Events by kind", EVENT, EVENTS, split=KINDS, where=ALL, width=32),
                donut("Devices by exposure", EVENT, Top("m365_defender.event.exposure_level", "Exposure", 5), unique("host.id", "Devices"), where=of("Info"), colours=SEVERITY),
            ),
        ),
        Row(
            13,
            (
                top("Processes started most", EVENT, Top("process.name", "Process"), EVENTS, where=of("ProcessEvents")),
                table("Parents and what they start", EVENT, (Top("process.parent.name", "Parent", 8), Top("process.name", "Process", 3)), (EVENTS, unique("host.id", "Devices")), where=of("ProcessEvents")),
                top("Other events by action", EVENT, Top("event.action", "Action", 12), EVENTS, where=of("Events")),
            ),
        ),
        Row(
            13,
            (
                over_time("Logons", EVENT, EVENTS, split=Top("event.outcome", "Outcome", 3), where=of("LogonEvents"), colours=OUTCOME),
                table("Failed logons", EVENT, (Top("user.name", "User"),), (EVENTS, unique("host.id", "Devices"), unique("source.ip", "Addresses")), where=FAILED),
                top("Logon types", EVENT, Top("m365_defender.event.logon.type", "Type", 8), EVENTS, split=Top("event.outcome", "Outcome", 3), where=of("LogonEvents"), colours=OUTCOME),
            ),
        ),
        Row(
            13,
            (
                table("Where devices connect to", EVENT, (Top("destination.domain", "Domain"), Top("destination.port", "Port", 1)), (EVENTS, unique("host.id", "Devices"), unique("process.name", "Programs")), where=of("NetworkEvents")),
                top("Files by extension", EVENT, Top("file.extension", "Extension", 10), EVENTS, split=Top("event.action", "Action", 4), where=of("FileEvents")),
                table("Registry keys written", EVENT, (Top("registry.key", "Key"),), (EVENTS, unique("host.id", "Devices")), where=of("RegistryEvents")),
            ),
        ),
    ),
)  # fmt: skip
