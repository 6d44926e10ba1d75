"""What speed is measured with: records of the made-up load, and golden ones, varied, of tables and messages that the load does not make.

Two lots of one fleet by name: what a worker has seen before, and what is measured. A lot is in portions: records' JSON, and the hub
messages that bring them. Stream records come hundreds a message, packed as Defender packs them (at most 1 MB); of Defender for Cloud each
is a message of its own (facts: defender_cloud.event_hub_body); objects of APIs (`polled`) come in none.

Of the golden records those that are there for their faults are left out, where others remain: what they take is no table's usual time.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from local.load import groups, json_bytes, packed, records
from shared.normalise.api import SOURCES, Source
from shared.normalise.bags import opened_text
from shared.normalise.cloud_message import COLUMNS
from shared.normalise.decode import Message, Record, decode
from shared.normalise.interpret import NOT_TOLD
from shared.normalise.normaliser import Normaliser
from tests.speed import polled

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
MIX, MIX_APART = "(mix within each message)", "(mix, one table a message)"
GOLDEN_MARK = "*"
MESSAGES_A_PORTION = 100  # of Defender for Cloud; or objects
FLEET = 50  # of every device, file, subscription
LEAST_OF_AN_ID = 8  # characters
# A time of day; ids and hashes; numbers. What begins a number stays, so that it is one of as many digits.
VARIED = re.compile(
    r"(?<=\dT)\d\d:\d\d:\d\d|(?<![\w.\\])(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}(?![\w.])|(?<![\w.\\-])\d{4,7}(?![\w.-])"
)


@dataclass(frozen=True, slots=True)
class Portion:
    """Records' JSON and the messages that bring them, or the JSON of objects of a source that is polled."""

    texts: list[bytes]
    messages: list[Message]
    source: Source | None = None


type Lots = tuple[list[Portion], list[Portion]]  # seen before, measured


def lots(each: int, mix: int) -> dict[str, Lots]:
    """Both lots of every table, message kind and source, by name, and of the mix; a name with `GOLDEN_MARK` is made of golden records.

    each, mix: how many are measured at most.
    """
    chance = random.Random(1)
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for record in records(each * 24, seed=11):
        text = json_bytes(record)
        found[MIX].append(text)
        found[record["category"].removeprefix("AdvancedHunting-")].append(text)
    load: dict[str, Lots] = {}
    for name, texts in found.items():
        half = len(texts) // 2
        load[name] = (
            in_messages(texts[:half], chance),
            in_messages(texts[half:][: mix if name == MIX else each], chance),
        )
    load[MIX_APART] = (tables_apart(load[MIX][0], chance), tables_apart(load[MIX][1], chance))
    for folder in sorted(GOLDEN.iterdir()):
        if folder.name not in load and folder.name not in SOURCES:
            portions = alone if folder.name in COLUMNS else in_messages
            texts = list(varied(faultless(folder / "in.json"), each, chance))
            load[folder.name + GOLDEN_MARK] = (
                portions(texts[: each // 2], chance),
                portions(texts[each // 2 :], chance),
            )
    for source in SOURCES:
        texts = list(varied(polled.golden(GOLDEN / source / "in.json", source), each, chance))
        for name, objects in ((source, polled.made(source, each)), (source + GOLDEN_MARK, texts)):
            load[f"{name} (polled)"] = (
                objects_of(source, objects[: each // 2]),
                objects_of(source, objects[each // 2 :]),
            )
    return load


def in_messages(texts: Iterable[bytes], chance: random.Random) -> list[Portion]:
    """Records in messages as full as Defender's."""
    return [
        Portion(texts, [Message(packed(texts))]) for texts in groups([orjson.loads(text) for text in texts], chance)
    ]


def alone(texts: list[bytes], chance: random.Random) -> list[Portion]:
    """Each record a message of its own."""
    portions = [texts[start : start + MESSAGES_A_PORTION] for start in range(0, len(texts), MESSAGES_A_PORTION)]
    return [Portion(portion, [Message(text) for text in portion]) for portion in portions]


def objects_of(source: Source, texts: list[bytes]) -> list[Portion]:
    """Objects of an API, some at a time."""
    return [
        Portion(texts[start : start + MESSAGES_A_PORTION], [], source)
        for start in range(0, len(texts), MESSAGES_A_PORTION)
    ]


def tables_apart(mixed: list[Portion], chance: random.Random) -> list[Portion]:
    """The same records with those of one table in a message of their own; Microsoft does not say whether a message mixes tables."""
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for portion in mixed:
        for text in portion.texts:
            found[orjson.loads(text)["category"]].append(text)
    apart = [portion for texts in found.values() for portion in in_messages(texts, chance)]
    chance.shuffle(apart)
    return apart


def faultless(path: Path) -> list[str]:
    """The JSON of golden records in which all is right, or of all where something is wrong with each; as the stream has it.

    In the stream records of a table have the same columns, null where there is nothing, and JSON in texts where KQL's exports have Python
    literals (facts: streaming_envelope).
    """
    normaliser = Normaliser()
    found: dict[bool, list[Record]] = {True: [], False: []}
    for record in decode(Message(path.read_bytes())):
        if not isinstance(record, Record):
            raise TypeError(f"{path} holds what is no record")
        right = all(issue.reason in NOT_TOLD for issue in normaliser.normalise(record, "", "").issues)
        found[right].append(record)
    chosen = found[True] or found[False]
    columns = dict.fromkeys(name for record in chosen for name in record.properties)
    return [
        orjson.dumps(
            {**record.envelope, "properties": {name: as_json(record.properties.get(name)) for name in columns}}
            if record.envelope
            else record.properties
        ).decode()
        for record in chosen
    ]


def as_json(value: Any) -> Any:
    """A column's value with JSON in its text, where a Python literal is."""
    opened = opened_text(value) if isinstance(value, str) and value else None
    return value if opened is None else orjson.dumps(opened).decode()


def varied(texts: list[str], count: int, chance: random.Random) -> Iterator[bytes]:
    """So many records like the golden ones: with times and numbers of their own, ids and hashes of a small fleet; tenant, names and words stay."""
    fleet: dict[tuple[str, int], str] = {}

    def like(text: str) -> str:
        letters = {True: "123456789", False: "abcdef"}
        made = text[0] + "".join(chance.choice(letters[letter.isdigit()]) for letter in text[1:])
        return made.upper() if text.isupper() else made

    def other(match: re.Match[str]) -> str:
        text = match[0]
        if ":" in text:
            return f"{text[:2]}:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}"
        if len(text) < LEAST_OF_AN_ID:
            return like(text)
        return fleet.setdefault((text, chance.randrange(FLEET)), like(text))

    for _ in range(count):
        text = chance.choice(texts)
        tenant = {key: value for key, value in orjson.loads(text).items() if key == "tenantId"}
        yield orjson.dumps({**orjson.loads(VARIED.sub(other, text)), **tenant})
