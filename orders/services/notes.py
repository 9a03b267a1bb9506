"""Notes on an order or on one of its items: contract §e.6.

Every change is told in the timeline, but not what was written: a note can be deleted, the
timeline cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from configuration.models import Tenant
from ordermgmt.errors import Invalid, NotFound
from orders.models import Item, OrderNote
from orders.services.capture.card_numbers import holds_card_number
from orders.services.changes.locking import change_order
from orders.services.changes.order_change import OrderChange
from orders.services.reading import queries

MOST_NOTES = 1000


class NoteNotFound(NotFound):
    code = "not_found"


class NoSuchItem(NotFound):
    code = "not_found"


class CardNumberInNote(Invalid):
    code = "bad_request"


class TooManyNotes(Invalid):
    code = "bad_request"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a note says, and who says so."""

    text: str
    source: str
    source_type: str
    tags: Sequence[str] | None


def notes_for_order(*, tenant: Tenant, order: UUID, item: UUID | None = None) -> list[OrderNote]:
    """All notes of an order, those on its items too, newest first; or those of one item.

    Raises `OrderNotFound`, `NoSuchItem`.
    """
    key = queries.key_of(tenant, str(order), id_type="internal")
    found = OrderNote.objects.filter(tenant=tenant, order_id=key)
    if item is not None:
        if not Item.objects.filter(tenant=tenant, order_id=key, uuid=item).exists():
            raise _no_item()
        found = found.filter(item__uuid=item)
    return list(found.select_related("order", "item").order_by("-created_at", "-id"))


def add(
    *, tenant: Tenant, order: UUID, item: UUID | None = None, draft: Draft, actor: str
) -> OrderNote:
    """Write a note. Raises `OrderNotFound`, `NoSuchItem`, `CardNumberInNote`, `TooManyNotes`."""
    _refuse_cards(draft)
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        if OrderNote.objects.filter(tenant=tenant, order=change.order).count() >= MOST_NOTES:
            raise TooManyNotes(f"An order has at most {MOST_NOTES} notes.")
        made = OrderNote.objects.create(
            tenant=tenant,
            order=change.order,
            item=_item(change, item),
            text=draft.text,
            source=draft.source,
            source_type=draft.source_type,
            tags=draft.tags and list(draft.tags),
        )
        _tell(change, "note_added", made)
    return _read(made.pk)


def edit(
    *,
    tenant: Tenant,
    order: UUID,
    item: UUID | None = None,
    note: UUID,
    draft: Draft,
    actor: str,
) -> OrderNote:
    """Write a note anew. Raises `OrderNotFound`, `NoteNotFound`, `CardNumberInNote`."""
    _refuse_cards(draft)
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        found = _note(change, item, note)
        OrderNote.objects.filter(pk=found.pk).update(
            text=draft.text,
            source=draft.source,
            source_type=draft.source_type,
            tags=draft.tags and list(draft.tags),
            updated_at=Now(),
        )
        _tell(change, "note_edited", found)
    return _read(found.pk)


def delete(
    *, tenant: Tenant, order: UUID, item: UUID | None = None, note: UUID, actor: str
) -> None:
    """Delete a note for good. Raises `OrderNotFound`, `NoteNotFound`."""
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        found = _note(change, item, note)
        _tell(change, "note_deleted", found)
        found.delete()


def _tell(change: OrderChange, verb: str, note: OrderNote) -> None:
    on_item = {"item": note.item.uuid} if note.item else {}
    change.record(verb, {"note": note.uuid} | on_item)


def _note(change: OrderChange, item: UUID | None, note: UUID) -> OrderNote:
    found = OrderNote.objects.filter(
        tenant=change.order.tenant_id, order=change.order, uuid=note
    ).select_related("item")
    if item is not None:
        found = found.filter(item__uuid=item)
    if (first := found.first()) is None:
        raise NoteNotFound("No note exists for this order ID and note ID")
    return first


def _item(change: OrderChange, item: UUID | None) -> Item | None:
    if item is None:
        return None
    for known in change.items:
        if known.uuid == item:
            return known
    raise _no_item()


def _read(key: int) -> OrderNote:
    return OrderNote.objects.select_related("order", "item").get(pk=key)


def _no_item() -> NoSuchItem:
    return NoSuchItem("The order has no such item.")


def _refuse_cards(draft: Draft) -> None:
    if any(holds_card_number(text) for text in (draft.text, *(draft.tags or ()))):
        raise CardNumberInNote("A note must not hold a card number.")
