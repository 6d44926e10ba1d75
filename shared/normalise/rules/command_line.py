"""A command line -> the arguments the host's own rules make of it (process.args, args_count), and the program's name.

Defender sends one text per process. Detection rules compare single arguments (`process.args : "/add"`), so the text
must be split the way the host splits it: by CommandLineToArgvW on Windows, as shell words elsewhere.

Bounds: only the first `MOST_CHARACTERS` characters are read (Windows allows 32,767 in a command line) and only the
first `MOST_ARGUMENTS` arguments are kept; the count is that of all arguments in the text that was read.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shared.normalise.rules.paths import file_name

MOST_CHARACTERS = 32_767
MOST_ARGUMENTS = 4_096
LONGEST_KNOWN = 512  # characters of a command line that is remembered

POSIX = frozenset({"linux", "macos", "unix", "ios", "android"})

# Each alternative begins with a character no other can begin with, so one pass over the text is linear.
_WINDOWS_PIECES = re.compile(r'[^ \t\\"]+|\\+|"+|[ \t]+')
_POSIX_BLANKS = re.compile(r"[ \t\r\n]+")
_POSIX_PIECES = re.compile(
    r"""(?P<plain>[^ \t\r\n\\'"]+)|(?P<blank>[ \t\r\n]+)"""
    r"""|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)|(?P<lone>.)""",
    re.DOTALL,
)
_ESCAPE_IN_DOUBLE_QUOTES = re.compile(r'\\(["\\])')
_UNQUOTED_WINDOWS_PROGRAM = re.compile(
    r'(?:[A-Za-z]:|\\\\)[^"*?<>|]*?\.(?:exe|com|bat|cmd|scr|pif|msc|cpl)(?=[ \t"]|\Z)', re.IGNORECASE
)
_WINDOWS_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,4}\Z")


def windows_args(text: str) -> list[str]:
    r"""Split a Windows command line exactly as CommandLineToArgvW does (Microsoft: "CommandLineToArgvW function").

    - The first token knows quotes only: `"…"` ends at the next quote, anything else at the first blank or tab; a text
      that begins with a blank has an empty first argument. A backslash means nothing there.
    - After that, blanks and tabs separate arguments unless quoted; 2n backslashes and a quote give n backslashes and
      the quote works, 2n+1 give n backslashes and a literal quote; backslashes before anything else stay.
    - Inside quotes `""` gives a literal quote *and ends the quoting*. That is CommandLineToArgvW; the C runtime since
      2008 (UCRT) would go on quoting. CommandLineToArgvW is taken because the arguments that rules compare are made
      with it.

    The empty text has no arguments (CommandLineToArgvW would put the name of the calling program).

    >>> windows_args(r'"C:\Program Files\a.exe" key="a b" \\"c d\" e')
    ['C:\\Program Files\\a.exe', 'key=a b', '\\c d" e']
    """
    if not text:
        return []
    if '"' not in text:
        return _windows_words(text)
    if text.isprintable() and (arguments := _plainly_quoted(text)) is not None:
        return arguments
    if text[0] == '"':
        end = text.find('"', 1)
        if end < 0:
            return [text[1:]]
        program, rest = text[1:end], text[end + 1 :].lstrip(" \t")
    else:
        program, rest = _until_blank(text)
    if not rest:
        return [program]
    return [program, *(_backslash_quoted(rest) if '"' in rest else _windows_words(rest))]


def _windows_words(text: str) -> list[str]:
    """Split at runs of blanks and tabs (not at other white space); a leading blank leaves an empty first word."""
    if "\t" in text:
        text = text.replace("\t", " ")
    words = text.split(" ")
    if "  " in text or not words[-1]:
        return [words[0], *[word for word in words[1:] if word]]
    return words


def _until_blank(text: str) -> tuple[str, str]:
    """The text up to the first blank or tab, and what follows the blanks there."""
    end = text.find(" ")
    tab = text.find("\t", 0, end if end >= 0 else len(text))
    if tab >= 0:
        end = tab
    if end < 0:
        return text, ""
    return text[:end], text[end:].lstrip(" \t")


def _plainly_quoted(text: str) -> list[str] | None:
    r"""Arguments of a text without control characters, where quotes only open and close or are written `\"`; None for any other text.

    Quotes, blanks in quotes and quoted nothings are hidden behind control characters while the rest is split at blanks.
    """
    program, _, rest = text[1:].partition('"') if text[0] == '"' else text.partition(" ")
    if '\\"' in rest:
        if '\\\\"' in rest:
            return None
        rest = rest.replace('\\"', "\2")
    segments = rest.split('"')
    if "" in segments[2:-1:2]:  # two quotes together count where the first of them ends a quoting: not in `/o ""`
        return None
    segments[1::2] = [segment.replace(" ", "\0") or "\1" for segment in segments[1::2]]
    words = [word if word.isprintable() else _shown(word) for word in "".join(segments).split(" ") if word]
    return [program, *words]


def _shown(word: str) -> str:
    return word.replace("\0", " ").replace("\1", "").replace("\2", '"')


