"""The worker killed (SIGKILL) at 50 random moments: indexed, dead-lettered and filtered are the input, nothing twice.

All parts are real: this app in the local host as a process of its own, the hub, checkpoints and dead letters in Azurite,
Elasticsearch with our templates and a user who may only ship. Other moments with KILL_SEED=17; fewer kills with KILLS=5.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore
from elasticsearch.helpers import scan

from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch, User
from local.event_hub import LocalEventHubs, event_hub
from local.host_options import CHECKPOINT_CONTAINER
from local.process import running
from local.templates import put_templates
from shared.ship.dead_letter import DeadLetter, DeadLetters
from tests.conftest import require
from tests.faults.fated_messages import (
    RECORD_FILTER,
    FatedMessage,
    all_broken,
    all_indexed,
    fated_messages,
)
from tests.faults.killing import Host, Left, moments
from tests.faults.sending import Sender, sending

KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("KILL_SEED", "1"))
MESSAGES_EACH = 12  # sent around every kill
PARTITIONS = 2
DRAIN_SECONDS = 120.0
SMALL = {"BULK_MAX_DOCUMENTS": "10", "BULK_CONCURRENCY": "1"}  # many requests for a batch, to be killed between them


@dataclass(frozen=True, slots=True)
class Place:
    """Where this test's traces are."""

    hubs: LocalEventHubs
    storage: LocalAzurite
    server: LocalElasticsearch
    namespace: str
    letters: str  # container of the dead letters

    @property
    def hub(self) -> str:
        """The hub's name."""
        return self.hubs.hubs[0]

    def settings(self, user: User) -> dict[str, str]:
        """The app settings of the host."""
        return {
            **self.server.app_settings(user),
            **SMALL,
            "NAMESPACE": self.namespace,
            "RECORD_FILTER": RECORD_FILTER,
            "AzureWebJobsStorage": self.storage.connection_string,
            "DEAD_LETTER_CONTAINER": self.letters,
            "STATE_CONTAINER": f"{self.letters}-state",
            "XDR_EVENT_HUB_NAMES": self.hub,
            "XDR_EVENT_HUB": self.hubs.connection_string,
            "LOCAL_HOST_BACKOFF_SCALE": "0.01",
        }

    @property
    def stream(self) -> str:
        """The data stream that all documents go to."""
        return f"logs-m365_defender.event-{self.namespace}"

    def checkpoints(self, store: BlobCheckpointStore) -> dict[str, int]:
        """The sequence number up to which each partition is acknowledged; partitions without a checkpoint are left out."""
        found = store.list_checkpoints(f"127.0.0.1:{self.hubs.port}", self.hub, "$Default")
        return {item["partition_id"]: item["sequence_number"] for item in found}

    def documents(self) -> int:
        """How many documents there are."""
        with self.server.client() as admin:
            if not admin.indices.exists(index=self.stream):
                return 0
            admin.indices.refresh(index=self.stream)
            return int(admin.count(index=self.stream)["count"])

    def ids(self) -> list[str]:
        """The id of every document, as often as it is there."""
        with self.server.client() as admin:
            admin.indices.refresh(index=self.stream)
            return [hit["_id"] for hit in scan(admin, index=self.stream, size=2_000, source=False)]

    def put_away(self) -> list[DeadLetter]:
        """Every dead letter, as often as it was written."""
        with self.storage.service() as service:
            container = service.get_container_client(self.letters)
            letters = DeadLetters(lambda: container, "AzureWebJobsStorage")
            return [letter for stored in letters.list() for letter in letters.read(stored)]


def acknowledged(messages: Sequence[FatedMessage], checkpoints: Mapping[str, int]) -> list[FatedMessage]:
    """The messages that are behind a checkpoint."""
    return [item for item in messages if item.sequence_number <= checkpoints.get(str(item.partition), -1)]


def last_of(messages: Sequence[FatedMessage], partition: int) -> int:
    """The sequence number of a partition's last message."""
    return max(message.sequence_number for message in messages if message.partition == partition)


def stage(left: Left, checkpoints: Mapping[str, int], *, grown: bool, owed: bool) -> str:
    """What a process was at when it was killed.

    grown: whether it has indexed documents that no checkpoint covers. owed: whether it had messages to work on.
    """
    if not left.ready:
        return "starting"
    if len(left.runs) > len(left.done) or any(last > checkpoints.get(name, -1) for name, last in left.done):
        return "before the checkpoint"
    if grown:
        return "shipping"
    return "before shipping" if owed else "idle"


def kill_again_and_again(
    place: Place, host: Host, store: BlobCheckpointStore, messages: Sequence[FatedMessage], sender: Sender
) -> Counter[str]:
    """Start the host and kill it, as often as said, while messages come in; what it was at each time.

    Whatever a checkpoint covers must be in Elasticsearch already, after every kill.
    """
    stages: Counter[str] = Counter()
    before = 0
    for number, moment in enumerate(moments(SEED, KILLS)):
        sender.send(messages[number * MESSAGES_EACH : (number + 1) * MESSAGES_EACH])
        host.launch()
        host.kill_at(moment)
        checkpoints = place.checkpoints(store)
        there, covered = place.documents(), len(all_indexed(acknowledged(messages, checkpoints)))
        assert there >= covered, f"kill {number}: acknowledged up to {checkpoints}, but {covered - there} are missing"
        owed = any(end > checkpoints.get(name, -1) for name, end in sender.ends.items())
        stages[stage(Left.behind(host.server), checkpoints, grown=there > max(before, covered), owed=owed)] += 1
        before = there
    return stages


