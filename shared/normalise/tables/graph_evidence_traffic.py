"""Evidence of mails, messages, connections, links, names and sessions -> email.*, source.*, destination.*, url.*, dns.*, user_agent.* of ECS."""

from __future__ import annotations

from shared.normalise.convert import address
from shared.normalise.mapping import Kind
from shared.normalise.rules.network import transport
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.rules.url import url_fields
from shared.normalise.tables.email_rules import direction, mail_address
from shared.normalise.tables.graph_found import HOSTS, IPS, SERVICE, USERS, Found, Item, add, each, fill, within
from shared.normalise.tables.network_rows import kinds

# fmt: off
_ENDS = tuple(
    f"{end}.{name}" for end in ("source", "destination")
    for name in ("geo.city_name", "geo.country_iso_code", "geo.country_name", "geo.region_name")
)
TRAFFIC_FIELDS: dict[str, Kind] = {
    **dict.fromkeys(("email.direction", "email.from.address", "email.local_id", "email.sender.address", "email.to.address"), "keyword"),
    "email.subject": "wildcard", "email.message_id": "wildcard", "email.delivery_timestamp": "date",
    "source.ip": "ip", "source.port": "long", "destination.ip": "ip", "destination.port": "long",
    **dict.fromkeys(_ENDS, "keyword"), "source.geo.location": "geo_point", "destination.geo.location": "geo_point",
    **dict.fromkeys(("network.transport", "network.iana_number", "network.type"), "keyword"),
    **dict(zip(URL_FIELDS, kinds(URL_FIELDS), strict=True)),
    "dns.question.name": "keyword", "dns.resolved_ip": "ip",
    "user_agent.original": "keyword", "user_agent.name": "keyword", "user_agent.os.name": "keyword",
}
_DOMAIN = URL_FIELDS.index("url.domain")
_SOURCES = frozenset({"source", "attacker"})
_DESTINATIONS = frozenset({"destination", "attacked", "commandAndControl"})
# Services that watch sign-ins, sessions and mails: an address without a role is the client's there. Of an endpoint's alert it can be either end's.
_CLIENTS = frozenset({
    "azureAdIdentityProtection", "microsoftAppGovernance", "microsoftDefenderForCloudApps", "microsoftDefenderForIdentity",
    "microsoftDefenderForOffice365",
})
# fmt: on


def ip(item: Item, found: Found) -> None:
    """`ipEvidence` -> related.ip, and the end of a connection that its roles name."""
    roles = each(item.get("roles"))
    found[IPS][item.get("ip_address")] = None
    if not _SOURCES.isdisjoint(roles):
        end(item, "source", found)
    if not _DESTINATIONS.isdisjoint(roles):
        end(item, "destination", found)
    elif _SOURCES.isdisjoint(roles) and found[SERVICE] in _CLIENTS:
        end(item, "source", found)


def end(item: Item, root: str, found: Found) -> str | None:
    """An address as one end of a connection -> ip and geo.* below a field; gives the address."""
    value: str | None = item.get("ip_address")
    add(found, f"{root}.ip", value)
    found[IPS][value] = None
    country = item.get("country_letter_code")
    if country is not None and len(country) == 2:
        add(found, f"{root}.geo.country_iso_code", country.upper())
    if place := within(item, "geo_location"):
        add(found, f"{root}.geo.city_name", place.get("city"))
        add(found, f"{root}.geo.country_name", place.get("country_name"))
        add(found, f"{root}.geo.region_name", place.get("state"))
        latitude, longitude = place.get("latitude"), place.get("longitude")
        if latitude is not None and longitude is not None:
            add(found, f"{root}.geo.location", (latitude, longitude))
    return value


