"""docs/generated/timeline.md: what happens to orders, in the words the console has for it."""

from collections.abc import Iterator
from typing import Any, Final

from orders.lifecycle import HoldKind
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.services.timeline.descriptions import REASONS, RULES, WORDS

INTRODUCTION: Final = (
    "What `orders/services/timeline/descriptions.py` makes of a timeline for people; `…` stands "
    "for what the facts of the entry say. An entry's `rule` is why, and its `reason` may be one of "
    "our codes, or somebody's own words."
)


class _Anything(dict[str, Any]):
    """Facts that say something of everything."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, "…")

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "…"


def timeline() -> str:
    return markdown.page(
        "What happens to orders",
        INTRODUCTION,
        "## Verbs",
        markdown.table(["verb", "in words"], _verbs()),
        "## Rules",
        markdown.table(["rule", "because"], [(code(name), why) for name, why in RULES.items()]),
        "## Reasons",
        markdown.table(
            ["reason", "in words"], [(code(name), why) for name, why in REASONS.items()]
        ),
    )


def _verbs() -> Iterator[tuple[str, str]]:
    for verb, words in WORDS.items():
        if verb == "held":
            yield from ((code(verb), words(_Anything(hold=kind))) for kind in HoldKind)
        elif verb == "serial_numbers_added":
            yield code(verb), words(_Anything(items={"…": "…"}))
        else:
            yield code(verb), words(_Anything(reasons=["…"]))
