"""Golden pairs: what real-looking records of every table become, read like documentation."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from shared.normalise.cloud_message import COLUMNS
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


# related.* field -> the fields whose values it holds too; the host of a URL may be an address
RELATED = {
    ("ip",): re.compile(r"(source|destination|host)\.ip|dns\.resolved_ip"),
    ("hosts", "ip"): re.compile(r"host\.(name|id)|(source|destination|url)\.domain|dns\.question\.name"),
    ("user",): re.compile(r"(user(\.target)?|process(\.parent)?\.user)\.(name|id|email)"),
    ("hash",): re.compile(r"(file|process|process\.parent|dll)\.hash\.\w+"),
}
XDR_FOLDERS = [folder for folder in FOLDERS if folder.name not in COLUMNS]


@pytest.mark.parametrize("folder", XDR_FOLDERS, ids=lambda folder: folder.name)
def test_related_fields_are_whole(folder: Path) -> None:
    """Every address, host, account and hash of a record of Defender XDR is in related.*, where investigations begin."""
    missing = []
    for made in expectation(folder):
        related = made["_source"].get("related", {})
        for path, value in leaves(made["_source"]):
            for names in [names for names, fields in RELATED.items() if fields.fullmatch(path[1:])]:
                known = {one.lower() for name in names for one in related.get(name, ())}
                found = orjson.loads(value)
                values = {str(one).lower() for one in (found if isinstance(found, list) else [found])}
                missing += [f"{path[1:]} {one}" for one in values - known if not one.isdigit()]  # user.id 0 of Linux
    assert not missing


def leaves(value: object, path: str = "") -> list[tuple[str, str]]:
    """Every field of a document with its value as text."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}")]
    return [(path, orjson.dumps(value).decode())]
