"""Real windows of the system's Chromium, each as one person, on a workspace that the real bot is connected to.

Without playwright or Chromium the tests are skipped with the command that brings them; where CI=true they fail instead.
"""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.storage.database import Database
from tests.flows.conftest import StartLoop, start_loop
from tests.loop import Loop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

__all__ = ["start_loop"]

INSTALL = "apt-get install -y chromium && pip install playwright"
FLAGS = [
    "--no-sandbox",  # containers of CI have no user namespaces
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT_MS = 15_000  # at most, for anything to appear
WIDE, PHONE = (1440, 900), (390, 844)

OpenWindow = Callable[..., "Page"]


@pytest.fixture(scope="package")  # while playwright runs, this thread has an event loop, and can run no other
def chromium() -> Iterator["Browser"]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None or importlib.util.find_spec("playwright") is None:
        missing = f"The browser tests need Chromium and playwright: {INSTALL}"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    """Only SQLite here: what differs between the databases is tested without windows."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def loop(chromium: "Browser", start_loop: StartLoop) -> Loop:
    """Asks for the browser first, so that nothing is started where it is missing."""
    return start_loop()


@pytest.fixture
def window(chromium: "Browser") -> Iterator[OpenWindow]:
    """`window(address, path)` opens one; at the end no window may have complained on its console.

    Ask for it after what serves the address: windows are closed first.
    """
    complaints: list[str] = []
    contexts = []

    def heard(message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} ({message.location})")

    def open_window(address: str, path: str, size: tuple[int, int] = WIDE) -> "Page":
        width, height = size
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        if path.startswith("/as/"):
            page.locator("body.ready").wait_for()
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def naming() -> str:
    """A function for the browser that lists what a screen reader could not name."""
    return (Path(__file__).parent / "unnamed.js").read_text(encoding="utf-8")
