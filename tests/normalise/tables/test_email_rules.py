"""The rules of mail and Teams tables: addresses, verdicts, attachments, links, clicks."""

from __future__ import annotations

from typing import Any

import pytest

from shared.normalise.tables import email_rules as rules


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Phish, Spam"], ["Phish", "Spam"]),
        (["Malware"], ["Malware"]),
        (["Malware", "Phish,Malware"], ["Malware", "Phish"]),
        ([" , "], None),
        (None, None),
    ],
)
def test_parts_are_names_each_once(texts: list[str] | None, expected: list[str] | None) -> None:
    """Names that commas join, in one text or in several, come apart and come once."""
    assert rules.parts(texts) == expected


def test_malware_is_added_to_the_category_only_where_the_verdict_names_it() -> None:
    """A mail with malware is of category malware too, once, and the shared list is not changed."""
    shared = ["email"]
    assert rules.with_malware(shared, ["Phish", "Malware"]) == ["email", "malware"]
    assert rules.with_malware(shared, ["Phish"]) is shared
    assert rules.with_malware(shared, None) is shared
    assert rules.with_malware(["email", "malware"], ["malware"]) == ["email", "malware"]
    assert shared == ["email"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Inbound", "inbound"), ("Outbound", "outbound"), ("Intra-org", "internal"), ("Unknown", "unknown"), (None, None)],
)
def test_direction_is_in_the_words_of_ecs(name: str | None, expected: str | None) -> None:
    """Intra-org is internal; the others are in lower case."""
    assert rules.direction(name) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [("Delivered", "success"), ("Junked", "success"), ("Replaced", "success"), ("Blocked", "failure"), ("Delayed", None), (None, None)],
)  # fmt: skip
def test_delivery_outcome_says_whether_it_arrived(action: str | None, expected: str | None) -> None:
    """Only a blocked message did not reach its recipient; of a word we do not know nothing is said."""
    assert rules.delivery_outcome(action) == expected


@pytest.mark.parametrize(
    ("result", "expected"), [("Success", "success"), ("Error", "failure"), ("failed ", "failure"), ("Pending", None), (None, None)]
)  # fmt: skip
def test_action_outcome_says_whether_it_worked(result: str | None, expected: str | None) -> None:
    """Success and failure are told, a pending result is neither."""
    assert rules.action_outcome(result) == expected


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        ("kim@example.com", "kim@example.com"),
        ("Doe, Kim <kim@example.com>", "kim@example.com"),
        ('"a <b> c" <lee@example.com>', "lee@example.com"),
        ("<lee@example.com", "lee@example.com"),
        (" pat@example.org ", "pat@example.org"),
        ("undisclosed-recipients:;", None),
        ("Kim at@ example", None),
        ("", None),
    ],
)
def test_mail_address_is_what_stands_in_brackets(mailbox: str, expected: str | None) -> None:
    """The address of a mailbox with or without a name, and none where there is none."""
    assert rules.mail_address(mailbox) == expected


def test_addresses_are_told_once_and_nothing_else_is() -> None:
    """Mailboxes without an address are passed over; a list of such gives no list."""
    assert rules.addresses(["Kim <kim@example.com>", "kim@example.com", "nobody"]) == ["kim@example.com"]
    assert rules.addresses(["nobody"]) is None
    assert rules.addresses(None) is None


def test_recipients_are_the_rows_own_and_the_headers_only_without_it() -> None:
    """The row's recipient wins over the To header, which also names others."""
    assert rules.recipients("kim@example.com", ["all@example.com"]) == ["kim@example.com"]
    assert rules.recipients(None, ["all@example.com"]) == ["all@example.com"]
    assert rules.recipients(None, None) is None


def test_one_address_stays_one_and_two_become_a_list() -> None:
    """source.ip is a value, and a list only where a mail has an IPv4 and an IPv6 sender."""
    assert rules.one_or_both("192.0.2.1", None) == "192.0.2.1"
    assert rules.one_or_both(None, "2001:db8::1") == "2001:db8::1"
    assert rules.one_or_both("192.0.2.1", "2001:db8::1") == ["192.0.2.1", "2001:db8::1"]
    assert rules.one_or_both(None, None) is None


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ([{"RecipientSmtpAddress": "kim@example.com"}, {"RecipientSmtpAddress": "kim@example.com"}], ["kim@example.com"]),
        ({"RecipientSmtpAddress": "lee@example.com"}, ["lee@example.com"]),
        ([{"RecipientSmtpAddress": None}, {"RecipientSmtpAddress": ["x"]}, {}, "kim@example.com", None], None),
        ({"values": ["kim@example.com"]}, None),
        (None, None),
    ],
)  # fmt: skip
def test_message_recipients_are_their_addresses(details: Any, expected: list[str] | None) -> None:
    """Addresses out of a list of recipients or one; members of another shape are passed over."""
    assert rules.message_recipients(details) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"SPF": "Pass", "DKIM": "none"}, ('{"SPF":"Pass","DKIM":"none"}', "pass", "none", None, None)),
        ({"dmarc": "FAIL", "CompAuth": "softpass"}, ('{"dmarc":"FAIL","CompAuth":"softpass"}', None, None, "fail", "softpass")),
        ({"SPF": None, "DKIM": ["pass"]}, ('{"SPF":null,"DKIM":["pass"]}', None, None, None, None)),
        ({"text": "spf=pass"}, ("spf=pass", None, None, None, None)),
        ([{"SPF": "pass"}], ('[{"SPF":"pass"}]', None, None, None, None)),
        (None, (None, None, None, None, None)),
    ],
)  # fmt: skip
def test_authentication_keeps_the_text_and_tells_the_verdicts(details: Any, expected: tuple[Any, ...]) -> None:
    """The text is there in every shape; verdicts only where an object names them, in any case of letters."""
    assert rules.authentication(details) == expected


