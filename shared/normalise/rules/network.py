"""Columns about connections -> network.*, and local/remote -> source/destination, addresses in ECS' form.

Defender tells the two ends as local and remote; ECS asks who began: for an inbound connection the remote end is the
source.
"""

from __future__ import annotations

import hashlib
import re
import socket
import struct
from binascii import b2a_base64
from functools import lru_cache
from typing import Any

# ECS: of events seen by a host, network.direction is ingress or egress from the host's point of view
# (inbound and outbound are for devices that watch a network's border).
INGRESS, EGRESS = "ingress", "egress"

# fmt: off
_DIRECTIONS: dict[str, str] = {  # of the ActionTypes that say it
    "ConnectionAttempt":                     EGRESS,
    "ConnectionFailed":                      EGRESS,
    "ConnectionFailedAggregatedReport":      EGRESS,
    "ConnectionRequest":                     EGRESS,
    "ConnectionSuccess":                     EGRESS,
    "ConnectionSuccessAggregatedReport":     EGRESS,
    "ConnectionAcknowledged":                EGRESS,
    "InboundConnectionAccepted":             INGRESS,
    "InboundConnectionAcknowledged":         INGRESS,
    "InboundConnectionAttempt":              INGRESS,
    "InboundInternetScanInspected":          INGRESS,
    "FirewallInboundConnectionBlocked":      INGRESS,
    "FirewallInboundConnectionToAppBlocked": INGRESS,
    "FirewallOutboundConnectionBlocked":     EGRESS,
}
_BY_FIELD = {"in": INGRESS, "inbound": INGRESS, "out": EGRESS, "outbound": EGRESS}  # AdditionalFields.direction

_TRANSPORTS: dict[str, tuple[str, str, str | None]] = {  # Protocol -> network.transport, iana_number, type
    "tcp":     ("tcp",       "6",   None),    "tcpv4":  ("tcp",  "6",  "ipv4"),  "tcpv6":  ("tcp",       "6",  "ipv6"),
    "udp":     ("udp",       "17",  None),    "udpv4":  ("udp",  "17", "ipv4"),  "udpv6":  ("udp",       "17", "ipv6"),
    "icmp":    ("icmp",      "1",   None),    "icmpv4": ("icmp", "1",  "ipv4"),  "icmpv6": ("ipv6-icmp", "58", "ipv6"),
    "igmp":    ("igmp",      "2",   None),    "gre":    ("gre",  "47", None),    "sctp":   ("sctp",      "132", None),
    "esp":     ("esp",       "50",  None),    "ah":     ("ah",   "51", None),
}
_PROTOCOLS: dict[str, str] = {  # ActionType -> network.protocol
    "DnsConnectionInspected":      "dns",
    "DnsQueryRequest":             "dns",
    "DnsQueryResponse":            "dns",
    "FtpConnectionInspected":      "ftp",
    "HttpConnectionInspected":     "http",
    "KerberosConnectionInspected": "kerberos",
    "LdapSearch":                  "ldap",
    "NtlmAuthenticationInspected": "ntlm",
    "SmtpConnectionInspected":     "smtp",
    "SshConnectionInspected":      "ssh",
    "SslConnectionInspected":      "tls",
}
# fmt: on
_NO_PROTOCOL = frozenset({"", "-", "unknown", "none", "local", "n/a"})
_DIRECTION_KEY = re.compile(r'"direction"\s*:\s*"([A-Za-z]+)"')


def direction(action: str | None, additional_fields: Any = None) -> str | None:
    """network.direction from AdditionalFields.direction (`In`, `Out`), else from the ActionType, else None.

    AdditionalFields may be an object or its JSON text; the text is searched, not parsed. ConnectionFound and
    ListeningConnectionCreated have no direction: the one was found open, the other has no other end yet.
    """
    if additional_fields and (told := told_direction(additional_fields)) is not None:
        found = _BY_FIELD.get(told.lower())
        if found is not None:
            return found
    return _DIRECTIONS.get(action) if action is not None else None


def told_direction(additional_fields: Any) -> str | None:
    """AdditionalFields.direction as sent (`In`, `Out`); None where it has none."""
    if additional_fields.__class__ is dict:
        told = additional_fields.get("direction")
        return told if told.__class__ is str and told else None
    if additional_fields.__class__ is str and '"direction"' in additional_fields:
        match = _DIRECTION_KEY.search(additional_fields)
        return None if match is None else match[1]
    return None


def ends(
    action: str | None,
    additional_fields: Any,
    local_ip: str | None,
    local_port: int | None,
    remote_ip: str | None,
    remote_port: int | None,
) -> tuple[str | None, str | None, int | None, str | None, int | None]:
    """Local and remote -> (network.direction, source.ip, source.port, destination.ip, destination.port).

    The remote end is the source of ingress; of a listening socket the local end is the destination (nobody called
    yet). Everything else has the local end as its source, unknown directions too.

    >>> ends("InboundConnectionAccepted", None, "10.0.0.1", 135, "10.0.0.2", 54022)
    ('ingress', '10.0.0.2', 54022, '10.0.0.1', 135)
    """
    way = direction(action, additional_fields)
    if way == INGRESS or action == "ListeningConnectionCreated":
        return way, remote_ip, remote_port, local_ip, local_port
    return way, local_ip, local_port, remote_ip, remote_port


