"""The blobs by which the Functions host shares a hub among its instances -> checkpoints, owners; and which hosts there are.

Layout (azure-sdk-for-net, BlobCheckpointStoreInternal; azure-functions-host, PrimaryHostCoordinator), all names in lower case:

    azure-webjobs-eventhub/<namespace>/<hub>/<group>/checkpoint/<partition>   metadata sequencenumber, offset
    azure-webjobs-eventhub/<namespace>/<hub>/<group>/ownership/<partition>    metadata ownerid; renewed every few seconds
    azure-webjobs-hosts/locks/<host id>/host                                  leased by one instance of a running app
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.blobs import blob_errors, open_service

HOST_STORAGE = "AzureWebJobsStorage"  # the host's own, whatever STORAGE says
CHECKPOINTS = "azure-webjobs-eventhub"
HOSTS = "azure-webjobs-hosts"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a partition was read: the sequence number (None where the host wrote an offset alone), and when that was written."""

    sequence: int | None
    moved: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Which instance reads a partition, and when it last said so."""

    name: str
    renewed: datetime


@dataclass(frozen=True, slots=True)
class GroupBlobs:
    """What the host keeps for one consumer group of one hub: partition -> checkpoint, partition -> owner."""

    prefix: str
    checkpoints: Mapping[str, Checkpoint]
    owners: Mapping[str, Owner]


def namespaces_of(connection: str) -> tuple[str, ...]:
    """The namespace's full name as blobs have it, from a connection string or as it is: the host's without port, Python's client's with it."""
    match = re.search(r"Endpoint=sb://([^/;:]+)(:\d+)?", connection, re.IGNORECASE)
    if match is None:
        return (connection,)
    return (match[1], match[1] + match[2]) if match[2] else (match[1],)


def read_group(connection: str, hub: str, group: str, environment: Mapping[str, str] | None = None) -> GroupBlobs:
    """The host's blobs of a consumer group; none where it has written none yet. Raises Retry or Misconfigured."""
    prefixes = [f"{namespace}/{hub}/{group}/".lower() for namespace in namespaces_of(connection)]
    checkpoints, owners = {}, {}
    for prefix in prefixes:
        for blob in blobs(CHECKPOINTS, prefix, environment):
            kind, _, partition = blob.name.removeprefix(prefix).partition("/")
            metadata = {str(name).lower(): value for name, value in (blob.metadata or {}).items()}
            if kind == "checkpoint":
                number = str(metadata.get("sequencenumber", ""))
                sequence = int(number) if number.isdecimal() else None
                checkpoints[partition] = Checkpoint(sequence, blob.last_modified)
            elif kind == "ownership" and metadata.get("ownerid"):  # one that was given up has none
                owners[partition] = Owner(str(metadata["ownerid"]), blob.last_modified)
    return GroupBlobs(prefixes[0], checkpoints, owners)


def read_hosts(environment: Mapping[str, str] | None = None) -> dict[str, bool]:
    """Host id -> whether it runs now, of every function app that has run with this storage account. Raises as `read_group`."""
    found = {}
    for blob in blobs(HOSTS, "locks/", environment):
        match = re.fullmatch(r"locks/([^/]+)/host", blob.name)
        if match:
            found[match[1]] = blob.lease.state == "leased"
    return found


def blobs(container: str, prefix: str, environment: Mapping[str, str] | None) -> Iterator[Any]:
    """The blobs below a prefix, with metadata; none where the container is not there."""
    from azure.core.exceptions import ResourceNotFoundError

    with (
        blob_errors(HOST_STORAGE),
        open_service(HOST_STORAGE, os.environ if environment is None else environment) as service,
    ):
        try:
            yield from service.get_container_client(container).list_blobs(name_starts_with=prefix, include=["metadata"])
        except ResourceNotFoundError:
            return
