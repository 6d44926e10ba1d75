"""Debian's Chromium, headless, driven by ChromeDriver over plain HTTP: a page's picture, its words, what its console says.

Nothing is installed for it: where chromium or chromedriver is not on the path, `browser` raises `Missing` with the reason.
ChromeDriver speaks WebDriver (W3C), which is JSON over HTTP, so that no further package is needed.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from local.process import free_port, listening, start, temporary_folder
from local.setup import Missing

START_SECONDS, ANSWER_SECONDS = 30.0, 60.0
QUIET = ("background-networking", "component-update", "sync", "quic", "gpu", "extensions", "default-apps")


@dataclass(frozen=True, slots=True)
class Browser:
    """One session with one window."""

    session: str  # its address

    def open(self, address: str) -> None:
        """Go there and wait until it is loaded."""
        self._post("url", {"url": address})

    def run(self, script: str) -> Any:
        """What a function body in JavaScript returns; the page's policy does not bind it."""
        return self._post("execute/sync", {"script": script, "args": []})

    def screen(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Show pages as on a screen of that size, light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._chrome("Emulation.setEmulatedMedia", features=[scheme])
        self._chrome(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    def picture(self) -> bytes:
        """The whole page as PNG, also what is below the window's end."""
        taken = self._chrome("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def console(self) -> list[str]:
        """What the console said since it was last asked: refusals of a Content-Security-Policy among it."""
        return [entry["message"] for entry in self._post("se/log", {"type": "browser"})]

    def _chrome(self, command: str, **parameters: Any) -> Any:
        return self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.session}/{path}", json=body, timeout=ANSWER_SECONDS).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"{answer['error']}: {answer.get('message', '')[:300]}")
        return answer


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser, ended at the end; raises `Missing` where there is none."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    for name, found in programs.items():
        if not found:
            raise Missing(f"{name} was not found (Debian: chromium, chromium-driver).")
    folder, port = temporary_folder("browser"), free_port()
    driver = start("ChromeDriver", [str(programs["chromedriver"]), f"--port={port}"], log=folder / "driver.log")
    address = f"http://127.0.0.1:{port}/session"
    try:
        driver.wait_until(lambda: listening(port), START_SECONDS)
        options = {
            "binary": programs["chromium"],
            "args": [
                "--headless=new",
                "--hide-scrollbars",
                "--no-sandbox",
                "--no-first-run",
                f"--user-data-dir={folder / 'profile'}",
            ]
            + [f"--disable-{word}" for word in QUIET],
        }
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        answer = requests.post(address, json={"capabilities": {"alwaysMatch": wanted}}, timeout=ANSWER_SECONDS).json()
        if "sessionId" not in answer["value"]:
            raise Missing(f"Chromium does not start here: {answer['value'].get('message', '')[:300]}")
        session = f"{address}/{answer['value']['sessionId']}"
        try:
            yield Browser(session)
        finally:
            requests.delete(session, timeout=ANSWER_SECONDS)
    finally:
        driver.stop()
        shutil.rmtree(folder, ignore_errors=True)
