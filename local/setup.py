"""Nothing -> the servers that tests and demo start, in `.cache/`: `python -m local.setup`, again as often as you like.

Two parts, each installed without the other: `node` (Azurite and the AMQP library of the Event Hubs stand-in, by npm from
the committed lock file) and `elasticsearch` (Elastic's own published distribution, by Maven). Exit code: 0 all is there,
1 node is missing, 2 Elasticsearch is missing, 3 both.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Part = Literal["node", "elasticsearch"]

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
NODE = CACHE / "node"
NODE_MODULES = NODE / "node_modules"
AZURITE = NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
ELASTICSEARCH_VERSION = "8.19.21"
ELASTICSEARCH = CACHE / f"elasticsearch-{ELASTICSEARCH_VERSION}"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH_VERSION}:zip"
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
OLDEST_JAVA, OLDEST_NODE = 17, 20
INSTALL_SECONDS = 900.0


class Missing(Exception):
    """A part can not be installed or started here; the text is one sentence that says why."""


def available(part: Part) -> str | None:
    """None if `part` can be started right now, else one sentence that says what is missing."""
    try:
        if part == "node":
            _node_program()
            if not _node_is_installed():
                return "Azurite and rhea are not installed yet: run `python -m local.setup`."
        else:
            java_home()
            if not (ELASTICSEARCH / "bin" / "elasticsearch").is_file():
                return f"Elasticsearch {ELASTICSEARCH_VERSION} is not unpacked yet: run `python -m local.setup`."
    except Missing as reason:
        return str(reason)
    return None


def java_home() -> Path:
    """The folder of a Java that Elasticsearch can use: ES_JAVA_HOME, JAVA_HOME, else of the `java` on the path."""
    places = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    found = shutil.which("java")
    if found:
        places.append(Path(found).resolve().parent.parent)
    for place in places:
        version = _java_version(place)
        if version >= OLDEST_JAVA:
            return place
    raise Missing(
        f"Java {OLDEST_JAVA} or newer was not found; Elasticsearch needs it (Debian: openjdk-17-jre-headless)."
    )


def _java_version(home: Path) -> int:
    """The major version of the Java in `home`, 0 if there is none."""
    program = home / "bin" / "java"
    if not program.is_file():
        return 0
    try:
        words = (home / "release").read_text()
    except OSError:
        shown = subprocess.run(
            [program, "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        words = "JAVA_VERSION=" + "".join(re.findall(r'version "([^"]+)"', shown.stderr))
    match = re.search(r'JAVA_VERSION="?(?:1\.)?(\d+)', words)
    return int(match[1]) if match else 0


def _node_program() -> str:
    """The path of a Node.js that is new enough."""
    node = shutil.which("node")
    if not node:
        raise Missing("Node.js was not found; Azurite and the Event Hubs stand-in need it (Debian: nodejs, npm).")
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout.strip()
    match = re.match(r"v(\d+)\.", shown)
    if not match or int(match[1]) < OLDEST_NODE:
        raise Missing(f"Node.js {shown or '(unknown version)'} is too old; version {OLDEST_NODE} or newer is needed.")
    return node


def node_command() -> list[str]:
    """How Node.js is started; raises `Missing` if it is not there."""
    return [_node_program()]


def _node_is_installed() -> bool:
    """Whether what the lock file asks for is what was installed last."""
    stamp = NODE / "installed-lock.json"
    return stamp.is_file() and AZURITE.is_file() and stamp.read_bytes() == _lock_file().read_bytes()


def _lock_file() -> Path:
    return Path(__file__).with_name("package-lock.json")


def install_node() -> None:
    """Install Azurite and rhea by `npm ci` from the committed lock file; raises `Missing`."""
    _node_program()
    if _node_is_installed():
        return
    npm = shutil.which("npm")
    if not npm:
        raise Missing("npm was not found; it installs Azurite and rhea (Debian: npm).")
    NODE.mkdir(parents=True, exist_ok=True)
    (NODE / "installed-lock.json").unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(_lock_file().with_name(name), NODE / name)
    # Install scripts are not needed by anything in the tree, and what does not run can do no harm.
    _run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        NODE,
        "npm ci",
    )
    shutil.copyfile(_lock_file(), NODE / "installed-lock.json")


def install_elasticsearch() -> None:
    """Fetch the distribution by Maven and unpack it; raises `Missing`."""
    if (ELASTICSEARCH / "bin" / "elasticsearch").is_file():
        java_home()
        return
    archive = CACHE / f"elasticsearch-{ELASTICSEARCH_VERSION}.zip"
    if not _is_whole(archive):
        maven = shutil.which("mvn")
        if not maven:
            raise Missing("Maven (mvn) was not found; it fetches Elasticsearch (Debian: maven).")
        java_home()
        archive.unlink(missing_ok=True)
        goal = [COPY_GOAL, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={CACHE}"]
        _run([maven, "--batch-mode", "--quiet", *goal], CACHE, "mvn dependency:copy")
        if not _is_whole(archive):
            raise Missing(f"Maven said nothing was wrong, but {archive.name} is not in .cache/ or not whole.")
    _unpack(archive, ELASTICSEARCH)
    java_home()


def _is_whole(archive: Path) -> bool:
    """Whether `archive` is a zip file with its table of contents, which stands at its very end."""
    return archive.is_file() and zipfile.is_zipfile(archive)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack into a folder beside and rename it, so that a half-unpacked distribution is never taken for a whole one."""
    with (
        tempfile.TemporaryDirectory(dir=CACHE, prefix="unpack-") as beside,
        zipfile.ZipFile(archive) as content,
    ):
        for item in content.infolist():
            path = Path(content.extract(item, beside))
            path.chmod(0o755 if item.is_dir() or item.external_attr >> 16 & 0o100 else 0o644)
        shutil.rmtree(folder, ignore_errors=True)
        (Path(beside) / folder.name).rename(folder)


def _run(command: list[str], folder: Path, name: str) -> None:
    """Run an installer; raise `Missing` with its last words if it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"`{name}` did not end within {INSTALL_SECONDS:.0f} seconds.") from None
    if done.returncode:
        words = " ".join((done.stdout + done.stderr).split())[-600:]
        raise Missing(f"`{name}` failed with exit code {done.returncode}: {words}")


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold a lock of that name between processes: two that install at once would step on each other."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


INSTALLERS: dict[Part, Callable[[], None]] = {
    "node": install_node,
    "elasticsearch": install_elasticsearch,
}
EXIT_CODES: dict[Part, int] = {"node": 1, "elasticsearch": 2}


def install(part: Part) -> str | None:
    """Install one part; None when it is there, else one sentence that says why not."""
    with alone("setup"):
        try:
            INSTALLERS[part]()
        except (Missing, OSError, zipfile.BadZipFile) as reason:
            return str(reason)
    return None


def main() -> int:
    """Install every part, say what is there, and return the exit code."""
    code = 0
    for part in INSTALLERS:
        missing = install(part)
        print(
            f"{part}: {missing or 'ready'}",
            file=sys.stderr if missing else sys.stdout,
            flush=True,
        )
        if missing:
            code |= EXIT_CODES[part]
    return code


if __name__ == "__main__":
    raise SystemExit(main())
