"""infra/*.bicep against Microsoft's own resource types: `python -m tools.bicep_types PATH` with a clone of github.com/Azure/bicep-types-az.

What the compiler would say of resources, without the compiler: API versions that are not there, properties that are unknown, read-only or
missing, words that are not allowed. The clone is not kept here, so this is run by hand, after a change to infra/.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tools.bicep import INFRA, Declaration, bicep_files, body, literal, load, properties

REQUIRED, READ_ONLY = 1, 2  # flags of a property
ASIDE = frozenset(
    {"parent", "scope", "dependsOn", "name"}
)  # Bicep's own keys of a resource; a name is checked by the lint


class Types:
    """The types of a clone, read as they are asked for."""

    def __init__(self, clone: Path) -> None:
        """`clone`: a work tree or a bare git directory."""
        self.clone = clone
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.paths = self.git("ls-tree", "-r", "--name-only", "HEAD", "generated").split()

    def git(self, *words: str) -> str:
        """What git says; it reads bare copies too."""
        command = ["git", "-C", str(self.clone), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  fixed words and a path

    def resource(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """(file, body's type) of `Type@version`; None where it is not there."""
        kind, _, version = name.partition("@")
        end = f"/{kind.split('/')[0].lower()}/{version}/types.json"
        for path in self.paths:
            if not path.endswith(end):
                continue
            for type_ in self.types(path):
                if type_["$type"] == "ResourceType" and type_["name"].lower() == name.lower():
                    return self.follow(path, type_["body"]["$ref"])
        return None

    def types(self, path: str) -> list[dict[str, Any]]:
        """Every type of a file."""
        if path not in self.files:
            self.files[path] = json.loads(self.git("show", f"HEAD:{path}"))
        return self.files[path]

    def follow(self, file: str, reference: str) -> tuple[str, dict[str, Any]]:
        """(file, type) of a reference such as `#/12`."""
        return file, self.types(file)[int(reference.partition("#/")[2])]


def wrong(types: Types, file: str, type_: dict[str, Any], value: Node, where: str) -> Iterator[str]:
    """What of a value does not fit its type."""
    kind = type_["$type"]
    if value.type == "ternary_expression":
        for branch in (child for child in value.named_children[1:]):
            yield from wrong(types, file, type_, branch, where)
    elif value.type == "for_statement":
        yield from (
            wrong(types, file, type_, value.named_children[-1], where)
            if kind != "ArrayType"
            else wrong(types, *types.follow(file, type_["itemType"]["$ref"]), value.named_children[-1], f"{where}[]")
        )
    elif kind == "ArrayType" and value.type == "array":
        for item in value.named_children:
            yield from wrong(types, *types.follow(file, type_["itemType"]["$ref"]), item, f"{where}[]")
    elif value.type == "object" and kind in ("ObjectType", "DiscriminatedObjectType"):
        yield from wrong_object(types, file, type_, value, where)
    elif value.type in ("string", "number", "boolean", "object", "array"):
        yield from wrong_scalar(types, file, type_, value, where)


def wrong_object(types: Types, file: str, type_: dict[str, Any], value: Node, where: str) -> Iterator[str]:
    """What of an object's properties is unknown, read-only, missing or does not fit."""
    values = properties(value)
    known: dict[str, Any] = dict(type_.get("properties") or type_.get("baseProperties") or {})
    if type_["$type"] == "DiscriminatedObjectType":
        chosen = literal(values.get(type_["discriminator"]))
        reference = type_["elements"].get(chosen)
        if reference is None:
            yield f"{where}.{type_['discriminator']}: {chosen!r} is none of {', '.join(type_['elements'])}"
            return
        file, element = types.follow(file, reference["$ref"])
        known |= element["properties"]
    for name, inner in values.items():
        if name in known:
            if known[name]["flags"] & READ_ONLY:
                yield f"{where}.{name} is read-only"
            yield from wrong(types, *types.follow(file, known[name]["type"]["$ref"]), inner, f"{where}.{name}")
        elif "additionalProperties" not in type_:
            yield f"{where}.{name} is unknown; there are {', '.join(sorted(known))}"
    for name, told in known.items():
        if told["flags"] & REQUIRED and name not in values:
            yield f"{where}.{name} is missing"


def wrong_scalar(types: Types, file: str, type_: dict[str, Any], value: Node, where: str) -> Iterator[str]:
    """A literal of another kind than its type, or a word that is not among those known."""
    allowed = {
        "StringType": ("string",), "StringLiteralType": ("string",), "BooleanType": ("boolean",), "IntegerType": ("number",),
        "AnyType": ("string", "number", "boolean", "object", "array"), "ObjectType": ("object",), "ArrayType": ("array",),
    }  # fmt: skip
    each = (
        [types.follow(file, item["$ref"])[1] for item in type_["elements"]]
        if type_["$type"] == "UnionType"
        else [type_]
    )
    if not any(value.type in allowed.get(item["$type"], ()) for item in each):
        yield f"{where} is of another kind than {', '.join(item['$type'] for item in each)}"
    words = [item["value"] for item in each if item["$type"] == "StringLiteralType"]
    said = literal(value)
    if words and said is not None and said not in words:
        yield f"{where}: {said!r} is none of {', '.join(words)}"


def of_resource(types: Types, item: Declaration) -> Iterator[str]:
    """What of one resource does not fit."""
    name = next(literal(child) for child in item.node.children if child.type == "string") or ""
    found = types.resource(name)
    if found is None:
        yield f"there is no {name}"
        return
    value = body(item)
    if value is None or any(child.type == "existing" for child in item.node.children):
        return
    for line in wrong(types, *found, value, item.name):
        path = line.split(" ", 1)[0].rstrip(":").split(".")
        if not (len(path) == 2 and path[1] in ASIDE):
            yield line


def main(arguments: list[str] | None = None) -> int:
    """Print what does not fit; 1 if anything."""
    words = sys.argv[1:] if arguments is None else arguments
    types = Types(Path(words[0]))
    folder = Path(words[1]) if len(words) > 1 else INFRA
    lines = [
        f"{path.relative_to(folder)}:{item.line}: {line}"
        for path in bicep_files(folder)
        if path.suffix == ".bicep"
        for item in load(path).all("resource").values()
        for line in of_resource(types, item)
    ]
    for line in lines:
        sys.stderr.write(line + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
