"""shared/settings.py -> docs/settings.md, local.settings.example.json and infra/settings.bicep; `--check` fails where they differ.

Run it as `python -m tools.write_settings` from the project's folder.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

from cli.install.choices import InstallSettings
from shared.poll_settings import reference

ROOT = Path(__file__).resolve().parent.parent
PAGE, EXAMPLE, BICEP = "docs/settings.md", "local.settings.example.json", "infra/settings.bicep"
# Settings whose example would change what is shipped, or contradict another: the example file leaves them at rest.
AT_REST = frozenset({"RECORD_FILTER", "BACKFILL_STORAGE", "BACKFILL_CONTAINERS"})


@dataclass(frozen=True, slots=True)
class HostSetting:
    """An app setting that the Functions host or its Python worker reads, and we only need."""

    name: str
    words: str
    example: str | None = None  # None: not in the example file
    in_azure: bool = True  # whether infra/main.bicep sets it; a test holds the two together


HUB = "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=ZXhhbXBsZQ=="
HOST_SETTINGS = (
    HostSetting(
        "AzureWebJobsStorage",
        "Storage account of the host (checkpoints, keys) and, unless STORAGE says otherwise, of dead letters, "
        "state and the back-fill's queue, as a connection string: for development.",
        "UseDevelopmentStorage=true",
        in_azure=False,
    ),
    HostSetting(
        "AzureWebJobsStorage__blobServiceUri",
        "The same account by identity: the address of its blob service. Also AzureWebJobsStorage__accountName, in the public "
        "cloud. The identity needs the role Storage Blob Data Owner.",
    ),
    HostSetting(
        "AzureWebJobsStorage__queueServiceUri",
        "The address of its queue service, where the back-fill is on. The identity needs the role Storage Queue Data Contributor.",
    ),
    HostSetting(
        "EXPORT_STORAGE__blobServiceUri",
        "The account that the back-fill reads, where BACKFILL_STORAGE is EXPORT_STORAGE. The identity needs the role Storage Blob Data Reader.",
    ),
    HostSetting("EXPORT_STORAGE__clientId", "Client id of a user-assigned identity for it."),
    HostSetting("AzureWebJobsStorage__credential", "managedidentity, where that account is reached by identity."),
    HostSetting("AzureWebJobsStorage__clientId", "Client id of a user-assigned identity for it."),
    HostSetting(
        "FUNCTIONS_WORKER_RUNTIME",
        "python. On a Flex Consumption plan it is a property of the app and must not be set.",
        "python",
        in_azure=False,
    ),
    HostSetting(
        "XDR_EVENT_HUB",
        "Connection string of the event hub namespace with Defender XDR's streaming export (right: Listen).",
        HUB,
        in_azure=False,
    ),
    HostSetting(
        "XDR_EVENT_HUB__fullyQualifiedNamespace",
        "The same by identity, for example example.servicebus.windows.net. The identity needs the role Azure Event Hubs Data "
        "Receiver.",
    ),
    HostSetting("XDR_EVENT_HUB__credential", "managedidentity, where that namespace is reached by identity."),
    HostSetting("XDR_EVENT_HUB__clientId", "Client id of a user-assigned identity for it."),
    HostSetting(
        "CLOUD_EVENT_HUB",
        "Connection string of the event hub namespace with Defender for Cloud's continuous export (right: Listen).",
        HUB,
        in_azure=False,
    ),
    HostSetting("CLOUD_EVENT_HUB__fullyQualifiedNamespace", "The same by identity, as for XDR_EVENT_HUB."),
    HostSetting("CLOUD_EVENT_HUB__credential", "managedidentity, as for XDR_EVENT_HUB."),
    HostSetting("CLOUD_EVENT_HUB__clientId", "Client id of a user-assigned identity for it."),
    HostSetting(
        "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY",
        "true: the Python worker sends our metrics, spans and logs to Application Insights. The app must not set that "
        "up itself.",
        "false",
    ),
    HostSetting("APPLICATIONINSIGHTS_CONNECTION_STRING", "Where telemetry goes.", ""),
    HostSetting(
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "ClientId=...;Authorization=AAD: telemetry is sent with that identity. It needs the role Monitoring Metrics Publisher.",
    ),
    HostSetting(
        "OTEL_TRACES_SAMPLER",
        "Which spans are sent. Not set: about five traces a second from each instance; always_on: all; microsoft.rate_limited: as many "
        "a second as OTEL_TRACES_SAMPLER_ARG says. Metrics and the line per invocation are always sent.",
    ),
    HostSetting(
        "AzureFunctionsJobHost__extensions__eventHubs__minEventBatchSize",
        "Messages that the host waits for before it begins a batch, in the place of host.json's 1; it waits no longer than maxWaitTime.",
    ),
    HostSetting(
        "AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime",
        "How long it waits, such as 00:00:05: fewer, larger batches cost less (docs/scale.md), and records are that much later.",
    ),
    HostSetting(
        "OTEL_TRACES_SAMPLER_ARG",
        "Traces a second of each instance, where OTEL_TRACES_SAMPLER is microsoft.rate_limited: 0.1.",
    ),
)

INTRODUCTION = """\
# Settings

