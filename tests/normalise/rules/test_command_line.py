"""Command lines split as the host would: against a model of CommandLineToArgvW, against shlex, and in real forms."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.normalise.rules import command_line
from shared.normalise.rules.command_line import args, name_from_command_line, posix_args, process_name, windows_args


def model(text: str) -> list[str]:
    """CommandLineToArgvW one character at a time, written from its description and on purpose without any shortcut."""
    if not text:
        return []
    at = 0
    program = ""
    if text[0] == '"':
        at = 1
        while at < len(text) and text[at] != '"':
            program += text[at]
            at += 1
        at += 1
    else:
        while at < len(text) and text[at] not in " \t":
            program += text[at]
            at += 1
    found = [program]
    while at < len(text) and text[at] in " \t":
        at += 1
    while at < len(text):
        argument = ""
        quoted = False
        while at < len(text):
            if text[at] in " \t" and not quoted:
                break
            if text[at] == "\\":
                begin = at
                while at < len(text) and text[at] == "\\":
                    at += 1
                number = at - begin
                if at == len(text) or text[at] != '"':
                    argument += "\\" * number
                    continue
                argument += "\\" * (number // 2)
                if number % 2 == 1:
                    argument += '"'
                    at += 1
                    quoted, at, more = after_quote(text, at, quoted)
                    argument += more
                    continue
            if text[at] == '"':
                was = quoted
                quotes = int(was) + 1
                at += 1
                quoted, at, more = count_quotes(text, at, quotes)
                argument += more
                continue
            argument += text[at]
            at += 1
        found.append(argument)
        while at < len(text) and text[at] in " \t":
            at += 1
    return found


def after_quote(text: str, at: int, quoted: bool) -> tuple[bool, int, str]:
    """What a run of quotes behind a literal one does."""
    return count_quotes(text, at, int(quoted)) if at < len(text) and text[at] == '"' else (quoted, at, "")


def count_quotes(text: str, at: int, quotes: int) -> tuple[bool, int, str]:
    """Count on through a run of quotes: the third is literal and ends the quoting, a second one ends it too."""
    literal = ""
    while at < len(text) and text[at] == '"':
        quotes += 1
        if quotes == 3:
            literal += '"'
            quotes = 0
        at += 1
    return quotes == 1, at, literal


@settings(max_examples=1000)
@given(st.text(alphabet='ab \t"\\=/', max_size=40))
def test_windows_equals_the_model(text: str) -> None:
    """Any mixture of letters, blanks, quotes and backslashes is split as the model splits it."""
    assert windows_args(text) == model(text)


@given(st.lists(st.text(alphabet=' "\\ax', max_size=8), max_size=6))
def test_windows_reads_back_what_was_quoted(words: list[str]) -> None:
    """Arguments written by the documented rules come back as they were (subprocess.list2cmdline is Python's writer)."""
    import subprocess

    assert windows_args("program.exe " + subprocess.list2cmdline(words)) == ["program.exe", *words]


# fmt: off
WINDOWS_FORMS = [
    ("",                                        []),
    ("smartscreen.exe -Embedding",              ["smartscreen.exe", "-Embedding"]),
    ('"powershell.exe" ',                       ["powershell.exe"]),
    ('msoia.exe" scan upload',                  ['msoia.exe"', "scan", "upload"]),
    (r'"C:\Program Files\a.exe"/x y',           [r"C:\Program Files\a.exe", "/x", "y"]),
    (r'netsh advfirewall set rule "name=a b" enable=Yes',
                                                ["netsh", "advfirewall", "set", "rule", "name=a b", "enable=Yes"]),
    (r'x --user-data-dir="C:\Users\j b\E" /prefetch:3',
                                                ["x", r"--user-data-dir=C:\Users\j b\E", "/prefetch:3"]),
    (r'"x" "a\\b" "c\\" d',                     ["x", r"a\\b", "c\\", "d"]),
    (r'x "a \" b" c\"d',                        ["x", 'a " b', 'c"d']),
    ('cmd /c start "" "a b"',                   ["cmd", "/c", "start", "", "a b"]),
    ('x "a""b c" d',                            ["x", 'a"b', "c d"]),  # "" inside is literal and ends the quoting
    ('x """a b"""',                             ["x", '"a', 'b"']),
    ('x "a" "b c" ',                            ["x", "a", "b c"]),
    ('x "unclosed y z',                         ["x", "unclosed y z"]),
    ('"unclosed x',                             ["unclosed x"]),
    (" x y",                                    ["", "x", "y"]),
    ("a\tb  c\n d\u00a0e",                      ["a", "b", "c\n", "d\u00a0e"]),  # only blank and tab separate
    (r"x C:\a\ b",                              ["x", "C:\\a\\", "b"]),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), WINDOWS_FORMS)
