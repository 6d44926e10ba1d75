"""Credentials that end on a day -> days that are left of each, told once an hour, so that an alert can come before they end.

A certificate says its end itself. A secret and an API key do not tell it to whoever uses them: settings do.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping

from shared import telemetry
from shared.errors import Misconfigured
from shared.poll_settings import PollSettings, Tenant, poll_tenants
from shared.settings import Settings

EVERY = 3_600.0  # seconds between two tellings of a process
log = logging.getLogger(__name__)


def ends(environment: Mapping[str, str]) -> dict[str, float]:
    """Setting -> when what it holds ends (seconds since 1970), of those that are known. Raises `Misconfigured` for a setting that makes no sense."""
    found: dict[str, float] = {}
    settings = Settings.read(environment, whole=False)
    if settings.elasticsearch_api_key_expires is not None:
        found["ELASTICSEARCH_API_KEY"] = settings.elasticsearch_api_key_expires
    polled = PollSettings.read_all(environment)
    for name, tenant in (poll_tenants(polled, environment) if polled.sources else {}).items():
        before = f"{name.upper()}__" if name else ""
        if tenant.kind == "secret" and tenant.client_secret_expires is not None:
            found[f"{before}CLIENT_SECRET"] = tenant.client_secret_expires
        if tenant.kind == "certificate":
            found[f"{before}CLIENT_CERTIFICATE"] = end_of(tenant, before)
    return found


def end_of(tenant: Tenant, before: str) -> float:
    """When a tenant's certificate ends, in seconds since 1970. Raises `Misconfigured` where it can not be read."""
    from cryptography.x509 import load_pem_x509_certificate

    from shared.poll.credentials import certificate

    pem = certificate(tenant, before)["public_certificate"]
    try:
        return load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    except ValueError:
        raise Misconfigured(f"{before}CLIENT_CERTIFICATE", "holds a certificate that can not be read.") from None


class Expiry:
    """What this process has told, and when."""

    def __init__(self) -> None:
        self._told = float("-inf")

    def tell(self, environment: Mapping[str, str] = os.environ) -> None:
        """Send the days that are left of each credential, at most once an hour. Never raises: a run that is shipped may not fail over this."""
        now = time.monotonic()
        if now - self._told < EVERY:
            return
        self._told = now
        try:
            for name, end in ends(environment).items():
                telemetry.credential(name, (end - time.time()) / 86_400)
        except Misconfigured as error:
            log.warning("When credentials end is not told: %s", error)
        except Exception:
            log.exception("When credentials end is not told.")


EXPIRY = Expiry()
