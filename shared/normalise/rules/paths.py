"""A path, or a folder and a file name -> the one full path and its directory, name, extension and drive letter."""

from __future__ import annotations

LONGEST_EXTENSION = 64


def full_path(folder: str | None, name: str | None) -> str | None:
    r"""Folder and file name joined once, for process.executable, file.path and dll.path; None without a folder.

    Most Device* tables put the file name into FolderPath, AlertEvidence and parts of DeviceEvents do not, and the
    initiating process' path may be in lower case while its name is not: the name is appended only where the path does
    not end in it already, ignoring case. The separator is the path's own. A `name` that is the full path itself
    (CloudProcessEvents) is not doubled.

    >>> full_path(r"c:\windows\system32\cmd.exe", "CMD.EXE"), full_path(r"C:\Windows", "a.dll"), full_path("/tmp/", "x")
    ('c:\\windows\\system32\\cmd.exe', 'C:\\Windows\\a.dll', '/tmp/x')
    """
    if not folder:
        return name if name and ("\\" in name or "/" in name) else None
    if not name:
        return folder
    if folder.endswith(name) or folder[-len(name) :].lower() == name.lower():
        before = folder[-len(name) - 1 : -len(name)]
        if before in ("\\", "/", ""):
            return folder
    if name[0] in "\\/" or name[1:3] == ":\\":
        return name
    if folder[-1] in ("\\", "/"):
        return folder + name
    if "\\" in folder or "/" not in folder:
        return f"{folder}\\{name}"
    return f"{folder}/{name}"


def _name_begins(path: str) -> int:
    """Where the last part of a path begins; on POSIX (a path that begins with a slash) a backslash is no separator."""
    if path[0] == "/":
        return path.rfind("/") + 1
    return max(path.rfind("\\"), path.rfind("/")) + 1


def file_name(path: str | None) -> str | None:
    """What follows the last separator (file.name, dll.name); None for a path that ends in one."""
    if not path:
        return None
    return path[_name_begins(path) :] or None


def directory(path: str | None) -> str | None:
    r"""The path up to its last separator (file.directory, with the drive as ECS wants); a root keeps its separator.

    >>> directory(r"C:\Windows\notepad.exe"), directory(r"C:\a.txt"), directory("/a"), directory("a.txt")
    ('C:\\Windows', 'C:\\', '/', None)
    """
    if not path:
        return None
    begins = _name_begins(path)
    if begins == 0:
        return None
    if begins == 1 or path[begins - 2] == ":":
        return path[:begins]
    return path[: begins - 1]


def extension(name: str | None) -> str | None:
    """What follows the last dot of a file name, without the dot and in its own case (file.extension).

    Of an alternate data stream it is the stream's (`notes.txt:x.js` -> `js`), or the file's where the stream has none
    (`notes.txt:x` -> `txt`), so that rules for hidden streams see it. None for hidden files (`.bashrc`), names
    without a dot, and whatever is longer than `LONGEST_EXTENSION`. A path does as well as a name.
    """
    if not name:
        return None
    dot = name.rfind(".")
    if dot <= 0:
        return None
    found = name[dot + 1 :]
    if ":" in found:
        found = found[: found.find(":")]
    if not found or len(found) > LONGEST_EXTENSION or "\\" in found or "/" in found or name[dot - 1] in "\\/:":
        return None
    return found


def drive_letter(path: str | None) -> str | None:
    r"""The drive of a Windows path, upper case, without the colon (file.drive_letter); `\\?\` in front is skipped."""
    if not path:
        return None
    if path[1:2] == ":":
        letter = path[0]
    elif path[:4] in ("\\\\?\\", "\\??\\", "\\\\.\\") and path[5:6] == ":":
        letter = path[4]
    else:
        return None
    return letter.upper() if letter.isascii() and letter.isalpha() else None
