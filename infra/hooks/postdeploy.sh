#!/usr/bin/env bash
# After the app is deployed: the doctor from here, then what the app says of itself, which decides.
#
# Needs APP_NAME, APP_HOST and AZURE_RESOURCE_GROUP (outputs), and az; azd's AZURE_SUBSCRIPTION_ID, because az has a default of its own. The
# doctor gets the app's own settings, but not the sources: their tokens are for the app's identity. What is private, or closed to whoever
# deploys, it can not see: the app can.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tries=${HEALTH_TRIES:-20} pause=${HEALTH_SECONDS:-15}
of_app=(--name "$APP_NAME" --resource-group "$AZURE_RESOURCE_GROUP" ${AZURE_SUBSCRIPTION_ID:+--subscription "$AZURE_SUBSCRIPTION_ID"})

[[ -n ${VENV_PYTHON:-} ]] || make --no-print-directory venv
if settings=$(az functionapp config appsettings list "${of_app[@]}" --query '[].[name, value]' --output tsv); then
  (
    while IFS=$'\t' read -r name value; do
      # a reference to the vault is of use in Azure alone; the key of this environment stands in for it
      [[ $value == @Microsoft.KeyVault* || $name == POLL_SOURCES ]] || export "$name=$value"
    done <<< "$settings"
    unset POLL_SOURCES
    "${VENV_PYTHON:-.venv/bin/python}" -m cli doctor
  ) || echo "The doctor, from this machine, has remarks: above."
else
  echo "The app's settings can not be read from here, so the doctor is left out: is az signed in to the subscription of the app?"
fi

answer=$(mktemp) && trap 'rm -f "$answer"' EXIT
code='' status=000
for ((try = 1; try <= tries; try++)); do
  # the host answers for its keys, and may not be there yet
  [[ -n $code && $code != None ]] || code=$(az functionapp keys list "${of_app[@]}" --query functionKeys.default --output tsv) || code=''
  # the key goes by standard input, so that no list of processes shows it
  status=$(curl --silent --max-time 60 --output "$answer" --write-out '%{http_code}' --header @- "https://$APP_HOST/api/health" \
    <<< "x-functions-key: $code") || status=000
  # a 503 may be the host that starts, or roles and secrets that have not arrived everywhere
  [[ $status == 200 || $try == "$tries" ]] && break
  [[ $status == 401 ]] && code='' # a host that has just started may have other keys
  echo "The app is not whole yet ($status); again in $pause s."
  sleep "$pause"
done
cat "$answer"
echo
if [[ $status == 200 ]]; then
  echo "The app is whole."
elif [[ $status == 503 ]] && grep -q '"whole"' "$answer"; then
  echo "The app runs, but is not whole: mend what \"reasons\" says above." >&2 && exit 1
else
  echo "The app does not answer: $status. Is it private, or still starting? Ask again: GET https://$APP_HOST/api/health" >&2 && exit 1
fi
