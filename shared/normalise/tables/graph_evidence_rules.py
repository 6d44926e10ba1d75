"""The evidence of a Graph security alert -> the ECS fields that it fills.

An alert has many items of evidence and ECS one host, one user, one process: a field holds the distinct values of all items, in their order
(one value plainly, several as a list), so that each is found. Which belong together is seen in `evidence`, and in the documents of single
items. What an item of a type says is a function, here or in `graph_evidence_places` and `graph_evidence_traffic`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.normalise.mapping import Kind, Related
from shared.normalise.rules.command_line import MOST_ARGUMENTS, args
from shared.normalise.rules.platform import os_type_of_record
from shared.normalise.tables import graph_evidence_places as places
from shared.normalise.tables import graph_evidence_subjects as subjects
from shared.normalise.tables import graph_evidence_traffic as traffic
from shared.normalise.tables.email_rules import direction
from shared.normalise.tables.graph_evidence_places import PLACE_FIELDS
from shared.normalise.tables.graph_evidence_subjects import COMMANDS, LOGGED_ON, RUNNING, SUBJECT_FIELDS
from shared.normalise.tables.graph_evidence_traffic import TRAFFIC_FIELDS
from shared.normalise.tables.graph_found import (
    CATEGORIES,
    COLLECTIONS,
    HASHES,
    HOSTS,
    IPS,
    MALWARE,
    MOST,
    SERVICE,
    SEVERAL,
    USERS,
    Found,
    Item,
    add,
    all_of,
    each,
    some,
    within,
)
from shared.normalise.tables.sign_in_rules import geo_point

type Reading = Callable[[Item, Found], None]


def in_cluster(type: str) -> Reading:
    """The reading of what lies in a Kubernetes namespace."""
    return lambda item, found: places.in_cluster(type, item, found)


def malware(item: Item, found: Found) -> None:
    """`malwareEvidence` -> threat.software.name, and the files and processes in it."""
    add(found, MALWARE, item.get("name"))
    for member in each(item.get("files")):
        subjects.file(member, found)
    for member in each(item.get("processes")):
        subjects.process(member, found)


def teams_message(item: Item, found: Found) -> None:
    """`teamsMessageEvidence` -> email.* (as MessageEvents has it), group.id, url.*, file.*."""
    traffic.message(item, found)
    traffic.mailbox_of(item.get("sender_from_address"), "email.from.address", found)
    for recipient in (*each(item.get("recipients")), *each(item.get("suspicious_recipients"))):
        traffic.mailbox_of(recipient, "email.to.address", found)
    add(found, "email.direction", direction(item.get("message_direction")))
    subjects.in_group(item.get("group_id"), None, found)
    for member in each(item.get("url_evidence")):
        traffic.link_item(member, found)
    for member in each(item.get("files")):
        subjects.file(member, found)


def host_session(item: Item, found: Found) -> None:
    """`hostLogonSessionEvidence` -> the account and the device in it."""
    if account := within(item, "account"):
        subjects.holder(account, found)
    if host := within(item, "host"):
        subjects.device(host, found)


def cloud_session(item: Item, found: Found) -> None:
    """`cloudLogonSessionEvidence` -> the account in it, user_agent.*."""
    if account := within(item, "account"):
        subjects.holder(account, found)
    traffic.session(item, found)


def blob(item: Item, found: Found) -> None:
    """`blobEvidence` -> file.*, url.*, and the storage account's resource."""
    subjects.named(item.get("name"), found)
    for told in each(item.get("file_hashes")):
        subjects.file_hash(told, found)
    traffic.link_item(item, found)
    if container := within(item, "blob_container"):
        places.in_storage(container, found)


def blob_container(item: Item, found: Found) -> None:
    """`blobContainerEvidence` -> url.*, and the storage account's resource."""
    traffic.link_item(item, found)
    places.in_storage(item, found)


def nothing(item: Item, found: Found) -> None:
    """A type that ECS has no field for: it is in `evidence`."""


