"""AdditionalFields of DNS events (Zeek's keys of inspected connections, the DNS client's of DeviceEvents) -> dns.*."""

from __future__ import annotations

import socket
from typing import Any

from shared.normalise.rules.additional_fields import boolean, members, number, opened, text

DNS_FIELDS = (
    "dns.question.name",
    "dns.question.type",
    "dns.question.class",
    "dns.id",
    "dns.type",
    "dns.response_code",
    "dns.header_flags",
    "dns.answers",
    "dns.resolved_ip",
)
_NO_DNS = (None,) * len(DNS_FIELDS)
_FLAGS = ("AA", "TC", "RD", "RA", "AD", "CD", "DO")  # ECS' words for dns.header_flags
_CLASSES = {"C_INTERNET": "IN", "C_CHAOS": "CH", "C_HESIOD": "HS", "C_ANY": "ANY", "C_NONE": "NONE"}  # Zeek -> RFC 1035
# fmt: off
_RECORD_TYPES = {
    "1": "A",  "2": "NS",  "5": "CNAME",  "6": "SOA",  "12": "PTR",  "15": "MX",  "16": "TXT",  "28": "AAAA",
    "33": "SRV",  "65": "HTTPS",
}
# fmt: on


def _is_ip(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def dns(action: str | None, additional_fields: Any) -> tuple[Any, ...]:
    """DnsConnectionInspected (Zeek dns.log) and DnsQueryResponse, DnsQueryRequest of DeviceEvents -> `DNS_FIELDS`.

    dns.answers is a list of objects (elastic/integrations#10772: a plain list breaks the mapping) with data, and ttl
    in seconds or type where known; dns.type is answer where a response code or an answer is there, else query.
    """
    if action == "DnsConnectionInspected":
        fields = opened(additional_fields)
        if not fields:
            return _NO_DNS
        ttls = members(fields.get("TTLs"))
        answers: list[dict[str, Any]] = []
        for at, answer in enumerate(members(fields.get("answers"))):
            data = text(answer)
            if data is not None:
                ttl = number(ttls[at]) if at < len(ttls) else None
                answers.append({"data": data} if ttl is None else {"data": data, "ttl": ttl})
        code = text(fields.get("rcode_name"))
        qclass = text(fields.get("qclass_name"))
        flags = [flag for flag in _FLAGS if boolean(fields.get(flag))]
        question = text(fields.get("query"))
        return (
            question,
            text(fields.get("qtype_name")),
            _CLASSES.get(qclass, qclass) if qclass else None,
            text(fields.get("trans_id")),
            "answer" if code or answers else "query" if question else None,
            code,
            flags or None,
            answers or None,
            _addresses(answers),
        )
    if action in ("DnsQueryResponse", "DnsQueryRequest"):
        fields = opened(additional_fields)
        question = text(fields.get("DnsQueryString"))
        answers = []
        for answer in members(fields.get("DnsQueryResult")):
            data = text(answer.get("Result")) if answer.__class__ is dict else text(answer)
            kind = text(answer.get("DnsQueryType")) if answer.__class__ is dict else None
            if data is not None:
                answers.append(
                    {"data": data} if kind is None else {"data": data, "type": _RECORD_TYPES.get(kind, kind)}
                )
        told = text(fields.get("DnsQueryType"))
        if question is None and not answers:
            return _NO_DNS
        return (
            question,
            _RECORD_TYPES.get(told, told) if told else None,
            None,
            None,
            "answer" if action == "DnsQueryResponse" else "query",
            None,
            None,
            answers or None,
            _addresses(answers),
        )
    return _NO_DNS


def _addresses(answers: list[dict[str, Any]]) -> list[str] | None:
    found = dict.fromkeys(answer["data"] for answer in answers if _is_ip(answer["data"]))
    return list(found) or None
