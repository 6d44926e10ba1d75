"""Inspected connections in the forms Defender sends (Zeek's keys, JSON in JSON in JSON) become ECS fields."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules import inspected
from shared.normalise.rules.additional_fields import number, opened, text
from shared.normalise.rules.dns import DNS_FIELDS, dns

FACTS = Path(__file__).resolve().parents[4] / "shared" / "facts"
RULES = (
    (dns, DNS_FIELDS),
    (inspected.http, inspected.HTTP_FIELDS),
    (inspected.tls, inspected.TLS_FIELDS),
    (inspected.logon, inspected.LOGON_FIELDS),
    (inspected.flow, inspected.FLOW_FIELDS),
    (inspected.smtp, inspected.EMAIL_FIELDS),
)
ACTIONS = [
    f"{name}Inspected"
    for name in (
        "DnsConnection",
        "FtpConnection",
        "HttpConnection",
        "IcmpConnection",
        "KerberosConnection",
        "NtlmAuthentication",
        "SmtpConnection",
        "SshConnection",
        "SslConnection",
        "InboundInternetScan",
    )
] + ["DnsQueryResponse", "DnsQueryRequest", "ConnectionSuccess"]


def fields(rule: Any, action: str, additional_fields: Any) -> dict[str, Any]:
    """What a rule fills, by field, without what is absent; the same from the object and from its JSON text."""
    names = next(names for known, names in RULES if known is rule)
    found = dict(zip(names, rule(action, additional_fields), strict=True))
    if isinstance(additional_fields, dict):
        assert tuple(found.values()) == rule(action, json.dumps(additional_fields))
    return {name: value for name, value in found.items() if value is not None}


def test_dns_of_an_inspected_connection() -> None:
    """Zeek's dns.log: text booleans become flags, answers pair with their TTLs, addresses are resolved_ip."""
    record = {
        "direction": "Out",
        "trans_id": "18296",
        "rtt": "0.05926012992858887",
        "query": "host1.example",
        "qclass": "1",
        "qclass_name": "C_INTERNET",
        "qtype": "1",
        "qtype_name": "A",
        "rcode": "0",
        "rcode_name": "NOERROR",
        "AA": "true",
        "TC": "false",
        "RD": "true",
        "RA": "true",
        "answers": '["cdn.example","192.0.2.7"]',
        "TTLs": "[1200.0,60]",
        "rejected": "false",
    }
    assert fields(dns, "DnsConnectionInspected", record) == {
        "dns.question.name": "host1.example",
        "dns.question.type": "A",
        "dns.question.class": "IN",
        "dns.id": "18296",
        "dns.type": "answer",
        "dns.response_code": "NOERROR",
        "dns.header_flags": ["AA", "RD", "RA"],
        "dns.answers": [{"data": "cdn.example", "ttl": 1200}, {"data": "192.0.2.7", "ttl": 60}],
        "dns.resolved_ip": ["192.0.2.7"],
    }
    assert fields(inspected.flow, "DnsConnectionInspected", record) == {"event.duration": 59260130}


def test_dns_of_the_client() -> None:
    """DnsQueryResponse: the results are objects in text in text; a name that resolves to nothing is still an answer."""
    result = json.dumps([{"DnsQueryType": "A", "Result": "192.0.2.7"}, {"DnsQueryType": "28", "Result": "2001:db8::7"}])
    record = {"DnsQueryString": "host1.example", "DnsQueryResult": result}
    assert fields(dns, "DnsQueryResponse", record) == {
        "dns.question.name": "host1.example",
        "dns.type": "answer",
        "dns.answers": [{"data": "192.0.2.7", "type": "A"}, {"data": "2001:db8::7", "type": "AAAA"}],
        "dns.resolved_ip": ["192.0.2.7", "2001:db8::7"],
    }
    assert fields(dns, "DnsQueryResponse", {"DnsQueryString": "x"}) == {"dns.question.name": "x", "dns.type": "answer"}
    assert fields(dns, "DnsQueryRequest", {"DnsQueryString": "x"}) == {"dns.question.name": "x", "dns.type": "query"}
    assert fields(dns, "DnsQueryResponse", {"AnotherKey": 1}) == {}


