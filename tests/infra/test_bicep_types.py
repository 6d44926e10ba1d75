"""The comparison with Microsoft's resource types, on a small clone with made-up types of their form."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.bicep_types import main


def of(place: int) -> dict[str, str]:
    """A reference to another type of the file."""
    return {"$ref": f"#/{place}"}


def prop(place: int, flags: int = 0) -> dict[str, Any]:
    """A property: 1 required, 2 read-only."""
    return {"type": of(place), "flags": flags}


TYPES: list[dict[str, Any]] = [
    {"$type": "ResourceType", "name": "Example.Kitchen/stoves@2024-01-01", "body": of(1)},
    {"$type": "ObjectType", "name": "stove", "properties": {"name": prop(3, 9), "location": prop(3), "properties": prop(2), "tags": prop(6)}},
    {"$type": "ObjectType", "name": "inner", "properties": {"fuel": prop(5), "plates": prop(7), "on": prop(4), "made": prop(3, 2), "size": prop(3, 1)}},
    {"$type": "StringType"},
    {"$type": "BooleanType"},
    {"$type": "UnionType", "elements": [of(8), of(9)]},
    {"$type": "ObjectType", "name": "tags", "properties": {}, "additionalProperties": of(3)},
    {"$type": "ArrayType", "itemType": of(10)},
    {"$type": "StringLiteralType", "value": "gas"},
    {"$type": "StringLiteralType", "value": "wood"},
    {"$type": "DiscriminatedObjectType", "discriminator": "kind", "baseProperties": {}, "elements": {"round": of(11)}},
    {"$type": "ObjectType", "name": "round", "properties": {"kind": prop(3, 1), "width": prop(12)}},
    {"$type": "IntegerType"},
]  # fmt: skip
STOVE = """\
param round bool
resource stove 'Example.Kitchen/stoves@2024-01-01' = {
  name: 'x'
  tags: { any: 'thing' }
  properties: {
    size: 'large'
    on: true
    fuel: round ? 'gas' : 'wood'
    plates: [for n in [1, 2]: {
      kind: 'round'
      width: 20
    }]
  }
}
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose newest commit has the types above."""
    place = tmp_path / "clone" / "generated" / "example" / "example.kitchen" / "2024-01-01"
    place.mkdir(parents=True)
    (place / "types.json").write_text(json.dumps(TYPES))
    git = ["git", "-C", str(tmp_path / "clone"), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "types"]):
        subprocess.run([*git, *words], check=True)
    return tmp_path / "clone"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", ""),
        ("2024-01-01", "2023-01-01", "there is no Example.Kitchen/stoves@2023-01-01"),
        ("    on: true", "    an: true", "stove.properties.an is unknown"),
        ("    on: true", "    made: 'x'", "stove.properties.made is read-only"),
        ("    size: 'large'\n", "", "stove.properties.size is missing"),
        ("'wood'", "'coal'", "stove.properties.fuel: 'coal' is none of gas, wood"),
        ("on: true", "on: 'true'", "stove.properties.on is of another kind"),
        ("width: 20", "width: '20'", "stove.properties.plates[].width is of another kind"),
        ("kind: 'round'", "kind: 'oval'", "stove.properties.plates[].kind: 'oval' is none of round"),
        ("    size: 'large'", "    sise: 'large'", "stove.properties.sise is unknown"),
    ],
)
def test_what_does_not_fit_is_told(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    """Versions, unknown, read-only and missing properties, words and kinds, behind conditions and loops."""
    folder = tmp_path / f"infra{abs(hash(new))}"
    folder.mkdir()
    (folder / "a.bicep").write_text(STOVE.replace(old, new) if old else STOVE)
    assert main([str(clone), str(folder)]) == (1 if words else 0)
    told = capsys.readouterr().err
    assert words in told
    assert bool(told) == bool(words)
