"""Environment -> what the pollers are told: which sources, whose tenants, where Microsoft's APIs are. Read once, as `shared.settings`.

With TENANTS = `contoso, fabrikam` the settings of `Tenant` are read for each with its name before them (CONTOSO__CLIENT_SECRET), and where
that is not set without (CLIENT_ID), so that what tenants share is written once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from shared.backfill_settings import BackfillSettings
from shared.errors import Misconfigured
from shared.setting_types import (
    FromEnvironment,
    boolean,
    container,
    day,
    number,
    one_of,
    schedule,
    scopes,
    secure,
    setting,
    some_of,
    tenant_names,
    text,
    verbatim,
    whole,
)
from shared.settings import Settings

SOURCES = ("alert", "incident", "log", "vulnerability", "assessment")
KINDS = ("managed_identity", "workload_identity", "secret", "certificate", "federated")
CLOUDS = ("public", "gcc", "gcchigh", "dod", "china")
MOST_POLL_SECONDS = 480  # host.json's functionTimeout less what the last page may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant(FromEnvironment):
    """One tenant and how we prove who we are there."""

    id: str | None = setting(
        "TENANT_ID",
        "Tenant to poll: its id, or one of its domains.",
        text,
        example="11111111-2222-3333-4444-555555555555",
    )
    credential: str | None = setting(
        "CREDENTIAL",
        "How the pollers prove who they are: the app's managed identity (or that of CLIENT_ID), workload identity, an app registration with "
        "a secret or certificate, or an app registration that trusts the managed identity (federated: no secret, and it works in other "
        "tenants). Default: secret or certificate where one is set, else the managed identity.",
        one_of(*KINDS),
    )
    client_id: str | None = setting(
        "CLIENT_ID", "Client id of the app registration, or of a user-assigned managed identity.", text
    )
    client_secret: str | None = setting("CLIENT_SECRET", "Secret of the app registration.", verbatim, secret=True)
    client_secret_expires: float | None = setting(
        "CLIENT_SECRET_EXPIRES",
        "When that secret ends, so that an alert comes three weeks before; a certificate says so itself.",
        day,
    )
    client_certificate: str | None = setting(
        "CLIENT_CERTIFICATE",
        "Certificate of the app registration with its private key: a path to a PEM or PFX file, the PEM text itself, or a PFX in base64 (as "
        "Key Vault gives it).",
        text,
        secret=True,
    )
    client_certificate_password: str | None = setting(
        "CLIENT_CERTIFICATE_PASSWORD", "Password of that certificate, if it has one.", verbatim, secret=True
    )
    federated_identity: str | None = setting(
        "FEDERATED_IDENTITY",
        "Client id of the user-assigned managed identity that the app registration trusts; not set: the system-assigned one.",
        text,
    )

    @property
    def kind(self) -> str:
        """The credential in use."""
        if self.credential:
            return self.credential
        return "secret" if self.client_secret else "certificate" if self.client_certificate else "managed_identity"

    def check(self, name: str) -> None:
        """Raise `Misconfigured` where something is missing; `name` is the tenant's in TENANTS, or empty."""
        before = f"{name.upper()}__" if name else ""
        if not self.id:
            raise Misconfigured(f"{before}TENANT_ID", "is not set: the pollers need to know the tenant.")
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", self.id):
            raise Misconfigured(f"{before}TENANT_ID", "is neither a tenant's id nor a domain.")
        if self.kind in ("secret", "certificate", "federated") and not self.client_id:
            raise Misconfigured(f"{before}CLIENT_ID", f"is not set, but the credential is {self.kind}.")
        if self.kind == "secret" and not self.client_secret:
            raise Misconfigured(f"{before}CLIENT_SECRET", "is not set, but the credential is secret.")
        if self.kind == "certificate" and not self.client_certificate:
            raise Misconfigured(f"{before}CLIENT_CERTIFICATE", "is not set, but the credential is certificate.")


