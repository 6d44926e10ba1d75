"""A step, and when a body that a cluster gives back says the same as the one that was put."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cli.install.found import Found
from cli.install.mappings import settings_of, text
from cli.install.server import Body, Request

# new, changed, unchanged: against the cluster. left: not touched, for the reason given. missing: the cluster has no such feature.
State = Literal["new", "changed", "unchanged", "left", "missing", "removed"]
SERVERS_OWN = frozenset({"created_date", "modified_date", "created_date_millis", "modified_date_millis", "deprecated"})
LEFT_OUT = "left_out"  # in `_meta`: settings that this cluster refused


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or not to do; before and after are for people (and what later steps rest on), requests for the server."""

    kind: str
    name: str
    state: State
    words: str = ""
    before: Body | None = None
    after: Body | None = None
    requests: tuple[Request, ...] = ()


def put(kind: str, path: str, name: str, have: Body | None, want: Body, words: str = "") -> Step:
    """The step for something that is put whole."""
    if have is None:
        return Step(kind, name, "new", words, None, want, (Request("PUT", path, want),))
    if normal(have) == normal(want):
        return Step(kind, name, "unchanged", words, have, want)
    return Step(kind, name, "changed", words, have, want, (Request("PUT", path, want),))


def normal(body: Body) -> Body:
    """A body in the one form that both sides can be brought to: dotted settings, text for scalars, nothing that is as by default."""
    result: dict[str, Any] = {key: text(value) for key, value in body.items() if key not in SERVERS_OWN}
    inner = dict(body.get("template") or {})
    if inner:
        if "settings" in inner:
            inner["settings"] = settings_of(inner["settings"])
        if "lifecycle" in inner:
            inner["lifecycle"] = {"enabled": True, **(inner["lifecycle"] or {})}
        result["template"] = {key: text(value) for key, value in inner.items() if value != {}}
    if "data_stream" in body:
        stream = {k: v for k, v in (body["data_stream"] or {}).items() if v is not False}
        result["data_stream"] = text(stream)
    if not result.get("composed_of"):
        result.pop("composed_of", None)
    return result


def accepted(want: Body, have: Body | None, found: Found) -> Body:
    """What is wanted, less the settings that this same cluster refused before (noted in what it has)."""
    note = ((have or {}).get("_meta") or {}).get(LEFT_OUT) or {}
    return without(want, note.get("settings") or (), found) if note.get("by") == server_name(found) else want


def server_name(found: Found) -> str:
    """A cluster as far as what it accepts goes: after an upgrade it is asked anew."""
    if found.serverless:
        return "serverless"
    return ".".join(map(str, found.version)) if found.version else "a server without a version"


def without(body: Body, names: Iterable[str], found: Found) -> Body:
    """A template without these settings (dotted; whole groups too), and with a note of that."""
    gone = tuple(sorted(set(names)))
    result: dict[str, Any] = copy.deepcopy(body)
    inner = result["template"]
    inner["settings"] = {
        name: value
        for name, value in settings_of(inner.get("settings") or {}).items()
        if not any(name == other or name.startswith(f"{other}.") for other in gone)
    }
    if not inner["settings"]:
        del inner["settings"]
    result["_meta"] = {**(result.get("_meta") or {}), LEFT_OUT: {"settings": list(gone), "by": server_name(found)}}
    return result


def same_transform(have: Body, want: Body) -> bool:
    """Whether a transform is what is wanted; the server adds much and makes lists of single names."""

    def covers(there: Any, wish: Any) -> bool:
        if isinstance(wish, Mapping):
            return isinstance(there, Mapping) and all(covers(there.get(key), value) for key, value in wish.items())
        if isinstance(there, list) and not isinstance(wish, list):
            return len(there) == 1 and covers(there[0], wish)
        return bool(text(there) == text(wish))

    return covers(have, want)
