"""The resource that a Defender for Cloud alert is about, in Azure, AWS or GCP -> resource.* and cloud.* of ECS."""

from __future__ import annotations

from typing import Any

from shared.normalise.tables.cloud_entities import Entity, Graph
from shared.normalise.tables.cloud_export_rules import NO_PLACE, place


def alert_place(
    message_id: str | None,
    resource: str | None,
    other: str | None,
    identifiers: Any,
    found: Graph | None,
    subscription: str | None,
) -> tuple[str | None, ...]:
    """The resource that the alert is about -> the fields of `PLACE_FIELDS`.

    AzureResourceId, else the first resource among the identifiers and the entities. A resource of AWS or GCP stands behind a
    connector's id, or has none: its own id, account, project and region are those of its entity.
    """
    own = resource or other or _of_identifiers(identifiers)
    if found is not None and (not own or "/securityconnectors/" in own.lower() or own.count("/") < 3):
        for _, entity in found.of("gcp-resource", "amazon-resource", "aws-resource", "azure-resource"):
            told = _of_entity(entity, own)
            if told is not None:
                return told
    made = place(message_id, own)
    if made == NO_PLACE or (made[5] is None and subscription):
        made = (
            *made[:4],
            made[4] or ("azure" if subscription else None),
            subscription.lower() if subscription else made[5],
            *made[6:],
        )
    return made


def _of_identifiers(identifiers: Any) -> str | None:
    ids = (
        [item.get("azure_id") for item in identifiers if item.__class__ is dict]
        if identifiers.__class__ is list
        else []
    )
    return max(
        (id for id in ids if id), key=lambda path: path.count("/"), default=None
    )  # a machine rather than its subscription


def _of_entity(entity: Entity, own: str | None) -> tuple[str | None, ...] | None:
    if entity["type"].lower() == "azure-resource":
        return place(None, entity.get("resource_id")) if entity.get("resource_id") and not own else None
    name, type = entity.get("resource_name"), entity.get("resource_type")
    if entity["type"].lower() == "gcp-resource":
        return place(own, own, "gcp", name, None, type, None, None, _region(entity), None, entity.get("project_id"))
    arn = (entity.get("amazon_resource_id") or "").split(":")  # arn:partition:service:region:account:resource
    region, account = (arn[3] or None, arn[4] or None) if len(arn) > 5 else (None, None)
    return place(own, own, "aws", name, None, type, None, entity.get("amazon_resource_id"), region, None, account)


def _region(entity: Entity) -> str | None:
    """`us-central1-c`, where a zone is meant, -> its region."""
    value = entity.get("location_value")
    zonal = (entity.get("location_type") or "").lower() == "zonal"
    return value.rpartition("-")[0] or value if value and zonal else value
