"""Latest views on the real Elasticsearch: whatever order, repetition, healing and expiry, they hold what a model holds."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch, User
from local.templates import put_templates
from shared.errors import ForwarderError, Misconfigured, Retry
from shared.report import Report
from shared.ship.client import BULK_LATEST, Ask, Reply, client_ask, client_post
from shared.ship.document import Document
from shared.ship.expiry import Owner, expire, ids
from shared.ship.latest import ASSESSED, ASSESSMENTS_KEPT, VIEWS, View, latest_id, seen_by
from shared.ship.shipper import Shipper
from tests.ship.shipping import PlainRecord
from tests.ship.shipping import settings as app_settings

VIEW = VIEWS["vulnerability_finding"]
BEGIN = datetime(2026, 1, 2, 3, tzinfo=UTC)
KEYS, SCOPES = "abcd", ("one", "two", "three")


def at(hours: int) -> datetime:
    """So many hours after the beginning."""
    return BEGIN + timedelta(hours=hours)


def version(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Told:
    """What a scan, begun so many hours after the beginning, tells of a finding: who saw it, or (None) that it is healed."""

    key: str
    hours: int
    scope: str | None


@dataclass(frozen=True)
class Expiry:
    """A scope expires: when its last complete scan began, when it is now, and which scopes are polled."""

    scope: str
    complete: int
    now: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Views:
    """The view on a server, for one namespace of the test's own; `ask` and `shipper` are the least-privileged user's, `client` the administrator's."""

    server: LocalElasticsearch
    client: Elasticsearch
    shipper: Shipper
    ask: Ask
    namespace: str
    tenant: str = "t"
    view: View = VIEW

    def document(self, told: Told) -> Document:
        """The entry that it renews or takes out."""
        scan = at(told.hours).strftime("%Y-%m-%dT%H:%M:%SZ")
        source = orjson.dumps(
            {"@timestamp": scan, "event": {"id": told.key}, "data_stream": {"namespace": self.namespace}}
        )
        return Document(
            self.view.index,
            latest_id(self.tenant, self.namespace, (told.key,)),
            b"" if told.scope is None else seen_by(source, self.tenant, told.scope, scan),
            "T",
            PlainRecord(),
            version=version(at(told.hours)),
            gone=told.scope is None,
        )

    def ship(self, some: Sequence[Told]) -> None:
        """Tell the view."""
        refused = self.shipper.ship(
            map(self.document, some), Report("latest"), source="x", deadline=time.monotonic() + 30
        )
        assert refused == []

    def expire(self, expiry: Expiry) -> int:
        """Take out what has expired; how many entries went."""
        self.refresh()
        owner = Owner(self.tenant, self.namespace, expiry.scope, expiry.scopes)
        deadline = time.monotonic() + 30
        return expire(
            self.view, owner, at(expiry.complete), at(expiry.now), self.ask, self.shipper, source="x", deadline=deadline
        )  # fmt: skip

    def refresh(self) -> None:
        """Let searches see everything."""
        self.client.indices.refresh(index=self.view.index, ignore_unavailable=True)

    def held(self) -> dict[str, tuple[int, str]]:
        """Key -> (version, scope) of the entries, as Kibana would find them: by the alias."""
        self.refresh()
        query = {"term": {"data_stream.namespace": self.namespace}}
        found = self.client.search(index=str(self.view.alias), size=1000, version=True, query=query)
        return {
            hit["_source"]["event"]["id"]: (
                hit["_version"],
                hit["_source"]["defender_to_elasticsearch"]["latest"]["scope"],
            )
            for hit in found["hits"]["hits"]
        }


@pytest.fixture(scope="module")
def user(elasticsearch_server: LocalElasticsearch) -> User:
    """Who may ship, on a server with the templates; the view's index is there."""
    with elasticsearch_server.client() as client:
        put_templates(client, namespace="views*")
    return elasticsearch_server.add_user("views")


@pytest.fixture(scope="module")
def open_views(elasticsearch_server: LocalElasticsearch, user: User) -> Iterator[Any]:
    """Opens a namespace of its own each time, with one client for all."""
    told = app_settings(**elasticsearch_server.app_settings(user))
    shipper, ask = Shipper(told, post=client_post(told, path=BULK_LATEST)), client_ask(told)
    with elasticsearch_server.client() as client:
        yield lambda: Views(elasticsearch_server, client, shipper, ask, f"views{secrets.token_hex(6)}")


