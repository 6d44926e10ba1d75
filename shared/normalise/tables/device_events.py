"""DeviceEvents: everything Defender for Endpoint reports that has no table of its own, from API calls to scheduled tasks.

FileName, FolderPath and ProcessCommandLine say what was acted on: a file, a driver, or (for calls into another process) that process.
"""

from __future__ import annotations

from shared.normalise.mapping import rule, table, vendor
from shared.normalise.rules.dns import DNS_FIELDS, dns
from shared.normalise.rules.registry import data_strings, registry
from shared.normalise.tables.device import CREATED_PROCESS, FILE, FILE_ORIGIN, IDENTITY, REMOTE_SESSION
from shared.normalise.tables.device_rules import (
    api_call,
    driver,
    local_group,
    parent_working_directory,
    target_process,
    working_directory,
)
from shared.normalise.tables.fragments import (
    ACCOUNT_LOCAL,
    ACTION,
    DEVICE,
    ENVELOPE,
    INITIATING_GRANDPARENT,
    INITIATING_LOGON,
    INITIATING_PARENT,
    INITIATING_PARENT_USER,
    INITIATING_PROCESS,
    INITIATING_USER,
    os_type,
)
from shared.normalise.tables.network_rows import LOCAL_AND_REMOTE, kinds, url_rule

# fmt: off
_COMMON = (
    ENVELOPE, DEVICE, ACTION,
    os_type(registry_key="RegistryKey", path="FolderPath", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName",
            additional_fields="AdditionalFields", parent_name="InitiatingProcessParentFileName",
            initiating_version_info="InitiatingProcessVersionInfoProductName", sid="AccountSid",
            initiating_sid="InitiatingProcessAccountSid", command_line="InitiatingProcessCommandLine"),
    *FILE_ORIGIN, *REMOTE_SESSION, INITIATING_LOGON,
    *LOCAL_AND_REMOTE,
    vendor("RemoteUrl",         "keyword",  "remote.url", told=True),
    vendor("RemoteDeviceName",  "keyword",  "remote.device_name", related="hosts"),
    url_rule("RemoteUrl"),
    vendor("RegistryKey",       "keyword",  "registry.key",        told=True),
    vendor("RegistryValueName", "wildcard", "registry.value_name", told=True),
    vendor("RegistryValueData", "wildcard", "registry.value_data", told=True),
    rule(registry, ("RegistryKey", "RegistryValueName"), "registry.hive", "registry.key", "registry.value", "registry.path",
         when="RegistryKey"),
    rule(data_strings, ("RegistryValueData", ""), "registry.data.strings", kind="wildcard"),
)

# The one ActionType of this table that is a process' start: FileName and ProcessId are the new process, as in DeviceProcessEvents.
_PROCESS_START = table(
    "DeviceEvents", IDENTITY,
    *_COMMON, *CREATED_PROCESS,
    rule(working_directory,        ("AdditionalFields",), "process.working_directory"),
    rule(parent_working_directory, ("AdditionalFields",), "process.parent.working_directory"),
    ACCOUNT_LOCAL.at("user"),
    INITIATING_PROCESS.at("process.parent"), INITIATING_GRANDPARENT, INITIATING_PARENT_USER,
)

DEVICE_EVENTS = table(
    "DeviceEvents", IDENTITY,
    *_COMMON,
    *FILE,
    rule(driver, ("ActionType", "FileName", "file.path", "MD5", "SHA1", "SHA256"),
         "dll.name", "dll.path", "dll.hash.md5", "dll.hash.sha1", "dll.hash.sha256"),
    vendor("ProcessId",             "long",     "process.id"),
    vendor("ProcessCommandLine",    "wildcard", "process.command_line"),
    vendor("ProcessCreationTime",   "date",     "process.creation_time"),
    vendor("ProcessTokenElevation", "keyword",  "process.token_elevation"),
    vendor("LogonId",               "keyword",  "logon.id"),
    rule(target_process, ("ActionType", "FileName", "FolderPath", "ProcessCommandLine"),
         "Target.process.name", "Target.process.executable", "Target.process.command_line", kind=("keyword", "keyword", "wildcard")),
    rule(api_call, ("ActionType", "AdditionalFields"),
         "process.Ext.api.name", "process.Ext.api.parameters.desired_access_numeric", "process.Ext.api.parameters.address",
         "process.Ext.api.parameters.protection", "process.Ext.api.parameters.size", kind=("keyword", "long", "long", "keyword", "long")),
    rule(local_group, ("ActionType", "AdditionalFields"), "group.name", "group.id", "group.domain"),
    rule(dns, ("ActionType", "AdditionalFields"), *DNS_FIELDS, kind=kinds(DNS_FIELDS),
         related=tuple("ip" if field == "dns.resolved_ip" else "hosts" if field == "dns.question.name" else None for field in DNS_FIELDS)),
    rule(parent_working_directory, ("AdditionalFields",), "process.working_directory"),
    ACCOUNT_LOCAL.at("user.target"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_USER,
    variants={"ProcessCreatedUsingWmiQuery": _PROCESS_START},
)
# fmt: on
