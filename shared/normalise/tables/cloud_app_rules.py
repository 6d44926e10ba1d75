"""Rules of the audit tables of cloud apps and control planes: who acted, on whom, on what, and how it ended, out of RawEventData."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from shared.normalise.rules.account import split, user
from shared.normalise.rules.additional_fields import members, number, text
from shared.normalise.rules.paths import directory, extension, file_name
from shared.normalise.rules.platform import device_os
from shared.normalise.rules.url import NO_URL, Url, url

LONGEST_NAME = 512  # characters of an account's name
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOBODY = frozenset({"", "-", "n/a", "unknown", "not available", "null", "none"})
_NO_SYSTEM = frozenset({"unknown", "other", "none"})

# fmt: off
# RawEventData's keys for the account, in the order asked: Office 365 Management API's common schema (UserId, UserPrincipalName),
# Azure Activity Log (caller).
_ACTORS = ("UserId", "UserPrincipalName", "caller", "Caller")
_RESULTS = ("ResultStatus", "resultStatus", "status", "Status", "ResultType", "resultType")
_OUTCOMES: dict[str, str] = {  # a result's word in lower case -> event.outcome; "started", "accepted" are none yet
    "succeeded": "success",  "success": "success",  "true":  "success",  "ok":    "success",  "partiallysucceeded": "success",
    "failed":    "failure",  "failure": "failure",  "false": "failure",  "fail":  "failure",  "denied": "failure",  "error": "failure",
}
_FILES = frozenset({"file", "document", "page", "attachment"})  # ObjectType in lower case
# fmt: on

Who = tuple[str | None, str | None, str | None, str | None, str | None, str | None]


_EMPTY: dict[str, Any] = {}  # never written to


def _object(value: Any) -> dict[str, Any]:
    return value if value.__class__ is dict else _EMPTY


def _name(value: Any) -> str | None:
    """Text that can name an account: no id, no placeholder."""
    found = text(value)
    if found is None or len(found) > LONGEST_NAME or found.lower() in _NOBODY or _GUID.fullmatch(found):
        return None
    return found


def cloud_actor(
    raw: Any,
    account_id: str | None,
    object_id: str | None,
    display_name: str | None,
    account_type: str | None,
    app_id: str | None,
) -> Who:
    """Who acted in a cloud app -> user.(name, domain, email, id, full_name), and the user an app acted for.

    The name is the first good one of RawEventData.UserId, its like, AccountId and AccountDisplayName: a display name is often
    "Last, First" (elastic/integrations#13514), and such a one is never a user.name, only a full_name. user.id is the Entra ID object
    id as in all other tables, else AccountId where that is no address. Where an app acted by itself (AccountType, or the account is the
    OAuth app), the account is the app's own, and UserId names whose data it touched (the mailbox of MailItemsAccessed).
    """
    fields = _object(raw)
    said = next((found for key in _ACTORS if (found := _name(fields.get(key))) is not None), None)
    identifier = object_id or (account_id if account_id and "@" not in account_id else None)
    full_name = display_name if display_name and display_name.lower() not in _NOBODY else None
    if is_app(fields, object_id, account_type, app_id):
        name = full_name or _name(account_id)
        return name, None, None, identifier, full_name, said if said != name else None
    shown = full_name if full_name and "," not in full_name and not _GUID.fullmatch(full_name) else None
    name, domain, email = user(said or _name(account_id) or shown)
    return name, domain, email, identifier, full_name, None


def is_app(fields: dict[str, Any], object_id: str | None, account_type: str | None, app_id: str | None) -> bool:
    """Whether the account is an application's and not a person's."""
    if account_type and account_type.lower() == "application":
        return True
    return object_id is not None and object_id in (app_id, fields.get("ClientAppId"), fields.get("AppId"))


def cloud_target(
    raw: Any, objects: Any, acted: str | None, acted_email: str | None, acted_id: str | None, acted_for: str | None
) -> tuple[Any, ...]:
    """Who was acted on -> user.target.(name, domain, email, id, full_name), group.(name, id).

    ActivityObjects' first user or account in a target's role; its address, which is missing there, from RawEventData: SharePoint's
    TargetUserOrGroupName, or ObjectId in Entra ID's records. Where there is none, the mailbox' owner or the user an app acted for.
    The actor is not also the target. The group is ActivityObjects' first.
    """
    fields = _object(raw)
    identifier, said, group_name, group_id = _target_objects(objects, acted_id)
    addressed = said is not None and "@" in said
    full_name = None if addressed else said
    names = [said if addressed else None, *_targets(fields)]
    if said is None and identifier is None:
        names += [fields.get("MailboxOwnerUPN"), acted_for]
    for value in names:
        its_name = None if value is None else _name(value)
        if its_name is None or its_name == acted_email:
            continue
        name, domain, email = split(its_name)
        if name is not None and (name, email) != (acted, acted_email):
            return name, domain, email, identifier, full_name, group_name, group_id
    return None, None, None, identifier, full_name, group_name, group_id


def _target_objects(objects: Any, acted_id: str | None) -> tuple[str | None, str | None, str | None, str | None]:
    """ActivityObjects -> id and name of the first user that was acted on, name and id of the first group."""
    user_id = user_name = group_name = group_id = None
    for entry in members(objects.get("values", [objects]) if objects.__class__ is dict else objects):
        thing = _object(entry)
        kind, role = thing.get("Type"), thing.get("Role")
        if kind == "Group" and role != "Actor" and group_name is None and group_id is None:
            group_name, group_id = text(thing.get("Name")), text(thing.get("Id"))
        if role == "Target object" and kind in ("User", "Account") and user_id is None and user_name is None:
            identifier = text(thing.get("Id"))
            if identifier is None or identifier != acted_id:
                user_id, user_name = identifier, text(thing.get("Name"))
    return user_id, user_name, group_name, group_id


def _targets(fields: dict[str, Any]) -> list[Any]:
    """Addresses of whom RawEventData says that it was acted on."""
    shared = None if fields.get("TargetUserOrGroupType") == "SecurityGroup" else fields.get("TargetUserOrGroupName")
    entra = fields.get("ObjectId") if fields.get("Workload") == "AzureActiveDirectory" else None
    return [shared, entra if isinstance(entra, str) and "@" in entra else None]


def audit_actor(account: str | None, raw: Any) -> tuple[str | None, str | None, str | None, str | None]:
    """Account, or RawEventData's own word for it -> user.(name, domain, email, id).

    Azure: caller; AWS CloudTrail: userIdentity; Google Cloud: protoPayload.authenticationInfo.principalEmail; Kubernetes: user.username
    (its service accounts, `system:serviceaccount:<namespace>:<name>`, stay whole). Of an ARN the user's or role's name is the name and
    the ARN the id; a bare GUID is an id only.

    >>> audit_actor("arn:aws:sts::111122223333:assumed-role/Deploy/kim", None)
    ('Deploy', None, None, 'arn:aws:sts::111122223333:assumed-role/Deploy/kim')
    """
    fields = _object(raw)
    identity = _object(fields.get("userIdentity"))
    said = account or next(
        (found for value in _principals(fields, identity) if (found := text(value)) is not None), None
    )
    if said is None or said.lower() in _NOBODY or len(said) > LONGEST_NAME:
        return None, None, None, None
    if said.startswith("arn:"):
        resource = said.split(":", 5)[-1].split("/")
        its_name = resource[1] if resource[0] == "assumed-role" and len(resource) > 1 else resource[-1]
        return text(identity.get("userName")) or its_name or None, None, None, said
    if _GUID.fullmatch(said):
        return None, None, None, said
    if said.startswith("system:"):
        return said, None, None, None
    return *user(said), None


def _principals(fields: dict[str, Any], identity: dict[str, Any]) -> tuple[Any, ...]:
    kubernetes = _object(fields.get("user") or fields.get("User"))
    google = _object(_object(fields.get("protoPayload")).get("authenticationInfo"))
    return (
        fields.get("caller"), fields.get("Caller"), identity.get("arn"), identity.get("userName"),
        google.get("principalEmail"), kubernetes.get("username"), kubernetes.get("Username"),
    )  # fmt: skip


def audit_outcome(raw: Any, known: str | None) -> tuple[str | None, str | None]:
    """RawEventData -> event.outcome and event.reason; what the ActionType says of the outcome wins.

    The result's word (Office 365, Azure), a Kubernetes or HTTP status (400 and above is a failure), AWS' errorCode, Google's
    protoPayload.status.code.
    """
    if raw.__class__ is not dict:
        return known, None
    answer = _object(raw.get("responseStatus") or raw.get("ResponseStatus"))
    google = _object(_object(raw.get("protoPayload")).get("status"))
    found = known or _result(raw) or _status(answer, google)
    if found is None and raw.get("eventSource").__class__ is str:  # CloudTrail
        found = "failure" if text(raw.get("errorCode")) else "success"
    if found == "success":
        return found, None
    reasons = (
        raw.get("LogonError"), raw.get("errorMessage"), raw.get("errorCode"), answer.get("message"), answer.get("Message"),
        answer.get("reason"), google.get("message"),
    )  # fmt: skip
    return found, next((said for value in reasons if value is not None and (said := text(value)) is not None), None)


def _status(answer: dict[str, Any], google: dict[str, Any]) -> str | None:
    """The outcome by a Kubernetes API's status and by Google's code, in which 0 is well."""
    status = number(answer.get("code", answer.get("Code")))
    if status is not None and status >= 100:
        return "failure" if status >= 400 else "success"
    code = number(google.get("code"))
    return None if code is None else "failure" if code else "success"


def _result(fields: dict[str, Any]) -> str | None:
    for key in _RESULTS:
        value = fields.get(key)
        if value.__class__ is dict:
            value = value.get("value")
        if value.__class__ is str or value.__class__ is bool:
            found = _OUTCOMES.get(str(value).lower())
            if found is not None:
                return found
    return None


def cloud_file(object_type: str | None, object_name: str | None, raw: Any) -> tuple[Any, ...]:
    """A file that was acted on -> file.(name, extension, path, directory, size, hash.sha1, hash.sha256).

    Told by ObjectType, by SharePoint's SourceFileName, or by a path in RawEventData.ObjectId (records of endpoint data loss
    prevention, which have hashes and size). file.path is only a path of a device; addresses in SharePoint are url.*.
    """
    fields = _object(raw)
    said = text(fields.get("ObjectId"))
    path = said if said and (said[1:3] == ":\\" or said[:2] == "\\\\") else None
    source = text(fields.get("SourceFileName"))
    if path is None and source is None and (object_type or "").lower() not in _FILES:
        return (None,) * 7
    if object_name is not None and "://" in object_name:
        object_name = file_name(object_name.partition("?")[0])
    name = source or file_name(path) or object_name
    sha1, sha256 = text(fields.get("Sha1")), text(fields.get("Sha256"))
    return name, extension(name), path, directory(path), number(fields.get("FileSize")), sha1, sha256


def object_url(object_id: str | None, object_name: str | None, raw: Any) -> Url:
    """url.* of what was acted on: the first of ObjectId, RawEventData.ObjectId and ObjectName that is a whole URL."""
    for value in (object_id, _object(raw).get("ObjectId"), object_name):
        if value.__class__ is str and value[:4].lower() == "http" and "://" in value[:8]:
            return url(value)
    return NO_URL


def client_os(platform: str | None) -> tuple[Any, ...]:
    """OSPlatform of the client -> the fields of `device_os`; nothing for `Unknown` and `Other`."""
    if platform is None or len(platform) > LONGEST_NAME or platform.lower() in _NO_SYSTEM:
        return (None,) * 6
    return _device_os(platform)


_device_os = lru_cache(maxsize=256)(device_os)  # browsers name few systems
