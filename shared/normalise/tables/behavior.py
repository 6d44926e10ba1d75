"""BehaviorInfo, BehaviorEntities and DisruptionAndResponseEvents: what was unusual, whom it is about, and what was stopped.

A behaviour may be harmless (Microsoft: "Investigate behaviors"), so its records are events and no alerts; their rows follow those of
AlertInfo and AlertEvidence. In disruption events `host` is the device that reported, `source` and `user` are the attacker's side and
`destination` is what was attacked.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.mitre import framework, tactics, techniques
from shared.normalise.rules.paths import extension
from shared.normalise.tables.alert import ENTITY, cloud_provider
from shared.normalise.tables.behavior_rules import authentication_protocol, device_name, duration, reporting_host
from shared.normalise.tables.fragments import ACTION, DEVICE, ENVELOPE, first, os_type, twice

# fmt: off
BEHAVIOR = Fragment((
    ecs("BehaviorId",         "keyword", "event.id",       vendor="behavior_id"),
    ecs("ServiceSource",      "keyword", "event.provider", vendor="service_source"),
    vendor("DetectionSource", "keyword", "detection.source"),
    vendor("Categories",      "keyword", "alert.categories", many=True),
), (
    rule(tactics, ("Categories",), "threat.tactic.id", "threat.tactic.name", "threat.tactic.reference"),
))

# What a behaviour went on for and which techniques it is of; without a title the type of behaviour stands for the rule's name.
BEHAVIOR_COURSE = Fragment((
    vendor("AttackTechniques", "keyword", "attack_techniques", many=True),
    ecs("StartTime",           "date",    "event.start", vendor="start_time"),
    ecs("EndTime",             "date",    "event.end",   vendor="end_time"),
    vendor("Description",      "keyword", "description"),
), (
    rule(duration, ("StartTime", "EndTime"), "event.duration", kind="long"),
    rule(techniques, ("AttackTechniques",), "#framework",
         "threat.technique.id", "threat.technique.name", "threat.technique.reference",
         "threat.technique.subtechnique.id", "threat.technique.subtechnique.name", "threat.technique.subtechnique.reference",
         when="AttackTechniques"),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
))

BEHAVIOR_INFO = table(
    "BehaviorInfo", ("BehaviorId", "Timestamp"),
    ENVELOPE, ACTION.without("AppGuardContainerId"), BEHAVIOR, BEHAVIOR_COURSE,
    vendor("Title",           "keyword", "title", told=True),
    rule(first, ("Title", "ActionType"),  "rule.name"),
    rule(first, ("Title", "Description"), "message", kind="text"),
    vendor("DataSources",     "keyword", "data_sources", many=True),
    ecs("DeviceId",           "keyword", "host.id", "device.id", "cloud.instance.id", vendor="device.id", related="hosts"),
    vendor("AccountUpn",      "keyword", "account.upn", related="user"),
    ecs("AccountObjectId",    "keyword", "user.id", vendor="account.object_id", related="user"),
    rule(user, ("", "", "", "AccountUpn"), "user.name", "user.domain", "user.email", related=("user", None, None)),
)

BEHAVIOR_ENTITIES = table(
    "BehaviorEntities", ("BehaviorId", "Timestamp", "EntityType", "EntityRole"),
    ENVELOPE, ACTION.without("AppGuardContainerId"), BEHAVIOR, DEVICE.without("ReportId", "MachineGroup"),
    rule(framework, ("", "threat.tactic.id"), "threat.framework"),
    rule(first, ("ActionType",), "rule.name"),
    os_type(registry_key="RegistryKey", path="FolderPath", additional_fields="AdditionalFields", sid="AccountSid",
            command_line="ProcessCommandLine"),
    vendor("DataSources",        "keyword",  "data_sources", many=True),
    vendor("EntityType",         "keyword",  "entity_type"),
    vendor("EntityRole",         "keyword",  "entity_role"),
    vendor("DetailedEntityRole", "keyword",  "detailed_entity_role"),
    vendor("ThreatFamily",       "keyword",  "threat.family"),
    *ENTITY,
    vendor("EmailClusterId",     "keyword",  "email.cluster_id"),
    vendor("CloudPlatform",      "keyword",  "cloud_platform", told=True),
    rule(cloud_provider, ("CloudPlatform",), "cloud.provider"),
    vendor("CloudResourceType",  "keyword",  "cloud_resource_type"),
    vendor("CloudResourceId",    "keyword",  "cloud_resource_id"),
    ecs("CloudSubscriptionId",   "keyword",  "cloud.account.id", vendor="cloud_subscription_id"),
)

DISRUPTION_AND_RESPONSE_EVENTS = table(
    "DisruptionAndResponseEvents", ("DeviceId", "ActionType", "Timestamp"),
    ENVELOPE, ACTION.without("AdditionalFields", "AppGuardContainerId"),
    ecs("DeviceId",                  "keyword", "host.id", "device.id", "cloud.instance.id", vendor="device.id", related="hosts"),
    vendor("DeviceName",             "keyword", "device.name",   told=True),
    vendor("DomainName",             "keyword", "device.domain", told=True),
    rule(reporting_host, ("DeviceName", "DomainName"), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
    ecs("InitiatingProcessId",       "long",    "process.pid",   vendor="initiating_process.id"),
    ecs("InitiatingProcessFileName", "keyword", "process.name",  vendor="initiating_process.file_name"),
    vendor("SourceUserSid",          "keyword", "source.account_sid",    told=True),
    vendor("SourceUserName",         "keyword", "source.account_name",   told=True),
    vendor("SourceUserDomainName",   "keyword", "source.account_domain", told=True),
    rule(user,  ("SourceUserName", "SourceUserDomainName", "SourceUserSid", ""), "user.name", "user.domain", "user.email", related=("user", None, None)),
    rule(first, ("SourceUserSid",), "user.id", related="user"),
    vendor("SourceDeviceId",         "keyword", "source.device_id", related="hosts"),
    vendor("SourceDeviceName",       "keyword", "source.device_name",  told=True),
    vendor("SourceDomainName",       "keyword", "source.domain_name"),
    rule(device_name, ("SourceDeviceName", "SourceDomainName"), "source.domain", related="hosts"),
    # The documents have spelt addresses both ways.
    vendor("SourceIPAddress",        "ip",      "source.ip_address", told=True),
    Column("SourceIpAddress",        "ip",      told=True),
    rule(twice, ("SourceIPAddress", "SourceIpAddress"), "source.ip", "source.address", kind=("ip", "keyword"), related=("ip", None)),
    ecs("SourcePort",                "long",    "source.port", vendor="source.port"),
    vendor("TargetDeviceId",         "keyword", "target.device_id", related="hosts"),
    vendor("TargetDeviceName",       "keyword", "target.device_name",  told=True),
    vendor("TargetDomainName",       "keyword", "target.domain_name"),
    rule(device_name, ("TargetDeviceName", "TargetDomainName"), "destination.domain", related="hosts"),
    vendor("IPAddress",              "ip",      "ip_address", told=True),
    Column("IpAddress",              "ip",      told=True),
    rule(twice, ("IPAddress", "IpAddress"), "destination.ip", "destination.address", kind=("ip", "keyword"), related=("ip", None)),
    ecs("Port",                      "long",    "destination.port", vendor="port"),
    vendor("AuthenticationProtocol", "keyword", "authentication_protocol"),
    rule(authentication_protocol, ("AuthenticationProtocol",), "network.protocol"),
    vendor("Service",                "keyword", "service"),
    vendor("InterfaceUuid",          "keyword", "interface.uuid"),
    vendor("InterfaceFriendlyName",  "keyword", "interface.friendly_name"),
    ecs("FileName",                  "keyword", "file.name",    vendor="file.name"),
    rule(extension, ("FileName",), "file.extension"),
    vendor("ShareName",              "keyword", "share_name"),
    vendor("LogonType",              "keyword", "logon.type"),
    vendor("LogonId",                "keyword", "logon.id"),
    vendor("SessionId",              "keyword", "session_id"),
    vendor("CompromisedAccountCount", "long",   "compromised_account_count"),
    ecs("PolicyId",                  "keyword", "rule.id",      vendor="policy.id"),
    ecs("PolicyName",                "keyword", "rule.name",    vendor="policy.name"),
    ecs("PolicyVersion",             "keyword", "rule.version", vendor="policy.version"),
    vendor("PolicyHash",             "keyword", "policy.hash"),
    vendor("IsPolicyOn",             "boolean", "policy.is_on"),
    vendor("DataSources",            "keyword", "data_sources", many=True),
    vendor("ReportType",             "keyword", "report_type"),
)
# fmt: on
