"""One API, one tenant: GET with a token, throttling honoured, retries within the time there is, links only to the host called.

What comes out is a complete body, or one of:

- Refused      403, 401 twice: a permission or role is missing (Misconfigured, naming it)
- Gone         404, 410: the thing is not there
- BadRequest   400: the query, or a link, is not taken
- PageFailed   5xx, 206, a broken or cut-off body, no connection, several times in a row (Retry)
- OutOfTime    the run's time would be up before the API wants to be asked again (Retry)

No error shows a token or a link's query.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from shared.backoff import Clock, Gate, retry_after
from shared.errors import ForwarderError, Misconfigured, Reject, Retry
from shared.poll.answers import origin, said, shown_path, told
from shared.poll.body import CHUNK, Body, Broken, unpacked
from shared.poll.credentials import Tokens
from shared.poll.endpoints import Endpoint
from shared.poll.trust import trusting

CONNECT_SECONDS, READ_SECONDS = 10.0, 100.0
TRIES = 4  # of a request that fails for no reason of its own
FEW_LEFT = 10  # calls that ARM says remain before it throttles: below, we slow down by ourselves
SLOWED = 5.0  # seconds
LEAST_WAIT = 0.5  # seconds, also where the API says 0
REMAINING = (
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-ratelimit-remaining-subscription-global-reads",
    "x-ms-ratelimit-remaining-tenant-reads",
)
MOST_AT_ONCE = 4  # where nobody says otherwise
AGENT = "defender-to-elasticsearch"

log = logging.getLogger("defender.poll")


class OutOfTime(Retry):
    """The run's time is up: what is left is for the next run."""


class PageFailed(Retry):
    """The API fails at this request, again and again."""


class Gone(ForwarderError):
    """404 or 410."""


class BadRequest(ForwarderError):
    """400: the API does not take this request."""


@dataclass(slots=True)
class Usage:
    """What a run asked for, for its report."""

    requests: int = 0
    throttled: int = 0
    failed: int = 0
    bytes: int = 0
    waited: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **more: float) -> None:
        """Count."""
        with self.lock:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)


def session(ca: str | None, connections: int = 8) -> Any:
    """A requests session that keeps connections but no cookies, and asks for gzip only."""
    from http.cookiejar import DefaultCookiePolicy

    from requests.adapters import HTTPAdapter

    made = trusting(ca)
    made.auth = unchanged  # else requests would look for a password in ~/.netrc
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.headers.update({"accept": "application/json", "accept-encoding": "gzip", "user-agent": AGENT})
    made.mount("https://", HTTPAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0))
    return made


def unchanged(request: Any) -> Any:
    """The request as it is."""
    return request


