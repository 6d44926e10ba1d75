"""Fixtures of the shipping tests."""

from __future__ import annotations

import secrets

import pytest

from local.elasticsearch import LocalElasticsearch
from tests.ship.target import Target, target_on


@pytest.fixture(scope="module")
def shared_target(elasticsearch_server: LocalElasticsearch) -> Target:
    """The server of the run, prepared once."""
    return target_on(elasticsearch_server)


@pytest.fixture
def target(shared_target: Target) -> Target:
    """A data stream of this test's own."""
    return Target(shared_target.server, shared_target.user, f"logs-m365_defender.event-ship{secrets.token_hex(4)}")
