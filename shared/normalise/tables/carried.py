"""Tables we have no mapping of: the columns that mean the same in many tables are mapped, the rest goes into the bag.

Microsoft adds tables and columns before its documents name them (elastic/integrations#12172); refusing them would lose events.
"""

from __future__ import annotations

from dataclasses import replace

from shared.normalise.mapping import Table, ecs, table, vendor
from shared.normalise.tables.device import FILE, FILE_ORIGIN
from shared.normalise.tables.fragments import (
    ACCOUNT,
    ACTION,
    DEVICE,
    ENVELOPE,
    INITIATING_LOGON,
    INITIATING_PARENT,
    INITIATING_PROCESS,
    INITIATING_PROCESS_USER,
    INITIATING_TOKEN,
    os_type,
)
from shared.normalise.tables.network_rows import LOCAL_AND_REMOTE, TRANSPORT, url_rule

# fmt: off
_XDR = table(
    "(a table we do not know)", (),
    ENVELOPE, DEVICE, ACTION,
    os_type(platform="OSPlatform", path="FolderPath", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName",
            additional_fields="AdditionalFields", sid="AccountSid", initiating_sid="InitiatingProcessAccountSid"),
    vendor("OSPlatform", "keyword", "os.platform"),
    *FILE, *FILE_ORIGIN, *LOCAL_AND_REMOTE, *TRANSPORT,
    vendor("RemoteUrl", "keyword", "remote.url", told=True), url_rule("RemoteUrl"),
    ecs("IPAddress",    "ip",      "client.ip", vendor="ip_address", related="ip"),
    ecs("UserAgent",    "keyword", "user_agent.original", vendor="user_agent"),
    ecs("AlertId",      "keyword", "event.id", vendor="alert.id"),
    ecs("Title",        "keyword", "message", vendor="title"),
    vendor("ServiceSource",   "keyword", "service_source"),
    vendor("DetectionSource", "keyword", "detection.source"),
    vendor("ProcessId",       "long",     "process.id"),
    vendor("ProcessCommandLine", "wildcard", "process.command_line"),
    ACCOUNT.at("user"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"), INITIATING_LOGON, INITIATING_PROCESS_USER,
)
# fmt: on


def carrier(name: str, *, cloud: bool = False) -> Table:
    """The mapping for a table, or a kind of Defender for Cloud message, that we have none of, under its own name."""
    if cloud:
        from shared.normalise.tables.cloud_carried import CARRIED

        return replace(CARRIED, name=name)
    return replace(_XDR, name=name)
