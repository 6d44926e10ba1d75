"""Seeded fault schedules between the flow and the real Elasticsearch: nothing is lost and nothing is doubled.

A host in the test hands a batch over again whenever it was not acknowledged, as the Functions host does, and sometimes
though it was (a crash before the checkpoint). Run one seed again with FAULT_SEEDS=17 or a range with FAULT_SEEDS=0-99.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from elasticsearch.helpers import scan

from local.azurite import LocalAzurite
from local.elasticsearch import LocalElasticsearch, User
from shared.backoff import Clock
from shared.errors import Misconfigured, Retry
from shared.flows import Message, Parts, forward, open_parts
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetters
from shared.ship.shipper import Shipper
from tests.fakes.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.faults.schedules import FATES, GROUPS, TEMPLATE, Schedule, messages, schedule

SCHEDULES = 1_000
AT_ONCE = 8  # schedules under way, most of them waiting for something
MOST_DELIVERIES = 500  # in one schedule, before the test calls a batch stuck
TOKEN = re.compile(r"token-\d+-\d+")


def parts_of(one: Schedule, proxy: FaultProxy, user: User, letters: DeadLetters) -> Parts:
    """The flow's parts, shipping through the proxy under this schedule's plan, with little waiting."""
    settings = Settings.read(
        {
            "ELASTICSEARCH_URL": f"{proxy.url}/seed-{one.seed}",
            "ELASTICSEARCH_USERNAME": user.name,
            "ELASTICSEARCH_PASSWORD": user.password,
            **one.settings,
        }
    )
    settings = dataclasses.replace(settings, elasticsearch_timeout=0.25)  # below what a person may set
    shipper = Shipper(settings, clock=Clock(first_delay=0.001, longest_delay=0.02))
    return dataclasses.replace(open_parts(settings), shipper=shipper, dead_letters=letters)


def run(one: Schedule, proxy: FaultProxy, user: User, letters: DeadLetters) -> Schedule:
    """Be the host: hand each batch over until it is acknowledged."""
    proxy.plans[f"seed-{one.seed}"] = one.plan
    parts = parts_of(one, proxy, user, letters)
    chance = random.Random(f"host {one.seed}")
    for batch in one.batches:
        body: list[Message] = messages(batch, chance)
        acknowledged, tries = False, 0
        while not acknowledged or chance.random() < one.twice:
            one.deliveries += 1
            tries += 1
            assert one.deliveries < MOST_DELIVERIES, f"seed {one.seed}: a batch is never acknowledged"
            seconds = one.seconds * (1 + tries / 4)  # a slow machine must not make a short budget endless
            budget = dataclasses.replace(parts.settings, ship_seconds=seconds)
            try:
                report = forward(body, dataclasses.replace(parts, settings=budget), "xdr")
            except (Retry, Misconfigured):
                one.totals["handed back"] += 1
                acknowledged = False
            else:
                assert report.received.total() == len(batch), f"seed {one.seed}: {report}"
                acknowledged = True
                one.totals.update(
                    {name: report.total(name) for name in ("indexed", "duplicate", "filtered", "dead_lettered")}
                )
    return one


def indexed(server: LocalElasticsearch) -> Counter[str]:
    """Every token in Elasticsearch and how many documents hold it."""
    found: Counter[str] = Counter()
    with server.client() as client:
        for group in range(GROUPS):
            name = f"logs-m365_defender.event-faults{group}"
            if not client.indices.exists(index=name):
                continue
            client.indices.refresh(index=name)
            hosts = [
                hit["_source"]["host"]["id"]
                for hit in scan(client, index=name, size=5_000, source_includes=["host.id"])
            ]
            found.update(hosts)
            assert client.count(index=name)["count"] == len(hosts)
    return found


def put_away(letters: DeadLetters) -> dict[str, str]:
    """Every token among the dead letters and the class it has there."""
    result: dict[str, str] = {}
    for stored in letters.list():
        for letter in letters.read(stored):
            (token,) = set(TOKEN.findall(letter.original.decode()))
            result[token] = letter.code
    return result


def seeds() -> list[int]:
    """The seeds to run: all, or those that FAULT_SEEDS names."""
    first, dash, last = os.environ.get("FAULT_SEEDS", f"0-{SCHEDULES - 1}").partition("-")
    return list(range(int(first), int(last if dash else first) + 1))


def test_nothing_is_lost_and_nothing_is_doubled_under_a_thousand_fault_schedules(
    elasticsearch_server: LocalElasticsearch, azurite_server: LocalAzurite
) -> None:
    """Indexed, dead-lettered and filtered together are the input, record by record, and no document is there twice."""
    # GIVEN a server with a template, a least-privileged user, a blob store, and a plan of faults per seed
    with elasticsearch_server.client() as client:
        client.indices.put_index_template(name="faults", **TEMPLATE)
    user = elasticsearch_server.add_user("faulty")
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)  # it tells of every failed request
    todo = seeds()
    print(f"seeds {todo[0]} to {todo[-1]}")

    # WHEN every schedule has run until its last batch was acknowledged
    with azurite_server.service() as service:
        container = service.create_container(azurite_server.container_name("faults"))
        letters = DeadLetters(lambda: container, "AzureWebJobsStorage")
        with fault_proxy(elasticsearch_server.url) as proxy, ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(lambda seed: run(schedule(seed), proxy, user, letters), todo))
        dead = put_away(letters)

    # THEN each record is where its kind says, and nowhere twice
    found = indexed(elasticsearch_server)
    wrong = [
        f"seed {one.seed}: {record} is {found[record.token]} times there, dead letter {dead.get(record.token)}"
        for one in done
        for record in one.records
        if (found[record.token], dead.get(record.token)) != FATES[record.kind]
    ]
    assert not wrong, "\n".join(wrong[:20])
    assert set(found) | set(dead) <= {record.token for one in done for record in one.records}
    happened = sum((one.plan.happened for one in done), Counter[Fault]())
    print(f"{len({record for one in done for record in one.records})} records, {len(found) + len(dead)} kept")
    print(f"{sum(happened.values())} requests: { {fault.value: number for fault, number in happened.items()} }")
    print(f"{sum(one.deliveries for one in done)} deliveries: {sum((one.totals for one in done), Counter[str]())}")
    if len(todo) == SCHEDULES:
        assert set(happened) == set(Fault), "some fault never happened: the schedules prove less than they say"
