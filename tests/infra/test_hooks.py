"""azd's hooks, run as azd runs them: with the outputs in the environment, a fake of the Azure CLI, our own commands and a real HTTPS server."""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from tests.infra.az import ROOT, Az, az
from tests.infra.test_grant import PRINCIPAL, principals
from tools.bicep import INFRA, load

KEY = "a-function-key"
OUTPUTS = {"APP_NAME": "func-x", "AZURE_RESOURCE_GROUP": "rg-x", "IDENTITY_PRINCIPAL_ID": PRINCIPAL}
NOWHERE = "https://127.0.0.1:9"  # discard: nobody listens


class App(BaseHTTPRequestHandler):
    """The deployed app's health page: answers by turns what it was told to."""

    turns: list[int] = []  # noqa: RUF012  set by each test
    keys: list[str | None] = []  # noqa: RUF012  set by each test

    def do_GET(self) -> None:
        """One answer."""
        self.keys.append(self.headers.get("x-functions-key"))
        status = self.turns.pop(0)
        body = json.dumps(
            {"whole": status == 200, "reasons": [] if status == 200 else ["ELASTICSEARCH_URL: nobody answers."]}
        ).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The app behind TLS; what a script needs to know to reach it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    App.turns, App.keys = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield {
        "APP_HOST": f"127.0.0.1:{server.server_port}",
        "CURL_CA_BUNDLE": str(tmp_path / "ca.pem"),
        "HEALTH_SECONDS": "0",
    }
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def azure(tmp_path: Path) -> Az:
    """An app with settings in a tenant without grants."""
    settings = {
        "ELASTICSEARCH_URL": NOWHERE,
        "ELASTICSEARCH_API_KEY": "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/key)",
        "ELASTICSEARCH_TIMEOUT": "1",
        "XDR_EVENT_HUB_NAMES": "defender-xdr",
        "XDR_EVENT_HUB__fullyQualifiedNamespace": "hubs.example.net",
        "POLL_SOURCES": "alert",
        "NAMESPACE": "Not-A-Namespace",
    }
    return az(tmp_path, principals=principals(), settings=settings, key=KEY)


def test_azure_yaml_names_hooks_and_outputs_that_are_there() -> None:
    """Each hook is a script of ours; what the scripts ask of Azure is an output of main.bicep; the service is the tag of the app."""
    text = (ROOT / "azure.yaml").read_text()
    scripts = re.findall(r"run: bash (\S+)", text)
    assert len(scripts) == 3
    asked = {name for path in scripts for name in re.findall(r'"\$([A-Z_]+)"', (ROOT / path).read_text())}
    assert asked <= load(INFRA / "main.bicep").all("output").keys()
    assert "'azd-service-name': 'app'" in (INFRA / "modules" / "app.bicep").read_text()
    assert re.search(r"^services:\n  app:$", text, flags=re.M)


def test_what_would_fail_later_is_told_first(azure: Az) -> None:
    """Without Elasticsearch's address nothing is made; without a key there is a word of warning."""
    done = azure.run("bash", "infra/hooks/preprovision.sh", ELASTICSEARCH_URL="")
    assert done.returncode == 1
    assert "ELASTICSEARCH_URL is not set" in done.stderr
    done = azure.run("bash", "infra/hooks/preprovision.sh", ELASTICSEARCH_URL=NOWHERE, ELASTICSEARCH_API_KEY="")
    assert done.returncode == 0
    assert "the key vault keeps the secret it has" in done.stdout


def test_permissions_are_granted_and_templates_asked_for(azure: Az) -> None:
    """The grants of POLL_SOURCES are made; the installer runs with the key for it, and its failure is the hook's."""
    environment = OUTPUTS | {
        "POLL_SOURCES": "alert, incident",
        "ELASTICSEARCH_URL": NOWHERE,
        "ELASTICSEARCH_INSTALL_API_KEY": "aW5zdGFsbDprZXk=",
        "VENV_PYTHON": sys.executable,
    }
    done = azure.run("bash", "infra/hooks/postprovision.sh", **environment)
    assert "SecurityIncident.Read.All of Microsoft Graph: granted." in done.stdout
    assert len(azure.state["assignments"]) == 2
    assert done.returncode != 0
    assert "Elasticsearch can not be reached" in done.stderr
    assert "aW5zdGFsbDprZXk=" not in done.stdout + done.stderr


def test_without_a_key_the_installer_is_left_to_a_hand(azure: Az) -> None:
    """No key, no installer, and the command for it is told; a refused grant does not stop the hook either."""
    environment = OUTPUTS | {"POLL_SOURCES": "alert", "ELASTICSEARCH_API_KEY": "", "IDENTITY_PRINCIPAL_ID": "nobody"}
    done = azure.run("bash", "infra/hooks/postprovision.sh", **environment)
    assert done.returncode == 0
    assert "Have an administrator run: infra/grant.sh nobody alert" in done.stderr
    assert "-m cli install" in done.stdout


def test_the_doctor_runs_and_the_app_decides(azure: Az, app: dict[str, str]) -> None:
    """The doctor reads the app's settings (and finds the wrong one); an app that says it is whole makes the hook succeed."""
    App.turns = [500, 200]
    done = azure.run(
        "bash", "infra/hooks/postdeploy.sh", **OUTPUTS, **app, VENV_PYTHON=sys.executable, ELASTICSEARCH_API_KEY="key"
    )
    assert "NAMESPACE" in done.stdout
    assert "Key Vault" not in done.stdout
    assert "does not answer yet (500)" in done.stdout
    assert "The app is whole." in done.stdout
    assert done.returncode == 0, done.stderr
    assert App.keys == [KEY, KEY]
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(("turns", "words"), [([503], "not whole: mend"), ([404, 404], "does not answer: 404")])
def test_an_app_that_is_not_whole_fails_the_hook(azure: Az, app: dict[str, str], turns: list[int], words: str) -> None:
    """503 with its reasons, or no answer after some tries: exit code 1 and what to do."""
    App.turns = list(turns)
    environment = OUTPUTS | app | {"VENV_PYTHON": sys.executable, "HEALTH_TRIES": "2"}
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert "nobody answers" in done.stdout
