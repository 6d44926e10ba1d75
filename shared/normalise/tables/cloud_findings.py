"""additionalData of assessments and sub-assessments -> vulnerability.*, package.*, rule.*, container.* and orchestrator.*.

Findings come in a shape for each scanner (facts: sub_assessments): servers and container registries as the retired scanner wrote them,
servers as Defender Vulnerability Management does (a list of CVEs, or one), container images, SQL checks, and a general shape. Keys are in
lower case here: `cloud_message` writes them so.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shared.normalise.bags import opened_text
from shared.normalise.convert import date
from shared.normalise.lowered import lowered_bag
from shared.normalise.mapping import Kind
from shared.normalise.rules.platform import device_os
from shared.normalise.rules.severity import severity
from shared.normalise.tables.cloud_export_rules import MOST, arm_id, texts

_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII | re.IGNORECASE)
_SETTINGS = re.compile(
    r"sql|general", re.ASCII | re.IGNORECASE
)  # assessed resource types whose findings are checks of settings
VULNERABILITY_FIELDS = (
    "vulnerability.id", "vulnerability.cve", "vulnerability.title", "vulnerability.description", "vulnerability.severity",
    "vulnerability.score.base", "vulnerability.score.version", "vulnerability.classification", "vulnerability.enumeration",
    "vulnerability.reference", "vulnerability.published_date", "vulnerability.scanner.vendor", "vulnerability.category",
    "package.name", "package.version", "package.fixed_version",
)  # fmt: skip
VULNERABILITY_KINDS: tuple[Kind, ...] = (
    "keyword", "keyword", "keyword", "keyword", "keyword", "double", "keyword", "keyword", "keyword", "keyword", "date", "keyword", "keyword",
    "keyword", "keyword", "keyword",
)  # fmt: skip
RULE_FIELDS = ("rule.id", "rule.name", "rule.description", "rule.category", "rule.impact")
_RULE_KINDS: tuple[Kind, ...] = ("keyword", "keyword", "keyword", "keyword", "keyword")
FINDING_KINDS = VULNERABILITY_KINDS + _RULE_KINDS
NO_VULNERABILITY = (None,) * len(VULNERABILITY_FIELDS)
NO_RULE = (None,) * len(RULE_FIELDS)
_VERSIONS = ("4.0", "3.1", "3.0", "2.0")  # of CVSS
_MDVM = "Microsoft Defender Vulnerability Management"


def finding(
    additional: Any,
    id: str | None,
    title: str | None,
    description: str | None,
    category: str | None,
    impact: str | None,
    status: str | None,
) -> tuple[Any, ...]:
    """A sub-assessment -> the fields of `VULNERABILITY_FIELDS` for one of software, or those of `RULE_FIELDS` for a check of settings.

    Software: servers and containers, with CVEs and scores in additionalData, in four shapes (facts: sub_assessments). Settings: SQL's
    checks and the general shape, where id and name are those of a rule.
    """
    vulnerability = None
    if additional.__class__ is dict:
        vulnerability = _software(additional, id, title, description, category, status)
    if vulnerability is not None:
        return (*vulnerability, *NO_RULE)
    return (*NO_VULNERABILITY, id, title, description, category, impact)


def _software(
    found: dict[str, Any],
    id: str | None,
    title: str | None,
    description: str | None,
    category: str | None,
    status: str | None,
) -> tuple[Any, ...] | None:
    details, software = _object(found, "vulnerabilitydetails"), _object(found, "softwaredetails")
    listed, cvss = found.get("cve"), _object(details or found, "cvss")
    kind = _text(found, "assessedresourcetype") or ""
    records: list[dict[str, Any]] = []
    if listed is not None:
        listed = listed if listed.__class__ is list else [listed]
        records = [record for record in listed[:MOST] if record.__class__ is dict]
    if not (details or software or records or cvss) and ("ulnerability" not in kind or _SETTINGS.match(kind)):
        return None
    cves: dict[str, None] = {}
    grade, published = None, _text(found, "publishedtime")
    if details:
        if (cve := _text(details, "cveid")) is not None:
            cves[cve] = None
        grade, published = _text(details, "severity"), _text(details, "publisheddate") or published
    for record in records:
        if (cve := _text(record, "title")) is not None:
            cves[cve] = None
        if (other := _text(record, "severity")) is not None and (grade is None or _weight(other) > _weight(grade)):
            grade = other
    if len(records) == 1:
        published = published or _text(records[0], "publisheddate")
        description = _text(records[0], "description") or description
    if id and id[:3].upper() == "CVE" and _CVE.fullmatch(id):
        cves[id] = None
    ids = list(cves) or None
    score, version = _score(found, cvss, records)
    return (
        ids or ([id] if id else None),
        ids,
        title,
        description,
        grade or status,
        score,
        version,
        "CVSS" if score is not None else None,
        "CVE" if ids else None,
        _links(details.get("references"), found.get("vendorreferences"), records),
        None if published is None else date(published, "", []),
        _MDVM if details or kind[-3:].lower() == "tvm" else None,
        [category] if category else None,
        _text(software, "packagename") or _text(found, "softwarename"),
        _text(software, "version") or _text(found, "softwareversion"),
        _text(software, "fixedversion") or _text(found, "recommendedversion"),
    )


def _weight(name: str) -> int:
    return severity(name) or 0


def _score(
    found: dict[str, Any], cvss: dict[str, Any], records: list[dict[str, Any]]
) -> tuple[float | None, str | None]:
    """The base score and the version of CVSS it is of: the newest version's, and of several CVEs the highest."""
    best: tuple[float | None, str | None] = (None, None)
    for version in _VERSIONS if cvss else ():
        if (known := cvss.get(version)).__class__ is dict and (base := _number(known.get("base"))) is not None:
            best = base, _version(_text(known, "cvssvectorstring")) or version
            break
    for record in records:
        if (base := _number(record.get("cvssscore"))) is not None and (best[0] is None or base > best[0]):
            number = _number(record.get("cvssversion"))
            best = base, _version(_text(record, "cvssvectorstring")) or (None if number is None else f"{number:.1f}")
    if best[0] is None and (whole := _number(found.get("cvssv30score"))) is not None:
        return whole, "3.0"
    return best


