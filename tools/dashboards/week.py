"""A made-up week of a company with two tenants: documents of every kind, and of the pipeline's own runs, made by the real mapping.

Events of devices come from the demo's load and answers of APIs from the demo's fake (`local/`), everything else from the golden records with other
people, hosts, values and times. The same end gives the same week. Nothing of it is anybody's.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from local import microsoft_data as data
from local.load import records
from local.load_world import dice, hosts
from shared.normalise.api import Context, Source
from shared.normalise.decode import Message, Record, decode
from shared.normalise.normaliser import Normalised, Normaliser
from shared.ship.latest import latest_id, latest_index
from tools.dashboards.week_choices import CLOUD, LEVELS, PRODUCTS, STREAM, TITLES, Choices
from tools.write_golden import ARRIVED, GOLDEN

Json = dict[str, Any]
Action = tuple[Json, Json]  # a line of a bulk request and its document
SEED = "week"
DAYS = 7
EDGE = timedelta(minutes=3)  # nothing so near to the ends of a week: times that follow from others still lie in it
TENANTS = {"contoso": "11111111-2222-3333-4444-555555555555", "fabrikam": "11111111-2222-3333-4444-666666666666"}
ANALYSTS = (None, None, None, "lee@example.com", "sam@example.com")
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.Z\"])")
DEVICE_EVENTS, ALERTS, INCIDENTS, FLAWS, ASSESSMENTS = 1800, 220, 70, 420, 160
RESOLVED = {"classification": "truePositive", "determination": "malware"}


def week(end: datetime) -> list[Action]:
    """Everything that happened in the week before `end`, as actions of a bulk request, namespace by tenant."""
    chance = dice(SEED)
    result: list[Action] = []
    for namespace, share in (("contoso", 1.0), ("fabrikam", 0.2)):
        normaliser = Normaliser()
        for made, moment in _streamed(normaliser, chance, end, share, TENANTS[namespace]):
            result += _actions(made, namespace, moment)
        for made, moment in _polled(normaliser, chance, end, share, TENANTS[namespace]):
            result += _actions(made, namespace, moment)
    return [*result, *_runs(chance, end)]


def moments(chance: random.Random, end: datetime, count: int, spread: timedelta = timedelta(days=DAYS)) -> list[datetime]:  # fmt: skip
    """Times of a week: by day more than by night, on workdays more than at weekends; in their order."""
    found: list[datetime] = []
    while len(found) < count:
        moment = end - EDGE - chance.random() * (spread - 2 * EDGE)
        busy = 1.0 if 7 <= moment.hour < 18 else 0.25
        if chance.random() < busy * (0.4 if moment.weekday() > 4 else 1.0):
            found.append(moment)
    return sorted(found)


def moved(value: Any, by: timedelta) -> Any:
    """A JSON value with every time in it so much later; fractions of seconds stay as they are."""

    def later(match: re.Match[str]) -> str:
        return (datetime.fromisoformat(match[0]) + by).isoformat()

    return json.loads(MOMENT.sub(later, json.dumps(value)))


def happened(value: Json) -> datetime | None:
    """When a record happened: its Timestamp, or the latest of its times before the golden records' arrival; None where it tells of none."""
    own = MOMENT.match(str(value.get("properties", {}).get("Timestamp")) + '"')
    times = [own[0]] if own else [text for text in MOMENT.findall(json.dumps(value)) if text < ARRIVED]
    return datetime.fromisoformat(max(times)).replace(tzinfo=UTC) if times else None


def vary(chance: random.Random, value: Json, choices: Choices) -> None:
    """Give columns, which may lie deeper, one of their values."""
    for name, values in choices.items():
        *path, leaf = name.split(".")
        node = value
        for part in path:
            node = node.get(part) or {}
        if leaf in node or not path:
            node[leaf] = chance.choice(values)


def other_people(chance: random.Random, value: Json) -> Json:
    """The golden records' few people and hosts become those of the made-up company."""
    host = chance.choice(hosts(SEED))
    user = f"user{1 + min(int(chance.expovariate(0.08)), 60)}"
    text = json.dumps(value)
    for name in ("kim", "lee"):
        text = re.sub(rf"\b{name}(?=@example\.com|\")", user, text)
    text = re.sub(r"WS-0042(?=[.\"])", host.name.partition(".")[0].upper(), text)
    text = re.sub(r"ws-0042(?=[.\"])", host.name.partition(".")[0], text)
    text = re.sub(r"\b(?:198\.51\.100|203\.0\.113)\.\d+", lambda _: f"203.0.113.{chance.randint(1, 60)}", text)
    result: Json = json.loads(text)
    return result


