"""ExtendedProperties of a Defender for Cloud alert, a free map whose names differ from alert to alert -> what they tell of process, user and client.

They stand in for entities that are not there. Names as Microsoft's samples and documents of alerts have them, in lower case.
"""

from __future__ import annotations

from typing import Any, Literal

from shared.normalise.convert import address
from shared.normalise.rules.command_line import name_from_command_line
from shared.normalise.rules.paths import file_name

type Part = Literal[
    "path", "command", "pid", "parent", "parent_pid", "user", "domain", "sid", "client", "host", "resource_type"
]
type Told = dict[Part, str]

LONGEST_CLIENT = 200  # characters in which an address is looked for
# Of several names for one thing the first one counts.
_NAMES: dict[Part, tuple[str, ...]] = {
    "path": ("process path", "process name", "suspicious process"),
    "command": ("command line", "commandline", "suspicious command line"),
    "pid": ("process id", "pid", "suspicious process id"),
    "parent": ("parent process", "parent process name"),
    "parent_pid": ("parent process id",),
    "user": ("client principal name", "principal name", "user name", "account", "user"),
    "domain": ("domain name",),
    "sid": ("user sid",),
    "client": ("client ip address", "attacker source ip", "attacker ip", "source ip address", "source ip"),
    "host": ("compromised host", "machine name"),
    "resource_type": ("resourcetype",),
}
_PARTS: dict[str, tuple[Part, int]] = {
    name: (part, place) for part, names in _NAMES.items() for place, name in enumerate(names)
}
NO_PROCESS = (None,) * 5


def told(properties: Any) -> Told | None:
    """What the properties tell, each part once; None where they tell nothing."""
    if properties.__class__ is not dict:
        return None
    found: Told = {}
    places: dict[Part, int] = {}
    for name, value in properties.items():
        known = _PARTS.get(name)
        if known is None or (value.__class__ is not str and value.__class__ is not int) or value in ("", "-", "N/A"):
            continue
        part, place = known
        if place < places.get(part, len(_PARTS)):
            found[part], places[part] = str(value), place
    return found or None


def client(found: Told | None) -> str | None:
    """The address of whoever caused the alert; some write words before it."""
    text = found.get("client") if found is not None else None
    if text is not None and len(text) < LONGEST_CLIENT:
        for word in text.replace(",", " ").split():
            if (known := address(word)) is not None:
                return known
    return None


def process(found: Told | None, os_type: str | None) -> tuple[Any, ...]:
    """(name, executable, pid, command line, start) of the process."""
    if found is None:
        return NO_PROCESS
    path, command = found.get("path"), found.get("command")
    return (
        file_name(path) or name_from_command_line(command, os_type),
        whole(path),
        number(found.get("pid")),
        command,
        None,
    )


def parent(found: Told | None) -> tuple[Any, ...]:
    """(name, executable, pid, command line, start) of the process' parent."""
    if found is None:
        return NO_PROCESS
    path = found.get("parent")
    return file_name(path), whole(path), number(found.get("parent_pid")), None, None


def whole(path: str | None) -> str | None:
    """A path, and nothing for a bare name."""
    return path if path is not None and ("\\" in path or "/" in path) else None


def number(text: str | None) -> int | None:
    """A process id, which comes as `0x1e49a` or in decimal."""
    if not text or len(text) > 12 or not text.isascii() or "_" in text:
        return None
    try:
        found = int(text, 16 if text[:2].lower() == "0x" else 10)
    except ValueError:
        return None
    return found if found >= 0 else None
