"""Tokens from Entra ID as msal and azure-identity really ask for them, against the fake's token endpoints."""

from __future__ import annotations

import base64
import datetime as dt
import time
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from local.microsoft import Microsoft, Tenant
from local.microsoft_entra import App, claims_of
from shared.errors import ForwarderError, Misconfigured, Retry
from shared.poll.credentials import Token, Tokens, tokens
from shared.poll_settings import PollSettings, poll_tenants

GRAPH = "https://graph.microsoft.com/.default"
ARM = "https://management.azure.com/.default"


@pytest.fixture
def fake(running: Microsoft) -> Microsoft:
    """The fake, on the real clock."""
    running.heal()
    running.wall = time.time
    running.entra.lifetime = 3599.0
    return running


def opened(fake: Microsoft, tenant: Tenant, name: str = "", **more: str) -> Tokens:
    """The tokens that the settings ask for."""
    environment = fake.environment(tenant) | more
    settings = PollSettings.read_all(environment)
    return tokens(settings, name, poll_tenants(settings, environment)[name])


def claims(fake: Microsoft, token: str, api: str = "graph") -> dict[str, object]:
    """What an API reads in a token that it takes."""
    found = fake.entra.check(f"Bearer {token}", api)
    assert not isinstance(found, str), found
    return dict(found[0])


@pytest.fixture(scope="module")
def certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key and a certificate of its own."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pollers")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made


def test_a_secret_gives_tokens_for_every_api(fake: Microsoft) -> None:
    """One app registration, a token for each scope, kept until it is near its end, replaced when an API refuses it."""
    tenant = fake.tenant("secret.example.com")
    app = fake.app(tenant, secret="s3cr3t word")
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_SECRET="s3cr3t word")
    token = found.get(GRAPH)
    assert claims(fake, token)["tid"] == tenant.id
    assert claims(fake, found.get(ARM), "arm")["aud"] == "https://management.azure.com"
    before = fake.count("entra.token")
    assert found.get(GRAPH) == token
    assert fake.count("entra.token") == before
    fresh = found.get(GRAPH, refused=token)
    assert fresh != token
    assert found.get(GRAPH, refused=token) == fresh  # for all threads that were refused with the old one
    assert fake.count("entra.token") == before + 1


def test_a_token_is_replaced_before_it_ends(fake: Microsoft) -> None:
    """What ends within five minutes is not used any more."""
    tenant = fake.tenant()
    app = fake.app(tenant, secret="s")
    fake.entra.lifetime = 250.0
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_SECRET="s")
    first, before = found.get(GRAPH), fake.count("entra.token")
    assert found.get(GRAPH) != first
    assert fake.count("entra.token") == before + 1


def test_the_tenant_may_be_named_by_its_domain(fake: Microsoft) -> None:
    """TENANT_ID may be a domain."""
    tenant = fake.tenant("byname.example.com")
    app = fake.app(tenant, secret="s")
    found = opened(fake, tenant, TENANT_ID="byname.example.com", CLIENT_ID=app.client_id, CLIENT_SECRET="s")
    assert claims(fake, found.get(GRAPH))["tid"] == tenant.id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CLIENT_SECRET": "another"}, "AADSTS7000215"),
        ({"CLIENT_ID": "00000000-0000-0000-0000-000000000000"}, "AADSTS700016"),
        ({"TENANT_ID": "00000000-0000-0000-0000-000000000000"}, "TENANT_ID"),
    ],
)
def test_a_refusal_names_the_setting_and_microsofts_code(fake: Microsoft, change: dict[str, str], words: str) -> None:
    """What Entra ID says comes through, without the secret."""
    tenant = fake.tenant()
    app = fake.app(tenant, secret="s3cr3t word")
    found = opened(fake, tenant, **({"CLIENT_ID": app.client_id, "CLIENT_SECRET": "s3cr3t word"} | change))
    with pytest.raises(Misconfigured, match=words) as raised:
        found.get(GRAPH)
    assert "s3cr3t word" not in str(raised.value)
    assert "another" not in str(raised.value)