def _version(vector: str | None) -> str | None:
    """`CVSS:3.1/AV:…` -> 3.1."""
    return vector[5:8] if vector and vector[:5] == "CVSS:" and vector[8:9] == "/" else None


def image_findings(additional: Any, category: list[str] | None) -> tuple[Any, ...]:
    """A container image's assessment lists its CVEs -> (event.category, vulnerability.id, .cve, .enumeration, .severity, .score.base, .classification)."""
    if additional.__class__ is not dict or "cves" not in additional:
        return category, None, None, None, None, None, None
    listed = lowered_bag(additional["cves"], "", [])  # in text, mostly
    records = [record for record in listed[:MOST] if record.__class__ is dict] if listed.__class__ is list else []
    cves = list(dict.fromkeys(cve for record in records if (cve := _text(record, "cve")))) or None
    scores = [score for record in records if (score := _number(record.get("basescore"))) is not None]
    highest = _text(additional, "highestseverity")
    return (
        ["vulnerability"],
        cves,
        cves,
        "CVE" if cves else None,
        highest if highest != "Unknown" else None,
        max(scores, default=None),
        "CVSS" if scores else None,
    )


def finding_category(cves: Any, score: Any, category: list[str] | None) -> list[str] | None:
    """event.category: vulnerability for software with a flaw, else the table's own."""
    return ["vulnerability"] if cves is not None or score is not None else category


WORKLOAD_FIELDS = (
    "container.name", "container.image.name", "container.image.tag", "container.image.hash.all", "#digest",
    "orchestrator.type", "orchestrator.cluster.id", "orchestrator.cluster.name", "orchestrator.namespace", "orchestrator.resource.type",
    "orchestrator.resource.name", "orchestrator.resource.parent.type",
    "host.os.type", "host.os.family", "host.os.name", "host.os.platform",
)  # fmt: skip
_CONTAINER_KEYS = frozenset(
    {
        "artifactdetails", "kubernetesdetails", "clusterdetails", "digest", "imagedigest", "tags", "podname", "k8sclusterid", "k8sclustername",
        "repositoryname", "repo", "namespace", "controllertype",
    }
)  # fmt: skip
_SYSTEM_KEYS = frozenset({"softwaredetails", "ostype", "data", "osdistribution"})
NO_CONTAINER = (None,) * 12
NO_SYSTEM = (None,) * 4
NO_WORKLOAD = NO_CONTAINER + NO_SYSTEM
LONGEST_SYSTEM = 100  # characters of an operating system's name that is remembered


