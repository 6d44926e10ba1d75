"""Each dashboard as a picture, out of what a real Elasticsearch answers on a made-up week: docs/dashboards/*.png.

Not made by `make generate`: fonts differ from machine to machine. Look at the pictures before you commit them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from local.elasticsearch import elasticsearch
from local.setup import install
from tools.dashboards.answers import END, TIME, answers, fill
from tools.dashboards.boards import DASHBOARDS
from tools.dashboards.picture import picture
from tools.dashboards.vocabulary import Text
from tools.dashboards.week import week

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "dashboards"


def main() -> int:
    """Draw those named on the command line, or all."""
    missing = install("elasticsearch")
    if missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with elasticsearch() as server:
        client = server.client()
        fill(client, week(END))
        for dashboard in DASHBOARDS:
            if len(sys.argv) > 1 and dashboard.key not in sys.argv[1:]:
                continue
            found = list(answers(client, dashboard))
            for panel, rows in found:
                if not rows and not isinstance(panel, Text):
                    sys.stderr.write(f"{dashboard.key}: {panel.title} has no rows\n")
            (FOLDER / f"{dashboard.key}.png").write_bytes(picture(dashboard, found, TIME.of(dashboard.last)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
