"""What only Defender for Cloud's messages need: Azure's resource ids, health states, times, links and MITRE's words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from shared.normalise.cloud_message import LONGEST_ID
from shared.normalise.rules.mitre import Techniques
from shared.normalise.rules.mitre import techniques as mitre_techniques

MOST = 1000  # members of a list that are looked at
LONGEST_REGION = 64  # characters of a region's name with which a place is remembered
_PROVIDERS = {"azure": "azure", "aws": "aws", "gcp": "gcp", "Azure": "azure", "Aws": "aws", "AWS": "aws", "GCP": "gcp"}
_MACHINES = frozenset(
    {
        "virtualmachines",
        "virtualmachine",
        "machines",
        "ec2instance",
        "computeinstance",
        "virtualmachinescalesets/virtualmachines",
    }
)


class Arm(NamedTuple):
    """What an Azure resource id says: subscription in lower case, provider (`Microsoft.Compute`), type (`virtualMachines`), name, and the id itself."""

    subscription: str | None = None
    provider: str | None = None
    type: str | None = None
    name: str | None = None
    id: str | None = None  # in lower case, since the same id comes in different cases; any other id as it is


@lru_cache(maxsize=2048)
def arm(id: str) -> Arm:
    """The parts of an Azure resource id; of one within another (an assessment of a machine) those of the resource that is looked at.

    Microsoft: "Azure Resource Manager … resource ids"; keys, providers and types do not heed case.

    >>> arm("/subscriptions/S/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b/providers/Microsoft.Security/assessments/x")[:4]
    ('s', 'Microsoft.Sql', 'servers/databases', 'b')
    """
    own = arm_id(id)
    if len(id) > LONGEST_ID or "/" not in id:
        return Arm(id=own)
    parts = id.strip("/").split("/")
    plain = [part.lower() for part in parts]
    subscription = plain[1] if plain[0] == "subscriptions" and len(parts) > 1 else None
    places = [n for n, part in enumerate(plain) if part == "providers" and n + 2 < len(parts)]
    looked_at = [n for n in places if plain[n + 1] != "microsoft.security"]
    if not looked_at and "securityentitydata" in plain[:-1]:  # of another cloud, by way of its connector
        return Arm(subscription, name=parts[plain.index("securityentitydata") + 1], id=own)
    if not looked_at:
        whole = subscription is not None and not places and len(parts) == 2
        return Arm(subscription, "Microsoft.Resources", "subscriptions", id=own) if whole else Arm(subscription, id=own)
    begin = looked_at[-1]
    end = next((n for n in places if n > begin), len(parts))
    rest = parts[begin + 2 : end]
    if len(rest) == 1:  # a name without a type
        return Arm(subscription, parts[begin + 1], None, rest[0], own)
    return Arm(subscription, parts[begin + 1], "/".join(rest[::2]), rest[-1] if len(rest) % 2 == 0 else None, own)


def arm_id(id: str | None) -> str | None:
    """An Azure resource id in lower case, since the same id comes in different cases; any other id as it is."""
    if not id:
        return None
    return id.lower() if id.startswith("/subscriptions/") or id[:15].lower() == "/subscriptions/" else id


NOWHERE = Arm()


def parts_of(id: str | None) -> Arm:
    """`arm` of an id that may be absent, or too long to be remembered."""
    return NOWHERE if not id else arm(id) if len(id) <= LONGEST_ID else Arm(id=arm_id(id))


def assessed(message_id: str | None) -> str | None:
    """The id of what Defender for Cloud says something of: what comes before the last `/providers/Microsoft.Security/` of the message's id."""
    if not message_id:
        return None
    end = message_id.rfind("/providers/Microsoft.Security/")
    return (
        message_id[:end]
        if end >= 0
        else message_id[: max(message_id.lower().rfind("/providers/microsoft.security/"), 0)]
    )


PLACE_FIELDS = (
    "resource.id", "resource.name", "resource.type", "resource.sub_type", "cloud.provider", "cloud.account.id", "cloud.project.id",
    "cloud.region", "cloud.service.name", "cloud.instance.id", "cloud.instance.name", "host.name",
)  # fmt: skip
NO_PLACE = (None,) * len(PLACE_FIELDS)


def place(
    message_id: str | None = None,
    id: str | None = None,
    source: str | None = None,
    name: str | None = None,
    provider: str | None = None,
    type: str | None = None,
    native: str | None = None,
    cloud_native: str | None = None,
    region: str | None = None,
    location: str | None = None,
    hierarchy: str | None = None,
    machine: str | None = None,
) -> tuple[str | None, ...]:
    """The resource that a message is about, out of resourceDetails and the message's own id -> the fields of `PLACE_FIELDS`.

    In AWS and GCP it is the cloud's own id, and the account or project is hierarchyId; in Azure the subscription in the ids. Where
    resourceDetails name no resource, the message's id does. type and sub_type are provider and type as Elastic's package has them
    (`Microsoft.Compute`, `virtualMachines`). Only machines are instances and hosts: a storage account has no cloud.instance.id.
    """
    cloud = _PROVIDERS.get(source) or _PROVIDERS.get(source.lower()) if source else None
    foreign = cloud is not None and cloud != "azure"
    own = (cloud_native or native or id) if foreign else (id or native)
    if own is not None:
        parts = parts_of(own)
    else:
        parts = parts_of(assessed(message_id))
        parts = parts if parts.type is not None else Arm(parts.subscription)
    subscription, service = parts.subscription, parts.provider
    if subscription is None or service is None:
        of_message = parts_of(assessed(message_id))
        if of_message.type != "subscriptions" and not foreign:
            service = service or of_message.provider
        subscription = subscription or of_message.subscription
    elif not foreign and name is provider is type is machine is region is None and len(location or "") < LONGEST_REGION:
        return _of_azure(parts, location)
    service = None if foreign else service
    return _placed(parts, cloud, subscription, name, provider or service, type, region or location, hierarchy, machine)


