"""Azure roles: what Bicep assigns, what infra/roles.json says, and what the code calls are the same, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.bicep import INFRA, body, load, properties, text, walk
from tools.write_permissions import azure_roles

ROOT = INFRA.parent
ROLES = azure_roles()
# What a call to an Azure service looks like in what is deployed, and the role that it needs. A new kind of call is added here and in roles.json.
CALLS = {
    r"\bBlobServiceClient\b": "storageBlobDataOwner",
    r"\b(queue_trigger|queue_output|QueueServiceClient|QueueClient)\b": "storageQueueDataContributor",
    r"\b(table_input|table_output|TableServiceClient)\b": "storageTableDataContributor",
    r"\bevent_hub_message_trigger\b": "eventHubsDataReceiver",
    r"\b(event_hub_output|EventHubProducerClient)\b": "eventHubsDataSender",
    r"\b(SecretClient|CertificateClient)\b|^KEY_VAULT\b": "keyVaultSecretsUser",
    r"\bget_meter\(": "monitoringMetricsPublisher",
    r"\barm\.walk\b": "securityReader",
}


def deployed() -> list[Path]:
    """What runs in Azure."""
    return [ROOT / "function_app.py", *sorted(ROOT.glob("functions/**/*.py")), *sorted(ROOT.glob("shared/**/*.py"))]


def assigned() -> dict[str, list[str]]:
    """Role -> the files whose role assignments name it; name, definition and roles.json must agree."""
    found: dict[str, list[str]] = {}
    for path in sorted(INFRA.rglob("*.bicep")):
        for item in load(path).all("resource").values():
            if "Microsoft.Authorization/roleAssignments@" not in text(item.node):
                continue
            value = properties(body(item))
            role = re.findall(r"roles\.(\w+)\.id", text(properties(value["properties"])["roleDefinitionId"]))
            assert role == re.findall(r"roles\.(\w+)\.id", text(value["name"])), path
            found.setdefault(role[0], []).append(path.name)
    return found


def test_every_role_is_assigned_and_every_assignment_is_a_role() -> None:
    """roles.json and the Bicep files name the same roles."""
    assert assigned().keys() == ROLES.keys()


def test_ids_are_written_once() -> None:
    """No role's id stands in a Bicep file: they come from roles.json."""
    ids = [role["id"] for role in ROLES.values()]
    assert len(set(ids)) == len(ids)
    assert not [path for path in INFRA.rglob("*.bicep") for id in ids if id in path.read_text()]


@pytest.mark.parametrize("name", [name for name, role in ROLES.items() if role["who"] == "the app"])
def test_a_role_of_the_app_is_needed_by_a_call(name: str) -> None:
    """The calls that roles.json gives for it are in those files, in the code and not in a comment."""
    calls = ROLES[name]["calls"]
    assert calls
    for call, file in calls.items():
        code = re.sub(r"#.*", "", re.sub(r'""".*?"""', "", (ROOT / file).read_text(), flags=re.S))
        assert call in code, (call, file)


def test_roles_of_others_have_no_call_of_ours() -> None:
    """What Microsoft's services are granted is not claimed to be ours."""
    assert all(bool(role["calls"]) == (role["who"] == "the app") for role in ROLES.values())


@pytest.mark.parametrize(("call", "name"), CALLS.items())
def test_a_call_to_azure_has_its_role(call: str, name: str) -> None:
    """Where the deployed code calls a service, the role for it is the app's."""
    calling = [path for path in deployed() if re.search(call, path.read_text(), flags=re.M)]
    if calling:
        assert ROLES[name]["who"] == "the app"
    else:
        assert ROLES.get(name, {}).get("who") != "the app"


def test_no_connection_string_is_asked_of_azure() -> None:
    """No template reads a key or makes a shared access policy."""
    for path in INFRA.rglob("*.bicep"):
        words = {text(node) for node in walk(load(path).root) if node.type == "identifier"}
        assert not words & {"listKeys", "listkeys", "listAccountSas", "listServiceSas"}
        assert "authorizationRules" not in path.read_text()
