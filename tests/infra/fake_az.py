"""A fake of the Azure CLI, for scripts: `az` answers from a JSON file ($FAKE_AZ) and writes down there what was done.

It knows Graph's service principals by `az rest`, the clouds, subscriptions' tenants, outputs of deployments, and an app's settings, keys and host name; anything else fails, as a wrong command would.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import jmespath

GRAPH = "https://graph.microsoft.com/"


class AzureError(Exception):
    """What `az` says on standard error before it ends with 1."""


def rest(state: dict[str, Any], options: argparse.Namespace) -> Any:
    """Microsoft Graph: service principals by application id, and the application permissions of one."""
    path, _, query = options.url.removeprefix(f"{GRAPH}v1.0").partition("?")
    if found := re.fullmatch(r"/servicePrincipals\(appId='([^']+)'\)", path):
        for principal in state["principals"]:
            if principal["appId"] == found[1]:
                wanted = query.removeprefix("$select=").split(",")
                return {key: value for key, value in principal.items() if key in wanted}
        raise AzureError(
            "Not Found: Resource does not exist or one of its queried reference-property objects are not present."
        )
    if found := re.fullmatch(r"/servicePrincipals/([^/]+)/appRoleAssignments", path):
        held: list[dict[str, str]] = state["assignments"]
        if options.method == "get":
            return {"value": [row for row in held if row["principalId"] == found[1]]}
        row = json.loads(options.body)
        if row in held:
            raise AzureError("Bad Request: Permission being assigned already exists on the object")
        if "Content-Type=application/json" not in (options.headers or []):
            raise AzureError("Unsupported Media Type")
        if row["principalId"] != found[1]:
            raise AzureError("Bad Request: principalId")
        held.append(row)
        return row
    raise AzureError(f"no such path {path}")


def tenant(state: dict[str, Any], options: argparse.Namespace) -> str:
    """The tenant of a subscription, az's default one where none is named."""
    found = state["subscriptions"].get(options.subscription or state["default"])
    if found is None:
        raise AzureError(f"The subscription of '{options.subscription}' doesn't exist in cloud 'AzureCloud'.")
    return str(found)


def answered(state: dict[str, Any], words: list[str], options: argparse.Namespace) -> Any:
    """What a command gives back, before --query."""
    if words[0] == "functionapp" and (options.subscription or state["default"]) != state["of_app"]:
        raise AzureError("(ResourceGroupNotFound) Resource group could not be found.")
    match words:
        case ["rest"]:
            return rest(state, options)
        case ["cloud", "show"]:
            return {"endpoints": {"microsoftGraphResourceId": GRAPH}}
        case ["account", "show"]:
            return {"tenantId": tenant(state, options)}
        case ["functionapp", "config", "appsettings", "list"]:
            return [{"name": name, "value": value} for name, value in state["settings"].items()]
        case ["functionapp", "keys", "list"]:
            if state["starting"]:
                raise AzureError("Operation returned an invalid status 'Bad Request'")
            return {"functionKeys": {"default": state["key"]}, "masterKey": "master"}
        case ["deployment", "sub", "show"] if options.name in state["deployments"]:
            return {"properties": {"outputs": state["deployments"][options.name]}}
        case ["functionapp", "deployment", "source", "config-zip"] if options.build_remote == "true":
            return {"status": 4}
        case ["functionapp", "show"]:
            return {"defaultHostName": state["host"]}
    raise AzureError(f"'{' '.join(words)}' is misspelled or not recognized by the system.")


def main(arguments: list[str]) -> int:
    """Run one command."""
    place = Path(os.environ["FAKE_AZ"])
    state = json.loads(place.read_text())
    parser = argparse.ArgumentParser()
    parser.add_argument("words", nargs="+")
    for name in (
        "--method",
        "--url",
        "--body",
        "--query",
        "--output",
        "--name",
        "--resource-group",
        "--subscription",
        "--src",
    ):
        parser.add_argument(name)
    parser.add_argument("--headers", nargs="*")
    parser.add_argument("--build-remote")
    options = parser.parse_intermixed_args(arguments)
    try:
        result = answered(state, options.words, options)
    except AzureError as error:
        state["starting"] = max(0, state["starting"] - 1)
        place.write_text(json.dumps(state))
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    state["asked"].append(arguments)
    place.write_text(json.dumps(state))
    if options.query:
        result = jmespath.search(options.query, result)
    if options.output == "tsv":
        rows = result if isinstance(result, list) else [result]
        for row in rows:
            print(
                "\t".join("None" if item is None else str(item) for item in (row if isinstance(row, list) else [row]))
            )
    elif options.output != "none":
        print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