def _streamed(normaliser: Normaliser, chance: random.Random, end: datetime, share: float, tenant: str) -> Iterator[tuple[Normalised, datetime]]:  # fmt: skip
    """What comes over the Event Hubs."""
    times = iter(moments(chance, end, round(DEVICE_EVENTS * share)))
    for record, moment in zip(records(round(DEVICE_EVENTS * share), 7), times, strict=True):
        yield from _decoded(normaliser, [_at(record, moment) | {"tenantId": tenant}], moment)
    for table, (number, choices) in STREAM.items():
        golden = json.loads((GOLDEN / table / "in.json").read_text())
        for place, moment in enumerate(moments(chance, end, round(number * share))):
            record = other_people(chance, deepcopy(golden[place % len(golden)]))
            vary(chance, record["properties"], choices)
            record["properties"]["ReportId"] = f"{place}"
            yield from _decoded(normaliser, [_at(record, moment) | {"tenantId": tenant}], moment)
    for kind, (number, choices) in CLOUD.items():
        golden = [one for one in json.loads((GOLDEN / kind / "in.json").read_text()) if "id" in one or kind == "SecurityAlert"]  # fmt: skip
        for place, moment in enumerate(moments(chance, end, max(3, round(number * share)))):
            message = deepcopy(golden[place % len(golden)])
            vary(chance, message, choices)
            _tell_apart(chance, kind, place, message)
            yield from _decoded(normaliser, [_at(message, moment)], moment)


def _tell_apart(chance: random.Random, kind: str, place: int, message: Json) -> None:
    """Ids and titles, so that a message is one of its own."""
    if kind == "SecurityAlert":
        message["SystemAlertId"] = f"25172{place:05}_{chance.getrandbits(32):08x}"
        return
    resource = f"/subscriptions/00000000-aaaa-bbbb-cccc-00000000000{1 + place % 3}/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/WEB-{place % 23}"
    properties = message.get("properties") or {}
    if kind == "assessments":
        title, severity = TITLES[place % len(TITLES)]
        message["id"] = f"{resource}/providers/Microsoft.Security/assessments/{message['name']}-{place % len(TITLES)}"
        properties |= {"displayName": title}
        properties["metadata"] = (properties.get("metadata") or {}) | {"displayName": title, "severity": severity}
        properties["resourceDetails"] = {"source": "Azure", "id": resource}
    elif kind == "secureScores":
        value = round(24 + place * 1.1 + chance.uniform(-0.8, 0.8), 2)
        properties["score"] = {"max": 58, "current": value, "percentage": round(value / 58, 4)}
    elif kind == "secureScoreControls":
        title = TITLES[place % len(TITLES)][0]
        properties |= {"displayName": title, "healthyResourceCount": chance.randint(3, 40), "unhealthyResourceCount": chance.randint(0, 15)}  # fmt: skip
    elif kind == "regulatoryComplianceStandards":
        properties |= {"passedControls": chance.randint(20, 30), "failedControls": chance.randint(2, 9)}


def _polled(normaliser: Normaliser, chance: random.Random, end: datetime, share: float, tenant: str) -> Iterator[tuple[Normalised, datetime]]:  # fmt: skip
    """What Microsoft's APIs answer: alerts, incidents with alerts inside and in several versions, and a scan of the findings a day."""
    context = Context(tenant=tenant)
    alerts = {}
    seed = f"{SEED} {tenant}"
    incidents = max(5, round(INCIDENTS * share))
    for number, moment in enumerate(moments(chance, end, round(ALERTS * share))):
        alert = data.alert(seed, number, moment, tenant, number % incidents) | {"assignedTo": chance.choice(ANALYSTS)}
        if alert["status"] == "resolved":
            alert |= {"classification": chance.choice(("truePositive", "falsePositive", "informationalExpectedActivity"))}  # fmt: skip
        alerts[number] = alert
        yield from _parts(normaliser, "alert", alert, context, moment)
    for number, moment in enumerate(moments(chance, end, incidents)):
        incident = data.incident(seed, number, moment, tenant)
        incident["alerts"] = [alert for place, alert in alerts.items() if place % incidents == number][:4]
        for status, hours in (("active", 0.0), ("inProgress", 2.0), ("resolved", 9.0))[: chance.randint(1, 3)]:
            version = moment + timedelta(hours=hours)
            if version > end:
                break
            incident |= {"status": status, "lastUpdateDateTime": data.stamp(version), "assignedTo": None if status == "active" else chance.choice(ANALYSTS)}  # fmt: skip
            yield from _parts(normaliser, "incident", incident | (RESOLVED if status == "resolved" else {}), context, version)  # fmt: skip
    for day in range(DAYS):
        scan = end - timedelta(days=day, hours=2)
        yield from _scan(normaliser, scan, round(FLAWS * share) + 9 * day, round(ASSESSMENTS * share), tenant)


