"""`./run screenshots`: pictures of the console's main pages for docs/, taken of a running stack."""

import argparse
import io
from collections.abc import Iterator
from contextlib import contextmanager
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
COLORS: Final = 64  # enough for flat pages; a third of the bytes
TALLEST: Final = 2000  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of pages; without any, all are taken")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    said = parser.parse_args()
    unknown = set(said.names) - {view.name for view in VIEWS}
    if unknown:
        parser.error(f"there is no page {', '.join(sorted(unknown))}")
    views = [view for view in VIEWS if not said.names or view.name in said.names]
    said.folder.mkdir(parents=True, exist_ok=True)
    with running_stack() as stack, chromium.running() as browser:
        pages = People(stack, browser)
        for view in track(views, description="Taking pictures"):
            take(view, pages, said.folder)


class People:
    """Signed in once each, then seen in as many windows as are needed."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack, self.browser = stack, browser
        self.cookies: dict[str, Any] = {}

    @contextmanager
    def page(self, role: str | None, **options: Any) -> Iterator[Page]:
        if role is not None:
            options["storage_state"] = self._signed_in(role)
        context = self.browser.new_context(base_url=self.stack.url, **options)
        yield context.new_page()
        context.close()

    def _signed_in(self, role: str) -> Any:
        if role not in self.cookies:
            name = {"admin": "grace@demo", "support": "ada@demo"}[role]
            made = self.stack.manage_json(
                "staff", "create", name, "--tenant", "demo", "--role", role
            )
            with self.page(None) as page:
                fill_in_password(page, name, made["password"])
                enroll(page)
                self.cookies[role] = page.context.storage_state()
        return self.cookies[role]


def take(view: View, people: People, folder: Path) -> None:
    """Wide, on a phone, and in the dark where the page is said to be looked at so."""
    shapes: dict[str, dict[str, Any]] = {
        "": {"viewport": WIDE},
        "-phone": {"viewport": PHONE, "has_touch": True},
    }
    if view.is_also_dark:
        shapes["-dark"] = {"viewport": WIDE, "color_scheme": "dark"}
    for suffix, options in shapes.items():
        with people.page(view.role, **options) as page:
            view.open(page)
            page.wait_for_load_state("networkidle")
            save(page, folder / f"{view.name}{suffix}.png")


def save(page: Page, path: Path) -> None:
    """The whole page if it is not too tall, in few colors."""
    taken = Image.open(io.BytesIO(page.screenshot(full_page=True, animations="disabled")))
    shown = taken.crop((0, 0, taken.width, min(taken.height, TALLEST)))
    shown.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
