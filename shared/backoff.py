"""How long to wait before asking or sending again: jittered exponential delays, and the server's Retry-After."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_DELAY = 0.5  # seconds
LONGEST_DELAY = 30.0
LONGEST_RETRY_AFTER = 600.0  # a date years ahead must not silence us until the next restart


def wait_for(seconds: float, stop: threading.Event) -> None:
    """Sleep, or less if `stop` is set meanwhile."""
    stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, replaceable in tests: `now` is monotonic (deadlines are on it), `wall` is epoch seconds."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    wait: Callable[[float, threading.Event], None] = wait_for
    chance: Callable[[], float] = random.random
    first_delay: float = FIRST_DELAY
    longest_delay: float = LONGEST_DELAY

    def delay(self, failures: int) -> float:
        """Seconds before the try after so many failures in a row: doubled each time, capped, half of it by chance."""
        full = min(self.longest_delay, self.first_delay * 2.0 ** min(max(failures, 1) - 1, 30))
        return full * (0.5 + self.chance() / 2)


def retry_after(value: str | None, wall: float) -> float | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date (RFC 9110, 10.2.3); None if unreadable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - wall
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


@dataclass(slots=True)
class Gate:
    """The moment before which nobody may send, because the server asked for quiet; shared by all senders."""

    opens: float = 0.0  # on the monotonic clock
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close_until(self, moment: float) -> None:
        """Keep the gate shut until `moment` at least."""
        with self.lock:
            self.opens = max(self.opens, moment)
