"""Generated files: write them, or with `--check` fail where one differs from what would be written."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def write_or_compare(files: Mapping[Path, str], folder: Path, pattern: str) -> int:
    """Write `files`, and remove others in `folder` that match `pattern`; with --check on the command line only compare. Returns the exit code."""
    check = "--check" in sys.argv[1:]
    strangers = [path for path in sorted(folder.rglob(pattern)) if path not in files] if folder.is_dir() else []
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if check:
        for path in (*stale, *strangers):
            sys.stderr.write(f"not fresh: {path.name}; run `make generate` and commit\n")
        return 1 if stale or strangers else 0
    for path in strangers:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    return 0
