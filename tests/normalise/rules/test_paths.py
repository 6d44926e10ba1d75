"""Folder and name become one path, and a path gives its parts, in the forms Defender sends."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.paths import LONGEST_EXTENSION, directory, drive_letter, extension, file_name, full_path

# fmt: off
FULL_PATH = [
    (r"C:\Windows\System32\smartscreen.exe", "smartscreen.exe", r"C:\Windows\System32\smartscreen.exe"),
    (r"c:\windows\system32\searchhost.exe",  "SearchHost.exe",  r"c:\windows\system32\searchhost.exe"),
    (r"C:\Windows\Temp",                     "a.txt:b",         r"C:\Windows\Temp\a.txt:b"),
    ("C:\\",                                 "pagefile.sys",    r"C:\pagefile.sys"),
    ("C:",                                   "x",               r"C:\x"),
    (r"C:\tools\mycmd.exe",                  "cmd.exe",         r"C:\tools\mycmd.exe\cmd.exe"),
    (r"C:\tools\cmd.exe\ ".strip(),          "cmd.exe",         "C:\\tools\\cmd.exe\\cmd.exe"),
    (r"\\server\share\dir",                  "a.docx",          r"\\server\share\dir\a.docx"),
    (r"\Device\HarddiskVolume3\Windows",     "a.exe",           r"\Device\HarddiskVolume3\Windows\a.exe"),
    ("/usr/bin",                             "python3",         "/usr/bin/python3"),
    ("/usr/bin/python3",                     "python3",         "/usr/bin/python3"),
    ("/",                                    "x",               "/x"),
    ("/usr/bin/bash",                        "/usr/bin/bash",   "/usr/bin/bash"),
    ("/proc",                                "/usr/bin/bash",   "/usr/bin/bash"),
    ("notepad.exe",                          "notepad.exe",     "notepad.exe"),
    (None,                                   "x.exe",           None),
    (None,                                   "/usr/bin/x",      "/usr/bin/x"),
    (r"C:\x",                                None,              r"C:\x"),
    (None,                                   None,              None),
]
# fmt: on


@pytest.mark.parametrize(("folder", "name", "expected"), FULL_PATH)
def test_full_path(folder: str | None, name: str | None, expected: str | None) -> None:
    """Joined once, ignoring case, with the path's own separator."""
    assert full_path(folder, name) == expected


@given(st.none() | st.text(), st.none() | st.text())
def test_joining_twice_changes_nothing(folder: str | None, name: str | None) -> None:
    """What was joined already stays: the path is never doubled."""
    once = full_path(folder, name)
    if once is not None and name and name.lower() == name and once.lower().endswith(name.lower()):
        assert full_path(once, name) == once


# fmt: off
PARTS = [
    (r"C:\Windows\notepad.exe",              r"C:\Windows",        "notepad.exe",           "exe",  "C"),
    (r"c:\a.TXT",                            "c:\\",               "a.TXT",                 "TXT",  "C"),
    ("C:\\Windows\\",                        r"C:\Windows",        None,                    None,   "C"),
    ("C:/x/y.tar.gz",                        "C:/x",               "y.tar.gz",              "gz",   "C"),
    (r"C:\t\notes.txt:x.js",                 r"C:\t",              "notes.txt:x.js",        "js",   "C"),
    (r"C:\t\notes.txt:ai-8xNfG",             r"C:\t",              "notes.txt:ai-8xNfG",    "txt",  "C"),
    (r"C:\t\a.docx:$DATA",                   r"C:\t",              "a.docx:$DATA",          "docx", "C"),
    (r"\\?\C:\t\a.dll",                      r"\\?\C:\t",          "a.dll",                 "dll",  "C"),
    (r"\\server\share\a.lnk",                r"\\server\share",    "a.lnk",                 "lnk",  None),
    ("/srv/kim/.bashrc",                    "/srv/kim",          ".bashrc",               None,   None),
    ("/srv/kim/a.b/file",                   "/srv/kim/a.b",      "file",                  None,   None),
    ("/etc/odd\\name.sh",                    "/etc",               "odd\\name.sh",          "sh",   None),
    ("/x",                                   "/",                  "x",                     None,   None),
    ("name.",                                None,                 "name.",                 None,   None),
    (None,                                   None,                 None,                    None,   None),
]
# fmt: on


@pytest.mark.parametrize(("path", "folder", "name", "ext", "drive"), PARTS)
def test_parts(path: str | None, folder: str | None, name: str | None, ext: str | None, drive: str | None) -> None:
    """Directory, name, extension and drive of real forms of paths."""
    assert (directory(path), file_name(path), drive_letter(path)) == (folder, name, drive)
    assert extension(path) == extension(name) == ext


@given(st.none() | st.text(alphabet="aB.:/\\ \u0130", max_size=20))
def test_parts_never_raise_and_fit_together(path: str | None) -> None:
    """Whatever the text: the name ends the path, the directory begins it, the extension follows a dot in it."""
    folder, name, ext = directory(path), file_name(path), extension(path)
    assert name is None or (path is not None and path.endswith(name))
    assert folder is None or (path is not None and path.startswith(folder))
    assert ext is None or (path is not None and f".{ext}" in path and len(ext) <= LONGEST_EXTENSION)
    assert drive_letter(path) in (None, "A", "B")


def test_an_endless_extension_is_none() -> None:
    """A dot early in a very long name makes no extension."""
    assert extension("a." + "b" * LONGEST_EXTENSION) is not None
    assert extension("a." + "b" * (LONGEST_EXTENSION + 1)) is None


# fmt: off
PATTERNS = [
    (r"C:\Windows\System32\svchost.exe",       "svchost.exe", r"?:\Windows\System32\svchost.exe"),
    (r"c:\program files (x86)\vendor\app.exe", "App.exe",     r"?:\Program Files (x86)\*.exe"),
    (r"\Device\HarddiskVolume3\Users\kim",     "x.exe",       r"\Device\HarddiskVolume*\Users\*.exe"),
    ("/tmp/.x",                                "payload",     "/tmp/*"),
    ("/srv/kim/bin/tool",                     "tool",        "/srv/*/*"),
]
# fmt: on


@pytest.mark.parametrize(("folder", "name", "pattern"), PATTERNS)
def test_patterns_of_public_rules_match_real_paths(folder: str, name: str, pattern: str) -> None:
    """Paths joined from Defender's columns match the patterns that public rules compare, which ignore case."""
    path = full_path(folder, name)
    assert path is not None
    assert fnmatchcase(path.lower(), pattern.lower())
