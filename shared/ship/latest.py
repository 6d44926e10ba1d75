"""Latest views: plain indices with one document for each entity, always its latest version, by external versioning; no transform needed.

Names and keys of the three for findings are those of Elastic's own transforms, where Kibana's Findings pages look (issue 6, "Latest views").
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class View:
    """A latest view: its index (`{namespace}`: that of the data streams; without it the key holds it), whose documents it has, its alias."""

    index: str
    dataset: str
    alias: str | None = None


FINDINGS = "security_solution-"
VIEWS: dict[str, View] = {
    "alert": View("m365_defender.alert_latest-{namespace}", "m365_defender.alert"),
    "incident": View("m365_defender.incident_latest-{namespace}", "m365_defender.incident"),
    "misconfiguration": View(
        f"{FINDINGS}microsoft_defender_cloud.misconfiguration_latest-v1",
        "microsoft_defender_cloud.assessment",
        f"{FINDINGS}microsoft_defender_cloud.misconfiguration_latest",
    ),
    "vulnerability_finding": View(
        f"{FINDINGS}microsoft_defender_cloud.vulnerability_latest-v1",
        "microsoft_defender_cloud.assessment",
        f"{FINDINGS}microsoft_defender_cloud.vulnerability_latest",
    ),
    "vulnerability": View(
        f"{FINDINGS}m365_defender.vulnerability_latest-v1",
        "m365_defender.vulnerability",
        f"{FINDINGS}m365_defender.vulnerability_latest",
    ),
}


def latest_index(view: str, namespace: str) -> str:
    """The index of a view."""
    return VIEWS[view].index.format(namespace=namespace)


def latest_id(tenant: str, namespace: str, key: Sequence[str]) -> str:
    """The `_id` of an entry: the same for all versions of it."""
    digest = hashlib.sha256(orjson.dumps([tenant, namespace, list(key)])).digest()
    return b2a_base64(digest[:21], newline=False).decode().translate(str.maketrans("+/", "-_"))
