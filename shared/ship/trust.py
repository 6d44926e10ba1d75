"""Settings -> the TLS context that verifies Elasticsearch: by a CA (file or PEM text), by its fingerprint, or as usual.

The client has a fingerprint option of its own. It is not used: it compares the certificates that the server presents
without checking that the server's own was signed by them, so whoever knows the CA's (public) certificate can pass for
the server. Here the fingerprint picks the authority out of the chain, and then everything is verified as with a file.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.errors import Misconfigured, Retry
from shared.settings import Settings

CONNECT_SECONDS = 10.0


def tls_context(settings: Settings, addresses: Sequence[str]) -> ssl.SSLContext | None:
    """The context to verify `addresses` with; None means the client's default, the well-known authorities.

    Only a fingerprint needs the network, once. Raises Misconfigured where the setting makes no sense or fits no
    certificate that is presented, Retry where no server can be reached to ask.
    """
    if settings.elasticsearch_ca_fingerprint:
        return pinned(settings.elasticsearch_ca_fingerprint, addresses)
    if not settings.elasticsearch_ca:
        return None
    ca = settings.elasticsearch_ca
    try:
        if "-----BEGIN" in ca:  # app settings can hold no newlines in some tools, so \n may be spelt out
            return ssl.create_default_context(cadata=ca.replace("\\n", "\n"))
        return ssl.create_default_context(cafile=ca)
    except FileNotFoundError:
        raise Misconfigured("ELASTICSEARCH_CA", f"there is no file {ca!r}.") from None
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Misconfigured("ELASTICSEARCH_CA", f"holds no certificate that can be read ({error}).") from None


def pinned(fingerprint: str, addresses: Sequence[str]) -> ssl.SSLContext:
    """A context that trusts the one certificate with this SHA-256 fingerprint, which a server has to present."""
    setting = "ELASTICSEARCH_CA_FINGERPRINT"
    wanted = fingerprint.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", wanted):
        raise Misconfigured(setting, "is not a SHA-256 fingerprint: 64 hexadecimal digits.")
    unreachable: list[str] = []
    seen: list[str] = []
    for address in addresses:
        try:
            chain = presented(address)
        except ssl.SSLError as error:
            if "WRONG_VERSION_NUMBER" in str(error):
                raise Misconfigured("ELASTICSEARCH_URL", "says https, but the server does not speak TLS.") from None
            unreachable.append(str(error))
            continue
        except OSError as error:
            unreachable.append(str(error))
            continue
        for certificate in chain:
            found = hashlib.sha256(certificate).hexdigest()
            if found == wanted:
                return ssl.create_default_context(cadata=certificate)
            seen.append(found)
    if unreachable:
        raise Retry(f"Elasticsearch can not be reached ({unreachable[-1]})")
    raise Misconfigured(
        setting,
        "the certificate of Elasticsearch is not trusted: none that it presents has this fingerprint "
        f"(it presents {', '.join(seen)}); if it sends its own alone, set ELASTICSEARCH_CA instead.",
    )


def presented(address: str) -> list[bytes]:
    """The certificates (DER) that a server presents, its own first. Nothing is verified and nothing is sent."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or 443
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to read the chain: the connection is closed before any request
    with (
        socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return list(secure.get_unverified_chain())
