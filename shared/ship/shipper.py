"""A stream of documents -> Elasticsearch by a few senders at once, booked in the report, with what must be put away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context

from shared.backoff import Clock, Gate
from shared.errors import Misconfigured, Retry
from shared.report import Report
from shared.settings import Settings
from shared.ship.bulk import Line, chunks
from shared.ship.client import Post, client_post, credential_setting
from shared.ship.dead_letter import DeadLetter
from shared.ship.delivery import Delivery, Settled
from shared.ship.document import Document

logger = logging.getLogger("defender.ship")

SMALLEST_LIMIT = 10_000  # bytes; below it a refused request is halved each time instead of learnt from


class Shipper:
    """Ships batches; one per process, safe to use from several threads at once.

    What it keeps between batches: the client's connections, the server's last Retry-After, and a smaller limit for
    requests if the server refused one as too large.
    """

    def __init__(self, settings: Settings, *, post: Post | None = None, clock: Clock | None = None) -> None:
        """`post` sends one bulk body (by default through the `elasticsearch` client, opened at the first need)."""
        self._settings = settings
        self._post = post or client_post(settings)
        self._clock = clock or Clock()
        self._gate = Gate()
        self._max_bytes = settings.bulk_max_bytes

    def ship(self, documents: Iterable[Document], report: Report, *, source: str, deadline: float) -> list[DeadLetter]:
        """Send every document and return, as dead letters not yet written or booked, those that can never be indexed.

        `documents` is read lazily, in this thread, at most `bulk_concurrency` chunks ahead of what is settled.
        `deadline` is on the clock's monotonic time (`time.monotonic()`). Indexed, duplicate and failure_store are
        booked in `report`, also when this raises: Retry if anything is still owed when the time is up, Misconfigured
        at once if a setting, a privilege or a template has to be mended, or whatever `documents` raises.
        """
        stop = threading.Event()
        delivery = Delivery(
            post=self._post,
            source=source,
            credential=credential_setting(self._settings),
            deadline=deadline,
            clock=self._clock,
            gate=self._gate,
            stop=stop,
            too_large=self._learn,
        )
        result = Result(report)
        senders = self._settings.bulk_concurrency
        under_way: set[Future[Settled]] = set()
        complete = False
        with ThreadPoolExecutor(senders, thread_name_prefix="bulk") as pool:
            try:
                for chunk in chunks(documents, self._settings.bulk_max_documents, lambda: self._max_bytes):
                    if len(under_way) >= senders:
                        finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                        result.book(finished)
                    if result.stuck:
                        result.settled.owed += len(chunk)
                        break
                    under_way.add(pool.submit(copy_context().run, deliver, delivery, chunk))
                else:
                    complete = True
                while under_way and not result.stuck:
                    finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    result.book(finished)
            finally:  # done, stuck, or `documents` raised: nobody sleeps on, what was settled is booked all the same
                stop.set()
                result.book(wait(under_way).done)
        result.hold(complete=complete)
        return result.settled.dead_letters

    def _learn(self, size: int) -> None:
        """Keep later requests smaller than one that was refused as too large."""
        half = max(size // 2, SMALLEST_LIMIT)
        if half < self._max_bytes:
            logger.warning(
                "Elasticsearch refused a bulk request of %d bytes as too large: from now on at most %d. "
                "Lower BULK_MAX_BYTES or raise http.max_content_length.",
                size,
                half,
            )
            self._max_bytes = half


def deliver(delivery: Delivery, chunk: list[Line]) -> Settled:
    """What a sender runs; a bug in it stops the others at once."""
    try:
        return delivery.deliver(chunk)
    except BaseException:
        delivery.stop.set()
        raise


class Result:
    """The sum of what became of the chunks, booked in the report by the thread that owns it."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.settled = Settled()

    @property
    def stuck(self) -> bool:
        """Whether sending more is pointless."""
        return self.settled.owed > 0 or self.settled.misconfigured is not None

    def book(self, finished: Iterable[Future[Settled]]) -> None:
        """Add what became of some chunks; a bug in a sender comes out here."""
        for future in finished:
            part = future.result()
            for table, number in part.indexed.items():
                self.report.count("indexed", table, number)
            for table, number in part.duplicate.items():
                self.report.count("duplicate", table, number)
            self.report.failure_store.update(part.failure_store)
            self.report.requests += part.requests
            self.report.retries += part.retries
            self.report.bytes_sent += part.bytes_sent
            self.report.elasticsearch_seconds += part.seconds
            self.settled.dead_letters += part.dead_letters
            self.settled.owed += part.owed
            self.settled.why = (part.why if part.owed else "") or self.settled.why
            self.settled.misconfigured = self.settled.misconfigured or part.misconfigured

    def hold(self, *, complete: bool) -> None:
        """Raise Misconfigured or Retry while anything is owed."""
        settled = self.settled
        if settled.misconfigured is not None:
            raise Misconfigured(settled.misconfigured.setting, settled.misconfigured.sentence)
        if settled.owed:
            more = "" if complete else " and the rest of the batch"
            raise Retry(f"{settled.owed} documents{more} are still owed to Elasticsearch: {settled.why or 'stopped'}")
