"""`dead-letters list|show|replay|drop` on the real Elasticsearch, the real blob store and the real flow."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.dead_letters import app
from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch
from shared.ship.dead_letter import DeadLetter, DeadLetters
from tests.ship.shipping import PlainRecord


def template(pattern: str, **properties: Any) -> dict[str, Any]:
    """An index template for one data stream."""
    return {
        "index_patterns": [pattern],
        "priority": 950,
        "data_stream": {},
        "template": {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {"dynamic": False, "properties": {"@timestamp": {"type": "date"}, **properties}},
        },
    }


@dataclass(slots=True)
class Bench:
    """A place with dead letters: environment, data stream, and the commands run in it."""

    server: LocalElasticsearch
    letters: DeadLetters
    index: str
    environment: dict[str, str]
    runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *words: str, code: int = 0, answer: str | None = None) -> str:
        """Run a command and give what it printed."""
        result = self.runner.invoke(app, list(words), input=answer, env=self.environment)
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())

    def originals(self) -> list[bytes]:
        """What is stored, in order."""
        return sorted(letter.original for stored in self.letters.list() for letter in self.letters.read(stored))

    def count(self) -> int:
        """Documents in the data stream."""
        with self.server.client() as client:
            if not client.indices.exists(index=self.index):
                return 0
            client.indices.refresh(index=self.index)
            return int(client.count(index=self.index)["count"])


@pytest.fixture
def bench(elasticsearch_server: LocalElasticsearch, azurite_server: LocalAzurite) -> Iterator[Bench]:
    """A namespace, a container and a user of the test's own."""
    namespace = f"cli{secrets.token_hex(4)}"
    index = f"logs-m365_defender.event-{namespace}"
    with elasticsearch_server.client() as client:
        client.indices.put_index_template(name=namespace, **template(index))
    name = azurite_server.container_name("letters")
    environment = {
        **elasticsearch_server.app_settings(elasticsearch_server.add_user("replaying")),
        "NAMESPACE": namespace,
        "DEAD_LETTER_CONTAINER": name,
        "AzureWebJobsStorage": azurite_server.connection_string,
    }
    with azurite_server.service() as service:
        container = service.create_container(name)
        yield Bench(elasticsearch_server, DeadLetters(lambda: container, "AzureWebJobsStorage"), index, environment)


def record(name: str) -> bytes:
    """A record that the flow understands."""
    columns = {"Timestamp": "2026-01-01T00:00:00Z", "DeviceId": name, "ReportId": 1, "ActionType": "UsbDriveMounted"}
    envelope = {"time": "2026-01-01T00:00:00Z", "category": "AdvancedHunting-DeviceEvents", "properties": columns}
    return json.dumps(envelope).encode()


def letter(original: bytes, code: str = "document_parsing_exception", **fields: Any) -> DeadLetter:
    """A dead letter of a record."""
    options = {"source": "xdr", "table": "DeviceEvents", "when": "2026-02-01T00:00:00Z"} | fields
    return DeadLetter.of(PlainRecord(original), code=code, reason="the [mapping] was wrong", **options)


def test_list_counts_by_class_and_table(bench: Bench) -> None:
    """Counts per source, class and table, the blobs, and how many records they really are."""
    assert bench.run("list") == "No dead letters."
    (name,) = bench.letters.write([letter(b"a"), letter(b"b"), letter(b"b"), letter(b"c", "too_large", table="[T]")])
    told = bench.run("list")
    assert "document_parsing_exception │ DeviceEvents │ 3" in told
    assert "too_large │ [T] │ 1" in told
    assert name in told
    assert told.endswith("4 letters, 3 different records, 1 blobs.")


def test_filters_choose_by_class_source_table_and_time(bench: Bench) -> None:
    """Every filter works alone and together with others."""
    bench.letters.write(
        [
            letter(b"a", "too_large"),
            letter(b"b", table="AlertInfo"),
            letter(b"c", source="defender_cloud"),
            letter(b"d", when="2026-03-01T12:00:00Z"),
        ]
    )

    def shown(*words: str) -> set[str]:
        result = bench.runner.invoke(app, ["show", "--raw", *words], env=bench.environment)
        return {json.loads(line)["original"] for line in result.stdout.splitlines()}

    assert shown() == {"a", "b", "c", "d"}
    assert shown("--class", "too_large") == {"a"}
    assert shown("--table", "AlertInfo", "--table", "Nothing") == {"b"}
    assert shown("--source", "defender_cloud") == {"c"}
    assert shown("--since", "2026-02-15") == {"d"}
    assert shown("--until", "2026-02-15") == {"a", "b", "c"}
    assert shown("--until", "2026-03-01T13:00:00+02:00") == {"a", "b", "c"}
    assert shown("--since", "2026-02-15", "--class", "too_large") == set()
    assert "neither a time" in bench.run("list", "--since", "yesterday", code=2)


