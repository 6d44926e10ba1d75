"""The fake's lists by time: Graph's alerts and incidents, and the older API's incidents, with the limits that each has.

What the documents allow is allowed, anything else is 400 (facts: graph_security.json, m365_siem_api.json).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local.microsoft_faults import Fault, shuffled
from local.microsoft_http import Answer, LargeRow, Request, Row, api_error, graph_error
from local.microsoft_odata import Refused, filtered, number, ordered, selected, time_of

PREFER = "include-unknown-enum-members"
# Members that came after `unknownFutureValue`: without the Prefer header nobody sees them.
LATER = frozenset(
    {
        "microsoftDefenderForCloud", "microsoftSentinel", "microsoftInsiderRiskManagement", "microsoftThreatIntelligence", "microsoftSecurityForAI",
        "microsoftDefenderForIoT", "microsoftDefenderForServers", "microsoftDefenderForStorage", "microsoftDefenderForDNS",
        "microsoftDefenderForDatabases", "microsoftDefenderForContainers", "microsoftDefenderForNetwork", "microsoftDefenderForAppService",
        "microsoftDefenderForKeyVault", "microsoftDefenderForResourceManager", "microsoftDefenderForApiManagement", "nrtAlerts", "scheduledAlerts",
        "builtInMl", "microsoftDefenderForAIServices", "securityCopilot", "awaitingAction", "pendingApproval", "declined", "unremediated",
        "partiallyRemediated",
    }
)  # fmt: skip
ENUMS = frozenset({"serviceSource", "detectionSource", "status", "remediationStatus"})
CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#security/"


class Lists(Protocol):
    """What the lists need of a tenant."""

    alerts: dict[str, Row]
    incidents: dict[str, Row]
    siem: dict[int, Row]


@dataclass(frozen=True, slots=True)
class Rules:
    """What one list allows."""

    time: str
    created: str
    filters: tuple[str, ...]
    most: int  # rows of a page
    usual: int  # without $top
    clamps: bool  # a larger $top is cut; else it is 400
    most_skip: int | None
    orders: bool  # whether $orderby is taken
    links: bool  # whether there are next links
    error: Callable[..., Answer]


ALERTS = Rules(
    "lastUpdateDateTime", "createdDateTime",
    ("assignedTo", "classification", "determination", "createdDateTime", "lastUpdateDateTime", "severity", "serviceSource", "status"),
    1000, 100, clamps=True, most_skip=500, orders=True, links=False, error=graph_error,
)  # fmt: skip
INCIDENTS = Rules(
    "lastUpdateDateTime", "createdDateTime",
    ("assignedTo", "classification", "createdDateTime", "determination", "lastUpdateDateTime", "severity", "status"),
    50, 50, clamps=False, most_skip=500, orders=True, links=True, error=graph_error,
)  # fmt: skip
SIEM = Rules(
    "lastUpdateTime", "createdTime", ("lastUpdateTime", "createdTime", "status", "assignedTo"),
    100, 100, clamps=False, most_skip=None, orders=False, links=False, error=api_error,
)  # fmt: skip


def listed(rules: Rules, rows: list[Row], request: Request, before: list[Fault]) -> Answer:
    """A page of a list. before: faults that change its order or size."""
    query, kinds = request.query, {fault.kind: fault for fault in before}
    try:
        strange = [name for name in query if name.startswith("$") and name not in WORDS]
        if strange:
            raise Refused(f"Query option '{strange[0]}' is not supported.")
        if "$orderby" in query and not rules.orders:
            raise Refused("Query option '$orderby' is not supported.")
        top, skip = number(query, "$top", rules.usual), number(query, "$skip", 0)
        if top > rules.most and not rules.clamps:
            raise Refused(
                f"The query specified in the URI is not valid. The limit of '{rules.most}' for Top query has been exceeded. The value from the "
                f"incoming request is '{top}'."
            )
        if rules.most_skip is not None and skip > rules.most_skip:
            raise Refused(
                f"The query specified in the URI is not valid. The value of Skip cannot exceed {rules.most_skip}."
            )
        found = filtered(rows, query.get("$filter"), rules.filters)
        found = ordered(found, query.get("$orderby"), (rules.time, rules.created), rules.time)
    except Refused as refused:
        return rules.error(400, "BadRequest", str(refused))
    if "newest_first" in kinds:
        found.sort(key=lambda row: time_of(row, rules.time), reverse=True)
    if "unsorted" in kinds:
        found = shuffled(found, kinds["unsorted"].options.get("seed", 1))
    top = min(top, rules.most, *(fault.options["rows"] for fault in before if fault.kind == "clamp"))
    page = found[skip : skip + top]
    beside: dict[str, Any] = {"@odata.count": len(found)} if query.get("$count") == "true" else {}
    if rules.links and skip + top < len(found) and top:
        beside["@odata.nextLink"] = request.link(_skip=str(skip + top))
    return Answer(value=beside, rows=selected(page, query.get("$select")))


WORDS = frozenset({"$filter", "$top", "$skip", "$orderby", "$select", "$count", "$expand", "$skiptoken"})


def alerts(tenant: Lists, request: Request, before: list[Fault]) -> Answer:
    """`/v1.0/security/alerts_v2`: no next link, ever."""
    answer = listed(ALERTS, list(tenant.alerts.values()), request, before)
    return told(answer, request, "alerts_v2")


def incidents(tenant: Lists, request: Request, before: list[Fault]) -> Answer:
    """`/v1.0/security/incidents`; with `$expand=alerts` each has its alerts."""
    answer = listed(INCIDENTS, list(tenant.incidents.values()), request, before)
    if request.query.get("$expand") == "alerts" and answer.rows is not None:
        answer.rows = [
            {**row, "alerts": [alert for alert in tenant.alerts.values() if alert.get("incidentId") == row["id"]]}
            for row in answer.rows
        ]
    return told(answer, request, "incidents")


def one(found: Row | None, request: Request, name: str) -> Answer:
    """One alert or incident by its id."""
    if found is None:
        return graph_error(404, "ResourceNotFound", "Resource not found.")
    answer = told(Answer(rows=[found]), request, name)
    return Answer(
        value={"@odata.context": f"{CONTEXT}{name}/$entity", **(answer.rows or [{}])[0]}, headers=answer.headers
    )


def siem(tenant: Lists, request: Request, before: list[Fault]) -> Answer:
    """`/api/incidents` of the older API: its own order, alerts inside."""
    answer = listed(SIEM, list(tenant.siem.values()), request, before)
    answer.id = "incidentId"
    if answer.rows is not None:
        answer.value = {
            "@odata.context": "https://api.security.microsoft.com/api/$metadata#Incidents",
            **(answer.value or {}),
        }
    return answer


def told(answer: Answer, request: Request, name: str) -> Answer:
    """A page of Graph: with its context, and newer members of enumerations only for those who ask for them."""
    if answer.rows is None:
        return answer
    answer.value = {"@odata.context": f"{CONTEXT}{name}", **(answer.value or {})}
    if PREFER in request.headers.get("prefer", "").lower():
        answer.headers["preference-applied"] = PREFER
    else:
        answer.rows = [row if isinstance(row, LargeRow) else plain(row) for row in answer.rows]
    return answer


def plain(row: Mapping[str, Any]) -> Row:
    """A row as those see it who know the first members only."""
    return {
        key: "unknownFutureValue"
        if key in ENUMS and value in LATER
        else [plain(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in row.items()
    }