def drain(place: Place, host: Host, store: BlobCheckpointStore, ends: Mapping[str, int]) -> None:
    """Let a last host work until everything is acknowledged, and stop it in order."""
    host.launch()
    host.wait_until_ready()
    deadline = time.monotonic() + DRAIN_SECONDS
    while (checkpoints := place.checkpoints(store)) != ends:
        assert time.monotonic() < deadline, f"{checkpoints} of {ends}:\n{host.server.last_words()}"
        time.sleep(0.1)
    assert host.server.stop(seconds=30) == 0, host.server.last_words()


def test_a_worker_killed_fifty_times_loses_nothing_and_doubles_nothing(
    elasticsearch_server: LocalElasticsearch, azurite_server: LocalAzurite, tmp_path: Path
) -> None:
    """What was sent is found again piece by piece, though the host was killed in all stages of its work."""
    # GIVEN real parts with names of our own, a user who may only ship, and messages whose fate is known
    require("node")
    began, tail = time.monotonic(), secrets.token_hex(4)
    with elasticsearch_server.client() as admin:
        put_templates(admin, namespace=f"kills{tail}")
    user = elasticsearch_server.add_user(f"killed-{tail}")
    messages = fated_messages(SEED, KILLS * MESSAGES_EACH, PARTITIONS)
    print(f"KILL_SEED={SEED}")
    with (
        event_hub((f"kills-{tail}",), partitions=PARTITIONS) as hubs,
        azurite_server.service() as service,
        BlobCheckpointStore.from_connection_string(azurite_server.connection_string, CHECKPOINT_CONTAINER) as store,
        sending(hubs, SEED) as sender,
    ):
        place = Place(hubs, azurite_server, elasticsearch_server, f"kills{tail}", f"kills-{tail}")
        with suppress(ResourceExistsError):  # other tests keep theirs in it
            service.create_container(CHECKPOINT_CONTAINER)
        host = Host(place.settings(user), tmp_path)
        try:
            # WHEN the host is killed and started again while messages come in, and a last one may end its work
            stages = kill_again_and_again(place, host, store, messages, sender)
            killing_took = time.monotonic() - began
            sender.finish()
            ends = {str(number): last for number, last in enumerate(hubs.last_sequence_numbers())}
            drain(place, host, store, ends)
        finally:
            host.kill()
    left = [Left.behind(server) for server in host.servers]
    assert not [server.pid for server in host.servers if running(server.pid)]
    assert ends == {str(number): last_of(messages, number) for number in range(PARTITIONS)}

    # THEN every record is a document, once, or left out by the filter, or a dead letter, and there is nothing else
    ids, expected = place.ids(), all_indexed(messages)
    assert len(expected) == sum(len(message.indexed) for message in messages)  # no two records share an id
    lost, strange, doubled = len(expected - set(ids)), len(set(ids) - expected), len(ids) - len(set(ids))
    assert (lost, strange, doubled) == (0, 0, 0), f"of {len(expected)} documents"
    assert sum(len(message.left_out) for message in messages) > 0

    # THEN the dead letters are what is broken, each from where it stood. A kill between their writing and the checkpoint
    # leaves them once more, in another blob and under the same key, and `dead-letters` shows a key once (decision 4)
    letters, broken = place.put_away(), set(all_broken(messages))
    assert {(one.partition, one.sequence_number, one.code, one.original) for one in letters} == broken
    keys = {one.key: one.original for one in letters}
    # as many keys as there are different pieces (empty messages have one together), each of its own piece
    assert sorted(keys.values()) == sorted({original for *_, original in broken})

    # THEN the kills were what they are said to be
    runs = [run for one in left for run in one.runs]
    again = [run for run in runs if run["duplicate"]]
    assert len(host.servers) == KILLS + 1
    assert not [run for one in left for run in one.held if run["result"] != "retry"]
    print(
        f"seed {SEED}: {KILLS} kills {dict(stages)} in {killing_took:.0f} s, all in {time.monotonic() - began:.0f} s; "
        f"{len(messages)} messages with {sum(message.pieces for message in messages)} records: {len(ids)} documents, "
        f"{sum(len(message.left_out) for message in messages)} left out, {len(broken)} broken ({len(keys)} keys); "
        f"{len(runs)} batches acknowledged, {len(again)} of them redelivered with "
        f"{sum(run['duplicate'] for run in again)} documents that were there; {len(letters) - len(broken)} dead letters twice"
    )
    if KILLS >= 50:
        assert again
        assert {"starting", "shipping", "before the checkpoint"} <= set(stages), f"the kills prove less: {stages}"
