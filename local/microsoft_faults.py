"""Named faults of the fake: each on a route, so many times or until it is taken away, or while some row is in the answer.

microsoft.fault("throttle", "graph.alerts", times=2, seconds=7)
microsoft.fault("poison", "graph.alerts", row="da4711")
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatch
from functools import cache
from typing import Any

from local.microsoft_http import Answer, Request, api_error, graph_error

MESSAGES = {
    400: ("BadRequest", "The query specified in the URI is not valid."),
    403: ("Forbidden", "Missing application roles. API required roles: SecurityAlert.Read.All,SecurityAlert.ReadWrite.All."),
    404: ("ResourceNotFound", "Resource not found for the segment."),
    500: ("InternalServerError", "The server encountered an internal error. Please try again."),
    502: ("BadGateway", "The server received an invalid response."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The gateway did not receive a response in time."),
}  # fmt: skip
FOREIGN = "{files}/v1.0/security/elsewhere?$skiptoken=1"  # a next link to another port, so to another host


@dataclass(slots=True)
class Fault:
    """One fault. route: a pattern of route names; times: None for ever; skip: so many matching requests are spared first."""

    kind: str
    route: str = "*"
    times: int | None = None
    skip: int = 0
    row: str | None = None
    when: Callable[[Request], bool] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def strikes(self, route: str, request: Request, answer: Answer | None) -> bool:
        """Whether it strikes this answer; counted."""
        if self.times == 0 or not fnmatch(route, self.route) or (self.when is not None and not self.when(request)):
            return False
        if answer is not None and self.row is not None and not answer.has(self.row):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


# Faults that change how a list is made, before its page is cut: see `sorted_by` and `most` of the lists.
BEFORE = frozenset({"unsorted", "newest_first", "clamp"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that strikes an answer. files: the address of the other host."""

    fault: Fault
    route: str
    request: Request
    answer: Answer
    files: str


def struck(hit: Hit) -> Answer:
    """What an answer becomes."""
    return KINDS[hit.fault.kind](hit)


def throttle(hit: Hit) -> Answer:
    """429: Retry-After in `seconds` (form `seconds` or `date`), told in the `body`, or `nothing`."""
    seconds, form = hit.fault.options.get("seconds", 3), hit.fault.options.get("form", "seconds")
    headers = {}
    message = "Too many requests."
    if form == "seconds":
        headers = {"retry-after": str(seconds)}
    elif form == "date":
        now: datetime = hit.fault.options.get("now") or datetime.now(UTC)
        headers = {"retry-after": format_datetime(now + timedelta(seconds=seconds), usegmt=True)}
    elif form == "body":
        message = f"Quota of 50 calls per minute exceeded. You will be able to make calls again in less than {seconds} seconds."
    made = (graph_error if hit.route.startswith("graph") else api_error)(429, "TooManyRequests", message)
    made.headers |= headers
    return made


def status(hit: Hit) -> Answer:
    """An HTTP `status` in Microsoft's words."""
    number = hit.fault.options.get("status", 500)
    code, message = MESSAGES.get(number, ("Error", "An error has occurred."))
    return (graph_error if hit.route.startswith("graph") else api_error)(number, code, message)


def reset(hit: Hit) -> Answer:  # noqa: ARG001  as every kind
    """The connection breaks before the answer."""
    return Answer(reset=True)


def cut(hit: Hit) -> Answer:
    """The connection breaks in the middle of the body."""
    hit.answer.cut = True
    return hit.answer


def not_json(hit: Hit) -> Answer:  # noqa: ARG001  as every kind
    """200, and a page of a proxy."""
    return Answer(
        body=b"<html><body>Request could not be completed</body></html>", headers={"content-type": "text/html"}
    )