@pytest.mark.parametrize("fault", ["reset", "status"])
def test_an_endpoint_that_is_down_is_no_fault_of_the_settings(fake: Microsoft, fault: str) -> None:
    """No connection, or a 503: again later."""
    tenant = fake.tenant()
    app = fake.app(tenant, secret="s")
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_SECRET="s")
    fake.fault(fault, "entra.*", status=503)
    with pytest.raises(Retry):
        found.get(GRAPH)
    fake.heal()
    assert claims(fake, found.get(GRAPH))


def test_an_untrusted_endpoint_is_told(fake: Microsoft) -> None:
    """Without the CA the sentence names the setting for it."""
    tenant = fake.tenant()
    app = fake.app(tenant, secret="s")
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_SECRET="s", MICROSOFT_CA="")
    with pytest.raises(Misconfigured) as raised:
        found.get(GRAPH)
    assert raised.value.setting == "MICROSOFT_CA"


@pytest.mark.parametrize("form", ["pem", "pem file", "pfx", "pfx file", "pfx with a password"])
def test_a_certificate_proves_who_we_are(
    fake: Microsoft, form: str, certificate: tuple[rsa.RSAPrivateKey, x509.Certificate], tmp_path: Path
) -> None:
    """In every form that the setting takes; the fake checks the assertion's signature against the registered key."""
    key, made = certificate
    tenant = fake.tenant()
    app = fake.app(tenant, certificates=[key.public_key()])
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    locked = BestAvailableEncryption(b"word") if form.endswith("password") else NoEncryption()
    pfx = pkcs12.serialize_key_and_certificates(b"pollers", key, made, None, locked)
    if form.endswith("file"):
        file = tmp_path / "certificate"
        file.write_bytes(pem if form.startswith("pem") else pfx)
        value = str(file)
    else:
        value = pem.decode() if form == "pem" else base64.b64encode(pfx).decode()
    more = {"CLIENT_CERTIFICATE_PASSWORD": "word"} if form.endswith("password") else {}
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_CERTIFICATE=value, **more)
    assert claims(fake, found.get(GRAPH))["appid"] == app.client_id


def test_a_certificate_that_is_not_registered_is_refused(
    fake: Microsoft, certificate: tuple[rsa.RSAPrivateKey, x509.Certificate]
) -> None:
    """Another key's signature is none."""
    key, made = certificate
    tenant = fake.tenant()
    app = fake.app(tenant, certificates=[rsa.generate_private_key(65537, 2048).public_key()])
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    found = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_CERTIFICATE=pem.decode())
    with pytest.raises(Misconfigured, match="AADSTS700027"):
        found.get(GRAPH)


def with_identity(fake: Microsoft, monkeypatch: pytest.MonkeyPatch, tenant: Tenant, client_id: str = "") -> App:
    """App Service's managed identity in a tenant."""
    app = App()
    fake.entra.identities[client_id] = (tenant.id, app)
    if client_id:
        app.client_id = client_id
    fake.entra.apps[tenant.id][app.client_id] = app
    for name, value in fake.identity_environment().items():
        monkeypatch.setenv(name, value)
    return app


