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
from shared.normalise.tables import cloud_alert_told
from shared.normalise.tables.cloud_alert_told import Told
from shared.normalise.tables.cloud_entities import Entity, Graph, Node

type Person = tuple[str | None, str | None, str | None, str | None]  # name, domain, email, id

MOST = 1000  # addresses and names in related.*
_HASHES = {"md5": 32, "sha1": 40, "sha256": 64}
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_MACHINE_TYPES = frozenset({"virtual machine", "machine", "non-azure resource"})


def graph(entities: list[Entity] | None) -> Graph | None:
    """An alert's entities made ready to be followed; None where there are none."""
    return Graph(entities) if entities else None


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


def host(found: Graph | None, told: Told | None, machine: str | None, compromised: str | None) -> tuple[Any, ...]:
    """The host that the alert is about -> the fields of `HOST_FIELDS`: the machine of the resource, else the first host entity.

    Without either the compromised entity is the host, if the properties say that it is a machine: it can be anything.
    """
    wanted = compromised.lower() if compromised else None
    if machine is None and told is not None:
        machine = (
            wanted if told.get("resource_type", "").lower() in _MACHINE_TYPES else told.get("host", "").lower() or None
        )
    if found is None:
        proof = None
        if told is not None and ("path" in told or "command" in told):
            proof = os_type_of_record(path=told.get("path"), command_line=told.get("command"))
        return machine, None, None, None, proof, None, None, None, None
    hosts = found.of("host")
    kind = family = os_name = short = name = names = None
    main: Entity = {}
    if hosts:
        wanted = machine or wanted
        if len(hosts) > 1:
            _, main = min(
                hosts, key=lambda node: (_host_name(node[1]) != wanted, node[1].get("asset") is not True, node[0])
            )
        else:
            main = hosts[0][1]
        names = list(dict.fromkeys(known for _, entity in hosts if (known := _host_name(entity)) is not None)) or None
        name = main.get("host_name") or main.get("net_bios_name")
        if machine is not None and name is not None and name.lower() != machine:
            main, name = {}, None
        platform = main.get("os_family") or main.get("operating_system") or main.get("os_version")
        if platform and platform.lower() != "unknown":
            kind, family, os_name, short, _, _ = device_os(platform)
    return (
        name.lower() if name else machine,
        name,
        main.get("dns_domain") or main.get("nt_domain"),
        _requester(found),
        kind or _os_type(found),
        family,
        os_name,
        short,
        names,
    )


def _host_name(entity: Entity) -> str | None:
    name = entity.get("host_name") or entity.get("net_bios_name")
    return name.lower() if name else None


def _requester(found: Graph) -> list[str] | None:
    """The host's address, if an entity says which host asked for a name."""
    for place, entity in found.of("dns"):
        if (target := found.target(place, entity, "host_ip_address", "ip")) is not None and "address" in target[1]:
            return [target[1]["address"]]
    return None


def _os_type(found: Graph) -> str | None:
    """What the paths, command lines and SIDs of the alert prove."""
    path = next((file["directory"] for _, file in found.of("file") if "://" not in file.get("directory", "://")), None)
    command = next((process["command_line"] for _, process in found.of("process") if "command_line" in process), None)
    sid = next((account["sid"] for _, account in found.of("account") if "sid" in account), None)
    return os_type_of_record(path=path, command_line=command, sid=sid) if path or command or sid else None


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
NO_PERSON: Person = (None,) * 4
NO_HASHES = (None,) * 3


