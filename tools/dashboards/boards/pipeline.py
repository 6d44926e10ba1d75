"""Pipeline health, from a document of each run of the app's own (data stream defender_to_elasticsearch.run)."""

from __future__ import annotations

from tools.dashboards.views import BAD, BLUE, DOUBT, EVERYTHING, GREY, OUTCOME, RUN
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Listing,
    Measure,
    Row,
    Top,
    count,
    latest,
    maximum,
    metric,
    over_time,
    table,
    top,
    total,
)

FIELD = "defender_to_elasticsearch.run"
SOURCE = Top(f"{FIELD}.source", "Source", 12)
NOT_OK = f"not {FIELD}.result: ok"
RUNS = total(f"{FIELD}.runs", "Runs")  # a document may tell of several
LAG = Measure("percentile", "Lag, 95%", f"{FIELD}.lag_seconds", unit="seconds")

BOARD = Dashboard(
    key="pipeline",
    title="Defender: Pipeline health",
    about="How the app that ships these documents is doing: lag, throughput, duplicates, dead letters, and what Microsoft changed.",
    questions=(
        "Is anything late, and since when?",
        "How much comes in, and how much of it twice?",
        "Were records refused, and which source is in trouble?",
        "Are there tables or columns that we do not know yet?",
    ),
    controls=(
        Control("Tenant", RUN, "data_stream.namespace"),
        Control("Source", RUN, f"{FIELD}.source"),
        Control("Result", RUN, f"{FIELD}.result"),
    ),
    rows=(
        Row(
            6,
            (
                metric("Documents indexed", RUN, total(f"{FIELD}.indexed", "Indexed")),
                metric("Largest lag", RUN, maximum(f"{FIELD}.lag_seconds", "Lag", "seconds"), colour=DOUBT),
                metric("Dead letters", RUN, total(f"{FIELD}.dead_lettered", "Dead letters"), colour=BAD),
                metric("Runs in trouble", RUN, total(f"{FIELD}.failed", "Runs"), colour=BAD),
            ),
        ),
        Row(
            12,
            (
                over_time("Documents indexed, by source", RUN, total(f"{FIELD}.indexed", "Indexed"), split=SOURCE),
                over_time("Lag, 95%, by source", RUN, LAG, split=SOURCE, chart="line"),
            ),
        ),
        Row(
            12,
            (
                over_time("Runs by result", RUN, RUNS, split=Top(f"{FIELD}.result", "Result", 6), colours=OUTCOME),
                over_time("What did not become a new document", RUN, total(f"{FIELD}.duplicate", "Duplicates"), total(f"{FIELD}.filtered", "Filtered"), total(f"{FIELD}.held", "Held: come again"), total(f"{FIELD}.dead_lettered", "Dead letters"), colours={"Duplicates": BLUE, "Filtered": GREY, "Held: come again": DOUBT, "Dead letters": BAD}),
                over_time("Waiting for Elasticsearch", RUN, total(f"{FIELD}.elasticsearch_seconds", "Seconds"), total(f"{FIELD}.retries", "Retries"), chart="line", colours={"Seconds": BLUE, "Retries": DOUBT}),
            ),
        ),
        Row(
            13,
            (
                table("Sources", RUN, (SOURCE, Top("data_stream.namespace", "Tenant", 5)), (
                    total(f"{FIELD}.indexed", "Indexed"), RUNS, total(f"{FIELD}.failed", "In trouble"), total(f"{FIELD}.dead_lettered", "Dead letters"), LAG, maximum("@timestamp", "Last run"), latest(f"{FIELD}.version", "Version"),
                )),
            ),
        ),
        Row(
            12,
            (
                top("Tables that we do not know", RUN, Top(f"{FIELD}.unknown_tables", "Table"), RUNS),
                top("Columns that we do not know", RUN, Top(f"{FIELD}.unknown_columns", "Column"), RUNS),
                over_time("Documents with a value that could not be used", EVERYTHING, count(), split=Top("data_stream.dataset", "Data stream", 8), where="error.message: *"),
            ),
        ),
        Row(12, (Listing("Runs in trouble, newest first", RUN, (f"{FIELD}.source", f"{FIELD}.tenant", f"{FIELD}.result", f"{FIELD}.failed", f"{FIELD}.held", f"{FIELD}.retries", f"{FIELD}.lag_seconds", "error.message"), where=NOT_OK),)),
    ),
)  # fmt: skip
