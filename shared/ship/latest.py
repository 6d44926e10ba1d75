"""Latest views: plain indices with one document for each entity, always its latest version, by external versioning; no transform needed.

Names of the three for findings are those of Elastic's own transforms, where Kibana's Findings pages look (issue 6, "Latest views"); what tells
entries apart is in `normalise.latest`. Their entries also say who saw them last: fields below `SEEN`, which expiry goes by.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson


@dataclass(frozen=True, slots=True)
class View:
    """A latest view: its index (`{namespace}`: that of the data streams; without it the key holds it), whose documents it has, its alias.

    source: what polls them. kept: how long an entry stays that complete scans of its scope do not find; None for ever. forgotten: how long
    one stays whose scope is polled no more; None for ever.
    """

    index: str
    dataset: str
    source: str
    alias: str | None = None
    kept: timedelta | None = None
    forgotten: timedelta | None = None

    @property
    def pattern(self) -> str:
        """The index's name for templates and privileges."""
        return self.index.format(namespace="*")

    @property
    def privileges(self) -> tuple[str, ...]:
        """What the shipper needs on the index: taking out needs `delete`, finding what has expired `read`."""
        return ("auto_configure", "index", *(("delete", "read") if self.kept else ()))


FINDINGS = "security_solution-"
ASSESSED = timedelta(hours=26)  # as in Elastic's transforms: a scan a day, and two hours
ASSESSMENTS_KEPT = timedelta(days=7)  # as long as their documents
VULNERABLE = timedelta(days=90)
VIEWS: dict[str, View] = {
    "alert": View("m365_defender.alert_latest-{namespace}", "m365_defender.alert", "alert"),
    "incident": View("m365_defender.incident_latest-{namespace}", "m365_defender.incident", "incident"),
    "misconfiguration": View(
        f"{FINDINGS}microsoft_defender_cloud.misconfiguration_latest-v1",
        "microsoft_defender_cloud.assessment",
        "assessment",
        f"{FINDINGS}microsoft_defender_cloud.misconfiguration_latest",
        ASSESSED,
        ASSESSMENTS_KEPT,
    ),
    "vulnerability_finding": View(
        f"{FINDINGS}microsoft_defender_cloud.vulnerability_latest-v1",
        "microsoft_defender_cloud.assessment",
        "assessment",
        f"{FINDINGS}microsoft_defender_cloud.vulnerability_latest",
        ASSESSED,
        ASSESSMENTS_KEPT,
    ),
    "vulnerability": View(
        f"{FINDINGS}m365_defender.vulnerability_latest-v1",
        "m365_defender.vulnerability",
        "vulnerability",
        f"{FINDINGS}m365_defender.vulnerability_latest",
        VULNERABLE,
    ),
}

SEEN = "defender_to_elasticsearch.latest"
SEEN_FIELDS = {f"{SEEN}.tenant": "keyword", f"{SEEN}.scope": "keyword", f"{SEEN}.scan": "date"}  # type in the templates


def latest_index(view: str, namespace: str) -> str:
    """The index of a view."""
    return VIEWS[view].index.format(namespace=namespace)


def latest_id(tenant: str, namespace: str, key: Sequence[str]) -> str:
    """The `_id` of an entry: the same for all versions of it."""
    digest = hashlib.sha256(orjson.dumps([tenant, namespace, list(key)])).digest()
    return b2a_base64(digest[:21], newline=False).decode().translate(str.maketrans("+/", "-_"))


def seen_by(source: bytes, tenant: str, scope: str, scan: str | None) -> bytes:
    """An entry's JSON with who saw it: a tenant's scope, in the scan that began then; as it is where no scan did."""
    if scan is None:
        return source
    top, below = SEEN.split(".")
    added = orjson.dumps({top: {below: {"tenant": tenant, "scope": scope, "scan": scan}}})
    return source[:-1] + b"," + added[1:]
