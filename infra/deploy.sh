#!/usr/bin/env bash
# The package onto the app that is there; from a deployment of main.bicep in LOCATION, where group or app is not named.
#
#   infra/deploy.sh PACKAGE.zip [GROUP APP]        LOCATION: reads both from the outputs of deployment defender-LOCATION (make provision)
set -euo pipefail
package=${1:?usage: deploy.sh PACKAGE.zip [GROUP APP]} group=${2:-} app=${3:-}

if [[ (-z $group || -z $app) && -n ${LOCATION:-} ]]; then
  # Azure Resource Manager may give outputs back in another case (azurE_RESOURCE_GROUP)
  outputs=$(az deployment sub show --name "defender-$LOCATION" --query properties.outputs --output json)
  read -r made_group made_app < <("${VENV_PYTHON:-.venv/bin/python}" -c '
import json, sys
found = {name.lower(): output["value"] for name, output in (json.loads(sys.argv[1]) or {}).items()}
print(found.get("azure_resource_group", ""), found.get("app_name", ""))' "$outputs")
  group=${group:-$made_group} app=${app:-$made_app}
fi
[[ -n $group && -n $app ]] ||
  { echo "make deploy GROUP=resource-group APP=function-app, or LOCATION=… after make provision" >&2; exit 1; }

echo "Deploys to $app in $group."
az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$package" --build-remote true
