"""Whoever is not signed in reads one sentence, whatever azure-identity has to say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_signed_out_is_one_sentence() -> None:
    """Its warnings of fourteen lines, one for each try, are kept back."""
    environment = {
        "BACKFILL_STORAGE": "EXPORT",
        "EXPORT__accountName": "x",
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",  # asked alone: nobody's own sign-in, and no network
    }
    cleared = {name: "" for name in os.environ if name.startswith("AZURE_")}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "backfill", "--from", "2026-01-01"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | cleared | environment,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("EXPORT: no identity to reach blob storage with; on your own machine: az login (")
    assert done.stderr.count("\n") == 1
