"""Source -> the application permissions that it needs, by the API that has them: what the doctor looks for, docs/permissions.md says and infra/grant.sh grants.

Names and application ids are Microsoft's (facts: graph_security.json, m365_siem_api.json; Graph permissions reference). Azure roles, which are
assigned by Bicep and not by grant.sh, stand in infra/roles.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SECURITY_READER = "the role Security Reader on the subscription or management group"


@dataclass(frozen=True, slots=True)
class AppRole:
    """One application permission. resource, app_id: the enterprise application that has it; more: wider ones that are enough as well."""

    resource: str
    app_id: str
    role: str
    more: tuple[str, ...] = ()
    only_for: str = ""  # "alerts": not needed where INCIDENT_ALERTS is false

    @property
    def enough(self) -> frozenset[str]:
        """Roles of which a token must hold one."""
        return frozenset({self.role, *self.more})


GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
SIEM = ("Microsoft Threat Protection", "8ee8fdad-f234-4243-8f3b-15c294843740")
ENDPOINT = ("WindowsDefenderATP", "fc780465-2017-40d4-a0c5-307022471b92")
ALERTS = ("SecurityAlert.Read.All", ("SecurityAlert.ReadWrite.All",))
INCIDENTS = ("SecurityIncident.Read.All", ("SecurityIncident.ReadWrite.All",))

GRANTS: Mapping[str, tuple[AppRole, ...]] = {
    "alert": (AppRole(*GRAPH, *ALERTS),),
    "incident": (AppRole(*GRAPH, *INCIDENTS), AppRole(*GRAPH, *ALERTS, only_for="alerts")),
    "log": (AppRole(*SIEM, "Incident.Read.All", ("Incident.ReadWrite.All",)),),
    "vulnerability": (AppRole(*ENDPOINT, "Vulnerability.Read.All"),),
    "assessment": (),
}


def needs(source: str) -> str:
    """What a source needs, for a person: `the application permission Incident.Read.All (Microsoft Threat Protection)`."""
    if not GRANTS[source]:
        return SECURITY_READER
    first, *others = GRANTS[source]
    resource = "" if first.resource == GRAPH[0] else f" ({first.resource})"
    also = "".join(f" (and {other.role} for their {other.only_for})" for other in others)
    return f"the application permission {first.role}{resource}{also}"
