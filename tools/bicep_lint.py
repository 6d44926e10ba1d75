"""infra/*.bicep -> what is wrong with them, as far as that can be seen without Microsoft's compiler (`az bicep build` in a fork's CI sees the rest).

Both parsers must read a file; every name must be declared and used; modules must be given what they ask for and asked for what they give;
parameter files must fit their template; everything has a description. Run it as `python -m tools.bicep_lint [folder]`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pycep
from tree_sitter import Node

from tools.bicep import INFRA, BicepFile, Declaration, bicep_files, body, literal, load, properties, text, walk

# Files that pycep 0.7 has no grammar for, each with the reason; tree-sitter reads them.
NOT_FOR_PYCEP = {"settings.bicep": "unions of words and decorators inside a type"}
# What brings local names, and the token that they end before.
LOCALS = {"for_statement": "in", "lambda_expression": "=>", "user_defined_function": "=>"}
LOCAL_NAMES = frozenset({"identifier", "loop_variable", "loop_enumerator"})
ALWAYS_THERE = frozenset({"az", "sys"})
# fmt: off
# What may be called (Microsoft's reference of Bicep functions and decorators); names of our own functions are added.
FUNCTIONS = frozenset({
    "any", "array", "base64", "base64ToJson", "base64ToString", "cidrHost", "cidrSubnet", "coalesce", "concat", "contains",
    "createArray", "createObject", "dataUri", "dateTimeAdd", "dateTimeFromEpoch", "dateTimeToEpoch", "deployer", "deployment",
    "empty", "endsWith", "environment", "extensionResourceId", "fail", "filter", "first", "flatten", "format", "getSecret",
    "groupBy", "guid", "indexOf", "int", "intersection", "items", "join", "json", "last", "lastIndexOf", "length", "list",
    "listKeys", "loadFileAsBase64", "loadJsonContent", "loadTextContent", "loadYamlContent", "managementGroup",
    "managementGroupResourceId", "map", "mapValues", "max", "min", "newGuid", "nameof", "objectKeys", "padLeft", "parseCidr",
    "pickZones", "range", "readCliArg", "readEnvironmentVariable", "reduce", "reference", "replace", "resourceGroup",
    "resourceId", "shallowMerge", "skip", "sort", "split", "startsWith", "string", "subscription", "subscriptionResourceId",
    "substring", "take", "tenant", "tenantResourceId", "toLogicalZone", "toLower", "toObject", "toUpper", "trim", "union",
    "uniqueString", "uri", "uriComponent", "uriComponentToString", "utcNow", "allowed", "description", "export", "maxLength",
    "maxValue", "metadata", "minLength", "minValue", "sealed", "secure", "discriminator", "batchSize",
})
# fmt: on


def lint(path: Path) -> list[str]:
    """What is wrong with one file, a line each; empty if nothing."""
    file = load(path)
    found = [*unread(file), *names(file)]
    if path.suffix == ".bicepparam":
        return sorted({*found, *fits(file)})
    return sorted({*found, *unused(file), *undescribed(file), *modules(file)})


def unread(file: BicepFile) -> Iterator[str]:
    """Where a parser gives up."""
    for node in walk(file.root):
        if node.is_error or node.is_missing:
            yield f"{node.start_point.row + 1}: not Bicep"
    if file.path.suffix == ".bicep" and file.path.name not in NOT_FOR_PYCEP:
        try:
            pycep.BicepParser().parse(text=file.path.read_text())
        except Exception as error:  # noqa: BLE001  whatever its parser generator raises
            yield f"pycep: {str(error).splitlines()[0]}"


def names(file: BicepFile) -> Iterator[str]:
    """Names and functions that nothing declares, and names declared twice."""
    top = [item.name for item in file.declared if item.kind != "output"]
    yield from (f"{name!r} is declared twice" for name in {name for name in top if top.count(name) > 1})
    known = frozenset(top) | file.imported.keys() | ALWAYS_THERE
    callable_ = FUNCTIONS | file.imported.keys() | file.all("func").keys()
    for node, local in references(file.root, frozenset()):
        if is_call(node):
            if text(node) not in callable_:
                yield f"{node.start_point.row + 1}: unknown function {text(node)!r}"
        elif text(node) not in known | local:
            yield f"{node.start_point.row + 1}: undeclared name {text(node)!r}"


def is_call(node: Node) -> bool:
    """Whether an identifier is what a call calls."""
    return node.parent is not None and node.parent.type == "call_expression" and node == node.parent.children[0]


def references(node: Node, local: frozenset[str]) -> Iterator[tuple[Node, frozenset[str]]]:
    """Every identifier that means something declared elsewhere, with the local names that it may mean."""
    if node.type == "import_functionality":
        return
    children = node.children
    if node.type in LOCALS:
        end = next(place for place, child in enumerate(children) if child.type == LOCALS[node.type])
        local |= {text(part) for child in children[:end] for part in walk(child) if part.type in LOCAL_NAMES}
        children = children[end:]
    for child in children:
        if child.type != "identifier":
            yield from references(child, local)
        elif not declares(child):
            yield child, local


def declares(node: Node) -> bool:
    """Whether an identifier names what is declared, or a property, and refers to nothing."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "object_property":
        return node == parent.children[0]
    if parent.type.endswith("_declaration"):
        return node == next(child for child in parent.children if child.type == "identifier")
    return False


