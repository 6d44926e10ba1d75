"""Each event hub: reachable, its lag per partition, its consumer group not shared.

The hub tells its last sequence numbers to Microsoft's client (azure-eventhub, of the command line's packages, not of the
app's); how far the app has read stands in the host's checkpoint blobs. Both are read, nothing is received.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cli.doctor.check import Check, failed, unchecked
from cli.doctor.checkpoints import GroupBlobs, read_group
from cli.doctor.hub_verdicts import Partition, of_group, of_lag
from functions.hubs import Trigger, connected, triggers
from shared import state
from shared.blobs import identity, safe
from shared.errors import ForwarderError
from shared.settings import Settings

SECONDS = 30.0  # for one hub


class Unreachable(Exception):
    """The hub could not be asked; with how to mend it."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(detail)
        self.mend = mend


def of_hubs(settings: Settings) -> Iterator[Check]:
    """The checks of every hub that the settings name, then of each source's consumer groups."""
    now, groups = datetime.now(UTC), dict[str, dict[str, GroupBlobs]]()
    for trigger in triggers(os.environ):
        name = f"{trigger.source}: hub {trigger.hub}"
        connection = connected(trigger.connection, os.environ)
        if not connection:
            continue  # the check `event hubs` says so
        try:
            blobs = read_group(connection, trigger.hub, trigger.consumer_group)
            groups.setdefault(trigger.source, {})[f"{trigger.hub} as {trigger.consumer_group}"] = blobs
        except ForwarderError as error:
            yield failed(f"{name} checkpoints", str(error), "Look at AzureWebJobsStorage and the role Storage Blob Data Owner.")  # fmt: skip
            continue
        try:
            yield of_lag(name, partitions(trigger), blobs, datetime.now(UTC))
        except ImportError:
            yield unchecked(name, "asking a hub takes azure-eventhub: pip install -r requirements-dev.txt.")
        except Unreachable as error:
            yield failed(name, str(error), error.mend)
    for source, found in groups.items():
        when, known = received(settings, source)
        yield of_group(f"{source}: consumer group", found, when, now, known=known)


def received(settings: Settings, source: str) -> tuple[datetime | None, bool]:
    """When this app last shipped something of a source, and whether that could be asked."""
    try:
        found = state.read(settings, [source])[source]["received"]
        return (datetime.fromisoformat(found["at"]) if found else None), True
    except (ForwarderError, KeyError, TypeError, ValueError):
        return None, False


def partitions(trigger: Trigger) -> list[Partition]:
    """What the hub says of its partitions. Raises ImportError without azure-eventhub, Unreachable in place of what its client raises."""
    from azure.eventhub import EventHubConsumerClient  # noqa: F401  missing is told by the caller, not in the thread

    found: list[Partition] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            found.extend(asked(trigger))
        except Exception as error:  # noqa: BLE001  told below
            errors.append(error)

    asker = threading.Thread(target=ask, name="hub", daemon=True)  # the client has no limit of its own for all of it
    asker.start()
    asker.join(SECONDS)
    if asker.is_alive():
        raise Unreachable(f"no answer within {SECONDS:g} s.", REACH)
    if errors:
        raise told(errors[0], trigger)
    return found


REFUSED = ("AuthenticationError", "ClientAuthenticationError", "CredentialUnavailableError")
REACH = "Open port 5671 (or 443) to the namespace from here, look at its firewall and private endpoints, and at the name in the settings."


def asked(trigger: Trigger) -> list[Partition]:
    """The same, without a limit of time."""
    from azure.eventhub import EventHubConsumerClient

    options: dict[str, Any] = {"eventhub_name": trigger.hub, "consumer_group": trigger.consumer_group, "retry_total": 0}
    connection = os.environ.get(trigger.connection, "").strip()
    if connection:
        client = EventHubConsumerClient.from_connection_string(connection, **options)
    else:
        namespace = connected(trigger.connection, os.environ)
        credential = identity(os.environ.get(f"{trigger.connection}__clientId", "").strip())
        client = EventHubConsumerClient(namespace, credential=credential, **options)
    with client:
        return [partition(client.get_partition_properties(id)) for id in client.get_partition_ids()]


def partition(properties: dict[str, Any]) -> Partition:
    """A partition from what the client gives."""
    return Partition(
        str(properties["id"]),
        int(properties["beginning_sequence_number"]),
        int(properties["last_enqueued_sequence_number"]),
        properties["last_enqueued_time_utc"],
        bool(properties["is_empty"]),
    )


def told(error: Exception, trigger: Trigger) -> Unreachable:
    """What an error of the client means, by its class: it is not ours to import where it is not installed."""
    kind, words = type(error).__name__, safe(error)
    if isinstance(error, ValueError) and os.environ.get(
        trigger.connection
    ):  # by the client's own reading of the connection string
        return Unreachable(f"the connection string can not be read ({words}).", f"Look at {trigger.connection}.")
    if kind in REFUSED or re.search(r"Status code: 40[13]\b", words):
        return Unreachable(
            f"the namespace refuses us ({words}).",
            f"Grant whoever runs this, and the app's identity, Azure Event Hubs Data Receiver on {trigger.hub}; with a connection string look at its key.",
        )
    if re.search(r"not-found|NotFound|could not be found|Status code: 404\b", words):
        return Unreachable(
            f"the namespace has no hub {trigger.hub} ({words}).", f"Look at {trigger.setting} and at the namespace."
        )
    return Unreachable(f"can not be asked: {kind}: {words}.", REACH)
