"""Alert rules and workbook against a real run: what their queries name is what arrives at a local ingestion endpoint."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from local.elasticsearch import LocalElasticsearch
from local.ingestion import LocalIngestion, ingestion
from tests.fakes.fault_proxy import Fault, Plan, fault_proxy
from tests.functions.app_process import environment, event_hub, flush, run_app, timer
from tests.functions.test_event_hub import body, record
from tools.monitoring import queries

# Elasticsearch here has no failure store, so nothing can be redirected to one; tests/functions/test_telemetry.py has its metric sent.
NOT_HERE = {"defender.records.failure_store"}
# baseType of what the exporter sends -> the table that Application Insights keeps it in
TABLES = {
    "MetricData": "customMetrics",
    "MessageData": "traces",
    "RequestData": "requests",
    "RemoteDependencyData": "dependencies",
    "ExceptionData": "exceptions",
}


def strange() -> dict[str, Any]:
    """A record of a known table with a column, an action, a list's member and a type that are not known."""
    found = record(5)
    found["category"] = "AdvancedHunting-DeviceLogonEvents"
    found["properties"] |= {
        "NewColumn": 1,
        "ActionType": "LogonBySmell",
        "IsLocalAdmin": "perhaps",
        "LogonType": "Telepathy",
    }
    return found


@pytest.fixture
def sent(polling: dict[str, str], elasticsearch_server: LocalElasticsearch) -> LocalIngestion:
    """What an app sends that has read all that is strange, met a busy server, wrong credentials, and swept its sources."""
    unknown = record(6) | {"category": "AdvancedHunting-NewTable"}
    with ingestion() as sink, fault_proxy(elasticsearch_server.url) as proxy:
        proxy.plans["monitoring"] = Plan(1, script=[Fault.BUSY])
        settings = polling | sink.app_settings() | {
            "ELASTICSEARCH_URL": f"{proxy.url}/monitoring",
            "POLL_SOURCES": "alert, assessment",
            "ELASTICSEARCH_API_KEY_EXPIRES": "2099-01-01",
        }  # fmt: skip
        run_app(
            settings | {"ELASTICSEARCH_PASSWORD": "wrong"},
            [
                event_hub("xdr_stream", [body(record(3))]),
                environment(ELASTICSEARCH_PASSWORD=settings["ELASTICSEARCH_PASSWORD"]),
                event_hub("xdr_stream", [body(record(1), record(2), strange(), unknown), b"broken"]),
                timer("alert_poll"),
                timer("assessment_poll"),
                flush(),
            ],
        )
        return sink


def test_what_queries_name_arrives(sent: LocalIngestion) -> None:
    """Every table, metric, attribute and key of a line that an alert or a part of the workbook reads was sent by a real run."""
    tables = {TABLES[item["data"]["baseType"]] for item in sent.items if item["data"]["baseType"] in TABLES}
    metrics: dict[str, set[str]] = {}
    for item in sent.of_kind("MetricData"):
        for metric in item["data"]["baseData"]["metrics"]:
            metrics.setdefault(metric["name"], set()).update(item["data"]["baseData"].get("properties", {}))
    lines = [
        json.loads(item["data"]["baseData"]["message"])
        for item in sent.of_kind("MessageData")
        if item["data"]["baseData"]["message"].startswith('{"result"')
    ]
    keys = set[str]().union(*lines)
    for query in (*queries("alerts"), *queries("workbook")):
        wanted = set(re.findall(r"^(customMetrics|traces)$", query.text, re.MULTILINE))
        assert wanted <= tables, query.name
        here = query.metrics - NOT_HERE
        assert here <= set(metrics), f"{query.name}: {here - set(metrics)} did not arrive"
        if here:
            assert query.dimensions <= set[str]().union(*(metrics[name] for name in here)), query.name
        assert query.keys <= keys, f"{query.name}: {query.keys - keys} is in no line"
    assert {line["result"] for line in lines} >= {"acknowledged", "misconfigured"}
    assert {"finished"} <= {line.get("ended") for line in lines}
