"""Page docs/generated/lifecycle.md: statuses, transitions, holds and events of orders."""

import itertools
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from orders.lifecycle import TERMINAL, TRANSITIONS, HoldKind, ItemStatus, OrderStatus, order_status
from orders.management.pages import markdown
from orders.management.pages.markdown import code, yes
from orders.services.events.catalogue import EVENTS

INTRODUCTION: Final = (
    "`orders/lifecycle.py` alone decides the statuses and transitions of items and orders, "
    "`orders/services/events/catalogue.py` the events. Two words are easily confused: an *order* "
    "`on_hold` waits to be routed, an *item* `on_hold` could not be fulfilled."
)
ORDER_RULE: Final = (
    "An order's status follows from its items' and is stored with every change of them: any item "
    "`pending` → `on_hold`; else any item not at an end → `open`; else `closed`."
)
EVENT_RULE: Final = (
    "An event is announced by the timeline entry with this verb and has the version of that entry."
)
NOTE: Final = "The diagram joins what orders of one and of two items can do."


def lifecycle() -> str:
    return markdown.page(
        "The life of an order",
        INTRODUCTION,
        "## Items",
        _items(),
        _transitions(),
        _diagram(_item_moves()),
        "## Orders",
        ORDER_RULE,
        markdown.table(["status", "shown as"], [(code(s.value), s.label) for s in OrderStatus]),
        NOTE,
        _diagram(_order_moves()),
        "## Holds",
        "While one of these stands, an order is not routed. It may have one of each.",
        markdown.table(["kind", "shown as"], [(code(k.value), k.label) for k in HoldKind]),
        "## Events",
        EVENT_RULE,
        _events(),
    )


def _events() -> str:
    rows = [(code(e.name), code(e.verb), e.condition_text, yes(e.is_once)) for e in EVENTS]
    return markdown.table(["event", "timeline verb", "only if", "once per order"], rows)


def _items() -> str:
    rows = [
        (code(s.value), s.label, yes(s in TERMINAL), code(order_status([s]).value))
        for s in ItemStatus
    ]
    return markdown.table(["status", "shown as", "an end", "an order of only such items"], rows)


def _transitions() -> str:
    rows = [
        (
            code(t.verb),
            ", ".join(code(s.value) for s in _sorted(t.sources)),
            code(t.target.value),
        )
        for t in TRANSITIONS
    ]
    return markdown.table(["verb", "from", "to"], rows)


def _item_moves() -> list[tuple[str, str, str]]:
    """Status before, status after and verb, of every row of the table."""
    return [(s.value, t.target.value, t.verb) for t in TRANSITIONS for s in _sorted(t.sources)]


def _order_moves() -> list[tuple[str, str, str]]:
    """Status before, status after and verb, wherever one item's move changes its order's status."""
    moves = []
    others: list[list[ItemStatus]] = [[], *([status] for status in ItemStatus)]
    for transition, rest in itertools.product(TRANSITIONS, others):
        for source in _sorted(transition.sources):
            before, after = order_status([source, *rest]), order_status([transition.target, *rest])
            if before != after:
                moves.append((before.value, after.value, transition.verb))
    return moves


def _diagram(moves: Iterable[tuple[str, str, str]]) -> str:
    """A Mermaid diagram; one arrow for each pair of statuses, labelled with all its verbs."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for before, after, verb in moves:
        verbs = arrows.setdefault((before, after), [])
        if verb not in verbs:
            verbs.append(verb)
    lines = [f"    {a} --> {b}: {', '.join(verbs)}" for (a, b), verbs in arrows.items()]
    return markdown.block("\n".join(["stateDiagram-v2", *lines]), "mermaid")


def _sorted(statuses: AbstractSet[ItemStatus]) -> list[ItemStatus]:
    return [status for status in ItemStatus if status in statuses]