def test_show_prints_reason_and_original(bench: Bench) -> None:
    """For a person: markup characters are no markup, bytes that are no text are visible, long ones are cut."""
    bench.letters.write([letter(b"[bold]x\xff"), letter(b"y" * 5_000)])
    told = bench.run("show")
    assert "the [mapping] was wrong" in told
    assert "[bold]x\\xff" in told
    assert "5000 bytes; --whole prints all" in told
    assert "y" * 5_000 in bench.run("show", "--whole")
    key = letter(b"[bold]x\xff").key
    assert bench.run("show", "--key", key[:8]).count("reason") == 1
    assert "There are more" in bench.run("show", "--limit", "1")
    assert "No such dead letter" in bench.run("show", "--key", "nothing", code=1)


def test_replay_indexes_once_says_so_and_removes_the_letters(bench: Bench) -> None:
    """Mended records get in, what is unreadable is dead-lettered again, and a second replay finds only that."""
    good = [record(f"device-{i}") for i in range(5)]
    bench.letters.write([*(letter(one) for one in good), letter(good[0]), letter(b"not json", "not_json", table="")])
    told = bench.run("replay", "--class", "document_parsing_exception", "--keep")
    assert told.startswith("6 letters replayed: 5 records, 5 indexed, 0 duplicate")
    assert bench.count() == 5
    assert len(bench.originals()) == 7
    told = bench.run("replay")
    assert "7 letters replayed: 6 records, 0 indexed, 5 duplicate, 0 filtered, 1 dead-lettered again." in told
    assert bench.originals() == [b"not json"]
    told = bench.run("replay")
    assert "1 letters replayed: 1 records, 0 indexed, 0 duplicate, 0 filtered, 1 dead-lettered again." in told
    assert bench.originals() == [b"not json"]
    assert bench.count() == 5


def test_replay_leaves_what_was_not_asked_for(bench: Bench) -> None:
    """The other letters of a blob stay in the store, byte by byte."""
    bench.letters.write([letter(record("a")), letter(b"\xff\x00", "too_large"), letter(b"b", "not_json")])
    bench.run("replay", "--class", "document_parsing_exception")
    assert bench.originals() == [b"b", b"\xff\x00"]


def test_replay_into_a_server_that_refuses_loses_nothing(bench: Bench) -> None:
    """A wrong password: one sentence, exit code 1, and every letter is still there."""
    bench.letters.write([letter(record("a")), letter(record("b"))])
    before = bench.originals()
    bench.environment["ELASTICSEARCH_PASSWORD"] = "wrong"
    told = bench.run("replay", code=1)
    assert "ELASTICSEARCH_USERNAME: Elasticsearch does not accept the credentials" in told
    assert "wrong" not in told.replace("the [mapping] was wrong", "")
    assert bench.originals() == before
    assert bench.count() == 0


@pytest.mark.parametrize(("answer", "left"), [("n\n", 3), ("y\n", 1)])
def test_drop_asks_first(bench: Bench, answer: str, left: int) -> None:
    """Nothing goes without a yes."""
    bench.letters.write([letter(b"a"), letter(b"b"), letter(b"c", "too_large")])
    told = bench.run("drop", "--class", "document_parsing_exception", code=0 if left == 1 else 1, answer=answer)
    assert "Drop 2 dead letters for good?" in told
    assert len(bench.originals()) == left


def test_drop_yes_does_not_ask(bench: Bench) -> None:
    """For scripts."""
    bench.letters.write([letter(b"a"), letter(b"b")])
    assert bench.run("drop", "--yes") == "2 letters dropped."
    assert bench.originals() == []
    assert bench.run("drop") == "No dead letters."


@pytest.mark.parametrize("command", ["list", "show", "replay", "drop"])
def test_a_wrong_setting_is_one_sentence(bench: Bench, command: str) -> None:
    """No stack trace, the setting is named, exit code 1."""
    bench.environment["AzureWebJobsStorage"] = "nonsense"
    told = bench.run(command, code=1)
    assert told == "AzureWebJobsStorage: is not a connection string of a storage account."
