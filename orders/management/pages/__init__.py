"""The pages of docs/generated: one function for each page.

They depend on the code alone, not on the database, the environment, the clock or the terminal, so
that a page is stale only if the code has changed.
"""

from collections.abc import Callable
from typing import Final

from orders.management.pages.commands import commands
from orders.management.pages.configuration import configuration
from orders.management.pages.errors import errors
from orders.management.pages.lifecycle import lifecycle
from orders.management.pages.map import module_map
from orders.management.pages.openapi import openapi
from orders.management.pages.scopes import scopes
from orders.management.pages.settings import settings
from orders.management.pages.timeline import timeline

PAGES: Final[dict[str, Callable[[], str]]] = {
    "map.md": module_map,
    "configuration.md": configuration,
    "lifecycle.md": lifecycle,
    "timeline.md": timeline,
    "settings.md": settings,
    "scopes.md": scopes,
    "errors.md": errors,
    "commands.md": commands,
    "openapi.yaml": openapi,
}


def render_all() -> dict[str, str]:
    """Return the text of every generated page by its file name."""
    return {name: page() for name, page in PAGES.items()}
