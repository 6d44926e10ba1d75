"""App settings in Bicep and in the code are the same, both ways."""

from __future__ import annotations

import pytest
from tree_sitter import Node

from functions.hubs import SOURCES as HUBS
from shared.poll_settings import reference
from tools.bicep import INFRA, body, literal, load, properties, text, walk
from tools.write_settings import HOST_SETTINGS, shape

MAIN = load(INFRA / "main.bicep")
OURS = {item.metadata["name"]: item for item in reference()}
HOSTS = {item.name: item for item in HOST_SETTINGS}
TYPE = load(INFRA / "settings.bicep").all("type")["Settings"]


def written() -> dict[str, Node]:
    """Name -> value of every app setting that main.bicep writes by itself: the variables whose names end in Settings."""
    found: dict[str, Node] = {}
    for name, item in MAIN.all("var").items():
        if name.endswith("Settings"):
            for node in walk(item.node):
                if node.type == "object":
                    found |= properties(node)
    return found


def test_what_bicep_writes_is_known() -> None:
    """Every app setting of main.bicep is one of the settings classes or a documented one of the host."""
    assert written().keys() - OURS.keys() - HOSTS.keys() == set()


def test_what_the_host_needs_is_written() -> None:
    """Every host setting that belongs into Azure is in main.bicep, and none that must not be there."""
    assert {name for name in written() if name in HOSTS} == {name for name, item in HOSTS.items() if item.in_azure}


def test_every_setting_can_be_given() -> None:
    """The type Settings has a property for each setting of the code, and no other."""
    assert list(properties(body(TYPE))) == list(OURS)


@pytest.mark.parametrize("name", OURS)
def test_words_that_bicep_lets_pass_are_read(name: str) -> None:
    """Where Bicep takes only some words, the setting's parser reads each of them, and its default is one."""
    item = OURS[name]
    words = [word for node in walk(properties(body(TYPE))[name]) if (word := literal(node))]
    assert bool(words) == (shape(item) != "string")
    values = [item.metadata["parse"](word) for word in words]
    if values and item.default is not None:
        assert item.default in values


def test_everything_written_reaches_the_app() -> None:
    """The app's settings are the union of all those variables, then of what parameters say, which wins."""
    params = properties(properties(body(MAIN.all("module")["app"]))["params"])
    value = (params["settings"].text or b"").decode()
    assert value.startswith("union(")
    names = [word.strip() for word in value.removeprefix("union(").removesuffix(")").split(",")]
    assert set(names[:-2]) == {name for name in MAIN.all("var") if name.endswith("Settings")}
    assert names[-2:] == ["settings", "moreSettings"]


def test_no_secret_is_written() -> None:
    """A secret is in Bicep only as a Key Vault reference, and so the type asks for it; no secure parameter leaves by an output."""
    assert text(TYPE.node).count("Secret: give a Key Vault reference") == sum(
        item.metadata["secret"] for item in OURS.values()
    )
    assert [name for name in written() if name in OURS and OURS[name].metadata["secret"]] == ["ELASTICSEARCH_API_KEY"]
    assert (written()["ELASTICSEARCH_API_KEY"].text or b"").decode() == "vault.outputs.apiKeyReference"
    reference_ = load(INFRA / "modules" / "vault.bicep").all("output")["apiKeyReference"].value
    assert reference_ is not None
    assert (reference_.text or b"").decode().startswith("'@Microsoft.KeyVault(SecretUri=")
    for path in INFRA.rglob("*.bicep"):
        file = load(path)
        secure = {name for name, item in file.all("param").items() if "secure" in item.decorators}
        told = {(node.text or b"").decode() for item in file.all("output").values() for node in walk(item.node)}
        assert not secure & told


def test_functions_that_are_kept_ready_are_there() -> None:
    """alwaysReady of an example names a function that the app declares."""
    known = {f"function:{hub.function}" for hub in HUBS} | {"http", "blob", "durable"}
    for path in INFRA.glob("*.bicepparam"):
        for item in load(path).all("var").values():
            if item.name == "alwaysReady":
                names = [literal(properties(node)["name"]) for node in walk(item.node) if node.type == "object"]
                assert names
                assert set(names) <= known
