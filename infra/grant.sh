#!/usr/bin/env bash
# Grants an identity the application permissions that the given sources need, and no others; again is harmless.
#
#   infra/grant.sh PRINCIPAL_ID [SOURCE...]        PRINCIPAL_ID: output IDENTITY_PRINCIPAL_ID of main.bicep, or the object id of an enterprise application
#
# Without sources, those in POLL_SOURCES. INCIDENT_ALERTS=false leaves out what only the alerts of incidents need. Needs az, signed in to the
# tenant as Privileged Role Administrator. What is needed stands in app-roles.tsv, made from shared/poll/permissions.py.
set -euo pipefail

table=$(dirname "${BASH_SOURCE[0]}")/app-roles.tsv
principal=${1:-}
[[ $principal =~ ^[0-9a-fA-F-]{36}$ ]] || { echo "usage: grant.sh PRINCIPAL_ID [SOURCE...]; PRINCIPAL_ID is an object id" >&2; exit 2; }
shift
read -ra sources <<< "$(tr ',A-Z' ' a-z' <<< "${*:-${POLL_SOURCES:-}}")"
[[ ${#sources[@]} -gt 0 ]] || { echo "No source is named, and POLL_SOURCES is empty: nothing is granted."; exit 0; }

graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}/v1.0
wanted=$(mktemp) && trap 'rm -f "$wanted"' EXIT

for source in "${sources[@]}"; do
  known=no
  while IFS=$'\t' read -r name app resource role only; do
    [[ $name == "$source" ]] || continue
    known=yes
    if [[ $role == - ]]; then
      echo "$source: no application permission; it needs an Azure role (docs/permissions.md)."
    elif [[ $only == alerts && ${INCIDENT_ALERTS:-auto} == false ]]; then
      echo "$source: $role is left out, because INCIDENT_ALERTS is false."
    else
      printf '%s\t%s\t%s\n' "$app" "$role" "$resource" >> "$wanted"
    fi
  done < <(grep -v '^#' "$table")
  [[ $known == yes ]] || { echo "$source is no source; there are $(grep -v '^#' "$table" | cut -f1 | sort -u | tr '\n' ' ')" >&2; exit 2; }
done

held=$(az rest --method get --url "$graph/servicePrincipals/$principal/appRoleAssignments?\$top=999" \
  --query 'value[].[resourceId, appRoleId]' --output tsv)

granted=
while IFS=$'\t' read -r app role resource; do
  id=$(az rest --method get --url "$graph/servicePrincipals(appId='$app')?\$select=id" --query id --output tsv) ||
    { echo "$resource is not in this tenant: is the product licensed here?" >&2; exit 1; }
  role_id=$(az rest --method get --url "$graph/servicePrincipals(appId='$app')?\$select=appRoles" \
    --query "appRoles[?value=='$role' && contains(allowedMemberTypes, 'Application')].id | [0]" --output tsv)
  [[ -n $role_id && $role_id != None ]] || { echo "$resource has no application permission $role." >&2; exit 1; }
  granted+="$id"$'\t'"$role_id"$'\n'
  if grep -qxF "$id"$'\t'"$role_id" <<< "$held"; then
    echo "$role of $resource: held already."
  else
    az rest --method post --url "$graph/servicePrincipals/$principal/appRoleAssignments" --headers Content-Type=application/json \
      --body "{\"principalId\":\"$principal\",\"resourceId\":\"$id\",\"appRoleId\":\"$role_id\"}" --output none
    echo "$role of $resource: granted."
  fi
done < <(sort -u "$wanted")

# What is held beyond that is told, not taken: something else may need it.
while IFS=$'\t' read -r id role_id; do
  [[ -n $id ]] || continue
  grep -qxF "$id"$'\t'"$role_id" <<< "$granted" || echo "Held, and not needed by ${sources[*]}: permission $role_id of $id."
done <<< "$held"
