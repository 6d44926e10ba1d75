"""A table -> the source of its compiled function.

Every column's value goes into a local variable (c0, c1, …), every field a rule writes into another (f0, f1, …); then the nested
document is built branch by branch. The common case of a value's type is tested inline, so that good values cost no call.

A function can also be made for records that have some columns for sure (`Presence`). It first asks whether a record has these; after that it
need not look whether a value is there, neither before a rule, nor for a branch of the document, nor for each field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from shared.normalise.interpret import constants
from shared.normalise.mapping import Column, Kind, Related, Rule, Table, first
from shared.normalise.members import members_of

type Columns = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """Which columns records of a table have in common.

    columns: the names of all their columns, in the order of their values; None for a value that is no column's. full, empty: sources of the
    table's columns that always have a value that is good as it comes, or never have one; of any other column nothing is known.
    """

    columns: Columns
    full: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()


type Tree = dict[str, Tree | str]  # a field's name -> what lies below it, or the variable that holds its value

ABSENT = "None"  # stands for the variable of a value that can not be there
CLASSES = {"event.category": "category", "event.type": "types", "event.outcome": "outcome"}  # field -> variable
RELATED = ("related.hash", "related.hosts", "related.ip", "related.user")
MOST_TESTED = 8  # values that are looked at to see whether a rule has to be called at all
MOST_ASKED = 2  # … whether a branch has to be begun: more cost what an empty one costs, and take long to compile

# Whether a value is not good as it comes, so that it has to go through the converter; of other kinds the converter has to be asked.
BAD: dict[Kind, str] = {
    "keyword": "{v}.__class__ is not str or len({v}) < 4",
    "wildcard": "{v}.__class__ is not str or not {v}",
    "text": "{v}.__class__ is not str or not {v}",
    "long": "{v}.__class__ is not int or {v} >> 63",
    "boolean": "{v} is not True and {v} is not False",
    # once `fromisoformat` has read it
    "date": "len({v}) not in ISO_LENGTHS or {v}[0] != '2' or {v}[10] != 'T' or {v}[16] != ':' or {v}[7] != '-' or {v}[19] not in '.Z' or {v}[-1] != 'Z'",
}


def lines(table: Table, *, duplicates: bool = False, presence: Presence | None = None) -> Iterator[str]:
    """The source of the compiled function, line by line."""
    local = {column.source: f"c{n}" for n, column in enumerate(table.columns)}  # column or field -> its variable
    certain = {"types"}  # variables that hold a value for sure
    yield f"def normalise(properties, envelope, issues{'' if presence is None else ', values'}):"
    yield from _read(table, local, certain, presence)
    yield from _classify(table, local)
    local |= CLASSES
    results: list[list[str]] = []  # the variables of each rule; another rule may write the same field
    read = {name for rule in table.rules for name in rule.reads}
    for n, rule in enumerate(table.rules):
        arguments = [local[name] if name else ABSENT for name in rule.reads]
        test = _present([local[rule.when]] if rule.when else arguments, certain)
        if test == "False" or not (duplicates or _seen(rule, read)):
            results.append([ABSENT] * len(rule.writes))
        elif rule.function is first and rule.when is None:
            results.append([f"f{n}_0"])
            yield from _first(arguments, certain, results[n])
        else:
            results.append([f"f{n}_{k}" for k in range(len(rule.writes))])
            yield from _call(f"rule{n}({', '.join(arguments)})", test, results[n])
        local |= zip(rule.writes, results[n], strict=True)
    yield from _relate(table, local, certain, results)
    yield from _branch("document", tree(table, local, certain, duplicates=duplicates), certain, count())
    if presence is None:
        yield "    if not known(properties): unknown_columns(properties, KNOWN, issues)"
    elif not table.known.issuperset(name for name in presence.columns if name is not None):
        yield "    unknown_columns(properties, KNOWN, issues)"
    yield "    return document"


def _read(table: Table, local: dict[str, str], certain: set[str], presence: Presence | None) -> Iterator[str]:
    """Every column's value, converted, in its variable. Whatever a presence does not promise leads to the end."""
    if presence is None:
        for column in table.columns:
            source, v = column.source, local[column.source]
            row, name = ("envelope", source[1:]) if source[0] == "/" else ("properties", source)
            yield f"    {v} = {_converted(column, v, f'{row}.get({name!r})')}"
            yield from _check(table, column, v, certain)
        return
    taken = [local.get(name, "_") if name and name[0] != "/" else "_" for name in presence.columns]
    yield f"    [{', '.join(taken)}] = values"
    there: list[Column] = []
    for column in table.columns:
        source, v = column.source, local[column.source]
        if source[0] == "/":
            yield f"    {v} = envelope.get({source[1:]!r})"
        elif source not in presence.columns:
            local[source] = ABSENT
            continue
        if source in presence.empty:
            yield f"    if {v} is not None: return None"
            local[source] = ABSENT
            continue
        there.append(column)
        if source in presence.full:
            yield from unless_good(column.kind, v, "return None")
            certain.add(v)
    for column in there:
        v = local[column.source]
        if v not in certain:
            yield _convert(column, v)
        yield from _check(table, column, v, certain)


