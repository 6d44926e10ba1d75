"""App settings -> the back-fill's queue, as the Functions host finds it: by connection string, or by identity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from shared.blobs import identity, translated
from shared.errors import Misconfigured

NEVER = -1  # seconds after which a message goes by itself


@contextmanager
def queue_errors(setting: str) -> Iterator[None]:
    """Turn what Azure's SDK raises into Retry or Misconfigured (naming `setting`), as for blobs."""
    try:
        yield
    except Exception as error:
        told = translated(error, setting)
        if told is error:
            raise
        raise type(told)(*_queue_words(told)) from None


def _queue_words(told: Exception) -> tuple[str, ...]:
    """A blob's error in a queue's words."""
    if isinstance(told, Misconfigured):
        return told.setting, told.sentence.replace("blob storage", "the queue")
    return (str(told).replace("blob storage", "the queue"),)


def open_queue(prefix: str, name: str, environment: Mapping[str, str]) -> QueueClient:
    """The queue, made where missing. Raises Retry or Misconfigured."""
    encoding = TextBase64EncodePolicy()
    connection = environment.get(prefix, "").strip()
    with queue_errors(prefix):
        if connection:
            try:
                client = QueueClient.from_connection_string(connection, name, message_encode_policy=encoding)
            except ValueError:
                raise Misconfigured(prefix, "is not a connection string of a storage account with queues.") from None
        else:
            who = identity(environment.get(f"{prefix}__clientId", "").strip())
            client = QueueClient(address(prefix, environment), name, credential=who, message_encode_policy=encoding)
        with suppress(ResourceExistsError):
            client.create_queue()
    return client


def address(prefix: str, environment: Mapping[str, str]) -> str:
    """The queue service's address: `PREFIX__queueServiceUri`, or that of `PREFIX__accountName` in the public cloud."""
    account = environment.get(f"{prefix}__accountName", "").strip()
    found = environment.get(f"{prefix}__queueServiceUri", "").strip()
    found = found or (f"https://{account}.queue.core.windows.net" if account else "")
    if not found:
        raise Misconfigured(prefix, f"is not set, and neither is {prefix}__queueServiceUri or {prefix}__accountName.")
    if not re.fullmatch(r"https://[^\s/?#]+/?", found):
        raise Misconfigured(f"{prefix}__queueServiceUri", "is not an https address of a queue service.")
    return found
