"""`./run screenshots`: pictures of the console's main pages for docs/, taken of a running stack."""

import argparse
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page
from rich.progress import track

from tests.console.browser import chromium
from tests.console.browser.conftest import PHONE, WIDE, enroll, fill_in_password
from tests.console.browser.pages import VIEWS, View
from tests.e2e.stack import ROOT, Stack, running_stack

FOLDER: Final = ROOT / "docs" / "screenshots"
PERSON: Final = "grace@demo"
COLORS: Final = 192  # enough for flat pages; a third of the bytes
TALLEST: Final = 1600  # pixels
SHAPES: Final[dict[str, dict[str, Any]]] = {
    "": {"viewport": WIDE},
    "-phone": {"viewport": PHONE},
    "-dark": {"viewport": WIDE, "color_scheme": "dark"},
}

Window = Callable[..., AbstractContextManager[Page]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run screenshots", description=__doc__)
    existing = [view.name for view in VIEWS]
    parser.add_argument("names", nargs="*", metavar="PAGE", help=f"of {', '.join(existing)}")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    if unknown := set(options.names) - set(existing):
        parser.error(f"There is no page {', '.join(sorted(unknown))}.")
    options.folder.mkdir(parents=True, exist_ok=True)
    with running_stack() as stack, chromium.running() as browser:
        window = partial(opened, browser, stack.url)
        cookies = enter(stack, window, options.folder)
        views = [view for view in VIEWS if view.name in (options.names or existing)]
        for view in track(views, description="Taking pictures"):
            take(
                view, partial(window, storage_state=cookies if view.role else None), options.folder
            )


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page in a window of its own."""
    context = browser.new_context(base_url=url, **options)
    yield context.new_page()
    context.close()


def enter(stack: Stack, window: Window, folder: Path) -> Any:
    """The cookies of an admin of the demo, with pictures of what is asked on the way in."""
    new_order = stack.manage_json("staff", "create", PERSON, "--tenant", "demo", "--role", "admin")
    with window(**SHAPES[""]) as page:
        fill_in_password(page, PERSON, new_order["password"])
        save(page, folder / "enroll.png")
        enroll(page)
        cookies = page.context.storage_state()
    for suffix in ("", "-phone"):
        with window(**SHAPES[suffix]) as page:
            fill_in_password(page, PERSON, new_order["password"])
            save(page, folder / f"code{suffix}.png")
    return cookies


def take(view: View, window: Window, folder: Path) -> None:
    """Wide, on a phone, and in the dark where the page is said to be looked at so."""
    for suffix, options in SHAPES.items():
        if suffix != "-dark" or view.is_also_dark:
            with window(**options) as page:
                view.open(page)
                save(page, folder / f"{view.name}{suffix}.png")


def save(page: Page, path: Path) -> None:
    """The whole page, if it is not too tall, in few colors."""
    page.wait_for_load_state("networkidle")
    width, height = page.evaluate("[innerWidth, innerHeight]")
    whole = page.evaluate("document.documentElement.scrollHeight")
    # A window as tall as the page: what sticks to the window's edge is at the page's, then.
    page.set_viewport_size({"width": width, "height": max(height, min(whole, TALLEST))})
    accepted_count = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    in_few_colors(accepted_count).save(path, optimize=True)


def in_few_colors(taken: Image.Image) -> Image.Image:
    """The colors that cover most stay as they are; what is between them becomes the nearest."""
    counted: Any = taken.getcolors(taken.width * taken.height)
    most = [color for _, color in sorted(counted, reverse=True)[:COLORS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for color in most for part in color])
    return taken.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
