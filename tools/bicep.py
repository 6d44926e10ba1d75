"""A Bicep file -> what it declares and says, by tree-sitter-bicep. There is no compiler here: types and properties stay unchecked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).resolve().parent.parent / "infra"
DECLARATIONS: Mapping[str, str] = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "type_declaration": "type",
    "user_defined_function": "func",
    "output_declaration": "output",
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One named thing of a file: what kind it is, where it stands, its decorators by name."""

    kind: str
    name: str
    node: Node
    decorators: Mapping[str, Node]

    @property
    def line(self) -> int:
        """Where it stands, counted from 1."""
        return self.node.start_point.row + 1

    @property
    def required(self) -> bool:
        """Whether a parameter must be given: it has no default and may not be null."""
        return not any(child.type in ("=", "nullable_type") for child in self.node.children)

    @property
    def value(self) -> Node | None:
        """What a parameter, variable or output is set to."""
        return self.node.children[-1] if any(child.type == "=" for child in self.node.children) else None


@dataclass(frozen=True, slots=True)
class BicepFile:
    """One file: its tree, what it declares, what it imports (local name -> name there, path)."""

    path: Path
    root: Node
    declared: tuple[Declaration, ...]
    imported: Mapping[str, tuple[str, str]]

    def all(self, kind: str) -> dict[str, Declaration]:
        """Name -> declaration of one kind."""
        return {item.name: item for item in self.declared if item.kind == kind}


@cache
def load(path: Path) -> BicepFile:
    """Read one file. A .bicepparam is read as if it were variables, because the grammar knows none: `param x = 1` as `var x = 1`."""
    text = path.read_text()
    if path.suffix == ".bicepparam":
        text = re.sub(r"^param (?=\w+ =)", "var ", re.sub(r"^using .*$", "", text, flags=re.M), flags=re.M)
    root = Parser(Language(tree_sitter_bicep.language())).parse(text.encode()).root_node
    return BicepFile(path, root, tuple(declarations(root)), dict(imports(root)))


def declarations(root: Node) -> Iterator[Declaration]:
    """What stands at the top of a file, with the decorators before it."""
    decorators: dict[str, Node] = {}
    for node in root.children:
        if node.type == "decorators":
            calls = [call for call in walk(node) if call.type == "call_expression" and call.parent is not None]
            decorators = {
                text(call.children[0]): call for call in calls if call.parent and call.parent.type == "decorator"
            }
        elif node.type in DECLARATIONS:
            name = next((text(child) for child in node.children if child.type == "identifier"), "")
            yield Declaration(DECLARATIONS[node.type], name, node, decorators)
            decorators = {}


def imports(root: Node) -> Iterator[tuple[str, tuple[str, str]]]:
    """(local name, (name there, path)) of every import."""
    for node in root.children:
        if node.type != "import_functionality":
            continue
        path = next(literal(child) for child in node.children if child.type == "string")
        words = [text(child) for child in node.children if child.type in ("identifier", "as", ",", "}")]
        there = ""
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word in ("as", ",", "}"):
                continue
            there = there or word
            if following != "as":
                yield word, (there, path or "")
                there = ""


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """What a node says."""
    return (node.text or b"").decode()


def literal(node: Node | None) -> str | None:
    """The text of a string without interpolation; None for anything else."""
    if node is None or node.type != "string" or any(child.type == "interpolation" for child in node.children):
        return None
    raw = "".join(text(child) for child in node.children[1:-1])
    return re.sub(r"\\(.)", r"\1", raw)


def body(declaration: Declaration) -> Node | None:
    """The object of a resource or module, behind `if` and `for`."""
    return next((node for node in walk(declaration.node) if node.type == "object"), None)


def properties(node: Node | None) -> dict[str, Node]:
    """Key -> value of an object."""
    if node is None:
        return {}
    return {
        literal(child.children[0]) or text(child.children[0]): child.children[-1]
        for child in node.children
        if child.type == "object_property"
    }


def bicep_files(folder: Path = INFRA) -> list[Path]:
    """Every Bicep and parameter file below a folder."""
    return sorted(path for pattern in ("*.bicep", "*.bicepparam") for path in folder.rglob(pattern))
