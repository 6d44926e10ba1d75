"""The sources we have. To add one: a value here, a mapping in normalise/tables, a route in the fake (docs/add-a-source.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from shared.poll import arm, export
from shared.poll.boundary import by_boundary
from shared.poll.client import Api
from shared.poll.crowd import saved
from shared.poll.incident_alerts import with_incidents
from shared.poll.listing import Listing, Reader
from shared.poll.moment import SECOND, iso, ticks
from shared.poll.permissions import needs
from shared.poll.source import Source, Span, Start, one_scope
from shared.poll.walk import Step
from shared.poll.window import by_window
from shared.poll_settings import PollSettings

# Without it, members that are newer than the API's version come as `unknownFutureValue` (elastic/integrations#12573).
ALL_MEMBERS: Mapping[str, str] = {"prefer": "include-unknown-enum-members"}


def alerts(top: int) -> Listing:
    """Graph alerts_v2: sorted as asked, at most 1,000 a page, no next link (elastic/integrations#20234)."""
    return Listing(
        "/v1.0/security/alerts_v2",
        "id",
        "lastUpdateDateTime",
        top,
        500,
        order=True,
        second="createdDateTime",
        headers=ALL_MEMBERS,
    )


def incidents(top: int) -> Listing:
    """Graph incidents: at most 50 a page, and never expanded (elastic/integrations#18144)."""
    return Listing(
        "/v1.0/security/incidents",
        "id",
        "lastUpdateDateTime",
        top,
        500,
        order=True,
        second="createdDateTime",
        headers=ALL_MEMBERS,
    )


def siem_incidents(top: int) -> Listing:
    """The older API: its order is its own, `$skip` is bound by nothing documented, alerts lie inside."""
    return Listing("/api/incidents", "incidentId", "lastUpdateTime", top, 10_000, order=False, second="createdTime")


type ByTime = Callable[[Reader, int, int | None, int, int, int], Iterator[Step]]


def begin(settings: PollSettings, source: str, start: Start, span: Span) -> tuple[int, int | None, int, int, int]:
    """(from, up to, watermark, what the cursor remembers, now), in ticks: the overlap behind the watermark, at first the lookback, or what the hand says."""
    now, keep = of(span.now), int(settings.poll_overlap_minutes * 60) * SECOND
    first = now - int(settings.of(source, "lookback_hours") * 3600) * SECOND
    if span.since is not None:
        lower = of(span.since)
        return lower, of(span.until) if span.until else None, lower, keep, now
    mark = ticks(start.watermark) if start.watermark else None
    lower = first if mark is None else mark - keep
    return lower, of(span.until) if span.until else None, lower if mark is None else mark, keep, now


def known(start: Start, span: Span) -> dict[str, str]:
    """What a walk need not ship again; by hand everything is shipped, because something may have been lost behind us."""
    return dict(start.seen) if span.since is None else {}


def of(moment: datetime) -> int:
    """A moment in ticks."""
    return ticks(moment.isoformat()) or 0


def walked(by: ByTime, reader: Reader, settings: PollSettings, source: str, start: Start, span: Span) -> Iterator[Step]:
    """A list by time, from where the cursor stands. Where it stands nowhere yet, that is written down first: the lookback counts from the first poll."""
    lower, upper, mark, keep, now = begin(settings, source, start, span)
    if start.watermark is None and span.since is None:
        yield saved(reader, mark, keep)
    yield from by(reader, lower, upper, mark, keep, now)


def walk_alerts(api: Api, settings: PollSettings, scope: str, start: Start, span: Span) -> Iterator[Step]:  # noqa: ARG001  a walk's arguments
    """Graph's alerts."""
    reader = Reader(api, alerts(settings.alert_page_size), known(start, span))
    yield from walked(by_boundary, reader, settings, "alert", start, span)


def walk_incidents(api: Api, settings: PollSettings, scope: str, start: Start, span: Span) -> Iterator[Step]:
    """Graph's incidents, or (scope `alerts`) their alerts, each with its incident around it."""
    if scope == ALERTS:
        reader = Reader(api, alerts(settings.alert_page_size), known(start, span))
        yield from with_incidents(api, ALL_MEMBERS, walked(by_boundary, reader, settings, "incident", start, span))
    else:
        reader = Reader(api, incidents(settings.incident_page_size), known(start, span))
        yield from walked(by_boundary, reader, settings, "incident", start, span)


def walk_siem(api: Api, settings: PollSettings, scope: str, start: Start, span: Span) -> Iterator[Step]:  # noqa: ARG001  a walk's arguments
    """The older API's incidents."""
    reader = Reader(api, siem_incidents(settings.log_page_size), known(start, span))
    yield from walked(by_window, reader, settings, "log", start, span)


INCIDENTS, ALERTS = "incidents", "alerts"


def incident_scopes(api: Api, settings: PollSettings) -> tuple[str, ...]:  # noqa: ARG001  as every source's
    """Incidents, and their alerts unless the source alert has them."""
    wanted = settings.incident_alerts
    both = wanted == "true" or (wanted == "auto" and "alert" not in settings.sources)
    return (INCIDENTS, ALERTS) if both else (INCIDENTS,)


# fmt: off
SOURCES: dict[str, Source] = {source.name: source for source in (
    Source("alert",         "graph",    needs("alert"),         walk_alerts,    one_scope),
    Source("incident",      "graph",    needs("incident"),      walk_incidents, incident_scopes),
    Source("log",           "security", needs("log"),           walk_siem,      one_scope),
    Source("vulnerability", "endpoint", needs("vulnerability"), export.walk,    one_scope, snapshot=True),
    Source("assessment",    "arm",      needs("assessment"),    arm.walk,       arm.scopes, snapshot=True),
)}
# fmt: on


def moment_text(moment: datetime) -> str:
    """A moment as the APIs write it."""
    return iso(of(moment))


def lookback(settings: PollSettings, source: str, now: datetime) -> datetime:
    """Where a source's first poll begins."""
    return now - timedelta(hours=settings.of(source, "lookback_hours", 0.0))
