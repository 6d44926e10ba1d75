"""What a hub says of its partitions, and the host's blobs say of them -> how far behind, and whether somebody else reads too. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.doctor.check import Check, failed, ok, rough, unchecked, warning
from cli.doctor.checkpoints import GroupBlobs

STALLED = 300.0  # seconds that the newest message may wait
APART = 120.0  # seconds that what was received and its checkpoint may be apart: state is written every 30 s
ALIVE = 90.0  # seconds within which an owner says again that it is one
MOST_NAMED = 8  # partitions named in a sentence


@dataclass(frozen=True, slots=True)
class Partition:
    """What the hub says: the first sequence number that it still keeps, the last, and when that came."""

    id: str
    first: int
    last: int
    enqueued: datetime | None
    empty: bool


def of_lag(name: str, partitions: Sequence[Partition], blobs: GroupBlobs, now: datetime) -> Check:
    """How many messages each partition has that the app has not shipped, and whether it gets on with them."""
    recreated, lost, stalled, behind = list[str](), list[str](), list[str](), list[str]()
    data: dict[str, Any] = {}
    for partition in partitions:
        checkpoint = blobs.checkpoints.get(partition.id)
        at = checkpoint.sequence if checkpoint else None
        waits = (now - partition.enqueued).total_seconds() if partition.enqueued and not partition.empty else 0.0
        data[partition.id] = {
            "last_enqueued": partition.last,
            "checkpoint": at,
            "checkpoint_moved": checkpoint.moved.isoformat() if checkpoint else None,
            "behind": None if at is None else max(0, partition.last - at),
            "newest_enqueued_seconds_ago": None if partition.empty else round(waits, 1),
        }
        if checkpoint is None:
            if not partition.empty:
                (stalled if waits > STALLED else behind).append(f"{partition.id} was never read")
        elif at is None:
            behind.append(f"{partition.id} is read by offset, its place can not be told")
        elif at > partition.last:
            recreated.append(f"{partition.id} was read up to {at}, but the hub's last message is {partition.last}")
        elif partition.first > at + 1 and not partition.empty:
            lost.append(f"{partition.id} lost {partition.first - at - 1:,} messages")
        elif at < partition.last:
            words = f"{partition.id} is {partition.last - at:,} messages behind"
            (stalled if waits > STALLED else behind).append(words)
    if recreated:
        return failed(
            name,
            f"the hub was made anew under the old name: {several(recreated)}.",
            f"Delete the blobs below azure-webjobs-eventhub/{blobs.prefix}checkpoint/ and restart the app: it reads from the beginning.",
            partitions=data,
        )
    if lost:
        return failed(
            name,
            f"the hub's retention ended before messages were read: {several(lost)}.",
            "Raise the hub's retention, mend what held the app, and fill the gap from Capture or the storage export.",
            partitions=data,
        )
    if stalled:
        return failed(
            name,
            f"nothing gets on: {several(stalled)}, the newest of which came more than {rough(STALLED)} ago.",
            "Look at GET /api/health and the log lines of defender.run for what holds the batch, and whether the app runs.",
            partitions=data,
        )
    newest = max((p.enqueued for p in partitions if p.enqueued and not p.empty), default=None)
    came = f", the newest message came {rough((now - newest).total_seconds())} ago" if newest else ", no message yet"
    return ok(name, f"{len(partitions)} partitions{came}; {several(behind) or 'nothing is behind'}.", partitions=data)


def several(words: Sequence[str]) -> str:
    """The first so many, and how many more there are."""
    more = len(words) - MOST_NAMED
    return "; ".join(words[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def of_group(
    name: str, groups: Mapping[str, GroupBlobs], received: datetime | None, now: datetime, *, known: bool = True
) -> Check:
    """Whether the consumer groups of a source (`hub as group` -> the host's blobs) are read by this app alone.

    The hub does not tell who reads. What does: whoever reads with our storage account moves our checkpoints without
    writing our state; whoever reads with another one takes partitions from us, so that we ship and our checkpoints stay.
    received: when this app last shipped something of that source (shared/state.py); known: whether that could be asked.
    """
    moved = max((point.moved for blobs in groups.values() for point in blobs.checkpoints.values()), default=None)
    alive = {
        owner.name
        for blobs in groups.values()
        for owner in blobs.owners.values()
        if (now - owner.renewed).total_seconds() < ALIVE
    }
    owned = sum(len(blobs.owners) for blobs in groups.values())
    default = [group for group in groups if group.lower().endswith(" as $default")]
    own = "Give this app a consumer group of its own (XDR_CONSUMER_GROUP, CLOUD_CONSUMER_GROUP), or take the other reader off it."
    if known and moved and received is None:
        return failed(name, f"checkpoints were moved {rough((now - moved).total_seconds())} ago, but this app has received nothing: somebody else reads with its consumer group and storage account.", own)  # fmt: skip
    if known and moved and received and (moved - received).total_seconds() > APART:
        return failed(name, f"checkpoints were moved {rough((moved - received).total_seconds())} after this app last received anything: somebody else reads with its consumer group and storage account.", own)  # fmt: skip
    if received and (now - received).total_seconds() < 3_600 and moved and (received - moved).total_seconds() > APART:
        return failed(name, f"this app shipped {rough((received - moved).total_seconds())} after its checkpoints were last moved: another reader takes partitions from it, or the storage account refuses checkpoints.", f"{own} Else grant Storage Blob Data Owner on the account of AzureWebJobsStorage.")  # fmt: skip
    if default:
        return warning(name, f"{'; '.join(default)}: the portal and other tools read with $Default.", own)
    if not known:
        return unchecked(
            name, "what this app last received is not known, so its checkpoints can not be held against it."
        )
    if moved is None:
        return unchecked(name, "the host has written no checkpoint yet.")
    readers = f"{len(alive)} instance{'' if len(alive) == 1 else 's'}" if alive else "no instance right now"
    return ok(name, f"{', '.join(groups)}: {owned} partitions are owned, by {readers}; checkpoints go with what was received.")  # fmt: skip
