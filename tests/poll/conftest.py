"""Fixtures of the pollers' tests: one fake for all tests of a process, with tenants of each test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.microsoft import Microsoft, microsoft
from tests.poll.stand import Stand


@pytest.fixture(scope="session")
def running() -> Iterator[Microsoft]:
    """The fake over TLS."""
    with microsoft() as fake:
        yield fake


@pytest.fixture
def stand(running: Microsoft) -> Iterator[Callable[..., Stand]]:
    """Makes stands with a tenant of their own on the running fake, asked over real sockets."""
    clean(running)

    def make(**settings: Any) -> Stand:
        return Stand(running, {name: str(value) for name, value in settings.items()}, sockets=True)

    yield make
    clean(running)


def clean(fake: Microsoft) -> None:
    """Forget what another test left."""
    fake.heal()
    fake.asked.clear()
    fake.calls.clear()
    fake.quota = None
    fake.entra.lifetime = 3599.0
    fake.link_seconds = 3600.0
