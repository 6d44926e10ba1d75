"""Laws over every table: each fails with a sentence that says what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from shared.normalise import categories
from shared.normalise.interpret import constants
from shared.normalise.mapping import UNMAPPED, Kind, Table
from shared.normalise.shapes import fields_of
from shared.normalise.tables import API, FAMILIES, all_tables, carrier
from tools.fields import datasets
from tools.fields import fields as all_fields
from tools.schema import columns, elastic_types, rows, type_of

TABLES = all_tables()
LAYOUTS = [(f"{t.name}{'' if t is v else ' variant'}", v) for t in TABLES for v in t.layouts()]
each_layout = pytest.mark.parametrize("table", [v for _, v in LAYOUTS], ids=[name for name, _ in LAYOUTS])
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)

TEXT = frozenset({"keyword", "wildcard", "match_only_text", "text", "constant_keyword"})
TYPES: dict[Kind, frozenset[str]] = {  # Elasticsearch types that a kind's values suit
    "keyword": TEXT,
    "wildcard": TEXT,
    "text": TEXT,
    "long": frozenset({"long", "integer", "unsigned_long"}),
    "double": frozenset({"double", "float", "scaled_float"}),
    "latitude": frozenset({"double", "float"}),
    "longitude": frozenset({"double", "float"}),
    "geo_point": frozenset({"geo_point"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "ip": frozenset({"ip", "keyword"}),  # source.address holds an address too
    "flattened": frozenset({"flattened"}),
    "object": frozenset({"object", "nested"}),
}


def fields(table: Table, *, vendor: bool) -> Iterator[tuple[str, str, Kind]]:
    """(who writes it, field, kind) of a layout: ECS fields, or vendor fields with duplicates kept."""
    for column in table.columns:
        if vendor and column.vendor is not None:
            yield column.source, f"{table.vendor_root}.{column.vendor}", column.kind
            if column.shape is not None:
                below = fields_of(column.shape, f"{table.vendor_root}.{column.vendor}")
                yield from ((column.source, field, kind) for field, kind in dict(below).items())
        if not vendor:
            yield from ((column.source, field, column.kind) for field in column.ecs)
    for rule in table.rules:
        for write, kind in zip(rule.writes, rule.kinds, strict=True):
            if write.startswith("~") and vendor:
                yield rule.function.__name__, f"{table.vendor_root}.{write[1:]}", kind
            if write[0] not in "~#" and not vendor:
                yield rule.function.__name__, write, kind


@each_layout
def test_columns_exist(table: Table) -> None:
    """Law 1: every mapped column exists in schema/defender.csv."""
    known = columns()[table.name]
    strangers = [c.source for c in table.columns if not c.source.startswith("/") and c.source not in known]
    assert not strangers, (
        f"{table.name}: {strangers} are no columns of it; take the rows out or refresh the schema (make schema)"
    )


@each_layout
def test_every_column_is_mapped_or_left_out_with_a_reason(table: Table) -> None:
    """Law 2: every column in the schema is mapped, or in `unmapped` with a reason."""
    missing = sorted(set(columns()[table.name]) - table.known)
    assert not missing, f"{table.name}: write rows for {missing}, or leave them out in unmapped= with the reason"
    assert all(len(reason) > 20 for reason in table.unmapped.values()), f"{table.name}: a reason is a sentence"
    double = sorted(set(table.unmapped) & {c.source for c in table.columns})
    assert not double, f"{table.name}: {double} are both mapped and left out"


@each_layout
def test_ecs_fields_exist_with_the_same_type(table: Table) -> None:
    """Law 3: every ECS target exists, with a type its kind suits."""
    for who, field, kind in fields(table, vendor=False):
        known = type_of(field)
        assert known is not None, f"{table.name}: {who} writes {field}, which is no ECS field: use a vendor field"
        assert known in TYPES[kind], f"{table.name}: {who} writes {kind} values into {field}, which is {known}"


def test_a_vendor_field_has_one_kind_everywhere() -> None:
    """Law 4: a vendor field has one kind in all tables, so that one template serves them."""
    kinds: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for name, table in LAYOUTS:
        for who, field, kind in fields(table, vendor=True):
            kinds[field].setdefault(kind, []).append(f"{name}.{who}")
    torn = {field: uses for field, uses in kinds.items() if len(uses) > 1}
    assert not torn, f"give each of these one kind: {torn}"


def objects(table: Table) -> set[str]:
    """Vendor fields that hold objects, of which the fields are known."""
    return {f"{table.vendor_root}.{column.vendor}" for column in table.columns if column.shape is not None}


@each_layout
@pytest.mark.parametrize("duplicates", [False, True], ids=["ecs", "with duplicates"])
def test_no_field_is_written_twice_or_is_leaf_and_object(table: Table, duplicates: bool) -> None:
    """Law 5: no two rows of a table write one field, and no field is both a value and an object."""
    writers: defaultdict[str, list[str]] = defaultdict(list)
    for who, field, _ in (*fields(table, vendor=False), *(fields(table, vendor=True) if duplicates else ())):
        writers[field].append(who)
    twice = {field: who for field, who in writers.items() if len(who) > 1}
    assert not twice, f"{table.name}: {twice} are written twice"
    everything = {
        *(writers.keys() - objects(table)),
        *constants(table),
        f"{table.vendor_root}.{UNMAPPED}",
        "error.message",
        "event.ingested",
    }
    for field in everything:
        below = [other for other in everything if other.startswith(f"{field}.")]
        assert not below, f"{table.name}: {field} is a value and an object that holds {below}"


@each_layout
def test_rules_read_what_is_there(table: Table) -> None:
    """A rule reads columns of its table, and fields that a rule before it wrote; what is `told` is read by one."""
    known = {"", "event.category", "event.type", "event.outcome", *(c.source for c in table.columns)}
    read: set[str] = set()
    for rule in table.rules:
        missing = [name for name in (*rule.reads, rule.when or "") if name not in known]
        assert not missing, f"{table.name}: {rule.function.__name__} reads {missing}, which nothing before it writes"
        read.update(rule.reads)
        known.update(rule.writes)
    untold = [c.source for c in table.columns if c.told and c.source not in read]
    assert not untold, f"{table.name}: {untold} are told=True, but no rule reads them: their value would be lost"


@each_table
def test_identity_columns_exist(table: Table) -> None:
    """Law 6: the documented key is made of columns of the table."""
    assert set(table.identity) <= set(columns()[table.name]), (
        f"{table.name}: identity names columns that it does not have"
    )


@each_layout
def test_vendor_fields_have_elastics_types(table: Table) -> None:
    """A vendor field that Elastic's package has too has a type that it can be indexed under there."""
    theirs = elastic_types(table.dataset)
    for who, field, kind in fields(table, vendor=True):
        if field in theirs:
            assert theirs[field] in TYPES[kind], (
                f"{table.name}: {who} writes {kind} into {field}, which Elastic has as {theirs[field]}"
            )


