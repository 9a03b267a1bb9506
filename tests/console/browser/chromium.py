"""Debian's chromium, driven by Playwright: where it is, and what it must not do on its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING: Final = (
    "The console's tests need a browser: on Debian `apt-get install chromium`, "
    "elsewhere CHROMIUM=/path/to/chromium ./run test"
)
QUIETLY: Final = (
    "--no-sandbox",  # as root, which CI is
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--disable-sync",
    "--no-first-run",
)


def path() -> str:
    """The program; RuntimeError says what to do about it when there is none."""
    results = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if results is None:
        raise RuntimeError(MISSING)
    return results


@contextmanager
def running() -> Iterator[Browser]:
    """A headless browser, gone afterwards; it shares nothing with anybody's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=list(QUIETLY))
        yield browser
        browser.close()
