"""The fixtures of tests/conftest.py: one Elasticsearch for all test processes, and no silence about missing parts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.process import listening
from tests.conftest import require

ROOT = Path(__file__).resolve().parents[2]

SHARED = """
import pathlib, time
import pytest

@pytest.mark.parametrize("number", range(4))
def test_shared(number, elasticsearch_server, worker_id):
    with (pathlib.Path(__file__).parent / "seen").open("a") as file:
        file.write(f"{worker_id} {elasticsearch_server.port}\\n")
    elasticsearch_server.add_user(f"user-{number}")
    time.sleep(0.5)
"""

EACH = """
def test_elasticsearch(elasticsearch_server): pass
def test_azurite(azurite_server): pass
def test_event_hub(event_hub_server): pass
"""


def run_pytest(folder: Path, content: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the project's conftest over one file of that content."""
    file = folder / "test_it.py"
    file.write_text(content)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "-rs", *options, file],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_test_processes_share_one_elasticsearch(tmp_path: Path) -> None:
    """Two processes of pytest-xdist use one server, each adding users, and it is gone when the run ends."""
    require("elasticsearch")

    done = run_pytest(tmp_path, SHARED, "-n", "2", "--dist", "each")

    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert {worker for worker, _ in seen} == {"gw0", "gw1"}
    ports = {int(port) for _, port in seen}
    assert len(ports) == 1
    assert listening(ports.pop()) is None


@pytest.mark.parametrize(("ci", "outcome"), [("", "skipped"), ("true", "errors")])
def test_missing_parts_skip_a_test_and_fail_in_ci(tmp_path: Path, ci: str, outcome: str) -> None:
    """Without Java and Node.js tests that need servers are skipped with the reason; with CI=true they fail with it."""
    done = run_pytest(tmp_path, EACH, PATH=str(tmp_path), JAVA_HOME="", ES_JAVA_HOME="", CI=ci)

    assert re.search(rf"^3 {outcome} in", done.stdout, re.MULTILINE), done.stdout
    assert "Node.js was not found" in done.stdout
    assert "Java 17 or newer was not found" in done.stdout or "Maven (mvn) was not found" in done.stdout
