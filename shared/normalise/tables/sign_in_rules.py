"""Rules of the sign-in, Graph API audit and OAuth application tables: numbers of Entra ID into words, results, times, addresses.

The meaning of the numbers is that of Microsoft's table pages (defender-xdr/advanced-hunting-entraidsigninevents-table.md); a number
that they do not name stays a number, as text.
"""

from __future__ import annotations

import re

# fmt: off
_RISK_LEVELS = {0: "notSet", 1: "none", 10: "low", 50: "medium", 100: "high"}
_RISK_STATES = {0: "none", 1: "confirmedSafe", 2: "remediated", 3: "dismissed", 4: "atRisk", 5: "confirmedCompromised"}
_CONDITIONAL_ACCESS = {0: "success", 1: "failure", 2: "notApplied"}  # the words of Microsoft Graph's conditionalAccessStatus
_TOKEN_ISSUERS = {0: "Microsoft Entra ID", 1: "Active Directory Federation Services"}

# Sign-in error codes by their names (MicrosoftDocs/entra-docs docs/identity-platform/reference-error-codes.md). Codes have no complete
# list; these are the ones that sign-in logs are full of, or that tell of an attack.
_FAILURES: dict[int, str] = {
    16003:   "SsoUserAccountNotFoundInResourceTenant",
    50011:   "InvalidReplyTo",
    50014:   "GuestUserInPendingState",
    50020:   "UserUnauthorized",
    50034:   "UserAccountNotFound",
    50053:   "IdsLocked",
    50055:   "InvalidPasswordExpiredPassword",
    50057:   "UserDisabled",
    50064:   "CredentialAuthenticationError",
    50078:   "UserStrongAuthExpired",
    50105:   "EntitlementGrantsNotFound",
    50126:   "InvalidUserNameOrPassword",
    50131:   "ConditionalAccessFailed",
    50132:   "SsoArtifactInvalidOrExpired",
    50133:   "SsoArtifactRevoked",
    50135:   "PasswordChangeCompromisedPassword",
    50144:   "InvalidPasswordExpiredOnPremPassword",
    50155:   "DeviceAuthenticationFailed",
    50158:   "ExternalSecurityChallenge",
    50173:   "FreshTokenNeeded",
    51004:   "UserAccountNotInDirectory",
    53000:   "DeviceNotCompliant",
    53001:   "DeviceNotDomainJoined",
    53002:   "ApplicationUsedIsNotAnApprovedApp",
    53003:   "BlockedByConditionalAccess",
    53004:   "ProofUpBlockedDueToRisk",
    65004:   "UserDeclinedConsent",
    70000:   "InvalidGrant",
    70001:   "UnauthorizedClient",
    70002:   "InvalidClient",
    70008:   "ExpiredOrRevokedGrant",
    70018:   "BadVerificationCode",
    70019:   "CodeExpired",
    70043:   "BadTokenDueToSignInFrequency",
    80012:   "OnPremisePasswordValidationAccountLogonInvalidHours",
    90072:   "PassThroughUserMfaError",
    90094:   "AdminConsentRequired",
    500011:  "InvalidResourceServicePrincipalNotFound",
    530032:  "BlockedByConditionalAccessOnSecurityPolicy",
    530034:  "DelegatedAdminBlockedDueToSuspiciousActivity",
    530035:  "BlockedBySecurityDefaults",
    700016:  "UnauthorizedClient_DoesNotMatchRequest",
    700082:  "ExpiredOrRevokedGrantInactiveToken",
    7000112: "UnauthorizedClientApplicationDisabled",
    7000215: "Invalid client secret",  # has no name
    7000222: "InvalidClientSecretExpiredKeysProvided",
}
# The sign-in went on after these: the user was asked for something more.
_INTERRUPTS: dict[int, str] = {
    50058:   "UserInformationNotProvided",
    50072:   "UserStrongAuthEnrollmentRequiredInterrupt",
    50074:   "UserStrongAuthClientAuthNRequiredInterrupt",
    50076:   "UserStrongAuthClientAuthNRequired",
    50079:   "UserStrongAuthEnrollmentRequired",
    50097:   "DeviceAuthenticationRequired",
    50125:   "PasswordResetRegistrationRequiredInterrupt",
    50127:   "BrokerAppNotInstalled",
    50129:   "DeviceIsNotWorkplaceJoined",
    50140:   "KmsiInterrupt",
    50199:   "CmsiInterrupt",
    65001:   "DelegationDoesNotExist",
    70016:   "AuthorizationPending",
}
# fmt: on
_BROWSER = re.compile(r"(.*\S) +(\d[\w.]*)")
_LONGEST_BROWSER = 200  # characters that are looked at
_LONGEST_DURATION = (2**63 - 1) // 1_000_000  # milliseconds that fit event.duration


