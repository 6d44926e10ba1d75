"""Evidence of clouds and clusters -> cloud.*, resource.*, container.*, orchestrator.* of ECS."""

from __future__ import annotations

from shared.normalise.mapping import Kind
from shared.normalise.tables.cloud_export_rules import PLACE_FIELDS as PLACE
from shared.normalise.tables.cloud_export_rules import arm_id, place
from shared.normalise.tables.graph_found import ACCOUNT, HOSTS, IPS, Found, Item, add, each, raw, within

# fmt: off
PLACE_FIELDS: dict[str, Kind] = {**dict.fromkeys((
    ACCOUNT, "cloud.project.id", "cloud.provider", "cloud.region", "cloud.service.name",
    "resource.id", "resource.name", "resource.type", "resource.sub_type",
    "container.id", "container.name", "container.image.name", "container.image.hash.all",
    "orchestrator.cluster.id", "orchestrator.cluster.name", "orchestrator.cluster.version", "orchestrator.namespace",
    "orchestrator.resource.name", "orchestrator.resource.type", "orchestrator.resource.parent.type", "orchestrator.resource.label",
    "orchestrator.type",
), "keyword"), "container.security_context.privileged": "boolean", "orchestrator.resource.ip": "ip"}
# What `place` gives, without the names of instances and hosts; the account is the document's only if it has one (rows of the tables).
_PLACE = tuple(ACCOUNT if field == "cloud.account.id" else field if field in PLACE_FIELDS else None for field in PLACE)
_PLATFORMS = {"aks": "azure", "eks": "aws", "gke": "gcp"}  # kubernetesPlatform -> cloud.provider
# fmt: on


def resource(item: Item, found: Found) -> None:
    """azureResourceEvidence, amazonResourceEvidence, googleCloudResourceEvidence -> cloud.*, resource.*.

    An account is a subscription (Azure), an account (AWS) or a project (GCP). The device that an instance is has its own evidence: no
    cloud.instance.id here, since Kibana takes it for Defender's id of a device.
    """
    azure, arn, google = (item.get(key) for key in ("resource_id", "amazon_resource_id", "full_resource_name"))
    name, type = item.get("resource_name"), item.get("resource_type")
    account, project = item.get("amazon_account_id"), item.get("project_id")
    if arn is not None or account is not None:
        parts = (arn or "").split(":")  # arn:partition:service:region:account:resource
        of_arn = parts if len(parts) > 5 else [""] * 6
        values = place(
            source="aws",
            name=name,
            type=type,
            native=arn,
            region=of_arn[3] or None,
            hierarchy=account or of_arn[4] or None,
        )
    elif google is not None or project is not None:
        region: str | None = item.get("location")
        if region is not None and "-" in region and item.get("location_type") == "zonal":
            region = region.rpartition("-")[0]
        values = place(source="gcp", name=name, type=type, native=google, region=region, hierarchy=project)
    else:
        values = place(
            id=azure, name=name, type=None if azure and azure.count("/") > 7 else type
        )  # its own words: `Storage account`
    for field, value in zip(_PLACE, values, strict=True):
        if field is not None:
            add(found, field, value)


def virtual_machine(metadata: Item, found: Found) -> None:
    """`vmMetadata` of a device -> cloud.*, resource.*."""
    provider = metadata.get("cloud_provider")
    add(found, "cloud.provider", provider if provider not in ("unknown", "unknownFutureValue") else None)
    resource({"resource_id": metadata.get("resource_id")}, found)
    subscription = metadata.get("subscription_id")
    add(found, ACCOUNT, subscription.lower() if subscription is not None else None)


def in_storage(item: Item, found: Found) -> None:
    """What lies in or opens a storage account (blobContainerEvidence, sasTokenEvidence) -> its resource."""
    if storage := within(item, "storage_resource"):
        resource(storage, found)


