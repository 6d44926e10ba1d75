"""AdditionalFields of an AlertEvidence row, which is the entity itself as Microsoft's security products describe it, -> ECS.

Keys are those of the entity types that Microsoft documents for alerts (Process, File, MailMessage, Host). What is here besides the table's own
columns: a process' id, start and parent, a mail's two ends, a machine's operating system. An `ImageFile` may be a `$ref` to another row.
"""

from __future__ import annotations

from typing import Any

from shared.normalise.convert import address, date
from shared.normalise.mapping import Kind, Related
from shared.normalise.rules.paths import full_path
from shared.normalise.tables.cloud_alert_told import number
from shared.normalise.tables.email_rules import direction

# fmt: off
PROCESS_FIELDS = (
    "process.pid", "process.start",
    "process.parent.pid", "process.parent.start", "process.parent.command_line", "process.parent.name", "process.parent.executable",
)
PROCESS_KINDS: tuple[Kind, ...] = ("long", "date", "long", "date", "wildcard", "keyword", "keyword")
MAIL_FIELDS = ("email.from.address", "email.sender.address", "email.to.address", "email.message_id", "email.direction", "#sender_ip")
MAIL_KINDS: tuple[Kind, ...] = ("keyword", "keyword", "keyword", "wildcard", "keyword", "ip")
MAIL_RELATED: tuple[Related | None, ...] = ("user", "user", "user", None, None, "ip")
# fmt: on
_NO_PROCESS = (None,) * len(PROCESS_FIELDS)
_NO_MAIL = (None,) * len(MAIL_FIELDS)
_MAILS = ("MailMessage", "mailMessage")


def process(entity: str | None, fields: Any) -> tuple[Any, ...]:
    """EntityType, AdditionalFields -> the fields of `PROCESS_FIELDS`, if the entity is a process.

    >>> process("Process", {"ProcessId": "7104", "ParentProcess": {"ProcessId": "5692"}})[::2]
    (7104, 5692, None, None)
    """
    if entity != "Process" or fields.__class__ is not dict:
        return _NO_PROCESS
    parent = _object(fields.get("ParentProcess"))
    image = _object(parent.get("ImageFile"))
    name = _text(image.get("Name"))
    return (
        _number(fields.get("ProcessId")),
        _moment(fields.get("CreationTimeUtc")),
        _number(parent.get("ProcessId")),
        _moment(parent.get("CreationTimeUtc")),
        _text(parent.get("CommandLine")),
        name,
        full_path(_text(image.get("Directory")), name),
    )


def mail(entity: str | None, fields: Any) -> tuple[Any, ...]:
    """EntityType, AdditionalFields -> the fields of `MAIL_FIELDS`, if the entity is a mail.

    P2Sender is what the recipient sees (From), P1Sender whom bounces go to (MAIL FROM); older rows have Sender alone.

    >>> mail("MailMessage", {"Sender": "kim@example.com", "Recipient": "sam@example.com"})[:3]
    (['kim@example.com'], None, ['sam@example.com'])
    """
    if entity not in _MAILS or fields.__class__ is not dict:
        return _NO_MAIL
    seen = _text(fields.get("P2Sender")) or _text(fields.get("Sender"))
    to = _text(fields.get("Recipient"))
    told = _text(fields.get("SenderIP"))
    return (
        [seen] if seen else None,
        _text(fields.get("P1Sender")),
        [to] if to else None,
        _text(fields.get("InternetMessageId")),
        direction(_text(fields.get("AntispamDirection"))),
        address(told) if told else None,
    )


def told_platform(entity: str | None, fields: Any) -> str | None:
    """EntityType, AdditionalFields -> what a machine is said to run (`Windows`)."""
    if entity != "Machine" or fields.__class__ is not dict:
        return None
    return _text(fields.get("OSFamily")) or _text(fields.get("OsPlatform"))


def _object(value: Any) -> dict[str, Any]:
    return value if value.__class__ is dict else {}


def _text(value: Any) -> str | None:
    return value if value.__class__ is str and value else None


def _number(value: Any) -> int | None:
    """A process id, a number or its text."""
    if value.__class__ is int:
        return value if 0 <= value < 2**63 else None
    return number(_text(value))


def _moment(value: Any) -> str | None:
    """A date; what is none stays in the vendor field alone."""
    return date(value, "AdditionalFields", []) if value.__class__ is str else None
