r"""Defender's registry columns -> registry.hive, key, value, path, data.type and data.strings in ECS form.

Rules compare `registry.path` with patterns such as
`HKLM\SYSTEM\*ControlSet*\Services\*\NetworkProvider\ProviderPath`, so the hive must be in its short form and the
value's name the end of the path.
"""

from __future__ import annotations

# fmt: off
_HIVES: dict[str, str] = {
    "HKEY_LOCAL_MACHINE":    "HKLM",
    "HKEY_CURRENT_USER":     "HKCU",
    "HKEY_USERS":            "HKU",
    "HKEY_CLASSES_ROOT":     "HKCR",
    "HKEY_CURRENT_CONFIG":   "HKCC",
    "HKEY_PERFORMANCE_DATA": "HKPD",
    "HKLM": "HKLM",  "HKCU": "HKCU",  "HKU": "HKU",  "HKCR": "HKCR",  "HKCC": "HKCC",  "HKPD": "HKPD",
}
_KERNEL_HIVES: dict[str, str] = {"MACHINE": "HKLM", "USER": "HKU"}  # \REGISTRY\MACHINE\…, \REGISTRY\USER\…

_TYPES: dict[str, str] = {
    "string":                   "REG_SZ",
    "expandstring":             "REG_EXPAND_SZ",
    "expandablestring":         "REG_EXPAND_SZ",
    "multistring":              "REG_MULTI_SZ",
    "binary":                   "REG_BINARY",
    "dword":                    "REG_DWORD",
    "dwordlittleendian":        "REG_DWORD",
    "dwordbigendian":           "REG_DWORD_BIG_ENDIAN",
    "qword":                    "REG_QWORD",
    "link":                     "REG_LINK",
    "none":                     "REG_NONE",
    "resourcelist":             "REG_RESOURCE_LIST",
    "fullresourcedescriptor":   "REG_FULL_RESOURCE_DESCRIPTOR",
    "resourcerequirementslist": "REG_RESOURCE_REQUIREMENTS_LIST",
}
# fmt: on
_DIGITS = {"REG_DWORD": 8, "REG_DWORD_BIG_ENDIAN": 8, "REG_QWORD": 16}  # hexadecimal ones, as Sysmon shows them


def hive_and_key(key: str | None) -> tuple[str | None, str | None]:
    r"""RegistryKey -> (registry.hive in short form, registry.key below it).

    Any case, `HKEY_…`, short (`HKLM`, `HKLM:`) and kernel forms (`\REGISTRY\MACHINE\…`) are known. Defender writes a
    user's hive as `HKEY_CURRENT_USER\S-1-5-21-…\…`: which user is in the SID, so that is HKU with the SID kept in the
    key; without a SID it stays HKCU. What no hive begins (`\REGISTRY\A\{…}`, an application's own hive) keeps its
    whole text as the key and has no hive.

    >>> hive_and_key(r"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\Software\X")
    ('HKU', 'S-1-5-21-1-2-3-1001\\Software\\X')
    """
    if not key:
        return None, None
    head, _, rest = key.partition("\\")
    hive = _HIVES.get(head)
    if hive is None:
        hive = _HIVES.get(head.upper().rstrip(":"))
        if hive is None:
            return _kernel_form(key)
    if rest[-1:] == "\\":
        rest = rest.rstrip("\\")
    if hive == "HKCU" and (rest[:4] in ("S-1-", "s-1-") or rest[:8].upper() == ".DEFAULT"):
        hive = "HKU"
    return hive, rest or None


def _kernel_form(key: str) -> tuple[str | None, str | None]:
    parts = key.lstrip("\\").split("\\", 2)
    if len(parts) > 1 and parts[0].upper() == "REGISTRY":
        hive = _KERNEL_HIVES.get(parts[1].upper())
        if hive is not None:
            return hive, (parts[2].rstrip("\\") or None) if len(parts) == 3 else None
    return None, key.rstrip("\\") or None


