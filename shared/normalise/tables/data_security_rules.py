"""Rules of Microsoft Purview's tables and of AI agents: lists written as text, numbers that stand for words, entities within lists."""

from __future__ import annotations

import re
from typing import Any

from shared.normalise.convert import address
from shared.normalise.rules.account import user
from shared.normalise.rules.additional_fields import text
from shared.normalise.rules.paths import file_name
from shared.normalise.tables.fragments import host_names

# The numbers' words by Microsoft's page of the DataSecurityEvents table.
LOCATIONS = ("unknown", "local", "remote", "removable", "cloud", "file_share")
ENFORCEMENTS = ("none", "audit", "warn", "warn_and_bypass", "block", "allow")
BLOCK = 4
LONGEST_ADDRESS = 320  # characters of an e-mail address (RFC 3696, erratum 1690: 254; some systems take 64 + 1 + 255)
MOST = 1_000  # members of a list that is written as text
LONGEST_KEY = 40  # characters of a member's name that are looked at
_SEPARATORS = re.compile(r"[,;]\s*")
_FILES = frozenset({"file", "document", "attachment"})


def separate(values: list[str] | None) -> list[str] | None:
    """The members of a list that a column may also write as one text with commas or semicolons; each once.

    >>> separate(["kim@example.com; lee@example.com"])
    ['kim@example.com', 'lee@example.com']
    """
    if not values:
        return None
    found: dict[str, None] = {}
    for value in values[:MOST]:
        if "," in value or ";" in value:
            found.update(dict.fromkeys(part.strip() for part in _SEPARATORS.split(value, MOST)))
        else:
            found[value.strip()] = None
    found.pop("", None)
    return list(found) or None


def client_addresses(values: list[str] | None) -> tuple[str | None, list[str] | None]:
    """IPAddress, which "can contain multiple IPs" (Microsoft) -> source.ip, the first address of it, and all of them."""
    found = [known for part in separate(values) or () if (known := address(part.partition("%")[0])) is not None]
    return (found[0], found) if found else (None, None)


def location(number: int | None) -> str | None:
    """DeviceSourceLocationType and DeviceDestinationLocationType in words; a number without a word stays."""
    return _word(number, LOCATIONS)


def enforcement(mode: int | None, known: str | None) -> tuple[str | None, str | None]:
    """DlpPolicyEnforcementMode -> its word, and event.outcome: what a policy blocked has failed."""
    return _word(mode, ENFORCEMENTS), "failure" if mode == BLOCK else known


def _word(number: int | None, words: tuple[str, ...]) -> str | None:
    if number is None:
        return None
    return words[number] if 0 <= number < len(words) else str(number)


def account(upn: str | None, mail: str | None) -> tuple[str | None, str | None, str | None]:
    """AccountUpn and AccountEmail -> user.(name, domain, email): the address of its own column is the better one."""
    name, domain, email = user(None, None, None, upn or mail)
    return name, domain, mail or email


def moved_file(
    kind: str | None, identifier: str | None, name: str | None, target: str | None
) -> tuple[str | None, str | None]:
    """ObjectType, ObjectId, ObjectName, TargetFilePath -> file.(name, path) of a file; the path is where it was, else where it went."""
    path = identifier if identifier and (identifier[1:3] == ":\\" or identifier[0] in "\\/") else target
    if path is None and (kind or "").lower() not in _FILES:
        return None, None
    return name or file_name(path), path


def entries(value: Any) -> list[dict[str, Any]]:
    """The objects in a list as `flattened` leaves it: a list, one object, or an object with `values`."""
    if value.__class__ is dict:
        value = value.get("values", [value])
    return [entry for entry in value[:MOST] if entry.__class__ is dict] if value.__class__ is list else []


def devices(value: Any) -> tuple[Any, ...]:
    """DeviceInfo, objects with a device's id and name -> host.id, device.id, cloud.instance.id, host.(name, hostname, domain), related.hosts.

    Only a single device is the host (its id thrice, as in all tables); of several, only related.hosts tells.
    """
    if value.__class__ is list and len(value) == 1 and value[0].__class__ is dict:  # nearly always
        identifier, name = text(value[0].get("DeviceId")), text(value[0].get("DeviceName"))
        if identifier and name:
            return identifier, identifier, identifier, *host_names(name), [identifier, name.lower()]
    found: dict[str, None] = {}
    names: dict[str, str] = {}  # lower case, as in host.name -> as sent
    for entry in entries(value):
        identifier, name = _member(entry, "DeviceId"), _member(entry, "DeviceName")
        if identifier:
            found[identifier] = None
        if name:
            names.setdefault(name.lower(), name)
    if not found and not names:
        return (None,) * 7
    if len(found) > 1 or len(names) > 1:
        return *(None,) * 6, [*found, *names]
    identifier = next(iter(found), None)
    return identifier, identifier, identifier, *host_names(next(iter(names.values()), None)), [*found, *names]


def recipients(value: Any) -> list[str] | None:
    """RecipientEmailInfo, objects that hold an address -> email.to.address."""
    found: dict[str, None] = {}
    for entry in entries(value):
        for item in entry.values():
            if item.__class__ is str and "@" in item and len(item) <= LONGEST_ADDRESS:
                found[item] = None
    return list(found) or None


def _member(entry: dict[str, Any], name: str) -> str | None:
    """A member by its name, as other columns spell it, or in any other spelling: the documents give none."""
    known = entry.get(name)
    if known is None:
        plain = name.lower()
        for key, value in entry.items():
            if len(key) <= LONGEST_KEY and key.lower().replace(" ", "").replace("_", "") == plain:
                return text(value)
    return text(known)
