"""Identities and cloud apps: sign-ins, domain controllers, directory changes, activities in apps."""

from __future__ import annotations

from tools.dashboards.views import EVENT, OUTCOME, SEVERITY
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Parts,
    Row,
    Top,
    count,
    donut,
    metric,
    over_time,
    table,
    top,
    unique,
)

EVENTS, SIGN_INS = count("Events"), count("Sign-ins")
TABLE = "m365_defender.event.category: AdvancedHunting-"
SIGN_IN = "m365_defender.event.category: (AdvancedHunting-EntraIdSignInEvents or AdvancedHunting-AADSignInEventsBeta or AdvancedHunting-IdentityLogonEvents)"
ENTRA = "m365_defender.event.category: (AdvancedHunting-EntraIdSignInEvents or AdvancedHunting-AADSignInEventsBeta)"
FAILED = f"{SIGN_IN} and event.outcome: failure"
RISKY = f"{ENTRA} and m365_defender.event.risk.level: (medium or high)"
QUERY, CHANGE, APP = f"{TABLE}IdentityQueryEvents", f"{TABLE}IdentityDirectoryEvents", f"{TABLE}CloudAppEvents"
RISKS = {"high": SEVERITY["High"], "medium": SEVERITY["Medium"], "low": SEVERITY["Low"]}

BOARD = Dashboard(
    key="identity",
    title="Defender: Identity and cloud apps",
    about="Sign-ins, domain controllers, directory changes, and what people do in cloud apps.",
    questions=(
        "Who fails to sign in, why, and from which countries?",
        "Which sign-ins are risky, and what did conditional access say?",
        "Who changes the directory, and who asks it about administrators?",
        "What is done in cloud apps, and by whom with administrators' rights?",
    ),
    controls=(
        Control("Tenant", EVENT, "m365_defender.event.tenant.id"),
        Control("User", EVENT, "user.name"),
        Control("Host", EVENT, "host.name"),
        Control("Application", EVENT, "m365_defender.event.application"),
    ),
    rows=(
        Row(
            6,
            (
                metric("At a glance", EVENT, EVENTS, parts=Parts("What", (
                    ("Sign-ins", SIGN_IN),
                    ("Failed sign-ins", FAILED),
                    ("Risky sign-ins", RISKY),
                    ("Directory changes", CHANGE),
                    ("Directory queries", QUERY),
                    ("App activities", APP),
                ))),
            ),
        ),
        Row(
            12,
            (
                over_time("Sign-ins by outcome", EVENT, SIGN_INS, split=Top("event.outcome", "Outcome", 3), where=SIGN_IN, colours=OUTCOME),
                over_time("Activities by app", EVENT, EVENTS, split=Top("m365_defender.event.application", "Application", 6), where=APP),
            ),
        ),
        Row(
            13,
            (
                table("Who fails to sign in", EVENT, (Top("user.name", "User"),), (SIGN_INS, unique("source.ip", "Addresses"), unique("source.geo.country_iso_code", "Countries")), where=FAILED),
                top("Why sign-ins fail", EVENT, Top("event.reason", "Reason", 8), SIGN_INS, where=FAILED),
                top("Countries", EVENT, Top("source.geo.country_iso_code", "Country"), SIGN_INS, split=Top("event.outcome", "Outcome", 3), where=SIGN_IN, colours=OUTCOME),
            ),
        ),
        Row(
            12,
            (
                donut("Risk of sign-ins", EVENT, Top("m365_defender.event.risk.level", "Risk", 5), SIGN_INS, where=ENTRA, colours=RISKS),
                donut("Conditional access", EVENT, Top("m365_defender.event.conditional_access.status", "Result", 5), SIGN_INS, where=ENTRA, colours=OUTCOME),
                top("Applications signed in to", EVENT, Top("m365_defender.event.application", "Application", 8), SIGN_INS, split=Top("event.outcome", "Outcome", 3), where=SIGN_IN, colours=OUTCOME),
            ),
        ),
        Row(
            13,
            (
                table("What is done in apps", EVENT, (Top("event.action", "Activity"), Top("m365_defender.event.application", "Application", 1)), (EVENTS, unique("user.name", "People")), where=APP),
                table("Directory changes", EVENT, (Top("event.action", "Change"), Top("user.name", "By", 2)), (EVENTS,), where=CHANGE),
                table("What the directory is asked for", EVENT, (Top("event.action", "Query", 5), Top("m365_defender.event.query.target", "Target", 3)), (EVENTS, unique("source.ip", "Addresses")), where=QUERY),
            ),
        ),
    ),
)  # fmt: skip
