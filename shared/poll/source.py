"""What a poller is: a value. Sources are in `sources`; how a list, a scan of Azure or an export is read is in the walks.

A source has feeds: lists that are read side by side, each with a cursor of its own. Most have one; incidents have two (themselves, and their
alerts, so that nothing needs `$expand`); assessments have one for each scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.poll.client import Api
from shared.poll.endpoints import ApiName
from shared.poll.walk import Step
from shared.poll_settings import PollSettings


@dataclass(frozen=True, slots=True)
class Span:
    """What of time a run is to read: all that is new, or by hand from one moment up to another."""

    now: datetime
    since: datetime | None = None  # by hand: from here, whatever the cursor says
    until: datetime | None = None  # by hand: up to but without this


@dataclass(frozen=True, slots=True)
class Start:
    """Where a cursor stands, in the words a walk needs."""

    watermark: str | None
    seen: Mapping[str, str]
    work: Mapping[str, Any] | None


type Walk = Callable[[Api, PollSettings, str, Start, Span], Iterator[Step]]  # (…, scope, …)


@dataclass(frozen=True, slots=True)
class Source:
    """One source: which API, which permission it needs, which scopes it is read in, and how a scope is walked."""

    name: str
    api: ApiName
    permission: str  # the least application permission or role, as Microsoft names it
    walk: Walk
    scopes: Callable[[Api, PollSettings], tuple[str, ...]]
    snapshot: bool = False  # every scan gives everything; what has no time of its own gets the scan's


def one_scope(api: Api, settings: PollSettings) -> tuple[str, ...]:  # noqa: ARG001  as every source's
    """Most sources are read as a whole."""
    return ("",)
