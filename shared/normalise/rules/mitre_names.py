"""Techniques by name only, as recommendations of Defender for Cloud have them -> threat.technique.* with MITRE's ids.

Names are the 104 that the API documents (assessmentMetadata 2021-06-01, `techniques`), some of an older ATT&CK than today's; ids are those of
ATT&CK Enterprise.
"""

from __future__ import annotations

from shared.normalise.rules.mitre import Techniques, techniques
from shared.normalise.rules.mitre_techniques import IDS

_PLAIN = {name.lower(): identifier for name, identifier in IDS.items()}


def named_techniques(names: list[str] | None) -> Techniques:
    """Names of techniques -> the fields of `TECHNIQUE_FIELDS`; names without an id that we know come last, so that the others stay in pairs.

    >>> named_techniques(["Phishing", "SQL Stored Procedures"])[1:3]
    (['T1566', 'T1505'], ['Phishing', 'Server Software Component'])
    """
    if not names:
        return Techniques()
    known = {name: _PLAIN.get(name.strip().lower()) for name in names}
    found = techniques([f"{name.strip()} ({identifier})" if identifier else name for name, identifier in known.items()])
    others = [name for name, identifier in known.items() if not identifier and not techniques([name]).ids]
    return found._replace(names=[*(found.names or ()), *others] or None) if others else found