@pytest.mark.parametrize("client_id", ["", "33333333-2222-3333-4444-555555555555"])
def test_a_managed_identity_needs_no_secret(fake: Microsoft, client_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app's own identity, or a user-assigned one."""
    tenant = fake.tenant()
    app = with_identity(fake, monkeypatch, tenant, client_id)
    found = opened(fake, tenant, CREDENTIAL="managed_identity", CLIENT_ID=client_id)
    assert claims(fake, found.get(GRAPH))["oid"] == app.object_id


def test_an_identity_that_is_not_assigned_is_told(fake: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    """App Service does not know it."""
    tenant = fake.tenant()
    with_identity(fake, monkeypatch, tenant)
    found = opened(fake, tenant, CREDENTIAL="managed_identity", CLIENT_ID="99999999-2222-3333-4444-555555555555")
    with pytest.raises(ForwarderError):
        found.get(GRAPH)


def test_an_app_registration_trusts_the_managed_identity_across_tenants(
    fake: Microsoft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Federated: the identity's token is the proof, in its own tenant and in another one, and only where it is trusted."""
    home, other = fake.tenant(), fake.tenant()
    identity = with_identity(fake, monkeypatch, home)
    trust = (f"https://sts.windows.net/{home.id}/", identity.object_id, "api://AzureADTokenExchange")
    for tenant in (home, other):
        app = fake.app(tenant, trusts=[trust])
        found = opened(fake, tenant, CREDENTIAL="federated", CLIENT_ID=app.client_id)
        assert claims(fake, found.get(GRAPH))["tid"] == tenant.id
    stranger = fake.app(other)
    found = opened(fake, other, CREDENTIAL="federated", CLIENT_ID=stranger.client_id)
    with pytest.raises(Misconfigured, match="AADSTS700213"):
        found.get(GRAPH)


def test_workload_identity_takes_the_clusters_token(
    fake: Microsoft, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A Kubernetes service account's token file stands for the app that trusts its issuer."""
    key = rsa.generate_private_key(65537, 2048)
    issuer, subject = "https://oidc.example.com/cluster/", "system:serviceaccount:defender:pollers"
    fake.entra.issuers[issuer] = key.public_key()
    tenant = fake.tenant()
    app = fake.app(tenant, trusts=[(issuer, subject, "api://AzureADTokenExchange")])
    file = tmp_path / "token"
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims_in = {"iss": issuer, "sub": subject, "aud": "api://AzureADTokenExchange", "exp": now + 600, "iat": now}
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file.write_text(jwt.encode(claims_in, pem, algorithm="RS256"))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    found = opened(fake, tenant, CREDENTIAL="workload_identity", CLIENT_ID=app.client_id)
    assert claims(fake, found.get(GRAPH))["appid"] == app.client_id


def test_each_tenant_has_its_own_credential(fake: Microsoft) -> None:
    """Two tenants in one deployment: own ids and secrets, what they share is written once."""
    first, second = fake.tenant(), fake.tenant()
    one, two = fake.app(first, secret="one"), fake.app(second, secret="two")
    environment = fake.environment(first) | {
        "TENANTS": "contoso, fabrikam", "CONTOSO__TENANT_ID": first.id, "FABRIKAM__TENANT_ID": second.id, "CONTOSO__CLIENT_ID": one.client_id,
        "FABRIKAM__CLIENT_ID": two.client_id, "CONTOSO__CLIENT_SECRET": "one", "FABRIKAM__CLIENT_SECRET": "wrong",
    }  # fmt: skip
    settings = PollSettings.read_all(environment)
    known = poll_tenants(settings, environment)
    assert claims(fake, tokens(settings, "contoso", known["contoso"]).get(GRAPH))["tid"] == first.id
    with pytest.raises(Misconfigured) as raised:
        tokens(settings, "fabrikam", known["fabrikam"]).get(GRAPH)
    assert raised.value.setting == "FABRIKAM__CLIENT_SECRET"


def test_a_token_is_not_shown() -> None:
    """Neither in a repr nor in a traceback's locals of its own."""
    assert "very secret" not in repr(Token("very secret", 1.0))


def test_apis_refuse_tokens_of_another_audience(fake: Microsoft) -> None:
    """The fake is strict: a token for Graph is none for Resource Manager."""
    tenant = fake.tenant()
    app = fake.app(tenant, secret="s")
    token = opened(fake, tenant, CLIENT_ID=app.client_id, CLIENT_SECRET="s").get(GRAPH)
    assert "audience" in str(fake.entra.check(f"Bearer {token}", "arm"))
    assert claims_of(token)["roles"] == ["SecurityAlert.Read.All", "SecurityIncident.Read.All"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            PermissionError("invalid_client: AADSTS7000215: … Trace ID: 7f1c4290-a3ff-40e2-995b-c01770161d68"),
            Misconfigured,
        ),
        (PermissionError("invalid_client: AADSTS90002: no connection to 429"), Misconfigured),
        (RuntimeError("ManagedIdentityCredential authentication unavailable"), Retry),
        (RuntimeError("HTTP Error: 503"), Retry),
        (RuntimeError("HTTP status: 429"), Retry),
        (RuntimeError("no such identity 4290"), Misconfigured),
    ],
)
def test_digits_by_chance_make_no_failure_a_passing_one(error: Exception, kind: type[Exception]) -> None:
    """Entra ID's refusals are final, whatever digits their trace ids hold; a busy or silent endpoint passes."""
    assert isinstance(Tokens(lambda: lambda scope: None, "CLIENT_SECRET").told(error), kind)  # type: ignore[arg-type,return-value]  # never asked
