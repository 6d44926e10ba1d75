"""The entities and properties of a Defender for Cloud alert -> source, destination, dns, container, orchestrator and url fields of ECS."""

from __future__ import annotations

from typing import Any

from shared.normalise.convert import address
from shared.normalise.mapping import Kind
from shared.normalise.tables.cloud_entities import Graph
from shared.normalise.tables.cloud_export_rules import arm_id

MOST = 1000  # addresses in related.ip
# Names in ExtendedProperties, in lower case, of the address of whoever caused the alert
_CLIENT_ADDRESS = ("client ip address", "attacker source ip", "attacker ip", "source ip address", "source ip")

CONNECTION_FIELDS = (
    "source.ip", "source.port", "destination.ip", "destination.port", "#protocol", "source.geo.city_name", "source.geo.country_iso_code",
    "source.geo.country_name", "source.geo.region_name", "source.as.number", "source.as.organization.name",
    "dns.question.name", "dns.resolved_ip", "#ips",
)  # fmt: skip
CONNECTION_KINDS: tuple[Kind, ...] = (
    "ip", "long", "ip", "long", "keyword", "keyword", "keyword", "keyword", "keyword", "long", "keyword", "keyword", "ip", "ip",
)  # fmt: skip


def connection(found: Graph | None, properties: Any) -> tuple[Any, ...]:
    """Where it came from and went to -> the fields of `CONNECTION_FIELDS`.

    The ends are those of a network-connection entity, and the source is whom the properties call client or attacker; a bare ip entity
    can be either end and goes into related.ip only. Geography is that of the source's own entity, never the host's.
    """
    client = _client(properties)
    if found is None:
        return (client, *(None,) * 12, [client] if client else None)
    place, link = next(iter(found.of("network-connection")), (0, {}))
    source, destination = (
        found.target(place, link, "source_address", "ip"),
        found.target(place, link, "destination_address", "ip"),
    )
    from_ip = source[1].get("address") if source else client
    addresses = [entity["address"] for _, entity in found.of("ip") if "address" in entity]
    dns = found.one("dns")
    resolved = [item["address"] for item in dns.get("ip_addresses", ()) if "address" in item]
    known = (
        source[1]
        if source
        else next((entity for _, entity in found.of("ip") if from_ip and entity.get("address") == from_ip), {})
    )
    where = known.get("location") or {}
    country = where.get("country_code", "")
    return (
        from_ip,
        link.get("source_port"),
        destination[1].get("address") if destination else None,
        link.get("destination_port"),
        link.get("protocol"),
        where.get("city"),
        country.upper() if len(country) == 2 else None,
        where.get("country_name"),
        where.get("state"),
        where.get("asn") or None,
        where.get("organization"),
        dns.get("domain_name"),
        list(dict.fromkeys(resolved))[:MOST] or None,
        list(dict.fromkeys([*([client] if client else ()), *addresses, *resolved]))[:MOST] or None,
    )


def _client(properties: Any) -> str | None:
    """The address that ExtendedProperties call the client's or attacker's; some write words before it."""
    if properties.__class__ is not dict:
        return None
    for name in _CLIENT_ADDRESS:
        value = properties.get(name)
        if value.__class__ is str and len(value) < 200:
            for word in value.replace(",", " ").split():
                if (known := address(word)) is not None:
                    return known
    return None


CONTAINER_FIELDS = (
    "container.id", "container.name", "container.image.name", "orchestrator.type", "orchestrator.cluster.id", "orchestrator.cluster.name",
    "orchestrator.namespace", "orchestrator.resource.type", "orchestrator.resource.name",
)  # fmt: skip


def container(found: Graph | None) -> tuple[str | None, ...]:
    """The container and its place in Kubernetes -> the fields of `CONTAINER_FIELDS`."""
    if found is None:
        return (None,) * len(CONTAINER_FIELDS)
    clusters = found.of("k8s-cluster")
    resource = (
        found.target(*clusters[0], "cloud_resource", "azure-resource", "gcp-resource", "amazon-resource")
        if clusters
        else None
    )
    id = resource[1].get("resource_id") or resource[1].get("amazon_resource_id") if resource else None
    name = found.one("k8s-cluster").get("name") or (resource[1].get("resource_name") if resource else None)
    namespace, pod = found.one("k8s-namespace").get("name"), found.one("k8s-pod").get("name")
    containers = [entity for _, entity in found.of("container")]
    return (
        next((entity["container_id"] for entity in containers if "container_id" in entity), None),
        next((entity["name"] for entity in containers if "name" in entity), None),
        found.one("container-image").get("image_id"),
        "kubernetes" if clusters or namespace or pod else None,
        arm_id(id),
        name or (id.rpartition("/")[2] if id else None),
        namespace,
        "pod" if pod else None,
        pod,
    )


def first_url(found: Graph | None) -> str | None:
    """The address of the first url or blob entity."""
    if found is None:
        return None
    return next((entity["url"] for _, entity in found.of("url", "blob", "blob-container") if "url" in entity), None)
