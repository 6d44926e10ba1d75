"""Rules about machines as Defender for Endpoint's API describes them: what they run, which addresses they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.normalise.rules.network import mac
from shared.normalise.rules.platform import device_os
from shared.normalise.tables.alert import cloud_provider

MOST = 1000  # addresses of a machine
_NOTHING = frozenset({"Other", "Unknown"})  # what osPlatform and version say where nothing is known
OS_FIELDS = (
    "host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full",
)  # fmt: skip


def operating_system(
    platform: str | None, version: str | None = None, other: str | None = None, build: str | int | None = None
) -> tuple[str | None, ...]:
    """osPlatform, version (or another one, where that is missing) and osBuild -> the fields of `OS_FIELDS`.

    A Linux platform is its distribution here (`RedHatEnterpriseLinux`), from which the family follows.

    >>> operating_system("Windows10", "22H2", None, 19045)[2:]
    ('Windows10', 'windows', '22H2', 'Windows10 22H2 (19045)')
    """
    if platform in _NOTHING:
        platform = None
    version = other if version is None or version in _NOTHING else version
    if platform is None:  # a version of nothing says nothing
        return (None,) * len(OS_FIELDS)
    return device_os(platform, platform, version, build)


def addresses(
    listed: Any, last: str | None, outside: str | None
) -> tuple[list[str] | None, list[str] | None, list[str] | None]:
    """ipAddresses, lastIpAddress and lastExternalIpAddress -> host.ip, host.mac, and all addresses for related.ip.

    The external address is that of the gateway which the machine was last seen behind, and no address of the host's own.
    """
    adapters = [listed] if listed.__class__ is dict else listed if listed.__class__ is list else []
    own = dict.fromkeys(_texts(adapters, "ip_address"))
    if last is not None:
        own[last] = None
    macs = dict.fromkeys(known for text in _texts(adapters, "mac_address") if (known := mac(text)) is not None)
    related = list(own) if outside is None else [*(address for address in own if address != outside), outside]
    return [address for address in own if not _is_loopback(address)] or None, list(macs) or None, related or None


def _texts(adapters: list[dict[str, Any]], key: str) -> Iterator[str]:
    """The values of a key, which in an adapter of another shape than documented may be a list."""
    for adapter in adapters[:MOST]:
        value = adapter.get(key)
        yield from value[:MOST] if value.__class__ is list else [value] if value is not None else ()


def _is_loopback(address: str) -> bool:
    return address == "::1" or address.startswith("127.")


def cloud(provider: str | None) -> str | None:
    """vmMetadata.cloudProvider -> cloud.provider in ECS' words; nothing of a machine in no cloud that is known."""
    return None if provider in _NOTHING else cloud_provider(provider)


def observer(category: list[str] | None) -> tuple[str | None, str | None]:
    """observer.(vendor, product) of whatever was found, in the words of Elastic's vulnerability data stream."""
    return (None, None) if category is None else ("Microsoft", "Microsoft 365 Defender")
