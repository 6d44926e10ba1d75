"""Environment -> one frozen `Settings`, read once; docs/settings.md and local.settings.example.json are made from it.

A field is a setting (shared/setting_types.py): its metadata carry the environment variable's name, the words for the reference
page, an example and whether it is a secret. A wrong value raises `Misconfigured` with one sentence that names the setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import Misconfigured
from shared.setting_types import (
    FromEnvironment,
    boolean,
    container,
    day,
    filters,
    names,
    namespace,
    number,
    setting,
    text,
    urls,
    verbatim,
    whole,
)

MOST_SHIP_SECONDS = 420  # host.json's functionTimeout less what waiting for a thread and dead letters may take


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
