"""`manage.py docs`: the generated pages of docs/generated, written anew or checked.

The command lives in the last app of the arrow because it reads the declarations of all of them.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orders.management.pages import render_all

FOLDER: Path = settings.BASE_DIR / "docs" / "generated"


class Command(BaseCommand):
    help = "Write the generated pages of docs/generated anew; needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 and name what is stale"
        )
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pages are")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        pages = render_all()
        changed = stale(folder, pages)
        if options["check"]:
            if changed:
                raise CommandError(f"Stale: {', '.join(changed)}. Run ./run docs and commit.")
            return
        write(folder, pages)
        for name in changed:
            self.stdout.write(f"wrote {folder / name}")


def stale(folder: Path, pages: Mapping[str, str]) -> list[str]:
    """The names of pages that are missing, differ, or that nothing generates any more."""
    found = {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}
    return sorted(n for n in {*found, *pages} if found.get(n) != pages.get(n))


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Make the folder hold exactly these pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text)
