#!/usr/bin/env bash
# After the app is deployed: the doctor from here, then what the app says of itself, which decides.
#
# Needs APP_NAME, APP_HOST and AZURE_RESOURCE_GROUP (outputs), and az. The doctor gets the app's own settings, but not the sources: their tokens
# are for the app's identity. What is private, or closed to whoever deploys, it can not see: the app can.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tries=${HEALTH_TRIES:-20} pause=${HEALTH_SECONDS:-15}
of_app=(--name "$APP_NAME" --resource-group "$AZURE_RESOURCE_GROUP")

[[ -n ${VENV_PYTHON:-} ]] || make --no-print-directory venv
(
  while IFS=$'\t' read -r name value; do
    # a reference to the vault is of use in Azure alone; the key of this environment stands in for it
    [[ $value == @Microsoft.KeyVault* || $name == POLL_SOURCES ]] || export "$name=$value"
  done < <(az functionapp config appsettings list "${of_app[@]}" --query '[].[name, value]' --output tsv)
  unset POLL_SOURCES
  "${VENV_PYTHON:-.venv/bin/python}" -m cli doctor
) || echo "The doctor, from this machine, has remarks: above."

answer=$(mktemp) && trap 'rm -f "$answer"' EXIT
code=$(az functionapp keys list "${of_app[@]}" --query functionKeys.default --output tsv)
for ((try = 1; try <= tries; try++)); do
  # the key goes by standard input, so that no list of processes shows it
  status=$(curl --silent --max-time 60 --output "$answer" --write-out '%{http_code}' --header @- "https://$APP_HOST/api/health" \
    <<< "x-functions-key: $code") || status=000
  [[ $status == 200 || $status == 503 ]] && break
  echo "The app does not answer yet ($status); again in $pause s."
  sleep "$pause"
done
cat "$answer"
echo
case $status in
  200) echo "The app is whole." ;;
  503) echo "The app runs, but is not whole: mend what \"reasons\" says above." >&2 && exit 1 ;;
  *) echo "The app does not answer: $status. Is it private, or still starting? Ask again: GET https://$APP_HOST/api/health" >&2 && exit 1 ;;
esac
