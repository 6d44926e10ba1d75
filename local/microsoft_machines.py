"""Defender for Endpoint of the fake: vulnerabilities as export files behind signed links on another port, and as pages by machine."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from local.microsoft_http import Answer, Request, Row, api_error, blob_error
from local.microsoft_odata import Refused, number

SIGNING = secrets.token_bytes(32)
MOST_ROWS = 200_000

type Lines = Callable[[], Iterable[bytes]]  # a file's plain bytes, made when asked for


@dataclass(slots=True)
class Export:
    """One export: when it was made, and its files by path. packed: whether they are gzipped."""

    generated: str = "2026-01-02T00:00:00Z"
    files: dict[str, list[Row] | Lines] = field(default_factory=dict)
    packed: bool = True


class Machines(Protocol):
    """What these routes need of a tenant."""

    export: Export
    vulnerabilities: list[Row]


def export(tenant: Machines, files: str, until: float) -> Answer:
    """`/api/machines/SoftwareVulnerabilitiesExport`: links that are good until then (epoch seconds)."""
    return Answer(
        value={
            "@odata.context": "https://api.securitycenter.microsoft.com/api/$metadata#microsoft.windowsDefenderATP.api.ExportFilesResponse",
            "exportFiles": [signed(files, path, until) for path in tenant.export.files],
            "generatedTime": tenant.export.generated,
        }
    )


def signed(files: str, path: str, until: float) -> str:
    """A link with a shared access signature."""
    end = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{files}{quote(path)}?sv=2021-08-06&se={quote(end)}&sr=b&sp=r&sig={quote(signature(path, end))}"


def signature(path: str, end: str) -> str:
    """What only the fake can write."""
    return hmac.new(SIGNING, f"{path}\n{end}".encode(), hashlib.sha256).hexdigest()


def file(tenants: Iterable[Machines], request: Request, now: float) -> Answer:
    """A file, if its link is signed and has not run out; a request with a token is refused, as Azure Storage does."""
    if "authorization" in request.headers:
        return blob_error(
            400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format."
        )
    end = request.query.get("se", "")
    if not hmac.compare_digest(signature(request.path, end), request.query.get("sig", "")):
        return blob_error(
            403, "AuthenticationFailed", "Server failed to authenticate the request. Signature did not match."
        )
    if datetime.fromisoformat(end).timestamp() <= now:
        return blob_error(403, "AuthenticationFailed", f"Signed expiry time [{end}] must be after signed start time.")
    for tenant in tenants:
        found = tenant.export.files.get(request.path)
        if found is not None:
            lines = found() if callable(found) else (orjson.dumps(row) + b"\n" for row in found)
            body = (
                b"".join(packed(lines))
                if tenant.export.packed and not callable(found)
                else packed(lines)
                if tenant.export.packed
                else lines
            )
            return Answer(
                body=body, headers={"content-type": "application/octet-stream", "x-ms-blob-type": "BlockBlob"}
            )
    return blob_error(404, "BlobNotFound", "The specified blob does not exist.")


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gzipped as it comes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        if out := packer.compress(piece):
            yield out
    yield packer.flush()


def by_machine(tenant: Machines, request: Request) -> Answer:
    """`/api/machines/SoftwareVulnerabilitiesByMachine`, page by page."""
    try:
        size, begin = number(request.query, "pageSize", 50_000), number(request.query, "$skiptoken", 0)
    except Refused as refused:
        return api_error(400, "InvalidRequestParameter", str(refused))
    if not 0 < size <= MOST_ROWS:
        return api_error(400, "InvalidRequestParameter", f"pageSize must be between 1 and {MOST_ROWS}.")
    rows = tenant.vulnerabilities[begin : begin + size]
    beside: dict[str, Any] = {
        "@odata.context": "https://api.securitycenter.microsoft.com/api/$metadata#Collection(AssetVulnerability)"
    }
    if begin + size < len(tenant.vulnerabilities):
        beside["@odata.nextLink"] = request.link(_skiptoken=str(begin + size))
    return Answer(value=beside, rows=list(rows))
