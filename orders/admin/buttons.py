"""Manual actions on one order: a table of buttons with their permissions, forms and texts.

Services decide what is possible and do it; a row of the table holds the texts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms

from ordermgmt.console.wording import exact
from orders.admin.forms import CancelForm, NoteForm, ReasonForm, VersionForm
from orders.admin.labels import amount
from orders.lifecycle import HoldKind, OrderStatus
from orders.models import Hold, Item, Order
from orders.services import cancellation, notes
from orders.services.console.order_state import OrderState
from orders.services.holds import actions as hold_actions
from orders.services.timeline.descriptions import hold_label, in_words, items

# None is the whole order.
Target = Hold | Item | None
FormData = dict[str, Any]
PRODUCTS: Final = 5  # named in one sentence


@dataclass(frozen=True, slots=True)
class Button:
    """One action. `candidates` are its possible targets; `is_possible` checks one of them now."""

    name: str  # part of its URL
    label: str
    icon: str
    permission: str
    form: type[forms.Form]
    candidates: Callable[[OrderState], Sequence[Target]]
    is_possible: Callable[[OrderState, Any], bool]
    consequences: Callable[[OrderState, Any], Iterable[str]]
    perform: Callable[[OrderState, Any, FormData, str], str]  # the last argument is the actor
    is_grave: bool = False

    def targets(self, state: OrderState) -> list[Target]:
        """Return the candidates that the action is possible for now."""
        return [t for t in self.candidates(state) if self.is_possible(state, t)]

    def target(self, state: OrderState, uuid: UUID | None) -> tuple[Target, ...]:
        """Return the candidate with this uuid as a tuple of one; empty if there is none."""
        matches = (t for t in self.candidates(state) if getattr(t, "uuid", None) == uuid)
        return tuple(matches)[:1]


def _whole(_: OrderState) -> Sequence[Target]:
    return (None,)


def _order_arguments(state: OrderState) -> dict[str, Any]:
    """Return the arguments by which services identify the order."""
    return {"tenant": state.tenant, "reference": str(state.document.order.uuid)}


# Put on hold.


def _hold_consequences(state: OrderState, _: None) -> Iterable[str]:
    yield "The order waits until somebody releases it; nothing ends this hold by itself."
    if returning := state.parkable_items:
        places = sorted({item.location_code for item in returning if item.location_code})
        where = f" at {in_words(places)}" if places else ""
        yield f"{items(len(returning))}{where} will wait again, to be routed anew afterwards."


def _hold(state: OrderState, _: None, form_data: FormData, actor: str) -> str:
    hold_actions.place(
        **_order_arguments(state),
        reason=form_data["reason"],
        actor=actor,
        expected_version=form_data["expected_version"],
    )
    return "The order is on hold until somebody releases it."


# Release, and approve.


def _release_consequences(state: OrderState, hold: Hold) -> Iterable[str]:
    others = [hold_label(h.kind) for h in state.active_holds if h.pk != hold.pk]
    if others:
        yield f"The order still waits afterwards: {in_words(others)}."
    else:
        yield "Nothing else holds the order: it goes to fulfillment at once."


def _release(state: OrderState, hold: Hold, form_data: FormData, actor: str) -> str:
    hold_actions.release(
        **_order_arguments(state),
        hold=hold.uuid,
        reason=form_data["reason"],
        actor=actor,
        expected_version=form_data["expected_version"],
    )
    return (
        f"The {hold_label(hold.kind)} has ended. {_status_after_release(state.document.order.pk)}"
    )


def _status_after_release(key: int) -> str:
    order = Order.objects.get(pk=key)
    if order.status != OrderStatus.ON_HOLD:
        return f"Nothing holds the order any longer: it is {order.get_status_display().lower()}."
    kinds = order.holds.filter(released_at__isnull=True).values_list("kind", flat=True)
    return f"The order still waits: {in_words([hold_label(kind) for kind in kinds])}."


# Extend.


def _extension_consequences(state: OrderState, hold: Hold) -> Iterable[str]:
    assert hold.due_at is not None  # a constraint guarantees it for grace holds
    longer = hold.due_at + hold_actions.EXTENSION
    yield f"The grace period ends {exact(longer)} instead of {exact(hold.due_at)}."


def _extend(state: OrderState, _: Hold, form_data: FormData, actor: str) -> str:
    due_at = hold_actions.extend_grace(
        **_order_arguments(state),
        id_type="internal",
        actor=actor,
        expected_version=form_data["expected_version"],
    )
    return f"The grace period is 15 minutes longer: it ends {exact(due_at)}."


# Cancel.


def _cancellation_consequences(state: OrderState, _: None) -> Iterable[str]:
    live = state.live_items
    yield f"{items(len(live))} will be cancelled for good: {_products(live)}."
    yield _refund(state, live)
    if holds := state.active_holds:
        yield f"This also ends its {in_words([hold_label(hold.kind) for hold in holds])}."
    if not state.is_safe_to_cancel:
        yield "Somebody may be handling it: a distribution center has it, or it is being packed."


def _products(live: Sequence[Item]) -> str:
    names = list(dict.fromkeys(item.product_id for item in live))
    more = len(names) - PRODUCTS
    return in_words([*names[:PRODUCTS], *([f"{more:,} more"] if more > 0 else [])])


def _refund(state: OrderState, cancelled: Sequence[Item]) -> str:
    due = amount(state.refund_without(cancelled), state.document.order.currency)
    return (
        f"Refund due: up to {due}. This does not issue the refund; the payment system is notified."
    )


def _cancel(state: OrderState, _: None, form_data: FormData, actor: str) -> str:
    cancellation.cancel(
        **_order_arguments(state),
        id_type="internal",
        reason=form_data["reason"],
        note=form_data["note"] or None,
        actor=actor,
        expected_version=form_data["expected_version"],
    )
    number = len(state.live_items)
    its = "its item" if number == 1 else f"its {items(number)}"
    return f"The order and {its} were cancelled."


def _item_cancellation_consequences(state: OrderState, item: Item) -> Iterable[str]:
    yield f"{item.product_id}, which was pre-ordered, will be cancelled for good."
    yield _refund(state, [item])
    if [i.pk for i in state.live_items] == [item.pk]:
        yield "It is the last item: the order ends with it."


def _cancel_item(state: OrderState, item: Item, form_data: FormData, actor: str) -> str:
    cancellation.cancel_item(
        **_order_arguments(state),
        id_type="internal",
        item=item.uuid,
        actor=actor,
        expected_version=form_data["expected_version"],
    )
    return f"{item.product_id} is cancelled."


# Note.


def _add_note(state: OrderState, _: None, form_data: FormData, actor: str) -> str:
    draft = notes.Draft(form_data["text"], actor.removeprefix("staff:"), "user", None)
    notes.add(tenant=state.tenant, order=state.document.order.uuid, draft=draft, actor=actor)
    return "The note was added."


def _is_active(state: OrderState, hold: Hold) -> bool:
    return hold.released_at is None


_ROWS: Final = (
    Button(
        name="extend",
        label="Extend by 15 min",
        icon="more_time",
        permission="orders.extend_order",
        form=VersionForm,
        candidates=lambda s: [hold for hold in s.holds if hold.kind == HoldKind.GRACE],
        is_possible=lambda s, hold: s.running is not None and s.running.pk == hold.pk,
        consequences=_extension_consequences,
        perform=_extend,
    ),
    Button(
        name="approve",
        label="Approve",
        icon="task_alt",
        permission="orders.approve_order",
        form=ReasonForm,
        candidates=lambda s: [hold for hold in s.holds if hold.kind == HoldKind.BIG_ORDER],
        is_possible=_is_active,
        consequences=_release_consequences,
        perform=_release,
    ),
    Button(
        name="release",
        label="Release",
        icon="play_arrow",
        permission="orders.release_order",
        form=ReasonForm,
        candidates=lambda s: [hold for hold in s.holds if hold.kind != HoldKind.BIG_ORDER],
        is_possible=_is_active,
        consequences=_release_consequences,
        perform=_release,
    ),
    Button(
        name="hold",
        label="Put on hold",
        icon="pause",
        permission="orders.hold_order",
        form=ReasonForm,
        candidates=_whole,
        is_possible=lambda s, _: s.can_be_held,
        consequences=_hold_consequences,
        perform=_hold,
    ),
    Button(
        name="cancel",
        label="Cancel order",
        icon="cancel",
        permission="orders.cancel_order",
        form=CancelForm,
        candidates=_whole,
        is_possible=lambda s, _: not s.why_not_cancelable,
        consequences=_cancellation_consequences,
        perform=_cancel,
        is_grave=True,
    ),
    Button(
        name="cancel-item",
        label="Cancel item",
        icon="cancel",
        permission="orders.cancel_order",
        form=VersionForm,
        candidates=lambda s: s.document.items,
        is_possible=lambda s, item: cancellation.why_not_item(s.document.order, item) is None,
        consequences=_item_cancellation_consequences,
        perform=_cancel_item,
        is_grave=True,
    ),
    Button(
        name="note",
        label="Add note",
        icon="add_comment",
        permission="orders.note_order",
        form=NoteForm,
        candidates=_whole,
        is_possible=lambda *_: True,
        consequences=lambda *_: (),
        perform=_add_note,
    ),
)
BUTTONS: Final = {button.name: button for button in _ROWS}
