"""Microsoft's cloud -> where each API is, and the scope of its token (facts: graph_security.json, m365_siem_api.json, defender_cloud.json)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.errors import Misconfigured
from shared.poll_settings import PollSettings

type ApiName = Literal["graph", "security", "endpoint", "arm"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One API: its address without a last slash, and the scope to ask a token for."""

    name: ApiName
    base: str
    scope: str


# fmt: off
LOGIN = {
    "public": "https://login.microsoftonline.com", "gcc": "https://login.microsoftonline.com", "gcchigh": "https://login.microsoftonline.us",
    "dod": "https://login.microsoftonline.us", "china": "https://login.partner.microsoftonline.cn",
}
# What a managed identity's token says it is for, when an app registration trusts it.
EXCHANGE = {
    "public": "api://AzureADTokenExchange", "gcc": "api://AzureADTokenExchange", "gcchigh": "api://AzureADTokenExchangeUSGov",
    "dod": "api://AzureADTokenExchangeUSGov", "china": "api://AzureADTokenExchangeChina",
}
# cloud -> API -> (address, scope's resource); where a cloud has no such API nothing stands.
APIS: dict[str, dict[ApiName, tuple[str, str]]] = {
    "public": {
        "graph":    ("https://graph.microsoft.com",              "https://graph.microsoft.com"),
        "security": ("https://api.security.microsoft.com",       "https://api.security.microsoft.com"),
        "endpoint": ("https://api.security.microsoft.com",       "https://api.securitycenter.microsoft.com"),
        "arm":      ("https://management.azure.com",             "https://management.azure.com"),
    },
    "gcc": {
        "graph":    ("https://graph.microsoft.com",              "https://graph.microsoft.com"),
        "security": ("https://api-gcc.security.microsoft.us",    "https://api-gcc.security.microsoft.us"),
        "endpoint": ("https://api-gcc.securitycenter.microsoft.us", "https://api-gcc.securitycenter.microsoft.us"),
        "arm":      ("https://management.azure.com",             "https://management.azure.com"),
    },
    "gcchigh": {
        "graph":    ("https://graph.microsoft.us",               "https://graph.microsoft.us"),
        "security": ("https://api-gov.security.microsoft.us",    "https://api-gov.security.microsoft.us"),
        "endpoint": ("https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us"),
        "arm":      ("https://management.usgovcloudapi.net",     "https://management.usgovcloudapi.net"),
    },
    "dod": {
        "graph":    ("https://dod-graph.microsoft.us",           "https://dod-graph.microsoft.us"),
        "security": ("https://api-gov.security.microsoft.us",    "https://api-gov.security.microsoft.us"),
        "endpoint": ("https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us"),
        "arm":      ("https://management.usgovcloudapi.net",     "https://management.usgovcloudapi.net"),
    },
    "china": {  # has no Graph security API and no Defender for Endpoint API
        "arm":      ("https://management.chinacloudapi.cn",      "https://management.chinacloudapi.cn"),
    },
}
# fmt: on


def endpoint(settings: PollSettings, name: ApiName) -> Endpoint:
    """Where an API is; a setting of its own stands above the cloud's. Raises Misconfigured where the cloud has no such API."""
    known = APIS[settings.cloud].get(name)
    own: str | None = getattr(settings, f"{name}_endpoint")
    scope: str | None = getattr(settings, f"{name}_scope")
    if known is None and not (own and scope):
        raise Misconfigured("CLOUD", f"{settings.cloud} does not offer the API that this source needs ({name}).")
    base, resource = known or ("", "")
    return Endpoint(name, own or base, scope or f"{resource}/.default")


def login(settings: PollSettings) -> str:
    """Where tokens come from, without a last slash."""
    return settings.login_endpoint or LOGIN[settings.cloud]
