"""Settings -> an open blob container (connection string or identity); Azure's errors -> Retry or Misconfigured.

Azure's packages are imported at the first use: a cold start that writes no blob does not pay for them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.errors import Misconfigured, Retry
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, ContainerClient

CONNECT_SECONDS = 10
READ_SECONDS = 60
SHARED_ACCESS_SIGNATURE = re.compile(r"(?i)(sig|accountkey|sharedaccesskey)=[^&;\s'\"]+")
PASSING = frozenset({408, 429})
REFUSED = frozenset({401, 403})
# Codes of a 409 or 404 that go by themselves: the container is being deleted, or the account being moved.
PASSING_CODES = frozenset({"ContainerBeingDeleted", "ContainerDisabled", "AccountBeingCreated", "ContainerNotFound"})


def open_container(settings: Settings, name: str, environment: Mapping[str, str] | None = None) -> ContainerClient:
    """The blob container `name` of the account that `settings.storage` points at; it is created where missing.

    Raises Misconfigured where the app settings say nothing usable or the account refuses us, Retry where it can not
    be reached now.
    """
    with blob_errors(settings.storage):
        service = open_service(settings.storage, os.environ if environment is None else environment)
        client = service.get_container_client(name)
        if not client.exists():
            make(client)
    return client


def make(client: ContainerClient) -> None:
    """Create a container that another process may be creating at this moment."""
    from azure.core.exceptions import ResourceExistsError

    try:
        client.create_container()
    except ResourceExistsError as error:
        if getattr(error, "error_code", None) != "ContainerAlreadyExists":
            raise


def open_service(prefix: str, environment: Mapping[str, str]) -> BlobServiceClient:
    """The blob service named by app settings, as the Functions host reads them.

    `PREFIX` is a connection string; else `PREFIX__blobServiceUri` (or `PREFIX__serviceUri`, or `PREFIX__accountName`
    for the public cloud) is used with the identity, `PREFIX__clientId` choosing a user-assigned one.
    """
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    options: dict[str, Any] = {
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=2, random_jitter_range=1),
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
    }
    connection = environment.get(prefix, "").strip()
    if connection:
        try:
            return BlobServiceClient.from_connection_string(connection, **options)
        except ValueError:
            raise Misconfigured(prefix, "is not a connection string of a storage account.") from None
    account = environment.get(f"{prefix}__accountName", "").strip()
    address = (
        environment.get(f"{prefix}__blobServiceUri", "").strip()
        or environment.get(f"{prefix}__serviceUri", "").strip()
        or (f"https://{account}.blob.core.windows.net" if account else "")
    )
    if not address:
        raise Misconfigured(prefix, f"is not set, and neither is {prefix}__blobServiceUri or {prefix}__accountName.")
    if not re.fullmatch(r"https://[^\s/?#]+/?", address):
        raise Misconfigured(f"{prefix}__blobServiceUri", "is not an https address of a blob service.")
    return BlobServiceClient(
        address, credential=identity(environment.get(f"{prefix}__clientId", "").strip()), **options
    )


def identity(client_id: str) -> Any:
    """The app's own identity in Azure; outside Azure whatever the developer is signed in with."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=client_id) if client_id else DefaultAzureCredential()


@contextmanager
def blob_errors(setting: str) -> Iterator[None]:
    """Turn what Azure's SDK raises inside into Retry or Misconfigured (naming `setting`), without secrets.

    Conflicts of a condition that the caller asked for (409, 412, 404 of a blob) come out as they are.
    """
    try:
        yield
    except Exception as error:
        told = translated(error, setting)
        if told is error:
            raise
        raise told from None  # the SDK's own text may hold a signed address


def translated(error: Exception, setting: str) -> Exception:
    """What an exception of Azure's SDK means to us; any other exception is given back unchanged."""
    if not type(error).__module__.startswith("azure."):
        return error
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Retry(f"blob storage ({setting}) can not be reached: {safe(error)}")
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        status, code = error.status_code, str(getattr(error, "error_code", None) or "")
        if status in REFUSED:
            return Misconfigured(setting, f"blob storage refuses us ({status} {code or safe(error)}).")
        if status >= 500 or status in PASSING or code in PASSING_CODES:
            return Retry(f"blob storage ({setting}) answered {status} {code or safe(error)}")
        return error
    if isinstance(error, ClientAuthenticationError):
        return Misconfigured(
            setting, f"no identity to reach blob storage with; on your own machine: az login ({safe(error)})."
        )
    if isinstance(error, AzureError):
        return Retry(f"blob storage ({setting}) failed: {safe(error)}")
    return error


def safe(error: Exception) -> str:
    """The first line of an exception's text, bounded, with keys and signatures cut out."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return SHARED_ACCESS_SIGNATURE.sub(r"\1=…", first)[:300]
