"""What went wrong, told by what the caller does next.

ForwarderError
├── Retry           the same again, later    network, 408, 429, 5xx        raise; the host or the next timer repeats
├── Reject          this record, never       undecodable, mapping 400      dead letter, go on with its neighbours
└── Misconfigured   nothing will work        401, 403, missing template    raise too: nothing may be acknowledged

`verdict` is the one place that decides what an HTTP status of Elasticsearch means (design: architecture, "Errors").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ForwarderError(Exception):
    """Base of everything this project raises on purpose."""


class Retry(ForwarderError):
    """Nothing is wrong with the data: give the same batch again later."""


class Reject(ForwarderError):
    """This one record can never be indexed; `code` is a short stable class name for dead letters.

    >>> Reject("not_json", "byte 17: expected a value").code
    'not_json'
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Misconfigured(ForwarderError):
    """A person has to mend a setting, a privilege or a template; `setting` names it."""

    def __init__(self, setting: str, sentence: str) -> None:
        super().__init__(f"{setting}: {sentence}")
        self.setting = setting
        self.sentence = sentence


class Verdict(Enum):
    """What the caller of Elasticsearch does with one answer (of a request, or of one item of a bulk)."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    RETRY = "retry"
    SPLIT = "split"
    REJECT = "reject"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Rule:
    """A verdict and, for a person, what the status means."""

    verdict: Verdict
    meaning: str


STATUS_RULES: dict[int, Rule] = {
    200: Rule(Verdict.INDEXED, "indexed"),
    201: Rule(Verdict.INDEXED, "indexed"),
    400: Rule(Verdict.REJECT, "Elasticsearch can not index this document"),
    401: Rule(Verdict.MISCONFIGURED, "Elasticsearch does not accept the credentials"),
    403: Rule(Verdict.MISCONFIGURED, "the credentials lack a privilege"),
    404: Rule(Verdict.MISCONFIGURED, "the data stream does not exist and no index template makes it"),
    405: Rule(Verdict.MISCONFIGURED, "the address does not take bulk requests"),
    406: Rule(Verdict.MISCONFIGURED, "the server does not speak to this client"),
    407: Rule(Verdict.MISCONFIGURED, "a proxy on the way wants credentials"),
    408: Rule(Verdict.RETRY, "Elasticsearch timed out"),
    409: Rule(Verdict.DUPLICATE, "a document with this id is there already"),
    413: Rule(Verdict.SPLIT, "the request is larger than http.max_content_length"),
    415: Rule(Verdict.MISCONFIGURED, "the server does not speak to this client"),
    429: Rule(Verdict.RETRY, "Elasticsearch is busy"),
}


def rule_for(status: int) -> Rule:
    """What an HTTP status of Elasticsearch means; unknown 4xx are the document's fault, all else is passing.

    A redirection (3xx) is not passing: the address in the settings is the wrong one.
    """
    known = STATUS_RULES.get(status)
    if known is not None:
        return known
    if 300 <= status < 400:
        return Rule(Verdict.MISCONFIGURED, "the server sends us elsewhere")
    if 400 <= status < 500:
        return Rule(Verdict.REJECT, f"Elasticsearch answered {status}")
    return Rule(Verdict.RETRY, f"Elasticsearch answered {status}")
