"""Each polled source in each tenant: a token, what it may do (its roles, decoded), and one small request answered."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from cli.doctor.check import Check, failed, ok, warning
from shared.errors import ForwarderError, Misconfigured
from shared.poll.body import Broken
from shared.poll.client import Api, BadRequest, Gone, OutOfTime, Usage
from shared.poll.endpoints import endpoint, login
from shared.poll.permissions import GRANTS, AppRole
from shared.poll.sources import ALERTS, SOURCES
from shared.poll_settings import PollSettings, Tenant

SECONDS = 30.0  # for one source
# The cheapest request that shows whether a source may be read.
SMALLEST: dict[str, tuple[str, dict[str, str]]] = {
    "alert": ("/v1.0/security/alerts_v2", {"$top": "1"}),
    "incident": ("/v1.0/security/incidents", {"$top": "1"}),
    "log": ("/api/incidents", {"$top": "1"}),
    "vulnerability": ("/api/machines/SoftwareVulnerabilitiesByMachine", {"pageSize": "1"}),
}


def of_source(polled: PollSettings, source: str, called: str, tenant: Tenant) -> Iterator[Check]:
    """The checks of a source in a tenant (`called`: its name in TENANTS, or empty)."""
    from shared.poll.client import session
    from shared.poll.credentials import tokens

    name, known = f"{source}{f' in {called}' if called else ''}", SOURCES[source]
    try:
        where = endpoint(polled, known.api)
        connection = session(polled.microsoft_ca)
        asked = tokens(polled, called, tenant)
        token = asked.get(where.scope)
    except ForwarderError as error:
        mend = (
            f"Look at {error.setting}."
            if isinstance(error, Misconfigured)
            else f"Is {login(polled)} reachable from here?"
        )
        yield failed(f"{name}: token", str(error), mend)
        return
    api = Api(where, asked, connection, time.monotonic() + SECONDS, known.permission, 64_000_000, usage=Usage())
    yield of_token(f"{name}: token", decoded(token), where.scope, wanted(api, polled, source), tenant)
    yield asked_once(api, polled, source, name)


def wanted(api: Api, polled: PollSettings, source: str) -> list[AppRole]:
    """The roles that a source needs; none where Azure's own roles decide."""
    with_alerts = source == "incident" and ALERTS in SOURCES[source].scopes(api, polled)
    return [role for role in GRANTS[source] if with_alerts or not role.only_for]


def of_token(name: str, claims: dict[str, Any], scope: str, needed: list[AppRole], tenant: Tenant) -> Check:
    """Whether a token has the roles, and whose it is. A token that can not be read (it is the API's, not ours) counts as good."""
    roles = sorted(role for role in claims.get("roles") or () if isinstance(role, str))
    holder = claims.get("appid") or claims.get("azp") or tenant.client_id or "of this app"
    ends = claims.get("exp")
    told = f"a token for {scope}" + (f" with {', '.join(roles)}" if roles else "")
    if claims:
        told += f", of application {holder} in tenant {claims.get('tid') or tenant.id}"
    if isinstance(ends, int):
        told += f", until {datetime.fromtimestamp(ends, UTC):%H:%M} UTC"
    missing = [one.role for one in needed if claims and not one.enough & set(roles)]
    if missing:
        return failed(
            name,
            f"{told}: it lacks {' and '.join(missing)}.",
            f"Grant the application permission {' and '.join(missing)} to {holder}, and consent as administrator; a new token has it within the hour.",
            roles=roles,
        )
    return ok(name, f"{told}.", roles=roles)


def asked_once(api: Api, polled: PollSettings, source: str, name: str) -> Check:
    """Whether one small request is answered."""
    title = f"{name}: {api.endpoint.base.removeprefix('https://')}"
    try:
        if source == "assessment":
            scopes = SOURCES[source].scopes(api, polled)
            for scope in scopes:
                path = f"/{scope}/providers/Microsoft.Security/assessments"
                api.get(path, {"api-version": "2021-06-01"}, tries=1).file.close()
            return ok(title, f"{len(scopes)} scopes can be read.")
        path, query = SMALLEST[source]
        api.get(path, query, tries=1).file.close()
    except (Gone, BadRequest) as error:
        return failed(title, str(error), f"Is what {source} reads licensed in this tenant, and the endpoint's address right?")  # fmt: skip
    except Misconfigured as error:
        return failed(title, str(error), f"Grant {api.permission}.")
    except OutOfTime as error:
        return warning(title, str(error), "The API throttles: try again later.")
    except (ForwarderError, Broken) as error:
        return failed(title, str(error), "Is the endpoint reachable from here (firewall, proxy, MICROSOFT_CA)?")
    return ok(title, "answers.")


def decoded(token: str) -> dict[str, Any]:
    """What a token says of itself; nothing where it is no JWT. Not verified: that is the API's business."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
