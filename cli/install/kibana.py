"""Dashboards -> Kibana, through its saved objects API, by space. A tag among them carries the version, so that nothing is imported twice.

`/api/saved_objects/_import` and `_export` are what serverless has too. Credentials are those for Elasticsearch.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cli.install.server import Request, reason
from cli.install.steps import Step
from shared.errors import Misconfigured, Retry
from shared.settings import Settings
from shared.ship.client import Reply, credential_setting
from shared.ship.trust import tls_context

TAG = {"type": "tag", "id": "defender-to-elasticsearch"}
TAG_NAME, TAG_COLOUR = "Defender to Elasticsearch", "#0078D4"
BOUNDARY = "defender-to-elasticsearch-7MA4YWxkTrZu0gW"
# (method, path below the address, body, content type) -> Reply
AskKibana = Callable[[str, str, bytes | None, str], Reply]


def kibana(settings: Settings, url: str) -> AskKibana:
    """Asks the Kibana at an address. Raises Misconfigured naming the setting, or Retry where no answer comes."""
    context = (tls_context(settings, [url]) or ssl.create_default_context()) if url.startswith("https:") else None
    if settings.elasticsearch_api_key:
        credentials = f"ApiKey {settings.elasticsearch_api_key}"
    else:
        pair = f"{settings.elasticsearch_username}:{settings.elasticsearch_password}"
        credentials = f"Basic {base64.b64encode(pair.encode()).decode()}"
    setting = credential_setting(settings)

    def ask(method: str, path: str, body: bytes | None, content: str) -> Reply:
        headers = {"authorization": credentials, "kbn-xsrf": "true", "content-type": content}
        request = urllib.request.Request(url + path, body, headers, method=method)  # noqa: S310  the setting takes http(s) only
        try:
            with urllib.request.urlopen(request, timeout=settings.elasticsearch_timeout, context=context) as answer:  # noqa: S310
                reply = Reply(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            reply = Reply(error.code, error.read())
        except OSError as error:
            words = str(getattr(error, "reason", error))
            if "CERTIFICATE_VERIFY_FAILED" in words:
                raise Misconfigured(
                    "KIBANA_URL", f"its certificate is not trusted ({words}); ELASTICSEARCH_CA serves for both."
                ) from None
            raise Retry(f"KIBANA_URL: Kibana can not be reached ({words})") from None
        if reply.status in (401, 403):
            lacks = (
                "are not accepted by Kibana"
                if reply.status == 401
                else "lack the Kibana privilege Saved Objects Management: All"
            )
            raise Misconfigured(setting, f"the credentials {lacks} ({said(reply)}).")
        if reply.status == 429 or reply.status >= 500:
            raise Retry(f"Kibana answered {reply.status}: {said(reply)}")
        return reply

    return ask


def said(reply: Reply) -> str:
    """What Kibana says is wrong, in its words."""
    body = reply.body
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return body.decode(errors="replace")[:300]
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return reason(Reply(reply.status, body))


def version_of(files: Mapping[str, str]) -> str:
    """A short mark of what the dashboards are."""
    whole = "\0".join(f"{name}\0{text}" for name, text in sorted(files.items()))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def objects(files: Mapping[str, str]) -> list[dict[str, Any]]:
    """The saved objects of the files, each once (dashboards share a data view), dashboards with our tag, and the tag; no export's summary."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for _, text in sorted(files.items()):
        for line in text.splitlines():
            item = json.loads(line) if line.strip() else {}
            if "type" in item:
                if item["type"] == "dashboard":
                    tag = {"type": "tag", "id": TAG["id"], "name": f"tag-ref-{TAG['id']}"}
                    item["references"] = [*(item.get("references") or ()), tag]
                found[item["type"], item["id"]] = item
    words = f"Dashboards of version {version_of(files)}"
    tag_itself = {**TAG, "attributes": {"name": TAG_NAME, "description": words, "color": TAG_COLOUR}, "references": []}
    return [*found.values(), tag_itself]


