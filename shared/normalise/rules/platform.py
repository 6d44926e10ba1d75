"""What a record says or proves about its host's operating system -> host.os.type and the other host.os.* fields.

DeviceInfo has an OSPlatform column, most Device* event tables have none: there the record itself has to prove the
platform. 239 of 244 public rules that Defender records can fire ask for host.os.type.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# fmt: off
_TYPES: dict[str, str] = {  # OSPlatform in lower case, blanks out -> host.os.type
    "windows": "windows",  "linux": "linux",      "macos": "macos",      "ios": "ios",      "android": "android",
    "osx":     "macos",    "macosx": "macos",     "mac": "macos",        "darwin": "macos", "ipados": "ios",
    "iphone":  "ios",      "ipad": "ios",         "unix": "unix",        "freebsd": "unix", "openbsd": "unix",
    "solaris": "unix",     "aix": "unix",         "hpux": "unix",        "bsd": "unix",     "chromeos": "linux",
}
_LINUX = (
    "linux", "ubuntu", "debian", "redhat", "rhel", "centos", "fedora", "suse", "sles", "opensuse", "oraclelinux",
    "amazonlinux", "almalinux", "rocky", "mariner", "azurelinux", "alpine", "kali",
)
_FAMILIES: tuple[tuple[str, str], ...] = (  # OSDistribution begins with -> host.os.family
    ("ubuntu", "debian"), ("debian", "debian"), ("kali", "debian"), ("mint", "debian"), ("linuxmint", "debian"),
    ("redhat", "redhat"), ("rhel", "redhat"), ("centos", "redhat"), ("fedora", "redhat"), ("oracle", "redhat"),
    ("alma", "redhat"),
    ("rocky", "redhat"), ("amazon", "redhat"), ("suse", "suse"), ("sles", "suse"), ("opensuse", "suse"),
    ("mariner", "redhat"), ("azurelinux", "redhat"), ("alpine", "alpine"), ("arch", "arch"),
)
_FAMILY_OF_TYPE = {"windows": "windows", "macos": "darwin", "ios": "ios", "android": "android"}
_MACOS_ROOTS = (
    "/applications/", "/users/", "/system/", "/library/", "/private/", "/volumes/", "/cores/", "/opt/homebrew/",
)
_MACOS_PROGRAMS = frozenset({  # shipped by macOS only, below folders that Linux has too
    "/sbin/launchd", "/usr/libexec/xpcproxy", "/bin/launchctl", "/usr/bin/osascript",
    "/usr/bin/defaults", "/usr/bin/security", "/usr/bin/codesign", "/usr/bin/dscl", "/usr/bin/dseditgroup",
    "/usr/sbin/dseditgroup", "/usr/bin/plutil", "/usr/bin/sw_vers", "/usr/bin/ditto", "/usr/bin/hdiutil",
    "/usr/bin/tmutil", "/usr/bin/mdfind", "/usr/bin/mdls", "/usr/bin/pbpaste", "/usr/bin/pbcopy",
    "/usr/bin/csrutil", "/usr/bin/profiles", "/usr/bin/sandbox-exec", "/usr/bin/xcrun", "/usr/bin/kextload",
    "/sbin/kextload", "/usr/sbin/spctl", "/usr/sbin/networksetup", "/usr/sbin/scutil",
    "/usr/sbin/system_profiler", "/usr/sbin/installer", "/usr/sbin/screencapture", "/usr/sbin/softwareupdate",
    "/usr/sbin/systemsetup", "/usr/sbin/ioreg", "/usr/sbin/sysadminctl",
})
_MACOS_NAMES = frozenset({  # of a parent, of which Defender gives only the name
    "launchd", "xpcproxy", "kernel_task", "loginwindow", "windowserver", "finder", "terminal", "iterm2", "cfprefsd",
})
_WINDOWS_SIDS = (  # Windows only; macOS sensors send S-1-5-18 for root, and macOS gives its users S-1-5-21-… too
    "S-1-5-19", "S-1-5-20", "S-1-5-80-", "S-1-5-82-", "S-1-5-83-", "S-1-5-90-", "S-1-5-96-", "S-1-5-94-",
)
# fmt: on
_SEPARATORS = str.maketrans("", "", " _-.")
_MACOS_GROUPS = re.compile(r'"Name":\s*"(?:wheel",\s*"PosixGroupId":\s*0|staff",\s*"PosixGroupId":\s*20)\b')
_POSIX_KEY = re.compile(r"Posix[A-Z]")


@lru_cache(maxsize=512)
def os_type(platform: str | None) -> str | None:
    """OSPlatform or a browser's OS name (`WindowsServer2022`, `Linux`, `macOS`, `OS X`, `iOS 17`) -> host.os.type.

    None for what ECS has no type for (`CiscoIos`, `Unknown`, printers).

    >>> [os_type(name) for name in ("Windows10WVD", "macOS", "OS X", "Ubuntu", "Unknown")]
    ['windows', 'macos', 'macos', 'linux', None]
    """
    if not platform:
        return None
    if platform.startswith("Windows") and not platform.startswith(("Windows Phone", "WindowsPhone")):
        return "windows"
    plain = platform.lower().translate(_SEPARATORS)
    known = _TYPES.get(plain) or _TYPES.get(plain.rstrip("0123456789"))
    if known is not None:
        return known
    if plain.startswith(("windowsphone", "windowsmobile")):
        return None
    if plain.startswith("windows"):
        return "windows"
    if plain.startswith(("macos", "osx")):
        return "macos"
    return "linux" if plain.startswith(_LINUX) else None


def path_os_type(path: str | None) -> tuple[str | None, bool]:
    r"""(host.os.type, proven) of a path; (None, False) when it says nothing.

    Windows: a drive letter, `\\server`, `\Device\…`, `\??\`, `%SystemRoot%`, or a backslash in a path that no slash
    begins. macOS: its own root folders, a bundle (`.app/Contents/`) or a program only macOS ships. Any other path
    from `/` is taken for Linux, but not proven: far more Linux than macOS processes live there, and rules for Linux
    would else see nothing.
    """
    if not path:
        return None, False
    first = path[0]
    if first != "/":
        if path[1:3] in (":\\", ":/", ":") and first.isalpha():
            return "windows", True
        if first == "\\" or "\\" in path:
            return "windows", True
        return None, False
    lower = path.lower()
    if lower.startswith(_MACOS_ROOTS) or lower in _MACOS_PROGRAMS or ".app/contents/" in lower:
        return "macos", True
    return ("linux", False) if path[1:2] not in ("", "/") else (None, False)


def os_type_of_record(
    platform: str | None = None,
    registry_key: str | None = None,
    path: str | None = None,
    initiating_path: str | None = None,
    additional_fields: Any = None,
    parent_name: str | None = None,
    version_info: str | None = None,
    initiating_version_info: str | None = None,
    sid: str | None = None,
    initiating_sid: str | None = None,
    command_line: str | None = None,
    logon_protocol: str | None = None,
    program: str | None = None,
) -> str | None:
    """host.os.type from whatever the record holds, by the order of evidence of `prove`; None when nothing tells."""
    # The common case first: a Windows path of the process or its parent ends the search.
    if platform is None and initiating_path and initiating_path[1:3] == ":\\":
        return "windows"
    if platform is None and path and path[1:3] == ":\\":
        return "windows"
    return prove(
        platform, registry_key, path, initiating_path, additional_fields, parent_name,
        version_info, initiating_version_info, sid, initiating_sid, command_line, logon_protocol, program,
    )[0]  # fmt: skip


def prove(
    platform: str | None = None,
    registry_key: str | None = None,
    path: str | None = None,
    initiating_path: str | None = None,
    additional_fields: Any = None,
    parent_name: str | None = None,
    version_info: str | None = None,
    initiating_version_info: str | None = None,
    sid: str | None = None,
    initiating_sid: str | None = None,
    command_line: str | None = None,
    logon_protocol: str | None = None,
    program: str | None = None,
) -> tuple[str | None, bool]:
    """(host.os.type, proven): the first evidence in this order that tells.

    1. the platform's own column (OSPlatform);
    2. a registry key: Windows;
    3. the paths, `initiating_path` first (the process ran on this host, a file may be a share's): see `path_os_type`;
    4. the parent's name (`launchd`, `Terminal`) and, for a POSIX host not proven so far, macOS' groups (`wheel` 0, `staff` 20);
    5. `*Posix*` keys of AdditionalFields: a POSIX host, Linux unless 3 or 4 said macOS;
    6. version information: only Windows programs carry it;
    7. SIDs that only Windows gives out (services, IIS pools, window manager, …);
    8. the command line's beginning;
    9. any other S-1-5 SID, NTLM, Kerberos or Negotiate as the protocol of a logon, and a `program` named `….exe`, or
       `System` (the kernel, which has no path): Windows.

    Not proven are Linux by a plain POSIX path or Posix keys, and Windows by 9 (macOS sensors send S-1-5-18 for root,
    and macOS gives its users S-1-5-21-… SIDs; what comes before 9 tells those apart): a platform known of the device
    should win over them.
    """
    if platform:
        found = os_type(platform)
        if found is not None:
            return found, True
    if registry_key:
        return "windows", True
    found, proven = path_os_type(initiating_path)
    if not proven:
        other, proven = path_os_type(path)
        found = other or found
    if proven:
        return found, True
    if parent_name and parent_name.lower() in _MACOS_NAMES:
        return "macos", True
    if found is not None or (additional_fields and _has_posix_keys(additional_fields)):
        return ("macos", True) if additional_fields and _has_macos_groups(additional_fields) else ("linux", False)
    if version_info or initiating_version_info:
        return "windows", True
    return _by_account_or_command(sid, initiating_sid, command_line, logon_protocol, program)


def _by_account_or_command(
    sid: str | None,
    initiating_sid: str | None,
    command_line: str | None,
    logon_protocol: str | None,
    program: str | None,
) -> tuple[str | None, bool]:
    """Steps 7 to 9 of `prove`."""
    sids = [identifier for identifier in (sid, initiating_sid) if identifier]
    if any(identifier.startswith(_WINDOWS_SIDS) for identifier in sids):
        return "windows", True
    if command_line:
        found, proven = path_os_type(command_line.lstrip('"').split(" ", 1)[0])
        if found is not None:
            return found, proven
    if any(identifier.startswith("S-1-5-") for identifier in sids):
        return "windows", False
    if logon_protocol and logon_protocol.lower() in ("ntlm", "kerberos", "negotiate"):
        return "windows", False
    if program and (program[-4:].lower() == ".exe" or program.lower() == "system"):
        return "windows", False
    return None, False


def _has_posix_keys(fields: Any) -> bool:
    if fields.__class__ is str:
        return _POSIX_KEY.search(fields) is not None
    return fields.__class__ is dict and any(key.__class__ is str and "Posix" in key for key in fields)


def _has_macos_groups(fields: Any, levels: int = 4) -> bool:
    if fields.__class__ is str:
        return _MACOS_GROUPS.search(fields) is not None
    if fields.__class__ is not dict or not levels:
        return False
    if (fields.get("Name"), fields.get("PosixGroupId")) in (("wheel", 0), ("staff", 20)):
        return True
    return any(_has_macos_groups(value, levels - 1) for value in fields.values() if value.__class__ is dict)


def os_family(kind: str | None) -> str | None:
    """host.os.family where the type alone tells it, which one of Elastic's ES|QL rules compares; a Linux' family is its distribution's.

    >>> os_family("windows"), os_family("macos"), os_family("linux")
    ('windows', 'darwin', None)
    """
    return _FAMILY_OF_TYPE.get(kind) if kind is not None else None


def device_os(
    platform: str | None, distribution: str | None = None, version: str | None = None, build: str | int | None = None
) -> tuple[str | None, str | None, str | None, str | None, str | None, str | None]:
    """OSPlatform, OSDistribution, OSVersion, OSBuild -> host.os.(type, family, name, platform, version, full).

    Families follow Elastic's agents: windows, darwin, debian, redhat, suse, …; a Linux of unknown distribution has
    none. name is the distribution, else the platform, as sent; platform the same in lower case; full joins name,
    version and build.

    >>> device_os("Windows11", None, "10.0", 22621)
    ('windows', 'windows', 'Windows11', 'windows', '10.0', 'Windows11 10.0 (22621)')
    """
    kind = os_type(platform)
    name = (distribution if kind not in ("windows", "macos") else None) or platform or distribution
    if kind is None and distribution:
        kind = os_type(distribution)
    family: str | None = None
    short = name.lower() if name else None
    if kind == "windows":
        family = short = "windows"
    elif kind == "macos":
        family = short = "darwin"
    elif kind == "linux" and distribution:
        plain = distribution.lower().translate(_SEPARATORS)
        family = next((known for begins, known in _FAMILIES if plain.startswith(begins)), None)
    elif kind in ("ios", "android"):
        family = kind
    parts = (name, version, f"({build})" if build not in (None, "") else None)
    full = " ".join([part for part in parts if part]) or None
    return kind, family, name or None, short, version or None, full
