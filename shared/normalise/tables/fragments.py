"""Rows that many tables share: the envelope, the device, the process that did it, accounts."""

from __future__ import annotations

from typing import Any

from shared.normalise.mapping import Fragment, ecs, rule, vendor
from shared.normalise.mapping import first as first  # noqa: PLC0414  tables have it from here
from shared.normalise.rules.account import user
from shared.normalise.rules.command_line import args, process_name
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.paths import full_path
from shared.normalise.rules.platform import os_family, os_type_of_record
from shared.normalise.rules.signature import process_signature


def twice(value: Any, second: Any = None) -> tuple[Any, Any]:
    """The first value that is there, for two fields."""
    found = value if value is not None else second
    return found, found


def lower(value: str | None) -> str | None:
    """Lower case, as Elastic's integration writes event.action and host.name."""
    return None if value is None else value.lower()


def host_names(name: str | None) -> tuple[str | None, str | None, str | None]:
    """DeviceName -> (host.name in lower case, host.hostname, host.domain); the domain is what follows the first dot of a full name.

    >>> host_names("BOBSLAPTOP.example.com")
    ('bobslaptop.example.com', 'BOBSLAPTOP', 'example.com')
    """
    if name is None:
        return None, None, None
    hostname, dot, domain = name.partition(".")
    if not dot or not hostname or not domain or (name[-1].isdigit() and name.replace(".", "").isdigit()):
        return name.lower(), name, None
    return name.lower(), hostname, domain


def account_id(sid: str | None, object_id: str | None) -> str | None:
    """user.id: the SID, which rules compare; of an account without one, the Entra ID object id."""
    return sid if sid is not None else object_id


def alone(value: Any) -> list[Any] | None:
    """One value as a list, for ECS fields that are arrays."""
    return None if value is None else [value]


# related.user has an account's name, also as sent (`system`), its UPN and ids (ECS: "user names or other user identifiers"): one search finds all.
# A leading slash is the envelope's key. `time` is when Defender exported the row, `_TimeReceivedBySvc` when its service recorded it.
# fmt: off
ENVELOPE = Fragment((
    vendor("/category",           "keyword", "category"),
    vendor("/operationName",      "keyword", "operation_name"),
    vendor("/tenantId",           "keyword", "tenant.id"),
    vendor("/Tenant",             "keyword", "tenant.name"),
    vendor("/time",               "date",    "time"),
    vendor("/_TimeReceivedBySvc", "date",    "time_received",  told=True),
    vendor("Timestamp",           "date",    "timestamp",      told=True),
), (
    rule(first, ("Timestamp", "/_TimeReceivedBySvc", "/time"), "@timestamp",    kind="date"),
    rule(first, ("/_TimeReceivedBySvc", "/time"),              "event.created", kind="date"),
))

