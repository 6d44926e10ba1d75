"""Servers for tests, started when a test first asks for one; and how hypothesis behaves.

Fixtures `elasticsearch_server`, `filled_elasticsearch`, `azurite_server`, `event_hub_server` and `fake` are shared by all tests of a run: use names of
your own in them and do not stop them (the context managers in local/ give a test a server of its own). Where a part is
missing the test is skipped with the reason, and fails if CI=true.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from local import demo_polls  # noqa: E402  the root must be on the path first
from local.azurite import LocalAzurite, azurite  # noqa: E402  the root must be on the path first
from local.elasticsearch import LocalElasticsearch, elasticsearch  # noqa: E402  the root must be on the path first
from local.elasticsearch_keeper import shared_elasticsearch, stop_shared  # noqa: E402  the root must be on the path first
from local.event_hub import LocalEventHubs, event_hub  # noqa: E402  the root must be on the path first
from local.filled import fill, fill_once  # noqa: E402  the root must be on the path first
from local.microsoft import Microsoft, Tenant, microsoft  # noqa: E402  the root must be on the path first
from local.process import temporary_folder  # noqa: E402  the root must be on the path first
from local.setup import Part, available, install  # noqa: E402  the root must be on the path first

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
SHARED = pytest.StashKey[Path]()
FILLED = "filled"  # folder of the second shared server

# In CI every run tries the same examples; a failure prints the line that repeats it, everywhere.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("ci" if IN_CI else "local")


def require(part: Part) -> None:
    """Install a part that servers need; skip the test with the reason if that can not be done, or fail in CI."""
    missing = available(part) and install(part)
    if missing and IN_CI:
        pytest.fail(f"CI must have everything: {missing}", pytrace=False)
    if missing:
        pytest.skip(missing)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process of pytest-xdist where the servers that they share are written down."""
    stash = node.config.stash
    if SHARED not in stash:
        stash[SHARED] = temporary_folder("shared")
    node.workerinput["shared_servers"] = (str(stash[SHARED]), os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the shared servers when all processes are through."""
    folder = config.stash.get(SHARED, None)
    if folder is not None:
        stop_shared(folder)
        stop_shared(folder / FILLED)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def elasticsearch_server(request: pytest.FixtureRequest) -> Iterator[LocalElasticsearch]:
    """The real Elasticsearch, one for the whole run (it takes a gigabyte): use data streams and users of your own."""
    require("elasticsearch")
    shared = getattr(request.config, "workerinput", {}).get("shared_servers")
    if shared:
        yield shared_elasticsearch(Path(shared[0]), shared[1])
        return
    with elasticsearch() as server:
        yield server


@pytest.fixture(scope="session")
def filled_elasticsearch(request: pytest.FixtureRequest) -> Iterator[LocalElasticsearch]:
    """A real Elasticsearch of its own with our templates and what the demo indexes (local/filled.py), one for the whole run: only read it."""
    require("elasticsearch")
    shared = getattr(request.config, "workerinput", {}).get("shared_servers")
    if shared:
        yield fill_once(Path(shared[0]) / FILLED, shared[1])
        return
    with elasticsearch() as server:
        fill(server)
        yield server


@pytest.fixture(scope="session")
def azurite_server() -> Iterator[LocalAzurite]:
    """A blob store in memory: use containers of your own (`container_name()`)."""
    require("node")
    with azurite() as server:
        yield server


@pytest.fixture(scope="session")
def fake() -> Iterator[Microsoft]:
    """Microsoft's APIs over TLS: use tenants of your own, and take away the faults that you add."""
    with microsoft() as running:
        yield running


@pytest.fixture
def tenant(fake: Microsoft) -> Tenant:
    """A tenant of the fake with the demo's data."""
    made = fake.tenant()
    demo_polls.fill(made, datetime.now(UTC))
    return made


@pytest.fixture(scope="session")
def event_hub_server() -> Iterator[LocalEventHubs]:
    """An Event Hubs namespace with the hubs `defender` and `cloud`, two partitions each: look at what you sent only."""
    require("node")
    with event_hub(("defender", "cloud"), partitions=2) as server:
        yield server
