"""tools/dashboards/boards -> infra/elastic/dashboards/defender.ndjson (Kibana saved objects, all in one import) and docs/dashboards.md."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.dashboards.boards import DASHBOARDS
from tools.dashboards.page import page
from tools.dashboards.saved_objects import ndjson
from tools.freshness import write_or_compare

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "infra" / "elastic" / "dashboards"


def files() -> dict[Path, str]:
    """Every file by its path."""
    return {FOLDER / "defender.ndjson": ndjson(DASHBOARDS), ROOT / "docs" / "dashboards.md": page()}


def main() -> int:
    """Write the files, or with --check say whether they are fresh."""
    return write_or_compare(files(), FOLDER, "*.ndjson")


if __name__ == "__main__":
    sys.exit(main())
