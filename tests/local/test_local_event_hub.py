"""The Event Hubs stand-in keeps what Event Hubs keeps: order, sequence numbers, offsets, keys, bytes and limits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azure.eventhub import EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from local.event_hub import LocalEventHubs, event_hub
from local.hub_listener import event_of
from local.process import running
from local.trigger_data import Event
from tests.conftest import require


@pytest.fixture(scope="module")
def hubs() -> Iterator[LocalEventHubs]:
    """A namespace of this module's own."""
    require("node")
    with event_hub(("one", "two", "keyed", "large"), partitions=2) as server:
        yield server


def read(hubs: LocalEventHubs, hub: str, partition: int, count: int, **options: Any) -> list[Event]:
    """Read so many events of a partition through the real SDK, from the start if not told otherwise."""
    found: list[Event] = []
    done = threading.Event()
    client = EventHubConsumerClient.from_connection_string(hubs.connection_string, "$Default", eventhub_name=hub)

    def take(_: object, events: list[Any]) -> None:
        found.extend(event_of(event) for event in events)
        if len(found) >= count:
            done.set()

    keywords = {"partition_id": str(partition), "starting_position": "-1", **options}
    thread = threading.Thread(target=client.receive_batch, args=(take,), kwargs=keywords, daemon=True)
    thread.start()
    came = done.wait(30)
    client.close()
    thread.join(10)
    assert came, f"only {len(found)} of {count} events came"
    return found


def test_a_partition_keeps_order_bytes_and_numbers(hubs: LocalEventHubs) -> None:
    """Bodies come back byte for byte, in order, numbered from 0 without a gap, with offsets that grow."""
    bodies = [b"first", b"", b"\xff\x00\x80", "größer".encode(), b"x" * 1000]
    assert hubs.send(bodies, hub="one", partition=0) == 5
    assert hubs.send([b"later"], hub="one", partition=0) == 1

    events = read(hubs, "one", 0, 6)

    assert [event.body for event in events] == [*bodies, b"later"]
    assert [event.sequence_number for event in events] == [0, 1, 2, 3, 4, 5]
    offsets = [int(event.offset) for event in events]
    assert offsets == sorted(set(offsets))
    assert events[0].enqueued <= events[5].enqueued
    assert hubs.last_sequence_numbers("one") == [5, -1]


def test_reading_goes_on_behind_a_sequence_number(hubs: LocalEventHubs) -> None:
    """A reader that starts behind a sequence number gets the next event first."""
    hubs.send([str(number).encode() for number in range(5)], hub="two", partition=1)

    events = read(hubs, "two", 1, 2, starting_position=2)

    assert [event.body for event in events] == [b"3", b"4"]


def test_hubs_are_apart_and_keys_stay_together(hubs: LocalEventHubs) -> None:
    """Events with one key land in one partition, with the key, and in no other hub."""
    for _ in range(3):
        hubs.send([b"a", b"b"], hub="keyed", key="device-1")

    last = hubs.last_sequence_numbers("keyed")

    assert sorted(last) == [-1, 5]
    events = read(hubs, "keyed", last.index(5), 6)
    assert {event.partition_key for event in events} == {"device-1"}


def test_messages_up_to_a_megabyte_pass_and_larger_ones_do_not(hubs: LocalEventHubs) -> None:
    """Ten bodies of nearly 1 MiB come back whole; a larger one is refused before it is sent."""
    bodies = [bytes([number]) * 1_040_000 for number in range(10)]
    hubs.send(bodies, hub="large", partition=0)
    with pytest.raises(ValueError, match="size limit"):
        hubs.send([b"x" * 1_048_577], hub="large", partition=0)

    events = read(hubs, "large", 0, 10)

    assert [event.body for event in events] == bodies


def test_an_unknown_hub_is_refused(hubs: LocalEventHubs) -> None:
    """Sending to a hub that is not there is an error of the SDK, not silence."""
    producer = EventHubProducerClient.from_connection_string(
        hubs.connection_string, eventhub_name="nowhere", retry_total=0
    )
    with producer, pytest.raises(EventHubError, match="NotFound"):
        producer.get_eventhub_properties()


def test_a_stopped_namespace_leaves_no_process() -> None:
    """After the end neither the process nor the port is there."""
    require("node")
    with event_hub(partitions=1) as server:
        assert server.server is not None
        process = server.server.pid
        assert running(process)
    assert not running(process)
