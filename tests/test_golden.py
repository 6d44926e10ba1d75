"""Golden pairs: what real-looking records of every table become, read like documentation."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from shared.normalise.tables import FAMILIES
from tools.write_golden import GOLDEN, expectation, text

FOLDERS = sorted(GOLDEN.iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_records_become_what_is_written_down(folder: Path) -> None:
    """The documents of a folder's records are its out.json, to the byte."""
    expected = (folder / "out.json").read_bytes()
    assert orjson.loads(text(expectation(folder))) == orjson.loads(expected), (
        "read the difference; if it is meant: make golden"
    )
    assert text(expectation(folder)) == expected


def test_every_table_has_a_golden_pair() -> None:
    """Every table we map has a folder with at least one record."""
    missing = set(FAMILIES) - {folder.name for folder in FOLDERS}
    assert not missing, f"write tests/golden/<Table>/in.json for {sorted(missing)}, then make golden"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_duplicates_only_add(folder: Path) -> None:
    """With vendor duplicates kept, a document has all it has without them, and more."""
    for lean, full in zip(expectation(folder), expectation(folder, duplicates=True), strict=True):
        lean_fields, full_fields = dict(leaves(lean["_source"])), dict(leaves(full["_source"]))
        assert lean["_id"] == full["_id"]
        assert lean_fields.items() <= full_fields.items()


def leaves(value: object, path: str = "") -> list[tuple[str, str]]:
    """Every field of a document with its value as text."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}")]
    return [(path, orjson.dumps(value).decode())]
