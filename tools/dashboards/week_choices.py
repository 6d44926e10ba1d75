"""How the records of a made-up week differ: for each kind of golden record how many are made of it, and which values some columns take.

All made up: names below example.*, addresses of the ranges kept for documentation. A column named here gets one of its values by chance (a value
that stands there three times is three times as likely); a dotted name lies deeper in the object.
"""

from __future__ import annotations

from typing import Any

Choices = dict[str, tuple[Any, ...]]

THREATS = (None, None, None, None, "Phish", "Phish", "Malware", "Spam")
SUBJECTS = (
    "Your parcel",
    "Invoice 2026-0311",
    "Your mailbox is full",
    "Minutes of Tuesday",
    "New voice message",
    "Shared: prices.xlsx",
)
SENDERS = (
    "it-support@examp1e.example",
    "billing@example.net",
    "news@example.org",
    "parcel@example.net",
    "kim@example.com",
    "hr@example.com",
)
COUNTRIES = ("DE", "DE", "DE", "NL", "FR", "US", "NO", "BR")
URLS = ("https://portal.examp1e.example/reset", "https://files.example.net/a.zip", "https://www.example.org/", "https://login.example.org/y")  # fmt: skip
TITLES = (
    ("Management ports should be closed on your virtual machines", "High"),
    ("Storage accounts should prevent shared key access", "Medium"),
    ("Machines should have vulnerability findings resolved", "High"),
    ("Guest accounts with owner permissions should be removed", "High"),
    ("Diagnostic logs should be enabled", "Low"),
    ("Subscriptions should have a contact for security issues", "Low"),
    ("Web applications should only be reached over HTTPS", "Medium"),
    ("Key vaults should have purge protection enabled", "Medium"),
)
PRODUCTS = (("example", "firefox"), ("example", "openssl"), ("example", "chrome"), ("example", "windows_11"), ("example", "7-zip"), ("example", "python"), ("example", "log4j"))  # fmt: skip
LEVELS = ("Low", "Medium", "Medium", "High", "High", "Critical")

