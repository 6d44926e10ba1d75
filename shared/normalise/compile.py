"""Compile a table to one function: the fast meaning of what `interpret` says plainly.

The source is handed to `linecache`, so that tracebacks and debuggers show it; `make show TABLE=DeviceProcessEvents` prints it.
Every column's value goes into a local variable (c0, c1, …), every field a rule writes into another (f0, f1, …); then the nested
document is built branch by branch. The common case of a value's type is tested inline, so that good values cost no call.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Protocol
from zlib import crc32

from shared.normalise.categories import ACTIONS
from shared.normalise.convert import BEFORE_TIME, CONVERTERS, ISO_LENGTHS, Issues, many
from shared.normalise.interpret import Row, classify, constants, nest, unknown_columns
from shared.normalise.mapping import Action, Column, Related, Rule, Table, first
from shared.normalise.members import check, members_of
from shared.normalise.shapes import shaping


class Normalise(Protocol):
    """A compiled table: (properties, envelope, issues, values) -> document.

    values: of the properties by the order of their names; only a function made for just these columns looks at them, any other one takes ().
    """

    def __call__(self, properties: Row, envelope: Row, issues: Issues, values: Sequence[Any] = (), /) -> dict[str, Any]:
        """The document of one record."""


type Kind = tuple[list[str] | None, list[str], str | None]  # event.category, event.type, event.outcome
type Columns = tuple[str | None, ...]
type Tree = dict[str, Tree | Leaf]

MOST_TESTED = 8  # values that are looked at to see whether a rule has to be called, or a branch begun, at all
MOST_LOOKED_THROUGH = 8  # members of a list that are looked for in another one by one
MOST_ACTIONS = 4_096  # spellings of actions that are remembered
LONGEST_SHOWN = 80  # characters of a table's name in a traceback; an unknown table's comes from outside

# What a good value looks like; anything else goes through the converter.
INLINE = {
    "keyword": "{v}.__class__ is not str or len({v}) < 4",
    "wildcard": "{v}.__class__ is not str or not {v}",
    "text": "{v}.__class__ is not str or not {v}",
    "long": "{v}.__class__ is not int or {v} >> 63",
    "boolean": "{v} is not True and {v} is not False",
}
# Of a date that `fromisoformat` has read: whether Elasticsearch would not read it, or it may be a zero time.
DATE = (
    "{v}[10] != 'T' or {v}[16] != ':' or {v}[7] != '-' or {v}[19] not in '.Z' or {v}[-1] != 'Z' or len({v}) not in ISO_LENGTHS"
    f" or {{v}} < {BEFORE_TIME!r}"
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the document: the expression of its value, and whether that may be None."""

    value: str
    optional: bool


def compile_table(
    table: Table, *, duplicates: bool = False, namespace: str = "default", columns: Columns | None = None
) -> Normalise:
    """The function of one table; `duplicates` keeps vendor fields that ECS fields repeat.

    columns: the names of the columns of the records that it is for, and for no others, in the order of their values; None for a value
    that is no column's. It takes the values all at once, knows which columns are absent and which are unknown, and so saves a tenth. Without it
    the function is for any record.

    Documents of one table share what is the same in all of them: the objects `ecs` and `data_stream`, and lists of categories. Nobody
    may change those. The properties and the envelope are not changed.
    """
    shown = "".join(character if character.isprintable() else "?" for character in table.name[:LONGEST_SHOWN])
    fitted = "" if columns is None else f" of columns {crc32(repr(columns).encode('utf-8', 'replace')):08x}"
    name = f"<normalise {shown}{' with duplicates' if duplicates else ''}{fitted}>"
    source = "\n".join(lines(table, duplicates=duplicates, columns=columns)) + "\n"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    actions = {action: _kind(kind) for action, kind in ACTIONS.get(table.name, {}).items()}

    def unknown(action: str | None, issues: Issues) -> Kind:
        before = len(issues)
        kind = _kind(classify(table, action, issues))
        if action is not None and len(issues) == before and len(action) < LONGEST_SHOWN and len(actions) < MOST_ACTIONS:
            actions[action] = kind  # a known one in another spelling, or of a table in which none is unknown
        return kind

    shared = nest(constants(table, namespace))
    scope: dict[str, Any] = {
        "known": table.known.issuperset,
        "KNOWN": table.known,
        "ECS": shared["ecs"],
        "DATA_STREAM": shared["data_stream"],
        "ISO_LENGTHS": ISO_LENGTHS,
        "fromisoformat": datetime.fromisoformat,
        "ACTIONS": actions,
        "NO_ACTION": _kind(classify(table, None, [])),
        "unknown": unknown,
        "unknown_columns": unknown_columns,
        "check": check,
        "many": many,
        **{f"rule{n}": rule.function for n, rule in enumerate(table.rules)},
        **{
            f"shape_c{n}": shaping(column.shape, column.source)
            for n, column in enumerate(table.columns)
            if column.shape is not None
        },
    }
    scope |= {str(kind): converter for kind, converter in CONVERTERS.items()}
    scope |= {f"convert_c{n}": column.converter for n, column in enumerate(table.columns) if column.converter}
    for n, column in enumerate(table.columns):
        if (members := members_of(table.name, column.source)) is not None:
            scope |= {f"members{n}": members, f"spelled{n}": members.spelled}
    exec(compile(source, name, "exec"), scope)  # noqa: S102  our own tables only, never input
    return scope["normalise"]  # type: ignore[no-any-return]  # made by exec


