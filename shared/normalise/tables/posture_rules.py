"""Rules of the posture tables: how an assessment came out, who is named in a certificate, which tactics a configuration is about."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from shared.normalise.rules.mitre import TACTICS, Tactics, tactics

LONGEST_KEY = 64  # characters of a key that can be known
MOST_NAMES = 50  # values kept of one part of a name
LONGEST_NAME = 8_192  # characters of a distinguished name that are taken apart


def evaluation(
    compliant: bool | None,  # noqa: FBT001  columns come by position
    applicable: bool | None,  # noqa: FBT001  as above
    exempt: bool | None,  # noqa: FBT001  as above
) -> tuple[str | None, str | None]:
    """IsCompliant, IsApplicable, IsExempt -> (result.evaluation, event.outcome).

    passed and failed, success and failure, as Elastic's integrations write them for assessments. What does not apply to a device,
    or what it is exempt from, was not judged: it neither passed nor failed, whatever IsCompliant says, so both are absent and
    findings pages do not count it.

    >>> evaluation(False, True, None), evaluation(False, True, True)
    (('failed', 'failure'), (None, None))
    """
    if compliant is None or applicable is False or exempt:
        return None, None
    return ("passed", "success") if compliant else ("failed", "failure")


class Name(NamedTuple):
    """Parts of an X.509 name in the order of NAME_FIELDS; lists, since a name can hold each several times."""

    common_name: list[str] | None = None
    organization: list[str] | None = None
    organizational_unit: list[str] | None = None
    country: list[str] | None = None
    locality: list[str] | None = None
    state_or_province: list[str] | None = None
    distinguished_name: str | None = None


NO_NAME = Name()
NAME_FIELDS = Name._fields
# fmt: off
_PARTS: dict[str, int] = {  # key in lower case, letters only -> place in Name
    "cn": 0, "commonname": 0,
    "o": 1,  "organization": 1,        "organizationname": 1,
    "ou": 2, "organizationalunit": 2,  "organizationalunitname": 2, "organizationunit": 2, "organizationunitname": 2,
    "c": 3,  "country": 3,             "countryname": 3,
    "l": 4,  "locality": 4,            "localityname": 4,
    "s": 5,  "st": 5, "state": 5,      "stateorprovince": 5,        "stateorprovincename": 5,
}
# fmt: on
_NO_LETTERS = re.compile(r"[^a-z]")
_ASSIGNMENT = re.compile(r'(?:[^,;"\\]|\\.|"(?:[^"\\]|\\.)*"|")+', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def x509_name(value: Any) -> Name:
    r"""IssuedTo and IssuedBy, an object (`{"CommonName": "…"}`) or a distinguished name (RFC 4514) -> x509 subject or issuer.

    Public queries read the key CommonName; the other keys are not documented and are known in their usual spellings.
    distinguished_name is only what came as one text. A text that is no distinguished name is the common name.

    >>> x509_name({"CommonName": "www.example.com", "OrganizationName": "Example"})[:2]
    (['www.example.com'], ['Example'])
    >>> x509_name({"text": "CN=www.example.com, O=Example\\, Inc."})[:2]
    (['www.example.com'], ['Example, Inc.'])
    """
    if value.__class__ is not dict:
        return NO_NAME
    found: list[list[str]] = [[] for _ in NAME_FIELDS[:-1]]
    text = value.get("text") if len(value) == 1 else None
    if text.__class__ is str:
        for assignment in _ASSIGNMENT.findall(text[:LONGEST_NAME]):
            key, _, part = assignment.partition("=")
            part = part.strip()
            _put(found, key, _ESCAPED.sub(r"\1", part[1:-1] if part[:1] == part[-1:] == '"' else part))
        if not any(found):
            return Name([text])
    else:
        text = None
        for key, part in value.items():
            for name in part if part.__class__ is list else [part]:
                _put(found, key, name)
    common_name, organization, unit, country, locality, state = (names or None for names in found)
    return Name(common_name, organization, unit, country, locality, state, text)


def _put(found: list[list[str]], key: str, name: Any) -> None:
    place = _place(key) if len(key) < LONGEST_KEY else None
    if place is not None and name.__class__ is str and name and len(found[place]) < MOST_NAMES:
        found[place].append(name)


@lru_cache(maxsize=256)
def _place(key: str) -> int | None:
    return _PARTS.get(_NO_LETTERS.sub("", key.lower()))


_TACTIC_NAMES = {identifier: name for name, identifier in TACTICS.values()}


def related_tactics(values: list[str] | None) -> Tactics:
    """RelatedMitreTactics -> threat.tactic.*; names (`Credential Access`) and ids (`TA0006`), since the documents do not say which.

    >>> related_tactics(["TA0006", "Initial Access"]).names
    ['Credential Access', 'Initial Access']
    """
    return tactics([_TACTIC_NAMES.get(value.strip(), value) for value in values] if values else None)


def system_model(component: str | None, manufacturer: str | None, name: str | None) -> tuple[str | None, str | None]:
    """ComponentType, Manufacturer, ComponentName -> device.(manufacturer, model.name), of a `Hardware` component only.

    Such a component is the machine's model; a processor's or a BIOS' maker is not the maker of the device.
    """
    if component is None or component.strip().lower() != "hardware":
        return None, None
    return manufacturer, name
