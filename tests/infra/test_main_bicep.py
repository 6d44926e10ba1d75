"""main.bicep, where a mistake would deploy well and be silent: an export without a sender's role, a key's end that nobody is told of."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.settings import Settings
from tools.bicep import INFRA, body, load, properties, text

MAIN = load(INFRA / "main.bicep")


def value(name: str) -> str:
    """What a variable is set to."""
    node = MAIN.all("var")[name].value
    assert node is not None
    return " ".join(text(node).split())


def test_an_export_without_its_sender_ends_the_deployment() -> None:
    """The sender's object id is asked for by the expression that every namespace gets it from, and the example that exports has no empty default."""
    condition, _, otherwise = value("exporter").partition(" ? exporterPrincipalId : ")
    assert condition == "empty(exportSubscriptions) || !empty(exporterPrincipalId)"
    assert otherwise.startswith("fail('exportSubscriptions need exporterPrincipalId")
    for module in ("eventHubs", "existingEventHubs"):
        params = properties(properties(body(MAIN.all("module")[module]))["params"])
        assert text(params["exporterPrincipalId"]) == "exporter"
    for path in INFRA.glob("*.bicepparam"):
        given = load(path).all("var")
        if "exportSubscriptions" in given:
            assert "readEnvironmentVariable('EXPORTER_PRINCIPAL_ID')" in text(given["exporterPrincipalId"].node)


def test_the_sender_has_its_role_before_it_sends() -> None:
    """On a namespace that is there already too, whose id is known without its module."""
    assert "existingEventHubs" in text(MAIN.all("module")["exports"].node).partition("dependsOn")[2]


def test_the_app_knows_when_its_key_ends() -> None:
    """The moment that the vault has, in a form that the setting reads."""
    assert "ELASTICSEARCH_API_KEY_EXPIRES: dateTimeFromEpoch(elasticsearchApiKeyExpires)" in value("keySettings")
    written = f"{datetime.fromtimestamp(1_800_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"  # as Bicep's function does
    read = Settings.read({"ELASTICSEARCH_API_KEY_EXPIRES": written}, whole=False)
    assert read.elasticsearch_api_key_expires == 1_800_000_000
