"""The types of settings: each a function from the text of an environment variable to its value, and the class whose fields are read by them.

A type raises ValueError with the end of a sentence ("is neither true nor false"), and its docstring stands on docs/settings.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Self

from shared.errors import Misconfigured

KEY_VAULT = "@Microsoft.KeyVault("  # what Azure leaves in a variable whose reference it could not follow
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
SCHEDULE = re.compile(r"(?:[\d*,/-]+\s+){5}[\d*,/A-Za-z-]+|(?:[01]?\d|2[0-3]):[0-5]\d:[0-5]\d")


def text(value: str) -> str:
    """Any text, outer blanks removed."""
    return value.strip()


def verbatim(value: str) -> str:
    """Any text, taken as it is."""
    return value


def boolean(value: str) -> bool:
    """`true` or `false` (also 1/0, yes/no, on/off)."""
    word = value.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("is neither true nor false")


def number(low: float, high: float) -> Callable[[str], float]:
    """A number between two bounds, both allowed."""

    def parse(value: str) -> float:
        result = float(value)
        if not (math.isfinite(result) and low <= result <= high):
            raise ValueError(f"is not between {low:g} and {high:g}")
        return result

    parse.__doc__ = f"A number from {low:g} to {high:g}."  # for the reference page
    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number between two bounds, both allowed."""

    def parse(value: str) -> int:
        result = int(value)
        if not low <= result <= high:
            raise ValueError(f"is not between {low} and {high}")
        return result

    parse.__doc__ = f"A whole number from {low} to {high}."
    return parse


