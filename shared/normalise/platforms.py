"""What is known of devices' platforms, for records that do not prove their own: learnt from DeviceInfo, and from what only macOS has.

Memory of the process, within bounds. It touches host.os.type and host.os.family and nothing else (docs/decisions/0006-learnt-platforms.md).
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from shared.normalise.mapping import Table
from shared.normalise.rules.platform import os_family

MOST_DEVICES = 20_000  # of which one takes 250 bytes


def tells(table: Table) -> bool:
    """Whether a table of devices has a column for the platform, which is believed before what other records prove."""
    return table.name.startswith("Device") and any(column.source == "OSPlatform" for column in table.columns)


class Platforms:
    """(tenant, device) -> host.os.type; of more than `most` devices the one forgotten is that of which nothing was learnt for longest."""

    def __init__(self, most: int = MOST_DEVICES) -> None:
        self._most = most
        self._types: dict[tuple[Any, Any], str] = {}
        self._learning = Lock()

    def settle(self, host: dict[str, Any], tenant: Any, *, told: bool) -> None:
        """Learn from a document's `host`, or give it the platform that is known of its device.

        told: the table has a column for it. What a record only guesses is "linux", by a path as every POSIX system has them (so that it
        is never a Windows'), or nothing; a record that is a Windows' needs none of this (and is not handed in, for that is most records).
        """
        system, device = host.get("os"), host.get("id")
        kind = None if system is None else system.get("type")
        if device.__class__ is not str or tenant.__class__ is not str:
            return
        if told or kind == "macos":
            if kind is not None and (told or (tenant, device) not in self._types):
                self._learn((tenant, device), kind)
        elif kind is None or kind == "linux":
            known = self._types.get((tenant, device))
            if known is not None and known != kind and (kind is None or known != "windows"):
                host["os"] = {"type": known}
                if (family := os_family(known)) is not None:
                    host["os"]["family"] = family

    def _learn(self, key: tuple[str, str], kind: str) -> None:
        with self._learning:
            self._types.pop(key, None)
            if len(self._types) >= self._most:
                del self._types[next(iter(self._types))]
            self._types[key] = kind
