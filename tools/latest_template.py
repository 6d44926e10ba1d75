"""The index template of a data stream -> that of a latest view, which has its documents in a plain index."""

from __future__ import annotations

from typing import Any

from shared.ship.latest import SEEN_FIELDS, View

FOR_DATA_STREAMS = ("lifecycle", "data_stream_options")  # what a plain index refuses
# How long deletions are remembered, so that no late older version brings an entry back: longer than a poll lives (host.json).
REMEMBERED = "15m"


def template_name(view: View) -> str:
    """The name of a view's template, and of its transform: the alias, if it has one."""
    return view.index.removesuffix("-{namespace}").removesuffix("-v1")


def latest_template(view: View, of_stream: dict[str, Any]) -> dict[str, Any]:
    """The template; `of_stream` is that of the data stream whose documents it has.

    What people add for data streams is left out: lifecycles and rollovers are not for an index whose entries change.
    """
    fields = [name for name in of_stream["composed_of"] if not name.endswith("@custom")]
    own = f"{template_name(view)}@custom"
    body = {key: value for key, value in of_stream["template"].items() if key not in FOR_DATA_STREAMS}
    body["settings"] = {
        **{name: value for name, value in body["settings"].items() if "lifecycle" not in name and "sort." not in name},
        "index.gc_deletes": REMEMBERED,
    }
    more = {**SEEN_FIELDS} if view.kept else {}
    if "{namespace}" not in view.index:
        more["data_stream.namespace"] = "keyword"  # of several, where a data stream has one
    if more:
        body["mappings"] = {**body["mappings"], "properties": nested(more)}
    if view.alias:
        body["aliases"] = {view.alias: {}}
    return {
        **{key: value for key, value in of_stream.items() if key != "data_stream"},
        "index_patterns": [view.pattern],
        "composed_of": [*fields, own],
        "ignore_missing_component_templates": [own],
        "template": body,
        "_meta": of_stream["_meta"] | {"description": f"Microsoft Defender: the latest of each, out of {view.dataset}"},
    }


def nested(types: dict[str, str]) -> dict[str, Any]:
    """Dotted fields with their types -> `properties`."""
    root: dict[str, Any] = {}
    for name, type in types.items():
        *path, leaf = name.split(".")
        node = root
        for part in path:
            node = node.setdefault(part, {}).setdefault("properties", {})
        node[leaf] = {"type": type}
    return root
