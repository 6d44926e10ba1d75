"""One chunk of documents -> what became of each: sent, sent again, halved, until nothing is owed or time is up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.backoff import Clock, Gate, retry_after
from shared.errors import Misconfigured, Retry, Verdict
from shared.ship.bulk import Line, body
from shared.ship.client import Post
from shared.ship.dead_letter import DeadLetter
from shared.ship.outcome import Answer, judge

LEAST_SECONDS = 1.0  # a request that may start at all gets this long, even close to the deadline


@dataclass(slots=True)
class Settled:
    """What became of a chunk, by table; `owed` documents have no outcome yet, for the reason in `why`."""

    indexed: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    failure_store: Counter[str] = field(default_factory=Counter)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    owed: int = 0
    why: str = ""
    misconfigured: Misconfigured | None = None
    requests: int = 0
    retries: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0  # waiting for Elasticsearch


@dataclass(slots=True)
class Piece:
    """Documents that are sent together, and how often they were sent already."""

    lines: Sequence[Line]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What all chunks of one `ship` have in common."""

    post: Post
    source: str
    credential: str
    deadline: float  # on clock.now
    clock: Clock
    gate: Gate
    stop: threading.Event  # set: send nothing more
    too_large: Callable[[int], None]  # told the bytes of a request that was refused as too large and then halved

    def deliver(self, chunk: Sequence[Line]) -> Settled:
        """Send a chunk until every document has an outcome, or it can not be had before the deadline.

        Raises nothing on purpose: what stands in the way is in `owed` and `why`, or in `misconfigured`.
        """
        settled = Settled()
        pieces = [Piece(chunk)]
        failures = 0  # in a row, without one document settled
        delay = 0.0
        while pieces and settled.misconfigured is None and self.may_send(delay, settled):
            piece = pieces.pop()
            try:
                answer = self.send(piece, settled)
            except Retry as error:
                answer = Answer(Verdict.RETRY, reason=str(error))
            except Misconfigured as error:
                settled.misconfigured = error
                pieces.append(piece)
                break
            delay = 0.0
            if answer.verdict is Verdict.INDEXED:
                left = self.settle(piece, answer, settled)
                if left:
                    failures = 1 if len(left) < len(piece.lines) else failures + 1
                    delay = self.clock.delay(failures)
                    pieces.append(Piece(left, piece.attempts))
                else:
                    failures = 0
            elif answer.verdict is Verdict.SPLIT:
                self.split(piece, answer, pieces, settled)
            elif answer.verdict is Verdict.MISCONFIGURED:
                settled.misconfigured = answer.misconfigured()
                pieces.append(piece)
            else:
                settled.why = answer.reason
                failures += 1
                delay = self.clock.delay(failures)
                pieces.append(piece)
        settled.owed += sum(len(piece.lines) for piece in pieces)
        return settled

    def may_send(self, delay: float, settled: Settled) -> bool:
        """Wait for the back-off and the server's Retry-After; False where that would end behind the deadline."""
        while not self.stop.is_set():
            now = self.clock.now()
            wait = max(delay, self.gate.opens - now)
            if now >= self.deadline or now + wait > self.deadline:
                settled.why = settled.why or "the time for this batch is up"
                return False
            if wait <= 0:
                return True
            self.clock.wait(wait, self.stop)
            delay = 0.0  # slept; the gate may have been shut for longer meanwhile
        return False

    def send(self, piece: Piece, settled: Settled) -> Answer:
        """Send one piece once and judge the answer."""
        data = body(piece.lines)
        settled.requests += 1
        settled.retries += 1 if piece.attempts else 0
        settled.bytes_sent += len(data)
        piece.attempts += 1
        started = self.clock.now()
        try:
            reply = self.post(data, max(self.deadline - started, LEAST_SECONDS))
        finally:
            settled.seconds += self.clock.now() - started
        answer = judge(
            reply.status, reply.body, [item.document.index for item in piece.lines], credential=self.credential
        )
        asked = retry_after(reply.retry_after, self.clock.wall()) if answer.verdict is Verdict.RETRY else None
        if asked is not None:
            self.gate.close_until(self.clock.now() + asked)
        if answer.verdict is Verdict.SPLIT and reply.status == 413 and len(piece.lines) > 1:
            self.too_large(len(data))
        return answer

    def settle(self, piece: Piece, answer: Answer, settled: Settled) -> list[Line]:
        """Book each document by its position in the answer; the lines that have to be sent again come back."""
        left: list[Line] = []
        for line, item in zip(piece.lines, answer.items, strict=True):
            table = line.document.table
            if item.verdict is Verdict.INDEXED:
                settled.indexed[table] += 1
                if item.failure_store:
                    settled.failure_store[table] += 1
            elif item.verdict is Verdict.DUPLICATE:
                settled.duplicate[table] += 1
            elif item.verdict is Verdict.REJECT:
                settled.dead_letters.append(self.letter(line, item.code, item.reason, piece.attempts))
            else:
                left.append(line)
                settled.why = item.reason
                if item.verdict is Verdict.MISCONFIGURED and settled.misconfigured is None:
                    settled.misconfigured = Misconfigured(item.setting, item.reason)
        return left

    def split(self, piece: Piece, answer: Answer, pieces: list[Piece], settled: Settled) -> None:
        """Halve a piece that is refused as a whole; a document that stands alone becomes a dead letter."""
        if len(piece.lines) == 1:
            settled.dead_letters.append(self.letter(piece.lines[0], answer.code, answer.reason, piece.attempts))
            return
        middle = len(piece.lines) // 2
        pieces.append(Piece(piece.lines[middle:], piece.attempts))
        pieces.append(Piece(piece.lines[:middle], piece.attempts))

    def letter(self, line: Line, code: str, reason: str, attempts: int) -> DeadLetter:
        """The dead letter of a document that Elasticsearch will never take."""
        document = line.document
        return DeadLetter.of(
            document.record,
            code=code,
            reason=reason,
            source=self.source,
            table=document.table,
            id=document.id,
            attempt=attempts,
        )
