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
    views: dict[str, tuple[int, Any]] = field(default_factory=dict)
    fail: Callable[[], None] = lambda: None
    parse: bool = True  # whether documents are kept, or only their ids
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: bytes, seconds: float) -> Reply:
        """One bulk request."""
        with self.lock:
            self.fail()
            lines = body.splitlines()
            items = [
                self._one(orjson.loads(action), source) for action, source in zip(lines[::2], lines[1::2], strict=True)
            ]
        return Reply(200, {"errors": any("error" in next(iter(item.values())) for item in items), "items": items})

    def _one(self, action: dict[str, Any], source: bytes) -> dict[str, Any]:
        ((operation, words),) = action.items()
        id = words["_id"]
        self.sent[id] += 1
        if operation == "index":
            if id in self.views and self.views[id][0] >= words["version"]:
                return {
                    operation: {
                        "status": 409,
                        "error": {"type": "version_conflict_engine_exception", "reason": "older"},
                    }
                }
            self.views[id] = (words["version"], orjson.loads(source))
            return {operation: {"status": 201}}
        if id in self.documents:
            return {
                operation: {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "there"}}
            }
        self.documents[id] = orjson.loads(source) if self.parse else None
        return {operation: {"status": 201}}
