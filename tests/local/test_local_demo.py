"""`make demo` keeps its promises, goes on without Java, and leaves no process behind however it ends."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local.elasticsearch import elasticsearch
from local.templates import put_templates
from tests.conftest import require
from tests.local.tiny_app import until

ROOT = Path(__file__).resolve().parents[2]
MARK = "DEMO_TEST_MARK"


class Demo:
    """A running demo, its output so far, and every process that descends from it (by a mark in their environment)."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder, self.mark = folder, secrets.token_hex(8)
        self.output = folder / "printed"
        dropped = ("KEEP", "RECORDS", "ELASTICSEARCH_URL")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.demo", "--output", folder / "output", *options],
                cwd=ROOT,
                env={**kept, MARK: self.mark, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def printed(self) -> str:
        """What it has printed."""
        return self.output.read_text()

    def wait_for(self, words: str, seconds: float = 180.0) -> None:
        """Return when it has printed these words."""
        until(lambda: words in self.printed() or self.process.poll() is not None, seconds)
        assert words in self.printed(), self.printed()

    def end(self, seconds: float = 300.0) -> int:
        """Its exit code when it has ended."""
        return self.process.wait(seconds)

    def left(self) -> list[str]:
        """The command lines of its processes that still run."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (place / "environ").read_bytes():
                    found.append((place / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue
        return found


@contextmanager
def demo(folder: Path, *options: str, **environment: str) -> Iterator[Demo]:
    """A demo that is killed with all it started if the test fails."""
    running = Demo(folder, *options, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()  # its servers are on the leash
            running.process.wait()


@pytest.fixture
def node_only(tmp_path: Path) -> str:
    """A PATH on which Node.js is and nothing else."""
    node = shutil.which("node")
    assert node
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").symlink_to(node)
    return str(tmp_path / "bin")


linux_only = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


@linux_only
def test_the_demo_keeps_its_promises_and_cleans_up(tmp_path: Path) -> None:
    """All records are accounted for, a second sending doubles nothing, examples, figures and places are shown, no process is left."""
    require("node")
    require("elasticsearch")
    with demo(tmp_path, "--records", "400") as running:
        assert running.end() == 0, running.printed()
        printed = running.printed()
        assert running.left() == []
    for words in (
        "yes  nothing lost: ",
        "yes  every record received",
        "yes  nothing doubled: ",
        "yes  Elasticsearch counts ",
        "records a second",
        "lag at most",
        "An example of DeviceProcessEvents",
        "An example of DeviceNetworkEvents",
        "An example of AlertEvidence",
        "health        answered 200",
        "templates and views were put by user installer; user shipper ships",
        "Where each thing went",
        "logs-m365_defender.vulnerability-default",
        "m365_defender.alert_latest-default",
        "= security_solution-microsoft_defender_cloud.misconfiguration_latest",
        "dead letters, 5 different ones in blob container dead-letter",
        "make demo KEEP=1",
    ):
        assert words in printed, printed
    assert "NO   " not in printed


@linux_only
@pytest.mark.parametrize("moment", ["", "up  Elasticsearch", "Sending"])
def test_ctrl_c_leaves_no_process(tmp_path: Path, moment: str) -> None:
    """SIGINT to the whole foreground group, as a terminal sends it, ends everything with code 130 at any stage."""
    require("node")
    require("elasticsearch")
    with demo(tmp_path, "--records", "300") as running:
        if moment:
            running.wait_for(moment)
        else:
            until(lambda: any("elasticsearch" in command for command in running.left()), 60)  # it is being started
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.end(60) == 130, running.printed()
        until(lambda: running.left() == [], 10)  # a shell that was about to start the server ends a moment later
    assert "Stopped; nothing is left running." in running.printed()


@linux_only
def test_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    """SIGKILL, which nobody can catch, ends its servers too."""
    require("node")
    require("elasticsearch")
    with demo(tmp_path, "--records", "300") as running:
        running.wait_for("Sending")
        running.process.kill()
        running.process.wait()
        until(lambda: running.left() == [], 30)


@linux_only
def test_keep_leaves_the_servers_up_until_told(tmp_path: Path) -> None:
    """With KEEP=1 the health function answers after the end, with the key that is shown; SIGTERM then stops all."""
    require("node")
    require("elasticsearch")
    with demo(tmp_path, "--records", "100", KEEP="1") as running:
        running.wait_for("All is left up.")
        words = next(line for line in running.printed().splitlines() if "x-functions-key" in line)
        key, url = words.split("x-functions-key: ")[1].split("' ")
        assert requests.get(url.strip(), headers={"x-functions-key": key}, timeout=30).status_code == 200
        running.process.terminate()
        assert running.end(60) == 0, running.printed()
        assert running.left() == []


def test_without_java_the_documents_go_to_a_file(tmp_path: Path) -> None:
    """Without Java and Node.js it says so in a sentence each, and writes the documents that the app would have sent."""
    with demo(tmp_path, "--records", "300", PATH=str(tmp_path), JAVA_HOME="", ES_JAVA_HOME="") as running:
        assert running.end() == 0, running.printed()
    assert "Node.js was not found" in running.printed()
    assert "was not found; " in running.printed()
    lines = [json.loads(line) for line in (tmp_path / "output" / "documents.ndjson").read_text().splitlines()]
    assert {line["_op"] for line in lines} == {"create"}
    assert all(line["_index"].startswith("logs-m") and line["_id"] and line["_source"] for line in lines)
    assert len({line["_id"] for line in lines}) == len(lines) > 0


def test_without_java_a_given_elasticsearch_is_used(tmp_path: Path, node_only: str) -> None:
    """Where Elasticsearch can not run but ELASTICSEARCH_URL is set, the documents go there, as a user who may only ship."""
    require("node")
    require("elasticsearch")
    with elasticsearch() as server:
        with server.client() as client:
            put_templates(client)
        shipper = server.app_settings(server.add_user("shipper"))
        options = {"PATH": node_only, "JAVA_HOME": "", "ES_JAVA_HOME": ""}
        with demo(tmp_path, "--records", "300", **options, **shipper) as running:
            assert running.end() == 0, running.printed()
        with server.client() as client:
            client.indices.refresh(index="logs-*")
            count = client.count(index="logs-*")["count"]
    assert "Java 17 or newer was not found" in running.printed()
    assert "yes  nothing doubled: " in running.printed()
    assert "not to be read with these credentials" in running.printed()
    assert count >= 300


def test_a_given_elasticsearch_has_to_be_named(tmp_path: Path) -> None:
    """GIVEN=1 starts none here; without an address the setting is named, and nothing is left running."""
    require("node")
    with demo(tmp_path, GIVEN="1") as running:
        assert running.end() == 1, running.printed()
    assert "ELASTICSEARCH_URL: is not set, and neither is ELASTICSEARCH_CLOUD_ID." in running.printed()
    assert "Looking for Elasticsearch" not in running.printed()
