"""Questions that a security team asks, each as what it looks for and how it is summed up: docs/recipes.md is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.ship.latest import VIEWS
from tools import kql
from tools.fields import datasets, fields
from tools.schema import rows
from tools.write_data_streams import golden
from tools.write_templates import CASELESS_FIELDS, TEXT_FIELDS

ROWS = 20  # that a recipe shows
ARRAYS = frozenset(row["field"] for row in rows("ecs.csv") if row["array"])
BY_EVENTS = "events"  # every summary begins with their number
FUNCTIONS = {"unique": ("COUNT_DISTINCT", "cardinality"), "max": ("MAX", "max"), "sum": ("SUM", "sum")}


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of each group: `unique` values of a field, its `max` or `sum`."""

    name: str
    kind: str
    field: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One question.

    of: a dataset or latest view, or `*` for all data streams. where: KQL. Either `show` has fields of single events, the newest first, or `by`
    has fields to group by, most events first, each group with `metrics`.
    """

    question: str
    of: str
    where: str
    show: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    note: str = ""

    @property
    def index(self) -> str:
        """The index pattern, for all namespaces."""
        if self.of in VIEWS:
            view = VIEWS[self.of]
            return view.alias or view.index.format(namespace="*")
        return "logs-m365_defender.*,logs-microsoft_defender_cloud.*" if self.of == "*" else f"logs-{self.of}-*"

    def types(self) -> dict[str, str]:
        """Fields of what is asked -> type."""
        if self.of == "*":
            return {name: kind for dataset in datasets() for name, kind in fields(dataset).items()}
        return fields(VIEWS[self.of].dataset if self.of in VIEWS else self.of)

    def type_of(self, name: str) -> str:
        """A field's type; raises KeyError for one that our templates do not have."""
        field, _, part = name.rpartition(".")
        if (part == "caseless" and field in CASELESS_FIELDS) or (part == "text" and field in TEXT_FIELDS):
            return "keyword" if part == "caseless" else "text"
        return self.types()[name]

    def several(self, name: str) -> bool:
        """Whether a field may hold more than one value: ECS says so, or a golden document has a list there."""
        field = name.removesuffix(".caseless").removesuffix(".text")
        of = tuple(datasets()) if self.of == "*" else (VIEWS[self.of].dataset if self.of in VIEWS else self.of,)
        return field in ARRAYS or any(field in lists(dataset) for dataset in of)

    def named(self) -> Iterator[str]:
        """Every field that it names."""
        yield from kql.fields_of(kql.parse(self.where))
        yield from (*self.show, *self.by, *(metric.field for metric in self.metrics))

    def search(self) -> dict[str, Any]:
        """The body of the search that is the same."""
        body: dict[str, Any] = {"query": kql.dsl(kql.parse(self.where))}
        if self.show:
            return body | {"size": ROWS, "sort": [{"@timestamp": "desc"}], "_source": ["@timestamp", *self.show]}
        aggregations: dict[str, Any] = {
            metric.name: {FUNCTIONS[metric.kind][1]: {"field": metric.field}} for metric in self.metrics
        }
        for name in reversed(self.by):
            inner = {"aggs": aggregations} if aggregations else {}
            aggregations = {name: {"terms": {"field": name, "size": ROWS}, **inner}}
        return body | {"size": 0, "aggs": aggregations}

    def esql(self) -> str:
        """The same in ES|QL."""
        condition = kql.esql(kql.parse(self.where), self.type_of, self.several)
        lines = [f"FROM {self.index}", f"WHERE {condition}"]
        if self.show:
            lines += [f"KEEP {', '.join(('@timestamp', *self.show))}", "SORT @timestamp DESC"]
        else:
            found = [f"{BY_EVENTS} = COUNT(*)"]
            found += [f"{metric.name} = {FUNCTIONS[metric.kind][0]}({metric.field})" for metric in self.metrics]
            lines += [f"STATS {', '.join(found)} BY {', '.join(self.by)}", f"SORT {BY_EVENTS} DESC"]
        return "\n| ".join((*lines, f"LIMIT {ROWS}"))


