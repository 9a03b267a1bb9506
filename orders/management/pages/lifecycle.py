"""docs/generated/lifecycle.md: tables and diagrams of `orders.lifecycle`."""

import itertools
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from orders.lifecycle import TERMINAL, TRANSITIONS, HoldKind, ItemStatus, OrderStatus, order_status
from orders.management.pages import markdown
from orders.management.pages.markdown import code, yes

INTRODUCTION: Final = (
    "`orders/lifecycle.py` alone defines the statuses of items and orders, and their transitions. "
    "`on_hold` has two meanings: an *order* `on_hold` waits to be routed, an *item* `on_hold` "
    "could not be fulfilled. The routes in `openapi.yaml` document the verbs that a client can use."
)
ORDER_RULE: Final = (
    "An order's status is derived from its items and stored with each of their changes: `on_hold` "
    "if an item is `pending`, otherwise `open` if an item is not at an end, otherwise `closed`."
)
NOTE: Final = "The diagram shows the transitions of orders with one or two items."


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
        "An order with an active hold is not routed. It may have one active hold of each kind.",
        markdown.table(["kind", "shown as"], [(code(k.value), k.label) for k in HoldKind]),
    )


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
            ", ".join(code(event) for event in t.events),
        )
        for t in TRANSITIONS
    ]
    return markdown.table(["verb", "from", "to", "announces"], rows)


def _item_moves() -> list[tuple[str, str, str]]:
    """Return the status before, the status after and the verb of every transition."""
    return [(s.value, t.target.value, t.verb) for t in TRANSITIONS for s in _sorted(t.sources)]


def _order_moves() -> list[tuple[str, str, str]]:
    """Return both order statuses and the verb of every transition that changes the order's."""
    moves = []
    others: list[list[ItemStatus]] = [[], *([status] for status in ItemStatus)]
    for transition, rest in itertools.product(TRANSITIONS, others):
        for source in _sorted(transition.sources):
            before, after = order_status([source, *rest]), order_status([transition.target, *rest])
            if before != after:
                moves.append((before.value, after.value, transition.verb))
    return moves


def _diagram(moves: Iterable[tuple[str, str, str]]) -> str:
    """Return a Mermaid diagram with one arrow for each pair of statuses, labelled with verbs."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for before, after, verb in moves:
        verbs = arrows.setdefault((before, after), [])
        if verb not in verbs:
            verbs.append(verb)
    lines = [f"    {a} --> {b}: {', '.join(verbs)}" for (a, b), verbs in arrows.items()]
    return markdown.block("\n".join(["stateDiagram-v2", *lines]), "mermaid")


def _sorted(statuses: AbstractSet[ItemStatus]) -> list[ItemStatus]:
    return [status for status in ItemStatus if status in statuses]
