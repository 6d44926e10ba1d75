"""The Bicep lint: what is in infra/ is whole, and every fault that it knows is found where it is planted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.bicep import INFRA, bicep_files
from tools.bicep_lint import lint, main


def planted(folder: Path, file: str, old: str, new: str) -> list[str]:
    """What the lint says of a file of infra/ in which one text is another."""
    shutil.copytree(INFRA, folder / "infra", ignore=shutil.ignore_patterns("elastic"))
    path = folder / "infra" / file
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    return lint(path)


def test_infra_is_whole() -> None:
    """Both parsers read every file, and every name, module, parameter and parameter file fits."""
    assert {path.relative_to(INFRA).as_posix(): lint(path) for path in bicep_files()} == {
        path.relative_to(INFRA).as_posix(): [] for path in bicep_files()
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("main.bicep", "module identity 'modules", "module identity 'modulez", "no file 'modulez/identity.bicep'"),
        ("main.bicep", "location: location\n", "location: locatoin\n", "undeclared name 'locatoin'"),
        ("names.bicep", "=> toLower", "=> toLowre", "unknown function 'toLowre'"),
        ("main.bicep", "    dailyCapGb: logDailyCapGb\n", "", "missing param 'dailyCapGb'"),
        ("main.bicep", "    dailyCapGb: logDailyCapGb\n", "    dailyCap: 1\n    dailyCapGb: logDailyCapGb\n", "unknown param 'dailyCap'"),
        ("main.bicep", "storage.outputs.name\n", "storage.outputs.nam\n", "storage has no output 'nam'"),
        ("main.bicep", "network!.outputs.id", "network!.outputs.ide", "network has no output 'ide'"),
        ("main.bicep", "import { nameOf,", "import { nameFor, nameOf,", "exports no 'nameFor'"),
        ("main.bicep", "var stem =", "var forgotten = 1\nvar stem =", "unused var 'forgotten'"),
        ("main.bicep", "var stem =", "var token = ''\nvar stem =", "'token' is declared twice"),
        ("main.bicep", "    service: 'blob'", "    service: 'blobs'", "service may not be 'blobs'"),
        ("modules/plan.bicep", "@description('Resource id.')\n", "", "output 'id' has no description"),
        ("modules/plan.bicep", "param tags object", "param tags object\n\n@description('x')\nparam idle int", "unused param 'idle'"),
        ("modules/plan.bicep", "    reserved: true\n", "    reserved: true }\n", "not Bicep"),
        ("modules/storage.bicep", "for containerName in", "for other in", "undeclared name 'containerName'"),
        ("main.small.bicepparam", "param partitionCount", "param partitions", "unknown param 'partitions'"),
        ("main.small.bicepparam", "param location = 'westeurope'\n", "", "missing param 'location'"),
        ("main.small.bicepparam", "POLL_SOURCES:", "POLL_SOURCE:", "Settings has no 'POLL_SOURCE'"),
        ("main.large.bicepparam", "instanceMemoryMB = 2048", "instanceMemoryMB = 1024", "instanceMemoryMB may not be 1024"),
        ("main.large.bicepparam", "using 'main.bicep'", "using 'man.bicep'", "uses no template"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    """Each fault that neither parser reports is told with its name."""
    assert any(words in line for line in planted(tmp_path, file, old, new))


def test_the_exit_code_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for what is whole, 1 and the file's name for what is not."""
    assert main([str(INFRA)]) == 0
    (tmp_path / "a.bicep").write_text("output a string = b\n")
    assert main([str(tmp_path)]) == 1
    assert "a.bicep: 1: undeclared name 'b'" in capsys.readouterr().err
