"""What is learnt of a device's platform reaches the records that do not prove theirs, and changes nothing else."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.decode import Message, Record, decode
from shared.normalise.normaliser import Normalised, Normaliser
from shared.normalise.platforms import Platforms
from tests.normalise.detection_fields import FILE, LINUX_PROCESS, MACOS_PROCESS, PROCESS, Raw

MAC = MACOS_PROCESS.properties["DeviceId"]
INFO = Raw("DeviceInfo", {"OSPlatform": "macOS", "DeviceId": MAC})
ADAPTER = Raw("DeviceNetworkInfo", {"NetworkAdapterName": "en0", "DeviceId": MAC})


def normalise(normaliser: Normaliser, raw: Raw, tenant: Any = "t", **columns: Any) -> Normalised:
    """What a streamed record of the tenant becomes."""
    body = {"tenantId": tenant, "category": f"AdvancedHunting-{raw.table}", "properties": {**raw.properties, **columns}}
    (record,) = decode(Message(orjson.dumps(body)))
    assert isinstance(record, Record)
    return normaliser.normalise(record, normaliser.identify(record), "2026-01-02T03:06:00Z")


def system(made: Normalised) -> Any:
    """host.os of a document."""
    return made.document["host"].get("os")


def test_device_info_tells_what_later_records_only_guess() -> None:
    """A POSIX path is taken for Linux until DeviceInfo says macOS; a record without any evidence gets the platform too."""
    normaliser = Normaliser()
    assert system(normalise(normaliser, LINUX_PROCESS, DeviceId=MAC)) == {"type": "linux"}
    assert system(normalise(normaliser, ADAPTER)) is None
    normalise(normaliser, INFO)
    assert system(normalise(normaliser, LINUX_PROCESS, DeviceId=MAC)) == {"type": "macos", "family": "darwin"}
    assert system(normalise(normaliser, ADAPTER)) == {"type": "macos", "family": "darwin"}


def test_what_only_macos_has_is_learnt_and_device_info_is_believed_before_it() -> None:
    """A macOS path teaches the device's platform, but not against DeviceInfo."""
    normaliser = Normaliser()
    normalise(normaliser, MACOS_PROCESS)
    assert system(normalise(normaliser, ADAPTER)) == {"type": "macos", "family": "darwin"}
    normalise(normaliser, INFO, OSPlatform="Linux")
    normalise(normaliser, MACOS_PROCESS)
    assert system(normalise(normaliser, ADAPTER)) == {"type": "linux"}


def test_only_the_platform_differs_between_deliveries() -> None:
    """The same record before and after its device is known: one id, one document but for host.os."""
    normaliser = Normaliser()
    before = normalise(normaliser, LINUX_PROCESS, DeviceId=MAC)
    normalise(normaliser, INFO)
    after = normalise(normaliser, LINUX_PROCESS, DeviceId=MAC)
    assert before.id == after.id
    assert before.document["host"].pop("os") != after.document["host"].pop("os")
    assert before.document == after.document


def test_a_windows_record_is_left_alone() -> None:
    """What a record proves by a Windows path or a registry key stays, whatever is known of the device."""
    normaliser = Normaliser()
    normalise(normaliser, INFO)
    for raw in (PROCESS, FILE):
        assert system(normalise(normaliser, raw, DeviceId=MAC)) == {"type": "windows", "family": "windows"}


def test_a_posix_path_is_no_windows() -> None:
    """A device that DeviceInfo calls Windows, and a record that shows a POSIX path (of a Linux within it): the record is believed."""
    normaliser = Normaliser()
    normalise(normaliser, INFO, OSPlatform="Windows11")
    assert system(normalise(normaliser, LINUX_PROCESS, DeviceId=MAC)) == {"type": "linux"}
    assert system(normalise(normaliser, ADAPTER)) == {"type": "windows", "family": "windows"}


def test_a_table_that_we_do_not_know_teaches_no_guess() -> None:
    """What carries unknown tables may work the platform out of a path: that is no column's word."""
    normaliser = Normaliser()
    normalise(normaliser, Raw("DeviceShinyNewEvents", {"FolderPath": "/usr/bin/x", "DeviceId": MAC}))
    assert system(normalise(normaliser, ADAPTER)) is None


def test_devices_and_tenants_are_apart() -> None:
    """Neither another device nor the same one in another tenant learns from a record; a tenant that is no text does no harm."""
    normaliser = Normaliser()
    normalise(normaliser, INFO)
    assert system(normalise(normaliser, ADAPTER, DeviceId="e" * 40)) is None
    assert system(normalise(normaliser, ADAPTER, tenant="u")) is None
    for tenant in (["t"], {"t": 1}, None, 5):
        normalise(normaliser, INFO, tenant=tenant)
        assert system(normalise(normaliser, ADAPTER, tenant=tenant)) is None
    assert system(normalise(normaliser, INFO, OSPlatform="CiscoIos"))["name"] == "CiscoIos"
    assert system(normalise(normaliser, ADAPTER))["type"] == "macos"  # what has no type in ECS teaches nothing


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["linux", "windows", "macos"])), max_size=60))
def test_the_memory_is_bounded(lessons: list[tuple[int, str]]) -> None:
    """Of more devices than there is room for, those learnt of last are known, each by the last that was learnt."""
    platforms = Platforms(most=4)
    expected: dict[str, str] = {}
    for number, kind in lessons:
        platforms.settle({"id": f"d{number}", "os": {"type": kind}}, "t", told=True)
        expected.pop(f"d{number}", None)
        expected[f"d{number}"] = kind
    for number in range(10):
        host: dict[str, Any] = {"id": f"d{number}"}
        platforms.settle(host, "t", told=False)
        known = dict(list(expected.items())[-4:]).get(f"d{number}")
        assert host.get("os", {}).get("type") == known
