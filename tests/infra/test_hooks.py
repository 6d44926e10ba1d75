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

    turns: list[int | str] = []  # noqa: RUF012  set by each test: its own answer, or the front end's 503 and what that says
    keys: list[str | None] = []  # noqa: RUF012  set by each test

    def do_GET(self) -> None:
        """One answer."""
        self.keys.append(self.headers.get("x-functions-key"))
        turn = self.turns.pop(0)
        reasons = [] if turn == 200 else ["ELASTICSEARCH_URL: nobody answers."]
        body = (turn if isinstance(turn, str) else json.dumps({"whole": turn == 200, "reasons": reasons})).encode()
        self.send_response(503 if isinstance(turn, str) else turn)
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
    """Each hook is a script of ours; what the scripts ask of Azure is an output of main.bicep or azd's own; the service is the tag of the app."""
    text = (ROOT / "azure.yaml").read_text()
    scripts = re.findall(r"run: bash (\S+)", text)
    assert len(scripts) == 3
    asked = {name for path in scripts for name in re.findall(r'"\$([A-Z_]+)"', (ROOT / path).read_text())}
    assert asked - {"AZURE_SUBSCRIPTION_ID"} <= load(INFRA / "main.bicep").all("output").keys()
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
    """The doctor reads the app's settings (and finds the wrong one); an app that says it is whole, in the end, makes the hook succeed."""
    App.turns = [500, "Function host is not running.", 503, 200]
    done = azure.run(
        "bash", "infra/hooks/postdeploy.sh", **OUTPUTS, **app, VENV_PYTHON=sys.executable, ELASTICSEARCH_API_KEY="key"
    )
    assert "NAMESPACE" in done.stdout
    assert "Key Vault" not in done.stdout
    assert [words in done.stdout for words in ("not whole yet (500)", "not whole yet (503)")] == [True, True]
    assert "The app is whole." in done.stdout
    assert done.returncode == 0, done.stderr
    assert App.keys == [KEY] * 4
    assert KEY not in done.stdout + done.stderr


def test_a_host_that_does_not_tell_its_keys_yet_is_asked_again(azure: Az, app: dict[str, str]) -> None:
    """The keys come from the host itself, which is starting."""
    (azure.folder / "state.json").write_text(json.dumps(azure.state | {"starting": 2}))
    App.turns = [401, 401, 200]
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **OUTPUTS, **app, VENV_PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    assert App.keys[-1] == KEY


def test_another_default_of_az_is_not_the_app_s_subscription(azure: Az, app: dict[str, str]) -> None:
    """az is asked about the subscription that azd deployed to; where it can not be, the doctor does not run on no settings."""
    (azure.folder / "state.json").write_text(json.dumps(azure.state | {"default": "s-2"}))
    environment = OUTPUTS | app | {"VENV_PYTHON": sys.executable, "HEALTH_TRIES": "1"}
    App.turns = [200, 401]
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **environment, AZURE_SUBSCRIPTION_ID="s-1")
    assert done.returncode == 0, done.stderr
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **environment, AZURE_SUBSCRIPTION_ID="")
    assert "settings can not be read from here" in done.stdout
    assert "is not set" not in done.stdout + done.stderr


def test_nothing_is_granted_in_another_tenant(azure: Az) -> None:
    """Graph answers for the tenant that az is signed in to: where that is not the environment's, it is told, and nothing is granted."""
    environment = OUTPUTS | {"POLL_SOURCES": "alert", "ELASTICSEARCH_API_KEY": ""}
    done = azure.run("bash", "infra/hooks/postprovision.sh", **environment, AZURE_SUBSCRIPTION_ID="s-2")
    assert done.returncode == 0
    assert "az is signed in to tenant t-1" in done.stderr
    assert "Have an administrator run: infra/grant.sh" in done.stderr
    assert azure.state["assignments"] == []


@pytest.mark.parametrize(("turns", "words"), [([503, 503], "not whole: mend"), ([404, 404], "does not answer: 404")])
def test_an_app_that_is_not_whole_fails_the_hook(azure: Az, app: dict[str, str], turns: list[int], words: str) -> None:
    """503 with its reasons to the end, or no answer: exit code 1 and what to do."""
    App.turns = list(turns)
    environment = OUTPUTS | app | {"VENV_PYTHON": sys.executable, "HEALTH_TRIES": "2"}
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert "nobody answers" in done.stdout


def test_a_host_that_does_not_start_is_no_app_that_is_not_whole(azure: Az, app: dict[str, str]) -> None:
    """The front end's own 503 has no reasons to mend."""
    App.turns = ["Function host is not running."] * 2
    environment = OUTPUTS | app | {"VENV_PYTHON": sys.executable, "HEALTH_TRIES": "2"}
    done = azure.run("bash", "infra/hooks/postdeploy.sh", **environment)
    assert done.returncode == 1
    assert "does not answer: 503" in done.stderr
    assert "reasons" not in done.stderr