@pytest.mark.parametrize(
    ("name", "told", "file_type", "expected"),
    [
        ("invoice.pdf.html", ".pdf", "pdf", "html"),
        ("scan0001", ".jpg", "jpeg", "jpg"),
        ("scan0001", ".", "png", "png"),
        ("README", None, "Unknown", None),
        ("README", None, "exe;dll", None),
        (None, None, "ApplicationDocument", None),
        (None, None, None, None),
    ],
)
def test_attachment_extension_prefers_the_name(
    name: str | None, told: str | None, file_type: str | None, expected: str | None
) -> None:
    """The name's own ending decides, then FileExtension without its dot, then a FileType that can be an extension."""
    assert rules.attachment_extension(name, told, file_type) == expected


def test_attachment_is_a_list_with_what_is_known() -> None:
    """email.attachments holds one file with the fields that are there, a size of nothing too, and is left out when nothing is."""
    assert rules.attachment("a.txt", "txt", 0, "ab") == [
        {"file": {"name": "a.txt", "extension": "txt", "size": 0, "hash": {"sha256": "ab"}}}
    ]
    assert rules.attachment(None, None, None, "ab") == [{"file": {"hash": {"sha256": "ab"}}}]
    assert rules.attachment(None, None, None, None) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://login.example.com@evil.example/", ("login.example.com", None)),
        ("https://kim:s%40crt@evil.example/", ("kim", "s%40crt")),
        ("https://a@b:c@evil.example", ("a@b", "c")),
        ("https://evil.example/@kim", (None, None)),
        ("https://evil.example?mail=kim@example.com", (None, None)),
        ("mailto:kim@example.com", (None, None)),
        ("https://:@evil.example/", (None, None)),
        (None, (None, None)),
    ],
)
def test_credentials_are_what_stands_before_the_host(text: str | None, expected: tuple[str | None, str | None]) -> None:
    """Only an @ of the authority counts, not one in the path, the query or an address without slashes."""
    assert rules.credentials(text) == expected


def test_link_has_parts_and_hosts() -> None:
    """url.*, what stood before the host, the hosts of Url and UrlDomain once each, and numeric hosts apart."""
    found = rules.link("https://kim@Www.Example.com:8443/a", "example.com")
    assert found[2:5] == ("https", "www.example.com", 8443)
    assert found[-4:] == ("kim", None, ["www.example.com", "example.com"], None)
    assert rules.link("http://203.0.113.7/a", "203.0.113.7")[-2:] == (None, ["203.0.113.7"])
    assert rules.link("http://[2001:db8::7]/a", None)[-2:] == (None, ["2001:db8::7"])


def test_link_without_a_url_has_the_domain_that_was_seen() -> None:
    """UrlDomain stands in for url.domain where the link is missing, and nothing comes of nothing."""
    assert rules.link(None, "Www.Example.ORG")[3] == "www.example.org"
    assert set(rules.link(None, None)) == {None}


def test_chain_tells_each_host_once() -> None:
    """Hosts of a redirection chain, with addresses apart and unreadable members passed over."""
    links = ["https://a.example/1", "https://a.example/2", "http://192.0.2.7/", "", "https://b.example/"]
    assert rules.chain(links) == (["a.example", "b.example"], ["192.0.2.7"])
    assert rules.chain(None) == (None, None)


def test_a_blocked_click_that_went_through_is_allowed() -> None:
    """Clicking through turns denied into allowed and failure into success; everything else stays, the shared list too."""
    shared = ["access", "denied"]
    assert rules.click(shared, "failure", True) == (["access", "allowed"], "success")
    assert rules.click(shared, "failure", False) == (shared, "failure")
    assert rules.click(shared, "failure", None) == (shared, "failure")
    assert rules.click(["access"], None, True) == (["access"], None)
    assert shared == ["access", "denied"]
