"""docs/generated/map.md: every module with its caption."""

from itertools import groupby

from orders.management.pages import markdown
from orders.management.pages.modules import PACKAGES, first_line, sources

INTRODUCTION = (
    "Every module with the first line of its docstring. Apps are in the order of their imports: "
    "each app imports only apps above it. Migrations and tests are left out; `tests/` mirrors the "
    "apps."
)


def module_map() -> str:
    sections = []
    for folder, paths in groupby(sources(*PACKAGES), key=lambda path: path.parent):
        rows = [(markdown.code(path.name), first_line(path)) for path in paths]
        sections.append(f"## `{folder}/`\n\n" + markdown.table(["module", "what it is for"], rows))
    return markdown.page("The map", INTRODUCTION, *sections)
