"""What only assessments of the API need: keys in Elastic's spelling, the resource of a finding, the account, the rule's and the weakness' own fields."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from shared.normalise.bags import LONGEST_KEY
from shared.normalise.tables.cloud_export_rules import PLACE_FIELDS, arm_id, place
from shared.normalise.tables.cloud_findings import VULNERABILITY_FIELDS, finding, image_findings

PRODUCT = "Microsoft Defender for Cloud"
_MDVM = "Microsoft Defender Vulnerability Management"
_SCANNERS = frozenset(  # of additionalData's metadata.scanner and source
    {
        "microsoftdefendervulnerabilitymanagement",
        "microsoft defender vulnerability management",
        "agentless microsoft defender vulnerability management",
    }
)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BOUNDARY = re.compile(r"(?<=[^A-Z_])(?=[A-Z])")
_NO_WORD = re.compile(r"[^0-9A-Za-z]+")


def snake(key: str) -> str:
    """A key as Elastic's package spells it: an underscore before each capital that follows no other, and between words.

    >>> [snake(key) for key in ("K8sClusterId", "NSG open ports", "cvssV30Score", "CVEs", "isInExploitKit")]
    ['k8s_cluster_id', 'nsg_open_ports', 'cvss_v30_score', 'cves', 'is_in_exploit_kit']
    """
    return _snake(key) if len(key) <= LONGEST_KEY else key


@lru_cache(maxsize=1024)
def _snake(key: str) -> str:
    return _BOUNDARY.sub("_", _NO_WORD.sub("_", key).strip("_")).lower()


def plain(key: str) -> str:
    """A key without blanks, signs and capitals: what its spellings have in common.

    >>> plain("Can onboard to BYOL") == plain("canOnboardToByol")
    True
    """
    return _plain(key) if len(key) <= LONGEST_KEY else key


@lru_cache(maxsize=1024)
def _plain(key: str) -> str:
    return _NO_WORD.sub("", key).lower()


def us_time(text: Any) -> Any:
    """`11/13/2024 11:40:48 PM`, taken for UTC, -> ISO 8601; anything else as it is."""
    if not isinstance(text, str) or len(text) > 30:
        return text
    try:
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return text


def describes_software(additional: dict[str, Any]) -> bool:
    """Whether a finding's additionalData (keys in lower case) is of a flaw in software, not of a setting: class vulnerability.

    Elastic's package asks for the scanner's name or a list of CVEs; the shapes of scanners that it does not know say it as clearly.
    """
    kind = additional.get("assessedresourcetype")
    kind = kind.lower() if isinstance(kind, str) else ""
    if "vulnerability" in kind and not kind.startswith(("sql", "general")):
        return True
    metadata = additional.get("metadata")
    scanner = metadata.get("scanner") if isinstance(metadata, dict) else None
    return any(
        isinstance(name, str) and name.lower() in _SCANNERS for name in (scanner, additional.get("source"))
    ) or any(
        isinstance(additional.get(key), dict | list) and bool(additional[key])
        for key in ("cve", "cvss", "vulnerabilitydetails", "softwaredetails")
    )


def rule_uuid(name: str | None) -> str | None:
    """rule.uuid: the same for the same rule, and what Elastic's package makes of its name (SHA-1 of a zero byte and the name, base64).

    >>> rule_uuid("Machines should have a vulnerability assessment solution")
    'GWgODMK4x9cVQi6d4ipRByaXvpE='
    """
    if name is None:
        return None
    digest = hashlib.sha1(b"\x00" + name.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return b64encode(digest).decode("ascii")


def product(assessment: str | None) -> str | None:
    """observer.vendor and event.provider, the same for all: Kibana's Findings tell their sources apart by the former."""
    return None if assessment is None else PRODUCT


def later(changed: str | None, evaluated: str | None) -> str | None:
    """event.created: when the state was recorded, the later of two dates in ISO 8601 and UTC, as Elastic's package has it."""
    return max(changed or "", evaluated or "") or None


