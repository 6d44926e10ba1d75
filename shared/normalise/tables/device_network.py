"""DeviceNetworkEvents: connections, and what the sensor's inspection (Zeek) saw in them."""

from __future__ import annotations

from shared.normalise.mapping import Fragment, rule, table, vendor
from shared.normalise.rules.dns import DNS_FIELDS, dns
from shared.normalise.rules.inspected import EMAIL_FIELDS, FLOW_FIELDS, HTTP_FIELDS, TLS_FIELDS, flow, smtp, tls
from shared.normalise.rules.network import application_protocol, told_direction
from shared.normalise.tables.fragments import (
    ACTION,
    DEVICE,
    ENVELOPE,
    INITIATING_PARENT,
    INITIATING_PROCESS,
    INITIATING_TOKEN,
    INITIATING_USER,
    account_id,
    os_type,
)
from shared.normalise.tables.network_rows import (
    LOCAL_AND_REMOTE,
    TRANSPORT,
    hosts_of,
    kinds,
    network_user,
    remote_domain,
    request_or_remote,
    url_rule,
)

IDENTITY = ("DeviceId", "ReportId", "Timestamp")
INSPECTED = (
    "DnsConnectionInspected", "FtpConnectionInspected", "HttpConnectionInspected", "IcmpConnectionInspected",
    "KerberosConnectionInspected", "NtlmAuthenticationInspected", "SmtpConnectionInspected", "SshConnectionInspected",
    "SslConnectionInspected",
)  # fmt: skip

# fmt: off
_COMMON = (
    ENVELOPE, DEVICE, ACTION,
    os_type(initiating_path="InitiatingProcessFolderPath", program="InitiatingProcessFileName", additional_fields="AdditionalFields",
            parent_name="InitiatingProcessParentFileName", initiating_version_info="InitiatingProcessVersionInfoProductName",
            initiating_sid="InitiatingProcessAccountSid", command_line="InitiatingProcessCommandLine"),
    *LOCAL_AND_REMOTE, *TRANSPORT,
    vendor("LocalIPType",  "keyword", "local.ip_type"),
    vendor("RemoteIPType", "keyword", "remote.ip_type"),
    vendor("RemoteUrl",    "keyword", "remote.url", told=True),
    rule(application_protocol, ("Protocol", "ActionType"), "network.protocol"),
    INITIATING_PROCESS.at("process"), INITIATING_PARENT, INITIATING_TOKEN.at("process"),
)
_UNMAPPED = {"LogonID": "never seen in a streamed record; by the documents the logon session of a process that has its own columns"}

_INSPECTED = table(
    "DeviceNetworkEvents", IDENTITY,
    *_COMMON,
    rule(request_or_remote, ("ActionType", "AdditionalFields", "RemoteUrl"), *HTTP_FIELDS, kind=kinds(HTTP_FIELDS),
         related=hosts_of(HTTP_FIELDS)),
    rule(dns,  ("ActionType", "AdditionalFields"), *DNS_FIELDS,   kind=kinds(DNS_FIELDS),
         related=tuple("ip" if field == "dns.resolved_ip" else "hosts" if field == "dns.question.name" else None for field in DNS_FIELDS)),
    rule(tls,  ("ActionType", "AdditionalFields"), *TLS_FIELDS,   kind=kinds(TLS_FIELDS),
         related=tuple("hosts" if field == "tls.client.server_name" else None for field in TLS_FIELDS)),
    rule(smtp, ("ActionType", "AdditionalFields"), *EMAIL_FIELDS, kind=kinds(EMAIL_FIELDS)),
    rule(flow, ("ActionType", "AdditionalFields"), *FLOW_FIELDS,  kind=kinds(FLOW_FIELDS)),
    rule(told_direction, ("AdditionalFields",), "~network_direction"),  # Elastic's integration has it beside network.direction
    Fragment(INITIATING_USER.columns),
    rule(network_user, ("ActionType", "AdditionalFields", "event.outcome", "InitiatingProcessAccountName",
                        "InitiatingProcessAccountDomain", "InitiatingProcessAccountSid", "InitiatingProcessAccountUpn"),
         "user.name", "user.domain", "user.email", "event.outcome", "destination.domain", related=("user", None, None, None, "hosts")),
    rule(account_id, ("InitiatingProcessAccountSid", "InitiatingProcessAccountObjectId"), "user.id"),
    unmapped=_UNMAPPED,
)

DEVICE_NETWORK_EVENTS = table(
    "DeviceNetworkEvents", IDENTITY,
    *_COMMON,
    url_rule("RemoteUrl"),
    rule(remote_domain, ("network.direction", "url.domain"), "source.domain", "destination.domain", when="RemoteUrl"),
    INITIATING_USER,
    variants=dict.fromkeys(INSPECTED, _INSPECTED),
    unmapped=_UNMAPPED,
)
# fmt: on