def image(item: Item, found: Found) -> None:
    """`containerImageEvidence` -> container.image.*: a digest is `registry/name@sha256:…` or the digest alone."""
    name, at, digest = (item.get("image_id") or "").partition("@")
    if at or not name.startswith("sha256:"):
        add(found, "container.image.name", name or None)
    else:
        digest = name
    add(found, "container.image.hash.all", digest or None)
    behind = raw(item.get("digest_image"), "imageId") or within(item, "digest_image").get("image_id")
    if behind.__class__ is str:
        add(found, "container.image.hash.all", behind.rpartition("@")[2])
    container_registry(within(item, "container_registry"), found)
    if (host := raw(item.get("registry"), "registry")).__class__ is str:
        found[HOSTS][host] = None


def container_registry(item: Item, found: Found) -> None:
    """`containerRegistryEvidence` -> related.hosts."""
    found[HOSTS][item.get("registry")] = None


def container(item: Item, found: Found) -> None:
    """`containerEvidence` -> container.*, and the pod that it is in."""
    add(found, "container.id", item.get("container_id"))
    add(found, "container.name", item.get("name"))
    add(found, "container.security_context.privileged", item.get("is_privileged"))
    if its_image := within(item, "image"):
        image(its_image, found)
    in_pod = item.get("pod")
    if (name := raw(in_pod, "name")).__class__ is str:
        kubernetes(found, "pod", name)
    if (space := raw(raw(in_pod, "namespace"), "name")).__class__ is str:
        add(found, "orchestrator.namespace", space)


def cluster(item: Item, found: Found) -> None:
    """`kubernetesClusterEvidence` -> orchestrator.cluster.*, and the cloud's resource that it is."""
    add(found, "orchestrator.type", "kubernetes")
    add(found, "orchestrator.cluster.name", item.get("name"))
    add(found, "orchestrator.cluster.version", item.get("version"))
    add(found, "cloud.provider", _PLATFORMS.get(item.get("platform") or ""))
    if own := within(item, "cloud_resource"):
        resource(own, found)
        ids = (own.get(key) for key in ("resource_id", "amazon_resource_id", "full_resource_name"))
        add(found, "orchestrator.cluster.id", arm_id(next(filter(None, ids), None)))


def namespace(item: Item, found: Found) -> None:
    """`kubernetesNamespaceEvidence` -> orchestrator.namespace, and its cluster."""
    add(found, "orchestrator.type", "kubernetes")
    add(found, "orchestrator.namespace", item.get("name"))
    if its_cluster := within(item, "cluster"):
        cluster(its_cluster, found)


def kubernetes(found: Found, type: str | None, name: str | None) -> None:
    """Something in a cluster -> orchestrator.resource.*."""
    add(found, "orchestrator.type", "kubernetes")
    add(found, "orchestrator.resource.type", type)
    add(found, "orchestrator.resource.name", name)


def in_cluster(type: str, item: Item, found: Found) -> None:
    """An item that lies in a namespace: its type, name, addresses, labels and namespace."""
    kubernetes(found, type, item.get("name"))
    if space := within(item, "namespace"):
        namespace(space, found)
    for key in ("pod_ip", "cluster_ip", "external_ips"):
        for address in each(item.get(key)):
            for ip in each(address.get("ip_address")):
                add(found, "orchestrator.resource.ip", ip)
                found[IPS][ip] = None
    labels = item.get("labels")
    for key, value in labels.items() if labels.__class__ is dict else ():
        if value.__class__ is str and not key.startswith("@"):
            add(found, "orchestrator.resource.label", f"{key}:{value}")


def pod(item: Item, found: Found) -> None:
    """`kubernetesPodEvidence` -> orchestrator.resource.*, its controller's type, and its containers."""
    in_cluster("pod", item, found)
    kind = within(item, "controller").get("type")
    add(found, "orchestrator.resource.parent.type", kind.lower() if kind is not None else None)
    for key in ("containers", "init_containers", "ephemeral_containers"):
        for member in each(item.get(key)):
            for part, field in (("containerId", "container.id"), ("name", "container.name")):
                if (value := raw(member, part)).__class__ is str:
                    add(found, field, value)
            if (named := raw(raw(member, "image"), "imageId")).__class__ is str:
                image({"image_id": named}, found)


def controller(item: Item, found: Found) -> None:
    """`kubernetesControllerEvidence` (`Deployment`, `DaemonSet`, …) -> orchestrator.resource.*."""
    kind = item.get("type")
    in_cluster(kind.lower() if kind is not None else "controller", item, found)
