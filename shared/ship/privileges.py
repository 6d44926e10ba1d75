"""What shipping may do in Elasticsearch and nothing more, by index: the one list for roles, health, docs, and for naming what a refusal lacks.

`tools.write_roles` makes infra/elastic/security from it (issue 6, "Least privilege").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from shared.ship.latest import VIEWS

# Of data streams. auto_configure makes them out of their template and maps new fields, create_doc adds documents and changes none.
STREAM = ("auto_configure", "create_doc")

GRANTED = re.compile(r"this action is granted by the (?:index|cluster) privileges \[([^\]]*)\]")


def needed(index: str) -> tuple[str, ...]:
    """What shipping needs to be granted on a data stream or latest view."""
    return next((view.privileges for view in VIEWS.values() if fnmatchcase(index, view.pattern)), STREAM)


def lacking(words: str, indices: Sequence[str] = ()) -> str | None:
    """The privilege that Elasticsearch's words for a refusal (403) ask for; None where they name none.

    Elasticsearch lists all privileges that would do, from the narrowest on: ours among them is meant, else the first.
    """
    found = GRANTED.search(words)
    if found is None:
        return None
    would_do = [name.strip() for name in found[1].split(",")]
    ours = [name for index in indices for name in needed(index)]
    return next((name for name in ours if name in would_do), would_do[0])
