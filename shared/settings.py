"""Environment -> one frozen `Settings`, read once; docs/settings.md and local.settings.example.json are made from it.

A field is a setting: its metadata carry the environment variable's name, the words for the reference page, an example
and whether it is a secret. A wrong value raises `Misconfigured` with one sentence that names the setting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Self

from shared.errors import Misconfigured

KEY_VAULT = "@Microsoft.KeyVault("  # what Azure leaves in a variable whose reference it could not follow
MOST_SHIP_SECONDS = 420  # host.json's functionTimeout less what waiting for a thread and dead letters may take
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def text(value: str) -> str:
    """Any text, outer blanks removed."""
    return value.strip()


def verbatim(value: str) -> str:
    """Any text, taken as it is."""
    return value


def boolean(value: str) -> bool:
    """`true` or `false` (also 1/0, yes/no, on/off)."""
    word = value.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError("is neither true nor false")


def number(low: float, high: float) -> Callable[[str], float]:
    """A number between two bounds, both allowed."""

    def parse(value: str) -> float:
        result = float(value)
        if not (math.isfinite(result) and low <= result <= high):
            raise ValueError(f"is not between {low:g} and {high:g}")
        return result

    parse.__doc__ = f"A number from {low:g} to {high:g}."  # for the reference page
    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number between two bounds, both allowed."""

    def parse(value: str) -> int:
        result = int(value)
        if not low <= result <= high:
            raise ValueError(f"is not between {low} and {high}")
        return result

    parse.__doc__ = f"A whole number from {low} to {high}."
    return parse


