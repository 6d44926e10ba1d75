"""Which entries of latest views a document renews or takes out."""

from __future__ import annotations

from typing import Any

import pytest

from shared.normalise.latest import HELD, MOST_ENTRIES, Entry, Latest, entries

FLAW: dict[str, Any] = {
    "event": {"id": "/Subscriptions/A", "outcome": "failure"},
    "vulnerability": {"id": ["CVE-1"]},
    "resource": {"id": "/Subscriptions/R"},
    "package": {"name": "Chrome", "version": "1"},
}
KEY = ("/subscriptions/a", "CVE-1", "/subscriptions/r", "Chrome", "1")


def found(document: dict[str, Any], view: str = "vulnerability_finding") -> list[tuple[tuple[str, ...], bool]]:
    """(key, whether it goes) of its entries."""
    return [(entry.key, entry.gone) for entry in entries(Latest(view, 7), document)]


def with_(path: str, value: Any) -> dict[str, Any]:
    """The flaw with one field changed; None takes it away."""
    top, _, leaf = path.partition(".")
    inner = {key: item for key, item in {**FLAW.get(top, {}), leaf: value}.items() if item is not None}
    return {**FLAW, top: inner}


def test_an_entry_is_keyed_by_the_documents_fields() -> None:
    """Ids of Azure in any letter case are one entry, names are not; what is not there is no text."""
    assert entries(Latest("vulnerability_finding", 7), FLAW) == (Entry("vulnerability_finding", KEY, 7),)
    assert found(with_("event.id", "/SUBSCRIPTIONS/a")) == [(KEY, False)]
    assert found(with_("package.name", "chrome")) == [((*KEY[:3], "chrome", "1"), False)]
    assert found(with_("package.version", None)) == [((*KEY[:4], ""), False)]
    assert found(with_("package.version", 5)) == [((*KEY[:4], "5"), False)]


def test_each_combination_of_values_is_an_entry() -> None:
    """As with a transform: a list's values stand for themselves, each once; so many that no document makes more than its share."""
    listed = with_("vulnerability.id", ["CVE-1", "CVE-2", "CVE-1"]) | {"package": {"name": ["a", "b"], "version": "1"}}
    assert [key[1::2] for key, _ in found(listed)] == [("CVE-1", "a"), ("CVE-1", "b"), ("CVE-2", "a"), ("CVE-2", "b")]
    assert [key[1] for key, _ in found(with_("vulnerability.id", [None]))] == [""]
    assert len(found(with_("vulnerability.id", [str(number) for number in range(5_000)]))) == MOST_ENTRIES


@pytest.mark.parametrize(("outcome", "gone"), [("failure", False), ("success", True), ("unknown", True), (None, True)])
def test_what_is_healed_takes_its_entry_out(outcome: str | None, gone: bool) -> None:
    """Only a failure keeps a flaw's entry."""
    assert found(with_("event.outcome", outcome)) == [(KEY, gone)]


def test_what_could_not_be_read_renews_nothing() -> None:
    """A document with error.message stays out; one that says that its finding is healed takes that out all the same."""
    error = {"error": {"message": ["x: expected a date"]}}
    assert found(FLAW | error) == []
    assert found(with_("event.outcome", "success") | error) == [(KEY, True)]


def test_without_what_a_view_needs_there_is_no_entry() -> None:
    """A flaw in no package is in no view, healed or not."""
    assert found(with_("package.name", None)) == []
    assert found(with_("package.name", None) | {"event": {"id": "x", "outcome": "success"}}) == []


def test_a_healed_setting_stays_in_its_view() -> None:
    """Misconfigurations are there with their outcome, whatever it is."""
    key = ("/subscriptions/a", "Ru+", "/subscriptions/r")
    for outcome in ("success", "failure", "unknown"):
        assert found(with_("event.outcome", outcome) | {"rule": {"uuid": "Ru+"}}, "misconfiguration") == [(key, False)]


def test_every_view_is_said_what_it_holds() -> None:
    """Mapping and shipper name the same views."""
    from shared.ship.latest import VIEWS

    assert HELD.keys() == VIEWS.keys()
