"""`python -m local.setup` installs what it can, says in a sentence what is missing, and is quick the second time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.setup import CACHE, ELASTICSEARCH, NODE_MODULES, Part, available
from tests.conftest import require

LOCAL = Path(__file__).resolve().parents[2] / "local"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but local/ in it, nothing installed."""
    shutil.copytree(LOCAL, tmp_path / "local", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run_setup(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up of that checkout with that PATH and no Java set."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("JAVA_HOME", "ES_JAVA_HOME", "PYTHONPATH")
    }
    return subprocess.run(
        [sys.executable, "-m", "local.setup"],
        cwd=checkout,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_bare_machine_gets_one_sentence_for_each_part(checkout: Path) -> None:
    """Without Node.js and Maven the exit code is 3 and each part's line says what to install."""
    done = run_setup(checkout, str(checkout))

    assert done.returncode == 3
    node, elasticsearch = done.stderr.splitlines()
    assert node.startswith("node: Node.js was not found;")
    assert elasticsearch.startswith("elasticsearch: Maven (mvn) was not found;")


def test_one_missing_part_does_not_stop_the_other(checkout: Path) -> None:
    """With Node.js there and Maven not, the exit code is 2 and the node part is ready."""
    require("node")
    (checkout / ".cache").mkdir()
    (checkout / ".cache" / "node").symlink_to(CACHE / "node")
    node = shutil.which("node")
    assert node
    (checkout / "bin").mkdir()
    (checkout / "bin" / "node").symlink_to(node)

    done = run_setup(checkout, str(checkout / "bin"))

    assert (done.returncode, done.stdout) == (2, "node: ready\n")
    assert done.stderr.startswith("elasticsearch: Maven (mvn) was not found;")


def test_elasticsearch_without_java_is_one_sentence(checkout: Path) -> None:
    """An unpacked distribution on a machine without Java says that Java is missing."""
    require("elasticsearch")
    (checkout / ".cache").mkdir()
    (checkout / ".cache" / ELASTICSEARCH.name).symlink_to(ELASTICSEARCH)

    done = run_setup(checkout, str(checkout))

    assert done.returncode == 3
    assert done.stderr.splitlines()[1].startswith("elasticsearch: Java 17 or newer was not found;")


def test_the_second_run_does_nothing() -> None:
    """What is installed stays untouched, and the exit code is 0."""
    parts: tuple[Part, ...] = ("node", "elasticsearch")
    for part in parts:
        require(part)
    before = [path.stat().st_ctime_ns for path in (NODE_MODULES, ELASTICSEARCH)]

    done = run_setup(LOCAL.parent, os.environ["PATH"])

    assert (done.returncode, done.stdout) == (0, "node: ready\nelasticsearch: ready\n")
    assert [path.stat().st_ctime_ns for path in (NODE_MODULES, ELASTICSEARCH)] == before
    assert [available(part) for part in parts] == [None, None]


def test_the_lock_file_names_no_registry() -> None:
    """npm takes packages from the registry that the user's machine is set to, whole and unaltered."""
    packages = json.loads((LOCAL / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert len(packages) > 100
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert (packages["node_modules/azurite"]["version"], packages["node_modules/rhea"]["version"]) == (
        "3.35.0",
        "3.0.5",
    )
