"""How far one source has been read, in one tenant and scope: a small JSON object with a version.

    {"schema": 2, "source": "alert", "tenant": "…", "scope": "", "watermark": "2026-01-02T03:04:05.1234567Z",
     "seen": {"<id>": "<version>"}, "work": {…} or null, "counters": {"rows": 17}, "updated": "2026-01-02T03:05:00.000Z"}

watermark: everything before it has been shipped (the API's own text, compared as a time). seen: id -> version of the rows at and behind the
watermark, as far back as polls look again. work: what a scan still has to do, in the words of the walk that wrote it; never a link with a
signature or a token. A cursor is written only behind what has been shipped (issue 5, "Cursors").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

SCHEMA = 2
MOST_SEEN = 50_000  # rows remembered; beyond that a row may be sent again, and is then a duplicate


class Corrupt(ValueError):
    """A blob that is no cursor of ours, with the reason."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a source stands; replaced, never changed."""

    source: str
    tenant: str
    scope: str = ""
    watermark: str | None = None  # ISO 8601; None: nothing was read yet
    seen: Mapping[str, str] = field(default_factory=dict)
    work: Mapping[str, Any] | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    updated: str | None = None  # ISO 8601, UTC

    @property
    def name(self) -> str:
        """The blob's name: `alert/<tenant>/<scope>.json`, every part as `plain` writes it."""
        return "/".join((plain(self.source), plain(self.tenant) or "default", f"{plain(self.scope) or 'all'}.json"))

    def moved(self, **changes: Any) -> Cursor:
        """The cursor with some parts replaced; of too many rows seen the last ones stay."""
        result = replace(self, **changes)
        if len(result.seen) > MOST_SEEN:
            result = replace(result, seen=dict(list(result.seen.items())[-MOST_SEEN:]))
        return result

    def counted(self, **more: int) -> Cursor:
        """The cursor with its counters raised."""
        return replace(
            self, counters={**self.counters, **{name: self.counters.get(name, 0) + n for name, n in more.items()}}
        )

    def written(self) -> bytes:
        """The cursor as the bytes of its blob."""
        return orjson.dumps(
            {
                "schema": SCHEMA,
                "source": self.source,
                "tenant": self.tenant,
                "scope": self.scope,
                "watermark": self.watermark,
                "seen": dict(self.seen),
                "work": self.work,
                "counters": dict(self.counters),
                "updated": self.updated,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Cursor:
        """Read a blob back, in any schema that ever was; raises `Corrupt` with the reason."""
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise Corrupt(f"is not JSON: {error}") from None
        version = found.get("schema") if isinstance(found, dict) else None
        if version.__class__ is not int:
            raise Corrupt("is not a cursor: it has no schema version")
        if not 0 < version <= SCHEMA:
            raise Corrupt(f"has schema {version}; this version knows up to {SCHEMA}")
        while version < SCHEMA:
            found, version = MIGRATIONS[version](found), version + 1
        for name, kinds in FORM.items():
            if not isinstance(found.get(name), kinds):
                raise Corrupt(f"has no usable {name!r}")
        if not all(isinstance(value, str) for value in found["seen"].values()):
            raise Corrupt("has no usable 'seen'")
        if not all(value.__class__ is int for value in found["counters"].values()):
            raise Corrupt("has no usable 'counters'")
        return cls(**{name: found[name] for name in FORM})


def migrate_1(found: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 kept the ids at the watermark as a list, without versions, and knew no scope and no work."""
    edge = found.get("edge", [])
    seen = {id: found.get("watermark") or "" for id in edge if isinstance(id, str)} if isinstance(edge, list) else {}
    return {"scope": "", "work": None, "counters": {}, "updated": None, **found, "seen": seen, "schema": 2}


MIGRATIONS = {1: migrate_1}
NONE = type(None)
FORM: dict[str, tuple[type, ...]] = {
    "source": (str,),
    "tenant": (str,),
    "scope": (str,),
    "watermark": (str, NONE),
    "seen": (dict,),
    "work": (dict, NONE),
    "counters": (dict,),
    "updated": (str, NONE),
}


def plain(text: str) -> str:
    """Text as part of a blob's name: another one for another text. A slash becomes `~`, what is not of letters, digits and `-._` its bytes."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-._") else "~" if c == "/" else coded(c) for c in text)
    for place in (0, -1):  # a dot at either end means something to some stores
        if name and name[place] == ".":
            name = coded(".") + name[1:] if place == 0 else name[:-1] + coded(".")
    return name


def coded(character: str) -> str:
    """A character's bytes."""
    return "".join(f"={byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
