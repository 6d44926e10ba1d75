"""TLS to the real Elasticsearch: who is trusted, and that nobody else gets a byte."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from local.elasticsearch import LocalElasticsearch
from local.process import free_port
from shared.errors import Misconfigured, Retry
from tests.fakes.fault_proxy import fault_proxy
from tests.ship.shipping import outcome
from tests.ship.target import Target, ship


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA, elasticsearch_server: LocalElasticsearch) -> Iterator[str]:
    """The server's address behind TLS, with a certificate of that authority for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serve(context, authority.issue_cert("127.0.0.1"), authority)
    with fault_proxy(elasticsearch_server.url, tls=context) as proxy:
        yield f"{proxy.url}/tls"


def serve(context: ssl.SSLContext, leaf: trustme.LeafCert, authority: trustme.CA) -> None:
    """Present a certificate and that of an authority, as Elasticsearch does with the ones that it makes itself."""
    chain = leaf.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes()
    with trustme.Blob(chain).tempfile() as path:
        context.load_cert_chain(path)


def fingerprint(authority: trustme.CA) -> str:
    """SHA-256 of the authority's certificate, as openssl prints it."""
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def test_a_certificate_authority_is_trusted_by_file_text_or_fingerprint(
    target: Target, tls: str, authority: trustme.CA, tmp_path: Path
) -> None:
    """A path, the PEM itself, the PEM with its newlines spelt out, and the fingerprint all lead to the server."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    pem = authority.cert_pem.bytes().decode()
    ways = [
        {"ELASTICSEARCH_CA": str(file)},
        {"ELASTICSEARCH_CA": pem},
        {"ELASTICSEARCH_CA": pem.replace("\n", "\\n")},
        {"ELASTICSEARCH_CA_FINGERPRINT": fingerprint(authority)},
    ]
    for number, way in enumerate(ways):
        _, report = ship(target.shipper(ELASTICSEARCH_URL=tls, **way), [target.document(f"{number}")])
        assert outcome(report) == {"indexed": 1}, way


@pytest.mark.parametrize(
    ("way", "setting"),
    [
        ({}, "ELASTICSEARCH_CA"),
        ({"ELASTICSEARCH_CA": trustme.CA().cert_pem.bytes().decode()}, "ELASTICSEARCH_CA"),
        ({"ELASTICSEARCH_CA_FINGERPRINT": "ab" * 32}, "ELASTICSEARCH_CA_FINGERPRINT"),
    ],
)
def test_a_server_that_is_not_trusted_gets_nothing(target: Target, tls: str, way: dict[str, str], setting: str) -> None:
    """Without the right authority there is no request and no retry, but the name of the setting."""
    with pytest.raises(Misconfigured) as caught:
        ship(target.shipper(ELASTICSEARCH_URL=tls, **way), [target.document("a")])
    assert caught.value.setting == setting
    assert "is not trusted" in caught.value.sentence


@pytest.mark.parametrize("how", ["ELASTICSEARCH_CA", "ELASTICSEARCH_CA_FINGERPRINT"])
@pytest.mark.parametrize("fault", ["the name is another", "the authority did not sign it"])
def test_the_right_authority_does_not_excuse_a_wrong_certificate(
    target: Target, authority: trustme.CA, elasticsearch_server: LocalElasticsearch, how: str, fault: str
) -> None:
    """A certificate for another name, or one that only claims (and presents) the authority, gets nothing.

    The second is what an attacker can do who knows the authority's public certificate; a fingerprint that is merely
    looked for in the chain does not notice.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if fault == "the name is another":
        serve(context, authority.issue_cert("elsewhere.example.com"), authority)
    else:
        serve(context, impostor(authority).issue_cert("127.0.0.1"), authority)
    trusted = {
        "ELASTICSEARCH_CA": authority.cert_pem.bytes().decode(),
        "ELASTICSEARCH_CA_FINGERPRINT": fingerprint(authority),
    }
    with fault_proxy(elasticsearch_server.url, tls=context) as proxy, pytest.raises(Misconfigured) as caught:
        ship(target.shipper(ELASTICSEARCH_URL=f"{proxy.url}/tls", **{how: trusted[how]}), [target.document("a")])
    assert caught.value.setting == how


def impostor(authority: trustme.CA) -> trustme.CA:
    """An authority with the name of another and a key of its own."""
    name = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).subject
    (organization,) = name.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    (unit,) = name.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    return trustme.CA(organization_name=str(organization.value), organization_unit_name=str(unit.value))


def test_a_fingerprint_of_a_server_that_is_down_is_asked_for_later(target: Target) -> None:
    """An outage at the first batch is an outage, not a wrong setting."""
    url = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(Retry, match="can not be reached"):
        ship(target.shipper(ELASTICSEARCH_URL=url, ELASTICSEARCH_CA_FINGERPRINT="ab" * 32), [target.document("a")], 0.3)


def test_https_to_a_server_without_tls_is_told(target: Target) -> None:
    """The address is at fault, not the certificate."""
    plain = target.server.url.replace("http:", "https:")
    with pytest.raises(Misconfigured, match="ELASTICSEARCH_URL: says https, but the server does not speak TLS"):
        ship(target.shipper(ELASTICSEARCH_URL=plain), [target.document("a")])
