"""RemoteUrl and other addresses as Defender writes them (whole URLs, bare hosts, host:port) -> url.* parts.

url.registered_domain, top_level_domain and subdomain are left out: they need the public suffix list, and the package
that carries it (tldextract) takes 110 ms to load and 2 µs a call, measured, while no rule or dashboard of the
packages reads them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")  # RFC 3986, 3.1
LONGEST = 32_768  # characters that are taken apart; original keeps all


class Url(NamedTuple):
    """The url.* fields in this order; None is absent. A plain tuple for whoever only wants to unpack it."""

    original: str | None = None
    full: str | None = None
    scheme: str | None = None
    domain: str | None = None
    port: int | None = None
    path: str | None = None
    query: str | None = None
    fragment: str | None = None
    extension: str | None = None


FIELDS = tuple(f"url.{name}" for name in Url._fields)
NO_URL = Url()
NO_FIELDS = tuple(NO_URL)
LONGEST_KNOWN = 256  # characters of a URL that is remembered


def url_fields(text: str | None) -> tuple[str | int | None, ...]:
    """The parts of `url` in the order of `FIELDS`, remembered for short texts: a fleet talks to few hosts."""
    return NO_FIELDS if not text else _known(text) if len(text) <= LONGEST_KNOWN else tuple(url(text))


def url(text: str | None) -> Url:
    """The parts of a URL, of `host`, `host:port` or `host/path`.

    ECS: original is the text as sent, full a whole URL (so only where there is a scheme), domain the host in lower
    case (an IP address too, an IPv6 one without brackets), query and fragment without their marks, extension without
    its dot. Names and passwords before the host are passed over. Defender's defanged `hxxp` and `[.]` stay in
    original and are read as http and a dot.

    >>> url("https://Example.com:8443/a/b.php?x=1#y")[2:]
    ('https', 'example.com', 8443, '/a/b.php', 'x=1', 'y', 'php')
    >>> url("subdomain.domain.tld")[:4]
    ('subdomain.domain.tld', None, None, 'subdomain.domain.tld')
    """
    if not text:
        return NO_URL
    if "/" not in text and ":" not in text and "?" not in text and "#" not in text and "[" not in text:
        return Url(text, None, None, _domain(text))  # the common case: a bare host
    original, text = text, text[:LONGEST].replace("[.]", ".")
    scheme: str | None = None
    head, mark, rest = text.partition("://")
    if mark and _is_scheme(head):
        scheme = head.lower().replace("hxxp", "http")
    elif text.startswith("//"):
        rest = text[2:]
    else:
        rest = text
    rest, mark, fragment = rest.partition("#")
    rest, mark, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    path = slash + path
    domain, port = _host_and_port(authority.rpartition("@")[2])
    if scheme is None and domain is None and not path:
        return Url(original)
    return Url(
        original,
        original if scheme is not None else None,
        scheme,
        domain,
        port,
        path or None,
        query or None,
        fragment or None,
        _extension(path),
    )


@lru_cache(maxsize=4096)
def _known(text: str) -> tuple[str | int | None, ...]:
    return tuple(url(text))  # a tuple proper is unpacked faster


def request_url(host: str | None, uri: str | None) -> Url:
    """The URL of an inspected HTTP request out of its Host header and its request target (RFC 9112, 3.2).

    A path is put behind the host, and full is `http://host/path`, for only plain HTTP can be inspected; a whole URL
    (a proxy's request) stands for itself; CONNECT's target is host and port.
    """
    if not uri:
        return url(host)
    if uri[0] == "/" and host:
        parts = url(f"http://{host}{uri}")
        return parts._replace(original=uri)
    if uri == "*":
        return url(host)._replace(original=uri)
    return url(uri)


def _is_scheme(text: str) -> bool:
    return len(text) <= 32 and _SCHEME.fullmatch(text) is not None


def _domain(host: str) -> str | None:
    """A host that can be one, in lower case and without the root's dot."""
    if " " in host or len(host) > 255:
        return None
    return host.lower().rstrip(".") or None


def _host_and_port(authority: str) -> tuple[str | None, int | None]:
    if authority[:1] == "[":
        host, _, behind = authority[1:].partition("]")
        port = behind[1:] if behind[:1] == ":" else ""
    elif authority.count(":") > 1:  # an IPv6 address without brackets
        host, port = authority, ""
    else:
        host, _, port = authority.partition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None
    return _domain(host), number if number is not None and number <= 65535 else None


def _extension(path: str) -> str | None:
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    found = name[dot + 1 :] if dot > 0 else ""
    return found if 0 < len(found) <= 32 and found.isalnum() else None
