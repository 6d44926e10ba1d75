"""pyproject.toml -> requirements.txt and requirements-dev.txt: what it names and everything that those need, pinned as installed here."""

from __future__ import annotations

import argparse
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Made from pyproject.toml by `make generate`; do not edit.\n"


def closure(requirements: list[str]) -> dict[str, str]:
    """Name -> version of the requirements and all they need, as installed; raises where one is missing or another version."""
    found: dict[str, str] = {}
    todo = [Requirement(text) for text in requirements]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        version = metadata.version(name)
        if not requirement.specifier.contains(version, prereleases=True):
            raise SystemExit(f"{name} {version} is installed, but {requirement} is asked for: run `make setup`")
        extras = requirement.extras or {""}
        if name in found and extras == {""}:
            continue
        found[name] = version
        for text in metadata.requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needed)
    return found


def lines(names: dict[str, str]) -> str:
    """A requirements file."""
    return HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(names.items()))


def main() -> int:
    """Write both files, or with --check say whether they are fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a file is not what would be written")
    check = parser.parse_args().check
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = closure(project["project"]["dependencies"])
    development = closure(project["dependency-groups"]["dev"])
    stale = []
    for name, text in (
        ("requirements.txt", lines(runtime)),
        ("requirements-dev.txt", lines({n: v for n, v in development.items() if n not in runtime})),
    ):
        path = ROOT / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    if check and stale:
        sys.stderr.write(f"not fresh: {', '.join(stale)}; run `make generate` and commit\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