@cache
def lists(dataset: str) -> frozenset[str]:
    """Fields that hold a list in a golden document of a dataset."""

    def found(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield from found(item, f"{path}.{key}" if path else key)
        elif isinstance(value, list):
            yield path
            for item in value:
                yield from (name for name in found(item, path) if name != path)

    return frozenset(name for _, document in golden()[dataset] for name in found(document, ""))


EVENT = "m365_defender.event"


def table(name: str) -> str:
    """KQL for the records of one Advanced Hunting table."""
    return f'm365_defender.event.category: "AdvancedHunting-{name}"'


HOSTS, LATEST = Metric("hosts", "unique", "host.name"), Metric("latest", "max", "@timestamp")
RECIPES = (
    Recipe(
        "Who ran encoded PowerShell, and where?",
        EVENT,
        "process.name.caseless: powershell.exe and process.command_line.caseless: *-enc*",
        by=("host.name", "user.name"),
        metrics=(LATEST,),
        note="`.caseless` fields match whatever the case; give them small letters.",
    ),
    Recipe(
        "Which Office program started a shell?",
        EVENT,
        "process.parent.name.caseless: (winword.exe or excel.exe or outlook.exe) and "
        "process.name.caseless: (cmd.exe or powershell.exe or wscript.exe or reg.exe)",
        show=("host.name", "user.name", "process.parent.name", "process.command_line"),
    ),
    Recipe(
        "Which programs reach out to the Internet on unusual ports?",
        EVENT,
        f"{table('DeviceNetworkEvents')} and network.direction: egress and not destination.port: (53 or 80 or 443) and "
        'not destination.ip: ("10.0.0.0/8" or "172.16.0.0/12" or "192.168.0.0/16")',
        by=("process.name", "destination.port"),
        metrics=(HOSTS, Metric("addresses", "unique", "destination.ip")),
    ),
    Recipe(
        "Which accounts fail to log on, and on how many devices?",
        EVENT,
        "event.action: logonfailed and event.outcome: failure",
        by=("user.name",),
        metrics=(HOSTS, LATEST),
    ),
    Recipe(
        "Who turned protection off in the registry?",
        EVENT,
        f"{table('DeviceRegistryEvents')} and registry.value: (DisableAntiSpyware or DisableRealtimeMonitoring or RunAsPPL)",
        show=("host.name", "process.name", "registry.path", "registry.data.strings"),
    ),
    Recipe(
        "Which mails carried threats, from whom, to whom, and what became of them?",
        EVENT,
        f"{table('EmailEvents')} and m365_defender.event.threat.types: *",
        show=("email.subject", "email.from.address", "email.to.address", "m365_defender.event.email.action"),
    ),
    Recipe(
        "Who clicked through to a link that was held for phishing?",
        EVENT,
        f"{table('UrlClickEvents')} and m365_defender.event.threat.types: Phish and m365_defender.event.is_clicked_through: true",
        show=("user.email", "url.full", "event.action"),
    ),
    Recipe(
        "Which alerts of high severity are open?",
        "alert",
        "m365_defender.alert.status: (new or inProgress) and event.severity >= 73",
        show=("rule.name", "m365_defender.alert.status", "event.provider", "event.url"),
        note="From the latest view, where each alert stands once, as it is now.",
    ),
    Recipe(
        "Which incidents wait for somebody, and how grave are they?",
        "incident",
        "m365_defender.incident.status: (active or inProgress or awaitingAction)",
        by=("m365_defender.incident.severity", "m365_defender.incident.status"),
        metrics=(Metric("risk", "max", "event.risk_score"), LATEST),
    ),
    Recipe(
        "Which machines have most critical vulnerabilities?",
        "vulnerability",
        "vulnerability.severity: Critical",
        by=("host.name",),
        metrics=(Metric("flaws", "unique", "vulnerability.id"), Metric("score", "max", "vulnerability.score.base")),
    ),
    Recipe(
        "Which Azure resources fail most recommendations?",
        "misconfiguration",
        "result.evaluation: failed",
        by=("resource.name", "resource.type"),
        metrics=(Metric("recommendations", "unique", "rule.uuid"),),
    ),
    Recipe(
        "Where was this address seen, in everything that Defender knows?",
        "*",
        'related.ip: "203.0.113.7"',
        by=("event.dataset", "event.category"),
        metrics=(LATEST,),
        note="`related.ip`, `related.hosts`, `related.user` and `related.hash` hold all that a document names.",
    ),
    Recipe(
        "Who gave whom a role or membership?",
        EVENT,
        "event.category: iam and event.type: group and event.type: change",
        show=("event.action", "user.name", "user.target.name", "event.provider"),
    ),
    Recipe(
        "What of the data could not be read whole?",
        "*",
        "error.message: *",
        by=("event.dataset",),
        metrics=(LATEST,),
        note="Such a document has everything that could be read; `error.message` says what could not.",
    ),
)
