"""What is made of checkov's report: a finding without a reason, a reason without a finding and a file that it can not read are told."""

from __future__ import annotations

from typing import Any

from tools.bicep import INFRA
from tools.scan import EXPECTED_ERRORS, EXPLAINED, compared


def report(*failed: tuple[str, str], errors: tuple[str, ...] = ()) -> dict[str, Any]:
    """A report as checkov writes it, as far as it is read."""
    rows = [
        {"check_id": check, "file_path": f"/modules/{file}", "check_name": "Ensure something"} for check, file in failed
    ]
    return {"results": {"failed_checks": rows, "parsing_errors": list(errors)}}


def test_what_is_explained_passes() -> None:
    """Exactly the findings that have a reason, and the file that is known to be unreadable."""
    assert compared(report(*EXPLAINED, errors=tuple(f"/infra/{name}" for name in EXPECTED_ERRORS))) == []


def test_a_new_finding_is_told() -> None:
    """With its file, number and name; in another file the same number is another finding."""
    assert compared(report(*EXPLAINED, ("CKV_AZURE_1", "app.bicep"))) == ["app.bicep: CKV_AZURE_1 Ensure something"]
    check, _ = next(iter(EXPLAINED))
    assert compared(report(*EXPLAINED, (check, "network.bicep"))) == [f"network.bicep: {check} Ensure something"]


def test_a_reason_that_nothing_needs_is_told() -> None:
    """When a finding is mended, its reason goes too."""
    (check, file), *others = EXPLAINED
    assert compared(report(*others)) == [f"{file}: {check} is explained, but not found any more"]


def test_an_unreadable_file_is_told() -> None:
    """A file that checkov skips is not a file without findings."""
    assert compared(report(*EXPLAINED, errors=("/infra/main.bicep",))) == ["main.bicep: checkov can not read it"]


def test_reasons_are_sentences_about_files_that_are_there() -> None:
    """Each says why in a sentence."""
    files = {path.name for path in INFRA.rglob("*.bicep")}
    assert {file for _, file in EXPLAINED} <= files
    assert all(len(words) > 20 and words.endswith(".") for words in EXPLAINED.values())
