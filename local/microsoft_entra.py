"""Entra ID of the fake: tenants with app registrations, tokens for them, and the errors in Entra's words; App Service's managed identity.

Access tokens are JWTs with `aud`, `tid`, `roles`, `appid` and `exp`, signed with a key of the fake; an API takes one only if all of these fit.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from local.microsoft_http import Answer, Request

KEY = secrets.token_bytes(32)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# API -> the resources (audiences of tokens) that it goes by in Microsoft's clouds
RESOURCES: dict[str, tuple[str, ...]] = {
    "graph": ("https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us"),
    "security": ("https://api.security.microsoft.com", "https://api-gcc.security.microsoft.us", "https://api-gov.security.microsoft.us"),
    "endpoint": (
        "https://api.securitycenter.microsoft.com", "https://api-gcc.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us",
    ),
    "arm": ("https://management.azure.com", "https://management.usgovcloudapi.net", "https://management.chinacloudapi.cn"),
    "exchange": ("api://AzureADTokenExchange", "api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchangeChina"),
}  # fmt: skip
ALL_ROLES = {
    "graph": ("SecurityAlert.Read.All", "SecurityIncident.Read.All"),
    "security": ("Incident.Read.All",),
    "endpoint": ("Vulnerability.Read.All",),
}


@dataclass(slots=True)
class App:
    """An app registration or managed identity. trusts: (issuer, subject, audience) of assertions that stand for it."""

    client_id: str = field(default_factory=lambda: str(uuid4()))
    secret: str | None = None
    certificates: list[PublicKeyTypes] = field(default_factory=list)
    trusts: list[tuple[str, str, str]] = field(default_factory=list)
    roles: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(ALL_ROLES))
    reads: Callable[[str], bool] = lambda scope: True  # noqa: ARG005  scopes of Azure that it may read
    object_id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(slots=True)
class Entra:
    """Tenants and tokens. lifetime: seconds that a token lives; tokens of `revoked` are refused."""

    wall: Callable[[], float] = time.time
    lifetime: float = 3599.0
    apps: dict[str, dict[str, App]] = field(default_factory=dict)  # tenant's id -> client id -> app
    domains: dict[str, str] = field(default_factory=dict)  # domain -> tenant's id
    identities: dict[str, tuple[str, App]] = field(
        default_factory=dict
    )  # client id, or "" -> (tenant, managed identity)
    issuers: dict[str, Any] = field(default_factory=dict)  # issuer of federated assertions -> public key
    revoked: set[str] = field(default_factory=set)  # their `jti`
    issued: list[str] = field(default_factory=list)
    identity_header: str = field(default_factory=lambda: secrets.token_hex(16))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, tenant: str, app: App, api: str, audience: str) -> str:
        """A fresh access token."""
        now = self.wall()
        claims = {
            "aud": audience, "iss": f"https://sts.windows.net/{tenant}/", "tid": tenant, "appid": app.client_id, "oid": app.object_id,
            "sub": app.object_id, "iat": int(now), "nbf": int(now), "exp": now + self.lifetime, "jti": uuid4().hex, "ver": "1.0",
            "roles": list(app.roles.get(api, ())),
        }  # fmt: skip
        made = jwt.encode(claims, KEY, algorithm="HS256")
        with self.lock:
            self.issued.append(made)
        return made

    def revoke(self) -> None:
        """Every token that was given out is refused from now on."""
        with self.lock:
            self.revoked |= {claims_of(token)["jti"] for token in self.issued}

    def check(self, header: str, api: str) -> tuple[Mapping[str, Any], App] | str:
        """The claims and the app of an Authorization header, or why an API does not take it."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "Access token is empty."
        try:
            claims = jwt.decode(
                token,
                KEY,
                algorithms=["HS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as error:
            return f"CompactToken parsing failed: {error}"
        if claims["jti"] in self.revoked:
            return "Continuous access evaluation resulted in challenge: TokenIssuedBeforeRevocationTimestamp."
        if claims["exp"] <= self.wall():
            return "Lifetime validation failed, the token is expired."
        if claims["aud"] not in RESOURCES[api]:
            return "Access token validation failure. Invalid audience."
        app = self.apps.get(claims["tid"], {}).get(claims["appid"])
        if app is None:
            found = self.identities.get(claims["appid"]) or self.identities.get("")
            app = found[1] if found else None
        return "The identity of the calling application could not be established." if app is None else (claims, app)

    def discovery(self, request: Request, tenant: str) -> Answer:
        """`/{tenant}/v2.0/.well-known/openid-configuration`."""
        known = self.tenant(tenant)
        if known is None:
            return failed(
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
            )
        login = f"{request.base}/{known}"
        return Answer(
            value={
                "issuer": f"{login}/v2.0",
                "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
                "token_endpoint": f"{login}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{login}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{request.base}/{known}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "tenant_region_scope": "EU",
            }
        )

    def tenant(self, name: str) -> str | None:
        """A tenant's id by its id or domain."""
        return name if name in self.apps else self.domains.get(name.lower())

    def grant(self, request: Request, tenant: str) -> Answer:
        """`/{tenant}/oauth2/v2.0/token` with client credentials."""
        form, known = request.form, self.tenant(tenant)
        if known is None:
            return failed(
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
            )
        if form.get("grant_type") != "client_credentials":
            return failed(
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{form.get('grant_type')}'.",
            )
        app = self.apps[known].get(form.get("client_id", ""))
        if app is None:
            return failed(
                "unauthorized_client",
                700016,
                f"Application with identifier '{form.get('client_id')}' was not found in the directory.",
            )
        refused = self.proof(request, form, known, app)
        if refused is not None:
            return refused
        resource, slash, default = form.get("scope", "").split(" ")[0].rpartition("/")
        if not slash or default != ".default":
            return failed("invalid_scope", 1002012, f"The provided value for scope {form.get('scope')} is not valid.")
        api = next((name for name, resources in RESOURCES.items() if resource.rstrip("/") in resources), None)
        if api is None:
            return failed(
                "invalid_resource", 500011, f"The resource principal named {resource} was not found in the tenant."
            )
        token = self.token(known, app, api, resource.rstrip("/"))
        seconds = int(self.lifetime)
        return Answer(
            value={"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )

    def proof(self, request: Request, form: Mapping[str, str], tenant: str, app: App) -> Answer | None:
        """Why the app's secret or assertion is not taken; None if it is."""
        if "client_secret" in form:
            if app.secret is None or form["client_secret"] != app.secret:
                return failed(
                    "invalid_client", 7000215,
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client "
                    f"secret ID, for a secret added to app '{app.client_id}'.", 401,
                )  # fmt: skip
            return None
        if form.get("client_assertion_type") != ASSERTION or not form.get("client_assertion"):
            return failed(
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                401,
            )
        assertion = form["client_assertion"]
        try:
            issuer = claims_of(assertion).get("iss")
        except jwt.InvalidTokenError:
            return failed("invalid_client", 50027, "JWT token is invalid or malformed.", 401)
        if issuer == app.client_id:
            return self.signed(request, assertion, tenant, app)
        return self.federated(assertion, str(issuer), app)

    def signed(self, request: Request, assertion: str, tenant: str, app: App) -> Answer | None:
        """Why an assertion with a certificate of the app is not taken."""
        audience = [
            f"{request.base}/{name}/oauth2/v2.0/token"
            for name in (tenant, *(d for d, t in self.domains.items() if t == tenant))
        ]
        for key in app.certificates:
            try:
                jwt.decode(assertion, key, algorithms=["RS256", "PS256"], audience=audience)  # type: ignore[arg-type]  # an RSA key
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                return failed("invalid_client", 700023, f"Client assertion is not valid: {error}.", 401)
            return None
        return failed(
            "invalid_client",
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
            401,
        )

    def federated(self, assertion: str, issuer: str, app: App) -> Answer | None:
        """Why an assertion of another issuer is not taken."""
        ours = issuer.startswith("https://sts.windows.net/")
        key, algorithm = (KEY, "HS256") if ours else (self.issuers.get(issuer), "RS256")
        if key is None:
            return failed(
                "invalid_client",
                700211,
                f"No matching federated identity record found for presented assertion issuer '{issuer}'.",
                401,
            )
        try:
            claims = jwt.decode(assertion, key, algorithms=[algorithm], options={"verify_aud": False})
        except jwt.InvalidTokenError as error:
            return failed(
                "invalid_client",
                700024,
                f"Client assertion is not within its valid time range, or not signed by its issuer: {error}.",
                401,
            )
        if (issuer, claims.get("sub"), claims.get("aud")) not in app.trusts:
            return failed(
                "invalid_client",
                700213,
                f"No matching federated identity record found for presented assertion subject '{claims.get('sub')}'.",
                401,
            )
        return None

    def managed(self, request: Request) -> Answer:
        """App Service's local endpoint for managed identities (IDENTITY_ENDPOINT)."""
        if request.headers.get("x-identity-header") != self.identity_header:
            return Answer(401, {"statusCode": 401, "message": "Unauthorized"})
        found = self.identities.get(request.query.get("client_id", ""))
        if found is None:
            return Answer(
                400,
                {
                    "statusCode": 400,
                    "message": "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
                },
            )
        tenant, app = found
        resource = request.query.get("resource", "").rstrip("/")
        api = next((name for name, resources in RESOURCES.items() if resource in resources), None)
        if api is None:
            return Answer(
                400,
                {"statusCode": 400, "message": f"AADSTS500011: The resource principal named {resource} was not found."},
            )
        token = self.token(tenant, app, api, resource)
        return Answer(
            value={
                "access_token": token,
                "expires_on": str(int(self.wall() + self.lifetime)),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": app.client_id,
            }
        )


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unproven; raises jwt.InvalidTokenError."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def failed(error: str, code: int, words: str, status: int = 400) -> Answer:
    """An error of the token endpoint."""
    trace = str(uuid4())
    return Answer(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{code}: {words} Trace ID: {trace} Correlation ID: {uuid4()} Timestamp: 2026-01-02 03:04:05Z",
            "error_codes": [code],
            "timestamp": "2026-01-02 03:04:05Z",
            "trace_id": trace,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )
