"""A record -> its document, index and id: picks the table, runs its compiled function, and carries what has no field.

Pure: no clock, no network, no settings; what it needs of them is handed in.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.errors import Reject
from shared.normalise import categories
from shared.normalise.bags import as_text
from shared.normalise.cloud_message import COLUMNS, opened
from shared.normalise.compile import Normalise, NormaliseShape, compile_shape, compile_table
from shared.normalise.convert import Issue, Issues
from shared.normalise.decode import Message, Record, Unreadable, decode
from shared.normalise.fit import Fitted
from shared.normalise.identity import Names, names_and_values
from shared.normalise.interpret import carry
from shared.normalise.mapping import Table
from shared.normalise.source import Shape
from shared.normalise.tables import carrier, table

FIT_AFTER = 100  # records with the same columns, before a function is fitted to these: it takes as long to compile as some hundred records save
MOST_FITTED, MOST_SEEN = 8, 256  # sets of columns of a table that a function is fitted to, that are remembered
NO_TIME = Issue("Timestamp", "the record has no time that can be read: the time it arrived stands in", None)


@dataclass(slots=True)
class Normalised:
    """A document to index and what was found on the way; `known` is false for a table that we have no mapping of."""

    index: str
    id: str
    document: dict[str, Any]
    issues: Issues
    known: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A table, or one variant of it, made ready: a function for any record, and faster ones for the sets of columns that come often."""

    table: Table
    function: Normalise
    index: str
    known: bool
    fitted: dict[Names | None, Fitted] = field(default_factory=dict)
    by_columns: dict[tuple[str, ...], Fitted] = field(default_factory=dict)  # of other tenants
    seen: Counter[Names] = field(default_factory=Counter)  # records with columns that nothing is fitted to yet


class Normaliser:
    """Turns records into documents; one per process, compiling each table at its first record."""

    def __init__(self, *, namespace: str = "default", duplicates: bool = False, original: bool = False) -> None:
        """namespace: of the data streams. duplicates: keep vendor fields that ECS fields repeat. original: keep event.original."""
        self._namespace = namespace
        self._duplicates = duplicates
        self._original = original
        self._layouts: dict[str, Layout] = {}
        self._messages: dict[str, Layout] = {}  # of Defender for Cloud
        self._variants: dict[int, Layout] = {}  # by the identity of the table
        self._carriers: dict[Hashable, Layout] = {}

    def identify(self, record: Record) -> str:
        """The document's id; raises `Reject` for a record that can not be written as JSON."""
        tenant = record.envelope.get("tenantId") or record.envelope.get("TenantId") or ""
        columns = record.properties
        record.names, record.values = names, values = names_and_values(
            tenant if tenant.__class__ is str else as_text(tenant), record.table, columns
        )
        return names.document_id(columns.get("Timestamp"), values)

    def identified(self, message: Message) -> list[tuple[Record, str] | Unreadable]:
        """The records of a message with their ids, and what is none.

        All ids before the first document: that is faster by a twelfth than taking turns, which the processor's caches do not like.
        """
        pieces: list[tuple[Record, str] | Unreadable] = []
        for piece in decode(message):
            if isinstance(piece, Record):
                try:
                    pieces.append((piece, self.identify(piece)))
                except Reject as reject:
                    pieces.append(Unreadable(reject, message, piece.original(), piece.table))
            else:
                pieces.append(piece)
        return pieces

    def normalise(self, record: Record, id: str, arrived: str) -> Normalised:
        """The document of a record; `arrived` (ISO 8601) becomes event.ingested."""
        columns, names = record.properties, record.names
        if not record.envelope:
            return self._message(record, id, arrived)
        layout = self._layouts.get(record.table) or self._layout(record.table)
        if layout.table.variants:
            action = columns.get(layout.table.action or "")
            variant = layout.table.variants.get(action) if action.__class__ is str else None
            if variant is not None:
                layout = self._variants.get(builtins.id(variant)) or self._variant(variant)
        issues: Issues = []
        fitted = layout.fitted.get(names)
        document = None if fitted is None else fitted.function(columns, record.envelope, issues, record.values)
        if document is None:
            document = layout.function(columns, record.envelope, issues)
            if fitted is not None:
                fitted.learn(columns, record.envelope)
            elif names is not None:
                self._fit(layout, names)
        return self._finished(record, id, arrived, layout, document, issues)

    def _message(self, record: Record, id: str, arrived: str) -> Normalised:
        """The document of a Defender for Cloud message, which is opened first; its envelope is when the hub took it."""
        layout = self._messages.get(record.table) or self._layout(record.table, cloud=True)
        issues: Issues = []
        columns = opened(record.table, record.properties, issues) if layout.known else record.properties
        document = layout.function(columns, {"enqueued": record.enqueued or arrived}, issues)
        return self._finished(record, id, arrived, layout, document, issues)

    def _finished(
        self, record: Record, id: str, arrived: str, layout: Layout, document: dict[str, Any], issues: Issues
    ) -> Normalised:
        document["event"]["ingested"] = arrived
        if "@timestamp" not in document:
            document["@timestamp"] = record.enqueued or arrived
            issues.append(NO_TIME)
        if issues:
            carry(document, layout.table, issues)
        if self._original:
            document["event"]["original"] = record.original().decode("utf-8", "replace")
        return Normalised(layout.index, id, document, issues, layout.known)

    def _layout(self, name: str, *, cloud: bool = False) -> Layout:
        meaning = table(name)
        if (
            meaning is not None and (name in COLUMNS) == cloud
        ):  # a category may have a message's name, and a type a table's
            return (self._messages if cloud else self._layouts).setdefault(name, self._ready(meaning))
        # Names of tables that we do not know come from outside: those that mean the same share one function.
        key = name if name in categories.ACTIONS else (cloud, categories.kind(name), categories.default(name))
        return self._carriers.get(key) or self._carriers.setdefault(
            key, self._ready(carrier(name, cloud=cloud), known=False)
        )

    def _variant(self, meaning: Table) -> Layout:
        return self._variants.setdefault(builtins.id(meaning), self._ready(meaning))

    def _ready(self, meaning: Table, *, known: bool = True) -> Layout:
        function = compile_table(meaning, duplicates=self._duplicates, namespace=self._namespace)
        return Layout(meaning, function, f"logs-{meaning.dataset}-{self._namespace}", known)

    def _fit(self, layout: Layout, names: Names) -> None:
        """Fit a function to a set of columns when it has come often; within bounds, because names come from outside."""
        layout.seen[names] += 1
        if layout.seen[names] < FIT_AFTER:
            if len(layout.seen) > MOST_SEEN:
                layout.seen.clear()
            return
        fitted = layout.by_columns.get(names.columns)
        if fitted is None:
            if len(layout.by_columns) >= MOST_FITTED:
                return
            fitted = Fitted(layout.table, names.columns, partial(self._shape, layout.table))
            layout.by_columns[names.columns] = fitted
        if len(layout.fitted) >= MOST_SEEN:
            layout.fitted.clear()
        layout.fitted[names] = fitted

    def _shape(self, meaning: Table, shape: Shape) -> NormaliseShape:
        return compile_shape(meaning, shape, duplicates=self._duplicates, namespace=self._namespace)
