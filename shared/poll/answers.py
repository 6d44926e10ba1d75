"""What an error's answer and an address say, in words that may be shown: no token, no signature."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from shared.backoff import LONGEST_RETRY_AFTER
from shared.poll.moment import SECOND, ticks

# When the quota is there again, as the SIEM API's and ARM's bodies say it: "… in less than 37 seconds", "resets after 00:00:12",
# "retryAfterSeconds": 12, "… reset at 2026-01-02T03:04:05Z".
WHEN = r"(?:\b(?:in|after|until|at)\b|reset|again|retry)[^0-9.]{0,40}?"
IN_BODY = re.compile(
    rf"{WHEN}\b(?:(?P<moment>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})\b"
    r"|(?P<minutes>\d{1,3})\s*min|(?P<seconds>\d{1,5})(?:\.\d+)?(?!\s*(?:calls|requests|per|\d|[-:])))",
    re.IGNORECASE,
)


def said(text: str, wall: float) -> float | None:
    """Seconds until a quota is there again, as an error's body says; None where it says nothing."""
    match = IN_BODY.search(text)
    if match is None:
        return None
    if match["moment"]:
        moment = ticks(match["moment"].replace(" ", "T"))
        return None if moment is None else min(max(moment / SECOND - wall, 0.0), LONGEST_RETRY_AFTER)
    if match["h"]:
        return float(int(match["h"]) * 3600 + int(match["m"]) * 60 + int(match["s"]))
    return float(int(match["minutes"]) * 60 if match["minutes"] else int(match["seconds"]))


def origin(address: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an https address without a user name; None for any other."""
    try:
        parts = urlsplit(address)
        port = parts.port or 443
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or "\\" in address:
        return None
    return parts.scheme, parts.hostname.lower(), port


def shown_path(address: str) -> str:
    """An address without host and query: no token, no signature."""
    return urlsplit(address).path[:200]


SECRET = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?i:bearer\s+[\w.~+/-]+=*|[?&](?:sig|signature|\$?skiptoken|access_token|code)=[^&\s\"'<>]+)"
)


def told(text: str) -> str:
    """What an error body says: Microsoft's code and message where it has them, bounded. What it repeats of a token or signature is left out."""
    text = SECRET.sub("…", text)
    match = re.search(r'"code"\s*:\s*"([^"]{1,100})"', text)
    words = re.search(r'"message"\s*:\s*"([^"]{1,300})', text)
    return " ".join(part for part in (match and match[1], words and words[1]) if part) or text.strip()[:200]
