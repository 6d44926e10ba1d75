"""Evidence of devices, accounts, processes, files and registry -> host.*, user.*, process.*, file.*, registry.* of ECS."""

from __future__ import annotations

from shared.normalise.mapping import Kind
from shared.normalise.rules.account import user
from shared.normalise.rules.command_line import name_from_command_line
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.network import mac
from shared.normalise.rules.paths import directory, drive_letter, extension, full_path
from shared.normalise.rules.platform import device_os
from shared.normalise.rules.registry import data_strings, data_type, registry
from shared.normalise.tables.behavior_rules import device_name
from shared.normalise.tables.fragments import account_id, host_names
from shared.normalise.tables.graph_evidence_places import virtual_machine
from shared.normalise.tables.graph_found import (
    HASHES,
    HOSTS,
    IPS,
    USERS,
    Found,
    Item,
    add,
    all_of,
    each,
    fill,
    within,
)

# fmt: off
# Fields that are filled together.
_DEVICE = ("host.id", "device.id", "cloud.instance.id")
_NAMES = ("host.name", "host.hostname", "host.domain")
_SYSTEM = ("host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full")
_USER = ("user.name", "user.domain", "user.email", "user.id", "user.full_name")
_GROUP = ("group.id", "group.name")
_PROCESS = ("process.pid", "process.start", "process.entity_id", "process.name", "process.executable")
_PARENT = ("process.parent.pid", "process.parent.start", "process.parent.entity_id", "process.parent.name", "process.parent.executable")
_FILE = ("file.name", "file.extension", "file.path", "file.directory", "file.drive_letter", "file.size")
_REGISTRY = ("registry.hive", "registry.key", "registry.value", "registry.path", "registry.data.type")
_HASHES = {root: tuple(f"{root}.hash.{name}" for name in ("md5", "sha1", "sha256")) for root in ("process", "process.parent", "file")}
SUBJECT_FIELDS: dict[str, Kind] = {
    **dict.fromkeys((
        *_DEVICE, *_NAMES, "host.mac", "host.risk.calculated_level", *_SYSTEM, "device.manufacturer", "device.model.name", "device.serial_number", "device.type",
        *_USER, *_GROUP, *_PROCESS, *_PARENT, *_FILE, *_REGISTRY,
        *(field for root, fields in _HASHES.items() for field in (*fields, f"{root}.code_signature.subject_name")),
        "process.args", "process.user.name", "process.user.id",
        "event.action", "organization.name", "gen_ai.agent.id", "gen_ai.agent.name",
    ), "keyword"),
    "host.ip": "ip", "process.command_line": "wildcard", "process.pid": "long", "process.parent.pid": "long",
    "process.args_count": "long", "process.start": "date", "process.parent.start": "date", "file.size": "long",
    "registry.data.strings": "wildcard",
}
# fmt: on
_NO_HOSTS = frozenset({"AZUREAD", "BUILTIN"})
_NO_RISK = frozenset({"none", "unknown", "unknownFutureValue"})
_ALGORITHMS = frozenset({"md5", "sha1", "sha256"})
# Not fields: accounts that were merely logged on, accounts of processes (name, domain, email, id), commands with their executables.
LOGGED_ON, RUNNING, COMMANDS = "#logged on", "#running", "#commands"


def device(item: Item, found: Found) -> None:
    """`deviceEvidence` -> host.*, device.id, cloud.*."""
    of_device(item, found)
    dns_domain = item.get("dns_domain")
    name = device_name(item.get("device_dns_name") or item.get("host_name"), dns_domain)
    called(name, dns_domain or item.get("nt_domain"), found)
    system(item.get("os_platform"), item.get("version"), item.get("os_build"), found)
    for ip in (*each(item.get("ip_interfaces")), item.get("last_ip_address")):
        add(found, "host.ip", ip)
        found[IPS][ip] = None
    found[IPS][item.get("last_external_ip_address")] = None  # of whatever stands between it and the Internet
    risk = item.get("risk_score")
    if risk not in _NO_RISK:
        add(found, "host.risk.calculated_level", risk)
    for told in each(item.get("logged_on_users")):
        who, domain, email = user(told.get("account_name"), told.get("domain_name"))
        if who is not None:
            found[USERS][who] = None
            add(found, LOGGED_ON, (who, domain, email, None))
        of_domain(domain, found)
    if "resource_access_events" in item:
        accesses(item, found)
    if machine := within(item, "vm_metadata"):
        virtual_machine(machine, found)


def of_device(item: Item, found: Found) -> str | None:
    """`mdeDeviceId` -> host.id, and the fields in which Kibana's response actions look for it (elastic/kibana#218756); gives the id."""
    id: str | None = item.get("mde_device_id")
    if id is not None and found["host.id"] != id:
        fill(found, _DEVICE, (id, id, id))
        found[HOSTS][id] = None
    return id


