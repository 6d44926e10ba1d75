"""The entities and properties of a Defender for Cloud alert -> its host, process, user and file in ECS.

An alert has many entities, ECS one host, one process, one user: the alert's subject is taken, all others are in related.* and in the
vendor field `entities`.
"""

from __future__ import annotations

import re
from typing import Any

from shared.normalise.mapping import Kind
from shared.normalise.rules.account import user
from shared.normalise.rules.command_line import name_from_command_line
from shared.normalise.rules.paths import file_name, full_path
from shared.normalise.rules.platform import device_os, os_type_of_record
from shared.normalise.tables.cloud_entities import Entity, Graph

type Person = tuple[str | None, str | None, str | None, str | None]  # name, domain, email, id

MOST = 1000  # addresses and names in related.*
_HASHES = {"md5": 32, "sha1": 40, "sha256": 64}
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
# Names in ExtendedProperties, in lower case, of the account and the process in alerts without entities
_PRINCIPAL = ("client principal name", "principal name", "user name", "account", "user")
_MACHINE_TYPES = frozenset({"virtual machine", "machine", "non-azure resource"})
_PROCESS = (("process path", "process name"), ("command line", "commandline"), ("process id", "pid"))


def graph(entities: Any) -> Graph | None:
    """The entities as `cloud_message` opened them, made ready to be followed; None where there are none."""
    entities = (
        entities.get("values") if entities.__class__ is dict else entities
    )  # what `flattened` makes of a mixed list
    found = [entity for entity in entities if entity.__class__ is dict] if entities.__class__ is list else []
    return Graph(found) if found else None


def same(entities: Any) -> list[Entity] | None:
    """The list itself, for the vendor field; nothing where it is empty."""
    return entities if entities.__class__ is list and entities else None


def category(default: list[str] | None, found: Graph | None) -> list[str] | None:
    """event.category: malware too, where the alert names one."""
    if found is not None and default is not None and found.of("malware"):
        return [*default, "malware"]
    return default


HOST_FIELDS = (
    "host.name",
    "host.hostname",
    "host.domain",
    "host.ip",
    "host.os.type",
    "host.os.family",
    "host.os.name",
    "host.os.platform",
    "#hosts",
)
HOST_KINDS: tuple[Kind, ...] = ("keyword",) * 3 + ("ip",) + ("keyword",) * 5


def host(found: Graph | None, properties: Any, machine: str | None, compromised: str | None) -> tuple[Any, ...]:
    """The host that the alert is about -> the fields of `HOST_FIELDS`: the machine of the resource, else the first host entity.

    Without either the compromised entity is the host, if the properties say that it is a machine: it can be anything.
    """
    if machine is None and compromised and (_first_of(properties, ("resourcetype",)) or "").lower() in _MACHINE_TYPES:
        machine = compromised.lower()
    if found is None:
        proof = os_type_of_record(
            path=_first_of(properties, _PROCESS[0]), command_line=_first_of(properties, _PROCESS[1])
        )
        return (machine, None, None, None, proof, None, None, None, None)
    hosts = found.of("host")
    names = list(
        dict.fromkeys(
            name.lower() for _, entity in hosts if (name := entity.get("host_name") or entity.get("net_bios_name"))
        )
    )
    wanted = machine or (compromised.lower() if compromised else None)
    ordered = sorted(
        hosts,
        key=lambda node: (node[1].get("host_name", "").lower() != wanted, node[1].get("asset") is not True, node[0]),
    )
    main = ordered[0][1] if ordered else {}
    name = main.get("host_name") or main.get("net_bios_name")
    if machine is not None and name is not None and name.lower() != machine:
        main, name = {}, None
    platform = main.get("os_family") or main.get("operating_system") or main.get("os_version")
    kind, family, os_name, short, _, _ = device_os(platform if platform and platform.lower() != "unknown" else None)
    requester = next(
        (
            target[1]
            for place, entity in found.of("dns")
            if (target := found.target(place, entity, "host_ip_address", "ip"))
        ),
        {},
    )
    return (
        name.lower() if name else machine,
        name,
        main.get("dns_domain") or main.get("nt_domain"),
        [requester["address"]] if "address" in requester else None,
        kind or _os_type(found),
        family,
        os_name,
        short,
        names or None,
    )


def _os_type(found: Graph) -> str | None:
    """What the paths, command lines and SIDs of the alert prove."""
    path = next(
        (file.get("directory") for _, file in found.of("file") if "://" not in file.get("directory", "://")), None
    )
    command = next((process["command_line"] for _, process in found.of("process") if "command_line" in process), None)
    sid = next((account["sid"] for _, account in found.of("account") if "sid" in account), None)
    return os_type_of_record(path=path, command_line=command, sid=sid)


PROCESS_FIELDS = (
    "process.name", "process.executable", "process.pid", "process.command_line", "process.start",
    "process.hash.md5", "process.hash.sha1", "process.hash.sha256",
    "process.parent.name", "process.parent.executable", "process.parent.pid", "process.parent.command_line", "process.parent.start",
    "user.name", "user.domain", "user.email", "user.id", "#users",
)  # fmt: skip
PROCESS_KINDS: tuple[Kind, ...] = (
    "keyword", "keyword", "long", "wildcard", "date", "keyword", "keyword", "keyword",
    "keyword", "keyword", "long", "wildcard", "date", "keyword", "keyword", "keyword", "keyword", "keyword",
)  # fmt: skip
NOBODY = (None,) * 5