def registry(
    key: str | None, value: str | None, value_type: str | None = None, action: str | None = None
) -> tuple[str | None, str | None, str | None, str | None]:
    r"""RegistryKey, RegistryValueName (and RegistryValueType, ActionType) -> (registry.hive, key, value, path).

    path is hive\key\value. In events about values, which are those with an ActionType of `RegistryValue…` or with a
    RegistryValueType, a missing name means the key's unnamed value, and the path ends in a backslash as two public
    rules want it; `(Default)` is a display name for the same. In events about keys the path ends with the key.

    >>> registry("HKEY_LOCAL_MACHINE\\SOFTWARE\\X", "Blob")
    ('HKLM', 'SOFTWARE\\X', 'Blob', 'HKLM\\SOFTWARE\\X\\Blob')
    >>> registry("HKEY_LOCAL_MACHINE\\SOFTWARE\\X", None, "String")[3]
    'HKLM\\SOFTWARE\\X\\'
    """
    if not key:
        return None, None, value or None, None
    hive, below = hive_and_key(key)
    path = f"{hive}\\{below}" if hive and below else hive or below
    if path is None:
        return None, None, value or None, None
    if value:
        if value[0] == "(" and value.lower() == "(default)":
            return hive, below, value, path + "\\"
        return hive, below, value, f"{path}\\{value}"
    if value_type or (action is not None and action.startswith("RegistryValue")):
        path += "\\"
    return hive, below, None, path


def deleted(
    key: str | None, value: str | None, previous_key: str | None, previous_value: str | None, action: str | None
) -> tuple[str | None, str | None]:
    """RegistryKey, RegistryValueName, their Previous… columns, ActionType -> (key, value) that the event is about.

    What was deleted may stand in the Previous… columns alone: Microsoft's own parser of this table (ASIM, ASimRegistryEventMicrosoft365D)
    reads them for RegistryKeyDeleted and RegistryValueDeleted.
    """
    if action is None or not action.endswith("Deleted"):
        return key, value
    return key or previous_key, value or previous_value


def data_type(value_type: str | None) -> str | None:
    """RegistryValueType (`Dword`, …) -> Windows' own name (`REG_DWORD`), as ECS asks; unknown names stay as sent."""
    if not value_type:
        return None
    return _TYPES.get(value_type.lower()) or (value_type.upper() if value_type[:4].upper() == "REG_" else value_type)


def data_strings(data: str | None, value_type: str | None) -> list[str] | None:
    r"""RegistryValueData -> registry.data.strings: what detection rules compare, as a list.

    - A number (DWORD, QWORD) in decimal and in hexadecimal of full width: public rules write `"1"`, `"0x00000001"` or
      both. `0x1` as the sensor may send it is read; text that is no number stays as it is. Without a type, hexadecimal
      text is taken for such a number (DeviceEvents has no RegistryValueType).
    - A MultiString is split where its separator is known, at zero characters or line ends; blanks may be content.
    - Everything else as sent.

    >>> data_strings("1", "Dword"), data_strings(r"%SystemRoot%\x.dll", "ExpandString")
    (['1', '0x00000001'], ['%SystemRoot%\\x.dll'])
    """
    if not data:
        return None
    kind = data_type(value_type)
    if kind in ("REG_SZ", "REG_BINARY", "REG_EXPAND_SZ"):
        return [data]
    digits = _DIGITS.get(kind) if kind else None
    if digits is not None:
        return _both_bases(data, digits)
    if kind == "REG_MULTI_SZ":
        parts = [part for part in data.replace("\r", "\n").replace("\x00", "\n").split("\n") if part]
        return parts or None
    if kind is None and data[:2] == "0x":
        return _both_bases(data, 8 if len(data) <= 10 else 16)
    return [data]


def _both_bases(data: str, digits: int) -> list[str]:
    if len(data) > 20 or not data.isascii():
        return [data]
    try:
        number = int(data, 16) if data[:2] in ("0x", "0X") else int(data)
    except ValueError:
        return [data]
    if number < 0:  # a signed reading of the same bits
        number += 1 << (4 * digits)
    if not 0 <= number < 1 << (4 * digits):
        return [data]
    return [str(number), f"0x{number:0{digits}x}"]
