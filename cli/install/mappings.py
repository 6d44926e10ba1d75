"""Index templates and their component templates -> the mapping and settings of a new index, and how an index that is there differs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.install.server import Body

# What a parameter is where a mapping does not say it: servers leave out what is as by default.
DEFAULTS: dict[str, Any] = {
    "index": True, "doc_values": True, "norms": None, "normalizer": None, "ignore_above": None, "ignore_malformed": False,
    "depth_limit": "20", "enabled": True, "dynamic": None,
}  # fmt: skip
# Settings that only a new index can take or that are for all time; of index.mode only what the template says counts, as clusters have
# a default of their own.
COMPARED = ("index.mode", "index.codec", "index.sort.", "index.mapping.", "index.query.default_field", "index.default_pipeline", "index.lifecycle.name")  # fmt: skip


def flat(body: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Nested and dotted keys as dotted ones; an empty object is a value."""
    result: dict[str, Any] = {}
    for key, value in body.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            result |= flat(value, name)
        else:
            result[name] = value
    return result


def text(value: Any) -> Any:
    """Scalars as text, as servers write settings; lists and objects likewise all through."""
    if isinstance(value, Mapping):
        return {key: text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [text(item) for item in value]
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def settings_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with dotted names that begin with `index.`, values as text."""
    return {
        name if name.startswith("index.") else f"index.{name}": text(value) for name, value in flat(settings).items()
    }


def composed(template: Body, components: Mapping[str, Body]) -> Body:
    """`settings` (dotted) and `mappings` of a new index: component templates in their order, the index template's own last."""
    settings: dict[str, Any] = {}
    mappings: Body = {}
    parts = [components[name] for name in template.get("composed_of", ()) if name in components]
    for part in (*parts, template):
        inner = part.get("template") or {}
        settings |= settings_of(inner.get("settings") or {})
        mappings = merged(mappings, inner.get("mappings") or {})
    return {"settings": settings, "mappings": mappings}


def merged(first: Body, second: Body) -> Body:
    """Two mappings as Elasticsearch composes them: objects are merged, a field that is there again is replaced, rules are added."""
    result = dict(first)
    for key, value in second.items():
        if key == "properties":
            fields = dict(result.get(key) or {})
            for name, field in value.items():
                both = name in fields and "properties" in fields[name] and "properties" in field
                fields[name] = merged(fields[name], field) if both else field
            result[key] = fields
        elif key == "dynamic_templates":
            names = {name for rule in value for name in rule}
            result[key] = [rule for rule in result.get(key) or [] if not names & rule.keys()] + list(value)
        else:
            result[key] = value
    return result


def fields_of(mapping: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Body]]:
    """Every field with its own parameters, multi-fields too (`process.name.text`); objects without a type are only the way."""
    for name, field in (mapping.get("properties") or {}).items():
        full = f"{path}{name}"
        if "properties" not in field or "type" in field:
            yield full, {key: value for key, value in field.items() if key not in ("properties", "fields")}
        for part, more in (field.get("fields") or {}).items():
            yield f"{full}.{part}", more
        yield from fields_of(field, f"{full}.")


def field_differs(want: Body, have: Body, mode: str = "standard") -> bool:
    """Whether a field that is there is not what is wanted; mode: the index' mode."""
    if want.get("type", "object") != have.get("type", "object"):
        return True
    for key in (want.keys() | have.keys()) & DEFAULTS.keys():
        default = "8191" if key == "ignore_above" and mode == "logsdb" else DEFAULTS[key]
        if str(text(want.get(key, default))) != str(text(have.get(key, default))):
            return True
    return False


def field_changes(
    want: Mapping[str, Any], have: Mapping[str, Any], mode: str = "standard"
) -> tuple[list[str], list[str]]:
    """Fields that the mapping of an index of that mode lacks, and those that it has otherwise."""
    there = dict(fields_of(have))
    lacking, other = [], []
    for name, field in fields_of(want):
        if name not in there:
            lacking.append(name)
        elif field_differs(field, there[name], mode):
            other.append(name)
    return lacking, other


def setting_changes(want: Mapping[str, Any], have: Mapping[str, Any]) -> list[str]:
    """Names of the settings that an index has otherwise than its template says now. Both dotted."""
    return sorted(
        name for name, value in want.items() if name.startswith(COMPARED) and str(have.get(name)) != str(value)
    )


def rule_changes(want: Mapping[str, Any], have: Mapping[str, Any]) -> list[str]:
    """Names of the rules for fields without a mapping that an index lacks or has otherwise."""
    there = {name: text(rule) for entry in have.get("dynamic_templates") or [] for name, rule in entry.items()}
    wanted = {name: text(rule) for entry in want.get("dynamic_templates") or [] for name, rule in entry.items()}
    return sorted(name for name, rule in wanted.items() if there.get(name) != rule)


def only(mapping: Mapping[str, Any], names: Iterable[str]) -> Body:
    """The part of a mapping with these fields; with a multi-field its whole field."""
    wanted = set(names)

    def part(node: Mapping[str, Any], path: str) -> Body:
        kept: Body = {}
        for name, field in (node.get("properties") or {}).items():
            full = f"{path}{name}"
            below = part(field, f"{full}.")
            more = any(f"{full}.{item}" in wanted for item in field.get("fields") or {})
            if full in wanted or more:
                kept[name] = {key: value for key, value in field.items() if key != "properties"}
            elif below:
                kept[name] = {key: value for key, value in field.items() if key == "type"}
            if below:
                kept.setdefault(name, {})["properties"] = below
        return kept

    return {"properties": part(mapping, "")}