RESOURCE_FIELDS = ("#resource", "#native", "#name", "#provider", "#type")


def resource(
    id: str | None,
    native: str | None,
    name: str | None,
    provider: str | None,
    type: str | None,
    own_id: str | None,
    own_native: str | None,
    own_name: str | None,
    own_provider: str | None,
    own_type: str | None,
    image: str | None,
) -> tuple[str | None, ...]:
    """The resource that a finding is of, out of the assessment's details and the sub-assessment's own -> id, native id, name, provider, type.

    The sub-assessment's come first, the native id before the other (for a disabled account that is the subscription, for a container image
    there is none). A name and a type belong to an id: those of the assessment count only where it names the same resource.
    """
    found = own_native or own_id or native or id
    same = arm_id(found) in (arm_id(native), arm_id(id))
    return (
        found,
        own_native or native,
        own_name or (name if same else image),
        own_provider or provider,
        own_type or (type if same else None),
    )


def located(
    assessment: str | None,
    id: str | None,
    source: str | None,
    name: str | None,
    provider: str | None,
    type: str | None,
    native: str | None,
    unique: str | None,
    region: str | None,
    hierarchy: str | None,
    machine: str | None,
) -> tuple[str | None, ...]:
    """The fields of `PLACE_FIELDS`, as `place` says them of a resource.

    But ids are as they were sent, as in Elastic's package, and a machine that Azure only looks after (OnPremise, OnPremiseSql) is in no cloud.
    """
    found = place(assessment, id, source, name, provider, type, native, unique, region, None, hierarchy, machine)
    lower = found[0]
    sent = next((value for value in (id, native, unique) if lower is not None and arm_id(value) == lower), None)
    if sent is None and lower is not None and assessment is not None:  # it was found in the assessment's own id
        sent = assessment[: len(lower)]
    changed: dict[str, str | None] = {"resource.id": sent, "cloud.instance.id": sent}
    if source is not None and source.lower().startswith("onpremise"):
        changed |= {"cloud.provider": None}
    return tuple(
        changed.get(field, value) if value is not None else None
        for field, value in zip(PLACE_FIELDS, found, strict=True)
    )


def account(id: str | None, own_id: str | None, type: str | None, name: str | None) -> tuple[str | None, str | None]:
    """The account that a finding is of -> (user.id, user.name): `…/identities/<object id>`, or ResourceName of a ResourceType `User`."""
    for of in (own_id, id):
        head, slash, identity = of.rpartition("/") if of else ("", "", "")
        if slash and head.lower().endswith("/identities") and _GUID.fullmatch(identity):
            return identity.lower(), None
    if type is None or type.lower() != "user" or name is None:
        return None, None
    return (name.lower(), None) if _GUID.fullmatch(name) else (None, name)


def weakness(
    additional: Any,
    id: str | None,
    title: str | None,
    description: str | None,
    category: str | None,
    status: str | None,
) -> tuple[Any, ...]:
    """A finding of class vulnerability -> the fields of `VULNERABILITY_FIELDS`.

    A sub-assessment's additionalData is told as the export's findings are; that of a container image's assessment lists its CVEs; where neither
    says more, id, names and severity are all there is.
    """
    found = additional if isinstance(additional, dict) else {}
    if "cves" in found or "cvescount" in found:
        _, ids, cves, enumeration, worst, base, classification = image_findings(found, None)
        return (
            ids, cves, None, None, worst, base, None, classification, enumeration, None, None, _MDVM, None, None, None, None,
        )  # fmt: skip
    told = finding(found, id, title, description, category, None, status)[: len(VULNERABILITY_FIELDS)]
    if any(value is not None for value in told):
        return told
    return (
        [id] if id else None, None, title, description, status, *(None,) * 7, [category] if category else None, None, None, None,
    )  # fmt: skip
