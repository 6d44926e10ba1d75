"""Settings -> what is found when each thing the app needs is asked once, briefly, with a shipping key's rights."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared import state
from shared.blobs import blob_errors, make, open_service
from shared.drift import BLOB, DRIFT
from shared.drift import read as read_drift
from shared.errors import ForwarderError, Misconfigured, rule_for
from shared.poll_settings import SOURCES as POLLED
from shared.poll_settings import PollSettings
from shared.settings import Settings
from shared.ship.latest import VIEWS, latest_index
from shared.ship.privileges import needed

PROBE_SECONDS = 4.0  # one request of a probe
# Where each source's records go; a test holds this against the tables, which are too many to load for a health check.
DATASETS: Mapping[str, tuple[str, ...]] = {
    "xdr": ("m365_defender.event",),
    "defender_cloud": ("microsoft_defender_cloud.event",),
    "alert": ("m365_defender.alert", "m365_defender.alert_evidence"),
    "incident": ("m365_defender.incident", "m365_defender.alert_evidence"),
    "log": ("m365_defender.log",),
    "vulnerability": ("m365_defender.vulnerability",),
    "assessment": ("microsoft_defender_cloud.assessment",),
}
MOST_DRIFT = 50  # entries of the drift report in the answer
STOCK_TEMPLATE = "logs"  # Elasticsearch's own for logs-*-*: it takes our documents, but with guessed types
TEMPLATE_FIELDS = ",".join(
    f"index_templates.{field}"
    for field in ("name", "index_template.index_patterns", "index_template.priority", "index_template.data_stream")
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found, for a person: `failed` makes the app unhealthy, `not checked` does not."""

    state: Literal["ok", "failed", "not checked"]
    detail: str
    data: Any = None  # further facts for the answer, JSON


Probe = Callable[[Settings, tuple[str, ...]], Finding]  # (settings, names of the sources that have triggers)


def elasticsearch(settings: Settings, sources: tuple[str, ...]) -> Finding:
    """Whether Elasticsearch answers, knows the credentials and lets them ship: one request that every user may send."""
    from shared.ship.client import credential_setting

    names = data_streams(settings, sources) + latest_views(settings, sources)
    wanted = [{"names": [name], "privileges": list(needed(name))} for name in names]
    status, body = ask(settings, "POST", "/_security/user/_has_privileges", {"index": wanted})
    if status in (401, 403):
        return Finding("failed", f"{credential_setting(settings)}: {rule_for(status).meaning} ({status}).")
    if status >= 500 or status in (408, 429):
        return Finding("failed", f"{rule_for(status).meaning} ({status}).")
    if status != 200 or not isinstance(body, dict):
        return Finding("not checked", f"Elasticsearch answers, but does not tell privileges ({status}).")
    missing = [
        f"{privilege} on {name}"
        for name, granted in body.get("index", {}).items()
        for privilege, held in granted.items()
        if not held
    ]
    if missing:
        return Finding("failed", f"{credential_setting(settings)}: lacks {', '.join(missing)}.")
    return Finding("ok", f"answers and grants what shipping needs on {', '.join(names)}.")


def index_templates(settings: Settings, sources: tuple[str, ...]) -> Finding:
    """Whether each data stream's index template is there, if the credentials may read templates."""
    try:
        status, body = ask(settings, "GET", f"/_index_template?filter_path={TEMPLATE_FIELDS}")
    except ForwarderError:  # one reason is enough: the probe `elasticsearch` tells it
        return Finding("not checked", "Elasticsearch does not answer.")
    if status == 403:
        return Finding("not checked", "needs the cluster privilege monitor, which shipping itself does not need.")
    if status != 200 or not isinstance(body, dict):
        return Finding("not checked", f"Elasticsearch answered {status}.")
    found = {name: winner(name, body.get("index_templates", [])) for name in data_streams(settings, sources)}
    missing = sorted(name for name, template in found.items() if template in (None, STOCK_TEMPLATE))
    if missing:
        return Finding("failed", f"no index template of ours matches {', '.join(missing)}: install infra/elastic.")
    return Finding("ok", "; ".join(f"{name} is made by {template}" for name, template in found.items()) + ".")


