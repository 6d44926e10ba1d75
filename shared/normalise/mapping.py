"""The vocabulary a table is written in: columns, rules, fragments and tables. Data only; it knows no record.

A row says: this column, converted to this kind, becomes these ECS fields, and this vendor field where it has one. A rule says: these fields
are worked out from those columns. `interpret` is what a table means, `compile` the same, fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

# object: several fields below one, as ECS lists them (dns.answers); geo_point: {"lat": …, "lon": …}. Only rules write these, and columns with a shape.
Kind = Literal[
    "keyword", "wildcard", "text", "long", "double", "latitude", "longitude", "boolean", "date", "ip", "flattened", "object", "geo_point"
]  # fmt: skip
Related = Literal["hash", "hosts", "ip", "user"]

# What an object inside a column may hold: key -> (field, kind of its values), or (field, the shape of the object there); third is whether a
# list of them may come, which it may where nothing is said. A key that may hold either has two rows, the one for objects under the key and
# `OBJECTS`.
type Row = tuple[str, Kind | Shape] | tuple[str, Kind | Shape, bool]
type Shape = Mapping[str, Row]

OBJECTS = "{}"
UNMAPPED = "unmapped"  # vendor field, flattened: columns we do not know and values that would not convert


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table and where its value goes.

    source: the column's name in Defender. ecs: the ECS fields that get the value. vendor: field below the table's vendor root, or None.
    many: the value is a list (a JSON array, or its text, or one value). told: a rule tells this value in ECS fields, so that the
    vendor field is a duplicate, dropped by default, just as it is where `ecs` is not empty. converter: instead of the kind's own, for
    objects and lists that a table knows more of. kept: it stays all the same, since dashboards or rules of Elastic's read it.
    """

    source: str
    kind: Kind
    ecs: tuple[str, ...] = ()
    vendor: str | None = None
    related: Related | None = None
    many: bool = False
    told: bool = False
    converter: Callable[[Any, str, list[Any]], Any] | None = None
    shape: Shape | None = None  # of kind object: what the object, or each object of the list, may hold
    kept: bool = False

    @property
    def duplicate(self) -> bool:
        """Whether the vendor field only repeats what ECS fields say, and nobody looks for it."""
        return (bool(self.ecs) or self.told) and not self.kept


@dataclass(frozen=True, slots=True)
class Rule:
    """Fields worked out from columns and earlier fields.

    reads: column names, fields that an earlier rule wrote (they hold a dot, columns never do), or "" for an argument the table has nothing
    for. writes: ECS fields, or vendor fields with a leading `~`. `function` takes the values of `reads` (None where absent) and returns the value for the one field
    of `writes`, or a tuple of one value per field; None is absent. It is pure and never raises.
    """

    function: Callable[..., Any]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    kinds: tuple[Kind, ...]
    related: tuple[Related | None, ...]
    when: str | None = None  # a column: the rule is skipped where it is absent
    duplicate: bool = False  # its vendor fields repeat what ECS fields say: kept only by setting


def ecs(
    source: str,
    kind: Kind,
    *fields: str,
    vendor: str | None = None,
    related: Related | None = None,
    many: bool = False,
    kept: bool = False,
) -> Column:
    """A column that becomes ECS fields; `vendor` is its duplicate, kept only by setting, or always (`kept`)."""
    return Column(source, kind, fields, vendor, related, many, kept=kept)


def vendor(
    source: str,
    kind: Kind,
    field: str,
    *,
    related: Related | None = None,
    many: bool = False,
    told: bool = False,
    converter: Callable[[Any, str, list[Any]], Any] | None = None,
) -> Column:
    """A column that becomes a field below the vendor root; `told`: a rule says the same in ECS."""
    return Column(source, kind, (), field, related, many, told, converter)


def objects(source: str, shape: Shape, field: str, *, told: bool = False) -> Column:
    """A column that holds an object, or a list of them, each of the same shape, below the vendor root."""
    return Column(source, "object", (), field, told=told, shape=shape)


