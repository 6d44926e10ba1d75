"""The mapping's data streams and latest views -> infra/elastic/security/: requests for API keys, with the roles in them, and docs/privileges.md.

Each file is the body of `POST /_security/api_key`; a role of it is the body of `PUT /_security/role/<its name>`. Least privilege: tests/test_roles.py
shows on a real server that each privilege is needed and that nothing else is allowed (issue 6, "Least privilege").
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared.runs import DATASET as RUNS
from shared.ship.latest import VIEWS
from shared.ship.privileges import needed
from tools.fields import datasets
from tools.freshness import write_or_compare

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "infra" / "elastic" / "security"
PAGE = ROOT / "docs" / "privileges.md"
KIBANA = {  # what importing saved objects takes in Kibana's default space, whatever they are; a person who looks at them needs none of it
    "application": "kibana-.kibana",
    "privileges": ["feature_savedObjectsManagement.all"],
    "resources": ["space:default"],
}

type Body = dict[str, Any]


def data_streams() -> list[str]:
    """Patterns of all our data streams, each for all namespaces."""
    return [f"logs-{dataset}-*" for dataset in (*sorted(datasets()), RUNS)]


def views() -> list[str]:
    """Names or patterns of all latest views."""
    return sorted(view.index.format(namespace="*") for view in VIEWS.values())


def aliases() -> list[str]:
    """Names of the aliases of latest views."""
    return sorted(view.alias for view in VIEWS.values() if view.alias)


def grants(names: list[str]) -> list[Body]:
    """What shipping needs on these, those that need the same together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        found.setdefault(needed(name), []).append(name)
    return [{"names": same, "privileges": list(privileges)} for privileges, same in found.items()]


def role(words: str, **grants: Any) -> Body:
    """A role, with a sentence on what it is for."""
    return {"cluster": [], "indices": [], **grants, "metadata": {"description": words}}


def roles() -> dict[str, dict[str, Body]]:
    """File -> its roles by name."""
    shipper = role(
        "Ships documents: adds to our data streams, renews our latest views.", indices=grants(data_streams() + views())
    )
    installer = role(
        "Installs and upgrades templates, lifecycle, pipelines, latest views and dashboards; reads no document.",
        cluster=["monitor", "manage_index_templates", "manage_ingest_pipelines"],
        indices=[{"names": data_streams() + views() + aliases(), "privileges": ["manage"]}],
        applications=[KIBANA],
    )
    lifecycle = role("Installs ILM policies. Serverless has none: leave it out there.", cluster=["manage_ilm"])
    transforms = role(
        "Installs latest transforms in place of the views that the shipper writes. They run with its privileges: it has to last.",
        cluster=["manage_transform"],
        indices=[
            {
                "names": sorted({f"logs-{view.dataset}-*" for view in VIEWS.values()}),
                "privileges": ["read", "view_index_metadata"],
            },
            {"names": [*views(), *aliases()], "privileges": ["read", "index", "delete", "manage"]},
        ],
    )
    installing = {"defender-installer": installer, "defender-installer-ilm": lifecycle}
    return {
        "shipper": {"defender-shipper": shipper},
        "installer": installing,
        "transforms": {**installing, "defender-transforms": transforms},
    }


EXPIRES = {"installer": "1d"}  # its key is needed while installing only


def request(file: str) -> Body:
    """The body of `POST /_security/api_key`."""
    expires = {"expiration": EXPIRES[file]} if file in EXPIRES else {}
    return {"name": f"defender-{file}", **expires, "role_descriptors": roles()[file]}


HEAD = """<!-- Made from shared/ship/privileges.py and the mapping by `make generate`; do not edit. -->

# Privileges in Elasticsearch

Two keys: one installs and is thrown away, one ships. Each file in [infra/elastic/security](../infra/elastic/security) is the body of a request for an API key.
Send it with curl, as a user who may grant what it asks for, or paste it into Kibana's Dev Tools below `POST /_security/api_key`:

```
curl -sX POST "$ELASTICSEARCH_URL/_security/api_key" -u elastic -H 'content-type: application/json' -d @infra/elastic/security/installer.json
curl -sX POST "$ELASTICSEARCH_URL/_security/api_key" -u elastic -H 'content-type: application/json' -d @infra/elastic/security/shipper.json
```

The answer's `encoded` is the value of `ELASTICSEARCH_API_KEY`. For users instead of keys, each entry of `role_descriptors` is the body of
`PUT /_security/role/<its name>`.

All patterns hold for every namespace; narrow them to yours (`logs-m365_defender.event-default`) if you like.

What is lacking is told by name: the app holds the batch and says, in its log and in `GET /api/health`, `ELASTICSEARCH_API_KEY: the credentials lack the privilege
create_doc on logs-m365_defender.event-default`; `python -m cli doctor` asks before anything is sent.

"""
WHY = {
    "auto_configure": "make it out of its template, map fields that are new",
    "create_doc": "add documents; none can be changed, read or deleted",
    "index": "renew an entry",
    "read": "look at documents",
    "delete": "remove entries that are not seen any more",
    "manage": "create, map, roll over, set lifecycle and aliases; it could delete too, hence the key of a day",
    "view_index_metadata": "know the fields",
    "monitor": "ask for version, licence and templates",
    "manage_index_templates": "component and index templates",
    "manage_ingest_pipelines": "optional ingest pipelines",
    "manage_ilm": "ILM policies",
    "manage_transform": "transforms",
    "feature_savedObjectsManagement.all": "import dashboards through Kibana; name your space in `resources`",
}


def page() -> str:
    """docs/privileges.md."""
    lines = [HEAD]
    shown: set[str] = set()
    for file, found in roles().items():
        lines.append(f"## {file}.json\n\n")
        again = [f"`{name}`" for name in found if name in shown]
        if again:
            lines.append(f"{' and '.join(again)} as above.\n\n")
        for name, body in found.items():
            if name in shown:
                continue
            shown.add(name)
            lines.append(f"`{name}`: {body['metadata']['description']}\n\n| on | privileges |\n| --- | --- |\n")
            rows = [(["the cluster"], body["cluster"])] if body["cluster"] else []
            rows += [([f"`{name}`" for name in grant["names"]], grant["privileges"]) for grant in body["indices"]]
            rows += [(["Kibana"], grant["privileges"]) for grant in body.get("applications", ())]
            for on, privileges in rows:
                told = "<br>".join(f"`{privilege}`: {WHY[privilege]}" for privilege in privileges)
                lines.append(f"| {'<br>'.join(on)} | {told} |\n")
            lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def files() -> dict[Path, str]:
    """The requests by their paths."""
    return {FOLDER / f"{file}.json": json.dumps(request(file), indent=2) + "\n" for file in roles()}


def main() -> int:
    """Write all of it, or with --check say whether it is fresh."""
    return max(write_or_compare(files(), FOLDER, "*.json"), write_or_compare({PAGE: page()}, PAGE.parent, PAGE.name))


if __name__ == "__main__":
    sys.exit(main())
