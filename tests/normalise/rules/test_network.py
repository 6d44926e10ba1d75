"""Connections told as local and remote become source and destination, in ECS' words and forms of addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.network import (
    application_protocol,
    community_id,
    direction,
    ends,
    mac,
    remote_is_source,
    told_direction,
    transport,
)

FACTS = Path(__file__).resolve().parents[4] / "shared" / "facts"

# fmt: off
DIRECTIONS = [
    ("ConnectionSuccess",              None,                              "egress"),
    ("ConnectionFailed",               "",                                "egress"),
    ("InboundConnectionAccepted",      None,                              "ingress"),
    ("InboundInternetScanInspected",   {"PublicScannedPort": 5432},       "ingress"),
    ("FirewallInboundConnectionBlocked", None,                            "ingress"),
    ("DnsConnectionInspected",         {"direction": "Out"},              "egress"),
    ("NtlmAuthenticationInspected",    '{"direction":"In","uid":"C1"}',   "ingress"),
    ("NtlmAuthenticationInspected",    '{"uid":"C1","direction" : "in"}', "ingress"),
    ("ConnectionAttempt",              '{"direction":"In"}',              "ingress"),  # the field wins
    ("ConnectionAttempt",              '{"direction":"Sideways"}',        "egress"),
    ("ConnectionAttempt",              {"direction": ["In"]},             "egress"),
    ("NetworkSignatureInspected",      '{"SignatureName":"HTTP_Server"}', None),
    ("ConnectionFound",                None,                              None),
    (None,                             None,                              None),
]
TRANSPORTS = [
    (("Tcp", "10.0.0.1", None),      ("tcp", "6", "ipv4")),
    (("TcpV4", None, None),          ("tcp", "6", "ipv4")),
    (("UdpV6", None, None),          ("udp", "17", "ipv6")),
    (("Udp", None, "fe80::1"),       ("udp", "17", "ipv6")),
    (("Icmp", "10.0.0.1", None),     ("icmp", "1", "ipv4")),
    (("Icmp", "2a02::", None),       ("ipv6-icmp", "58", "ipv6")),
    (("IcmpV6", None, None),         ("ipv6-icmp", "58", "ipv6")),
    (("Unknown", "10.0.0.1", None),  (None, None, "ipv4")),
    (("Kerberos", None, None),       (None, None, None)),
    ((None, None, None),             (None, None, None)),
]
PROTOCOLS = [
    ("Tcp",      "HttpConnectionInspected", "http"),
    ("Tcp",      "SslConnectionInspected",  "tls"),  # never dns, as once elsewhere
    ("Udp",      "DnsConnectionInspected",  "dns"),
    ("Tcp",      "ConnectionSuccess",       None),
    ("NTLM",     "LogonFailed",             "ntlm"),
    ("Kerberos", None,                      "kerberos"),
    ("Ldap",     None,                      "ldap"),
    ("Local",    None,                      None),
    ("Unknown",  None,                      None),
    (None,       None,                      None),
]
ADDRESSES = [
    ("000D3A9EC781",            "00-0D-3A-9E-C7-81"),
    ("00:0d:3a:9e:c7:81",       "00-0D-3A-9E-C7-81"),
    ("00-0D-3A-9E-C7-81",       "00-0D-3A-9E-C7-81"),
    ("000d.3a9e.c781",          "00-0D-3A-9E-C7-81"),
    ("02:00:5e:10:00:00:00:01", "02-00-5E-10-00-00-00-01"),
    ("000000000000",            None),
    ("000D3A9EC7",              None),
    ("not a mac addr",          None),
    ("zzzzzzzzzzzz",            None),
    ("",                        None),
    (None,                      None),
]
FLOWS = [  # ids as the package communityid 1.5.0 (corelight/pycommunityid) computes them
    (("128.232.110.120", 34855, "66.35.250.204", 80, "tcp"), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (("10.0.0.2", 443, "10.0.0.1", 50000, "tcp"), "1:B4H0bMN0Rih3qr9C82AA7esBYLM="),
    (("10.0.0.1", 5, "10.0.0.1", 6, "tcp"), "1:F2wb2rEthkZXCT1z0H06XPxTKn4="),
    (("192.0.2.1", 53, "192.0.2.1", 53, "udp"), "1:VhU48Hd56gY4uMB4RSfQoMoIzzg="),
    (("192.168.1.52", 54585, "8.8.8.8", 53, "udp"), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (("2a02:cf40::", 61736, "2a02:cf40::1", 8080, "tcp"), "1:E3pSbKu9kB5A4eafeqzIw6caLqI="),
    (("fe80::2", 546, "ff02::1:2", 547, "udp"), "1:WbIpaGukeoDd2yuFn+hCLrWcKWA="),
    (("192.168.170.8", 7, "192.168.170.56", 80, "sctp"), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
    (("255.255.255.255", 65535, "0.0.0.0", 0, "udp"), "1:WxXnfU8dgITMAInEo8bdS1Btk4A="),
]
# fmt: on


@pytest.mark.parametrize(("action", "fields", "expected"), DIRECTIONS)
def test_direction(action: str | None, fields: object, expected: str | None) -> None:
    """AdditionalFields tells first, then the ActionType; where neither does there is no direction."""
    assert direction(action, fields) == expected
    assert remote_is_source(action, fields) == (expected == "ingress")


def test_told_direction() -> None:
    """What AdditionalFields says, as sent, whatever their form; nothing where it says no word."""
    assert told_direction({"direction": "Out"}) == told_direction('{"uid":"C1","direction":"Out"}') == "Out"
    assert told_direction({"direction": "Sideways"}) == "Sideways"
    for nothing in (None, {}, {"direction": ["In"]}, {"direction": ""}, "", '{"uid":"C1"}', '{"direction":1}', ["In"]):
        assert told_direction(nothing) is None


def test_directions_are_of_known_actions_and_allowed_words() -> None:
    """What the table names exists, and ECS expects both words."""
    if not FACTS.exists():
        pytest.skip("the knowledge folder has no facts here")
    words = json.loads((FACTS / "ecs_allowed_values.json").read_text())["expected_values"]["network.direction"]
    tables = json.loads((FACTS / "action_types.json").read_text())["tables"]
    actions = [*tables["DeviceNetworkEvents"], *tables["DeviceEvents"]]
    told = {action: found for action in actions if (found := direction(action)) is not None}
    assert set(told.values()) == {"ingress", "egress"} <= set(words)
    assert all((found == "ingress") == ("Inbound" in action) for action, found in told.items())
    assert {action for action in actions if "Inbound" in action} <= set(told)


def test_ends_of_an_outbound_and_an_inbound_connection() -> None:
    """Who calls is the source: the host on its way out, the remote on the way in."""
    out = ends("ConnectionSuccess", None, "10.0.0.1", 50000, "192.0.2.1", 443)
    assert out == ("egress", "10.0.0.1", 50000, "192.0.2.1", 443)
    into = ends("InboundConnectionAccepted", None, "10.0.0.1", 135, "192.0.2.1", 54022)
    assert into == ("ingress", "192.0.2.1", 54022, "10.0.0.1", 135)
    zeek = ends("NtlmAuthenticationInspected", '{"direction":"In"}', "10.0.0.1", 135, "192.0.2.1", 54022)
    assert zeek == into


def test_ends_where_the_direction_is_not_known() -> None:
    """The host is taken for the source, but of a socket that listens it is the destination."""
    assert ends("ConnectionFound", None, "10.0.0.1", 1, "192.0.2.1", 2) == (None, "10.0.0.1", 1, "192.0.2.1", 2)
    assert ends("ListeningConnectionCreated", None, "10.0.0.1", 22, None, None) == (None, None, None, "10.0.0.1", 22)


@pytest.mark.parametrize(("columns", "expected"), TRANSPORTS)
def test_transport(columns: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    """Protocol and addresses give transport, number and version; what is no transport gives none."""
    assert transport(*columns) == expected


@pytest.mark.parametrize(("protocol", "action", "expected"), PROTOCOLS)
def test_application_protocol(protocol: str | None, action: str | None, expected: str | None) -> None:
    """network.protocol is what is spoken above the transport."""
    assert application_protocol(protocol, action) == expected


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_mac(address: str | None, expected: str | None) -> None:
    """Every form becomes ECS' form, and what is no address is none."""
    assert mac(address) == expected


