"""How long documents are kept: the ILM policies that `--ilm` installs instead of data stream lifecycle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

POLICY = "defender_to_elasticsearch"
MOST_AGE = 30  # days after which an index is rolled over that has not grown to its size
PARTS = 7  # indices that a retention is spread over, as whole indices are deleted


def policy_name(days: int | None) -> str:
    """The policy that keeps documents so many days, None: for ever."""
    return POLICY if days is None else f"{POLICY}-{days}d"


def policy(days: int | None) -> dict[str, Any]:
    """The body of its PUT: roll over by size or age, and delete so many days after that."""
    age = MOST_AGE if days is None else max(1, min(MOST_AGE, days // PARTS))
    phases: dict[str, Any] = {
        "hot": {
            "min_age": "0ms",
            "actions": {"rollover": {"max_primary_shard_size": "50gb", "max_age": f"{age}d"}},
        }
    }
    if days is not None:
        phases["delete"] = {"min_age": f"{days}d", "actions": {"delete": {"delete_searchable_snapshot": True}}}
    return {"policy": {"phases": phases, "_meta": {"managed_by": "defender-to-elasticsearch"}}}


def policies(retentions: Iterable[int | None]) -> dict[str, dict[str, Any]]:
    """Name -> body for each retention."""
    return {policy_name(days): policy(days) for days in retentions}
