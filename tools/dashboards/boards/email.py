"""Email, Teams messages and clicks of Defender for Office 365."""

from __future__ import annotations

from tools.dashboards.views import BAD, DOUBT, EVENT, OUTCOME
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Listing,
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

EVENTS, MAILS, CLICKS = count("Events"), count("Emails"), count("Clicks")
TABLE = "m365_defender.event.category: AdvancedHunting-"
MAIL, CLICK, AFTER = f"{TABLE}EmailEvents", f"{TABLE}UrlClickEvents", f"{TABLE}EmailPostDeliveryEvents"
THREAT = f"{MAIL} and m365_defender.event.threat.types: *"
THREATS = {"Phish": BAD, "Malware": "#8b0000", "Spam": DOUBT}

BOARD = Dashboard(
    key="email",
    title="Defender: Email and clicks",
    about="Emails, what was found in them and done with them, Teams messages, and clicks on links.",
    questions=(
        "How many emails with threats came, and how many were delivered all the same?",
        "Who is targeted, and by which senders?",
        "Which links were clicked, by whom, and did Defender stop it?",
        "What was taken back after delivery?",
    ),
    controls=(
        Control("Tenant", EVENT, "m365_defender.event.tenant.id"),
        Control("Recipient", EVENT, "email.to.address"),
        Control("User (clicks)", EVENT, "user.name"),
        Control("Threat", EVENT, "m365_defender.event.threat.types"),
        Control("Delivery", EVENT, "m365_defender.event.delivery.action"),
        Control("Direction", EVENT, "email.direction"),
    ),
    rows=(
        Row(
            6,
            (
                metric("At a glance", EVENT, EVENTS, parts=Parts("What", (
                    ("Emails", MAIL),
                    ("With a threat", THREAT),
                    ("Threats delivered", f"{THREAT} and m365_defender.event.delivery.action: Delivered"),
                    ("Taken back", AFTER),
                    ("Clicks", CLICK),
                    ("Clicks blocked", f"{CLICK} and event.action: clickblocked*"),
                ))),
            ),
        ),
        Row(
            12,
            (
                over_time("Emails by delivery", EVENT, MAILS, split=Top("m365_defender.event.delivery.action", "Delivery", 5), where=MAIL, colours=OUTCOME),
                over_time("Emails with threats", EVENT, MAILS, split=Top("m365_defender.event.threat.types", "Threat", 5), where=THREAT, colours=THREATS),
            ),
        ),
        Row(
            13,
            (
                donut("Threats", EVENT, Top("m365_defender.event.threat.types", "Threat", 6), MAILS, where=THREAT, colours=THREATS),
                donut("Direction", EVENT, Top("email.direction", "Direction", 4), MAILS, where=MAIL),
                top("Threats by name", EVENT, Top("m365_defender.event.threat.names", "Threat"), MAILS),
                top("Teams messages by delivery", EVENT, Top("m365_defender.event.delivery.action", "Delivery", 5), count("Messages"), where=f"{TABLE}MessageEvents", colours=OUTCOME),
            ),
        ),
        Row(
            13,
            (
                table("Who is targeted", EVENT, (Top("email.to.address", "Recipient"),), (MAILS, unique("email.from.address", "Senders")), where=THREAT),
                table("Senders of threats", EVENT, (Top("email.from.address", "Sender"),), (MAILS, unique("email.to.address", "Recipients"), unique("email.subject", "Subjects")), where=THREAT),
                table("After delivery", EVENT, (Top("event.action", "Action", 6), Top("m365_defender.event.action.result", "Result", 3)), (count("Emails"),), where=AFTER),
            ),
        ),
        Row(
            13,
            (
                over_time("Clicks by what became of them", EVENT, CLICKS, split=Top("event.action", "Action", 6), where=CLICK),
                table("Links clicked most", EVENT, (Top("url.domain", "Domain"),), (CLICKS, unique("user.name", "People")), where=CLICK),
                table("Who clicks most", EVENT, (Top("user.name", "User"),), (CLICKS, count("Blocked", "event.action: clickblocked*"), unique("url.domain", "Domains")), where=CLICK),
            ),
        ),
        Row(14, (Listing("Threats delivered, newest first", EVENT, ("email.from.address", "email.to.address", "email.subject", "m365_defender.event.threat.types", "m365_defender.event.delivery.location"),
                         where=f"{THREAT} and m365_defender.event.delivery.action: Delivered"),)),
    ),
)  # fmt: skip
