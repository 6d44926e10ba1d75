"""Rows that the inventory, posture and exposure tables share: records of how things stand, most of them without a Timestamp."""

from __future__ import annotations

from shared.normalise.mapping import Fragment, ecs, rule, vendor
from shared.normalise.rules.platform import device_os
from shared.normalise.tables.fragments import DEVICE, ENVELOPE, first, host_names


def snapshot(*times: str) -> Fragment:
    """The envelope of a table whose rows say how things stand: most have no column Timestamp by the documents.

    @timestamp is the first of the table's own `times` that is there, else when Defender recorded or exported the row. Own times
    come first because a row is delivered again and again while nothing changes: its document must not depend on the delivery.
    """
    columns = ENVELOPE.columns if "Timestamp" in times else ENVELOPE.without("Timestamp").columns
    received = ("/_TimeReceivedBySvc", "/time")
    created = rule(first, received, "event.created", kind="date")
    if not times:
        return Fragment(columns, (rule(first, received, "@timestamp", kind="date"), created))
    own = rule(first, times, "#own_time", kind="date")
    return Fragment(columns, (own, rule(first, ("#own_time", *received), "@timestamp", kind="date"), created))


# fmt: off
# The stream gives every row about a device its group, and rows a Timestamp, which the tables' own pages do not list.
GROUP = vendor("MachineGroup", "keyword", "machine_group")

# The device, in tables that list what is on it …
INVENTORIED_DEVICE = DEVICE.without("ReportId")

# … in those that give no more of it than its id …
DEVICE_ID = Fragment((
    ecs("DeviceId",   "keyword", "host.id", "device.id", "cloud.instance.id", vendor="device.id", related="hosts"),
    GROUP,
))

# … and where it is what was found to be vulnerable or misconfigured: resource.id and resource.name are what Kibana's findings pages show
# (Elastic's vulnerability and assessment data streams).
ASSESSED_DEVICE = Fragment((
    ecs("DeviceId",   "keyword", "host.id", "device.id", "cloud.instance.id", "resource.id", vendor="device.id", related="hosts"),
    ecs("DeviceName", "keyword", "resource.name", vendor="device.name"),
    GROUP,
), (
    rule(host_names, ("DeviceName",), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
))

_OS_FIELDS = ("host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full")
PLATFORM = Fragment((
    vendor("OSPlatform",    "keyword", "os.platform", told=True),
), (
    rule(device_os, ("OSPlatform", "", "", ""), *_OS_FIELDS),
))
PLATFORM_AND_VERSION = Fragment((
    vendor("OSPlatform",    "keyword", "os.platform", told=True),
    vendor("OSVersion",     "keyword", "os.version",  told=True),
), (
    rule(device_os, ("OSPlatform", "", "OSVersion", ""), *_OS_FIELDS),
))
OPERATING_SYSTEM = Fragment((
    *PLATFORM_AND_VERSION.columns,
    ecs("OSArchitecture",   "keyword", "host.architecture", vendor="os.architecture"),
), PLATFORM_AND_VERSION.rules)

# A product installed on a device. ECS has no vendor of a package.
SOFTWARE = Fragment((
    vendor("SoftwareVendor", "keyword", "software.vendor"),
    ecs("SoftwareName",      "keyword", "package.name",    vendor="software.name"),
    ecs("SoftwareVersion",   "keyword", "package.version", vendor="software.version"),
))
# fmt: on
