"""Documents of runs on the real Elasticsearch: what they tell, how seldom, and that nothing waits for them or fails by them."""

from __future__ import annotations

import json
import logging
import re
import secrets
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.elasticsearch import SHIPPER_ROLE, LocalElasticsearch, User
from local.process import free_port
from local.templates import put_templates
from shared import VERSION
from shared.report import OTHERS, OUTCOMES, Report
from shared.runs import (
    AFTER_OUTAGE,
    AFTER_REFUSAL,
    DATASET,
    EVERY,
    GRAVITY,
    KEPT,
    MODULE,
    MOST_NAMES,
    RunLog,
    RunResult,
    Window,
    document,
    window_of,
)
from shared.settings import Settings
from tests.functions.app_process import event_hub, run_app, settle
from tests.functions.test_event_hub import body, record, runs
from tests.functions.test_state import Clock
from tests.test_templates import leaf_names
from tools.run_fields import run_fields

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z
EARLIER_ROLE = {"indices": [{**SHIPPER_ROLE["indices"][0], "names": ["logs-m365_defender.*-*"]}]}


@pytest.fixture
def target(
    elasticsearch_server: LocalElasticsearch, app_settings: dict[str, str], namespace: str
) -> tuple[LocalElasticsearch, Settings]:
    """A server with our templates, above those of other tests, and settings for a namespace of its own."""
    with elasticsearch_server.client() as admin:
        put_templates(admin, namespace=namespace)
        admin.indices.delete_index_template(name=f"functions-{namespace}")
    return elasticsearch_server, Settings.read(app_settings)


def report(source: str = "xdr", **numbers: int) -> Report:
    """A run that received and settled so many records of one table; what has no outcome is held."""
    made = Report(source, requests=2, retries=1, elasticsearch_seconds=0.25, oldest_enqueued=NOW - 90)
    made.received["DeviceInfo"] = numbers.get("held", 0)
    for outcome in OUTCOMES:
        made.count(outcome, "DeviceInfo", numbers.get(outcome, 0))
        made.received["DeviceInfo"] += numbers.get(outcome, 0)
    return made


def noted(log: RunLog, run: Report, settings: Settings, result: RunResult = "ok", **more: Any) -> bool:
    """A run has ended; wait for what is written of it."""
    log.add(run, result, settings, now=more.pop("now", NOW), seconds=1.5, **more)
    begun = log.write(settings)
    log.settle(30)
    return begun


def written(server: LocalElasticsearch, namespace: str) -> list[dict[str, Any]]:
    """The documents of a namespace, oldest first, as stored."""
    with server.client() as admin:
        name = f"logs-{DATASET}-{namespace}"
        admin.indices.refresh(index=name, ignore_unavailable=True)
        found = admin.search(index=name, ignore_unavailable=True, sort=["event.ingested", "event.duration"], size=100)
    return [hit["_source"] for hit in found["hits"]["hits"]]


def warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What was told of documents that were not written."""
    return [entry for entry in caplog.records if entry.name == "defender.runs"]


def own(source: dict[str, Any]) -> dict[str, Any]:
    """What a document tells of its runs."""
    found: dict[str, Any] = source[MODULE]["run"]
    return found


def test_a_run_is_one_document_in_the_fields_of_its_template(target: tuple[LocalElasticsearch, Settings]) -> None:
    """The first run is written at once, with lag, length and names of what is not known, and can be aggregated."""
    server, settings = target
    run = report(indexed=5, duplicate=2, filtered=1, dead_lettered=1)
    run.unknown_tables["DeviceNovelEvents"] += 3
    run.unknown_columns["DeviceInfo", "Novelty"] += 1

    assert noted(RunLog(), run, settings)

    (found,) = written(server, settings.namespace)
    ingested = found["event"].pop("ingested")
    assert ingested > "2026"
    assert found == {
        "@timestamp": "2026-01-02T03:04:05.000Z",
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": settings.namespace},
        "event": {
            "kind": "metric",
            "module": MODULE,
            "dataset": DATASET,
            "outcome": "success",
            "start": "2026-01-02T03:04:03.500Z",
            "duration": 1_500_000_000,
        },
        MODULE: {
            "run": {
                "source": "xdr",
                "result": "ok",
                "runs": 1,
                "failed": 0,
                "received": 9,
                "indexed": 5,
                "duplicate": 2,
                "filtered": 1,
                "dead_lettered": 1,
                "held": 0,
                "requests": 2,
                "retries": 1,
                "lag_seconds": 90.0,
                "elasticsearch_seconds": 0.25,
                "unknown_tables": ["DeviceNovelEvents"],
                "unknown_columns": ["DeviceInfo.Novelty"],
                "version": VERSION,
            }
        },
    }
    with server.client() as admin:
        name = f"logs-{DATASET}-{settings.namespace}"
        mapping = next(iter(admin.indices.get_mapping(index=name).values()))["mappings"]
        sums = admin.search(
            index=name,
            size=0,
            aggs={
                "by": {
                    "terms": {"field": f"{DATASET}.source"},
                    "aggs": {
                        "indexed": {"sum": {"field": f"{DATASET}.indexed"}},
                        "lag": {"percentiles": {"field": f"{DATASET}.lag_seconds", "percents": [95]}},
                    },
                }
            },
        )["aggregations"]["by"]["buckets"]
    assert [(bucket["key"], bucket["indexed"]["value"]) for bucket in sums] == [("xdr", 5.0)]
    assert sums[0]["lag"]["values"]["95.0"] == 90.0
    assert mapping["properties"][MODULE]["properties"]["run"]["properties"].keys() == {
        name.removeprefix(f"{DATASET}.") for name in run_fields()[1]
    }


def test_every_field_of_a_document_is_in_the_template() -> None:
    """Nothing that a document can hold is left to dynamic mapping, and the template names nothing that none can hold."""
    run = report(indexed=1)
    run.unknown_tables["T"] += 1
    run.unknown_columns["T", "C"] += 1
    window = window_of(run, "bug", now=NOW, seconds=1.0, lag=None, why="a sentence")
    ecs, ours = run_fields()
    assert leaf_names(document(("alert", "CONTOSO"), window, "default", NOW)) == {*ecs, *ours}


def test_a_busy_process_writes_one_document_a_minute(target: tuple[LocalElasticsearch, Settings]) -> None:
    """Between two of them runs are summed up, each source and tenant for itself; nothing is counted twice or lost."""
    server, settings = target
    clock = Clock()
    log = RunLog(clock)
    for second in range(121):
        log.add(
            report("alert", indexed=1), "ok", settings, now=NOW + second, seconds=1.0, tenant="ONE", lag=float(second)
        )
        log.add(report("alert", indexed=2), "ok", settings, now=NOW + second, seconds=1.0, tenant="TWO", lag=7.0)
        noted(log, report(indexed=10, duplicate=1), settings, now=NOW + second)
        clock.now += 1

    found = Counter[tuple[str, str]]()
    sums = Counter[tuple[str, str]]()
    for source in map(own, written(server, settings.namespace)):
        key = (source["source"], source.get("tenant", ""))
        found[key] += 1
        sums[key] += source["indexed"]
        assert source["received"] == sum(source[outcome] for outcome in OUTCOMES) + source["held"]
    assert set(found.values()) == {3}
    assert sums == {("xdr", ""): 1_210, ("alert", "ONE"): 121, ("alert", "TWO"): 242}
    last = [own(one) for one in written(server, settings.namespace) if own(one)["runs"] == EVERY]
    assert {one["lag_seconds"] for one in last if one.get("tenant") == "ONE"} == {60.0, 120.0}


def test_trouble_is_told_at_once_but_an_outage_is_no_flood(target: tuple[LocalElasticsearch, Settings]) -> None:
    """The first failure does not wait for the minute, something graver neither; what goes on in the same way does."""
    server, settings = target
    clock = Clock()
    log = RunLog(clock)
    assert noted(log, report(indexed=1), settings)
    assert not noted(log, report(indexed=1), settings)
    assert noted(log, report(held=3), settings, "retry", why="Elasticsearch is busy")
    for _ in range(20):
        assert not noted(log, report(held=3), settings, "retry", why="Elasticsearch is busy")
    assert noted(log, report(held=3), settings, "misconfigured", why="ELASTICSEARCH_API_KEY: lacks a privilege.")
    clock.now += EVERY
    assert noted(log, report(indexed=3), settings)

    first, second, third, last = written(server, settings.namespace)
    assert first["event"]["outcome"] == "success"
    assert own(second) | {"result": "retry", "failed": 1, "runs": 2, "held": 3, "indexed": 1} == own(second)
    assert second["error"]["message"] == "Elasticsearch is busy"
    assert (third["event"]["outcome"], own(third)["failed"], own(third)["held"]) == ("failure", 21, 63)
    assert third["error"]["message"] == "ELASTICSEARCH_API_KEY: lacks a privilege."
    assert (last["event"]["outcome"], own(last)["runs"], "error" in last) == ("success", 1, False)


def test_a_key_of_the_earlier_role_is_told_once_and_tried_again(
    target: tuple[LocalElasticsearch, Settings], app_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Without the privilege runs are kept, one warning names it, and a later attempt succeeds once it is granted."""
    server, _ = target
    name = f"fn-earlier-{secrets.token_hex(3)}"
    user = server.add_user(name, role=EARLIER_ROLE)
    settings = Settings.read(app_settings | server.app_settings(user))
    clock = Clock()
    log = RunLog(clock)
    with caplog.at_level(logging.WARNING, "defender.runs"):
        assert noted(log, report(indexed=1), settings)
        assert not noted(log, report(indexed=1), settings)
        clock.now += AFTER_REFUSAL
        assert noted(log, report(indexed=1), settings)
        (warning,) = warnings(caplog)
        assert "auto_configure" in warning.getMessage()
        assert f"logs-{DATASET}-{settings.namespace}" in warning.getMessage()
        assert written(server, settings.namespace) == []
        server.add_user(name, user.password, role=SHIPPER_ROLE)
        clock.now += AFTER_REFUSAL
        assert noted(log, report(indexed=1), settings)
    assert len(warnings(caplog)) == 1
    (found,) = written(server, settings.namespace)
    assert (own(found)["runs"], own(found)["indexed"]) == (4, 4)