def test_windows_forms(text: str, expected: list[str]) -> None:
    """Forms that occur, the traps among them, written out by hand."""
    assert windows_args(text) == expected == model(text)


@given(st.text(alphabet="ab \t\n'\"\\$#", max_size=40))
def test_posix_equals_shlex_where_shlex_can(text: str) -> None:
    """Wherever shlex does not give up, the words are shlex' words; where it does, there is still an answer."""
    try:
        expected = shlex.split(text)
    except ValueError:
        assert isinstance(posix_args(text), list)
    else:
        assert posix_args(text) == expected


# fmt: off
POSIX_FORMS = [
    ("/bin/sh -c 'ls -la /tmp' x",  ["/bin/sh", "-c", "ls -la /tmp", "x"]),
    ("echo it's done",              ["echo", "it's", "done"]),
    ('grep "a b',                   ["grep", '"a', "b"]),
    ("a\\",                         ["a\\"]),
    ('x ""',                        ["x", ""]),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), POSIX_FORMS)
def test_posix_forms(text: str, expected: list[str]) -> None:
    """Shell words, and what happens where a quote is never closed."""
    assert posix_args(text) == expected


@given(st.text(), st.sampled_from([None, "windows", "linux", "macos", "Fridge"]), st.none() | st.text())
def test_args_never_raises_and_counts(text: str, os_type: str | None, executable: str | None) -> None:
    """Any text gives a non-empty list with its count, or nothing at all."""
    words, count = args(text, os_type, executable)
    assert (words is None) == (count is None)
    if words is not None:
        assert count == len(words) >= 1
    name = name_from_command_line(text, os_type)
    assert name is None or name


def test_the_platform_decides_how_to_split() -> None:
    """A backslash is content on Windows and quoting elsewhere; an unknown platform goes by the first character."""
    assert args(r"x C:\new", "windows") == (["x", r"C:\new"], 2)
    assert args(r"/bin/x a\ b", "linux") == (["/bin/x", "a b"], 2)
    assert args(r"/bin/x a\ b", None) == (["/bin/x", "a b"], 2)
    assert args(r"x a\b", None) == (["x", r"a\b"], 2)
    assert args(None, "windows") == args("", None) == args("  ", "linux") == (None, None)


def test_a_posix_program_with_blanks_stays_one_argument() -> None:
    """Defender for macOS joins arguments without quotes; the executable, in lower case, says where the program ends."""
    folder = "/applications/microsoft defender.app/contents/macos/telemetryd_v2"
    line = "/Applications/Microsoft Defender.app/Contents/MacOS/telemetryd_v2 13"
    assert args(line, "macos", folder) == (
        ["/Applications/Microsoft Defender.app/Contents/MacOS/telemetryd_v2", "13"],
        2,
    )
    assert args(line, "macos") == (["/Applications/Microsoft", "Defender.app/Contents/MacOS/telemetryd_v2", "13"], 3)


