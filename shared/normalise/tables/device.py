"""The Device* tables: what Defender for Endpoint sees on a machine.

Outside process events, `process` is the process that did it (InitiatingProcess*), `user` its account, and `process.parent` has what
is known of its parent; in process events `process` and `user` are the new process and its account, and the initiating process is
the parent (what public detection rules read).
"""

from __future__ import annotations

from shared.normalise.mapping import ecs, rule, table, vendor
from shared.normalise.rules.command_line import args, process_name
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.network import mac
from shared.normalise.rules.paths import directory, drive_letter, extension, full_path
from shared.normalise.rules.platform import device_os
from shared.normalise.rules.registry import data_strings, data_type, deleted, registry
from shared.normalise.rules.signature import file_signature
from shared.normalise.tables.device_rules import (
    adapter_addresses,
    logged_on_users,
    parent_working_directory,
    valid_addresses,
    working_directory,
)
from shared.normalise.tables.fragments import (
    ACCOUNT,
    ACCOUNT_LOCAL,
    ACTION,
    DEVICE,
    ENVELOPE,
    INITIATING_GRANDPARENT,
    INITIATING_LOGON,
    INITIATING_PARENT,
    INITIATING_PARENT_USER,
    INITIATING_PROCESS,
    INITIATING_PROCESS_USER,
    INITIATING_SIGNATURE,
    INITIATING_TOKEN,
    INITIATING_TOKEN_OF_PARENT,
    INITIATING_USER,
    alone,
    lower,
    os_type,
)


def mac_address(address: str | None) -> list[str] | None:
    """host.mac in ECS form, as a list."""
    return alone(mac(address))


IDENTITY = ("DeviceId", "ReportId", "Timestamp")
NOT_STREAMED_TWICE = "the same as LogonId, by the documents; never seen in a streamed record"

# fmt: off
FILE = (
    vendor("FolderPath", "keyword", "folder_path", told=True),
    rule(full_path, ("FolderPath", "FileName"), "file.path"),
    rule(directory, ("file.path",),             "file.directory"),
    rule(extension, ("FileName",),              "file.extension"),
    rule(drive_letter, ("file.path",),          "file.drive_letter"),
    ecs("FileName", "keyword", "file.name",         vendor="file.name"),
    ecs("FileSize", "long",    "file.size",         vendor="file.size"),
    ecs("MD5",      "keyword", "file.hash.md5",     vendor="md5",    related="hash"),
    ecs("SHA1",     "keyword", "file.hash.sha1",    vendor="sha1",   related="hash"),
    ecs("SHA256",   "keyword", "file.hash.sha256",  vendor="sha256", related="hash"),
)
FILE_ORIGIN = (
    vendor("FileOriginUrl", "keyword", "file.origin_url"),
    vendor("FileOriginIP",  "ip",      "file.origin_ip", related="ip"),
)
POSIX_DIRECTORY = (rule(parent_working_directory, ("AdditionalFields",), "process.working_directory"),)
REMOTE_SESSION = (
    vendor("CreatedProcessSessionId",         "long",    "process.session_id"),
    vendor("IsProcessRemoteSession",          "boolean", "process.is_remote_session"),
    vendor("ProcessRemoteSessionDeviceName",  "keyword", "process.remote_session_device_name", related="hosts"),
    vendor("ProcessRemoteSessionIP",          "ip",      "process.remote_session_ip",          related="ip"),
)

# The new process of a process event; used by DeviceProcessEvents and by the one kind of DeviceEvents that is a process' start.
CREATED_PROCESS = (
    ecs("ProcessId",             "long",     "process.pid",          vendor="process.id"),
    vendor("FileName",           "keyword",  "file.name",            told=True),
    vendor("FolderPath",         "keyword",  "folder_path",          told=True),
    ecs("ProcessCommandLine",    "wildcard", "process.command_line", vendor="process.command_line"),
    ecs("ProcessCreationTime",   "date",     "process.start",        vendor="process.creation_time"),
    vendor("ProcessTokenElevation", "keyword", "process.token_elevation"),
    vendor("LogonId",            "keyword",  "logon.id"),
    vendor("FileSize",           "long",     "file.size"),
    ecs("MD5",                   "keyword",  "process.hash.md5",     vendor="md5",    related="hash"),
    ecs("SHA1",                  "keyword",  "process.hash.sha1",    vendor="sha1",   related="hash"),
    ecs("SHA256",                "keyword",  "process.hash.sha256",  vendor="sha256", related="hash"),
    rule(full_path, ("FolderPath", "FileName"), "process.executable"),
    rule(process_name, ("FileName", "process.executable", "ProcessCommandLine", "host.os.type"), "process.name"),
    rule(args, ("ProcessCommandLine", "host.os.type", "process.executable"), "process.args", "process.args_count",
         kind=("keyword", "long"), when="ProcessCommandLine"),
    rule(process_entity_id, ("DeviceId", "ProcessId", "ProcessCreationTime"), "process.entity_id"),
)

