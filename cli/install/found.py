"""The cluster, asked -> what it has of all that is wanted, and what it can not do. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cli.install.server import Ask, Body, lacks_api, reason, told
from cli.install.wanted import OURS, Wanted
from shared.errors import Misconfigured

OLDEST = (8, 13)  # bulk requests that insist on a data stream
LOGSDB = (8, 17)
CUSTOM = "@custom"


@dataclass(frozen=True, slots=True)
class DataStream:
    """A data stream of ours: what its write index has, and whether it rolls over at the next write anyhow."""

    write_index: str
    mapping: Body
    settings: Mapping[str, Any]  # dotted
    template: str | None = None
    lifecycle: Body | None = None
    rolls_over: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """A plain index of ours."""

    mapping: Body
    settings: Mapping[str, Any]  # dotted
    aliases: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A cluster. A kind that it does not have at all is None; `data_stream_api` is what tells of data streams and keeps their lifecycle."""

    version: tuple[int, ...] | None = None  # None: it does not say, or is serverless
    serverless: bool = False
    component_templates: Mapping[str, Body] = field(default_factory=dict)
    index_templates: Mapping[str, Body] = field(default_factory=dict)
    ilm_policies: Mapping[str, Body] | None = field(default_factory=dict)
    ingest_pipelines: Mapping[str, Body] | None = field(default_factory=dict)
    transforms: Mapping[str, Body] | None = field(default_factory=dict)
    data_streams: Mapping[str, DataStream] = field(default_factory=dict)
    data_stream_api: bool = True
    indices: Mapping[str, Index] = field(default_factory=dict)

    @property
    def lazy(self) -> bool:
        """Whether a data stream can be told to roll over at its next write."""
        return self.data_stream_api and (self.version is None or self.version >= OLDEST)


def look(ask: Ask, wanted: Wanted) -> Found:
    """Ask for all of it. Raises Misconfigured (a privilege, an old server) or Retry."""
    version, serverless = server_of(ask)
    if version is not None and version < OLDEST:
        raise Misconfigured(
            "ELASTICSEARCH_URL", f"is Elasticsearch {'.'.join(map(str, version))}; 8.13 or newer is needed."
        )
    index_templates = listed(ask, "/_index_template", "index_templates", "index_template")
    ours = {name: body for name, body in index_templates.items() if name in wanted.index_templates or is_ours(body)}
    parts = {
        part for body in (*ours.values(), *wanted.index_templates.values()) for part in body.get("composed_of", ())
    }
    components = component_templates(ask, parts | set(wanted.component_templates))
    patterns = sorted(
        {p for body in wanted.index_templates.values() if "data_stream" in body for p in body["index_patterns"]}
    )
    streams, api = data_streams(ask, patterns)
    return Found(
        version=version,
        serverless=serverless,
        component_templates=components,
        index_templates=index_templates,
        ilm_policies=policies(ask, wanted.ilm_policies),
        ingest_pipelines=pipelines(ask, wanted.ingest_pipelines),
        transforms=transforms(ask, wanted.transforms),
        data_streams=streams,
        data_stream_api=api,
        indices=indices(ask, wanted.indices),
    )  # fmt: skip


def is_ours(body: Body) -> bool:
    """Whether we made it."""
    return (body.get("_meta") or {}).get("managed_by") == OURS


def server_of(ask: Ask) -> tuple[tuple[int, ...] | None, bool]:
    """(version, serverless); serverless has no version of its own, and a server that does not say is taken for a new one."""
    version = told(ask("GET", "/", None)).get("version")
    if not isinstance(version, dict):
        return None, False
    if version.get("build_flavor") == "serverless":
        return None, True
    numbers = str(version.get("number", "")).partition("-")[0].split(".")
    return (tuple(int(number) for number in numbers) if all(n.isdigit() for n in numbers) else None), False


def listed(ask: Ask, path: str, key: str, inner: str) -> dict[str, Body]:
    """Name -> body out of an answer that is a list."""
    return {item["name"]: item[inner] for item in told(ask("GET", path, None)).get(key) or ()}


def component_templates(ask: Ask, names: Iterable[str]) -> dict[str, Body]:
    """Those of these names that there are, and all others of ours: the API takes one name or pattern, so packages are asked for as one."""
    wanted = set(names)
    asked = {f"{name.partition('.')[0]}.*" if name.startswith("logs-") and "." in name else name for name in wanted}
    found: dict[str, Body] = {}
    for name in sorted(asked):
        path = f"/_component_template/{quote(name, safe='*@')}"
        found |= listed(ask, path, "component_templates", "component_template")
    return {name: body for name, body in found.items() if name in wanted or is_ours(body)}


