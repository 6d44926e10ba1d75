"""Rules of the SIEM incidents API: the device and the files, processes, registry values and addresses that an alert's entity is.

Entities are flat: `entityType` says which of some thirty keys count (Microsoft: "List incidents API in Microsoft Defender XDR").
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from shared.normalise.mapping import Kind
from shared.normalise.rules.command_line import name_from_command_line
from shared.normalise.rules.platform import os_type_of_record
from shared.normalise.rules.registry import data_strings, data_type, registry
from shared.normalise.tables.fragments import host_names
from shared.normalise.tables.machine_rules import cloud, operating_system

MOST = 1000  # devices of an alert that are looked at, and users of each
LONGEST_DATA = 65_536  # characters of a registry value's bytes that are read
_MALWARE = frozenset({"malware", "ransomware"})
# Services that see people and applications: the address in their alerts is where somebody came from.
_SEES_ACTORS = frozenset(
    {
        "aadidentityprotection", "azureadidentityprotection", "azureatp", "microsoftappgovernance", "microsoftcloudappsecurity",
        "microsoftdefenderforcloudapps", "microsoftdefenderforidentity",
    }
)  # fmt: skip
_BYTES = re.compile(r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2})*", re.ASCII)
_TEXT_TYPES = ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ")
_NUMBER_TYPES = ("REG_DWORD", "REG_QWORD", "REG_DWORD_BIG_ENDIAN")
_ON_A_HOST = frozenset({"File", "Process", "Registry"})


def redirected(status: str | None, into: str | None) -> bool | None:
    """True for an incident that was merged into another: its alerts are the other's now, and would count twice (elastic/integrations, m365_defender 1.0.4)."""
    return True if into is not None or (status is not None and status.lower() == "redirected") else None


def observer(incident: str | None) -> tuple[str | None, str | None, str | None]:
    """observer.(vendor, product) and event.timezone, in the words of Elastic's log data stream; the API's times are UTC."""
    return (None, None, None) if incident is None else ("Microsoft", "365 Defender", "UTC")


def category(
    categories: list[str] | None, alert: str | None, determination: str | None, of_incident: str | None
) -> list[str] | None:
    """event.category, with malware where the alert's category or an analyst's verdict on alert or incident is that; the list is shared, so a new one."""
    if categories is None or not any(
        word is not None and word.lower() in _MALWARE for word in (alert, determination, of_incident)
    ):
        return categories
    return [*categories, "malware"]


DEVICE_FIELDS = (
    "host.id", "device.id", "cloud.instance.id", "host.name", "host.hostname", "host.domain", "#platform",
    "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full",
    "host.architecture", "host.risk.calculated_level", "cloud.provider", "cloud.account.id", "#hosts", "#users",
)  # fmt: skip
NO_DEVICE = (None,) * len(DEVICE_FIELDS)


def device(devices: Any, entity_device: str | None) -> tuple[Any, ...]:
    """The alert's devices and the id of the one that its entity was seen on -> the fields of `DEVICE_FIELDS`.

    The host is the entity's device; where the entity names none, the alert's if it has just one. All of them and their users are in
    related.*. #platform is the platform's name as sent: what it does not tell, the entity may prove.
    """
    listed = devices.get("values", [devices]) if devices.__class__ is dict else devices
    known = [found for found in listed[:MOST] if found.__class__ is dict] if listed.__class__ is list else []
    if not known and entity_device is None:
        return NO_DEVICE
    if entity_device is not None:
        found = next((one for one in known if _device_id(one) == entity_device), {})
    else:
        found = known[0] if len(known) == 1 else {}
    id = entity_device or _device_id(found)
    name, hostname, domain = host_names(_text(found, "deviceDnsName"))
    platform = _text(found, "osPlatform")
    system = operating_system(platform, _text(found, "version"), None, _build(found))
    machine = found.get("vmMetadata")
    machine = machine if machine.__class__ is dict else {}
    names = dict.fromkeys(one.lower() for one in (_text(each, "deviceDnsName") for each in known) if one)
    ids = dict.fromkeys(one for one in (id, *map(_device_id, known)) if one)
    return (
        id, id, id, name, hostname, domain, platform if system[0] else None, *system[1:],
        _text(found, "osProcessor"), _text(found, "riskScore"), cloud(_text(machine, "cloudProvider")),
        _text(machine, "subscriptionId"), [*names, *ids] or None, list(dict.fromkeys(_users(known))) or None,
    )  # fmt: skip


