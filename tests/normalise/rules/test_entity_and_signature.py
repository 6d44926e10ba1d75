"""process.entity_id is one for one process however its time is written; signature columns become code_signature.*."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.convert import date
from shared.normalise.rules.entity import process_entity_id
from shared.normalise.rules.signature import file_signature, process_signature

DEVICE = "9dec87de894f5228033f87cf874441502bfa4f97"


@given(st.integers(0, 2**32), st.integers(0, 9_999_999))
def test_trailing_zeros_and_number_of_digits_do_not_matter(pid: int, ticks: int) -> None:
    """The same instant written with any number of digits, up to seven, that loses none is the same process."""
    digits = f"{ticks:07d}"
    ids = set()
    for cut in range(8):
        if digits[cut:].strip("0") == "":
            fraction = f".{digits[:cut]}" if cut else ""
            for zone in ("Z", "", "+00:00"):
                time = date(f"2026-01-02T03:04:05{fraction}{zone}", "ProcessCreationTime", [])
                ids.add(process_entity_id(DEVICE, pid, time))
    assert len(ids) == 1
    assert None not in ids


def test_cut_to_milliseconds() -> None:
    """More digits than milliseconds make no other process; a cut time is cut, not rounded."""
    assert process_entity_id("d", 1, "2026-01-02T03:04:05.9999999Z") == process_entity_id(
        "d", 1, "2026-01-02T03:04:05.999Z"
    )


def test_golden() -> None:
    """The id itself, so that no release changes it: documents of both sides of an upgrade must join."""
    assert process_entity_id(DEVICE, 5692, "2021-08-02T10:45:40.0664337Z") == f"{DEVICE}-5692-2021-08-02T10:45:40.066"


def test_different_processes_differ() -> None:
    """Another host, id or time is another process; ids 0 and 4 are processes."""
    time = "2026-01-02T03:04:05.1Z"
    ids = {process_entity_id(d, p, t) for d in ("a", "b") for p in (0, 4) for t in (time, "2026-01-02T03:04:06.1Z")}
    assert len(ids) == 8
    assert None not in ids


@given(st.none() | st.text(), st.none() | st.integers(), st.none() | st.datetimes() | st.text(max_size=40))
def test_absent_parts_give_no_id(device: str | None, pid: int | None, time: datetime | str | None) -> None:
    """Without all three there is no id; whatever comes as a time, the id ends in one with milliseconds."""
    created = date(time.isoformat() if isinstance(time, datetime) else time, "ProcessCreationTime", [])
    found = process_entity_id(device, pid, created)
    if not device or pid is None or created is None:
        assert found is None
    else:
        assert found is not None
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", found[-23:])
        assert found[:-23] == f"{device}-{pid}-"


# fmt: off
PROCESS_SIGNATURE = [
    ("Valid",    (True,  True,  True,  "Valid")),
    ("Invalid",  (True,  False, False, "Invalid")),
    ("Unsigned", (False, None,  None,  "Unsigned")),
    ("Unknown",  (None,  None,  None,  "Unknown")),
    ("Signed",   (True,  None,  None,  "Signed")),
    ("Fridge",   (None,  None,  None,  "Fridge")),
    (None,       (None,  None,  None,  None)),
]
# fmt: on


@pytest.mark.parametrize(("status", "expected"), PROCESS_SIGNATURE)
def test_process_signature(
    status: str | None, expected: tuple[bool | None, bool | None, bool | None, str | None]
) -> None:
    """What each status says, and no more than it says."""
    assert process_signature(status) == expected


# fmt: off
FILE_SIGNATURE = [
    ((True,  True,  "Microsoft Windows"), (True,  True, True,  "Microsoft Windows")),
    ((None,  True,  "Microsoft Windows"), (True,  True, True,  "Microsoft Windows")),
    ((True,  False, "Someone"),           (True,  None, False, "Someone")),
    ((False, False, None),                (False, None, False, None)),
    ((None,  None,  ""),                  (None,  None, None,  None)),
]
# fmt: on


@pytest.mark.parametrize(("columns", "expected"), FILE_SIGNATURE)
def test_file_signature(
    columns: tuple[bool | None, bool | None, str | None],
    expected: tuple[bool | None, bool | None, bool | None, str | None],
) -> None:
    """DeviceFileCertificateInfo's columns, as Microsoft describes them."""
    assert file_signature(*columns) == expected