def _backslash_quoted(text: str) -> list[str]:
    """Arguments of any text that does not begin with a blank, by the full backslash and quote rules."""
    arguments: list[str] = []
    argument: list[str] = []
    in_argument = False
    quotes = 0  # 1 while quoting; CommandLineToArgvW counts further quotes up to 3, which is a literal one
    backslashes = 0
    for piece in _WINDOWS_PIECES.findall(text):
        first = piece[0]
        if first == "\\":
            backslashes = len(piece)
            in_argument = True
            continue
        if first == '"':
            in_argument = True
            run = len(piece)
            if backslashes:
                argument.append("\\" * (backslashes // 2))
                if backslashes % 2:
                    argument.append('"')
                    run -= 1
                backslashes = 0
            quotes += run
            argument.append('"' * (quotes // 3))
            quotes %= 3
            if quotes == 2:
                quotes = 0
            continue
        if backslashes:
            argument.append("\\" * backslashes)
            backslashes = 0
        if first in " \t" and not quotes:
            arguments.append("".join(argument))
            argument = []
            in_argument = False
        else:
            argument.append(piece)
            in_argument = True
    if backslashes:
        argument.append("\\" * backslashes)
    if in_argument:
        arguments.append("".join(argument))
    return arguments


def posix_args(text: str) -> list[str]:
    r"""Split a command line into shell words as Python's `shlex.split` does (POSIX.1, 2.2 Quoting).

    Nothing is expanded and `#` begins no comment. Where `shlex` gives up, this goes on: a quote that nothing closes
    and a backslash at the very end are ordinary characters, for Defender often joins the arguments without quoting
    them.

    >>> posix_args("sh -c 'a b' it's")
    ['sh', '-c', 'a b', "it's"]
    """
    if "'" not in text and '"' not in text and "\\" not in text:
        if "\n" in text or "\t" in text or "\r" in text:
            return [word for word in _POSIX_BLANKS.split(text) if word]
        words = text.split(" ")
        return [word for word in words if word] if "" in words else words
    arguments: list[str] = []
    argument: list[str] | None = None
    for piece in _POSIX_PIECES.finditer(text):
        kind = piece.lastgroup
        if kind == "blank":
            if argument is not None:
                arguments.append("".join(argument))
                argument = None
            continue
        value = piece[kind or 0]
        if kind == "double" and "\\" in value:
            value = _ESCAPE_IN_DOUBLE_QUOTES.sub(r"\1", value)
        if argument is None:
            argument = [value]
        else:
            argument.append(value)
    if argument is not None:
        arguments.append("".join(argument))
    return arguments


# A process does many things, each of them a record with its command line. The lists are shared and never changed; of 2,048 hostile
# texts they take 20 MB, of usual ones 2.
_known_windows_args = lru_cache(maxsize=2048)(windows_args)
_known_posix_args = lru_cache(maxsize=1024)(posix_args)


def args(text: str | None, os_type: str | None, executable: str | None = None) -> tuple[list[str] | None, int | None]:
    """process.args and process.args_count of a command line; (None, None) when there is none.

    `os_type` is host.os.type; when unknown, a command line that begins with a slash is POSIX and all else is Windows.
    On POSIX hosts Defender leaves the program unquoted even when its path has blanks (`/Applications/Microsoft
    Defender.app/…`): given the `executable`, such a path stays one argument (compared ignoring case, for Defender may
    send the path in lower case).
    """
    if not text:
        return None, None
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS]
    if os_type == "windows" or (os_type not in POSIX and text[0] != "/"):
        arguments = _known_windows_args(text) if len(text) <= LONGEST_KNOWN else windows_args(text)
    elif executable and " " in executable and _begins_with(text, executable):
        arguments = [text[: len(executable)], *posix_args(text[len(executable) :])]
    else:
        arguments = _known_posix_args(text) if len(text) <= LONGEST_KNOWN else posix_args(text)
    count = len(arguments)
    if not count:  # nothing but blanks
        return None, None
    return (arguments if count <= MOST_ARGUMENTS else arguments[:MOST_ARGUMENTS]), count


def _begins_with(text: str, executable: str) -> bool:
    """Is `executable` the whole beginning of `text`, up to a blank or the end, ignoring case?"""
    length = len(executable)
    return text[length : length + 1] in ("", " ", "\t") and text[:length].lower() == executable.lower()


def name_from_command_line(text: str | None, os_type: str | None = None) -> str | None:
    r"""The program's file name out of a command line, for records that carry no file name (Elastic changelog 3.13.0).

    Quotes around the program go; an unquoted Windows path with blanks is read up to its first `.exe` or the like,
    since CommandLineToArgvW would cut it at the blank; a macOS bundle path is read from its last `.app/Contents/`;
    the dash of a login shell (`-bash`) goes.

    >>> name_from_command_line(r"C:\Program Files\x\y.exe -a", "windows")
    'y.exe'
    """
    if not text:
        return None
    text = text[:MOST_CHARACTERS].lstrip(" \t\r\n")
    if not text:
        return None
    if os_type == "windows" or (os_type not in POSIX and text[0] != "/"):
        if text[0] == '"':
            program = text[1:].partition('"')[0]
        else:
            program = _until_blank(text)[0].strip('"')
            if not _WINDOWS_EXTENSION.search(program):
                unquoted = _UNQUOTED_WINDOWS_PROGRAM.match(text)
                if unquoted is not None:
                    program = unquoted[0]
        name = program.rstrip("\\/ ")
        return name[max(name.rfind("\\"), name.rfind("/")) + 1 :] or None
    if text[0] == "/":
        bundle = text.rfind(".app/Contents/")
        if bundle >= 0 and " -" not in text[:bundle]:
            text = text[bundle + len(".app/Contents/") :]
    words = posix_args(text[:4096])
    name = words[0].rstrip("/") if words else ""
    return name[name.rfind("/") + 1 :].removeprefix("-") or None


def process_name(name: str | None, path: str | None, command_line: str | None, os_type: str | None) -> str | None:
    r"""process.name: the file's name, of a record without one its path's or its command line's (Elastic changelog 3.13.0).

    >>> process_name(None, r"C:\Windows\cmd.exe", None, "windows"), process_name(None, None, "/bin/sh -c x", "linux")
    ('cmd.exe', 'sh')
    """
    if name is not None:
        return name
    return file_name(path) or name_from_command_line(command_line, os_type)