DEVICE_PROCESS_EVENTS = table(
    "DeviceProcessEvents", IDENTITY,
    ENVELOPE, DEVICE, ACTION,
    os_type(path="FolderPath", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName", additional_fields="AdditionalFields",
            parent_name="InitiatingProcessParentFileName", version_info="ProcessVersionInfoProductName",
            initiating_version_info="InitiatingProcessVersionInfoProductName", sid="AccountSid",
            initiating_sid="InitiatingProcessAccountSid", command_line="ProcessCommandLine"),
    *CREATED_PROCESS, *REMOTE_SESSION,
    vendor("ProcessUniqueId",                    "keyword", "process.unique_id"),
    ecs("ProcessIntegrityLevel",                 "keyword", "process.Ext.token.integrity_level_name", vendor="process.integrity_level"),
    ecs("ProcessVersionInfoCompanyName",         "keyword", "process.pe.company",            vendor="process.version_info_company_name"),
    ecs("ProcessVersionInfoFileDescription",     "keyword", "process.pe.description",        vendor="process.version_info_file_description"),
    ecs("ProcessVersionInfoOriginalFileName",    "keyword", "process.pe.original_file_name", vendor="process.version_info_original_file_name"),
    ecs("ProcessVersionInfoProductName",         "keyword", "process.pe.product",            vendor="process.version_info_product_name"),
    ecs("ProcessVersionInfoProductVersion",      "keyword", "process.pe.file_version",       vendor="process.version_info_product_version"),
    vendor("ProcessVersionInfoInternalFileName", "keyword", "process.version_info_internal_file_name"),
    rule(working_directory,        ("AdditionalFields",), "process.working_directory"),
    rule(parent_working_directory, ("AdditionalFields",), "process.parent.working_directory"),
    ACCOUNT.at("user"),
    INITIATING_PROCESS.at("process.parent"), INITIATING_GRANDPARENT, INITIATING_SIGNATURE.at("process.parent"),
    INITIATING_TOKEN_OF_PARENT, INITIATING_LOGON, INITIATING_PARENT_USER,
    unmapped={"LogonID": NOT_STREAMED_TWICE},
)