def test_huge_input_is_bounded() -> None:
    """What lies beyond the documented bounds is neither read nor kept; many quotes cost no more than many words."""
    words, count = args("a " * 100_000, "windows")
    assert words is not None
    assert len(words) == command_line.MOST_ARGUMENTS
    assert count == command_line.MOST_CHARACTERS // 2 + 1
    for nasty in ('"' * 50_000, '\\"' * 30_000, "'\"" * 30_000, "\\" * 50_000, '"\\' * 30_000, '" ' * 30_000):
        for os_type in ("windows", "linux"):
            found, _ = args(nasty, os_type)
            assert found is None or sum(map(len, found)) <= command_line.MOST_CHARACTERS


# fmt: off
NAME_FROM_COMMAND_LINE = [
    (r'"C:\Program Files\a\b.exe" -x',                               "windows", "b.exe"),
    (r"C:\Program Files\a\b.exe -x c.exe",                           "windows", "b.exe"),
    (r"C:\WINDOWS\system32\svchost.exe -k netsvcs",                  "windows", "svchost.exe"),
    ("svchost.exe -k RPCSS -p",                                      None,      "svchost.exe"),
    ('msoia.exe" scan upload',                                       "windows", "msoia.exe"),
    (r"\??\C:\Windows\system32\conhost.exe 0x4",                     "windows", "conhost.exe"),
    ("/usr/bin/python3 -m x",                                        None,      "python3"),
    ("-bash",                                                        "linux",   "bash"),
    ("/Applications/Microsoft Defender.app/Contents/MacOS/wdav 13",  "macos",   "wdav"),
    ("   ",                                                          "windows", None),
    (None,                                                           None,      None),
]
# fmt: on


@pytest.mark.parametrize(("text", "os_type", "name"), NAME_FROM_COMMAND_LINE)
def test_name_from_command_line(text: str | None, os_type: str | None, name: str | None) -> None:
    """The program's name, for records that have a command line and no file name."""
    assert name_from_command_line(text, os_type) == name


# fmt: off
PROCESS_NAME = [
    (("a.exe", r"C:\Windows\b.exe", "c.exe -x", "windows"), "a.exe"),
    ((None,    r"C:\Windows\b.exe", "c.exe -x", "windows"), "b.exe"),
    ((None,    "/usr/bin/b",        "c -x",     "linux"),   "b"),
    ((None,    None,                "c.exe -x", "windows"), "c.exe"),
    ((None,    None,                None,       "windows"), None),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "name"), PROCESS_NAME)
def test_process_name(arguments: tuple[str | None, str | None, str | None, str | None], name: str | None) -> None:
    """The file's name if there is one, else the path's, else the command line's."""
    assert process_name(*arguments) == name


# fmt: off
LITERALS_OF_PUBLIC_RULES_MATCH_SINGLE_ARGUMENTS = [
    ("net1  user kim S3cret /add",                                    ["/add"]),
    (r'"C:\Windows\system32\netsh.exe" advfirewall firewall set rule group="remote desktop" new "enable=Yes"',
                                                                      ["advfirewall", "firewall", "enable=Yes"]),
    ('cmd.exe /c "chcp 437>nul 2>&1 & C:\\WINDOWS\\System32\\whoami.exe  /groups"',
                                      ["/c", "chcp 437>nul 2>&1 & C:\\WINDOWS\\System32\\whoami.exe  /groups"]),
    (r"dllhost.exe /Processid:{CA8C87C1-929D-45BA-94DB-EF8E6CB346AD}",
                                                                      ["/Processid:{CA8C87C1-929D-45BA-94DB-EF8E6CB346AD}"]),
    ("svchost.exe -k LocalSystemNetworkRestricted -p -s WdiSystemHost", ["-s", "WdiSystemHost"]),
]
# fmt: on


@pytest.mark.parametrize(("text", "literals"), LITERALS_OF_PUBLIC_RULES_MATCH_SINGLE_ARGUMENTS)
def test_literals_of_public_rules_match_single_arguments(text: str, literals: list[str]) -> None:
    """Literals that public rules compare process.args with are arguments of real forms of command lines."""
    words, _ = args(text, "windows")
    assert words is not None
    assert set(literals) <= set(words)
