"""A fake of Microsoft's APIs over TLS: Entra ID, Graph security, the older incidents API, Defender for Endpoint, Resource Manager.

    with microsoft() as fake:
        tenant = fake.tenant("contoso.example.com")
        app = fake.app(tenant, secret="…")
        tenant.alerts["da1"] = …
        environment = fake.environment(tenant, app)      # the app settings that point at it

Its state may be changed while it runs; `fault` makes it fail in named ways, `after` changes something behind an answer, `asked` remembers
requests. Served on a free port of the loopback; export files lie on a second one, App Service's identity endpoint (no TLS) on a third.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any, Literal
from uuid import uuid4

from local import microsoft_azure, microsoft_lists, microsoft_machines
from local.microsoft_azure import Azure
from local.microsoft_entra import App, Entra
from local.microsoft_faults import BEFORE, KINDS, Fault, Hit, struck
from local.microsoft_http import Answer, Request, Row, api_error, graph_error
from local.microsoft_machines import Export
from local.microsoft_server import serve, trusted
from local.process import temporary_folder

Host = Literal["api", "files", "identity"]
ROUTES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v1\.0/security/alerts_v2/?"), "graph.alerts"),
    (re.compile(r"/v1\.0/security/alerts_v2/[^/]+"), "graph.alert"),
    (re.compile(r"/v1\.0/security/incidents/?"), "graph.incidents"),
    (re.compile(r"/v1\.0/security/incidents/[^/]+"), "graph.incident"),
    (re.compile(r"/api/incidents/?"), "siem.incidents"),
    (re.compile(r"/api/machines/SoftwareVulnerabilitiesExport/?", re.IGNORECASE), "endpoint.export"),
    (re.compile(r"/api/machines/SoftwareVulnerabilitiesByMachine/?", re.IGNORECASE), "endpoint.by_machine"),
    (re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration"), "entra.discovery"),
    (re.compile(r"/([^/]+)/oauth2/v2\.0/token"), "entra.token"),
)
# route's first word -> the API whose token it wants, and for each route the roles of which one is enough
API = {"graph": "graph", "siem": "security", "endpoint": "endpoint", "arm": "arm"}
ROLES = {
    "graph.alerts": ("SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"),
    "graph.alert": ("SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"),
    "graph.incidents": ("SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"),
    "graph.incident": ("SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"),
    "siem.incidents": ("Incident.Read.All", "Incident.ReadWrite.All"),
    "endpoint.export": ("Vulnerability.Read.All",),
    "endpoint.by_machine": ("Vulnerability.Read.All",),
}


@dataclass(slots=True)
class Tenant:
    """One tenant's data."""

    id: str = field(default_factory=lambda: str(uuid4()))
    alerts: dict[str, Row] = field(default_factory=dict)  # Graph's, by id
    incidents: dict[str, Row] = field(default_factory=dict)  # Graph's, without their alerts
    siem: dict[int, Row] = field(default_factory=dict)  # the older API's, by incidentId
    export: Export = field(default_factory=Export)
    vulnerabilities: list[Row] = field(default_factory=list)  # by machine
    azure: Azure = field(default_factory=Azure)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came: to which host and route, with which query, whether with a token, and what was answered."""

    host: Host
    route: str
    path: str
    query: dict[str, str]
    token: bool
    status: int


@dataclass(slots=True)
class Microsoft:
    """The whole of it. wall: epoch seconds, replaceable; quota: calls of the older API (a minute, an hour), None for no limit."""

    wall: Callable[[], float] = time.time
    entra: Entra = field(default_factory=Entra)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    quota: tuple[int, int] | None = None
    link_seconds: float = 3600.0  # that signed links are good for
    base: str = "https://microsoft.example"
    files: str = "https://files.example"
    identity: str = "http://identity.example"
    ca: Path | None = None
    calls: list[float] = field(default_factory=list)  # of the older API
    pending: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.entra.wall = lambda: self.wall()  # noqa: PLW0108  it may be replaced later

    def tenant(self, domain: str | None = None, id: str | None = None) -> Tenant:
        """A new tenant."""
        made = Tenant(id or str(uuid4()))
        self.tenants[made.id] = made
        self.entra.apps[made.id] = {}
        if domain:
            self.entra.domains[domain.lower()] = made.id
        return made

    def app(self, tenant: Tenant, **options: Any) -> App:
        """A new app registration in a tenant; options as of `App`."""
        made = App(**options)
        self.entra.apps[tenant.id][made.client_id] = made
        return made

    def fault(self, kind: str, route: str = "*", **words: Any) -> Fault:
        """Add a fault; words: times, skip, row, when, and what the kind takes."""
        if kind not in KINDS and kind not in BEFORE:
            raise KeyError(kind)
        own = {name: words.pop(name) for name in ("times", "skip", "row", "when") if name in words}
        made = Fault(kind, route, options=words, **own)
        with self.lock:
            self.faults.append(made)
        return made

    def heal(self) -> None:
        """Take all faults away."""
        with self.lock:
            self.faults.clear()
            self.pending.clear()

    def after(self, route: str, action: Callable[[], None]) -> None:
        """Do something behind the next answer of a route: what changes while a list is read."""
        with self.lock:
            self.pending.append((route, action))

    def count(self, route: str) -> int:
        """How many requests of a route came."""
        with self.lock:
            return sum(one.route == route for one in self.asked)

    def environment(self, tenant: Tenant, app: App | None = None) -> dict[str, str]:
        """The app settings that point the pollers at this fake; with an app, its secret too."""
        found = {f"{name}_ENDPOINT": self.base for name in ("LOGIN", "GRAPH", "SECURITY", "ENDPOINT", "ARM")}
        found |= {"TENANT_ID": tenant.id} | ({"MICROSOFT_CA": str(self.ca)} if self.ca else {})
        return found | ({"CLIENT_ID": app.client_id, "CLIENT_SECRET": app.secret or ""} if app else {})

    def identity_environment(self) -> dict[str, str]:
        """What App Service sets for its managed identities."""
        return {"IDENTITY_ENDPOINT": f"{self.identity}/msi/token", "IDENTITY_HEADER": self.entra.identity_header}

    def answer(self, host: Host, request: Request) -> Answer:
        """The answer to a request, with every fault that strikes it. Thread-safe: one request at a time."""
        with self.lock:
            route, part = route_of(host, request)
            made = self._routed(host, route, part, request)
            for fault in list(self.faults):
                if fault.kind not in BEFORE and fault.strikes(route, request, made):
                    made = struck(Hit(fault, route, request, made, self.files))
            self.asked.append(
                Asked(host, route, request.path, dict(request.query), "authorization" in request.headers, made.status)
            )
            action = next((pair for pair in self.pending if pair[0] == route), None)
            if action is not None:
                self.pending.remove(action)
                action[1]()
            return made

    def _routed(self, host: Host, route: str, part: str, request: Request) -> Answer:
        if route == "identity":
            return self.entra.managed(request)
        if route == "endpoint.file":
            return microsoft_machines.file(self.tenants.values(), request, self.wall())
        if route == "entra.discovery":
            return self.entra.discovery(request, part)
        if route == "entra.token":
            return self.entra.grant(request, part)
        error = graph_error if route.startswith("graph") else api_error
        if host != "api" or not route:
            return error(404, "ResourceNotFound", f"Resource not found for {request.path[:100]}.")
        found = self.entra.check(request.headers.get("authorization", ""), API[route.partition(".")[0]])
        if isinstance(found, str):
            code = "InvalidAuthenticationToken" if route.startswith(("graph", "arm")) else "Unauthorized"
            return error(401, code, found, www_authenticate='Bearer error="invalid_token"')
        claims, app = found
        tenant, roles = self.tenants.get(claims["tid"]), ROLES.get(route)
        if tenant is None:
            return error(403, "Forbidden", "The tenant is not provisioned.")
        if roles is not None and not set(roles) & set(claims["roles"]):
            return error(
                403,
                "Forbidden",
                f"Missing application roles. API required roles: {','.join(roles)}, application roles: {','.join(claims['roles'])}.",
            )
        if request.method != "GET":
            return error(405, "MethodNotAllowed", "The fake is only read.")
        return self._data(route, request, tenant, app)

    def _data(self, route: str, request: Request, tenant: Tenant, app: App) -> Answer:
        before = [fault for fault in self.faults if fault.kind in BEFORE and fault.strikes(route, request, None)]
        name = request.path.rstrip("/").rpartition("/")[2]
        match route:
            case "graph.alerts":
                return microsoft_lists.alerts(tenant, request, before)
            case "graph.alert":
                return microsoft_lists.one(tenant.alerts.get(name), request, "alerts_v2")
            case "graph.incidents":
                return microsoft_lists.incidents(tenant, request, before)
            case "graph.incident":
                return microsoft_lists.one(tenant.incidents.get(name), request, "incidents")
            case "siem.incidents":
                return self._over_quota() or microsoft_lists.siem(tenant, request, before)
            case "endpoint.export":
                return microsoft_machines.export(tenant, self.files, self.wall() + self.link_seconds)
            case "endpoint.by_machine":
                return microsoft_machines.by_machine(tenant, request)
        return microsoft_azure.answer(tenant, route, request, app.reads, app.object_id)

    def _over_quota(self) -> Answer | None:
        """429 where the older API's calls of a minute or an hour are used up, with the time until the quota resets in the body."""
        if self.quota is None:
            return None
        now = self.wall()
        self.calls = [call for call in self.calls if call > now - 3600]
        for most, span, words in zip(self.quota, (60.0, 3600.0), ("minute", "hour"), strict=True):
            recent = [call for call in self.calls if call > now - span]
            if len(recent) >= most:
                wait = int(recent[0] + span - now) + 1
                return api_error(
                    429,
                    "TooManyRequests",
                    f"You have exceeded your quota of {most} calls per {words}. You will be able to make calls again in {wait} seconds.",
                )
        self.calls.append(now)
        return None


def route_of(host: Host, request: Request) -> tuple[str, str]:
    """(a request's route, the part of its path that names the tenant of Entra ID)."""
    if host == "identity":
        return "identity", ""
    if host == "files":
        return "endpoint.file", ""
    for pattern, route in ROUTES:
        match = pattern.fullmatch(request.path)
        if match:
            return route, match[1] if pattern.groups else ""
    return microsoft_azure.route_of(request.path) or "", ""


@contextmanager
def microsoft() -> Iterator[Microsoft]:
    """The fake on three free ports, gone at the end."""
    fake = Microsoft()
    folder = temporary_folder("microsoft")
    with ExitStack() as stack:
        stack.callback(rmtree, folder, ignore_errors=True)
        context, fake.ca = trusted(folder)
        fake.base = stack.enter_context(serve(fake.answer, "api", context))
        fake.files = stack.enter_context(serve(fake.answer, "files", context))
        fake.identity = stack.enter_context(serve(fake.answer, "identity", None))
        yield fake
