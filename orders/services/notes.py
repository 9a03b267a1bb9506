"""Notes on orders and items (docs/contract.md, Notes).

The timeline records every change of a note but not its text, because notes can be deleted and
timeline entries cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from configuration.models import Tenant
from ordermgmt.errors import Invalid, NotFound
from orders.models import Item, OrderNote
from orders.services.capture.card_numbers import holds_card_number
from orders.services.changes.locking import change_order
from orders.services.changes.order_change import OrderChange
from orders.services.reading import queries

MOST_NOTES: Final = 1000
_NO_ITEM: Final = "The order has no such item."


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
    """The text of a note with its source and tags."""

    text: str
    source: str
    source_type: str
    tags: Sequence[str] | None


def notes_for_order(*, tenant: Tenant, order: UUID, item: UUID | None = None) -> list[OrderNote]:
    """Return the notes of an order and its items, or of one item, newest first.

    Raise `OrderNotFound`, `NoSuchItem`.
    """
    key = queries.key_of(tenant, str(order), id_type="internal")
    notes = OrderNote.objects.filter(tenant=tenant, order_id=key)
    if item is not None:
        if not Item.objects.filter(tenant=tenant, order_id=key, uuid=item).exists():
            raise NoSuchItem(_NO_ITEM)
        notes = notes.filter(item__uuid=item)
    return list(notes.select_related("order", "item").order_by("-created_at", "-id"))


def add(
    *, tenant: Tenant, order: UUID, item: UUID | None = None, draft: Draft, actor: str
) -> OrderNote:
    """Add a note. Raise `OrderNotFound`, `NoSuchItem`, `CardNumberInNote`, `TooManyNotes`."""
    _check_no_card(draft)
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        if OrderNote.objects.filter(tenant=tenant, order=change.order).count() >= MOST_NOTES:
            raise TooManyNotes(f"An order has at most {MOST_NOTES} notes.")
        note = OrderNote.objects.create(
            tenant=tenant,
            order=change.order,
            item=_item(change, item),
            text=draft.text,
            source=draft.source,
            source_type=draft.source_type,
            tags=draft.tags and list(draft.tags),
        )
        _record(change, "note_added", note)
    return _read(note.pk)


def edit(
    *,
    tenant: Tenant,
    order: UUID,
    item: UUID | None = None,
    note: UUID,
    draft: Draft,
    actor: str,
) -> OrderNote:
    """Replace a note. Raise `OrderNotFound`, `NoteNotFound`, `CardNumberInNote`."""
    _check_no_card(draft)
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        row = _note(change, item, note)
        OrderNote.objects.filter(pk=row.pk).update(
            text=draft.text,
            source=draft.source,
            source_type=draft.source_type,
            tags=draft.tags and list(draft.tags),
            updated_at=Now(),
        )
        _record(change, "note_edited", row)
    return _read(row.pk)


def delete(
    *, tenant: Tenant, order: UUID, item: UUID | None = None, note: UUID, actor: str
) -> None:
    """Delete a note. Raise `OrderNotFound`, `NoteNotFound`."""
    with change_order(tenant, str(order), id_type="internal", actor=actor) as change:
        row = _note(change, item, note)
        _record(change, "note_deleted", row)
        row.delete()


def _record(change: OrderChange, verb: str, note: OrderNote) -> None:
    on_item = {"item": note.item.uuid} if note.item else {}
    change.record(verb, {"note": note.uuid} | on_item)


def _note(change: OrderChange, item: UUID | None, note: UUID) -> OrderNote:
    notes = OrderNote.objects.filter(
        tenant=change.order.tenant_id, order=change.order, uuid=note
    ).select_related("item")
    if item is not None:
        notes = notes.filter(item__uuid=item)
    if (row := notes.first()) is None:
        raise NoteNotFound("No note exists for this order ID and note ID")
    return row


def _item(change: OrderChange, item: UUID | None) -> Item | None:
    if item is None:
        return None
    for row in change.items:
        if row.uuid == item:
            return row
    raise NoSuchItem(_NO_ITEM)


def _read(key: int) -> OrderNote:
    return OrderNote.objects.select_related("order", "item").get(pk=key)


def _check_no_card(draft: Draft) -> None:
    if any(holds_card_number(text) for text in (draft.text, *(draft.tags or ()))):
        raise CardNumberInNote("A note must not hold a card number.")
