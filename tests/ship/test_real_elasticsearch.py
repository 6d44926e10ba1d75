"""The shipper against the real Elasticsearch: what it answers, what we make of it, and how an outage is waited out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.elasticsearch import LocalElasticsearch, elasticsearch
from shared.errors import Misconfigured, Retry
from shared.report import Report
from shared.ship.client import open_client
from shared.ship.shipper import Shipper
from tests.conftest import require
from tests.ship.shipping import document, outcome, settings
from tests.ship.target import Target, ship, target_on


@pytest.fixture(scope="module")
def own_server() -> Iterator[LocalElasticsearch]:
    """A server that takes requests up to 20 kB and that tests may stop and start."""
    require("elasticsearch")
    with elasticsearch(settings={"http.max_content_length": "20kb"}) as server:
        yield server


@pytest.mark.parametrize("compress", ["true", "false"])
def test_the_same_batch_twice_is_indexed_once(target: Target, compress: str) -> None:
    """create and _id: the second time every document is a duplicate, and the count stays."""
    shipper = target.shipper(BULK_COMPRESS=compress, BULK_MAX_DOCUMENTS="7")
    documents = [target.document(f"d{i}", number=i) for i in range(40)]
    for expected in ({"indexed": 40}, {"duplicate": 40}):
        dead, report = ship(shipper, documents)
        assert (dead, outcome(report)) == ([], expected)
        assert report.requests == 6
        assert report.bytes_sent > 3_000
    assert target.count() == 40


def test_a_mapping_conflict_is_a_dead_letter_with_the_servers_reason(target: Target) -> None:
    """One bad document among good ones: they get in, it comes back with class, reason and original."""
    documents = [target.document("a", number=1), target.document("b", number="many"), target.document("c", number=3)]
    (letter,), report = ship(target.shipper(), documents)
    assert outcome(report) == {"indexed": 2}
    assert (letter.code, letter.id, letter.original) == ("document_parsing_exception", "b", b"record b")
    assert "failed to parse field [number] of type [long]" in letter.reason
    assert 'For input string: "many"' in letter.reason


def test_an_id_that_is_too_long_spoils_only_itself(target: Target) -> None:
    """Elasticsearch refuses the whole request for it; its neighbours get in."""
    names = ["a", "b", "x" * 600, "c", "d"]
    (letter,), report = ship(target.shipper(), [target.document(name) for name in names])
    assert outcome(report) == {"indexed": 4}
    assert (letter.id, letter.code) == ("x" * 600, "action_request_validation_exception")


def test_a_missing_template_is_told_and_makes_no_index(target: Target) -> None:
    """No plain index appears in its place, and what had a template got in."""
    other = "logs-microsoft_defender_cloud.event-ship"
    with pytest.raises(Misconfigured, match=f"index template: none makes the data stream {other}"):
        ship(target.shipper(), [target.document("a"), document("b", index=other)])
    with target.server.client() as client:
        assert not client.indices.exists(index=other)
    assert target.count() == 1


def test_a_lacking_privilege_is_told(target: Target) -> None:
    """A data stream outside the role: a sentence with the privilege that would make it, and its name."""
    with pytest.raises(Misconfigured) as caught:
        ship(target.shipper(), [document("a", index="logs-other-default")])
    assert caught.value.setting == "ELASTICSEARCH_USERNAME"
    assert "logs-other-default" in caught.value.sentence
    assert "lack the privilege auto_configure" in caught.value.sentence


def test_a_user_who_may_do_nothing_is_told(target: Target) -> None:
    """A 403 for every item."""
    nobody = target.server.add_user("shipping-nobody", role={"cluster": ["monitor"]})
    with pytest.raises(Misconfigured, match="lack the privilege create_doc"):
        ship(Target(target.server, nobody, target.index).shipper(), [target.document("a")])


def test_a_wrong_password_is_told_without_showing_it(target: Target) -> None:
    """A 401 names the setting and no secret."""
    with pytest.raises(Misconfigured, match="ELASTICSEARCH_USERNAME: Elasticsearch does not accept") as caught:
        ship(target.shipper(ELASTICSEARCH_PASSWORD="not-the-password"), [target.document("a")])
    assert "not-the-password" not in str(caught.value)


def test_a_wrong_api_key_is_told_without_showing_it(target: Target) -> None:
    """The same for an API key."""
    key = "bm90LWEta2V5Om9ubHktYW4tZXhhbXBsZQ=="
    api_key = settings(ELASTICSEARCH_URL=target.server.url, ELASTICSEARCH_API_KEY=key, **NO_USER)
    with pytest.raises(Misconfigured, match="ELASTICSEARCH_API_KEY: Elasticsearch does not accept") as caught:
        ship(Shipper(api_key), [target.document("a")])
    assert key not in str(caught.value)


NO_USER = {"ELASTICSEARCH_USERNAME": "", "ELASTICSEARCH_PASSWORD": ""}


def test_several_threads_may_ship_at_once(target: Target) -> None:
    """Partitions are handled side by side by one shipper; every report is right by itself."""
    shipper = target.shipper(BULK_MAX_DOCUMENTS="5")
    reports: list[Report] = []

    def run(partition: int) -> None:
        _, report = ship(shipper, [target.document(f"{partition}-{i}") for i in range(30)])
        reports.append(report)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [outcome(report) for report in reports] == [{"indexed": 30}] * 6
    assert target.count() == 180


@pytest.mark.parametrize("compress", ["true", "false"])
def test_a_real_413_is_halved_down_to_the_giants(own_server: LocalElasticsearch, compress: str) -> None:
    """The server takes 20 kB, compressed or not: only what is larger alone becomes a dead letter."""
    target = target_on(own_server)
    sizes = [100, 30_000, 9_000, 9_000, 15_000, 500, 19_000, 25_000, 10] * 3
    documents = [target.document(f"{i}", padding="x" * size) for i, size in enumerate(sizes)]
    dead, report = ship(target.shipper(BULK_COMPRESS=compress), documents)
    assert sorted(int(letter.id or "") for letter in dead) == [i for i, size in enumerate(sizes) if size > 19_500]
    assert {letter.code for letter in dead} == {"too_large"}
    assert report.total("indexed") == len(sizes) - len(dead) == target.count()


def test_an_outage_is_waited_out(own_server: LocalElasticsearch) -> None:
    """Stopped: Retry, nothing acknowledged. Started while a batch is waiting: it goes through without help."""
    target = target_on(own_server)
    shipper = target.shipper()
    batch = [target.document(f"d{i}") for i in range(10)]
    ship(shipper, batch[:3])
    own_server.stop()
    with pytest.raises(Retry, match="10 documents are still owed to Elasticsearch: Elasticsearch can not be reached"):
        ship(shipper, batch, seconds=1)
    back = threading.Timer(0.5, own_server.start)
    back.start()
    dead, report = ship(shipper, batch, seconds=120)
    back.join()
    assert (dead, outcome(report)) == ([], {"indexed": 7, "duplicate": 3})
    assert report.retries > 0


def test_what_is_not_elasticsearch_is_told(target: Target, azurite_server: Any) -> None:
    """Another server at the address (here a blob store) is for a person to mend."""
    with pytest.raises(Misconfigured, match="ELASTICSEARCH_URL: "):
        ship(target.shipper(ELASTICSEARCH_URL=azurite_server.url), [target.document("a")])


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ELASTICSEARCH_CA": "/nowhere/ca.pem"}, "ELASTICSEARCH_CA: there is no file"),
        (
            {"ELASTICSEARCH_CA": "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"},
            "ELASTICSEARCH_CA: holds no certificate",
        ),
        ({"ELASTICSEARCH_CA_FINGERPRINT": "abc"}, "ELASTICSEARCH_CA_FINGERPRINT: is not a SHA-256 fingerprint"),
        ({"ELASTICSEARCH_URL": "", "ELASTICSEARCH_CLOUD_ID": "nonsense"}, "ELASTICSEARCH_CLOUD_ID: is not a cloud id"),
    ],
)
def test_a_senseless_setting_is_one_sentence(environment: dict[str, str], words: str) -> None:
    """The setting is named before anything is contacted."""
    base = {"ELASTICSEARCH_URL": "https://127.0.0.1:9"}
    with pytest.raises(Misconfigured, match=words):
        open_client(settings(**(base | environment)))


def test_a_cloud_id_is_taken_apart_and_nothing_is_compressed_twice() -> None:
    """Elastic Cloud's id gives the address; compression stays ours alone."""
    cloud_id = "name:ZXhhbXBsZS5jb206NDQzJGVzJGtpYmFuYQ=="  # example.com:443$es$kibana
    client = open_client(settings(ELASTICSEARCH_URL="", ELASTICSEARCH_CLOUD_ID=cloud_id))
    (node,) = client.transport.node_pool.all()
    assert node.base_url == "https://es.example.com:443"
    assert not node.config.http_compress
    client.close()


def test_an_address_needs_no_port() -> None:
    """https means 443 and http means 80, as everywhere."""
    client = open_client(
        settings(ELASTICSEARCH_URL="https://a.example.com,http://b.example.com/path,http://c.example.com:9200")
    )
    assert sorted(node.base_url for node in client.transport.node_pool.all()) == [
        "http://b.example.com:80/path",
        "http://c.example.com:9200",
        "https://a.example.com:443",
    ]
    client.close()


def test_the_client_serves_ordinary_calls_too(target: Target) -> None:
    """Health probes use the same client: JSON goes out and comes in."""
    with open_client(settings(**target.server.app_settings(target.user))) as client:
        answer = client.security.has_privileges(index=[{"names": [target.index], "privileges": ["create_doc"]}])
    assert answer["has_all_requested"] is True
    assert requests.get(target.server.url, timeout=10).status_code == 401  # nobody gets in without a password
