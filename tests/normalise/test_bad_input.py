"""Whatever a record of any table or message holds, a document comes out, and the real Elasticsearch takes it under our templates."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from local.elasticsearch import LocalElasticsearch
from local.templates import put_templates
from shared.normalise.cloud_message import COLUMNS
from shared.normalise.convert import UNKNOWN_COLUMN
from shared.normalise.decode import Message, Record, Unreadable
from shared.normalise.interpret import NOT_TOLD
from shared.normalise.mapping import Table
from shared.normalise.normaliser import Normalised, Normaliser
from tests.normalise.rows import ANYTHING, layouts, nested, row
from tools.write_golden import GOLDEN

DOCUMENTS = 5_000
LAYOUTS = [(name, meaning) for name, meaning in layouts() if meaning.dataset == "m365_defender.event"]
KINDS = sorted(COLUMNS)  # of Defender for Cloud's messages
SAMPLES = {folder.name: json.loads((folder / "in.json").read_text()) for folder in sorted(GOLDEN.iterdir())}
MANY = 10_000  # members of a long list
BULK = 4_000_000  # bytes of one request
NOW = "2026-01-02T03:04:06.789Z"


def worst(chance: random.Random) -> Any:
    """A value that is too much of something; of the largest few, because they take long."""
    draw = chance.random()
    if draw < 0.08:
        member = chance.choice(
            (
                "text",
                "192.0.2.1",
                7,
                None,
                {"a": 1},
                [1],
                "2026-01-02T03:04:05Z",
                {"IPAddress": "::1", "UserName": "kim"},
            )
        )
        return [member] * MANY if chance.random() < 0.5 else [f"{member}{number}" for number in range(MANY)]
    if draw < 0.16:
        return chance.choice("x日😀\ufffe\ud800") * chance.choice((8_191, 32_767, 100_000))
    if draw < 0.3:
        return nested(chance.choice((13, 30, 260, 600)))
    if draw < 0.4:
        return {f"key{number}": chance.choice(ANYTHING) for number in range(300)}
    return chance.choice(
        (2**63, 2**64, -(2**64), 10**400, 1e308, -0.0, float("nan"), float("inf"), "\ud800\udc00\udfff", "\ufdd0\uffff", "\x00" * 20, {}, [], [[]], [{}], [None], "")
    )  # fmt: skip


def spoilt(chance: random.Random, value: Any) -> Any:
    """A copy of a message in which some values, at any depth, are others."""
    if chance.random() < 0.08:
        return worst(chance) if chance.random() < 0.2 else chance.choice(ANYTHING)
    if isinstance(value, dict):
        return {key: spoilt(chance, item) for key, item in value.items()}
    return [spoilt(chance, item) for item in value] if isinstance(value, list) else value


def xdr(chance: random.Random, meaning: Table) -> Any:
    """A record of a table as Defender streams it: a random row, or a real-looking one with some of its values spoilt."""
    properties, envelope = row(chance, meaning)
    if meaning.name in SAMPLES and chance.random() < 0.4:
        properties = copy.deepcopy(chance.choice(SAMPLES[meaning.name])["properties"])
    for column in chance.sample(sorted(properties), min(len(properties), 2)):
        if chance.random() < 0.5:
            properties[column] = worst(chance) if chance.random() < 0.3 else chance.choice(ANYTHING)
    return {**envelope, "category": f"AdvancedHunting-{meaning.name}", "properties": properties or {"Empty": None}}


def cloud(chance: random.Random, kind: str) -> Any:
    """A message of Defender for Cloud, with some of its values spoilt; what its kind is told by stays as often as not."""
    samples = SAMPLES[kind] if isinstance(SAMPLES[kind], list) else [SAMPLES[kind]]
    whole = chance.choice(samples)
    return {key: spoilt(chance, item) if chance.random() < 0.8 else item for key, item in whole.items()}


def text(chance: random.Random, value: Any) -> str:
    """JSON as anybody may write it: now and then a key twice in an object, escapes or none, NaN and numbers of any length."""
    if isinstance(value, dict):
        pairs = [(key, text(chance, item)) for key, item in value.items()]
        if pairs and chance.random() < 0.05:
            pairs.insert(
                chance.randrange(len(pairs)), (chance.choice(pairs)[0], chance.choice(("1", '"twice"', "null", "{}")))
            )
        return "{" + ",".join(f"{json.dumps(key)}:{item}" for key, item in pairs) + "}"
    if isinstance(value, list) and len(value) < 100:
        return f"[{','.join(text(chance, item) for item in value)}]"
    return json.dumps(value, ensure_ascii=chance.random() < 0.5)


def messages(chance: random.Random) -> Iterator[Message]:
    """Messages without end, of all tables and kinds in turn; some of them not UTF-8 where a lone surrogate stands."""
    while True:
        for _, meaning in LAYOUTS:
            yield Message(text(chance, {"records": [xdr(chance, meaning)]}).encode("utf-8", "surrogatepass"))
        for kind in KINDS:
            for _ in range(4):
                yield Message(text(chance, cloud(chance, kind)).encode("utf-8", "surrogatepass"), enqueued=NOW)


def documents(chance: random.Random) -> tuple[list[Normalised], Counter[str], int]:
    """Documents with duplicates kept or not; records by table; and how many pieces of messages were no records."""
    normalisers = [Normaliser(namespace="hostile"), Normaliser(namespace="hostile", duplicates=True, original=True)]
    made: list[Normalised] = []
    tables: Counter[str] = Counter()
    unreadable = 0
    for message in messages(chance):
        normaliser = chance.choice(normalisers)
        for piece in normaliser.identified(message):
            if isinstance(piece, Unreadable):
                unreadable += 1
            else:
                record, id = piece
                assert isinstance(record, Record)
                made.append(normaliser.normalise(record, id, NOW))
                tables[record.table] += 1
        if len(made) >= DOCUMENTS:
            return made, tables, unreadable
    raise AssertionError


@pytest.fixture(scope="module")
def hostile() -> tuple[list[Normalised], Counter[str], int]:
    """The documents of all tests here."""
    return documents(random.Random("bad input"))


def test_every_table_and_kind_is_there(hostile: tuple[list[Normalised], Counter[str], int]) -> None:
    """No record raised, all tables and kinds are among them in numbers, and few messages were no records."""
    made, tables, unreadable = hostile
    assert {meaning.name for _, meaning in LAYOUTS} | set(KINDS) <= set(tables)
    assert min(tables[meaning.name] for _, meaning in LAYOUTS) >= 20
    assert min(tables[kind] for kind in KINDS) >= 20
    assert unreadable < len(made) / 10


def test_what_was_given_up_is_said(hostile: tuple[list[Normalised], Counter[str], int]) -> None:
    """error.message is there exactly where a value was given up, and what was given up is in the bag."""
    given_up = 0
    for made in hostile[0]:
        issues = [issue for issue in made.issues if issue.reason not in (UNKNOWN_COLUMN, *NOT_TOLD)]
        assert ("error" in made.document) == bool(issues)
        if any(issue.value is not None for issue in issues):
            root = made.document[made.document["event"]["module"]]["event"]
            assert {issue.column for issue in issues if issue.value is not None} <= {
                column.replace("\x00", "") for column in root["unmapped"]
            }
        given_up += bool(issues)
    assert given_up > DOCUMENTS / 3


def test_elasticsearch_takes_all_of_them(
    hostile: tuple[list[Normalised], Counter[str], int], elasticsearch_server: LocalElasticsearch
) -> None:
    """Every document is indexed by the real server under our own templates: not one field is refused."""
    client = elasticsearch_server.client()
    put_templates(client, namespace="hostile")
    refused: list[Any] = []
    lines: list[bytes] = []
    size, last = 0, hostile[0][-1]
    for made in hostile[0]:
        body = orjson.dumps(made.document)
        lines += [orjson.dumps({"create": {"_index": made.index, "_id": made.id}}), body]
        size += len(body)
        if size > BULK or made is last:
            answer = client.bulk(body=b"\n".join(lines) + b"\n", require_data_stream=True)  # type: ignore[arg-type]  # it takes ready-made lines too
            refused += [item["create"] for item in answer["items"] if item["create"]["status"] not in (201, 409)]
            lines, size = [], 0
    assert not refused, f"{len(refused)} refused, the first: {str(refused[0])[:2000]}"
    client.indices.refresh(index="logs-*-hostile")
    assert client.count(index="logs-*-hostile")["count"] == len({made.id for made in hostile[0]})