def test_http() -> None:
    """A proxy request: numbers out of text, the target's host and port, and the browser."""
    record = {
        "direction": "Out",
        "host": "www.gstatic.com",
        "method": "CONNECT",
        "proxied": '["PROXY-CONNECTION -> keep-alive"]',
        "request_body_len": "0",
        "response_body_len": "17",
        "status_code": "200",
        "status_msg": "Connection established",
        "tags": "[]",
        "trans_depth": "1",
        "uri": "www.gstatic.com:443",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0",
    }
    assert fields(inspected.http, "HttpConnectionInspected", record) == {
        "http.request.method": "CONNECT",
        "http.response.status_code": 200,
        "http.request.body.bytes": 0,
        "http.response.body.bytes": 17,
        "user_agent.original": "Mozilla/5.0 (Windows NT 10.0",
        "url.original": "www.gstatic.com:443",
        "url.domain": "www.gstatic.com",
        "url.port": 443,
    }
    get = {"host": "example.com", "uri": "/a/b.exe?c=d", "version": "1.1", "resp_mime_types": '["text/html"]'}
    found = fields(inspected.http, "HttpConnectionInspected", get)
    assert found["url.full"] == "http://example.com/a/b.exe?c=d"
    assert found["url.extension"] == "exe"
    assert (found["http.version"], found["http.response.mime_type"]) == ("1.1", "text/html")


def test_tls() -> None:
    """The version is apart from its protocol, booleans are booleans, the server's certificate is the server's."""
    record = {
        "direction": "Out",
        "version": "TLSv12",
        "curve": "secp384r1",
        "server_name": "host1.example",
        "resumed": "false",
        "next_protocol": "h2",
        "established": "true",
        "subject": "CN=host1.example,O=Company,C=US",
        "issuer": "CN=Company CA,O=Company,C=US",
        "cipher": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    }
    assert fields(inspected.tls, "SslConnectionInspected", record) == {
        "tls.version": "1.2",
        "tls.version_protocol": "tls",
        "tls.cipher": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "tls.curve": "secp384r1",
        "tls.established": True,
        "tls.resumed": False,
        "tls.next_protocol": "h2",
        "tls.client.server_name": "host1.example",
        "tls.server.subject": "CN=host1.example,O=Company,C=US",
        "tls.server.issuer": "CN=Company CA,O=Company,C=US",
    }
    for sent, version, protocol in (("SSLv3", "3.0", "ssl"), ("TLSv13", "1.3", "tls"), ("DTLSv12", "1.2", "dtls")):
        found = fields(inspected.tls, "SslConnectionInspected", {"version": sent})
        assert found == {"tls.version": version, "tls.version_protocol": protocol}
    assert fields(inspected.tls, "SslConnectionInspected", {"version": "fridge"}) == {}


def test_logons_on_the_wire() -> None:
    """SSH tells success, FTP a user that may be unknown, NTLM and Kerberos who it was and where."""
    ssh = {"direction": "Out", "auth_attempts": "2", "auth_success": "true", "client": "SSH-2.0-PuTTY"}
    assert fields(inspected.logon, "SshConnectionInspected", ssh) == {"event.outcome": "success"}
    assert fields(inspected.logon, "SshConnectionInspected", {"auth_success": "false"}) == {"event.outcome": "failure"}
    assert fields(inspected.logon, "FtpConnectionInspected", {"user": "<unknown>", "command": "<init>"}) == {}
    assert fields(inspected.logon, "FtpConnectionInspected", {"user": "kim"}) == {"user.name": "kim"}
    ntlm = {"server_dns_computer_name": "Host1.example", "username": "kim", "domainname": "CONTOSO", "success": "true"}
    assert fields(inspected.logon, "NtlmAuthenticationInspected", ntlm) == {
        "user.name": "kim",
        "user.domain": "CONTOSO",
        "event.outcome": "success",
        "destination.domain": "host1.example",
    }
    kerberos = {"client": "kim/EXAMPLE.COM", "success": "false"}
    assert fields(inspected.logon, "KerberosConnectionInspected", kerberos) == {
        "user.name": "kim",
        "user.domain": "EXAMPLE.COM",
        "event.outcome": "failure",
    }
    assert fields(inspected.logon, "KerberosConnectionInspected", {"client": "kim"}) == {"user.name": "kim"}


