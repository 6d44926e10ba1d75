"""The Identity* tables: what Defender for Identity sees in Active Directory and at identity providers, and whom it knows.

In events, `user` is the account that acted, `user.target` the one it was done to, `host` and `source` the computer it acted from,
`destination` the server that answered. IPAddress is source.ip, and host.ip too where the computer is named.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, Kind, Related, ecs, rule, table, vendor
from shared.normalise.rules.network import application_protocol, transport
from shared.normalise.tables.fragments import ACCOUNT, ENVELOPE, first, host_names
from shared.normalise.tables.identity_rules import (
    ATTACK_FIELDS,
    account,
    attack,
    changed_group,
    dashed,
    dns_question,
    host_address,
    location,
    mailbox,
    outcome,
    provider,
    queried,
    shared_file,
    source_os,
    target,
    target_objects,
    user_id,
)

HOST_OS = ("host.os.type", "host.os.family", "host.os.name", "host.os.platform", "host.os.version", "host.os.full")
TARGET_USER = ("user.target.name", "user.target.domain", "user.target.email", "user.target.full_name", "user.target.id")
TARGET_RELATED: tuple[Related | None, ...] = ("user", None, "user", "user", "user")
FILE_KINDS: tuple[Kind, ...] = ("keyword", "keyword", "keyword", "long")

# fmt: off
REPORT = Fragment((ecs("ReportId", "keyword", "event.id", vendor="report_id"),))

IDENTITY_ACTION = Fragment((
    vendor("ActionType",       "keyword",   "action.type", told=True),
    vendor("AdditionalFields", "flattened", "additional_fields"),
), (
    rule(dashed, ("ActionType",), "event.action"),
))

# Where it came from, as far as an address tells.
SOURCE = Fragment((
    ecs("IPAddress", "ip", "source.ip", "source.address", vendor="ip_address", related="ip"),
))

# The computers at both ends of a connection that a sensor on a domain controller saw.
CONNECTION = Fragment((
    ecs("DeviceName",            "keyword", "source.domain",      vendor="device.name"),
    ecs("Port",                  "long",    "source.port",        vendor="port"),
    ecs("DestinationDeviceName", "keyword", "destination.domain", vendor="destination.device_name", related="hosts"),
    ecs("DestinationIPAddress",  "ip",      "destination.ip", "destination.address", vendor="destination.ip_address", related="ip"),
    ecs("DestinationPort",       "long",    "destination.port",   vendor="destination.port"),
    vendor("TargetDeviceName",   "keyword", "target.device_name", related="hosts"),
    vendor("Protocol",           "keyword", "protocol", told=True),
    vendor("Location",           "keyword", "location", told=True),
    vendor("Application",        "keyword", "application"),
), (
    rule(host_names, ("DeviceName",), "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
    rule(host_address, ("DeviceName", "IPAddress"), "host.ip", kind="ip"),
    rule(location,   ("Location",),   "source.geo.country_iso_code", "source.geo.name"),
    rule(application_protocol, ("Protocol",), "network.protocol"),
    rule(transport, ("Protocol", "IPAddress", "DestinationIPAddress"), "network.transport", "network.iana_number", "network.type"),
))
# Sent, though no document names it.
IS_ADMIN = vendor("IsAdminOperation", "boolean", "is_admin_operation")
SOURCE_OS = Fragment((), (rule(source_os, ("", "AdditionalFields"), *HOST_OS),))
ATTACK = Fragment((), (rule(attack, ("AdditionalFields",), *ATTACK_FIELDS, when="AdditionalFields"),))

DISPLAY_NAME = Fragment((ecs("AccountDisplayName", "keyword", "user.full_name", vendor="account.display_name"),))
ACTOR = Fragment((*ACCOUNT.columns, *DISPLAY_NAME.columns), (
    rule(account, ("AccountName", "AccountDomain", "AccountSid", "AccountUpn", "AccountDisplayName", "AdditionalFields"),
         "user.name", "user.domain", "user.email", related=("user", None, "user")),
    rule(user_id, ("AccountSid", "AccountObjectId", "AdditionalFields"), "user.id", related="user"),
))

IDENTITY_LOGON_EVENTS = table(
    "IdentityLogonEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, IDENTITY_ACTION, SOURCE, CONNECTION, ATTACK, ACTOR,
    ecs("DeviceType",     "keyword", "host.type", vendor="device.type"),
    vendor("OSPlatform",  "keyword", "os.platform", told=True),
    rule(source_os, ("OSPlatform", "AdditionalFields"), *HOST_OS),
    vendor("LogonType",   "keyword", "logon.type"),
    # Elastic's dashboards count by failure_reason, so it stays beside event.reason.
    vendor("FailureReason", "keyword", "failure_reason"),
    rule(first, ("FailureReason",), "event.reason"),
    vendor("TargetAccountDisplayName", "keyword", "target.account_display_name", told=True),
    rule(target, ("", "TargetAccountDisplayName", "AdditionalFields"), *TARGET_USER, related=TARGET_RELATED),
    # The documents say Isp, the stream ISP.
    Column("ISP", "keyword", told=True),
    Column("Isp", "keyword", told=True),
    rule(first,    ("ISP", "Isp"), "~isp"),
    rule(provider, ("~isp",),      "source.as.organization.name"),
    # Days since each of the logon's traits was last seen of the user, and the traits that are uncommon for the user.
    vendor("LastSeenForUser", "flattened", "last_seen_for_user"),
    vendor("UncommonForUser", "keyword",   "uncommon_for_user", many=True),
)

IDENTITY_DIRECTORY_EVENTS = table(
    "IdentityDirectoryEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, IDENTITY_ACTION, SOURCE, CONNECTION, SOURCE_OS, ATTACK, ACTOR,
    vendor("TargetAccountUpn",         "keyword", "target.account_upn", related="user"),
    vendor("TargetAccountDisplayName", "keyword", "target.account_display_name", told=True),
    rule(target, ("TargetAccountUpn", "TargetAccountDisplayName", "AdditionalFields"), *TARGET_USER, related=TARGET_RELATED),
    rule(changed_group, ("AdditionalFields",), "group.name"),
    IS_ADMIN,
    rule(shared_file,   ("AdditionalFields",), "file.path", "file.name", "file.extension", "file.size", kind=FILE_KINDS),
    vendor("ISP", "keyword", "isp"),
    rule(provider, ("ISP",), "source.as.organization.name"),
)

IDENTITY_QUERY_EVENTS = table(
    "IdentityQueryEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, IDENTITY_ACTION, SOURCE, CONNECTION, SOURCE_OS, ATTACK, ACTOR,
    IS_ADMIN,
    vendor("QueryType",   "keyword",  "query.type"),
    vendor("QueryTarget", "keyword",  "query.target"),
    vendor("Query",       "wildcard", "query.value"),
    vendor("TargetAccountUpn",         "keyword", "target.account_upn", related="user"),
    vendor("TargetAccountDisplayName", "keyword", "target.account_display_name", told=True),
    rule(queried, ("ActionType", "QueryType", "QueryTarget", "TargetAccountUpn", "TargetAccountDisplayName", "AdditionalFields"),
         *TARGET_USER, "group.name", "group.id", related=(*TARGET_RELATED, None, None)),
    rule(dns_question, ("ActionType", "QueryType", "QueryTarget"), "dns.question.name", "dns.question.type", "dns.type",
         related=("hosts", None, None)),
)

# Events of other identity providers, such as Okta; the account is known by the provider's own id.
IDENTITY_EVENTS = table(
    "IdentityEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, IDENTITY_ACTION, SOURCE, DISPLAY_NAME,
    vendor("AccountUpn",             "keyword",   "account.upn", related="user"),
    rule(account, ("", "", "", "AccountUpn", "AccountDisplayName"), "user.name", "user.domain", "user.email", related=("user", None, "user")),
    ecs("AccountId",                 "keyword",   "user.id",             vendor="account.id", related="user"),
    vendor("AccountType",            "keyword",   "account.type"),
    vendor("ActionResult",           "keyword",   "action.result"),
    rule(outcome, ("ActionResult", "event.outcome"), "event.outcome"),
    vendor("ActionFailureReason",    "keyword",   "failure_reason"),
    rule(first, ("ActionFailureReason",), "event.reason"),
    ecs("UserAgent",                 "keyword",   "user_agent.original", vendor="user_agent"),
    vendor("TargetObjects",          "flattened", "target.objects"),
    rule(target_objects, ("TargetObjects",), *TARGET_USER, "group.name", "group.id", related=(*TARGET_RELATED, None, None)),
    ecs("Application",               "keyword",   "event.provider",      vendor="application"),
    vendor("ApplicationInstanceId",  "keyword",   "application_instance_id"),
    vendor("ApplicationEventId",     "keyword",   "application_event_id"),
    vendor("ApplicationSessionId",   "keyword",   "session_id"),
    vendor("RawEventData",           "flattened", "raw_event_data"),
)

# What both tables of accounts say of a person.
PERSON = Fragment((
    vendor("AccountUpn",           "keyword", "account.upn",           related="user"),
    vendor("EmailAddress",         "keyword", "account.email_address", told=True, related="user"),
    vendor("CriticalityLevel",     "keyword", "account.criticality_level"),
    vendor("GivenName",            "keyword", "account.given_name"),
    vendor("Surname",              "keyword", "account.surname"),
    vendor("EmployeeId",           "keyword", "account.employee_id"),
    vendor("Department",           "keyword", "account.department"),
    vendor("JobTitle",             "keyword", "account.job_title"),
    vendor("Manager",              "keyword", "account.manager"),
    vendor("Address",              "keyword", "account.address"),
    vendor("City",                 "keyword", "account.city"),
    vendor("Country",              "keyword", "account.country"),
    vendor("Phone",                "keyword", "account.phone"),
    vendor("CreatedDateTime",      "date",    "account.created"),
    vendor("DeletedDateTime",      "date",    "account.deleted_date_time"),
    vendor("TenantMembershipType", "keyword", "account.tenant_membership_type"),
    vendor("Tags",                 "keyword", "account.tags",             many=True),
    ecs("AssignedRoles",           "keyword", "user.roles", vendor="account.assigned_roles", many=True),
    vendor("IdentityId",           "keyword", "identity.id"),
    vendor("TenantId",             "keyword", "tenant_id"),
))

IDENTITY_INFO = table(
    "IdentityInfo", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, PERSON, DISPLAY_NAME,
    vendor("AccountName",             "keyword",   "account.name",      told=True),
    vendor("AccountDomain",           "keyword",   "account.domain",    told=True),
    vendor("AccountObjectId",         "keyword",   "account.object_id",         related="user"),
    vendor("OnPremSid",               "keyword",   "account.on_prem_sid",       related="user", told=True),
    vendor("OnPremObjectId",          "keyword",   "account.on_prem_object_id", related="user"),
    vendor("CloudSid",                "keyword",   "account.cloud_sid",         related="user"),
    rule(account, ("AccountName", "AccountDomain", "OnPremSid", "AccountUpn", "AccountDisplayName"),
         "user.name", "user.domain", "#upn_address", related=("user", None, None)),
    rule(mailbox, ("EmailAddress", "#upn_address"), "user.email"),
    rule(user_id, ("OnPremSid", "AccountObjectId"), "user.id"),
    vendor("Type",                    "keyword",   "account.type"),
    vendor("DistinguishedName",       "keyword",   "account.distinguished_name"),
    vendor("SipProxyAddress",         "keyword",   "account.sip_proxy_address"),
    vendor("OtherMailAddresses",      "keyword",   "account.other_mail_addresses", many=True, related="user"),
    vendor("CompanyName",             "keyword",   "account.company_name"),
    vendor("State",                   "keyword",   "account.state"),
    vendor("IsAccountEnabled",        "boolean",   "account.is_enabled"),
    vendor("UserAccountControl",      "keyword",   "account.user_account_control", many=True),
    vendor("BlastRadius",             "keyword",   "account.blast_radius"),
    ecs("RiskLevel",                  "keyword",   "user.risk.static_level", vendor="account.risk_level"),
    vendor("RiskLevelDetails",        "keyword",   "account.risk_level_details"),
    vendor("RiskStatus",              "keyword",   "account.risk_status"),
    ecs("GroupMembership",            "keyword",   "user.group.name", vendor="account.group_membership", many=True),
    vendor("PrivilegedEntraPimRoles", "flattened", "account.privileged_entra_pim_roles"),
    vendor("IdentityEnvironment",     "keyword",   "identity.environment"),
    vendor("ChangeSource",            "keyword",   "change_source"),
    vendor("SourceSystem",            "keyword",   "source_system"),
    # One of the two by record.
    Column("SourceProviders",         "keyword",   many=True, told=True),
    Column("SourceProvider",          "keyword",   many=True, told=True),
    rule(first, ("SourceProviders", "SourceProvider"), "~source_provider"),
    action=None,
)

IDENTITY_ACCOUNT_INFO = table(
    "IdentityAccountInfo", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, PERSON,
    ecs("DisplayName",                       "keyword",   "user.full_name", vendor="account.display_name"),
    vendor("Sid",                            "keyword",   "account.sid", related="user", told=True),
    vendor("AccountId",                      "keyword",   "account.id"),
    vendor("SourceProviderAccountId",        "keyword",   "account.source_provider_account_id"),
    rule(account, ("", "", "Sid", "AccountUpn", "DisplayName"), "user.name", "user.domain", "#upn_address", related=("user", None, None)),
    rule(mailbox, ("EmailAddress", "#upn_address"), "user.email"),
    rule(user_id, ("Sid", "SourceProviderAccountId"), "user.id", related="user"),
    vendor("IsPrimary",                      "boolean",   "account.is_primary"),
    vendor("AccountStatus",                  "keyword",   "account.status"),
    # The documents say Type, Log Analytics IdentityType.
    Column("Type",                           "keyword",   told=True),
    Column("IdentityType",                   "keyword",   told=True),
    rule(first, ("Type", "IdentityType"), "~account.type"),
    vendor("IdentityLinkType",               "keyword",   "identity.link_type"),
    vendor("IdentityLinkReason",             "keyword",   "identity.link_reason"),
    vendor("IdentityLinkTime",               "date",      "identity.link_time"),
    vendor("IdentityLinkBy",                 "keyword",   "identity.link_by"),
    vendor("DefenderRiskLevel",              "long",      "account.defender_risk_level"),
    vendor("DefenderRiskUpdateTime",         "date",      "account.defender_risk_update_time"),
    # The documents spell it Provder.
    Column("SourceProviderRiskLevel",        "keyword",   told=True),
    Column("SourceProvderRiskLevel",         "keyword",   told=True),
    rule(first, ("SourceProviderRiskLevel", "SourceProvderRiskLevel"), "user.risk.static_level"),
    vendor("SourceProvider",                 "keyword",   "source_provider"),
    vendor("SourceProviderInstanceId",       "keyword",   "source_provider_instance_id"),
    vendor("SourceProviderInstanceDisplayName", "keyword", "source_provider_instance_name"),
    vendor("AuthenticationMethod",           "keyword",   "account.authentication_method"),
    vendor("AuthenticationSourceAcccountId", "keyword",   "account.authentication_source_account_id"),  # Microsoft's spelling
    vendor("EnrolledMfas",                   "flattened", "account.enrolled_mfas"),
    vendor("LastPasswordChangeTime",         "date",      "account.last_password_change"),
    ecs("GroupMembership",                   "keyword",   "user.group.id", vendor="account.group_membership", many=True),
    vendor("EligibleRoles",                  "keyword",   "account.eligible_roles", many=True),
    vendor("AdditionalFields",               "flattened", "additional_fields"),
    action=None,
)
# fmt: on
