// Made from shared/settings.py by `make generate`; do not edit. pycep can not read it: unions and decorators inside a type.

@export()
@sealed()
@description('App settings of ours, as docs/settings.md has them. What is not given keeps its default.')
type Settings = {
  @description('Address of Elasticsearch; several with commas. Either this or ELASTICSEARCH_CLOUD_ID.')
  ELASTICSEARCH_URL: string?
  @description('Cloud id of an Elastic Cloud deployment, instead of an address.')
  ELASTICSEARCH_CLOUD_ID: string?
  @description('API key, in its encoded form; in Azure a Key Vault reference. Secret: give a Key Vault reference, never the value.')
  ELASTICSEARCH_API_KEY: string?
  @description('User name, for development; an API key is better.')
  ELASTICSEARCH_USERNAME: string?
  @description('Password of that user. Secret: give a Key Vault reference, never the value.')
  ELASTICSEARCH_PASSWORD: string?
  @description('When that key ends, so that an alert comes three weeks before.')
  ELASTICSEARCH_API_KEY_EXPIRES: string?
  @description('Certificate authority to trust: a path to a PEM file, or the PEM text itself.')
  ELASTICSEARCH_CA: string?
  @description('SHA-256 fingerprint of the certificate authority, instead of the file.')
  ELASTICSEARCH_CA_FINGERPRINT: string?
  @description('Seconds that one request may take.')
  ELASTICSEARCH_TIMEOUT: string?
  @description('Namespace of the data streams: logs-m365_defender.event-NAMESPACE.')
  NAMESPACE: string?
  @description('Largest bulk request in bytes before compression; Elasticsearch refuses 100 MB by default.')
  BULK_MAX_BYTES: string?
  @description('Most documents in one bulk request.')
  BULK_MAX_DOCUMENTS: string?
  @description('Bulk requests under way at once in one invocation.')
  BULK_CONCURRENCY: string?
  @description('Whether bulk requests are gzipped.')
  BULK_COMPRESS: ('true' | 'false')?
  @description('Seconds that one invocation may spend on getting its documents indexed, retries included; then the batch is handed back and comes again. Must end well before functionTimeout in host.json, because a batch that is cut off by the host counts as done.')
  SHIP_SECONDS: string?
  @description('Whether event.original keeps the record\'s own text.')
  PRESERVE_ORIGINAL_EVENT: ('true' | 'false')?
  @description('Whether a vendor field stays when its value was copied to an ECS field.')
  PRESERVE_DUPLICATE_CUSTOM_FIELDS: ('true' | 'false')?
  @description('Records not wanted, by exact name: Table or Table/ActionType, dropped, or with =share that share of them kept (the same records on every redelivery).')
  RECORD_FILTER: string?
  @description('Prefix of the app settings that say where the blobs for dead letters and state are: PREFIX itself holds a connection string, or PREFIX__blobServiceUri (or PREFIX__accountName) an account that the identity may use.')
  STORAGE: string?
  @description('Blob container for dead letters.')
  DEAD_LETTER_CONTAINER: string?
  @description('Blob container for what was last received per source, and for the drift report.')
  STATE_CONTAINER: string?
  @description('Whether a small document tells about once a minute what was done, in logs-defender_to_elasticsearch.run-NAMESPACE, for the dashboard of the pipeline\'s health. Where the credentials may not write there, that is told once and holds nothing.')
  SHIP_RUNS: ('true' | 'false')?
  @description('Event hub that carries Defender XDR\'s streaming export; several with commas. Empty: no such trigger. The connection is the app setting XDR_EVENT_HUB (a connection string) or XDR_EVENT_HUB__fullyQualifiedNamespace.')
  XDR_EVENT_HUB_NAMES: string?
  @description('Consumer group of our own on that hub.')
  XDR_CONSUMER_GROUP: string?
  @description('Event hub that carries Defender for Cloud\'s continuous export; several with commas. Empty: no such trigger. The connection is the app setting CLOUD_EVENT_HUB or CLOUD_EVENT_HUB__fullyQualifiedNamespace.')
  CLOUD_EVENT_HUB_NAMES: string?
  @description('Consumer group of our own on that hub.')
  CLOUD_CONSUMER_GROUP: string?
  @description('Sources that are polled, a timer each. Empty: none.')
  POLL_SOURCES: string?
  @description('Names of several tenants. Each has its own TENANT_ID, CREDENTIAL, CLIENT_ID … written with its name in capitals before it (CONTOSO__TENANT_ID); what is not, is taken from the setting without. Empty: one tenant.')
  TENANTS: string?
  @description('Microsoft\'s cloud: worldwide, US Government (GCC, GCC High, DoD) or China.')
  CLOUD: ('public' | 'gcc' | 'gcchigh' | 'dod' | 'china')?
  @description('Where tokens come from, instead of the cloud\'s.')
  LOGIN_ENDPOINT: string?
  @description('Microsoft Graph, instead of the cloud\'s.')
  GRAPH_ENDPOINT: string?
  @description('Microsoft 365 Defender\'s own API (source log), instead of the cloud\'s; also a nearer region\'s.')
  SECURITY_ENDPOINT: string?
  @description('Defender for Endpoint\'s API (source vulnerability), instead of the cloud\'s; also a nearer region\'s.')
  ENDPOINT_ENDPOINT: string?
  @description('Azure Resource Manager (source assessment), instead of the cloud\'s.')
  ARM_ENDPOINT: string?
  @description('Scope of the token for Graph, instead of the cloud\'s.')
  GRAPH_SCOPE: string?
  @description('Scope of the token for that API, instead of the cloud\'s.')
  SECURITY_SCOPE: string?
  @description('Scope of the token for that API, instead of the cloud\'s.')
  ENDPOINT_SCOPE: string?
  @description('Scope of the token for Resource Manager, instead of the cloud\'s.')
  ARM_SCOPE: string?
  @description('Certificate authority to trust for Microsoft\'s endpoints, where a proxy has its own: a path to a PEM file.')
  MICROSOFT_CA: string?
  @description('Seconds that one poll may take; then it ends cleanly and the next one goes on at the same place. Must end before functionTimeout in host.json.')
  POLL_SECONDS: string?
  @description('Tenants, subscriptions and findings that one source reads at once.')
  POLL_CONCURRENCY: string?
  @description('How far behind its watermark a poll looks again, for rows that appeared late.')
  POLL_OVERLAP_MINUTES: string?
  @description('Largest answer of an API that is read, unpacked; export files are read in pieces and not bound.')
  POLL_MAX_MEGABYTES: string?
  @description('Blob container for the pollers\' cursors.')
  CURSOR_CONTAINER: string?
  @description('Whether alerts become documents of the incident stream too. auto: unless the source alert is polled as well.')
  INCIDENT_ALERTS: ('auto' | 'true' | 'false')?
  @description('Whether each item of an alert\'s evidence becomes a document of its own too.')
  EVIDENCE_DOCUMENTS: ('true' | 'false')?
  @description('Whether incidents, alerts, assessments and vulnerabilities are also kept as one document for each, always the latest version.')
  LATEST_VIEWS: ('true' | 'false')?
  @description('When alerts are polled.')
  ALERT_SCHEDULE: string?
  @description('How far back the first poll of alerts goes.')
  ALERT_LOOKBACK_HOURS: string?
  @description('Most alerts asked for in one request.')
  ALERT_PAGE_SIZE: string?
  @description('When incidents are polled.')
  INCIDENT_SCHEDULE: string?
  @description('How far back the first poll of incidents goes.')
  INCIDENT_LOOKBACK_HOURS: string?
  @description('Most incidents asked for in one request.')
  INCIDENT_PAGE_SIZE: string?
  @description('When incidents of the older API are polled.')
  LOG_SCHEDULE: string?
  @description('How far back the first poll of incidents of the older API goes.')
  LOG_LOOKBACK_HOURS: string?
  @description('Most incidents of the older API asked for in one request.')
  LOG_PAGE_SIZE: string?
  @description('When vulnerabilities are polled.')
  VULNERABILITY_SCHEDULE: string?
  @description('Hours from the beginning of one complete scan of vulnerabilities to that of the next; the timer goes on with an unfinished one.')
  VULNERABILITY_INTERVAL_HOURS: string?
  @description('Where vulnerabilities come from: export files (best above some thousand machines), or pages by machine.')
  VULNERABILITY_METHOD: ('export' | 'pages')?
  @description('Most vulnerabilities (method pages) asked for in one request.')
  VULNERABILITY_PAGE_SIZE: string?
  @description('When assessments are polled.')
  ASSESSMENT_SCHEDULE: string?
  @description('Hours from the beginning of one complete scan of assessments to that of the next; the timer goes on with an unfinished one.')
  ASSESSMENT_INTERVAL_HOURS: string?
  @description('Subscriptions and management groups whose assessments are polled. Empty: every subscription that the identity can see.')
  ASSESSMENT_SCOPES: string?
  @description('Tenant to poll: its id, or one of its domains.')
  TENANT_ID: string?
  @description('How the pollers prove who they are: the app\'s managed identity (or that of CLIENT_ID), workload identity, an app registration with a secret or certificate, or an app registration that trusts the managed identity (federated: no secret, and it works in other tenants). Default: secret or certificate where one is set, else the managed identity.')
  CREDENTIAL: ('managed_identity' | 'workload_identity' | 'secret' | 'certificate' | 'federated')?
  @description('Client id of the app registration, or of a user-assigned managed identity.')
  CLIENT_ID: string?
  @description('Secret of the app registration. Secret: give a Key Vault reference, never the value.')
  CLIENT_SECRET: string?
  @description('When that secret ends, so that an alert comes three weeks before; a certificate says so itself.')
  CLIENT_SECRET_EXPIRES: string?
  @description('Certificate of the app registration with its private key: a path to a PEM or PFX file, the PEM text itself, or a PFX in base64 (as Key Vault gives it). Secret: give a Key Vault reference, never the value.')
  CLIENT_CERTIFICATE: string?
  @description('Password of that certificate, if it has one. Secret: give a Key Vault reference, never the value.')
  CLIENT_CERTIFICATE_PASSWORD: string?
  @description('Client id of the user-assigned managed identity that the app registration trusts; not set: the system-assigned one.')
  FEDERATED_IDENTITY: string?
  @description('Prefix of the app settings that say where Defender\'s export or Event Hubs Capture has written its blobs, in the form of STORAGE (which may be the same). Empty: no back-fill, its functions are not there.')
  BACKFILL_STORAGE: string?
  @description('Containers that are read; that of Event Hubs Capture is to be named here.')
  BACKFILL_CONTAINERS: string?
  @description('Queue of the ranges that are to be read, in the account of STORAGE; those given up go to the same name with -poison.')
  BACKFILL_QUEUE: string?
  @description('Blob container, in the account of STORAGE, for the plan and the progress of each run.')
  BACKFILL_CONTAINER: string?
  @description('Bytes of blobs that one message of the queue stands for, and that are read at once.')
  BACKFILL_RANGE_BYTES: string?
  @description('Messages that one instance works on at once, in threads of their own; as many as extensions.queues.batchSize in host.json.')
  BACKFILL_CONCURRENCY: string?
  @description('Messages that the command keeps in the queue: no more are worked on at once, on whatever number of instances.')
  BACKFILL_AHEAD: string?
}
