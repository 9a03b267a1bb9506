"""`manage.py docs`: the generated pages of docs/generated.

The command is in the last app of the import order, because it reads declarations of all apps.
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
    help = "Write the generated pages of docs/generated. Needs no database."
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
    """Return the names of pages that are missing, different or no longer generated."""
    stored = {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}
    return sorted(n for n in {*stored, *pages} if stored.get(n) != pages.get(n))


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write these pages and delete all other files of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text)
