"""An assessment with its sub-assessments -> its parts, opened to columns by path.

Two objects come in several spellings and are brought to one: resourceDetails (PascalCase in real answers, camelCase in the documents) and
additionalData (`NSG open ports`, `K8sClusterId`; values are text, also numbers and JSON). facts: real_answers_2025, resource_details.pitfall.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeIs

from shared.errors import Reject
from shared.normalise.api import Context, Part, columns_of, open_object, tree_of
from shared.normalise.bags import opened_text
from shared.normalise.convert import PLACEHOLDERS
from shared.normalise.identity import canonical, time_prefix
from shared.normalise.latest import Latest
from shared.normalise.lowered import lowered
from shared.normalise.tables.arm_rules import describes_software, plain, snake, us_time
from shared.normalise.tables.arm_shapes import ADDITIONAL_DATA, OBJECTS, SCORES

Object = dict[str, Any]

TABLES = ("misconfiguration", "vulnerability_finding")  # also the names of their latest views

_RESOURCE = """
    source id resourceId nativeResourceId resourceName resourceType resourceProvider machineName workspaceId sourceComputerId vmuuid
    serverName databaseName connectorId region hierarchyId nativeCloudUniqueIdentifier
"""
_ADDITIONAL = """
    subAssessmentsLink canOnboardToBYOL:bool nsgOpenPorts:dynamic edrsFound:dynamic identityDesignateLessThanXOwnersObjectIdList:dynamic
    resourceName resourceProvider resourceType resourceUrl roleAndScope:dynamic linkedWorkspaceId k8sClusterId k8sClusterName controllerName
    controllerType podName namespace imageUri repo digest tags:dynamic osType osDistribution inventorySource cvesCount:long highestSeverity
    maxCvss30Score:real cves:dynamic other:dynamic
"""


def _below(path: str, words: str) -> str:
    return " ".join(f"{path}.{word}" for word in words.split())


# Columns that are no paths of the API: class; entity, the id of what a document is of; additional, the finding's additionalData with keys in
# lower case, for rules; and properties.additionalData.other, what of that open map has no column.
_MADE = "class entity additional:dynamic"
ASSESSMENT = f"""
    {_MADE} id name type
    properties.displayName properties.status.code properties.status.cause properties.status.description
    properties.status.statusChangeDate:datetime properties.status.firstEvaluationDate:datetime
    properties.links.azurePortal properties.links.azurePortalUri properties.risk.level properties.risk.attackPathsReferences:dynamic
    properties.metadata.displayName properties.metadata.assessmentType properties.metadata.policyDefinitionId properties.metadata.description
    properties.metadata.remediationDescription properties.metadata.categories:dynamic properties.metadata.severity
    properties.metadata.userImpact properties.metadata.implementationEffort properties.metadata.threats:dynamic properties.metadata.preview:bool
    properties.metadata.tactics:dynamic properties.metadata.techniques:dynamic properties.metadata.publishDates:dynamic
    properties.metadata.plannedDeprecationDate properties.metadata.partnerData.partnerName properties.metadata.partnerData.productName
    properties.metadata.partnerData.secret properties.partnersData:dynamic
    {_below("properties.resourceDetails", _RESOURCE)} {_below("properties.additionalData", _ADDITIONAL)}
"""
SUB_ASSESSMENT = f"""
    subAssessment.id subAssessment.name subAssessment.type
    subAssessment.properties.id subAssessment.properties.displayName subAssessment.properties.remediation subAssessment.properties.impact
    subAssessment.properties.category subAssessment.properties.description subAssessment.properties.timeGenerated:datetime
    subAssessment.properties.status.code subAssessment.properties.status.cause subAssessment.properties.status.description
    subAssessment.properties.status.severity subAssessment.properties.additionalData:dynamic
    {_below("subAssessment.properties.resourceDetails", _RESOURCE)}
