"""shared/settings.py -> docs/settings.md and local.settings.example.json; `--check` fails where they differ.

Run it as `python -m tools.write_settings` from the project's folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from cli.install.choices import InstallSettings
from shared.poll_settings import reference

ROOT = Path(__file__).resolve().parent.parent
PAGE, EXAMPLE = "docs/settings.md", "local.settings.example.json"
# Settings whose example would change what is shipped, or contradict another: the example file leaves them at rest.
AT_REST = frozenset({"RECORD_FILTER"})


@dataclass(frozen=True, slots=True)
class HostSetting:
    """An app setting that the Functions host or its Python worker reads, and we only need."""

    name: str
    words: str
    example: str | None = None  # None: not in the example file


HUB = "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=ZXhhbXBsZQ=="
HOST_SETTINGS = (
    HostSetting(
        "AzureWebJobsStorage",
        "Storage account of the host (checkpoints, keys) and, unless STORAGE says otherwise, of dead letters and "
        "state. In Azure by identity: AzureWebJobsStorage__accountName, AzureWebJobsStorage__credential = "
        "managedidentity and, for a user-assigned identity, AzureWebJobsStorage__clientId.",
        "UseDevelopmentStorage=true",
    ),
    HostSetting(
        "FUNCTIONS_WORKER_RUNTIME",
        "python. On a Flex Consumption plan it is a property of the app and must not be set.",
        "python",
    ),
    HostSetting(
        "XDR_EVENT_HUB",
        "Connection string of the event hub namespace with Defender XDR's streaming export (right: Listen).",
        HUB,
    ),
    HostSetting(
        "XDR_EVENT_HUB__fullyQualifiedNamespace",
        "The same by identity, for example example.servicebus.windows.net; also XDR_EVENT_HUB__credential = "
        "managedidentity and XDR_EVENT_HUB__clientId. The identity needs the role Azure Event Hubs Data Receiver.",
    ),
    HostSetting(
        "CLOUD_EVENT_HUB",
        "Connection string of the event hub namespace with Defender for Cloud's continuous export (right: Listen).",
        HUB,
    ),
    HostSetting("CLOUD_EVENT_HUB__fullyQualifiedNamespace", "The same by identity, as for XDR_EVENT_HUB."),
    HostSetting(
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "true: the Python worker sends our metrics, spans and logs to Application Insights. The app must not set that "
        "up itself.",
        "false",
    ),
    HostSetting(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "Where telemetry goes. With APPLICATIONINSIGHTS_AUTHENTICATION_STRING = ClientId=...;Authorization=AAD an "
        "identity is used for it.",
        "",
    ),
    HostSetting(
        "OTEL_TRACES_SAMPLER",
        "Which spans are sent. Not set: about five traces a second from each instance; always_on: all. Metrics and the "
        "line per invocation are always sent.",
    ),
)

INTRODUCTION = """\
# Settings

Every setting is an app setting (an environment variable). An empty value counts as not set. A value that makes no
sense stops the triggers, so that nothing is acknowledged, and `GET /api/health` says in one sentence which it is.
A setting marked *secret* belongs into Key Vault; its value is then `@Microsoft.KeyVault(SecretUri=...)`.

This page and local.settings.example.json are made from shared/settings.py by `python -m tools.write_settings`.

## Ours

| setting | default | form | what it does |
| --- | --- | --- | --- |
"""
INSTALL_INTRODUCTION = """
## The installer's

Read by `python -m cli install` and `uninstall` alone, beside `ELASTICSEARCH_…` and `NAMESPACE`; see [elasticsearch.md](elasticsearch.md).

| setting | default | form | what it does |
| --- | --- | --- | --- |
"""
HOST_INTRODUCTION = """
## The host's

Read by the Functions host and its Python worker; the app works only when they are right. For the values of host.json
see [host.md](host.md).

| setting | what it does |
| --- | --- |
"""


def page() -> str:
    """docs/settings.md."""
    ours, installers = (
        "".join(
            f"| `{item.metadata['name']}` | {default(item)} | {form(item)} | {cell(item.metadata['words'])} |\n"
            for item in group
        )
        for group in (reference(), fields(InstallSettings))
    )
    hosts = (f"| `{item.name}` | {cell(item.words)} |\n" for item in HOST_SETTINGS)
    return "".join((INTRODUCTION, ours, INSTALL_INTRODUCTION, installers, HOST_INTRODUCTION, *hosts))


def default(item: Field[Any]) -> str:
    """A setting's default as it would be written into the app settings."""
    text = ", ".join(item.default) if isinstance(item.default, tuple) else written(item.default)
    return f"`{text}`" if text else "not set"


def form(item: Field[Any]) -> str:
    """What a setting's value looks like, in the words of its parser, and an example."""
    words = (item.metadata["parse"].__doc__ or "").strip().splitlines()[0]
    secret = " *Secret.*" if item.metadata["secret"] else ""
    example = f" Example: `{cell(item.metadata['example'])}`" if item.metadata["example"] else ""
    return cell(words) + secret + example


def cell(text: str) -> str:
    """Text that does not end a table's cell."""
    return text.replace("|", "\\|")


def written(value: object) -> str:
    """A value as an app setting's text; empty for one that is not set."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value in (None, ()) else str(value)


def example() -> str:
    """local.settings.example.json: the host's settings and ours, each with a harmless value."""
    values = {item.name: item.example for item in HOST_SETTINGS if item.example is not None}
    for item in reference():
        name = item.metadata["name"]
        at_rest = name in AT_REST or not item.metadata["example"]
        values[name] = written(item.default) if at_rest else item.metadata["example"]
    return json.dumps({"IsEncrypted": False, "Values": values}, indent=2) + "\n"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write both files below `root`, or with `--check` say which are stale; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/settings.md and local.settings.example.json.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check = parser.parse_args(arguments).check
    stale = []
    for name, content in ((PAGE, page()), (EXAMPLE, example())):
        path = root / name
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for name in stale:
        verb = "is stale: run python -m tools.write_settings" if check else "written"
        print(f"{name} {verb}", file=sys.stderr)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
