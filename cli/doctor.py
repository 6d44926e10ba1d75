"""`python -m cli doctor`: what each part of the app needs, asked once, with a sentence for each thing that is to be mended."""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from functions.hubs import SOURCES as HUBS
from functions.hubs import faults, triggers
from functions.probes import PROBES, probed
from shared.errors import ForwarderError, Misconfigured
from shared.poll.body import Broken
from shared.poll.client import Api, BadRequest, Gone, OutOfTime, Usage
from shared.poll.endpoints import endpoint, login
from shared.poll.permissions import GRANTS
from shared.poll.sources import SOURCES
from shared.poll_settings import PollSettings, Tenant, poll_tenants
from shared.settings import Settings

app = typer.Typer(add_completion=False)
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 240)

SECONDS = 30.0  # for one source
# The cheapest request that shows whether a source may be read.
SMALLEST: dict[str, tuple[str, dict[str, str]]] = {
    "alert": ("/v1.0/security/alerts_v2", {"$top": "1"}),
    "incident": ("/v1.0/security/incidents", {"$top": "1"}),
    "log": ("/api/incidents", {"$top": "1"}),
    "vulnerability": ("/api/machines/SoftwareVulnerabilitiesByMachine", {"pageSize": "1"}),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: Literal["ok", "warning", "failed", "not checked"]
    detail: str
    mend: str = ""


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only this polled source, also one that is not in POLL_SOURCES; repeatable."),
    ] = None,
) -> None:
    """Check settings, Elasticsearch, blobs and every polled source; exit code 1 if something is to be mended."""
    checks = list(examined(tuple(source or ())))
    bad = any(check.state == "failed" for check in checks)
    if as_json:
        typer.echo(json.dumps({"whole": not bad, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        table = Table("check", "", "what was found, and how to mend it", show_lines=False)
        colors = {"ok": "green", "warning": "yellow", "failed": "red", "not checked": "dim"}
        for check in checks:
            words = escape(check.detail) + (f"\n[bold]{escape(check.mend)}[/bold]" if check.mend else "")
            table.add_row(escape(check.name), f"[{colors[check.state]}]{check.state}[/]", words)
        out.print(table)
    raise typer.Exit(1 if bad else 0)


def examined(only: tuple[str, ...]) -> Iterator[Check]:
    """Every check, in the order in which they are mended best."""
    settings: Settings | None = None
    try:
        settings = Settings.read(os.environ)
        yield Check("settings", "ok", "every setting makes sense.")
    except Misconfigured as error:
        yield Check("settings", "failed", str(error), f"Set {error.setting}; docs/settings.md says what it may hold.")
    try:
        polled = PollSettings.read_all(os.environ)
    except Misconfigured as error:
        yield Check("pollers", "failed", str(error), f"Set {error.setting}; docs/settings.md says what it may hold.")
        return
    wrong = list(faults(os.environ))
    if triggers(os.environ) or not polled.sources:
        yield Check("event hubs", "failed" if wrong else "ok", " ".join(wrong) or "triggers are declared.")
    names = only or polled.sources
    if settings is not None:
        hubs = {trigger.source for trigger in triggers(os.environ)}
        sources = (*(hub.name for hub in HUBS if hub.name in hubs), *names) or tuple(hub.name for hub in HUBS)
        for name, probe in PROBES.items():
            finding = probed(probe, settings, sources)
            yield Check(
                name.replace("_", " "),
                finding.state,
                finding.detail,
                MEND.get(name, "") if finding.state == "failed" else "",
            )
    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        yield Check("pollers", "failed", f"{unknown[0]!r} is no source.", f"Sources are {', '.join(SOURCES)}.")
        return
    if not names:
        return
    try:
        tenants = poll_tenants(polled, os.environ)
    except Misconfigured as error:
        yield Check("tenants", "failed", str(error), f"Set {error.setting}.")
        return
    for name in names:
        for called, tenant in tenants.items():
            yield from of_source(polled, name, called, tenant)


MEND = {
    "elasticsearch": "Look at ELASTICSEARCH_URL and the API key's privileges (docs/privileges.md).",
    "index_templates": "Run python -m cli install with the installer's key (docs/privileges.md).",
    "blob_store": "Look at STORAGE and the identity's role Storage Blob Data Owner.",
    "last_received": "Look at the log lines of defender.run for the reason.",
}


def of_source(polled: PollSettings, source: str, called: str, tenant: Tenant) -> Iterator[Check]:
    """A source in a tenant: endpoint, token, its roles and end, and one small request."""
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
        yield Check(f"{name}: token", "failed", str(error), mend)
        return
    claims = decoded(token)
    roles = {role for role in claims.get("roles") or () if isinstance(role, str)}
    wanted = GRANTS[source]
    if wanted and claims and not roles & wanted[0].enough:
        yield Check(
            f"{name}: token",
            "failed",
            f"the token for {where.scope} has the roles {', '.join(sorted(roles)) or '(none)'}.",
            f"Grant {known.permission} to the application {claims.get('appid') or tenant.client_id or ''} and consent as administrator.",
        )
    else:
        skew = clock_skew(claims)
        detail = f"a token for {where.scope}{f' with {", ".join(sorted(roles))}' if roles else ''}."
        yield Check(
            f"{name}: token",
            "warning" if skew else "ok",
            detail + (f" This machine's clock differs by {skew:.0f} s." if skew else ""),
            "Set the clock." if skew else "",
        )
    api = Api(
        where,
        asked,
        connection,
        time.monotonic() + SECONDS,
        known.permission,
        64_000_000,
        usage=Usage(),
    )
    yield asked_once(api, polled, source, name)


def asked_once(api: Api, polled: PollSettings, source: str, name: str) -> Check:
    """Whether one small request is answered."""
    title = f"{name}: {api.endpoint.base.removeprefix('https://')}"
    try:
        if source == "assessment":
            scopes = SOURCES[source].scopes(api, polled)
            for scope in scopes:
                path = f"/{scope}/providers/Microsoft.Security/assessments"
                api.get(path, {"api-version": "2021-06-01"}, tries=1).file.close()
            return Check(title, "ok", f"{len(scopes)} scopes can be read.")
        path, query = SMALLEST[source]
        api.get(path, query, tries=1).file.close()
    except (Gone, BadRequest) as error:
        return Check(
            title,
            "failed",
            str(error),
            f"Is {source.upper()} licensed in this tenant, and the endpoint's address right?",
        )
    except Misconfigured as error:
        return Check(title, "failed", str(error), f"Grant {api.permission}.")
    except OutOfTime as error:
        return Check(title, "warning", str(error), "The API throttles: try again later.")
    except (ForwarderError, Broken) as error:
        return Check(
            title, "failed", str(error), "Is the endpoint reachable from here (firewall, proxy, MICROSOFT_CA)?"
        )
    return Check(title, "ok", "answers.")


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


def clock_skew(claims: dict[str, Any]) -> float | None:
    """Seconds by which this machine's clock differs from the one that issued a token just now, if more than five minutes."""
    issued = claims.get("iat")
    if not isinstance(issued, int):
        return None
    ahead = datetime.now(UTC).timestamp() - issued
    return ahead if ahead < -300 else None
