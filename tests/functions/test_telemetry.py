"""Telemetry: what is sent of a run, proven against a local ingestion endpoint, within bounds of size and names."""

from __future__ import annotations

import json
import logging
import secrets
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from opentelemetry.metrics import get_meter_provider, set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from local.ingestion import LocalIngestion, ingestion
from shared import telemetry
from shared.instruments import INSTRUMENTS
from shared.report import OUTCOMES, Drift, Report
from tests.functions.app_process import ROOT, event_hub, flush, run_app
from tests.functions.test_event_hub import body, record

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z

EVERY_SPAN = {
    "OTEL_TRACES_SAMPLER": "always_on"
}  # the exporter sends about five traces a second, by chance, if not told


def full_report(source: str = "xdr") -> Report:
    """A run that has something of everything."""
    report = Report(source, messages=2, bytes_received=900, requests=4, retries=1, elasticsearch_seconds=2.0)
    for number, outcome in enumerate(OUTCOMES, 1):
        report.received["AlertInfo"] += number
        report.count(outcome, "AlertInfo", number)
    report.failure_store["AlertInfo"] = 1
    report.unknown_tables["NewTable"] = 2
    report.unknown_columns[("AlertInfo", "NewColumn")] = 3
    report.unknown_actions[("DeviceEvents", "NewAction")] = 4
    report.unknown_members[("AlertInfo", "Severity", "Apocalyptic")] = 6
    report.unconverted[("AlertInfo", "Timestamp", "number", "date")] = 5
    report.newest_enqueued, report.oldest_enqueued = NOW - 10, NOW - 70
    report.newest_event, report.oldest_event = "2026-01-02T03:04:00.1234567Z", "2026-01-01T03:04:05Z"
    return report


@pytest.fixture(scope="session")  # the SDK takes one provider per process
def reader() -> InMemoryMetricReader:
    """The SDK's own reader, set before any instrument is asked to record: all tests of the process share it."""
    result = InMemoryMetricReader()
    set_meter_provider(MeterProvider([result]))
    assert isinstance(get_meter_provider(), MeterProvider)
    return result


def measured(reader: InMemoryMetricReader, source: str) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """Per metric the attributes and data points of one source."""
    data = reader.get_metrics_data()
    return {
        metric.name: [
            (dict(point.attributes), point)
            for point in metric.data.data_points
            if point.attributes and source in (point.attributes.get("source"), point.attributes.get("credential"))
        ]
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if scope.scope.name == telemetry.SCOPE
    }


def test_every_declared_instrument_is_sent_with_its_attributes_and_nothing_else(reader: InMemoryMetricReader) -> None:
    """What pages and queries are checked against is what is sent."""
    telemetry.record(full_report("everything"), seconds=1.5, now=NOW)
    telemetry.new_drift([(Drift("table", "NewTable"), "everything")])
    telemetry.credential("everything", 12.5)

    found = measured(reader, "everything")
    assert set(found) == {instrument.name for instrument in INSTRUMENTS}
    for instrument in INSTRUMENTS:
        assert found[instrument.name], instrument.name
        for attributes, _ in found[instrument.name]:
            assert tuple(attributes) == instrument.attributes, instrument.name
    records = {attributes["outcome"]: point.value for attributes, point in found["defender.records"]}
    assert records == {"indexed": 1, "duplicate": 2, "filtered": 3, "dead_lettered": 4}
    assert [point.sum for _, point in found["defender.elasticsearch.seconds"]] == [0.5]
    lags = {attributes["edge"]: point.sum for attributes, point in found["defender.lag.enqueued"]}
    assert lags == {"newest": 10.0, "oldest": 70.0}
    ages = {attributes["edge"]: round(point.sum, 3) for attributes, point in found["defender.lag.event"]}
    assert ages == {"newest": 4.877, "oldest": 86_400.0}


