"""Registry columns in the forms Defender sends become the forms that detection rules compare."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.registry import data_strings, data_type, deleted, hive_and_key, registry

# fmt: off
HIVE_AND_KEY = [
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft",             "HKLM", r"SOFTWARE\Microsoft"),
    (r"hkey_local_machine\software",                       "HKLM", "software"),
    (r"HKEY_LOCAL_MACHINE",                                "HKLM", None),
    ("HKEY_LOCAL_MACHINE\\SOFTWARE\\",                     "HKLM", "SOFTWARE"),
    (r"HKLM\SYSTEM",                                       "HKLM", "SYSTEM"),
    (r"HKLM:\SYSTEM",                                      "HKLM", "SYSTEM"),
    (r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\Software\X",  "HKU",  r"S-1-5-21-1-2-3-1001\Software\X"),
    (r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001_Classes\X",   "HKU",  r"S-1-5-21-1-2-3-1001_Classes\X"),
    (r"HKEY_CURRENT_USER\.DEFAULT\Software",               "HKU",  r".DEFAULT\Software"),
    (r"HKEY_CURRENT_USER\Software\X",                      "HKCU", r"Software\X"),
    (r"HKEY_USERS\S-1-5-18\Software",                      "HKU",  r"S-1-5-18\Software"),
    (r"HKEY_CLASSES_ROOT\CLSID",                           "HKCR", "CLSID"),
    (r"HKEY_CURRENT_CONFIG\System",                        "HKCC", "System"),
    (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001",            "HKLM", r"SYSTEM\ControlSet001"),
    (r"\Registry\User\S-1-5-21-1\X",                       "HKU",  r"S-1-5-21-1\X"),
    (r"REGISTRY\MACHINE",                                  "HKLM", None),
    (r"\REGISTRY\A\{0f2b}\Root",                           None,   r"\REGISTRY\A\{0f2b}\Root"),
    (r"fridge\door",                                       None,   r"fridge\door"),
    ("",                                                   None,   None),
    (None,                                                 None,   None),
]
# fmt: on


@pytest.mark.parametrize(("key", "hive", "below"), HIVE_AND_KEY)
def test_hive_and_key(key: str | None, hive: str | None, below: str | None) -> None:
    """Every way of writing a hive becomes its short form; the user's SID stays in the key."""
    assert hive_and_key(key) == (hive, below)


