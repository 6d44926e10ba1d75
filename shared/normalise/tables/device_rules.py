"""Rules that only the Device* tables need: API calls and their target, changes of groups, drivers, adapters, logged-on users."""

from __future__ import annotations

from typing import Any

from shared.normalise.convert import address
from shared.normalise.rules.paths import full_path

# DeviceEvents in which one process reaches into another: FileName, FolderPath and ProcessCommandLine are the other's.
REMOTE_CALLS = frozenset(
    {
        "CreateRemoteThreadApiCall", "MemoryRemoteProtect", "NtAllocateVirtualMemoryRemoteApiCall",
        "NtMapViewOfSectionRemoteApiCall", "OpenProcessApiCall", "ProcessPrimaryTokenModified", "QueueUserApcRemoteApiCall",
        "ReadProcessMemoryApiCall", "SetThreadContextRemoteApiCall", "WriteProcessMemoryApiCall", "WriteToLsassProcessMemory",
    }
)  # fmt: skip
GROUP_CHANGES = frozenset(
    {"SecurityGroupCreated", "SecurityGroupDeleted", "UserAccountAddedToLocalGroup", "UserAccountRemovedFromLocalGroup"}
)
CALLS_WITHOUT_SUFFIX = {
    "MemoryRemoteProtect": "NtProtectVirtualMemory",
    "WriteToLsassProcessMemory": "WriteProcessMemory",
}


def target_process(
    action: str | None, name: str | None, folder: str | None, command_line: str | None
) -> tuple[str | None, str | None, str | None]:
    """Target.process.(name, executable, command_line) of a call into another process, as Elastic's ES|QL rules read them."""
    if action not in REMOTE_CALLS:
        return None, None, None
    return name, full_path(folder, name), command_line


def api_call(action: str | None, fields: Any) -> tuple[str | None, int | None, int | None, str | None, int | None]:
    """process.Ext.api.(name, parameters.desired_access_numeric, .address, .protection, .size) of an …ApiCall.

    >>> api_call("OpenProcessApiCall", {"DesiredAccess": 4096})[:2]
    ('OpenProcess', 4096)
    """
    if action is None:
        return None, None, None, None, None
    if action.endswith("ApiCall"):
        name = action.removesuffix("ApiCall").removesuffix("Remote")
    elif action in CALLS_WITHOUT_SUFFIX:
        name = CALLS_WITHOUT_SUFFIX[action]
    else:
        return None, None, None, None, None
    if not isinstance(fields, dict):
        return name, None, None, None, None
    protection = fields.get("ProtectionMask")
    return (
        name,
        whole(fields.get("DesiredAccess")),
        whole(fields.get("BaseAddress")),
        None if protection is None or isinstance(protection, dict | list) else str(protection),
        whole(fields.get("RegionSize")),
    )


def local_group(action: str | None, fields: Any) -> tuple[str | None, str | None, str | None]:
    """group.(name, id, domain) of a change to a group of the device or to its members (AdditionalFields: GroupName, GroupSid, GroupDomainName).

    >>> local_group("UserAccountAddedToLocalGroup", {"GroupName": "Administrators", "GroupSid": "S-1-5-32-544"})
    ('Administrators', 'S-1-5-32-544', None)
    """
    if action not in GROUP_CHANGES or fields.__class__ is not dict:
        return None, None, None
    name, sid, domain = (fields.get(key) for key in ("GroupName", "GroupSid", "GroupDomainName"))
    return _word(name), _word(sid), _word(domain)


def _word(value: Any) -> str | None:
    return value if value.__class__ is str and value else None


def whole(value: Any) -> int | None:
    """A whole number out of a number or its decimal or hexadecimal text; None for anything else, and beyond 64 bits."""
    if isinstance(value, str) and len(value) <= 20:
        try:
            value = int(value, 0)
        except ValueError:
            return None
    return value if value.__class__ is int and -(2**63) <= value < 2**63 else None


def driver(action: str | None, *values: Any) -> tuple[Any, ...]:
    """The file's fields again as dll.*, where the file is a driver that was loaded."""
    return values if action == "DriverLoad" else (None,) * len(values)


def logged_on_users(users: Any) -> list[str] | None:
    """LoggedOnUsers, a list of objects with UserName, DomainName and Sid -> the names, each once."""
    if not isinstance(users, list):
        return None
    names = {
        user["UserName"]: None for user in users if isinstance(user, dict) and isinstance(user.get("UserName"), str)
    }
    return [name for name in names if name] or None


def adapter_addresses(addresses: Any) -> list[str] | None:
    """IPAddresses of a network adapter, objects with IPAddress or plain texts -> the addresses, each once."""
    if isinstance(addresses, dict):
        addresses = addresses.get("values", [addresses])
    if not isinstance(addresses, list):
        return None
    found: dict[str, None] = {}
    for entry in addresses:
        text = entry.get("IPAddress") if isinstance(entry, dict) else entry
        if isinstance(text, str) and (known := address(text.partition("%")[0])) is not None:
            found[known] = None
    return list(found) or None


def working_directory(fields: Any, key: str = "ProcessCurrentWorkingDirectory") -> str | None:
    """process.working_directory, which Linux and macOS sensors put into AdditionalFields."""
    value = fields.get(key) if isinstance(fields, dict) else None
    return value if isinstance(value, str) and value else None


def parent_working_directory(fields: Any) -> str | None:
    """process.parent.working_directory, likewise."""
    return working_directory(fields, "InitiatingProcessCurrentWorkingDirectory")


def valid_addresses(texts: list[str] | None) -> list[str] | None:
    """The members of a list that are IP addresses."""
    return [known for text in texts or () if (known := address(text.partition("%")[0])) is not None] or None
