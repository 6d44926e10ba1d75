"""docs/data-streams.md and docs/exported-fields: nothing is forgotten, and examples are golden pairs."""

from __future__ import annotations

import json
import re

import pytest

from functions.probes import DATASETS
from shared.ship.latest import VIEWS
from tools.fields import datasets, fields
from tools.schema import columns
from tools.write_data_streams import ends, example, exported, golden, known, origin, page


def test_every_data_stream_view_and_source_is_on_the_page() -> None:
    """With the links that lead to its section."""
    text = page()
    for dataset in datasets():
        assert f"\n## logs-{dataset}-&lt;namespace&gt;\n" in text
        assert f"[All {len(fields(dataset))} fields](exported-fields/{dataset}.md)" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for source in (
        "XDR_EVENT_HUB",
        "CLOUD_EVENT_HUB",
        *(name for name in DATASETS if "_" not in name and name != "xdr"),
    ):
        assert any(f"`{source}`" in row for row in rows), source
    for view in VIEWS.values():
        assert view.index.format(namespace="<namespace>") in text
    heads = {
        line.removeprefix("## ").replace("&lt;", "").replace("&gt;", "").replace(".", "") for line in text.splitlines()
    }
    assert set(re.findall(r"\]\(#(logs-[^)]+)\)", text)) <= heads


@pytest.mark.parametrize("dataset", datasets())
def test_an_example_is_a_golden_document_without_an_error(dataset: str) -> None:
    """As it stands in out.json, whole."""
    folder, document = example(dataset)
    assert (folder, document) in golden()[dataset]
    assert "error" not in document
    assert json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) in page()


@pytest.mark.parametrize("dataset", datasets())
def test_every_field_is_exported_and_says_where_it_comes_from(dataset: str) -> None:
    """One row for each field of the templates, in their order, none without an origin."""
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$", exported(dataset), re.MULTILINE)
    assert [name for name, _ in rows] == list(fields(dataset))
    assert all(origin for _, origin in rows)


@pytest.mark.parametrize("dataset", datasets())
def test_coverage_counts_every_documented_column_once(dataset: str) -> None:
    """In ECS, in the vendor's fields, or left out; what is left out has its reason in the mapping."""
    found = ends(dataset)
    assert found.total() == sum(len(columns()[table.name]) for table in known(dataset))
    assert found["out"] == sum(len(table.unmapped) for table in known(dataset))


def test_an_origin_is_the_object_that_a_field_lies_in() -> None:
    """Where no row writes the field itself, the nearest one above it; else it is in every document or of records that are not known."""
    filled = {"dns.answers": {"DeviceEvents": None}, "host.name": dict.fromkeys(["A", "B", "C", "D", "E", "F"])}
    assert origin("dns.answers.name", filled) == "DeviceEvents"
    assert origin("host.name", filled) == "A, B, C, D and 2 more"
    assert origin("event.ingested", filled) == "every document"
    assert origin("client.ip", filled) == "records of tables that are not known"
