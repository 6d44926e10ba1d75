"""The Cloud* tables: what Defender for Cloud Apps sees in cloud apps, and Defender for Cloud in control planes, clusters and storage.

The client's address is `source`, never `host`: the record is about an app or a resource that it reached. A container's node is `host`,
its cluster and pod are `orchestrator`, the account or subscription `cloud`.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.command_line import args
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.tables.behavior_rules import duration
from shared.normalise.tables.cloud_app_rules import (
    audit_actor,
    audit_outcome,
    client_os,
    cloud_actor,
    cloud_file,
    cloud_target,
    object_url,
)
from shared.normalise.tables.cloud_rules import (
    audit_orchestrator,
    cloud_place,
    container_image,
    container_os,
    container_process,
    container_process_id,
    dns_protocol,
    dns_type,
    kubernetes,
    linux_account,
    md5_hashes,
    nanoseconds,
    parent_process,
    storage_client,
    storage_outcome,
    storage_period,
)
from shared.normalise.tables.fragments import ENVELOPE, first, host_names
from shared.normalise.tables.identity_rules import dashed, provider
from shared.normalise.tables.network_rows import hosts_of, kinds

PLACE = (
    "cloud.provider", "cloud.account.id", "cloud.project.id", "cloud.region", "cloud.availability_zone",
    "orchestrator.cluster.id", "orchestrator.cluster.name",
)  # fmt: skip
FILE = ("file.name", "file.extension", "file.path", "file.directory", "file.size", "file.hash.sha1", "file.hash.sha256")

# fmt: off
ACTION = Fragment((
    vendor("ActionType",       "keyword",   "action.type", told=True),
    vendor("AdditionalFields", "flattened", "additional_fields"),
    ecs("ReportId",            "keyword",   "event.id",    vendor="report_id"),
), (
    rule(dashed, ("ActionType",), "event.action"),
))

# The stream writes ISP, the documents Isp.
CLIENT = Fragment((
    ecs("IPAddress",         "ip",      "source.ip", "source.address", vendor="ip_address", related="ip"),
    vendor("IsAnonymousProxy", "boolean", "is_anonymous_proxy"),
    ecs("CountryCode",       "keyword", "source.geo.country_iso_code", vendor="country_code"),
    ecs("City",              "keyword", "source.geo.city_name",        vendor="city"),
    Column("ISP",            "keyword", told=True),
    Column("Isp",            "keyword", told=True),
    ecs("UserAgent",         "keyword", "user_agent.original",         vendor="user_agent"),
), (
    rule(first,    ("ISP", "Isp"), "~isp"),
    rule(provider, ("~isp",),      "source.as.organization.name"),
))

RESOURCE = Fragment((
    vendor("AzureResourceId",     "keyword", "azure_resource_id"),
    vendor("AwsResourceName",     "keyword", "aws_resource_name"),
    vendor("GcpFullResourceName", "keyword", "gcp_full_resource_name"),
))

CONTAINER = Fragment((
    ecs("ContainerId",         "keyword", "container.id",               vendor="container_id"),
    ecs("ContainerName",       "keyword", "container.name",             vendor="container_name"),
    ecs("KubernetesNamespace", "keyword", "orchestrator.namespace",     vendor="kubernetes_namespace"),
    ecs("KubernetesPodName",   "keyword", "orchestrator.resource.name", vendor="kubernetes_pod_name"),
    vendor("KubernetesResource", "keyword", "kubernetes_resource"),
), (
    rule(kubernetes, ("KubernetesNamespace", "KubernetesPodName", "KubernetesResource", "orchestrator.cluster.id"),
         "orchestrator.type", "orchestrator.resource.type"),
))

CLOUD_APP_EVENTS = table(
    "CloudAppEvents", ("ReportId", "Timestamp", "ActionType"),
    ENVELOPE, ACTION, CLIENT,
    vendor("Application",          "keyword",   "application"),
    vendor("ApplicationId",        "keyword",   "application_id"),
    vendor("AppInstanceId",        "long",      "app_instance_id"),
    vendor("OAuthAppId",           "keyword",   "oauth_application_id"),
    rule(first, ("Application",), "event.provider"),
    vendor("AccountObjectId",      "keyword",   "account.object_id", related="user"),
    vendor("AccountId",            "keyword",   "account.id",        related="user"),
    ecs("AccountDisplayName",      "keyword",   "user.full_name", vendor="account.display_name"),
    vendor("AccountType",          "keyword",   "account.type"),
    rule(cloud_actor, ("RawEventData", "AccountId", "AccountObjectId", "AccountDisplayName", "AccountType", "OAuthAppId"),
         "user.name", "user.domain", "user.email", "user.id", "#full_name", "#acted_for", related=("user", None, "user", "user", "user", "user")),
    rule(cloud_target, ("RawEventData", "ActivityObjects", "user.name", "user.email", "user.id", "#acted_for"),
         "user.target.name", "user.target.domain", "user.target.email", "user.target.id", "user.target.full_name", "group.name", "group.id",
         related=("user", None, "user", "user", "user", None, None)),
    vendor("IsAdminOperation",     "boolean",   "is_admin_operation"),
    vendor("IsExternalUser",       "boolean",   "is_external_user"),
    vendor("IsImpersonated",       "boolean",   "is_impersonated"),
    ecs("DeviceType",              "keyword",   "host.type", vendor="device.type"),
    vendor("OSPlatform",           "keyword",   "os.platform", told=True),
    rule(client_os, ("OSPlatform",),
         "host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full"),
    vendor("ActivityType",         "keyword",   "activity.type"),
    vendor("ActivityObjects",      "flattened", "activity.objects"),
    vendor("ObjectName",           "keyword",   "object.name"),
    vendor("ObjectType",           "keyword",   "object.type"),
    vendor("ObjectId",             "keyword",   "object.id"),
    rule(cloud_file, ("ObjectType", "ObjectName", "RawEventData"), *FILE,
         kind=("keyword", "keyword", "keyword", "keyword", "long", "keyword", "keyword"), related=(*(None,) * 5, "hash", "hash")),
    rule(object_url, ("ObjectId", "ObjectName", "RawEventData"), *URL_FIELDS, kind=kinds(URL_FIELDS), related=hosts_of(URL_FIELDS)),
    vendor("IPTags",               "keyword",   "ip_tags", many=True),
    vendor("IPCategory",           "keyword",   "ip_category"),
    vendor("UserAgentTags",        "keyword",   "user_agent_tags", many=True),
    vendor("RawEventData",         "flattened", "raw_event_data"),
    rule(audit_outcome, ("RawEventData", "event.outcome"), "event.outcome", "event.reason"),
    vendor("LastSeenForUser",      "flattened", "last_seen_for_user"),
    vendor("UncommonForUser",      "keyword",   "uncommon_for_user", many=True),
    vendor("AuditSource",          "keyword",   "audit_source"),
    vendor("SessionData",          "flattened", "session_data"),
)

# ActionType only says created, read, …; what was done says OperationName, and that is event.action. The stream has three columns for the
# resource, the documents ResourceId and Log Analytics CloudResourceId.
CLOUD_AUDIT_EVENTS = table(
    "CloudAuditEvents", ("ReportId",),
    ENVELOPE, CLIENT, RESOURCE,
    vendor("ActionType",       "keyword",   "action.type"),
    vendor("AdditionalFields", "flattened", "additional_fields"),
    ecs("ReportId",            "keyword",   "event.id", vendor="report_id"),
    rule(first, ("OperationName", "ActionType"), "#operation"),
    rule(dashed, ("#operation",), "event.action"),
    vendor("DataSource",      "keyword",   "data_source"),
    vendor("AuditSource",     "keyword",   "audit_source"),
    vendor("OperationName",   "keyword",   "properties_operation_name"),
    Column("ResourceId",      "keyword",   told=True),
    Column("CloudResourceId", "keyword",   told=True),
    vendor("RawEventData",    "flattened", "raw_event_data"),
    vendor("Account",         "keyword",   "account.name", told=True),
    rule(first, ("ResourceId", "CloudResourceId"), "~resource_id"),
    rule(cloud_place, ("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "~resource_id", "", "", "DataSource"), *PLACE),
    rule(audit_orchestrator, ("DataSource", "orchestrator.cluster.id"), "orchestrator.type"),
    rule(audit_actor, ("Account", "RawEventData"), "user.name", "user.domain", "user.email", "user.id", related=("user", None, "user", "user")),
    rule(audit_outcome, ("RawEventData", "event.outcome"), "event.outcome", "event.reason"),
)

CLOUD_DNS_EVENTS = table(
    "CloudDnsEvents", ("ReportId", "Timestamp"),
    ENVELOPE, ACTION, RESOURCE,
    vendor("Region",             "keyword", "region", told=True),
    rule(cloud_place, ("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "", "", "Region"), *PLACE),
    CONTAINER,
    vendor("HostName",           "keyword", "host_name", told=True),
    rule(host_names, ("HostName",), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
    vendor("ImageName",          "keyword", "container_image_name", told=True),
    vendor("ImageDigest",        "keyword", "image_digest", told=True),
    rule(container_image, ("ImageName", "ImageDigest"), "container.image.name", "container.image.tag", "container.image.hash.all"),
    vendor("ProcessName",        "keyword", "process_name"),
    rule(container_process, ("ProcessName", "", ""), "process.name", "process.executable"),
    ecs("ProcessId",             "long",    "process.pid",        vendor="process.id"),
    rule(container_os, ("", "", "", "ProcessName"), "host.os.type"),
    ecs("DnsQuery",              "keyword", "dns.question.name",  vendor="dns.query", related="hosts"),
    ecs("DnsQueryTypeName",      "keyword", "dns.question.type",  vendor="dns.qtype_name"),
    ecs("DnsResponseCodeName",   "keyword", "dns.response_code",  vendor="dns.rcode_name"),
    ecs("TransactionIdHex",      "keyword", "dns.id",             vendor="dns.transaction_id"),
    vendor("DnsEventType",       "keyword", "dns.event_type"),
    vendor("DnsEventSubType",    "keyword", "dns.event_sub_type"),
    rule(dns_type, ("DnsEventType", "DnsEventSubType"), "dns.type"),
    rule(dns_protocol, ("DnsQuery", "dns.type"), "network.protocol"),
    vendor("DnsNetworkDuration", "long",    "dns.network_duration", told=True),
    rule(nanoseconds, ("DnsNetworkDuration",), "event.duration", kind="long"),
)

CLOUD_POLICY_ENFORCEMENT_EVENTS = table(
    "CloudPolicyEnforcementEvents", ("ReportId",),
    ENVELOPE, ACTION, RESOURCE,
    vendor("DataSource",       "keyword", "data_source"),
    vendor("SubscriptionId",   "keyword", "subscription_id"),
    vendor("Region",           "keyword", "region", told=True),
    rule(cloud_place, ("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "", "SubscriptionId", "Region", "DataSource"), *PLACE),
    ecs("ResourceKind",        "keyword", "orchestrator.resource.type", vendor="resource_type"),
    ecs("ResourceName",        "keyword", "orchestrator.resource.name", vendor="resource_name"),
    ecs("KubernetesNamespace", "keyword", "orchestrator.namespace",     vendor="kubernetes_namespace"),
    rule(kubernetes, ("KubernetesNamespace", "", "ResourceKind", "orchestrator.cluster.id"), "orchestrator.type", "#pod"),
    ecs("Reason",              "keyword", "event.reason",               vendor="reason"),
)

# ParentProcessId and InitiatingProcessId are the same process in a process' start; the first is asked first.
CLOUD_PROCESS_EVENTS = table(
    "CloudProcessEvents", ("ReportId", "Timestamp"),
    ENVELOPE, ACTION, RESOURCE,
    vendor("Region",              "keyword",  "region", told=True),
    rule(cloud_place, ("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "", "", "Region"), *PLACE),
    CONTAINER,
    vendor("HostName",            "keyword",  "host_name", told=True),
    rule(host_names, ("HostName",), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
    vendor("AgentId",             "keyword",  "agent_id"),
    vendor("ContainerImageName",  "keyword",  "container_image_name", told=True),
    vendor("ImageDigest",         "keyword",  "image_digest", told=True),
    rule(container_image, ("ContainerImageName", "ImageDigest"), "container.image.name", "container.image.tag", "container.image.hash.all"),
    vendor("FileName",            "keyword",  "file.name"),
    vendor("FolderPath",          "keyword",  "folder_path", told=True),
    vendor("ProcessName",         "keyword",  "process_name"),
    rule(container_process, ("ProcessName", "FileName", "FolderPath"), "process.name", "process.executable"),
    ecs("ProcessCommandLine",     "wildcard", "process.command_line", vendor="process.command_line"),
    rule(container_os, ("FolderPath", "FileName", "ProcessCommandLine", "ProcessName"), "host.os.type"),
    rule(args, ("ProcessCommandLine", "host.os.type", "process.executable"), "process.args", "process.args_count",
         kind=("keyword", "long"), when="ProcessCommandLine"),
    ecs("ProcessId",              "long",     "process.pid",   vendor="process.id"),
    ecs("ProcessCreationTime",    "date",     "process.start", vendor="process.creation_time"),
    ecs("ProcessCurrentWorkingDirectory", "keyword", "process.working_directory", vendor="process_current_working_directory"),
    rule(container_process_id,
         ("ContainerId", "HostName", "KubernetesNamespace", "KubernetesPodName", "ContainerName", "ProcessId", "ProcessCreationTime"),
         "process.entity_id"),
    vendor("ParentProcessName",   "keyword",  "parent_process_name", told=True),
    rule(parent_process, ("ParentProcessName",), "process.parent.name", "process.parent.executable"),
    vendor("ParentProcessId",     "long",     "parent_process_id", told=True),
    vendor("InitiatingProcessId", "long",     "initiating_process.id"),
    rule(first, ("ParentProcessId", "InitiatingProcessId"), "process.parent.pid", kind="long"),
    vendor("AccountName",         "keyword",  "account.name", told=True),
    rule(linux_account, ("AccountName", "AdditionalFields"),
         "user.name", "user.domain", "user.id", "user.group.id", "user.group.name", related=("user", None, None, None, None)),
    vendor("LogonId",             "keyword",  "logon.id"),
)

# The stream says IPAddress and Md5Hashes, the documents IpAddress and HashReputationMd5List, and Log Analytics AzureSubscriptionId; what
# the documents have as columns of their own is in the stream's AdditionalFields.
CLOUD_STORAGE_AGGREGATED_EVENTS = table(
    "CloudStorageAggregatedEvents", ("ReportId",),
    ENVELOPE, ACTION,
    vendor("DataAggregationStartTime", "date", "data_aggregation_start_time"),
    vendor("DataAggregationEndTime",   "date", "data_aggregation_end_time"),
    vendor("FirstEventTimestamp",      "date", "first_event_timestamp", told=True),
    vendor("LastEventTimestamp",       "date", "last_event_timestamp",  told=True),
    rule(storage_period, ("FirstEventTimestamp", "LastEventTimestamp", "DataAggregationStartTime", "DataAggregationEndTime", "AdditionalFields"),
         "event.start", "event.end", kind="date"),
    rule(duration, ("event.start", "event.end"), "event.duration", kind="long"),
    vendor("DataSource",               "keyword", "data_source"),
    vendor("SubscriptionId",           "keyword", "subscription_id", told=True),
    Column("AzureSubscriptionId",      "keyword", told=True),
    rule(first, ("SubscriptionId", "AzureSubscriptionId"), "#subscription"),
    vendor("AzureResourceId",          "keyword", "azure_resource_id"),
    vendor("Location",                 "keyword", "location", told=True),
    rule(cloud_place, ("AzureResourceId", "", "", "", "#subscription", "Location", "DataSource"), *PLACE[:5], "#cluster", "#cluster_name"),
    vendor("ResourceGroup",            "keyword", "resource_group"),
    vendor("StorageAccount",           "keyword", "storage_account"),
    vendor("StorageContainer",         "keyword", "storage_container"),
    vendor("StorageFileShare",         "keyword", "storage_file_share"),
    ecs("ServiceType",                 "keyword", "cloud.service.name", vendor="service_type"),
    vendor("IPAddress",                "ip",      "storage_ip_address", told=True),
    Column("IpAddress",                "ip",      told=True),
    rule(first, ("IPAddress", "IpAddress"), "source.ip", kind="ip", related="ip"),
    rule(first, ("IPAddress", "IpAddress"), "source.address"),
    ecs("CountryName",                 "keyword", "source.geo.country_name", vendor="country_name"),
    ecs("CityName",                    "keyword", "source.geo.city_name",    vendor="city_name"),
    ecs("ProvinceName",                "keyword", "source.geo.region_name",  vendor="province_name"),
    ecs("UserAgentHeader",             "keyword", "user_agent.original",     vendor="user_agent_header"),
    vendor("SuspiciousUserAgentName",  "keyword", "suspicious_user_agent_name"),
    vendor("OperationNamesList",       "keyword", "operation_names_list", many=True),
    vendor("AuthenticationType",       "keyword", "authentication_type"),
    ecs("AccountObjectId",             "keyword", "user.id", vendor="account.object_id", related="user"),
    vendor("AccountTenantId",          "keyword", "account_tenant_id"),
    vendor("AccountApplicationId",     "keyword", "account_application_id"),
    vendor("AccountUpn",               "keyword", "account.upn", related="user"),
    rule(user, ("", "", "", "AccountUpn"), "user.name", "user.domain", "user.email", related=("user", None, None)),
    vendor("AccountType",              "keyword", "account.type"),
    vendor("OperationsCount",           "long",   "operations_count"),
    vendor("SuccessfulOperationsCount", "long",   "successful_operations_count"),
    vendor("FailedOperationsCount",     "long",   "failed_operations_count"),
    rule(storage_outcome, ("SuccessfulOperationsCount", "FailedOperationsCount"), "event.outcome"),
    vendor("TotalResponseLength",           "long",    "total_response_length"),
    vendor("SuccessfulReadOperations",      "long",    "successful_read_operations"),
    vendor("DistinctGetOperations",         "long",    "distinct_get_operations"),
    vendor("AnonymousSuccessfulOperations", "long",    "anonymous_successful_operations"),
    vendor("HasAnonymousResourceNotFoundFailures", "boolean", "has_anonymous_resource_not_found_failures"),
    vendor("ClientSystemServiceName",       "keyword", "client_system_service_name"),
    Column("ClientCloudPlatformName",       "keyword", told=True),
    Column("IsTorExitNode",                 "boolean", told=True),
    Column("IsKnownSuspiciousIp",           "boolean", told=True),
    Column("IsPrivateIp",                   "boolean", told=True),
    rule(storage_client, ("IsTorExitNode", "IsKnownSuspiciousIp", "IsPrivateIp", "ClientCloudPlatformName", "AdditionalFields"),
         "~is_tor_exit_node", "~is_known_suspicious_ip", "~is_private_ip", "~client_cloud_platform_name",
         kind=("boolean", "boolean", "boolean", "keyword")),
    Column("Md5Hashes",                     "flattened", told=True),
    Column("HashReputationMd5List",         "flattened", told=True),
    rule(first, ("Md5Hashes", "HashReputationMd5List"), "~md5_hashes", kind="flattened"),
    rule(md5_hashes, ("~md5_hashes",), "#md5", related="hash"),
)
# fmt: on
