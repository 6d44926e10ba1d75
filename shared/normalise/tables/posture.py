"""The posture tables of Defender Vulnerability Management: how devices are configured, and the checks that they are held against.

All are snapshots (event.kind `state`). A check is rule.*, what it found result.evaluation and event.outcome, the device host.* and resource.*:
the fields that Kibana's misconfiguration findings read. KB tables and baseline profiles describe checks, without a device.
"""

from __future__ import annotations

from shared.normalise.mapping import Fragment, ecs, rule, table, vendor
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, framework, techniques
from shared.normalise.tables.fragments import ENVELOPE, os_type
from shared.normalise.tables.posture_rules import NAME_FIELDS, evaluation, related_tactics, system_model, x509_name
from shared.normalise.tables.snapshot_rows import (
    ASSESSED_DEVICE,
    DEVICE_ID,
    INVENTORIED_DEVICE,
    PLATFORM,
    PLATFORM_AND_VERSION,
    snapshot,
)

# fmt: off
CONFIGURATION = Fragment((
    ecs("ConfigurationId",          "keyword", "rule.id",       vendor="configuration.id"),
    ecs("ConfigurationCategory",    "keyword", "rule.category", vendor="configuration.category"),
))
CONFIGURATION_SCORE = Fragment((
    vendor("ConfigurationSubcategory", "keyword", "configuration.sub_category"),
    # Its weight in the configuration score, 1 to 10: neither the severity nor the risk of what was found.
    vendor("ConfigurationImpact",      "double",  "configuration.impact"),
))
# What a check is, in words.
CONFIGURATION_TEXT = Fragment((
    ecs("ConfigurationName",        "keyword", "rule.name", "message", vendor="configuration.name"),
    ecs("ConfigurationDescription", "text",    "rule.description",     vendor="configuration.description"),
    ecs("RemediationOptions",       "text",    "rule.remediation",     vendor="configuration.remediation_options"),
))
# Values as they stand in the benchmark (`Equals '1'`) and on the device.
EXPECTED_VALUE = Fragment((
    vendor("Source",                "keyword", "configuration.source",            many=True),
    vendor("RecommendedValue",      "keyword", "configuration.recommended_value", many=True),
))

SECURE_CONFIGURATION_ASSESSMENT = table(
    "DeviceTvmSecureConfigurationAssessment", ("DeviceId", "ConfigurationId", "Timestamp"),
    ENVELOPE, ASSESSED_DEVICE, PLATFORM, CONFIGURATION, CONFIGURATION_SCORE,
    vendor("IsCompliant",           "boolean",   "is_compliant"),
    vendor("IsApplicable",          "boolean",   "is_applicable"),
    rule(evaluation, ("IsCompliant", "IsApplicable", ""), "result.evaluation", "event.outcome"),
    vendor("Context",               "flattened", "configuration.context"),
    vendor("IsExpectedUserImpact",  "boolean",   "configuration.is_expected_user_impact"),
    action=None,
)

SECURE_CONFIGURATION_ASSESSMENT_KB = table(
    "DeviceTvmSecureConfigurationAssessmentKB", ("ConfigurationId",),
    snapshot(), CONFIGURATION, CONFIGURATION_SCORE, CONFIGURATION_TEXT,
    ecs("RiskDescription",           "text",      "rule.impact", vendor="configuration.risk_description"),
    vendor("ConfigurationBenchmarks", "flattened", "configuration.benchmarks"),
    vendor("Tags",                   "keyword",   "configuration.tags",                     many=True),
    vendor("RelatedMitreTactics",    "keyword",   "configuration.related_mitre_tactics",    many=True),
    vendor("RelatedMitreTechniques", "keyword",   "configuration.related_mitre_techniques", many=True),
    rule(related_tactics, ("RelatedMitreTactics",),    *TACTIC_FIELDS),
    rule(techniques,      ("RelatedMitreTechniques",), "#framework", *TECHNIQUE_FIELDS[1:]),
    rule(framework, ("#framework", "threat.tactic.id"), "threat.framework"),
    action=None,
)

BASELINE_COMPLIANCE_ASSESSMENT = table(
    "DeviceBaselineComplianceAssessment", ("DeviceId", "ConfigurationId", "ProfileId"),
    snapshot("Timestamp"), ASSESSED_DEVICE, PLATFORM_AND_VERSION, CONFIGURATION.without("ConfigurationCategory"), EXPECTED_VALUE,
    vendor("ProfileId",     "keyword", "profile.id"),
    vendor("CurrentValue",  "keyword", "configuration.current_value", many=True),
    vendor("IsCompliant",   "boolean", "is_compliant"),
    vendor("IsApplicable",  "boolean", "is_applicable"),
    vendor("IsExempt",      "boolean", "is_exempt"),
    rule(evaluation, ("IsCompliant", "IsApplicable", "IsExempt"), "result.evaluation", "event.outcome"),
    action=None,
)

BASELINE_COMPLIANCE_ASSESSMENT_KB = table(
    "DeviceBaselineComplianceAssessmentKB", ("ConfigurationId",),
    snapshot(), CONFIGURATION, CONFIGURATION_TEXT, EXPECTED_VALUE,
    ecs("ConfigurationRationale",    "text",      "rule.impact",  vendor="configuration.rationale"),
    ecs("ConfigurationBenchmark",    "keyword",   "rule.ruleset", vendor="configuration.benchmark"),
    vendor("BenchmarkProfileLevels", "flattened", "configuration.benchmark_profile_levels"),
    vendor("CCEReference",           "keyword",   "configuration.cce_reference"),
    action=None,
)

