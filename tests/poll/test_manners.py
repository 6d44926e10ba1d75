"""What we ask of an API that is stricter, slower or ruder than documented: few requests, some at once, plain words, nothing repeated of a secret."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from local import microsoft_data as data
from local.microsoft import Microsoft
from shared.errors import Misconfigured
from shared.poll.answers import told
from shared.poll.source import Span
from shared.poll.trust import trusting
from shared.sweeps import run
from tests.poll.cases import CASES, SUBSCRIPTION
from tests.poll.in_process import InProcess
from tests.poll.stand import Stand


@dataclass
class Watching(InProcess):
    """A session that sees each address, how many requests run at once, and waits for an event before it answers."""

    addresses: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    slow: float = 0.0
    until: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, address: str, **words: Any) -> Any:
        """Ask the fake."""
        with self.lock:
            self.addresses.append(address)
            self.now += 1
            self.most = max(self.most, self.now)
        if self.until is not None:
            self.until.wait(10.0)
        time.sleep(self.slow)
        try:
            return super().get(address, **words)
        finally:
            with self.lock:
                self.now -= 1


def watched(case: str, **settings: str) -> tuple[Stand, Watching]:
    """A stand of a case, and the session that its pollers use."""
    one = Stand(settings=CASES[case].settings | settings)
    one.session = watching = Watching(one.fake)
    return one, watching


def test_a_query_is_written_so_that_everybody_reads_it() -> None:
    """A blank is %20, `$` and `:` stand as they are: a plus for a blank is a form's way."""
    one, session = watched("alert")
    CASES["alert"].fill(one, 3)
    one.poll("alert")
    query = session.addresses[0].partition("?")[2]
    assert query.startswith(
        "$filter=lastUpdateDateTime%20ge%202026-01-01T03:00:00Z&$top=5&$orderby=lastUpdateDateTime%20asc"
    )


@pytest.mark.parametrize(("case", "most"), [("alert", 2), ("incident", 2), ("log", 2), ("export", 0), ("pages", 0)])
def test_a_quiet_poll_costs_little(case: str, most: int) -> None:
    """One request, and one more that shows that its few rows are all; none where no scan is due."""
    one, session = watched(case, ALERT_PAGE_SIZE="1000", INCIDENT_PAGE_SIZE="50", LOG_PAGE_SIZE="100")
    CASES[case].fill(one, 3)
    one.poll(CASES[case].source)
    one.later(hours=2)
    for _ in range(2):
        session.addresses.clear()
        one.poll(CASES[case].source)
        assert len(session.addresses) <= most
        CASES[case].fill(one, 3, first=50, before=60.0, apart=1.0)


@pytest.mark.parametrize("case", ["alert", "incident", "log"])
def test_an_outage_costs_few_requests(case: str) -> None:
    """Where not even one row can be had the API is down, and no page is halved for it."""
    one, session = watched(case)
    CASES[case].fill(one, 12)
    one.fake.fault("status", CASES[case].route)
    assert one.poll(CASES[case].source)[0].result == "failed"
    assert len(session.addresses) <= 12


def test_an_order_that_is_refused_is_not_asked_for_again() -> None:
    """An API that answers 400 to `$orderby` is read by windows, by later polls at once."""
    one, session = watched("alert")
    wanted = CASES["alert"].fill(one, 23)
    pollers = one.pollers("alert")
    one.fake.fault("status", "graph.alerts", status=400, when=lambda request: "$orderby" in request.query)
    for _ in range(2):
        swept = run(pollers, one.parts, one.cursors, Span(one.now), 420.0)
        assert swept[0].result == "finished", swept[0].why
        one.later(minutes=2)
    assert one.have() == wanted
    assert sum("$orderby" in address for address in session.addresses) == 1