def test_new_drift_is_a_line_for_each_entry_within_bounds(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever is told by log alone gets kind, table and name; a flood ends with how many more there are."""
    with caplog.at_level(logging.WARNING, telemetry.DRIFT_LOGGER):
        telemetry.new_drift([(Drift("type", "DeviceInfo", "OSBuild", "string", "long"), "xdr")])
        telemetry.new_drift((Drift("table", f"New{number}"), "xdr") for number in range(telemetry.MOST_DRIFT_LINES + 7))

    first, *_, last = (json.loads(entry.getMessage()) for entry in caplog.records)
    assert first == {
        "source": "xdr",
        "kind": "type",
        "table": "DeviceInfo",
        "column": "OSBuild",
        "value": "string",
        "expected": "long",
    }
    assert last == {"more": 7}
    assert len(caplog.records) == telemetry.MOST_DRIFT_LINES + 2


def test_records_from_the_future_have_lag_zero(reader: InMemoryMetricReader) -> None:
    """Clocks differ; a histogram takes nothing negative."""
    telemetry.record(
        Report("future", messages=1, newest_enqueued=NOW + 60, newest_event="2027-01-01T00:00:00Z"),
        seconds=0.1,
        now=NOW,
    )

    found = measured(reader, "future")
    for name in ("defender.lag.enqueued", "defender.lag.event"):
        assert [point.sum for _, point in found[name]] == [0.0]


def test_table_names_from_outside_are_bounded(reader: InMemoryMetricReader) -> None:
    """A flood of invented tables makes few time series, and odd names none of their own."""
    report = Report("flood")
    for number in range(telemetry.MOST_TABLES + 300):
        report.unknown_tables[f"Invented{number}"] = 1
    report.unknown_tables["<script>"] = 1
    report.unknown_tables["x" * 200] = 1
    telemetry.record(report, seconds=0.1, now=NOW)

    tables = {attributes["table"] for attributes, _ in measured(reader, "flood")["defender.unknown_tables"]}
    assert len(tables) <= telemetry.MOST_TABLES + 1
    assert "(other)" in tables
    assert "<script>" not in tables


def test_the_line_says_all_and_is_cut_where_it_would_be_too_long() -> None:
    """Totals always stay; names go first, with their number told; odd characters do not break the line."""
    line = telemetry.line_of({"result": "acknowledged", **full_report().as_dict()})
    assert json.loads(line)["unknown_columns"] == {"AlertInfo.NewColumn": 3}

    report = full_report()
    for number in range(200):
        report.unknown_actions[("AlertInfo", f"{number}" + "y" * 500)] = 1
    long = telemetry.line_of({"reason": "z" * 50_000, **report.as_dict()})
    cut = json.loads(long)
    assert len(long) <= telemetry.LINE_LENGTH
    assert cut["shortened"] is True
    assert (cut["received"], cut["indexed"]) == (10, 1)
    assert len(cut["unknown_actions"]) == 21
    assert cut["unknown_actions"]["(others)"] == len(report.unknown_actions) - 20

    for counter in (report.unknown_actions, report.unknown_columns):
        counter.clear()
        counter.update({("\ud800" * 90, f"{number}"): 1 for number in range(200)})  # six characters each in the line
    report.unknown_members.clear()
    report.unknown_members.update({("\ud800" * 90, f"{number}", "x"): 1 for number in range(200)})
    long = telemetry.line_of(report.as_dict())
    assert len(long) <= telemetry.LINE_LENGTH
    assert "unknown_actions" not in json.loads(long)
    assert json.loads(long)["received"] == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", NOW),
        ("2026-01-02T03:04:05.0000000Z", NOW),
        ("2026-01-02T04:04:05+01:00", NOW),
        ("2026-01-02T03:04:05", NOW),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_timestamps_of_documents_are_read(text: str | None, expected: float | None) -> None:
    """With 0 to 7 digits of a second, with or without a zone; anything else is no lag."""
    assert telemetry.epoch(text) == expected


def test_libraries_are_quiet_and_we_are_not() -> None:
    """Requests told at INFO would be exported, which is a request."""
    telemetry.quieten_libraries()

    assert not logging.getLogger("azure.core.pipeline.policies.http_logging_policy").isEnabledFor(logging.INFO)
    assert not logging.getLogger("elastic_transport.transport").isEnabledFor(logging.INFO)
    assert logging.getLogger(telemetry.LOGGER).isEnabledFor(logging.INFO)


def test_without_opentelemetry_only_the_line_is_written() -> None:
    """The package is no condition: metrics and spans are then nothing, and nothing fails."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import logging; logging.basicConfig(format='%(message)s', stream=sys.stdout, level=20)\n"
        "from shared import telemetry; from shared.report import Report\n"
        "with telemetry.span('x', a=1) as opened:\n"
        "    telemetry.record(Report('xdr'), seconds=1.0, now=2.0, into=opened)\n"
        "    telemetry.failed(Report('xdr'), 'bug', ValueError('no'), messages=1, seconds=1.0, into=opened)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert json.loads(lines[0])["result"] == "acknowledged"
    assert json.loads(lines[1])["reason"] == "no"


def of_trace(items: list[dict[str, Any]], trace: str) -> list[dict[str, Any]]:
    """The items that carry the host's operation id."""
    return [item for item in items if item.get("tags", {}).get("ai.operation.id") == trace]


def metric_names(sink: LocalIngestion) -> Counter[str]:
    """How often each metric came in."""
    return Counter(
        metric["name"] for item in sink.of_kind("MetricData") for metric in item["data"]["baseData"]["metrics"]
    )


def test_metrics_span_and_line_arrive_under_the_hosts_operation_id(app_settings: dict[str, str]) -> None:
    """The worker's own exporter, a real run: Application Insights can put all of one invocation together."""
    trace, failing = secrets.token_hex(16), secrets.token_hex(16)
    parent = secrets.token_hex(8)
    with ingestion() as sink:
        run_app(
            app_settings | sink.app_settings() | EVERY_SPAN,
            [
                event_hub(
                    "xdr_stream", [body(record(1), record(2)), b"broken"], trace_parent=f"00-{trace}-{parent}-01"
                ),
                event_hub("defender_cloud_stream", [b"{}"], trace_parent=f"00-{failing}-{parent}-01", retry=4),
                flush(),
            ],
        )

    assert sink.refused == []
    (line,) = [
        item["data"]["baseData"]
        for item in of_trace(sink.of_kind("MessageData"), trace)
        if item["data"]["baseData"]["message"].startswith('{"result"')
    ]
    told = json.loads(line["message"])
    assert (told["result"], told["indexed"], told["dead_lettered"]) == ("acknowledged", 2, 1)
    assert line["severityLevel"] in ("Information", 1)
    spans = of_trace(sink.of_kind("RemoteDependencyData"), trace)
    (run,) = [span for span in spans if span["data"]["baseData"]["name"] == telemetry.SPAN]
    assert run["tags"]["ai.operation.parentId"] == parent
    properties = run["data"]["baseData"]["properties"]
    assert (properties["defender.source"], properties["defender.result"]) == ("xdr", "acknowledged")
    assert (properties["defender.indexed"], properties["defender.messages"]) == ("2", "2")
    below = [span for span in spans if span["tags"].get("ai.operation.parentId") == run["data"]["baseData"]["id"]]
    assert below, "the requests to Elasticsearch are spans below the run"
    names = metric_names(sink)
    assert {"defender.records", "defender.lag.enqueued", "defender.invocation.seconds"} <= set(names)
    assert set(names) & {instrument.name for instrument in INSTRUMENTS} == {
        name for name in names if name.startswith("defender.")
    }
    assert of_trace(sink.of_kind("MessageData"), failing), "each invocation has the operation id that came with it"


def test_a_held_batch_shows_as_failed(app_settings: dict[str, str]) -> None:
    """Span and line of a run that was not acknowledged say so, and show no secret."""
    trace = secrets.token_hex(16)
    with ingestion() as sink:
        run_app(
            app_settings | sink.app_settings() | EVERY_SPAN | {"ELASTICSEARCH_PASSWORD": "wrong-secret"},
            [event_hub("xdr_stream", [body(record(1))], trace_parent=f"00-{trace}-{'1' * 16}-01"), flush()],
        )

    (run,) = [
        span["data"]["baseData"]
        for span in of_trace(sink.of_kind("RemoteDependencyData"), trace)
        if span["data"]["baseData"]["name"] == telemetry.SPAN
    ]
    assert run["success"] is False
    assert run["properties"]["defender.result"] == "misconfigured"
    (line,) = [
        item["data"]["baseData"]
        for item in of_trace(sink.of_kind("MessageData"), trace)
        if item["data"]["baseData"]["message"].startswith('{"result"')
    ]
    assert line["severityLevel"] in ("Error", 3)
    assert "wrong-secret" not in json.dumps(sink.items)
