"""Defender for Office 365's mail tables: mails, their attachments and links, what was done to them later, clicks, campaigns, files.

EmailEvents has one row for each recipient of a mail. NetworkMessageId (email.local_id) joins all of them; EmailUrlInfo has one row
for each link and place, without a recipient.
"""

from __future__ import annotations

from shared.normalise.mapping import Column, ecs, rule, table, vendor
from shared.normalise.rules.paths import directory, extension, full_path
from shared.normalise.tables.email_rows import (
    CONFIDENCE,
    DELIVERY,
    FROM,
    INTERNET_ID,
    LATER_ACTION,
    MESSAGE_ID,
    METHODS,
    RECIPIENT,
    REPORT,
    REPORT_OF_MANY,
    SENDER,
    THREAT_NAMES,
    THREAT_TYPES,
    link_rule,
    user_rule,
)
from shared.normalise.tables.email_rules import (
    action_outcome,
    addresses,
    attachment,
    attachment_extension,
    authentication,
    chain,
    click,
    direction,
    one_or_both,
    recipients,
)
from shared.normalise.tables.fragments import ACTION, ENVELOPE, first

# fmt: off
EMAIL_EVENTS = table(
    "EmailEvents", ("NetworkMessageId", "RecipientEmailAddress", "ReportId"),
    ENVELOPE, MESSAGE_ID, INTERNET_ID, REPORT, SENDER,
    # MAIL FROM, whom bounces go to; email.from is what the recipient sees
    ecs("SenderMailFromAddress",    "keyword",  "email.sender.address", vendor="sender.mail_from_address", related="user"),
    vendor("SenderMailFromDomain",  "keyword",  "sender.mail_from_domain", related="hosts"),
    vendor("SenderFromDomain",      "keyword",  "sender.from_domain",      related="hosts"),
    vendor("SenderIPv4",            "ip",       "sender.ipv4", told=True,  related="ip"),
    vendor("SenderIPv6",            "ip",       "sender.ipv6", told=True,  related="ip"),
    rule(one_or_both, ("SenderIPv4", "SenderIPv6"), "source.ip",      kind="ip"),
    rule(one_or_both, ("SenderIPv4", "SenderIPv6"), "source.address"),
    vendor("RecipientEmailAddress", "keyword",  "recipient.email_address", told=True, related="user"),
    vendor("RecipientObjectId",     "keyword",  "recipient.object_id"),
    vendor("RecipientDomain",       "keyword",  "recipient.domain",        related="hosts"),
    vendor("DistributionList",      "keyword",  "recipient.distribution_list", many=True),
    vendor("To",                    "keyword",  "email.to", many=True),  # the headers' mailboxes, names included
    vendor("Cc",                    "keyword",  "email.cc", many=True),
    rule(addresses,  ("To",), "#to",                                      related="user"),
    rule(addresses,  ("Cc",), "email.cc.address",                         related="user"),
    rule(recipients, ("RecipientEmailAddress", "#to"), "email.to.address"),
    ecs("Subject",                  "wildcard", "email.subject", vendor="subject"),  # a mail may be about "-"
    vendor("EmailDirection",        "keyword",  "email.direction", told=True),
    rule(direction, ("EmailDirection",), "email.direction"),
    DELIVERY,
    vendor("LatestDeliveryAction",   "keyword", "latest_delivery_action"),
    vendor("LatestDeliveryLocation", "keyword", "latest_delivery_location"),
    vendor("LastEventExecutionTime", "date",    "last_event_execution_time"),
    THREAT_TYPES, THREAT_NAMES, METHODS, CONFIDENCE,
    vendor("ThreatClassification",  "keyword",  "threat.classification"),
    vendor("BulkComplaintLevel",    "long",     "bulk_complaint_level"),
    Column("AuthenticationDetails", "flattened", told=True),
    rule(authentication, ("AuthenticationDetails",), "~authentication_details", "~email.authentication.spf",
         "~email.authentication.dkim", "~email.authentication.dmarc", "~email.authentication.composite"),
    vendor("EmailAction",           "keyword",  "email.action"),
    ecs("EmailActionPolicy",        "keyword",  "rule.name", vendor="email.action_policy"),  # the policy that took effect
    ecs("EmailActionPolicyGuid",    "keyword",  "rule.id",   vendor="email.action_policy_guid"),
    vendor("OrgLevelAction",        "keyword",  "org_level.action"),
    vendor("OrgLevelPolicy",        "keyword",  "org_level.policy"),
    vendor("UserLevelAction",       "keyword",  "user_level_action"),
    vendor("UserLevelPolicy",       "keyword",  "user_level_policy"),
    vendor("ExchangeTransportRule", "keyword",  "email.exchange_transport_rule"),
    vendor("ForwardingInformation", "keyword",  "email.forwarding_information"),
    vendor("Connectors",            "keyword",  "connectors"),
    vendor("Context",               "keyword",  "email.context"),
    vendor("EmailClusterId",        "keyword",  "email.cluster_id"),
    vendor("EmailLanguage",         "keyword",  "email.language"),
    vendor("EmailSize",             "long",     "email.size"),
    vendor("IsFirstContact",        "boolean",  "email.is_first_contact"),
    vendor("AttachmentCount",       "long",     "attachment_count"),
    vendor("UrlCount",              "long",     "url_count"),
    vendor("AdditionalFields",      "flattened", "additional_fields"),
    action=None,
)

