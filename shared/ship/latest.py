"""Latest views: plain indices with one document for each entity, always its latest version, by external versioning; no transform needed.

Names and keys of the three for findings are those of Elastic's own transforms, where Kibana's Findings pages look (issue 6, "Latest views").
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Sequence

import orjson

# view -> index; `{namespace}` is that of the data streams. Those without keep the namespace in the key.
VIEWS: dict[str, str] = {
    "alert": "m365_defender.alert_latest-{namespace}",
    "incident": "m365_defender.incident_latest-{namespace}",
    "misconfiguration": "security_solution-microsoft_defender_cloud.misconfiguration_latest-v1",
    "vulnerability_finding": "security_solution-microsoft_defender_cloud.vulnerability_latest-v1",
    "vulnerability": "security_solution-m365_defender.vulnerability_latest-v1",
}


def latest_index(view: str, namespace: str) -> str:
    """The index of a view."""
    return VIEWS[view].format(namespace=namespace)


def latest_id(tenant: str, namespace: str, key: Sequence[str]) -> str:
    """The `_id` of an entry: the same for all versions of it."""
    digest = hashlib.sha256(orjson.dumps([tenant, namespace, list(key)])).digest()
    return b2a_base64(digest[:21], newline=False).decode().translate(str.maketrans("+/", "-_"))