def torn_json(hit: Hit) -> Answer:
    """200, complete by its length, and JSON that ends in the middle."""
    body = hit.answer.content()
    whole = body if isinstance(body, bytes) else b"".join(body)
    return Answer(body=whole[: len(whole) // 2])


def bomb(hit: Hit) -> Answer:
    """A small gzip body that unpacks to `megabytes`."""
    body = packed_blanks(hit.fault.options.get("megabytes", 40))
    return Answer(body=body, headers={"content-encoding": "gzip", "content-type": "application/json"})


@cache
def packed_blanks(megabytes: int) -> bytes:
    """So many megabytes of nothing, gzipped to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * 1_000_000) for _ in range(megabytes)), packer.flush()])


def slow(hit: Hit) -> Answer:
    """The answer begins after `seconds`."""
    hit.answer.delay = hit.fault.options.get("seconds", 1.0)
    return hit.answer


def drip(hit: Hit) -> Answer:
    """The body comes byte by byte."""
    hit.answer.drip = hit.fault.options.get("seconds", 0.05)
    return hit.answer


def partial(hit: Hit) -> Answer:
    """206: a provider failed, and the list looks healthy and empty."""
    hit.answer.status, hit.answer.rows = 206, []
    hit.answer.headers["warning"] = '199 - "Microsoft/Defender/504/30000"'
    return hit.answer


def empty_page(hit: Hit) -> Answer:
    """No rows, and a next link behind which they are."""
    if "again" in hit.request.query:
        return hit.answer
    return page(hit.answer, [], hit.request.link(again="1"))


def endless(hit: Hit) -> Answer:
    """No rows, and a next link behind which there are none either, for ever."""
    return page(hit.answer, [], hit.request.link(again=str(int(hit.request.query.get("again", "0")) + 1)))


def endless_tail(hit: Hit) -> Answer:
    """The rows, and behind the last page empty ones for ever."""
    if (
        "again" not in hit.request.query
        and isinstance(hit.answer.value, dict)
        and hit.answer.value.get(hit.answer.link)
    ):
        return hit.answer
    rows = [] if "again" in hit.request.query else hit.answer.rows or []
    return page(hit.answer, rows, hit.request.link(again=str(int(hit.request.query.get("again", "0")) + 1)))


def loop(hit: Hit) -> Answer:
    """A next link to the page itself."""
    return page(hit.answer, hit.answer.rows or [], hit.request.link())


def bad_link(hit: Hit) -> Answer:
    """A next link that answers 400 (lessons 1.1 c, d)."""
    if hit.request.query.get("$skiptoken") == "refused":
        return graph_error(400, "BadRequest", "Skip token is not allowed.")
    return page(hit.answer, hit.answer.rows or [], hit.request.link(_skiptoken="refused"))


def foreign_link(hit: Hit) -> Answer:
    """A next link to another host."""
    return page(hit.answer, hit.answer.rows or [], FOREIGN.format(files=hit.files))


def poison(hit: Hit) -> Answer:
    """500 for any page with the row; also with $select where `select` says so."""
    if "$select" in hit.request.query and not hit.fault.options.get("select"):
        return hit.answer
    return status(hit)


def expired(hit: Hit) -> Answer:  # noqa: ARG001  as every kind
    """401: the token is not taken any more."""
    return graph_error(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")


def redirect(hit: Hit) -> Answer:
    """302 to another host."""
    return Answer(302, headers={"location": f"{hit.files}/elsewhere"})


def broken_row(hit: Hit) -> Answer:
    """The row is no object."""
    hit.answer.rows = ["?" if str(row.get(hit.answer.id)) == hit.fault.row else row for row in hit.answer.rows or []]  # type: ignore[misc]  # that is the fault
    return hit.answer


def page(answer: Answer, rows: list[Any], link: str) -> Answer:
    """A page with other rows and another next link."""
    answer.rows = rows
    answer.value = {**(answer.value or {}), answer.link: link}
    return answer


def shuffled(rows: list[Any], seed: int) -> list[Any]:
    """The rows in no order, the same for the same seed."""
    mixed = list(rows)
    random.Random(seed).shuffle(mixed)  # noqa: S311  made-up faults need no secrets
    return mixed


type Kind = Callable[[Hit], Answer]
KINDS: dict[str, Kind] = {
    made.__name__: made
    for made in (
        throttle, status, reset, cut, not_json, torn_json, bomb, slow, drip, partial, empty_page, endless, endless_tail, loop, bad_link,
        foreign_link, poison, expired, redirect, broken_row,
    )
}  # fmt: skip
