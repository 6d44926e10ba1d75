"""Pipeline health, from a document of each run of the app's own (data stream defender_to_elasticsearch.run)."""

from __future__ import annotations

from tools.dashboards.views import BAD, DOUBT, EVERYTHING, GOOD, GREY, OUTCOME, RUN
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
        Control("Tenant", RUN, f"{FIELD}.tenant"),
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
                metric("Runs in trouble", RUN, count("Runs"), where=NOT_OK, colour=BAD),
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
                over_time("Runs by result", RUN, count("Runs"), split=Top(f"{FIELD}.result", "Result", 6), colours=OUTCOME),
                over_time("What did not become a new document", RUN, total(f"{FIELD}.duplicate", "Duplicates"), total(f"{FIELD}.filtered", "Filtered"), total(f"{FIELD}.dead_lettered", "Dead letters"), colours={"Duplicates": DOUBT, "Filtered": GREY, "Dead letters": BAD}),
                over_time("Waiting for Elasticsearch", RUN, Measure("average", "Seconds a run", f"{FIELD}.elasticsearch_seconds", unit="seconds"), chart="line", colours={"Seconds a run": GOOD}),
            ),
        ),
        Row(
            13,
            (
                table("Sources", RUN, (SOURCE, Top(f"{FIELD}.tenant", "Tenant", 5)), (
                    total(f"{FIELD}.indexed", "Indexed"), count("Runs"), count("In trouble", NOT_OK), total(f"{FIELD}.dead_lettered", "Dead letters"), LAG, maximum("@timestamp", "Last run"), latest(f"{FIELD}.version", "Version"),
                )),
            ),
        ),
        Row(
            12,
            (
                top("Tables that we do not know", RUN, Top(f"{FIELD}.unknown_tables", "Table"), count("Runs")),
                top("Columns that we do not know", RUN, Top(f"{FIELD}.unknown_columns", "Column"), count("Runs")),
                over_time("Documents with a value that could not be used", EVERYTHING, count(), split=Top("data_stream.dataset", "Data stream", 8), where="error.message: *"),
            ),
        ),
        Row(12, (Listing("Runs in trouble, newest first", RUN, (f"{FIELD}.source", f"{FIELD}.tenant", f"{FIELD}.result", f"{FIELD}.retries", f"{FIELD}.lag_seconds", "error.message"), where=NOT_OK),)),
    ),
)  # fmt: skip
