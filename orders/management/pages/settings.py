"""docs/generated/settings.md: the environment variables in .env.example."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings as django_settings

from orders.management.pages import markdown
from orders.management.pages.markdown import code

INTRODUCTION: Final = (
    "The environment variables in `.env.example`. `./run up` needs none of them. Set them in "
    "`.env` or in the environment, which takes precedence."
)
_SECTION: Final = re.compile(r"# ── (.+?) ─+")
_VARIABLE: Final = re.compile(r"#? ?([A-Z][A-Z_]*)=(.*)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of .env.example with its section and the comment above it."""

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
            [(code(v.name), v.text, code(v.example)) for v in members],
        )
        for title, members in sections.items()
    ]
    return markdown.page("Settings", INTRODUCTION, *parts)


def variables() -> Iterator[Variable]:
    """Yield the variables of .env.example in its order."""
    section = ""
    comment: list[str] = []
    for line in (django_settings.BASE_DIR / ".env.example").read_text().splitlines():
        if match := _SECTION.fullmatch(line):
            section, comment = match[1], []
        elif match := _VARIABLE.fullmatch(line):
            yield Variable(match[1], section, " ".join(comment), match[2])
            comment = []
        elif line.startswith("# "):
            comment.append(line.removeprefix("# "))
        else:
            comment = []