def unused(file: BicepFile) -> Iterator[str]:
    """Parameters, variables and imports that nothing reads."""
    read = {text(node) for node, _ in references(file.root, frozenset())}
    for item in file.declared:
        if item.kind in ("param", "var") and item.name not in read and "export" not in item.decorators:
            yield f"{item.line}: unused {item.kind} {item.name!r}"
    yield from (f"unused import {name!r}" for name in file.imported if name not in read)


def undescribed(file: BicepFile) -> Iterator[str]:
    """Parameters and outputs without a description, exports that their file does not have."""
    for item in file.declared:
        if item.kind in ("param", "output") and "description" not in item.decorators:
            yield f"{item.line}: {item.kind} {item.name!r} has no description"
    for name, where in file.imported.values():
        there = file.path.parent / where
        found = [item for item in load(there).declared if item.name == name] if there.is_file() else []
        if not found or "export" not in found[0].decorators:
            yield f"{where} exports no {name!r}"


def modules(file: BicepFile) -> Iterator[str]:
    """Modules that are not there, parameters they do not have or miss, outputs they do not give."""
    for item in file.all("module").values():
        where = next((literal(child) for child in item.node.children if child.type == "string"), None) or ""
        target = file.path.parent / where
        if not target.is_file():
            yield f"{item.line}: module {item.name!r}: no file {where!r}"
            continue
        there = load(target)
        params = properties(properties(body(item)).get("params"))
        yield from differs(f"{item.line}: module {item.name!r}", params, there.all("param"))
        outputs = there.all("output")
        for node in walk(file.root):
            path = text(node).replace("!", "").split(".")
            asked = node.type == "member_expression" and len(path) == 3 and path[:2] == [item.name, "outputs"]
            if asked and path[2] not in outputs:
                yield f"{node.start_point.row + 1}: {item.name} has no output {path[2]!r}"


def differs(what: str, values: dict[str, Node], wanted: dict[str, Declaration]) -> Iterator[str]:
    """Parameters that are unknown, missing, or hold a literal that is not allowed."""
    yield from (f"{what}: unknown param {name!r}" for name in values.keys() - wanted.keys())
    for name, param in wanted.items():
        if name not in values:
            if param.required:
                yield f"{what}: missing param {name!r}"
            continue
        allowed = param.decorators.get("allowed")
        value = values[name]
        if allowed is not None and value.type in ("string", "number") and literal(value) != "":
            words = {text(node) for node in walk(allowed) if node.type == value.type}
            if text(value) not in words:
                yield f"{what}: {name} may not be {text(value)}"


def fits(file: BicepFile) -> Iterator[str]:
    """How a parameter file differs from the template that it names."""
    first = file.path.read_text().split("using '", 1)
    template = file.path.parent / (first[1].split("'", 1)[0] if len(first) == 2 else "")
    if not template.is_file():
        yield "uses no template"
        return
    values = {name: item.value for name, item in file.all("var").items() if item.value is not None}
    there = load(template)
    yield from differs(template.name, values, there.all("param"))
    for name, param in there.all("param").items():
        kind = next((text(child) for child in param.node.children if child.type == "type"), "")
        if name in values and kind in there.imported:
            type_name, where = there.imported[kind]
            shape = load(template.parent / where).all("type")[type_name]
            yield from (
                f"{kind} has no {key!r}" for key in properties(values[name]).keys() - properties(body(shape)).keys()
            )


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong; 1 if anything is."""
    words = sys.argv[1:] if arguments is None else arguments
    folder = Path(words[0]) if words else INFRA
    wrong = [f"{path.relative_to(folder)}: {line}" for path in bicep_files(folder) for line in lint(path)]
    for line in wrong:
        sys.stderr.write(line + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
