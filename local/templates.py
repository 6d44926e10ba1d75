"""An index template for a real cluster -> the same template as far as the local Elasticsearch understands it.

The distribution that we can run here lacks some modules (design: the licence's mapper plug-ins, ILM, ingest). Only the
local server's copy is changed; what is shipped keeps the right types.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

TEMPLATES = Path(__file__).resolve().parent.parent / "infra" / "elastic"

FAMILIES: dict[str, str] = {
    "wildcard": "keyword",
    "constant_keyword": "keyword",
    "version": "keyword",
    "match_only_text": "text",
    "scaled_float": "double",
    "unsigned_long": "long",
}
# Parameters of a type that its family does not know.
FOREIGN_PARAMETERS: dict[str, tuple[str, ...]] = {
    "constant_keyword": ("value",),
    "scaled_float": ("scaling_factor",),
}
# Index settings and template options that name something which is not there.
FOREIGN_SETTINGS = ("lifecycle", "default_pipeline", "final_pipeline")
FOREIGN_OPTIONS = ("lifecycle", "data_stream_options")


def adapt_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """A component or index template (the body of its PUT) with field types replaced by their families.

    Settings and options of absent modules are left out. The template given is not changed.
    """
    result: dict[str, Any] = copy.deepcopy(dict(template))
    body = result.get("template")
    if isinstance(body, dict):
        for option in FOREIGN_OPTIONS:
            body.pop(option, None)
        if "settings" in body:
            body["settings"] = _settings(body["settings"])
    data_stream = result.get("data_stream")
    if isinstance(data_stream, dict):
        data_stream.pop("failure_store", None)
    return with_families(result)


def with_families(template: Mapping[str, Any]) -> dict[str, Any]:
    """The same template with field types replaced and nothing else, so that what the local server lacks is refused as elsewhere."""
    result: dict[str, Any] = dict(template)
    body = result.get("template")
    if isinstance(body, dict) and "mappings" in body:
        result["template"] = {**body, "mappings": _mapping(body["mappings"])}
    return result


def put_templates(client: Elasticsearch, folder: Path = TEMPLATES, *, namespace: str = "*") -> list[str]:
    """Put the project's templates, adapted, into a local server, and return their names (of the files).

    With a `namespace` (it may
    end in *) the index templates hold for its data streams alone, so that tests of missing templates can share the server.
    """
    bodies = {
        file.stem: adapt_template(json.loads(file.read_text())) for file in sorted(folder.glob("*_templates/*.json"))
    }
    for name, body in bodies.items():
        if "index_patterns" not in body and "template" in body:
            client.cluster.put_component_template(name=name, **_arguments(body))
    for name, body in bodies.items():
        if "index_patterns" in body:
            if namespace != "*":
                body["index_patterns"] = [
                    f"{pattern.removesuffix('*')}{namespace}" for pattern in body["index_patterns"]
                ]
            own = name if namespace == "*" else f"{name}-{namespace.rstrip('*')}"
            client.indices.put_index_template(name=own, **_arguments(body))
    return list(bodies)


def _arguments(body: dict[str, Any]) -> dict[str, Any]:
    """A body's keys as the client names its arguments: `_meta` is `meta`."""
    return {key.lstrip("_"): value for key, value in body.items()}


def _settings(settings: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Settings, nested or dotted or both, without those of absent modules."""
    result = {}
    for key, value in settings.items():
        full = f"{path}.{key}".removeprefix(".").removeprefix("index.")
        if any(full == name or full.startswith(f"{name}.") for name in FOREIGN_SETTINGS):
            continue
        result[key] = _settings(value, full if full != "index" else "") if isinstance(value, dict) else value
    return result


def _mapping(node: Any) -> Any:
    """A mapping (or a part of one) with the types replaced, in dynamic templates too."""
    if isinstance(node, list):
        return [_mapping(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: value if key == "_meta" else _mapping(value) for key, value in node.items()}
    kind = result.get("type")
    if isinstance(kind, str) and kind in FAMILIES:
        result["type"] = FAMILIES[kind]
        if kind == "wildcard":  # has no limit of length; a keyword without one refuses the document
            result.setdefault("ignore_above", 8191)
        for parameter in FOREIGN_PARAMETERS.get(kind, ()):
            result.pop(parameter, None)
    return result