def connection(item: Item, found: Found) -> None:
    """`networkConnectionEvidence` -> source.*, destination.*, network.*."""
    source = end(within(item, "source_address"), "source", found)
    destination = end(within(item, "destination_address"), "destination", found)
    add(found, "source.port", item.get("source_port"))
    add(found, "destination.port", item.get("destination_port"))
    name, number, type = transport(item.get("protocol"), source, destination)
    add(found, "network.transport", name)
    add(found, "network.iana_number", number)
    add(found, "network.type", type)


def link(text: str | None, found: Found) -> None:
    """A link -> url.*, and its host in related.*."""
    parts = url_fields(text)
    fill(found, URL_FIELDS, parts)
    linked(parts[_DOMAIN], found)


def linked(host: str | int | None, found: Found) -> None:
    """The host of a link -> related.hosts, or related.ip where it is a number."""
    if isinstance(host, str):
        add(found, HOSTS if address(host) is None else IPS, host)


def link_item(item: Item, found: Found) -> None:
    """`urlEvidence` -> url.*."""
    for text in each(item.get("url")):
        link(text, found)


def dns(item: Item, found: Found) -> None:
    """`dnsEvidence` -> dns.*, the host that asked, and the server."""
    name = item.get("domain_name")
    add(found, "dns.question.name", name)
    found[HOSTS][name] = None
    for answer in each(item.get("ip_addresses")):
        add(found, "dns.resolved_ip", answer.get("ip_address"))
        found[IPS][answer.get("ip_address")] = None
    asking = within(item, "host_ip_address").get("ip_address")
    add(found, "host.ip", asking)
    found[IPS][asking] = None
    found[IPS][within(item, "dns_server_ip").get("ip_address")] = None


def mailbox_of(told: str | None, field: str, found: Found) -> None:
    """`Kim Doe <kim@example.com>` or a bare address -> a field, related.user."""
    if told is not None:
        known = mail_address(told) or told
        add(found, field, known)
        found[USERS][known] = None


def sender(item: Item, key: str, field: str, found: Found) -> None:
    """`emailSender` -> a field, and its domain in related.hosts."""
    if who := within(item, key):
        mailbox_of(who.get("email_address"), field, found)
        found[HOSTS][who.get("domain_name")] = None


def message(item: Item, found: Found) -> None:
    """What a mail and a Teams message have in common: subject, direction, time and the sender's address."""
    add(found, "email.subject", item.get("subject"))
    add(found, "email.delivery_timestamp", item.get("received_datetime"))
    ip = item.get("sender_ip")
    add(found, "source.ip", ip)
    found[IPS][ip] = None


def mail(item: Item, found: Found) -> None:
    """`analyzedMessageEvidence` -> email.*: p2Sender is whom the recipient sees (From), p1Sender whom bounces go to (MAIL FROM)."""
    message(item, found)
    sender(item, "p2_sender", "email.from.address", found)
    sender(item, "p1_sender", "email.sender.address", found)
    mailbox_of(item.get("recipient_email_address"), "email.to.address", found)
    add(found, "email.local_id", item.get("network_message_id"))
    add(found, "email.message_id", item.get("internet_message_id"))
    add(found, "email.direction", direction(item.get("antispam_direction")))
    for text in each(item.get("urls")):
        linked(url_fields(text)[_DOMAIN], found)


def submission(item: Item, found: Found) -> None:
    """`submissionMailEvidence` -> email.*; who submitted it goes into related.user."""
    message(item, found)
    mailbox_of(item.get("sender"), "email.from.address", found)
    mailbox_of(item.get("recipient"), "email.to.address", found)
    mailbox_of(item.get("submitter"), USERS, found)
    add(found, "email.local_id", item.get("network_message_id"))


def session(item: Item, found: Found) -> None:
    """What cloudLogonSessionEvidence says of the program: user_agent.*; its device goes into related.hosts."""
    add(found, "user_agent.original", item.get("user_agent"))
    add(found, "user_agent.name", item.get("browser"))
    add(found, "user_agent.os.name", item.get("operating_system"))
    device = item.get("device_name")
    found[HOSTS][device.lower() if device is not None else None] = None
