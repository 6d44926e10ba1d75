"""An app folder -> its functions, indexed and invoked by Microsoft's own Python runtime, in this process.

Takes the place of the Functions host's gRPC channel: the runtime only builds and reads plain messages, so classes that
keep their keyword arguments do. The runtime keeps module state and the path: one process indexes one app.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as worker
from azure_functions_runtime.native_invocation import (
    invocation_request_native,
)

from local.trigger_data import Event, Input, Place, Taken, event_hub_input, http_input, queue_input, timer_input

JITTER = 0.2  # the host's RandomizationFactor


class NotIndexed(RuntimeError):
    """The runtime refused the app; the text is the runtime's."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What `@app.retry(...)` declares; intervals in seconds, `most` -1 for ever."""

    strategy: str
    most: int
    fixed: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0

    def allows(self, retry: int) -> bool:
        """Whether the retry of that number (from 1) takes place."""
        return self.most < 0 or retry <= self.most

    def wait(self, retry: int, chance: random.Random | None = None) -> float:
        """Seconds before the retry of that number (from 1): the host's randomised exponential back-off."""
        if self.strategy == "fixed_delay":
            return self.fixed
        if retry <= 1:
            return self.minimum
        dice = chance or random.Random()  # noqa: S311  back-off needs no secrets
        factor = dice.uniform(1 - JITTER, 1 + JITTER)
        return min(self.maximum, self.minimum * (1 + factor * 2.0 ** min(retry - 2, 60)))


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function: its bindings as the host gets them (`%SETTING%` unresolved) and its retry policy."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]
    retry: RetryPolicy | None
    script_file: str

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts it."""
        return next(binding for binding in self.bindings if str(binding["type"]).lower().endswith("trigger"))

    def triggered_by(self, kind: str) -> bool:
        """Whether its trigger is of that type, for example `eventHubTrigger`."""
        return str(self.trigger["type"]).lower() == kind.lower()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `error` and `traceback` are None when it went well; `value` is what it returned, `outputs` what it gave to its output bindings (Datums by name)."""

    ok: bool
    value: Any = None
    error: str | None = None
    traceback: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP function answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Runtime:
    """Microsoft's runtime with one app in it."""

    folder: Path
    functions: dict[str, Function] = field(default_factory=dict)

    async def index(self) -> dict[str, Function]:
        """Import the app and index its functions, by name; raises `NotIndexed` with the runtime's reason."""
        folder = str(self.folder.resolve())
        if folder not in sys.path:
            sys.path.insert(0, folder)
        worker.start_threadpool_executor()
        request = SimpleNamespace(
            properties={"host": "127.0.0.1", "protos": PROTOS},
            request=SimpleNamespace(
                worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=folder),
                functions_metadata_request=SimpleNamespace(function_app_directory=folder),
            ),
        )
        started = await worker.worker_init_request(request)
        if started.result.status != PROTOS.StatusResult.Success:
            raise NotIndexed(started.result.exception.message)
        found = await worker.functions_metadata_request(request)
        self.functions = {item.name: _function(item) for item in found.function_metadata_results or ()}
        return self.functions

    async def invoke(self, name: str, data: Input, *, retry: int = 0, trace_parent: str | None = None) -> Outcome:
        """Invoke a function once with the data of its trigger; `retry` is how many times it failed before."""
        function = self.functions[name]
        trigger, metadata = data
        ok, value, outputs, error, traceback = await invocation_request_native(
            str(uuid.uuid4()),
            function.id,
            [(function.trigger["name"], trigger)],
            metadata,
            trace_parent=trace_parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            retry_count=retry,
            max_retry_count=function.retry.most if function.retry else 0,
        )
        return Outcome(ok, value, error, traceback, dict(outputs or ()))

    async def invoke_event_hub(
        self,
        name: str,
        batch: Sequence[Event],
        place: Place | None = None,
        *,
        retry: int = 0,
        trace_parent: str | None = None,
    ) -> Outcome:
        """Hand a batch of events of one partition to an event hub function, once."""
        data = event_hub_input(batch, place or Place())
        return await self.invoke(name, data, retry=retry, trace_parent=trace_parent)

    async def invoke_http(
        self,
        name: str,
        *,
        method: str = "GET",
        url: str = "http://127.0.0.1/api",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        route: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> HttpAnswer:
        """Hand a request to an HTTP function; an exception out of it is an answer 500, as from the host."""
        outcome = await self.invoke(
            name,
            http_input(method=method, url=url, headers=headers or {}, query=query or {}, route=route or {}, body=body),
        )
        if not outcome.ok:
            return HttpAnswer(500, {"content-type": "text/plain"}, (outcome.error or "").encode())
        if outcome.value.type != "http":
            return HttpAnswer(200, {"content-type": "text/plain; charset=utf-8"}, str(outcome.value.value).encode())
        answer = outcome.value.value
        sent = {header: value.value for header, value in answer["headers"].items()}
        return HttpAnswer(int(answer["status_code"].value), sent, bytes(answer["body"].value))

    async def invoke_timer(self, name: str, *, past_due: bool = False) -> Outcome:
        """Let a timer function's time come."""
        return await self.invoke(name, timer_input(past_due=past_due))

    async def invoke_queue(self, name: str, message: Taken) -> Outcome:
        """Hand a message to a queue function, once."""
        return await self.invoke(name, queue_input(message))

    def close(self) -> None:
        """Stop the runtime's threads, after what they do now."""
        worker.stop_threadpool_executor()


def _function(item: Any) -> Function:
    """A function as the runtime describes it to the host."""
    bindings = tuple(json.loads(binding) for binding in item.raw_bindings)
    return Function(item.name, item.function_id, bindings, _policy(item.retry_options), item.script_file)


def _policy(options: Any) -> RetryPolicy | None:
    """A retry policy as the runtime describes it to the host."""
    if options is None:
        return None
    if options.retry_strategy == "fixed_delay":
        return RetryPolicy("fixed_delay", options.max_retry_count, fixed=options.delay_interval.total_seconds())
    return RetryPolicy(
        options.retry_strategy,
        options.max_retry_count,
        minimum=options.minimum_interval.total_seconds(),
        maximum=options.maximum_interval.total_seconds(),
    )


class _Message:
    """In place of a generated message class: it keeps what it is given."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def _message(name: str, **constants: int) -> type[_Message]:
    return type(name, (_Message,), constants)


# The message classes that the runtime names. Numbers are the wire protocol's enumerations.
PROTOS: Any = SimpleNamespace(
    **{
        name: _message(name)
        for name in (
            "WorkerInitResponse",
            "WorkerMetadata",
            "FunctionMetadataResponse",
            "FunctionLoadResponse",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "RpcException",
            "TypedData",
            "ParameterBinding",
            "InvocationResponse",
        )
    },
    BindingInfo=_message("BindingInfo", **{"in": 0, "out": 1, "inout": 2, "undefined": 0, "string": 1, "binary": 2}),
    StatusResult=_message("StatusResult", Failure=0, Success=1, Cancelled=2),
)
