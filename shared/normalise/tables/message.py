"""Microsoft Teams' tables: messages, their links, what was done to them later, and what people did in calls.

A Teams message has a sender and recipients with addresses, so it fills email.from, email.to and email.subject as a mail does
(event.category is email for want of a nearer one in ECS); its ids are Teams' own and stay vendor fields.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, Fragment, ecs, rule, table, vendor
from shared.normalise.tables.email_rows import (
    CONFIDENCE,
    DELIVERY,
    LATER_ACTION,
    METHODS,
    REPORT,
    REPORT_OF_MANY,
    THREAT_TYPES,
    link_rule,
    user_rule,
)
from shared.normalise.tables.email_rules import action_outcome, message_recipients, parts, with_malware
from shared.normalise.tables.fragments import ENVELOPE, alone, first, lower
from shared.normalise.tables.network_rows import url_rule

# fmt: off
MESSAGE = Fragment((
    vendor("TeamsMessageId",     "keyword",   "teams_message_id"),
    vendor("SenderEmailAddress", "keyword",   "sender_email_address", told=True, related="user"),
    vendor("RecipientDetails",   "flattened", "recipient.details"),
    vendor("IsExternalThread",   "boolean",   "is_external_thread"),
    vendor("SafetyTip",          "keyword",   "safety_tip"),
), (
    rule(alone,              ("SenderEmailAddress",), "email.from.address"),
    rule(message_recipients, ("RecipientDetails",),   "email.to.address", related="user"),
))

MESSAGE_EVENTS = table(
    "MessageEvents", ("ReportId",),
    ENVELOPE, MESSAGE, REPORT,
    user_rule("SenderEmailAddress"),
    ecs("SenderObjectId",          "keyword",  "user.id",        vendor="sender.object_id", related="user"),
    ecs("SenderDisplayName",       "keyword",  "user.full_name", vendor="sender.display_name"),
    vendor("SenderType",           "keyword",  "sender_type"),
    # the stream's names and the documents' (streaming envelope, name_drift)
    Column("Subject",              "wildcard", told=True),
    Column("MessageSubject",       "wildcard", told=True),
    Column("MessageType",          "keyword",  told=True),
    Column("MessageFormatType",    "keyword",  told=True),
    Column("MessageSubtype",       "keyword",  told=True),
    Column("MessageFormatSubtype", "keyword",  told=True),
    Column("ThreadSubType",        "keyword",  told=True),
    Column("ThreadSubtype",        "keyword",  told=True),
    rule(first, ("Subject", "MessageSubject"),              "email.subject", kind="wildcard"),
    rule(first, ("MessageType", "MessageFormatType"),       "~message_type"),
    rule(first, ("MessageSubtype", "MessageFormatSubtype"), "~message_subtype"),
    rule(first, ("ThreadSubType", "ThreadSubtype"),         "~thread_subtype"),
    vendor("MessageId",            "keyword",  "message_id"),
    vendor("ParentMessageId",      "keyword",  "parent_message_id"),
    vendor("MessageVersion",       "keyword",  "message_version"),
    vendor("LastEditedTime",       "keyword",  "last_edited_time"),
    vendor("ThreadId",             "keyword",  "thread_id"),
    vendor("ThreadName",           "keyword",  "thread_name"),
    vendor("ThreadType",           "keyword",  "thread_type"),
    vendor("IsOwnedThread",        "boolean",  "is_owned_thread"),
    ecs("GroupId",                 "keyword",  "group.id",   vendor="group_id"),
    ecs("GroupName",               "keyword",  "group.name", vendor="group_name"),
    DELIVERY, THREAT_TYPES, METHODS, CONFIDENCE,
    action=None,
)

MESSAGE_POST_DELIVERY_EVENTS = table(
    "MessagePostDeliveryEvents", ("ReportId", "Timestamp", "ActionType"),
    ENVELOPE, LATER_ACTION, MESSAGE, REPORT,
    rule(action_outcome, ("ActionResult",), "event.outcome"),
    vendor("LatestDeliveryLocation", "keyword", "latest_delivery_location"),
    Column("ThreatTypes", "keyword", many=True, told=True),
    Column("ThreadTypes", "keyword", many=True, told=True),  # so the stream misspells ThreatTypes
    rule(first,        ("ThreatTypes", "ThreadTypes"),       "#threats"),
    rule(parts,        ("#threats",),                        "~threat.types"),
    rule(with_malware, ("event.category", "~threat.types"),  "event.category"),
    METHODS, CONFIDENCE,
)

MESSAGE_URL_INFO = table(
    "MessageUrlInfo", ("ReportId", "Url"),
    ENVELOPE, REPORT_OF_MANY,
    vendor("TeamsMessageId", "keyword", "teams_message_id"),
    vendor("Url",            "keyword", "url",        told=True),
    vendor("UrlDomain",      "keyword", "url_domain"),
    link_rule("Url", "UrlDomain"),
    THREAT_TYPES,
    action=None,
)

# The envelope of a table whose own time is called ActivityTimestamp.
CALL_ENVELOPE = Fragment((
    *ENVELOPE.without("Timestamp").columns,
    vendor("ActivityTimestamp", "date", "activity.timestamp", told=True),
), (
    rule(first, ("ActivityTimestamp", "/_TimeReceivedBySvc", "/time"), "@timestamp",    kind="date"),
    rule(first, ("/_TimeReceivedBySvc", "/time"),                      "event.created", kind="date"),
))

CALL_ACTIVITY_EVENTS = table(
    "CallActivityEvents", ("CallId", "ActivityId", "ActivityTimestamp"),
    CALL_ENVELOPE,
    ecs("ActivityId",                     "keyword", "event.id",       vendor="activity.id"),
    vendor("ActivityType",                "keyword", "activity.type",  told=True),
    rule(lower, ("ActivityType",), "event.action"),
    ecs("ActivityInitiatorId",            "keyword", "user.id",        vendor="activity.initiator_id", related="user"),
    vendor("ActivityInitiatorUpn",        "keyword", "activity.initiator_upn", related="user"),
    user_rule("ActivityInitiatorUpn"),
    ecs("ActivityInitiatorDisplayName",   "keyword", "user.full_name", vendor="activity.initiator_display_name"),
    vendor("CallId",                      "keyword", "call.id"),
    vendor("CallSchedulingType",          "keyword", "call.scheduling_type"),
    vendor("CallJoinUrl",                 "keyword", "call.join_url",  told=True),
    url_rule("CallJoinUrl"),
    vendor("OriginatorUpn",               "keyword", "call.originator_upn", related="user"),
    vendor("OriginatorUserDisplayName",   "keyword", "call.originator_display_name"),
    vendor("ThreadId",                    "keyword", "thread_id"),
    action=None,
)
# fmt: on