def path_in(space: str, path: str) -> str:
    """An API's path in a space."""
    return path if space == "default" else f"/s/{space}{path}"


def installed_version(ask: AskKibana, space: str, files: Mapping[str, str]) -> str | None:
    """The description of our tag in a space, if every object is there; None if something is missing."""
    wanted = [{"type": item["type"], "id": item["id"]} for item in objects(files)]
    body = json.dumps({"objects": wanted, "excludeExportDetails": True, "includeReferencesDeep": False}).encode()
    reply = ask("POST", path_in(space, "/api/saved_objects/_export"), body, "application/json")
    if reply.status == 404:
        raise Misconfigured(
            "KIBANA_URL",
            f"has no saved objects API in the space {space} ({said(reply)}): is it Kibana's address, with its base path?",
        )
    if reply.status != 200 or not isinstance(reply.body, bytes):
        return None
    for line in reply.body.decode().splitlines():
        item = json.loads(line) if line.strip() else {}
        if item.get("type") == TAG["type"] and item.get("id") == TAG["id"]:
            return str((item.get("attributes") or {}).get("description"))
    return None


def dashboard_steps(ask: AskKibana, files: Mapping[str, str], spaces: Sequence[str]) -> list[Step]:
    """A step for each space; `requests` say what is sent, `import_dashboards` does it."""
    if not files:
        return []
    want = f"Dashboards of version {version_of(files)}"
    number = sum(item["type"] == "dashboard" for item in objects(files))
    steps = []
    for space in spaces:
        have = installed_version(ask, space, files)
        words = f"{number} dashboards"
        if have == want:
            steps.append(Step("dashboards", space, "unchanged", words))
        else:
            request = Request("POST", path_in(space, "/api/saved_objects/_import?overwrite=true"))
            before = {"version": have} if have else None
            steps.append(
                Step("dashboards", space, "changed" if have else "new", words, before, {"version": want}, (request,))
            )
    return steps


def import_dashboards(ask: AskKibana, step: Step, files: Mapping[str, str]) -> None:
    """All objects in one request. Raises Misconfigured with what Kibana did not take."""
    lines = "".join(json.dumps(item) + "\n" for item in objects(files))
    body = (
        f"--{BOUNDARY}\r\n"
        'content-disposition: form-data; name="file"; filename="defender-to-elasticsearch.ndjson"\r\n'
        f"content-type: application/ndjson\r\n\r\n{lines}\r\n--{BOUNDARY}--\r\n"
    ).encode()
    for request in step.requests:
        reply = ask(request.method, request.path, body, f"multipart/form-data; boundary={BOUNDARY}")
        answer = json.loads(reply.body) if isinstance(reply.body, bytes) and reply.status == 200 else {}
        if not answer.get("success"):
            first: dict[str, Any] = next(iter(answer.get("errors") or ()), {})
            what = (
                f"{first.get('type')} {first.get('id')}: {(first.get('error') or {}).get('type')}"
                if first
                else said(reply)
            )
            raise Misconfigured("KIBANA_URL", f"the dashboards are not imported in the space {step.name} ({what}).")


def removal_steps(ask: AskKibana, files: Mapping[str, str], spaces: Sequence[str]) -> Iterator[Step]:
    """Delete each dashboard, data view and the tag, space by space; where Kibana has no such API (serverless) they are left and named."""
    for space in spaces:
        if installed_version(ask, space, files) is None:
            continue
        removed, left = 0, []
        for item in objects(files):
            reply = ask(
                "DELETE", path_in(space, f"/api/saved_objects/{item['type']}/{item['id']}"), None, "application/json"
            )
            removed += reply.status == 200
            if reply.status not in (200, 404):
                left.append(f"{item['type']} {item['id']}")
        if left:
            yield Step(
                "dashboards",
                space,
                "left",
                f"this Kibana lets nobody delete them this way; in its Saved Objects page: {', '.join(left[:4])}, …",
            )
        else:
            yield Step("dashboards", space, "removed", f"{removed} saved objects")