def _kind(action: Action) -> Kind:
    """category, type and outcome as the generated code unpacks them; the lists are shared by documents and never changed."""
    return list(action.category) or None, list(action.type), action.outcome


def lines(table: Table, *, duplicates: bool = False, columns: Columns | None = None) -> Iterator[str]:
    """The source of the compiled function, line by line."""
    local = {column.source: f"c{n}" for n, column in enumerate(table.columns)}
    yield "def normalise(properties, envelope, issues, values=()):"
    if columns is not None:
        yield f"    [{', '.join(local.get(name, '_') if name and name[0] != '/' else '_' for name in columns)}] = values"
    for n, column in enumerate(table.columns):
        yield from _read(column, local[column.source], columns)
        if members_of(table.name, column.source) is not None and (columns is None or column.source in columns):
            known = f"c{n} in spelled{n}" if not column.many else f"spelled{n}.issuperset(c{n})"
            yield f"    if c{n} is not None and not {known}: check(members{n}, c{n}, {column.source!r}, issues)"
    yield from _classify(table, local)
    local |= {"event.category": "category", "event.type": "types", "event.outcome": "outcome"}
    results: list[list[str]] = []  # the variables of each rule; another rule may write the same field
    read = {name for rule in table.rules for name in rule.reads}
    for n, rule in enumerate(table.rules):
        results.append([f"f{n}_{k}" for k in range(len(rule.writes))])
        if duplicates or not _idle(rule, read):
            yield from _call(n, rule, local, results[n])
        local |= zip(rule.writes, results[n], strict=True)
    yield from _relate(table, local, results)
    yield from _branch("document", tree(table, local, duplicates=duplicates), count())
    links = _links(table)
    if links:
        yield "    related = {}"
        for link in links:
            yield f"    if related_{link}: related[{link!r}] = related_{link}"
        yield "    if related: document['related'] = related"
    if columns is None:
        yield "    if not known(properties): unknown_columns(properties, KNOWN, issues)"
    elif not table.known.issuperset(name for name in columns if name is not None):
        yield "    unknown_columns(properties, KNOWN, issues)"
    yield "    return document"


def _read(column: Column, v: str, columns: Columns | None) -> Iterator[str]:
    if column.source.startswith("/"):
        yield f"    {v} = envelope.get({column.source[1:]!r})"
    elif columns is None:
        yield f"    {v} = properties.get({column.source!r})"  # faster than a bound method kept in a variable
    elif column.source not in columns:
        yield f"    {v} = None"
        return
    if column.shape is not None:
        yield f"    if {v} is not None: {v} = shape_{v}({v}, issues)"
        return
    convert = f"convert_{v}" if column.converter else column.kind
    if column.many:
        yield f"    if {v} is not None: {v} = many({convert}, {v}, {column.source!r}, issues)"
        return
    if convert == "date":
        yield f"    if {v} is not None:"
        yield "        try:"
        yield f"            fromisoformat({v})"
        yield f"            if {DATE.format(v=v)}: {v} = date({v}, {column.source!r}, issues)"
        yield f"        except (TypeError, ValueError, IndexError): {v} = date({v}, {column.source!r}, issues)"
        return
    check = INLINE.get(convert)
    test = f"{v} is not None and ({check.format(v=v)})" if check else f"{v} is not None"
    yield f"    if {test}: {v} = {convert}({v}, {column.source!r}, issues)"


def _classify(table: Table, local: Mapping[str, str]) -> Iterator[str]:
    if not table.action:
        yield "    category, types, outcome = NO_ACTION"
        return
    action = local[table.action]
    yield f"    kind = ACTIONS.get({action})"
    yield f"    if kind is None: kind = unknown({action}, issues)"
    yield "    category, types, outcome = kind"


def _idle(rule: Rule, read: set[str]) -> bool:
    """Whether nothing of a rule is seen where duplicates are not kept, so that it need not be called."""
    return (
        rule.duplicate and not any(rule.related) and all(name[0] in "~#" and name not in read for name in rule.writes)
    )


def _call(n: int, rule: Rule, local: Mapping[str, str], targets: list[str]) -> Iterator[str]:
    """The call of a rule. Rules make nothing out of nothing (a test says so of all), so that most need not be called for absent columns."""
    arguments = [local[name] if name else "None" for name in rule.reads]
    if rule.function is first and rule.when is None:
        *others, last = (name for name in arguments if name != "None")
        yield f"    {targets[0]} = {''.join(f'{name} if {name} is not None else ' for name in others)}{last}"
        return
    call = f"{', '.join(targets)} = rule{n}({', '.join(arguments)})"
    tested = [local[rule.when]] if rule.when else list(dict.fromkeys(name for name in arguments if name != "None"))
    if len(tested) > MOST_TESTED:
        yield f"    {call}"
    else:
        yield f"    if {' or '.join(f'{name} is not None' for name in tested)}: {call}"
        yield f"    else: {' = '.join(targets)} = None"


