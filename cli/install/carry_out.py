"""Steps -> requests, one after the other. What a cluster refuses and we can do without is left out and told; all else is one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cli.install.found import Found
from cli.install.server import Ask, Request, lacks_api, reason
from cli.install.steps import Step, without
from shared.errors import Misconfigured
from shared.ship.client import Reply

TEMPLATES = ("component template", "index template")
# A cluster's words for settings that it does not take: of a version or module that lacks them, or closed to customers of serverless.
UNKNOWN = re.compile(r"unknown setting \[([^\]]+)\]")
CLOSED = re.compile(r"[Ss]ettings? \[([^\]]+)\] (?:is|are) not available")


def carry_out(steps: Iterable[Step], ask: Ask, found: Found) -> Iterator[Step]:
    """Do each step and give it back as it came to be.

    A template that is refused is tried again when all others are in place: a component template is checked together with the index
    templates that use it, and one of an older version may be too small for it. Raises Misconfigured or Retry.
    """
    again: list[Step] = []
    for step in steps:
        if step.kind not in TEMPLATES and again:
            yield from _finish(again, ask, found)
            again = []
        done, reply = _do(step, ask, found)
        if reply is None:
            yield done
        elif step.kind in TEMPLATES:
            again.append(step)
        else:
            yield _given_up(step, reply)
    yield from _finish(again, ask, found)


def _finish(steps: list[Step], ask: Ask, found: Found) -> Iterator[Step]:
    """The templates that were refused, once more."""
    for step in steps:
        done, reply = _do(step, ask, found)
        yield done if reply is None else _given_up(step, reply)


def _do(step: Step, ask: Ask, found: Found) -> tuple[Step, Reply | None]:
    """The step as it came to be, and the answer that refused it, if one did."""
    for request in step.requests:
        reply = ask(request.method, request.path, request.body)
        if reply.status < 300:
            continue
        refused = refused_settings(reply)
        if not refused or step.kind not in TEMPLATES:
            return step, reply
        less = without(request.body, refused, found)
        reply = ask(request.method, request.path, less)
        if reply.status >= 300:
            return step, reply
        words = f"without {', '.join(refused)}, which this cluster does not take."
        return replace(step, words=f"{step.words} {words}".strip(), after=less), None
    return step, None


def refused_settings(reply: Reply) -> tuple[str, ...]:
    """Settings that a cluster names as not to be had there."""
    words = reason(reply)
    closed = [name.strip() for names in CLOSED.findall(words) for name in names.split(",")]
    return tuple(sorted({*UNKNOWN.findall(words), *closed}))


def _given_up(step: Step, reply: Reply) -> Step:
    """A step that the cluster can not do, told; raises Misconfigured for one that has to be."""
    words = reason(reply)
    if lacks_api(reply):
        return replace(step, state="missing", words="this cluster has no such API; it stays as it is.", requests=())
    if step.state == "removed":
        return replace(step, state="left", words=f"is in use: {words}", requests=())
    request: Request = step.requests[0]
    raise Misconfigured(
        "ELASTICSEARCH_URL", f"the {step.kind} {step.name} is refused ({request.method} {request.path}): {words}"
    )
