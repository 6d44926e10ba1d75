"""Names: what infra/names.bicep makes of the longest and the shortest environment fits what Azure allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tree_sitter import Node

from tools.bicep import INFRA, body, load, properties, text

NAMES = load(INFRA / "names.bicep").all("func")
MAIN = load(INFRA / "main.bicep")
CALLS: Mapping[str, Callable[..., str]] = {
    "toLower": str.lower,
    "take": lambda value, count: value[:count],
    "replace": lambda value, old, new: value.replace(old, new),
}
TOKEN = "abcdefghijklm"  # uniqueString gives 13 letters and digits
# Microsoft's naming rules (Resource Manager, resource name rules), for what main.bicep names.
RULES = {
    "id": r"[a-z0-9][a-z0-9-]{2,127}", "log": r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]", "appi": r"[a-z0-9-]{1,260}",
    "st": r"[a-z0-9]{3,24}", "kv": r"[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]", "evhns": r"[a-z][a-z0-9-]{4,48}[a-z0-9]",
    "vnet": r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]", "nsg": r"[a-z0-9][a-z0-9-]{0,78}[a-z0-9]", "plan": r"[a-z0-9-]{1,60}",
    "func": r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]", "pep-blob": r"[a-z0-9-]{2,64}", "pep-vault": r"[a-z0-9-]{2,64}",
    "ag": r"[a-z0-9-]{1,260}", "pep-queue": r"[a-z0-9-]{2,64}", "pep-hub": r"[a-z0-9-]{2,64}", "pep-app": r"[a-z0-9-]{2,64}",
}  # fmt: skip


def value(node: Node, names: Mapping[str, Any]) -> Any:
    """What an expression of names.bicep gives: strings with interpolation, numbers, and the few calls above."""
    if node.type == "identifier":
        return names[text(node)]
    if node.type == "number":
        return int(text(node))
    if node.type == "call_expression":
        arguments = next(child for child in node.children if child.type == "arguments").named_children
        return CALLS[text(node.children[0])](*(value(argument, names) for argument in arguments))
    assert node.type == "string", node.type
    return "".join(
        value(child.named_children[0], names) if child.type == "interpolation" else text(child)
        for child in node.named_children
    )


def call(function: str, *arguments: str) -> str:
    """What a function of names.bicep gives."""
    node = NAMES[function].node
    names = [
        text(child.children[0]) for part in node.children if part.type == "parameters" for child in part.named_children
    ]
    result: str = value(node.children[-1], dict(zip(names, arguments, strict=True)))
    return result


def used() -> dict[str, str]:
    """Kind -> function, of every name that main.bicep makes."""
    return {
        kind: function
        for function, kind in re.findall(r"\b(nameOf|shortNameOf)\('([a-z-]+)', stem, token\)", text(MAIN.root))
    }


def test_every_name_has_its_rule() -> None:
    """What main.bicep names is what the rules are for."""
    assert used().keys() == RULES.keys()


@pytest.mark.parametrize("environment", ["ab", "x" * 20, "a-b-c-d", "prod-eu-1", "PROD"])
@pytest.mark.parametrize("kind", RULES)
def test_names_fit(kind: str, environment: str) -> None:
    """For any environment that the parameter allows, a name is one that Azure takes."""
    name = call(used()[kind], kind, f"defender-{environment}", TOKEN)
    assert re.fullmatch(RULES[kind], name), name


def test_names_differ_from_others_in_the_world() -> None:
    """What must be unique in the world ends in what is unique to subscription, environment and region."""
    for kind in ("st", "kv", "evhns", "func"):
        assert call(used()[kind], kind, "defender-prod", TOKEN) != call(
            used()[kind], kind, "defender-prod", "nopqrstuvwxyz"
        )


def test_every_resource_has_its_tags_and_region() -> None:
    """Every module that makes something with tags gets the same ones, and so does the resource group."""
    for item in MAIN.all("module").values():
        params = properties(properties(body(item)).get("params"))
        if "tags" in params:
            assert text(params["tags"]) == "allTags", item.name
            assert text(params["location"]) == "location", item.name
    assert text(properties(body(MAIN.all("resource")["group"]))["tags"]) == "allTags"
