"""Dead letters: lines that give the exact bytes back, and blobs in a real blob store."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient
from hypothesis import given
from hypothesis import strategies as st

from local.azurite import LocalAzurite, azurite
from shared.blobs import open_container
from shared.errors import Misconfigured, Retry
from shared.ship.dead_letter import DeadLetter, DeadLetters, append, pack
from tests.ship.shipping import PlainRecord, settings


def letter(
    original: bytes = b'{"a":1}', *, source: str = "xdr", code: str = "not_json", **fields: object
) -> DeadLetter:
    """A dead letter with these bytes."""
    made = DeadLetter.of(PlainRecord(original), code=code, reason="why", source=source, table="DeviceEvents")
    return dataclasses.replace(made, **fields)  # type: ignore[arg-type]  # fields of the test's choice


@pytest.fixture
def container(azurite_server: LocalAzurite) -> Iterator[ContainerClient]:
    """A container of the test's own."""
    with azurite_server.service() as service:
        yield service.create_container(azurite_server.container_name("dead"))


def box(container: ContainerClient, **options: int) -> DeadLetters:
    """Dead letters in that container, at a fixed hour."""
    return DeadLetters(
        lambda: container, "AzureWebJobsStorage", now=lambda: datetime(2026, 3, 4, 5, 59, tzinfo=UTC), **options
    )


def stored_letters(letters: DeadLetters) -> list[DeadLetter]:
    """Every letter in every blob."""
    return [one for stored in letters.list() for one in letters.read(stored)]


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_the_original_comes_back_byte_by_byte(original: bytes) -> None:
    """Whatever a message held, text or not, its dead letter is one line and gives it back."""
    line = letter(original).line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert DeadLetter.parse(line) == letter(original, when=json.loads(line)["when"])


def test_a_line_says_what_the_documentation_says() -> None:
    """The fields of a line, text as text and bytes as base64."""
    fields = json.loads(letter("é".encode(), id="abc").line())
    assert list(fields) == [
        "class", "reason", "source", "table", "key", "id", "partition", "sequence_number", "enqueued", "when",
        "attempt", "original",
    ]  # fmt: skip
    assert (fields["class"], fields["original"], fields["id"]) == ("not_json", "é", "abc")
    fields = json.loads(letter(b"\xff\x00").line())
    assert base64.b64decode(fields["original_base64"]) == b"\xff\x00"
    assert "original" not in fields


def test_the_same_record_has_the_same_key_whenever_and_however_it_fails() -> None:
    """List and replay tell letters apart by what they hold and where from, not by when, why or how often."""
    one = letter(b"x")
    assert one.key == letter(b"x", code="too_large", when="2026-01-01T00:00:00Z", attempt=9, sequence_number=7).key
    assert len({one.key, letter(b"y").key, letter(b"x", source="defender_cloud").key, letter(b"x", table="").key}) == 4
    assert one.key == "02fb256a311352e44ab218265cba2af3"


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b"{}", b'{"class":"x","original":1}', b"\xff"])
def test_a_torn_line_is_told(line: bytes) -> None:
    """What is not a dead letter raises ValueError and nothing else."""
    with pytest.raises(ValueError):
        DeadLetter.parse(line)


@given(st.lists(st.binary(max_size=50).map(lambda data: data + b"\n"), max_size=30), st.integers(1, 60))
def test_blocks_are_within_the_limit_and_together_are_the_lines(lines: list[bytes], most: int) -> None:
    """No block is above what the service takes, and no byte is lost."""
    blocks = list(pack(lines, most))
    assert b"".join(blocks) == b"".join(lines)
    assert all(0 < len(block) <= most for block in blocks)


def test_letters_are_written_by_source_and_hour_and_read_back(container: ContainerClient) -> None:
    """The path tells source, hour, partition and sequence number; the letters come back as they were."""
    letters = box(container)
    sent = [letter(b"a"), letter(b"\xff", source="defender_cloud", partition=None), letter(b"b")]
    names = letters.write(sent)
    assert [name.rsplit("-", 1)[0] for name in names] == [
        "xdr/2026/03/04/05/3-42",
        "defender_cloud/2026/03/04/05/none-42",
    ]
    assert all(name.endswith(".ndjson") for name in names)
    assert {one.original for one in stored_letters(letters)} == {b"a", b"b", b"\xff"}
    assert sorted(stored_letters(letters), key=lambda one: one.original) == sorted(sent, key=lambda one: one.original)
    assert [stored.name for stored in letters.list("xdr")] == names[:1]


def test_nothing_to_put_away_contacts_nobody() -> None:
    """Without dead letters the blob store need not be there."""

    def refuse() -> ContainerClient:
        raise AssertionError("the container was opened")

    assert DeadLetters(refuse, "AzureWebJobsStorage").write([]) == []