DEVICE_FILE_EVENTS = table(
    "DeviceFileEvents", IDENTITY,
    ENVELOPE, DEVICE, ACTION,
    os_type(path="FolderPath", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName", additional_fields="AdditionalFields",
            parent_name="InitiatingProcessParentFileName", initiating_version_info="InitiatingProcessVersionInfoProductName",
            initiating_sid="InitiatingProcessAccountSid", command_line="InitiatingProcessCommandLine"),
    *FILE, *FILE_ORIGIN, *POSIX_DIRECTORY,
    vendor("FileOriginReferrerUrl",        "keyword", "file.origin_referrer_url"),
    vendor("PreviousFileName",             "keyword", "previous.file_name"),
    vendor("PreviousFolderPath",           "keyword", "previous.folder_path"),
    vendor("RequestProtocol",              "keyword", "request.protocol", told=True),
    rule(lower, ("RequestProtocol",), "network.protocol"),
    ecs("RequestSourceIP",                 "ip",      "source.ip", "source.address", vendor="request.source_ip", related="ip"),
    ecs("RequestSourcePort",               "long",    "source.port", vendor="request.source_port"),
    vendor("RequestAccountName",           "keyword", "request.account_name", related="user"),
    vendor("RequestAccountDomain",         "keyword", "request.account_domain"),
    vendor("RequestAccountSid",            "keyword", "request.account_sid", related="user"),
    vendor("ShareName",                    "keyword", "share_name"),
    vendor("SensitivityLabel",             "keyword", "sensitivity.label"),
    vendor("SensitivitySubLabel",          "keyword", "sensitivity.sub_label"),
    vendor("IsAzureInfoProtectionApplied", "boolean", "is_azure_info_protection_applied"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"), INITIATING_USER,
    unmapped={"LogonID": NOT_STREAMED_TWICE},
)

DEVICE_IMAGE_LOAD_EVENTS = table(
    "DeviceImageLoadEvents", IDENTITY,
    ENVELOPE, DEVICE, ACTION.without("AdditionalFields"),
    os_type(path="FolderPath", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName",
            initiating_version_info="InitiatingProcessVersionInfoProductName", initiating_sid="InitiatingProcessAccountSid",
            command_line="InitiatingProcessCommandLine"),
    vendor("FolderPath",  "keyword", "folder_path", told=True),
    ecs("FileName",       "keyword", "dll.name", "file.name",               vendor="file.name"),
    ecs("FileSize",       "long",    "file.size", "dll.Ext.size",           vendor="file.size"),
    ecs("MD5",            "keyword", "dll.hash.md5", "file.hash.md5",       vendor="md5",    related="hash"),
    ecs("SHA1",           "keyword", "dll.hash.sha1", "file.hash.sha1",     vendor="sha1",   related="hash"),
    ecs("SHA256",         "keyword", "dll.hash.sha256", "file.hash.sha256", vendor="sha256", related="hash"),
    rule(full_path,    ("FolderPath", "FileName"), "file.path"),
    rule(full_path,    ("FolderPath", "FileName"), "dll.path"),
    rule(directory,    ("file.path",),             "file.directory"),
    rule(extension,    ("FileName",),              "file.extension"),
    rule(drive_letter, ("file.path",),             "file.drive_letter"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"), INITIATING_USER,
)

DEVICE_REGISTRY_EVENTS = table(
    "DeviceRegistryEvents", IDENTITY,
    ENVELOPE, DEVICE, ACTION.without("AdditionalFields"),
    rule(deleted, ("RegistryKey", "RegistryValueName", "PreviousRegistryKey", "PreviousRegistryValueName", "ActionType"), "#key", "#value"),
    os_type(registry_key="#key", initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName",
            initiating_version_info="InitiatingProcessVersionInfoProductName", initiating_sid="InitiatingProcessAccountSid"),
    vendor("RegistryKey",               "keyword",  "registry.key",        told=True),
    vendor("RegistryValueName",         "wildcard", "registry.value_name", told=True),
    vendor("RegistryValueType",         "keyword",  "registry.value_type", told=True),
    vendor("RegistryValueData",         "wildcard", "registry.value_data", told=True),
    vendor("PreviousRegistryKey",       "keyword",  "previous.registry_key"),
    vendor("PreviousRegistryValueName", "wildcard", "previous.registry_value_name"),
    vendor("PreviousRegistryValueData", "wildcard", "previous.registry_value_data"),
    rule(registry, ("#key", "#value", "RegistryValueType", "ActionType"),
         "registry.hive", "registry.key", "registry.value", "registry.path"),
    rule(data_type,    ("RegistryValueType",), "registry.data.type"),
    rule(data_strings, ("RegistryValueData", "RegistryValueType"), "registry.data.strings", kind="wildcard"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"), INITIATING_USER,
)

DEVICE_FILE_CERTIFICATE_INFO = table(
    "DeviceFileCertificateInfo", ("DeviceId", "ReportId", "Timestamp", "SHA1", "CertificateSerialNumber"),
    ENVELOPE, DEVICE,
    ecs("SHA1",                            "keyword", "file.hash.sha1", vendor="sha1", related="hash"),
    vendor("IsSigned",                     "boolean", "is_signed",      told=True),
    vendor("IsTrusted",                    "boolean", "is_trusted",     told=True),
    vendor("Signer",                       "keyword", "signer",         told=True),
    vendor("SignerHash",                   "keyword", "signer_hash", related="hash"),
    vendor("SignatureType",                "keyword", "signature_type"),
    vendor("Issuer",                       "keyword", "issuer",         told=True),
    vendor("IssuerHash",                   "keyword", "issuer_hash", related="hash"),
    vendor("IsRootSignerMicrosoft",        "boolean", "is_root_signer_microsoft"),
    vendor("CrlDistributionPointUrls",     "keyword", "crl_distribution_point_urls", many=True),
    ecs("CertificateSerialNumber",         "keyword", "file.x509.serial_number", vendor="certificate.serial_number"),
    ecs("CertificateCreationTime",         "date",    "file.x509.not_before",    vendor="certificate.creation_time"),
    ecs("CertificateExpirationTime",       "date",    "file.x509.not_after",     vendor="certificate.expiration_time"),
    ecs("CertificateCountersignatureTime", "date",    "file.code_signature.timestamp", vendor="certificate.countersignature_time"),
    rule(file_signature, ("IsSigned", "IsTrusted", "Signer"),
         "file.code_signature.exists", "file.code_signature.valid", "file.code_signature.trusted", "file.code_signature.subject_name",
         kind=("boolean", "boolean", "boolean", "keyword")),
    rule(alone, ("Issuer",), "file.x509.issuer.common_name"),
    rule(alone, ("Signer",), "file.x509.subject.common_name"),
    action=None,
)

DEVICE_INFO = table(
    "DeviceInfo", IDENTITY,
    ENVELOPE, DEVICE,
    ecs("OSArchitecture",  "keyword", "host.architecture",     vendor="os.architecture"),
    vendor("OSPlatform",   "keyword", "os.platform",     told=True),
    vendor("OSVersion",    "keyword", "os.version",      told=True),
    vendor("OSVersionInfo", "keyword", "os.version_info"),
    vendor("OSDistribution", "keyword", "os.distribution", told=True),
    vendor("OSBuild",      "keyword", "os.build",        told=True),
    vendor("OsBuildRevision", "keyword", "os.build_revision"),
    rule(device_os, ("OSPlatform", "OSDistribution", "OSVersion", "OSBuild"),
         "host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full"),
    vendor("PublicIP",     "ip",      "public_ip.value", told=True, related="ip"),
    rule(alone, ("PublicIP",), "host.ip", kind="ip"),
    ecs("ClientVersion",   "keyword", "observer.version",      vendor="client_version"),
    ecs("DeviceCategory",  "keyword", "observer.type",         vendor="device.category"),
    ecs("DeviceType",      "keyword", "host.type",             vendor="device.type"),
    vendor("DeviceSubtype", "keyword", "device.sub_type"),
    ecs("Model",           "keyword", "device.model.name",     vendor="model"),
    ecs("Vendor",          "keyword", "device.manufacturer",   vendor="vendor"),
    vendor("IsAzureADJoined",    "boolean", "is_azure_ad_joined"),
    vendor("JoinType",           "keyword", "join_type"),
    vendor("AadDeviceId",        "keyword", "aad_device_id"),
    vendor("LoggedOnUsers",      "flattened", "logged_on_users"),
    rule(logged_on_users, ("LoggedOnUsers",), "~active_users", related="user"),
    vendor("RegistryDeviceTag",  "keyword", "registry.device_tag"),
    vendor("OnboardingStatus",   "keyword", "onboarding_status"),
    vendor("AdditionalFields",   "flattened", "additional_fields"),
    vendor("MergedDeviceIds",    "keyword", "merged_device_ids", many=True),
    vendor("MergedToDeviceId",   "keyword", "merged_to_device_id"),
    vendor("IsInternetFacing",   "boolean", "is_internet_facing"),
    vendor("SensorHealthState",  "keyword", "sensor_health_state"),
    vendor("IsExcluded",         "boolean", "is_excluded"),
    vendor("ExclusionReason",    "keyword", "exclusion_reason"),
    vendor("ExposureLevel",      "keyword", "exposure_level"),
    vendor("AssetValue",         "keyword", "asset_value"),
    vendor("DeviceManualTags",   "keyword", "device_manual_tags", many=True),
    vendor("DeviceDynamicTags",  "keyword", "device_dynamic_tags", many=True),
    vendor("ConnectivityType",   "keyword", "connectivity_type"),
    vendor("HostDeviceId",       "keyword", "host_device_id"),
    vendor("AzureResourceId",    "keyword", "azure_resource_id"),
    vendor("AwsResourceName",    "keyword", "aws_resource_name"),
    vendor("GcpFullResourceName", "keyword", "gcp_full_resource_name"),
    vendor("HardwareUuid",       "keyword", "hardware_uuid"),
    vendor("CloudPlatforms",     "keyword", "cloud_platforms", many=True),
    vendor("AzureVmId",          "keyword", "azure_vm_id"),
    vendor("AzureVmSubscriptionId", "keyword", "azure_vm_subscription_id"),
    vendor("IsTransient",        "boolean", "is_transient"),
    vendor("MitigationStatus",   "flattened", "mitigation_status"),
    vendor("Site",               "keyword", "site"),
    vendor("DiscoverySources",   "keyword", "discovery_sources", many=True),
    vendor("DeviceObjectId",     "keyword", "device.object_id"),
    vendor("RestrictedDeviceSecurityOperations", "keyword", "restricted_device_security_operations", many=True),
    action=None,
)

DEVICE_NETWORK_INFO = table(
    "DeviceNetworkInfo", (*IDENTITY, "NetworkAdapterName", "MacAddress"),
    ENVELOPE, DEVICE,
    vendor("NetworkAdapterName",      "keyword",   "network.adapter_name"),
    vendor("NetworkAdapterType",      "keyword",   "network.adapter_type"),
    vendor("NetworkAdapterStatus",    "keyword",   "network.adapter_status"),
    vendor("NetworkAdapterVendor",    "keyword",   "network.adapter_vendor"),
    vendor("NetworkAdapterDnsSuffix", "keyword",   "network.adapter_dns_suffix"),
    vendor("MacAddress",              "keyword",   "mac_address",  told=True),
    vendor("TunnelType",              "keyword",   "tunnel_type"),
    vendor("ConnectedNetworks",       "flattened", "connected_networks"),
    vendor("DnsAddresses",            "keyword",   "dns_addresses",    many=True),
    vendor("DefaultGateways",         "keyword",   "default_gateways", many=True),
    vendor("IPAddresses",             "flattened", "ip_addresses"),
    vendor("IPv4Dhcp",                "ip",        "ipv4_dhcp", related="ip"),
    vendor("IPv6Dhcp",                "ip",        "ipv6_dhcp", related="ip"),
    vendor("OnboardingStatus",        "keyword",   "onboarding_status"),
    rule(mac_address,       ("MacAddress",),   "host.mac"),
    rule(adapter_addresses, ("IPAddresses",),  "host.ip", kind="ip", related="ip"),
    rule(valid_addresses,   ("DnsAddresses",),    "#dns_servers", kind="ip", related="ip"),
    rule(valid_addresses,   ("DefaultGateways",), "#gateways",    kind="ip", related="ip"),
    action=None,
)

DEVICE_LOGON_EVENTS = table(
    "DeviceLogonEvents", IDENTITY,
    ENVELOPE, DEVICE, ACTION,
    os_type(initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName", additional_fields="AdditionalFields",
            parent_name="InitiatingProcessParentFileName", initiating_version_info="InitiatingProcessVersionInfoProductName",
            sid="AccountSid", initiating_sid="InitiatingProcessAccountSid", command_line="InitiatingProcessCommandLine",
            logon_protocol="Protocol"),
    ACCOUNT_LOCAL.at("user"),
    vendor("LogonType",        "keyword", "logon.type"),
    vendor("LogonId",          "keyword", "logon.id"),
    vendor("IsLocalAdmin",     "boolean", "is_local_admin"),
    ecs("FailureReason",       "keyword", "event.reason", vendor="failure_reason"),
    vendor("Protocol",         "keyword", "protocol", told=True),
    rule(lower, ("Protocol",), "network.protocol"),
    ecs("RemoteIP",            "ip",      "source.ip", "source.address", vendor="remote.ip", related="ip"),
    ecs("RemotePort",          "long",    "source.port", vendor="remote.port"),
    ecs("RemoteDeviceName",    "keyword", "source.domain", vendor="remote.device_name", related="hosts"),
    vendor("RemoteIPType",     "keyword", "remote.ip_type"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"), INITIATING_PROCESS_USER,
)
