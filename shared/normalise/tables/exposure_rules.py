"""Rules of the exposure graph: what sort of thing a node is, and which host, account or cloud resource it stands for.

Microsoft publishes no list of labels, categories, identifiers and properties. Public queries show device, user, serviceprincipal,
managedidentity, microsoft.compute/virtualmachines; DeviceInventoryId, SenseDeviceId, AadObjectId, SecurityIdentifier, AzureResourceId;
rawData.deviceName and accountUpn. The rest here is what their naming lets one expect. What is not known stays in the vendor fields alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from shared.normalise.rules.account import user
from shared.normalise.rules.platform import os_type
from shared.normalise.tables.fragments import host_names

LONGEST_WORD = 128  # characters of a label or category that can be known
MOST = 200  # identifiers of a node, and categories, that are looked at

# Words of ECS' entity.type. The label is looked at first: `user` and `serviceprincipal` share the category `identity`.
# fmt: off
_BY_LABEL: dict[str, str] = {  # lower case, what follows the last slash (microsoft.compute/virtualmachines)
    "device":            "host",         "virtualmachine":     "host",         "virtualmachines":    "host",
    "user":              "user",
    "serviceprincipal":  "service",      "managedidentity":    "service",
    "application":       "application",  "oauthapplication":   "application",
    "container":         "container",    "pod":                "container",
    "storageaccounts":   "bucket",       "buckets":            "bucket",
}
_BY_CATEGORY: dict[str, str] = {  # lower case, letters only
    "device":            "host",         "virtualmachine":     "host",
    "storage":           "bucket",       "storageaccount":     "bucket",
    "database":          "database",     "sqlserver":          "database",
    "container":         "container",
    "serverless":        "function",     "function":           "function",
    "application":       "application",
}
_RESOURCES = ("azureresource", "aws", "gcp")  # how types of identifiers of resources begin (AzureResourceId)
_CLOUDS = {"azu": "azure", "aws": "aws", "gcp": "gcp"}  # … and their first three letters -> cloud.provider
# fmt: on
_NO_LETTERS = re.compile(r"[^a-z]")
_OBJECT_ID = re.compile(r"\bobjectid=([\w-]+)", re.IGNORECASE)
_ACCOUNTS = {  # where an identifier names the account
    "azure": re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE),
    "aws": re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12})(?::|\Z)"),
    "gcp": re.compile(r"/projects/([^/]+)"),
}


@lru_cache(maxsize=512)
def _by_label(label: str) -> str | None:
    return _BY_LABEL.get(label.rpartition("/")[2].lower())


@lru_cache(maxsize=512)
def _by_category(category: str) -> str | None:
    return _BY_CATEGORY.get(_NO_LETTERS.sub("", category.lower()))


def entity_type(label: str | None, categories: list[str] | None) -> list[str] | None:
    """A node's label and categories -> entity.type: a list of one of ECS' words, None where none fits.

    >>> entity_type("microsoft.compute/virtualmachines", None), entity_type("user", ["identity"]), entity_type("ip", ["ip_address"])
    (['host'], ['user'], None)
    """
    if label is not None and len(label) < LONGEST_WORD:
        found = _by_label(label)
        if found is not None:
            return [found]
    for category in (categories or ())[:MOST]:
        found = _by_category(category) if len(category) < LONGEST_WORD else None
        if found is not None:
            return [found]
    return None


def node_vulnerability(label: str | None, name: str | None) -> str | None:
    """NodeLabel and NodeName -> vulnerability.id: a node labelled `Cve` has the number as its name.

    >>> node_vulnerability("Cve", "CVE-2025-24062")
    'CVE-2025-24062'
    """
    return name if label is not None and len(label) == 3 and label.lower() == "cve" else None


def related_names(kinds: list[str] | None, name: str | None) -> tuple[str | None, str | None]:
    """entity.type and a node's name -> what of it belongs into (related.hosts, related.user)."""
    if not kinds:
        return None, None
    return (name if kinds[0] == "host" else None), (name if kinds[0] == "user" else None)