# host.id, device.id and cloud.instance.id all hold the device's id: Kibana's response actions look for the latter two (elastic/kibana#218756).
DEVICE = Fragment((
    ecs("DeviceId",               "keyword", "host.id", "device.id", "cloud.instance.id", vendor="device.id", related="hosts"),
    vendor("DeviceName",          "keyword", "device.name",    told=True),
    vendor("MachineGroup",        "keyword", "machine_group"),
    vendor("ReportId",            "keyword", "report_id"),
), (
    rule(host_names, ("DeviceName",), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
))

ACTION = Fragment((
    vendor("ActionType",          "keyword", "action.type",    told=True),
    vendor("AdditionalFields",    "flattened", "additional_fields"),
    vendor("AppGuardContainerId", "keyword", "app_guard_container_id"),
), (
    rule(lower, ("ActionType",), "event.action"),
))

# The process that did it, below `process` in most tables and below `process.parent` where the record's subject is a process itself.
INITIATING_PROCESS = Fragment((
    ecs("InitiatingProcessId",                          "long",     "pid",                  vendor="initiating_process.id"),
    vendor("InitiatingProcessFileName",                 "keyword",  "initiating_process.file_name",   told=True),
    vendor("InitiatingProcessFolderPath",               "keyword",  "initiating_process.folder_path", told=True),
    ecs("InitiatingProcessCommandLine",                 "wildcard", "command_line",         vendor="initiating_process.command_line"),
    ecs("InitiatingProcessCreationTime",                "date",     "start",                vendor="initiating_process.creation_time"),
    ecs("InitiatingProcessMD5",                         "keyword",  "hash.md5",             vendor="initiating_process.md5",    related="hash"),
    ecs("InitiatingProcessSHA1",                        "keyword",  "hash.sha1",            vendor="initiating_process.sha1",   related="hash"),
    ecs("InitiatingProcessSHA256",                      "keyword",  "hash.sha256",          vendor="initiating_process.sha256", related="hash"),
    ecs("InitiatingProcessVersionInfoCompanyName",      "keyword",  "pe.company",           vendor="initiating_process.version_info_company_name"),
    ecs("InitiatingProcessVersionInfoFileDescription",  "keyword",  "pe.description",       vendor="initiating_process.version_info_file_description"),
    ecs("InitiatingProcessVersionInfoOriginalFileName", "keyword",  "pe.original_file_name", vendor="initiating_process.version_info_original_file_name"),
    ecs("InitiatingProcessVersionInfoProductName",      "keyword",  "pe.product",           vendor="initiating_process.version_info_product_name"),
    ecs("InitiatingProcessVersionInfoProductVersion",   "keyword",  "pe.file_version",      vendor="initiating_process.version_info_product_version"),
    vendor("InitiatingProcessVersionInfoInternalFileName", "keyword", "initiating_process.version_info_internal_file_name"),
    vendor("InitiatingProcessFileSize",                 "long",     "initiating_process.file_size"),
    vendor("InitiatingProcessSessionId",                "long",     "initiating_process.session_id"),
    vendor("IsInitiatingProcessRemoteSession",          "boolean",  "initiating_process.is_remote_session"),
    vendor("InitiatingProcessRemoteSessionDeviceName",  "keyword",  "initiating_process.remote_session_device_name", related="hosts"),
    vendor("InitiatingProcessRemoteSessionIP",          "ip",       "initiating_process.remote_session_ip",          related="ip"),
    vendor("InitiatingProcessUniqueId",                 "keyword",  "initiating_process.unique_id"),
), (
    rule(full_path, ("InitiatingProcessFolderPath", "InitiatingProcessFileName"), "executable"),
    rule(process_name, ("InitiatingProcessFileName", ".executable", "InitiatingProcessCommandLine", "host.os.type"), "name"),
    rule(args, ("InitiatingProcessCommandLine", "host.os.type", ".executable"), "args", "args_count",
         kind=("keyword", "long"), when="InitiatingProcessCommandLine"),
    rule(process_entity_id, ("DeviceId", "InitiatingProcessId", "InitiatingProcessCreationTime"), "entity_id"),
))

# Its parent: process.parent where the initiating process is `process`.
INITIATING_PARENT = Fragment((
    ecs("InitiatingProcessParentId",           "long",    "process.parent.pid",   vendor="initiating_process.parent_id"),
    ecs("InitiatingProcessParentFileName",     "keyword", "process.parent.name",  vendor="initiating_process.parent_file_name"),
    ecs("InitiatingProcessParentCreationTime", "date",    "process.parent.start", vendor="initiating_process.parent_creation_time"),
), (
    rule(process_entity_id, ("DeviceId", "InitiatingProcessParentId", "InitiatingProcessParentCreationTime"), "process.parent.entity_id"),
))

# A grandparent has no home in ECS: there is no process.parent.parent.
INITIATING_GRANDPARENT = Fragment((
    vendor("InitiatingProcessParentId",           "long",    "initiating_process.parent_id"),
    vendor("InitiatingProcessParentFileName",     "keyword", "initiating_process.parent_file_name"),
    vendor("InitiatingProcessParentCreationTime", "date",    "initiating_process.parent_creation_time"),
))

# process.Ext.token.integrity_level_name is what one of Elastic's rules compares.
INITIATING_TOKEN = Fragment((
    ecs("InitiatingProcessIntegrityLevel",     "keyword", "Ext.token.integrity_level_name", vendor="initiating_process.integrity_level"),
    vendor("InitiatingProcessTokenElevation",  "keyword", "initiating_process.token_elevation"),
))

INITIATING_TOKEN_OF_PARENT = Fragment((
    vendor("InitiatingProcessIntegrityLevel",  "keyword", "initiating_process.integrity_level"),
    vendor("InitiatingProcessTokenElevation",  "keyword", "initiating_process.token_elevation"),
))

INITIATING_SIGNATURE = Fragment((
    vendor("InitiatingProcessSignatureStatus", "keyword", "initiating_process.signature_status", told=True),
    vendor("InitiatingProcessSignerType",      "keyword", "initiating_process.signer_type"),
), (
    rule(process_signature, ("InitiatingProcessSignatureStatus",),
         "code_signature.exists", "code_signature.valid", "code_signature.trusted", "code_signature.status",
         kind=("boolean", "boolean", "boolean", "keyword"), when="InitiatingProcessSignatureStatus"),
))

INITIATING_LOGON = Fragment((vendor("InitiatingProcessLogonId", "keyword", "initiating_process.logon_id"),))

_INITIATING_ACCOUNT_COLUMNS = (
    vendor("InitiatingProcessAccountObjectId", "keyword", "initiating_process.account_object_id", related="user"),
    vendor("InitiatingProcessAccountUpn",      "keyword", "initiating_process.account_upn",    related="user"),
)

# The account of the process that did it is the user of most events …
INITIATING_USER = Fragment((
    vendor("InitiatingProcessAccountDomain",   "keyword", "initiating_process.account_domain", told=True),
    vendor("InitiatingProcessAccountName",     "keyword", "initiating_process.account_name",   told=True, related="user"),
    vendor("InitiatingProcessAccountSid",      "keyword", "initiating_process.account_sid",    told=True, related="user"),
    *_INITIATING_ACCOUNT_COLUMNS,
), (
    rule(user, ("InitiatingProcessAccountName", "InitiatingProcessAccountDomain", "InitiatingProcessAccountSid", "InitiatingProcessAccountUpn"),
         "user.name", "user.domain", "user.email", related=("user", None, None)),
    rule(account_id, ("InitiatingProcessAccountSid", "InitiatingProcessAccountObjectId"), "user.id"),
))

# … the parent's user where the record's subject is a process (ECS reuses only id and name there) …
INITIATING_PARENT_USER = Fragment((
    vendor("InitiatingProcessAccountDomain",   "keyword", "initiating_process.account_domain"),
    ecs("InitiatingProcessAccountName",        "keyword", "process.parent.user.name", vendor="initiating_process.account_name", related="user"),
    ecs("InitiatingProcessAccountSid",         "keyword", "process.parent.user.id",   vendor="initiating_process.account_sid",  related="user"),
    *_INITIATING_ACCOUNT_COLUMNS,
))

# … and the process' user where somebody else is the user, as in logons.
INITIATING_PROCESS_USER = Fragment((
    vendor("InitiatingProcessAccountDomain",   "keyword", "initiating_process.account_domain"),
    ecs("InitiatingProcessAccountName",        "keyword", "process.user.name",        vendor="initiating_process.account_name", related="user"),
    ecs("InitiatingProcessAccountSid",         "keyword", "process.user.id",          vendor="initiating_process.account_sid",  related="user"),
    *_INITIATING_ACCOUNT_COLUMNS,
))

_ACCOUNT = (
    vendor("AccountDomain",   "keyword", "account.domain", told=True),
    vendor("AccountName",     "keyword", "account.name",   told=True, related="user"),
    vendor("AccountSid",      "keyword", "account.sid",    told=True, related="user"),
)
ACCOUNT = Fragment((
    *_ACCOUNT,
    vendor("AccountUpn",      "keyword", "account.upn", related="user"),
    vendor("AccountObjectId", "keyword", "account.object_id", related="user"),
), (
    rule(user, ("AccountName", "AccountDomain", "AccountSid", "AccountUpn"), "name", "domain", "email", related=("user", None, None)),
    rule(account_id, ("AccountSid", "AccountObjectId"), "id"),
))
# Tables without AccountUpn and AccountObjectId.
ACCOUNT_LOCAL = Fragment(_ACCOUNT, (
    rule(user, ("AccountName", "AccountDomain", "AccountSid", ""), "name", "domain", "email", related=("user", None, None)),
    rule(account_id, ("AccountSid", ""), "id"),
))
# fmt: on


def os_type(**columns: str) -> Fragment:
    """host.os.type and family from the columns of a table that prove it, by the names of `os_type_of_record`'s arguments."""
    order = (
        "platform", "registry_key", "path", "initiating_path", "additional_fields", "parent_name", "version_info",
        "initiating_version_info", "sid", "initiating_sid", "command_line", "logon_protocol", "program",
    )  # fmt: skip
    unknown = set(columns) - set(order)
    if unknown:
        raise ValueError(f"no such evidence of the platform: {', '.join(sorted(unknown))}")
    return Fragment((), (
        rule(os_type_of_record, tuple(columns.get(name, "") for name in order), "host.os.type"),
        rule(os_family, ("host.os.type",), "host.os.family"),
    ))  # fmt: skip