@lru_cache(maxsize=2048)
def _of_azure(parts: Arm, location: str | None) -> tuple[str | None, ...]:
    """The place of an Azure resource; remembered, because many messages are about the same one."""
    return _placed(parts, "azure", parts.subscription, None, parts.provider, None, location, None, None)


def _placed(
    parts: Arm,
    cloud: str | None,
    subscription: str | None,
    name: str | None,
    provider: str | None,
    type: str | None,
    region: str | None,
    hierarchy: str | None,
    machine: str | None,
) -> tuple[str | None, ...]:
    name, provider, type = name or machine or parts.name, provider or parts.provider, type or parts.type
    if type is None:  # a name right after the provider, as in Microsoft's schema of alerts
        is_machine = machine is not None or (parts.name is not None and (provider or "").lower() == "microsoft.compute")
    else:
        is_machine = machine is not None or type.lower() in _MACHINES
    if cloud is None and subscription is not None:
        cloud = "azure"
    return (
        parts.id,
        name,
        provider,
        type,
        cloud,
        subscription if cloud == "azure" else hierarchy if cloud == "aws" else None,
        hierarchy if cloud == "gcp" else None,
        region if region and region.lower() != "global" else None,
        provider,
        parts.id if is_machine else None,
        name if is_machine else None,
        name.lower() if is_machine and name else None,
    )


_OUTCOMES = {
    "healthy": ("success", "passed"), "passed": ("success", "passed"), "unhealthy": ("failure", "failed"), "failed": ("failure", "failed"),
    "notapplicable": ("unknown", "unknown"), "skipped": ("unknown", "unknown"), "unsupported": ("unknown", "unknown"),
}  # fmt: skip


def evaluation(state: str | None) -> tuple[str | None, str | None]:
    """A health or compliance state -> (event.outcome, result.evaluation) in the words that Elastic's posture pages read."""
    return _OUTCOMES.get(state.lower(), (None, None)) if state else (None, None)


def happened(action: str | None, other_action: str | None, changed: str | None, enqueued: str | None) -> str | None:
    """When a state began; of a deletion, which carries the last state and its old time, when it was sent."""
    deleted = (action or other_action or "").lower() == "delete"
    return (enqueued or changed) if deleted else (changed or enqueued)


def action_name(action: str | None, other: str | None) -> str | None:
    """What was done to the finding (`Insert`, `Delete`, `Write`) -> event.action."""
    found = action or other
    return found.lower() if found else None


def portal_link(*links: str | None) -> tuple[str | None, str | None]:
    """The first link -> (event.reference, event.url), with the scheme that exports leave out."""
    for link in links:
        if link:
            whole = link if "://" in link[:16] else f"https://{link}"
            return whole, whole
    return None, None


def texts(values: Any, key: str) -> list[str] | None:
    """One key's texts of a list of objects; members that are text themselves too."""
    members = values if values.__class__ is list else [values]
    found = (member.get(key) if member.__class__ is dict else member for member in members[:MOST])
    return list(dict.fromkeys(value for value in found if value.__class__ is str and value)) or None


def definition_ids(definitions: Any) -> list[str] | None:
    """The ids in assessmentDefinitions, a list of objects."""
    return None if definitions is None else texts(definitions, "id")


def reasons(values: Any) -> list[str] | None:
    """Confidence reasons, texts or objects with a type and a reason, -> `type: reason`."""
    if values.__class__ is dict:
        values = values.get("values") or values.get("text") or values  # what a bag makes of texts
    members = values if values.__class__ is list else [] if values is None else [values]
    found: dict[str, None] = {}
    for member in members[:MOST]:
        told = [member.get("type"), member.get("reason")] if member.__class__ is dict else [member]
        if text := ": ".join(part for part in told if part.__class__ is str and part):
            found[text] = None
    return list(found) or None


def tag_texts(tags: Any) -> list[str] | None:
    """Azure's tags, an object, -> `key:value` texts; of a list its texts."""
    if tags.__class__ is dict:
        return [
            f"{key}:{value}" if value else key
            for key, value in list(tags.items())[:MOST]
            if value.__class__ is str or value is None
        ] or None
    return None if tags is None else texts(tags, "name")


def all_techniques(techniques: list[str] | None, sub_techniques: list[str] | None) -> Techniques:
    """Alerts' techniques and subTechniques, ids or names with ids, -> threat.technique.* as for every other alert."""
    return mitre_techniques([*(techniques or ()), *(sub_techniques or ())])


def compliance(id: str | None) -> tuple[str | None, str | None]:
    """The id of a compliance message -> (rule.ruleset, the control within it): names of standard and control as Azure has them."""
    if not id or len(id) > LONGEST_ID:
        return None, None
    _, _, rest = id.partition("/regulatoryComplianceStandards/")
    if not rest:
        begin = id.lower().find("/regulatorycompliancestandards/")
        rest = id[begin + 31 :] if begin >= 0 else ""
    standard, _, rest = rest.partition("/")
    collection, _, rest = rest.partition("/")
    return standard or None, (
        rest.partition("/")[0] or None
    ) if collection.lower() == "regulatorycompliancecontrols" else None


def assessment_key(id: str | None) -> str | None:
    """The recommendation that a finding belongs to, out of the finding's id."""
    if not id or len(id) > LONGEST_ID:
        return None
    before, collection, _ = id.lower().rpartition("/subassessments/")
    _, assessments, key = before.rpartition("/assessments/")
    return key if collection and assessments and key and "/" not in key else None
