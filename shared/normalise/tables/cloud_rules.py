"""Rules of the cloud workload tables: where a resource runs, its cluster, container and process, and what was done to a storage account."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from shared.normalise.convert import boolean, date
from shared.normalise.rules.account import user
from shared.normalise.rules.additional_fields import members, text
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.paths import file_name, full_path
from shared.normalise.rules.platform import path_os_type
from shared.normalise.rules.remember import remembered

MOST_SEGMENTS = 64  # of a resource id that are looked at
AZURE_CLUSTERS = frozenset({"managedclusters", "connectedclusters"})  # AKS, and others through Azure Arc
PROVIDERS = (  # DataSource contains -> cloud.provider
    ("azure", "azure"), ("amazon", "aws"), ("aws", "aws"), ("elastic kubernetes", "aws"), ("google", "gcp"), ("gcp", "gcp"),
)  # fmt: skip

Place = tuple[str | None, str | None, str | None, str | None, str | None, str | None, str | None]


def cloud_place(
    azure: str | None,
    aws: str | None = None,
    gcp: str | None = None,
    other: str | None = None,
    account: str | None = None,
    region: str | None = None,
    source: str | None = None,
) -> Place:
    """Resource ids -> cloud.(provider, account.id, project.id, region, availability_zone), orchestrator.cluster.(id, name).

    azure, aws, gcp: AzureResourceId, AwsResourceName (an ARN), GcpFullResourceName; other: a resource id of any of them. The AWS or
    GCP id wins: Defender for Cloud gives resources of other clouds, connected through Azure, an Azure id as well. account and region:
    the columns that say so, which win over what is read out of the id (an Azure subscription only for an Azure resource). source:
    DataSource, asked for the provider where no id is there.
    ECS: account.id is an AWS account or Azure subscription, project.id a GCP project.

    >>> cloud_place("/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks1")[:2]
    ('azure', 's1')
    """
    if other is not None and azure is aws is gcp is None:
        lower = other[:16].lower()
        if lower.startswith("arn:"):
            aws = other
        elif lower.startswith(("/subscriptions/", "/providers/", "/tenants/")):
            azure = other
        elif lower.startswith(("//", "projects/")):
            gcp = other
    if aws is not None:
        place = _aws(aws)
    elif gcp is not None:
        place = _gcp(gcp)
    elif azure is not None:
        place = _azure(azure)
    else:
        place = (provider(source) or ("azure" if account else None), None, None, None, None, None, None)
    name, its_account, project, its_region, zone, cluster_id, cluster = place
    if name == "azure" and account is not None:
        its_account = account
    return name, its_account, project, region or its_region, zone, cluster_id, cluster


def provider(source: str | None) -> str | None:
    """DataSource (`AWS`, `Google Kubernetes Engine`, `Azure`) -> cloud.provider; None for `Kubernetes Audit` and whatever names no cloud."""
    lower = source[:64].lower() if source else ""
    return next((name for word, name in PROVIDERS if word in lower), None)


@remembered(1024, 512)
def _azure(identifier: str) -> Place:
    """Microsoft: "Resource ID": /subscriptions/<id>/resourceGroups/<name>/providers/<namespace>/<type>/<name>."""
    found = _pairs(identifier)
    cluster = next((found[kind] for kind in AZURE_CLUSTERS if kind in found), None)
    return "azure", found.get("subscriptions"), None, None, None, identifier if cluster else None, cluster


@remembered(1024, 512)
def _aws(arn: str) -> Place:
    """AWS: "Amazon Resource Names": arn:<partition>:<service>:<region>:<account>:<resource>."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return "aws", None, None, None, None, None, None
    _, _, service, region, account, resource = parts
    cluster = resource.partition("/")[2] if service == "eks" and resource.startswith("cluster/") else None
    return "aws", account or None, None, region or None, None, arn if cluster else None, cluster or None


@remembered(1024, 512)
def _gcp(name: str) -> Place:
    """Google: "Full resource names": //<service>/projects/<id>/locations|zones|regions/<place>/<type>/<name>; zones end in a letter."""
    found = _pairs(name.removeprefix("//"))
    place = found.get("locations") or found.get("zones") or found.get("regions")
    zone = place if place and place[-2:-1] == "-" and place[-1].isalpha() else None
    region = place[:-2] if place and zone else place
    cluster = found.get("clusters")
    return "gcp", None, found.get("projects"), region, zone, name if cluster else None, cluster


def _pairs(path: str) -> dict[str, str]:
    """What follows each segment of a path, by the segment in lower case; the first of equal ones counts."""
    segments = path.split("/", MOST_SEGMENTS)[:MOST_SEGMENTS]
    found: dict[str, str] = {}
    for key, value in pairwise(segments):
        if key and value:
            found.setdefault(key.lower(), value)
    return found


def kubernetes(
    namespace: str | None, pod: str | None, resource: str | None, cluster: str | None = None
) -> tuple[str | None, str | None]:
    """orchestrator.type and orchestrator.resource.type: kubernetes where anything of it is known, pod where one is named."""
    known = namespace or pod or resource or cluster
    return ("kubernetes" if known else None), ("pod" if pod else None)


def audit_orchestrator(source: str | None, cluster: str | None) -> str | None:
    """orchestrator.type of a control plane's audit record: of a cluster, or DataSource says Kubernetes."""
    return "kubernetes" if cluster or "kubernetes" in (source or "").lower() else None


