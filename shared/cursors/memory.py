"""The promise of `store` in a dict: for tests, and for a poll by hand that leaves no cursor behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.cursors.cursor import Corrupt, Cursor
from shared.cursors.store import Busy, Lost


class MemoryTaken:
    """A cursor of a dict that is ours until somebody takes it away."""

    def __init__(self, store: MemoryCursors, cursor: Cursor) -> None:
        self.cursor = cursor
        self.put_aside: str | None = None
        self._store = store

    def save(self, cursor: Cursor) -> None:
        """Write the cursor."""
        self.check()
        self._store.blobs[cursor.name] = cursor.written()
        self.cursor = cursor

    def check(self) -> None:
        """Raise Lost where it was taken away."""
        if self._store.owners.get(self.cursor.name) is not self:
            raise Lost(f"the lease of cursor {self.cursor.name} was lost.")


class MemoryCursors:
    """Cursors by name; `blobs` are their bytes, `owners` who has taken which."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.owners: dict[str, MemoryTaken] = {}
        self._lock = threading.Lock()

    @contextmanager
    def take(self, fresh: Cursor) -> Iterator[MemoryTaken]:
        """The cursor of this name, or `fresh`; raises Busy where it is taken."""
        with self._lock:
            if fresh.name in self.owners:
                raise Busy(f"{fresh.name} is being read by somebody else.")
            taken = self.owners[fresh.name] = MemoryTaken(self, fresh)
        try:
            data = self.blobs.get(fresh.name)
            if data is not None:
                try:
                    taken.cursor = Cursor.parse(data)
                except Corrupt as error:
                    taken.put_aside = str(error)
            yield taken
        finally:
            with self._lock:
                if self.owners.get(fresh.name) is taken:
                    del self.owners[fresh.name]