def keyed(ask: Ask, path: str, wanted: Iterable[str]) -> dict[str, Body] | None:
    """Name -> body of what there is of `wanted`, asked one by one; None where the server has no such API."""
    found: dict[str, Body] = {}
    for name in wanted:
        reply = ask("GET", f"{path}/{name}", None)
        if lacks_api(reply):
            return None
        if name in told(reply):
            found[name] = told(reply)[name]
    return found


def pipelines(ask: Ask, wanted: Mapping[str, Body]) -> dict[str, Body] | None:
    """Ingest pipelines; None also where the server lacks one of their processors, which only trying them tells."""
    found = keyed(ask, "/_ingest/pipeline", wanted)
    for body in wanted.values():
        tried = {"pipeline": body, "docs": [{"_index": "i", "_id": "1", "_source": {}}]}
        if found is not None and lacks_api(ask("POST", "/_ingest/pipeline/_simulate", tried)):
            return None
    return found


def policies(ask: Ask, wanted: Iterable[str]) -> dict[str, Body] | None:
    """ILM policies: without what the server adds to them."""
    found = keyed(ask, "/_ilm/policy", wanted)
    return None if found is None else {name: {"policy": body["policy"]} for name, body in found.items()}


def transforms(ask: Ask, wanted: Iterable[str]) -> dict[str, Body] | None:
    """Transforms, asked one by one."""
    found: dict[str, Body] = {}
    for name in wanted:
        reply = ask("GET", f"/_transform/{name}", None)
        if lacks_api(reply):
            return None
        found |= {item["id"]: item for item in told(reply).get("transforms") or ()}
    return found


def data_streams(ask: Ask, patterns: list[str]) -> tuple[dict[str, DataStream], bool]:
    """Name -> what the write index of each has; and whether the server tells of data streams as such (else only that they are there)."""
    if not patterns:
        return {}, True
    names = quote(",".join(patterns), safe="*,")
    reply = ask("GET", f"/_data_stream/{names}?expand_wildcards=open,hidden", None)
    api = not lacks_api(reply)
    known: dict[str, Body] = {}
    if api:
        known = {item["name"]: item for item in told(reply).get("data_streams") or ()}
        write = {name: str(item["indices"][-1]["index_name"]) for name, item in known.items()}
    else:
        listing = told(ask("GET", f"/_resolve/index/{names}", None)).get("data_streams") or ()
        write = {item["name"]: max(_list(item["backing_indices"])) for item in listing}
    if not write:
        return {}, api
    have = mappings_and_settings(ask, write.values())
    return {
        name: DataStream(
            index,
            *have[index],
            template=known.get(name, {}).get("template"),
            lifecycle=known.get(name, {}).get("lifecycle"),
            rolls_over=bool(known.get(name, {}).get("rollover_on_write")),
        )
        for name, index in sorted(write.items())
        if index in have
    }, api


def _list(value: Any) -> list[str]:
    """One name comes without a list."""
    return [value] if isinstance(value, str) else list(value)


def mappings_and_settings(ask: Ask, names: Iterable[str]) -> dict[str, tuple[Body, dict[str, Any]]]:
    """Index -> (mapping, dotted settings); asked a few at a time, as names are long and an address is not."""
    every, result = sorted(names), {}
    for start in range(0, len(every), 20):
        some = quote(",".join(every[start : start + 20]), safe=",.")
        mapping = ask("GET", f"/{some}/_mapping?ignore_unavailable=true", None)
        settings = ask("GET", f"/{some}/_settings?flat_settings=true&ignore_unavailable=true", None)
        if mapping.status != 200 or settings.status != 200:
            raise Misconfigured("ELASTICSEARCH_URL", f"does not tell how indices are: {reason(mapping)}")
        for name, said in told(mapping).items():
            result[name] = (said.get("mappings") or {}, (told(settings).get(name) or {}).get("settings") or {})
    return result


def indices(ask: Ask, wanted: Iterable[str]) -> dict[str, Index]:
    """The plain indices that there are."""
    result: dict[str, Index] = {}
    for name in wanted:
        said = told(ask("GET", f"/{name}?flat_settings=true", None)).get(name)
        if said is not None:
            result[name] = Index(
                said.get("mappings") or {}, said.get("settings") or {}, frozenset(said.get("aliases") or ())
            )
    return result