# What is read of an item, and its event.category, by the last part of its `@odata.type`. ECS has no category for alerts' subjects as
# such: these are those of AlertEvidence's entities, and of Elastic's integration.
# fmt: off
READINGS: dict[str, tuple[Reading, str | None]] = {
    "activeDirectoryDomainEvidence":    (subjects.directory_domain,         "iam"),
    "aiAgentEvidence":                  (subjects.agent,                    None),
    "amazonResourceEvidence":           (places.resource,                   "configuration"),
    "analyzedMessageEvidence":          (traffic.mail,                      "email"),
    "azureResourceEvidence":            (places.resource,                   "configuration"),
    "blobContainerEvidence":            (blob_container,                    "configuration"),
    "blobEvidence":                     (blob,                              "file"),
    "cloudApplicationEvidence":         (nothing,                           "web"),
    "cloudLogonRequestEvidence":        (nothing,                           "session"),
    "cloudLogonSessionEvidence":        (cloud_session,                     "session"),
    "containerEvidence":                (places.container,                  "host"),
    "containerImageEvidence":           (places.image,                      "host"),
    "containerRegistryEvidence":        (places.container_registry,         "configuration"),
    "deviceEvidence":                   (subjects.device,                   "host"),
    "dnsEvidence":                      (traffic.dns,                       "network"),
    "fileEvidence":                     (subjects.file,                     "file"),
    "fileHashEvidence":                 (subjects.file_hash,                "file"),
    "gitHubOrganizationEvidence":       (subjects.organization,             "iam"),
    "gitHubRepoEvidence":               (nothing,                           "configuration"),
    "gitHubUserEvidence":               (subjects.git_hub_user,             "iam"),
    "googleCloudResourceEvidence":      (places.resource,                   "configuration"),
    "hostLogonSessionEvidence":         (host_session,                      "session"),
    "ioTDeviceEvidence":                (subjects.iot_device,               "host"),
    "ipEvidence":                       (traffic.ip,                        "network"),
    "kubernetesClusterEvidence":        (places.cluster,                    "configuration"),
    "kubernetesControllerEvidence":     (places.controller,                 "configuration"),
    "kubernetesNamespaceEvidence":      (places.namespace,                  "configuration"),
    "kubernetesPodEvidence":            (places.pod,                        "host"),
    "kubernetesSecretEvidence":         (in_cluster("secret"),              "configuration"),
    "kubernetesServiceAccountEvidence": (in_cluster("serviceaccount"),      "iam"),
    "kubernetesServiceEvidence":        (in_cluster("service"),             "configuration"),
    "mailboxConfigurationEvidence":     (subjects.mailbox_configuration,    "email"),
    "mailboxEvidence":                  (subjects.mailbox,                  "email"),
    "mailClusterEvidence":              (nothing,                           "email"),
    "malwareEvidence":                  (malware,                           "malware"),
    "networkConnectionEvidence":        (traffic.connection,                "network"),
    "nicEvidence":                      (subjects.network_card,             "host"),
    "oauthApplicationEvidence":         (nothing,                           "iam"),
    "processEvidence":                  (subjects.process,                  "process"),
    "registryKeyEvidence":              (subjects.registry_item,            "registry"),
    "registryValueEvidence":            (subjects.registry_item,            "registry"),
    "sasTokenEvidence":                 (places.in_storage,                 "iam"),
    "securityGroupEvidence":            (subjects.group,                    "iam"),
    "servicePrincipalEvidence":         (subjects.service_principal,        "iam"),
    "submissionMailEvidence":           (traffic.submission,                "email"),
    "teamsMessageEvidence":             (teams_message,                     "email"),
    "urlEvidence":                      (traffic.link_item,                 "network"),
    "userEvidence":                     (subjects.holder,                   "iam"),
}

