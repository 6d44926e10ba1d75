"""additionalData of assessments and sub-assessments -> vulnerability.*, package.*, rule.*, container.* and orchestrator.*.

Findings come in a shape for each scanner (facts: sub_assessments): servers and container registries as the retired scanner wrote them,
servers as Defender Vulnerability Management does (a list of CVEs, or one), container images, SQL checks, and a general shape. Keys are in
lower case here: `cloud_message` writes them so.
"""

from __future__ import annotations

import re
from typing import Any

from shared.normalise.bags import lowered, opened_text
from shared.normalise.convert import date
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
        records = [
            record for record in (listed if listed.__class__ is list else [listed])[:MOST] if record.__class__ is dict
        ]
    if not (details or software or records or cvss) and ("ulnerability" not in kind or _SETTINGS.match(kind)):
        return None
    named = [_text(details, "cveid")] if details else []
    severities = [_text(details, "severity")] if details else []
    for record in records:
        named.append(_text(record, "title"))
        severities.append(_text(record, "severity"))
    if id and _CVE.fullmatch(id):
        named.append(id)
    cves = _unique(*named) or None
    score, version = _score(found, cvss, records)
    one = records[0] if len(records) == 1 else {}
    links = [*_links(details.get("references")), *_links(found.get("vendorreferences")), *_links(listed)]
    published = _text(details, "publisheddate") or _text(found, "publishedtime") or _text(one, "publisheddate")
    return (
        cves or ([id] if id else None),
        cves,
        title,
        _text(one, "description") or description,
        max((text for text in severities if text), key=_weight, default=status),
        score,
        version,
        "CVSS" if score is not None else None,
        "CVE" if cves else None,
        _unique(*links) or None,
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
    for version in ("4.0", "3.1", "3.0", "2.0"):
        if version in cvss and (base := _number(_object(cvss, version).get("base"))) is not None:
            best = base, _version(_text(_object(cvss, version), "cvssvectorstring")) or version
            break
    for record in records:
        if (base := _number(record.get("cvssscore"))) is not None and (best[0] is None or base > best[0]):
            number = _number(record.get("cvssversion"))
            best = base, _version(_text(record, "cvssvectorstring")) or (None if number is None else f"{number:.1f}")
    whole = _number(found.get("cvssv30score"))
    return best if best[0] is not None or whole is None else (whole, "3.0")


def _version(vector: str | None) -> str | None:
    """`CVSS:3.1/AV:…` -> 3.1."""
    return vector[5:8] if vector and vector[:5] == "CVSS:" and vector[8:9] == "/" else None


def image_findings(additional: Any, category: list[str] | None) -> tuple[Any, ...]:
    """A container image's assessment lists its CVEs -> (event.category, vulnerability.id, .cve, .enumeration, .severity, .score.base, .classification)."""
    if additional.__class__ is not dict or "cves" not in additional:
        return category, None, None, None, None, None, None
    listed = additional["cves"]
    listed = opened_text(listed) if listed.__class__ is str and listed else listed
    records = (
        [record for record in lowered(listed)[:MOST] if record.__class__ is dict] if listed.__class__ is list else []
    )
    cves = _unique(*(_text(record, "cve") for record in records)) or None
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
_WORKLOAD_KEYS = frozenset(
    {
        "artifactdetails", "kubernetesdetails", "clusterdetails", "softwaredetails", "digest", "imagedigest", "tags", "podname", "k8sclusterid",
        "k8sclustername", "ostype", "data", "osdistribution", "repositoryname", "repo", "namespace", "controllertype",
    }
)  # fmt: skip
NO_WORKLOAD = (None,) * len(WORKLOAD_FIELDS)


def workload(additional: Any) -> tuple[Any, ...]:
    """The container, its image and its place in Kubernetes out of additionalData -> the fields of `WORKLOAD_FIELDS`; #digest is bare."""
    if additional.__class__ is not dict or _WORKLOAD_KEYS.isdisjoint(additional):
        return NO_WORKLOAD
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
        *_system(additional),
    )


def _system(additional: dict[str, Any]) -> tuple[str | None, ...]:
    """(type, family, name, platform) of the operating system."""
    software = _object(_object(additional, "softwaredetails"), "osdetails")
    platform = (
        _text(software, "osplatform") or _text(additional, "ostype") or _text(_object(additional, "data"), "osname")
    )
    distribution = _text(software, "osname") or _text(software, "osversion") or _text(additional, "osdistribution")
    if platform is None and distribution is None:
        return None, None, None, None
    kind, family, name, short, _, _ = device_os(platform, distribution)
    return kind, family, name, short if platform is None or kind is None else platform.lower()


def _object(values: dict[str, Any], key: str) -> dict[str, Any]:
    value = values.get(key) if values else None
    return value if value.__class__ is dict else {}


def _text(values: dict[str, Any], key: str) -> str | None:
    value = values.get(key) if values else None
    return value if value.__class__ is str and (len(value) > 3 or value not in ("", "-", "N/A")) else None


def _number(value: Any) -> float | None:
    """A number, also out of its text (`cvss.base` may be one, Azure/azure-rest-api-specs#6422)."""
    if value.__class__ is str and len(value) < 32:
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if value.__class__ in (int, float) and abs(value) < 1000 else None


def _unique(*values: str | None) -> list[str]:
    return list(dict.fromkeys(value for value in values if value)) if values else []


def _links(members: Any) -> list[str | None]:
    if members.__class__ is not list:
        return []
    return [_text(member, "link") for member in members[:MOST] if member.__class__ is dict]