Every setting is an app setting (an environment variable). An empty value counts as not set. A value that makes no
sense stops the triggers, so that nothing is acknowledged, and `GET /api/health` says in one sentence which it is.
A setting marked *secret* belongs into Key Vault; its value is then `@Microsoft.KeyVault(SecretUri=...)`.

This page, local.settings.example.json and the type `Settings` of infra/settings.bicep are made from shared/settings.py by
`python -m tools.write_settings`.

## Ours

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


INSTALL_INTRODUCTION = """
## For installing

Read by `python -m cli install` and `uninstall` alone, beside `ELASTICSEARCH_…` and `NAMESPACE` ([what is installed](elasticsearch.md)); the app does not need them.

| setting | default | form | meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """docs/settings.md."""

    def row(item: Field[Any]) -> str:
        return f"| `{item.metadata['name']}` | {default(item)} | {form(item)} | {cell(item.metadata['words'])} |\n"

    installers = (row(item) for item in fields(InstallSettings))
    hosts = (f"| `{item.name}` | {cell(item.words)} |\n" for item in HOST_SETTINGS)
    return "".join((INTRODUCTION, *map(row, reference()), HOST_INTRODUCTION, *hosts, INSTALL_INTRODUCTION, *installers))


def default(item: Field[Any]) -> str:
    """A setting's default as it would be written into the app settings."""
    text = written(item.default)
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
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def example() -> str:
    """local.settings.example.json: the host's settings and ours, each with a harmless value."""
    values = {item.name: item.example for item in HOST_SETTINGS if item.example is not None}
    for item in reference():
        name = item.metadata["name"]
        at_rest = name in AT_REST or not item.metadata["example"]
        values[name] = written(item.default) if at_rest else item.metadata["example"]
    return json.dumps({"IsEncrypted": False, "Values": values}, indent=2) + "\n"


BICEP_HEAD = """\
// Made from shared/settings.py by `make generate`; do not edit. pycep can not read it: unions and decorators inside a type.

@export()
@sealed()
@description('App settings of ours, as docs/settings.md has them. What is not given keeps its default.')
type Settings = {
"""


def bicep() -> str:
    """infra/settings.bicep: a type with a property for each setting, so that the compiler knows a wrong name or word."""
    lines = [BICEP_HEAD]
    for item in reference():
        secret = " Secret: give a Key Vault reference, never the value." if item.metadata["secret"] else ""
        lines.append(f"  @description({quoted(item.metadata['words'] + secret)})\n")
        lines.append(f"  {item.metadata['name']}: {shape(item)}?\n")
    return "".join((*lines, "}\n"))


def shape(item: Field[Any]) -> str:
    """A setting's type in Bicep: the words that its parser takes, or any text."""
    form = (item.metadata["parse"].__doc__ or "").strip()
    if form.startswith(("One of `", "`true` or `false`")):
        return f"({' | '.join(quoted(word) for word in re.findall('`([^`]+)`', form))})"
    return "string"


def quoted(text: str) -> str:
    """A string of Bicep."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write all files below `root`, or with `--check` say which are stale; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Write docs/settings.md, local.settings.example.json and infra/settings.bicep."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")
    check = parser.parse_args(arguments).check
    stale = []
    for name, content in ((PAGE, page()), (EXAMPLE, example()), (BICEP, bicep())):
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