def test_no_more_requests_run_at_once_than_set() -> None:
    """POLL_CONCURRENCY holds for a source as a whole: scopes and the findings of each share it."""
    one, session = watched("assessment", POLL_CONCURRENCY="3")
    session.slow = 0.005
    for scope in (SUBSCRIPTION, SUBSCRIPTION.replace("1", "2"), SUBSCRIPTION.replace("1", "3")):
        one.tenant.azure.subscriptions[scope.partition("/")[2]] = "Enabled"
        rows = one.tenant.azure.assessments[scope] = [
            data.assessment("m", scope, n, one.now, findings=True) for n in range(12)
        ]
        for row in rows:
            one.tenant.azure.findings[row["id"].lower()] = [data.finding("m", row["id"], 0, one.now)]
    assert {swept.result for swept in one.poll("assessment")} == {"finished"}
    assert 1 < session.most <= 3
    assert len(one.have()) == 36


def test_a_tenant_whose_scopes_are_long_in_coming_keeps_no_other_waiting() -> None:
    """The other one is swept meanwhile."""
    one, _ = watched("assessment")
    CASES["assessment"].fill(one, 3)
    [poller] = one.pollers("assessment")
    done = threading.Event()
    held = replace(
        poller, name="held", tenant=replace(poller.tenant, id="held"), session=Watching(one.fake, until=done)
    )
    post = one.index.post

    def shipped(body: bytes, seconds: float) -> Any:
        reply = post(body, seconds)
        done.set()
        return reply

    one.parts.shipper._post = shipped  # what the network's seam answers
    begun = time.monotonic()
    swept = run([held, poller], one.parts, one.cursors, Span(one.now), 420.0)
    assert time.monotonic() - begun < 9.0
    assert {found.result for found in swept} == {"finished"}


def test_a_run_that_is_told_to_stop_ends_cleanly_and_the_next_goes_on() -> None:
    """What Ctrl-C does to a poll by hand: what was shipped is saved, and the page that was asked for comes again."""
    one, session = watched("alert")
    wanted = CASES["alert"].fill(one, 23)
    pollers = one.pollers("alert")
    one.fake.after("graph.alerts", lambda: None)
    one.fake.after("graph.alerts", pollers[0].stop.set)
    [swept] = run(pollers, one.parts, one.cursors, Span(one.now), 420.0)
    assert (swept.result, len(session.addresses)) == ("out_of_time", 2)
    assert 0 < len(one.have()) < 23
    assert one.poll("alert")[0].result == "finished"
    assert one.have() == wanted
    assert max(one.index.sent.values()) == 1


@pytest.mark.parametrize("fault", ["status", "reset"])
def test_a_token_endpoint_that_fails_once_costs_a_retry(fault: str, stand: Callable[..., Stand]) -> None:
    """As an API that fails once does: the run goes on."""
    one = stand()
    wanted = CASES["alert"].fill(one, 3)
    one.fake.fault(fault, "entra.token", times=1, status=503)
    [swept] = one.poll("alert")
    assert swept.result == "finished", swept.why
    assert one.have() == wanted


def test_what_an_error_repeats_of_a_secret_is_left_out(running: Microsoft) -> None:
    """Tokens, signatures and skip tokens in an error's body are not told; its own words are."""
    token = running.entra.token("t", running.app(running.tenant()), "graph", "https://graph.microsoft.com")
    body = (
        '{"error":{"code":"Bad","message":"link https://x.example/a?sig=abc%2Fdef&$skiptoken=secret1 with Bearer '
        + token
        + ' is refused"}}'
    )
    text = told(body)
    assert text.startswith("Bad link https://x.example/a")
    assert text.endswith("is refused")
    assert not [part for part in ("abc%2F", "secret1", *token.split(".")) if part in text]


def test_a_certificate_authority_that_can_not_be_used_is_told_by_its_setting(tmp_path: Path) -> None:
    """No such file, or one without a certificate: MICROSOFT_CA, and not the credential, is to be mended."""
    (tmp_path / "none.pem").write_text("no certificate")
    for path in (tmp_path / "missing.pem", tmp_path / "none.pem"):
        with pytest.raises(Misconfigured) as raised:
            trusting(str(path))
        assert raised.value.setting == "MICROSOFT_CA"
