"""What an Elasticsearch would hold: bulk bodies at the network's seam, `create` by `_id`, latest views by external version."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.ship.client import Reply


@dataclass
class Index:
    """Documents by id, and how often each was sent. fail: called before a request is taken; may raise."""

    documents: dict[str, Any] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    views: dict[str, tuple[int, Any]] = field(
        default_factory=dict
    )  # (version, document or None where it was taken out)
    fail: Callable[[], None] = lambda: None
    parse: bool = True  # whether documents are kept, or only their ids
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: bytes, seconds: float) -> Reply:
        """One bulk request."""
        with self.lock:
            self.fail()
            lines = iter(body.splitlines())
            items = []
            for line in lines:
                action = orjson.loads(line)
                items.append(self._one(action, b"null" if "delete" in action else next(lines)))
        return Reply(200, {"errors": any("error" in next(iter(item.values())) for item in items), "items": items})

    def _one(self, action: dict[str, Any], source: bytes) -> dict[str, Any]:
        ((operation, words),) = action.items()
        id = words["_id"]
        self.sent[id] += 1
        if operation in ("index", "delete"):
            if id in self.views and self.views[id][0] >= words["version"]:
                return {
                    operation: {
                        "status": 409,
                        "error": {"type": "version_conflict_engine_exception", "reason": "older"},
                    }
                }
            there = self.views.get(id, (0, None))[1] is not None
            self.views[id] = (words["version"], orjson.loads(source))
            return {operation: {"status": 201 if operation == "index" else 200 if there else 404}}
        if id in self.documents:
            return {
                operation: {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "there"}}
            }
        self.documents[id] = orjson.loads(source) if self.parse else None
        return {operation: {"status": 201}}
