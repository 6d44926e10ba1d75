"""An object of Microsoft's APIs -> its parts: one for each document it becomes, opened to columns by path.

One module in `tables/` for each source says how an object is split and what its parts mean. What is polled is told apart by what it is about
and its version: `_id` is made from both, so that an unchanged thing is a duplicate and a changed one a new document (issue 5, "Updates").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal

from shared.normalise.latest import Latest

type Source = Literal["alert", "incident", "log", "vulnerability", "assessment"]
type Tree = dict[str, str | Tree]  # key -> the column's name, or what lies below

SOURCES: dict[Source, str] = {  # source -> the module of tables/ that has its `split`
    "alert": "graph_alert",
    "incident": "graph_incident",
    "log": "siem_incident",
    "vulnerability": "machine_vulnerability",
    "assessment": "arm_assessment",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a poller knows of an object that does not stand in it.

    tenant: its id. scan: when the scan that found it began (ISO 8601, UTC), which is the version of what has no time of its own.
    alerts: whether alerts inside an incident become documents. evidence: whether each evidence item becomes a document too. scope: what of
    the tenant is scanned.
    """

    tenant: str = ""
    scan: str | None = None
    alerts: bool = True
    evidence: bool = False
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One document's worth of an object: the mapping's name, the columns, what it is about, and its version.

    key: with table and tenant, the same for all versions of one thing. version: text that differs between versions, an ISO 8601 time where
    there is one. value: the part of the object as it came, for event.original.
    """

    table: str
    columns: Mapping[str, Any]
    key: tuple[str, ...]
    version: str
    value: Mapping[str, Any]
    latest: Latest | None = None  # the view that it is of


type Split = Callable[[Mapping[str, Any], Context], Iterator[Part]]


@cache
def split_of(source: Source) -> Split:
    """How objects of a source are split; the module is imported at the first need."""
    split: Split = import_module(f"shared.normalise.tables.{SOURCES[source]}").split
    return split


def columns_of(specified: str) -> dict[str, str]:
    """Words such as `status.code` or `score:long` -> column -> documented type (string where none is written)."""
    return {name: type or "string" for name, _, type in (word.partition(":") for word in specified.split())}


def tree_of(columns: Mapping[str, str], path: str = "") -> Tree:
    """Columns by path -> the tree to open an object with. Only the last part of a path may be `@odata.type`.

    path: where the object lies, `alerts.`, if the columns are told from there: it begins the names that come out.
    """
    root: Tree = {}
    for column in columns:
        node, parts = root, steps(column)
        for part in parts[:-1]:
            below = node.setdefault(part, {})
            if isinstance(below, str):
                raise TypeError(f"{column} lies below a column that holds a value")
            node = below
        node[parts[-1]] = path + column
    return root


def steps(column: str) -> list[str]:
    """A path's parts: `@odata.type` is one."""
    head, mark, tail = column.partition("@")
    return [*head.rstrip(".").split("."), mark + tail] if mark and head else [column] if mark else column.split(".")


def open_object(
    value: Mapping[str, Any], tree: Tree, path: str = "", columns: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The columns of an object: known paths under their names, everything else under its own path, so that it is reported and kept.

    Keys are taken as Microsoft spells them. Values that are null or "" are left out. The object is not changed.
    """
    found: dict[str, Any] = {} if columns is None else columns
    for key, item in value.items():
        if item is None or item == "":
            continue
        below = tree.get(key)
        if below.__class__ is str:
            found[below] = item
        elif below is not None and item.__class__ is dict:
            open_object(item, below, f"{path}{key}.", found)  # type: ignore[arg-type]  # a tree
        else:
            found[f"{path}{key}"] = item
    return found
