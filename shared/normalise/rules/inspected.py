"""AdditionalFields of inspected connections, in Zeek's keys -> http.*, url.*, tls.*, user, flow and email fields.

Each rule takes ActionType and AdditionalFields (an object or its JSON text) and answers only for its own ActionTypes;
for all others it costs one look-up. `…_FIELDS` name what each tuple fills, in order.
"""

from __future__ import annotations

from typing import Any

from shared.normalise.rules.additional_fields import boolean, first, members, number, opened, text
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.rules.url import NO_URL, Url, request_url

HTTP_FIELDS = (
    "http.request.method",
    "http.response.status_code",
    "http.version",
    "http.request.referrer",
    "http.request.body.bytes",
    "http.response.body.bytes",
    "http.request.mime_type",
    "http.response.mime_type",
    "user_agent.original",
    *URL_FIELDS,
)
TLS_FIELDS = (
    "tls.version",
    "tls.version_protocol",
    "tls.cipher",
    "tls.curve",
    "tls.established",
    "tls.resumed",
    "tls.next_protocol",
    "tls.client.server_name",
    "tls.server.subject",
    "tls.server.issuer",
    "tls.client.subject",
    "tls.client.issuer",
    "tls.client.ja3",
    "tls.server.ja3s",
)
LOGON_FIELDS = ("user.name", "user.domain", "event.outcome", "destination.domain")
FLOW_FIELDS = (
    "source.bytes",
    "source.packets",
    "destination.bytes",
    "destination.packets",
    "network.bytes",
    "network.packets",
    "event.duration",
)
EMAIL_FIELDS = ("email.from.address", "email.to.address", "email.subject", "email.message_id", "email.x_mailer")

_NO_HTTP = (None,) * len(HTTP_FIELDS)
_NO_TLS = (None,) * len(TLS_FIELDS)
_NO_LOGON = (None, None, None, None)
_NO_FLOW = (None,) * len(FLOW_FIELDS)
_NO_EMAIL = (None,) * len(EMAIL_FIELDS)

_LOGONS = frozenset(
    {"SshConnectionInspected", "FtpConnectionInspected", "NtlmAuthenticationInspected", "KerberosConnectionInspected"}
)


def http(action: str | None, additional_fields: Any) -> tuple[Any, ...]:
    """HttpConnectionInspected (Zeek http.log) -> `HTTP_FIELDS`, the url.* parts of the request last."""
    if action != "HttpConnectionInspected":
        return _NO_HTTP
    fields = opened(additional_fields)
    if not fields:
        return _NO_HTTP
    host, uri = text(fields.get("host")), text(fields.get("uri"))
    parts: Url = request_url(host, uri) if host or uri else NO_URL
    return (
        text(fields.get("method")),
        number(fields.get("status_code")),
        text(fields.get("version")),
        text(fields.get("referrer")),
        number(fields.get("request_body_len")),
        number(fields.get("response_body_len")),
        first(fields.get("orig_mime_types")),
        first(fields.get("resp_mime_types")),
        text(fields.get("user_agent")),
        *parts,
    )


def tls(action: str | None, additional_fields: Any) -> tuple[Any, ...]:
    """SslConnectionInspected (Zeek ssl.log) -> `TLS_FIELDS`; `TLSv12` is 1.2 of tls, `SSLv3` 3.0 of ssl."""
    if action != "SslConnectionInspected":
        return _NO_TLS
    fields = opened(additional_fields)
    if not fields:
        return _NO_TLS
    protocol, mark, digits = (text(fields.get("version")) or "").lower().partition("v")
    version = None
    if mark and digits.isascii() and digits.isdecimal() and len(digits) <= 2:
        version = f"{digits[0]}.{digits[1:] or '0'}"
    get = fields.get
    return (
        version,
        protocol if version else None,
        text(get("cipher")),
        text(get("curve")),
        boolean(get("established")),
        boolean(get("resumed")),
        text(get("next_protocol")),
        text(get("server_name")),
        text(get("subject")),
        text(get("issuer")),
        text(get("client_subject")),
        text(get("client_issuer")),
        text(get("ja3")),
        text(get("ja3s")),
    )


def logon(action: str | None, additional_fields: Any) -> tuple[str | None, str | None, str | None, str | None]:
    """Inspected SSH, FTP, NTLM and Kerberos (Zeek's logs of these names) -> `LOGON_FIELDS`.

    user from FTP's user, NTLM's username and domainname, Kerberos' client (`kim/EXAMPLE.COM`); outcome from SSH's
    auth_success and the success of NTLM and Kerberos; destination.domain from the name an NTLM server tells of
    itself. SSH's programs, versions and algorithms and FTP's commands have no home in ECS.
    """
    if action not in _LOGONS:
        return _NO_LOGON
    fields = opened(additional_fields)
    success = boolean(fields.get("auth_success" if action == "SshConnectionInspected" else "success"))
    outcome = None if success is None or action == "FtpConnectionInspected" else "success" if success else "failure"
    if action == "KerberosConnectionInspected":
        name, _, domain = (text(fields.get("client")) or "").rpartition("/")
        return ((name or domain or None), (domain if name else None) or None, outcome, None)
    if action == "NtlmAuthenticationInspected":
        server = text(fields.get("server_dns_computer_name"))
        return (
            text(fields.get("username")),
            text(fields.get("domainname")),
            outcome,
            server.lower() if server else None,
        )
    return (text(fields.get("user")) if action == "FtpConnectionInspected" else None, None, outcome, None)


def flow(action: str | None, additional_fields: Any) -> tuple[int | None, ...]:
    """Bytes, packets and duration of an inspected connection (Zeek conn.log keys, as ICMP's come) -> `FLOW_FIELDS`.

    orig is the source, resp the destination; bytes are those of the IP packets where told, else the payload's;
    event.duration is in nanoseconds, from duration or DNS' rtt in seconds.
    """
    if action is None or not action.endswith("Inspected"):
        return _NO_FLOW
    fields = opened(additional_fields)
    if not fields:
        return _NO_FLOW
    sent = number(fields.get("orig_ip_bytes", fields.get("orig_bytes")))
    received = number(fields.get("resp_ip_bytes", fields.get("resp_bytes")))
    out, back = number(fields.get("orig_pkts")), number(fields.get("resp_pkts"))
    return (
        sent,
        out,
        received,
        back,
        sent + received if sent is not None and received is not None else None,
        out + back if out is not None and back is not None else None,
        _nanoseconds(fields.get("duration", fields.get("rtt"))),
    )


def _nanoseconds(seconds: Any) -> int | None:
    try:
        number = float(seconds) * 1e9 if seconds.__class__ in (str, int, float) else -1.0
    except (ValueError, OverflowError):
        return None
    return round(number) if 0 <= number < 1 << 62 else None


def smtp(action: str | None, additional_fields: Any) -> tuple[Any, ...]:
    """SmtpConnectionInspected (Zeek smtp.log) -> `EMAIL_FIELDS`: the envelope's addresses, else the header's."""
    if action != "SmtpConnectionInspected":
        return _NO_EMAIL
    fields = opened(additional_fields)
    senders = [told for told in map(text, members(fields.get("mailfrom") or fields.get("from"))) if told]
    recipients = [told for told in map(text, members(fields.get("rcptto") or fields.get("to"))) if told]
    return (
        senders or None,
        recipients or None,
        text(fields.get("subject")),
        text(fields.get("msg_id")),
        text(fields.get("user_agent")),
    )