def test_icmp_counts() -> None:
    """Zeek's counts: the originator is the source, totals only where both are known, seconds become nanoseconds."""
    record = {
        "direction": "In",
        "conn_state": "OTH",
        "duration": "236.02695489659583",
        "missed_bytes": "0",
        "orig_bytes": "1344",
        "orig_ip_bytes": "2016",
        "orig_pkts": "24",
        "resp_bytes": "0",
        "resp_ip_bytes": "0",
        "resp_pkts": "0",
    }
    assert fields(inspected.flow, "IcmpConnectionInspected", record) == {
        "source.bytes": 2016,
        "source.packets": 24,
        "destination.bytes": 0,
        "destination.packets": 0,
        "network.bytes": 2016,
        "network.packets": 24,
        "event.duration": 236026954897,
    }
    assert fields(inspected.flow, "IcmpConnectionInspected", {"orig_bytes": "1"}) == {"source.bytes": 1}
    both = fields(
        inspected.flow, "IcmpConnectionInspected", {"orig_bytes": "10", "resp_bytes": 5, "orig_pkts": 2, "resp_pkts": 1}
    )
    assert (both["network.bytes"], both["network.packets"]) == (15, 3)


def test_smtp() -> None:
    """Addresses of the envelope before those of the header; lists are JSON in text."""
    record = {
        "mailfrom": "kim@example.com",
        "rcptto": '["lee@example.com","max@example.com"]',
        "from": "Kim",
        "helo": "x",
    }
    assert fields(inspected.smtp, "SmtpConnectionInspected", record) == {
        "email.from.address": ["kim@example.com"],
        "email.to.address": ["lee@example.com", "max@example.com"],
    }
    assert fields(inspected.smtp, "SmtpConnectionInspected", {"tls": "true", "path": '["192.0.2.1"]'}) == {}


@pytest.mark.parametrize("action", ACTIONS)
def test_other_actions_and_empty_fields_give_nothing(action: str) -> None:
    """A rule answers for its own actions only, and without AdditionalFields never."""
    for rule, names in RULES:
        empty: tuple[Any, ...] = (None, "", "[]", "{}", "{broken", {}, [], 7)
        for nothing in empty:
            assert rule(action, nothing) == (None,) * len(names)
        assert rule("ConnectionSuccess", {"query": "x", "host": "x", "version": "TLSv12"}) == (None,) * len(names)
        assert rule(None, {"query": "x"}) == (None,) * len(names)


# fmt: off
KEYS = st.sampled_from([
    "query", "answers", "TTLs", "qclass_name", "AA", "DnsQueryString", "DnsQueryResult", "DnsQueryType", "host",
    "uri", "method", "status_code", "version", "user_agent", "resp_mime_types", "established", "client",
    "auth_success", "username", "success", "orig_bytes", "resp_pkts", "duration", "mailfrom", "rcptto", "rtt",
])
# fmt: on
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["[", "[1", '["a"]', "[{}]", "1e999"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(ACTIONS), st.dictionaries(KEYS, VALUES) | st.text())
def test_wrong_shapes_never_raise(action: str, additional_fields: Any) -> None:
    """Any value behind any key: tuples keep their length, numbers fit 63 bits, lists are of what they should be."""
    for rule, names in RULES:
        found = dict(zip(names, rule(action, additional_fields), strict=True))
        for name, value in found.items():
            assert value is None or value is False or value == 0 or value, name
            if isinstance(value, int):
                assert 0 <= value < 1 << 63
        for answer in found.get("dns.answers") or []:
            assert set(answer) <= {"data", "ttl", "type"}
            assert isinstance(answer["data"], str)


def test_fields_exist_in_ecs_and_are_written_once() -> None:
    """Every field a tuple names is an ECS field, and no two rules claim one."""
    path = FACTS / "ecs_fields.csv"
    if not path.exists():
        pytest.skip("the knowledge folder has no ECS fields here")
    with path.open() as lines:
        known = {row["field"] for row in csv.DictReader(lines)}
    names = [name for _, fields_of_rule in RULES for name in fields_of_rule]
    assert [name for name in names if name not in known] == []
    assert len(names) == len(set(names))


def test_plain_values() -> None:
    """Numbers, texts and objects out of what they are wrapped in, bounded."""
    values: list[Any] = ["17", 17, "1200.0", 3.9, "-1", "x", None, True, "9" * 39, float("nan"), "1e400"]
    assert [number(value) for value in values] == [17, 17, 1200, 3, *[None] * 7]
    values = ["a", "", "-", 7, None, [], "<unknown>"]
    assert [text(value) for value in values] == ["a", None, None, "7", None, None, None]
    assert opened('{"a":1}') == opened({"a": 1}) == {"a": 1}
    assert opened("[1]") == opened("{") == opened(None) == {}
