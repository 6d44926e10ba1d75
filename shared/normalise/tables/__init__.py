"""The tables we map, by name; a family's tables are imported when one of them is first needed."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from shared.normalise.mapping import Table

# table -> the module that says what it means
# fmt: off
FAMILIES: dict[str, str] = {
    "AlertEvidence":             "alert",
    "AlertInfo":                 "alert",
    "DeviceEvents":              "device_events",
    "DeviceFileCertificateInfo": "device",
    "DeviceFileEvents":          "device",
    "DeviceImageLoadEvents":     "device",
    "DeviceInfo":                "device",
    "DeviceLogonEvents":         "device",
    "DeviceNetworkEvents":       "device_network",
    "DeviceNetworkInfo":         "device",
    "DeviceProcessEvents":       "device",
    "DeviceRegistryEvents":      "device",
}
# fmt: on


@cache
def family(module: str) -> dict[str, Table]:
    """The tables of one module, by name."""
    found = vars(import_module(f"shared.normalise.tables.{module}"))
    return {table.name: table for name, table in found.items() if isinstance(table, Table) and not name.startswith("_")}


def table(name: str) -> Table | None:
    """The table of that name, or None where we map none."""
    module = FAMILIES.get(name)
    return None if module is None else family(module)[name]


def carrier(name: str, *, cloud: bool = False) -> Table:
    """The mapping for a table, or a kind of Defender for Cloud message, that we have none of."""
    from shared.normalise.tables import carried

    return carried.carrier(name, cloud=cloud)


def all_tables() -> tuple[Table, ...]:
    """Every table we map, for laws, templates and docs."""
    return tuple(found for name in FAMILIES if (found := table(name)) is not None)
