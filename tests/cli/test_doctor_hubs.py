"""What hub and host say together: lag per partition, and whether a consumer group is read by this app alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.doctor.check import Check
from cli.doctor.checkpoints import Checkpoint, GroupBlobs, Owner
from cli.doctor.hub_verdicts import Partition, of_group, of_lag

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    """So many seconds before now."""
    return NOW - timedelta(seconds=seconds)


def lag(partition: Partition, checkpoint: Checkpoint | None) -> Check:
    """The check of a hub with one partition."""
    return of_lag("hub", [partition], GroupBlobs("ns/hub/own/", {"0": checkpoint} if checkpoint else {}, {}), NOW)


@pytest.mark.parametrize(
    ("partition", "checkpoint", "state", "words"),
    [
        (Partition("0", 0, -1, None, True), None, "ok", "no message yet; nothing is behind"),
        (Partition("0", 0, 99, ago(9), False), Checkpoint(99, ago(5)), "ok", "nothing is behind"),
        (Partition("0", 0, 99, ago(9), False), Checkpoint(90, ago(5)), "ok", "0 is 9 messages behind"),
        (Partition("0", 0, 99, ago(301), False), Checkpoint(90, ago(600)), "failed", "0 is 9 messages behind"),
        (Partition("0", 0, 99, ago(9), False), None, "ok", "0 was never read"),
        (Partition("0", 0, 99, ago(301), False), None, "failed", "0 was never read"),
        (Partition("0", 0, 99, ago(301), False), Checkpoint(None, ago(5)), "ok", "can not be told"),
        (Partition("0", 0, 7, ago(9), False), Checkpoint(90, ago(5)), "failed", "made anew"),
        (Partition("0", 93, 99, ago(9), False), Checkpoint(90, ago(5)), "failed", "0 lost 2 messages"),
        (Partition("0", 91, 99, ago(9), False), Checkpoint(90, ago(5)), "ok", "9 messages behind"),
        (Partition("0", 100, 99, None, True), Checkpoint(99, ago(9_999)), "ok", "nothing is behind"),
    ],
)
def test_the_lag_of_a_partition(partition: Partition, checkpoint: Checkpoint | None, state: str, words: str) -> None:
    """Behind and getting on; behind and stuck; a hub made anew; messages that went before they were read."""
    check = lag(partition, checkpoint)
    assert (check.state, words in check.detail) == (state, True), check
    assert bool(check.mend) is (state == "failed")


def test_the_figures_are_told_for_each_partition_and_the_words_stay_short() -> None:
    """Thirty-two partitions behind: eight are named, all are in the data."""
    many = [Partition(str(number), 0, 99, ago(9), False) for number in range(32)]
    check = of_lag("hub", many, GroupBlobs("", {one.id: Checkpoint(98, ago(5)) for one in many}, {}), NOW)
    assert "and 24 more" in check.detail
    assert {lag["behind"] for lag in check.data["partitions"].values()} == {1}
    assert len(check.data["partitions"]) == 32


def test_the_blobs_to_delete_are_named() -> None:
    """A hub made anew leaves checkpoints that lead nowhere: the sentence says which."""
    assert (
        "azure-webjobs-eventhub/ns/hub/own/checkpoint/"
        in lag(Partition("0", 0, 7, ago(9), False), Checkpoint(90, ago(5))).mend
    )


OWNERS = {"0": Owner("a", ago(5)), "1": Owner("b", ago(50)), "2": Owner("c", ago(900))}


@pytest.mark.parametrize(
    ("group", "moved", "received", "state", "words"),
    [
        ("own", 40, 35, "ok", "3 partitions are owned, by 2 instances"),
        ("own", 5, 100, "ok", "checkpoints go with"),  # state is written every 30 s
        ("own", 5, 400, "failed", "somebody else reads with its consumer group and storage account"),
        ("own", 5, None, "failed", "this app has received nothing"),
        ("own", 400, 35, "failed", "another reader takes partitions"),
        ("own", 90_000, 89_000, "ok", ""),  # long ago: nothing to be told from it
        ("own", None, None, "not checked", "no checkpoint yet"),
        ("$Default", 40, 35, "warning", "$Default"),
    ],
)
def test_a_group_that_is_shared_shows(
    group: str, moved: float | None, received: float | None, state: str, words: str
) -> None:
    """Checkpoints and what this app received go together, or somebody else is at work."""
    points = {} if moved is None else {"0": Checkpoint(1, ago(moved)), "1": Checkpoint(1, ago(moved + 1_000))}
    when = None if received is None else ago(received)
    check = of_group("group", {f"hub as {group}": GroupBlobs("", points, OWNERS)}, when, NOW)
    assert (check.state, words in check.detail) == (state, True), check
    assert bool(check.mend) is (state in ("failed", "warning"))


def test_without_the_state_nothing_is_claimed() -> None:
    """Where what was received can not be asked, checkpoints prove nothing."""
    groups = {"hub as own": GroupBlobs("", {"0": Checkpoint(1, ago(5))}, {})}
    assert of_group("group", groups, None, NOW, known=False).state == "not checked"