def unless_good(kind: Kind, v: str, leave: str) -> Iterator[str]:
    """Statements that leave where the variable holds a value that is not good as it comes; None is not good either."""
    if kind == "date":
        yield f"    try: fromisoformat({v})"
        yield f"    except (TypeError, ValueError): {leave}"
    test = BAD.get(kind, f"{v} is None or {kind}({v}, '', []) is not {v}")
    yield f"    if {test.format(v=v)}: {leave}"


def plain(column: Column) -> bool:
    """Whether a column holds one value that only its kind says something about, so that it may be good as it comes."""
    return not column.many and column.converter is None and column.shape is None


def _convert(column: Column, v: str) -> str:
    inline = column.kind in BAD and column.kind != "date" and plain(column)
    test = f" and ({BAD[column.kind].format(v=v)})" if inline else ""
    return f"    if {v} is not None{test}: {v} = {_converted(column, v, v)}"


def _converted(column: Column, v: str, value: str) -> str:
    if column.shape is not None:
        return f"shape_{v}({value}, issues)"
    convert = f"convert_{v}" if column.converter else column.kind
    return f"{f'many({convert}, ' if column.many else f'{convert}('}{value}, {column.source!r}, issues)"


def _check(table: Table, column: Column, v: str, certain: set[str]) -> Iterator[str]:
    """Of a column with a closed list: whether the list has its value."""
    if members_of(table.name, column.source) is not None:
        there = "" if v in certain else f"{v} is not None and "
        unknown = f"not spelled_{v}.issuperset({v})" if column.many else f"{v} not in spelled_{v}"
        yield f"    if {there}{unknown}: check(members_{v}, {v}, {column.source!r}, issues)"


def _classify(table: Table, local: Mapping[str, str]) -> Iterator[str]:
    action = local[table.action] if table.action else ABSENT
    if action == ABSENT:
        yield "    category, types, outcome = NO_ACTION"
        return
    yield f"    kind = ACTIONS.get({action})"
    yield f"    if kind is None: kind = unknown({action}, issues)"
    yield "    category, types, outcome = kind"


def _present(values: Iterable[str], certain: set[str]) -> str:
    """The test whether any of the variables holds a value: True and False where that is known."""
    asked = [v for v in dict.fromkeys(values) if v != ABSENT]
    if not certain.isdisjoint(asked):
        return "True"
    return " or ".join([f"{v} is not None" for v in asked]) or "False"


def _seen(rule: Rule, read: set[str]) -> bool:
    """Whether anything of a rule is seen where duplicates are not kept; if not, it need not be called."""
    return not rule.duplicate or any(rule.related) or any(name[0] not in "~#" or name in read for name in rule.writes)


def _call(call: str, test: str, targets: list[str]) -> Iterator[str]:
    """The call of a rule. Rules make nothing out of nothing (a test says so of all), so that most need not be called for absent columns."""
    if test == "False":
        return
    if test == "True" or test.count(" or ") >= MOST_TESTED:
        yield f"    {', '.join(targets)} = {call}"
    else:
        yield f"    if {test}: {', '.join(targets)} = {call}"
        yield f"    else: {' = '.join(targets)} = None"


def _first(arguments: Iterable[str], certain: set[str], targets: list[str]) -> Iterator[str]:
    """A rule of `first`, written out; where it can be but one variable, it gets no other one."""
    asked: list[str] = []
    for v in arguments:
        if v != ABSENT:
            asked.append(v)
            if v in certain:
                break
    *others, last = asked
    if not others:
        targets[0] = last
        return
    yield f"    {targets[0]} = {''.join(f'{v} if {v} is not None else ' for v in others)}{last}"
    if last in certain:
        certain.add(targets[0])


