"""Elasticsearch: its version, and its time where something in front of it tells. Privileges and templates: functions/probes.py."""

from __future__ import annotations

import re
from typing import Any

from cli.doctor.check import Check, failed, ok, unchecked, warning
from shared.errors import ForwarderError, Misconfigured
from shared.settings import Settings

OLDEST = (8, 13)  # README, Deploy
NEWEST = 9  # the client of line 8 talks to servers of lines 8 and 9
SECONDS = 5.0


def answer(settings: Settings, path: str) -> tuple[int, Any, dict[str, str]]:
    """One GET: status, parsed answer, headers. Raises Retry or Misconfigured where none came."""
    from elasticsearch import ApiError, TransportError, UnsupportedProductError

    from shared.ship.client import no_answer, open_client

    with open_client(settings) as client:
        try:
            found: Any = client.options(request_timeout=SECONDS).perform_request(
                "GET", path, headers={"accept": "application/json"}
            )
        except UnsupportedProductError:
            raise Misconfigured("ELASTICSEARCH_URL", "what answers there is not Elasticsearch.") from None
        except ApiError as error:
            found = error
        except TransportError as error:
            raise no_answer(error, settings) from None
        return found.meta.status, found.body, dict(found.meta.headers)


def versions(settings: Settings) -> tuple[int, list[str], bool]:
    """(status, version of each node that tells, whether it is serverless). Raises as `answer`."""
    status, body, _ = answer(settings, "/")
    if status == 200 and isinstance(body, dict):
        told = body.get("version", {})
        return status, [str(told.get("number", ""))], told.get("build_flavor") == "serverless"
    if status not in (400, 404, 405):  # 401, 403, 5xx: the other way would say the same
        return status, [], False
    status, body, _ = answer(settings, "/_nodes/_all/os?filter_path=nodes.*.version")
    nodes = body.get("nodes", {}) if status == 200 and isinstance(body, dict) else {}
    return status, sorted({str(node.get("version", "")) for node in nodes.values()}), False


def of_version(settings: Settings) -> Check:
    """Whether the server is one that this was made for."""
    name = "elasticsearch version"
    try:
        status, found, serverless = versions(settings)
    except ForwarderError:
        return unchecked(name, "Elasticsearch does not answer.")
    if status == 403:
        return unchecked(name, "the key may not ask: that takes the cluster privilege monitor, which shipping itself does not need.")  # fmt: skip
    numbers = [numbered(version) for version in found]
    if status != 200 or not found or None in numbers:
        return unchecked(name, f"Elasticsearch does not tell it ({status}).")
    told = ", ".join(found)
    if serverless:
        return ok(name, "serverless.")
    oldest, newest = min(filter(None, numbers)), max(filter(None, numbers))
    if oldest < OLDEST:
        return failed(name, f"{told}.", f"Upgrade Elasticsearch to {'.'.join(map(str, OLDEST))} or newer.")
    if newest[0] > NEWEST:
        return warning(name, f"{told}: newer than what was tried ({NEWEST}.x).", "Look for a newer release of this app.")  # fmt: skip
    return ok(name, f"{told}.")


def numbered(version: str) -> tuple[int, int] | None:
    """Major and minor."""
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None