def test_columns_of_our_own_are_sourced_and_needed() -> None:
    """schema/defender_more.csv names where each column was seen, and has none that the snapshot has by now."""
    known = {(row["table"], row["column"]) for row in rows("defender.csv")}
    more = rows("defender_more.csv")
    assert all(len(row["source"]) > 20 for row in more), "name the page and its commit, or the record"
    double = [(row["table"], row["column"]) for row in more if (row["table"], row["column"]) in known]
    assert not double, f"schema/defender.csv has these by now: take them out of defender_more.csv: {double}"


def test_every_table_is_there() -> None:
    """Each table of the schema is named with its family, is what that module holds, and says what its records are."""
    assert sorted([*FAMILIES, *API]) == sorted(table.name for table in TABLES)
    missing = sorted(set(columns()) - set(FAMILIES) - set(API))
    assert not missing, f"write tables for {missing} and name their families in FAMILIES (docs/add-a-table.md)"
    vague = sorted({*FAMILIES, *API} - set(categories.DEFAULTS))
    assert not vague, (
        f"say what records of {vague} are: a line in DEFAULTS of rules/device_actions.py or other_actions.py"
    )


@pytest.mark.parametrize("name", ["DeviceShinyNewEvents", "EmailNovelties"])
def test_the_carrier_of_unknown_tables_obeys_the_laws(name: str) -> None:
    """What carries unknown tables writes only ECS fields that exist, and each once."""
    table = carrier(name)
    test_ecs_fields_exist_with_the_same_type(table)
    test_no_field_is_written_twice_or_is_leaf_and_object(table, duplicates=True)
    test_rules_read_what_is_there(table)
    assert categories.default(name).type


def test_the_carrier_agrees_with_the_tables_on_vendor_kinds() -> None:
    """A vendor field has the same kind in the carrier as in the tables."""
    known = {field: kind for _, table in LAYOUTS for _, field, kind in fields(table, vendor=True)}
    for who, field, kind in fields(carrier("X"), vendor=True):
        assert known.get(field, kind) == kind, f"{who}: {field} is {known[field]} in the tables, {kind} in the carrier"


@pytest.mark.parametrize("dataset", sorted(datasets()))
def test_no_field_is_leaf_and_object_across_tables(dataset: str) -> None:
    """One template serves all tables of a dataset: what is a value in one may not be an object in another."""
    names = sorted(all_fields(dataset))
    clashes = [(field, below) for field in names for below in names if below.startswith(f"{field}.")]
    flat = {name for name, kind in all_fields(dataset).items() if kind in ("nested", "object", "flattened")}
    assert not [clash for clash in clashes if clash[0] not in flat]
