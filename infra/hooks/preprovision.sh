#!/usr/bin/env bash
# Before Azure is touched: what would end the deployment later is told now.
set -euo pipefail
[[ -n ${ELASTICSEARCH_URL:-} ]] || { echo "ELASTICSEARCH_URL is not set: azd env set ELASTICSEARCH_URL https://…" >&2; exit 1; }
[[ -n ${ELASTICSEARCH_API_KEY:-} ]] ||
  echo "ELASTICSEARCH_API_KEY is not in the environment: the key vault keeps the secret it has, and a new vault has none."
