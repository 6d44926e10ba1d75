"""The answer to a bulk request -> what to do with the request, and with each document by its position.

Pure. Never by `_id`: an ingest pipeline may have rewritten it, and a batch may hold it twice (lessons, finding 13).
An answer that does not fit what was sent is never guessed at: it is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import Misconfigured, Verdict, rule_for

TOO_LARGE = "too_large"  # the class of a dead letter that no request is small enough for
REASON_LENGTH = 1_000  # characters of a server's reason that are kept
TEMPLATE = "index template"
ADDRESS = "ELASTICSEARCH_URL"

# A 400 whose cause is the cluster or the template and not the document: a dead letter for it would bury good records.
# fmt: off
NOT_THE_DOCUMENT = tuple((re.compile(pattern), setting, meaning) for pattern, setting, meaning in (
    (r"maximum (normal|frozen) shards open",    "cluster.max_shards_per_node", "the cluster is full of shards"),
    (r"pipeline with id \[.*\] does not exist", TEMPLATE, "it names an ingest pipeline that is not there"),
    (r"contains unrecognized parameter",        ADDRESS,  "is an Elasticsearch older than 8.13"),
    (r"[Cc]ompatible-with|media type|Content-Type header", ADDRESS, "does not understand the 8.x client"),
))
# fmt: on


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one document. `code` is the server's error type, `reason` its words, both empty when it is in."""

    verdict: Verdict
    code: str = ""
    reason: str = ""
    setting: str = ""  # what a person has to mend, where the verdict is MISCONFIGURED
    failure_store: bool = False  # indexed, but Elasticsearch redirected it to the failure store


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. Only where the verdict is INDEXED did Elasticsearch judge each document: `items`.

    SPLIT carries what to write on the dead letter if there is nothing left to split.
    """

    verdict: Verdict
    items: Sequence[Item] = ()
    code: str = ""
    reason: str = ""
    setting: str = ""

    def misconfigured(self) -> Misconfigured:
        """The error to raise for a verdict of MISCONFIGURED."""
        return Misconfigured(self.setting, self.reason)


INDEXED = Item(Verdict.INDEXED)
REDIRECTED = Item(Verdict.INDEXED, failure_store=True)
DUPLICATE = Item(Verdict.DUPLICATE)


def judge(status: int, body: object, indices: Sequence[str], *, credential: str) -> Answer:
    """Judge the answer to a bulk request whose documents went to `indices` (one name per document, in order sent).

    `body` is the parsed JSON, or the raw bytes where it was none; `credential` names the setting that holds the
    credentials, for the sentence of a 401 or 403. Statuses are decided by `shared.errors.rule_for` alone.
    """
    rule = rule_for(status)
    if rule.verdict is Verdict.INDEXED:
        return judge_items(body, indices, credential)
    code, words = error_of(body)
    said = f"{rule.meaning} ({status}{': ' + words if words else ''})"
    if rule.verdict is Verdict.SPLIT:
        return Answer(Verdict.SPLIT, code=TOO_LARGE, reason=said)
    if rule.verdict is Verdict.RETRY:
        return Answer(Verdict.RETRY, code=code, reason=said)
    if code == "security_exception":
        return Answer(Verdict.MISCONFIGURED, code=code, reason=privilege(words, ()), setting=credential)
    if status == 401:
        return Answer(Verdict.MISCONFIGURED, code=code, reason=said + ".", setting=credential)
    if rule.verdict is Verdict.REJECT and code:
        blame = not_the_document(words)
        if blame is not None:
            return Answer(Verdict.MISCONFIGURED, code=code, reason=blame[1], setting=blame[0])
        # One document can spoil a whole request (an _id above 512 bytes does): halve until it stands alone.
        return Answer(Verdict.SPLIT, code=code, reason=said)
    what = f"answered {status}, and not as Elasticsearch answers a bulk request{': ' + words if words else ''}."
    return Answer(Verdict.MISCONFIGURED, code=code, reason=what, setting=ADDRESS)


def judge_items(body: object, indices: Sequence[str], credential: str) -> Answer:
    """Judge a 200: one item per document sent, in the order sent, else the whole request is to be sent again."""
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(items) != len(indices):
        found = f"{len(items)} items" if isinstance(items, list) else "no items"
        return Answer(Verdict.RETRY, reason=f"the answer to {len(indices)} documents has {found}")
    judged = []
    for entry, index in zip(items, indices, strict=True):
        result = (entry.get("create") or entry.get("index") or entry.get("delete")) if isinstance(entry, dict) else None
        status = result.get("status") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(status, int):
            return Answer(Verdict.RETRY, reason="an item of the answer has no status")
        judged.append(INDEXED if status == 201 and len(result) == 1 else judge_item(status, result, index, credential))
    return Answer(Verdict.INDEXED, items=judged)


def judge_item(status: int, result: dict[str, object], index: str, credential: str) -> Item:
    """Judge one item of a bulk answer: its status, error and failure_store."""
    rule = rule_for(status)
    if rule.verdict is Verdict.INDEXED:
        return REDIRECTED if result.get("failure_store") == "used" else INDEXED
    if rule.verdict is Verdict.DUPLICATE or (status == 404 and "error" not in result):  # taken out, and not there
        return DUPLICATE
    code, words = error_of(result)
    if rule.verdict is Verdict.SPLIT:
        return Item(Verdict.REJECT, code=TOO_LARGE, reason=words or rule.meaning)
    if rule.verdict is Verdict.REJECT:
        blame = not_the_document(words)
        if blame is not None:
            return Item(Verdict.MISCONFIGURED, code=code, reason=f"{index}: {blame[1]}", setting=blame[0])
        return Item(Verdict.REJECT, code=code or f"status_{status}", reason=words or rule.meaning)
    if rule.verdict is Verdict.MISCONFIGURED:
        return misconfigured_item(status, code, words or rule.meaning, index, credential)
    return Item(Verdict.RETRY, code=code, reason=f"{status}: {words or rule.meaning}")


def misconfigured_item(status: int, code: str, words: str, index: str, credential: str) -> Item:
    """Say which privilege, template or block stands in the way of one data stream."""
    if status == 404:
        sentence = f"none makes the data stream {index}: install the project's templates first ({words})."
        return Item(Verdict.MISCONFIGURED, code=code, reason=sentence, setting=TEMPLATE)
    if code == "security_exception" or status == 401:
        return Item(Verdict.MISCONFIGURED, code=code, reason=privilege(words, (index,)), setting=credential)
    sentence = f"the data stream {index} does not accept documents ({words})."
    return Item(Verdict.MISCONFIGURED, code=code, reason=sentence, setting=code or "data stream")


def privilege(words: str, indices: Sequence[str]) -> str:
    """One sentence for a security_exception: what is lacking, on what."""
    granted = re.search(r"granted by the (\w+ privileges \[[^\]]*\])", words)
    if granted is None:
        return f"Elasticsearch does not accept the credentials ({words})."
    on = f" on {', '.join(indices)}" if indices else ""
    return f"the credentials lack a privilege{on}: auto_configure and create_doc are needed ({words})."


def not_the_document(words: str) -> tuple[str, str] | None:
    """(setting, sentence) where a 400 is the fault of the cluster or its templates, None where of the document."""
    for pattern, setting, meaning in NOT_THE_DOCUMENT:
        if pattern.search(words):
            return setting, f"{meaning} ({words})."
    return None


def error_of(body: object) -> tuple[str, str]:
    """(type, reason with its causes) of an error as Elasticsearch writes it, bounded in length; ("", "") if none."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return "", error[:REASON_LENGTH]
    code = ""
    words: list[str] = []
    depth = 0
    while isinstance(error, dict) and depth < 5:
        code = code or str(error.get("type") or "")
        reason = error.get("reason")
        if isinstance(reason, str) and not any(reason in known for known in words):
            words.append(reason)
        error = error.get("caused_by")
        depth += 1
    text = " / ".join(words)
    return code[:100], text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1] + "…"