def _device_id(found: dict[str, Any]) -> str | None:
    return _text(found, "mdatpDeviceId") or _text(found, "deviceId") or _text(found, "DeviceId")


def _users(devices: list[dict[str, Any]]) -> list[str]:
    listed = [users[:MOST] for each in devices if (users := each.get("loggedOnUsers")).__class__ is list]
    people = [person for users in listed for person in users if person.__class__ is dict]
    return [name for person in people if (name := _text(person, "accountName"))]


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if value.__class__ is str and value not in ("", "-", "N/A") else None


def _build(found: dict[str, Any]) -> str | None:
    build = found.get("osBuild")
    return str(build) if build.__class__ is int else _text(found, "osBuild")


def os_type(
    host: str | None,
    entity: str | None,
    platform: str | None,
    key: str | None,
    path: str | None,
    sid: str | None,
    command_line: str | None,
) -> str | None:
    """host.os.type from the device's platform, else from what the entity proves, where a host is known or the entity lives on one."""
    if platform is None and host is None and entity not in _ON_A_HOST:
        return None
    return os_type_of_record(platform=platform, registry_key=key, path=path, sid=sid, command_line=command_line)


PROCESS_FIELDS = ("process.name", "process.executable", "process.hash.sha1", "process.hash.sha256")


def image(
    entity: str | None,
    name: str | None,
    path: str | None,
    sha1: str | None,
    sha256: str | None,
    command_line: str | None,
    os_type: str | None,
) -> tuple[str | None, ...]:
    """The file of a Process entity is its image -> the fields of `PROCESS_FIELDS`; without a file the command line names the process."""
    if entity != "Process":
        return None, None, None, None
    return name or name_from_command_line(command_line, os_type), path, sha1, sha256


def source_address(entity: str | None, service: str | None, address: str | None) -> tuple[str | None, str | None]:
    """source.(ip, address): the address of an Ip entity in alerts about people and applications.

    Whether it is the near or the far end of a connection that a device made, an Ip entity does not say: those stay in related.ip.
    """
    if entity != "Ip" or service is None or service.lower() not in _SEES_ACTORS:
        return None, None
    return address, address


REGISTRY_FIELDS = (
    "registry.hive", "registry.key", "registry.path", "registry.data.type", "registry.data.strings", "registry.data.bytes",
)  # fmt: skip
REGISTRY_KINDS: tuple[Kind, ...] = ("keyword", "keyword", "keyword", "keyword", "wildcard", "keyword")


def registry_value(hive: str | None, key: str | None, value_type: str | None, value: str | None) -> tuple[Any, ...]:
    r"""registryHive, registryKey, registryValueType and registryValue, its data -> the fields of `REGISTRY_FIELDS`.

    Data comes as bytes in hexadecimal (Microsoft's example: `31-00-00-00` of type String): read as their type has them. Other
    text, and bytes that do not fit their type, stay as sent.

    >>> registry_value("HKEY_LOCAL_MACHINE", "SOFTWARE\\X", "Dword", "01-00-00-00")[2:5]
    ('HKLM\\SOFTWARE\\X', 'REG_DWORD', ['1', '0x00000001'])
    """
    whole = f"{hive}\\{key}" if hive and key else key or hive
    short, below, _, path = registry(whole, None)
    kind = data_type(value_type)
    raw = _bytes(value, kind)
    text = None if raw is None else _of_bytes(raw, kind)
    strings = data_strings(value if text is None else text, kind)
    return short, below, path, kind, strings, None if raw is None else b64encode(raw).decode()


def _bytes(value: str | None, kind: str | None) -> bytes | None:
    if not value or len(value) > LONGEST_DATA or _BYTES.fullmatch(value) is None:
        return None
    return bytes.fromhex(value.replace("-", "")) if "-" in value or kind == "REG_BINARY" else None


def _of_bytes(raw: bytes, kind: str | None) -> str | None:
    """What bytes mean by their type; None where they do not fit it."""
    if kind in _NUMBER_TYPES and len(raw) in (4, 8):
        return str(int.from_bytes(raw, "big" if kind == "REG_DWORD_BIG_ENDIAN" else "little"))
    if kind not in _TEXT_TYPES:
        return None
    try:
        text = raw.decode("utf-16-le").rstrip("\x00")
    except UnicodeDecodeError:
        return None
    shown = text.replace("\x00", "") if kind == "REG_MULTI_SZ" else text
    return text if shown and shown.replace("\n", "").isprintable() else None