def process_and_user(found: Graph | None, told: Told | None, os_type: str | None) -> tuple[Any, ...]:
    """The process that the alert is about, its parent and whose it is -> the fields of `PROCESS_FIELDS`.

    The process is one that is no other's parent, rather with a command line; the user is the process' account, else the first account.
    ExtendedProperties stand in for entities and links that are not there.
    """
    teller: Person = NO_PERSON
    if told is not None and "user" in told:
        teller = (*user(told["user"], told.get("domain")), told.get("sid"))
    processes = found.of("process") if found is not None else []
    if found is None or not processes:
        people = [_user(account) for _, account in found.of("account")] if found is not None else []
        people.append(teller)
        return (
            *cloud_alert_told.process(told, os_type),
            *NO_HASHES,
            *cloud_alert_told.parent(told),
            *people[0],
            _names(people),
        )
    main = processes[0]
    if len(processes) > 1:
        parents = {
            id(node[1])
            for place, entity in processes
            if (node := found.target(place, entity, "parent_process", "process")) is not None
        }
        main = min(processes, key=lambda node: (id(node[1]) in parents, "command_line" not in node[1], node[0]))
    parent = found.target(*main, "parent_process", "process")
    owner = found.target(*main, "account", "account")
    image = found.target(*main, "image_file", "file")
    accounts = found.of("account")
    people = [_user(account) for _, account in accounts]
    people.append(teller)
    person = people[0]
    if owner is not None and owner is not accounts[0]:
        person = people[accounts.index(owner)]
    return (
        *_process(main[1], image, os_type, told),
        *(_hashes(found, *image) if image is not None else NO_HASHES),
        *(
            cloud_alert_told.parent(told)
            if parent is None
            else _process(parent[1], found.target(*parent, "image_file", "file"), os_type)
        ),
        *person,
        _names(people),
    )


def _names(people: list[Person]) -> list[str] | None:
    return list(dict.fromkeys(name for name, *_ in people if name))[:MOST] or None


def _process(entity: Entity, image: Node | None, os_type: str | None, told: Told | None = None) -> tuple[Any, ...]:
    """(name, executable, pid, command line, start) of a process."""
    command = entity.get("command_line")
    name = path = None
    if image is not None:
        name = image[1].get("name")
        path = full_path(image[1].get("directory"), name)
    name = name or name_from_command_line(command, os_type)
    if (
        path is None and told is not None
    ):  # no link, as in the alerts' API: the path that the properties tell of the same program
        whole = cloud_alert_told.whole(told.get("path"))
        path = whole if whole is not None and (name is None or file_name(whole) == name) else None
        name = name or file_name(path)
    return (
        name,
        path,
        cloud_alert_told.number(entity.get("process_id")),
        command,
        entity.get("creation_time_utc"),
    )


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
NO_FILE = (None,) * len(FILE_FIELDS)


def file(found: Graph | None) -> tuple[Any, ...]:
    """The file that the alert is about -> the fields of `FILE_FIELDS`: the malware's, else one that is no process' image, else the image."""
    if found is None:
        return NO_FILE
    files, hashes, malware = found.of("file"), found.of("filehash"), found.one("malware")
    if not files and not hashes:
        return (*NO_FILE[:6], malware.get("name"), None)
    name = folder = path = None
    own: tuple[str | None, ...] = NO_HASHES
    if files:
        main = files[0]
        if len(files) > 1:
            links = malware.get("files")
            refs = {link["ref"] for link in (links if links.__class__ is list else [links] if links else ())}
            images = {
                id(node[1])
                for place, entity in found.of("process")
                if (node := found.target(place, entity, "image_file", "file")) is not None
            }
            main = min(files, key=lambda node: (node[1].get("id") not in refs, id(node[1]) in images, node[0]))
        name, folder = main[1].get("name"), main[1].get("directory")
        path = full_path(folder, name) if folder else None
        own = _hashes(found, *main)
    values = [entity.get("value") for _, entity in hashes]
    values += [item.get("value") for _, entity in files for item in entity.get("file_hashes", ())]
    told = dict.fromkeys(value.lower() for value in values if value and _HEX.fullmatch(value))
    return name, path, folder, *own, malware.get("name"), list(told)[:MOST] or None


def _hashes(found: Graph, place: int, entity: Entity) -> tuple[str | None, ...]:
    """(md5, sha1, sha256) of a file; a hash that is none (samples have words there) is left to the vendor field."""
    items = entity.get("file_hashes")
    if items is None:
        return NO_HASHES
    told: dict[str, str] = {}
    for item in items:
        target = found.target(place, {"hash": item}, "hash", "filehash") if "ref" in item else None
        hash = target[1] if target is not None else item
        algorithm, value = hash.get("algorithm", "").lower().replace("-", ""), hash.get("value", "")
        if len(value) == _HASHES.get(algorithm) and _HEX.fullmatch(value):
            told.setdefault(algorithm, value.lower())
    return told.get("md5"), told.get("sha1"), told.get("sha256")