# fmt: off
PATH = [
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", "Start",     "Dword",  "RegistryValueSet",     r"HKLM\SYSTEM\X\Start"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", None,        "String", "RegistryValueSet",     "HKLM\\SYSTEM\\X\\"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", "",          None,     "RegistryValueSet",     "HKLM\\SYSTEM\\X\\"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", "(Default)", "String", "RegistryValueSet",     "HKLM\\SYSTEM\\X\\"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", None,        None,     "RegistryValueDeleted", "HKLM\\SYSTEM\\X\\"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", None,        None,     "RegistryKeyCreated",   r"HKLM\SYSTEM\X"),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\X", None,        None,     None,                   r"HKLM\SYSTEM\X"),
    (r"\REGISTRY\A\{0f2b}\Root",     "v",         None,     None,                   r"\REGISTRY\A\{0f2b}\Root\v"),
    (None,                           "v",         None,     "RegistryValueSet",     None),
]
# fmt: on


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ((None, None, "K", "V", "RegistryValueDeleted"), ("K", "V")),
        (("", "", "K", None, "RegistryKeyDeleted"), ("K", None)),
        (("K", None, None, "V", "RegistryValueDeleted"), ("K", "V")),
        (("K", "V", "old", "old", "RegistryValueDeleted"), ("K", "V")),
        ((None, None, "K", "V", "RegistryValueSet"), (None, None)),
        ((None, None, "K", "V", None), (None, None)),
    ],
)
def test_what_was_deleted_may_stand_in_the_previous_columns_alone(
    columns: tuple[str | None, str | None, str | None, str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    """Only of deletions; of a value that was set, the previous name is another value's."""
    assert deleted(*columns) == expected


@pytest.mark.parametrize(("key", "value", "value_type", "action", "path"), PATH)
def test_path(key: str | None, value: str | None, value_type: str | None, action: str | None, path: str | None) -> None:
    """hive, key and value make the path; a key's unnamed value ends it in a backslash, a key by itself does not."""
    hive, below, name, found = registry(key, value, value_type, action)
    assert found == path
    assert name == (value or None)
    if hive and below and path:
        assert path.startswith(f"{hive}\\{below}")


# fmt: off
PATTERNS_OF_PUBLIC_RULES_MATCH_REAL_KEYS = [
    (r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\x\NetworkProvider",  "ProviderPath",
     r"HKLM\SYSTEM\*ControlSet*\Services\*\NetworkProvider\ProviderPath"),
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\Root\Certificates\B68D", "Blob",
     r"HKLM\Software\Microsoft\SystemCertificates\Root\Certificates\*\Blob"),
    (r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\Software\Microsoft\Windows\CurrentVersion\Run", "Remcos",
     r"*\Windows\CurrentVersion\Run\Remcos"),
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows Defender", "DisableAntiSpyware",
     r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\DisableAntiSpyware"),
]
# fmt: on


@pytest.mark.parametrize(("key", "value", "pattern"), PATTERNS_OF_PUBLIC_RULES_MATCH_REAL_KEYS)
def test_patterns_of_public_rules_match_real_keys(key: str, value: str, pattern: str) -> None:
    """Paths made of Defender's own keys match the wildcard patterns of public rules, which ignore case."""
    path = registry(key, value, "String", "RegistryValueSet")[3]
    assert path is not None
    assert fnmatchcase(path.lower(), pattern.lower())


# fmt: off
DATA_STRINGS = [
    ("1",                        "Dword",        ["1", "0x00000001"]),
    ("0x1",                      "Dword",        ["1", "0x00000001"]),
    ("0x00000004",               "DWORD",        ["4", "0x00000004"]),
    ("-1",                       "Dword",        ["4294967295", "0xffffffff"]),
    ("4294967296",               "Dword",        ["4294967296"]),
    ("2",                        "REG_DWORD",    ["2", "0x00000002"]),
    ("1",                        "Qword",        ["1", "0x0000000000000001"]),
    ("one",                      "Dword",        ["one"]),
    ("1",                        "String",       ["1"]),
    ("C:\\x.dll",                "ExpandString", ["C:\\x.dll"]),
    ("a b c",                    "MultiString",  ["a b c"]),
    ("a\x00b c\x00\x00",         "MultiString",  ["a", "b c"]),
    ("a\r\nb",                   "MultiString",  ["a", "b"]),
    ("\x00",                     "MultiString",  None),
    ("5C0000000100",             "Binary",       ["5C0000000100"]),
    ("(empty)",                  None,           ["(empty)"]),
    ("0x2",                      None,           ["2", "0x00000002"]),
    ("0x0000000000000002",       None,           ["2", "0x0000000000000002"]),
    ("0xthing",                  None,           ["0xthing"]),
    ("0x2",                      "String",       ["0x2"]),
    ("x",                        "Fridge",       ["x"]),
    ("",                         "String",       None),
    (None,                       "Dword",        None),
]
# fmt: on


@pytest.mark.parametrize(("data", "value_type", "strings"), DATA_STRINGS)
def test_data_strings(data: str | None, value_type: str | None, strings: list[str] | None) -> None:
    """Numbers are there in both bases, multi strings apart where their separator is known, the rest as sent."""
    assert data_strings(data, value_type) == strings


@pytest.mark.parametrize(
    ("value_type", "name"),
    [
        ("String", "REG_SZ"),
        ("ExpandString", "REG_EXPAND_SZ"),
        ("Dword", "REG_DWORD"),
        ("Qword", "REG_QWORD"),
        ("Binary", "REG_BINARY"),
        ("MultiString", "REG_MULTI_SZ"),
        ("None", "REG_NONE"),
        ("reg_sz", "REG_SZ"),
        ("Fridge", "Fridge"),
        (None, None),
    ],
)
def test_data_type(value_type: str | None, name: str | None) -> None:
    """Defender's names become Windows' own; an unknown one is not lost."""
    assert data_type(value_type) == name


@given(st.none() | st.text(), st.none() | st.text(), st.none() | st.text(), st.none() | st.text())
def test_anything_has_a_shape(key: str | None, value: str | None, value_type: str | None, action: str | None) -> None:
    """No text raises; parts that are there are not empty, and the path ends as its parts say."""
    hive, below, name, path = registry(key, value, value_type, action)
    assert "" not in (hive, below, name, path)
    strings = data_strings(value, value_type)
    assert strings is None or all(strings)
    assert data_type(value_type) != ""


@given(st.integers(0, 2**32 - 1))
def test_numbers_agree_in_both_bases(number: int) -> None:
    """Both forms of a DWORD are the same number, whichever was sent."""
    decimal, hexadecimal = data_strings(str(number), "Dword") or ["", ""]
    assert int(decimal) == int(hexadecimal, 16) == number
    assert len(hexadecimal) == 10
    assert data_strings(hex(number), "Dword") == [decimal, hexadecimal]