_READINGS = {f"#microsoft.graph.security.{name}": reading for name, reading in READINGS.items()}  # the usual spelling
_LISTS: dict[str, tuple[Kind, Related | None]] = {
    HASHES: ("keyword", "hash"), HOSTS: ("keyword", "hosts"), IPS: ("ip", "ip"), USERS: ("keyword", "user"),
    MALWARE: ("keyword", None), CATEGORIES: ("keyword", None),
}
# fmt: on
_FIELDS: dict[str, Kind] = SUBJECT_FIELDS | PLACE_FIELDS | TRAFFIC_FIELDS
EVIDENCE_FIELDS = (*_FIELDS, *_LISTS)
EVIDENCE_KINDS: tuple[Kind, ...] = (*_FIELDS.values(), *(kind for kind, _ in _LISTS.values()))
EVIDENCE_RELATED: tuple[Related | None, ...] = (*(None for _ in _FIELDS), *(related for _, related in _LISTS.values()))
# Fields that ECS has as arrays, also of one value.
_ARRAYS = (
    "container.image.hash.all", "dns.resolved_ip", "email.from.address", "email.to.address", "host.ip", "host.mac",
    "orchestrator.resource.ip", "orchestrator.resource.label", "registry.data.strings",
)  # fmt: skip
_POINTS = ("source.geo.location", "destination.geo.location")
# What proves a platform where no device tells it, in the order of `os_type_of_record`'s arguments below.
_PROOFS = ("registry.hive", "file.path", "process.executable", "process.user.id", "process.command_line")
_NONE = (None,) * len(EVIDENCE_FIELDS)
_NOTHING_FOUND: Found = dict.fromkeys((*EVIDENCE_FIELDS, RUNNING, LOGGED_ON, COMMANDS, SERVICE, SEVERAL))


def evidence(items: Any, service: str | None) -> tuple[Any, ...]:
    """The items, as the shape made them, and the alert's serviceSource -> the values of `EVIDENCE_FIELDS`."""
    if items is None:
        return _NONE
    found = _NOTHING_FOUND.copy()  # faster than a dict that grows, and its values are in the order of the fields
    found[SERVICE], found[SEVERAL] = service, []
    for field in COLLECTIONS:
        found[field] = {}
    for item in items[:MOST] if items.__class__ is list else (items,):
        type = item.get("odata_type")
        known = _READINGS.get(type) or READINGS.get(type.rpartition(".")[2]) if type is not None else None
        if known is not None:
            found[CATEGORIES][known[1]] = None
            known[0](item, found)
    if found["host.os.type"] is None:
        key, path, image, sid, command = (some(found, field) for field in _PROOFS)
        found["host.os.type"] = os_type_of_record(
            registry_key=key, path=path, initiating_path=image, sid=sid, command_line=command
        )
    if found["user.name"] is None and found["user.id"] is None:
        subjects.stand_in(found)
    if found[COMMANDS] is not None:
        arguments(found)
    for field in found[SEVERAL]:
        found[field] = [*found[field]]
    for field in COLLECTIONS:
        members = found[field]
        members.pop(None, None)
        found[field] = [*members][:MOST] or None
    for field in _ARRAYS:
        value = found[field]
        if value is not None and value.__class__ is not list:
            found[field] = [value]
    for field in _POINTS:
        points = found[field]
        if points is not None:
            found[field] = [geo_point(*point) for point in points] if points.__class__ is list else geo_point(*points)
    return tuple(found.values())[: len(EVIDENCE_FIELDS)]


def arguments(found: Found) -> None:
    """process.args and process.args_count: of one process its arguments in order, of several those of each in turn, and their counts."""
    platform = some(found, "host.os.type")
    made = [args(command, platform, executable) for command, executable in all_of(found, COMMANDS)]
    if len(made) == 1:
        found["process.args"], found["process.args_count"] = made[0]
    elif made:
        found["process.args"] = [word for words, _ in made for word in words or ()][:MOST_ARGUMENTS]
        found["process.args_count"] = [count for _, count in made]