def workload(additional: Any) -> tuple[Any, ...]:
    """The container, its image and its place in Kubernetes out of additionalData -> the fields of `WORKLOAD_FIELDS`; #digest is bare."""
    if additional.__class__ is not dict:
        return NO_WORKLOAD
    container = NO_CONTAINER if _CONTAINER_KEYS.isdisjoint(additional) else _container(additional)
    return container + (NO_SYSTEM if _SYSTEM_KEYS.isdisjoint(additional) else _system(additional))


def _container(additional: dict[str, Any]) -> tuple[Any, ...]:
    artifact, kubernetes = _object(additional, "artifactdetails"), _object(additional, "kubernetesdetails")
    cluster = kubernetes or _object(additional, "clusterdetails")
    digest = _text(artifact, "digest") or _text(additional, "digest") or _text(additional, "imagedigest")
    tags = artifact.get("tags") or additional.get("tags")
    tags = opened_text(tags) if tags.__class__ is str and tags else tags
    pod = _text(kubernetes, "podname") or _text(additional, "podname")
    cluster_id = _text(cluster, "clusterresourceid") or _text(additional, "k8sclusterid")
    cluster_name = _text(cluster, "clustername") or _text(additional, "k8sclustername")
    return (
        _text(kubernetes, "containername"),
        _text(artifact, "repositoryname") or _text(additional, "repositoryname") or _text(additional, "repo"),
        texts(tags, "name") if tags else None,
        [digest] if digest else None,
        [digest.rpartition(":")[2]] if digest else None,
        "kubernetes" if cluster_id or cluster_name or pod else None,
        arm_id(cluster_id),
        cluster_name,
        _text(kubernetes, "namespace") or _text(additional, "namespace"),
        "pod" if pod else None,
        pod,
        _text(kubernetes, "controllerkind") or _text(additional, "controllertype"),
    )


def _system(additional: dict[str, Any]) -> tuple[str | None, ...]:
    """(type, family, name, platform) of the operating system."""
    software = _object(_object(additional, "softwaredetails"), "osdetails")
    platform = (
        _text(software, "osplatform") or _text(additional, "ostype") or _text(_object(additional, "data"), "osname")
    )
    distribution = _text(software, "osname") or _text(software, "osversion") or _text(additional, "osdistribution")
    if platform is None and distribution is None:
        return NO_SYSTEM
    short = len(platform or "") + len(distribution or "") <= LONGEST_SYSTEM
    return (_known_system if short else _system_of)(platform, distribution)


def _system_of(platform: str | None, distribution: str | None) -> tuple[str | None, ...]:
    kind, family, name, short, _, _ = device_os(platform, distribution)
    return kind, family, name, short if platform is None or kind is None else platform.lower()


_known_system = lru_cache(maxsize=256)(_system_of)


def _object(values: dict[str, Any], key: str) -> dict[str, Any]:
    value = values.get(key) if values else None
    return value if value.__class__ is dict else {}


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key) if values else None
    return value if value.__class__ is str and (len(value) > 3 or value not in ("", "-", "N/A")) else None


def _number(value: Any) -> float | None:
    """A number, also out of its text (`cvss.base` may be one, Azure/azure-rest-api-specs#6422)."""
    if value is None:
        return None
    if value.__class__ is str and len(value) < 32:
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if value.__class__ in (int, float) and abs(value) < 1000 else None


def _links(*lists: Any) -> list[str] | None:
    """The links of all these lists of objects, each once."""
    found: dict[str, None] = {}
    for members in lists:
        if members.__class__ is list:
            for member in members[:MOST]:
                if member.__class__ is dict and (link := _text(member, "link")) is not None:
                    found[link] = None
    return list(found) or None
