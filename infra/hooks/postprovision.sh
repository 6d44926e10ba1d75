#!/usr/bin/env bash
# After Azure is there: the identity's application permissions, then Elasticsearch's templates.
#
# Needs IDENTITY_PRINCIPAL_ID (an output), azd's AZURE_SUBSCRIPTION_ID, POLL_SOURCES, ELASTICSEARCH_URL and a key that may manage index templates:
# ELASTICSEARCH_INSTALL_API_KEY, or where that is not set ELASTICSEARCH_API_KEY. Without a key, templates are left to `cli install` by hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# grant.sh asks the tenant that az is signed in to, which need not be azd's
signed_in=$(az account show --query tenantId --output tsv) || signed_in=''
tenant=$(az account show ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"} --query tenantId --output tsv) || tenant=''
if [[ -z $tenant || $tenant != "$signed_in" ]]; then
  echo "az is signed in to ${signed_in:+tenant }${signed_in:-no tenant}, not to that of this environment: az login, az account set --subscription ${AZURE_SUBSCRIPTION_ID:-…}" >&2
  false
else
  infra/grant.sh "$IDENTITY_PRINCIPAL_ID"
fi || echo "Permissions are not granted. Have an administrator run: infra/grant.sh $IDENTITY_PRINCIPAL_ID ${POLL_SOURCES:-}" >&2

key=${ELASTICSEARCH_INSTALL_API_KEY:-${ELASTICSEARCH_API_KEY:-}}
if [[ -z $key ]]; then
  echo "No key for Elasticsearch here: put the templates in with ELASTICSEARCH_URL=… ELASTICSEARCH_API_KEY=… .venv/bin/python -m cli install"
  exit 0
fi
[[ -n ${VENV_PYTHON:-} ]] || make --no-print-directory venv
ELASTICSEARCH_API_KEY=$key "${VENV_PYTHON:-.venv/bin/python}" -m cli install
