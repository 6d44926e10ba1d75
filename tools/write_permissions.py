"""shared/poll/permissions.py, infra/roles.json -> docs/permissions.md and infra/app-roles.tsv (which infra/grant.sh reads)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared.poll.permissions import GRANTS
from tools.freshness import write_or_compare
from tools.write_settings import cell

ROOT = Path(__file__).resolve().parent.parent
PAGE, TABLE, ROLES = ROOT / "docs" / "permissions.md", ROOT / "infra" / "app-roles.tsv", ROOT / "infra" / "roles.json"
HEAD = """<!-- Made from shared/poll/permissions.py and infra/roles.json by `make generate`; do not edit. -->

# Permissions

What is granted, to whom, and which call of the code needs it. Nothing else is: a test holds this page, the Bicep files and the code together, both ways.

## Azure roles

Assigned by [infra/main.bicep](../infra/main.bicep), each by the module of the resource that it is on; Security Reader on a management group by
[infra/managementGroup.bicep](../infra/managementGroup.bicep). *The app* is its user-assigned identity.

| role | on | for | why | needed by |
| --- | --- | --- | --- | --- |
"""
APPLICATION = """
## Application permissions

Of Microsoft's APIs, for the sources in `POLL_SOURCES`. [infra/grant.sh](../infra/grant.sh) grants them to the identity: see [deploy](deploy.md#microsofts-apis).

| source | permission | of | application id | |
| --- | --- | --- | --- | --- |
"""
AFTER = """
## Elasticsearch

The API key that ships needs `auto_configure` and `create_doc` on the data streams, and no more: see the [README](../README.md#deploy). `cli install` needs a key that
may manage index templates; it is used once and kept nowhere.

## Whoever deploys

Needs, while deploying: *Contributor* and *Role Based Access Control Administrator* on the subscription (or its resource group, where that is there already);
*Security Admin* on the subscriptions in `exportSubscriptions`; *Role Based Access Control Administrator* on what is in `assessmentSubscriptions`; for
`infra/grant.sh` the Entra ID role *Privileged Role Administrator*.
"""


def azure_roles() -> dict[str, dict[str, Any]]:
    """infra/roles.json."""
    roles: dict[str, dict[str, Any]] = json.loads(ROLES.read_text())
    return roles


def page() -> str:
    """docs/permissions.md."""
    lines = [HEAD]
    for role in azure_roles().values():
        calls = (
            ", ".join(f"`{call}` in [{file}](../{file})" for call, file in role["calls"].items()) or "no call of ours"
        )
        lines.append(f"| {role['name']} | {role['scope']} | {role['who']} | {cell(role['why'])} | {calls} |\n")
    lines.append(APPLICATION)
    for source, grants in GRANTS.items():
        for grant in grants:
            unless = "not where `INCIDENT_ALERTS` is false" if grant.only_for else ""
            lines.append(f"| {source} | `{grant.role}` | {grant.resource} | {grant.app_id} | {unless} |\n")
        if not grants:
            lines.append(f"| {source} | none: an Azure role, above | | | |\n")
    return "".join((*lines, AFTER))


def table() -> str:
    """infra/app-roles.tsv: source, application id, application, permission, what it is only for."""
    lines = ["# Made from shared/poll/permissions.py by `make generate`; do not edit.\n"]
    for source, grants in GRANTS.items():
        lines += [
            "\t".join((source, grant.app_id, grant.resource, grant.role, grant.only_for or "-")) + "\n"
            for grant in grants
        ]
        lines += [] if grants else ["\t".join((source, "-", "-", "-", "-")) + "\n"]
    return "".join(lines)


def main() -> int:
    """Write both, or with --check say whether they are fresh."""
    return max(
        write_or_compare({PAGE: page()}, PAGE.parent, PAGE.name),
        write_or_compare({TABLE: table()}, TABLE.parent, TABLE.name),
    )


if __name__ == "__main__":
    sys.exit(main())
