"""requirements.txt against what is installed here: Python and each package of the app, in the version that was tried."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.doctor.check import Check, failed, ok, warning

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"
PYTHON = "3.13"  # pyproject.toml, requires-python; a test holds the two together
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\#]+)", re.MULTILINE)


def pinned(text: str) -> dict[str, str]:
    """Package -> version, from the lines of a requirements file."""
    return dict(PIN.findall(text))


def installed(wanted: Mapping[str, str]) -> dict[str, str]:
    """Package -> version that is here; nothing for one that is not."""
    found = {}
    for name in wanted:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def of_packages(requirements: Path = REQUIREMENTS) -> Check:
    """Whether what runs here is what was tried. What runs in Azure is told by GET /api/health."""
    name, python = "package versions", platform.python_version()
    if not python.startswith(f"{PYTHON}."):
        return failed(name, f"this is Python {python}.", f"Use Python {PYTHON}: make setup finds it, or says how.")
    wanted = pinned(requirements.read_text())
    found = installed(wanted)
    missing = [package for package in wanted if package not in found]
    other = [f"{package} {found[package]} instead of {wanted[package]}" for package in found if found[package] != wanted[package]]  # fmt: skip
    mend = "Run make setup, or pip install -r requirements.txt."
    if missing:
        return failed(name, f"not installed: {', '.join(missing)}.", mend)
    if other:
        return warning(name, f"{'; '.join(other)}.", mend)
    return ok(name, f"Python {python} and {len(wanted)} packages as in requirements.txt.")