EMAIL_ATTACHMENT_INFO = table(
    "EmailAttachmentInfo", ("NetworkMessageId", "RecipientEmailAddress", "ReportId", "SHA256", "FileName"),
    ENVELOPE, MESSAGE_ID, REPORT, SENDER, RECIPIENT,
    vendor("RecipientObjectId", "keyword", "recipient.object_id"),
    ecs("FileName",             "keyword", "file.name",        vendor="file.name"),
    vendor("FileExtension",     "keyword", "file.extension"),
    vendor("FileType",          "keyword", "file.type"),
    ecs("FileSize",             "long",    "file.size",        vendor="file.size"),
    ecs("SHA256",               "keyword", "file.hash.sha256", vendor="sha256", related="hash"),
    rule(attachment_extension, ("FileName", "FileExtension", "FileType"), "file.extension"),
    # in both places: file.* is what file rules compare, email.attachments where ECS looks for a mail's files
    rule(attachment, ("FileName", "file.extension", "FileSize", "SHA256"), "email.attachments", kind="object"),
    THREAT_TYPES, THREAT_NAMES, METHODS,
    action=None,
)

EMAIL_URL_INFO = table(
    "EmailUrlInfo", ("NetworkMessageId", "ReportId", "Url", "UrlLocation"),
    ENVELOPE, MESSAGE_ID, REPORT_OF_MANY,
    vendor("Url",              "keyword", "url",          told=True),
    vendor("UrlDomain",        "keyword", "url_domain"),
    link_rule("Url", "UrlDomain"),
    vendor("UrlLocation",      "keyword", "url_location"),
    vendor("UrlChainId",       "keyword", "url_chain_id"),
    vendor("UrlChainPosition", "long",    "url_chain_position"),
    action=None,
)

EMAIL_POST_DELIVERY_EVENTS = table(
    "EmailPostDeliveryEvents", ("NetworkMessageId", "RecipientEmailAddress", "ReportId", "Timestamp", "ActionType", "Action"),
    ENVELOPE, LATER_ACTION, MESSAGE_ID, INTERNET_ID, REPORT_OF_MANY, FROM, RECIPIENT,
    rule(action_outcome, ("ActionResult",), "event.outcome"),
    vendor("EmailDirection",   "keyword", "email.direction", told=True),
    rule(direction, ("EmailDirection",), "email.direction"),
    vendor("DeliveryLocation", "keyword", "delivery.location"),
    vendor("SourceLocation",   "keyword", "delivery.source_location"),
    THREAT_TYPES, METHODS,
)

