"""Memory does not grow with a page or a file: small ones here, those of the issue in `make bench` (tests/speed/poll.py)."""

from __future__ import annotations

from local.microsoft import Microsoft
from tests.speed.poll import export, incidents, measure

LIBRARIES_AND_MORE = 60.0  # MB beyond the libraries


def test_a_page_of_incidents_with_many_alerts_passes_in_little_memory(running: Microsoft) -> None:
    """50 incidents of 200 alerts each, 24 MB, take a fraction of that."""
    running.heal()
    found = measure(running, incidents(running, 50, 200), "log", "log")
    assert found.documents >= 50 * 200
    assert found.bytes > 20_000_000
    assert found.peak - found.libraries < LIBRARIES_AND_MORE
    assert found.peak < 300


def test_an_export_file_passes_in_little_memory(running: Microsoft) -> None:
    """A file of 40 MB takes no more than its lines do."""
    running.heal()
    found = measure(running, export(running, 40_000_000), "vulnerability", "vulnerability")
    assert found.documents > 30_000
    assert found.bytes > 39_000_000
    assert found.peak - found.libraries < LIBRARIES_AND_MORE
    assert found.peak < 300
