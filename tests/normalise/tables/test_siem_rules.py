"""The device, the image, the registry value and the address that an entity of a SIEM alert stands for."""

from __future__ import annotations

from typing import Any

import pytest

from shared.normalise.tables.siem_rules import (
    DEVICE_FIELDS,
    NO_DEVICE,
    category,
    device,
    image,
    observer,
    os_type,
    redirected,
    registry_value,
    source_address,
)

ONE = {
    "mdatpDeviceId": "d1",
    "deviceDnsName": "WS1.example.com",
    "osPlatform": "Windows11",
    "version": "23H2",
    "osBuild": 22631,
}
TWO = {
    "mdatpDeviceId": "d2",
    "deviceDnsName": "srv2",
    "osPlatform": "Other",
    "vmMetadata": {"cloudProvider": "AWS", "subscriptionId": "s1"},
    "loggedOnUsers": [{"accountName": "kim"}, {"accountName": "kim"}, {"accountName": None}, "x"],
}  # fmt: skip


def fields(devices: Any, entity: str | None) -> dict[str, Any]:
    """The fields that have a value."""
    return {
        name: value for name, value in zip(DEVICE_FIELDS, device(devices, entity), strict=True) if value is not None
    }


def test_the_host_is_the_device_of_the_entity() -> None:
    """Of several devices the one with the entity's id is the host; all are related."""
    found = fields([ONE, TWO], "d1")
    assert (found["host.id"], found["host.name"], found["host.domain"]) == ("d1", "ws1.example.com", "example.com")
    assert found["host.os.full"] == "Windows11 23H2 (22631)"
    assert found["#hosts"] == ["ws1.example.com", "srv2", "d1", "d2"]
    assert found["#users"] == ["kim"]


def test_the_only_device_is_the_host_and_of_several_none() -> None:
    """An entity that names no device was seen on the alert's, if there is just one."""
    assert fields([ONE], None)["host.id"] == fields(ONE, None)["host.id"] == "d1"
    assert "host.id" not in fields([ONE, TWO], None)


def test_an_unknown_device_is_the_host_by_its_id_alone() -> None:
    """The entity's device is the host even where the alert does not describe it, and gets nothing of another's."""
    found = fields([ONE], "d9")
    assert found["device.id"] == found["cloud.instance.id"] == "d9"
    assert found.keys() == {"host.id", "device.id", "cloud.instance.id", "#hosts"}
    assert found["#hosts"] == ["ws1.example.com", "d9", "d1"]


def test_what_says_nothing_of_a_device_is_left_out() -> None:
    """`Other` is no platform, and a machine in a known cloud is there with its account."""
    found = fields([TWO], None)
    assert "#platform" not in found
    assert "host.os.name" not in found
    assert (found["cloud.provider"], found["cloud.account.id"]) == ("aws", "s1")


@pytest.mark.parametrize("devices", [None, "x", [], ["x", None], {"values": ["x"]}, 5])
def test_no_devices(devices: Any) -> None:
    """What is no list of objects has no device, and is no error."""
    assert device(devices, None) == NO_DEVICE


def test_the_platform_is_the_devices_or_proven_by_the_entity() -> None:
    """A path proves a platform only for entities that live on a host; an account's SID does for a host that is known."""
    assert os_type("d1", "User", "Linux", None, None, "S-1-5-18", None) == "linux"
    assert os_type(None, "File", None, None, "C:\\x", None, None) == "windows"
    assert os_type(None, "Registry", None, "SOFTWARE", None, None, None) == "windows"
    assert os_type(None, "User", None, None, None, "S-1-5-21-1", None) is None
    assert os_type("d1", "User", None, None, None, "S-1-5-21-1", None) == "windows"