def day(value: str) -> float:
    """A day or a moment (ISO 8601, UTC if it names no zone), such as 2027-03-31 -> seconds since 1970."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("is not a day such as 2027-03-31") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def names(value: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)


def url(value: str) -> str:
    """One http or https address, without its last slash."""
    result = value.strip().rstrip("/")
    if "@" in result:
        raise ValueError("holds a user name or password: these have settings of their own")
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", result):
        raise ValueError("is not an http(s) address such as https://host:9200")
    return result


def urls(value: str) -> tuple[str, ...]:
    """Addresses, http or https, with commas between them."""
    return tuple(url(part) for part in names(value))


def namespace(value: str) -> str:
    """A data stream namespace: lower case, no hyphen, at most 100 bytes (Elastic's naming scheme)."""
    result = value.strip()
    if not result or len(result.encode()) > 100 or not re.fullmatch(r'[^\s"*,/<>?\\|:#A-Z-]+', result):
        raise ValueError('may hold neither upper case letters nor any of -"*,/<>?\\|:# nor blanks')
    return result


def container(value: str) -> str:
    """A blob container's name: 3 to 63 of a-z, 0-9 and single hyphens."""
    result = value.strip()
    if not re.fullmatch(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", result):
        raise ValueError("is not a container name: 3 to 63 of a-z, 0-9 and single hyphens")
    return result


def filters(value: str) -> tuple[tuple[str, str | None, float], ...]:
    """`Table`, `Table/ActionType`, either with `=share kept`: `DeviceEvents/NamedPipeEvent, DeviceImageLoadEvents=0.1`.

    Returns (table, ActionType or None for all, share of records kept from 0 to 1).
    """
    result = []
    for part in names(value):
        match = re.fullmatch(r"([A-Za-z]\w*)(?:/([^=/]+))?(?:=([0-9.]+))?", part)
        share = float(match[3] or 0) if match else -1.0
        if match is None or not 0 <= share <= 1:
            raise ValueError(f"{part!r} is not Table, Table/ActionType or either with =share from 0 to 1")
        result.append((match[1], match[2].strip() if match[2] else None, share))
    return tuple(result)


def one_of(*choices: str) -> Callable[[str], str]:
    """One of some words."""

    def parse(value: str) -> str:
        word = value.strip().lower()
        if word not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return word

    parse.__doc__ = f"One of {', '.join(f'`{word}`' for word in choices)}."
    return parse


def some_of(*choices: str) -> Callable[[str], tuple[str, ...]]:
    """Some of some words."""

    def parse(value: str) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(word.lower() for word in names(value)))
        strange = [word for word in words if word not in choices]
        if strange:
            raise ValueError(f"names {strange[0]!r}, which is none of {', '.join(choices)}")
        return words

    parse.__doc__ = f"Some of {', '.join(f'`{word}`' for word in choices)}, with commas between them."
    return parse


def secure(value: str) -> str:
    """One https address, without its last slash."""
    result = value.strip().rstrip("/")
    if not re.fullmatch(r"https://[^\s/?#@]+(/[^\s?#]*)?", result):
        raise ValueError("is not an https address such as https://graph.microsoft.com")
    return result


def schedule(value: str) -> str:
    """A schedule of Azure Functions: six fields of NCRONTAB (`0 */5 * * * *`), or hh:mm:ss between two runs."""
    result = value.strip()
    if not SCHEDULE.fullmatch(result):
        raise ValueError("is neither six fields of NCRONTAB, such as 0 */5 * * * *, nor hh:mm:ss")
    return result


def tenant_names(value: str) -> tuple[str, ...]:
    """Names with commas between them, each of letters, digits and single underscores: they begin the names of other settings."""
    result = names(value)
    for name in result:
        if not re.fullmatch(r"[A-Za-z](?:_?[A-Za-z0-9])*", name):
            raise ValueError(f"names {name!r}, which is not of letters, digits and single underscores")
    if len({name.lower() for name in result}) != len(result):
        raise ValueError("names a tenant twice")
    return result


def scopes(value: str) -> tuple[str, ...]:
    """`subscriptions/<id>` or `managementGroups/<id>` (or a bare subscription id), with commas between them."""
    result = []
    for part in names(value):
        match = re.fullmatch(
            r"/?(?:(subscriptions)/|(?:providers/Microsoft\.Management/)?(managementGroups)/)?([A-Za-z0-9_().-]{1,90})",
            part,
            re.IGNORECASE,
        )
        if match is None or match[3] in (".", ".."):
            raise ValueError(f"names {part!r}, which is neither subscriptions/<id> nor managementGroups/<id>")
        result.append(
            f"providers/Microsoft.Management/managementGroups/{match[3]}"
            if match[2]
            else f"subscriptions/{match[3].lower()}"
        )
    return tuple(dict.fromkeys(result))


def setting(
    name: str,
    words: str,
    parse: Callable[[str], object],
    *,
    default: object = None,
    example: str = "",
    secret: bool = False,
) -> Any:
    """A dataclass field that is read from the environment variable `name`."""
    metadata = {"name": name, "words": words, "parse": parse, "example": example, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromEnvironment:
    """What all groups of settings have in common: each field is read by its own parser."""

    @classmethod
    def read_all(cls, environment: Mapping[str, str], prefix: str = "") -> Self:
        """Read every field; raise `Misconfigured` at the first that makes no sense.

        prefix: `CONTOSO__` reads CONTOSO__CLIENT_ID, and where that is not set CLIENT_ID.
        """
        return cls(**{item.name: cls.read_one(item.name, environment, prefix) for item in fields(cls)})

    @classmethod
    def read_one(cls, field_name: str, environment: Mapping[str, str], prefix: str = "") -> Any:
        """Read one setting by its field's name, whatever the others hold; `Misconfigured` if it makes no sense."""
        item = cls.__dataclass_fields__[field_name]
        name = item.metadata["name"]
        if prefix and environment.get(prefix + name, "").strip():
            name = prefix + name
        raw = environment.get(name, "")
        if not raw.strip():
            return item.default
        if raw.strip().startswith(KEY_VAULT):
            raise Misconfigured(
                name, "its Key Vault reference is not resolved: look at the vault's access and firewall."
            )
        try:
            return item.metadata["parse"](raw)
        except ValueError as error:
            shown = "its value" if item.metadata["secret"] or "@" in raw else repr(raw)
            raise Misconfigured(name, f"{shown} {reason(error)}.") from None


def reason(error: ValueError) -> str:
    """Our own sentence, or `is not a number` for what int() and float() say."""
    words = str(error)
    return "is not a number" if "invalid literal" in words or "could not convert" in words else words
