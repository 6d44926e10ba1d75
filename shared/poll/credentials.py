"""A tenant's settings -> tokens: managed and workload identity by azure-identity, app registrations by msal.

Federated means: an app registration that trusts our managed identity, so that there is no secret at all and other tenants can be read
(Entra ID, workload identity federation). Tokens are kept until shortly before they expire; `fresh` asks for a new one whatever is kept.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import ForwarderError, Misconfigured, Retry
from shared.poll.endpoints import EXCHANGE, login
from shared.poll.trust import trusting
from shared.poll_settings import PollSettings, Tenant

EARLY = 300.0  # seconds before its end at which a token is replaced
PASSING = ("temporarily_unavailable", "server_error", "service_unavailable", "timeout")

PASSING_WORDS = re.compile(
    r"timed out|connection|unavailable|too many requests|(?:status|HTTP Error)\W{1,3}429\b|try again|HTTP Error: 5\d\d",
    re.IGNORECASE,
)  # msal's last


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the epoch second at which it ends."""

    value: str
    expires: float

    def __repr__(self) -> str:
        """Never the token itself."""
        return f"Token(expires={self.expires:.0f})"


type Ask = Callable[[str], Token]  # scope -> token


class Tokens:
    """Tokens of one tenant by scope, for threads. `setting` names the setting to mend where we are refused."""

    def __init__(self, open_: Callable[[], Ask], setting: str, *, wall: Callable[[], float] = time.time) -> None:
        """`open_` makes the credential, without contacting anybody; it is made anew when a fresh token is wanted."""
        self._open = open_
        self._ask: Ask | None = None
        self._kept: dict[str, Token] = {}
        self._lock = threading.Lock()
        self._wall = wall
        self.setting = setting

    def get(self, scope: str, refused: str | None = None) -> str:
        """A token for a scope. `refused`: a token that an API did not take: another one is asked for, once for all threads.

        Raises Retry where the token endpoint can not be reached, Misconfigured where it refuses us.
        """
        with self._lock:
            known = self._kept.get(scope)
            if known is not None and known.value != refused and known.expires - EARLY > self._wall():
                return known.value
            if self._ask is None or refused is not None:
                self._ask = self._open()  # what a credential keeps itself is gone with it
            try:
                token = self._ask(scope)
            except ForwarderError:
                raise
            except Exception as error:  # noqa: BLE001  azure-identity, msal and requests each have their own
                told = self.told(error)
                if isinstance(told, Retry) and "429" not in str(told):
                    self._ask = None  # msal answers from memory for a minute after a 5xx; we wait by ourselves
                raise told from None
            self._kept[scope] = token
            return token.value

    def told(self, error: Exception) -> ForwarderError:
        """What an exception of azure-identity, msal or requests means."""
        import requests

        if isinstance(error, requests.exceptions.SSLError):
            return Misconfigured("MICROSOFT_CA", "the token endpoint's certificate is not trusted.")
        if isinstance(error, requests.exceptions.RequestException):
            return Retry(f"the token endpoint can not be reached ({type(error).__name__})")
        words = first_line(error)
        # Entra ID's own answer is final, and holds ids of chance digits (429 among them) that say nothing.
        passing = None if isinstance(error, PermissionError) else PASSING_WORDS.search(words)
        return Retry(f"no token now: {words}") if passing else Misconfigured(self.setting, f"no token: {words}")


def first_line(error: Exception) -> str:
    """The first line of an exception's text, bounded. Entra ID's errors hold ids and codes, no secrets."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def tokens(settings: PollSettings, name: str, tenant: Tenant) -> Tokens:
    """The tokens of a tenant (`name`: as in TENANTS, or empty)."""
    before = f"{name.upper()}__" if name else ""
    setting = {
        "secret": "CLIENT_SECRET",
        "certificate": "CLIENT_CERTIFICATE",
        "managed_identity": "CREDENTIAL",
        "workload_identity": "CREDENTIAL",
        "federated": "CLIENT_ID",
    }[tenant.kind]
    return Tokens(lambda: opened(settings, tenant, before), f"{before}{setting}")


def opened(settings: PollSettings, tenant: Tenant, before: str) -> Ask:
    """A tenant's credential; nothing is contacted."""
    if tenant.kind == "managed_identity":
        return by_identity(managed(tenant.client_id))
    if tenant.kind == "workload_identity":
        return by_identity(workload(settings, tenant))
    if tenant.kind == "federated":
        ask = by_identity(managed(tenant.federated_identity))
        scope = f"{EXCHANGE[settings.cloud]}/.default"
        return by_app(settings, tenant, {"client_assertion": lambda: ask(scope).value})
    if tenant.kind == "secret":
        return by_app(settings, tenant, tenant.client_secret or "")
    return by_app(settings, tenant, certificate(tenant, before))


