"""docs/generated/timeline.md: the console's descriptions of timeline entries."""

from collections.abc import Iterator
from typing import Any, Final

from orders.lifecycle import HoldKind
from orders.management.pages import markdown
from orders.management.pages.markdown import code
from orders.services.timeline.descriptions import REASONS, RULES, WORDS

INTRODUCTION: Final = (
    "The descriptions of timeline entries, from `orders/services/timeline/descriptions.py`. `…` "
    "stands for facts of the entry. An entry's `rule` is the cause of the change; its `reason` is "
    "one of our codes or free text."
)


class _Anything(dict[str, Any]):
    """Facts in which every key has the value `…`."""

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
