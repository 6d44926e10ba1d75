"""Rows that mail and Teams tables share: the message, its ends, the filters' verdict, links."""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, Rule, ecs, rule, vendor
from shared.normalise.rules.account import user
from shared.normalise.rules.url import FIELDS as URL_FIELDS
from shared.normalise.tables.email_rules import delivery_outcome, link, parts, with_malware
from shared.normalise.tables.fragments import ACTION, alone
from shared.normalise.tables.network_rows import kinds

LINK_FIELDS = (*URL_FIELDS, "url.username", "url.password")

# fmt: off
# email.message_id is the sender's Message-ID, email.local_id Microsoft's own (elastic/integrations#12530: they were swapped there).
MESSAGE_ID = Fragment((ecs("NetworkMessageId", "keyword", "email.local_id", vendor="network.message_id"),))
INTERNET_ID = Fragment((ecs("InternetMessageId", "keyword", "email.message_id", vendor="internet_message_id"),))

# A ReportId that names one event by itself, and one that does so only together with other columns.
REPORT = Fragment((ecs("ReportId", "keyword", "event.id", vendor="report_id"),))
REPORT_OF_MANY = Fragment((vendor("ReportId", "keyword", "report_id"),))

FROM = Fragment((
    vendor("SenderFromAddress",     "keyword", "sender.from_address", told=True, related="user"),
), (
    rule(alone, ("SenderFromAddress",), "email.from.address"),
))
SENDER = Fragment((
    *FROM.columns,
    vendor("SenderDisplayName",     "keyword", "sender.display_name"),
    vendor("SenderObjectId",        "keyword", "sender.object_id"),
), FROM.rules)
RECIPIENT = Fragment((
    vendor("RecipientEmailAddress", "keyword", "recipient.email_address", told=True, related="user"),
), (
    rule(alone, ("RecipientEmailAddress",), "email.to.address"),
))

# The filters' verdict: "Phish, Spam" becomes a list, so that dashboards count each; methods and levels are objects by threat.
THREAT_TYPES = Fragment((Column("ThreatTypes", "keyword", many=True, told=True),), (
    rule(parts,        ("ThreatTypes",),                     "~threat.types"),
    rule(with_malware, ("event.category", "~threat.types"),  "event.category"),
))
THREAT_NAMES = Fragment((Column("ThreatNames", "keyword", many=True, told=True),), (
    rule(parts,        ("ThreatNames",),                     "~threat.names"),
))
METHODS    = Fragment((vendor("DetectionMethods", "flattened", "detection.methods"),))
CONFIDENCE = Fragment((vendor("ConfidenceLevel",  "flattened", "confidence_level"),))

DELIVERY = Fragment((
    vendor("DeliveryAction",   "keyword", "delivery.action"),
    vendor("DeliveryLocation", "keyword", "delivery.location"),
), (
    rule(delivery_outcome, ("DeliveryAction",), "event.outcome"),
))

# What was done after delivery.
LATER_ACTION = Fragment((
    *ACTION.without("AdditionalFields", "AppGuardContainerId").columns,
    vendor("Action",           "keyword", "action.value"),
    vendor("ActionTrigger",    "keyword", "action.trigger"),
    vendor("ActionResult",     "keyword", "action.result"),
), ACTION.rules)
# fmt: on


def link_rule(column: str, domain: str = "") -> Rule:
    """url.* and related hosts from a column that holds a link, and the one that holds its domain."""
    return rule(
        link,
        (column, domain),
        *LINK_FIELDS,
        "#hosts",
        "#addresses",
        kind=(*kinds(LINK_FIELDS), "keyword", "ip"),
        related=(*(None for _ in LINK_FIELDS), "hosts", "ip"),
    )


def user_rule(upn: str) -> Rule:
    """user.* from a column that holds a UPN or an e-mail address."""
    return rule(user, ("", "", "", upn), "user.name", "user.domain", "user.email", related=("user", None, "user"))
