"""A tenant of the fake and everything that reads it, for tests: polls one source after another as the timers would, on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from local.microsoft import Microsoft, Tenant
from local.microsoft_entra import RESOURCES, App
from shared.cursors.cursor import Cursor
from shared.cursors.memory import MemoryCursors
from shared.flows import Parts, normaliser
from shared.poll.credentials import Token, Tokens
from shared.poll.source import Span
from shared.poll_settings import PollSettings, poll_tenants
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter, DeadLetters
from shared.ship.shipper import Shipper
from shared.sweeps import Poller, Swept, open_pollers, run
from tests.poll.in_process import InProcess, Moving
from tests.poll.index import Index

BEGIN = datetime(2026, 1, 2, 3, tzinfo=UTC)  # where `Moving` begins
ELASTICSEARCH = {
    "ELASTICSEARCH_URL": "http://127.0.0.1:9",
    "ELASTICSEARCH_USERNAME": "someone",
    "ELASTICSEARCH_PASSWORD": "word",
    "SHIP_SECONDS": "60",
    "BULK_CONCURRENCY": "1",
}


@dataclass
class Letters:
    """The promise of `DeadLetters` in a list."""

    written: list[DeadLetter] = field(default_factory=list)

    def write(self, letters: Sequence[DeadLetter]) -> list[str]:
        """Keep them."""
        self.written += letters
        return []


@dataclass
class Stand:
    """One tenant of a fake, an index, cursors, and a clock that waiting moves. settings: app settings besides those that point at the fake."""

    fake: Microsoft = field(default_factory=Microsoft)
    settings: dict[str, str] = field(default_factory=dict)
    sockets: bool = False  # ask over TLS with the real session and real tokens of msal
    index: Index = field(default_factory=Index)
    letters: Letters = field(default_factory=Letters)
    cursors: MemoryCursors = field(default_factory=MemoryCursors)
    time: Moving = field(default_factory=Moving)

    def __post_init__(self) -> None:
        self.tenant: Tenant = self.fake.tenant()
        self.app: App = self.fake.app(self.tenant, secret="a secret")
        self.fake.wall = self.time.clock().wall
        self.session = InProcess(self.fake)
        environment = self.fake.environment(self.tenant, self.app) | self.settings
        self.poll_settings = PollSettings.read_all(environment)
        self.tenants = poll_tenants(self.poll_settings, environment)
        settings = Settings.read(ELASTICSEARCH)
        self.parts = Parts(
            settings,
            normaliser(settings),
            None,
            Shipper(settings, post=self.index.post, clock=self.time.clock()),
            cast("DeadLetters", self.letters),
            Shipper(settings, post=self.index.post, clock=self.time.clock()),
        )
        self.tokens_given = 0

    def ask(self, scope: str) -> Token:
        """A token straight from the fake."""
        resource = scope.removesuffix("/.default")
        api = next(name for name, resources in RESOURCES.items() if resource in resources)
        self.tokens_given += 1
        return Token(
            self.fake.entra.token(self.tenant.id, self.app, api, resource), self.fake.wall() + self.fake.entra.lifetime
        )

    def pollers(self, source: str) -> list[Poller]:
        """The pollers of a source."""
        made = open_pollers(self.poll_settings, source, self.tenants)
        clock = self.time.clock()
        if self.sockets:
            return [replace(poller, clock=clock) for poller in made]
        tokens = Tokens(lambda: self.ask, "CLIENT_SECRET", wall=clock.wall)
        return [replace(poller, clock=clock, session=self.session, tokens=tokens) for poller in made]

    @property
    def now(self) -> datetime:
        """The moment on the clock."""
        return datetime.fromtimestamp(self.fake.wall(), UTC)

    def later(self, **span: float) -> datetime:
        """Let time pass; the moment that it is then."""
        self.time.seconds += timedelta(**span).total_seconds()
        return self.now

    def poll(self, source: str, *, seconds: float = 420.0, **span: Any) -> list[Swept]:
        """One run of a source."""
        return run(self.pollers(source), self.parts, self.cursors, Span(self.now, **span), seconds)

    def cursor(self, source: str, scope: str = "") -> Cursor:
        """What is stored."""
        return Cursor.parse(self.cursors.blobs[Cursor(source, self.tenant.id, scope).name])

    def have(self) -> set[str]:
        """`id@version` of everything indexed."""
        return set(map(named, self.index.documents.values()))


def named(document: dict[str, Any]) -> str:
    """`id@version` as a document says it: an alert inside an incident has its own, and what a scan found has the scan's time."""
    inside = document.get("m365_defender", {}).get("incident", {}).get("alert")
    if inside:
        return f"{inside['id']}@{inside['last_update_datetime']}"
    return f"{document['event']['id']}@{document['@timestamp']}"