def remote_is_source(action: str | None, additional_fields: Any = None) -> bool:
    """Whether what Defender calls remote (RemoteUrl, RemoteDeviceName) is source.* rather than destination.*."""
    return direction(action, additional_fields) == INGRESS


def transport(
    protocol: str | None, ip: str | None = None, other_ip: str | None = None
) -> tuple[str | None, str | None, str | None]:
    """Protocol (`Tcp`, `TcpV4`, `IcmpV6`, …) and the addresses -> (network.transport, iana_number, type).

    ECS: transport in lower case, the number as IANA assigns it, type ipv4 or ipv6. A bare `Icmp` between IPv6
    addresses is ipv6-icmp. A name that is no transport (`Ntlm`) gives only the type; it is an application protocol,
    see `application_protocol`.

    >>> transport("TcpV4"), transport("Icmp", "fe80::1"), transport("Ntlm")
    (('tcp', '6', 'ipv4'), ('ipv6-icmp', '58', 'ipv6'), (None, None, None))
    """
    kind: str | None = None
    address = ip or other_ip
    if address is not None:
        kind = "ipv6" if ":" in address else "ipv4" if "." in address else None
    if not protocol:
        return None, None, kind
    known = _TRANSPORTS.get(protocol.lower())
    if known is None:
        return None, None, kind
    name, number, told = known
    if told is not None:
        return name, number, told
    if kind == "ipv6" and name == "icmp":
        return "ipv6-icmp", "58", kind
    return name, number, kind


def application_protocol(protocol: str | None, action: str | None = None) -> str | None:
    """network.protocol: what an inspected connection speaks, else a Protocol that is no transport (`NTLM`), lower case.

    `Local`, `Unknown` and the like are no protocol.
    """
    if action is not None and (known := _PROTOCOLS.get(action)) is not None:
        return known
    if not protocol:
        return None
    lower = protocol.lower()
    return None if lower in _TRANSPORTS or lower in _NO_PROTOCOL else lower


def mac(address: str | None) -> str | None:
    """A MAC address in any form -> ECS' form (RFC 7042: `00-0D-3A-9E-C7-81`); None for what is none, all zeros too.

    Known forms: `000D3A9EC781`, `00:0d:3a:9e:c7:81`, `00-0D-…`, `000d.3a9e.c781`; 48 or 64 bits.
    """
    return _mac(address) if address and len(address) <= 32 else None


@lru_cache(maxsize=4096)
def _mac(address: str) -> str | None:
    try:
        octets = bytes.fromhex(address.translate(_MAC_MARKS))
    except ValueError:
        return None
    return octets.hex("-").upper() if len(octets) in (6, 8) and any(octets) else None


_MAC_MARKS = str.maketrans("", "", ":-.")


def community_id(
    ip: str | None, port: int | None, other_ip: str | None, other_port: int | None, transport: str | None
) -> str | None:
    """network.community_id, version 1 with seed 0 (corelight/community-id-spec); the same from both ends.

    For tcp, udp and sctp with both addresses and ports, else None: for ICMP the specification needs type and code,
    which Defender does not send. Own code because the `communityid` package takes nine times as long.

    >>> community_id("128.232.110.120", 34855, "66.35.250.204", 80, "tcp")
    '1:LQU9qZlK+B5F3KDmev6m5PMibrg='
    """
    if ip is None or other_ip is None or port is None or other_port is None or transport is None:
        return None
    number = _FLOW_PROTOCOLS.get(transport)
    if number is None or not (0 <= port <= 65535 and 0 <= other_port <= 65535):
        return None
    first, second = _packed(ip), _packed(other_ip)
    if first is None or second is None or len(first) != len(second):
        return None
    if first > second or (first == second and port > other_port):
        first, port, second, other_port = second, other_port, first, port
    flow = _FLOWS[len(first)](first, second, number, port, other_port)
    return "1:" + b2a_base64(hashlib.sha1(flow, usedforsecurity=False).digest(), newline=False).decode()


def _packed(ip: str) -> bytes | None:
    """An address in network order, None for what is none."""
    return _packed_short(ip) if len(ip) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=8192)
def _packed_short(ip: str) -> bytes | None:
    """Cached, because a fleet talks to few addresses; only short texts get here, so that the cache stays small."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        return None


_LONGEST_ADDRESS = 45
_FLOWS = {4: struct.Struct("!2x4s4sBxHH").pack, 16: struct.Struct("!2x16s16sBxHH").pack}  # by the addresses' bytes
_FLOW_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
