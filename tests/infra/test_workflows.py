"""GitHub workflows: what they run is in the Makefile, and they may do no more than they need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_steps_call_the_makefile(path: Path) -> None:
    """Every command is one target of the Makefile that is there: nothing happens in CI that can not be done by hand."""
    commands = re.findall(r"^\s*(?:- )?run: (.+)$", path.read_text(), flags=re.M)
    assert commands
    for command in commands:
        found = re.match(r"make (\w+)", command)
        assert found, command
        assert found[1] in TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_may_do_is_written_down(path: Path) -> None:
    """It reads the repository; only the deployment may ask for a token, and nothing that a person types is put into a command."""
    text = path.read_text()
    granted = re.search(r"^permissions:\n((?:  .+\n)+)", text, flags=re.M)
    assert granted
    rights = set(granted[1].split("\n")[:-1])
    assert rights == ({"  contents: read", "  id-token: write"} if path.stem == "deploy" else {"  contents: read"})
    assert not re.search(r"run: .*\$\{\{", text)
    assert not re.search(r"pull_request_target|AZURE_CREDENTIALS|client-secret", text)


def test_both_workflows_are_there() -> None:
    """Check on pull requests, deployment by hand."""
    assert [path.stem for path in WORKFLOWS] == ["check", "deploy"]
    assert "pull_request:" in WORKFLOWS[0].read_text()
    assert "workflow_dispatch:" in WORKFLOWS[1].read_text()
