"""The project -> what is deployed: everything that .funcignore leaves, as a folder or a zip; and what requirements.txt brings, as the remote build would.

`python -m tools.package` writes .cache/package/app.zip and says what is in it; deploy it with
`az functionapp deployment source config-zip --build-remote true --src .cache/package/app.zip -g GROUP -n APP`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pathspec

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
EPOCH = (2020, 1, 1, 0, 0, 0)  # the time of every file in the zip: the same files give the same bytes


def contents(root: Path = ROOT) -> Iterator[Path]:
    """Paths of the files that are deployed, below `root` and relative to it, in order."""
    ignored = pathspec.GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not ignored.match_file(f"{(here / name).as_posix()}/"))
        yield from (here / name for name in sorted(files) if not ignored.match_file((here / name).as_posix()))


def lay_out(target: Path, root: Path = ROOT) -> Path:
    """Copy what is deployed into an empty folder."""
    for path in contents(root):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target / path)
    return target


def pack(target: Path, root: Path = ROOT) -> Path:
    """Write what is deployed into a zip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in contents(root):
            zipped.writestr(zipfile.ZipInfo(path.as_posix(), EPOCH), (root / path).read_bytes(), zipfile.ZIP_DEFLATED)
    return target


def packages() -> Path:
    """A folder with requirements.txt installed into it and nothing else, kept in .cache until that file changes.

    `--no-deps`: what requirements.txt does not name is not there, so that an import shows what it forgot.
    """
    wanted = ROOT / "requirements.txt"
    mark = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    target = CACHE / f"packages-{mark}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / ".packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        if not target.is_dir():
            unfinished = CACHE / f"packages-{mark}.part"
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--target", str(unfinished), "-r", str(wanted)], check=True)  # noqa: S603  our own words
            unfinished.rename(target)
    return target


def size(folder: Path) -> int:
    """Bytes of all files below a folder, compiled ones left out."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def describe(root: Path = ROOT) -> Iterator[str]:
    """What is deployed, a line for each top folder or file: files and bytes."""
    files, bytes_ = Counter[str](), Counter[str]()
    for path in contents(root):
        name = path.parts[0] + ("/" if len(path.parts) > 1 else "")
        files[name] += 1
        bytes_[name] += (root / path).stat().st_size
    for name in sorted(files):
        yield f"{name:<20} {files[name]:>4} files {bytes_[name] / 1000:>9,.0f} kB"
    yield f"{'together':<20} {files.total():>4} files {bytes_.total() / 1000:>9,.0f} kB"


def main() -> int:
    """Write the zip and say what is in it."""
    target = pack(CACHE / "package" / "app.zip")
    for line in describe():
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{target.relative_to(ROOT)}  {target.stat().st_size / 1000:,.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