def test_many_and_large_letters_go_over_blocks_and_blobs(container: ContainerClient) -> None:
    """A line above a block's size and more blocks than a blob takes are no trouble."""
    letters = box(container, max_block=1_000, max_blocks=3)
    sent = [letter(str(i).encode() * 300) for i in range(12)] + [letter(b"\xfe" * 5_000)]
    names = letters.write(sent)
    assert len(names) > 1
    assert stored_letters(letters) == sent
    for stored in letters.list():
        data = container.download_blob(stored.name).readall()
        assert data.endswith(b"\n"), "a blob ends inside a line"


def test_a_lost_answer_writes_no_block_twice(container: ContainerClient) -> None:
    """The store took the block but the answer is lost: repeating it is recognised, someone else's bytes are not."""
    blob = container.get_blob_client("xdr/lost.ndjson")
    blob.create_append_blob()
    append(blob, b"one\n", 0)
    append(blob, b"one\n", 0)
    assert blob.download_blob().readall() == b"one\n"
    with pytest.raises(Retry):
        append(blob, b"something longer\n", 0)


def test_a_line_torn_by_a_crash_hides_no_other(container: ContainerClient) -> None:
    """Half a line at the end of a blob is skipped; the whole ones before it are read."""
    letters = box(container)
    (name,) = letters.write([letter(b"a"), letter(b"b")])
    container.get_blob_client(name).append_block(letter(b"c").line()[:50])
    assert [one.original for one in stored_letters(letters)] == [b"a", b"b"]


def test_letters_are_removed_only_from_a_blob_that_has_not_changed(container: ContainerClient) -> None:
    """Keeping some replaces the blob; a blob that grew meanwhile stays whole, and nothing is left beside it."""
    letters = box(container)
    a, b, c = letter(b"a"), letter(b"b"), letter(b"c")
    (name,) = letters.write([a, b])
    (stored,) = letters.list()
    assert letters.keep(stored, [b])
    assert stored_letters(letters) == [b]
    (stored,) = letters.list()
    assert stored.name.startswith(name.removesuffix(".ndjson") + "~")
    container.get_blob_client(stored.name).append_block(c.line())
    assert not letters.keep(stored, [])
    assert not letters.keep(stored, [b])
    assert stored_letters(letters) == [b, c]
    (stored,) = letters.list()
    assert letters.keep(stored, [])
    assert stored_letters(letters) == []
    assert not letters.keep(stored, [])


def test_a_missing_container_is_made(azurite_server: LocalAzurite) -> None:
    """The first dead letter of a new installation needs no one to have made the container."""
    name = azurite_server.container_name("new")
    environment = {"BLOBS": azurite_server.connection_string}
    for _ in range(2):
        client = open_container(settings(STORAGE="BLOBS"), name, environment)
        assert client.exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "BLOBS: is not set"),
        ({"BLOBS": "nonsense"}, "BLOBS: is not a connection string"),
        ({"BLOBS__blobServiceUri": "http://plain.example.com"}, "BLOBS__blobServiceUri: is not an https address"),
        ({"BLOBS__blobServiceUri": "ftp://x"}, "BLOBS__blobServiceUri: is not an https address"),
    ],
)
def test_a_senseless_storage_setting_is_one_sentence(environment: dict[str, str], words: str) -> None:
    """The setting is named, and no value of it is shown."""
    with pytest.raises(Misconfigured, match=words):
        open_container(settings(STORAGE="BLOBS"), "dead-letter", environment)


def test_a_wrong_key_is_misconfigured_and_shows_no_secret(azurite_server: LocalAzurite) -> None:
    """A storage account that refuses us is for a person to mend."""
    wrong = base64.b64encode(b"wrong" * 8).decode()
    parts = [
        f"AccountKey={wrong}" if part.startswith("AccountKey=") else part
        for part in azurite_server.connection_string.split(";")
    ]
    with pytest.raises(Misconfigured, match="BLOBS: blob storage refuses us") as caught:
        open_container(settings(STORAGE="BLOBS"), "dead-letter", {"BLOBS": ";".join(parts)})
    assert wrong not in str(caught.value)


def test_a_store_that_is_down_is_retried_later_and_then_works(tmp_path: Path) -> None:
    """Blob store stopped: Retry, nothing is said to be stored; started again: the same call succeeds."""
    with azurite(folder=tmp_path) as server:
        opened = open_container(settings(STORAGE="BLOBS"), "dead-letter", {"BLOBS": server.connection_string})
        letters = box(opened)
        letters.write([letter(b"before")])
        server.stop()
        with pytest.raises(Retry, match="can not be reached"):
            letters.write([letter(b"after")])
        server.start()
        letters.write([letter(b"after")])
        assert {one.original for one in stored_letters(letters)} == {b"before", b"after"}