def test_a_missing_template_is_told_and_makes_no_index(
    elasticsearch_server: LocalElasticsearch, caplog: pytest.LogCaptureFixture
) -> None:
    """No plain index with guessed types comes of it: the same rule as for all documents."""
    settings = Settings.read(
        elasticsearch_server.app_settings(elasticsearch_server.admin)
        | {"NAMESPACE": f"none{secrets.token_hex(4)}", "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    )
    with elasticsearch_server.client() as admin:
        taken = admin.indices.simulate_index_template(name=f"logs-{DATASET}-{settings.namespace}")
        if "template" in taken:
            pytest.skip("a test put a template for every namespace on the shared server")
    with caplog.at_level(logging.WARNING, "defender.runs"):
        noted(RunLog(), report(indexed=1), settings)
    assert "template" in caplog.text
    with elasticsearch_server.client() as admin:
        assert not admin.indices.exists(index=f"logs-{DATASET}-{settings.namespace}")


def test_while_elasticsearch_is_away_runs_are_kept_and_then_told(
    target: tuple[LocalElasticsearch, Settings], app_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Held batches of an outage are one document once there is an answer; what is older than `KEPT` is let go."""
    server, settings = target
    away = Settings.read(app_settings | {"ELASTICSEARCH_URL": f"http://127.0.0.1:{free_port()}"})
    clock = Clock()
    log = RunLog(clock)
    with caplog.at_level(logging.WARNING, "defender.runs"):
        for minute in range(5):
            noted(log, report(held=3), away, "retry", why="it can not be reached", now=NOW + 60 * minute)
            clock.now += AFTER_OUTAGE
    assert len(warnings(caplog)) == 1
    noted(log, report(indexed=3), settings, now=NOW + 300)
    (found,) = written(server, settings.namespace)
    assert own(found) | {"runs": 6, "failed": 5, "held": 15, "indexed": 3, "result": "retry"} == own(found)
    assert (found["event"]["outcome"], found["error"]["message"]) == ("failure", "it can not be reached")

    log.add(report(held=3), "retry", settings, now=NOW, seconds=1.0)
    log.add(report(indexed=2), "ok", settings, now=NOW + KEPT + 1, seconds=0.0)
    clock.now += EVERY
    noted(log, report(indexed=2), settings, now=NOW + KEPT + 2)
    assert own(written(server, settings.namespace)[-1]) | {"runs": 2, "held": 0} == own(
        written(server, settings.namespace)[-1]
    )


def test_one_refused_document_does_not_repeat_its_neighbour(
    target: tuple[LocalElasticsearch, Settings],
) -> None:
    """Of two in a request the one that is in is not written again when the other is tried later."""
    server, settings = target
    clock = Clock()
    log = RunLog(clock)
    log.add(report("xdr", indexed=1), "ok", settings, now=NOW, seconds=1.0)
    log.add(report("alert", indexed=1), "ok", settings, now=float("1e11"), seconds=1.0)  # a date that is none
    assert log.write(settings)
    log.settle(30)
    clock.now += AFTER_REFUSAL
    log.write(settings)
    log.settle(30)
    assert [own(one)["source"] for one in written(server, settings.namespace)].count("xdr") == 1


def test_names_from_outside_are_bounded_and_can_be_written() -> None:
    """Of a flood of names some stay and one says that there were others; a lone surrogate hurts nobody."""
    run = Report("xdr")
    for number in range(MOST_NAMES + 9):
        run.unknown_columns["T" * 200, f"C{number:03d}"] += 1
    run.unknown_tables["bad\ud800\x1b[31m"] += 1
    window = window_of(run, "bug", now=NOW, seconds=0.0, lag=None, why="x\ud800" * 2_000)
    window.add(window_of(run, "bug", now=NOW, seconds=0.0, lag=None, why="x\ud800" * 2_000))
    found = own(json.loads(json.dumps(document(("xdr", ""), window, "default", NOW), ensure_ascii=False).encode()))
    assert len(found["unknown_columns"]) == MOST_NAMES + 1
    assert OTHERS in found["unknown_columns"]
    assert found["unknown_tables"] == ["bad\ufffd\ufffd[31m"]


RUN = st.tuples(
    st.sampled_from(GRAVITY), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.floats(0, 1e6) | st.none()
)


@given(st.lists(RUN, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_however_runs_are_gathered_the_sums_are_the_same(made: list[Any], chance: Any) -> None:
    """Adding windows in any grouping keeps every count, the longest lag, the gravest result and the balance."""
    windows = [
        window_of(report(indexed=a, duplicate=b, held=c), result, now=NOW, seconds=1.0, lag=lag, why="")
        for result, a, b, c, lag in made
    ]
    while len(windows) > 1:
        taken = windows.pop(chance.randrange(len(windows)))
        chance.choice(windows).add(taken)
    (whole,) = windows
    assert isinstance(whole, Window)
    assert (whole.runs, whole.failed) == (len(made), sum(run[0] != "ok" for run in made))
    assert whole.result == max((run[0] for run in made), key=GRAVITY.index)
    assert whole.lag == max(90.0 if run[4] is None else run[4] for run in made)
    for name, place in (("indexed", 1), ("duplicate", 2), ("held", 3)):
        assert whole.counts[name] == sum(run[place] for run in made)
    assert whole.counts["received"] == sum(whole.counts[name] for name in (*OUTCOMES, "held"))


def test_the_app_tells_of_its_batches_and_ships_without_the_privilege_too(
    target: tuple[LocalElasticsearch, Settings], app_settings: dict[str, str], namespace: str
) -> None:
    """Through Microsoft's runtime: one document tells of the first batch; a key of the earlier role ships all the same, with one warning."""
    server, _ = target
    ran = run_app(app_settings, [event_hub("xdr_stream", [body(record(1), record(2)), b"broken"]), settle()])
    assert ran.answers[0]["ok"]
    assert ran.logged("defender.runs") == []
    (found,) = written(server, namespace)
    (line,) = runs(ran)
    told = ("received", "indexed", "duplicate", "filtered", "dead_lettered", "held", "requests", "retries")
    assert {name: own(found)[name] for name in told} == {name: line[name] for name in told}
    assert (own(found)["source"], own(found)["result"], own(found)["indexed"]) == ("xdr", "ok", 2)

    user: User = server.add_user(f"fn-old-{secrets.token_hex(3)}", role=EARLIER_ROLE)
    batches = [event_hub("xdr_stream", [body(record(number))]) for number in (3, 4, 5)]
    ran = run_app(app_settings | server.app_settings(user), [*batches, settle()])
    assert [answer["ok"] for answer in ran.answers[:3]] == [True] * 3
    assert [line["indexed"] for line in runs(ran)] == [1, 1, 1]
    assert [entry["level"] for entry in ran.logged("defender.runs")] == ["WARNING"]
    assert len(written(server, namespace)) == 1

    ran = run_app(app_settings | {"SHIP_RUNS": "false"}, [event_hub("xdr_stream", [body(record(6))]), settle()])
    assert ran.answers[0]["ok"]
    assert len(written(server, namespace)) == 1


def test_the_page_names_every_field() -> None:
    """docs/runs.md explains all that a document tells of its runs, and nothing else."""
    page = (Path(__file__).resolve().parent.parent.parent / "docs" / "runs.md").read_text()
    named = set(
        re.findall(r"`([a-z_]+)`", "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `")))
    )
    assert named == {name.removeprefix(f"{DATASET}.") for name in run_fields()[1]}


def test_the_version_is_that_of_the_project() -> None:
    """pyproject.toml is not deployed, so the number stands twice; they are the same."""
    project = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION
