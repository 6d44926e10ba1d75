"""Timers through Microsoft's runtime: real msal, the fake of Microsoft's APIs over TLS, real Elasticsearch and blob store."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from local import demo_polls
from local.elasticsearch import LocalElasticsearch
from local.microsoft import Microsoft, Tenant
from shared.poll_settings import SOURCES
from tests.functions.app_process import Ran, environment, http, run_app, timer
from tests.functions.conftest import SECRET


def lines(ran: Ran) -> list[dict[str, Any]]:
    """What each sweep told in its line."""
    return [json.loads(record["text"]) for record in ran.logged("defender.run")]


def test_every_source_is_polled_once_and_then_only_what_is_new(
    polling: dict[str, str], elasticsearch_server: LocalElasticsearch, namespace: str
) -> None:
    """Two rounds of every timer: the second finds nothing new, health is whole, and every document is where it belongs."""
    names = [f"{source}_poll" for source in SOURCES]
    ran = run_app(polling, [*map(timer, names), *(timer(name, late=True) for name in names), http("health")])

    assert [answer.get("error") for answer in ran.answers[:-1]] == [None] * 10
    told = lines(ran)
    assert {line["ended"] for line in told} == {"finished"}
    first, second = Counter[str](), Counter[str]()
    for line in told[: len(told) // 2]:
        first[line["source"]] += line["indexed"]
        assert line["held"] == 0
    for line in told[len(told) // 2 :]:
        second[line["source"]] += line["indexed"]
    assert first["incident"] == demo_polls.INCIDENTS  # their alerts are the source alert's
    assert first["vulnerability"] == demo_polls.FLAWS
    assert second.total() == 0

    health = json.loads(ran.answers[-1]["body"])
    assert health["reasons"] == []
    with elasticsearch_server.client() as admin:
        admin.indices.refresh(index=f"logs-*-{namespace}")
        counts = {
            name: admin.count(index=f"logs-{name}-{namespace}")["count"]
            for name in ("m365_defender.alert", "m365_defender.incident", "m365_defender.vulnerability")
        }
        admin.indices.refresh(index=f"m365_defender.*_latest-{namespace}")
        latest = admin.count(index=f"m365_defender.alert_latest-{namespace}")["count"]
    assert counts == {
        "m365_defender.alert": demo_polls.ALERTS,
        "m365_defender.incident": demo_polls.INCIDENTS,
        "m365_defender.vulnerability": demo_polls.FLAWS,
    }
    assert latest == demo_polls.ALERTS


def test_what_a_person_has_to_mend_is_raised_and_shows_no_secret(
    polling: dict[str, str], fake: Microsoft, tenant: Tenant
) -> None:
    """A wrong secret fails the invocation with the setting's name; once it is right, the next time is enough."""
    ran = run_app(
        polling | {"CLIENT_SECRET": "wrong-secret-value"},
        [timer("alert_poll"), http("health"), environment(CLIENT_SECRET=SECRET), timer("alert_poll"), http("health")],
    )
    refused, sick, _, good, whole = ran.answers
    assert not refused["ok"]
    assert "CLIENT_SECRET" in refused["error"]
    assert "alert" in json.loads(sick["body"])["reasons"][0]
    assert good["ok"]
    assert json.loads(whole["body"])["reasons"] == []
    assert "wrong-secret-value" not in json.dumps([ran.answers, ran.logs])
    assert SECRET not in json.dumps([ran.answers, ran.logs])


def test_an_api_that_is_down_ends_the_run_cleanly(polling: dict[str, str], fake: Microsoft) -> None:
    """The invocation succeeds, the line says why nothing came, and other sources are not touched."""
    fault = fake.fault("status", "graph.*", status=503)
    try:
        ran = run_app(polling | {"POLL_SECONDS": "8"}, [timer("alert_poll"), timer("log_poll")])
    finally:
        fake.faults.remove(fault)
    down, up = (next(line for line in lines(ran) if line["source"] == source) for source in ("alert", "log"))
    assert [answer["ok"] for answer in ran.answers] == [True, True]
    assert down["result"] == "retry" or down["ended"] == "out_of_time"
    assert down["indexed"] == 0
    assert up["ended"] == "finished"
    assert up["indexed"] > 0
