"""Index templates of others for our data streams, Elastic's own packages (Fleet) before all: who holds what, and what it means to leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cli.install.mappings import composed, fields_of
from cli.install.server import Body

FLEET = "fleet"


@dataclass(frozen=True, slots=True)
class Holder:
    """An index template and its name."""

    name: str
    body: Body

    @property
    def priority(self) -> int:
        """Its priority; a template without one has the lowest."""
        return int(self.body.get("priority") or 0)

    @property
    def named(self) -> str:
        """Whose it is, for a sentence."""
        meta = self.body.get("_meta") or {}
        package = (meta.get("package") or {}).get("name")
        if meta.get("managed_by") == FLEET or package:
            return (
                f"the template {self.name} of Elastic's package {package}"
                if package
                else f"Fleet's template {self.name}"
            )
        return f"the template {self.name}"


def holder_of(stream: str, templates: Mapping[str, Body]) -> Holder | None:
    """The template with the highest priority that matches a data stream or index."""
    matching = [
        Holder(name, body)
        for name, body in templates.items()
        if any(fnmatchcase(stream, pattern) for pattern in body["index_patterns"])
    ]
    return max(matching, key=lambda holder: holder.priority, default=None)


def holders(stream: str, templates: Mapping[str, Body], priority: int) -> list[Holder]:
    """Templates that match a data stream with at least this priority, the highest first."""
    found = (holder_of(stream, {name: body}) for name, body in templates.items())
    return sorted((h for h in found if h is not None and h.priority >= priority), key=lambda h: -h.priority)


def beside_name(name: str, namespace: str) -> str:
    """The name of our template for one namespace alone."""
    return f"{name}-{namespace}@defender"


def beside(body: Body, namespace: str) -> Body:
    """Our template for one namespace alone; above that for all, as two of one priority can not be."""
    patterns = [pattern.replace("*", namespace) for pattern in body["index_patterns"]]
    return {**body, "index_patterns": patterns, "priority": int(body["priority"]) + 10}


def lost(theirs: Holder, ours: Body, components: Mapping[str, Body], stream: str) -> str:
    """What it means that theirs stays: fields, and the pipeline that would run over our documents. ours: composed."""
    new = composed(theirs.body, components)
    have = dict(fields_of(new["mappings"]))
    lacking = [name for name, _ in fields_of(ours["mappings"]) if name not in have and name != "@timestamp"]
    pipeline = new["settings"].get("index.default_pipeline")
    words = [f"{theirs.named} holds {stream} and stays; ours is not installed."]
    if lacking:
        words.append(
            f"{len(lacking)} of our fields are not in it ({', '.join(lacking[:4])}, …) and are mapped as they come."
        )
    if pipeline not in (None, "_none"):
        words.append(f"Its pipeline {pipeline} would run over our documents.")
    if "data_stream" not in theirs.body:
        words.append("Whoever fills that index should go on alone: leave LATEST_VIEWS off, or --fleet replace.")
    else:
        words.append("Better: ship to a NAMESPACE of our own and install with --fleet beside; or --fleet replace.")
    return " ".join(words)
