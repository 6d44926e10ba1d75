"""infra/elastic/ and the choices of who installs -> everything that a cluster should have. Options change bodies here, never the files."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.install.choices import Choices
from cli.install.lifecycle import policies, policy_name
from cli.install.server import Body
from shared.ship.latest import VIEWS

FOLDER = Path(__file__).resolve().parent.parent.parent / "infra" / "elastic"
OURS = "defender-to-elasticsearch"  # `_meta.managed_by` of all that is ours
PLACES, PIPELINE = "defender_to_elasticsearch@places", "defender_to_elasticsearch-places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Name -> body of each kind; dashboards: file name -> NDJSON. `indices` are the latest views', made by their templates."""

    component_templates: Mapping[str, Body]
    index_templates: Mapping[str, Body]
    ilm_policies: Mapping[str, Body] = field(default_factory=dict)
    ingest_pipelines: Mapping[str, Body] = field(default_factory=dict)
    transforms: Mapping[str, Body] = field(default_factory=dict)
    indices: tuple[str, ...] = ()
    dashboards: Mapping[str, str] = field(default_factory=dict)


def read(folder: Path = FOLDER) -> Wanted:
    """All files, as they are."""

    def bodies(kind: str) -> dict[str, Body]:
        return {file.stem: json.loads(file.read_text()) for file in sorted((folder / kind).glob("*.json"))}

    return Wanted(
        component_templates=bodies("component_templates"),
        index_templates=bodies("index_templates"),
        ingest_pipelines=bodies("ingest_pipelines"),
        transforms=bodies("transforms"),
        dashboards={file.name: file.read_text() for file in sorted((folder / "dashboards").glob("*.ndjson"))},
    )


def dataset_of(name: str, template: Body) -> str | None:
    """The dataset of an index template of data streams; None for a latest view's."""
    return name.removeprefix("logs-") if "data_stream" in template else None


def datasets(files: Wanted) -> dict[str, int | None]:
    """Dataset -> the days that its template says, None where it says nothing."""
    result: dict[str, int | None] = {}
    for name, template in files.index_templates.items():
        dataset = dataset_of(name, template)
        if dataset is not None:
            days = re.fullmatch(r"(\d+)d", str((template["template"].get("lifecycle") or {}).get("data_retention")))
            result[dataset] = int(days[1]) if days else None
    return result


def chosen(files: Wanted, choices: Choices) -> Wanted:
    """What the files say, changed by the choices, and without what was not chosen."""
    templates = {name: _template(name, body, choices) for name, body in files.index_templates.items()}
    kept = (
        policies(sorted({choices.retention[dataset] for dataset in datasets(files)}, key=lambda days: days or 0))
        if choices.ilm
        else {}
    )
    return replace(
        files,
        component_templates={n: b for n, b in files.component_templates.items() if n != PLACES or choices.geoip},
        index_templates=templates,
        ilm_policies=kept,
        ingest_pipelines=files.ingest_pipelines if choices.geoip else {},
        transforms={n: in_namespace(b, choices.namespace) for n, b in files.transforms.items()}
        if choices.transforms
        else {},
        indices=tuple(sorted({view.index.format(namespace=choices.namespace) for view in VIEWS.values()})),
        dashboards=files.dashboards if choices.spaces else {},
    )


def in_namespace(transform: Body, namespace: str) -> Body:
    """A transform that reads and writes in a namespace; the files say `default`."""

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(item) for item in value]
        return f"{value.removesuffix('-default')}-{namespace}" if str(value).endswith("-default") else value

    sides = {side: {**transform[side], "index": named(transform[side]["index"])} for side in ("source", "dest")}
    return {**transform, **sides}


def _template(name: str, body: Body, choices: Choices) -> Body:
    """One index template with the options."""
    result: dict[str, Any] = copy.deepcopy(body)
    inner = result["template"]
    settings = inner.setdefault("settings", {})
    dataset = dataset_of(name, body)
    if dataset is not None:
        days = choices.retention[dataset]
        if choices.ilm:
            settings["index.lifecycle.name"] = policy_name(days)
            inner.pop("lifecycle", None)
        else:
            inner["lifecycle"] = {"enabled": True} | ({} if days is None else {"data_retention": f"{days}d"})
        if choices.logsdb is not None:
            settings["index.mode"] = "logsdb" if choices.logsdb else "standard"
    if choices.geoip and any(part.endswith("@ecs") for part in result.get("composed_of", ())):
        at = next((i for i, part in enumerate(result["composed_of"]) if part.endswith("@custom")), None)
        result["composed_of"].insert(len(result["composed_of"]) if at is None else at, PLACES)
    return result


def adapted(files: Wanted, adapt: Callable[[Body], Body]) -> Wanted:
    """The same with each template changed by `adapt`: for local servers that lack field types."""
    return replace(
        files,
        component_templates={name: adapt(body) for name, body in files.component_templates.items()},
        index_templates={name: adapt(body) for name, body in files.index_templates.items()},
    )