"""
_TREES = {"": tree_of(columns_of(ASSESSMENT)), "subAssessment.": tree_of(columns_of(SUB_ASSESSMENT))["subAssessment"]}
_DETAILS = {name.lower(): name for name in _RESOURCE.split()}
_DATA = {plain(name): name for name in columns_of(_ADDITIONAL) if name != "other"}
_SPLIT_OFF = frozenset({"resourceDetails", "additionalData"})
_OURS = frozenset(columns_of(_MADE))  # names that no key of an object may take
_MERGED = "subassessment"  # a key of additionalData, as Elastic's poller and event.original have a row


def split(value: Mapping[str, Any], context: Context) -> Iterator[Part]:
    """The parts of an assessment as the list call gives it, its sub-assessments under `subAssessments`, or one merged in as event.original has it.

    Each part's value is the assessment with its one sub-assessment merged in: split again, it gives the same part. Raises `Reject` for what has no
    id, and for an object of another type.
    """
    id, type = value.get("id"), value.get("type")
    if not _told(id):
        raise Reject("no_id", "the object has no id, so it is no assessment that could be told from others")
    if isinstance(type, str) and type and type.rpartition("/")[2].lower() != "assessments":
        raise Reject("wrong_type", f"the object is of type {type[:100]}, not an assessment")
    assessment, found, strange = _taken_apart(value)
    columns = _columns(assessment, "")
    if strange:
        columns["subAssessments"] = strange  # no column: reported and kept
    if not found:
        additional = columns.get("additional", ())
        software = "cves" in additional or "cvescount" in additional  # of a container image
        yield _part(columns, (id, ""), assessment, context.scan or "", software=software)
    columns.pop("additional", None)
    for sub in found:
        opened = {**columns, **_columns(sub, "subAssessment.")}
        software = describes_software(opened.get("additional", {}))
        yield _part(opened, (id, _entity(sub, id)), _merged(assessment, sub), context.scan or "", software=software)
        columns.pop("subAssessments", None)  # kept once


def _taken_apart(value: Mapping[str, Any]) -> tuple[Object, list[Object], list[Any]]:
    """An assessment -> itself without sub-assessments, those, and what stood in their places without being one."""
    assessment = {key: item for key, item in value.items() if key != "subAssessments"}
    listed = value.get("subAssessments")
    candidates = listed if isinstance(listed, list) else [listed]
    properties = value.get("properties")
    additional = properties.get("additionalData") if isinstance(properties, dict) else None
    if isinstance(properties, dict) and isinstance(additional, dict):
        merged = [key for key in additional if plain(key) == _MERGED]
        rest = {key: item for key, item in additional.items() if key not in merged}
        if merged:
            candidates = [*candidates, *(additional[key] for key in merged)]
            assessment["properties"] = {**properties, "additionalData": rest}
    candidates = [_opened(one) for one in candidates]
    return (
        assessment,
        [one for one in candidates if isinstance(one, dict) and one],
        [one for one in candidates if not isinstance(one, dict) and one not in (None, "", [])],
    )


def _columns(value: Object, path: str) -> Object:
    """An assessment (path "") or a sub-assessment (path "subAssessment.") by column."""
    properties = value.get("properties")
    value = {f"{key} (sent)" if key in _OURS else key: item for key, item in value.items()}
    if not isinstance(properties, dict):
        return open_object(value, _TREES[path], path)  # type: ignore[arg-type]  # a tree
    rest = {key: item for key, item in properties.items() if key not in _SPLIT_OFF or not isinstance(item, dict)}
    columns = open_object({**value, "properties": rest}, _TREES[path], path)  # type: ignore[arg-type]  # as above
    details, additional = properties.get("resourceDetails"), properties.get("additionalData")
    if isinstance(details, dict):
        _spelled(details, f"{path}properties.resourceDetails.", columns)
    if isinstance(additional, dict):
        (_finding if path else _map)(additional, columns)
    return columns


def _spelled(details: Object, path: str, columns: Object) -> None:
    """Put resourceDetails into columns, in the documents' spelling; a key that comes twice keeps its own the second time."""
    for key, item in details.items():
        if item is None or item == "":
            continue
        name = f"{path}{_DETAILS.get(key.lower(), key)}"
        columns[f"{path}{key} (again)" if name in columns else name] = item


def _map(additional: Object, columns: Object) -> None:
    """An assessment's additionalData: known keys in any spelling become columns, the rest of the open map one bag with keys as Elastic spells them."""
    other: Object = {}
    known: Object = {}
    for key, item in additional.items():
        if item is None or item == "":
            continue
        short = plain(key)
        name = _DATA.get(short)
        if name == "nsgOpenPorts" and isinstance(item, str):
            item = item.replace(",", " ").replace(";", " ").split()  # noqa: PLW2901  22, or several in one text
            name = name if all(port.isascii() and port.isdigit() for port in item) else None
        if name is None or short in known:
            _keep(other, key, additional[key])
            continue
        known[short] = lowered(_opened(item) if name == "cves" else item)
        columns[f"properties.additionalData.{name}"] = known[short]
    if other:
        columns["properties.additionalData.other"] = other
    if known:
        columns["additional"] = known