def container_image(
    name: str | None, digest: str | None = None
) -> tuple[str | None, list[str] | None, list[str] | None]:
    """An image's name or id, and its digest -> container.image.(name, tag, hash.all).

    ECS wants the tag and digests apart from the name (OCI: `[registry[:port]/]repository[:tag][@algorithm:value]`); a bare id stays.

    >>> container_image("registry.example.com:5000/shop/web:1.4@sha256:ab")
    ('registry.example.com:5000/shop/web', ['1.4'], ['sha256:ab'])
    """
    name, tag, own = _image(name) if name else (None, None, None)
    digests = [own] if own else []
    if digest and digest != own:
        digests.append(digest)
    return name, [tag] if tag else None, digests or None


@remembered(1024)
def _image(name: str) -> tuple[str | None, str | None, str | None]:
    """An image's name, tag and digest."""
    if name.startswith("sha256:"):
        return name, None, None
    name, _, digest = name.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return path + slash + last or None, tag or None, digest or None


def container_os(
    folder: str | None, file: str | None, command_line: str | None, process: str | None = None
) -> str | None:
    """host.os.type of a process in a container: linux, unless a path or a program's name is Windows' own.

    Microsoft ("Defender for Containers architecture"): its sensor watches Linux nodes. So a path such as /Users/app/run is no sign of
    macOS here, as it is on endpoints.
    """
    found = None
    for path in (folder, file, command_line.lstrip('"') if command_line else None, process):
        if path:
            if (path[1:2] == ":" or path[0] == "\\") and path_os_type(path)[0] == "windows":
                return "windows"
            found = "linux"
    for name in (file, process):
        if name and name[-4:].lower() == ".exe":
            return "windows"
    return found


def container_process(process: str | None, file: str | None, folder: str | None) -> tuple[str | None, str | None]:
    """ProcessName, FileName, FolderPath -> process.name, process.executable; each of the three may be the full path (seen in records)."""
    executable = full_path(folder, file) or (process if process and process[0] == "/" else None)
    return file_name(process) or file_name(file) or file_name(executable), executable


def parent_process(name: str | None) -> tuple[str | None, str | None]:
    """ParentProcessName, a name or a full path -> process.parent.(name, executable)."""
    return file_name(name), name if name and name[0] == "/" else None


def container_process_id(
    container: str | None,
    host: str | None,
    namespace: str | None,
    pod: str | None,
    container_name: str | None,
    process_id: int | None,
    creation_time: str | None,
) -> str | None:
    """process.entity_id: as on endpoints, with the container in the device's place, else the pod's container, else the node.

    None without any of them: a process id alone means nothing within a cluster.
    """
    inside = "/".join(part for part in (namespace, pod, container_name) if part) if pod else None
    return process_entity_id(container or inside or host, process_id, creation_time)


def linux_account(name: str | None, fields: Any) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    """AccountName and AdditionalFields' uid, gid and group -> user.(name, domain, id, group.id, group.name).

    Public rules for Linux compare user.id with "0".
    """
    known = fields if isinstance(fields, dict) else {}
    its_name, domain, _ = user(name)
    return its_name, domain, text(known.get("uid")), text(known.get("gid")), text(known.get("group"))


def storage_period(
    first: str | None, last: str | None, begin: str | None, end: str | None, fields: Any
) -> tuple[str | None, str | None]:
    """event.start and event.end: the first and last operation, which the stream puts into AdditionalFields, else the period summed up."""
    return first or _time(fields, "FirstEventTimestamp") or begin, last or _time(fields, "LastEventTimestamp") or end


def storage_client(
    tor: bool | None,  # noqa: FBT001  columns come by position
    suspicious: bool | None,  # noqa: FBT001  columns come by position
    private: bool | None,  # noqa: FBT001  columns come by position
    platform: str | None,
    fields: Any,
) -> tuple[Any, ...]:
    """is_tor_exit_node, is_known_suspicious_ip, is_private_ip, client_cloud_platform_name: the columns, else the same in AdditionalFields."""
    known = fields if isinstance(fields, dict) else {}
    return (
        tor if tor is not None else boolean(_plain(known.get("IsTorExitNode")), "", []),
        suspicious if suspicious is not None else boolean(_plain(known.get("IsKnownSuspiciousIp")), "", []),
        private if private is not None else boolean(_plain(known.get("IsPrivateIp")), "", []),
        platform or text(known.get("ClientCloudPlatformName")),
    )


def storage_outcome(succeeded: int | None, failed: int | None) -> str | None:
    """event.outcome of operations that were summed up: success or failure where all ended alike, unknown where not."""
    if not succeeded and not failed:
        return None
    return "unknown" if succeeded and failed else "success" if succeeded else "failure"


def md5_hashes(found: Any) -> list[str] | None:
    """The hashes in Md5Hashes: objects with md5Hash (Microsoft's sample query), or plain texts."""
    entries = found.get("values", [found]) if isinstance(found, dict) else found
    hashes = [entry.get("md5Hash") if isinstance(entry, dict) else entry for entry in members(entries)]
    return list(dict.fromkeys(known for known in hashes if isinstance(known, str) and known)) or None


def dns_type(event_type: str | None, sub_type: str | None) -> str | None:
    """dns.type in ECS' words: DnsEventSubType is either request or response (Microsoft)."""
    words = {"request": "query", "query": "query", "response": "answer", "answer": "answer"}
    return words.get((sub_type or "").lower()) or words.get((event_type or "").lower())


def dns_protocol(name: str | None, kind: str | None) -> str | None:
    """network.protocol of a record that has a question or says what it is."""
    return "dns" if name or kind else None


def nanoseconds(milliseconds: int | None) -> int | None:
    """event.duration, in nanoseconds, of a duration in milliseconds."""
    return milliseconds * 1_000_000 if milliseconds is not None and 0 <= milliseconds < 2**63 // 1_000_000 else None


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else None


def _time(fields: Any, key: str) -> str | None:
    return date(_plain(fields.get(key)), key, []) if isinstance(fields, dict) else None
