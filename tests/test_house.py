"""The house's own rules: test docstrings, nothing machine-specific, every link of the docs leads somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOREIGN = re.compile(r"/(?:root|home|work)/[a-z]|index-url|\"resolved\":\s*\"https?://|registry\s*=\s*https?://")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows, or would if they were added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_every_test_says_what_it_shows() -> None:
    """Each test function has a docstring of one sentence."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in tracked("tests/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_nothing_belongs_to_one_machine() -> None:
    """No path of a machine and no package registry's address is in a file."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FOREIGN.search(line)
    ]
    assert not found


def test_links_of_the_docs_lead_somewhere() -> None:
    """Every relative link in a Markdown file names a file or folder that is there."""
    dead = [
        f"{path.relative_to(ROOT)} -> {target}"
        for path in tracked("*.md")
        for target in LINK.findall(path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert not dead


def test_promises_name_tests_that_exist() -> None:
    """Every test file or folder that docs/promises.md names is there."""
    named = re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs" / "promises.md").read_text())
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]