def model(history: Sequence[Told | Expiry]) -> dict[str, tuple[int, str]]:
    """What the view must hold, one thing after another: the highest version counts, and so does that of what went."""
    state: dict[str, tuple[int, str | None]] = {}
    for one in history:
        if isinstance(one, Told):
            if one.key not in state or version(at(one.hours)) > state[one.key][0]:
                state[one.key] = version(at(one.hours)), one.scope
            continue
        seen, forgotten = (
            version(min(at(one.complete), at(one.now) - age)) for age in (ASSESSED, ASSESSMENTS_KEPT)
        )  # fmt: skip
        for key, (known, scope) in state.items():
            over = (
                known < seen
                if scope == one.scope
                else known < forgotten and bool(one.scopes) and scope not in one.scopes
            )
            if scope is not None and over:
                state[key] = seen - 1, None
    return {key: (known, scope) for key, (known, scope) in state.items() if scope is not None}


HOURS = st.integers(0, 40).map(lambda tens: tens * 10)
# What is told of a finding in one scan is always the same: scans that tell two things of it are two scans.
FACTS = st.dictionaries(
    st.tuples(st.sampled_from(KEYS), HOURS), st.sampled_from((*SCOPES, None)), min_size=1, max_size=10
)
EXPIRIES = st.builds(
    lambda scope, complete, later, others: Expiry(scope, complete, complete + later, (scope, *others) if others else ()),
    st.sampled_from(SCOPES), HOURS, HOURS, st.sets(st.sampled_from(SCOPES)).map(tuple),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Told | Expiry]:
    """What scans tell, in any order and again and again, with expiries between."""
    facts = [Told(key, hours, scope) for (key, hours), scope in draw(FACTS).items()]
    return draw(st.lists(st.sampled_from(facts) | EXPIRIES, min_size=1, max_size=14))


ON_A_SERVER = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ON_A_SERVER
@given(histories())
def test_a_view_holds_what_the_model_holds(open_views: Any, history: list[Told | Expiry]) -> None:
    """Updates, repetitions, healing, and expiry of several scopes, in any order."""
    views: Views = open_views()
    for one in history:
        if isinstance(one, Told):
            views.ship([one])
        else:
            views.expire(one)
    assert views.held() == model(history)


@ON_A_SERVER
@given(FACTS, st.data())
def test_order_and_repetition_count_for_nothing(open_views: Any, told: Any, data: st.DataObject) -> None:
    """Whatever comes when, also behind expiries: in the end each finding is as its newest scan told it, if that is not too long ago."""
    facts = [Told(key, hours, scope and "one") for (key, hours), scope in told.items()]
    order = data.draw(st.permutations(facts)) + data.draw(st.lists(st.sampled_from(facts), max_size=5))
    last = data.draw(EXPIRIES)
    earlier = data.draw(st.lists(st.integers(0, len(order)), max_size=3))
    expiry = Expiry("one", last.complete, last.now, ())
    views: Views = open_views()
    for place, one in enumerate(order):
        if place in earlier:
            views.expire(expiry)
        views.ship([one])
    views.expire(expiry)
    bound = min(at(expiry.complete), at(expiry.now) - ASSESSED)
    newest = {one.key: one for one in sorted(facts, key=lambda one: one.hours)}
    expected = {
        one.key: (version(at(one.hours)), "one") for one in newest.values() if one.scope and at(one.hours) >= bound
    }
    assert views.held() == expected


def test_nobody_elses_entries_go(open_views: Any) -> None:
    """Another tenant's, another namespace's and another scope's entries stay, however old; so does what somebody else put there."""
    mine: Views = open_views()
    others = [
        Views(mine.server, mine.client, mine.shipper, mine.ask, mine.namespace, "other"),
        Views(mine.server, mine.client, mine.shipper, mine.ask, mine.namespace + "x"),
    ]
    mine.ship([Told("a", 0, "one"), Told("b", 0, "two")])
    for other in others:
        other.ship([Told(f"c{other.tenant}", 0, "one")])
    strange = {"event": {"id": "d"}, "data_stream": {"namespace": mine.namespace}}
    old = {"@timestamp": "2020-01-01T00:00:00Z", **strange}
    mine.client.index(index=VIEW.index, id=secrets.token_hex(8), document=old)
    assert mine.expire(Expiry("one", 900, 1_000, ("one", "two"))) == 1
    assert others[1].held().keys() == {"ct"}
    mine.refresh()
    found = mine.client.search(index=VIEW.index, query={"term": {"data_stream.namespace": mine.namespace}})
    assert {hit["_source"]["event"]["id"] for hit in found["hits"]["hits"]} == {"b", "cother", "d"}


