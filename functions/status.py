"""GET /api/status -> one HTML page for a person: a row per source, the worst first, from what the app keeps in blobs."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import azure.functions as func

from functions import timers
from functions.conceal import conceal
from functions.health import ANSWER_SECONDS, threads
from functions.hubs import faults, triggers
from functions.periods import longest_period
from functions.status_page import Page, render
from functions.status_rows import RECENT, CursorFact, DriftFact, Facts, LetterFact, moment, rough, rows, text
from functions.status_style import POLICY
from shared.errors import ForwarderError, Misconfigured
from shared.poll_settings import PollSettings
from shared.settings import Settings

MOST_CURSORS = 100  # of one source that are read
MOST_LETTERS = 1_000  # blobs of one source that are counted
MOST_DRIFT = 5  # entries of one source that are shown
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address may hold the function key
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def blueprint() -> func.Blueprint:
    """The status function; it needs a function key, as health does."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves its __init__ untyped

    @functions.function_name("status")
    @functions.route(
        route="status", trigger_arg_name="request", methods=[func.HttpMethod.GET], auth_level=func.AuthLevel.FUNCTION
    )
    async def status(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the binding wants it
        page = await looked(os.environ, datetime.now(UTC))
        return func.HttpResponse(render(page), mimetype="text/html", charset="utf-8", headers=HEADERS)

    return functions


async def looked(environment: Mapping[str, str], now: datetime) -> Page:
    """What the blobs say at this moment; never raises: what could not be asked is a note on the page."""
    from shared import state

    notes = [*faults(environment), *timers.faults(environment)]
    known = declared(environment)
    settings = readable(environment, notes)
    if settings is None or not known:
        return page(known, notes, now, environment)

    async def asked[T](what: str, ask: Callable[[], T]) -> T | None:
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(threads(), ask), ANSWER_SECONDS)
        except TimeoutError:
            notes.append(f"{what} can not be told: no answer within {ANSWER_SECONDS:g} s.")
        except ForwarderError as error:
            notes.append(f"{what} can not be told: {error}")
        except Exception as error:  # noqa: BLE001  the page tells what is wrong, whatever it is
            notes.append(f"{what} can not be told: {type(error).__name__}.")
        return None

    names = [fact.source for fact in known]
    stored = await asked("What was received", lambda: state.read(settings, names))
    if stored is None:  # the store does not answer: nothing else would come of it either
        return page(known, notes, now, environment)
    polled = [fact.source for fact in known if fact.polled]
    cursors, letters, drift = await asyncio.gather(
        asked("How far sources were read", lambda: cursors_of(settings, environment, polled)),
        asked("What was dead-lettered", lambda: letters_of(settings, names)),
        asked("What is not mapped", lambda: drift_of(settings, now)),
    )
    whole = [
        replace(
            fact,
            received=stored[fact.source]["received"],
            held=stored[fact.source]["held"],
            cursors=None if cursors is None else cursors.get(fact.source, ()),
            letters=None if letters is None else letters[fact.source],
            drift=None if drift is None else drift.get(fact.source, DriftFact()),
            known=True,
        )
        for fact in known
    ]
    return page(whole, notes, now, environment)


def readable(environment: Mapping[str, str], notes: list[str]) -> Settings | None:
    """The settings as far as the blobs need them; what is wrong with any is noted."""
    try:
        settings = Settings.read_all(environment)
        settings.check()
    except Misconfigured as error:
        notes.append(str(error))
    try:
        return Settings.read_all(environment)
    except Misconfigured:
        return None


def declared(environment: Mapping[str, str]) -> list[Facts]:
    """The sources that are set up, nothing being known of them yet."""
    hubs: defaultdict[str, list[str]] = defaultdict(list)
    for trigger in triggers(environment):
        hubs[trigger.source].append(f"{trigger.hub}, consumer group {trigger.consumer_group}")
    found = [Facts(source, f"event hub {'; '.join(told)}", polled=False) for source, told in hubs.items()]
    for source in timers.sources(environment):
        schedule = timers.schedule(source, environment)
        period = longest_period(schedule)
        when = f"every {rough(period)}" if period else f"by the schedule {schedule}"
        found.append(Facts(source, f"polled {when}", polled=True, period=period))
    return [replace(fact, known=False, cursors=None, letters=None, drift=None) for fact in found]


def cursors_of(
    settings: Settings, environment: Mapping[str, str], sources: Sequence[str]
) -> dict[str, tuple[CursorFact, ...]]:
    """Source -> its cursors, the first so many by name. Raises Retry or Misconfigured."""
    from shared.cursors.store import BlobCursors

    store = BlobCursors.open(settings, PollSettings.read_one("cursor_container", environment))
    return {
        source: tuple(
            CursorFact(name, corrupt=text(str(cursor)))
            if isinstance(cursor, Exception)
            else CursorFact(name, moment(cursor.watermark), moment(cursor.updated), busy)
            for name, cursor, busy in islice(store.list(f"{source}/"), MOST_CURSORS)
        )
        for source in sources
    }


def letters_of(settings: Settings, sources: Sequence[str]) -> dict[str, LetterFact]:
    """Source -> its dead letters, from their blobs' names (`<source>/<yyyy>/<mm>/<dd>/<hh>/…`). Raises Retry or Misconfigured."""
    from shared.ship.dead_letter import DeadLetters

    kept, found = DeadLetters.open(settings), {}
    for source in sources:
        blobs = list(islice(kept.list(source), MOST_LETTERS + 1))
        newest = moment("{}-{}-{}T{}:00".format(*blobs[-1].name.split("/")[1:5])) if blobs else None
        counted = blobs[:MOST_LETTERS]
        more = len(blobs) > MOST_LETTERS
        found[source] = LetterFact(len(counted), sum(blob.size for blob in counted), newest, more)
    return found


def drift_of(settings: Settings, now: datetime) -> dict[str, DriftFact]:
    """Source -> what it was first to bring that is not mapped. Raises Retry or Misconfigured."""
    from shared.drift import read

    stored = read(settings)
    by_source = defaultdict(list)
    for name in stored.newest_first():
        by_source[stored.entries[name].source].append(name)
    return {
        source: DriftFact(
            len(names),
            sum((first := moment(stored.entries[name].first)) is not None and now - first < RECENT for name in names),
            tuple(
                f"{name.kind} {'.'.join(part for part in (name.table, name.column, name.value) if part)}"
                f", first seen {stored.entries[name].first[:16].replace('T', ' ')}, {stored.entries[name].times:,} times"
                for name in names[:MOST_DRIFT]
            ),
        )
        for source, names in by_source.items()
    }


def page(known: Sequence[Facts], notes: Sequence[str], now: datetime, environment: Mapping[str, str]) -> Page:
    """The page, with every secret concealed before anything is escaped."""
    shown = [
        replace(row, why=tuple(conceal(line, environment) for line in row.why), origin=conceal(row.origin, environment))
        for row in rows(known, now)
    ]
    return Page(now, shown, [conceal(note, environment) for note in dict.fromkeys(notes)])