def _relate(table: Table, local: dict[str, str], certain: set[str], results: list[list[str]]) -> Iterator[str]:
    """The lists of `related`: rules' values first, then columns', as the interpreter does."""
    found: dict[Related, list[str]] = {}
    for rule, variables in zip(table.rules, results, strict=True):
        for v, link in zip(variables, rule.related, strict=True):
            if link and v != ABSENT:
                members = f"related_{link}"
                found.setdefault(link, []).extend(
                    (
                        f"    if {v} is not None and {v} not in {members}:",
                        f"        if {v}.__class__ is list: {members} = together({members}, {v})",
                        f"        else: {members}.append({v})",
                    )
                )
    for column in table.columns:
        v, link = local[column.source], column.related
        if link and v != ABSENT:
            members, there = f"related_{link}", "" if v in certain else f"{v} is not None and "
            add = f"{there}{v} not in {members}: {members}.append({v})"
            if column.many:
                add = f"{v} is not None: {members} = together({members}, {v})"
            found.setdefault(link, []).append(f"    if {add}")
            if v in certain:
                certain.add(members)
    for link, statements in sorted(found.items()):
        members = local[f"related.{link}"] = f"related_{link}"
        yield f"    {members} = []"
        yield from statements
        if members not in certain:
            yield f"    if not {members}: {members} = None"


def tree(table: Table, local: Mapping[str, str], certain: set[str], *, duplicates: bool) -> Tree:
    """Every field of the document, with the expression of its value, as a nested tree."""
    root: Tree = {}
    for field, value in _fields(table, local, certain, duplicates=duplicates):
        if value == ABSENT:
            continue
        node, (*path, leaf) = root, field.split(".")
        for part in path:
            child = node.setdefault(part, {})
            if isinstance(child, str):
                raise TypeError(f"{table.name}: {field} lies below a field that holds a value")
            node = child
        if isinstance(node.get(leaf), dict):
            raise TypeError(f"{table.name}: {field} holds a value and has fields below it")
        node[leaf] = value
    return root


def _fields(
    table: Table, local: Mapping[str, str], certain: set[str], *, duplicates: bool
) -> Iterator[tuple[str, str]]:
    fixed = {field: repr(value) for field, value in constants(table).items() if field.startswith("event.")}
    fixed |= {"ecs": "ECS", "data_stream": "DATA_STREAM"}
    certain.update(fixed.values())
    yield from fixed.items()
    yield from ((field, local[field]) for field in (*CLASSES, *RELATED) if field in local)
    for rule in table.rules:
        for write in rule.writes:
            if write[0] != "#" and (duplicates or write[0] != "~" or not rule.duplicate):
                yield f"{table.vendor_root}.{write[1:]}" if write.startswith("~") else write, local[write]
    for column in table.columns:
        for field in column.ecs:
            yield field, local[column.source]
        if column.vendor is not None and (duplicates or not column.duplicate):
            yield f"{table.vendor_root}.{column.vendor}", local[column.source]


def _branch(variable: str, node: Tree, certain: set[str], numbers: Iterator[int]) -> Iterator[str]:
    """Statements that build `variable` from a tree: what is certain at once, then whatever else is there."""
    at_once: list[str] = []
    then: list[str] = []
    for key, child in node.items():
        target = f"{variable}[{key!r}]"
        leaves = {child} if isinstance(child, str) else set(_leaves(child))
        if leaves <= certain:
            at_once.append(f"{key!r}: {_literal(child)}")
        elif len(leaves) == 1:
            then.append(f"    if {leaves.pop()} is not None: {target} = {_literal(child)}")
        elif isinstance(child, dict):
            below = f"{key}_{next(numbers)}"
            statements = _branch(below, child, certain, numbers)
            if leaves & certain:
                yield from statements
                at_once.append(f"{key!r}: {below}")
            elif len(leaves) > MOST_ASKED:
                then += (*statements, f"    if {below}: {target} = {below}")
            else:
                test = _present(_leaves(child), certain)
                then += (f"    if {test}:", *(f"    {line}" for line in statements), f"        {target} = {below}")
    yield f"    {variable} = {{{', '.join(at_once)}}}"
    yield from then


def _literal(node: Tree | str) -> str:
    """A tree as an expression."""
    if isinstance(node, str):
        return node
    return f"{{{', '.join(f'{key!r}: {_literal(child)}' for key, child in node.items())}}}"


def _leaves(node: Tree) -> Iterator[str]:
    for child in node.values():
        if isinstance(child, str):
            yield child
        else:
            yield from _leaves(child)