def winner(name: str, templates: list[dict[str, Any]]) -> str | None:
    """The template that Elasticsearch takes for a data stream: the highest priority among those that match."""
    matching = [
        (template["index_template"].get("priority", 0), template["name"])
        for template in templates
        if "data_stream" in template["index_template"]
        and any(fnmatch.fnmatchcase(name, pattern) for pattern in template["index_template"].get("index_patterns", ()))
    ]
    return max(matching)[1] if matching else None


def blob_store(settings: Settings, sources: tuple[str, ...]) -> Finding:  # noqa: ARG001  as every probe
    """Whether dead letters could be written: their container is there, or can be made."""
    with blob_errors(settings.storage):
        service = open_service(settings.storage, os.environ)
        with service.get_container_client(settings.dead_letter_container) as container:
            if not container.exists(**state.BRIEF):
                make(container)
    return Finding("ok", f"container {settings.dead_letter_container} is there.")


def last_received(settings: Settings, sources: tuple[str, ...]) -> Finding:
    """What was last received and held per source; a source whose last batch was held is not healthy."""
    found = state.read(settings, sources)
    held = [
        f"the last batch of {source} was held at {entry['held']['at']}: {entry['held']['reason']}"
        for source, entry in found.items()
        if entry["held"] and entry["held"].get("at", "") > (entry["received"] or {}).get("at", "")
    ]
    if held:
        return Finding("failed", " ".join(held), found)
    silent = sorted(source for source, entry in found.items() if not entry["received"])
    return Finding("ok", f"nothing yet from {', '.join(silent)}." if silent else "see data.", found)


def drift(settings: Settings, sources: tuple[str, ...]) -> Finding:  # noqa: ARG001  as every probe
    """What was seen and is not mapped, newest first; that alone is no ill health: it is all carried."""
    DRIFT.settle(PROBE_SECONDS / 4)
    try:
        stored = read_drift(settings)
    except ForwarderError:  # one reason is enough: the probe `blob_store` tells it
        return Finding("not checked", "the blob store does not answer.")
    if stored.odd is not None:
        return Finding("ok", f"{BLOB} holds something that is no drift report; the next write puts it aside.")
    if not stored.entries:
        return Finding("ok", "nothing was seen that is not mapped.")
    kinds = Counter(entry.kind for entry in stored.entries)
    words = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
    return Finding(
        "ok", f"not mapped when first seen: {words}. `python -m cli drift` tells all.", stored.newest(MOST_DRIFT)
    )


PROBES: Mapping[str, Probe] = {
    "elasticsearch": elasticsearch,
    "index_templates": index_templates,
    "blob_store": blob_store,
    "last_received": last_received,
    "drift": drift,
}


def data_streams(settings: Settings, sources: tuple[str, ...]) -> list[str]:
    """The data streams that these sources' records go to."""
    return [f"logs-{dataset}-{settings.namespace}" for source in sources for dataset in DATASETS.get(source, ())]


def latest_views(settings: Settings, sources: tuple[str, ...]) -> list[str]:
    """The latest views that these sources' records renew, if they are on."""
    if not PollSettings.read_one("latest_views", os.environ):
        return []
    found = {dataset for source in sources if source in POLLED for dataset in DATASETS[source]}
    return [latest_index(name, settings.namespace) for name, view in VIEWS.items() if view.dataset in found]


def ask(settings: Settings, method: str, path: str, body: object = None) -> tuple[int, object]:
    """One short request to Elasticsearch: status and parsed answer. Raises Retry or Misconfigured where none came."""
    from elasticsearch import ApiError, TransportError, UnsupportedProductError

    from shared.ship.client import no_answer, open_client

    headers = {"accept": "application/json"} | ({"content-type": "application/json"} if body is not None else {})
    with open_client(settings) as client:
        try:
            answer: Any = client.options(request_timeout=PROBE_SECONDS).perform_request(
                method, path, headers=headers, body=body
            )
        except UnsupportedProductError:
            raise Misconfigured("ELASTICSEARCH_URL", "what answers there is not Elasticsearch.") from None
        except ApiError as error:
            answer = error
        except TransportError as error:
            raise no_answer(error, settings) from None
        return answer.meta.status, answer.body


def probed(probe: Probe, settings: Settings, sources: tuple[str, ...]) -> Finding:
    """What the probe found; what it raised is a finding too."""
    try:
        return probe(settings, sources)
    except ForwarderError as error:
        return Finding("failed", str(error))
    except Exception as error:  # noqa: BLE001  a health check tells what is wrong, whatever it is
        return Finding("failed", f"{type(error).__name__}: {str(error)[:300]}")
