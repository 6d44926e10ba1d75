"""tests/golden/<Table>/in.json -> out.json: what its records become; read the difference before you commit it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from shared.normalise.api import SOURCES, Context
from shared.normalise.decode import Message, Record, decode
from shared.normalise.normaliser import Normaliser

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
ARRIVED = "2026-03-04T10:16:00.000Z"
TENANT, SCAN = "11111111-2222-3333-4444-555555555555", "2026-03-04T10:00:00Z"


def expectation(folder: Path, *, duplicates: bool = False) -> list[dict[str, Any]]:
    """What the records of one folder become: index, id, document, and what was found on the way."""
    normaliser = Normaliser(duplicates=duplicates)
    result = []
    if folder.name in SOURCES:  # in.json is a list of objects of the API
        context = Context(tenant=TENANT, scan=SCAN, evidence=True)
        return [
            {"_index": made.index, "_id": made.id, "_source": made.document}
            for value in orjson.loads((folder / "in.json").read_bytes())
            for made in normaliser.parts(folder.name, value, context, ARRIVED)
        ]
    for record in decode(Message((folder / "in.json").read_bytes())):
        if not isinstance(record, Record):
            raise SystemExit(f"{folder.name}: {record.reject}")
        made = normaliser.normalise(record, normaliser.identify(record), ARRIVED)
        result.append({"_index": made.index, "_id": made.id, "_source": made.document})
    return result


def text(value: Any) -> bytes:
    """JSON as it is committed: sorted keys, two blanks of indent."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def main() -> int:
    """Rewrite every expectation."""
    for folder in sorted(GOLDEN.iterdir()):
        (folder / "out.json").write_bytes(text(expectation(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