def test_more_entries_than_one_search_gives_go(open_views: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page of one point in time, while what was found is deleted."""
    monkeypatch.setattr("shared.ship.expiry.AT_ONCE", 7)
    views: Views = open_views()
    views.ship([Told(f"old{number}", number % 5, "one") for number in range(50)] + [Told("new", 90, "one")])
    assert views.expire(Expiry("one", 90, 120, ())) == 50
    assert views.held().keys() == {"new"}
    assert views.expire(Expiry("one", 90, 120, ())) == 0


def test_what_is_renewed_between_search_and_deletion_stays(open_views: Any) -> None:
    """The deletion's version is older than any renewal that counts."""
    views: Views = open_views()
    views.ship([Told("a", 0, "one"), Told("b", 0, "one")])

    def renewing(method: str, path: str, body: object, seconds: float) -> Reply:
        reply = views.ask(method, path, body, seconds)
        if path.startswith("/_search"):
            views.ship([Told("a", 90, "one")])
        return reply

    views.refresh()
    deadline = time.monotonic() + 30
    owner = Owner("t", views.namespace, "one")
    assert expire(VIEW, owner, at(90), at(120), renewing, views.shipper, source="x", deadline=deadline) == 1
    assert views.held() == {"a": (version(at(90)), "one")}


def test_what_comes_too_late_does_not_come_back_to_stay(open_views: Any) -> None:
    """While deletions are remembered an older version is refused; when they are forgotten it returns, and the next expiry takes it out."""
    views: Views = replace(
        open_views(), view=VIEWS["vulnerability"]
    )  # no other test of this module has it: its settings are changed
    late, index = Told("a", 0, "one"), views.view.index
    long = Expiry("one", 90 * 24, 120 * 24, ())
    views.ship([late])
    assert views.client.indices.get(index=index)[index]["settings"]["index"]["gc_deletes"] == "15m"
    assert views.expire(long) == 1
    views.ship([late])
    assert views.held() == {}
    other = replace(open_views(), view=views.view)
    views.client.indices.put_settings(index=index, settings={"index.gc_deletes": "0s"})
    try:
        other.ship([Told("a", 10, None)])
        other.refresh()
        time.sleep(1.1)
        other.ship([Told("b", 0, "one")])  # a write and a refresh, at which deletions are forgotten
        other.refresh()
        other.ship([late])
        assert other.held().keys() == {"a", "b"}
    finally:
        views.client.indices.put_settings(index=index, settings={"index.gc_deletes": "15m"})
    assert other.expire(long) == 2
    assert other.held() == {}


def test_a_view_that_is_not_there_has_nothing_to_expire(open_views: Any) -> None:
    """Before the first entry there is no index, and that is no fault."""
    views: Views = open_views()
    assert (
        list(ids("security_solution-m365_defender.vulnerability_latest-v1-none", {"match_all": {}}, admin_ask(views)))
        == []
    )
    with pytest.raises(Retry, match="400"):
        list(ids(VIEW.index, {"no_such_query": {}}, views.ask))


def admin_ask(views: Views) -> Ask:
    """What the administrator asks."""
    return client_ask(app_settings(**views.server.app_settings()))


@pytest.mark.parametrize("lacking", ["read", "delete"])
def test_a_lacking_privilege_is_told(open_views: Any, lacking: str) -> None:
    """Expiry raises Misconfigured with the privilege's name; nothing has gone."""
    views: Views = open_views()
    views.ship([Told("a", 0, "one")])
    views.refresh()
    rules = [
        {**rule, "privileges": [name for name in rule["privileges"] if name != lacking]}
        for rule in SHIPPER_ROLE["indices"]
    ]  # fmt: skip
    told = app_settings(**views.server.app_settings(views.server.add_user(f"no-{lacking}", role={"indices": rules})))
    shipper, ask = Shipper(told, post=client_post(told, path=BULK_LATEST)), client_ask(told)
    deadline = time.monotonic() + 30
    with pytest.raises(Misconfigured, match=lacking):
        expire(VIEW, Owner("t", views.namespace, "one"), at(90), at(120), ask, shipper, source="x", deadline=deadline)
    assert views.held().keys() == {"a"}


@pytest.mark.parametrize(
    "reply",
    [Reply(200, {}), Reply(200, b"<html>"), Reply(200, {"hits": {"hits": [{}]}}), Reply(503, None), Reply(404, {})],
)
def test_an_answer_that_is_none_is_no_bug(reply: Reply) -> None:
    """Whatever a search is answered with, it is raised as what the caller expects."""

    def ask(method: str, path: str, body: object, seconds: float) -> Reply:
        return Reply(200, {"id": "x"}) if path.endswith("_pit?keep_alive=2m") else reply

    with pytest.raises(ForwarderError):
        list(ids("index", {}, ask))


def test_only_findings_expire() -> None:
    """Alerts and incidents are no scan's: they stay, and the shipper may not delete them."""
    assert {name for name, view in VIEWS.items() if view.kept} == {
        "misconfiguration",
        "vulnerability_finding",
        "vulnerability",
    }
    assert {name for name, view in VIEWS.items() if "delete" in view.privileges} == {
        name for name, view in VIEWS.items() if view.kept
    }
