"""Elasticsearch and Kibana as far as the installer speaks to them, over HTTP, in flavours that can not run here: serverless, 9.x, lacking privileges.

What it keeps it gives back as the real ones do: settings nested and as text, defaults added. Words of refusals are theirs.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from cli.install.mappings import composed, merged, settings_of

CLOSED = ("index.codec", "index.lifecycle", "index.number_of_shards")  # to customers of serverless


@dataclass(slots=True)
class Stack:
    """The state of both, and every request but GETs (method, path) in order."""

    url: str = ""
    version: str = "9.1.3"
    flavour: str = "default"
    lacks: tuple[str, str] | None = None  # (beginning of a path, sentence): refused with 403
    templates: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=lambda: {"policy": {}, "pipeline": {}, "transform": {}})
    streams: dict[str, Any] = field(default_factory=dict)
    indices: dict[str, Any] = field(default_factory=dict)
    saved: dict[str, dict[tuple[str, str], Any]] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """App settings that lead here."""
        return {"ELASTICSEARCH_URL": self.url, "ELASTICSEARCH_API_KEY": "a2V5OmtleQ=="}

    def new_index(self, name: str) -> dict[str, Any]:
        """What an index or backing index of that name would have now."""
        matching = [
            body for body in self.templates.values() if any(fnmatchcase(name, p) for p in body["index_patterns"])
        ]
        best: dict[str, Any] = max(matching, key=lambda body: int(body.get("priority") or 0), default={})
        return {**composed(best, self.components), "aliases": (best.get("template") or {}).get("aliases", {})}

    def write(self, name: str) -> str:
        """A document arrives: the data stream is made, or rolls over if it was told to; the name of its write index."""
        stream = self.streams.get(name)
        if stream is None or stream["rollover_on_write"]:
            number = len(stream["indices"]) + 1 if stream else 1
            index = f".ds-{name}-{number:06}"
            self.indices[index] = self.new_index(name)
            stream = stream or {"name": name, "indices": [], "lifecycle": {"enabled": True}}
            self.streams[name] = {
                **stream,
                "indices": [*stream["indices"], {"index_name": index}],
                "rollover_on_write": False,
            }
        return str(self.streams[name]["indices"][-1]["index_name"])

    def answer(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any]:
        """Status and body."""
        if self.lacks and path.startswith(self.lacks[0]):
            return refusal(403, "security_exception", self.lacks[1])
        if path == "/":
            return 200, {"version": {"number": self.version, "build_flavor": self.flavour}}
        if path.startswith("/_ilm") and self.flavour == "serverless":
            words = f"Request for uri [{path}] with method [{method}] exists but is not available when running in serverless mode"
            return refusal(410, "api_not_available_exception", words)
        first, *rest = path.strip("/").split("/")
        if first == "_index_template":
            return self.template(method, self.templates, "index_template", rest[0] if rest else "*", body)
        if first == "_component_template":
            return self.template(method, self.components, "component_template", rest[0], body)
        if first in ("_ilm", "_ingest", "_transform"):
            return self.simple(method, first, rest, body)
        if first == "_data_stream":
            return self.data_stream(method, rest, body)
        return self.index(method, first, rest, query, body)

    def template(self, method: str, kind: dict[str, Any], key: str, name: str, body: Any) -> tuple[int, Any]:
        """Index and component templates."""
        if method == "GET":
            found = [{"name": n, key: given_back(b)} for n, b in kind.items() if fnmatchcase(n, name)]
            return (200 if found else 404), {f"{key}s": found}
        if method == "DELETE":
            return (
                (200, {"acknowledged": True})
                if kind.pop(name, None)
                else refusal(404, "resource_not_found_exception", name)
            )
        closed = [s for s in settings_of(body["template"].get("settings") or {}) if s.startswith(CLOSED)]
        if closed and self.flavour == "serverless":
            words = f"Settings [{','.join(closed)}] are not available when running in serverless mode"
            return refusal(400, "illegal_argument_exception", words)
        missing = (
            set(body.get("composed_of", ()))
            - set(self.components)
            - set(body.get("ignore_missing_component_templates", ()))
        )
        if missing:
            return refusal(
                400, "invalid_index_template_exception", f"component templates {sorted(missing)} do not exist"
            )
        kind[name] = body
        return 200, {"acknowledged": True}

    def simple(self, method: str, first: str, rest: list[str], body: Any) -> tuple[int, Any]:
        """Policies, pipelines and transforms."""
        kind = "transform" if first == "_transform" else rest.pop(0)
        name, *verb = rest
        have = self.kept[kind]
        if verb or name == "_simulate":
            return 200, {"docs": []}
        if method == "GET":
            found = {n: b for n, b in have.items() if fnmatchcase(n, name)}
            if kind == "transform":
                return (200 if found else 404), {
                    "transforms": [{"id": n, "version": "10.0.0", **b} for n, b in found.items()]
                }
            return (200 if found else 404), found
        if method == "PUT":
            have[name] = body
        elif have.pop(name, None) is None:
            return refusal(404, "resource_not_found_exception", name)
        return 200, {"acknowledged": True}

    def data_stream(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        """Data streams and their lifecycle."""
        if method == "PUT":
            self.streams[rest[0]]["lifecycle"] = {"enabled": True, **body}
            return 200, {"acknowledged": True}
        found = [s for n, s in self.streams.items() if any(fnmatchcase(n, p) for p in rest[0].split(","))]
        return 200, {"data_streams": found}

    def index(self, method: str, name: str, rest: list[str], query: str, body: Any) -> tuple[int, Any]:
        """Indices, aliases, rollover."""
        if rest == ["_rollover"]:
            self.streams[name]["rollover_on_write"] = True
            if "lazy" not in query:
                self.write(name)
        elif method == "GET":
            found = {n: self.indices[n] for n in name.split(",") if n in self.indices}
            return (200 if found else 404), found
        elif rest == ["_mapping"]:
            self.indices[name]["mappings"] = merged(self.indices[name]["mappings"], body)
        elif rest == ["_settings"]:
            self.indices[name]["settings"] |= settings_of(body)
        elif method == "PUT":
            self.indices[name] = self.new_index(name)
        return 200, {"acknowledged": True}

    def kibana(self, method: str, path: str, body: bytes, headers: Any) -> tuple[int, Any]:
        """The saved objects API."""
        if method != "GET" and not headers.get("kbn-xsrf"):
            return 400, {"message": "Request must contain a kbn-xsrf header."}
        match = re.fullmatch(r"(?:/s/([^/]+))?/api/saved_objects/(.+)", path)
        if match is None:
            return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}
        objects = self.saved.setdefault(match[1] or "default", {})
        if match[2] == "_import":
            part = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            items = [json.loads(line) for line in part.splitlines() if line.strip()]
            if len({(item["type"], item["id"]) for item in items}) < len(items):
                return 400, {"statusCode": 400, "message": "Non-unique import objects detected"}
            objects |= {(item["type"], item["id"]): item for item in items}
            return 200, {"success": True, "successCount": len(items)}
        if match[2] == "_export":
            wanted = [(item["type"], item["id"]) for item in json.loads(body)["objects"]]
            if any(key not in objects for key in wanted):
                return 400, {"statusCode": 400, "error": "Bad Request", "message": "Error fetching objects to export"}
            return 200, "".join(json.dumps(objects[key]) + "\n" for key in wanted).encode()
        if self.flavour == "serverless":
            return 400, {
                "statusCode": 400,
                "message": f"uri [{path}] with method [{method}] exists but is not available",
            }
        kind, _, name = match[2].partition("/")
        return (200, {}) if objects.pop((kind, name), None) else (404, {"statusCode": 404})


def refusal(status: int, kind: str, words: str) -> tuple[int, Any]:
    """An error as Elasticsearch forms it."""
    return status, {
        "error": {"root_cause": [{"type": kind, "reason": words}], "type": kind, "reason": words},
        "status": status,
    }


def given_back(body: dict[str, Any]) -> dict[str, Any]:
    """A template as the server tells it."""
    result = json.loads(json.dumps(body))
    nested: dict[str, Any] = {}
    for name, value in settings_of(result.get("template", {}).pop("settings", {})).items():
        node = nested
        *path, leaf = name.split(".")
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = value
    if nested:
        result["template"]["settings"] = nested
    if "data_stream" in result:
        result["data_stream"] = {"hidden": False, "allow_custom_routing": False}
    return {**result, "created_date_millis": 1, "modified_date_millis": 2}


@contextmanager
def elastic_stack(**options: Any) -> Iterator[Stack]:
    """Both, on one address, until the end."""
    stack = Stack(**options)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body of an answer in one packet

        def respond(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.command != "GET" and not path.endswith(("_export", "_simulate")):
                stack.done.append((self.command, path))
            if "/api/" in path:
                status, said = stack.kibana(self.command, path, body, self.headers)
            else:
                status, said = stack.answer(self.command, path, parts.query, json.loads(body) if body else None)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("x-elastic-product", "Elasticsearch")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = respond  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stack.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stack
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
