"""infra/elastic/ -> Elasticsearch: the component and index templates that our data streams need. Twice changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from shared.errors import ForwarderError, Misconfigured
from shared.settings import Settings
from shared.ship.client import open_client

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

TEMPLATES = Path(__file__).resolve().parent.parent / "infra" / "elastic"
app = typer.Typer(add_completion=False)
out, errors = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


def templates() -> dict[str, dict[str, Any]]:
    """Name -> body of every template; component templates first, as index templates name them."""
    bodies = {file.stem: json.loads(file.read_text()) for file in sorted(TEMPLATES.glob("*_templates/*.json"))}
    return dict(sorted(bodies.items(), key=lambda item: "index_patterns" in item[1]))


def installed(client: Elasticsearch, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """What the cluster has under that name, or None."""
    from elasticsearch import NotFoundError

    try:
        if "index_patterns" in body:
            return dict(client.indices.get_index_template(name=name)["index_templates"][0]["index_template"])
        return dict(client.cluster.get_component_template(name=name)["component_templates"][0]["component_template"])
    except NotFoundError:
        return None


def covers(have: Any, want: Any) -> bool:
    """Whether what the cluster has says all that we want; it writes numbers as text and adds defaults of its own."""
    if isinstance(want, dict):
        flat = flattened(have) if isinstance(have, dict) else {}
        return all(
            any(name == key or name.startswith(f"{key}.") for name in flat)
            if value == {}
            else covers(flat.get(key), value)
            for key, value in flattened(want).items()
        )
    if isinstance(want, list):
        return isinstance(have, list) and [str(item) for item in have] == [str(item) for item in want]
    return str(have).lower() == str(want).lower()


def flattened(body: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Nested and dotted keys as dotted ones; an empty object is a value."""
    result: dict[str, Any] = {}
    for key, value in body.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            result |= flattened(value, name)
        else:
            result[name] = value
    return result


@app.command()
def install(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")] = False,
) -> None:
    """Put the templates in place, with the ELASTICSEARCH_ settings of the environment; needs manage_index_templates."""
    from elasticsearch import ApiError, TransportError

    try:
        client = open_client(Settings.read(os.environ))
        for name, body in templates().items():
            have = installed(client, name, body)
            state = "new" if have is None else "unchanged" if covers(have, body) else "changed"
            out.print(f"{'would be ' if dry_run and state != 'unchanged' else ''}{state:<10} {name}")
            if state == "unchanged" or dry_run:
                continue
            if "index_patterns" in body:
                client.indices.put_index_template(name=name, **{k.lstrip("_"): v for k, v in body.items()})
            else:
                client.cluster.put_component_template(name=name, **{k.lstrip("_"): v for k, v in body.items()})
    except ApiError as error:
        raise stop(
            Misconfigured("ELASTICSEARCH_API_KEY", f"Elasticsearch answered {error.status_code}: {error.message}")
        ) from None
    except TransportError as error:
        raise stop(Misconfigured("ELASTICSEARCH_URL", f"can not be reached: {error.message}")) from None
    except ForwarderError as error:
        raise stop(error) from None


def stop(error: ForwarderError) -> typer.Exit:
    """One sentence on standard error, exit code 2."""
    errors.print(str(error), markup=False)
    return typer.Exit(2)
