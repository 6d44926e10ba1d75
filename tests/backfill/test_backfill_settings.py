"""The back-fill's settings: each wrong value is one sentence that names its setting, in what reads them and in health."""

from __future__ import annotations

import pytest

from functions.backfill import blueprint, declared, faults
from functions.conceal import conceal
from shared.backfill_settings import BackfillSettings
from shared.errors import Misconfigured


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("BACKFILL_CONTAINERS", "Upper"),
        ("BACKFILL_CONTAINERS", "a*b"),
        ("BACKFILL_QUEUE", "Not A Queue"),
        ("BACKFILL_QUEUE", "q" * 57),
        ("BACKFILL_QUEUE", "ab"),
        ("BACKFILL_CONTAINER", "x"),
        ("BACKFILL_RANGE_BYTES", "9999"),
        ("BACKFILL_RANGE_BYTES", "32000001"),
        ("BACKFILL_CONCURRENCY", "0"),
        ("BACKFILL_AHEAD", "many"),
    ],
)
def test_a_wrong_value_is_one_sentence(name: str, raw: str) -> None:
    """Reading it raises; the app starts all the same, and health says the same sentence."""
    environment = {"BACKFILL_STORAGE": "AzureWebJobsStorage", "AzureWebJobsStorage": "x", name: raw}

    with pytest.raises(Misconfigured) as told:
        BackfillSettings.read_all(environment)

    assert str(told.value).startswith(f"{name}: ")
    assert str(told.value).count(".") == 1
    assert faults(environment) == [str(told.value)]
    blueprint(environment)


def test_values_are_read() -> None:
    """Patterns of containers are kept as they are; nothing is declared without an account."""
    read = BackfillSettings.read_all({"BACKFILL_CONTAINERS": "insights-*, capture", "BACKFILL_AHEAD": "3"})

    assert (read.containers, read.ahead, read.storage) == (("insights-*", "capture"), 3, None)
    assert faults({}) == []
    assert declared({}) is None
    assert declared({"BACKFILL_STORAGE": "X", "STORAGE": "Y"}) == ("defender-backfill", "Y")
    assert faults({"BACKFILL_STORAGE": "X"})[0].startswith("X: is not set")
    assert faults({"BACKFILL_STORAGE": "X", "X__accountName": "account"}) == []


def test_the_key_of_the_exports_account_is_not_shown() -> None:
    """What BACKFILL_STORAGE points at is as secret as any connection string."""
    environment = {"BACKFILL_STORAGE": "EXPORTED", "EXPORTED": "not-for-anybody"}

    assert "not-for-anybody" not in conceal("failed with not-for-anybody", environment)