# A profile is a set of checks; its platform is what it is meant for, not a host's.
BASELINE_COMPLIANCE_PROFILES = table(
    "DeviceBaselineComplianceProfiles", ("ProfileId", "LastUpdatedOn"),
    snapshot("LastUpdatedOn", "CreatedOn"),
    vendor("ProfileId",              "keyword", "profile.id"),
    ecs("ProfileName",               "keyword", "rule.ruleset",     vendor="profile.name"),
    ecs("ProfileDescription",        "text",    "message",          vendor="profile.description"),
    vendor("OSPlatform",             "keyword", "os.platform", many=True),
    vendor("OSVersion",              "keyword", "os.version"),
    vendor("BaseBenchmark",          "keyword", "profile.base_benchmark"),
    vendor("BenchmarkVersion",       "keyword", "profile.benchmark_version"),
    vendor("BenchmarkProfileLevel",  "keyword", "profile.benchmark_level"),
    vendor("Status",                 "boolean", "profile.is_active"),
    ecs("CreatedBy",                 "keyword", "rule.author",      vendor="profile.created_by", related="user", many=True),
    vendor("CreatedOn",              "date",    "profile.created_on"),
    vendor("LastUpdatedBy",          "keyword", "profile.last_updated_by", related="user"),
    vendor("LastUpdatedOn",          "date",    "profile.last_updated_on"),
    action=None,
)

# A certificate in a store or file of the device. Its thumbprint is the hash of the certificate, not of a file: no file.hash.
CERTIFICATE_INFO = table(
    "DeviceTvmCertificateInfo", ("DeviceId", "Thumbprint", "Path"),
    snapshot("Timestamp"), DEVICE_ID, os_type(path="Path"),
    vendor("Thumbprint",       "keyword",   "certificate.thumbprint", related="hash"),
    vendor("Path",             "keyword",   "certificate.path"),
    ecs("SerialNumber",        "keyword",   "file.x509.serial_number",       vendor="certificate.serial_number"),
    vendor("IssuedTo",         "flattened", "certificate.issued_to"),
    vendor("IssuedBy",         "flattened", "certificate.issued_by"),
    rule(x509_name, ("IssuedTo",), *(f"file.x509.subject.{part}" for part in NAME_FIELDS)),
    rule(x509_name, ("IssuedBy",), *(f"file.x509.issuer.{part}"  for part in NAME_FIELDS)),
    vendor("FriendlyName",     "keyword",   "certificate.friendly_name"),
    ecs("SignatureAlgorithm",  "keyword",   "file.x509.signature_algorithm", vendor="certificate.signature_algorithm"),
    ecs("KeySize",             "long",      "file.x509.public_key_size",     vendor="certificate.key_size"),
    ecs("IssueDate",           "date",      "file.x509.not_before",          vendor="certificate.creation_time"),
    ecs("ExpirationDate",      "date",      "file.x509.not_after",           vendor="certificate.expiration_time"),
    vendor("SubjectType",      "keyword",   "certificate.subject_type"),
    vendor("KeyUsage",         "keyword",   "certificate.key_usage",          many=True),
    vendor("ExtendedKeyUsage", "keyword",   "certificate.extended_key_usage", many=True),
    action=None,
)

HARDWARE_FIRMWARE = table(
    "DeviceTvmHardwareFirmware", ("DeviceId", "ComponentType", "Manufacturer", "ComponentName", "ComponentVersion"),
    snapshot("Timestamp"), INVENTORIED_DEVICE,
    vendor("ComponentType",    "keyword",   "component.type"),
    vendor("Manufacturer",     "keyword",   "component.manufacturer"),
    vendor("ComponentName",    "keyword",   "component.name"),
    vendor("ComponentFamily",  "keyword",   "component.family"),
    vendor("ComponentVersion", "keyword",   "component.version"),
    rule(system_model, ("ComponentType", "Manufacturer", "ComponentName"), "device.manufacturer", "device.model.name"),
    vendor("AdditionalFields", "flattened", "additional_fields"),
    action=None,
)

INFO_GATHERING = table(
    "DeviceTvmInfoGathering", ("DeviceId", "Timestamp"),
    ENVELOPE, INVENTORIED_DEVICE, PLATFORM,
    vendor("LastSeenTime",     "date",      "last_seen_time"),
    vendor("AdditionalFields", "flattened", "additional_fields"),
    action=None,
)

# What the keys of DeviceTvmInfoGathering's AdditionalFields mean.
INFO_GATHERING_KB = table(
    "DeviceTvmInfoGatheringKB", ("IgId", "FieldName"),
    snapshot(),
    vendor("IgId",          "keyword", "information.id"),
    vendor("FieldName",     "keyword", "information.field_name"),
    ecs("Description",      "text",    "message", vendor="information.description"),
    vendor("Categories",    "keyword", "information.categories", many=True),
    vendor("DataStructure", "keyword", "information.data_structure"),
    action=None,
)
# fmt: on
