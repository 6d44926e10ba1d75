"""The vocabulary a table is written in: columns, rules, fragments and tables. Data only; it knows no record.

A row says: this column, converted to this kind, becomes these ECS fields, and this vendor field where it has one. A rule says: these fields
are worked out from those columns. `interpret` is what a table means, `compile` the same, fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

# object: several fields below one, as ECS lists them (dns.answers); geo_point: {"lat": …, "lon": …}. Only rules write these.
Kind = Literal[
    "keyword", "wildcard", "text", "long", "double", "latitude", "longitude", "boolean", "date", "ip", "flattened", "object", "geo_point"
]  # fmt: skip
Related = Literal["hash", "hosts", "ip", "user"]

UNMAPPED = "unmapped"  # vendor field, flattened: columns we do not know and values that would not convert


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table and where its value goes.

    source: the column's name in Defender. ecs: the ECS fields that get the value. vendor: field below the table's vendor root, or None.
    many: the value is a list (a JSON array, or its text, or one value). told: a rule tells this value in ECS fields, so that the
    vendor field is a duplicate, dropped by default, just as it is where `ecs` is not empty. converter: instead of the kind's own, for
    objects and lists that a table knows more of.
    """

    source: str
    kind: Kind
    ecs: tuple[str, ...] = ()
    vendor: str | None = None
    related: Related | None = None
    many: bool = False
    told: bool = False
    converter: Callable[[Any, str, list[Any]], Any] | None = None

    @property
    def duplicate(self) -> bool:
        """Whether the vendor field only repeats what ECS fields say."""
        return bool(self.ecs) or self.told


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


def ecs(
    source: str,
    kind: Kind,
    *fields: str,
    vendor: str | None = None,
    related: Related | None = None,
    many: bool = False,
) -> Column:
    """A column that becomes ECS fields; `vendor` is its duplicate, kept only by setting."""
    return Column(source, kind, fields, vendor, related, many)


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


def rule(
    function: Callable[..., Any],
    reads: tuple[str, ...],
    *writes: str,
    kind: Kind | tuple[Kind, ...] = "keyword",
    related: Related | tuple[Related | None, ...] | None = None,
    when: str | None = None,
) -> Rule:
    """A rule; one `kind` or `related` stands for all fields it writes."""
    kinds = kind if isinstance(kind, tuple) else (kind,) * len(writes)
    links = related if isinstance(related, tuple) else (related,) * len(writes)
    if not len(writes) == len(kinds) == len(links):
        raise ValueError(f"{function.__name__}: writes, kinds and related differ in length")
    return Rule(function, reads, writes, kinds, links, when)


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
    """

    name: str
    identity: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    unmapped: Mapping[str, str] = field(default_factory=dict)
    dataset: str = "m365_defender.event"
    vendor_root: str = "m365_defender.event"
    action: str | None = "ActionType"  # None: the table has no such column
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
