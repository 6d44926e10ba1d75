"""What a record proves about its host's operating system, in the documented order of evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.platform import device_os, os_type, os_type_of_record, path_os_type, prove

ALLOWED = {"linux", "macos", "unix", "windows", "ios", "android", None}
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"


# fmt: off
OS_TYPE = [
    ("Windows10", "windows"), ("Windows11", "windows"), ("Windows10WVD", "windows"), ("WindowsServer2012R2", "windows"),
    ("WindowsServer2022", "windows"), ("Windows 10", "windows"), ("windows server 2019 datacenter", "windows"),
    ("Linux", "linux"), ("Ubuntu", "linux"), ("RedHatEnterpriseLinux", "linux"), ("CentOS", "linux"),
    ("macOS", "macos"), ("MacOS", "macos"), ("Mac OS X", "macos"), ("OS X", "macos"), ("macOS 14.1", "macos"),
    ("iOS", "ios"), ("iOS 17", "ios"), ("iPadOS", "ios"), ("Android", "android"), ("Android 14", "android"),
    ("FreeBSD", "unix"), ("Windows Phone", None), ("CiscoIos", None), ("Unknown", None), ("Other", None), ("", None),
    (None, None),
]
# fmt: on


@pytest.mark.parametrize(("platform", "expected"), OS_TYPE)
def test_os_type(platform: str | None, expected: str | None) -> None:
    """OSPlatform values and browsers' names for the same become one of ECS' types, or none."""
    assert os_type(platform) == expected


# fmt: off
PATH_OS_TYPE = [
    (r"C:\Windows\System32\cmd.exe",                              ("windows", True)),
    (r"c:/msys/bin/sh",                                           ("windows", True)),
    (r"\\server\share\a.exe",                                     ("windows", True)),
    (r"\Device\HarddiskVolume3\Windows\a.exe",                    ("windows", True)),
    (r"\??\C:\Windows\system32\conhost.exe",                      ("windows", True)),
    (r"%SystemRoot%\System32\x.dll",                              ("windows", True)),
    ("/applications/microsoft defender.app/contents/macos/x",     ("macos", True)),
    ("/Users/kim/Downloads/x",                                    ("macos", True)),
    ("/private/tmp/x",                                            ("macos", True)),
    ("/usr/libexec/xpcproxy",                                     ("macos", True)),
    ("/usr/bin/osascript",                                        ("macos", True)),
    ("/opt/x/Some.app/Contents/MacOS/Some",                       ("macos", True)),
    ("/usr/bin/bash",                                             ("linux", False)),
    ("/tmp/x",                                                    ("linux", False)),
    ("//server/share",                                            (None, False)),
    ("/",                                                         (None, False)),
    ("svchost.exe",                                               (None, False)),
    ("",                                                          (None, False)),
    (None,                                                        (None, False)),
]
# fmt: on


@pytest.mark.parametrize(("path", "expected"), PATH_OS_TYPE)
def test_path_os_type(path: str | None, expected: tuple[str | None, bool]) -> None:
    """Windows and macOS paths prove themselves; a plain POSIX path is taken for Linux, unproven."""
    assert path_os_type(path) == expected


MACOS_FIELDS = json.dumps(
    {"InitiatingProcessPosixEffectiveUser": {"Name": "root", "PrimaryPosixGroup": {"Name": "wheel", "PosixGroupId": 0}}}
)
LINUX_FIELDS = json.dumps(
    {"InitiatingProcessPosixEffectiveUser": {"Name": "root", "PrimaryPosixGroup": {"Name": "root", "PosixGroupId": 0}}}
)


# fmt: off
ORDER_OF_EVIDENCE = [
    ({},                                                                                ( None,     False)),
    ({"platform": "macOS", "path": r"C:\x"},                                            ("macos",   True)),
    ({"platform": "Unknown", "path": r"C:\x"},                                          ("windows", True)),
    ({"registry_key": r"HKEY_LOCAL_MACHINE\X", "path": "/usr/bin/x"},                   ("windows", True)),
    ({"path": r"\\server\share\a", "initiating_path": "/Applications/X.app/x"},         ("macos",   True)),
    ({"path": "/usr/bin/x", "parent_name": "launchd"},                                  ("macos",   True)),
    ({"path": "/usr/bin/curl", "parent_name": "Terminal"},                              ("macos",   True)),
    ({"path": "/usr/bin/x", "additional_fields": MACOS_FIELDS},                         ("macos",   True)),
    ({"path": "/usr/bin/x", "additional_fields": json.loads(MACOS_FIELDS)},             ("macos",   True)),
    ({"path": "/usr/bin/x", "additional_fields": LINUX_FIELDS},                         ("linux",   False)),
    ({"additional_fields": LINUX_FIELDS, "sid": "S-1-5-18"},                            ("linux",   False)),
    ({"additional_fields": {"PosixUserId": 0}},                                         ("linux",   False)),
    ({"additional_fields": '{"IsLocalLogon":true}'},                                    ( None,     False)),
    ({"path": "/usr/bin/x", "version_info": "x.exe"},                                   ("linux",   False)),
    ({"initiating_version_info": "PowerShell.EXE"},                                     ("windows", True)),
    ({"sid": "S-1-5-80-1-2-3"},                                                         ("windows", True)),
    ({"initiating_sid": "S-1-5-20"},                                                    ("windows", True)),
    ({"sid": "S-1-5-21-1-2-3-1001"},                                                    ("windows", False)),
    ({"sid": "S-1-5-21-1-2-3-501", "command_line": "/usr/bin/x -y"},                    ("linux",   False)),
    ({"command_line": r'"C:\Windows\x.exe" -y'},                                        ("windows", True)),
    ({"logon_protocol": "NTLM"},                                                        ("windows", False)),
    ({"command_line": "svchost.exe -k x"},                                              ( None,     False)),
    ({"program": "svchost.EXE"},                                                        ("windows", False)),
    ({"program": "System"},                                                             ("windows", False)),
    ({"program": "svchost.exe", "additional_fields": LINUX_FIELDS},                     ("linux",   False)),
    ({"program": "systemd"},                                                            ( None,     False)),
]
# fmt: on


@pytest.mark.parametrize(("record", "expected"), ORDER_OF_EVIDENCE)
def test_order_of_evidence(record: dict[str, str], expected: tuple[str | None, bool]) -> None:
    """Each step of the order tells when those before it do not, and loses against them when they do."""
    assert prove(**record) == expected
    assert os_type_of_record(**record) == expected[0]


def test_a_macos_record_with_a_windows_sid_is_macos() -> None:
    """Defender for macOS sends S-1-5-18 for root, as published test data shows: SIDs come last."""
    path = "/applications/microsoft defender.app/contents/macos/wdavdaemon_enterprise.app/contents/telemetryd_v2"
    assert (
        os_type_of_record(None, None, None, path, None, "wdavdaemon_enterprise", None, None, None, "S-1-5-18")
        == "macos"
    )


def test_real_rows_are_windows() -> None:
    """Published rows of a Windows server have no platform column and are recognised by the initiating process."""
    if not SAMPLES.exists():
        pytest.skip("the knowledge folder has no samples here")
    seen = 0
    for line in (SAMPLES / "derived_otrf_stream_records.ndjson").read_text().splitlines():
        row = json.loads(line)["properties"]
        if row.get("InitiatingProcessFolderPath"):
            assert (
                os_type_of_record(None, row["RegistryKey"], row["FolderPath"], row["InitiatingProcessFolderPath"])
                == "windows"
            )
            seen += 1
    assert seen == 5


# fmt: off
DEVICE_OS = [
    (("Windows11", None, "10.0", 22621),
     ("windows", "windows", "Windows11", "windows", "10.0",  "Windows11 10.0 (22621)")),
    (("Linux", "Ubuntu", "22.04", None),  ("linux", "debian", "Ubuntu", "ubuntu", "22.04",  "Ubuntu 22.04")),
    (("Linux", "RedHatEnterpriseLinux", "9.3", ""),
     ("linux", "redhat", "RedHatEnterpriseLinux", "redhatenterpriselinux", "9.3", "RedHatEnterpriseLinux 9.3")),
    (("macOS", "macOS", "14.1", None),  ("macos", "darwin", "macOS", "darwin", "14.1",  "macOS 14.1")),
    (("iOS", None, "17", None),  ("ios", "ios", "iOS", "ios", "17",  "iOS 17")),
    (("CiscoIos", None, None, None),  (None, None, "CiscoIos", "ciscoios", None,  "CiscoIos")),
    ((None, None, None, None),  (None, None, None, None, None,  None)),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "expected"), DEVICE_OS)
def test_device_os(arguments: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    """DeviceInfo's columns become host.os.type, family, name, platform, version and full."""
    assert device_os(*arguments) == expected


ANYTHING = st.none() | st.text(max_size=20) | st.sampled_from(["/", "\\", "C:", "S-1-5-", "/Users/x"])


@given(
    st.lists(ANYTHING, min_size=13, max_size=13), st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers()))
)
def test_anything_gives_an_allowed_type(values: list[str | None], fields: dict[str, object]) -> None:
    """No record raises, and what comes out is a type ECS knows or nothing."""
    assert os_type_of_record(*values) in ALLOWED
    values[4] = fields  # type: ignore[call-overload]  # AdditionalFields may come as an object
    assert os_type_of_record(*values) in ALLOWED
    assert device_os(*values[:4])[0] in ALLOWED
