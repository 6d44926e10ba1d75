"""`python -m cli normalize`: what a person or a script gets for files, standard input, good and broken lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECORD = {
    "tenantId": "t",
    "category": "AdvancedHunting-AlertInfo",
    "properties": {"AlertId": "a1", "Timestamp": "2026-01-01T00:00:00Z"},
}


def run(*arguments: str, lines: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command, with nothing of ours in its environment but what is given."""
    bare = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("ELASTICSEARCH", "RECORD_FILTER", "PRESERVE", "NAMESPACE"))
    }
    command = [sys.executable, "-m", "cli", "normalize", *arguments]
    return subprocess.run(
        command, input=lines, cwd=ROOT, env=bare | environment, capture_output=True, check=False, timeout=60
    )


def record(name: str) -> bytes:
    """A line with one record."""
    return json.dumps(RECORD | {"properties": RECORD["properties"] | {"AlertId": name}}).encode()  # type: ignore[operator]  # a dict of dicts


def test_documents_come_in_the_order_of_the_input() -> None:
    """A record a line, and a whole body on a line: one line each, in order, with the fields of a bulk action."""
    body = b'{"records":[' + record("b") + b"," + record("c") + b"]}"
    done = run(lines=record("a") + b"\n" + body + b"\n\n" + record("d"))
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [document["_source"]["event"]["id"] for document in made] == ["a", "b", "c", "d"]
    assert all(document.keys() == {"_op", "_index", "_id", "_source"} for document in made)
    assert {(document["_op"], document["_index"]) for document in made} == {
        ("create", "logs-m365_defender.event-default")
    }


def test_rejects_and_summary_go_to_standard_error() -> None:
    """Broken lines are JSON lines on standard error with the reason and the original; a summary is last."""
    done = run(lines=b"garbage\n" + record("a") + b'\n{"records":[17,' + record("b") + b"]}\n")
    *rejects, summary = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert [(reject["class"], reject["original"]) for reject in rejects] == [
        ("not_json", "garbage"),
        ("not_an_object", "17"),
    ]
    assert summary["summary"]["received"] == 4
    assert (summary["summary"]["documents"], summary["summary"]["dead_lettered"]) == (2, 2)


def test_strict_exits_with_one() -> None:
    """--strict turns a reject into exit code 1, and changes nothing else."""
    assert run("--strict", lines=b"garbage\n").returncode == 1
    assert run("--strict", lines=record("a")).returncode == 0


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    """Files are read one behind the other; one that is not there is one sentence and exit code 2."""
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(record(name) + b"\r\n")
    done = run(str(tmp_path / "two"), str(tmp_path / "one"))
    assert [json.loads(line)["_source"]["event"]["id"] for line in done.stdout.splitlines()] == ["two", "one"]
    missing = run(str(tmp_path / "three"))
    assert missing.returncode == 2
    assert b"No such file" in missing.stderr


def test_settings_of_the_environment_count() -> None:
    """Namespace and filter work as in the functions; a senseless one is one sentence and exit code 2."""
    done = run(lines=record("a"), NAMESPACE="prod", RECORD_FILTER="DeviceInfo")
    assert json.loads(done.stdout)["_index"] == "logs-m365_defender.event-prod"
    assert run(lines=record("a"), RECORD_FILTER="AlertInfo").stdout == b""
    wrong = run(NAMESPACE="Not-Allowed")
    assert (wrong.returncode, wrong.stderr.count(b"\n")) == (2, 1)
    assert wrong.stderr.startswith(b"NAMESPACE: ")


def test_a_setting_of_the_pollers_that_makes_no_sense_is_one_sentence() -> None:
    """EVIDENCE_DOCUMENTS counts for objects of an API too: exit code 2, the setting's name, no traceback."""
    done = run("--source", "alert", lines=b"{}\n", EVIDENCE_DOCUMENTS="perhaps")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == ["EVIDENCE_DOCUMENTS: 'perhaps' is neither true nor false."]