def _scan(normaliser: Normaliser, scan: datetime, flaws: int, assessments: int, tenant: str) -> Iterator[tuple[Normalised, datetime]]:  # fmt: skip
    """One day's picture: the older, the more flaws are still there."""
    context = Context(tenant=tenant, scan=data.stamp(scan, 0))
    for number in range(flaws):
        dicer = dice(f"flaw {number}")
        vendor, product = PRODUCTS[min(int(dicer.expovariate(0.5)), len(PRODUCTS) - 1)]
        cve = f"CVE-2026-{1000 + min(int(dicer.expovariate(0.05)), 90)}"
        severity = dice(cve).choice(LEVELS)
        score = {"Low": 3.1, "Medium": 5.5, "High": 8.1, "Critical": 9.8}[severity]
        row = data.vulnerability(SEED, number, scan) | {
            "softwareVendor": vendor, "softwareName": product, "cveId": cve, "vulnerabilitySeverityLevel": severity, "cvssScore": score,
            "exploitabilityLevel": dice(f"x{cve}").choice(("NoExploit", "NoExploit", "ExploitIsPublic", "ExploitIsVerified", "ExploitIsInKit")),
            "securityUpdateAvailable": dice(f"u{cve}").random() < 0.8, "osPlatform": dicer.choice(("Windows11", "Windows11", "WindowsServer2022", "Linux")),
        }  # fmt: skip
        yield from _parts(normaliser, "vulnerability", row, context, scan)
    for number in range(assessments):
        subscription = f"subscriptions/aaaaaaaa-0000-4000-8000-00000000000{1 + number % 2}"
        row = data.assessment(SEED, subscription, number, scan)
        title, severity = TITLES[number % len(TITLES)]
        row["properties"] |= {"displayName": title, "metadata": {"displayName": title, "severity": severity, "assessmentType": "BuiltIn"}}  # fmt: skip
        row["properties"]["resourceDetails"]["Source"] = ("Azure", "Azure", "Aws", "Gcp")[number % 4]
        if number % 6 == 0:
            finding = data.finding(SEED, row["id"], number, scan)
            finding["properties"]["status"]["severity"] = ("Low", "Medium", "High")[number // 6 % 3]
            row["subAssessments"] = [finding]
        yield from _parts(normaliser, "assessment", row, context, scan)
    for value in json.loads((GOLDEN / "assessment" / "in.json").read_text()):
        yield from _parts(normaliser, "assessment", value, context, scan)


def _at(value: Json, moment: datetime) -> Json:
    """A record or message moved so that it happened at about that moment."""
    at = happened(value)
    result: Json = value if at is None else moved(value, moment.replace(microsecond=0) - at)
    return result


def _decoded(normaliser: Normaliser, values: list[Json], moment: datetime) -> Iterator[tuple[Normalised, datetime]]:
    """What a message of an Event Hub becomes."""
    for record in decode(Message(json.dumps(values).encode())):
        if isinstance(record, Record):
            yield normaliser.normalise(record, normaliser.identify(record), data.stamp(moment, 3)), moment


def _parts(normaliser: Normaliser, source: Source, value: Mapping[str, Any], context: Context, moment: datetime) -> Iterable[tuple[Normalised, datetime]]:  # fmt: skip
    """What an object of an API becomes."""
    for made in normaliser.parts(source, value, context, data.stamp(moment, 3)):
        yield made, moment


def _actions(made: Normalised, namespace: str, moment: datetime) -> Iterator[Action]:
    """The document in its data stream, and in a latest view where it renews an entry."""
    document = made.document
    document["data_stream"]["namespace"] = namespace
    document["event"]["ingested"] = data.stamp(moment, 3)
    yield {"create": {"_index": made.index.removesuffix("default") + namespace, "_id": made.id}}, document
    for entry in made.entries:
        if entry.view in ("alert", "incident") and not entry.gone:
            index, id = latest_index(entry.view, namespace), latest_id("", namespace, entry.key)
            yield (
                {"index": {"_index": index, "_id": id, "version": entry.version, "version_type": "external_gte"}},
                document,
            )


def _runs(chance: random.Random, end: datetime) -> Iterator[Action]:
    """One document for each run of a hub's trigger and of each poller: mostly well, with an hour of Elasticsearch's being busy."""
    busy = end - timedelta(days=2, hours=5)
    sources = {"xdr": (15, 900), "defender_cloud": (60, 60), "alert": (60, 14), "incident": (60, 9), "vulnerability": (1440, 420), "assessment": (1440, 170)}  # fmt: skip
    for namespace in TENANTS:
        for source, (minutes, records_a_run) in sources.items():
            for number in range(DAYS * 24 * 60 // minutes):
                moment = end - timedelta(minutes=minutes * number + chance.random() * 5)
                load = 1.0 if 7 <= moment.hour < 18 else 0.3
                received = int(
                    records_a_run * load * chance.uniform(0.6, 1.4) * (1.0 if namespace == "contoso" else 0.2)
                )
                trouble = abs((moment - busy).total_seconds()) < 3600
                id = f"{namespace}-{source}-{number}"  # so that a server which is filled twice has it once
                yield _run(chance, namespace, source, moment, received, id=id, trouble=trouble)


def _run(chance: random.Random, namespace: str, source: str, moment: datetime, received: int, *, id: str, trouble: bool) -> Action:  # fmt: skip
    duplicate = int(received * chance.choice((0, 0, 0, 0.02))) + (received // 3 if trouble else 0)
    dead = chance.choice((0,) * 40 + (1, 2)) if received else 0
    result = "retry" if trouble and chance.random() < 0.6 else "misconfigured" if chance.random() < 0.002 else "ok"
    lag = chance.uniform(150, 400) + (chance.uniform(600, 2600) if trouble else 0)
    seconds = received / 6000 + chance.uniform(0.02, 0.2) + (chance.uniform(3, 20) if trouble else 0)
    unknown: Json = {}
    if source == "xdr" and chance.random() < 0.02:
        unknown = {"unknown_tables": ["DeviceExampleEvents"], "unknown_columns": ["DeviceProcessEvents.NewColumn", "EmailEvents.Mood"][: chance.randint(1, 2)]}  # fmt: skip
    filtered = received // 50 if source == "xdr" else 0
    done = result == "ok"
    run = {
        "source": source, "result": result, "runs": 1, "failed": int(not done), "received": received, "duplicate": duplicate * done,
        "filtered": filtered, "dead_lettered": dead * done, "held": 0 if done else received - filtered,
        "indexed": max(0, received - duplicate - dead - filtered) * done, "requests": 1 + received // 500, "retries": chance.randint(1, 4) if trouble else 0,
        "lag_seconds": round(lag, 1), "elasticsearch_seconds": round(seconds, 3), "version": "0.1.0",
        **({} if source in ("xdr", "defender_cloud") else {"tenant": namespace}),
        **unknown,
    }  # fmt: skip
    error = {} if result == "ok" else {"error": {"message": "Elasticsearch answers 429: the write queue is full" if result == "retry" else "create_doc is missing for this API key"}}  # fmt: skip
    stamp = data.stamp(moment, 3)
    dataset = "defender_to_elasticsearch.run"
    document = {
        "@timestamp": stamp, "ecs": {"version": "8.17.0"}, **error,
        "event": {"kind": "metric", "dataset": dataset, "module": "defender_to_elasticsearch", "outcome": "success" if result == "ok" else "failure", "duration": int((seconds + 0.3) * 1e9), "ingested": stamp},
        "data_stream": {"type": "logs", "dataset": dataset, "namespace": namespace}, "defender_to_elasticsearch": {"run": run},
    }  # fmt: skip
    return {"create": {"_index": f"logs-{dataset}-{namespace}", "_id": id}}, document