# stream table -> how many records, and the columns that vary (of `properties`)
STREAM: dict[str, tuple[int, Choices]] = {
    "EmailEvents": (360, {"DeliveryAction": ("Delivered",) * 6 + ("Junked", "Junked", "Blocked", "Blocked"), "ThreatTypes": THREATS, "Subject": SUBJECTS, "SenderFromAddress": SENDERS, "EmailDirection": ("Inbound",) * 6 + ("Outbound", "Intra-org", "Intra-org"), "ThreatNames": (None, None, "Trojan:HTML/Phish.AB!MTB", "Trojan:O97M/Example.A")}),
    "EmailAttachmentInfo": (120, {"ThreatTypes": (None, None, None, "Malware"), "FileName": ("invoice.pdf", "invoice.pdf.html", "prices.xlsx", "scan.png", "macro.docm", "update.iso"), "FileExtension": (None,)}),
    "EmailUrlInfo": (120, {"Url": URLS, "UrlDomain": (None,)}),
    "EmailPostDeliveryEvents": (60, {"ActionType": ("Phish ZAP", "Malware ZAP", "Malware ZAP", "Manual remediation"), "ThreatTypes": ("Phish", "Malware"), "ActionResult": ("Success", "Success", "Success", "Error"), "Action": ("Moved to quarantine", "Moved to quarantine", "Soft deleted", "Moved to Junk folder")}),
    "UrlClickEvents": (120, {"ActionType": ("ClickAllowed",) * 4 + ("ClickBlocked", "ClickBlocked", "UrlErrorPage", "ClickBlockedByTenantPolicy"), "Url": URLS, "IsClickedThrough": (False, False, False, True), "ThreatTypes": (None, None, "Phish"), "Workload": ("Email", "Email", "Teams", "Office")}),
    "MessageEvents": (60, {"DeliveryAction": ("Delivered", "Delivered", "Delivered", "Blocked"), "ThreatTypes": (None, None, "Phish")}),
    "IdentityLogonEvents": (300, {"ActionType": ("LogonSuccess",) * 5 + ("LogonFailed",), "Application": ("Active Directory", "Active Directory", "Microsoft 365"), "Protocol": ("Kerberos", "Kerberos", "Ntlm", "Ldap"), "FailureReason": ("UnknownUser", "WrongPassword", "WrongPassword", "AccountLocked"), "Location": COUNTRIES}),
    "IdentityQueryEvents": (120, {"ActionType": ("LDAP query", "LDAP query", "SAMR query", "DNS query"), "QueryTarget": ("Domain Admins", "corp.example.com", "krbtgt", "Enterprise Admins")}),
    "IdentityDirectoryEvents": (90, {"ActionType": ("Group Membership changed", "Account Password changed", "SmbFileCopy", "Account disabled", "Device Created")}),
    "IdentityEvents": (60, {"ActionType": ("user.session.start", "group.user_membership.add", "user.mfa.factor.deactivate"), "ActionResult": ("SUCCESS", "SUCCESS", "FAILURE")}),
    "EntraIdSignInEvents": (420, {"ErrorCode": (0,) * 7 + (50126, 50126, 53003, 50074), "Country": COUNTRIES, "RiskLevelAggregated": (0,) * 8 + (1, 10, 50, 100), "ConditionalAccessStatus": (0, 0, 0, 1, 2, 2), "Application": ("Microsoft Teams", "Office 365 Exchange Online", "Azure Portal", "Azure Active Directory PowerShell", "Payroll"), "City": (None,), "State": (None,), "AuthenticationRequirement": ("multiFactorAuthentication", "multiFactorAuthentication", "singleFactorAuthentication")}),
    "CloudAppEvents": (300, {"ActionType": ("FileDownloaded", "FileDownloaded", "FileAccessed", "MailItemsAccessed", "Add member to role.", "New-InboxRule", "FileUploaded", "UserLoggedIn"), "Application": ("Microsoft SharePoint Online", "Microsoft Exchange Online", "Microsoft OneDrive for Business", "Microsoft Teams", "Office 365"), "CountryCode": COUNTRIES, "IsAdminOperation": (False, False, False, True), "IsAnonymousProxy": (False,) * 9 + (True,)}),
    "GraphAPIAuditEvents": (90, {"RequestMethod": ("GET", "GET", "GET", "PATCH", "POST", "DELETE"), "ResponseStatusCode": ("200", "200", "200", "403", "429")}),
    "DeviceLogonEvents": (260, {"ActionType": ("LogonSuccess",) * 5 + ("LogonFailed", "LogonAttempted"), "LogonType": ("Interactive", "Network", "Network", "RemoteInteractive", "Batch"), "RemoteIP": ("198.51.100.7", "203.0.113.9", "198.51.100.23", None)}),
    "BehaviorInfo": (40, {}),
    "DeviceTvmSoftwareVulnerabilities": (20, {}),
    "DeviceInfo": (60, {"ExposureLevel": ("Low", "Low", "Medium", "High"), "SensorHealthState": ("Active", "Active", "Active", "Inactive", "Misconfigured"), "OnboardingStatus": ("Onboarded",)}),
}  # fmt: skip

# message of Defender for Cloud's export -> how many, and what varies
CLOUD: dict[str, tuple[int, Choices]] = {
    "SecurityAlert": (90, {"AlertDisplayName": ("Suspicious screensaver process executed", "Login from a suspicious IP", "A drift binary was found in a container", "Possible traffic to a miner", "Anonymous access to a storage account", "Unusual deletion in a key vault"), "Severity": ("High", "Medium", "Medium", "Low", "Informational"), "Status": ("New", "New", "Active", "Resolved", "Dismissed"), "CompromisedEntity": ("WEB-1", "WEB-2", "SQL-1", "shop", "LAB-7")}),
    "subAssessments": (80, {"properties.status.severity": ("Low", "Medium", "High")}),
    "assessments": (160, {"properties.status.code": ("Healthy", "Unhealthy", "Unhealthy", "NotApplicable")}),
    "secureScores": (14, {}),
    "secureScoreControls": (14, {}),
    "regulatoryComplianceStandards": (12, {"name": ("PCI-DSS-3.2", "ISO-27001", "CIS-Azure-2.0"), "properties.state": ("Failed", "Failed", "Passed")}),
    "regulatoryComplianceControls": (60, {"name": ("1.1", "1.2", "2.3", "6.4", "8.1"), "properties.state": ("Failed", "Passed", "Passed", "Skipped"), "id": tuple(f"/subscriptions/00000000-aaaa-bbbb-cccc-000000000001/providers/Microsoft.Security/regulatoryComplianceStandards/{name}/regulatoryComplianceControls/1.1" for name in ("PCI-DSS-3.2", "ISO-27001", "CIS-Azure-2.0"))}),
    "regulatoryComplianceAssessments": (30, {}),
}  # fmt: skip
