"""One request to Elasticsearch and its answer, or one sentence on why there is none: the network seam of the installer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import Misconfigured, Retry
from shared.settings import Settings
from shared.ship.client import Reply, credential_setting, no_answer, open_client

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

Body = dict[str, Any]
# (method, path, body or None) -> Reply, also for 400 and 404; raises Misconfigured or Retry where it is no answer to the question.
Ask = Callable[[str, str, Any], Reply]

GRANTED = re.compile(r"this action is granted by the (cluster|index) privileges \[([^\],]+)")
ON_INDICES = re.compile(r"on (?:restricted )?indices \[([^\]]+)\]")
# What a server says of an API that it does not have: no such path or method, or not for customers of serverless (410).
NO_HANDLER = re.compile(
    r"no handler found|not available when running in serverless|Incorrect HTTP method|No processor type exists"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a step asks for."""

    method: str
    path: str
    body: Any = None


def elasticsearch(settings: Settings, client: Elasticsearch | None = None) -> Ask:
    """Asks the cluster of the settings. Raises Misconfigured where they make no sense."""
    opened = client or open_client(settings)
    setting = credential_setting(settings)

    def ask(method: str, path: str, body: Any = None) -> Reply:
        from elasticsearch import ApiError, TransportError, UnsupportedProductError

        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            answer: Any = opened.perform_request(method, path, headers=headers, body=body, endpoint_id="install")
        except UnsupportedProductError:
            raise Misconfigured("ELASTICSEARCH_URL", "what answers there is not Elasticsearch.") from None
        except ApiError as error:
            answer = error
        except TransportError as error:
            raise no_answer(error, settings) from None
        return checked(Reply(answer.meta.status, answer.body), setting, f"{method} {path}")

    return ask


def checked(reply: Reply, setting: str, request: str) -> Reply:
    """The reply, unless it says that nobody may ask (Misconfigured, with the missing privilege's name) or that it is busy (Retry)."""
    words = reason(reply)
    if reply.status == 401:
        raise Misconfigured(setting, f"the credentials are not accepted ({words}).")
    if reply.status == 403:
        raise Misconfigured(setting, f"the credentials lack {privilege(words)} ({request}).")
    if reply.status in (408, 429) or reply.status >= 500:
        raise Retry(f"Elasticsearch answered {reply.status} to {request}: {words}")
    return reply


def privilege(words: str) -> str:
    """The missing privilege, out of Elasticsearch's sentence: it names all that would do, the narrowest first."""
    granted, where = GRANTED.search(words), ON_INDICES.search(words)
    if granted is None:
        return f"a privilege: {words}"
    return f"the {granted[1]} privilege {granted[2].strip()}" + (f" on {where[1]}" if where else "")


def reason(reply: Reply) -> str:
    """What the server says is wrong, in its words; the innermost reason of several."""
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    if isinstance(error, dict):
        inner = error
        while isinstance(inner.get("caused_by"), dict):
            inner = inner["caused_by"]
        outer = str(error.get("reason") or error.get("type"))
        return outer if inner is error else f"{outer}: {inner.get('reason')}"
    return str(error or reply.body or f"status {reply.status}")[:500]


def told(reply: Reply) -> Body:
    """What an answer says, as an object; empty for a refusal or anything else."""
    return reply.body if reply.status == 200 and isinstance(reply.body, dict) else {}


def lacks_api(reply: Reply) -> bool:
    """Whether the server has no such API, or not for us."""
    return reply.status in (405, 410) or (reply.status in (400, 404) and NO_HANDLER.search(reason(reply)) is not None)
