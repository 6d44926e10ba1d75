"""Settings -> the `elasticsearch` client, and a request -> the status and body of the server's answer.

The client's own retries are off: `delivery` decides what is sent again. `elasticsearch` is imported at the first use.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from shared.errors import Misconfigured, Retry
from shared.settings import Settings
from shared.ship.bulk import gzipped
from shared.ship.trust import tls_context

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

# require_data_stream: a missing index template is an error and never a plain index (Elasticsearch 8.13 and newer).
# Every item has a status, so filter_path can not make one vanish and the positions hold.
ANSWER = "filter_path=errors,items.*.status,items.*.error,items.*.failure_store"
BULK = f"/_bulk?require_data_stream=true&{ANSWER}"
BULK_LATEST = f"/_bulk?{ANSWER}"  # latest views are plain indices
JSON_HEADERS = {"accept": "application/json", "content-type": "application/json"}
BULK_HEADERS = {"accept": "application/json", "content-type": "application/x-ndjson"}
CONNECTIONS = 64  # most kept to one node; made when needed
NOT_TRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|doesn't match|certificate verify failed", re.IGNORECASE)
NOT_TLS = re.compile(r"WRONG_VERSION_NUMBER|record layer failure|HTTP_REQUEST", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said: HTTP status, body (parsed JSON, else its bytes), and the Retry-After header if any."""

    status: int
    body: object
    retry_after: str | None = None


# (bulk body, seconds it may take) -> Reply; raises Retry where no answer came, Misconfigured where none can come.
Post = Callable[[bytes, float], Reply]
# (method, path, body or None, seconds it may take) -> Reply; raises as a Post does.
Ask = Callable[[str, str, object, float], Reply]


class Bodies:
    """What the client's transport asks for: bytes go out as they are, JSON comes in by orjson, anything else as bytes.

    The client's own collection raises on a truncated or non-JSON body, and the status is lost with it.
    """

    def dumps(self, data: Any, mimetype: str | None = None) -> bytes:  # noqa: ARG002  the transport passes it
        """A request body as bytes."""
        return data if isinstance(data, bytes) else orjson.dumps(data)

    def loads(self, data: bytes, mimetype: str | None = None) -> Any:  # noqa: ARG002  the transport passes it
        """A response body: parsed where it is JSON, None where empty, else as it came."""
        if not data:
            return None
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return data


def credential_setting(settings: Settings) -> str:
    """Name of the setting that holds the credentials in use."""
    return "ELASTICSEARCH_API_KEY" if settings.elasticsearch_api_key else "ELASTICSEARCH_USERNAME"


def open_client(settings: Settings) -> Elasticsearch:
    """The client that the settings describe: TLS verified, no retries and no sniffing of its own.

    Raises Misconfigured naming the setting that makes no sense. Nothing is contacted, except that a CA's fingerprint
    has to be looked up in what the server presents (then also Retry).
    """
    from elasticsearch import Elasticsearch

    options: dict[str, Any] = {
        "request_timeout": settings.elasticsearch_timeout,
        "max_retries": 0,
        "retry_on_status": (),
        "retry_on_timeout": False,
        "http_compress": False,  # `client_post` compresses, at a faster level than the client's 9
        "connections_per_node": CONNECTIONS,
    }
    if settings.elasticsearch_cloud_id:
        addresses = [cloud_address(settings.elasticsearch_cloud_id)]
    else:
        addresses = with_ports(settings.elasticsearch_url or ())
    options["hosts"] = addresses
    if settings.elasticsearch_api_key:
        options["api_key"] = settings.elasticsearch_api_key
    else:
        options["basic_auth"] = (settings.elasticsearch_username or "", settings.elasticsearch_password or "")
    secure = [address for address in addresses if address.startswith("https:")]
    context = tls_context(settings, secure) if secure else None
    if context is not None:
        options["ssl_context"] = context
    try:
        client = Elasticsearch(**options)
    except ValueError as error:
        raise Misconfigured("ELASTICSEARCH_URL", f"makes no sense to the client: {error}") from None
    client.transport.serializers = Bodies()  # type: ignore[assignment]  # the two methods the transport calls
    return client


