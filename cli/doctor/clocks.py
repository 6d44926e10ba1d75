"""The `Date` of answers against this machine's clock: tokens, signed requests and lags are wrong where clocks differ.

Elasticsearch itself sends no `Date`; a proxy or Elastic Cloud in front of it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

from cli.doctor.check import Check, failed, ok, unchecked, warning
from cli.doctor.elastic import SECONDS, answer
from shared import state
from shared.poll.client import session
from shared.poll.endpoints import login
from shared.poll_settings import PollSettings, Tenant
from shared.settings import Settings

MOST_SECONDS = 60.0  # a lag that is off by this misleads
REFUSED_SECONDS = 300.0  # Entra ID and Azure Storage refuse from here (5 and 15 minutes)

type AskDate = Callable[[], str | None]  # one request -> the answer's Date header


def skew(date: str, before: float, after: float) -> float | None:
    """Seconds by which this machine is ahead of an answer's `Date`, between two epoch seconds; None where it is no date.

    What lies within the request's own time, and the second to which the header is cut, is no difference.
    """
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    moment = (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)).timestamp()
    if before > moment + 1:
        return before - moment - 1
    return after - moment if after < moment else 0.0


def of_times(settings: Settings, polled: PollSettings, tenants: Mapping[str, Tenant]) -> Check:
    """The clock against Elasticsearch, the storage account and where tokens come from."""
    asked: dict[str, AskDate] = {
        "Elasticsearch": lambda: elasticsearch_date(settings),
        "the storage account": lambda: storage_date(settings),
    }
    if tenants:
        asked[login(polled)] = partial(login_date, polled, next(iter(tenants.values())))
    return of_clock(asked)


def elasticsearch_date(settings: Settings) -> str | None:
    """The `Date` of an answer, whatever else it says."""
    headers = answer(settings, "/")[2]
    return next((value for name, value in headers.items() if name.lower() == "date"), None)


def storage_date(settings: Settings) -> str | None:
    """The same of the blob service."""
    dates: list[str | None] = []
    with state.container_of(settings) as container:
        container.exists(
            raw_response_hook=lambda told: dates.append(told.http_response.headers.get("Date")), **state.BRIEF
        )
    return dates[-1] if dates else None


def login_date(polled: PollSettings, tenant: Tenant) -> str | None:
    """The same of where tokens come from: its public description of itself."""
    address = f"{login(polled)}/{tenant.id}/v2.0/.well-known/openid-configuration"
    found: str | None = session(polled.microsoft_ca).get(address, timeout=SECONDS).headers.get("Date")
    return found


def of_clock(asked: dict[str, AskDate]) -> Check:
    """This machine's clock against those of the servers that tell theirs."""
    found = dict(differences(asked))
    name = "clock"
    if not found:
        return unchecked(name, "no server told its time.")
    worst = max(found, key=lambda server: abs(found[server]))
    by, data = found[worst], {server: round(value, 1) for server, value in found.items()}
    if abs(by) < MOST_SECONDS:
        return ok(name, f"agrees with {', '.join(found)}.", seconds_ahead=data)
    words = f"this machine is {abs(by):.0f} s {'ahead of' if by > 0 else 'behind'} {worst}, as of {datetime.now(UTC):%H:%M:%S} UTC here."
    mend = "Set the clock of this machine (timedatectl set-ntp true), or of that server."
    return (failed if abs(by) >= REFUSED_SECONDS else warning)(name, words, mend, seconds_ahead=data)


def differences(asked: dict[str, AskDate]) -> Iterator[tuple[str, float]]:
    """(server, seconds that we are ahead) of each that answers with a date."""
    for server, ask in asked.items():
        before = time.time()
        try:
            date = ask()
        except Exception:  # noqa: BLE001, S112  that it does not answer is told by the check that needs it
            continue
        found = skew(date, before, time.time()) if date else None
        if found is not None:
            yield server, found
