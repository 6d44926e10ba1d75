"""Rules that only mail and Teams tables need: addresses, verdicts of the filters, attachments, links and clicks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared.normalise.convert import address, as_text
from shared.normalise.rules.paths import extension
from shared.normalise.rules.url import LONGEST, LONGEST_KNOWN, url, url_fields

MOST_PARTS = 1000  # names and addresses kept of one column
LONGEST_FILE_TYPE = 10  # characters; what is longer is a description and no extension

# EmailDirection (Microsoft: EmailEvents) -> the words that ECS' example and network.direction use
DIRECTIONS = {"intra-org": "internal", "intraorg": "internal"}
# DeliveryAction (Microsoft: EmailEvents, MessageEvents); junked and replaced messages did reach the mailbox
DELIVERIES = {"delivered": "success", "junked": "success", "replaced": "success", "blocked": "failure"}
RESULTS = {
    "success": "success", "succeeded": "success", "completed": "success",
    "error": "failure", "failed": "failure", "failure": "failure",
}  # fmt: skip


def parts(texts: list[str] | None) -> list[str] | None:
    """ThreatTypes or ThreatNames -> a list, each name once: the stream joins them with commas, other tables send a list.

    >>> parts(["Phish, Spam"]), parts(["Malware"])
    (['Phish', 'Spam'], ['Malware'])
    """
    if texts is None:
        return None
    found = dict.fromkeys([part.strip() for text in texts[:MOST_PARTS] for part in text.split(",")])
    found.pop("", None)
    return list(found)[:MOST_PARTS] or None


def with_malware(category: list[str] | None, threats: list[str] | None) -> list[str] | None:
    """event.category, with malware (ECS: "malware detection events") where the verdict names it; the list is shared, so a new one."""
    if category is None or threats is None or "malware" in category:
        return category
    return [*category, "malware"] if "malware" in [threat.lower() for threat in threats] else category


def direction(name: str | None) -> str | None:
    """EmailDirection (`Inbound`, `Outbound`, `Intra-org`) -> email.direction in ECS' words: inbound, outbound, internal."""
    if name is None:
        return None
    lower = name.lower()
    return DIRECTIONS.get(lower, lower)


def delivery_outcome(action: str | None) -> str | None:
    """DeliveryAction -> event.outcome: whether the message reached the recipient; None where the action is not known."""
    return None if action is None else DELIVERIES.get(action.lower())


def action_outcome(result: str | None) -> str | None:
    """ActionResult of something done after delivery -> event.outcome; None for `Pending` and whatever else says neither."""
    return None if result is None else RESULTS.get(result.strip().lower())


def mail_address(text: str) -> str | None:
    """`Kim Doe <kim@example.com>` or a bare address -> the address; None where there is none."""
    _, bracket, rest = text.rpartition("<")
    found = (rest.partition(">")[0] if bracket else text).strip()
    return found if "@" in found and " " not in found else None


def addresses(mailboxes: list[str] | None) -> list[str] | None:
    """Mailboxes of a To or Cc header (RFC 5322, 3.4, one a member) -> their addresses, each once.

    >>> addresses(["Doe, Kim <kim@example.com>", "lee@example.com", "undisclosed-recipients:;"])
    ['kim@example.com', 'lee@example.com']
    """
    if mailboxes is None:
        return None
    found = dict.fromkeys(map(mail_address, mailboxes[:MOST_PARTS]))
    found.pop(None, None)
    return [known for known in found if known is not None] or None


def recipients(recipient: str | None, header: list[str] | None) -> list[str] | None:
    """email.to.address: whom this row is about; the To header only where the row names nobody.

    There is one row for each recipient, with what happened to that copy: with the others' addresses in it, "what of lee's mail was
    delivered" would find kim's copies too.
    """
    return header if recipient is None else [recipient]


def one_or_both(first: str | None, second: str | None) -> str | list[str] | None:
    """SenderIPv4 and SenderIPv6 -> source.ip: the one that is there, or both."""
    if first is None:
        return second
    return first if second is None else [first, second]


def message_recipients(details: Any) -> list[str] | None:
    """RecipientDetails of Teams ([{RecipientSmtpAddress, …}]) -> the recipients' addresses, each once."""
    members = details if details.__class__ is list else [details]
    found: dict[str, None] = {}
    for member in members[:MOST_PARTS]:
        known = member.get("RecipientSmtpAddress") if member.__class__ is dict else None
        if known.__class__ is str and known:
            found[known] = None
    return list(found) or None