def _finding(additional: Object, columns: Object) -> None:
    """A sub-assessment's additionalData: as it is for rules, and for its own fields without the keys that no field's name can be."""
    found = lowered(additional)
    for key in OBJECTS & found.keys():
        if isinstance(found[key], str):
            found[key] = lowered(_opened(found[key]))
    if not found:
        return
    columns["additional"] = found
    view = {**_scores(found)}
    if isinstance(view.get("cve"), list):
        view["cvelist"] = view.pop("cve")
    if isinstance(view.get("vulnerabilitydetails"), dict):
        view["vulnerabilitydetails"] = _scores(view["vulnerabilitydetails"])
    if isinstance(view.get("data"), dict):
        view["data"] = _open_map(next(item for key, item in additional.items() if key.lower() == "data"))
    columns["subAssessment.properties.additionalData"] = view


def _scores(found: Object) -> Object:
    """The object with its CVSS scores, keyed by versions with dots, under names of fields; versions that we do not know stay where they are."""
    scores = found.get("cvss")
    if not isinstance(scores, dict):
        return found
    unknown = {version: score for version, score in scores.items() if version not in SCORES}
    named = {SCORES[version]: score for version, score in scores.items() if version in SCORES}
    rest = {key: item for key, item in found.items() if key != "cvss"}
    return {**rest, **named, "cvss": unknown} if unknown else {**rest, **named}


def _open_map(data: Any) -> Object:
    """`data` of the general shape: what has a field under its name, the rest in a bag with keys as Elastic spells them."""
    data = _opened(data)
    shape: Any = ADDITIONAL_DATA["data"][1]
    found: Object = {"other": {}}
    for key, item in data.items() if isinstance(data, dict) else ():
        short = plain(key)
        if short in shape and short != "other" and short not in found:
            found[short] = us_time(item) if short == "signatureupdatedate" else item
        else:
            _keep(found["other"], key, item)
    return found


def _opened(value: Any) -> Any:
    """The object or list in a text of JSON; anything else as it is."""
    found = opened_text(value) if isinstance(value, str) and value else None
    return value if found is None else found


def _keep(other: Object, key: str, item: Any) -> None:
    """Put what has no field under its key as Elastic spells it, or as it came where that is taken."""
    name = snake(key)
    other[key if name in other or not name else name] = item


def _entity(sub: Object, assessment: str) -> str:
    """A sub-assessment's id; of one without, made of its name, else of what does not change from scan to scan."""
    id = sub.get("id")
    if _told(id):
        return id
    properties = sub.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    name = next((name for name in (sub.get("name"), properties.get("id")) if _told(name)), None)
    if name is None:
        kept = {key: item for key, item in properties.items() if key not in ("status", "timeGenerated")}
        name = hashlib.sha256(canonical(kept)).hexdigest()[:32]
    return f"{assessment}/subassessments/{name}"


def _told(value: Any) -> TypeIs[str]:
    return isinstance(value, str) and value not in PLACEHOLDERS


def _part(columns: Object, ids: tuple[str, str], value: Object, scan: str, *, software: bool) -> Part:
    """A finding of a flaw in software or of a setting; ids: the assessment's and the sub-assessment's, in which letter case does not count."""
    name = TABLES[software]
    columns["class"], columns["entity"] = "vulnerability" if software else "misconfiguration", ids[1] or ids[0]
    latest = Latest(name, int.from_bytes(time_prefix(scan), "big")) if scan else None
    return Part(name, columns, (ids[0].lower(), ids[1].lower()), _day(scan), value, latest)


def _merged(assessment: Object, sub: Object) -> Object:
    """The assessment with one sub-assessment in it, as Elastic's event.original has it; where there is no room for it, beside the properties."""
    properties = assessment.get("properties")
    properties = {} if properties is None else properties
    additional = properties.get("additionalData") if isinstance(properties, dict) else None
    additional = {} if additional is None else additional
    if not isinstance(properties, dict) or not isinstance(additional, dict):
        return {**assessment, "subAssessments": [sub]}
    return {**assessment, "properties": {**properties, "additionalData": {**additional, "subAssessment": sub}}}


def _day(scan: str) -> str:
    """When a scan began -> the UTC day's midnight, the version of all it found; "" for what is no time."""
    try:
        moment = datetime.fromisoformat(scan)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{moment:%Y-%m-%d}T00:00:00Z"