def cron(source: str, words: str, default: str) -> Any:
    """When a source is polled."""
    return setting(f"{source.upper()}_SCHEDULE", f"When {words} are polled.", schedule, default=default)


def lookback(source: str, words: str, default: float = 24.0) -> Any:
    """Where a source's first poll begins."""
    return setting(
        f"{source.upper()}_LOOKBACK_HOURS",
        f"How far back the first poll of {words} goes.",
        number(0, 24 * 365),
        default=default,
    )


def page(source: str, words: str, default: int, most: int) -> Any:
    """How much is asked for at once."""
    return setting(
        f"{source.upper()}_PAGE_SIZE", f"Most {words} asked for in one request.", whole(1, most), default=default
    )


def interval(source: str, words: str) -> Any:
    """How often everything is read."""
    return setting(
        f"{source.upper()}_INTERVAL_HOURS",
        f"Hours from the beginning of one complete scan of {words} to that of the next; the timer goes on with an unfinished one.",
        number(1, 24 * 30),
        default=24.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings(FromEnvironment):
    """Everything that the pollers are told besides the tenants."""

    sources: tuple[str, ...] = setting(
        "POLL_SOURCES",
        "Sources that are polled, a timer each. Empty: none.",
        some_of(*SOURCES),
        default=(),
        example="alert, incident",
    )
    tenants: tuple[str, ...] = setting(
        "TENANTS",
        "Names of several tenants. Each has its own TENANT_ID, CREDENTIAL, CLIENT_ID … written with its name in capitals before it "
        "(CONTOSO__TENANT_ID); what is not, is taken from the setting without. Empty: one tenant.",
        tenant_names,
        default=(),
    )
    cloud: str = setting(
        "CLOUD",
        "Microsoft's cloud: worldwide, US Government (GCC, GCC High, DoD) or China.",
        one_of(*CLOUDS),
        default="public",
    )
    login_endpoint: str | None = setting("LOGIN_ENDPOINT", "Where tokens come from, instead of the cloud's.", secure)
    graph_endpoint: str | None = setting("GRAPH_ENDPOINT", "Microsoft Graph, instead of the cloud's.", secure)
    security_endpoint: str | None = setting(
        "SECURITY_ENDPOINT",
        "Microsoft 365 Defender's own API (source log), instead of the cloud's; also a nearer region's.",
        secure,
    )
    endpoint_endpoint: str | None = setting(
        "ENDPOINT_ENDPOINT",
        "Defender for Endpoint's API (source vulnerability), instead of the cloud's; also a nearer region's.",
        secure,
    )
    arm_endpoint: str | None = setting(
        "ARM_ENDPOINT", "Azure Resource Manager (source assessment), instead of the cloud's.", secure
    )
    graph_scope: str | None = setting("GRAPH_SCOPE", "Scope of the token for Graph, instead of the cloud's.", text)
    security_scope: str | None = setting(
        "SECURITY_SCOPE", "Scope of the token for that API, instead of the cloud's.", text
    )
    endpoint_scope: str | None = setting(
        "ENDPOINT_SCOPE", "Scope of the token for that API, instead of the cloud's.", text
    )
    arm_scope: str | None = setting(
        "ARM_SCOPE", "Scope of the token for Resource Manager, instead of the cloud's.", text
    )
    microsoft_ca: str | None = setting(
        "MICROSOFT_CA",
        "Certificate authority to trust for Microsoft's endpoints, where a proxy has its own: a path to a PEM file.",
        text,
    )
    poll_seconds: float = setting(
        "POLL_SECONDS",
        "Seconds that one poll may take; then it ends cleanly and the next one goes on at the same place. Must end before functionTimeout in "
        "host.json.",
        number(5, MOST_POLL_SECONDS),
        default=420.0,
    )
    poll_concurrency: int = setting(
        "POLL_CONCURRENCY",
        "Tenants, subscriptions and findings that one source reads at once.",
        whole(1, 32),
        default=4,
    )
    poll_overlap_minutes: float = setting(
        "POLL_OVERLAP_MINUTES",
        "How far behind its watermark a poll looks again, for rows that appeared late.",
        number(0, 24 * 60),
        default=15.0,
    )
    poll_max_megabytes: int = setting(
        "POLL_MAX_MEGABYTES",
        "Largest answer of an API that is read, unpacked; export files are read in pieces and not bound.",
        whole(1, 4096),
        default=512,
    )
    cursor_container: str = setting(
        "CURSOR_CONTAINER", "Blob container for the pollers' cursors.", container, default="cursors"
    )
    incident_alerts: str = setting(
        "INCIDENT_ALERTS",
        "Whether alerts become documents of the incident stream too. auto: unless the source alert is polled as well.",
        one_of("auto", "true", "false"),
        default="auto",
    )
    evidence_documents: bool = setting(
        "EVIDENCE_DOCUMENTS",
        "Whether each item of an alert's evidence becomes a document of its own too.",
        boolean,
        default=False,
    )
    latest_views: bool = setting(
        "LATEST_VIEWS",
        "Whether incidents, alerts, assessments and vulnerabilities are also kept as one document for each, always the latest version.",
        boolean,
        default=False,
    )
    alert_schedule: str = cron("alert", "alerts", "0 */2 * * * *")
    alert_lookback_hours: float = lookback("alert", "alerts")
    alert_page_size: int = page("alert", "alerts", 1000, 1000)
    incident_schedule: str = cron("incident", "incidents", "30 */2 * * * *")
    incident_lookback_hours: float = lookback("incident", "incidents")
    incident_page_size: int = page("incident", "incidents", 50, 50)
    log_schedule: str = cron("log", "incidents of the older API", "15 */5 * * * *")
    log_lookback_hours: float = lookback("log", "incidents of the older API")
    log_page_size: int = page("log", "incidents of the older API", 100, 100)
    vulnerability_schedule: str = cron("vulnerability", "vulnerabilities", "0 7,37 * * * *")
    vulnerability_interval_hours: float = interval("vulnerability", "vulnerabilities")
    vulnerability_method: str = setting(
        "VULNERABILITY_METHOD",
        "Where vulnerabilities come from: export files (best above some thousand machines), or pages by machine.",
        one_of("export", "pages"),
        default="export",
    )
    vulnerability_page_size: int = page("vulnerability", "vulnerabilities (method pages)", 50_000, 200_000)
    assessment_schedule: str = cron("assessment", "assessments", "0 17,47 * * * *")
    assessment_interval_hours: float = interval("assessment", "assessments")
    assessment_scopes: tuple[str, ...] = setting(
        "ASSESSMENT_SCOPES",
        "Subscriptions and management groups whose assessments are polled. Empty: every subscription that the identity can see.",
        scopes,
        default=(),
        example="subscriptions/11111111-2222-3333-4444-555555555555, managementGroups/landing-zones",
    )

    def of(self, source: str, what: str, default: Any = None) -> Any:
        """A source's own setting: `of("alert", "page_size")`; the default where it has none of that name."""
        return getattr(self, f"{source}_{what}", default)


def poll_tenants(settings: PollSettings, environment: Mapping[str, str]) -> dict[str, Tenant]:
    """Name ("" for the only one) -> tenant, each checked; raises `Misconfigured` naming the setting that is missing or makes no sense."""
    found: dict[str, Tenant] = {}
    for name in settings.tenants or ("",):
        found[name] = Tenant.read_all(environment, f"{name.upper()}__" if name else "")
        found[name].check(name)
    ids = [(tenant.id or "").lower() for tenant in found.values()]
    if len(set(ids)) != len(ids):
        raise Misconfigured("TENANTS", "two of them have the same TENANT_ID.")
    return found


def reference() -> list[Field[Any]]:
    """Every setting in order, for whoever writes them down: `metadata` has name, words, example and secret."""
    return [item for group in (Settings, PollSettings, Tenant, BackfillSettings) for item in fields(group)]