def called(name: str | None, domain: str | None, found: Found) -> None:
    """A host's name -> host.name in lower case, hostname, and domain: the one in the name, else the one that is told beside it."""
    full, hostname, its_domain = host_names(name)
    fill(found, _NAMES, (full, hostname, its_domain or domain))
    found[HOSTS][full] = None


def system(platform: str | None, version: str | None, build: str | None, found: Found) -> None:
    """A device's operating system -> host.os.*."""
    if platform is not None or version is not None:
        fill(found, _SYSTEM, device_os(platform, None, version, build))


def iot_device(item: Item, found: Found) -> None:
    """`ioTDeviceEvidence` -> host.*, device.*: no device.id, where response actions would take it for Defender's."""
    id = item.get("device_id")
    fill(found, _DEVICE, (id, None, None))
    found[HOSTS][id] = None
    called(item.get("device_name"), None, found)
    add(found, "device.manufacturer", item.get("manufacturer"))
    add(found, "device.model.name", item.get("model"))
    add(found, "device.serial_number", item.get("serial_number"))
    add(found, "device.type", item.get("device_type"))
    system(item.get("operating_system"), None, None, found)
    network_card(item, found)
    for card in each(item.get("nics")):
        network_card(card, found)
    for owner in each(item.get("owners")):
        found[USERS][owner] = None


def network_card(item: Item, found: Found) -> None:
    """`nicEvidence`, or a device that has just one -> host.mac, host.ip."""
    add(found, "host.mac", mac(item.get("mac_address")))
    ip = within(item, "ip").get("ip_address")
    add(found, "host.ip", ip)
    found[IPS][ip] = None


def accesses(item: Item, found: Found) -> None:
    """`resourceAccessEvents` of a device or an account: who reached something from where -> related.*."""
    for access in each(item.get("resource_access_events")):
        found[USERS][access.get("account_id")] = None
        found[IPS][access.get("ip_address")] = None


def account(told: Item, found: Found, *, of_process: bool = False) -> None:
    """A userAccount -> user.*, or of a process process.user.*.

    Ids go into related.user too, beside names and addresses: user.id has but one of an account's, and none of a process' account.
    """
    sid, upn = told.get("user_sid"), told.get("user_principal_name")
    object_id = told.get("azure_ad_user_id") or told.get("active_directory_object_guid")
    name, domain, email = user(told.get("account_name"), told.get("domain_name"), sid, upn)
    id = account_id(sid, object_id)
    found[USERS].update(dict.fromkeys((name, email, upn, sid, object_id)))
    of_domain(domain, found)
    if "resource_access_events" in told:
        accesses(told, found)
    if of_process:
        add(found, "process.user.name", name)
        add(found, "process.user.id", id)
        add(found, RUNNING, (name, domain, email, id))
        return
    fill(found, _USER, (name, domain, email, id, told.get("display_name")))


def of_domain(domain: str | None, found: Found) -> None:
    """An account's domain -> related.hosts: it is a DNS domain, an NT domain, or the computer that a local account is of."""
    if domain is not None and " " not in domain and domain.upper() not in _NO_HOSTS:  # NT AUTHORITY and its like
        found[HOSTS][domain] = None


def stand_in(found: Found) -> None:
    """user.* where no item tells a user: the accounts of the processes, else those that were logged on to the devices."""
    for name, domain, email, id in all_of(found, RUNNING) or all_of(found, LOGGED_ON):
        fill(found, _USER, (name, domain, email, id, None))


def holder(item: Item, found: Found) -> None:
    """`userEvidence` -> user.*."""
    if told := within(item, "user_account"):
        account(told, found)


def mailbox(item: Item, found: Found) -> None:
    """`mailboxEvidence` -> user.*; the mailbox' own address is one more e-mail address."""
    account({"user_principal_name": item.get("upn"), **within(item, "user_account")}, found)
    own = item.get("primary_address")
    add(found, "user.email", own)
    found[USERS][own] = None


def mailbox_configuration(item: Item, found: Found) -> None:
    """`mailboxConfigurationEvidence` -> whose mailbox it is."""
    own = item.get("mailbox_primary_address")
    account({"user_principal_name": item.get("upn") or own}, found)
    found[USERS][own] = None


def service_principal(item: Item, found: Found) -> None:
    """`servicePrincipalEvidence` -> user.*, as sign-ins of service principals have it."""
    name, id = item.get("service_principal_name"), item.get("service_principal_object_id")
    fill(found, _USER, (name, None, None, id, None))
    found[USERS].update(dict.fromkeys((name, id, item.get("app_id"))))


def git_hub_user(item: Item, found: Found) -> None:
    """`gitHubUserEvidence` -> user.*."""
    name, email, id = item.get("login"), item.get("email"), item.get("user_id")
    fill(found, _USER, (name, None, email, id, item.get("name")))
    found[USERS].update(dict.fromkeys((name, email, id)))


def organization(item: Item, found: Found) -> None:
    """`gitHubOrganizationEvidence` -> organization.name."""
    add(found, "organization.name", item.get("display_name") or item.get("login"))


def group(item: Item, found: Found) -> None:
    """`securityGroupEvidence` -> group.*."""
    in_group(
        item.get("sid") or item.get("security_group_id"), item.get("display_name") or item.get("friendly_name"), found
    )


def in_group(id: str | None, name: str | None, found: Found) -> None:
    """A group's id and name -> group.*."""
    fill(found, _GROUP, (id, name))


def directory_domain(item: Item, found: Found) -> None:
    """`activeDirectoryDomainEvidence` -> related.hosts, the domains that it trusts too."""
    for domain in (item, *each(item.get("trusted_domains"))):
        name = domain.get("active_directory_domain_name")
        found[HOSTS][name.lower() if name is not None else None] = None


def agent(item: Item, found: Found) -> None:
    """`aiAgentEvidence` -> gen_ai.agent.*."""
    add(found, "gen_ai.agent.id", item.get("agent_id"))
    add(found, "gen_ai.agent.name", item.get("agent_name"))


def process(item: Item, found: Found) -> None:
    """`processEvidence` -> process.*, process.parent.* and host.id; its account stands in for a user whom no other item tells."""
    device = of_device(item, found)
    told, image = within(item, "process"), within(item, "image_file")
    command = told.get("command_line")
    name, executable = running(image)
    fill(found, _PROCESS, (*began(told, device), name or name_from_command_line(command), executable))
    hashes(image, "process", found)
    if command is not None:
        add(found, "process.command_line", command)
        add(found, COMMANDS, (command, executable))
    if parent := within(item, "parent_process"):
        image = within(parent, "image_file")
        fill(found, _PARENT, (*began(parent, device), *running(image)))
        hashes(image, "process.parent", found)
    if its_account := within(item, "user_account"):
        account(its_account, found, of_process=True)
    add(found, "event.action", item.get("detection_status"))


def running(image: Item) -> tuple[str | None, str | None]:
    """A process' image -> its name and path; fileDetails.filePath is the folder."""
    name = image.get("name")
    return name, full_path(image.get("path"), name)


def began(told: Item, device: str | None) -> tuple[int | None, str | None, str | None]:
    """A process -> its id, its creation time, and what names it in the whole fleet."""
    pid, start = told.get("id"), told.get("creation_datetime")
    return pid, start, process_entity_id(device, pid, start)


def hashes(details: Item, root: str, found: Found) -> None:
    """`fileDetails` -> hash.* and signer below a field, and related.hash."""
    md5, sha1, sha256 = values = details.get("md5"), details.get("sha1"), details.get("sha256")
    if md5 is not None or sha1 is not None or sha256 is not None:
        found[HASHES].update(dict.fromkeys(values))
        fill(found, _HASHES[root], values)
    if "signer" in details:
        add(found, f"{root}.code_signature.subject_name", details["signer"])


def file(item: Item, found: Found) -> None:
    """`fileEvidence` -> file.* and host.id; fileDetails.filePath is the folder."""
    of_device(item, found)
    if details := within(item, "file_details"):
        name = details.get("name")
        path = full_path(details.get("path"), name)
        fill(found, _FILE, (name, extension(name), path, directory(path), drive_letter(path), details.get("size")))
        hashes(details, "file", found)
    add(found, "event.action", item.get("detection_status"))


def named(name: str | None, found: Found) -> None:
    """A file of which only the name is known -> file.name, file.extension."""
    fill(found, _FILE, (name, extension(name), None, None, None, None))


def file_hash(item: Item, found: Found) -> None:
    """`fileHashEvidence`, or a hash of a blob -> file.hash.*; sha256ac, which ECS does not know, goes into related.hash only."""
    algorithm, value = item.get("algorithm"), item.get("value")
    if algorithm is not None and algorithm.lower() in _ALGORITHMS:
        add(found, f"file.hash.{algorithm.lower()}", value)
    found[HASHES][value] = None


def registry_item(item: Item, found: Found) -> None:
    """`registryKeyEvidence`, registryValueEvidence -> registry.*."""
    hive, key = item.get("registry_hive"), item.get("registry_key")
    value, type, data = (item.get(f"registry_value{part}") for part in ("_name", "_type", ""))
    whole = f"{hive}\\{key}" if hive is not None and key is not None else key or hive
    short, key, value, path = registry(whole, value, type)
    fill(found, _REGISTRY, (short, key, value, path, data_type(type)))
    for text in data_strings(data, type) or ():
        add(found, "registry.data.strings", text)
