"""Elasticsearch and the blob store after a demo -> where each thing went: data streams, latest views, dead letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from elasticsearch import ApiError, Elasticsearch, TransportError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from local.demo_report import number
from shared.blobs import open_container
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetters
from shared.ship.latest import VIEWS

BACKING = re.compile(r"\.ds-(.+)-\d{4}\.\d\d\.\d\d-\d{6}")
STREAMS = "logs-m365_defender.*,logs-microsoft_defender_cloud.*,logs-defender_to_elasticsearch.*"
MOST = 1_000  # indices


@dataclass(frozen=True, slots=True)
class Place:
    """A data stream or latest view: its name, how many documents, the @timestamp (ISO 8601) of the newest."""

    name: str
    documents: int
    newest: str = ""


def places(reader: Elasticsearch, names: str) -> list[Place] | None:
    """Data streams or indices, by a list of patterns, that have documents; None where the reader may not read."""
    by_index = {"terms": {"field": "_index", "size": MOST}, "aggs": {"newest": {"max": {"field": "@timestamp"}}}}
    try:
        reader.indices.refresh(index=names, ignore_unavailable=True)
        found = reader.search(index=names, size=0, ignore_unavailable=True, aggs={"indices": by_index}).body
    except (ApiError, TransportError):
        return None
    by_name: dict[str, Place] = {}
    for bucket in found.get("aggregations", {}).get("indices", {}).get("buckets", []):
        backing = BACKING.fullmatch(bucket["key"])
        name = backing[1] if backing else bucket["key"]
        known = by_name.get(name, Place(name, 0))
        newest = max(known.newest, bucket["newest"].get("value_as_string", ""))
        by_name[name] = Place(name, known.documents + bucket["doc_count"], newest)
    return sorted(by_name.values(), key=lambda place: place.name)


def view_names(namespace: str) -> str:
    """All latest views of a namespace."""
    return ",".join(view.index.format(namespace=namespace) for view in VIEWS.values())


def dead_letters(settings: Settings, environment: Mapping[str, str]) -> Counter[str]:
    """How many different records are in the dead letters, by class."""
    stored = DeadLetters(
        lambda: open_container(settings, settings.dead_letter_container, environment), settings.storage
    )
    letters = {letter.key: letter.code for blob in stored.list() for letter in stored.read(blob)}
    return Counter(letters.values())


def show_places(
    console: Console,
    streams: Sequence[Place] | None,
    views: Sequence[Place] | None,
    letters: Mapping[str, int],
    container: str,
) -> None:
    """The table of where each thing went."""
    table = Table(
        title="Where each thing went", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for name, justify in (("", "left"), ("documents", "right"), ("newest of", "left")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # one of the words that it takes
    aliases = {view.index: view.alias for view in VIEWS.values() if view.alias}
    for title, found in (("data streams", streams), ("latest views", views)):
        table.add_row(f"[bold]{title}[/]")
        if found is None:
            table.add_row("  not to be read with these credentials, as it should be for those that ship", "?")
        for place in found or ():
            table.add_row(f"  {place.name}", number(place.documents), place.newest[:16].replace("T", " "))
            if place.name in aliases:
                table.add_row(f"  [dim]= {aliases[place.name]}[/]")
    table.add_row(f"[bold]dead letters[/], {sum(letters.values())} different ones in blob container {container}")
    for code, count in sorted(letters.items()):
        table.add_row(f"  {code}", number(count))
    console.print(table)