class Host(NamedTuple):
    """The host that a node stands for, as host.id, device.id, cloud.instance.id (all the device's) and host.(name, hostname, domain, os.type)."""

    id: str | None = None
    device_id: str | None = None
    instance_id: str | None = None
    name: str | None = None
    hostname: str | None = None
    domain: str | None = None
    os_type: str | None = None


NO_HOST = tuple(Host())


def node_host(
    kinds: list[str] | None, name: str | None, identifiers: Mapping[str, str] | None, properties: Any
) -> tuple[str | None, ...]:
    """entity.type, NodeName, `entity_ids`, NodeProperties -> the fields of `Host`, if the node is one.

    The identifier of type DeviceInventoryId is the DeviceId of the other tables (SenseDeviceId where that is missing).
    `rawData.deviceName` is preferred to NodeName, which is what the portal displays.
    """
    known = identifiers or {}
    device = known.get("deviceinventoryid") or known.get("sensedeviceid")
    if device is None and kinds != ["host"]:
        return NO_HOST
    raw = raw_data(properties)
    return (
        device,
        device,
        device,
        *host_names(_text(raw.get("deviceName")) or name),
        os_type(_text(raw.get("osPlatform"))),
    )


class Account(NamedTuple):
    """The account that a node stands for, as user.(id, name, domain, email)."""

    id: str | None = None
    name: str | None = None
    domain: str | None = None
    email: str | None = None


NO_ACCOUNT = tuple(Account())


def node_account(
    kinds: list[str] | None, identifiers: Mapping[str, str] | None, properties: Any
) -> tuple[str | None, ...]:
    """entity.type, `entity_ids`, NodeProperties -> the fields of `Account`, if the node is a user.

    user.id is the SID, which rules compare, else the object id within AadObjectId (`tenantid=…;objectid=…`). NodeName is the
    display name, so user.name comes from `rawData.accountName` and `rawData.accountUpn` alone.
    """
    if kinds != ["user"]:
        return NO_ACCOUNT
    known, raw = identifiers or {}, raw_data(properties)
    entra = known.get("aadobjectid") or known.get("entraobjectid")
    within = _OBJECT_ID.search(entra) if entra else None
    name, domain, upn = _text(raw.get("accountName")), _text(raw.get("accountDomain")), _text(raw.get("accountUpn"))
    sid = known.get("securityidentifier")
    return sid or (within[1] if within else entra), *user(name, domain, sid, upn)


class Resource(NamedTuple):
    """The cloud resource that a node stands for, as cloud.provider, cloud.account.id, resource.id and resource.name."""

    provider: str | None = None
    account: str | None = None
    id: str | None = None
    name: str | None = None


NO_RESOURCE = tuple(Resource())


def node_resource(name: str | None, identifiers: Mapping[str, str] | None) -> tuple[str | None, ...]:
    """NodeName, `entity_ids` -> the fields of `Resource`: the resource of Azure, AWS or Google Cloud, if one of the identifiers is of one.

    The account is Azure's subscription, the account number in an ARN, the project in a Google resource name.
    """
    for kind, identifier in (identifiers or {}).items():
        if kind.startswith(_RESOURCES):
            provider = _CLOUDS[kind[:3]]
            account = _ACCOUNTS[provider].search(identifier)
            return provider, account[1] if account else None, identifier, name
    return NO_RESOURCE


def entity_ids(identifiers: Any) -> dict[str, str] | None:
    """EntityIds (a list of `{"type": …, "id": …}`) -> the first id of each type, by the type in lower case; None where it is missing."""
    if identifiers is None:
        return None
    found: dict[str, str] = {}
    for item in (identifiers if identifiers.__class__ is list else [identifiers])[:MOST]:
        if item.__class__ is dict:
            kind, identifier = item.get("type"), item.get("id")
            if kind.__class__ is str and identifier.__class__ is str and identifier:
                found.setdefault(kind.lower(), identifier)
    return found


def _text(value: Any) -> str | None:
    """A text that is not empty; None for all else."""
    return value if value.__class__ is str and value else None


def raw_data(properties: Any) -> dict[str, Any]:
    """The object `rawData` of NodeProperties, which holds what the source says of the node; empty where it is missing."""
    raw = properties.get("rawData") if properties.__class__ is dict else None
    return raw if raw.__class__ is dict else {}
