r"""Rules of the Identity* tables: who did it to whom from which computer, out of columns and of AdditionalFields.

Defender for Identity puts what it knows of both ends into AdditionalFields, under keys with dots and blanks (`FROM.DEVICE`,
`TARGET_OBJECT.USER`). The keys here are those of streamed records and of public queries.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shared.normalise.rules.account import is_computer, user
from shared.normalise.rules.additional_fields import number, text
from shared.normalise.rules.mitre import TACTIC_FIELDS, TECHNIQUE_FIELDS, framework, tactics, techniques
from shared.normalise.rules.paths import extension, file_name
from shared.normalise.rules.platform import device_os

ATTACK_FIELDS = (*TECHNIQUE_FIELDS, *TACTIC_FIELDS)
_NO_ATTACK = (None,) * len(ATTACK_FIELDS)
_EMPTY: dict[str, Any] = {}
_NO_OS = (None,) * 6
_NOBODY = (None,) * 5
_NO_GROUP = (None,) * 2
_BETWEEN_TECHNIQUES = re.compile(r"(?<=\))\s*,\s*")
_LONGEST_REMEMBERED = 2_000  # characters of AttackTechniques

# What stands in Isp where the address has no provider, in lower case.
_NO_PROVIDERS = frozenset({"internal_network", "none specified", "unknown"})

# ActionResult, in lower case: Okta's outcome.result (SUCCESS, FAILURE, ALLOW, DENY, SKIPPED, CHALLENGE, UNKNOWN) and plain words.
# fmt: off
_OUTCOMES: dict[str, str] = {
    "success": "success",  "succeeded": "success",  "allow": "success",  "allowed": "success",
    "failure": "failure",  "failed":    "failure",  "deny":  "failure",  "denied":  "failure",
}
_RECORD_TYPES = {"text": "TXT"}  # DNS types that Defender for Identity writes out
# fmt: on


def _bag(fields: Any) -> dict[str, Any]:
    """AdditionalFields where it is an object, as a `flattened` column has it; empty otherwise."""
    return fields if fields.__class__ is dict else _EMPTY


def dashed(action: str | None) -> str | None:
    """`SAMR query` -> `samr-query`: ActionTypes of several words, as Elastic's integration writes event.action."""
    return None if action is None else action.lower().replace(" ", "-")


def account(
    name: str | None, domain: str | None, sid: str | None, upn: str | None, display_name: str | None, fields: Any = None
) -> tuple[str | None, str | None, str | None]:
    r"""The account's columns -> user.(name, domain, email).

    As `rules.account.user` has it; and for what stands in the place of a name, or where there is none:

    - a display name in AccountName, as IdentityInfo has it for accounts that live in Entra ID only, gives way to the
      UPN (elastic/integrations#13514: "Last, First" is no user.name);
    - SourceAccountName of AdditionalFields (`example.com\kim`), which failed logons of unknown users have;
    - a computer's account (`WS-0042$`), which stands in the display name only.
    """
    if name is not None and upn is not None and name == display_name and " " in name:
        name = None
    if name is None and upn is None:
        name = text(_bag(fields).get("SourceAccountName")) or (display_name if is_computer(display_name) else None)
    return user(name, domain, sid, upn)


def mailbox(mail: str | None, from_upn: str | None) -> str | None:
    """user.email: the account's own SMTP address, else what its UPN says."""
    return from_upn if mail is None else mail


def user_id(sid: str | None, object_id: str | None, fields: Any = None) -> str | None:
    """user.id: the SID, which rules compare; else the Entra ID object id; else SourceAccountSid of AdditionalFields."""
    if sid is not None:
        return sid
    return object_id if object_id is not None else text(_bag(fields).get("SourceAccountSid"))


def source_os(platform: str | None, fields: Any) -> tuple[str | None, ...]:
    """OSPlatform, else SourceComputerOperatingSystem… of AdditionalFields -> host.os.(type, family, name, platform, version, full).

    >>> source_os(None, {"SourceComputerOperatingSystem": "windows 10 pro", "SourceComputerOperatingSystemVersion": "10.0 (19044)"})
    ('windows', 'windows', 'windows 10 pro', 'windows', '10.0', 'windows 10 pro 10.0 (19044)')
    """
    if platform is not None:
        return device_os(platform)
    known = _bag(fields)
    name = text(known.get("SourceComputerOperatingSystem"))
    if name is not None:
        version, _, build = (text(known.get("SourceComputerOperatingSystemVersion")) or "").partition(" (")
        return device_os(name, None, version or None, build.removesuffix(")") or None)
    kind = text(known.get("SourceComputerOperatingSystemType"))
    if kind is None:
        return _NO_OS
    kind, family, _, short, _, _ = device_os(kind)
    return kind, family, None, short, None, None


def attack(fields: Any) -> tuple[Any, ...]:
    """AttackTechniques (`Account Discovery (T1087), Domain Account (T1087.002)`) and Category -> `ATTACK_FIELDS`."""
    known = _bag(fields)
    told, category = known.get("AttackTechniques"), known.get("Category")
    if told is None and category is None:
        return _NO_ATTACK
    if told.__class__ is str and told[:1] != "[":
        told = _split(told) if len(told) <= _LONGEST_REMEMBERED else _BETWEEN_TECHNIQUES.split(told)
    named, of = techniques(told), tactics(category)
    return framework(named.framework, of.ids), *named[1:], *of


