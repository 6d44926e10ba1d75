"""Application permissions: a source polls with exactly what the table grants it, and is refused without any one of them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from shared.poll.permissions import GRANTS, AppRole
from shared.poll.sources import SOURCES
from tests.poll.cases import CASES, Case
from tests.poll.stand import Stand

API = {"Microsoft Graph": "graph", "Microsoft Threat Protection": "security", "WindowsDefenderATP": "endpoint"}
GRANTED = [case for case in CASES.values() if GRANTS[case.source]]
NEEDED = [
    (case, role)
    for case in GRANTED
    for role in GRANTS[case.source]
    if not (role.only_for and case.settings.get("INCIDENT_ALERTS") == "false")
]


def with_roles(case: Case, roles: Iterable[AppRole]) -> set[str]:
    """How the runs of a source end for an application that holds these permissions."""
    one = Stand(settings=dict(case.settings))
    case.fill(one, 2)
    one.app.roles = {}
    for role in roles:
        one.app.roles[API[role.resource]] = (*one.app.roles.get(API[role.resource], ()), role.role)
    return {swept.result for swept in one.poll(case.source)}


def test_every_source_has_its_line() -> None:
    """The table of permissions and the sources name the same."""
    assert GRANTS.keys() == SOURCES.keys()


@pytest.mark.parametrize("case", GRANTED, ids=lambda case: case.name)
def test_what_is_granted_is_enough(case: Case) -> None:
    """With exactly these permissions every feed of the source is read."""
    assert with_roles(case, GRANTS[case.source]) == {"finished"}


@pytest.mark.parametrize(("case", "role"), NEEDED, ids=lambda item: item.name if isinstance(item, Case) else item.role)
def test_each_permission_is_needed(case: Case, role: AppRole) -> None:
    """Without one of them, a feed is refused."""
    assert "misconfigured" in with_roles(case, [other for other in GRANTS[case.source] if other != role])


@pytest.mark.parametrize("role", [role for grants in GRANTS.values() for role in grants], ids=lambda role: role.role)
def test_a_wider_permission_does_not_replace_the_least(role: AppRole) -> None:
    """What is granted reads and never writes."""
    assert role.role.endswith(".Read.All")
    assert all(more.endswith(".ReadWrite.All") for more in role.more)
