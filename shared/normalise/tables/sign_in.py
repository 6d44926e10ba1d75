"""Sign-ins to Entra ID, requests to Microsoft Graph and OAuth applications: who came from where, with what, and whether it was let in.

`user` is who signed in: a person, or a service principal where the table is about those. `source` is the client; `service.target` is the
resource that was asked for; the application that asked stays in `application` and `application_id`, as ECS has no place for it.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.rules.platform import device_os
from shared.normalise.tables.fragments import ENVELOPE, account_id, first, host_names, twice
from shared.normalise.tables.identity import DISPLAY_NAME, HOST_OS, REPORT, SOURCE
from shared.normalise.tables.identity_rules import account
from shared.normalise.tables.network_rows import url_rule
from shared.normalise.tables.sign_in_rules import (
    browser,
    conditional_access_status,
    country,
    duration,
    external,
    geo_point,
    request_result,
    risk_level,
    risk_state,
    scopes,
    sign_in_result,
    token_issuer,
)

# fmt: off
# What sign-ins of people and of service principals have in common.
SIGN_IN = Fragment((
    vendor("Application",         "keyword", "application"),
    vendor("ApplicationId",       "keyword", "application_id"),
    ecs("ResourceDisplayName",    "keyword", "service.target.name", vendor="resource_display_name"),
    ecs("ResourceId",             "keyword", "service.target.id",   vendor="resource_id"),
    vendor("ResourceTenantId",    "keyword", "resource_tenant_id"),
    vendor("ErrorCode",           "long",    "error_code"),
    vendor("CorrelationId",       "keyword", "correlation_id"),
    vendor("RequestId",           "keyword", "request.id"),
    vendor("Country",             "keyword", "country_code",        told=True),
    ecs("State",                  "keyword", "source.geo.region_name", vendor="province_name"),
    ecs("City",                   "keyword", "source.geo.city_name",   vendor="city_name"),
    vendor("Latitude",            "latitude",  "latitude",  told=True),
    vendor("Longitude",           "longitude", "longitude", told=True),
), (
    rule(sign_in_result, ("ErrorCode",), "event.outcome", "event.code", "event.reason"),
    rule(country,        ("Country",),   "source.geo.country_iso_code", "source.geo.country_name"),
    rule(geo_point,      ("Latitude", "Longitude"), "source.geo.location", kind="geo_point"),
))

USER_SIGN_IN = Fragment((
    *DISPLAY_NAME.columns,
    vendor("AccountUpn",                      "keyword",   "account.upn",       related="user"),
    vendor("AccountObjectId",                 "keyword",   "account.object_id"),
    vendor("AlternateSignInName",             "keyword",   "account.alternate_sign_in_name", related="user"),
    vendor("LastPasswordChangeTimestamp",     "date",      "account.last_password_change"),
    Column("IsExternalUser",                  "long",      told=True),
    vendor("IsGuestUser",                     "boolean",   "is_guest_user"),
    vendor("LogonType",                       "keyword",   "logon.type", many=True),
    vendor("SessionId",                       "keyword",   "session_id"),
    vendor("DeviceName",                      "keyword",   "device.name",       told=True),
    vendor("OSPlatform",                      "keyword",   "os.platform",       told=True),
    vendor("DeviceTrustType",                 "keyword",   "device.trust_type"),
    vendor("IsManaged",                       "boolean",   "device.is_managed"),
    vendor("IsCompliant",                     "boolean",   "device.is_compliant"),
    vendor("AuthenticationProcessingDetails", "flattened", "authentication_processing_details"),
    vendor("AuthenticationRequirement",       "keyword",   "authentication_requirement"),
    Column("TokenIssuerType",                 "long",      told=True),
    Column("RiskLevelAggregated",             "long",      told=True),
    vendor("RiskDetails",                     "long",      "risk.details"),  # Microsoft does not say what the numbers mean
    Column("RiskState",                       "long",      told=True),
    ecs("UserAgent",                          "keyword",   "user_agent.original", vendor="user_agent"),
    vendor("ClientAppUsed",                   "keyword",   "client_app_used"),
    vendor("Browser",                         "keyword",   "browser",           told=True),
    vendor("ConditionalAccessPolicies",       "flattened", "conditional_access.policies"),
    Column("ConditionalAccessStatus",         "long",      told=True),
    vendor("NetworkLocationDetails",          "flattened", "network_location_details"),
    vendor("EndpointCall",                    "keyword",   "endpoint_call"),
), (
    rule(account,      ("", "", "", "AccountUpn", "AccountDisplayName"), "user.name", "user.domain", "user.email", related=("user", None, "user")),
    rule(account_id,   ("", "AccountObjectId"), "user.id", related="user"),
    rule(host_names,   ("DeviceName",),         "host.name", "host.hostname", "host.domain", related=("hosts", None, None)),
    rule(device_os,    ("OSPlatform",),         *HOST_OS),
    rule(browser,      ("Browser",),            "user_agent.name", "user_agent.version"),
    rule(external,     ("IsExternalUser",),     "~is_external_user", kind="boolean"),
    rule(token_issuer, ("TokenIssuerType",),    "~token_issuer_type"),
    rule(risk_level,   ("RiskLevelAggregated",), "~risk.level", "event.risk_score", kind=("keyword", "double")),
    rule(risk_state,   ("RiskState",),          "~risk.state"),
    rule(conditional_access_status, ("ConditionalAccessStatus",), "~conditional_access.status"),
))

SERVICE_PRINCIPAL_SIGN_IN = Fragment((
    ecs("ServicePrincipalName",  "keyword", "user.name", vendor="service_principal.name", related="user"),
    vendor("ServicePrincipalId", "keyword", "service_principal.id"),
    vendor("IsManagedIdentity",  "boolean", "is_managed_identity"),
), (
    rule(account_id, ("", "ServicePrincipalId"), "user.id", related="user"),
))

ENTRA_ID_SIGN_IN_EVENTS = table(
    "EntraIdSignInEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, SOURCE, SIGN_IN, USER_SIGN_IN,
    ecs("EntraIdDeviceId",         "keyword", "device.id", vendor="aad_device_id"),
    vendor("IsConfidentialClient", "boolean", "is_confidential_client"),
    vendor("IsThroughGlobalSecureAccess", "boolean", "is_through_global_secure_access"),
    vendor("UniqueTokenId",        "keyword", "unique_token_identifier"),
    action=None,
)

AAD_SIGN_IN_EVENTS_BETA = table(
    "AADSignInEventsBeta", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, SOURCE, SIGN_IN, USER_SIGN_IN,
    # The second is being replaced by the first.
    Column("EntraIdDeviceId", "keyword", told=True),
    vendor("AadDeviceId",     "keyword", "aad_device_id", told=True),
    rule(first, ("EntraIdDeviceId", "AadDeviceId"), "device.id"),
    action=None,
)

ENTRA_ID_SPN_SIGN_IN_EVENTS = table(
    "EntraIdSpnSignInEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, SOURCE, SIGN_IN, SERVICE_PRINCIPAL_SIGN_IN,
    action=None,
)

AAD_SPN_SIGN_IN_EVENTS_BETA = table(
    "AADSpnSignInEventsBeta", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT, SOURCE, SIGN_IN, SERVICE_PRINCIPAL_SIGN_IN,
    action=None,
)

GRAPH_API_AUDIT_EVENTS = table(
    "GraphAPIAuditEvents", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT,
    # The documents have spelt it both ways.
    vendor("IPAddress",             "ip",       "ip_address", told=True),
    Column("IpAddress",             "ip",       told=True),
    rule(twice, ("IPAddress", "IpAddress"), "source.ip", "source.address", kind=("ip", "keyword"), related=("ip", None)),
    vendor("RequestUri",            "wildcard", "request.uri", told=True),
    url_rule("RequestUri"),
    ecs("RequestMethod",            "keyword",  "http.request.method",        vendor="request.method"),
    ecs("RequestId",                "keyword",  "http.request.id",            vendor="request.id"),
    ecs("ResponseStatusCode",       "long",     "http.response.status_code",  vendor="response.status_code"),
    rule(request_result, ("ResponseStatusCode",), "event.outcome"),
    ecs("ResponseSize",             "long",     "http.response.bytes",        vendor="response.size"),
    vendor("RequestDuration",       "double",   "request.duration", told=True),
    rule(duration, ("RequestDuration",), "event.duration", kind="long"),
    vendor("ClientRequestId",       "keyword",  "client_request_id"),
    vendor("OperationId",           "keyword",  "operation_id"),
    vendor("AccountObjectId",       "keyword",  "account.object_id"),
    vendor("ServicePrincipalId",    "keyword",  "service_principal.id"),
    rule(first, ("AccountObjectId", "ServicePrincipalId"), "user.id", related="user"),
    vendor("EntityType",            "keyword",  "entity_type"),
    vendor("ApplicationId",         "keyword",  "application_id"),
    Column("Scopes",                "text",     told=True),
    rule(scopes, ("Scopes",), "~scopes"),
    vendor("UniqueTokenIdentifier", "keyword",  "unique_token_identifier"),
    vendor("IdentityProvider",      "keyword",  "identity_provider"),
    vendor("ApiVersion",            "keyword",  "api_version"),
    ecs("TargetWorkload",           "keyword",  "service.target.name",        vendor="target_workload"),
    ecs("Location",                 "keyword",  "cloud.region",               vendor="location"),  # the region that served the request
    vendor("TenantId",              "keyword",  "tenant_id"),
    vendor("Type",                  "keyword",  "type"),
    vendor("SourceSystem",          "keyword",  "source_system"),
    vendor("TimeGenerated",         "date",     "time_generated"),
    action=None,
)

OAUTH_APP_INFO = table(
    "OAuthAppInfo", ("ReportId", "Timestamp"),
    ENVELOPE, REPORT,
    ecs("OAuthAppId",             "keyword",   "service.id",    vendor="oauth_application_id"),
    ecs("AppName",                "keyword",   "service.name",  vendor="application"),
    ecs("AppStatus",              "keyword",   "service.state", vendor="oauth_app.status"),
    vendor("ServicePrincipalId",  "keyword",   "service_principal.id"),
    vendor("AddedOnTime",         "date",      "oauth_app.added_on"),
    vendor("LastModifiedTime",    "date",      "oauth_app.last_modified"),
    vendor("LastUsedTime",        "date",      "oauth_app.last_used"),
    vendor("VerifiedPublisher",   "flattened", "oauth_app.verified_publisher"),
    vendor("PrivilegeLevel",      "keyword",   "oauth_app.privilege_level"),
    vendor("Permissions",         "flattened", "oauth_app.permissions"),
    vendor("ConsentedUsersCount", "long",      "oauth_app.consented_users_count"),
    vendor("IsAdminConsented",    "boolean",   "oauth_app.is_admin_consented"),
    vendor("AppOrigin",           "keyword",   "oauth_app.origin"),
    vendor("AppOwnerTenantId",    "keyword",   "oauth_app.owner_tenant_id"),
    ecs("RiskScore",              "double",    "event.risk_score", vendor="oauth_app.risk_score"),
    vendor("AssignedRoles",       "flattened", "oauth_app.assigned_roles"),
    action=None,
)
# fmt: on
