"""The made-up week on the run's server, for the tests of what dashboards ask."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from elasticsearch import Elasticsearch

from local.elasticsearch import LocalElasticsearch
from tools.dashboards.answers import END, fill
from tools.dashboards.week import Action, week


@dataclass(frozen=True, slots=True)
class Week:
    """A client of the server that has it, and what was put there."""

    client: Elasticsearch
    actions: list[Action]


@pytest.fixture(scope="session")
def made_up_week(elasticsearch_server: LocalElasticsearch) -> Week:
    """Documents of the pictures' week, in namespaces of their own."""
    client, actions = elasticsearch_server.client(), week(END)
    fill(client, actions)
    return Week(client, actions)
