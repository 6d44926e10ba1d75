"""A record -> its document, index and id: picks the table, runs its compiled function, and carries what has no field.

Pure: no clock, no network, no settings; what it needs of them is handed in.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from shared.normalise import categories
from shared.normalise.compile import Normalise, compile_table
from shared.normalise.convert import Issue, Issues
from shared.normalise.decode import Record
from shared.normalise.identity import document_id
from shared.normalise.interpret import carry
from shared.normalise.mapping import Table
from shared.normalise.tables import carrier, table

Ready = tuple[Table, Normalise, str]  # a table, its compiled function, its data stream
NO_TIME = Issue("Timestamp", "the record has no time that can be read: the time it arrived stands in", None)


class Normalised(NamedTuple):
    """A document to index and what was found on the way; `known` is false for a table that we have no mapping of."""

    index: str
    id: str
    document: dict[str, Any]
    issues: Issues
    known: bool


class Normaliser:
    """Turns records into documents; one per process, compiling each table at its first record."""

    def __init__(self, *, namespace: str = "default", duplicates: bool = False, original: bool = False) -> None:
        """namespace: of the data streams. duplicates: keep vendor fields that ECS fields repeat. original: keep event.original."""
        self._namespace = namespace
        self._duplicates = duplicates
        self._original = original
        self._compiled: dict[str, Ready] = {}
        self._carriers: dict[Hashable, Ready] = {}

    def identify(self, record: Record) -> str:
        """The document's id; raises `Reject` for a record that can not be written as JSON."""
        tenant = record.envelope.get("tenantId") or record.envelope.get("TenantId") or ""
        return document_id(str(tenant), record.table, record.properties.get("Timestamp"), record.properties)

    def normalise(self, record: Record, id: str, arrived: str) -> Normalised:
        """The document of a record; `arrived` (ISO 8601) becomes event.ingested."""
        name = record.table
        meaning, function, index = self._compiled.get(name) or self._table(name, cloud=not record.envelope)
        if meaning.variants:
            action = record.properties.get(meaning.action or "")
            variant = meaning.variants.get(action) if action.__class__ is str else None
            if variant is not None:
                meaning, function, index = self._variant(variant)
        issues: Issues = []
        document = function(record.properties, record.envelope, issues)
        document["data_stream"]["namespace"] = self._namespace
        document["event"]["ingested"] = arrived
        if "@timestamp" not in document:
            document["@timestamp"] = record.enqueued or arrived
            issues.append(NO_TIME)
        if issues:
            carry(document, meaning, issues)
        if self._original:
            document["event"]["original"] = record.original().decode("utf-8", "replace")
        return Normalised(index, id, document, issues, name in self._compiled)

    def _table(self, name: str, *, cloud: bool) -> Ready:
        meaning = table(name)
        if meaning is not None:
            return self._compiled.setdefault(name, self._ready(meaning))
        # Names of tables that we do not know come from outside: those that mean the same share one function.
        key = name if name in categories.ACTIONS else (cloud, categories.kind(name), categories.default(name))
        return self._carriers.get(key) or self._carriers.setdefault(key, self._ready(carrier(name, cloud=cloud)))

    def _variant(self, meaning: Table) -> Ready:
        key = f"{meaning.name} {id(meaning)}"
        return self._compiled.get(key) or self._compiled.setdefault(key, self._ready(meaning))

    def _ready(self, meaning: Table) -> Ready:
        return meaning, compile_table(meaning, duplicates=self._duplicates), f"logs-{meaning.dataset}-{self._namespace}"
