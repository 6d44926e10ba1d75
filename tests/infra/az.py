"""`az` on the path of a script under test: the fake, its state before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Az:
    """A folder with an `az`, and its state."""

    folder: Path

    @property
    def state(self) -> dict[str, Any]:
        """What is in it now."""
        found: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return found

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script with this `az` first on its path."""
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        whole = os.environ | {"PATH": path, "FAKE_AZ": str(self.folder / "state.json")} | environment
        return subprocess.run(command, capture_output=True, text=True, check=False, env=whole, cwd=ROOT)


def az(folder: Path, **state: Any) -> Az:
    """Make one."""
    program = folder / "az"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "tests/infra/fake_az.py"}" "$@"\n')
    program.chmod(0o755)
    empty: dict[str, Any] = {"principals": [], "assignments": [], "settings": {}, "key": "", "host": "", "asked": []}
    # subscriptions and their tenants; az's default one, and that of the app; how often asking for its keys fails at first
    empty |= {
        "subscriptions": {"s-1": "t-1", "s-2": "t-2"},
        "default": "s-1",
        "of_app": "s-1",
        "starting": 0,
        "deployments": {},
    }
    (folder / "state.json").write_text(json.dumps(empty | state))
    return Az(folder)
