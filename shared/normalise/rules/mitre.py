"""AttackTechniques and Category of alerts -> threat.framework, threat.technique.*, its subtechniques, threat.tactic.*.

Names and ids are those of MITRE ATT&CK Enterprise; Defender sends techniques as `Process Injection (T1055)` and
writes the tactic in one word (`DefenseEvasion`).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from shared.normalise.rules.mitre_techniques import NAMES

FRAMEWORK = "MITRE ATT&CK"
MOST = 200  # techniques kept of one alert
LONGEST, MOST_KNOWN = 2_000, 1_024  # characters of the techniques of one alert, and alerts, that are remembered

# fmt: off
TACTICS: dict[str, tuple[str, str]] = {  # lower case, letters only -> threat.tactic.name, id
    "reconnaissance":      ("Reconnaissance",       "TA0043"),
    "resourcedevelopment": ("Resource Development", "TA0042"),
    "initialaccess":       ("Initial Access",       "TA0001"),
    "execution":           ("Execution",            "TA0002"),
    "persistence":         ("Persistence",          "TA0003"),
    "privilegeescalation": ("Privilege Escalation", "TA0004"),
    "defenseevasion":      ("Defense Evasion",      "TA0005"),
    "credentialaccess":    ("Credential Access",    "TA0006"),
    "discovery":           ("Discovery",            "TA0007"),
    "lateralmovement":     ("Lateral Movement",     "TA0008"),
    "collection":          ("Collection",           "TA0009"),
    "commandandcontrol":   ("Command and Control",  "TA0011"),
    "exfiltration":        ("Exfiltration",         "TA0010"),
    "impact":              ("Impact",               "TA0040"),
}
# fmt: on
_ID = re.compile(r"T\d{4}(?:\.\d{3})?", re.ASCII)
_LETTERS = re.compile(r"[^a-z]")


class Techniques(NamedTuple):
    """Parallel lists, paired by position; None where there is none. Parents of subtechniques are among `ids`."""

    framework: str | None = None
    ids: list[str] | None = None
    names: list[str] | None = None
    references: list[str] | None = None
    sub_ids: list[str] | None = None
    sub_names: list[str] | None = None
    sub_references: list[str] | None = None


class Tactics(NamedTuple):
    """Parallel lists, paired by position; None where no category is a tactic."""

    ids: list[str] | None = None
    names: list[str] | None = None
    references: list[str] | None = None


TECHNIQUE_FIELDS = (
    "threat.framework",
    "threat.technique.id",
    "threat.technique.name",
    "threat.technique.reference",
    "threat.technique.subtechnique.id",
    "threat.technique.subtechnique.name",
    "threat.technique.subtechnique.reference",
)
TACTIC_FIELDS = ("threat.tactic.id", "threat.tactic.name", "threat.tactic.reference")
NO_TECHNIQUES = Techniques()
NO_TACTICS = Tactics()


def techniques(value: Any) -> Techniques:
    """AttackTechniques (a list, its JSON text, or "") -> the fields of `TECHNIQUE_FIELDS`.

    Each `Name (T1055)` is a technique; each `Name (T1055.012)` a subtechnique, whose parent id is put among the
    technique ids even if the list does not name it, since ECS keeps subtechniques below a technique. A list pairs by
    position, so where a name is neither sent nor known (of a subtechnique, or of a technique that MITRE had not yet) its id stands in for it.

    >>> techniques('["Valid Accounts (T1078)","Cloud Accounts (T1078.004)"]')[1:3]
    (['T1078'], ['Valid Accounts'])
    """
    key = tuple(value) if value.__class__ is list else value
    try:
        return _known_techniques[key]
    except (KeyError, TypeError):  # not seen yet, or with members that are no texts
        found = _techniques(_texts(value))
        _remember(_known_techniques, key, found)
        return found


def framework(of_techniques: str | None, tactic_ids: list[str] | None) -> str | None:
    """threat.framework: where there are techniques, and where there is no more than a tactic."""
    return of_techniques if of_techniques is not None or tactic_ids is None else FRAMEWORK


def _techniques(texts: list[str]) -> Techniques:
    found: dict[str, str] = {}
    sub: dict[str, str] = {}
    for text in texts:
        before, bracket, identifier = text.strip().rpartition("(")
        identifier = identifier.removesuffix(")") if bracket else identifier
        if _ID.fullmatch(identifier) is None:
            continue
        name = before.strip()
        parent, dot, _ = identifier.partition(".")
        if dot:
            sub[identifier] = name or sub.get(identifier) or identifier
            found.setdefault(parent, NAMES.get(parent, parent))
        elif name or identifier not in found:
            found[identifier] = name or NAMES.get(identifier, identifier)
    if not found:
        return NO_TECHNIQUES
    return Techniques(
        FRAMEWORK,
        list(found),
        list(found.values()),
        [f"https://attack.mitre.org/techniques/{identifier}/" for identifier in found],
        list(sub) or None,
        list(sub.values()) or None,
        [f"https://attack.mitre.org/techniques/{identifier.replace('.', '/')}/" for identifier in sub] or None,
    )


# MITRE's vocabulary is small, and alerts repeat it; the lists are shared between documents and never changed.
_known_techniques: dict[Any, Techniques] = {}
_known_tactics: dict[Any, Tactics] = {}


def _remember(known: dict[Any, Any], key: Any, found: Any) -> None:
    """Keep what was found, within bounds: short texts, or tuples of them."""
    texts = key if key.__class__ is tuple else (key,)
    if all(text.__class__ is str for text in texts) and sum(map(len, texts)) <= LONGEST:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[key] = found


def tactics(value: Any) -> Tactics:
    """Category or Categories (`DefenseEvasion`, `["InitialAccess","Malware"]`) -> the fields of `TACTIC_FIELDS`.

    Categories that are no tactics (`Malware`, `SuspiciousActivity`) give none; they stay in the vendor field.

    >>> tactics("DefenseEvasion")
    Tactics(ids=['TA0005'], names=['Defense Evasion'], references=['https://attack.mitre.org/tactics/TA0005/'])
    """
    key = tuple(value) if value.__class__ is list else value
    try:
        return _known_tactics[key]
    except (KeyError, TypeError):  # as above
        found = _tactics(_texts(value))
        _remember(_known_tactics, key, found)
        return found


def _tactics(texts: list[str]) -> Tactics:
    found: dict[str, str] = {}
    for text in texts:
        tactic = TACTICS.get(_LETTERS.sub("", text.lower())) if len(text) < 64 else None
        if tactic is not None:
            found[tactic[1]] = tactic[0]
    if not found:
        return NO_TACTICS
    return Tactics(
        list(found), list(found.values()), [f"https://attack.mitre.org/tactics/{identifier}/" for identifier in found]
    )


def _texts(value: Any) -> list[str]:
    """A list out of a list, its JSON text, or one text (commas between tactics of Defender for Cloud); bounded."""
    if not value:
        return []
    if value.__class__ is str:
        if value[0] == "[":
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                return [value]
        elif ")" not in value and "," in value:
            value = value.split(",")
        else:
            return [value]
    if value.__class__ is not list:
        return []
    return [text for text in value[:MOST] if text.__class__ is str]
