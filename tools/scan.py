"""infra/*.bicep -> checkov's findings, each explained here or mended; `make scan` fails at one that is not, and at an explanation that nothing needs.

checkov pins many packages (293 MB), among them a pycep that can not read `import`, so it has an environment of its own in .cache, made once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CHECKOV, PYCEP = "3.3.30", "0.7.1"  # checkov asks for pycep 0.5.1; 0.7.1 reads the same and more
HOME = ROOT / ".cache" / f"checkov-{CHECKOV}-pycep-{PYCEP}"
EXPECTED_ERRORS = {"settings.bicep"}  # a type with unions, no resource in it: tools/bicep_lint.py says why

# (check, file) -> why it is as it should be.
EXPLAINED: dict[tuple[str, str], str] = {
    ("CKV_AZURE_17", "app.bicep"): "Callers of health and status have a function key; nobody calls with a certificate.",
    (
        "CKV_AZURE_41",
        "vault.bicep",
    ): "The end of the API key is set when elasticsearchApiKeyExpires tells it; the check reads no condition.",
    (
        "CKV_AZURE_78",
        "app.bicep",
    ): "Flex Consumption has no FTP, and the policy beside the app refuses its credentials.",
    ("CKV_AZURE_109", "vault.bicep"): "Denied when privateNetworking is on; the check reads no condition.",
    ("CKV_AZURE_114", "vault.bicep"): "It is set; the check looks at the secret's conditional shape and misses it.",
    (
        "CKV_AZURE_189",
        "vault.bicep",
    ): "Disabled when privateNetworking is on; the check reads no parameter without a default.",
    (
        "CKV_AZURE_206",
        "storage.bicep",
    ): "Zone redundant by parameter; dead letters and cursors are of no use in another region.",
    (
        "CKV_AZURE_212",
        "app.bicep",
    ): "Flex Consumption counts instances by alwaysReady, not by the property that the check knows.",
    (
        "CKV_AZURE_213",
        "app.bicep",
    ): "Health asks Elasticsearch and storage: an instance must not be replaced because they are away.",
    ("CKV_AZURE_222", "app.bicep"): "By parameter appPublicAccess; the check reads no parameter without a default.",
    ("CKV_AZURE_225", "plan.bicep"): "By parameter zoneRedundant; the check reads no parameter without a default.",
    ("CKV_AZURE_35", "storage.bicep"): "Denied when privateNetworking is on; the check reads no condition.",
}


def checkov() -> Path:
    """The program, installed if it is not there yet (about 20 seconds)."""
    program = HOME / "bin" / "checkov"
    if not (HOME / "ready").exists():
        sys.stderr.write(f"Installing checkov {CHECKOV} into {HOME.relative_to(ROOT)} ...\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)  # noqa: S603  our own words
        pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"checkov=={CHECKOV}"], check=True)  # noqa: S603  our own words
        # a call of its own: together, pip refuses the pair
        subprocess.run([*pip, "--no-deps", f"pycep-parser=={PYCEP}"], check=True)  # noqa: S603  our own words
        (HOME / "ready").touch()
    return program


def findings(folder: Path) -> dict[str, Any]:
    """Checkov's report on a folder; nothing leaves the machine."""
    options = ["--framework", "bicep", "--skip-download", "--output", "json", "--quiet", "--soft-fail"]
    command = [str(checkov()), "-d", str(folder), *options]
    environment = os.environ | {"LOG_LEVEL": "CRITICAL", "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603  our own words
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def compared(report: dict[str, Any]) -> list[str]:
    """What is to be mended, a line each."""
    failed = {
        (check["check_id"], Path(check["file_path"]).name): check["check_name"]
        for check in report["results"]["failed_checks"]
    }
    lines = [f"{file}: {check} {name}" for (check, file), name in failed.items() if (check, file) not in EXPLAINED]
    lines += [
        f"{file}: {check} is explained, but not found any more" for check, file in EXPLAINED.keys() - failed.keys()
    ]
    errors = {Path(name).name for name in report["results"].get("parsing_errors", ())}
    lines += [f"{name}: checkov can not read it" for name in errors - EXPECTED_ERRORS]
    return sorted(lines)


def main() -> int:
    """Print what is to be mended; 1 if anything."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "infra"
    report = findings(folder)
    lines = compared(report)
    summary = report["summary"]
    sys.stdout.write(
        f"checkov {summary['checkov_version']}: {summary['passed']} passed, {summary['failed']} failed and explained\n"
        if not lines
        else ""
    )
    for line in lines:
        sys.stderr.write(line + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
