"""The client: what a quota's words mean, which links are followed, how slow answers and few remaining calls are met."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from local import microsoft_data as data
from shared.poll.answers import origin, said
from shared.poll.client import Api, Usage
from shared.poll.endpoints import Endpoint
from tests.poll.in_process import Moving
from tests.poll.stand import Stand

Make = Callable[..., Stand]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (
            "You have exceeded your quota of 45 calls per minute. You will be able to run query again in less than 37 seconds.",
            37,
        ),
        ("You have exceeded your quota of 50 calls per minute. Try again in 12 seconds", 12),
        ("Too many requests (50 calls per 60 seconds). Quota resets after 00:00:12", 12),
        ("The quota will reset in 2 minutes.", 120),
        ('{"error": {"code": "TooManyRequests", "message": "slow down", "retryAfterSeconds": 17}}', 17),
        ("Retry after 9", 9),
        ("The limit of 1500 calls per hour was reached. It will be reset at 2026-01-02T03:00:40Z.", 40),
        ("Too many requests.", None),
        ("", None),
    ],
)
def test_the_time_until_a_quota_resets_is_read_from_the_words(text: str, seconds: int | None) -> None:
    """As the APIs say it; numbers of calls are no times."""
    assert said(text, 1_767_322_800.0) == seconds


def api(base: str) -> Api:
    """A client of an endpoint that nobody asks."""
    return Api(Endpoint("graph", base, "scope"), None, None, 0.0, "", 1)  # type: ignore[arg-type]  # never used


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        ("https://graph.example.com/v1.0/x?$skiptoken=1", True),
        ("https://GRAPH.example.com:443/v1.0/x", True),
        ("/v1.0/x", True),
        ("https://graph.example.com.evil.example/v1.0/x", False),
        ("https://graph.example.com@evil.example/x", False),
        ("https://evil.example/x#graph.example.com", False),
        ("//evil.example/x", False),
        ("http://graph.example.com/v1.0/x", False),
        ("https://graph.example.com:8443/x", False),
        ("https://graph.example.com\\@evil.example/x", False),
        ("file:///etc/passwd", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_links_are_followed_to_the_host_called_only(link: object, *, followed: bool) -> None:
    """Https, the same host and port, no user's name."""
    found = api("https://graph.example.com").follow(link)
    assert (found is not None) == followed
    if found:
        assert origin(found) == ("https", "graph.example.com", 443)


def test_a_path_stands_below_an_endpoint_with_a_path_of_its_own() -> None:
    """A relative link to findings keeps the endpoint's own path."""
    assert (
        api("https://proxy.example.com/arm").follow("/subscriptions/x")
        == "https://proxy.example.com/arm/subscriptions/x"
    )


def test_a_body_that_drips_ends_with_the_runs_time(stand: Make) -> None:
    """However slowly it comes, a body takes no longer than the run has."""
    one = stand()
    row = data.alert("d", 1, one.now - timedelta(minutes=5), one.tenant.id)
    one.tenant.alerts[row["id"]] = row
    one.fake.fault("drip", "graph.alerts", seconds=0.02)
    poller = one.pollers("alert")[0]
    begun = time.monotonic()
    real = replace(poller, clock=replace(poller.clock, now=time.monotonic))
    client = real.api(time.monotonic() + 1.0, Usage())
    with pytest.raises(Exception, match="time for this poll is up"):
        client.get("/v1.0/security/alerts_v2", {})
    assert time.monotonic() - begun < 5


def test_few_remaining_calls_slow_us_down(stand: Make) -> None:
    """Where Resource Manager says that few calls remain, the next waits."""
    one = stand()
    one.tenant.azure.subscriptions["s"] = "Enabled"
    one.tenant.azure.left = 3
    one.poll("assessment")
    assert max(one.time.waits) == 5.0


def test_what_an_api_asked_for_holds_for_the_next_run() -> None:
    """A poller remembers until when it may not ask."""
    moving = Moving()
    one = Stand(time=moving)
    (poller,) = one.pollers("alert")
    first = poller.api(moving.seconds + 400, Usage())
    first.gate.close_until(moving.seconds + 300)
    second = poller.api(moving.seconds + 400, Usage())
    assert second.gate.opens == moving.seconds + 300
