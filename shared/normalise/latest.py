"""What latest views hold: by which fields their entries are told apart, which documents they want, and which take an entry out.

Keys and wants are those of Elastic's latest transforms for the same views (elastic/integrations: microsoft_defender_cloud, transform
misconfiguration and vulnerability; m365_defender, transform latest_cdr_vulnerabilities), the namespace aside, which is the shipper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

from shared.normalise.bags import as_text

MOST_ENTRIES = 1_000  # of one document, by combinations of its values


@dataclass(frozen=True, slots=True)
class Latest:
    """Which latest view a document is of, and its version there: milliseconds since 1970."""

    view: str
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that a document renews, or takes out of its view: the key's values, "" for what is not there."""

    view: str
    key: tuple[str, ...]
    version: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What a view holds.

    key: fields that tell entries apart. needs: fields without which a document is of no entry. only: field -> the value that it must have:
    a document that has another says that its entry is over. any_case: fields of the key in which letter case counts for nothing.
    """

    key: tuple[str, ...]
    needs: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    any_case: tuple[str, ...] = ()


AZURE_IDS = ("event.id", "resource.id")
HELD: dict[str, Held] = {
    "alert": Held(("event.id",)),
    "incident": Held(("event.id",)),
    "misconfiguration": Held(("event.id", "rule.uuid", "resource.id"), any_case=AZURE_IDS),
    "vulnerability_finding": Held(
        ("event.id", "vulnerability.id", "resource.id", "package.name", "package.version"),
        needs=("package.name",),
        only={"event.outcome": "failure"},
        any_case=AZURE_IDS,
    ),
    "vulnerability": Held(
        ("vulnerability.id", "resource.id", "package.name", "package.version"),
        needs=("vulnerability.id", "resource.id"),
        only={"vulnerability.status": "open"},
    ),
}


def entries(latest: Latest, document: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The entries of a document: one for each combination of its key's values, as a transform has them.

    A document with error.message renews none, but can take one out.
    """
    held = HELD[latest.view]
    gone = any(texts(document, name) != (value,) for name, value in held.only.items())
    if ("error" in document and not gone) or any(texts(document, name) == ("",) for name in held.needs):
        return ()
    values = [texts(document, name, any_case=name in held.any_case) for name in held.key]
    return tuple(Entry(latest.view, key, latest.version, gone) for key in islice(product(*values), MOST_ENTRIES))


def texts(document: Mapping[str, Any], name: str, *, any_case: bool = False) -> tuple[str, ...]:
    """The values of a field as texts, each once, in lower case if asked; one "" where it has none."""
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    found = [as_text(one) for one in (value if isinstance(value, list) else (value,)) if one is not None]
    return tuple(dict.fromkeys(text.lower() for text in found) if any_case else dict.fromkeys(found)) or ("",)
