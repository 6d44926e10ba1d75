"""The package as the deploy makes it: only what the app needs, and it works with requirements.txt alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from functions.hubs import SOURCES as HUBS
from shared.poll.sources import SOURCES
from tools.package import ROOT, contents, lay_out, pack, packages

TOP = {"function_app.py", "functions", "host.json", "requirements.txt", "shared"}
JUNK = (
    "local.settings.json",
    ".venv/lib/python3.13/site-packages/a.py",
    ".cache/secret.txt",
    ".git/config",
    ".azure/prod/.env",
    "shared/__pycache__/settings.cpython-313.pyc",
    "__pycache__/function_app.cpython-313.pyc",
    "demo-output/a.json",
    ".vscode/settings.json",
    "local/node_modules/rhea/index.js",
)
# As the host does: the package first, then what was installed for it, then the standard library and nothing else.
PROGRAM = """
import importlib, json, os, pkgutil, sys
package, site = sys.argv[1:]
sys.path[:0] = [package, site]
import function_app
names = sorted(function.get_function_name() for function in function_app.app.get_functions())
import functions, shared
modules = [found.name for root in (functions, shared) for found in pkgutil.walk_packages(root.__path__, root.__name__ + ".")]
for name in modules:
    importlib.import_module(name)
import azure.monitor.opentelemetry, azure_functions_runtime, orjson
outside = [
    module.__file__
    for module in list(sys.modules.values())
    if getattr(module, "__file__", None) and not module.__file__.startswith((package, site, os.path.dirname(os.__file__)))
]
print(json.dumps({"functions": names, "modules": len(modules), "outside": outside}))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project as it lies on a developer's disk: what git knows, and what has gathered beside it."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in [*filter(None, names), *JUNK]:
        target = tmp_path / "project" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file() and name not in JUNK:
            shutil.copyfile(ROOT / name, target)
        else:
            target.write_text("junk")
    return tmp_path / "project"


def test_the_package_holds_the_app_and_nothing_else(project: Path) -> None:
    """Every module of the app, host.json and requirements.txt; no secret, test, tool, page or cache."""
    deployed = set(contents(project))
    assert {path.parts[0] for path in deployed} == TOP
    code = {path.relative_to(ROOT) for name in ("functions", "shared") for path in (ROOT / name).rglob("*.py")}
    assert deployed == code | {Path("function_app.py"), Path("host.json"), Path("requirements.txt")}


def test_core_tools_leave_the_same_behind(project: Path) -> None:
    """func reads a line as the beginning of a path (Core Tools, GitIgnoreParser.cs): what it deploys is the same."""
    lines = [line for line in (project / ".funcignore").read_text().splitlines() if line and not line.startswith("#")]
    assert not [line for line in lines if line.startswith("!")]
    beginnings = [
        re.compile(re.escape(line.removeprefix("/")).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")) for line in lines
    ]
    files = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    assert {path for path in files if not any(one.match(path.as_posix()) for one in beginnings)} == set(
        contents(project)
    )


def test_the_app_works_from_the_package(tmp_path: Path) -> None:
    """Laid out and with requirements.txt alone, every function is there and every module loads; nothing comes from elsewhere."""
    package = lay_out(tmp_path)
    hubs = {f"{hub.setting}": "hub" for hub in HUBS}
    environment = {"PATH": os.environ["PATH"], "POLL_SOURCES": ",".join(SOURCES), **hubs}
    command = [sys.executable, "-I", "-S", "-B", "-W", "ignore", "-c", PROGRAM, str(package), str(packages())]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {f"{source}_poll" for source in SOURCES} | {hub.function for hub in HUBS} | {"health"} <= set(
        told["functions"]
    )
    assert told["modules"] > 100
    assert told["outside"] == []


def test_the_same_files_give_the_same_zip(project: Path, tmp_path: Path) -> None:
    """The zip holds what is deployed, byte for byte, and does not depend on when it is made."""
    first, second = pack(tmp_path / "a.zip", project), pack(tmp_path / "b.zip", project)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as zipped:
        assert zipped.namelist() == [path.as_posix() for path in contents(project)]
        assert zipped.read("host.json") == (ROOT / "host.json").read_bytes()