def _links(table: Table) -> list[Related]:
    """The `related` fields that a table's rows and rules write."""
    links = {column.related for column in table.columns}.union(*(rule.related for rule in table.rules))
    return sorted(link for link in links if link)


def _relate(table: Table, local: Mapping[str, str], results: list[list[str]]) -> Iterator[str]:
    """Rules' values first, then columns', as the interpreter does. The lists are short: looking through them is faster than hashing."""
    for link in _links(table):
        yield f"    related_{link} = []"
    for rule, variables in zip(table.rules, results, strict=True):
        for v, written in zip(variables, rule.related, strict=True):
            if written:
                yield f"    if {v} is not None:"
                yield f"        if {v}.__class__ is list:"
                yield from _add_all(written, v)
                yield f"        elif {v} not in related_{written}: related_{written}.append({v})"
    for column in table.columns:
        if column.related:
            v, members = local[column.source], f"related_{column.related}"
            if column.many:
                yield f"    if {v} is not None:"
                yield from _add_all(column.related, v)
            else:
                yield f"    if {v} is not None and {v} not in {members}: {members}.append({v})"


def _add_all(link: Related, v: str) -> Iterator[str]:
    members = f"related_{link}"
    yield f"            if len({v}) > {MOST_LOOKED_THROUGH}: {members} = list(dict.fromkeys([*{members}, *{v}]))"
    yield "            else:"
    yield f"                for member in {v}:"
    yield f"                    if member not in {members}: {members}.append(member)"


def tree(table: Table, local: Mapping[str, str], *, duplicates: bool) -> Tree:
    """Every field of the document as a nested tree."""
    root: Tree = {}

    def put(field: str, value: str, *, optional: bool = True) -> None:
        node, (*path, leaf) = root, field.split(".")
        for part in path:
            child = node.setdefault(part, {})
            if isinstance(child, Leaf):
                raise TypeError(f"{table.name}: {field} lies below a field that holds a value")
            node = child
        if isinstance(node.get(leaf), dict):
            raise TypeError(f"{table.name}: {field} holds a value and has fields below it")
        node[leaf] = Leaf(value, optional)

    put("ecs", "ECS", optional=False)
    put("data_stream", "DATA_STREAM", optional=False)
    for field, value in constants(table).items():
        if field.startswith("event."):
            put(field, repr(value), optional=False)
    put("event.category", "category")
    put("event.type", "types", optional=False)
    put("event.outcome", "outcome")
    for rule in table.rules:
        for write in rule.writes:
            if write[0] != "#" and (duplicates or write[0] != "~" or not rule.duplicate):
                put(f"{table.vendor_root}.{write[1:]}" if write.startswith("~") else write, local[write])
    for column in table.columns:
        for field in column.ecs:
            put(field, local[column.source])
        if column.vendor is not None and (duplicates or not column.duplicate):
            put(f"{table.vendor_root}.{column.vendor}", local[column.source])
    return root


def _branch(variable: str, node: Tree, numbers: Iterator[int]) -> Iterator[str]:
    """Statements that build `variable` from a tree; a branch with nothing in it is left out by its parent."""
    leaves = {key: child for key, child in node.items() if isinstance(child, Leaf)}
    always = ", ".join(f"{key!r}: {leaf.value}" for key, leaf in leaves.items() if not leaf.optional)
    yield f"    {variable} = {{{always}}}"
    for key, child in node.items():
        if not isinstance(child, Leaf):
            yield from _below(f"{key}_{next(numbers)}", child, f"{variable}[{key!r}]", numbers)
        elif child.optional:
            yield f"    if {child.value} is not None: {variable}[{key!r}] = {child.value}"


def _below(variable: str, node: Tree, target: str, numbers: Iterator[int]) -> Iterator[str]:
    """A branch of a branch: one in which nothing can be is not begun, one with a single value needs no variable."""
    leaves = list(_leaves(node))
    values = list(dict.fromkeys(leaf.value for leaf in leaves))
    if not all(leaf.optional for leaf in leaves):
        yield from _branch(variable, node, numbers)
        yield f"    {target} = {variable}"
        return
    if len(values) > MOST_TESTED:
        yield from _branch(variable, node, numbers)
        yield f"    if {variable}: {target} = {variable}"
        return
    if len(node) == len(values) == 1 and isinstance(next(iter(node.values())), Leaf):
        yield f"    if {values[0]} is not None: {target} = {{{next(iter(node))!r}: {values[0]}}}"
        return
    yield f"    if {' or '.join(f'{value} is not None' for value in values)}:"
    yield from (f"    {line}" for line in _branch(variable, node, numbers))
    yield f"        {target} = {variable}"


def _leaves(node: Tree) -> Iterator[Leaf]:
    for child in node.values():
        if isinstance(child, Leaf):
            yield child
        else:
            yield from _leaves(child)