URL_CLICK_EVENTS = table(
    "UrlClickEvents", ("ReportId", "Timestamp", "ActionType", "IsClickedThrough"),
    ENVELOPE, ACTION.without("AdditionalFields", "AppGuardContainerId"), MESSAGE_ID, REPORT,
    vendor("Url",              "keyword", "url", told=True),
    link_rule("Url"),
    vendor("UrlChain",         "keyword", "url_chain", many=True),
    rule(chain, ("UrlChain",), "#chain_hosts", "#chain_addresses", kind=("keyword", "ip"), related=("hosts", "ip")),
    vendor("AccountUpn",       "keyword", "account.upn", related="user"),
    user_rule("AccountUpn"),
    ecs("IPAddress",           "ip",      "source.ip", "source.address", vendor="ip_address", related="ip"),
    vendor("IsClickedThrough", "boolean", "is_clicked_through"),
    rule(click, ("event.type", "event.outcome", "IsClickedThrough"), "event.type", "event.outcome"),
    vendor("Workload",         "keyword", "workload"),
    vendor("AppName",          "keyword", "application"),
    vendor("AppVersion",       "keyword", "application_version"),
    vendor("SourceId",         "keyword", "source_id"),
    THREAT_TYPES, METHODS,
)

CAMPAIGN_INFO = table(
    "CampaignInfo", ("CampaignId", "NetworkMessageId", "RecipientEmailAddress", "ReportId"),
    ENVELOPE, MESSAGE_ID, REPORT, RECIPIENT,
    vendor("CampaignId",       "keyword", "campaign.id"),
    vendor("CampaignName",     "keyword", "campaign.name"),
    vendor("CampaignType",     "keyword", "campaign.type"),
    Column("CampaignSubtype",  "keyword", told=True),
    Column("CampaignSubType",  "keyword", told=True),  # Log Analytics' spelling
    rule(first, ("CampaignSubtype", "CampaignSubType"), "~campaign.subtype"),
    action=None,
)

# A file in SharePoint, OneDrive or Teams that the filters know to be malicious; `user` is who changed it last.
FILE_MALICIOUS_CONTENT_INFO = table(
    "FileMaliciousContentInfo", ("ReportId", "DocumentId", "SHA256"),
    ENVELOPE, REPORT,
    ecs("FileName",                "keyword", "file.name",        vendor="file.name"),
    vendor("FolderPath",           "keyword", "folder_path", told=True),
    rule(full_path, ("FolderPath", "FileName"), "file.path"),
    rule(directory, ("file.path",),             "file.directory"),
    rule(extension, ("FileName",),              "file.extension"),
    ecs("FileSize",                "long",    "file.size",        vendor="file.size"),
    ecs("SHA256",                  "keyword", "file.hash.sha256", vendor="sha256", related="hash"),
    ecs("FileCreationTime",        "date",    "file.created",     vendor="file.creation_time"),
    ecs("LastModifiedTime",        "date",    "file.mtime",       vendor="file.last_modified_time"),
    ecs("FileOwnerUpn",            "keyword", "file.owner",       vendor="file.owner_upn", related="user"),
    vendor("FileOwnerDisplayName", "keyword", "file.owner_display_name"),
    vendor("LastModifyingAccountUpn", "keyword", "file.last_modifying_account_upn", related="user"),
    user_rule("LastModifyingAccountUpn"),
    Column("DocumentId",           "keyword", told=True),
    Column("DocumentID",           "keyword", told=True),  # Log Analytics' spelling
    rule(first, ("DocumentId", "DocumentID"), "~file.document_id"),
    vendor("Workload",             "keyword", "workload"),
    THREAT_TYPES, THREAT_NAMES, METHODS,
    action=None,
)
# fmt: on
