"""Entries of latest views that no scan has found for long -> out of their view, by a search and deletions under a version.

What expires is decided by our own times alone: when a scan of the entry's scope found it last, when the last complete scan of that scope
began, and now, all by the pollers' clocks. So nothing goes that a complete scan has not looked for, whatever failed meanwhile; an entry of
another tenant, namespace or scope is not looked at. A deletion carries the newest version that may go: an entry that was renewed between
search and deletion stays, and an older document that comes late is refused for as long as the index remembers deletions (`gc_deletes`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.errors import Misconfigured, Retry, Verdict, rule_for
from shared.report import Report
from shared.ship.client import Ask, Reply
from shared.ship.document import Document
from shared.ship.latest import SEEN, View
from shared.ship.outcome import error_of
from shared.ship.shipper import Shipper

AT_ONCE = 5_000  # entries of one search
KEEP_ALIVE = "2m"  # of the search between two pages
SEARCH_SECONDS = 30.0
EXPIRED = "(expired)"  # stands for the table


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose entries: a tenant's scope. scopes: all that are polled now; entries of the tenant's others are forgotten in time."""

    tenant: str
    namespace: str
    scope: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoRecord:
    """Stands for the record of a deletion, which has none."""

    partition: str | None = None
    sequence_number: int | None = None
    enqueued: str | None = None

    def original(self) -> bytes:
        """Nothing."""
        return b"{}"


def expired(view: View, owner: Owner, complete: datetime, now: datetime) -> tuple[dict[str, Any], int] | None:
    """(query, version to delete with) of what has expired; None for a view that keeps its entries.

    complete: when the last complete scan of the owner's scope began.
    """
    if view.kept is None:
        return None
    seen = bound(complete, now - view.kept)
    mine: dict[str, Any] = {"bool": {"filter": [{"term": {f"{SEEN}.scope": owner.scope}}, before(seen)]}}
    whose = [mine]
    if view.forgotten is not None and owner.scopes:
        whose.append(
            {
                "bool": {
                    "must_not": [{"terms": {f"{SEEN}.scope": list(owner.scopes)}}],
                    "filter": [before(bound(complete, now - view.forgotten))],
                }
            }
        )
    query = {
        "bool": {
            "filter": [
                {"term": {f"{SEEN}.tenant": owner.tenant}},
                {"term": {"data_stream.namespace": owner.namespace}},
            ],
            "should": whose,
            "minimum_should_match": 1,
        }
    }
    return query, seen - 1


def bound(*moments: datetime) -> int:
    """The earliest of some moments, in whole seconds, as milliseconds since 1970: scans begin at whole seconds."""
    return int(min(moments).astimezone(UTC).timestamp()) * 1000


def before(moment: int) -> dict[str, Any]:
    """Found last by a scan that began before a moment."""
    return {"range": {f"{SEEN}.scan": {"lt": moment, "format": "epoch_millis"}}}


def expire(
    view: View,
    owner: Owner,
    complete: datetime,
    now: datetime,
    ask: Ask,
    shipper: Shipper,
    *,
    source: str,
    deadline: float,
) -> int:
    """Take out what has expired of one view; how many entries went. Raises Retry or Misconfigured; what went until then is gone for good."""
    found = expired(view, owner, complete, now)
    if found is None:
        return 0
    query, version = found
    index = view.index.format(namespace=owner.namespace)
    report = Report("latest")

    def documents() -> Generator[Document]:
        for id in ids(index, query, ask):
            yield Document(index, id, b"", EXPIRED, NoRecord(), version=version, gone=True)

    with closing(documents()) as made:
        refused = shipper.ship(made, report, source=source, deadline=deadline)
    if refused:
        raise Retry(f"{index}: {len(refused)} expired entries could not be deleted: {refused[0].reason}")
    return report.total("indexed")


def ids(index: str, query: Mapping[str, Any], ask: Ask) -> Generator[str]:
    """The ids of all documents that a query finds, as they stand now; none where the index is not there yet."""
    opened = answer(ask("POST", f"/{index}/_pit?keep_alive={KEEP_ALIVE}", None, SEARCH_SECONDS), index)
    if opened is None:
        return
    pit, after = opened.get("id"), None
    try:
        while True:
            asked: dict[str, Any] = {
                "pit": {"id": pit, "keep_alive": KEEP_ALIVE},
                "query": query,
                "size": AT_ONCE,
                "sort": ["_shard_doc"],
                "track_total_hits": False,
                "_source": False,
            }
            if after is not None:
                asked["search_after"] = after
            page = (
                answer(ask("POST", "/_search?allow_partial_search_results=false", asked, SEARCH_SECONDS), index) or {}
            )
            try:
                found = [(hit["_id"], hit["sort"]) for hit in page["hits"]["hits"]]
            except (KeyError, TypeError):
                raise Retry(
                    f"{index}: the search for what has expired was not answered as Elasticsearch does"
                ) from None
            yield from (id for id, _ in found)
            if len(found) < AT_ONCE:
                return
            pit, after = page.get("pit_id", pit), found[-1][1]
    finally:
        with suppress(Retry, Misconfigured):  # it ends by itself
            ask("DELETE", "/_pit", {"id": pit}, SEARCH_SECONDS)


def answer(reply: Reply, index: str) -> dict[str, Any] | None:
    """The JSON object of an answer; None where the index is not there. Raises Retry or Misconfigured for what is none."""
    code, words = error_of(reply.body)
    if reply.status == 404 and code == "index_not_found_exception":
        return None
    rule = rule_for(reply.status)
    if reply.status in (401, 403):
        raise Misconfigured("LATEST_VIEWS", f"the credentials lack a privilege: read is needed on {index} ({words}).")
    if rule.verdict is not Verdict.INDEXED or not isinstance(reply.body, dict):
        raise Retry(f"{index}: the search for what has expired was answered with {reply.status} ({words})")
    return reply.body
