"""GET /api/health -> 200 or 503 and JSON: is everything there that a batch needs, and what came in last?"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import azure.functions as func

from functions import backfill, timers
from functions.conceal import conceal
from functions.hubs import SOURCES, faults, triggers
from shared.errors import Misconfigured
from shared.settings import Settings

ANSWER_SECONDS = 10.0  # for a probe: its requests, and waiting for a thread behind an earlier, hanging one
PACKAGES = ("azure-functions", "azure-functions-runtime", "azure-storage-blob", "elasticsearch", "opentelemetry-api")


def blueprint() -> func.Blueprint:
    """The health function; it needs a function key, because it tells how the app is set up."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # azure-functions leaves its __init__ untyped

    @functions.function_name("health")
    @functions.route(
        route="health", trigger_arg_name="request", methods=[func.HttpMethod.GET], auth_level=func.AuthLevel.FUNCTION
    )
    async def health(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the binding wants it
        answer = await examine(os.environ)
        return func.HttpResponse(
            json.dumps(concealed(answer, os.environ), indent=2),
            status_code=200 if answer["whole"] else 503,
            mimetype="application/json",
            headers={"cache-control": "no-store"},
        )

    return functions


async def examine(environment: Mapping[str, str]) -> dict[str, Any]:
    """Look at the settings, then run all probes at once, in threads of their own; never raises.

    Returns `whole`, `reasons` (a sentence for each thing that failed), `checks`, `versions`.
    """
    from functions.probes import PROBES, Finding, probed

    checks: dict[str, dict[str, Any]] = {}
    found = list(faults(environment))
    declared = [
        f"{trigger.function} reads {trigger.hub} as {trigger.consumer_group}" for trigger in triggers(environment)
    ]
    checks["event_hubs"] = told(Finding("failed" if found else "ok", " ".join(found or declared) or "none."))
    polled = timers.sources(environment)
    wrong = timers.faults(environment)
    checks["pollers"] = told(
        Finding(
            "failed" if wrong else "ok",
            " ".join(wrong) or ", ".join(f"{source} is polled" for source in polled) or "none.",
        )
    )
    wrong, queue = backfill.faults(environment), backfill.declared(environment)
    checks["backfill"] = told(
        Finding("failed" if wrong else "ok", " ".join(wrong) or (f"reads {queue[0]}." if queue else "none."))
    )
    try:
        settings = Settings.read(environment)
    except Misconfigured as error:
        checks["settings"] = told(Finding("failed", str(error)))
        checks |= {name: told(Finding("not checked", "the settings are not whole.")) for name in PROBES}
    else:
        checks["settings"] = told(Finding("ok", "every setting makes sense."))
        # All of the hubs' sources where nothing is set up: the answer is the same for an app that is yet to be connected.
        hubs = tuple(source.name for source in SOURCES)
        reading = {trigger.source for trigger in triggers(environment)} | set(polled) or set(hubs)
        sources = tuple(name for name in (*hubs, *polled) if name in reading)

        async def timed(probe: Any) -> dict[str, Any]:
            started, loop = time.monotonic(), asyncio.get_running_loop()
            try:
                finding = await asyncio.wait_for(
                    loop.run_in_executor(threads(), probed, probe, settings, sources), ANSWER_SECONDS
                )
            except TimeoutError:
                finding = Finding("failed", f"no answer within {ANSWER_SECONDS:g} s.")
            return told(finding, time.monotonic() - started)

        checks |= dict(zip(PROBES, await asyncio.gather(*map(timed, PROBES.values())), strict=True))
    reasons = [f"{name}: {check['detail']}" for name, check in checks.items() if check["state"] == "failed"]
    return {"whole": not reasons, "reasons": reasons, "checks": checks, "versions": versions()}


def concealed(part: Any, environment: Mapping[str, str]) -> Any:
    """The answer with every text cleaned of secrets, before JSON writes their quotes and backslashes differently."""
    if isinstance(part, dict):
        return {key: concealed(value, environment) for key, value in part.items()}
    if isinstance(part, list):
        return [concealed(value, environment) for value in part]
    return conceal(part, environment) if isinstance(part, str) else part


def told(finding: Any, seconds: float = 0.0) -> dict[str, Any]:
    """A finding as the answer shows it."""
    facts = {"state": finding.state, "detail": finding.detail, "seconds": round(seconds, 3)}
    return facts if finding.data is None else facts | {"data": finding.data}


@cache
def threads() -> ThreadPoolExecutor:
    """The probes' own threads: the usual ones may all be shipping, and the answer must not wait for them."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="probe")


@cache
def versions() -> dict[str, str]:
    """What runs here."""
    result = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            result[package] = version(package)
        except PackageNotFoundError:
            result[package] = "not installed"
    return result
