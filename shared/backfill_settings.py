"""Environment -> what the back-fill is told: where the exported blobs are, its queue, how much at once. Read once, as `shared.settings`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.setting_types import FromEnvironment, container, names, setting, text, whole

MOST_RANGE = 32_000_000  # bytes; the blob client reads so much in one request
POISON = "-poison"  # what the Functions host puts behind a queue's name


def containers(value: str) -> tuple[str, ...]:
    """Names of blob containers with commas between them; a `*` at the end stands for whatever follows."""
    result = names(value)
    for name in result:
        if not re.fullmatch(r"[a-z0-9$-]{1,63}\*?|\*", name):
            raise ValueError(f"names {name!r}, which is neither a container nor the beginning of one and *")
    return result


def queue(value: str) -> str:
    """A queue's name: 3 to 56 of a-z, 0-9 and single hyphens."""
    try:
        result = container(value)
    except ValueError:
        result = ""
    if not 3 <= len(result) <= 63 - len(POISON):
        raise ValueError("is not a queue's name: 3 to 56 of a-z, 0-9 and single hyphens")
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillSettings(FromEnvironment):
    """Everything that the back-fill is told."""

    storage: str | None = setting(
        "BACKFILL_STORAGE",
        "Prefix of the app settings that say where Defender's export or Event Hubs Capture has written its blobs, in the form of STORAGE "
        "(which may be the same). Empty: no back-fill, its functions are not there.",
        text,
        example="EXPORT_STORAGE",
    )
    containers: tuple[str, ...] = setting(
        "BACKFILL_CONTAINERS",
        "Containers that are read; that of Event Hubs Capture is to be named here.",
        containers,
        default=("insights-logs-advancedhunting-*",),
        example="insights-logs-advancedhunting-*, capture",
    )
    queue: str = setting(
        "BACKFILL_QUEUE",
        "Queue of the ranges that are to be read, in the account of STORAGE; those given up go to the same name with -poison.",
        queue,
        default="defender-backfill",
    )
    container: str = setting(
        "BACKFILL_CONTAINER",
        "Blob container, in the account of STORAGE, for the plan and the progress of each run.",
        container,
        default="backfill",
    )
    range_bytes: int = setting(
        "BACKFILL_RANGE_BYTES",
        "Bytes of blobs that one message of the queue stands for, and that are read at once.",
        whole(10_000, MOST_RANGE),
        default=8_388_608,
    )
    concurrency: int = setting(
        "BACKFILL_CONCURRENCY",
        "Messages that one instance works on at once, in threads of their own; as many as extensions.queues.batchSize in host.json.",
        whole(1, 16),
        default=2,
    )
    ahead: int = setting(
        "BACKFILL_AHEAD",
        "Messages that the command keeps in the queue: no more are worked on at once, on whatever number of instances.",
        whole(1, 1_000_000),
        default=8,
    )
