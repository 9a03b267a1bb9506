"""docs/generated/settings.md: every environment variable, from .env.example."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings as django_settings

from orders.management.pages import markdown
from orders.management.pages.markdown import code

INTRODUCTION: Final = (
    "Every environment variable, from `.env.example`. None is needed for `./run up`. Put them in "
    "`.env` or in the environment, which wins."
)
_SECTION: Final = re.compile(r"# ── (.+?) ─+")
_VARIABLE: Final = re.compile(r"#? ?([A-Z][A-Z_]*)=(.*)")


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of .env.example with the section it stands in and the comment above it."""

    name: str
    section: str
    text: str
    example: str


def settings() -> str:
    sections: dict[str, list[Variable]] = {}
    for variable in variables():
        sections.setdefault(variable.section, []).append(variable)
    parts = [
        f"## {title}\n\n"
        + markdown.table(
            ["variable", "what it is", "example"],
            [(code(v.name), v.text, code(v.example)) for v in found],
        )
        for title, found in sections.items()
    ]
    return markdown.page("Settings", INTRODUCTION, *parts)


def variables() -> Iterator[Variable]:
    """What .env.example lists, in its order."""
    section = ""
    comment: list[str] = []
    for line in (django_settings.BASE_DIR / ".env.example").read_text().splitlines():
        if found := _SECTION.fullmatch(line):
            section, comment = found[1], []
        elif found := _VARIABLE.fullmatch(line):
            yield Variable(found[1], section, " ".join(comment), found[2])
            comment = []
        elif line.startswith("# "):
            comment.append(line.removeprefix("# "))
        else:
            comment = []