def rule(
    function: Callable[..., Any],
    reads: tuple[str, ...],
    *writes: str,
    kind: Kind | tuple[Kind, ...] = "keyword",
    related: Related | tuple[Related | None, ...] | None = None,
    when: str | None = None,
    duplicate: bool = False,
) -> Rule:
    """A rule; one `kind` or `related` stands for all fields it writes."""
    kinds = kind if isinstance(kind, tuple) else (kind,) * len(writes)
    links = related if isinstance(related, tuple) else (related,) * len(writes)
    if not len(writes) == len(kinds) == len(links):
        raise ValueError(f"{function.__name__}: writes, kinds and related differ in length")
    return Rule(function, reads, writes, kinds, links, when, duplicate)


def first(*values: Any) -> Any:
    """The first value that is there: a rule of this function, which compiled tables write out rather than call."""
    return next((value for value in values if value is not None), None)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Rows that many tables share, written once; `at` places their ECS fields below a field."""

    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()

    def at(self, root: str) -> Fragment:
        """The same rows with their ECS fields below `root`; vendor fields stay where they are."""
        return Fragment(
            tuple(replace(column, ecs=tuple(f"{root}.{field}" for field in column.ecs)) for column in self.columns),
            tuple(
                replace(
                    rule,
                    reads=tuple(f"{root}.{name[1:]}" if name.startswith(".") else name for name in rule.reads),
                    writes=tuple(name if name[0] in "~#" else f"{root}.{name}" for name in rule.writes),
                )
                for rule in self.rules
            ),
        )

    def below(self, path: str, field: str) -> Fragment:
        """The same rows of an object that lies below `path` of another one; its vendor fields go below `field`, ECS fields stay."""
        own = {column.source for column in self.columns}
        return Fragment(
            tuple(
                replace(column, source=f"{path}.{column.source}", vendor=column.vendor and f"{field}.{column.vendor}")
                for column in self.columns
            ),
            tuple(
                replace(
                    rule,
                    reads=tuple(f"{path}.{name}" if name in own else name for name in rule.reads),
                    writes=tuple(f"~{field}.{name[1:]}" if name[0] == "~" else name for name in rule.writes),
                    when=f"{path}.{rule.when}" if rule.when in own else rule.when,
                )
                for rule in self.rules
            ),
        )

    def without(self, *sources: str) -> Fragment:
        """The same rows less some columns, for a table that says something else of them."""
        return Fragment(tuple(c for c in self.columns if c.source not in sources), self.rules)


@dataclass(frozen=True, slots=True)
class Action:
    """What a record of a table is, in ECS terms; lists are shared between documents and never changed."""

    category: tuple[str, ...]
    type: tuple[str, ...]
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How one Defender table becomes ECS documents.

    identity: the documented key (its columns are part of the content that the document id is made from). unmapped: columns left out on
    purpose -> why. dataset: data stream dataset; vendor_root: where vendor fields live; action: the column whose value `categories` knows.
    about: sentences for its page of docs/fields.
    """

    name: str
    identity: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    unmapped: Mapping[str, str] = field(default_factory=dict)
    dataset: str = "m365_defender.event"
    vendor_root: str = "m365_defender.event"
    action: str | None = "ActionType"  # None: the table has no such column
    about: str = ""
    variants: Mapping[str, Table] = field(
        default_factory=dict
    )  # value of `action` -> a different layout for such records

    def layouts(self) -> tuple[Table, ...]:
        """The table and each different layout that some of its records have."""
        return self, *{id(variant): variant for variant in self.variants.values()}.values()

    @property
    def known(self) -> frozenset[str]:
        """Every column this table says something about."""
        return frozenset(column.source for column in self.columns) | frozenset(self.unmapped)


def table(name: str, identity: tuple[str, ...], *rows: Column | Rule | Fragment, **more: Any) -> Table:
    """A table out of columns, rules and fragments in the order they are written."""
    columns: list[Column] = []
    rules: list[Rule] = []
    for row in rows:
        if isinstance(row, Column):
            columns.append(row)
        elif isinstance(row, Rule):
            rules.append(row)
        else:
            columns.extend(row.columns)
            rules.extend(row.rules)
    return Table(name, identity, tuple(columns), tuple(rules), **more)
