"""What an answer of Elasticsearch means, for the request and for each document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Verdict
from shared.ship.outcome import REASON_LENGTH, Item, judge
from tests.ship.shipping import INDEX, error

KEY = "ELASTICSEARCH_API_KEY"


def judged(*results: dict[str, Any], sent: int | None = None) -> list[Item]:
    """The items of a 200 with these results."""
    body = {"items": [{"create": result} for result in results]}
    return list(judge(200, body, [INDEX] * (len(results) if sent is None else sent), credential=KEY).items)


# fmt: off
ITEM_VERDICTS = [
    ({"status": 201},                                            Verdict.INDEXED),
    ({"status": 200, "_id": "changed by a pipeline"},            Verdict.INDEXED),
    (error(409, "version_conflict_engine_exception"),            Verdict.DUPLICATE),
    (error(429, "es_rejected_execution_exception"),              Verdict.RETRY),
    (error(500), Verdict.RETRY), (error(502), Verdict.RETRY), (error(503), Verdict.RETRY), (error(504), Verdict.RETRY),
    (error(408),                                                 Verdict.RETRY),
    (error(400, "document_parsing_exception"),                   Verdict.REJECT),
    (error(400, "strict_dynamic_mapping_exception"),             Verdict.REJECT),
    (error(422),                                                 Verdict.REJECT),
    (error(413),                                                 Verdict.REJECT),
    (error(401, "security_exception"),                           Verdict.MISCONFIGURED),
    (error(403, "security_exception"),                           Verdict.MISCONFIGURED),
    (error(403, "cluster_block_exception"),                      Verdict.MISCONFIGURED),
    (error(404, "index_not_found_exception"),                    Verdict.MISCONFIGURED),
]
# fmt: on


@pytest.mark.parametrize(("result", "verdict"), ITEM_VERDICTS)
def test_an_item_is_judged_by_its_status(result: dict[str, Any], verdict: Verdict) -> None:
    """Each status that a bulk item can have leads to its verdict."""
    assert [item.verdict for item in judged(result)] == [verdict]


def test_what_is_taken_out_may_be_gone_already() -> None:
    """A deletion finds its entry, or none, or a newer one; an index that is not there is for a person to mend."""
    results = ({"status": 200}, {"status": 404}, error(409), error(404, "index_not_found_exception"))
    items = judge(200, {"items": [{"delete": one} for one in results]}, [INDEX] * 4, credential=KEY).items
    verdicts = (Verdict.INDEXED, Verdict.DUPLICATE, Verdict.DUPLICATE, Verdict.MISCONFIGURED)
    assert tuple(item.verdict for item in items) == verdicts


@given(st.lists(st.sampled_from(ITEM_VERDICTS), max_size=50))
def test_items_are_matched_by_position(chosen: list[tuple[dict[str, Any], Verdict]]) -> None:
    """However results are mixed, with ids missing, equal or rewritten, each verdict stands where its result stood."""
    assert [item.verdict for item in judged(*(result for result, _ in chosen))] == [verdict for _, verdict in chosen]


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"<html>",
        b'{"items":[{"create":{"sta',
        {},
        {"items": None},
        {"items": []},
        {"items": [{"create": {"status": 201}}]},
        {"items": [{"create": {"status": 201}}] * 3},
        {"items": [{"create": {"status": 201}}, {"create": {}}]},
        {"items": [{"create": {"status": 201}}, {"update": {"status": 201}}]},
        {"items": [{"create": {"status": 201}}, {"create": {"status": "201"}}]},
        {"items": [{"create": {"status": 201}}, None]},
        [],
        "text",
    ],
)
def test_an_answer_that_does_not_fit_is_sent_again(body: object) -> None:
    """Two documents were sent: an answer that does not have an item with a status for both is never guessed at."""
    assert judge(200, body, [INDEX] * 2, credential=KEY).verdict is Verdict.RETRY


def test_a_redirection_to_the_failure_store_is_told() -> None:
    """Elasticsearch answers 201 for a document that it put into the failure store; it is in, and is counted."""
    kept, redirected, failed = judged(
        {"status": 201}, {"status": 201, "failure_store": "used"}, {**error(400), "failure_store": "failed"}
    )
    assert (kept.verdict, kept.failure_store) == (Verdict.INDEXED, False)
    assert (redirected.verdict, redirected.failure_store) == (Verdict.INDEXED, True)
    assert (failed.verdict, failed.failure_store) == (Verdict.REJECT, False)


def test_the_servers_reason_is_kept_with_its_causes_and_bounded() -> None:
    """A dead letter tells why, and no reason of a megabyte goes with it."""
    cause = {"type": "illegal_argument_exception", "reason": 'For input string: "x"'}
    error_body = {"type": "document_parsing_exception", "reason": "failed to parse field [n]", "caused_by": cause}
    (item,) = judged({"status": 400, "error": error_body})
    assert item.code == "document_parsing_exception"
    assert item.reason == 'failed to parse field [n] / For input string: "x"'
    (item,) = judged(error(400, reason="x" * 100_000))
    assert len(item.reason) == REASON_LENGTH
    circle: dict[str, Any] = {"type": "a", "reason": "r0"}
    circle["caused_by"] = circle
    (item,) = judged({"status": 400, "error": circle})
    assert item.reason == "r0"


def test_a_lacking_privilege_is_named() -> None:
    """A 403 names the data stream, the privileges and the setting that holds the credentials."""
    words = (
        "action [indices:data/write/bulk[s]] is unauthorized for API key id [x] of user [u] on indices [logs-a], "
        "this action is granted by the index privileges [create_doc,create,index,write,all]"
    )
    (item,) = judged(error(403, "security_exception", words))
    assert item.setting == KEY
    assert INDEX in item.reason
    assert "create_doc" in item.reason
    assert "auto_configure" in item.reason


def test_a_missing_template_is_named() -> None:
    """A 404 names the data stream that no template makes."""
    (item,) = judged(error(404, "index_not_found_exception", "no matching index template"))
    assert item.setting == "index template"
    assert INDEX in item.reason


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        (
            "this action would add [2] shards, but this cluster has [1000]/[1000] maximum normal shards open;",
            "cluster.max_shards_per_node",
        ),
        ("pipeline with id [logs-m365_defender.event-5.0.0] does not exist", "index template"),
    ],
)
def test_a_400_that_is_not_the_documents_fault_buries_no_document(words: str, setting: str) -> None:
    """A full cluster or a lost pipeline is for a person to mend; good records do not become dead letters."""
    (item,) = judged(error(400, "illegal_argument_exception", words))
    assert (item.verdict, item.setting) == (Verdict.MISCONFIGURED, setting)


# fmt: off
REQUEST_VERDICTS: list[tuple[int, object, Verdict, str]] = [
    (413, None,                                                            Verdict.SPLIT,         ""),
    (429, {"error": {"type": "t", "reason": "r"}},                         Verdict.RETRY,         ""),
    (500, None,                                                            Verdict.RETRY,         ""),
    (502, b"<html>Bad Gateway</html>",                                     Verdict.RETRY,         ""),
    (503, {"error": "no master"},                                          Verdict.RETRY,         ""),
    (408, None,                                                            Verdict.RETRY,         ""),
    (401, {"error": {"type": "security_exception", "reason": "r"}},        Verdict.MISCONFIGURED, KEY),
    (401, b"proxy says no",                                                Verdict.MISCONFIGURED, KEY),
    (403, {"error": {"type": "security_exception", "reason": "r"}},        Verdict.MISCONFIGURED, KEY),
    (403, b"<html>web application firewall</html>",                        Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (404, b"nginx",                                                        Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (404, {"ok": False, "message": "Unknown resource."},                   Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (405, None,                                                            Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (407, None,                                                            Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (400, b"<?xml version='1.0'?><Error/>",                                Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (301, None,                                                            Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
    (400, {"error": {"type": "action_request_validation_exception", "reason": "id [x] is too long"}},
                                                                           Verdict.SPLIT,         ""),
    (400, {"error": {"type": "illegal_argument_exception",
                     "reason": "request [/_bulk] contains unrecognized parameter: [require_data_stream]"}},
                                                                           Verdict.MISCONFIGURED, "ELASTICSEARCH_URL"),
]
# fmt: on


@pytest.mark.parametrize(("status", "body", "verdict", "setting"), REQUEST_VERDICTS)
def test_a_request_is_judged_by_its_status(status: int, body: object, verdict: Verdict, setting: str) -> None:
    """A request that was refused as a whole is repeated, halved, or for a person to mend."""
    answer = judge(status, body, [INDEX], credential=KEY)
    assert (answer.verdict, answer.setting) == (verdict, setting)
    if verdict is Verdict.MISCONFIGURED:
        assert str(answer.misconfigured()).startswith(f"{setting}: ")
        assert str(answer.misconfigured()).endswith(".")


@given(st.integers(100, 599), st.recursive(st.none() | st.integers() | st.text() | st.binary(), st.lists, max_leaves=5))
def test_judging_never_raises(status: int, body: object) -> None:
    """Whatever comes back, there is a verdict, and never that something was indexed."""
    assert not judge(status, body, [INDEX], credential=KEY).items