@lru_cache(maxsize=1024)
def _split(told: str) -> list[str]:
    """The techniques of one text; Defender for Identity has few such texts and repeats them."""
    return _BETWEEN_TECHNIQUES.split(told)


def host_address(name: str | None, address: str | None) -> list[str] | None:
    """host.ip: IPAddress, which Microsoft documents as the address of the device that DeviceName names; without a name nobody's."""
    return None if name is None or address is None else [address]


def location(place: str | None) -> tuple[str | None, str | None]:
    """Location or Country -> source.geo.(country_iso_code, name): two capital letters are the country, all else a place's name."""
    if place is None:
        return None, None
    if len(place) == 2 and place.isascii() and place.isalpha() and place.isupper():
        return place, None
    return None, place


def provider(isp: str | None) -> str | None:
    """source.as.organization.name; Defender's words for addresses without a provider (`INTERNAL_NETWORK`) are none."""
    return None if isp is None or isp.lower() in _NO_PROVIDERS else isp


def target(upn: str | None, display_name: str | None, fields: Any) -> tuple[str | None, ...]:
    """The account that it was done to -> user.target.(name, domain, email, full_name, id).

    The name is the UPN's, or a computer's account that stands in the display name; TARGET_OBJECT.USER is a display name.
    """
    known = _bag(fields)
    if display_name is None:
        display_name = text(known.get("TARGET_OBJECT.USER")) or text(known.get("TARGET_OBJECT.ENTITY_USER"))
    if upn is None and is_computer(display_name):
        upn = display_name
    return *user(None, None, None, upn), display_name, text(known.get("TargetAccountSid"))


def changed_group(fields: Any) -> str | None:
    """group.name: the group that got (TO.GROUP) or lost (FROM.GROUP) a member, else the group that was changed itself.

    With a membership, TARGET_OBJECT.GROUP is the member; it stays in AdditionalFields.
    """
    known = _bag(fields)
    return text(known.get("TO.GROUP")) or text(known.get("FROM.GROUP")) or text(known.get("TARGET_OBJECT.GROUP"))


def shared_file(fields: Any) -> tuple[str | None, str | None, str | None, int | None]:
    r"""FilePath, FileName and FileSize of files copied over SMB -> file.(path, name, extension, size).

    >>> shared_file({"FilePath": "dns\\dns.log", "FileName": "dns\\dns.log", "FileSize": "138373233"})
    ('dns\\dns.log', 'dns.log', 'log', 138373233)
    """
    known = _bag(fields)
    path, name = text(known.get("FilePath")), text(known.get("FileName"))
    if path is None and name is None:
        return None, None, None, None
    name = file_name(name) if name is not None else file_name(path)
    return path, name, extension(name), number(known.get("FileSize"))


def queried(
    action: str | None, kind: str | None, subject: str | None, upn: str | None, display_name: str | None, fields: Any
) -> tuple[str | None, ...]:
    """What a query asked about -> user.target.(name, domain, email, full_name, id), group.(name, id).

    A SAMR query names the user or the group in QueryTarget, and its kind in QueryType (`QueryUser`, `QueryGroup`).
    """
    name, domain, email, full_name, sid = target(upn, display_name, fields)
    if action is not None and kind is not None and action[:4].upper() == "SAMR":
        if kind.startswith("QueryGroup"):
            return name, domain, email, full_name, None, subject, sid
        if kind.startswith("QueryUser") and name is None:
            name, domain, email = user(subject)
    return name, domain, email, full_name, sid, None, None


def dns_question(action: str | None, kind: str | None, name: str | None) -> tuple[str | None, str | None, str | None]:
    """Of a DNS query, QueryTarget and QueryType -> dns.question.(name, type), dns.type.

    >>> dns_question("DNS query", "Text", "_grpc_config.example.com")
    ('_grpc_config.example.com', 'TXT', 'query')
    """
    if action is None or action[:3].upper() != "DNS":
        return None, None, None
    return name, None if kind is None else _RECORD_TYPES.get(kind.lower(), kind.upper()), "query"


def outcome(result: str | None, by_action: str | None) -> str | None:
    """event.outcome of an event of another identity provider; a result that is neither success nor failure is unknown."""
    return by_action if result is None else _OUTCOMES.get(result.lower(), "unknown")


def target_objects(objects: Any) -> tuple[str | None, ...]:
    """TargetObjects, a list of objects -> user.target.(name, domain, email, full_name, id), group.(name, id); the first of each.

    The keys are the provider's, in any case: Okta's are type, id, alternateId, displayName.
    """
    person: tuple[str | None, ...] = _NOBODY
    group: tuple[str | None, ...] = _NO_GROUP
    for member in objects if objects.__class__ is list else (objects,):
        if member.__class__ is not dict:
            continue
        known = {key.lower(): value for key, value in member.items()}
        kind = (text(known.get("type")) or "").lower()
        name = text(known.get("displayname")) or text(known.get("name"))
        if "group" in kind:  # first, for Okta's are of type UserGroup
            group = (name, text(known.get("id"))) if group == _NO_GROUP else group
        elif "user" in kind and person == _NOBODY:
            login = text(known.get("alternateid")) or text(known.get("upn"))
            person = (*user(None, None, None, login), name, text(known.get("id")))
    return *person, *group
