"""What can be done with an order by hand: each a row, from the button to the sentence after.

Whether it is possible is asked of the services, and done by them; a row only finds the words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms

from ordermgmt.console.wording import exact
from orders.admin.forms import CancelForm, NoteForm, ReasonForm, SeenForm
from orders.admin.labels import amount
from orders.lifecycle import HoldKind, OrderStatus
from orders.models import Hold, Item, Order
from orders.services import cancellation, notes
from orders.services.console.order_state import OrderState
from orders.services.holds import actions as hold_actions
from orders.services.timeline.descriptions import hold_label, in_words, items

# What of an order something is done to: the whole (None), one of its holds, or one of its items.
Target = Hold | Item | None
Said = dict[str, Any]
PRODUCTS: Final = 5  # that a question names


@dataclass(frozen=True, slots=True)
class Button:
    """One thing somebody may do. `candidates` says to what; `is_possible` whether, as it stands."""

    name: str  # part of its address
    label: str
    icon: str
    permission: str
    form: type[forms.Form]
    candidates: Callable[[OrderState], Sequence[Target]]
    is_possible: Callable[[OrderState, Any], bool]
    consequences: Callable[[OrderState, Any], Iterable[str]]
    perform: Callable[[OrderState, Any, Said, str], str]  # with what was said, as whom
    is_grave: bool = False

    def targets(self, standing: OrderState) -> list[Target]:
        """What it can be done to now."""
        return [t for t in self.candidates(standing) if self.is_possible(standing, t)]

    def target(self, standing: OrderState, uuid: UUID | None) -> tuple[Target, ...]:
        """The candidate that goes by this id, if there is one."""
        named = (t for t in self.candidates(standing) if getattr(t, "uuid", None) == uuid)
        return tuple(named)[:1]


def _whole(_: OrderState) -> Sequence[Target]:
    return (None,)


def _name(standing: OrderState) -> dict[str, Any]:
    """How services are told which order, and that it is to be as it was seen."""
    return {"tenant": standing.tenant, "reference": str(standing.document.order.uuid)}


# Put on hold.


def _of_holding(standing: OrderState, _: None) -> Iterable[str]:
    yield "The order waits until somebody releases it; nothing ends this hold by itself."
    if parked := standing.parkable_items:
        places = sorted({item.location_code for item in parked if item.location_code})
        where = f" at {in_words(places)}" if places else ""
        yield f"{items(len(parked))}{where} will wait again, to be routed anew afterwards."


def _hold(standing: OrderState, _: None, said: Said, actor: str) -> str:
    hold_actions.place(
        **_name(standing),
        reason=said["reason"],
        actor=actor,
        expected_version=said["expected_version"],
    )
    return "The order is on hold until somebody releases it."


# Release, and approve.


def _of_release(standing: OrderState, hold: Hold) -> Iterable[str]:
    others = [hold_label(h.kind) for h in standing.active_holds if h.pk != hold.pk]
    if others:
        yield f"The order still waits afterwards: {in_words(others)}."
    else:
        yield "Nothing else holds the order: it goes to fulfillment at once."


def _release(standing: OrderState, hold: Hold, said: Said, actor: str) -> str:
    hold_actions.release(
        **_name(standing),
        hold=hold.uuid,
        reason=said["reason"],
        actor=actor,
        expected_version=said["expected_version"],
    )
    return f"The {hold_label(hold.kind)} has ended. {_goes_on(standing.document.order.pk)}"


def _goes_on(key: int) -> str:
    order = Order.objects.get(pk=key)
    if order.status != OrderStatus.ON_HOLD:
        return f"Nothing holds the order any longer: it is {order.get_status_display().lower()}."
    standing = order.holds.filter(released_at__isnull=True).values_list("kind", flat=True)
    return f"The order still waits: {in_words([hold_label(kind) for kind in standing])}."


# Extend.


def _of_extension(standing: OrderState, hold: Hold) -> Iterable[str]:
    assert hold.due_at is not None  # a constraint promises it of grace holds
    longer = hold.due_at + hold_actions.EXTENSION
    yield f"The grace period ends {exact(longer)} instead of {exact(hold.due_at)}."


def _extend(standing: OrderState, _: Hold, said: Said, actor: str) -> str:
    due_at = hold_actions.extend_grace(
        **_name(standing),
        id_type="internal",
        actor=actor,
        expected_version=said["expected_version"],
    )
    return f"The grace period is 15 minutes longer: it ends {exact(due_at)}."


# Cancel.


def _of_cancellation(standing: OrderState, _: None) -> Iterable[str]:
    live = standing.live_items
    yield f"{items(len(live))} will be cancelled for good: {_products(live)}."
    yield _refund(standing, live)
    if held := standing.active_holds:
        yield f"This also ends its {in_words([hold_label(hold.kind) for hold in held])}."
    if not standing.is_safe_to_cancel:
        yield "Somebody may be handling it: a distribution center has it, or it is being packed."


def _products(live: Sequence[Item]) -> str:
    names = list(dict.fromkeys(item.product_id for item in live))
    more = len(names) - PRODUCTS
    return in_words([*names[:PRODUCTS], *([f"{more:,} more"] if more > 0 else [])])


def _refund(standing: OrderState, cancelled: Sequence[Item]) -> str:
    due = amount(standing.refund_without(cancelled), standing.document.order.currency)
    return (
        f"Refund due: up to {due}. This does not issue the refund; the payment system is notified."
    )


def _cancel(standing: OrderState, _: None, said: Said, actor: str) -> str:
    cancellation.cancel(
        **_name(standing),
        id_type="internal",
        reason=said["reason"],
        note=said["note"] or None,
        actor=actor,
        expected_version=said["expected_version"],
    )
    number = len(standing.live_items)
    its = "its item" if number == 1 else f"its {items(number)}"
    return f"The order and {its} were cancelled."


def _of_item_cancellation(standing: OrderState, item: Item) -> Iterable[str]:
    yield f"{item.product_id}, which was pre-ordered, will be cancelled for good."
    yield _refund(standing, [item])
    if [i.pk for i in standing.live_items] == [item.pk]:
        yield "It is the last item: the order ends with it."


def _cancel_item(standing: OrderState, item: Item, said: Said, actor: str) -> str:
    cancellation.cancel_item(
        **_name(standing),
        id_type="internal",
        item=item.uuid,
        actor=actor,
        expected_version=said["expected_version"],
    )
    return f"{item.product_id} is cancelled."


# Note.


def _add_note(standing: OrderState, _: None, said: Said, actor: str) -> str:
    draft = notes.Draft(said["text"], actor.removeprefix("staff:"), "user", None)
    notes.add(tenant=standing.tenant, order=standing.document.order.uuid, draft=draft, actor=actor)
    return "The note was added."


def _is_standing(standing: OrderState, hold: Hold) -> bool:
    return hold.released_at is None


_ROWS: Final = (
    Button(
        "extend",
        "Extend by 15 min",
        "more_time",
        "orders.extend_order",
        SeenForm,
        lambda s: [hold for hold in s.holds if hold.kind == HoldKind.GRACE],
        lambda s, hold: s.running is not None and s.running.pk == hold.pk,
        _of_extension,
        _extend,
    ),
    Button(
        "approve",
        "Approve",
        "task_alt",
        "orders.approve_order",
        ReasonForm,
        lambda s: [hold for hold in s.holds if hold.kind == HoldKind.BIG_ORDER],
        _is_standing,
        _of_release,
        _release,
    ),
    Button(
        "release",
        "Release",
        "play_arrow",
        "orders.release_order",
        ReasonForm,
        lambda s: [hold for hold in s.holds if hold.kind != HoldKind.BIG_ORDER],
        _is_standing,
        _of_release,
        _release,
    ),
    Button(
        "hold",
        "Put on hold",
        "pause",
        "orders.hold_order",
        ReasonForm,
        _whole,
        lambda s, _: s.can_be_held,
        _of_holding,
        _hold,
    ),
    Button(
        "cancel",
        "Cancel order",
        "cancel",
        "orders.cancel_order",
        CancelForm,
        _whole,
        lambda s, _: not s.why_not_cancelable,
        _of_cancellation,
        _cancel,
        is_grave=True,
    ),
    Button(
        "cancel-item",
        "Cancel item",
        "cancel",
        "orders.cancel_order",
        SeenForm,
        lambda s: s.document.items,
        lambda s, item: cancellation.why_not_item(s.document.order, item) is None,
        _of_item_cancellation,
        _cancel_item,
        is_grave=True,
    ),
    Button(
        "note",
        "Add note",
        "add_comment",
        "orders.note_order",
        NoteForm,
        _whole,
        lambda *_: True,
        lambda *_: (),
        _add_note,
    ),
)
BUTTONS: Final = {button.name: button for button in _ROWS}