def day(value: str) -> float:
    """A day or a moment (ISO 8601, UTC if it names no zone), such as 2027-03-31 -> seconds since 1970."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("is not a day such as 2027-03-31") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def names(value: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)


def url(value: str) -> str:
    """One http or https address, without its last slash."""
    result = value.strip().rstrip("/")
    if "@" in result:
        raise ValueError("holds a user name or password: these have settings of their own")
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", result):
        raise ValueError("is not an http(s) address such as https://host:9200")
    return result


def urls(value: str) -> tuple[str, ...]:
    """Addresses, http or https, with commas between them."""
    return tuple(url(part) for part in names(value))


def namespace(value: str) -> str:
    """A data stream namespace: lower case, no hyphen, at most 100 bytes (Elastic's naming scheme)."""
    result = value.strip()
    if not result or len(result.encode()) > 100 or not re.fullmatch(r'[^\s"*,/<>?\\|:#A-Z-]+', result):
        raise ValueError('may hold neither upper case letters nor any of -"*,/<>?\\|:# nor blanks')
    return result


def container(value: str) -> str:
    """A blob container's name: 3 to 63 of a-z, 0-9 and single hyphens."""
    result = value.strip()
    if not re.fullmatch(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", result):
        raise ValueError("is not a container name: 3 to 63 of a-z, 0-9 and single hyphens")
    return result


def filters(value: str) -> tuple[tuple[str, str | None, float], ...]:
    """`Table`, `Table/ActionType`, either with `=share kept`: `DeviceEvents/NamedPipeEvent, DeviceImageLoadEvents=0.1`.

    Returns (table, ActionType or None for all, share of records kept from 0 to 1).
    """
    result = []
    for part in names(value):
        match = re.fullmatch(r"([A-Za-z]\w*)(?:/([^=/]+))?(?:=([0-9.]+))?", part)
        share = float(match[3] or 0) if match else -1.0
        if match is None or not 0 <= share <= 1:
            raise ValueError(f"{part!r} is not Table, Table/ActionType or either with =share from 0 to 1")
        result.append((match[1], match[2].strip() if match[2] else None, share))
    return tuple(result)


def setting(
    name: str,
    words: str,
    parse: Callable[[str], object],
    *,
    default: object = None,
    example: str = "",
    secret: bool = False,
) -> Any:
    """A dataclass field that is read from the environment variable `name`."""
    metadata = {"name": name, "words": words, "parse": parse, "example": example, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromEnvironment:
    """What all groups of settings have in common: each field is read by its own parser."""

    @classmethod
    def read_all(cls, environment: Mapping[str, str], prefix: str = "") -> Self:
        """Read every field; raise `Misconfigured` at the first that makes no sense.

        prefix: `CONTOSO__` reads CONTOSO__CLIENT_ID, and where that is not set CLIENT_ID.
        """
        return cls(**{item.name: cls.read_one(item.name, environment, prefix) for item in fields(cls)})

    @classmethod
    def read_one(cls, field_name: str, environment: Mapping[str, str], prefix: str = "") -> Any:
        """Read one setting by its field's name, whatever the others hold; `Misconfigured` if it makes no sense."""
        item = cls.__dataclass_fields__[field_name]
        name = item.metadata["name"]
        if prefix and environment.get(prefix + name, "").strip():
            name = prefix + name
        raw = environment.get(name, "")
        if not raw.strip():
            return item.default
        if raw.strip().startswith(KEY_VAULT):
            raise Misconfigured(
                name, "its Key Vault reference is not resolved: look at the vault's access and firewall."
            )
        try:
            return item.metadata["parse"](raw)
        except ValueError as error:
            shown = "its value" if item.metadata["secret"] or "@" in raw else repr(raw)
            raise Misconfigured(name, f"{shown} {reason(error)}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(FromEnvironment):
    """Everything that can be set, by app setting (environment variable)."""

    elasticsearch_url: tuple[str, ...] | None = setting(
        "ELASTICSEARCH_URL",
        "Address of Elasticsearch; several with commas. Either this or ELASTICSEARCH_CLOUD_ID.",
        urls,
        example="https://elasticsearch.example.com:9200",
    )
    elasticsearch_cloud_id: str | None = setting(
        "ELASTICSEARCH_CLOUD_ID", "Cloud id of an Elastic Cloud deployment, instead of an address.", text
    )
    elasticsearch_api_key: str | None = setting(
        "ELASTICSEARCH_API_KEY",
        "API key, in its encoded form; in Azure a Key Vault reference.",
        text,
        example="bm90LWEta2V5Om9ubHktYW4tZXhhbXBsZQ==",
        secret=True,
    )
    elasticsearch_username: str | None = setting(
        "ELASTICSEARCH_USERNAME", "User name, for development; an API key is better.", text
    )
    elasticsearch_password: str | None = setting(
        "ELASTICSEARCH_PASSWORD", "Password of that user.", verbatim, secret=True
    )
    elasticsearch_api_key_expires: float | None = setting(
        "ELASTICSEARCH_API_KEY_EXPIRES", "When that key ends, so that an alert comes three weeks before.", day
    )
    elasticsearch_ca: str | None = setting(
        "ELASTICSEARCH_CA", "Certificate authority to trust: a path to a PEM file, or the PEM text itself.", text
    )
    elasticsearch_ca_fingerprint: str | None = setting(
        "ELASTICSEARCH_CA_FINGERPRINT", "SHA-256 fingerprint of the certificate authority, instead of the file.", text
    )
    elasticsearch_timeout: float = setting(
        "ELASTICSEARCH_TIMEOUT", "Seconds that one request may take.", number(1, 600), default=60.0
    )
    namespace: str = setting(
        "NAMESPACE", "Namespace of the data streams: logs-m365_defender.event-NAMESPACE.", namespace, default="default"
    )
    bulk_max_bytes: int = setting(
        "BULK_MAX_BYTES",
        "Largest bulk request in bytes before compression; Elasticsearch refuses 100 MB by default.",
        whole(10_000, 90_000_000),
        default=4_000_000,
    )
    bulk_max_documents: int = setting(
        "BULK_MAX_DOCUMENTS", "Most documents in one bulk request.", whole(1, 20_000), default=1_500
    )
    bulk_concurrency: int = setting(
        "BULK_CONCURRENCY", "Bulk requests under way at once in one invocation.", whole(1, 16), default=2
    )
    bulk_compress: bool = setting("BULK_COMPRESS", "Whether bulk requests are gzipped.", boolean, default=True)
    ship_seconds: float = setting(
        "SHIP_SECONDS",
        "Seconds that one invocation may spend on getting its documents indexed, retries included; "
        "then the batch is handed back and comes again. Must end well before functionTimeout in host.json, because a "
        "batch that is cut off by the host counts as done.",
        number(1, MOST_SHIP_SECONDS),
        default=240.0,
    )
    preserve_original_event: bool = setting(
        "PRESERVE_ORIGINAL_EVENT", "Whether event.original keeps the record's own text.", boolean, default=False
    )
    preserve_duplicate_custom_fields: bool = setting(
        "PRESERVE_DUPLICATE_CUSTOM_FIELDS",
        "Whether a vendor field stays when its value was copied to an ECS field.",
        boolean,
        default=False,
    )
    record_filter: tuple[tuple[str, str | None, float], ...] = setting(
        "RECORD_FILTER",
        "Records not wanted, by exact name: Table or Table/ActionType, dropped, or with =share that share of them "
        "kept (the same records on every redelivery).",
        filters,
        default=(),
        example="DeviceEvents/NamedPipeEvent, DeviceImageLoadEvents=0.1",
    )
    storage: str = setting(
        "STORAGE",
        "Prefix of the app settings that say where the blobs for dead letters and state are: PREFIX itself holds a "
        "connection string, or PREFIX__blobServiceUri (or PREFIX__accountName) an account that the identity may use.",
        text,
        default="AzureWebJobsStorage",
    )
    dead_letter_container: str = setting(
        "DEAD_LETTER_CONTAINER", "Blob container for dead letters.", container, default="dead-letter"
    )
    state_container: str = setting(
        "STATE_CONTAINER",
        "Blob container for what was last received per source, and for the drift report.",
        container,
        default="state",
    )
    ship_runs: bool = setting(
        "SHIP_RUNS",
        "Whether a small document tells about once a minute what was done, in "
        "logs-defender_to_elasticsearch.run-NAMESPACE, for the dashboard of the pipeline's health. Where the "
        "credentials may not write there, that is told once and holds nothing.",
        boolean,
        default=True,
    )
    xdr_event_hub_names: tuple[str, ...] = setting(
        "XDR_EVENT_HUB_NAMES",
        "Event hub that carries Defender XDR's streaming export; several with commas. Empty: no such trigger. The "
        "connection is the app setting XDR_EVENT_HUB (a connection string) or XDR_EVENT_HUB__fullyQualifiedNamespace.",
        names,
        default=(),
        example="defender-xdr",
    )
    xdr_consumer_group: str = setting(
        "XDR_CONSUMER_GROUP", "Consumer group of our own on that hub.", text, default="$Default"
    )
    cloud_event_hub_names: tuple[str, ...] = setting(
        "CLOUD_EVENT_HUB_NAMES",
        "Event hub that carries Defender for Cloud's continuous export; several with commas. Empty: no such trigger. "
        "The connection is the app setting CLOUD_EVENT_HUB or CLOUD_EVENT_HUB__fullyQualifiedNamespace.",
        names,
        default=(),
        example="defender-for-cloud",
    )
    cloud_consumer_group: str = setting(
        "CLOUD_CONSUMER_GROUP", "Consumer group of our own on that hub.", text, default="$Default"
    )

    @classmethod
    def read(cls, environment: Mapping[str, str], *, whole: bool = True) -> Settings:
        """Read every setting from `environment`; raise `Misconfigured` at the first that makes no sense.

        whole: also check that what shipping needs is there; commands that send nothing do without.
        """
        result = cls.read_all(environment)
        if whole:
            result.check()
        return result

    def check(self) -> None:
        """Raise `Misconfigured` where settings do not go together."""
        if not self.elasticsearch_url and not self.elasticsearch_cloud_id:
            raise Misconfigured("ELASTICSEARCH_URL", "is not set, and neither is ELASTICSEARCH_CLOUD_ID.")
        if self.elasticsearch_url and self.elasticsearch_cloud_id:
            raise Misconfigured("ELASTICSEARCH_URL", "and ELASTICSEARCH_CLOUD_ID are both set: keep one.")
        if self.elasticsearch_username and not self.elasticsearch_password:
            raise Misconfigured("ELASTICSEARCH_PASSWORD", "is not set, but ELASTICSEARCH_USERNAME is.")
        if not self.elasticsearch_api_key and not self.elasticsearch_username:
            raise Misconfigured("ELASTICSEARCH_API_KEY", "is not set, and neither is ELASTICSEARCH_USERNAME.")
        if self.elasticsearch_api_key and self.elasticsearch_username:
            raise Misconfigured("ELASTICSEARCH_API_KEY", "and ELASTICSEARCH_USERNAME are both set: keep one.")
        if self.elasticsearch_ca and self.elasticsearch_ca_fingerprint:
            raise Misconfigured("ELASTICSEARCH_CA", "and ELASTICSEARCH_CA_FINGERPRINT are both set: keep one.")


def reason(error: ValueError) -> str:
    """Our own sentence, or `is not a number` for what int() and float() say."""
    words = str(error)
    return "is not a number" if "invalid literal" in words or "could not convert" in words else words
