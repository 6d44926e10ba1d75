"""The entities and properties of a Defender for Cloud alert -> source, destination, dns, container, orchestrator and url fields of ECS."""

from __future__ import annotations

from typing import Any, cast

from shared.normalise.mapping import Kind
from shared.normalise.tables.cloud_alert_told import Told
from shared.normalise.tables.cloud_alert_told import client as client_address
from shared.normalise.tables.cloud_entities import Entity, Graph
from shared.normalise.tables.cloud_export_rules import arm_id

MOST = 1000  # addresses in related.ip

CONNECTION_FIELDS = (
    "source.ip", "source.port", "destination.ip", "destination.port", "#protocol", "source.geo.city_name", "source.geo.country_iso_code",
    "source.geo.country_name", "source.geo.region_name", "source.as.number", "source.as.organization.name",
    "dns.question.name", "dns.resolved_ip", "#ips",
)  # fmt: skip
CONNECTION_KINDS: tuple[Kind, ...] = (
    "ip", "long", "ip", "long", "keyword", "keyword", "keyword", "keyword", "keyword", "long", "keyword", "keyword", "ip", "ip",
)  # fmt: skip
NO_CONNECTION = (None,) * (len(CONNECTION_FIELDS) - 1)


def connection(found: Graph | None, told: Told | None) -> tuple[Any, ...]:
    """Where it came from and went to -> the fields of `CONNECTION_FIELDS`.

    The ends are those of a network-connection entity, and the source is whom the properties call client or attacker; a bare ip entity
    can be either end and goes into related.ip only. Geography is that of the source's own entity, never the host's.
    """
    client = client_address(told)
    if found is None:
        return (client, *NO_CONNECTION[1:], [client] if client else None)
    addresses, links, names = found.of("ip"), found.of("network-connection"), found.of("dns")
    if not addresses and not links and not names:
        return (client, *NO_CONNECTION[1:], [client] if client else None)
    link: Entity = {}
    source: Entity = {}
    destination: Entity = {}
    if links:
        place, link = links[0]
        if (end := found.target(place, link, "source_address", "ip")) is not None:
            source = end[1]
        if (end := found.target(place, link, "destination_address", "ip")) is not None:
            destination = end[1]
    from_ip = source.get("address") if source else client
    if not source and from_ip is not None:
        source = next((entity for _, entity in addresses if entity.get("address") == from_ip), {})
    dns = names[0][1] if names else {}
    resolved = [item["address"] for item in dns.get("ip_addresses", ()) if "address" in item]
    where = source.get("location") or {}
    country = where.get("country_code", "")
    ips = [client] if client is not None else []
    ips += [entity["address"] for _, entity in addresses if "address" in entity]
    ips += resolved
    return (
        from_ip,
        link.get("source_port"),
        destination.get("address"),
        link.get("destination_port"),
        link.get("protocol"),
        where.get("city"),
        country.upper() if len(country) == 2 else None,
        where.get("country_name"),
        where.get("state"),
        where.get("asn") or None,
        where.get("organization"),
        dns.get("domain_name"),
        list(dict.fromkeys(resolved))[:MOST] if resolved else None,
        list(dict.fromkeys(ips))[:MOST] if ips else None,
    )


CONTAINER_FIELDS = (
    "container.id", "container.name", "container.image.name", "orchestrator.type", "orchestrator.cluster.id", "orchestrator.cluster.name",
    "orchestrator.namespace", "orchestrator.resource.type", "orchestrator.resource.name",
)  # fmt: skip
NO_CONTAINER = (None,) * len(CONTAINER_FIELDS)


def container(found: Graph | None) -> tuple[str | None, ...]:
    """The container and its place in Kubernetes -> the fields of `CONTAINER_FIELDS`."""
    if found is None:
        return NO_CONTAINER
    clusters, namespaces, pods = found.of("k8s-cluster"), found.of("k8s-namespace"), found.of("k8s-pod")
    containers, images = found.of("container"), found.of("container-image")
    if not (clusters or namespaces or pods or containers or images):
        return NO_CONTAINER
    resource: Entity = {}
    for type in ("azure-resource", "gcp-resource", "amazon-resource") if clusters else ():
        if (target := found.target(*clusters[0], "cloud_resource", type)) is not None:
            resource = target[1]
            break
    id = resource.get("resource_id") or resource.get("amazon_resource_id")
    name = found.one("k8s-cluster").get("name") or resource.get("resource_name")
    namespace, pod = found.one("k8s-namespace").get("name"), found.one("k8s-pod").get("name")
    return (
        next((entity["container_id"] for _, entity in containers if "container_id" in entity), None),
        next((entity["name"] for _, entity in containers if "name" in entity), None),
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
    for type in ("url", "blob", "blob-container"):
        for _, entity in found.of(type):
            if "url" in entity:
                return cast("str", entity["url"])
    return None