def authentication(details: Any) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    """AuthenticationDetails, opened -> its text as Elastic's field holds it, and the verdicts of SPF, DKIM, DMARC and CompAuth.

    >>> authentication({"SPF": "Pass", "DKIM": "none", "CompAuth": "fail"})
    ('{"SPF":"Pass","DKIM":"none","CompAuth":"fail"}', 'pass', 'none', None, 'fail')
    """
    if details.__class__ is not dict:
        return (None if details is None else as_text(details)), None, None, None, None
    if len(details) == 1 and details.get("text").__class__ is str:  # it was no JSON
        return details["text"] or None, None, None, None, None
    verdicts = {key.lower(): value.lower() for key, value in details.items() if value.__class__ is str and value}
    return as_text(details), verdicts.get("spf"), verdicts.get("dkim"), verdicts.get("dmarc"), verdicts.get("compauth")


def attachment_extension(name: str | None, told: str | None, file_type: str | None) -> str | None:
    """file.extension of an attachment: what ends its name, else FileExtension (`.jpg`), else FileType where that can be one.

    The name first, since it decides what a double click opens; FileType (`exe` of a file called `a.jpg`) stays beside it.
    """
    found = extension(name)
    if found is not None:
        return found
    if told is not None and told.strip("."):
        return told.lstrip(".")
    if (
        file_type is None
        or len(file_type) > LONGEST_FILE_TYPE
        or not file_type.isalnum()
        or file_type.lower() == "unknown"
    ):
        return None
    return file_type


def attachment(
    name: str | None, ending: str | None, size: int | None, sha256: str | None
) -> list[dict[str, Any]] | None:
    """email.attachments (ECS: a list of objects with a file each): the one attachment that the row is about."""
    file: dict[str, Any] = {"name": name, "extension": ending, "size": size}
    file = {key: value for key, value in file.items() if value is not None}
    if sha256 is not None:
        file["hash"] = {"sha256": sha256}
    return [{"file": file}] if file else None


def link(text: str | None, domain: str | None) -> tuple[Any, ...]:
    """Url and UrlDomain -> url.* as `url` has them, url.username, url.password, then the hosts and the addresses in them for related.*.

    What stands before an @ is kept apart here: `https://login.example.com@evil.example/` is an old trick. A link that
    cannot be read has the domain that Defender saw in it.
    """
    short = text is not None and len(text) <= LONGEST_KNOWN and (domain is None or len(domain) <= LONGEST_KNOWN)
    return _known_link(text, domain) if short else _link(text, domain)


def _link(text: str | None, domain: str | None) -> tuple[Any, ...]:
    found = tuple(url(text))
    seen = domain.lower() if domain is not None else None
    if found[3] is None:
        found = (*found[:3], seen, *found[4:])
    return *found, *credentials(text), *hosts_and_addresses(found[3], seen)


_known_link = lru_cache(maxsize=2048)(_link)  # the same mail goes to many, the same link is in many mails


def hosts_and_addresses(*domains: Any) -> tuple[list[str] | None, list[str] | None]:
    """Hosts of links -> their names, and the IP addresses among them, each once."""
    names: list[str] = []
    numbers: list[str] = []
    for domain in dict.fromkeys(domains):
        if domain is not None:
            (names if address(domain) is None else numbers).append(domain)
    return names or None, numbers or None


def credentials(text: str | None) -> tuple[str | None, str | None]:
    """(url.username, url.password) of a URL with an authority (RFC 3986, 3.2.1), as they stand there."""
    if text is None or "@" not in text:
        return None, None
    _, mark, rest = text[:LONGEST].partition("://")
    if not mark:
        return None, None
    for end in "/?#":
        rest = rest.partition(end)[0]
    username, _, password = rest.rpartition("@")[0].partition(":")
    return username or None, password or None


def chain(links: list[str] | None) -> tuple[list[str] | None, list[str] | None]:
    """UrlChain -> the hosts and the IP addresses that the click was led through, for related.*."""
    if links is None:
        return None, None
    return hosts_and_addresses(*[url_fields(text)[3] for text in links[:MOST_PARTS]])


def click(
    types: list[str] | None,
    outcome: str | None,
    clicked_through: bool | None,  # noqa: FBT001  rules are called by position
) -> tuple[list[str] | None, str | None]:
    """event.type and event.outcome of a click: a blocked one that the user clicked through reached the site after all.

    Microsoft (UrlClickEvents): IsClickedThrough says "whether the user was able to click through to the original URL".
    """
    if clicked_through and types is not None and "denied" in types:
        return ["allowed" if name == "denied" else name for name in types], "success"
    return types, outcome
