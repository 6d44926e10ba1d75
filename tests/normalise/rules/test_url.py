"""RemoteUrl in the forms that occur becomes url.* parts; anything at all has an answer."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.rules.url import FIELDS, Url, request_url, url

# fmt: off
SAME = "the whole text"
Parts = dict[str, str | int]
URLS: list[tuple[str, Parts]] = [
    ("subdomain.domain.tld",                    Parts(domain="subdomain.domain.tld")),
    ("url.com",                                 Parts(domain="url.com")),
    ("Example.COM.",                            Parts(domain="example.com")),
    ("www.gstatic.com:443",                     Parts(domain="www.gstatic.com", port=443)),
    ("10.0.0.1",                                Parts(domain="10.0.0.1")),
    ("[2a02:cf40::1]:8080",                     Parts(domain="2a02:cf40::1", port=8080)),
    ("2a02:cf40::1",                            Parts(domain="2a02:cf40::1")),
    ("example.com/a.php?x=a/b",                 Parts(
        domain="example.com", path="/a.php", query="x=a/b", extension="php")),
    ("https://example.com",                     Parts(full=SAME, scheme="https", domain="example.com")),
    ("HTTPS://kim:pw@Example.com:8443/a.b/c#d", Parts(
        full=SAME, scheme="https", domain="example.com", port=8443, path="/a.b/c", fragment="d")),
    ("http://example.com?q",                    Parts(full=SAME, scheme="http", domain="example.com", query="q")),
    ("hxxps://evil[.]example.com/x.exe",        Parts(
        full=SAME, scheme="https", domain="evil.example.com", path="/x.exe", extension="exe")),
    ("http://[fe80::1]/x",                      Parts(full=SAME, scheme="http", domain="fe80::1", path="/x")),
    ("http://[broken/x",                        Parts(full=SAME, scheme="http", domain="broken", path="/x")),
    ("example.com:99999",                       Parts(domain="example.com")),
    ("//cdn.example.com/.hidden",               Parts(domain="cdn.example.com", path="/.hidden")),
    ("not a host",                              Parts()),
]
# fmt: on


@pytest.mark.parametrize(("text", "parts"), URLS)
def test_parts(text: str, parts: Parts) -> None:
    """A bare host is a domain and no path; a URL is taken apart; original stays; parts not named here are absent."""
    found = {name: value for name, value in url(text)._asdict().items() if value is not None}
    if parts.get("full") == SAME:
        parts = {**parts, "full": text}
    assert found == {"original": text, **parts}


def test_nothing_is_nothing() -> None:
    """An absent text has no parts, and the fields are named in the order of the parts."""
    assert url(None) == url("") == Url()
    assert FIELDS[0] == "url.original"
    assert len(FIELDS) == len(Url())


@given(
    st.sampled_from(["http", "https", "ftp"]),
    st.from_regex(r"[a-z]{1,10}(\.[a-z]{2,5}){1,2}", fullmatch=True),
    st.none() | st.integers(1, 65535),
    st.from_regex(r"(/[a-z0-9.]{1,8}){0,3}", fullmatch=True),
    st.from_regex(r"[a-z=&]{0,8}", fullmatch=True),
)
def test_well_formed_urls_agree_with_the_standard_library(
    scheme: str, host: str, port: int | None, path: str, query: str
) -> None:
    """On URLs that urlsplit can read both find the same parts."""
    text = f"{scheme}://{host}{f':{port}' if port else ''}{path}{f'?{query}' if query else ''}"
    theirs, ours = urlsplit(text), url(text)
    assert (ours.scheme, ours.domain, ours.port) == (theirs.scheme, theirs.hostname, theirs.port)
    assert ((ours.path or ""), (ours.query or "")) == (theirs.path, theirs.query)


@given(st.none() | st.text() | st.text(alphabet="a.:/?#[]@%-"), st.none() | st.text(alphabet="a.:/*?[]@"))
def test_anything_has_a_shape(text: str | None, uri: str | None) -> None:
    """No text raises, original is the text, no part is empty and a port is a port."""
    for parts in (url(text), request_url(text, uri)):
        assert "" not in parts
        assert parts.port is None or 0 <= parts.port <= 65535
    assert url(text).original == (text or None)


def test_requests() -> None:
    """Host and target of an inspected request make one URL, whatever form the target has (RFC 9112)."""
    origin = request_url("www.example.com:8080", "/a.html?b")
    assert origin[:5] == ("/a.html?b", "http://www.example.com:8080/a.html?b", "http", "www.example.com", 8080)
    assert request_url("proxy", "http://example.com/x").domain == "example.com"
    assert request_url("www.gstatic.com", "www.gstatic.com:443")[3:5] == ("www.gstatic.com", 443)
    assert request_url("example.com", "*").domain == "example.com"
    assert request_url("example.com", None).domain == "example.com"
    assert request_url(None, None) == Url()
