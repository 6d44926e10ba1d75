"""What a cluster has, and what it should have -> the steps between, in the order in which they are carried out. Pure: nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cli.install.choices import Choices, Fleet
from cli.install.found import LOGSDB, Found, Index, is_ours
from cli.install.mappings import composed, field_changes, only, rule_changes, setting_changes
from cli.install.server import Body, Request
from cli.install.steps import State, Step, accepted, put, same_transform
from cli.install.theirs import Holder, beside, beside_name, holder_of, holders, lost
from cli.install.wanted import PIPELINE, Wanted, chosen


def plan(files: Wanted, found: Found, choices: Choices) -> list[Step]:
    """The steps; whatever comes later may rest on what came before. files: as read, the choices are applied here."""
    possible = able(found, choices)
    wanted = chosen(files, possible)
    steps = [*missing(found, choices)]
    steps += _bodies("ILM policy", "/_ilm/policy", wanted.ilm_policies, found.ilm_policies)
    steps += _bodies("ingest pipeline", "/_ingest/pipeline", wanted.ingest_pipelines, found.ingest_pipelines)
    parts = {n: accepted(b, found.component_templates.get(n), found) for n, b in wanted.component_templates.items()}
    components = {**found.component_templates, **parts}
    templates = [
        step
        for name, body in wanted.index_templates.items()
        for step in _templates(name, body, components, found, choices)
    ]
    installed = {step.name: step.after for step in templates if step.after is not None}
    used = {part for body in installed.values() for part in body["composed_of"]}
    steps += [_component(n, b, found, choices) for n, b in sorted(parts.items()) if n in used]
    steps += templates
    for name, body in installed.items():
        new = composed(body, components)
        if "data_stream" in body:
            steps += _data_streams(name, body, new, found)
        else:
            for index in wanted.indices:
                if holder_of(index, {name: body}):
                    steps.append(_index(index, body, new, found.indices.get(index)))
    return steps + _transforms(wanted.transforms, found.transforms)


def able(found: Found, choices: Choices) -> Choices:
    """The choices without what the cluster can not do; data stream lifecycle in the place of ILM."""
    return replace(
        choices,
        ilm=choices.ilm and found.ilm_policies is not None,
        geoip=choices.geoip and found.ingest_pipelines is not None,
        transforms=choices.transforms and found.transforms is not None,
        logsdb=None if found.version is not None and found.version < LOGSDB else choices.logsdb,
    )


def missing(found: Found, choices: Choices) -> Iterator[Step]:
    """What was chosen and the cluster can not do, in a sentence each."""
    less = able(found, choices)
    if choices.ilm and not less.ilm:
        yield Step("ILM", "policies", "missing", "this cluster has no ILM; data stream lifecycle is used instead.")
    if choices.geoip and not less.geoip:
        words = "this cluster can not look up places while indexing; no pipeline is attached."
        yield Step("ingest pipeline", PIPELINE, "missing", words)
    if choices.transforms and not less.transforms:
        words = "this cluster has no transforms; the shipper keeps the latest views (LATEST_VIEWS)."
        yield Step("transform", "latest views", "missing", words)
    if choices.logsdb is not None and less.logsdb is None:
        yield Step("index mode", "logsdb", "missing", "needs Elasticsearch 8.17; the cluster's own default is kept.")
    if not found.data_stream_api and found.data_streams:
        words = "this cluster does not tell the lifecycle of data streams: those that are there keep what they have."
        yield Step("lifecycle", "data streams", "missing", words)


def _bodies(kind: str, path: str, wanted: Mapping[str, Body], have: Mapping[str, Body] | None) -> list[Step]:
    """Policies, pipelines: put as they are."""
    return [put(kind, f"{path}/{name}", name, (have or {}).get(name), body) for name, body in wanted.items()]


def _component(name: str, body: Body, found: Found, choices: Choices) -> Step:
    """A component template; one of the same name that is not ours stays, unless it is to be replaced."""
    have = found.component_templates.get(name)
    if have is not None and not is_ours(have) and choices.fleet is not Fleet.REPLACE:
        words = "is there already and not ours; ours is composed of it. To put ours in its place: --fleet replace."
        return Step("component template", name, "left", words)
    return put("component template", f"/_component_template/{name}", name, have, body)


def _templates(name: str, body: Body, components: Mapping[str, Body], found: Found, choices: Choices) -> Iterator[Step]:
    """An index template, or what stands in its way: `after` is what will be in force, None where it is not ours."""
    have = found.index_templates.get(name)
    own = beside_name(name, choices.namespace)
    others = {n: b for n, b in found.index_templates.items() if n != name and not is_ours(b)}
    stream = body["index_patterns"][0].replace("*", choices.namespace)
    rivals = holders(stream, others, int(body["priority"]))
    theirs = None if have is None or is_ours(have) else Holder(name, have)
    theirs = theirs or next((rival for rival in rivals if rival.priority == body["priority"]), None)
    words = ""
    if theirs is not None and choices.fleet is not Fleet.REPLACE:
        # who chose to be beside once stays there
        stays = choices.fleet is Fleet.LEAVE and own not in found.index_templates
        if stays or "data_stream" not in body:
            yield Step("index template", name, "left", lost(theirs, composed(body, components), components, stream))
            return
        name, body, words = own, beside(body, choices.namespace), f"for {stream} alone, beside {theirs.named}."
        have = found.index_templates.get(name)
    elif own in found.index_templates:
        request = Request("DELETE", f"/_index_template/{own}")
        yield Step("index template", own, "removed", f"{name} holds all again.", requests=(request,))
    if theirs is not None and choices.fleet is Fleet.REPLACE:
        words = f"replaces {theirs.named}, which comes back when it is installed or upgraded again."
        if theirs.name != name:
            body = {**body, "priority": theirs.priority + 1}
    winner = next((rival for rival in rivals if rival.priority > int(body["priority"])), None)
    if winner is not None:
        words = f"{words} But {winner.named} has the higher priority {winner.priority} and wins for {stream}.".strip()
    body = accepted(body, have, found)
    yield put("index template", f"/_index_template/{name}", name, have, body, words)


def _data_streams(template: str, body: Body, new: Body, found: Found) -> Iterator[Step]:
    """What the data streams of a template need that are there already: their lifecycle, and a new index where theirs is another."""
    kept = body["template"].get("lifecycle")
    others = {name: other for name, other in found.index_templates.items() if name != template}
    for name, stream in found.data_streams.items():
        mine = holder_of(name, {template: body})
        if mine is None or holders(name, others, mine.priority + 1):
            continue
        if kept is not None and found.data_stream_api:
            have = {k: v for k, v in (stream.lifecycle or {}).items() if k in ("enabled", "data_retention")}
            request = Request(
                "PUT", f"/_data_stream/{name}/_lifecycle", {k: v for k, v in kept.items() if k != "enabled"}
            )
            same = have == kept
            requests = () if same else (request,)
            yield Step("lifecycle", name, "unchanged" if same else "changed", "", have, kept, requests)
        reasons = differences(new, stream.mapping, stream.settings)
        if not reasons:
            yield Step("data stream", name, "unchanged")
        elif stream.rolls_over:
            yield Step("data stream", name, "unchanged", "rolls over at the next document, as it was told before.")
        else:
            when = "at the next document" if found.lazy else "now"
            path = f"/{name}/_rollover?lazy=true" if found.lazy else f"/{name}/_rollover"
            words = f"rolls over {when}: {stream.write_index} has {reasons}."
            yield Step("data stream", name, "changed", words, requests=(Request("POST", path),))


def differences(new: Body, mapping: Body, settings: Mapping[str, object]) -> str:
    """Why an index is not as a new one would be, in words; empty where it is."""
    lacking, other = field_changes(new["mappings"], mapping, str(settings.get("index.mode")))
    said = []
    if lacking:
        said.append(f"{_number(lacking, 'field')} not yet ({_some(lacking)})")
    if other:
        said.append(f"{_number(other, 'field')} of another type or form ({_some(other)})")
    rules = rule_changes(new["mappings"], mapping)
    if rules:
        said.append(f"other dynamic templates ({_some(rules)})")
    changed = setting_changes(new["settings"], settings)
    if changed:
        said.append(f"other settings ({_some(changed)})")
    return ", ".join(said)


def _number(names: list[str], word: str) -> str:
    return f"{len(names)} {word}" + ("s" if len(names) != 1 else "")


def _some(names: Iterable[str], most: int = 4) -> str:
    """The first few names."""
    every = list(names)
    return ", ".join(every[:most]) + (", …" if len(every) > most else "")


def _index(name: str, template: Body, new: Body, have: Index | None) -> Step:
    """A latest view's index: made, or given the fields that it lacks; what can not be mended in place is told."""
    if have is None:
        return Step("index", name, "new", after=None, requests=(Request("PUT", f"/{name}", {}),))
    lacking, other = field_changes(new["mappings"], have.mapping)
    aliases = sorted(set(template["template"].get("aliases") or {}) - have.aliases)
    limit = "index.mapping.total_fields.limit"
    requests = []
    if str(have.settings.get(limit)) != str(new["settings"].get(limit)) and lacking:
        requests.append(Request("PUT", f"/{name}/_settings", {limit: new["settings"].get(limit)}))
    addable = [field for field in lacking if not any(field.startswith(f"{strange}.") for strange in other)]
    if addable:
        requests.append(Request("PUT", f"/{name}/_mapping", only(new["mappings"], addable)))
    if aliases:
        requests.append(
            Request("POST", "/_aliases", {"actions": [{"add": {"index": name, "alias": alias}} for alias in aliases]})
        )
    words = f"gets {_number(addable, 'field')} more ({_some(addable)})." if addable else ""
    if aliases:
        words = f"{words} Gets the alias {', '.join(aliases)}.".strip()
    if other:
        told = (
            f"{_number(other, 'field')} of another type ({_some(other)}), and an index can not change them: "
            "delete it and install again; the next scan fills it."
        )
        words = f"{words} Has {told}".strip()
    state: State = "changed" if requests else "left" if other else "unchanged"
    return Step("index", name, state, words, requests=tuple(requests))


def _transforms(wanted: Mapping[str, Body], have: Mapping[str, Body] | None) -> list[Step]:
    """Transforms are made and started; a changed one is made anew and keeps what it wrote."""
    steps = []
    for name, body in wanted.items():
        there = (have or {}).get(name)
        path = f"/_transform/{name}"
        make = (Request("PUT", f"{path}?defer_validation=true", body), Request("POST", f"{path}/_start"))
        if there is None:
            steps.append(Step("transform", name, "new", after=body, requests=make))
        elif same_transform(there, body):
            steps.append(Step("transform", name, "unchanged"))
        else:
            before = {key: there.get(key) for key in body}
            stop = (Request("POST", f"{path}/_stop?wait_for_completion=true&force=true"), Request("DELETE", path))
            steps.append(Step("transform", name, "changed", "", before, body, (*stop, *make)))
    return steps