@dataclass(frozen=True, slots=True)
class Api:
    """What a walk asks. For threads."""

    endpoint: Endpoint
    tokens: Tokens
    session: Any
    deadline: float  # on clock.now
    permission: str  # what is missing when we are refused, in Microsoft's words
    most_bytes: int
    clock: Clock = field(default_factory=Clock)
    gate: Gate = field(default_factory=Gate)
    stop: threading.Event = field(default_factory=threading.Event)
    usage: Usage = field(default_factory=Usage)
    slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_AT_ONCE))  # requests at once
    unordered: set[str] = field(default_factory=set)  # paths of lists that take no $orderby

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        tries: int = TRIES,
    ) -> Body:
        """The complete answer to a GET of a path below the endpoint, or of a link that `follow` allowed."""
        address = path if path.startswith("https://") else f"{self.endpoint.base}{path}"
        if query:  # a blank as %20: not everybody takes a plus for one
            address += "?" + urlencode(query, quote_via=quote, safe="$:,")
        failures, refused = 0, None
        while True:
            self.wait(self.gate.opens - self.clock.now())
            try:
                token = self.tokens.get(self.endpoint.scope, refused)
            except Retry:  # the token endpoint fails or can not be reached
                failures += 1
                if failures >= tries:
                    raise
                self.wait(self.clock.delay(failures))
                continue
            with self.slot():
                status, why, body, asked = self.once(address, {"authorization": f"Bearer {token}", **(headers or {})})
            if body is not None:
                return body
            shown = f"{self.endpoint.name} {shown_path(address)}"
            if status == 401 and refused is None:
                refused = token
                continue
            if status in (401, 403):
                raise Misconfigured(
                    self.tokens.setting, f"{shown} refuses us ({status}): is {self.permission} granted? {why}".strip()
                )
            if status in (404, 410):
                raise Gone(f"{shown} is not there")
            if status == 400:
                raise BadRequest(f"{shown}: {why}")
            if status in (408, 429):
                self.usage.add(throttled=1)
                failures += 1
                wait = self.clock.delay(failures + 2) if asked is None else max(asked, LEAST_WAIT)
                self.gate.close_until(self.clock.now() + wait)
                continue
            if 300 <= status < 500:
                raise Misconfigured(f"{self.endpoint.name.upper()}_ENDPOINT", f"{shown} answers {status}: {why}")
            self.usage.add(failed=1)
            failures += 1
            if failures >= tries:
                raise PageFailed(f"{shown} failed {failures} times: {why or status}")
            self.wait(asked if asked is not None else self.clock.delay(failures))

    def once(self, address: str, headers: Mapping[str, str]) -> tuple[int, str, Body | None, float | None]:
        """Ask once: (status, why it is no success, the body where it is one, seconds that the API wants us to wait)."""
        import requests
        from urllib3.exceptions import HTTPError

        self.usage.add(requests=1)
        try:
            with self.session.get(
                address,
                headers=dict(headers),
                timeout=self.timeout(),
                stream=True,
                allow_redirects=False,
            ) as answer:
                status = int(answer.status_code)
                encoding = answer.headers.get("content-encoding", "").strip().lower()
                raw = Timed(answer.raw, self)
                self.slow_down(answer.headers)
                if status == 200:
                    body = Body.of(unpacked(raw, encoding, self.most_bytes))
                    self.usage.add(bytes=body.size)
                    return status, "", body, None
                text = beginning(raw, encoding)
                if status == 206:
                    return (
                        status,
                        f"a provider failed, rows are missing ({answer.headers.get('warning', '')[:200]})",
                        None,
                        None,
                    )
                return status, told(text), None, self.asked(answer.headers, text)
        except Reject as reject:  # too large: asking again gives the same
            raise PageFailed(f"{self.endpoint.name} {shown_path(address)}: {reject.reason}") from None
        except Broken as error:
            return 0, f"its answer {error}", None, None
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate" in str(error).lower():
                raise Misconfigured(
                    "MICROSOFT_CA", f"the certificate of {urlsplit(address).netloc} is not trusted."
                ) from None
            return 0, "TLS failed", None, None
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            return 0, f"no complete answer ({type(error).__name__})", None, None

    @contextmanager
    def slot(self) -> Iterator[None]:
        """One of the requests that may run at once; raises OutOfTime where none is free in time."""
        if not self.slots.acquire(timeout=max(self.deadline - self.clock.now(), 0.0)):
            raise OutOfTime("the time for this poll is up")
        try:
            yield
        finally:
            self.slots.release()

    def timeout(self) -> tuple[float, float]:
        """Seconds to connect in, and to wait for the next bytes in."""
        left = max(self.deadline - self.clock.now(), 1.0)
        return min(CONNECT_SECONDS, left), min(READ_SECONDS, left)

    def wait(self, seconds: float) -> None:
        """Wait; raises OutOfTime at once where that would end behind the deadline."""
        now = self.clock.now()
        if now >= self.deadline or self.stop.is_set():
            raise OutOfTime("the time for this poll is up")
        if seconds <= 0:
            return
        if now + seconds >= self.deadline:
            raise OutOfTime(
                f"{self.endpoint.name} wants us to wait {seconds:.0f} s, and the time for this poll is up before"
            )
        self.usage.add(waited=seconds)
        self.clock.wait(seconds, self.stop)

    def in_time(self) -> None:
        """Raise OutOfTime once the time is up."""
        self.wait(0)

    def asked(self, headers: Mapping[str, str], text: str) -> float | None:
        """Seconds that the API wants us to wait: Retry-After (a number or a date), else what its body says."""
        for name in ("retry-after", "x-ms-retry-after", "x-ms-ratelimit-microsoft.security-retry-after"):
            found = retry_after(headers.get(name), self.clock.wall())
            if found is not None:
                return found
        return said(text[:4_000], self.clock.wall())

    def slow_down(self, headers: Mapping[str, str]) -> None:
        """Close the gate for some seconds where ARM says that few calls remain (throttling: remaining-calls headers)."""
        for name in REMAINING:
            left = headers.get(name, "")
            if left.isdigit() and int(left) < FEW_LEFT:
                self.gate.close_until(self.clock.now() + SLOWED)

    def follow(self, link: object) -> str | None:
        """A next link as an address that may be asked with our token: https, and the very host and port that was called.

        None for anything else, which is logged: a token never goes to another host (promises, 9).
        """
        if not isinstance(link, str) or not link:
            return None
        # A path alone stands below the endpoint, which may have one of its own.
        address = (
            f"{self.endpoint.base}{link}"
            if link[0] == "/" and link[1:2] != "/"
            else urljoin(f"{self.endpoint.base}/", link)
        )
        if origin(address) != origin(self.endpoint.base):
            log.error(
                "A next link of %s leads elsewhere and is not followed: %s",
                self.endpoint.base,
                urlsplit(address).netloc[:200],
            )
            return None
        return address


class Timed:
    """A body as it comes over the wire, which ends with OutOfTime when the time is up, however slowly it comes."""

    def __init__(self, raw: Any, api: Api) -> None:
        self._read = getattr(raw, "read1", raw.read)  # what is there, rather than all that was asked for
        self._api = api

    def read(self, size: int) -> bytes:
        """The next bytes."""
        self._api.in_time()
        piece: bytes = self._read(size)
        return piece


def beginning(raw: Timed, encoding: str) -> str:
    """The first 64 kB of an error's body, as far as it can be read."""
    found = b""
    try:
        for piece in unpacked(raw, encoding, None):
            found += piece
            if len(found) >= CHUNK:
                break
    except (Broken, Reject):
        pass
    return found[:CHUNK].decode("utf-8", "replace")
