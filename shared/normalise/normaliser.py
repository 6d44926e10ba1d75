"""A record -> its document, index and id: picks the table, runs its compiled function, and carries what has no field.

Pure: no clock, no network, no settings; what it needs of them is handed in. It remembers functions, and devices' platforms (`platforms`).
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.errors import Reject
from shared.normalise import categories
from shared.normalise.api import Context, Part, Source, split_of
from shared.normalise.bags import as_text
from shared.normalise.cloud_message import COLUMNS, opener, time_of
from shared.normalise.compile import Normalise, NormaliseFitted, compile_fitted, compile_table
from shared.normalise.convert import Issue, Issues
from shared.normalise.decode import Message, Record, Unreadable, decode
from shared.normalise.fit import Fitted
from shared.normalise.identity import Names, names_and_values, part_id
from shared.normalise.interpret import Row, carry
from shared.normalise.latest import Entry, entries
from shared.normalise.mapping import Table
from shared.normalise.nested import Outline
from shared.normalise.platforms import Platforms, tells
from shared.normalise.source import Columns, Presence
from shared.normalise.tables import api_table, carrier, table

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
    table: str = ""  # of a part of an API object; a record has its own
    value: Mapping[str, Any] | None = None  # the part as it came
    entries: tuple[Entry, ...] = ()  # of a latest view, that it renews or takes out


@dataclass(frozen=True, slots=True)
class Layout:
    """A table, or one variant of it, made ready: a function for any record, and faster ones for the sets of columns that come often."""

    table: Table
    function: Normalise
    index: str
    known: bool
    tells_platform: bool  # of the device, in a column
    fitted: dict[Names | Outline | None, Fitted] = field(default_factory=dict)
    by_columns: dict[Columns, Fitted] = field(default_factory=dict)  # of other tenants, or in another order
    seen: Counter[Names | Outline] = field(default_factory=Counter)  # records that nothing is fitted to yet


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
        self._parts: dict[str, Layout] = {}  # of API objects
        self._platforms = Platforms()

    def identify(self, record: Record) -> str:
        """The document's id; raises `Reject` for a record that can not be written as JSON."""
        tenant = record.envelope.get("tenantId") or record.envelope.get("TenantId") or ""
        columns = record.properties
        record.names, record.values = names, values = names_and_values(
            tenant if tenant.__class__ is str else as_text(tenant), record.table, columns
        )
        return names.document_id(
            columns.get("Timestamp") if record.envelope else time_of(record.table, columns), values
        )

    def identified(self, message: Message) -> list[tuple[Record, str] | Unreadable]:
        """The records of a message with their ids, and what is none; those of one table together, otherwise in their order.

        All ids before the first document, and one table after another: each is faster by a twelfth than taking turns, which the processor's
        caches do not like.
        """
        found: dict[str | None, list[tuple[Record, str] | Unreadable]] = {}
        for piece in decode(message):
            pieces = found.get(piece.table)
            if pieces is None:
                pieces = found[piece.table] = []
            if isinstance(piece, Record):
                try:
                    pieces.append((piece, self.identify(piece)))
                except Reject as reject:
                    pieces.append(Unreadable(reject, message, piece.original(), piece.table))
            else:
                pieces.append(piece)
        return [piece for pieces in found.values() for piece in pieces]

    def normalise(self, record: Record, id: str, arrived: str) -> Normalised:
        """The document of a record; `arrived` (ISO 8601) becomes event.ingested."""
        columns, envelope, names = record.properties, record.envelope, record.names
        if not envelope:
            return self._message(record, id, arrived)
        layout = self._layouts.get(record.table) or self._layout(record.table)
        if layout.table.variants:
            layout = self._variant(layout, columns)
        issues: Issues = []
        fitted = layout.fitted.get(names)
        document = None if fitted is None else fitted.function(columns, envelope, issues, record.values)
        if document is None:
            document = layout.function(columns, envelope, issues)
            self._learn(layout, names, record.values, envelope)
        host = document.get("host")
        if host is not None and (
            layout.tells_platform or (system := host.get("os")) is None or system.get("type") != "windows"
        ):
            self._platforms.settle(host, envelope.get("tenantId"), told=layout.tells_platform)
        return self._finished(record, id, arrived, layout, document, issues)

    def parts(self, source: Source, value: Mapping[str, Any], context: Context, arrived: str) -> Iterator[Normalised]:
        """The documents of an API object, made one after another; `arrived` as in `normalise`.

        Raises `Reject` for an object that is not one of this source, or whose key can not be written as JSON.
        """
        for part in split_of(source)(value, context):
            layout = self._parts.get(part.table) or self._part_layout(part.table)
            issues: Issues = []
            document = layout.function(part.columns, {"scan": context.scan or arrived}, issues)
            id = part_id(context.tenant, part.table, part.key, part.version)
            yield self._part(part, id, arrived, layout, document, issues)

    def _part(
        self, part: Part, id: str, arrived: str, layout: Layout, document: dict[str, Any], issues: Issues
    ) -> Normalised:
        document["event"]["ingested"] = arrived
        if "@timestamp" not in document:
            document["@timestamp"] = arrived
            issues.append(NO_TIME)
        if issues:
            carry(document, layout.table, issues)
        if self._original:
            document["event"]["original"] = as_text(part.value)
        found = () if part.latest is None else entries(part.latest, document)
        return Normalised(
            layout.index, id, document, issues, known=True, table=part.table, value=part.value, entries=found
        )

    def _part_layout(self, name: str) -> Layout:
        return self._parts.setdefault(name, self._ready(api_table(name)))

    def _message(self, record: Record, id: str, arrived: str) -> Normalised:
        """The document of a Defender for Cloud message, which is opened first; its envelope is when the hub took it."""
        layout = self._messages.get(record.table) or self._layout(record.table, cloud=True)
        opening, envelope = opener(record.table), {"enqueued": record.enqueued or arrived}
        outline, values = opening.read(record.properties)
        issues: Issues = []
        document, fitted = None, layout.fitted.get(outline)
        if outline is not None and fitted is not None:
            document = fitted.function(outline.strangers(values), envelope, issues, values)
        if document is None:
            document = layout.function(opening.open(record.properties), envelope, issues)
            self._learn(layout, outline, values, envelope)
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

    def _variant(self, layout: Layout, columns: Mapping[str, Any]) -> Layout:
        """The layout of a record by its action, where that has one of its own."""
        action = columns.get(layout.table.action or "")
        meaning = layout.table.variants.get(action) if action.__class__ is str else None
        if meaning is None:
            return layout
        key = builtins.id(meaning)
        return self._variants.get(key) or self._variants.setdefault(key, self._ready(meaning))

    def _ready(self, meaning: Table, *, known: bool = True) -> Layout:
        function = compile_table(meaning, duplicates=self._duplicates, namespace=self._namespace)
        return Layout(meaning, function, f"logs-{meaning.dataset}-{self._namespace}", known, known and tells(meaning))

    def _learn(self, layout: Layout, names: Names | Outline | None, values: Sequence[Any], envelope: Row) -> None:
        """Look at a record that no fitted function took; one is made when many of its columns have come.

        Within bounds, because names come from outside.
        """
        fitted = layout.fitted.get(names)
        if fitted is not None:
            fitted.learn(values, envelope)
            return
        if names is None:
            return
        fitted = layout.by_columns.get(names.columns)
        if fitted is None:
            layout.seen[names] += 1
            if layout.seen[names] < FIT_AFTER:
                if len(layout.seen) > MOST_SEEN:
                    layout.seen.clear()
                return
            if len(layout.by_columns) >= MOST_FITTED:
                return
            fitted = Fitted(layout.table, names.columns, partial(self._fitted, layout.table))
            layout.by_columns[names.columns] = fitted
        if len(layout.fitted) >= MOST_SEEN:
            layout.fitted.clear()
        layout.fitted[names] = fitted

    def _fitted(self, meaning: Table, presence: Presence) -> NormaliseFitted:
        return compile_fitted(meaning, presence, duplicates=self._duplicates, namespace=self._namespace)