PORTS = st.integers(0, 65535)


@pytest.mark.parametrize(("flow", "expected"), FLOWS)
def test_community_id_equals_the_reference(flow: tuple[str, int, str, int, str], expected: str) -> None:
    """Each flow has the id that the specification's own package gives it, from both ends."""
    ip, port, other_ip, other_port, name = flow
    assert community_id(ip, port, other_ip, other_port, name) == expected
    assert community_id(other_ip, other_port, ip, port, name) == expected


@given(st.ip_addresses().map(str), PORTS, st.ip_addresses().map(str), PORTS)
def test_community_id_is_the_same_from_both_ends(ip: str, port: int, other_ip: str, other_port: int) -> None:
    """Which end is called local does not matter; two kinds of addresses make no flow."""
    found = community_id(ip, port, other_ip, other_port, "tcp")
    assert found == community_id(other_ip, other_port, ip, port, "tcp")
    assert (found is None) == ((":" in ip) != (":" in other_ip))


def test_community_id_without_a_flow() -> None:
    """A part that is missing, senseless or of two kinds gives no id."""
    assert community_id("10.0.0.1", 1, "10.0.0.2", None, "tcp") is None
    assert community_id("10.0.0.1", 1, "fe80::1", 2, "tcp") is None
    assert community_id("10.0.0.1", 1, "10.0.0.2", 70000, "tcp") is None
    assert community_id("10.0.0.1", 1, "10.0.0.2", 2, "icmp") is None
    assert community_id("-", 1, "10.0.0.2", 2, "tcp") is None


WORDS = st.none() | st.text() | st.sampled_from(["Tcp", "Icmp", "DnsConnectionInspected", "10.0.0.1", "::1"])
FIELDS = WORDS | st.dictionaries(st.sampled_from(["direction", "x"]), st.integers() | st.text() | st.lists(st.text()))


@given(WORDS, FIELDS, WORDS, st.none() | st.integers(), WORDS, st.none() | st.integers())
def test_nothing_raises(
    action: str | None, fields: object, ip: str | None, port: int | None, other: str | None, other_port: int | None
) -> None:
    """Whatever the columns hold, each rule answers with parts or nothing."""
    assert set(ends(action, fields, ip, port, other, other_port)[1:]) <= {ip, port, other, other_port}
    assert transport(action, ip, other)[2] in (None, "ipv4", "ipv6")
    assert application_protocol(ip, action) != ""
    assert mac(ip) is None or len(mac(ip) or "") in (17, 23)
    found = community_id(ip, port, other, other_port, "tcp")
    assert found is None or found.startswith("1:")
