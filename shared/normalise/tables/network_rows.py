"""Rows of tables that have connections and URLs: local and remote ends -> source and destination, url.*, network.*."""

from __future__ import annotations

from typing import Any

from shared.normalise.mapping import Kind, Related, Rule, rule, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.inspected import http, logon
from shared.normalise.rules.network import INGRESS, community_id, ends, transport
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.rules.url import url_fields

# fmt: off
NOT_KEYWORD: dict[str, Kind] = {
    "destination.bytes": "long", "destination.packets": "long", "dns.answers": "object", "dns.resolved_ip": "ip",
    "email.message_id": "wildcard", "event.duration": "long", "http.request.body.bytes": "long", "http.response.body.bytes": "long",
    "http.response.status_code": "long", "network.bytes": "long", "network.packets": "long", "source.bytes": "long",
    "source.packets": "long", "tls.established": "boolean", "tls.resumed": "boolean", "url.full": "wildcard",
    "url.original": "wildcard", "url.path": "wildcard", "url.port": "long",
}
# fmt: on


def kinds(fields: tuple[str, ...]) -> tuple[Kind, ...]:
    """The kinds of fields that rules about URLs and inspected connections write."""
    return tuple(NOT_KEYWORD.get(field, "keyword") for field in fields)


def hosts_of(fields: tuple[str, ...]) -> tuple[Related | None, ...]:
    """The host of a URL is a related host."""
    return tuple("hosts" if field == "url.domain" else None for field in fields)


def url_rule(column: str) -> Rule:
    """url.* from a column that holds a URL or a bare host."""
    return rule(url_fields, (column,), *URL_FIELDS, kind=kinds(URL_FIELDS), related=hosts_of(URL_FIELDS), when=column)


def remote_domain(way: str | None, domain: str | None) -> tuple[str | None, str | None]:
    """The domain of the remote end -> (source.domain, destination.domain) by the direction."""
    return (domain, None) if way == INGRESS else (None, domain)


def request_or_remote(action: str | None, fields: Any, remote: str | None) -> tuple[Any, ...]:
    """An inspected HTTP request's fields; the URL of any other connection is RemoteUrl's."""
    found = http(action, fields)
    parts = len(URL_FIELDS)
    if remote is not None and all(value is None for value in found[-parts:]):
        return (*found[:-parts], *url_fields(remote))
    return found


def network_user(
    action: str | None,
    fields: Any,
    outcome: str | None,
    name: str | None,
    domain: str | None,
    sid: str | None,
    upn: str | None,
) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    """user.name, .domain, .email, event.outcome and destination.domain: of an inspected logon where one was seen, else the process' account."""
    seen, its_domain, its_outcome, server = logon(action, fields)
    if seen is None:
        return (*user(name, domain, sid, upn), its_outcome or outcome, server)
    return (*user(seen, its_domain), its_outcome or outcome, server)


# fmt: off
LOCAL_AND_REMOTE = (
    vendor("LocalIP",    "ip",   "local.ip",    told=True),
    vendor("LocalPort",  "long", "local.port",  told=True),
    vendor("RemoteIP",   "ip",   "remote.ip",   told=True),
    vendor("RemotePort", "long", "remote.port", told=True),
    rule(ends, ("ActionType", "AdditionalFields", "LocalIP", "LocalPort", "RemoteIP", "RemotePort"),
         "network.direction", "source.ip", "source.port", "destination.ip", "destination.port",
         kind=("keyword", "ip", "long", "ip", "long"), related=(None, "ip", None, "ip", None)),
)
TRANSPORT = (
    vendor("Protocol", "keyword", "protocol"),
    rule(transport, ("Protocol", "source.ip", "destination.ip"), "network.transport", "network.iana_number", "network.type"),
    rule(community_id, ("source.ip", "source.port", "destination.ip", "destination.port", "network.transport"), "network.community_id"),
)
# fmt: on