def test_a_process_has_its_file_as_its_image() -> None:
    """Only a Process entity's file is a process; without one its command line names it."""
    assert image("Process", "a.exe", "C:\\a.exe", "1", "2", None, "windows") == ("a.exe", "C:\\a.exe", "1", "2")
    assert image("Process", None, None, None, None, "C:\\b.exe -x", "windows")[0] == "b.exe"
    assert image("File", "a.exe", "C:\\a.exe", "1", "2", None, "windows") == (None,) * 4


def test_an_address_is_the_source_where_people_are_watched() -> None:
    """An Ip entity of cloud applications is where somebody came from; of a device's connection it may be either end."""
    assert source_address("Ip", "MicrosoftCloudAppSecurity", "192.0.2.1") == ("192.0.2.1", "192.0.2.1")
    assert source_address("Ip", "MicrosoftDefenderForEndpoint", "192.0.2.1") == (None, None)
    assert source_address("Url", "MicrosoftCloudAppSecurity", "192.0.2.1") == (None, None)


@pytest.mark.parametrize(
    ("kind", "value", "strings", "data"),
    [
        ("String", "31-00-00-00", ["1"], "MQAAAA=="),
        ("String", "61-00-00-00-62-00", ["61-00-00-00-62-00"], "YQAAAGIA"),
        ("MultiString", "61-00-00-00-62-00-00-00", ["a", "b"], "YQAAAGIAAAA="),
        ("Dword", "01-00-00-00", ["1", "0x00000001"], "AQAAAA=="),
        ("DwordBigEndian", "00-00-00-01", ["1", "0x00000001"], "AAAAAQ=="),
        ("Qword", "01-00-00-00-00-00-00-00", ["1", "0x0000000000000001"], "AQAAAAAAAAA="),
        ("Dword", "01-00", ["01-00"], "AQA="),
        ("Binary", "FF", ["FF"], "/w=="),
        ("String", "31", ["31"], None),
        ("String", "cmd.exe /c calc", ["cmd.exe /c calc"], None),
        ("String", "00-D8", ["00-D8"], "ANg="),
        ("String", "zz-00", ["zz-00"], None),
        (None, "31-00", ["31-00"], "MQA="),
        ("String", None, None, None),
    ],
)
def test_registry_data_is_read_by_its_type(
    kind: str | None, value: str | None, strings: list[str] | None, data: str | None
) -> None:
    """Bytes become what their type means, for rules compare that; other text, and bytes that do not fit, stay as sent."""
    found = registry_value("HKEY_LOCAL_MACHINE", "SOFTWARE\\X", kind, value)
    assert found[:3] == ("HKLM", "SOFTWARE\\X", "HKLM\\SOFTWARE\\X")
    assert found[4:] == (strings, data)


def test_registry_without_a_hive_or_a_key() -> None:
    """Each part is told as far as it is there."""
    assert registry_value(None, "HKEY_USERS\\.DEFAULT\\X", None, None)[:3] == ("HKU", ".DEFAULT\\X", "HKU\\.DEFAULT\\X")
    assert registry_value("HKEY_LOCAL_MACHINE", None, None, None)[:3] == ("HKLM", None, "HKLM")
    assert registry_value(None, None, None, None) == (None,) * 6


def test_a_merged_incident_is_marked() -> None:
    """Either the state or the other incident's number tells; nothing is said of all others."""
    assert redirected("Redirected", None) is redirected("Active", "17") is True
    assert redirected("Active", None) is redirected(None, None) is None


def test_malware_is_a_category_by_anybodys_word() -> None:
    """The alert's category, its determination or the incident's; the shared list is not changed."""
    shared = ["intrusion_detection"]
    assert category(shared, "Malware", None, None) == category(shared, None, "malware", None) == [*shared, "malware"]
    assert category(shared, "Ransomware", None, "Malware") == [*shared, "malware"]
    assert category(shared, "Execution", "Phishing", None) is shared
    assert shared == ["intrusion_detection"]
    assert category(None, "Malware", None, None) is None


def test_no_observer_without_a_product() -> None:
    """Nothing comes of nothing."""
    assert observer(None) == (None, None, None)