def cloud_address(cloud_id: str) -> str:
    """The address in a cloud id: `name:` and base64 of `host$elasticsearch$kibana`, as Elastic Cloud shows it."""
    from elastic_transport.client_utils import parse_cloud_id

    try:
        host, port = parse_cloud_id(cloud_id).es_address or (None, None)
    except ValueError:
        host = None
    if not host:
        raise Misconfigured("ELASTICSEARCH_CLOUD_ID", "is not a cloud id: copy it from the deployment's page.")
    return f"https://{host}:{port}"


def with_ports(urls: tuple[str, ...]) -> list[str]:
    """Addresses with the port that a browser would take where they name none; the client wants one spelt out."""
    result = []
    for address in urls:
        scheme, _, rest = address.partition("://")
        host, slash, path = rest.partition("/")
        if not re.search(r":\d+$", host):
            host += ":443" if scheme == "https" else ":80"
        result.append(f"{scheme}://{host}{slash}{path}")
    return result


def client_post(settings: Settings, client: Elasticsearch | None = None, path: str = BULK) -> Post:
    """A function that sends one bulk body through the client, opened at the first call, and gives the answer.

    It raises Retry where no answer came (the server may have indexed or not: ids make sending again safe), and
    Misconfigured where the server is not trusted or is not Elasticsearch.
    """
    perform = performer(settings, client)

    def post(body: bytes, seconds: float) -> Reply:
        headers = BULK_HEADERS
        if settings.bulk_compress:
            body, headers = gzipped(body), headers | {"content-encoding": "gzip"}
        return perform("bulk", "PUT", path, body, headers, seconds)

    return post


def client_ask(settings: Settings, client: Elasticsearch | None = None) -> Ask:
    """A function that sends any other request, its body as JSON, likewise."""
    perform = performer(settings, client)

    def ask(method: str, path: str, body: object, seconds: float) -> Reply:
        return perform("search", method, path, body, JSON_HEADERS, seconds)

    return ask


def performer(
    settings: Settings, client: Elasticsearch | None
) -> Callable[[str, str, str, object, dict[str, str], float], Reply]:
    """What sends a request through the client, which is opened at the first call; the first argument names it in traces."""
    lock = threading.Lock()
    opened = client

    def connection() -> Elasticsearch:
        nonlocal opened
        with lock:
            if opened is None:
                opened = open_client(settings)
            return opened

    def perform(name: str, method: str, path: str, body: object, headers: dict[str, str], seconds: float) -> Reply:
        from elasticsearch import ApiError, TransportError, UnsupportedProductError

        timeout = min(settings.elasticsearch_timeout, seconds)
        try:
            answer: Any = (
                connection()
                .options(request_timeout=timeout)
                .perform_request(method, path, headers=headers, body=body, endpoint_id=name)
            )
        except UnsupportedProductError:
            raise Misconfigured("ELASTICSEARCH_URL", "what answers there is not Elasticsearch.") from None
        except ApiError as error:
            answer = error
        except TransportError as error:
            raise no_answer(error, settings) from None  # the client's own text repeats it, with the request
        return Reply(answer.meta.status, answer.body, answer.meta.headers.get("retry-after"))

    return perform


def no_answer(error: Exception, settings: Settings) -> Retry | Misconfigured:
    """What it means that no answer came: a server that is not trusted is for a person to mend, all else passes."""
    from elasticsearch import ConnectionTimeout, SSLError

    words = str(getattr(error, "message", error))[:300]
    if NOT_TRUSTED.search(words):
        name = "ELASTICSEARCH_CA_FINGERPRINT" if settings.elasticsearch_ca_fingerprint else "ELASTICSEARCH_CA"
        return Misconfigured(name, f"the certificate of Elasticsearch is not trusted ({words}).")
    if isinstance(error, SSLError) and NOT_TLS.search(words):
        return Misconfigured("ELASTICSEARCH_URL", f"says https, but the server does not speak TLS ({words}).")
    if isinstance(error, ConnectionTimeout):
        return Retry(f"Elasticsearch did not answer in time ({words})")
    return Retry(f"Elasticsearch can not be reached ({words})")
