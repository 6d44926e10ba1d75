"""GET /api/status through Microsoft's runtime, from real blobs, and in a real browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.status import HEADERS, looked
from functions.status_page import render
from local.azurite import LocalAzurite
from local.browser import Browser, browser
from local.process import free_port
from local.setup import Missing
from tests.functions.app_process import http, run_app
from tests.functions.status_blobs import ENVIRONMENT, HOSTILE, fill

Environment = dict[str, str]


@pytest.fixture
def app(azurite_server: LocalAzurite, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Settings of an app with two hubs and four pollers, and containers of its own."""
    settings = {
        **ENVIRONMENT,
        "AzureWebJobsStorage": azurite_server.connection_string,
        "CURSOR_CONTAINER": azurite_server.container_name("cursors"),
        "STATE_CONTAINER": azurite_server.container_name("state"),
        "DEAD_LETTER_CONTAINER": azurite_server.container_name("letters"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def filled(app: Environment, azurite_server: LocalAzurite) -> Environment:
    """The same, with something of everything in its blobs."""
    with azurite_server.service() as service:
        fill(service, app, datetime.now(UTC))
    return app


def page_of(environment: Environment) -> str:
    """The page as it is now."""
    return render(asyncio.run(looked(environment, datetime.now(UTC))))


def test_the_page_comes_through_the_runtime_with_a_strict_policy(filled: Environment) -> None:
    """HTML with a function key, not kept, nothing allowed but the one style sheet, whose hash is right."""
    ran = run_app(filled, [http("status")])

    trigger = ran.functions["status"]["bindings"][0]
    assert (trigger["authLevel"], trigger["methods"], trigger["route"]) == ("FUNCTION", ["GET"], "status")
    [answer] = ran.answers
    assert answer["status"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert answer["headers"]["cache-control"] == "no-store"
    assert answer["headers"]["referrer-policy"] == "no-referrer"
    policy = answer["headers"]["content-security-policy"]
    [style] = re.findall(r"<style>(.*?)</style>", answer["body"], re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert "One of six sources is broken." in answer["body"]


def test_each_source_has_its_facts(filled: Environment) -> None:
    """What state, cursors, dead letters and drift say, the worst source first."""
    page = page_of(filled)

    assert re.findall(r"<h2>(\w+)</h2>", page) == [
        "alert", "xdr", "defender_cloud", "assessment", "incident", "vulnerability",
    ]  # fmt: skip
    by_source = dict(re.findall(r"<h2>(\w+)</h2>(.*?)</dl>", page, re.DOTALL))
    assert "AADSTS7000222" in by_source["alert"]
    for words in ("1,568 /s", "48,599 indexed", "1 file", "3 unmapped", "3 new in a day", "kept by the host"):
        assert words in by_source["xdr"], words
    assert "90 min" in by_source["defender_cloud"]
    assert "2 cursors" in by_source["incident"]
    assert "polled every 2 min" in by_source["incident"]
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_blob_store_that_is_away_is_told_on_the_page(app: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources that are set up, each not known, and one sentence with the reason; no secret."""
    place = f"http://127.0.0.1:{free_port()}/x"
    broken = (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint={place};"
    )
    monkeypatch.setenv("AzureWebJobsStorage", broken)
    page = page_of(app | {"AzureWebJobsStorage": broken})

    assert "How the sources are is not known." in page
    assert page.count("Not known") == 6
    assert page.count("blob storage (AzureWebJobsStorage) can not be reached") == 1
    assert "c2VjcmV0LWtleQ" not in page


def test_wrong_settings_are_told_and_the_rest_is_shown(filled: Environment) -> None:
    """A setting that shipping needs, one that pollers need, and one without which no blob can be found."""
    page = page_of(filled | {"ELASTICSEARCH_URL": "", "TENANT_ID": ""})
    assert "ELASTICSEARCH_URL: is not set" in page
    assert "TENANT_ID: is not set" in page
    assert "48,599 indexed" in page

    unreadable = page_of(filled | {"STATE_CONTAINER": "No Name"})
    assert "STATE_CONTAINER: &#x27;No Name&#x27; is not a container name" in unreadable
    assert unreadable.count("Not known") == 6


def test_a_container_that_is_not_there_yet_is_no_fault(app: Environment) -> None:
    """A new app: every source waits, and nothing is wrong."""
    page = page_of(app)
    assert "Nothing has come yet." in page
    assert 'class="notes"' not in page
    assert page.count("Nothing yet</p>") == 6


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser; the test is skipped with the reason where there is none."""
    try:
        with browser() as running:
            yield running
    except Missing as reason:
        pytest.skip(str(reason))


@contextmanager
def served(body: Callable[[], str]) -> Iterator[str]:
    """A page with our headers on a loopback port, made anew for each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = body().encode()
            self.send_response(200)
            for name, value in {"content-type": "text/html; charset=utf-8", **HEADERS}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("width", "dark", "phone", "columns"), [(1280, False, False, 7), (1280, True, False, 7), (390, False, True, 2)]
)
def test_a_browser_shows_it(
    filled: Environment, chromium: Browser, *, width: int, dark: bool, phone: bool, columns: int
) -> None:
    """Light, dark and on a phone: the style applies, nothing is refused or sticks out, nothing hostile runs, words can be read."""
    with served(lambda: page_of(filled)) as address:
        chromium.screen(width, 844, dark=dark, phone=phone)
        chromium.open(address)

    assert chromium.console() == []  # a refusal by the policy would stand here
    assert chromium.run("const e = document.documentElement; return [innerWidth, e.scrollWidth <= e.clientWidth]") == [
        width,
        True,
    ]
    assert chromium.run("return document.scripts.length + document.images.length") == 0
    assert len(chromium.run(COLUMNS).split()) == columns
    assert chromium.run("return document.querySelector('.row details li').textContent.length") > 0
    assert HOSTILE in chromium.run("return document.body.textContent")
    assert chromium.run(CONTRAST) >= 4.5
    red, green, blue = map(
        int, re.findall(r"\d+", chromium.run("return getComputedStyle(document.body).backgroundColor"))
    )
    assert (red + green + blue < 100) is dark
    assert len(chromium.picture()) > 20_000


COLUMNS = "return getComputedStyle(document.querySelector('.facts')).gridTemplateColumns"
# The least contrast (WCAG 2) of any text of the page with what is behind it.
CONTRAST = """
const part = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
const light = c => .2126 * part(c[0]) + .7152 * part(c[1]) + .0722 * part(c[2]);
const numbers = text => text.match(/[\\d.]+/g).map(Number);
const behind = e => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor); if (c.length < 4) return c; } };
const texts = [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
return Math.min(...texts.map(e => { const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))]; return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }));
"""


def test_the_policy_refuses_what_is_not_ours(app: Environment, chromium: Browser) -> None:
    """Were something hostile ever let through, it would neither run nor load nor look as it likes; the console says so."""
    hostile = "<script>document.title = 'owned'</script><p id=x style='color: red'>x</p><img src=/picture.png></main>"
    with served(lambda: page_of(app).replace("</main>", hostile)) as address:
        chromium.screen(800, 600)
        chromium.open(address)

    assert chromium.run("return document.title") != "owned"
    assert chromium.run("return getComputedStyle(document.getElementById('x')).color") != "rgb(255, 0, 0)"
    refused = " ".join(chromium.console())
    assert all(f"{kind}-src" in refused for kind in ("script", "style", "img")), refused


def test_the_page_renews_itself_without_a_script(app: Environment, chromium: Browser) -> None:
    """The browser asks again by itself after the seconds that the page names."""
    asked: list[float] = []

    def quick() -> str:
        asked.append(1.0)
        return page_of(app).replace('http-equiv="refresh" content="30"', 'http-equiv="refresh" content="1"')

    with served(quick) as address:
        chromium.screen(800, 600)
        chromium.open(address)
        chromium.run("return new Promise(done => setTimeout(done, 400))")
        for _ in range(50):
            if len(asked) > 1:
                break
            threading.Event().wait(0.1)
    assert len(asked) > 1
