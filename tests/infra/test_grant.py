"""infra/grant.sh against a fake of the Azure CLI: exactly what the sources need, again harmless, everything told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from shared.poll.permissions import GRANTS, AppRole
from tests.infra.az import Az, az

SCRIPT = "infra/grant.sh"
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
ALL = {grant for grants in GRANTS.values() for grant in grants}


def id_of(*words: str) -> str:
    """An id of its own for each of the tenant's things."""
    return str(uuid5(NAMESPACE_URL, "/".join(words)))


def principals() -> list[dict[str, Any]]:
    """Microsoft's applications in a tenant: each with what we need, more of the same kind, and a delegated permission of the same name."""
    apps = {(grant.app_id, grant.resource) for grant in ALL}
    return [
        {
            "appId": app,
            "displayName": name,
            "id": id_of(app),
            "appRoles": [
                {"value": role, "id": id_of(app, role, kind), "allowedMemberTypes": [kind]}
                for role in ("Directory.ReadWrite.All", *(grant.role for grant in ALL if grant.app_id == app))
                for kind in ("User", "Application")
            ],
        }
        for app, name in sorted(apps)
    ]


def assignment(grant: AppRole) -> dict[str, str]:
    """An application permission that is held."""
    return {
        "principalId": PRINCIPAL,
        "resourceId": id_of(grant.app_id),
        "appRoleId": id_of(grant.app_id, grant.role, "Application"),
    }


@pytest.fixture
def tenant(tmp_path: Path) -> Az:
    """A tenant in which nothing is granted yet."""
    return az(tmp_path, principals=principals())


def held(tenant: Az) -> list[dict[str, str]]:
    """What is granted, in an order of its own."""
    rows: list[dict[str, str]] = tenant.state["assignments"]
    return sorted(rows, key=str)


def expected(*sources: str) -> list[dict[str, str]]:
    """What the code says that these sources need."""
    roles = {(grant.app_id, grant.role): grant for source in sources for grant in GRANTS[source]}
    return sorted(map(assignment, roles.values()), key=str)


@pytest.mark.parametrize("sources", [*((source,) for source in GRANTS), tuple(GRANTS)])
def test_exactly_what_the_sources_need_is_granted(tenant: Az, sources: tuple[str, ...]) -> None:
    """Each source alone, and all together: every permission once, and no other."""
    done = tenant.run(SCRIPT, PRINCIPAL, *sources)
    assert done.returncode == 0, done.stderr
    assert held(tenant) == expected(*sources)
    for source in sources:
        assert all(f"{grant.role} of {grant.resource}: granted." in done.stdout for grant in GRANTS[source])


def test_sources_come_from_the_setting_too(tenant: Az) -> None:
    """Written as POLL_SOURCES is: commas, blanks, any case."""
    assert tenant.run(SCRIPT, PRINCIPAL, POLL_SOURCES="Alert, incident").returncode == 0
    assert held(tenant) == expected("alert", "incident")


def test_again_changes_nothing(tenant: Az) -> None:
    """A second run grants nothing and says so."""
    tenant.run(SCRIPT, PRINCIPAL, *GRANTS)
    before = held(tenant)
    done = tenant.run(SCRIPT, PRINCIPAL, *GRANTS)
    assert done.returncode == 0
    assert held(tenant) == before
    assert "granted." not in done.stdout
    assert done.stdout.count("held already.") == len(before)


def test_alerts_of_incidents_may_be_left_out(tenant: Az) -> None:
    """INCIDENT_ALERTS=false needs no permission for alerts."""
    done = tenant.run(SCRIPT, PRINCIPAL, "incident", INCIDENT_ALERTS="false")
    assert held(tenant) == [assignment(GRANTS["incident"][0])]
    assert "SecurityAlert.Read.All is left out" in done.stdout


def test_what_is_held_beyond_is_told_and_left(tmp_path: Path) -> None:
    """A permission that no source needs is named, and stays."""
    other = assignment(GRANTS["log"][0])
    tenant = az(tmp_path, principals=principals(), assignments=[other])
    done = tenant.run(SCRIPT, PRINCIPAL, "alert")
    assert f"Held, and not needed by alert: permission {other['appRoleId']}" in done.stdout
    assert other in held(tenant)


def test_a_product_that_is_not_licensed_is_named(tmp_path: Path) -> None:
    """An application that the tenant does not have ends the script, before anything of it is granted."""
    tenant = az(tmp_path, principals=[row for row in principals() if row["displayName"] != "WindowsDefenderATP"])
    done = tenant.run(SCRIPT, PRINCIPAL, "vulnerability")
    assert done.returncode == 1
    assert "WindowsDefenderATP is not in this tenant" in done.stderr
    assert held(tenant) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "usage"), (("someone", "alert"), "usage"), ((PRINCIPAL, "alerts"), "alerts is no source; there are alert")],
)
def test_wrong_arguments_grant_nothing(tenant: Az, arguments: tuple[str, ...], words: str) -> None:
    """A missing or strange principal, a source that is none: a sentence and exit code 2."""
    done = tenant.run(SCRIPT, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert held(tenant) == []


def test_no_source_is_no_grant(tenant: Az) -> None:
    """Without sources there is nothing to do, and that is said."""
    done = tenant.run(SCRIPT, PRINCIPAL, POLL_SOURCES="")
    assert done.returncode == 0
    assert "nothing is granted" in done.stdout
