"""Environment -> the parts that an invocation works with, opened once per process and again after they proved wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.settings import Settings

if TYPE_CHECKING:
    from shared.flows import Parts


def open_from_environment() -> Parts:
    """Read the settings and open what they name; raise `Misconfigured` for a wrong setting.

    The flow is imported here, not with the app: the host indexes without it, and a process that only answers health
    checks never loads it.
    """
    from shared.flows import open_parts

    return open_parts(Settings.read(os.environ))


class SharedParts:
    """The parts that all invocations of this process share, opened at the first `take`."""

    def __init__(self, opened_by: Callable[[], Parts] = open_from_environment) -> None:
        """Nothing is opened yet; `opened_by` does it when needed."""
        self._open = opened_by
        self._lock = threading.Lock()
        self._parts: Parts | None = None

    def take(self) -> Parts:
        """The open parts; whoever comes while they are being opened waits. What opening raises is not remembered."""
        with self._lock:
            if self._parts is None:
                self._parts = self._open()
            return self._parts

    def drop(self, parts: Parts | None) -> None:
        """Open anew at the next `take`, unless another invocation has replaced `parts` already.

        The old ones are not closed: other invocations may be at work with them.
        """
        with self._lock:
            if parts is not None and self._parts is parts:
                self._parts = None


PARTS = SharedParts()