def managed(client_id: str | None) -> Any:
    """The app's own identity, or a user-assigned one."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()


def workload(settings: PollSettings, tenant: Tenant) -> Any:
    """The identity of a Kubernetes service account; its token file is named by AZURE_FEDERATED_TOKEN_FILE."""
    from azure.identity import WorkloadIdentityCredential

    file = os.environ.get("AZURE_FEDERATED_TOKEN_FILE", "")
    client = tenant.client_id or os.environ.get("AZURE_CLIENT_ID", "")
    if not file or not client:
        raise Misconfigured(
            "CREDENTIAL", "is workload_identity, but AZURE_FEDERATED_TOKEN_FILE or the client id is not set."
        )
    return WorkloadIdentityCredential(
        tenant_id=tenant.id,
        client_id=client,
        token_file_path=file,
        authority=login(settings),
        disable_instance_discovery=settings.login_endpoint is not None,
        connection_verify=settings.microsoft_ca or True,
    )


def by_identity(credential: Any) -> Ask:
    """Tokens of an azure-identity credential."""

    def ask(scope: str) -> Token:
        found = credential.get_token(scope)
        return Token(found.token, float(found.expires_on))

    return ask


def by_app(settings: PollSettings, tenant: Tenant, proof: Any) -> Ask:
    """Tokens of an app registration. msal contacts the authority when it is made, so that waits for the first token."""
    app: Any = None

    def ask(scope: str) -> Token:
        nonlocal app
        import msal

        if app is None:
            try:
                app = msal.ConfidentialClientApplication(
                    tenant.client_id,
                    authority=f"{login(settings)}/{tenant.id}",
                    client_credential=proof,
                    http_client=Timed(trusting(settings.microsoft_ca)),
                    # Unknown authorities can not be looked up at Microsoft's.
                    instance_discovery=None if settings.login_endpoint is None else False,
                )
            except ValueError as error:
                raise Misconfigured(
                    "TENANT_ID", f"the authority does not know it, or a key can not be read: {first_line(error)}"
                ) from None
        now = time.time()
        found = app.acquire_token_for_client([scope])
        if "access_token" in found:
            return Token(found["access_token"], now + float(found.get("expires_in", 3600)))
        told = f"{found.get('error', 'no error code')}: {str(found.get('error_description', '')).splitlines()[:1]}"[
            :300
        ]
        if found.get("error") in PASSING:
            raise Retry(f"no token now: {told}")
        raise PermissionError(told)

    return ask


class Timed:
    """msal's HTTP client: a session, each of whose requests ends."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def get(self, url: str, **options: Any) -> Any:
        """GET."""
        return self._session.get(url, timeout=(10, 30), **options)

    def post(self, url: str, **options: Any) -> Any:
        """POST."""
        return self._session.post(url, timeout=(10, 30), **options)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def certificate(tenant: Tenant, before: str) -> dict[str, Any]:
    """What msal wants of a certificate: PEM text with key and certificate, whatever form the setting has. SHA-256 thumbprint."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

    setting, text = f"{before}CLIENT_CERTIFICATE", tenant.client_certificate or ""
    password = tenant.client_certificate_password
    data = text.encode()
    if "-----BEGIN" not in text:
        try:
            data = (
                Path(text).read_bytes()
                if len(text) < 1024 and Path(text).is_file()
                else base64.b64decode(text, validate=True)
            )
        except (OSError, binascii.Error, ValueError):
            raise Misconfigured(
                setting, "is neither a file that can be read, nor PEM text, nor a PFX in base64."
            ) from None
    if b"-----BEGIN" in data:
        pem = data.decode("ascii", "replace")
        begin = pem.find("-----BEGIN CERTIFICATE-----")
        if begin < 0 or "PRIVATE KEY-----" not in pem:
            raise Misconfigured(setting, "holds no certificate, or no private key.")
        proof = {"private_key": pem, "public_certificate": pem[begin:], "passphrase": password}
        return {name: value for name, value in proof.items() if value}
    try:
        key, leaf, _ = pkcs12.load_key_and_certificates(data, password.encode() if password else None)
    except ValueError:
        raise Misconfigured(setting, f"is no PFX, or {before}CLIENT_CERTIFICATE_PASSWORD is wrong.") from None
    if key is None or leaf is None:
        raise Misconfigured(setting, "holds no certificate, or no private key.")
    return {
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "public_certificate": leaf.public_bytes(Encoding.PEM).decode(),
    }
