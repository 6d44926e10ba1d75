"""AlertInfo and AlertEvidence: an alert, and one row for each entity that it is about."""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.rules.command_line import args
from shared.normalise.rules.mitre import framework, tactics, techniques
from shared.normalise.rules.paths import directory, drive_letter, extension, full_path
from shared.normalise.rules.registry import data_strings, registry
from shared.normalise.rules.severity import severity
from shared.normalise.tables.evidence_rules import (
    MAIL_FIELDS,
    MAIL_KINDS,
    MAIL_RELATED,
    PROCESS_FIELDS,
    PROCESS_KINDS,
    mail,
    process,
    told_platform,
)
from shared.normalise.tables.fragments import ACCOUNT, DEVICE, ENVELOPE, lower, os_type
from shared.normalise.tables.network_rows import url_rule

CLOUD_PROVIDERS = {
    "azure": "azure",
    "amazon web services": "aws",
    "aws": "aws",
    "google cloud platform": "gcp",
    "gcp": "gcp",
}


def cloud_provider(platform: str | None) -> str | None:
    """CloudPlatform -> cloud.provider in ECS' words (azure, aws, gcp); others as sent, in lower case."""
    return None if platform is None else CLOUD_PROVIDERS.get(platform.lower(), platform.lower())


def process_image(entity: str | None, *image: str | None) -> tuple[str | None, ...]:
    """The file of a Process entity is the process' image: process.(name, executable, hash.sha1, hash.sha256)."""
    return image if entity == "Process" else (None, None, None, None)


# fmt: off
ALERT = Fragment((
    ecs("AlertId",              "keyword", "event.id",             vendor="alert.id"),
    ecs("Title",                "keyword", "message", "rule.name", vendor="title"),
    ecs("ServiceSource",        "keyword", "event.provider",       vendor="service_source"),
    vendor("DetectionSource",   "keyword", "detection.source"),
    Column("Severity",          "keyword", told=True),
    vendor("AttackTechniques",  "keyword", "attack_techniques", many=True),
    vendor("MachineGroup",      "keyword", "machine_group"),
), (
    rule(severity,   ("Severity",), "event.severity", kind="long"),
    rule(lower,      ("Severity",), "~severity"),
    rule(techniques, ("AttackTechniques",), "#framework",
         "threat.technique.id", "threat.technique.name", "threat.technique.reference",
         "threat.technique.subtechnique.id", "threat.technique.subtechnique.name", "threat.technique.subtechnique.reference",
         when="AttackTechniques"),
))

ALERT_INFO = table(
    "AlertInfo", ("AlertId", "Timestamp"),
    ENVELOPE, ALERT,
    vendor("Category", "keyword", "alert.category"),
    rule(tactics, ("Category",), "threat.tactic.id", "threat.tactic.name", "threat.tactic.reference"),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    action="Category",
)

# What an alert or a behaviour is about: the entity's columns, of which EntityType says which are filled.
ENTITY = (
    ecs("FileName",              "keyword",   "file.name",        vendor="file.name"),
    vendor("FolderPath",         "keyword",   "folder_path",      told=True),
    ecs("FileSize",              "long",      "file.size",        vendor="file.size"),
    ecs("SHA1",                  "keyword",   "file.hash.sha1",   vendor="sha1",   related="hash"),
    ecs("SHA256",                "keyword",   "file.hash.sha256", vendor="sha256", related="hash"),
    rule(full_path,    ("FolderPath", "FileName"), "file.path"),
    rule(directory,    ("file.path",),             "file.directory"),
    rule(extension,    ("FileName",),              "file.extension"),
    rule(drive_letter, ("file.path",),             "file.drive_letter"),
    rule(process_image, ("EntityType", "FileName", "file.path", "SHA1", "SHA256"),
         "process.name", "process.executable", "process.hash.sha1", "process.hash.sha256"),
    ecs("ProcessCommandLine",    "wildcard",  "process.command_line", vendor="process.command_line"),
    rule(args, ("ProcessCommandLine", "host.os.type", "process.executable"), "process.args", "process.args_count",
         kind=("keyword", "long"), when="ProcessCommandLine"),
    ACCOUNT.at("user"),
    ecs("LocalIP",               "ip",        "source.ip", "source.address",           vendor="local.ip",   related="ip"),
    ecs("RemoteIP",              "ip",        "destination.ip", "destination.address", vendor="remote.ip",  related="ip"),
    vendor("RemoteUrl",          "keyword",   "remote.url", told=True),
    url_rule("RemoteUrl"),
    ecs("NetworkMessageId",      "keyword",   "email.local_id",   vendor="network.message_id"),
    ecs("EmailSubject",          "keyword",   "email.subject",    vendor="email.subject"),
    vendor("Application",        "keyword",   "application"),
    vendor("ApplicationId",      "keyword",   "application_id"),
    vendor("OAuthApplicationId", "keyword",   "oauth_application_id"),
    vendor("RegistryKey",        "keyword",   "registry.key",        told=True),
    vendor("RegistryValueName",  "wildcard",  "registry.value_name", told=True),
    vendor("RegistryValueData",  "wildcard",  "registry.value_data", told=True),
    rule(registry, ("RegistryKey", "RegistryValueName"), "registry.hive", "registry.key", "registry.value", "registry.path"),
    rule(data_strings, ("RegistryValueData", ""), "registry.data.strings", kind="wildcard"),
)

ALERT_EVIDENCE = table(
    "AlertEvidence", ("AlertId", "Timestamp", "EntityType", "EvidenceRole"),
    ENVELOPE, ALERT, DEVICE.without("ReportId", "MachineGroup"),
    rule(told_platform, ("EntityType", "AdditionalFields"), "#platform"),
    os_type(platform="#platform", registry_key="RegistryKey", path="FolderPath", additional_fields="AdditionalFields", sid="AccountSid",
            command_line="ProcessCommandLine"),
    vendor("Categories",         "keyword",   "alert.categories", many=True),
    rule(tactics, ("Categories",), "threat.tactic.id", "threat.tactic.name", "threat.tactic.reference"),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    vendor("EntityType",         "keyword",   "entity_type"),
    vendor("EvidenceRole",       "keyword",   "evidence.role"),
    vendor("EvidenceDirection",  "keyword",   "evidence.direction"),
    vendor("ThreatFamily",       "keyword",   "threat.family"),
    vendor("AdditionalFields",   "flattened", "additional_fields"),
    *ENTITY,
    rule(process, ("EntityType", "AdditionalFields"), *PROCESS_FIELDS, kind=PROCESS_KINDS, when="AdditionalFields"),
    rule(mail,    ("EntityType", "AdditionalFields"), *MAIL_FIELDS,    kind=MAIL_KINDS, related=MAIL_RELATED, when="AdditionalFields"),
    vendor("CloudResource",      "keyword",   "cloud_resource"),
    vendor("CloudPlatform",      "keyword",   "cloud_platform",   told=True),
    rule(cloud_provider, ("CloudPlatform",), "cloud.provider"),
    vendor("ResourceType",       "keyword",   "resource_type"),
    vendor("ResourceID",         "keyword",   "resource_id"),
    ecs("SubscriptionId",        "keyword",   "cloud.account.id", vendor="subscription_id"),
    action="EntityType",
)
# fmt: on