def process_and_user(found: Graph | None, properties: Any, os_type: str | None) -> tuple[Any, ...]:
    """The process that the alert is about, its parent and whose it is -> the fields of `PROCESS_FIELDS`.

    The process is one that is no other's parent, rather with a command line; the user is the process' account, else the first account.
    ExtendedProperties stand in for entities that are not there.
    """
    principal = _first_of(properties, _PRINCIPAL)
    told: Person = (
        *(user(principal, _first_of(properties, ("domain name",))) if principal else (None, None, None)),
        None,
    )
    if found is None:
        return (*_told_process(properties, os_type), None, None, None, *NOBODY, *told, [told[0]] if told[0] else None)
    processes = found.of("process")
    parents = [
        id(node[1]) for place, entity in processes if (node := found.target(place, entity, "parent_process", "process"))
    ]
    ordered = sorted(processes, key=lambda node: (id(node[1]) in parents, "command_line" not in node[1], node[0]))
    main = ordered[0] if ordered else None
    parent = found.target(*main, "parent_process", "process") if main else None
    owner = found.target(*main, "account", "account") if main else None
    people = [*(_user(account) for _, account in found.of("account")), told]
    return (
        *(_process(found, main, os_type) if main else _told_process(properties, os_type)),
        *(
            _hashes(found, *image)
            if (image := found.target(*main, "image_file", "file") if main else None)
            else (None, None, None)
        ),
        *_process(found, parent, os_type),
        *(_user(owner[1]) if owner else people[0]),
        list(dict.fromkeys(name for name, *_ in people if name))[:MOST] or None,
    )


def _first_of(properties: Any, names: tuple[str, ...]) -> str | None:
    """The first of these properties that says something, as text."""
    if properties.__class__ is not dict:
        return None
    for name in names:
        value = properties.get(name)
        if (value.__class__ is str or value.__class__ is int) and value not in ("", "-", "N/A"):
            return str(value)
    return None


def _told_process(properties: Any, os_type: str | None) -> tuple[Any, ...]:
    """(name, executable, pid, command line, start) of the process that ExtendedProperties name."""
    path, command, pid = (_first_of(properties, names) for names in _PROCESS)
    whole = path if path and ("\\" in path or "/" in path) else None
    name = file_name(path) or name_from_command_line(command, os_type)
    return name, whole, _pid(pid), command, None


def _process(found: Graph, node: tuple[int, Entity] | None, os_type: str | None) -> tuple[Any, ...]:
    """(name, executable, pid, command line, start) of a process."""
    if node is None:
        return NOBODY
    place, entity = node
    image = found.target(place, entity, "image_file", "file")
    command = entity.get("command_line")
    name = image[1].get("name") if image else None
    path = full_path(image[1].get("directory"), name) if image else None
    return (
        name or name_from_command_line(command, os_type),
        path,
        _pid(entity.get("process_id")),
        command,
        entity.get("creation_time_utc"),
    )


def _pid(text: str | None) -> int | None:
    """A process id, which comes as `0x1e49a` or in decimal."""
    if not text or len(text) > 12 or not text.isascii() or "_" in text:
        return None
    try:
        number = int(text, 16 if text[:2].lower() == "0x" else 10)
    except ValueError:
        return None
    return number if number >= 0 else None


def _user(account: Entity) -> Person:
    """(name, domain, email, id) of an account entity."""
    name, suffix = account.get("name"), account.get("upn_suffix")
    upn = f"{name}@{suffix}" if name and suffix and "@" not in name else None
    made = user(name, account.get("nt_domain") or account.get("dns_domain") or suffix, account.get("sid"), upn)
    return (*made, account.get("sid") or account.get("aad_user_id"))


FILE_FIELDS = (
    "file.name",
    "file.path",
    "file.directory",
    "file.hash.md5",
    "file.hash.sha1",
    "file.hash.sha256",
    "threat.software.name",
    "#hashes",
)


def file(found: Graph | None) -> tuple[Any, ...]:
    """The file that the alert is about -> the fields of `FILE_FIELDS`: the malware's, else one that is no process' image, else the image."""
    if found is None:
        return (None,) * len(FILE_FIELDS)
    files = found.of("file")
    malware = found.one("malware")
    images = [
        id(node[1])
        for place, entity in found.of("process")
        if (node := found.target(place, entity, "image_file", "file"))
    ]
    refs = (
        {link.get("ref") for link in malware.get("files", ()) if link.__class__ is dict}
        if malware.get("files").__class__ is list
        else set()
    )
    ordered = sorted(files, key=lambda node: (node[1].get("id") not in refs, id(node[1]) in images, node[0]))
    main = ordered[0] if ordered else None
    hashes = [value for _, entity in found.of("filehash") if (value := entity.get("value"))]
    hashes += [item["value"] for _, entity in files for item in entity.get("file_hashes", ()) if "value" in item]
    folder = main[1].get("directory") if main else None
    name = main[1].get("name") if main else None
    return (
        name,
        full_path(folder, name) if main and folder else None,
        folder,
        *(_hashes(found, *main) if main else (None, None, None)),
        malware.get("name"),
        list(dict.fromkeys(hash.lower() for hash in hashes if _HEX.fullmatch(hash)))[:MOST] or None,
    )


def _hashes(found: Graph, place: int, entity: Entity) -> tuple[str | None, str | None, str | None]:
    """(md5, sha1, sha256) of a file; a hash that is none (samples have words there) is left to the vendor field."""
    told: dict[str, str] = {}
    for item in entity.get("file_hashes", ()):
        target = found.target(place, {"hash": item}, "hash", "filehash") if "value" not in item else None
        hash = target[1] if target else item
        algorithm, value = hash.get("algorithm", "").lower().replace("-", ""), hash.get("value", "")
        if len(value) == _HASHES.get(algorithm) and _HEX.fullmatch(value):
            told.setdefault(algorithm, value.lower())
    return told.get("md5"), told.get("sha1"), told.get("sha256")
