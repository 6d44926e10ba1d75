"""Azure Resource Manager of the fake: subscriptions, management groups, assessments, what is said of them in general, and their findings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.microsoft_http import Answer, Request, Row, api_error

SECURITY = "/providers/microsoft.security/"
VERSIONS = {
    "subscriptions": ("2022-12-01", "2020-01-01"),
    "assessmentmetadata": ("2021-06-01",),
    "assessments": ("2021-06-01",),
    "subassessments": ("2019-01-01-preview",),
}


@dataclass(slots=True)
class Azure:
    """What of Azure a tenant has; scopes and ids are looked up without regard to case."""

    subscriptions: dict[str, str] = field(default_factory=dict)  # id -> state
    assessments: dict[str, list[Row]] = field(
        default_factory=dict
    )  # scope (subscriptions/<id>, or a management group's path) -> rows
    metadata: list[Row] = field(default_factory=list)
    findings: dict[str, list[Row]] = field(default_factory=dict)  # id of the assessment, in lower case -> rows
    page: int = 100  # rows of a page
    left: int = 240  # reads that remain, in the header


class OfAzure(Protocol):
    """What these routes need of a tenant."""

    azure: Azure


def route_of(path: str) -> str | None:
    """The name of a path's route."""
    low = path.lower().rstrip("/")
    if low == "/subscriptions":
        return "arm.subscriptions"
    if SECURITY + "assessmentmetadata" in low:
        return "arm.metadata"
    if low.endswith("/subassessments"):
        return "arm.findings"
    if low.endswith(SECURITY + "assessments"):
        return "arm.assessments"
    if re.search(SECURITY + r"assessments/[^/]+$", low):
        return "arm.assessment"
    return None


def answer(tenant: OfAzure, route: str, request: Request, may: Callable[[str], bool], who: str) -> Answer:
    """The answer of one route. may: whether the identity may read a scope; who: its object id, for the error."""
    azure, low = tenant.azure, request.path.lower().strip("/")
    version, kind = request.query.get("api-version"), KIND[route]
    if version is None:
        return api_error(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in VERSIONS[kind]:
        known = "','".join(VERSIONS[kind])
        return api_error(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{version}'. The supported api-versions are '{known}'.",
        )
    if route == "arm.subscriptions":
        seen: list[Row] = [
            {
                "id": f"/subscriptions/{id}",
                "subscriptionId": id,
                "displayName": f"subscription {id[:4]}",
                "state": state,
            }
            for id, state in azure.subscriptions.items()
            if may(f"subscriptions/{id}")
        ]
        return paged(azure, seen, request)
    scope = low.partition(SECURITY.strip("/"))[0].strip("/")
    if scope and not may(scope):
        return api_error(
            403,
            "AuthorizationFailed",
            f"The client '{who}' with object id '{who}' does not have authorization to perform action 'Microsoft.Security/assessments/read' over scope "
            f"'/{scope}' or the scope is invalid.",
        )
    if route == "arm.metadata":
        return paged(azure, azure.metadata, request)
    if route == "arm.assessments":
        found = next((rows for name, rows in azure.assessments.items() if name.lower() == scope), None)
        if found is None:
            return api_error(
                404, "SubscriptionNotFound", f"The subscription '{scope.rpartition('/')[2]}' could not be found."
            )
        return paged(azure, found, request)
    if route == "arm.findings":
        parts = azure.findings.get("/" + low.rpartition("/")[0])
        if parts is None:
            return api_error(404, "NotFound", "Sub-assessments were not found for this assessment.")
        return paged(azure, parts, request)
    for rows in azure.assessments.values():
        for row in rows:
            if str(row.get("id", "")).lower().strip("/") == low:
                return ruled(azure, Answer(value=row))
    return api_error(404, "AssessmentNotFound", "The assessment was not found.")


KIND = {
    "arm.subscriptions": "subscriptions",
    "arm.metadata": "assessmentmetadata",
    "arm.assessments": "assessments",
    "arm.assessment": "assessments",
    "arm.findings": "subassessments",
}


def paged(azure: Azure, rows: list[Row], request: Request) -> Answer:
    """A page of a list by `$skipToken`."""
    text = request.query.get("$skipToken", "0")
    if not text.isdigit():
        return api_error(400, "InvalidSkipToken", "The skip token is not valid.")
    begin = int(text)
    beside: dict[str, Any] = {}
    if begin + azure.page < len(rows):
        beside["nextLink"] = request.link(_skipToken=str(begin + azure.page))
    return ruled(azure, Answer(value=beside, rows=rows[begin : begin + azure.page], link="nextLink"))


def ruled(azure: Azure, made: Answer) -> Answer:
    """With Resource Manager's headers."""
    made.headers["x-ms-ratelimit-remaining-subscription-reads"] = str(azure.left)
    made.link = "nextLink"
    return made
