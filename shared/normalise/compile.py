"""Compile a table to one function: the fast meaning of what `interpret` says plainly.

The source is handed to `linecache`, so that tracebacks and debuggers show it; `make show TABLE=DeviceProcessEvents` prints it.
Every column's value goes into a local variable (c0, c1, …), every field a rule writes into another (f0, f1, …); then the nested
document is built branch by branch. The common case of a value's type is tested inline, so that good values cost no call.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.normalise.categories import ACTIONS
from shared.normalise.convert import CONVERTERS, Issues, many
from shared.normalise.interpret import Row, classify, constants, unknown_columns
from shared.normalise.mapping import Action, Column, Table

Normalise = Callable[[Row, Row, Issues], dict[str, Any]]
Kind = tuple[list[str] | None, list[str], str | None]  # event.category, event.type, event.outcome
Tree = dict[str, "Tree | tuple[str, bool]"]  # leaf: (expression, whether it may be None)

# What a good value looks like; anything else goes through the converter.
INLINE = {
    "keyword": "{v}.__class__ is not str or len({v}) < 4",
    "wildcard": "{v}.__class__ is not str or not {v}",
    "text": "{v}.__class__ is not str or not {v}",
    "long": "{v}.__class__ is not int or {v} >> 63",
    "boolean": "{v} is not True and {v} is not False",
}

DATE = "{v}[10] != 'T' or {v}[13] != ':' or {v}[16] != ':' or {v}[7] != '-' or {v}[-1] != 'Z' or {v} < '1602' or len({v}) > 30 or ',' in {v}"


def compile_table(table: Table, *, duplicates: bool = False) -> Normalise:
    """(properties, envelope, issues) -> document, for one table; `duplicates` keeps vendor fields that ECS fields repeat."""
    name = f"<normalise {table.name}{' with duplicates' if duplicates else ''}>"
    source = "\n".join(lines(table, duplicates=duplicates)) + "\n"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)

    def unknown(action: str | None, issues: Issues) -> Kind:
        return _kind(classify(table, action, issues))

    scope: dict[str, Any] = {
        "known": table.known.issuperset,
        "KNOWN": table.known,
        "fromisoformat": datetime.fromisoformat,
        "ACTIONS": {action: _kind(kind) for action, kind in ACTIONS.get(table.name, {}).items()},
        "unknown": unknown,
        "unknown_columns": unknown_columns,
        "many": many,
        **CONVERTERS,
        **{f"rule{n}": rule.function for n, rule in enumerate(table.rules)},
    }
    exec(compile(source, name, "exec"), scope)
    return scope["normalise"]  # type: ignore[no-any-return]  # made by exec


def _kind(action: Action) -> Kind:
    """category, type and outcome as the generated code unpacks them; the lists are shared by documents and never changed."""
    return list(action.category) or None, list(action.type), action.outcome


def lines(table: Table, *, duplicates: bool = False) -> Iterator[str]:
    """The source of the compiled function, line by line."""
    local = {column.source: f"c{n}" for n, column in enumerate(table.columns)}
    yield "def normalise(properties, envelope, issues):"
    yield "    get = properties.get; env = envelope.get"
    for column in table.columns:
        yield from _read(column, local[column.source])
    yield from _classify(table, local)
    local |= {"event.category": "category", "event.type": "types", "event.outcome": "outcome"}
    for n, rule in enumerate(table.rules):
        after: dict[str, str] = {}
        for write in rule.writes:
            after[write] = f"f{n}_{len(after)}"
        arguments = ", ".join(local[name] if name else "None" for name in rule.reads)
        local |= after
        targets = ", ".join(local[write] for write in rule.writes)
        call = f"{targets} = rule{n}({arguments})"
        if rule.when is None:
            yield f"    {call}"
        else:
            yield f"    if {local[rule.when]} is not None: {call}"
            yield f"    else: {' = '.join(local[write] for write in rule.writes)} = None"
    links = sorted({link for link in (*(c.related for c in table.columns), *_rule_links(table)) if link})
    for link in links:
        yield f"    related_{link} = {{}}"
    yield from _relate(table, local)
    yield from _branch("document", tree(table, local, duplicates=duplicates))
    if links:
        yield "    related = {}"
        for link in links:
            yield f"    if related_{link}: related[{link!r}] = list(related_{link})"
        yield "    if related: document['related'] = related"
    yield "    if not known(properties): unknown_columns(properties, KNOWN, issues)"
    yield "    return document"


def _read(column: Column, v: str) -> Iterator[str]:
    getter, name = ("env", column.source[1:]) if column.source.startswith("/") else ("get", column.source)
    yield f"    {v} = {getter}({name!r})"
    if column.many:
        yield f"    if {v} is not None: {v} = many({column.kind}, {v}, {column.source!r}, issues)"
        return
    if column.kind == "date":
        yield f"    if {v} is not None:"
        yield "        try:"
        yield f"            fromisoformat({v})"
        yield f"            if {DATE.format(v=v)}: {v} = date({v}, {column.source!r}, issues)"
        yield f"        except (TypeError, ValueError, IndexError): {v} = date({v}, {column.source!r}, issues)"
        return
    check = INLINE.get(column.kind)
    test = f"{v} is not None and ({check.format(v=v)})" if check else f"{v} is not None"
    yield f"    if {test}: {v} = {column.kind}({v}, {column.source!r}, issues)"


def _classify(table: Table, local: Mapping[str, str]) -> Iterator[str]:
    action = local.get(table.action, "None") if table.action else "None"
    yield f"    kind = ACTIONS.get({action})"
    yield f"    if kind is None: kind = unknown({action}, issues)"
    yield "    category, types, outcome = kind"


def _rule_links(table: Table) -> Iterator[str | None]:
    for rule in table.rules:
        yield from rule.related


def _relate(table: Table, local: Mapping[str, str]) -> Iterator[str]:
    """Rules' values first, then columns', as the interpreter does."""
    for rule in table.rules:
        for write, link in zip(rule.writes, rule.related, strict=True):
            if link:
                v = local[write]
                yield f"    if {v} is not None:"
                yield f"        if {v}.__class__ is list: related_{link}.update(dict.fromkeys({v}))"
                yield f"        else: related_{link}[{v}] = None"
    for column in table.columns:
        if column.related:
            v = local[column.source]
            add = f"related_{column.related}.update(dict.fromkeys({v}))" if column.many else f"related_{column.related}[{v}] = None"
            yield f"    if {v} is not None: {add}"


def tree(table: Table, local: Mapping[str, str], *, duplicates: bool) -> Tree:
    """Every field of the document as a nested tree of (expression, whether it may be None)."""
    root: Tree = {}

    def put(field: str, expression: str, optional: bool) -> None:
        node, (*path, leaf) = root, field.split(".")
        for part in path:
            child = node.setdefault(part, {})
            if not isinstance(child, dict):
                raise TypeError(f"{table.name}: {field} lies below a field that holds a value")
            node = child
        node[leaf] = (expression, optional)

    for field, value in constants(table).items():
        put(field, repr(value), False)
    put("event.category", "category", True)
    put("event.type", "types", False)
    put("event.outcome", "outcome", True)
    for rule in table.rules:
        for write in rule.writes:
            if not write.startswith("#"):
                put(f"{table.vendor_root}.{write[1:]}" if write.startswith("~") else write, local[write], True)
    for column in table.columns:
        for field in column.ecs:
            put(field, local[column.source], True)
        if column.vendor is not None and (duplicates or not column.duplicate):
            put(f"{table.vendor_root}.{column.vendor}", local[column.source], True)
    return root


def _branch(variable: str, node: Tree) -> Iterator[str]:
    """Statements that build `variable` from a tree; a branch with nothing in it is left out by its parent."""
    always = {key: leaf[0] for key, leaf in node.items() if isinstance(leaf, tuple) and not leaf[1]}
    yield f"    {variable} = {{{', '.join(f'{key!r}: {expression}' for key, expression in always.items())}}}"
    for key, child in node.items():
        if isinstance(child, dict):
            below = f"{variable}__{key}"
            yield from _branch(below, child)
            yield f"    if {below}: {variable}[{key!r}] = {below}"
        elif child[1]:
            yield f"    if {child[0]} is not None: {variable}[{key!r}] = {child[0]}"
