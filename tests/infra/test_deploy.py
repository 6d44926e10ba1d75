"""infra/deploy.sh with a fake of the Azure CLI."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.infra.az import Az, az


def deployed(azure: Az) -> list[str]:
    """What az was asked to deploy: the last command."""
    asked: list[str] = azure.state["asked"][-1]
    return [asked[asked.index(name) + 1] for name in ("--resource-group", "--name", "--src")]


def test_what_is_named_is_deployed_to(tmp_path: Path) -> None:
    """Group and app by name; no deployment is asked for."""
    azure = az(tmp_path)
    assert azure.run("infra/deploy.sh", "app.zip", "rg-x", "func-x", LOCATION="westeurope").returncode == 0
    assert deployed(azure) == ["rg-x", "func-x", "app.zip"]
    assert len(azure.state["asked"]) == 1


def test_the_first_deployment_finds_what_was_just_made(tmp_path: Path) -> None:
    """The app's name ends in characters that only Azure knows: it is read from the outputs, whose names may come in another case."""
    outputs = {
        "azurE_RESOURCE_GROUP": {"value": "rg-y"},
        "apP_NAME": {"value": "func-y-abc"},
        "keY_VAULT": {"value": "v"},
    }
    azure = az(tmp_path, deployments={"defender-westeurope": outputs})
    done = azure.run("infra/deploy.sh", "app.zip", "", "", LOCATION="westeurope", VENV_PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    assert deployed(azure) == ["rg-y", "func-y-abc", "app.zip"]


def test_nothing_named_and_nothing_made_is_told(tmp_path: Path) -> None:
    """What to say instead; az's own word where there is no such deployment."""
    azure = az(tmp_path, deployments={"defender-failed": None})
    done = azure.run("infra/deploy.sh", "app.zip", LOCATION="")
    assert (done.returncode, "make deploy GROUP=" in done.stderr) == (1, True)
    assert azure.run("infra/deploy.sh", "app.zip", LOCATION="nowhere", VENV_PYTHON=sys.executable).returncode != 0
    assert azure.state["asked"] == []
    done = azure.run("infra/deploy.sh", "app.zip", LOCATION="failed", VENV_PYTHON=sys.executable)  # it has no outputs
    assert (done.returncode, "make deploy GROUP=" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