def sign_in_result(code: int | None) -> tuple[str | None, str | None, str | None]:
    """ErrorCode -> event.(outcome, code, reason).

    0 is a success. An interrupt (more was asked of the user, such as a second factor) is neither success nor failure: unknown, so that
    failures can be counted as such; the portal lists these sign-ins as interrupted. Every other code is a failure.

    >>> sign_in_result(0), sign_in_result(50126)
    (('success', None, None), ('failure', '50126', 'InvalidUserNameOrPassword'))
    """
    if code is None:
        return None, None, None
    if code == 0:
        return "success", None, None
    interrupt = _INTERRUPTS.get(code)
    if interrupt is not None:
        return "unknown", str(code), interrupt
    return "failure", str(code), _FAILURES.get(code)


def risk_level(number: int | None) -> tuple[str | None, float | None]:
    """RiskLevelAggregated -> (its word, event.risk_score).

    The score is the number itself (10, 50, 100), save that 1 (no risk) is 0, and 0 (not set) is no score.

    >>> risk_level(100), risk_level(1), risk_level(0)
    (('high', 100.0), ('none', 0.0), ('notSet', None))
    """
    score = None if number is None or number < 1 else 0.0 if number == 1 else float(number)
    return _word(_RISK_LEVELS, number), score


def risk_state(number: int | None) -> str | None:
    """RiskState in a word, `atRisk` or `confirmedCompromised` the bad ones."""
    return _word(_RISK_STATES, number)


def conditional_access_status(number: int | None) -> str | None:
    """ConditionalAccessStatus in a word: success (policies applied), failure, notApplied."""
    return _word(_CONDITIONAL_ACCESS, number)


def token_issuer(number: int | None) -> str | None:
    """TokenIssuerType in words."""
    return _word(_TOKEN_ISSUERS, number)


def _word(words: dict[int, str], number: int | None) -> str | None:
    return None if number is None else words.get(number) or str(number)


def external(number: int | None) -> bool | None:
    """IsExternalUser: 1 yes, 0 no, -1 (not set) nothing."""
    return number == 1 if number in (0, 1) else None


def browser(text: str | None) -> tuple[str | None, str | None]:
    """Browser -> user_agent.(name, version); a text that does not end in a version is the name.

    >>> browser("Chrome Mobile 120.0.0"), browser("Rich Client")
    (('Chrome Mobile', '120.0.0'), ('Rich Client', None))
    """
    if text is None:
        return None, None
    parts = _BROWSER.fullmatch(text) if len(text) <= _LONGEST_BROWSER else None
    return (parts[1], parts[2]) if parts is not None else (text, None)


def country(place: str | None) -> tuple[str | None, str | None]:
    """Country -> source.geo.(country_iso_code, country_name): the documents promise two letters, records may hold a name."""
    if place is None:
        return None, None
    if len(place) == 2 and place.isascii() and place.isalpha():
        return place.upper(), None
    return None, place


def geo_point(latitude: float | None, longitude: float | None) -> dict[str, float] | None:
    """Latitude and longitude in degrees -> source.geo.location as an object; None unless both are there.

    >>> geo_point(52.52, 13.4), geo_point(52.52, None)
    ({'lat': 52.52, 'lon': 13.4}, None)
    """
    return None if latitude is None or longitude is None else {"lat": latitude, "lon": longitude}


def request_result(status: int | None) -> str | None:
    """An HTTP status -> event.outcome: below 400 a success (RFC 9110, 15)."""
    if status is None or not 100 <= status < 600:
        return None
    return "success" if status < 400 else "failure"


def duration(milliseconds: float | None) -> int | None:
    """RequestDuration in milliseconds -> event.duration in nanoseconds; None for what is no duration."""
    if milliseconds is None or not 0 <= milliseconds <= _LONGEST_DURATION:
        return None
    return round(milliseconds * 1_000_000)


def scopes(text: str | None) -> list[str] | None:
    """Scopes of a token, parted by blanks (RFC 6749, 3.3) -> each once."""
    return None if text is None else list(dict.fromkeys(text.split())) or None
