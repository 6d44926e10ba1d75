"""Techniques and tactics keep their names with their ids; severities are numbers on one scale."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.mitre import FRAMEWORK, NO_TACTICS, NO_TECHNIQUES, TACTICS, framework, tactics, techniques
from shared.normalise.rules.severity import severity


def test_techniques_and_subtechniques_keep_their_names_and_parents() -> None:
    """A sub-technique is apart from its parent, the names pair with the ids, and references lead to both pages."""
    found = techniques('["Valid Accounts (T1078)","Cloud Accounts (T1078.004)","Process Injection (T1055)"]')
    assert found.framework == FRAMEWORK
    assert found.ids == ["T1078", "T1055"]
    assert found.names == ["Valid Accounts", "Process Injection"]
    assert found.references == [f"https://attack.mitre.org/techniques/{name}/" for name in ("T1078", "T1055")]
    assert found.sub_ids == ["T1078.004"]
    assert found.sub_names == ["Cloud Accounts"]
    assert found.sub_references == ["https://attack.mitre.org/techniques/T1078/004/"]


def test_a_subtechnique_alone_brings_its_parent() -> None:
    """ECS keeps subtechniques below a technique, so the parent's id is there; its name may come later in the list."""
    alone = techniques(["LSASS Memory (T1003.001)"])
    assert (alone.ids, alone.names, alone.sub_ids) == (["T1003"], ["OS Credential Dumping"], ["T1003.001"])
    later = techniques(["LSASS Memory (T1003.001)", "OS Credential Dumping (T1003)"])
    assert (later.ids, later.names) == (["T1003"], ["OS Credential Dumping"])


def test_a_technique_has_its_name_where_only_its_id_is_sent() -> None:
    """MITRE's name; the id itself for what is not known, and for a subtechnique; what the record says comes first."""
    assert techniques(["T1059.001", "T1059", "T9999", "Old Name (T1557)"])[1:3] == (
        ["T1059", "T9999", "T1557"],
        ["Command and Scripting Interpreter", "T9999", "Old Name"],
    )
    assert techniques(["T1059.001"]).sub_names == ["T1059.001"]


def test_a_tactic_alone_is_of_the_same_framework() -> None:
    """threat.framework is there with techniques or tactics, and not without."""
    assert framework(None, ["TA0001"]) == framework("MITRE ATT&CK", None) == "MITRE ATT&CK"
    assert framework(None, None) is None


def test_forms_of_techniques() -> None:
    """Bare ids, one text, duplicates, names with brackets; what holds no id is passed over."""
    assert techniques("T1055").ids == ["T1055"]
    assert techniques(["Boot (or Logon) Autostart (T1547)"]).names == ["Boot (or Logon) Autostart"]
    assert techniques(["A (T1055)", "A (T1055)", "T1055"])[1:3] == (["T1055"], ["A"])
    empty: list[Any] = [None, "", "[]", [], "no id", ["T12", "(T10551)", 7, None], {"a": 1}, "[broken"]
    for nothing in empty:
        assert techniques(nothing) == NO_TECHNIQUES


def test_all_fourteen_tactics() -> None:
    """Each Enterprise tactic is found as Defender writes it and as MITRE does, with its own id."""
    assert len(TACTICS) == len({identifier for _, identifier in TACTICS.values()}) == 14
    for name, identifier in TACTICS.values():
        defender = "".join(word.capitalize() for word in name.split())
        for written in (name, defender, name.upper(), name.replace(" ", "")):
            found = tactics(written)
            assert (found.names, found.ids) == ([name], [identifier])
    assert {identifier for _, identifier in TACTICS.values()} == {f"TA00{n:02}" for n in (*range(1, 12), 40, 42, 43)}


def test_what_is_no_tactic_gives_none() -> None:
    """Malware and the like are categories and no tactics; in a list the others stay."""
    others: list[Any] = ["Malware", "SuspiciousActivity", "UnwantedSoftware", "", None, [], 7]
    for nothing in others:
        assert tactics(nothing) == NO_TACTICS
    assert tactics('["InitialAccess","Malware","Execution"]').names == ["Initial Access", "Execution"]
    assert tactics("Defense Evasion, Impact").ids == ["TA0005", "TA0040"]


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text() | st.from_regex(r"[A-Z]{0,9} \(T[0-9]{4}(\.[0-9]{3})?\)"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=2),
)


@given(ANYTHING, st.booleans())
def test_lists_pair_up_whatever_comes(value: Any, as_text: bool) -> None:
    """Nothing raises; names, ids and references have one length, and each subtechnique's parent is there."""
    found = techniques(json.dumps(value) if as_text else value)
    assert len(found.ids or []) == len(found.names or []) == len(found.references or [])
    assert len(found.sub_ids or []) == len(found.sub_names or []) == len(found.sub_references or [])
    assert {identifier.partition(".")[0] for identifier in found.sub_ids or []} <= set(found.ids or [])
    told = tactics(json.dumps(value) if as_text else value)
    assert len(told.ids or []) == len(told.names or []) == len(told.references or [])


# fmt: off
SEVERITIES = [
    ("Informational", 10), ("informational", 10), ("Low", 21), ("Medium", 47), ("medium", 47), ("High", 73),
    ("HIGH", 73), ("Critical", 99), (" High ", 73), ("UnSpecified", None), ("unknownFutureValue", None), ("", None),
    (None, None),
]
# fmt: on


@pytest.mark.parametrize(("name", "number"), SEVERITIES)
def test_severity(name: str | None, number: int | None) -> None:
    """The words of all streams are on one scale, in any case; words that say nothing have no number."""
    assert severity(name) == number


@given(st.text())
def test_any_text_is_on_the_scale_or_nothing(name: str) -> None:
    """No other number ever comes out."""
    assert severity(name) in (None, 10, 21, 47, 73, 99)
